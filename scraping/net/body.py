"""A body from the wire made readable: its compression undone in bounded pieces, its encoding found.

Both work on bytes alone, so a fresh answer and an archived one are read by the same code.
"""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterator

from w3lib.encoding import (
    html_body_declared_encoding,
    http_content_type_encoding,
    read_bom,
    resolve_encoding,
)

PIECE = 256 * 1024  # bytes decoded at a time: what a bomb can cost beyond the limit
SLICE = 64 * 1024  # bytes handed to the decoder at a time: it copies what it leaves over
MOST_CODINGS = 3  # one upon the other: each may cost as much as the whole limit
# Encodings in which a text of ASCII alone is what it is in UTF-8.
SUPERSETS = frozenset({"utf-8", "cp1252", "iso8859-1", "iso8859-15", "latin-1", "ascii"})
MOST_MEMBERS = 10_000  # of one gzip body; bgzip, the most broken up, has one for each 64 KB


class BadBody(ValueError):
    """A body that is cut, damaged, too large, or in a coding that was not asked for."""

    def __init__(self, reason: str, *, too_large: bool = False) -> None:
        """`too_large`: another try would do no better."""
        super().__init__(reason)
        self.too_large = too_large


def decoded(wire: bytes, coding: str, limit: int) -> bytes:
    """The body as it was before compression.

    Args:
        wire: The bytes as sent, without chunked framing.
        coding: The Content-Encoding header, perhaps empty.
        limit: The most bytes that may come out.

    Raises:
        BadBody: Cut, damaged (gzip's checksum and length are compared), over the limit, or an
            unknown coding.
    """
    names = [part.strip().lower() for part in coding.split(",")]
    if len(names) > MOST_CODINGS:
        raise BadBody(f"{len(names)} codings, one upon the other", too_large=True)
    for name in reversed(names):
        if name in ("", "identity") or not wire:
            continue
        if name in ("gzip", "x-gzip"):
            pieces = _inflated(wire, zlib.MAX_WBITS | 16)
        elif name == "deflate":
            # Meant as zlib (RFC 9110, 8.4.1.2), often sent raw.
            wrapped = wire[0] & 0x0F == 8 and int.from_bytes(wire[:2], "big") % 31 == 0
            pieces = _inflated(wire, zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        elif name == "br":
            pieces = _unbrotlied(wire)
        else:
            raise BadBody(f"Content-Encoding {name!r}, which was not asked for (gzip was)")
        wire = _joined(pieces, name, limit)
    return wire


def _joined(pieces: Iterator[bytes], name: str, limit: int) -> bytes:
    """All pieces as one, as long as they stay within the limit."""
    whole, size = [], 0
    for piece in pieces:
        whole.append(piece)
        size += len(piece)
        if size > limit:
            raise BadBody(f"more than {limit:,} bytes once its {name} was undone", too_large=True)
    return b"".join(whole)


def _inflated(wire: bytes, window: int) -> Iterator[bytes]:
    """A gzip or zlib body in pieces; several gzip members count as one body."""
    at = 0
    for _ in range(MOST_MEMBERS):
        inflater = zlib.decompressobj(window)
        while not inflater.eof:
            given = inflater.unconsumed_tail
            if not given:
                given = wire[at : at + SLICE]
                at += len(given)
            try:
                piece = inflater.decompress(given, PIECE)
            except zlib.error as fault:
                raise BadBody(f"damaged compression ({fault})") from None
            if not piece and not given and not inflater.eof:
                raise BadBody("cut compression: the stream ends before its trailer")
            yield piece
        at -= len(inflater.unused_data)
        # Anything but another gzip member after the trailer is padding, as browsers take it.
        if wire[at : at + 2] != b"\x1f\x8b":
            return
    raise BadBody(f"more than {MOST_MEMBERS:,} gzip members", too_large=True)


def _unbrotlied(wire: bytes) -> Iterator[bytes]:
    """A brotli body in pieces."""
    import brotli

    decoder = brotli.Decompressor()
    try:
        piece = decoder.process(wire, output_buffer_limit=PIECE)
        while not decoder.is_finished():
            yield piece
            piece = decoder.process(b"", output_buffer_limit=PIECE)
            if not piece and not decoder.is_finished():
                raise BadBody("cut compression: the brotli stream does not end")
        yield piece
    except brotli.error as fault:
        raise BadBody(f"damaged compression ({fault})") from None


def encoding_of(body: bytes, content_type: str) -> str:
    """The name of the encoding of a text: by mark, header, declaration, then UTF-8.

    A header may lie. It is believed if the bytes can be read by it; and a single-byte encoding,
    by which any bytes can be read, yields to UTF-8 when the bytes are valid UTF-8 beyond ASCII,
    which hardly happens by chance.
    """
    mark, _ = read_bom(body)
    if mark:
        return {"utf-16-be": "utf-16", "utf-16-le": "utf-16"}.get(mark, mark)
    if _reads(body, "utf-8") and not body.isascii():
        return "utf-8"
    declared = html_body_declared_encoding(body[:4096])
    # A declaration that could be read as ASCII cannot stand in a UTF-16 text.
    if declared and declared.startswith("utf-16"):
        declared = "utf-8"
    for name in (http_content_type_encoding(content_type), declared, "utf-8"):
        known = resolve_encoding(name) if name else None
        if known and _reads(body, known):
            return known
    return "cp1252" if not declared else resolve_encoding(declared) or "cp1252"


def _reads(body: bytes, encoding: str) -> bool:
    """Whether the bytes are valid in the encoding."""
    try:
        body.decode(encoding)
    except (UnicodeError, LookupError):
        return False
    return True


def utf8_of(body: bytes, content_type: str) -> bytes:
    """The body as text in UTF-8, as `as_text` gives it: the very bytes, where they are that."""
    if b"\0" not in body and not body.startswith(codecs.BOM_UTF8):
        plain = body.isascii()
        # What is valid UTF-8 beyond ASCII is taken for it whatever is declared; see `encoding_of`.
        if encoding_of(body, content_type) in SUPERSETS if plain else _reads(body, "utf-8"):
            return body
    return as_text(body, content_type).encode("utf-8", "replace")


def as_text(body: bytes, content_type: str) -> str:
    """The body as text, in the encoding found, without byte order mark or NUL."""
    text = body.decode(encoding_of(body, content_type), errors="replace")
    return text.removeprefix("\ufeff").replace("\x00", "")
