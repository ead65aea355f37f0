"""A large answer written to a file as it comes: in pieces, its compression undone, then durable."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from scraping.errors import Partial
from scraping.net.body import BadBody
from scraping.net.response import Response

PIECE = 1024 * 1024  # bytes decoded at a time
MANY_MEMBERS = 10_000  # of one gzip body: from here on they must be on average …
SMALL_MEMBER = 1_024  # … so many bytes once unpacked; each costs the same time
CHANGED = frozenset({"content-encoding", "content-length"})  # headers of the body as sent


def unpacked(pieces: Iterator[bytes], coding: str, limit: int) -> Iterator[bytes]:
    """The pieces of a body with a compression undone that nobody asked for.

    Args:
        pieces: As sent.
        coding: The Content-Encoding header, perhaps empty.
        limit: The most bytes that may come out.

    Raises:
        BadBody: Cut, damaged, over the limit, or in another coding than gzip.
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        return pieces
    if name not in ("gzip", "x-gzip"):
        raise BadBody(f"Content-Encoding {name!r}, which was not asked for")
    return _inflated(pieces, limit)


def _inflated(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """A gzip body in pieces; several members count as one, what follows the last is padding."""
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    size, members, padding = 0, 1, False
    for wire in pieces:
        while wire and not padding:
            if inflater.eof:
                padding = not wire.startswith(b"\x1f")
                inflater = inflater if padding else zlib.decompressobj(zlib.MAX_WBITS | 16)
                members += 1
                if members > MANY_MEMBERS and size < members * SMALL_MEMBER:
                    raise BadBody(f"more than {members - 1:,} gzip members", too_large=True)
                continue
            try:
                plain = inflater.decompress(wire, PIECE)
            except zlib.error as fault:
                raise BadBody(f"damaged compression ({fault})") from None
            wire = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            size += len(plain)
            if size > limit:
                raise BadBody(f"more than {limit:,} bytes once its gzip was undone", too_large=True)
            yield plain
    if not inflater.eof:
        raise BadBody("cut compression: the stream ends before its trailer")


def write(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a file of these pieces; a fault of the disk is told from one of the network.

    Raises:
        Partial: The file cannot be written.
    """
    try:
        file = path.open("wb")
    except OSError as fault:
        raise _unwritable(path, fault) from fault
    with file:
        for piece in pieces:
            try:
                file.write(piece)
            except OSError as fault:
                raise _unwritable(path, fault) from fault
        try:
            file.flush()
            os.fsync(file.fileno())
        except OSError as fault:
            raise _unwritable(path, fault) from fault


def described(answer: Response, path: Path) -> Response:
    """The answer with headers that hold for the file that was made of it."""
    headers = [pair for pair in answer.headers if pair[0].lower() not in CHANGED]
    headers.append(("Content-Length", str(path.stat().st_size)))
    if coding := answer.header("Content-Encoding"):
        headers.append(("X-Archive-Orig-Content-Encoding", coding))
    return replace(answer, headers=headers)


def _unwritable(path: Path, fault: OSError) -> Partial:
    return Partial(
        f"{path} cannot be written: {fault.strerror or fault}.\n"
        "Nothing of it was kept. Make room, or give the folder back its rights, and run again."
    )
