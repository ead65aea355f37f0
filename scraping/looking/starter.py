"""The beginning of a project for a page that was looked at: code to paste, which runs as it is."""

from __future__ import annotations

from scraping.errors import printable
from scraping.looking.patterns import Field, Pattern

TYPES = {"text": "str", "number": "float", "date": "date", "image": "bytes"}
# What the pages behind links hold is not known yet; nearly every page has a title.
UNSEEN = Field("title", "title", "text", "")


def project(
    url: str,
    patterns: list[Pattern],
    about: list[Field],
    next_link: str | None,
    *,
    is_sitemap: bool = False,
) -> str:
    """A `project.py` as far as its table.

    With links in a list or a sitemap, the pages behind them are the rows; with a list that says
    enough by itself, its items are; otherwise the page is one row.
    """
    listed = patterns[0] if patterns else None
    if is_sitemap or (listed and listed.link):
        values = [(UNSEEN, f'text(page, "{UNSEEN.selector}", default="")')]
        keep, each = (listed.link if listed else None), None
    elif listed and listed.fields:
        values = [(one, _value(one, "item")) for one in listed.fields]
        keep, each = None, listed.selector
    else:
        values = [(one, _value(one, "page")) for one in about]
        keep, each = None, None
    fields = [one for one, _ in values]
    shown = next((one.selector for one in fields if one.kind == "image"), None)
    media = None if shown is None else f"{each or ''} {shown}".strip()
    loop = [f"    for item in page.select({quoted(each)}):"] if each else []
    return written(
        url,
        sorted({"crawl", "duplicated", *(one.kind for one in fields)}),
        [f"{one.name}: {_type(one)}{_example(one)}" for one in fields],
        f"crawl(START, {_links(next_link, keep, media)})",
        [f"per {'item of each page' if each else 'page'}", *loop],
        [f"{one.name}={value}" for one, value in values],
        dates=any(one.kind == "date" for one in fields),
    )


def written(
    url: str,
    imports: list[str],
    columns: list[str],
    crawl: str,
    loop: list[str],
    values: list[str],
    *,
    dates: bool = False,
) -> str:
    """The parts of a project put together; `loop` is what a row is, and the loop over rows."""
    row_per, *over = loop
    deeper = "    " * len(over)
    return "\n".join(
        [
            '"""What is the question that these pages can answer?"""',
            "",
            "from dataclasses import dataclass",
            *(["from datetime import date as Date"] if dates else []),
            "",
            f"from scraping import {', '.join(imports)}",
            "",
            f"START = {quoted(url)}",
            "",
            "",
            "@dataclass",
            "class Row:",
            '    """One row of the table."""',
            "",
            *[f"    {column}" for column in columns],
            "",
            "",
            "def pages():",
            '    """The pages, one after another."""',
            f"    return {crawl}",
            "",
            "",
            "def rows(page):",
            f'    """One row {row_per}."""',
            *over,
            f"    {deeper}yield Row(",
            *[f"    {deeper}    {value}," for value in values],
            f"    {deeper})",
            "",
            "",
            "def table(rows):",
            '    """The rows, each once."""',
            "    return rows[~duplicated(rows)]",
            "",
        ]
    )


def _type(one: Field) -> str:
    kind = "Date" if one.kind == "date" else TYPES[one.kind]
    return f"{kind} | None" if one.optional else kind


def _example(one: Field) -> str:
    """A comment that shows what was found; nothing in it can end the line."""
    return f"  # {printable(one.example, 50)}" if one.example else ""


def quoted(words: str | None) -> str:
    """A Python string, whatever is in the words."""
    written = repr(words)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in written else written


def _links(next_link: str | None, keep: str | None, media: str | None) -> str:
    parts = [f"follow={quoted(next_link) if next_link else None}"]
    parts += [f"keep={quoted(keep)}"] if keep else []
    parts += [f"media={quoted(media)}"] if media else []
    return ", ".join(parts)


def _value(one: Field, item: str) -> str:
    parts = [item]
    if one.selector or one.kind == "image":  # without a selector, image() looks for an <img>
        parts.append(quoted(one.selector))
    if one.optional:
        parts.append("default=None")
    return f"{one.kind}({', '.join(parts)})"
