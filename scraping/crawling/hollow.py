"""Answers that are no page although they look like one: challenges, login walls, empty shells.

They come with status 200, or as the body of a 403, 429 or 503, and would otherwise fill a table
with "Just a moment…". A wrong alarm costs a good page, so each finding needs two things at once:
the mark of a known wall in the markup (not in the text, where a tutorial may quote it), and next
to nothing else to read.
"""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlsplit

from scraping.crawling import walls
from scraping.errors import printable
from scraping.net.body import as_text
from scraping.net.fetch import Response
from scraping.outcomes import Kind

LARGEST = 512 * 1024  # bytes of a page that may be hollow
MOST_LINKS = 15  # of a page that may be hollow
MOST_BLOCKS = 15  # … its paragraphs, list items and table cells
WALL_TEXT = 1_200  # characters to read on a challenge page, at most
GATE_TEXT = 500  # … on a page that is known as a gate by its words only
LOGIN_TEXT = 300  # … beside the form of a login wall
SAMPLE = 4 * 1024  # bytes looked at first: an ordinary page has more to read in them
NO_TEXT = 60  # … where there is nothing to read

WALL_STATUS = frozenset({200, 202, 401, 403, 405, 406, 429, 503})

HIDDEN = ("script", "style", "noscript", "template", "svg", "head")
BESIDE = ("form", "nav", "header", "footer")  # what a login wall may have around it
LINK = re.compile(rb"<[aA] ")
TAG = re.compile(rb"<[/!?a-zA-Z][^<>]*>?")
TITLE = re.compile(rb"<title\b[^<>]*>([^<]{0,300})", re.IGNORECASE)
HEADING = re.compile(rb"<(?:h[1-3]|legend)\b[^<>]*>\s*(?:<[^<>]*>\s*){0,5}([^<]{0,200})", re.I)


def instead(response: Response, asked: str) -> tuple[Kind, str] | None:
    """What an answer is instead of the page, and how that is known; None for a page.

    Args:
        response: The answer, its body decoded.
        asked: The address that was asked for, before any redirect.
    """
    kind = ""
    for name, value in response.headers:
        lowered = name.lower()
        if lowered == "content-type":
            kind = value.lower()
        elif wall := walls.HEADERS.get((lowered, value.strip().lower())):
            return Kind.CHALLENGE, f"{wall} stands before the page"
    body = response.body
    if response.status not in WALL_STATUS or not body or len(body) > LARGEST:
        return None
    if "json" in kind and response.status != 200:
        return _in_json(body)
    if "html" not in kind if kind else body[:64].lstrip()[:1] != b"<":
        return None
    if b"\x00" in body[:64]:
        body = as_text(body, kind).encode("utf-8", "replace")
    linked = any(True for _ in islice(LINK.finditer(body), MOST_LINKS, None))
    if response.status == 200 and response.url != asked:
        place = urlsplit(response.url)
        if _is_login(response.url) and not _is_login(asked):
            elsewhere = place.netloc != urlsplit(asked).netloc and not linked
            if walls.PASSWORD.search(body) or (elsewhere and _says_little(body)):
                where = printable(f"{place.netloc}{place.path}", 80)
                return Kind.LOGIN, f"it leads to a login page, {where}"
    # From here on every page with something on it is soon done with.
    if linked or body.count(b"<p") > MOST_BLOCKS:
        return None
    if body.count(b"<li") > MOST_BLOCKS or body.count(b"<td") > MOST_BLOCKS:
        return None
    return _of_sparse(response.status, body)


def _is_login(url: str) -> bool:
    """Whether an address is by its name one to log in at."""
    parts = urlsplit(url)
    return bool(
        walls.LOGIN_PATH.search(parts.path)
        or walls.LOGIN_QUERY.search(parts.query)
        or walls.LOGIN_HOST.match(parts.netloc)
    )


def _in_json(body: bytes) -> tuple[Kind, str] | None:
    """A challenge in the form that scripts are sent."""
    for wall, mark in (("DataDome", b"captcha-delivery.com"), ("HUMAN", b'"blockScript"')):
        if mark in body[:4_096]:
            return Kind.CHALLENGE, f"{wall}'s challenge stands before the page"
    return None


class _Seen(NamedTuple):
    """What a reader sees of a page."""

    body: bytes
    shown: bytes  # the markup of what is shown
    text: str
    fallback: str  # what is shown without scripts
    title: str
    heading: str


def _of_sparse(status: int, body: bytes) -> tuple[Kind, str] | None:
    """What a page with few links and blocks is instead of a page."""
    if not _says_little(body):
        return None
    shown, _ = _without(body, HIDDEN)
    seen = _Seen(
        body=body,
        shown=shown,
        text=_words(shown),
        fallback=_words(_without(body, ("noscript",))[1]),
        title=_words(b"".join(TITLE.findall(body)[:1])),
        heading=_words(b" ".join(HEADING.findall(shown)[:2])),
    )
    if wall := _wall(seen):
        return Kind.CHALLENGE, f"{wall} stands before the page"
    if status != 200:
        return None
    if walls.PASSWORD.search(shown):
        beside = _words(_without(shown, BESIDE)[0])
        called = f"{seen.title} {seen.heading}".strip()
        if len(beside) <= LOGIN_TEXT and walls.LOGIN_WORDS.search(called):
            return Kind.LOGIN, f"a login form and nothing else: {printable(called, 60)!r}"
    elif _is_shell(seen):
        return Kind.SHELL, "its scripts would fetch all that is to be seen"
    return None


def _says_little(body: bytes) -> bool:
    """Whether the beginning of a page has no more to read than a wall may have."""
    begins = max(body.find(b"<body"), 0)
    sample, _ = _without(body[begins : begins + SAMPLE], HIDDEN)
    return len(_words(sample)) <= WALL_TEXT


def _wall(seen: _Seen) -> str:
    """Which wall stands before the page, if any."""
    if len(seen.text) > WALL_TEXT:
        return ""
    quoted = seen.text.encode("utf-8", "replace")
    marks = [walls.MARKS] if len(seen.text) > NO_TEXT else [walls.MARKS, walls.WEAK]
    for known in marks:
        for wall, pieces in known.items():
            if any(piece in seen.body and piece not in quoted for piece in pieces):
                return wall
    scripted = b"<script" in seen.body or b"<SCRIPT" in seen.body
    if len(seen.text) <= GATE_TEXT and scripted:
        title = seen.title.lower().rstrip(" .!?…")
        for wall, titles in walls.TITLES.items():
            if title in titles:
                return wall
    if not walls.QUOTING.search(seen.shown):
        opening = f"{seen.text} {seen.fallback}"[:GATE_TEXT].lower()
        for wall, sentences in walls.SENTENCES.items():
            if any(sentence in opening for sentence in sentences):
                return wall
    return _gate(seen) if len(seen.text) <= GATE_TEXT else ""


def _gate(seen: _Seen) -> str:
    """A gate that nobody's mark is on: a captcha, or a test whether cookies come back."""
    said = f"{seen.title}. {seen.text}"
    if (
        walls.CAPTCHA.search(seen.body)
        and walls.CAPTCHA_WORDS.search(said)
        and not walls.FIELD.search(seen.shown)
    ):
        return "a captcha"
    tells = any(map(walls.COOKIE_WORDS.match, (seen.title, seen.heading, seen.text)))
    if tells and b"<img" not in seen.shown:
        return "a test for cookies"
    sets_one = walls.COOKIE_SCRIPT.search(seen.body) and not walls.SCRIPT_FROM.search(seen.body)
    if sets_one and len(seen.text) <= NO_TEXT and not walls.SHOWN.search(seen.shown):
        return "a test for cookies"
    return ""


def _is_shell(seen: _Seen) -> bool:
    """Whether only scripts would fill the page: a place for it, scripts, and nothing else."""
    place = walls.ROOT.search(seen.shown) or "javascript" in seen.fallback.lower()
    return bool(
        place
        and walls.LOADING.fullmatch(seen.text)
        and walls.SCRIPT_FROM.search(seen.body)
        and not walls.SHOWN.search(seen.shown)
        and not walls.DATA.search(seen.body)
    )


def _without(markup: bytes, names: tuple[str, ...]) -> tuple[bytes, bytes]:
    """The markup without comments and some elements, and what these contain; in linear time."""
    small = markup.lower()
    left: list[bytes] = []
    cut: list[bytes] = []
    unclosed: set[bytes] = set()
    place = 0
    for match in _opening(names).finditer(markup):
        name = (match[1] or b"").lower()
        if match.start() < place or name in unclosed:
            continue
        end = small.find(b"</" + name if name else b"-->", match.end())
        if end < 0:
            # One that is never closed hides nothing but a script's or comment's own text.
            unclosed.add(name)
            if name not in (b"script", b"style", b""):
                continue
            end = len(markup)
        left.append(markup[place : match.start()])
        if name:
            cut.append(markup[match.start() : end])
        place = end if name else end + 3
    left.append(markup[place:])
    return b" ".join(left), b" ".join(cut)


@cache
def _opening(names: tuple[str, ...]) -> re.Pattern[bytes]:
    """The beginning of a comment or of one of these elements."""
    return re.compile(rb"<(?:!--|(" + "|".join(names).encode() + rb")(?=[\s/>]))", re.IGNORECASE)


def _words(markup: bytes) -> str:
    """The text between the tags, white space closed up."""
    return " ".join(unescape(TAG.sub(b" ", markup).decode("utf-8", "replace")).split())
