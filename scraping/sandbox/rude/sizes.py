"""More than anyone can hold: bombs, bodies without end, headers by the megabyte.

Nothing here is ever whole in this process either: a bomb is one compressed megabyte of zeros,
sent again and again.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import cache

from scraping.outcomes import Kind
from scraping.sandbox.rude.trap import HTML, KEPT, Call, Section, Trap, document

MEGABYTE = 1024**2
BOMB = 1024  # megabytes, once unpacked
PAGE = 100  # megabytes
COOKIES, COOKIE_BYTES = 60, 4000


@cache
def _deflated() -> bytes:
    """A megabyte of zeros, compressed so that any number of it may follow one another."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(bytes(MEGABYTE)) + packer.flush(zlib.Z_FULL_FLUSH)


def _deflate_stream() -> Iterator[bytes]:
    """`BOMB` megabytes of zeros as one deflate stream (RFC 1951)."""
    for _ in range(BOMB):
        yield _deflated()
    yield b"\x03\x00"  # the last block, which is empty


@cache
def _checksum() -> int:
    """The CRC-32 of `BOMB` megabytes of zeros."""
    zeros, crc = bytes(MEGABYTE), 0
    for _ in range(BOMB):
        crc = zlib.crc32(zeros, crc)
    return crc


def gzip_bomb(call: Call) -> None:
    """A valid gzip body (RFC 1952) of one megabyte that unpacks into a gigabyte."""
    call.start(HTML, ("Content-Encoding", "gzip"), ("Connection", "close"))
    call.write(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff")
    call.pour(_deflate_stream())
    call.write(struct.pack("<II", _checksum(), BOMB * MEGABYTE))


def brotli_bomb(call: Call) -> None:
    """A valid brotli body of 14 kilobytes that unpacks into a gigabyte."""
    import brotli

    packer = brotli.Compressor(quality=5)
    zeros = bytes(MEGABYTE)
    first, again = (packer.process(zeros) + packer.flush() for _ in range(2))
    call.start(HTML, ("Content-Encoding", "br"), ("Connection", "close"))
    # From the second megabyte on the compressor says the same every time.
    call.write(first)
    call.pour(again for _ in range(BOMB - 1))
    call.write(packer.finish())


def zip_bomb(call: Call) -> None:
    """A valid ZIP file of one megabyte with one member of a gigabyte."""
    name = b"birds.csv"
    packed = BOMB * len(_deflated()) + 2
    call.start(
        ("Content-Type", "application/zip"),
        ("Content-Disposition", 'attachment; filename="birds.zip"'),
        ("Connection", "close"),
    )
    # Sizes and checksum follow the data (APPNOTE 4.4.4, bit 3): they are known by then.
    call.write(struct.pack("<4s5H3I2H", b"PK\3\4", 20, 8, 8, 0, 33, 0, 0, 0, len(name), 0) + name)
    call.pour(_deflate_stream())
    sizes = (_checksum(), packed, BOMB * MEGABYTE)
    call.write(struct.pack("<4s3I", b"PK\7\x08", *sizes))
    entry = struct.pack(
        "<4s6H3I5H2I", b"PK\1\2", 20, 20, 8, 8, 0, 33, *sizes, len(name), 0, 0, 0, 0, 0, 0
    )
    start = 30 + len(name) + packed + 16
    call.write(entry + name)
    call.write(struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 1, 1, len(entry) + len(name), start, 0))


def _paragraphs(megabytes: int) -> Iterator[bytes]:
    """So many megabytes of small paragraphs."""
    piece = (b"<p>" + b"and on and on " * 73 + b"</p>\n").ljust(1024) * 64
    for _ in range(megabytes * MEGABYTE // len(piece)):
        yield piece


def endless_body(call: Call) -> None:
    """A page whose length is not announced and whose end does not come."""
    call.start(HTML, ("Connection", "close"))
    call.pour(_paragraphs(1_000_000))


def huge_page(call: Call) -> None:
    """A page of 100 megabytes, honestly announced."""
    call.start(HTML, ("Content-Length", str(PAGE * MEGABYTE)), ("Connection", "close"))
    call.pour(_paragraphs(PAGE))


def huge_headers(call: Call) -> None:
    """10 megabytes of headers before a small page."""
    call.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n")
    for number in range(10 * 1024):
        call.write(b"X-Padding-%06d: %s\r\n" % (number, b"x" * 1000))
    call.write(b"Content-Length: 5\r\n\r\nhello")


def cookie_bomb(call: Call) -> None:
    """240 kilobytes of cookies; whoever sends them back is turned away from then on."""
    if len(call.handler.headers.get("Cookie", "")) > 8 * 1024:
        return call.say(document("Too many cookies", "<p>Start over.</p>"), status=431)
    # For a minute, and for this address alone: no other site on this computer is to suffer.
    cookies = [
        ("Set-Cookie", f"c{number}={'x' * COOKIE_BYTES}; Path=/rude/cookie-bomb; Max-Age=60")
        for number in range(COOKIES)
    ]
    onward = '<p><a class="onward" href="/rude/cookie-bomb/inside">On to the second page</a>.</p>'
    return call.say(document("Have some cookies", onward if not call.name else ""), *cookies)


SECTION = Section(
    "Too much",
    "Answers that are small on the way and huge on arrival, or simply huge.",
    (
        Trap(
            "gzip-bomb",
            "One megabyte of gzip that unpacks into a gigabyte.",
            "Unpack in small pieces and stop at the limit for one page.",
            (Kind.TOO_LARGE,),
            gzip_bomb,
        ),
        Trap(
            "brotli-bomb",
            "14 kilobytes of brotli that unpack into a gigabyte, sent whether or not the visitor "
            "understands brotli.",
            "Unpack in small pieces and stop at the limit for one page.",
            (Kind.TOO_LARGE,),
            brotli_bomb,
        ),
        Trap(
            "zip-bomb",
            "A ZIP file of one megabyte behind a link; its one member has a gigabyte.",
            "Not read a file where a page was expected; never unpack without a limit.",
            (Kind.CONTENT_TYPE,),
            zip_bomb,
        ),
        Trap(
            "endless-body",
            "A page without announced length that goes on and on.",
            "Count while reading and stop at the limit for one page.",
            (Kind.TOO_LARGE,),
            endless_body,
        ),
        Trap(
            "huge-page",
            "A page of 100 megabytes, honestly announced.",
            "Refuse it when its length is announced, before it is read.",
            (Kind.TOO_LARGE,),
            huge_page,
        ),
        Trap(
            "huge-headers",
            "10 megabytes of headers before a page of five letters.",
            "Stop reading headers at a limit, and say so.",
            (Kind.BROKEN,),
            huge_headers,
        ),
        Trap(
            "cookie-bomb",
            "240 kilobytes of cookies. Whoever sends them back with the next request is turned "
            "away.",
            "Not keep cookies, or not more than is reasonable.",
            (KEPT,),
            cookie_bomb,
        ),
    ),
)
