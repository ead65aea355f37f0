"""WARC records as bytes: put together, found again, and known to be what was written.

A record here is a head of named fields, then its content, then two line ends (WARC 1.1: ISO
28500:2017). The content of a response is an HTTP head and the body as sent. The body is proved by
`WARC-Payload-Digest`; everything before it by the record's own id, a UUID of version 8 (RFC 9562,
5.8) in two halves:

    <urn:uuid:xxxxxxxx-xxxx-8xxx-yyyy-yyyyyyyyyyyy>
              └───── mark ─────┘ └──── proof ────┘

The mark is drawn at random for each file, the proof is computed from the record's offset, its head
and its HTTP head. So a changed byte anywhere is noticed at the cost of one small hash, and a page
that contains the text of a record is never taken for one, even where the record around it is torn:
nobody who serves pages knows the mark.
"""

from __future__ import annotations

import os
import re
from base64 import b32encode
from collections.abc import Iterator
from hashlib import sha256
from typing import BinaryIO, NamedTuple

BEGINNING = b"WARC/1.1\r\nWARC-Type: "
EMPTY_LINE = b"\r\n\r\n"
LONGEST_HEAD = 64 * 1024  # bytes of a record's own head: an address has at most 4,096
GUESS = 2 * 1024  # bytes read at first: most heads, with the HTTP head
PIECE = 1024 * 1024  # bytes searched at a time
PROVED = re.compile(
    rb"<urn:uuid:([0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3})-([89ab][0-9a-f]{3}-[0-9a-f]{12})>"
)
# Records written before ids were proofs, and those of other writers.
UNPROVED = re.compile(rb"<urn:uuid:[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-7][0-9a-fA-F-]{21}>")
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class Record(NamedTuple):
    """A record whose head is what was written; its payload may still be cut or changed."""

    kind: str  # WARC-Type
    head: bytes  # its named fields
    mark: str  # the first half of its id; empty where the id proves nothing
    offset: int  # of its first byte
    opening: bytes  # content up to its first empty line: an HTTP head; all of it if there is none
    payload: int  # where the rest of the content begins, counted from the record's first byte
    length: int  # of head and content, without the two line ends
    block: bytes  # what was read so far, from the record's first byte on

    @property
    def end(self) -> int:
        """Where the next record begins."""
        return self.offset + self.length + len(EMPTY_LINE)

    def field(self, name: str) -> str:
        """The value of a named field, or nothing."""
        return _field(self.head, b"\r\n%b: " % name.encode()).decode("utf-8", "replace")


def new_mark() -> str:
    """The first half of the ids of one file's records."""
    drawn = os.urandom(8).hex()
    return f"{drawn[:8]}-{drawn[8:12]}-8{drawn[13:]}"


def framed(
    kind: str,
    fields: list[tuple[str, str]],
    opening: bytes,
    payload: bytes = b"",
    *,
    mark: str,
    offset: int,
) -> tuple[bytes, str]:
    """A record of any kind, and its id.

    Args:
        kind: WARC-Type.
        fields: Named fields; type, id and length are added.
        opening: An HTTP head with its empty line; or all content, without an empty line.
        payload: What follows the opening.
        mark: The file's.
        offset: Where the record will begin.
    """
    before = f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{mark}-".encode()
    named = "".join([f"{name}: {line(value)}\r\n" for name, value in fields])
    after = f">\r\n{named}Content-Length: {len(opening) + len(payload)}\r\n\r\n"
    rest = after.encode("utf-8", "replace") + opening
    proof = _proof(offset, before, rest)
    whole = b"".join((before, proof, rest, payload, EMPTY_LINE))
    return whole, f"<urn:uuid:{mark}-{proof.decode()}>"


def record_at(file: BinaryIO, offset: int, guess: int = GUESS) -> Record:
    """The record that begins at `offset`.

    Args:
        file: The file, opened for reading.
        offset: In bytes.
        guess: How many bytes to read at first.

    Raises:
        ValueError: None begins there, or its head or HTTP head is not what was written.
    """
    file.seek(offset)
    block = file.read(guess)
    if not block.startswith(b"WARC/1."):
        raise ValueError("no record begins there")
    block, head_end = _read_past_empty_line(file, block, 0, LONGEST_HEAD)
    if head_end < 0:
        raise ValueError("its head is cut")
    head = block[:head_end]
    announced = _field(head, b"\r\nContent-Length: ")
    if not announced.isdigit():
        raise ValueError("it does not say its length")
    length = head_end + int(announced)
    block, payload = _read_past_empty_line(file, block, head_end, length)
    if payload < 0 or payload > length:  # no empty line: all content is opening
        payload = length
    if len(block) < payload:
        raise ValueError("it is cut")
    number = _field(head, b"\r\nWARC-Record-ID: ")
    mark = ""
    if proved := PROVED.fullmatch(number):
        at = head.index(number) + proved.start(2)
        before, rest = block[:at], block[at + len(proved[2]) : payload]
        if _proof(offset, before, rest) != proved[2]:
            raise ValueError("its head was changed after it was written")
        mark = proved[1].decode()
    elif not UNPROVED.fullmatch(number):
        raise ValueError("its id is not what was written")
    kind = _field(head, b"\r\nWARC-Type: ").decode("ascii", "replace")
    return Record(kind, head, mark, offset, block[head_end:payload], payload, length, block)


def payload_of(file: BinaryIO, record: Record) -> bytes:
    """The record's payload: of a response, the body as sent.

    Raises:
        ValueError: It is cut, or not what was written by its digest.
    """
    block = record.block
    if record.length > len(block):
        # Asked first: a length that was changed could ask for more memory than there is.
        if record.offset + record.length > os.fstat(file.fileno()).st_size:
            raise ValueError("it is cut")
        file.seek(record.offset + len(block))
        block += file.read(record.length - len(block))
    payload = block[record.payload : record.length]
    if record.kind == "response" and record.field("WARC-Payload-Digest") != digest(payload):
        raise ValueError("its body was changed after it was written")
    return payload


def mark_of(file: BinaryIO) -> str:
    """The mark in the file's first record; empty if that is damaged, or of another writer."""
    try:
        return record_at(file, 0).mark
    except ValueError:
        return ""


def records(file: BinaryIO, offset: int = 0) -> Iterator[Record | None]:
    """Each record from `offset` on that is whole but for its payload; None for damage between.

    Where a head is damaged, its length cannot be believed, so the next beginning is searched.
    """
    size = os.fstat(file.fileno()).st_size
    mark = mark_of(file)
    lost = False
    while 0 <= offset < size:
        record = None
        try:
            record = record_at(file, offset)
        except ValueError:
            pass
        else:
            if mark and record.mark != mark:  # a text that only looks like a record of ours
                record = None
        closed = record is not None and record.end <= size and _is_closed(file, record)
        if record is not None and closed:
            yield record
            lost = False
        elif not lost:  # once for each stretch of damage
            yield None
            lost = True
        if record is not None and (closed or record.mark):
            offset = record.end
        else:
            offset = _next_beginning(file, offset + 1)


def digest(payload: bytes) -> str:
    """The payload's digest as records name it."""
    return "sha256:" + b32encode(sha256(payload).digest()).decode()


def line(text: str) -> str:
    """Text that cannot break out of its line of a head."""
    return text if text.isprintable() else CONTROL.sub(" ", text)


def _field(head: bytes, beginning: bytes) -> bytes:
    """What stands in a head between this beginning and the end of its line, or nothing."""
    at = head.find(beginning)
    return head[at + len(beginning) : head.find(b"\r\n", at + 2)] if at >= 0 else b""


def _proof(offset: int, before: bytes, rest: bytes) -> bytes:
    """The second half of an id: 62 bits of a hash in the form of a UUID's last two groups."""
    hashed = sha256(b"%d %b%b" % (offset, before, rest)).digest()
    number = int.from_bytes(hashed[:8], "big") & (2**62 - 1) | 2**63
    text = b"%016x" % number
    return text[:4] + b"-" + text[4:]


def _read_past_empty_line(
    file: BinaryIO, block: bytes, start: int, limit: int
) -> tuple[bytes, int]:
    """The block, read on until it has an empty line after `start`, and where that ends, or -1."""
    while (at := block.find(EMPTY_LINE, start)) < 0 and len(block) < limit:
        more = file.read(min(len(block), limit))
        if not more:
            break
        block += more
    return block, at + len(EMPTY_LINE) if at >= 0 else -1


def _is_closed(file: BinaryIO, record: Record) -> bool:
    """Whether the two line ends stand where they should."""
    if len(record.block) >= record.length + len(EMPTY_LINE):
        return record.block.startswith(EMPTY_LINE, record.length)
    file.seek(record.offset + record.length)
    return file.read(len(EMPTY_LINE)) == EMPTY_LINE


def _next_beginning(file: BinaryIO, offset: int) -> int:
    """Where the next record may begin; -1 if none does."""
    file.seek(offset)
    held = b""
    while piece := file.read(PIECE):
        held += piece
        at = held.find(BEGINNING)
        if at >= 0:
            return offset + at
        offset += max(0, len(held) - len(BEGINNING) + 1)
        held = held[-len(BEGINNING) + 1 :]
    return -1
