"""Answers kept and read back, by us and by the standard's readers."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.checker import Checker

from scraping.net.address import resolve
from scraping.net.response import Response
from scraping.records import exchange
from scraping.records.archive import FILE, Archive, read

from .archives import SENT, WHEN, back_from, by_warcio, opened, response


@pytest.fixture
def archive(tmp_path):
    archive = opened(tmp_path)
    yield archive
    archive.close()


def test_an_answer_comes_back_as_it_was(archive):
    there = archive.add(response())
    assert read(archive.folder, *there) == response()


def test_warcio_reads_every_record_and_agrees_with_its_digest(archive, capsys):
    archive.add(response(sent=SENT, seconds=0.25), via="http://example.org/", depth=2)
    chunked = [("Transfer-Encoding", "chunked"), ("Content-Type", "image/png")]
    archive.add(Response("http://example.org/b", 200, "OK", chunked, b"\x89PNG", b"\x89PNG", WHEN))
    archive.revisit(response(), response())
    archive.sync()
    path = archive.folder / FILE
    records = by_warcio(path)
    kinds = ["warcinfo", "response", "request", "metadata", "response", "revisit"]
    assert [kind for kind, *_ in records] == kinds
    assert records[1][3] == b"<p>bird</p>"
    assert records[4][3] == b"\x89PNG"
    checker = Checker(type("Command", (), {"inputs": [str(path)], "verbose": 0}))
    checker.process_all()
    assert capsys.readouterr().out == ""
    assert not checker.exit_value


def test_fastwarc_reads_every_record_and_agrees_with_its_digest(archive):
    fastwarc = pytest.importorskip("fastwarc")
    archive.add(response(sent=SENT))
    archive.revisit(replace(response(), status=304, wire=b"", body=b""), response())
    archive.sync()
    with (archive.folder / FILE).open("rb") as file:
        records = [
            (record.headers["WARC-Type"], record.verify_payload_digest(), record.http_headers)
            for record in fastwarc.ArchiveIterator(file, parse_http=True)
        ]
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "request", "revisit"]
    assert records[1][1] is True
    assert dict(records[2][2])["User-Agent"] == dict(SENT)["User-Agent"]


def test_beside_an_answer_stand_its_request_and_where_its_link_was(archive):
    page = response(url="http://example.org/a?b=c", sent=SENT, seconds=0.25)
    archive.add(page, via="http://example.org/", depth=2)
    _, (_, fields, *_), request, notes = by_warcio(archive.folder / FILE)
    number = fields["WARC-Record-ID"]
    assert request[2].protocol == "GET"
    assert request[2].statusline == "/a?b=c HTTP/1.1"
    assert request[2].headers == SENT
    assert notes[3] == b"via: http://example.org/\r\nhopsFromSeed: LL\r\nfetchTimeMs: 250\r\n"
    for _, named, *_ in (request, notes):
        assert named["WARC-Concurrent-To"] == number
        assert named["WARC-Target-URI"] == page.url
        assert named["WARC-Date"] == WHEN


def test_an_answer_goes_to_the_file_in_one_write(archive):
    class Counting:
        writes = 0

        def __init__(self, file):
            self.file = file

        def write(self, data):
            self.writes += 1
            return self.file.write(data)

        def __getattr__(self, name):
            return getattr(self.file, name)

    archive._file = counting = Counting(archive._file)
    archive.add(response(sent=SENT), via="http://example.org/", depth=1)
    assert counting.writes == 1


def test_what_is_not_modified_becomes_a_revisit_of_the_answer_before(archive):
    archive.add(response())
    now = Response("http://example.org/a", 304, "Not Modified", [("ETag", "x")], b"", b"", WHEN)
    there = archive.revisit(now, response())
    kind, fields, http, content = by_warcio(archive.folder / FILE)[-1]
    assert kind == "revisit"
    assert fields["WARC-Profile"].endswith("/warc/1.1/revisit/server-not-modified")
    assert fields["WARC-Refers-To-Target-URI"] == "http://example.org/a"
    assert fields["WARC-Refers-To-Date"] == WHEN
    assert (http.get_statuscode(), content) == ("304", b"")
    assert read(archive.folder, *there) is None


def test_the_same_body_again_becomes_a_revisit_without_it(archive):
    archive.add(response())
    archive.revisit(response(), response())
    *_, first, second = by_warcio(archive.folder / FILE)
    assert second[0] == "revisit"
    assert second[1]["WARC-Profile"].endswith("/identical-payload-digest")
    assert second[1]["WARC-Payload-Digest"] == first[1]["WARC-Payload-Digest"]
    assert second[3] == b""


def test_the_same_body_packed_otherwise_is_kept_in_full(archive):
    archive.add(response())
    other = replace(response(), headers=[("Content-Type", "text/html")], wire=b"<p>bird</p>")
    there = archive.revisit(other, response())
    assert read(archive.folder, *there) == other


@pytest.mark.parametrize(
    "name",
    ["Set-Cookie", "set-cookie2", "Cookie", "Authorization", "Proxy-Authorization", "X-Api-Key",
     "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info", "X-CSRF-Token",
     "X-Auth-Token", "X-Session-Id", " Cookie", "Set-Cookie\x00"],
)  # fmt: skip
def test_cookies_and_the_like_never_reach_the_disk(archive, name):
    headers = [(name, "hush-hush"), ("X", "y")]
    there = archive.add(Response("http://h/", 200, "OK", headers, b"", b"", WHEN, sent=headers))
    archive.revisit(Response("http://h/", 304, "", headers, b"", b"", WHEN, headers), response())
    archive.close()
    for path in archive.folder.iterdir():
        assert b"hush-hush" not in path.read_bytes()
    assert back_from(archive.folder, there).headers == [("X", "y")]


def test_a_header_cannot_break_out_of_its_line(archive):
    headers = [("X", "a\r\nWARC-Type: warcinfo\r\n\r\nb\x00c"), ("Y\n: z", "é"), ("", "→")]
    page = Response("http://h/", 200, "O\r\nK", headers, b"x", b"x", WHEN, headers)
    there = archive.add(page, via="http://h/\r\n\r\nWARC/1.1\r\n")
    back = back_from(archive.folder, there)
    assert back.body == b"x"
    names = ["X", "Y___z", "_"]
    assert [name for name, _ in back.headers] == names
    assert back.headers[0][1] == "a  WARC-Type: warcinfo    b c"
    records = by_warcio(archive.folder / FILE)
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "request", "metadata"]
    assert [name for name, _ in records[2][2].headers] == ["Host", *names]


RECORD_TEXT = b"\r\n\r\nWARC/1.1\r\nWARC-Type: response\r\nContent-Length: 5\r\n\r\nhello\r\n\r\n"
any_header = st.tuples(st.text(max_size=20), st.text(max_size=40))
headers_of_the_wire = st.lists(
    st.tuples(
        st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1).map("X-".__add__),
        st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])).map(
            lambda value: value.strip(" ")
        ),
    )
)
any_body = st.one_of(
    st.binary(), st.builds(lambda a, b: a + RECORD_TEXT + b, st.binary(), st.binary())
)


@settings(deadline=None, max_examples=60)
@given(
    body=any_body,
    headers=headers_of_the_wire,
    reason=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"])),
    status=st.integers(100, 599),
)
def test_any_answer_survives_the_round_trip(tmp_path_factory, body, headers, reason, status):
    folder = tmp_path_factory.mktemp("warc")
    archive = opened(folder)
    page = Response("http://example.org/%C3%BC", status, reason, headers, body, body, WHEN)
    there, following = archive.add(page), archive.add(response())
    archive.close()
    kept = [pair for pair in headers if not exchange.PRIVATE.search(pair[0])]
    assert read(folder, *there) == replace(page, headers=kept)
    assert read(folder, *following) == response()
    bodies = [content for kind, *_, content in by_warcio(folder / FILE) if kind == "response"]
    assert bodies == [body, b"<p>bird</p>"]


@settings(deadline=None, max_examples=60)
@given(
    headers=st.lists(any_header),
    sent=st.lists(any_header, min_size=1),
    via=st.text(),
    link=st.text(),
    reason=st.text(),
    body=any_body,
)
def test_nothing_that_is_sent_or_linked_to_spoils_the_records(
    tmp_path_factory, headers, sent, via, link, reason, body
):
    try:
        url = resolve("http://example.org/a/", link)
    except Exception:
        url = "http://example.org/"
    folder = tmp_path_factory.mktemp("warc")
    archive = opened(folder)
    headers = [pair for pair in headers if pair[0].lower() != "content-encoding"]
    page = Response(url, 200, reason, headers, body, body, WHEN, sent=sent)
    there, following = archive.add(page, via=via, depth=1), archive.add(response())
    archive.close()
    back = back_from(folder, there)
    assert (back.url, back.status, back.wire) == (url, 200, body)
    assert read(folder, *following) == response()
    kinds = [kind for kind, *_ in by_warcio(folder / FILE)]
    assert kinds == ["warcinfo", "response", "request", "metadata", "response"]
    archive = Archive(folder)
    assert [offset for _, offset, _ in archive.recover()] == [there[1], following[1]]
    assert archive.damaged == 0
    archive.close()


def test_another_writer_s_record_that_is_no_answer_is_none(tmp_path):
    from warcio.warcwriter import WARCWriter

    with (tmp_path / FILE).open("wb") as file:
        writer = WARCWriter(file, gzip=False)
        record = writer.create_warc_record("http://h/", "resource", payload=io.BytesIO(b"x"))
        writer.write_record(record)
    assert read(tmp_path, FILE, 0) is None
