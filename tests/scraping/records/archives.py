"""Small archives of known answers, and what another reader finds in them."""

from __future__ import annotations

import gzip
from pathlib import Path

from warcio.archiveiterator import ArchiveIterator

from scraping.net.response import Response
from scraping.records.archive import Archive, read

WHEN = "2026-11-23T01:02:03Z"
SENT = [("Host", "example.org"), ("User-Agent", "Folio (+mailto:me@example.org)")]


def response(body: bytes = b"<p>bird</p>", url: str = "http://example.org/a", **more) -> Response:
    packed = gzip.compress(body, mtime=0)
    headers = [("Content-Type", "text/html"), ("Content-Encoding", "gzip")]
    return Response(url, 200, "OK", headers, packed, body, WHEN, **more)


def back_from(folder: Path, place: tuple[str, int]) -> Response:
    found = read(folder, *place)
    assert found is not None
    return found


def opened(folder: Path, **more) -> Archive:
    archive = Archive(folder, **more)
    assert list(archive.recover()) == []
    return archive


def three(folder: Path, answers: int = 3) -> list[tuple[str, int]]:
    """A small archive: three answers with their requests and notes."""
    archive = opened(folder)
    places = [
        archive.add(
            response(f"<p>bird {number}</p>".encode(), f"http://h/{number}", sent=SENT),
            via="http://h/",
            depth=1,
        )
        for number in range(answers)
    ]
    archive.close()
    return places


def by_warcio(path: Path) -> list:
    with path.open("rb") as file:
        return [
            (one.rec_type, one.rec_headers, one.http_headers, one.content_stream().read())
            for one in ArchiveIterator(file, check_digests="raise")
        ]
