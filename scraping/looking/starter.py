"""The beginning of a project for a page that was looked at: code to paste, which runs as it is."""

from __future__ import annotations

from scraping.errors import printable
from scraping.looking.patterns import Field, Pattern

TYPES = {"text": "str", "number": "float", "date": "date", "image": "bytes"}


def project(url: str, patterns: list[Pattern], about: list[Field], next_link: str | None) -> str:
    """A `project.py` as far as its table.

    With links in a list, the pages behind them are the rows; with a list that says enough by
    itself, its items are; otherwise the page is one row.
    """
    listed = patterns[0] if patterns else None
    if listed and listed.link:
        # What those pages hold is not known yet: their first heading is a beginning.
        fields = [Field("title", "h1", "text", "")]
        keep, each, item = listed.link, None, "page"
    elif listed and listed.fields:
        fields, keep, each, item = listed.fields, None, listed.selector, "item"
    else:
        fields, keep, each, item = about or [Field("title", "h1", "text", "")], None, None, "page"
    media = next((one.selector for one in fields if one.kind == "image"), None)
    if media and each:
        media = f"{each} {media}".strip()
    return "\n".join(
        [
            '"""What is the question that these pages can answer?"""',
            "",
            "from dataclasses import dataclass",
            *(["from datetime import date as Date"] if _has(fields, "date") else []),
            "",
            f"from scraping import {', '.join(_imports(fields))}",
            "",
            f"START = {_quoted(url)}",
            "",
            "",
            "@dataclass",
            "class Row:",
            '    """One row of the table."""',
            "",
            *[f"    {one.name}: {_type(one)}{_example(one)}" for one in fields],
            "",
            "",
            "def pages():",
            '    """The pages, one after another."""',
            f"    return crawl(START, {_links(next_link, keep, media)})",
            "",
            "",
            "def rows(page):",
            f'    """One row {"per item of each page" if each else "per page"}."""',
            *([f"    for item in page.select({_quoted(each)}):"] if each else []),
            f"    {'    ' * bool(each)}yield Row(",
            *[f"    {'    ' * bool(each)}    {one.name}={_value(one, item)}," for one in fields],
            f"    {'    ' * bool(each)})",
            "",
            "",
            "def table(rows):",
            '    """The rows, each once."""',
            "    return rows[~duplicated(rows)]",
            "",
        ]
    )


def _has(fields: list[Field], kind: str) -> bool:
    return any(one.kind == kind for one in fields)


def _imports(fields: list[Field]) -> list[str]:
    return sorted({"crawl", "duplicated", *(one.kind for one in fields)})


def _type(one: Field) -> str:
    return "Date" if one.kind == "date" else TYPES[one.kind]


def _example(one: Field) -> str:
    """A comment that shows what was found; nothing in it can end the line."""
    return f"  # {printable(one.example, 50)}" if one.example else ""


def _quoted(words: str | None) -> str:
    """A Python string, whatever is in the words."""
    written = repr(words)
    return f'"{written[1:-1]}"' if written[0] == "'" and '"' not in written else written


def _links(next_link: str | None, keep: str | None, media: str | None) -> str:
    parts = [f"follow={_quoted(next_link) if next_link else None}"]
    parts += [f"keep={_quoted(keep)}"] if keep else []
    parts += [f"media={_quoted(media)}"] if media else []
    return ", ".join(parts)


def _value(one: Field, item: str) -> str:
    selector = f", {_quoted(one.selector)}" if one.selector else ""
    return f"{one.kind}({item}{selector})"
