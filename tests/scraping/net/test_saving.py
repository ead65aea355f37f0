"""A large answer into a file: whole, or not at all."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import FetchFailed, Partial
from scraping.net import fetch, saving
from scraping.net.fetch import Fetcher
from scraping.net.tokens import Tokens
from scraping.outcomes import Kind


def test_a_large_file_is_saved_as_it_comes(site, bounded, tmp_path):
    site["/data.zip"] = (200, {"Content-Type": "application/zip"}, bytes(3_000_000))
    answer = bounded(max_bytes=1_000).save(
        site.url("/data.zip"), tmp_path / "data.zip", max_bytes=5_000_000
    )
    assert (tmp_path / "data.zip").read_bytes() == bytes(3_000_000)
    assert (answer.status, answer.wire, answer.body) == (200, b"", b"")
    assert site.headers[0]["Accept-Encoding"] == "identity"
    assert list(tmp_path.iterdir()) == [tmp_path / "data.zip"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"], "IncompleteRead"),
        ((200, {}, bytes(2_000_000)), "2,000,000 bytes announced"),
        ([b"HTTP/1.1 200 OK\r\n\r\n", bytes(2_000_000)], "more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_does_not_come_whole_leaves_the_old_one_alone(
    site, fetcher, tmp_path, answer, words
):
    (tmp_path / "data").write_bytes(b"old")
    site["/"] = answer
    with pytest.raises(FetchFailed, match=words):
        fetcher.save(site.url(), tmp_path / "data", max_bytes=1_000_000)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_an_error_instead_of_a_file_is_an_answer_without_a_file(site, fetcher, tmp_path):
    answer = fetcher.save(site.url("/none"), tmp_path / "data", max_bytes=1_000)
    assert (answer.status, answer.body) == (404, b"nothing here")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_no_fault_of_the_site(site, fetcher, tmp_path):
    site["/"] = "x"
    with pytest.raises(Partial, match=r"data\.part cannot be written"):
        fetcher.save(site.url(), tmp_path / "none" / "data", max_bytes=1_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_fault_of_the_site(site, fetcher, tmp_path):
    site["/"] = (200, {}, bytes(1_000_000))
    (tmp_path / "data.part").symlink_to("/dev/full")
    with pytest.raises(Partial, match="No space left"):
        fetcher.save(site.url(), tmp_path / "data", max_bytes=2_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_comes_packed_is_unpacked_whole_and_without_secrets(
    site, tmp_path, monkeypatch
):
    monkeypatch.setenv("BIRDS_TOKEN", "hunter2-secret")
    tokens = Tokens({"X-Key": "$BIRDS_TOKEN"}, host=site.url())
    fetcher = Fetcher("x", allowed=[("127.0.0.1", site.port)], tokens=tokens)
    wire = gzip.compress(b"key,hunter2-secret\n") + gzip.compress(b"wren,5\n") + bytes(9)
    site["/"] = (200, {"Content-Encoding": "gzip"}, wire)
    answer = fetcher.save(site.url(), tmp_path / "data", max_bytes=1_000)
    fetcher.close()
    assert (tmp_path / "data").read_bytes() == b"key,$BIRDS_TOKEN\nwren,5\n"
    assert answer.header("Content-Encoding") == ""
    assert answer.header("Content-Length") == "24"


@given(st.binary(max_size=300), st.integers(1, 50), st.integers(1, 4))
def test_a_packed_body_is_unpacked_however_it_is_cut_into_pieces(body, size, members):
    wire = b"".join(gzip.compress(body[index::members]) for index in range(members))
    pieces = (wire[at : at + size] for at in range(0, len(wire), size))
    plain = b"".join(body[index::members] for index in range(members))
    assert b"".join(saving.unpacked(pieces, "gzip", 1_000)) == plain


@pytest.mark.parametrize(
    ("coding", "wire", "words"),
    [
        ("gzip", gzip.compress(b"x" * 99)[:-4], "cut compression"),
        ("gzip", b"not packed", "damaged compression"),
        ("gzip", gzip.compress(bytes(2_000_000)), "more than 1,000,000 bytes once"),
        ("gzip", gzip.compress(b"") * 20_000, "gzip members"),
        ("br", b"x", "'br', which was not asked for"),
    ],
)
def test_a_packed_file_that_cannot_be_unpacked_leaves_nothing(
    site, fetcher, tmp_path, coding, wire, words
):
    site["/"] = (200, {"Content-Encoding": coding}, wire)
    with pytest.raises(FetchFailed, match=words):
        fetcher.save(site.url(), tmp_path / "data", max_bytes=1_000_000)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_drips_is_given_up_however_large_it_might_be(site, bounded, tmp_path):
    def drip(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x")
            time.sleep(0.05)

    site["/"] = drip
    begun = time.monotonic()
    with pytest.raises(FetchFailed, match=r"0\.4 seconds and one more for each 100,000 bytes"):
        bounded(seconds=0.4).save(site.url(), tmp_path / "data", max_bytes=1_000_000_000)
    assert time.monotonic() - begun < 3


def test_a_file_that_keeps_coming_is_given_the_time_that_it_takes(
    site, bounded, tmp_path, monkeypatch
):
    monkeypatch.setattr(fetch, "SLOWEST", 10_000)

    def steady(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(10):
            handler.wfile.write(bytes(2_000))
            time.sleep(0.08)

    site["/"] = steady
    bounded(seconds=0.5).save(site.url(), tmp_path / "data", max_bytes=1_000_000)
    assert (tmp_path / "data").stat().st_size == 20_000


def test_a_line_between_two_pieces_is_not_read_without_end(site, fetcher, tmp_path):
    def trailer(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        while True:
            handler.wfile.write(b"x" * 65_536)

    site["/"] = trailer
    tracemalloc.start()
    with pytest.raises(FetchFailed) as caught:
        fetcher.save(site.url(), tmp_path / "data", max_bytes=30_000_000)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
    assert caught.value.kind in (Kind.TOO_LARGE, Kind.BROKEN)
