"""What a browser recorded or saved, taken into the archive."""

from __future__ import annotations

import json
import os
import sqlite3
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scraping import crawl, lent, text
from scraping.errors import Misuse, Partial
from scraping.sources.imports import archived, take

from .taking import URL, kept, reasons

HOME = (
    '<!doctype html><h1>Birds</h1><a class="bird" href="/wren">w</a><a class="bird" href="/s">s</a>'
)
WREN = "<!doctype html><h1>Zaunkönig</h1><p>klein</p><img src=/wren.png>"
SWIFT = "<!doctype html><h1>Mauersegler</h1><p>schnell</p>"


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
