"""An index of an archive's answers by address and time, as replay tools read it (CDXJ).

One line for each response and revisit record, sorted by bytes:

    org,example)/birds 20261123010203 {"url": "http://example.org/birds", "mime": "text/html", …}

Reading the archive needs no index: this one is for pywb and its like, made from the records when
the archive is closed. The writer notes each line with its record, so that only what a killed run
appended is read for it. No more than `HELD` lines are in memory at a time.
"""

from __future__ import annotations

import heapq
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import IO
from urllib.parse import quote, quote_from_bytes, unquote_to_bytes, urlsplit

from scraping.records import warc

NAME = "index.cdxj"
HELD = 20_000  # lines sorted in memory at a time
BUFFER = 128 * 1024  # bytes read at a time
INDEXED = ("response", "revisit")
WWW = re.compile(rb"^www\d*\.")
PLACE = re.compile(rb'"offset": "(\d+)", "filename": "([^"]+)"}\n$')
KEPT = bytes(set(range(0x21, 0x7F)) - set(b"#%"))  # what a key has unescaped
UNSAFE = re.compile(rb"[^!-~]|[#%]")  # all else
NO_DIGIT = re.compile(r"\D")
CONTENT_TYPE = re.compile(rb"(?i)\ncontent-type:[ \t]*([^;\s]*)")
PARTS = re.compile(r"([a-z]+://[^/?#]*)([^?#]*)(?:\?([^#]*))?")  # RFC 3986, B; origin as one
# What sites put into addresses to know a visitor again, as far as replay tools take it out.
QUERY_SESSIONS = re.compile(
    r"(?:(?:jsessionid|phpsessid|sid)=[0-9a-z]{32}|aspsessionid[a-z]{8}=[a-z]{24}"
    r"|cfid=[^&]+&cftoken=[^&]+)(?:&|$)"
)
PATH_SESSIONS = re.compile(rb"/\((?:[0-9a-z]{24}|(?:[a-z]\([0-9a-z]{24}\))+)\)(?=/[^?]+\.aspx)")


class Noted:
    """The lines of what one writer appends, in sorted runs; all but the last wait on the disk."""

    def __init__(self, folder: Path) -> None:
        """`folder`: where the runs go."""
        self.first: dict[str, int] = {}  # file → the offset from which on its lines are here
        self._folder = folder
        self._held: list[bytes] = []
        self._runs: list[IO[bytes]] = []

    def note(self, record: warc.Record, name: str) -> None:
        """Note the line of a record that was appended to the file of this name."""
        try:
            self.first.setdefault(name, record.offset)
            self.hold(_line(record, name))
        except OSError:  # on a full disk they are left out, and read when there is room
            self.close()

    def hold(self, line: bytes) -> None:
        """Take in one line."""
        self._held.append(line)
        if len(self._held) >= HELD:
            run = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by `close`
            self._runs.append(run)
            run.writelines(sorted(self._held))
            run.flush()
            self._held.clear()

    def runs(self) -> list[Iterable[bytes]]:
        """All lines, in sorted runs."""
        for run in self._runs:
            run.seek(0)
        return [*self._runs, *filter(None, [sorted(self._held)])]

    def close(self) -> None:
        """Let everything go."""
        for run in self._runs:
            with suppress(OSError):
                run.close()
        self._runs.clear()
        self._held.clear()
        self.first.clear()


def update(folder: Path, files: Iterable[Path], noted: Noted | None = None) -> None:
    """Bring the index of these files up to date; one that is, is left alone.

    Args:
        folder: Where the index lies.
        files: The archive's files, which lie there too.
        noted: What their writer noted; it is used up.
    """
    files, index = list(files), folder / NAME
    noted = noted or Noted(folder)
    if not noted.first and index.exists():
        made = index.stat().st_mtime_ns
        if all(made > path.stat().st_mtime_ns for path in files):
            return
    ends = _ends(index, files)
    aside = index.with_name(f".{NAME}.aside")
    try:
        with ExitStack() as opened:
            opened.callback(noted.close)
            for path in files:
                start, end = ends.get(path.name, 0), noted.first.get(path.name)
                for line in _lines(path, start, end):
                    noted.hold(line)
            runs = noted.runs()
            if ends:
                if not runs:
                    return
                runs.append(opened.enter_context(index.open("rb", buffering=BUFFER)))
            with aside.open("wb", buffering=BUFFER) as file:
                file.writelines(heapq.merge(*runs))
                file.flush()
                os.fsync(file.fileno())
        aside.replace(index)
    finally:
        aside.unlink(missing_ok=True)


def key(url: str) -> str:
    """The form by which replay tools look an address up: host backwards, then path and query.

    Small letters, without `www.`, the scheme's own port, session numbers and a closing slash; the
    parts of the query in order (Sort-friendly URI Reordering Transform, as the Internet Archive
    applies it).
    """
    parts = PARTS.match(url)
    if parts is None:
        return quote(url, safe="")
    try:
        host = _host(parts[1])
    except ValueError:
        return quote(url, safe="")
    path = _escaped(_tidied(PATH_SESSIONS.sub(b"", _unescaped(parts[2]))))
    query = QUERY_SESSIONS.sub("", _escaped(_unescaped(parts[3]))) if parts[3] else ""
    if query:
        path += "?" + "&".join(sorted(query.split("&")))
    return host + path


@lru_cache(maxsize=1024)
def _host(origin: str) -> str:
    """The part of a key that stands for host and port."""
    parts = urlsplit(origin)
    host = _unescaped(parts.hostname or "").strip(b".")
    if b":" not in host:  # not IPv6
        host = b",".join(reversed([part for part in WWW.sub(b"", host).split(b".") if part]))
    own = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port not in (None, own) else ""
    return f"{_escaped(host)}{port})"


def _escaped(text: bytes) -> str:
    """The text in visible ASCII."""
    return quote_from_bytes(text, KEPT).lower() if UNSAFE.search(text) else text.decode("ascii")


def _unescaped(text: str) -> bytes:
    """The text in small letters, all its escapes undone, however often it was escaped."""
    found = text.encode("utf-8", "replace")
    while b"%" in found and (plainer := unquote_to_bytes(found)) != found:
        found = plainer
    return found.lower()


def _tidied(path: bytes) -> bytes:
    """The path without empty and dot segments and without a slash at its end."""
    kept: list[bytes] = []
    for segment in path.split(b"/"):
        if segment == b".." and kept and kept[-1] != b"..":
            kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    return b"/" + b"/".join(kept)


def _ends(index: Path, files: list[Path]) -> dict[str, int]:
    """Up to where each file is indexed; nothing if the index is not of these files as they are."""
    last: dict[str, tuple[int, bytes]] = {}
    with suppress(FileNotFoundError), index.open("rb", buffering=BUFFER) as lines:
        for line in lines:
            place = PLACE.search(line)
            if not place:
                return {}
            name, offset = place[2].decode(), int(place[1])
            if offset >= last.get(name, (0, b""))[0]:
                last[name] = offset, line
    paths = {path.name: path for path in files}
    ends = {}
    for name, (offset, line) in last.items():
        try:
            with paths[name].open("rb") as file:
                record = warc.record_at(file, offset)
        except (KeyError, OSError, ValueError):
            return {}
        if _line(record, name) != line:
            return {}
        ends[name] = record.end
    return ends


def _lines(path: Path, start: int, end: int | None) -> Iterator[bytes]:
    """The lines of a file's records from `start` up to `end`; damaged ones have none."""
    with path.open("rb", buffering=BUFFER) as file:
        for record in warc.records(file, start):
            if record is not None and end is not None and record.offset >= end:
                return
            if record is not None and record.kind in INDEXED:
                yield _line(record, path.name)


def _line(record: warc.Record, name: str) -> bytes:
    """A record's line."""
    url, date = record.field("WARC-Target-URI"), NO_DIGIT.sub("", record.field("WARC-Date"))[:14]
    status, _, headers = record.opening.partition(b"\r\n")
    if record.kind == "revisit":
        kind = '"mime": "warc/revisit", '
    else:
        found = CONTENT_TYPE.search(b"\n" + headers)
        kind = f'"mime": {quoted(found[1].decode("latin-1"))}, ' if found else ""
    return (
        f'{key(url)} {date} {{"url": {quoted(url)}, {kind}'
        f'"status": "{status[9:12].decode("latin-1")}", '
        f'"digest": {quoted(record.field("WARC-Payload-Digest"))}, '
        f'"length": "{record.length}", "offset": "{record.offset}", "filename": "{name}"}}\n'
    ).encode()
