"""The archive where runs meet: several files, odd answers, a clock that was set back."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest

from scraping import crawl
from scraping.crawling import answers
from scraping.records import cdxj
from scraping.records.archive import Archive, read

HTML = {"Content-Type": "text/html"}


def small(site) -> None:
    """Six pages with a picture each, in pieces of two kinds."""
    site["/"] = "".join(f'<a href="/{n}">x</a>' for n in range(6))
    for n in range(6):
        site[f"/{n}"] = f'<h1>{n}</h1><img src="/{n}.png">' + "x" * 300
        site[f"/{n}.png"] = (200, {"Content-Type": "image/png"}, b"%d" % n * 50)


def told_apart(pages) -> list[tuple[str, str]]:
    return [(ref.url, ref.digest) for ref in pages.refs]


@pytest.mark.parametrize("files", ["one", "many"])
@pytest.mark.parametrize("tail", ["cut", "zeros"])
@pytest.mark.parametrize("table", ["ahead", "gone"])
def test_power_lost_at_any_byte_of_the_last_file_costs_what_was_behind_it_only(
    site, tmp_path, monkeypatch, files, tail, table
):
    rotate_at = 3_000 if files == "many" else 1_000_000
    monkeypatch.setattr(answers, "Archive", partial(Archive, rotate_at=rotate_at))
    small(site)
    whole = crawl(site.url(), follow=None, keep="a", media="img", archive=tmp_path / "0")
    written = sorted((tmp_path / "0").glob("pages*.warc"))
    assert (len(written) > 2) == (files == "many")
    last = written[-1].name
    size = written[-1].stat().st_size
    for number, cut in enumerate(range(0, size, max(1, size // 13))):
        folder = tmp_path / f"cut{number}"
        shutil.copytree(tmp_path / "0", folder)
        with (folder / last).open("rb+") as file:
            file.truncate(cut)
            if tail == "zeros":
                file.truncate(size)
        if table == "gone":
            (folder / "frontier.sqlite").unlink()
        site.forget()
        again = crawl(site.url(), follow=None, keep="a", media="img", archive=folder)
        assert told_apart(again) == told_apart(whole), cut
        assert max(site.asked.values(), default=0) <= 1
        site.forget()
        assert told_apart(crawl(site.url(), follow=None, keep="a", media="img", archive=folder))
        assert site.requests == []


def test_two_headers_of_compression_are_read_back_as_they_were_had(tmp_path, site):
    import gzip

    twice = gzip.compress(gzip.compress(b"<h1>twice</h1>"))

    def doubled(handler):
        handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n"
            b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(twice) + twice
        )

    site["/"] = doubled
    first = crawl(site.url(), follow=None, archive=tmp_path)
    assert first[0].select_one("h1").text == "twice"


@pytest.mark.parametrize("status", [301, 404])
def test_an_empty_answer_that_says_it_is_packed_is_read_back(tmp_path, site, status):
    packed = {**HTML, "Content-Encoding": "gzip", "Location": "/b"}
    site["/"] = '<a href="/a">x</a><a href="/b">x</a>'
    site["/a"] = (status, packed, b"")
    site["/b"] = "<h1>b</h1>"
    crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=1)
    site.forget()
    again = crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=1)
    assert site.requests == []
    assert again.balance["damaged"] == 0


def test_an_index_older_by_the_clock_than_its_archive_is_brought_up_to_date(tmp_path, site):
    """The clock was set back between two crawls."""
    import os
    import time

    small(site)
    crawl(site.url(), follow=None, keep='a[href="/1"]', archive=tmp_path)
    ahead = time.time() + 86_400
    os.utime(tmp_path / cdxj.NAME, (ahead, ahead))
    crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    lines = (tmp_path / cdxj.NAME).read_text().splitlines()
    assert any("/5" in line for line in lines)


def test_damage_in_the_first_of_two_files_is_fetched_again_once(site, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "Archive", partial(Archive, rotate_at=3_000))
    small(site)
    whole = crawl(site.url(), follow=None, keep="a", media="img", archive=tmp_path)
    first = tmp_path / "pages.warc"
    data = first.read_bytes()
    first.write_bytes(data.replace(b"<h1>0", b"<h1>?"))
    for asked in ([site.url("/0")], []):
        site.forget()
        again = crawl(site.url(), follow=None, keep="a", media="img", archive=tmp_path)
        assert [site.url(path) for path in site.asked] == asked
        assert told_apart(again) == told_apart(whole)


def test_a_middle_file_that_is_gone_costs_its_own_pages_only(site, tmp_path, monkeypatch):
    monkeypatch.setattr(answers, "Archive", partial(Archive, rotate_at=3_000))
    small(site)
    whole = crawl(site.url(), follow=None, keep="a", media="img", archive=tmp_path)
    (tmp_path / "pages-00001.warc").unlink()
    site.forget()
    again = crawl(site.url(), follow=None, keep="a", media="img", archive=tmp_path)
    assert told_apart(again) == told_apart(whole)
    assert 0 < sum(site.asked.values()) < 10


def test_a_reader_sees_whole_records_while_a_writer_appends(tmp_path, site):
    import threading

    small(site)
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    faults: list[Exception] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            for ref in pages.refs:
                try:
                    assert read(tmp_path, ref.file, ref.offset) is not None
                except Exception as fault:
                    faults.append(fault)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        for n in range(6, 40):
            site[f"/{n}"] = f"<h1>{n}</h1>"
        site["/more"] = "".join(f'<a href="/{n}">x</a>' for n in range(40))
        crawl(site.url("/more"), follow=None, keep="a", archive=tmp_path)
    finally:
        over.set()
        thread.join()
    assert faults == []


def test_a_lock_left_by_a_killed_process_holds_nobody_up(tmp_path: Path):
    import subprocess
    import sys

    code = (
        "import os, sys, pathlib\n"
        "from scraping.records.archive import Archive\n"
        "held = Archive(pathlib.Path(sys.argv[1]))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert (tmp_path / ".lock").exists()
    Archive(tmp_path).close()
