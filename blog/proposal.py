"""A proposal as a page: what was asked and expected before anything was run, and its seal.

A page is plain Markdown under ``docs/proposals/``, like a post, and its slides lie beside it. Both
are made from what ``projects`` read out of proposal.md, seal.json and results.json:

    document    question, title, date, authors, video, pilots, hypotheses (each with name, claim,
                and test, a sentence with threshold and seeds), sections (heading, Markdown,
                notes), text
    seal        code, time, hash, commit, sealed (with its text); None before the seal
    results     verdicts and deviations; None before a run
"""

from __future__ import annotations

import datetime
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from blog import authors, escape, slides, tables
from blog.authors import Author
from blog.portfolio import Portfolio
from blog.post import Post
from blog.replacing import replace_file
from blog.site.finishing import frame_source

FOLDER = "proposals"
INDEX = """\
---
title: Proposals
description: What was asked and expected, written down before the work.
template: section.html
hide: [toc]
{first}---
<!-- Made from the proposals of the projects; no page of yours. -->

# Proposals

What was asked, and what was expected of the answer, written down before the work.
"""


class Paths(NamedTuple):
    """Where a proposal stands below blog/docs; its slides have the same place in the site."""

    page: str
    slides: str


def paths(name: str) -> Paths:
    """The places of a project's proposal: "proposals/NAME.md" and "proposals/NAME/slides.html"."""
    return Paths(f"{FOLDER}/{name}.md", f"{FOLDER}/{name}/slides.html")


def write(
    project: Path,
    docs: Path,
    document: dict[str, Any],
    seal: dict[str, Any] | None,
    portfolio: Portfolio | None = None,
    *,
    results: dict[str, Any] | None = None,
) -> list[Path]:
    """Render the page and the slides of a project's proposal; the paths whose bytes changed.

    Raises PostError, with file and line, for an author that cannot be told; then nothing was
    written.
    """
    portfolio = portfolio or Portfolio()
    example = _example(project)
    # Whoever takes over the template is not the author of its examples.
    whose = replace(portfolio, author="") if example else portfolio
    people = _people(project, document, whose)
    told = _Told(project, document, seal, results, people, whose, example)
    places = paths(project.name)
    made = {
        places.page: _page(told),
        places.slides: slides.slides(project.name, document, seal, people, whose),
    }
    return [
        docs / place for place, text in made.items() if replace_file(docs / place, text.encode())
    ]


def write_index(docs: Path) -> list[Path]:
    """Write the page that lists the proposals, what has not been run first; gone without any.

    Returns its path if it changed.
    """
    index = docs / FOLDER / "index.md"
    heads = {page: page.read_text("utf-8").partition("\n---\n")[0] for page in _made(docs)}
    if not heads:
        if index.is_file():
            index.unlink()
            return [index]
        return []
    ahead = [page.stem for page, head in heads.items() if "\njudged: true" not in head]
    listed = ", ".join(f"{FOLDER}/{name}/" for name in ahead)
    first = f"first: [{listed}]\n" if listed else ""
    return [index] if replace_file(index, INDEX.format(first=first).encode()) else []


def stale(projects: Path, docs: Path) -> list[Path]:
    """Rendered proposals, and the folders of their slides, whose proposal.md is gone."""
    gone: list[Path] = []
    for page in _made(docs):
        if not (projects / page.stem / "proposal.md").is_file():
            gone += [path for path in (page, page.with_suffix("")) if path.exists()]
    return gone


def sealed_on(seal: dict[str, Any] | None) -> str:
    """The day of a seal, such as "25 November 2026"; "" without one."""
    return _day(str(seal["time"])[:10]) if seal else ""


class _Told(NamedTuple):
    """All that a page is made from."""

    project: Path
    document: dict[str, Any]
    seal: dict[str, Any] | None
    results: dict[str, Any] | None
    people: list[Author]
    portfolio: Portfolio
    example: bool


def _made(docs: Path) -> list[Path]:
    """The pages that `write` made; an owner's own page in the same folder is none of them."""
    stamp = "<!-- Made from projects/{}/proposal.md;"
    return [
        page
        for page in sorted((docs / FOLDER).glob("*.md"))
        if stamp.format(page.stem) in page.read_text("utf-8")
    ]


def _example(project: Path) -> bool:
    """Whether the project is one of the template's examples, as its story says."""
    story = project / "post.md"
    head = story.read_text("utf-8", "replace").partition("\n---")[0] if story.is_file() else ""
    return re.search(r"^example: *true *$", head, re.MULTILINE) is not None


def _people(project: Path, document: dict[str, Any], portfolio: Portfolio) -> list[Author]:
    """The authors that the proposal names, or else the owner."""
    head = document["text"].removeprefix("---\n").partition("\n---")[0]
    post = Post(project / "proposal.md", {"authors": document.get("authors")}, head, [])
    named = authors.of_post(post)
    return named or ([Author(portfolio.author)] if portfolio.author else [])


def _page(told: _Told) -> str:
    """The page's text."""
    parts = [
        _front_matter(told),
        f"<!-- Made from projects/{told.project.name}/proposal.md; edit that one. -->",
        f"# {escape.markdown(told.document['title'])}",
        _kicker(told),
        _question(told),
        _actions(told),
        _video(told),
        "## Hypotheses",
        _changed(told),
        _hypotheses(told),
        _deviations(told),
    ]
    for heading, body, _ in told.document["sections"]:
        if text := slides.without_comments(body):
            parts += [f"## {escape.markdown(heading)}" if heading else "", text]
    parts += [_pilots(told), _seal(told), authors.box(told.people)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _front_matter(told: _Told) -> str:
    import yaml

    title, question = told.document["title"], told.document["question"]
    # The list of proposals shows the description below the title.
    asked = escape.attribute(question) if question != title else ""
    head: dict[str, Any] = {
        "title": escape.attribute(title),
        "description": f"{asked} {_state(told)}".strip(),
    }
    if _verdicts(told):
        head["judged"] = True
    if told.example:
        head["example"] = True
    return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10**6)}---"


def _verdicts(told: _Told) -> list[dict[str, Any]]:
    return (told.results or {}).get("verdicts") or []


def _state(told: _Told) -> str:
    """What became of the proposal so far, in a sentence."""
    when = f"Sealed {sealed_on(told.seal)}" if told.seal else "Not sealed"
    if not (verdicts := _verdicts(told)):
        return f"{when}; not judged yet." if told.results else f"{when}; not yet run."
    counts = Counter(verdict["outcome"] for verdict in verdicts)
    found = ", ".join(f"{count} {escape.attribute(name)}" for name, count in counts.items())
    return f"{when}; {found}."


def _kicker(told: _Told) -> str:
    date = str(told.document["date"])
    parts = [
        "<span>Proposal</span>",
        f'<time datetime="{escape.attribute(date)}">{_day(date)}</time>',
    ]
    if byline := authors.names(told.people):
        parts.append(f"<span>By {escape.attribute(byline)}</span>")
    if told.example:
        parts.append('<span class="folio-example">Example from the template</span>')
    return f'<p class="folio-meta folio-kicker">{" ".join(parts)}</p>'


def _question(told: _Told) -> str:
    question = told.document["question"]
    if question == told.document["title"]:
        return ""
    return f'<p class="folio-question">{escape.attribute(question)}</p>'


def _actions(told: _Told) -> str:
    """The line of links: the slides, the post once there is one, the recording."""
    name = told.project.name
    parts = [f"[The slides]({name}/slides.html){{ .folio-try }}"]
    if told.results is not None and (told.project / "post.md").is_file():
        parts.append(f"[What came out](../posts/{name}.md)")
    if there := escape.address(str(told.document.get("video") or "")):
        parts.append(f"[A recording]({there})")
    return f'<p class="folio-actions" markdown="span">{" ".join(parts)}</p>'


def _video(told: _Told) -> str:
    """The recording in a frame, where it comes from the one host that the owner allows."""
    there = escape.address(str(told.document.get("video") or ""))
    host = frame_source(told.portfolio.video_host)
    if not there or not there.startswith(f"{host}/"):
        return ""
    return (
        f'<p><iframe class="folio-video" src="{there}" title="A recording of the presentation" '
        'loading="lazy" allow="fullscreen"></iframe></p>'
    )


def _changed(told: _Told) -> str:
    if not told.seal or told.seal["sealed"]["text"] == told.document["text"]:
        return ""
    return (
        '!!! warning "Changed since it was sealed"\n\n'
        "    This page shows the proposal as it is now. The sealed text is in "
        f"`projects/{told.project.name}/seal.json`, and only what stands there is judged as sealed."
    )


def _hypotheses(told: _Told) -> str:
    """The hypotheses as a table; beside them, once there is one, the verdict on each."""
    verdicts = {verdict["name"]: verdict for verdict in _verdicts(told)}
    listed = {each["name"]: each for each in told.document["hypotheses"]}
    if not listed and not verdicts:
        return "No hypothesis has been written down yet."
    header = ["hypothesis", "test", *(("found", "outcome") if verdicts else ())]
    rows = []
    for name in {**verdicts, **listed}:
        # What was judged is told as it was judged, whatever the proposal says now.
        each, verdict = {**listed.get(name, {}), **verdicts.get(name, {})}, verdicts.get(name)
        row = [str(each["claim"]), str(each["test"])]
        if verdict:
            mark = "" if verdict.get("sealed", True) else " (not sealed)"
            row += [str(verdict["found"]), f"{verdict['outcome']}{mark}"]
        elif verdicts:
            row += ["", "not judged"]
        rows.append([escape.sentence(cell) for cell in row])
    return tables.of_rows(header, rows)


def _deviations(told: _Told) -> str:
    if not _verdicts(told):
        return ""
    found = (told.results or {}).get("deviations") or ["None."]
    lines = "\n".join(f"- {escape.sentence(line)}" for line in found)
    return f"## Deviations from the proposal\n\n{lines}"


def _pilots(told: _Told) -> str:
    pilots = told.document.get("pilots") or ["Nothing."]
    lines = "\n".join(f"- {escape.sentence(line)}" for line in pilots)
    return f"## What was tried before\n\n{lines}"


def _seal(told: _Told) -> str:
    """What the seal says, and what it is worth."""
    if told.seal is None and told.results and not told.results.get("draft"):
        return (
            "## The seal\n\nThis proposal was not sealed before the project was run: nothing shows "
            "that it was written first."
        )
    if told.seal is None:
        return (
            "## The seal\n\nThis proposal is not sealed: it can still be changed without a trace. "
            f"`folio propose {told.project.name}` seals it, before the first run."
        )
    rows = {
        "Code": told.seal["code"],
        "Sealed": slides.moment(told.seal["time"]),
        "Commit": told.seal.get("commit") or "none: it was outside a repository",
        "Seeds": ", ".join(map(str, told.seal["sealed"]["seeds"])) or "none",
        "Trainings before": told.seal["sealed"].get("trainings"),
        "In place of": ", ".join(each["code"] for each in told.seal.get("earlier", [])),
        "SHA-256": told.seal["hash"],
    }
    table = tables.of_rows(
        ["what", "value"],
        [[label, escape.markdown(str(value))] for label, value in rows.items() if value != ""],
    )
    return f"## The seal\n\n{table}\n\n{_worth(str(told.seal['code']))}"


def _worth(code: str) -> str:
    return (
        "The code is short for the hash, and the hash is of the hypotheses, the plan, the seeds, "
        "the settings and the split as they were at that time, when the log of the project held no "
        "training with these seeds and this split. Who has the code can ask a copy of this "
        f"repository whether it still gives it: `folio check --seal {escape.text(code)}`.\n\n"
        "What it does not prove: that nothing was tried elsewhere, nor the hour, since clocks and "
        "histories can be set back. Somebody who was handed the code on that day is a witness "
        "that the proposal is no younger. Without a witness the seal shows the order of things "
        "within this repository, not honesty."
    )


def _day(iso: str) -> str:
    """A day such as "25 November 2026"."""
    day = datetime.date.fromisoformat(iso[:10])
    return f"{day.day} {day:%B %Y}"
