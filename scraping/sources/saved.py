"""A page saved from a browser: its address is in a comment, or in the page itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from scraping.errors import ScrapingError
from scraping.net.fetch import MAX_BYTES, Response
from scraping.reading.page import Page
from scraping.sources.offered import Left, Offer, moment, offered

COMMENTS = (
    re.compile(rb"<!--\s*saved from url=\(\d{1,6}\)(https?://[^\s>]{1,4000}?)\s*-->"),  # Chrome
    re.compile(rb"Page saved with SingleFile\s{1,20}url:\s{1,20}(https?://[^\s>]{1,4000})"),
)
LOOKED_AT = 16 * 1024  # bytes in which a browser's comment stands
# Where a page names its own address; a relative one says nothing here.
NAMED = (("link[rel=canonical]", "href"), ("meta[property='og:url']", "content"))


def answers_in(path: Path, url: str) -> Iterator[Offer]:
    """The one answer that a saved page is.

    Args:
        path: The file.
        url: Its address, if it is known.
    """
    if path.stat().st_size > MAX_BYTES:
        yield Left(path.name, f"larger than {MAX_BYTES:,} bytes")
        return
    body = path.read_bytes()
    address = url or _address(body)
    if not address:
        yield Left(path.name, "a saved page that does not say its address; give it: url=…")
        return
    fetched = moment(None, path.stat().st_mtime)
    yield offered(address, 200, [("Content-Type", "text/html")], body, fetched=fetched)


def _address(body: bytes) -> str:
    """The address that a saved page says it is from, or nothing."""
    for comment in COMMENTS:
        if found := comment.search(body, 0, LOOKED_AT):
            return unescape(found[1].decode("utf-8", "replace"))
    page = Page(Response("about:saved", 200, "OK", [], body, body))
    try:
        for selector, attribute in NAMED:
            for element in page.matching(selector):
                link = (element.get(attribute) or "").strip()
                if link.startswith(("http://", "https://")):
                    return link
    except ScrapingError:  # markup that no parser should be given
        pass
    return ""
