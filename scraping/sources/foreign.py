"""WARC files that others wrote, packed or not, whole or not."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from scraping.errors import printable
from scraping.net.body import BadBody, decoded
from scraping.net.fetch import MAX_BYTES
from scraping.sources.offered import Left, Offer, moment, offered

PIECE = 64 * 1024
PACKED = b"\x1f\x8b"
LONGEST_HEAD = 256 * 1024  # bytes between two records' contents
MOST_GROWTH = 200  # times its packed size that a file may have
LEAST_LIMIT = 100 * 1024 * 1024  # … and so much in any case
FAULTS = (
    OSError,
    ValueError,
    EOFError,
    zlib.error,
    LookupError,
    AttributeError,
    TypeError,
    RecursionError,
)


def answers_in(path: Path) -> Iterator[Offer]:
    """Each response record of a WARC file; what cannot be read is named."""
    from warcio.archiveiterator import ArchiveIterator
    from warcio.exceptions import ArchiveLoadFailed

    with path.open("rb") as file:
        # All is unpacked here, so that no record can unpack to more than is read of it.
        source = _Bounded(file, max(LEAST_LIMIT, MOST_GROWTH * path.stat().st_size))
        found = 0
        try:
            for record in ArchiveIterator(source, check_digests=True):
                source.allowance = source.most
                offer = _answer(record, path)
                if offer is not None:
                    found += 1
                    yield offer
                _drain(record)
                source.allowance = source.given + LONGEST_HEAD
        except (ArchiveLoadFailed, *FAULTS) as fault:
            reason = printable(fault, 120) or type(fault).__name__
            yield Left(path.name, f"unreadable after {found:,} answers: {reason}")
        else:
            if not found:
                yield Left(path.name, "no answer in it")


def _answer(record: Any, path: Path) -> Offer | None:
    """What one record holds; None for a record of another kind."""
    if record.rec_type not in ("response", "resource"):
        return None
    url = str(record.rec_headers.get_header("WARC-Target-URI") or "").strip("<> ")
    http = record.http_headers
    raw = record.raw_stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        return Left(url[:8_192], f"larger than {MAX_BYTES:,} bytes")
    _drain(record)
    if getattr(record.raw_stream, "limit", 0) > 0:
        return Left(url[:8_192], "cut")
    if record.digest_checker is not None and record.digest_checker.passed is False:
        return Left(url[:8_192], "damaged: its digest is another")
    fetched = moment(record.rec_headers.get_header("WARC-Date"), path.stat().st_mtime)
    if record.rec_type == "resource" or http is None:
        kind = str(record.rec_headers.get_header("Content-Type") or "")
        headers = [("Content-Type", kind)] if kind else []
        return offered(url, 200, headers, raw, fetched=fetched)
    code = str(http.get_statuscode() or "")
    if not code.isdecimal():
        return Left(url[:8_192], "no status in it")
    try:
        body = _plain(raw, http)
    except BadBody as fault:
        return Left(url[:8_192], str(fault))
    # A request's method stands in another record; what has a body to send is hardly ever archived.
    return offered(url, int(code[:4]), http.headers, body, fetched=fetched)


def _plain(raw: bytes, http: Any) -> bytes:
    """The body without chunks and compression, which some writers undo and some do not."""
    if "chunked" in str(http.get_header("Transfer-Encoding") or "").lower():
        raw = _unchunked(raw)
    coding = str(http.get_header("Content-Encoding") or "")
    if "gzip" in coding.lower() and not raw.startswith(b"\x1f\x8b"):
        return raw
    return decoded(raw, coding, MAX_BYTES)


def _unchunked(raw: bytes) -> bytes:
    """The body without the framing of its chunks (RFC 9112, 7.1); as it is if it has none."""
    source, pieces = io.BytesIO(raw), []
    while True:
        line = source.readline(1_024)
        length, _, _ = line.partition(b";")
        try:
            size = int(length, 16)
        except ValueError:
            if not pieces:
                return raw  # the header stayed, the chunks were undone
            raise BadBody("cut or damaged chunks") from None
        if size <= 0:
            return b"".join(pieces)
        piece = source.read(size)
        if len(piece) < size or source.readline(3) not in (b"\r\n", b"\n"):
            if not pieces:
                return raw
            raise BadBody("cut or damaged chunks")
        pieces.append(piece)


def _drain(record: Any) -> None:
    """Read what is left of a record, in pieces."""
    while record.raw_stream.read(PIECE):
        pass


class _Bounded:
    """A file's bytes, unpacked: so many and no more, for a file may unpack to anything."""

    def __init__(self, file: BinaryIO, most: int) -> None:
        self.most, self.allowance = most, LONGEST_HEAD
        self.given = 0
        self._held = b""
        self._pieces = _unpacked(file)

    def read(self, size: int = PIECE) -> bytes:
        """The next bytes, at most `PIECE` of them.

        Raises:
            ValueError: They are more than is allowed, or the file is cut.
            zlib.error: The file is damaged; what lies before was given.
        """
        if not self._held:
            self._held = next(self._pieces, b"")
            if self.given == 0 and self._held.startswith(PACKED):
                raise ValueError("packed twice")
        piece, self._held = self._held[:size], self._held[size:]
        self.given += len(piece)
        if self.given > self.most:
            raise ValueError(f"it unpacks to more than {self.most:,} bytes")
        if self.given > self.allowance + PIECE:
            raise ValueError(f"a record's head of more than {LONGEST_HEAD:,} bytes")
        return piece

    def tell(self) -> int:
        """How much was given."""
        return self.given


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    """A file in pieces; one that is packed, in one or many members, unpacked."""
    wire = file.read(PIECE)
    if not wire.startswith(PACKED):
        while wire:
            yield wire
            wire = file.read(PIECE)
        return
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    while wire or (wire := file.read(PIECE)):
        if inflater.eof:
            inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
        if piece := inflater.decompress(wire, PIECE):
            yield piece
        wire = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if not inflater.eof:
        raise ValueError("the packed file is cut")  # warcio takes an EOFError for the end
