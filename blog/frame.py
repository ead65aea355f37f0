"""What stands around a story: the line under its hero, verdicts, and the entry to cite it by."""

from __future__ import annotations

import re
from typing import Any

from blog import authors, citations, escape, tables
from blog.authors import Author
from blog.portfolio import Portfolio


def actions(
    project: str, results: dict[str, Any], people: list[Author], portfolio: Portfolio
) -> str:
    """The line under the hero: the network to try, who it is by, the code behind it.

    A link into the repository names HEAD. The commit takes its place when the site is built, since
    a page that is committed cannot name the commit it is part of.
    """
    parts = []
    if results.get("live"):
        parts.append('<a class="folio-try" href="#try">Try the network</a>')
    if byline := authors.names(people) or portfolio.author:
        parts.append(f'<span class="folio-authors">By {escape.markdown(byline)}</span>')
    there = portfolio.repository and escape.address(
        f"{portfolio.repository.rstrip('/')}/tree/HEAD/projects/{project}"
    )
    if there:
        parts.append(f'<a class="folio-code" href="{there}">The code</a>')
    else:
        parts.append(f"[The code]({project}/project.py.txt){{ .folio-code }}")
    return f'<p class="folio-actions" markdown="span">{" ".join(parts)}</p>'


def verdicts(results: dict[str, Any], caption: str) -> str:
    """Each sealed hypothesis, what was found, and the outcome that follows from it."""
    keys = {"claim": "hypothesis", "test": "test", "found": "found", "outcome": "outcome"}
    rows = [[escape.markdown(str(verdict[key])) for key in keys] for verdict in results["verdicts"]]
    told = f'<figcaption markdown="span">{caption}</figcaption>\n\n' if caption else ""
    table = tables.of_rows(list(keys.values()), rows)
    return f'<figure class="folio-table" id="verdicts" markdown>\n\n{told}{table}\n\n</figure>'


def deviations(results: dict[str, Any]) -> str:
    """The folded box of what was done otherwise than sealed; told even when it is nothing."""
    if not results.get("verdicts"):
        return ""
    told = results.get("deviations") or ["None."]
    lines = "\n".join(f"- {escape.markdown(line)}" for line in told)
    return f'??? folio "Deviations from the proposal"\n\n{tables.indent(lines)}'


def cite(
    project: str, told: dict[str, str], run: str, people: list[Author], portfolio: Portfolio
) -> str:
    """The folded box with the post as an entry for someone else's bibliography.

    ``told`` holds title and date (ISO 8601) as plain text.
    """
    names = [author.name for author in people] or [portfolio.author or portfolio.name]
    year = told["date"][:4]
    fields = {
        "author": " and ".join(names),
        "title": told["title"],
        "year": year,
        "howpublished": portfolio.name,
        "url": portfolio.address(f"posts/{project}/"),
        "note": f"Run {run}",
    }
    entry = citations.entry(f"{project}{year}", fields)
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", entry)), default=0))
    block = f"{fence} {{ .bibtex }}\n{entry}\n{fence}"
    return f'??? folio "Cite this post"\n\n{tables.indent(block)}'
