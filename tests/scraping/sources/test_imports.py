"""Pages that a browser saved, taken into the archive; and files that only look like some."""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import time
import tracemalloc
from base64 import b64encode
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from scraping import crawl, lent, text
from scraping.errors import Misuse, Partial
from scraping.sources import imports
from scraping.sources.imports import Taken, archived, take

HOME = (
    '<!doctype html><h1>Birds</h1><a class="bird" href="/wren">w</a><a class="bird" href="/s">s</a>'
)
WREN = "<!doctype html><h1>Zaunkönig</h1><p>klein</p><img src=/wren.png>"
SWIFT = "<!doctype html><h1>Mauersegler</h1><p>schnell</p>"
URL = "https://birds.example.org"


def entry(path: str, body: str | bytes | None, kind: str = "text/html", **more: Any) -> dict:
    content: dict[str, Any] = {"mimeType": kind, "size": 9_000 if body is None else len(body)}
    if isinstance(body, bytes):
        content |= {"encoding": "base64", "text": b64encode(body).decode()}
    elif body is not None:
        content["text"] = body
    return {
        "startedDateTime": more.get("when", "2025-11-01T12:00:00.123+02:00"),
        "request": {
            "method": more.get("method", "GET"),
            "url": URL + path,
            "headers": [
                {"name": "Cookie", "value": "id=sesame"},
                {"name": "Authorization", "value": "Bearer sesame"},
                {"name": ":authority", "value": "x"},
            ],
        },
        "response": {
            "status": more.get("status", 200),
            "statusText": "OK",
            "headers": [
                {"name": "content-type", "value": "text/html; charset=iso-8859-1"},
                {"name": "Content-Encoding", "value": "br"},
                {"name": "Set-Cookie", "value": "id=sesame"},
                {"name": "ETag", "value": '"1"'},
                *more.get("headers", []),
            ],
            "content": content,
        },
    }


@pytest.fixture
def har(tmp_path):
    def har(*entries: Any, name: str = "birds.har") -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
        return path

    return har


def reasons(taken: Taken) -> list[str]:
    return [entry.reason for entry in taken.skipped]


def kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.warc"))


BIRDS = [entry("/", HOME), entry("/wren", WREN), entry("/wren.png", b"\x89PNG", "image/png"),
         entry("/s", SWIFT)]  # fmt: skip


def test_a_recording_replays_as_a_crawl_without_network(har, tmp_path):
    folder = tmp_path / "pages"
    taken = take(folder, [har(*BIRDS)])
    assert [one.url for one in taken.taken] == [
        f"{URL}/", f"{URL}/wren", f"{URL}/wren.png", f"{URL}/s",
    ]  # fmt: skip
    assert not taken.skipped
    assert taken.pages == [f"{URL}/", f"{URL}/wren", f"{URL}/s"]
    pages = crawl(
        f"{URL}/", follow=None, keep="a.bird", media="img", archive=folder, contact="me@example.org"
    )
    assert [text(page, "h1") for page in pages] == ["Zaunkönig", "Mauersegler"]
    assert [page.fetched for page in pages] == ["2025-11-01T10:00:00Z"] * 2
    assert pages.balance["fetched"] == 0
    assert pages.balance["failed"] == 0
    assert pages.refs[0].media[0].reason == ""
    assert b"sesame" not in kept(folder)
    assert b'"1"' in kept(folder)


def test_what_is_no_page_to_keep_is_left_with_its_reason(har, tmp_path):
    path = har(
        entry("/a", WREN, method="POST"),
        entry("/b", WREN, status=404),
        entry("/c", WREN, status=206),
        entry("/d", WREN, status=302),
        entry("/e", None),
        entry("/f?access_token=sesame-0123456789", WREN),
        entry("/g", "<title>Log in</title><form><input type=password></form>"),
        entry("/h", WREN, headers=[{"name": "X-Robots-Tag", "value": "noarchive"}]),
        entry("/i", '<meta name=robots content="noindex">' + WREN),
        entry("/j", "x" * 21_000_000, "text/plain"),
        entry("/k", WREN),
        entry("/k", WREN),
        {**entry("/l", WREN), "request": {"method": "GET", "url": "data:text/html,x"}},
        {**entry("/m", WREN), "request": {"method": "GET", "url": "https://me:pw@x.example/"}},
    )
    taken = take(tmp_path / "pages", [path])
    assert [one.url for one in taken.taken] == [f"{URL}/k"]
    assert [reason.partition(":")[0].partition(";")[0] for reason in reasons(taken)] == [
        "a POST request",
        "status 404",
        "status 206",
        "status 302",
        "no body in the recording",
        "its address carries a secret, written out",
        "a login form and nothing else",
        "asks not to be archived (noarchive)",
        "asks not to be collected (noindex)",
        "21,000,000 bytes",
        "already in the archive",
        "not an address",
        "not an address",
    ]
    assert b"sesame" not in kept(tmp_path / "pages")
    lines = "\n".join(taken.told())
    assert "1 pages and 0 other files taken into" in lines
    assert "1 × left out: a POST request, as https://birds.example.org/a in birds.har" in lines
    assert "sesame" not in lines
    assert lines.splitlines()[-1].startswith("next: ")


def test_the_same_import_twice_adds_nothing_and_a_changed_page_is_added(har, tmp_path):
    folder = tmp_path / "pages"
    take(folder, [har(*BIRDS)])
    size = len(kept(folder))
    again = take(folder, [har(*BIRDS)])
    assert not again.taken
    assert reasons(again) == ["already in the archive"] * 4
    assert len(kept(folder)) == size
    take(folder, [har(entry("/wren", WREN.replace("klein", "winzig")))])
    assert text(archived("/wren$", archive=folder)[0], "p") == "winzig"


def test_a_dry_run_says_the_same_and_writes_nothing(har, tmp_path):
    folder = tmp_path / "pages"
    tried = take(folder, [har(*BIRDS)], dry_run=True)
    assert not folder.exists()
    assert tried.taken == take(folder, [har(*BIRDS)]).taken
    before = kept(folder)
    assert reasons(take(folder, [har(*BIRDS)], dry_run=True)) == ["already in the archive"] * 4
    assert kept(folder) == before
    assert "would be taken" in tried.told()[0]


def test_archived_pages_come_in_order_of_address_and_within_bounds(har, tmp_path):
    folder = tmp_path / "pages"
    walls = entry("/z", '<div id="px-captcha"></div>')
    take(folder, [har(*BIRDS, entry("/copy", SWIFT), entry("/d.json", "[1]", "application/json"))])
    take(folder, [har(entry("/x.css", "b{}", "text/css"), walls, name="more.har")])
    pages = archived(archive=folder)
    assert [page.url.removeprefix(URL) for page in pages] == ["/", "/copy", "/d.json", "/wren"]
    assert pages.balance["kept"] == 4
    assert pages.balance["duplicate"] == 1
    assert [ref.url for ref in archived("/wren", archive=folder).refs] == [f"{URL}/wren"]
    assert [ref.url for ref in archived(exclude=["wren", "json"], archive=folder).refs] == [
        f"{URL}/", f"{URL}/copy",
    ]  # fmt: skip
    assert len(archived(["/wren$", "/s$"], archive=folder)) == 2
    token = lent.current.set(lent.Lent(folder, tmp_path))
    assert archived().digest == pages.digest
    lent.current.reset(token)


def test_an_archive_without_pages_is_told(tmp_path):
    with pytest.raises(Misuse, match="folio import"):
        archived(archive=tmp_path / "none")
    assert not (tmp_path / "none").exists()
    with pytest.raises(Misuse, match="archive="):
        archived()


# Saved pages


@pytest.mark.parametrize(
    "page",
    [
        f"<!DOCTYPE html>\n<!-- saved from url=(0031){URL}/wren -->\n<html>{WREN}",
        f"\ufeff<!-- saved from url=(0031){URL}/wren --><html>{WREN}",
        f"<!DOCTYPE html><html><!--\n Page saved with SingleFile \n url: {URL}/wren \n"
        f" saved date: Sat Nov 01 2025\n-->{WREN}",
        f'<head><link rel="canonical" href="{URL}/wren"></head>{WREN}',
        f'<head><meta property="og:url" content="{URL}/wren"></head>{WREN}',
        f'<head><meta property="og:url" content="{URL}/x">'
        f'<link href="{URL}/wren" rel=canonical></head>{WREN}',
    ],
)
def test_a_saved_page_says_where_it_is_from(tmp_path, page):
    path = tmp_path / "Zaunkönig.html"
    path.write_text(page, encoding="utf-8")
    os.utime(path, (1_760_000_000, 1_760_000_000))
    taken = take(tmp_path / "pages", [path])
    assert [(one.url, one.kind) for one in taken.taken] == [(f"{URL}/wren", "text/html")]
    (found,) = archived(archive=tmp_path / "pages")
    assert (text(found, "h1"), found.fetched) == ("Zaunkönig", "2025-10-09T08:53:20Z")


def test_a_saved_page_without_an_address_needs_one(tmp_path):
    path = tmp_path / "page.html"
    path.write_text(f'<link rel=canonical href="/wren">{WREN}')
    assert "url=…" in reasons(take(tmp_path / "pages", [path]))[0]
    taken = take(tmp_path / "pages", [path], url=f"{URL}/wren")
    assert [one.url for one in taken.taken] == [f"{URL}/wren"]
    with pytest.raises(Misuse, match="one saved page"):
        take(tmp_path / "pages", [path, path], url=f"{URL}/wren")
    with pytest.raises(Misuse, match="no such file"):
        take(tmp_path / "pages", [tmp_path / "none.har"])


# WARC


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


@pytest.mark.parametrize("harm", ["damaged", "of a Folio to come"])
def test_a_frontier_that_cannot_be_read_is_named_and_nothing_is_taken(har, tmp_path, harm):
    folder = tmp_path / "pages"
    file = har(entry("/wren", "<p>a wren sings</p>" * 9))
    take(folder, [file])
    path = folder / "frontier.sqlite"
    if harm == "damaged":
        path.write_bytes(b"x" * 9_000)
    else:
        with closing(sqlite3.connect(path)) as database:
            database.executescript("ALTER TABLE address ADD more; PRAGMA user_version = 99;")
    for dry_run in (True, False):
        with pytest.raises((Partial, Misuse), match=r"frontier\.sqlite.*\n.*[Rr]emove"):
            take(folder, [file], dry_run=dry_run)


@pytest.mark.parametrize("headers", [5, "x", {"a": 1}, [5], None])
def test_headers_of_a_wrong_type_count_as_none(har, tmp_path, headers):
    one = entry("/wren", "<p>a wren sings</p>" * 9)
    one["response"]["headers"] = headers
    assert len(take(tmp_path / "pages", [har(one)]).pages) == 1


def test_a_file_that_may_not_be_read_is_left_with_its_reason(har, tmp_path, monkeypatch):
    file = har(entry("/wren", "<p>a wren sings</p>" * 9))
    genuine = Path.open

    def refuse(path, *more, **settings):
        if path == file:
            raise PermissionError(13, "Permission denied")
        return genuine(path, *more, **settings)

    monkeypatch.setattr(Path, "open", refuse)
    assert reasons(take(tmp_path / "pages", [file])) == ["it cannot be read: Permission denied"]
