"""What one page costs: to be archived, to be read back, to give its six fields.

    python -m pytest tests/benchmarks/test_page.py -s

Beside it warcio and Beautiful Soup, which do the same with the same bytes. The pages are those of
the crawl benchmark's site. Both readers compare digests and undo the compression. Processor time in
this process, the least of several rounds.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from scraping import Page
from scraping.net.fetch import Response
from scraping.records.archive import Archive, read

PROGRAMS = Path(__file__).parent / "crawl"
PAGES = 200
ROUNDS = 5


def program(name: str):
    """One of the crawl benchmark's programs, as a module."""
    spec = importlib.util.spec_from_file_location(f"crawl_{name}", PROGRAMS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def answers() -> list[Response]:
    """Pages as a server sends them."""
    object_page = program("site").object_page
    bodies = [object_page(number, PAGES).encode() for number in range(1, PAGES + 1)]
    headers = [
        ("Server", "nginx/1.22.1"),
        ("Date", "Mon, 23 Nov 2026 10:00:00 GMT"),
        ("Content-Type", "text/html; charset=utf-8"),
        ("Last-Modified", "Mon, 23 Nov 2026 09:00:00 GMT"),
        ("Connection", "keep-alive"),
        ("ETag", '"6922d2f0-1b58"'),
        ("Content-Encoding", "gzip"),
    ]
    sent = [("Host", "museum.example"), ("User-Agent", "Folio/0.1"), ("Accept-Encoding", "gzip")]
    return [
        Response(
            url=f"http://museum.example/objects/{number}.html",
            status=200,
            reason="OK",
            headers=headers,
            wire=gzip.compress(body, 6, mtime=0),
            body=body,
            fetched="2026-11-23T10:00:00Z",
            sent=sent,
            seconds=0.05,
        )
        for number, body in enumerate(bodies, 1)
    ]


def microseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Processor time a page."""
    least = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
    return least * 1e6 / PAGES


def table(figures: dict[str, float]) -> str:
    """The figures in Markdown."""
    lines = [f"| {name} | {figure:,.0f} |" for name, figure in figures.items()]
    return "\n".join(["\n\n| | µs of CPU a page |", "|---|--:|", *lines])


def test_a_page_is_archived_and_read_back_for_less_than_with_warcio(tmp_path, answers):
    archive = Archive(tmp_path / "ours")
    places: list[tuple[str, int]] = []

    def ours() -> None:
        places[:] = [archive.add(answer) for answer in answers]

    def theirs() -> None:
        with (tmp_path / "theirs.warc.gz").open("wb") as file:
            writer = WARCWriter(file, gzip=True)
            for answer in answers:
                head = StatusAndHeaders("200 OK", answer.headers, protocol="HTTP/1.1")
                writer.write_record(
                    writer.create_warc_record(
                        answer.url, "response", payload=io.BytesIO(answer.wire), http_headers=head
                    )
                )

    def read_theirs() -> list[bytes]:
        with (tmp_path / "theirs.warc.gz").open("rb") as file:
            records = ArchiveIterator(file, check_digests=True)
            return [record.content_stream().read() for record in records]

    def read_ours() -> list[Response | None]:
        return [read(tmp_path / "ours", *place) for place in places]

    try:
        figures = {
            "archived: response, request and notes": microseconds(ours),
            "archived by warcio: response alone": microseconds(theirs),
            "read back, each by its place": microseconds(read_ours),
            "read back by warcio, one after another": microseconds(read_theirs),
        }
    finally:
        archive.close()
    print(table(figures))
    assert [back.body for back in read_ours() if back] == [answer.body for answer in answers]
    assert read_theirs() == [answer.body for answer in answers]
    write, write_theirs, back, back_theirs = figures.values()
    assert write <= write_theirs / 2
    assert back <= back_theirs * 1.25  # a place is found and a file opened for each


def test_six_fields_of_a_page_cost_a_tenth_of_what_beautiful_soup_takes(answers):
    things = program("with_folio").things

    def soup(parser: str) -> list[list[str]]:
        found = []
        for answer in answers:
            page = BeautifulSoup(answer.body, parser)
            found.append(
                [
                    page.select_one("h1.object__title").get_text(strip=True),
                    page.select_one("a.maker").get_text(strip=True),
                    page.select_one(".object__year").get_text(),
                    page.select_one(".object__value").get_text(),
                    page.select_one(".object__number").get_text(strip=True),
                    page.select_one("img.object__image")["src"],
                ]
            )
        return found

    figures = {
        "opened, six fields": microseconds(lambda: [list(things(Page(one))) for one in answers]),
        "… and again on the same page": microseconds(_again(things, answers)),
        "with Beautiful Soup and lxml": microseconds(lambda: soup("lxml"), 1),
        "with Beautiful Soup and html.parser": microseconds(lambda: soup("html.parser"), 1),
    }
    print(table(figures))
    ours = [next(iter(things(Page(one)))) for one in answers]
    assert [[one.name, one.maker, one.inventory, one.image] for one in ours] == [
        [name, maker, inventory, image] for name, maker, _, _, inventory, image in soup("lxml")
    ]
    assert figures["opened, six fields"] <= figures["with Beautiful Soup and lxml"] / 10


def _again(things, answers: list[Response]) -> Callable[[], object]:
    """Six fields of pages that are parsed already."""
    pages = [Page(one) for one in answers]
    for page in pages:
        list(things(page))
    return lambda: [list(things(page)) for page in pages]
