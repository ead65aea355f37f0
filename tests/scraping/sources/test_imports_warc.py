"""WARC files of others, taken into the archive; and files of any kind that mean harm."""

from __future__ import annotations

import gzip
import io
import json
import time
import tracemalloc
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from scraping import crawl
from scraping.sources import imports
from scraping.sources.imports import archived, take

from .taking import URL, kept, reasons


def warc(path: Path, *records: tuple, packed: bool = True, kind: str = "response") -> Path:
    with path.open("wb") as file:
        writer = WARCWriter(file, gzip=packed)
        for place, body, *headers in records:
            http = StatusAndHeaders("200 OK", list(headers), protocol="HTTP/1.1")
            writer.write_record(
                writer.create_warc_record(
                    URL + place,
                    kind,
                    payload=io.BytesIO(body),
                    http_headers=http if kind == "response" else None,
                    warc_headers_dict={"WARC-Date": "2025-11-01T10:00:00Z"},
                    warc_content_type="text/html" if kind == "resource" else "",
                )
            )
    return path


HTML = ("Content-Type", "text/html; charset=utf-8")
CHUNKS = b"5;x=y\r\n<h1>W\r\n3\r\nren\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"<h1>Wren", [HTML]),
        (gzip.compress(b"<h1>Wren"), [HTML, ("Content-Encoding", "gzip")]),
        (b"<h1>Wren", [HTML, ("Content-Encoding", "gzip")]),  # undone by the writer
        (CHUNKS, [HTML, ("Transfer-Encoding", "chunked")]),
        (b"<h1>Wren", [HTML, ("Transfer-Encoding", "chunked")]),
        (b"<h1>Wren", [HTML, ("Set-Cookie", "id=sesame")]),
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_the_records_of_others_are_read(tmp_path, body, headers, packed):
    path = warc(tmp_path / "x.warc.gz", ("/wren", body, *headers), packed=packed)
    taken = take(tmp_path / "pages", [path])
    assert not taken.skipped
    (page,) = archived(archive=tmp_path / "pages")
    assert (page.url, page.source, page.fetched) == (
        f"{URL}/wren", "<h1>Wren", "2025-11-01T10:00:00Z",
    )  # fmt: skip
    assert b"sesame" not in kept(tmp_path / "pages")


def test_resources_count_and_requests_do_not(tmp_path):
    path = warc(tmp_path / "x.warc", ("/wren", b"<h1>Wren"), kind="resource")
    assert [one.kind for one in take(tmp_path / "a", [path]).taken] == ["text/html"]
    path = warc(tmp_path / "x.warc", ("/wren", b"<h1>Wren"), kind="metadata")
    assert not take(tmp_path / "a", [path]).taken


def test_our_own_archive_can_be_taken_into_another(shop, tmp_path):
    pages = crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path / "one")
    taken = take(tmp_path / "two", [tmp_path / "one" / "pages.warc"])
    assert len(taken.pages) == 3 + 12 + 1  # galleries, birds, robots.txt
    shop.close()
    again = crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path / "two")
    assert again.digest == pages.digest
    assert again.balance["fetched"] == 0
    assert len(archived("/bird/", archive=tmp_path / "two")) == 12


def test_a_damaged_record_is_left_and_the_others_are_taken(tmp_path):
    path = warc(
        tmp_path / "x.warc",
        ("/a", b"<h1>Wren", HTML), ("/b", b"<h1>Swift", HTML), ("/c", b"<h1>Tit", HTML),
        packed=False,
    )  # fmt: skip
    path.write_bytes(path.read_bytes().replace(b"Swift", b"Thrus"))
    taken = take(tmp_path / "pages", [path])
    assert [one.url for one in taken.taken] == [f"{URL}/a", f"{URL}/c"]
    assert reasons(taken) == ["damaged: its digest is another"]


def test_a_cut_file_gives_what_was_whole(tmp_path):
    for packed in (True, False):
        path = warc(
            tmp_path / "x.warc", ("/a", b"<h1>Wren", HTML), ("/b", b"y" * 9_000, HTML),
            packed=packed,
        )  # fmt: skip
        path.write_bytes(path.read_bytes()[:-60])
        taken = take(tmp_path / f"pages{packed}", [path])
        assert [one.url for one in taken.taken] == [f"{URL}/a"]
        assert len(taken.skipped) == 1


# Files that mean harm


def deep(levels: int) -> bytes:
    return b'{"log":' + b'{"a":' * levels + b"1" + b"}" * levels + b"}"


HOSTILE = {
    "empty": b"",
    "text": b"hello",
    "mhtml": b"From: <Saved by Blink>\r\nSnapshot-Content-Location: https://x.example/",
    "deep": deep(200_000),
    "no json": b'{"log": {"entries": [',
    "no log": b'{"a": 1}',
    "a list": b"[1, 2]",
    "entries of wrong types": json.dumps(
        {"log": {"entries": [1, None, [], "x", {}, {"request": 1}, {"request": {"url": 5},
         "response": {"status": "200"}}, {"request": {"url": URL}, "response": {"status": 200}},
         {"request": {"url": URL, "method": []}, "response": {"status": 200, "headers": {"a": 1},
          "content": {"text": "x", "mimeType": 5}}},
         {"request": {"url": URL + "/b", "method": "GET"}, "response": {"status": 200,
          "headers": [1, {"name": 2, "value": 3}], "content": {"encoding": "base64",
          "text": "%%%"}}, "startedDateTime": 7}]}}
    ).encode(),
    "numbers": b'{"log": {"entries": [{"response": {"status": ' + b"9" * 10_000 + b"}}]}}",
    "gzip of nothing": gzip.compress(b""),
    "gzip of text": gzip.compress(b"hello"),
    "gzip twice": gzip.compress(gzip.compress(b"WARC/1.1\r\n")),
    "gzip bomb": gzip.compress(bytes(300_000_000), 1),
    "head bomb": gzip.compress(b"WARC/1.1\r\n" + b"X-A: b\r\n" * 3_000_000, 1),
    "line bomb": gzip.compress(b"WARC/1.1\r\nX-A: " + b"b" * 50_000_000, 1),
    "length bomb": b"WARC/1.1\r\nWARC-Type: response\r\nWARC-Target-URI: https://x.example/\r\n"
                   b"Content-Length: 99999999999999\r\n\r\nHTTP/1.1 200 OK\r\n\r\nx",
    "negative length": b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: -5\r\n\r\nHTTP/1.1",
    "warc head only": b"WARC/1.1\r\n",
    "html of a million tags": b"<div>" * 400_000,
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file_gives_a_named_reason(tmp_path, case):
    path = tmp_path / "file\x1b[31m"
    path.write_bytes(HOSTILE[case])
    tracemalloc.start()
    began = time.monotonic()
    taken = take(tmp_path / "pages", [path])
    took, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not taken.taken
    assert taken.skipped
    assert all(one.reason for one in taken.skipped)
    assert took < 15
    assert peak < 150_000_000
    assert all(line.isprintable() for line in taken.told())


def test_a_body_that_is_a_bomb_is_left(tmp_path):
    bomb = gzip.compress(bytes(100_000_000))
    path = warc(tmp_path / "x.warc", ("/a", bomb, HTML, ("Content-Encoding", "gzip")))
    assert "gzip" in reasons(take(tmp_path / "pages", [path]))[0]
    path = warc(tmp_path / "y.warc", ("/a", bytes(21_000_000), HTML))
    assert reasons(take(tmp_path / "pages", [path])) == ["larger than 20,971,520 bytes"]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=9) | st.sampled_from([URL, "GET", "base64"]),
        lambda inner: st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["url", "status", "headers", "content", "text", "name", "value",
                             "method", "mimeType", "encoding", "request", "response"]),
            inner, max_size=5,
        ),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_entry_has_an_outcome(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.har"
    for whole in (data, {"log": data}, {"log": {"entries": [data, {"request": data}]}}):
        path.write_text("{" + json.dumps({"log": whole})[1:])
        list(imports._answers(path, ""))


@cache
def whole_file(folder: Path, packed: bool) -> bytes:
    records = ("/a", CHUNKS, HTML, ("Transfer-Encoding", "chunked")), ("/b", b"x", HTML)
    return warc(folder / "any.warc", *records, packed=packed).read_bytes()


DAMAGE = st.tuples(st.integers(0, 999), st.integers(0, 30), st.binary(max_size=30))


@given(st.booleans(), st.lists(DAMAGE, min_size=1, max_size=4))
def test_any_damage_to_a_warc_has_an_outcome(tmp_path_factory, packed, damages):
    folder = tmp_path_factory.getbasetemp()
    whole = bytearray(whole_file(folder, packed))
    for place, length, other in damages:
        at = 5 + (len(whole) - 5) * place // 1_000
        whole[at : at + length] = other
    (folder / "damaged.warc").write_bytes(whole)
    list(imports._answers(folder / "damaged.warc", ""))
