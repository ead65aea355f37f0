"""What every page of the practice site shares: its frame, what a wing is, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape

# The header's navigation; a new wing adds its line here.
NAVIGATION = (("/museum/", "Icon museum"), ("/museum/subjects/", "Subjects"))


@dataclass(frozen=True)
class Response:
    """What the site answers: bytes of a kind, when they changed, or where to go instead."""

    body: bytes
    kind: str = "text/html; charset=utf-8"
    changed: str = "2026-11-01"  # ISO date
    status: int = 200
    location: str = ""


@dataclass(frozen=True)
class Wing:
    """A part of the site with a content of its own.

    ``summary`` is its line on the start page. ``addresses`` gives the quoted address and the ISO
    date of every page that is open to robots. ``respond`` answers for an unquoted path below
    ``path`` and the query as lists, and gives None where nothing is.
    """

    title: str
    path: str  # "/museum/"
    closed: tuple[str, ...]  # paths that robots are to leave alone
    summary: Callable[[], str]
    addresses: Callable[[], Iterator[tuple[str, str]]]
    respond: Callable[[str, dict[str, list[str]]], Response | None]


def page(title: str, main: str, *, path: str, aside: str = "", changed: str = "") -> Response:
    """A whole page around ``main`` and ``aside``, which are HTML and already escaped.

    ``title`` is plain text; ``path`` is the page's own address on the site, which decides how
    its relative links climb back to the top. Without one, as on the page for what is not there,
    they start at the top.
    """
    up = "../" * (path.count("/") - 1) or "./" if path else "/"
    current = max((to for to, _ in NAVIGATION if path.startswith(to)), key=len, default="")
    links = "\n      ".join(
        f'<a href="{up}{to[1:]}"{" aria-current=page" if to == current else ""}>{name}</a>'
        for to, name in NAVIGATION
    )
    html = f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(title)} · Practice site</title>
  <link rel="stylesheet" href="{up}style.css">
  <link rel="icon" type="image/png" href="{up}favicon.png">
</head>
<body>
  <header class="top">
    <a class="brand" href="{up}">Practice site</a>
    <nav aria-label="Site">
      {links}
    </nav>
  </header>
  <div class="columns">
    <main>
{main}
    </main>
{aside}
  </div>
  <footer>
    <p>A site to learn scraping on, served by your own computer. Please follow
      <a href="{up}robots.txt">robots.txt</a>; the <a href="{up}sitemap.xml">sitemap</a>
      lists the pages that are open to robots.</p>
    <p><a href="{up}museum/storeroom/" rel="nofollow">Storeroom (staff only)</a></p>
  </footer>
</body>
</html>
"""
    return Response(html.encode(), changed=changed or Response.changed)


def redirect(location: str) -> Response:
    """A lasting redirect to another address of the site."""
    body = f'<!doctype html><title>Moved</title><p>Moved to <a href="{escape(location)}">here</a>.'
    return Response(body.encode(), status=301, location=location)


def page_number(query: dict[str, list[str]], pages: int) -> int | None:
    """The number of the page asked for, from 1; None if there is no such page."""
    asked = query.get("page", ["1"])[-1]
    if not re.fullmatch("[1-9][0-9]{0,5}", asked) or int(asked) > pages:
        return None
    return int(asked)


def pager(number: int, pages: int, *, noun: str = "Page") -> str:
    """Links to the pages before and after this one, as HTML; nothing if there is only one."""
    if pages == 1:
        return ""
    before = after = ""
    if number > 1:
        to = "./" if number == 2 else f"?page={number - 1}"
        before = f'<a class="previous" rel="prev" href="{to}">← Previous</a>'
    if number < pages:
        after = f'<a class="next" rel="next" href="?page={number + 1}">Next →</a>'
    return (
        f'      <nav class="pager" aria-label="Pages">\n        {before}\n'
        f"        <span>{noun} {number} of {pages}</span>\n        {after}\n      </nav>"
    )
