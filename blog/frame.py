"""What stands around a story: the line under its hero, verdicts, and the entry to cite it by."""

from __future__ import annotations

import re
from typing import Any

from blog import authors, citations, escape, proposal, tables
from blog.authors import Author
from blog.portfolio import Portfolio


def actions(
    project: str,
    results: dict[str, Any],
    people: list[Author],
    portfolio: Portfolio,
    *,
    proposed: bool = False,
) -> str:
    """The line under the hero: the network to try, who it is by, its proposal, the code behind it.

    A link into the repository names HEAD. The commit takes its place when the site is built, since
    a page that is committed cannot name the commit it is part of.
    """
    parts = []
    if results.get("live"):
        parts.append('<a class="folio-try" href="#try">Try the network</a>')
    if byline := authors.names(people) or portfolio.author:
        parts.append(f'<span class="folio-authors">By {escape.markdown(byline)}</span>')
    if proposed:
        day = proposal.sealed_on(results.get("seal"))
        told = f"The proposal, sealed {day}" if day else "The proposal"
        parts.append(f"[{told}](../{proposal.paths(project).page}){{ .folio-proposal }}")
    there = portfolio.repository and escape.address(
        f"{portfolio.repository.rstrip('/')}/tree/HEAD/projects/{project}"
    )
    if there:
        parts.append(f'<a class="folio-code" href="{there}">The code</a>')
    else:
        parts.append(f"[The code]({project}/project.py.txt){{ .folio-code }}")
    return f'<p class="folio-actions" markdown="span">{" ".join(parts)}</p>'


def verdicts(results: dict[str, Any], caption: str) -> str:
    """Each hypothesis, what was found, and the outcome that follows from it."""
    header = ["hypothesis", "test", "found", "outcome"]
    rows = []
    for verdict in results["verdicts"]:
        cells = [str(verdict[key]) for key in ("claim", "test", "found", "outcome")]
        cells[3] += "" if verdict["sealed"] else " (not sealed)"
        rows.append([escape.sentence(cell) for cell in cells])
    told = f'<figcaption markdown="span">{caption}</figcaption>\n\n' if caption else ""
    table = tables.of_rows(header, rows)
    return f'<figure class="folio-table" id="verdicts" markdown>\n\n{told}{table}\n\n</figure>'


def deviations(results: dict[str, Any]) -> str:
    """The folded box of what was done otherwise than sealed; told even when it is nothing.

    With it the seal, and the pilots that came before.
    """
    if not (results.get("verdicts") or results.get("seal")):
        return ""
    parts = []
    if seal := results.get("seal"):
        when = f"{seal['time'][:10]} {seal['time'][11:16]} UTC"
        commit = f", at commit {seal['commit'][:12]}" if seal["commit"] else ""
        parts.append(escape.markdown(f"Sealed as {seal['code']} on {when}{commit}."))
    parts.append(_list(results.get("deviations") or ["None."]))
    if pilots := results.get("pilots"):
        parts += [f"Pilots{', before the seal' * bool(seal)}:", _list(pilots)]
    else:
        parts.append("No pilots were listed.")
    return tables.folded("Deviations from the proposal", "\n\n".join(parts))


def _list(lines: list[str]) -> str:
    return "\n".join(f"- {escape.sentence(line)}" for line in lines)


def cite(
    project: str,
    told: dict[str, str],
    run: str,
    people: list[Author],
    portfolio: Portfolio,
    *,
    example: bool = False,
) -> str:
    """The folded box with the post as an entry for someone else's bibliography.

    ``told`` holds title and date (ISO 8601) as plain text. An ``example`` belongs to the template,
    whoever shows it.
    """
    house = Portfolio.name if example else portfolio.name
    names = [author.name for author in people] or [portfolio.author or house]
    year = told["date"][:4]
    fields = {
        "author": " and ".join(names),
        "title": told["title"],
        "year": year,
        "howpublished": house,
        "url": portfolio.address(f"posts/{project}/"),
        "note": f"Run {run}",
    }
    entry = citations.entry(f"{project}{year}", fields)
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", entry)), default=0))
    block = f"{fence} {{ .bibtex }}\n{entry}\n{fence}"
    return tables.folded("Cite this post", block)
