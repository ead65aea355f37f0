"""Markup made a tree, unless it would cost a parser, or the machine, more than a page may.

libxml2 is quick with nearly everything. What hurts is tags with thousands of attributes (each is
appended by walking over all before it), millions of elements (200 to 700 bytes each), and nesting
beyond 2,048, where it stops reading. The first two are counted in the bytes beforehand, the third
is reported by the parser. A child process that could be killed would cost 60 ms where counting
costs 10 µs on an ordinary page, and would fill the machine's memory just the same.
"""

from __future__ import annotations

import re
from itertools import islice

from lxml import etree  # ty: ignore[missing-module-member] - compiled, no stubs

from scraping.errors import Unreadable

MAX_ELEMENTS = 300_000  # about 1 s and 100 MB
MAX_DEEP = 50_000  # … of a page that nests beyond 256: lxml takes a step for each level, each time
MAX_CLOSING = 2_000_000  # </x> without a beginning: quick, but each looks at all that is open
MAX_SOUP = 60_000  # Beautiful Soup takes some 25 µs an element
MAX_ATTRIBUTES = 1_000_000  # about 200 MB
MAX_PAIRS = 4e8  # attributes × attributes, over all tags: about 1 s; 20,000 on one tag
# Shorter markup cannot hold attributes enough to hurt; nor can thousands of shorter tags.
HARMLESS = 64 * 1024
RUN = 2 * 1024
LARGE = 4 * 1024 * 1024  # from here on every attribute is counted: some 50 ms a megabyte
# An attribute's value with < or > in it: where those are many, tags are longer than they look.
BRACKETED = re.compile(rb"""=\s*(?:"[^"<>]*[<>]|'[^'<>]*[<>])""")
FEW = 20
# Tags and comments as they begin and end; what scripts hold counts as markup, which errs on the
# safe side. Possessive, so that no page makes it go back.
TAG = re.compile(
    rb"""<!--(?:-?>|.*?(?:--!?>|\Z))"""
    rb"""|<[a-z](?:[^>"']++|"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z))*+""",
    re.DOTALL | re.IGNORECASE,
)
ATTRIBUTE = re.compile(rb"""[^\s/>="']+(?:\s*=\s*(?:"[^"]*"?|'[^']*'?|[^\s>]*))?""")
# Attributes to which libxml2's tree gives their own name as value when they have none.
BARE = frozenset(
    """checked compact declare defer disabled ismap multiple nohref noresize noshade nowrap
    readonly selected""".split()  # noqa: SIM905 - as in its HTMLparser.c
)
LIMIT = 114  # libxml2's XML_ERR_RESOURCE_LIMIT: it stopped reading


def parsed(url: str, markup: bytes) -> etree._Element | None:
    """The first element of a page in UTF-8; None when it has none.

    Raises:
        Unreadable: No parser should be given it, or the parser stopped before its end.
    """
    check(url, markup)
    # Not as huge, libxml2 reads 256 levels and texts of 10 MB, and drops the rest in silence.
    root, limit = _parsed(markup, huge=False)
    if limit and _elements(markup) <= MAX_DEEP:
        root, limit = _parsed(markup, huge=True)
    if limit:
        raise Unreadable(url, f"the parser stopped early: {limit}")
    return root


def _parsed(markup: bytes, huge: bool) -> tuple[etree._Element | None, str]:
    """The first element, and which limit the parser met, if any."""
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=huge, collect_ids=False)
    try:
        root = etree.fromstring(markup, parser)
    except (etree.ParserError, etree.XMLSyntaxError):
        root = None
    last = parser.error_log.last_error
    if last is None or last.type != LIMIT:
        return root, ""
    return root, f"{last.message.partition(', ')[0]}, in line {last.line}"


def check(url: str, markup: bytes) -> None:
    """Raise Unreadable for markup that would hang the parser or fill the memory."""
    # A tag has three bytes at least, so that most pages need not be counted.
    if len(markup) > 3 * MAX_ELEMENTS:
        closing, elements = markup.count(b"</"), _elements(markup)
        if elements > MAX_ELEMENTS:
            raise Unreadable(url, f"{elements:,} tags; at most {MAX_ELEMENTS:,} are read")
        if closing > MAX_CLOSING:
            raise Unreadable(url, f"{closing:,} closing tags; at most {MAX_CLOSING:,} are read")
    if len(markup) > HARMLESS and (len(markup) > LARGE or _may_have_long_tags(markup)):
        whole, most, pairs = 0, 0, 0
        for tag in TAG.finditer(markup):
            if not tag.group().startswith(b"<!"):
                here = sum(1 for _ in ATTRIBUTE.finditer(tag.group()))
                whole, most, pairs = whole + here, max(most, here), pairs + here * here
                if pairs > MAX_PAIRS or whole > MAX_ATTRIBUTES:
                    raise Unreadable(url, f"{whole:,} attributes, up to {most:,} on one tag")


def _elements(markup: bytes) -> int:
    """At most how many elements there are."""
    return markup.count(b"<") - markup.count(b"</")


def check_soup(url: str, markup: bytes) -> None:
    """Raise Unreadable for markup that would keep Beautiful Soup busy for more than seconds."""
    check(url, markup)
    elements = _elements(markup)
    if elements > MAX_SOUP:
        raise Unreadable(
            url,
            f"{elements:,} tags; Beautiful Soup is given at most {MAX_SOUP:,}, "
            "as it would take minutes. Use the page itself, and selectors such as .name, [name], "
            ":nth-child(), :has(), :is(), which need no soup",
        )


def _may_have_long_tags(markup: bytes) -> bool:
    """Whether tags of more than `RUN` bytes might hold too many attributes; a cheap look."""
    place, end, pairs = 0, len(markup), 0
    while end - place >= RUN:
        close = markup.rfind(b">", place, place + RUN)
        if close < 0:
            close = markup.find(b">", place + RUN)
            run = markup[place : close if close >= 0 else end]
            # Attributes end at white space, slashes or quotes.
            pairs += (len(run.split()) + run.count(b"/") + run.count(b'"') + run.count(b"'")) ** 2
            if pairs > MAX_PAIRS or close < 0:
                break
        place = close + 1
    return pairs > MAX_PAIRS or any(True for _ in islice(BRACKETED.finditer(markup), FEW, None))


def without_value(markup: bytes) -> list[tuple[str, frozenset[str]]]:
    """Each element's name and which of its `BARE` attributes are empty, in the page's order.

    The tree does not tell `<option selected>` from `<option selected="selected">`; the events
    that it is built from do.
    """
    target = _Starts()
    parser = etree.HTMLParser(encoding="utf-8", huge_tree=True, target=target)
    parser.feed(markup)
    parser.close()
    return target.found


class _Starts:
    """Listens to a parser, and notes where elements start."""

    def __init__(self) -> None:
        self.found: list[tuple[str, frozenset[str]]] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        empty = (name for name in BARE.intersection(attributes) if not attributes[name])
        self.found.append((tag, frozenset(empty)))

    def close(self) -> None:
        pass
