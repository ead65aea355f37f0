"""Answers kept as WARC records, and read back: what a crawl has once had it never asks for again.

Files that are only appended to: `pages.warc`, then `pages-00001.warc` and so on. Each answer goes
in one write, as the response, the request that was sent and what is known beside them, and is on
its way to the disk before anything says that the address is done. Bodies are stored as sent
(compressed by the server, chunking undone), so standard readers find what the wire carried
(WARC 1.1: ISO 28500:2017). `index.cdxj` is made when the archive is closed.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from scraping.errors import ArchiveDamaged, InUse, Partial
from scraping.net.response import Response
from scraping.records import cdxj, exchange, warc

FILE = "pages.warc"  # the first file
NUMBERED = re.compile(r"pages-(\d{5,})\.warc")  # those after it
ROTATE_AT = 1_000_000_000  # bytes after which a new file is begun
HEAD = 16 * 1024  # bytes read at first: the head of any record and most bodies
BUFFER = 128 * 1024  # bytes read at a time while a file is walked
PROFILES = "http://netpreserve.org/warc/1.1/revisit/"
HTTP_ANSWER = ("Content-Type", "application/http; msgtype=response")
HTTP_REQUEST = ("Content-Type", "application/http; msgtype=request")
NOTES = ("Content-Type", "application/warc-fields")


class Archive:
    """The one writer of a folder of records.

    Attributes:
        damaged: Records found so far that are not what was written.
    """

    def __init__(self, folder: Path, *, rotate_at: int = ROTATE_AT) -> None:
        """Open or create the archive in `folder`.

        Args:
            folder: Where its files lie.
            rotate_at: The size in bytes from which on a file is not appended to.

        Raises:
            InUse: Another process is writing it.
            Partial: The folder cannot be written.
        """
        from filelock import FileLock, Timeout  # a writer's need only: readers start sooner

        self.folder, self.rotate_at, self.damaged = folder, rotate_at, 0
        self._unsynced = False
        self._noted = cdxj.Noted(folder)
        self._read_from: tuple[str, BinaryIO] | None = None  # the file that is compared with
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(folder / ".lock", timeout=0)
            self._lock.acquire()
        except Timeout:
            raise InUse(f"{folder} is being written by another run; wait until it ends.") from None
        except OSError as fault:
            raise _unwritable(folder, fault) from fault
        try:
            files = self.files()
            self._recovered = not files
            self._open(files[-1] if files else folder / FILE)
        except BaseException:
            self._lock.release()
            raise

    def add(self, response: Response, *, via: str = "", depth: int = 0) -> tuple[str, int]:
        """Keep an answer; the file and the offset of its response record.

        Args:
            response: What was had; cookies and the like are left out.
            via: The page that linked to it.
            depth: How many links it is from the start.

        Raises:
            Partial: The disk is full or the folder cannot be written; nothing was lost.
        """
        fields = [*_when_and_what(response), ("WARC-Payload-Digest", warc.digest(response.wire))]
        return self._keep("response", fields, response, response.wire, via, depth)

    def revisit(self, response: Response, known: Response) -> tuple[str, int]:
        """Keep that an address was asked again and is as it was; where the record lies.

        An answer whose body is not the one of `known`, byte for byte as sent, is kept in full.

        Args:
            response: The answer now: 304, or the same body.
            known: The answer in the archive that it repeats.

        Raises:
            Partial: As `add`.
        """
        if response.status == 304:
            profile = "server-not-modified"
        elif response.wire == known.wire:
            profile = "identical-payload-digest"
        else:
            return self.add(response)
        fields = [
            *_when_and_what(response),
            ("WARC-Profile", PROFILES + profile),
            ("WARC-Refers-To-Target-URI", known.url),
            ("WARC-Refers-To-Date", known.fetched),
            ("WARC-Payload-Digest", warc.digest(known.wire)),
        ]
        return self._keep("revisit", fields, response)

    def sync(self) -> None:
        """Have everything written so far on the disk itself."""
        if self._unsynced:
            try:
                os.fsync(self._file.fileno())
            except OSError as fault:
                raise _unwritable(self._path, fault) from fault
            self._unsynced = False

    def recover(
        self, last: Mapping[str, int | None] | None = None
    ) -> Iterator[tuple[str, int, Response]]:
        """Cut off what a killed run left unfinished; the answers that follow the known ones.

        Damaged records are passed over and counted. The cutting is done when this returns; the
        answers are read one by one as they are asked for, with their file and offset.

        Args:
            last: For each file, where the last record begins that is known already. What lies
                before it is not looked at.

        Raises:
            ArchiveDamaged: A file holds something, and no record.
            Partial: The folder cannot be written.
        """
        found: list[tuple[str, int]] = []
        for path in self.files():
            known = (last or {}).get(path.name)
            size = path.stat().st_size
            if known is not None and not 0 <= known < size:
                known = None
            whole_until, passed = known or 0, 0
            with path.open("rb", buffering=BUFFER) as file:
                for record in warc.records(file, whole_until):
                    if record is None:
                        passed += 1
                        continue
                    # Damage with nothing whole behind it is a torn tail, and no fault.
                    self.damaged, passed, whole_until = self.damaged + passed, 0, record.end
                    if record.kind == "response" and record.offset != known:
                        found.append((path.name, record.offset))
            if whole_until < size:
                self._cut(path, whole_until)
        self._recovered = True
        return self._answers(found)

    def check(self, places: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
        """Those of the records at these places that are missing or not what was written.

        Every byte is compared. They are counted as damaged; make their addresses due.
        """
        lost = [place for place in places if not self._is_whole(*place)]
        self.damaged += len(lost)
        return lost

    def files(self) -> list[Path]:
        """The archive's files that are there, in the order in which they were begun."""
        first = self.folder / FILE
        numbered = [
            (int(matched[1]), path)
            for path in self.folder.iterdir()
            if (matched := NUMBERED.fullmatch(path.name))
        ]
        return [first] * first.exists() + [path for _, path in sorted(numbered)]

    def ends(self) -> dict[str, int]:
        """The length of each of the archive's files."""
        return {path.name: path.stat().st_size for path in self.files()}

    def close(self) -> None:
        """Sync, bring the index up to date, and let the folder go."""
        try:
            self.sync()
            # The index is made from the records: where it cannot be written nothing is lost.
            with suppress(OSError):
                cdxj.update(self.folder, self.files(), self._noted)
        finally:
            self._noted.close()
            if self._read_from is not None:
                self._read_from[1].close()
            self._file.close()
            self._lock.release()

    def _keep(
        self,
        kind: str,
        fields: list[tuple[str, str]],
        response: Response,
        wire: bytes = b"",
        via: str = "",
        depth: int = 0,
    ) -> tuple[str, int]:
        """An answer, its request and the notes on it, in one write."""
        if not self._recovered:
            self.recover()  # nothing must follow a torn record
        if self._file.seek(0, os.SEEK_END) >= self.rotate_at:
            self._rotate()
        offset = self._file.seek(0, os.SEEK_END)
        head = exchange.answer_head(response)
        whole, number = warc.framed(
            kind, [*fields, HTTP_ANSWER], head, wire, mark=self._mark, offset=offset
        )
        at = whole.index(warc.EMPTY_LINE) + len(warc.EMPTY_LINE)
        body = at + len(head)
        record = warc.Record(
            kind, whole[:at], self._mark, offset, head, body, body + len(wire), b""
        )
        beside = [*fields[:2], ("WARC-Concurrent-To", number)]
        for kind, field, content in (
            ("request", HTTP_REQUEST, exchange.request_head(response)),
            ("metadata", NOTES, exchange.notes(response, via, depth)),
        ):
            if content:
                at = offset + len(whole)
                whole += warc.framed(kind, [*beside, field], content, mark=self._mark, offset=at)[0]
        self._append(whole)
        self._noted.note(record, self._path.name)
        return self._path.name, offset

    def _append(self, whole: bytes) -> None:
        offset = self._file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(whole)
            while rest:  # once, unless the system takes less
                rest = rest[self._file.write(rest) or 0 :]
        except OSError as fault:
            with suppress(OSError):  # what cannot be cut off now is by the next run
                self._file.truncate(offset)
            raise _unwritable(self._path, fault) from fault
        self._unsynced = True

    def _open(self, path: Path) -> None:
        """Go on with this file; a new one is begun with what wrote it."""
        try:
            # Unbuffered: what was written survives the death of this process.
            file = path.open("ab", buffering=0)
            with path.open("rb") as written:
                mark = warc.mark_of(written) or warc.new_mark()
        except OSError as fault:
            raise _unwritable(path, fault) from fault
        self._path, self._file, self._mark = path, file, mark
        if file.seek(0, os.SEEK_END) == 0:
            try:
                self._begin()
            except BaseException:
                file.close()
                raise

    def _begin(self) -> None:
        """The first record of a file."""
        text = b"software: Folio\r\nformat: WARC File Format 1.1\r\nrobots: obey\r\n"
        fields = [("WARC-Date", _now()), ("WARC-Filename", self._path.name), NOTES]
        self._append(warc.framed("warcinfo", fields, text, mark=self._mark, offset=0)[0])
        with suppress(OSError):
            _sync_folder(self.folder)

    def _rotate(self) -> None:
        """Go on with the next file."""
        self.sync()
        matched = NUMBERED.fullmatch(self._path.name)
        number = int(matched[1]) + 1 if matched else 1
        full = self._path, self._file, self._mark
        try:
            self._open(self.folder / f"pages-{number:05}.warc")
        except BaseException:
            self._path, self._file, self._mark = full
            raise
        full[1].close()

    def _cut(self, path: Path, whole_until: int) -> None:
        """Take off what follows the last whole record, unless it never was an archive."""
        if whole_until == 0:
            with path.open("rb") as file:
                beginning = file.read(5).rstrip(b"\0")  # NUL: a disk that lost its power
            if not b"WARC/".startswith(beginning):
                raise ArchiveDamaged(f"{path} holds no WARC record; move it away.")
        try:
            os.truncate(path, whole_until)
            if whole_until == 0 and path == self._path:
                self._begin()
        except OSError as fault:
            raise _unwritable(path, fault) from fault
        self._unsynced = True

    def _is_whole(self, file: str, offset: int) -> bool:
        """Whether a record is there and every byte of it what was written."""
        try:
            if self._read_from is None or self._read_from[0] != file:
                if self._read_from is not None:
                    self._read_from[1].close()
                    self._read_from = None
                self._read_from = file, (self.folder / file).open("rb", buffering=0)
            source = self._read_from[1]
            warc.payload_of(source, warc.record_at(source, offset, HEAD))
        except (OSError, ValueError):
            return False
        return True

    def _answers(self, places: list[tuple[str, int]]) -> Iterator[tuple[str, int, Response]]:
        """The answers in these records; the damaged ones are counted and left out."""
        for place in places:
            try:
                response = read(self.folder, *place)
            except ArchiveDamaged:
                self.damaged += 1
                continue
            if response is not None:
                yield (*place, response)


def read(folder: Path, file: str, offset: int) -> Response | None:
    """The answer in the record that begins at `offset`; None if the record is none (a revisit).

    Raises:
        ArchiveDamaged: It is missing or not what was written.
    """
    path = folder / file
    try:
        with path.open("rb", buffering=0) as source:
            record = warc.record_at(source, offset, HEAD)
            if record.kind != "response":
                return None
            return exchange.answer(record, warc.payload_of(source, record))
    except (OSError, ValueError) as fault:
        raise ArchiveDamaged(
            f"{path} at byte {offset:,}: not the record that was written: {fault}."
        ) from None


def _when_and_what(response: Response) -> list[tuple[str, str]]:
    return [("WARC-Date", response.fetched or _now()), ("WARC-Target-URI", response.url)]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _unwritable(path: Path, fault: OSError) -> Partial:
    return Partial(
        f"{path} cannot be written: {fault.strerror or fault}.\n"
        "Everything fetched before is kept; make room or allow writing, then run again."
    )


def _sync_folder(folder: Path) -> None:
    """Make a new name in this folder durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
