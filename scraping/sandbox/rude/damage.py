"""Answers that are cut, damaged, or impossible."""

from __future__ import annotations

import gzip
import os
import socket
import struct
from collections.abc import Callable
from functools import cache

from scraping.outcomes import Kind
from scraping.sandbox.rude.trap import HTML, Call, Section, Trap, document

GZIP = ("Content-Encoding", "gzip")
CLOSE = ("Connection", "close")


@cache
def _page() -> bytes:
    return document("Half a page", "<p>This half arrives.</p>\n" * 200).encode()


@cache
def _packed() -> bytes:
    return gzip.compress(_page(), mtime=0)


def cut_gzip(call: Call) -> None:
    """A gzip body that ends early; the length is that of what is sent."""
    call.say(_packed()[: len(_packed()) // 2], GZIP)


def bad_checksum(call: Call) -> None:
    """A gzip body whose checksum is another page's."""
    call.say(_packed()[:-8] + b"\0\0\0\0" + _packed()[-4:], GZIP)


def short_body(call: Call) -> None:
    """Half of what is announced, then a farewell."""
    call.start(HTML, ("Content-Length", str(len(_page()))), CLOSE)
    call.write(_page()[: len(_page()) // 2])


def cut_chunk(call: Call) -> None:
    """A chunk of which half arrives."""
    call.start(HTML, ("Transfer-Encoding", "chunked"), CLOSE)
    call.write(b"%x\r\n%s" % (len(_page()), _page()[: len(_page()) // 2]))


def reset(call: Call) -> None:
    """Half of the body, then the connection is torn down."""
    call.start(HTML, ("Content-Length", str(len(_page()))), CLOSE)
    call.write(_page()[: len(_page()) // 2])
    tear(call)


def tear(call: Call) -> None:
    """Close the connection with a reset instead of a farewell."""
    linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
    call.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    call.handler.connection.close()


def _raw(head: bytes) -> Callable[[Call], None]:
    """An answer with these headers, and five letters."""
    return lambda call: call.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\nhello")


_WHOLE = "Notice that it is not whole, try again, and never keep it as if it were."
_IMPOSSIBLE = "Give a reason instead of guessing what was meant."

SECTION = Section(
    "Damaged",
    "Answers that are cut, damaged, or cannot be meant.",
    tuple(
        Trap(key, does, wanted, (Kind.BROKEN,), speak)
        for key, does, wanted, speak in (
            ("cut-gzip", "A gzip body of which the second half is missing.", _WHOLE, cut_gzip),
            ("bad-checksum", "A gzip body whose checksum is wrong.", _WHOLE, bad_checksum),
            ("short-body", "Half of the bytes that were announced.", _WHOLE, short_body),
            ("cut-chunk", "A chunk of which half arrives.", _WHOLE, cut_chunk),
            ("reset", "A connection that is torn down in the middle.", _WHOLE, reset),
            (
                "negative-length",
                "A page of −5 bytes.",
                _IMPOSSIBLE,
                _raw(b"Content-Type: text/html\r\nContent-Length: -5"),
            ),
            (
                "nul-header",
                "A header with a NUL in it.",
                _IMPOSSIBLE,
                _raw(b"Content-Type: text/html\r\nX-Note: a\0b\r\nContent-Length: 5"),
            ),
        )
    ),
)
