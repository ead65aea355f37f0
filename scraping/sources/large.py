"""One large answer as a WARC file of its own, written and read in pieces: never whole in memory.

`files/<digest>-<name>.warc` holds what led to it (redirects) and the answer itself. The file is
written aside and put in place when it is whole, so what is there was written to its end; the
payload's digest tells later damage.
"""

from __future__ import annotations

import os
import uuid
from base64 import b32decode, b32encode
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from scraping.errors import ArchiveDamaged, Partial
from scraping.net.address import canonical
from scraping.net.fetch import Response
from scraping.records import exchange, warc

PIECE = 1024 * 1024
HTTP = "Content-Type: application/http; msgtype="


class Kept(NamedTuple):
    """An answer in the archive, without its body.

    Attributes:
        path: The WARC file.
        response: Its head; `wire` and `body` are empty.
        digest: SHA-256 of the body, as hexadecimal.
        offset: Where the body begins in the file.
        size: The body's bytes.
    """

    path: Path
    response: Response
    digest: str
    offset: int
    size: int


def digest_of(path: Path) -> str:
    """The SHA-256 of a file, as hexadecimal; empty if it cannot be read."""
    whole = sha256()
    try:
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                whole.update(piece)
    except OSError:
        return ""
    return whole.hexdigest()


def write(
    path: Path, answers: list[Response], body: Path, digest: str, beside: list[Response]
) -> None:
    """Archive a chain of answers, the last of which has its body in a file.

    Args:
        path: The WARC file to make.
        answers: Redirects, then the answer itself.
        body: The last one's body, as it is to be read.
        digest: Its SHA-256, as hexadecimal.
        beside: Other answers had on the way: those for robots.txt.

    Raises:
        Partial: It cannot be written; nothing was changed.
    """
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb") as file:
            note = b"software: Folio\r\nformat: WARC File Format 1.1\r\nrobots: obey\r\n"
            when = f"WARC-Date: {answers[-1].fetched}"
            about = [when, f"WARC-Filename: {path.name}", "Content-Type: application/warc-fields"]
            file.write(_head("warcinfo", about, len(note)) + note + warc.EMPTY_LINE)
            for answer in [*answers, *beside]:
                place = [f"WARC-Date: {answer.fetched}", f"WARC-Target-URI: {answer.url}"]
                last = answer is answers[-1]
                size = body.stat().st_size if last else len(answer.wire)
                named = _named(digest) if last else warc.digest(answer.wire)
                opening = exchange.answer_head(answer)
                fields = [*place, f"WARC-Payload-Digest: {named}", f"{HTTP}response"]
                file.write(_head("response", fields, len(opening) + size) + opening)
                for piece in _pieces(body) if last else [answer.wire]:
                    file.write(piece)
                file.write(warc.EMPTY_LINE)
                asked = exchange.request_head(answer)
                if asked:
                    head = _head("request", [*place, f"{HTTP}request"], len(asked))
                    file.write(head + asked + warc.EMPTY_LINE)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as fault:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise unwritable(path, fault) from fault


def find(folder: Path, url: str) -> Kept | None:
    """The latest answer that this address gave, if the folder has one."""
    found = [
        kept
        for path in sorted(folder.glob("*.warc"))
        if (kept := _kept(path, canonical(url))) is not None
    ]
    return max(
        found,
        key=lambda kept: (kept.response.fetched, kept.path.stat().st_mtime_ns),
        default=None,
    )


def restore(kept: Kept, path: Path) -> None:
    """Make the file again from its record.

    Raises:
        ArchiveDamaged: The record is not what was written; no file was made.
        Partial: The file cannot be written.
    """
    aside = path.with_name(f"{path.name}.part")
    whole, left = sha256(), kept.size
    try:
        with kept.path.open("rb") as source, aside.open("wb") as file:
            source.seek(kept.offset)
            while left and (piece := source.read(min(PIECE, left))):
                whole.update(piece)
                file.write(piece)
                left -= len(piece)
            file.flush()
            os.fsync(file.fileno())
        if left or whole.hexdigest() != kept.digest:
            aside.unlink()
            raise ArchiveDamaged(
                f"{kept.path}: the record of {kept.response.url} is not what was written."
            )
        aside.replace(path)
    except OSError as fault:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
        raise unwritable(path, fault) from fault


def unwritable(path: Path, fault: OSError) -> Partial:
    """The error for a file that cannot be written."""
    return Partial(
        f"{path} cannot be written: {fault.strerror or fault}.\n"
        "What was there before is kept. Make room or allow writing, then run again."
    )


def _kept(path: Path, key: str) -> Kept | None:
    """The answer in this WARC file, if the address with this canonical form led to it."""
    with suppress(OSError, ValueError), path.open("rb") as file:
        first = True
        for record in warc.records(file):
            if record is None or record.kind != "response":
                continue
            if first and canonical(record.field("WARC-Target-URI")) != key:
                return None
            first = False
            head = exchange.answer(record, b"")
            if head.status == 200:
                return Kept(
                    path,
                    head,
                    _hexadecimal(record.field("WARC-Payload-Digest")),
                    record.offset + record.payload,
                    record.length - record.payload,
                )
    return None


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece


def _head(kind: str, fields: list[str], length: int) -> bytes:
    """A record's head. Its id proves nothing, as those of pages do: the file is written once."""
    lines = [
        "WARC/1.1",
        f"WARC-Type: {kind}",
        f"WARC-Record-ID: <urn:uuid:{uuid.uuid4()}>",
        *map(warc.line, fields),
        f"Content-Length: {length}",
    ]
    return "\r\n".join(lines).encode("utf-8", "replace") + warc.EMPTY_LINE


def _named(digest: str) -> str:
    """A digest as records name it."""
    return "sha256:" + b32encode(bytes.fromhex(digest)).decode()


def _hexadecimal(named: str) -> str:
    """The same the other way round; ValueError if it is none."""
    return b32decode(named.removeprefix("sha256:")).hex()
