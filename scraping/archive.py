"""Answers kept as WARC records, and read back: what a crawl has once had it never asks for again.

One file a crawl, appended to; each record is on its way to the disk before anything says that the
address is done. Bodies are stored as sent (compressed by the server, chunking undone), so standard
readers find what the wire carried (WARC 1.1: ISO 28500:2017).
"""

from __future__ import annotations

import mmap
import os
import re
import uuid
from base64 import b32encode
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from scraping.body import BadBody, decoded
from scraping.errors import ArchiveDamaged, InUse, Partial
from scraping.fetch import MAX_BYTES, Response

FILE = "pages.warc"
HEAD = 16 * 1024  # bytes read at first: the head of any record and most bodies
# What a server says about a visitor is nobody's business later.
PRIVATE = frozenset({"set-cookie", "set-cookie2", "www-authenticate", "authentication-info"})


class Archive:
    """The one writer of a folder of records."""

    def __init__(self, folder: Path) -> None:
        """Open or create the archive in `folder`.

        Raises:
            InUse: Another process is writing it.
            Partial: The folder cannot be written.
        """
        from filelock import FileLock, Timeout  # a writer's need only: readers start sooner

        self.folder, self._path = folder, folder / FILE
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / ".lock", timeout=0)
            self._lock.acquire()
            # Unbuffered: what was written survives the death of this process.
            self._file = self._path.open("ab", buffering=0)
        except Timeout:
            raise InUse(f"{folder} is being written by another run; wait until it ends.") from None
        except OSError as fault:
            raise self._unwritable(fault) from fault
        self._unsynced = False
        if self._file.tell() == 0:
            self._append(_warcinfo())

    def add(self, response: Response) -> tuple[str, int]:
        """Keep an answer; the file and the offset of its record.

        Raises:
            Partial: The disk is full or the folder cannot be written; nothing was lost.
        """
        return FILE, self._append(_record(response))

    def _append(self, record: bytes) -> int:
        offset = self._file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(record)
            while rest:
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as fault:
            self._file.truncate(offset)
            raise self._unwritable(fault) from fault
        self._unsynced = True
        return offset

    def _unwritable(self, fault: OSError) -> Partial:
        return Partial(
            f"{self._path} cannot be written: {fault.strerror or fault}.\n"
            "Everything fetched before is kept; make room or allow writing, then run again."
        )

    def sync(self) -> None:
        """Have everything written so far on the disk itself."""
        if self._unsynced:
            try:
                os.fsync(self._file.fileno())
            except OSError as fault:
                raise self._unwritable(fault) from fault
            self._unsynced = False

    def trim(self, known: int | None) -> list[tuple[int, Response]]:
        """Cut off a record that a killed run left unfinished.

        Args:
            known: Where a record begins that is known to be whole; None for the first.

        Returns:
            The whole records after the known one, with their offsets.
        """
        found = []
        with self._path.open("rb") as file:
            whole_until = known or 0
            begins = file.read(5)
            for offset, end in _places(file, whole_until):
                whole_until = end
                if offset == known:
                    continue
                with suppress(ArchiveDamaged):  # not adopted, so fetched again
                    response = read(self.folder, FILE, offset)
                    if response is not None:
                        found.append((offset, response))
        if not b"WARC/".startswith(begins):
            raise ArchiveDamaged(f"{self._path} does not begin with a WARC record; move it away.")
        self._file.truncate(whole_until)
        if whole_until == 0:
            self._append(_warcinfo())
        return found

    def ends(self) -> dict[str, int]:
        """The length of each of the archive's files."""
        return {FILE: self._path.stat().st_size}

    def close(self) -> None:
        """Sync, and let the folder go."""
        try:
            self.sync()
        finally:
            self._file.close()
            self._lock.release()


def read(folder: Path, file: str, offset: int) -> Response | None:
    """The answer in the record that begins at `offset`; None if the record is none (warcinfo).

    Raises:
        ArchiveDamaged: It is missing or not what was written (its digest is compared).
    """
    path = folder / file
    try:
        with path.open("rb") as source:
            source.seek(offset)
            block = source.read(HEAD)
            head, body_at, end = _head(block)
            if end > len(block):
                block += source.read(end - len(block))
    except (OSError, ValueError) as fault:
        raise ArchiveDamaged(f"{path} at byte {offset:,}: no readable record ({fault}).") from None
    if head.get(b"warc-type") != b"response":
        return None
    http_end = block.find(b"\r\n\r\n", body_at)
    if len(block) < end or http_end < 0:
        raise ArchiveDamaged(f"{path} at byte {offset:,}: the record is cut.")
    first, *lines = block[body_at:http_end].decode("latin-1").split("\r\n")
    wire = block[http_end + 4 : end]
    url = head[b"warc-target-uri"].decode()
    if _digest(wire).encode() != head.get(b"warc-payload-digest"):
        raise ArchiveDamaged(
            f"{path} at byte {offset:,}: the record of {url} was changed after it was written."
        )
    _, status, *reason = first.split(" ", 2)
    headers = [(name, value.lstrip()) for name, _, value in (line.partition(":") for line in lines)]
    coding = next((value for name, value in headers if name.lower() == "content-encoding"), "")
    try:
        body = decoded(wire, coding, 8 * MAX_BYTES)
    except BadBody as fault:
        raise ArchiveDamaged(f"{path} at byte {offset:,}: {url}: {fault}.") from None
    return Response(
        url=url,
        status=int(status),
        reason=reason[0] if reason else "",
        headers=headers,
        wire=wire,
        body=body,
        fetched=head[b"warc-date"].decode(),
    )


def _places(file: BinaryIO, offset: int) -> Iterator[tuple[int, int]]:
    """Where each whole record begins and ends; a damaged one among them is passed over."""
    size = file.seek(0, os.SEEK_END)
    while offset < size:
        file.seek(offset)
        try:
            _, _, length = _head(file.read(HEAD))
        except ValueError:
            length = size
        end = offset + length + 4  # two line ends close a record
        if end <= size:
            file.seek(end - 4)
        if end <= size and file.read(4) == b"\r\n\r\n":
            yield offset, end
            offset = end
        else:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                following = whole.find(b"\r\n\r\nWARC/1.1\r\nWARC-Type: ", offset)
            offset = following + 4 if following >= 0 else size


def _head(block: bytes) -> tuple[dict[bytes, bytes], int, int]:
    """A record's named fields, where its content begins, and where it ends.

    Raises:
        ValueError: The block does not begin with a whole head.
    """
    end = block.find(b"\r\n\r\n")
    if end < 0 or not block.startswith(b"WARC/1."):
        raise ValueError("it does not begin with a WARC head")
    fields = {}
    for line in block[:end].split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        fields[name.lower()] = value.strip()
    length = int(fields.get(b"content-length", b"none"))
    return fields, end + 4, end + 4 + length


def _record(response: Response) -> bytes:
    """A response record."""
    lines = [f"HTTP/1.1 {response.status} {_line(response.reason)}"]
    for name, value in response.headers:
        lowered = name.lower()
        if lowered in PRIVATE:
            continue
        # The chunks are undone; the header stays readable under the usual archival name.
        if lowered == "transfer-encoding":
            name = "X-Archive-Orig-Transfer-Encoding"
        lines.append(f"{_line(name)}: {_line(value)}")
    http = "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"
    return _framed(
        "response",
        response.fetched,
        "application/http; msgtype=response",
        http + response.wire,
        f"WARC-Target-URI: {response.url}\r\nWARC-Payload-Digest: {_digest(response.wire)}\r\n",
    )


def _warcinfo() -> bytes:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = b"software: Folio\r\nformat: WARC File Format 1.1\r\nrobots: obey\r\n"
    return _framed("warcinfo", now, "application/warc-fields", text, f"WARC-Filename: {FILE}\r\n")


def _framed(kind: str, date: str, content_type: str, content: bytes, more: str) -> bytes:
    """A record of any kind."""
    head = (
        f"WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid4()}>\r\n"
        f"WARC-Date: {date}\r\n{more}Content-Type: {content_type}\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    )
    return b"".join((head.encode(), content, b"\r\n\r\n"))


def _digest(wire: bytes) -> str:
    return "sha256:" + b32encode(sha256(wire).digest()).decode()


def _line(text: str) -> str:
    """Text that cannot break out of its line of a head."""
    return re.sub(r"[\x00-\x08\x0a-\x1f\x7f]", " ", text)
