"""What the pages of the practice site share: their frame, what a wing is, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Frame:
    """What surrounds the pages of a part of the site.

    ``navigation`` is the header's links, ``footer`` the HTML of its last paragraphs, in which
    ``{up}`` leads to the top of the site. ``look`` is a class that the stylesheet knows.
    """

    navigation: tuple[tuple[str, str], ...]
    footer: str = ""
    look: str = ""


# For the pages that are in no wing; a new wing adds its line here.
SITE = Frame(
    (
        ("/museum/", "Icon museum"),
        ("/weather/", "Weather office"),
        ("/strikes/", "Strike register"),
        ("/speeches/", "Speech library"),
        ("/digits/", "Digit archive"),
    )
)


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


def page(
    title: str,
    main: str,
    *,
    path: str,
    aside: str = "",
    changed: str = "",
    frame: Frame = SITE,
    head: str = "",
    encoding: str = "utf-8",
    announced: bool = True,
) -> Response:
    """A whole page around ``main`` and ``aside``, which are HTML and already escaped.

    Args:
        title: Plain text.
        main: What the page is about.
        path: The page's own address on the site, which decides how its relative links climb back
            to the top. Without one, as on the page for what is not there, they start at the top.
        aside: What stands beside it.
        changed: The ISO date of its last change.
        frame: What surrounds it.
        head: More HTML for the head.
        encoding: What its bytes are in; characters that this lacks become numeric references.
        announced: Whether the answer's header names the encoding, as well as the page itself.
    """
    up = "../" * (path.count("/") - 1) or "./" if path else "/"
    here = max((to for to, _ in frame.navigation if path.startswith(to)), key=len, default="")
    links = "\n      ".join(
        f'<a href="{up}{to[1:]}"{" aria-current=page" if to == here else ""}>{name}</a>'
        for to, name in frame.navigation
    )
    html = f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="{encoding}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(title)} · Practice site</title>
  <link rel="stylesheet" href="{up}style.css">
  <link rel="icon" type="image/png" href="{up}favicon.png">
{head}</head>
<body{f' class="{frame.look}"' if frame.look else ""}>
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
{frame.footer.replace("{up}", up)}  </footer>
</body>
</html>
"""
    kind = f"text/html; charset={encoding}" if announced else "text/html"
    body = html.encode(encoding, "xmlcharrefreplace")
    return Response(body, kind=kind, changed=changed or Response.changed)


def credit(words: str, *, licence: str, address: str) -> str:
    """A footer's paragraph that says where the content is from, and under which licence.

    ``words`` is HTML; ``licence`` is the licence's name and ``address`` its text.
    """
    return (
        f'    <p><span class="attribution">{words}</span> Licence:\n'
        f'      <a class="licence" rel="license" href="{escape(address)}">{escape(licence)}</a>.'
        "</p>\n"
    )


def crumbs(*links: tuple[str, str], here: str) -> str:
    """The way from a wing's entrance to this page."""
    way = "".join(f'<a href="{to}">{escape(name)}</a> › ' for to, name in links)
    return f'      <nav class="crumbs" aria-label="You are here">{way}{escape(here)}</nav>'


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
