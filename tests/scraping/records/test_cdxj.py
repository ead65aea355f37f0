"""The index of an archive, held against pywb's own indexer and its keys."""

from __future__ import annotations

import io
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scraping.errors import Refused
from scraping.net.address import resolve
from scraping.net.response import Response
from scraping.records import cdxj
from scraping.records.archive import FILE, Archive
from scraping.records.cdxj import NAME, key

SENT = [("Host", "h")]


def answer(url: str, number: int = 1, **more) -> Response:
    body = b"bird %d" % number
    date = f"2026-11-23T01:{number // 60 % 60:02}:{number % 60:02}Z"
    headers = [("Content-Type", "text/html; charset=utf-8")]
    return Response(url, 200, "OK", headers, body, body, date, sent=SENT, **more)


def filled(folder: Path, urls: list[str], **more) -> None:
    archive = Archive(folder, **more)
    for _ in archive.recover():
        pass
    for number, url in enumerate(urls):
        archive.add(answer(url, number), via="http://h/", depth=1)
    archive.close()


def by_pywb(folder: Path) -> list[str]:
    """The lines of pywb's indexer over all files of the folder."""
    indexer = pytest.importorskip("cdxj_indexer.main")
    out = io.StringIO()
    out.close = lambda: None  # ty: ignore[invalid-assignment]
    files = [str(path) for path in sorted(folder.glob("*.warc"))]
    indexer.CDXJIndexer(out, files, sort=True).process_all()
    return out.getvalue().splitlines()


def lines(folder: Path) -> list[str]:
    return (folder / NAME).read_text("ascii").splitlines()


def test_the_index_is_what_pywb_s_indexer_makes_of_the_same_files(tmp_path):
    archive = Archive(tmp_path)
    page = answer("http://www.example.org/Birds/?b=2&a=1")
    archive.add(page, via="http://example.org/", depth=1)
    archive.add(replace(page, url="http://example.org/x", headers=[]))
    archive.add(replace(page, url="http://example.org/ü".replace("ü", "%C3%BC"), status=404))
    archive.add(
        replace(page, headers=[("content-type", " image/png ;x")], fetched="2027-01-01T00:00:00Z")
    )
    archive.revisit(replace(page, status=304, wire=b"", body=b""), page)
    archive.revisit(page, page)
    archive.close()
    assert lines(tmp_path) == by_pywb(tmp_path)
    first, _, fields = lines(tmp_path)[0].partition(" {")
    assert first == "org,example)/%c3%bc 20261123010001"
    assert fields.startswith('"url": "http://example.org/%C3%BC", "mime": "text/html", ')


def test_the_index_grows_with_the_files_and_follows_their_rotation(tmp_path):
    urls = [f"http://h{number % 3}/{number}" for number in range(10)]
    filled(tmp_path, urls[:4], rotate_at=3_000)
    assert lines(tmp_path) == by_pywb(tmp_path)
    filled(tmp_path, urls[4:], rotate_at=3_000)
    assert (tmp_path / "pages-00001.warc").exists()
    assert lines(tmp_path) == by_pywb(tmp_path)
    assert len(lines(tmp_path)) == 10


def test_more_lines_than_are_held_come_out_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(cdxj, "HELD", 3)
    filled(tmp_path, [f"http://h/{97 * number % 11}" for number in range(11)])
    assert lines(tmp_path) == by_pywb(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", NAME, FILE]


def test_an_index_that_is_up_to_date_is_left_alone(tmp_path):
    filled(tmp_path, ["http://h/"])
    before = (tmp_path / NAME).stat()
    filled(tmp_path, [])
    assert (tmp_path / NAME).stat().st_ino == before.st_ino


def test_what_a_killed_run_left_is_read_and_what_is_appended_noted(tmp_path):
    archive = Archive(tmp_path)
    archive.add(answer("http://h/b"))
    archive.sync()
    archive._lock.release()  # as if it were killed: no index was written
    assert not (tmp_path / NAME).exists()
    filled(tmp_path, ["http://h/c", "http://h/a"])
    assert lines(tmp_path) == by_pywb(tmp_path)
    assert len(lines(tmp_path)) == 3


def test_lines_that_cannot_be_held_on_a_full_disk_are_read_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(cdxj, "HELD", 2)
    whole = cdxj.tempfile.TemporaryFile
    full = [True]

    def no_room(*_, **more):
        if full:
            full.pop()
            raise OSError(28, "No space left on device")
        return whole(**more)

    monkeypatch.setattr(cdxj.tempfile, "TemporaryFile", no_room)
    filled(tmp_path, [f"http://h/{number}" for number in range(5)])
    assert not full
    assert lines(tmp_path) == by_pywb(tmp_path)
    assert len(lines(tmp_path)) == 5


@pytest.mark.parametrize(
    ("fault", "damage"),
    [
        ("gone", lambda index: index.unlink()),
        ("empty", lambda index: index.write_bytes(b"")),
        ("cut", lambda index: index.write_bytes(index.read_bytes()[:-10])),
        ("of another archive", lambda index: index.write_bytes(
            index.read_bytes().replace(b'"length": "', b'"length": "9'))),
        ("of a file that is not there", lambda index: index.write_bytes(
            index.read_bytes().replace(b"pages.warc", b"pages-00009.warc"))),
        ("beyond the end", lambda index: index.write_bytes(
            index.read_bytes().replace(b'"offset": "', b'"offset": "9'))),
        ("no index", lambda index: index.write_text("my diary\n")),
        ("no text", lambda index: index.write_bytes(bytes(range(256)))),
    ],
)  # fmt: skip
def test_an_index_that_is_not_the_archive_s_is_made_anew(tmp_path, fault, damage):
    filled(tmp_path, ["http://h/a", "http://h/b"])
    damage(tmp_path / NAME)
    filled(tmp_path, ["http://h/c"])
    assert lines(tmp_path) == by_pywb(tmp_path)
    assert len(lines(tmp_path)) == 3


def test_a_damaged_record_has_no_line(tmp_path):
    filled(tmp_path, ["http://h/a", "http://h/b", "http://h/c"])
    (tmp_path / NAME).unlink()
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"http://h/b", b"http://h/x", 1))
    filled(tmp_path, [])
    assert [line.split(" ")[0] for line in lines(tmp_path)] == ["h)/a", "h)/c"]


def test_an_index_that_cannot_be_written_loses_nothing(tmp_path):
    (tmp_path / NAME).mkdir()
    filled(tmp_path, ["http://h/a"])
    (tmp_path / NAME).rmdir()
    filled(tmp_path, ["http://h/b"])
    assert len(lines(tmp_path)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", NAME, FILE]


@pytest.mark.slow
def test_the_memory_that_an_index_takes_does_not_grow_with_the_pages(tmp_path, monkeypatch):
    monkeypatch.setattr(cdxj, "HELD", 500)
    peaks = []
    for count in (1_000, 4_000):
        folder = tmp_path / str(count)
        folder.mkdir()
        archive = Archive(folder)
        for number in range(count):
            archive.add(answer(f"http://h/{number}", number))
        tracemalloc.start()
        archive.close()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert len(lines(folder)) == count
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://www.Example.org:80/a//b/../c/?b=2&a=1#x", "org,example)/a/c?a=1&b=2"),
        ("https://example.org:8443/", "org,example:8443)/"),
        ("http://sandbox/museum/", "sandbox)/museum"),
        ("http://127.0.0.1:8080/x", "1,0,0,127:8080)/x"),
        ("http://[2001:db8::1]/x", "2001:db8::1)/x"),
        ("http://h/%7Ebird%252F%C3%A9", "h)/~bird/%c3%a9"),
        ("http://h/a?sid=0123456789abcdef0123456789abcdef&y=1", "h)/a?y=1"),
        ("http://h/(S(abcdefghijklmnopqrstuvwx))/x.aspx", "h)/x.aspx"),
        ("http://[nonsense", "http%3A%2F%2F%5Bnonsense"),
    ],
)
def test_a_key_is_what_replay_tools_look_for(url, wanted):
    assert key(url) == wanted


@settings(deadline=None, max_examples=300)
@given(
    scheme=st.sampled_from(["http", "https"]),
    host=st.sampled_from(["h", "www.h.org", "WWW3.a.H.org", "bücher.example", "10.1.2.3", "h:81",
                          "h.org:443"]),
    link=st.lists(
        st.one_of(
            st.sampled_from(["/", "//", ".", "..", "?", "&", "=", "%2F", "%25", "%C3%89", "%",
                             "sid=", "0123456789abcdef" * 2, ";", "A", "+", "%20", "%26", "%3F",
                             "(abcdefghijklmnopqrstuvwx)", "x.aspx", "www.", ":", "~"]),
            st.text(max_size=3),
        ),
        max_size=8,
    ).map("".join),
)  # fmt: skip
@example("http", "h", "/a?y=2&sid=" + "0123456789abcdef" * 2)
def test_keys_are_those_of_the_internet_archive_for_any_address(scheme, host, link):
    surt = pytest.importorskip("surt")
    try:
        url = resolve(f"{scheme}://{host}/", "/" + link.lstrip("/\\"))
    except Refused:
        return
    assert key(url) == surt.surt(url)
