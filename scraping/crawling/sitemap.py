"""The addresses that a site lists itself (sitemaps.org, protocol 0.9).

A sitemap is XML (a set of pages, or an index of further sitemaps) or a text with one address a
line, either of them perhaps as a gzip file. Feeds (RSS, Atom) are no sitemaps here.
"""

from __future__ import annotations

import io
import re
from contextlib import suppress
from typing import NamedTuple

from lxml import etree  # ty: ignore[missing-module-member] - compiled, no stubs

from scraping.errors import Refused
from scraping.net.address import resolve
from scraping.net.body import BadBody, as_text, decoded
from scraping.net.fetch import Response

MOST_BYTES = 50 * 1024 * 1024  # of one sitemap, unpacked: the protocol's own limit
MOST = 200_000  # addresses taken from one sitemap; the protocol allows 50,000

DATE = re.compile(r"\d{4}(-\d\d(-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?)?)?")
# An "&" that begins none of XML's own references. Addresses are often listed with a bare one; and
# a reference to an entity of the document's own making is thereby no longer one.
BARE = re.compile(rb"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});)")


class Sitemap(NamedTuple):
    """What a sitemap lists, in its order, each address once and as it would be asked for.

    Attributes:
        pages: (address, lastmod) pairs; lastmod is a W3C date or nothing.
        sitemaps: Addresses of further sitemaps.
        left_out: Entries that are no http or https address, the sitemap's own, or one beyond the
            `MOST`-th.
    """

    pages: list[tuple[str, str]]
    sitemaps: list[str]
    left_out: int = 0


def read(response: Response) -> Sitemap | None:
    """What an answer lists, if it is a sitemap; None if it is something else."""
    body = response.body
    if body.startswith(b"\x1f\x8b"):
        try:
            body = decoded(body, "gzip", MOST_BYTES)
        except BadBody:
            return None
    if len(body) > MOST_BYTES:
        return None
    kind = response.header("Content-Type").partition(";")[0].strip().lower()
    begins = body[:1_024].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if begins.startswith(b"<"):
        return _of_xml(body, response.url)
    if kind in ("", "text/plain", "application/octet-stream") or "gzip" in kind:
        return _of_text(as_text(body, response.header("Content-Type")), response.url)
    return None


def _of_text(text: str, base: str) -> Sitemap | None:
    """A list with one address a line; None if the lines are mostly something else."""
    lines = [line for line in map(str.strip, text.splitlines()) if line]
    listed = [line for line in lines if re.match(r"https?://\S+$", line, re.IGNORECASE)]
    if not listed or listed[0] != lines[0] or 2 * len(listed) < len(lines):
        return None
    found = _Found(base)
    for line in listed:
        found.add_page(line, "")
    return found.sitemap(len(lines) - len(listed))


def _of_xml(body: bytes, base: str) -> Sitemap | None:
    """A set of pages or an index; None if the outermost element is another."""
    body = body.lstrip(b" \t\r\n")
    if body[:2] not in (b"\xff\xfe", b"\xfe\xff") and b"\x00" not in body[:64]:
        body = BARE.sub(b"&amp;", body)
    reader = etree.iterparse(
        io.BytesIO(body),
        events=("start", "end"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        recover=True,
        remove_comments=True,
        remove_pis=True,
    )
    found = _Found(base)
    root = None
    try:
        for event, element in reader:
            name = _local(element)
            if root is None:
                root = element
                if name not in ("urlset", "sitemapindex"):
                    return None
            if event == "end" and element.getparent() is root:
                if name in ("url", "sitemap"):
                    _take(found, name, element)
                # What was read may go; a sitemap can be large.
                element.clear()
                while element.getprevious() is not None:
                    del root[0]
    except etree.XMLSyntaxError:
        # What stands before the damage was read.
        if root is None:
            return None
    return found.sitemap() if root is not None else None


def _take(found: _Found, name: str, entry: etree._Element) -> None:
    """One entry's address; a picture's or video's own <loc> lies deeper and is not it."""
    said = {_local(child): "".join(child.itertext()).strip() for child in reversed(entry)}
    link = said.get("loc", "")
    if name == "sitemap":
        found.add_sitemap(link)
    else:
        found.add_page(link, said.get("lastmod", ""))


def _local(element: etree._Element) -> str:
    """An element's name without its namespace, which is often missing or wrong."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


class _Found:
    """The addresses found so far, each once."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.pages: dict[str, str] = {}
        self.sitemaps: dict[str, None] = {}
        self.left_out = 0

    def add_page(self, link: str, changed: str) -> None:
        """Take a page in; a date in no known form counts as none."""
        if url := self._address(link):
            self.pages.setdefault(url, changed if DATE.fullmatch(changed) else "")

    def add_sitemap(self, link: str) -> None:
        """Take a further sitemap in."""
        if url := self._address(link):
            self.sitemaps.setdefault(url)

    def _address(self, link: str) -> str:
        """The full address; nothing if it cannot be asked for, is this one, or one too many."""
        url = self.base
        if link and len(self.pages) + len(self.sitemaps) < MOST:
            with suppress(Refused):
                url = resolve(self.base, link)
        if url != self.base:
            return url
        self.left_out += 1
        return ""

    def sitemap(self, left_out: int = 0) -> Sitemap:
        return Sitemap(list(self.pages.items()), list(self.sitemaps), self.left_out + left_out)
