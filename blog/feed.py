"""The posts as an Atom feed, from their front matter.

Source: RFC 4287. The feed lies among the pages, so that any engine publishes it as it is.
"""

from __future__ import annotations

import html
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

from blog import escape
from blog.portfolio import Portfolio

FILE = "feed.xml"
MOST = 50  # entries
NOWHERE = "https://example.org/"  # identifiers have to be addresses, also before there is one


def feed(docs: Path, portfolio: Portfolio) -> str:
    """The feed of the posts under ``docs/posts/``, the newest first.

    Once there is a post of the owner's own, the template's examples are left out, as they are on
    the home page.
    """
    heads = [(path.stem, _front_matter(path)) for path in sorted((docs / "posts").glob("*.md"))]
    dated = [
        (name, head | {"date": day})
        for name, head in heads
        if (day := _day(head.get("date"))) and not head.get("draft")
    ]
    shown = [each for each in dated if not each[1].get("example")] or dated
    shown.sort(key=lambda each: (each[1]["date"], each[0]), reverse=True)
    root = portfolio.address("") or NOWHERE
    updated = _moment(shown[0][1]["date"]) if shown else "1970-01-01T00:00:00Z"
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">',
        f"  <title>{escape.xml(portfolio.name)}</title>",
        f"  <id>{escape.xml(root)}</id>",
        f"  <updated>{updated}</updated>",
        f'  <link href="{escape.xml(root)}"/>',
        f'  <link rel="self" type="application/atom+xml" href="{escape.xml(root)}{FILE}"/>',
        f"  <author><name>{escape.xml(portfolio.author or portfolio.name)}</name></author>",
    ]
    for name, head in shown[:MOST]:
        lines += _entry(name, head, root)
    return "\n".join([*lines, "</feed>", ""])


def _entry(name: str, head: dict[str, Any], root: str) -> list[str]:
    address = escape.xml(f"{root}posts/{name}/")
    people = [f"    <author><name>{_told(person)}</name></author>" for person in _authors(head)]
    tags = [f'    <category term="{_told(tag)}"/>' for tag in head.get("tags") or []]
    return [
        "  <entry>",
        f"    <title>{_told(head.get('title', name))}</title>",
        f"    <id>{address}</id>",
        f'    <link href="{address}"/>',
        f"    <published>{_moment(head['date'])}</published>",
        f"    <updated>{_moment(head['date'])}</updated>",
        *people,
        *tags,
        f"    <summary>{_told(head.get('description', ''))}</summary>",
        "  </entry>",
    ]


def _authors(head: dict[str, Any]) -> list[str]:
    return [str(name) for name in head.get("authors") or []]


def _day(given: Any) -> date | None:
    """The day of a post; one written by hand may tell a time as well, or when it was created."""
    if isinstance(given, dict):
        given = given.get("created")
    if isinstance(given, datetime):
        return given.date()
    return given if isinstance(given, date) else None


def _moment(day: date) -> str:
    return f"{day:%Y-%m-%d}T00:00:00Z"


def _told(value: Any) -> str:
    """A text of the front matter, where it is escaped already, for XML, which knows no names."""
    return escape.xml(html.unescape(str(value)))


def _front_matter(path: Path) -> dict[str, Any]:
    import yaml

    match = re.match(r"---\n(.*?)\n---", path.read_text("utf-8"), re.DOTALL)
    try:
        head = yaml.safe_load(match[1]) if match else None
    except yaml.YAMLError:
        return {}  # someone's own page; the engine will say what is wrong with it
    return head if isinstance(head, dict) else {}
