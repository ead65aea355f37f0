"""Answers kept and read back: by us, by the standard's readers, and after every kind of damage."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import sys
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from scraping.errors import ArchiveDamaged, InUse, Partial
from scraping.net.address import resolve
from scraping.net.response import Response
from scraping.records import exchange, warc
from scraping.records.archive import FILE, Archive, read

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


def flip(path: Path, at: int, bits: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= bits
    path.write_bytes(data)


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


@pytest.mark.slow
def test_a_file_cut_at_any_byte_keeps_all_that_was_whole(tmp_path):
    whole = tmp_path / "whole"
    places = three(whole, 2)
    data = (whole / FILE).read_bytes()
    originals = [read(whole, *place) for place in places]
    records = by_warcio_ends(whole / FILE)
    folder = tmp_path / "cut"
    for length in range(len(data)):
        folder.mkdir(exist_ok=True)
        (folder / FILE).write_bytes(data[:length])
        archive = Archive(folder)
        found = list(archive.recover())
        kept = [end for kind, end in records if end <= length]
        answers = sum(kind == "response" and end <= length for kind, end in records)
        assert [answer for *_, answer in found] == originals[:answers], length
        assert archive.damaged == 0
        assert archive.ends()[FILE] == (kept[-1] if kept else records[0][1])
        # The next answer goes where the torn record was and is found.
        there = archive.add(response())
        archive._file.close()
        archive._lock.release()
        assert read(folder, *there) == response()


def by_warcio_ends(path: Path) -> list[tuple[str, int]]:
    """Each record's kind and end, its two line ends included."""
    found = []
    with path.open("rb") as file:
        iterator = ArchiveIterator(file)
        for record in iterator:
            kind = record.rec_type
            found.append((kind, iterator.get_record_offset() + iterator.get_record_length() + 4))
    return found


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_bytes_are_changed_only_their_own_records_are_lost(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("warc")
    places = three(folder)
    path = folder / FILE
    originals = {place: read(folder, *place) for place in places}
    whole = path.read_bytes()
    ends = [0, *(end for _, end in by_warcio_ends(path))]
    hits = data.draw(
        st.lists(st.tuples(st.integers(0, len(whole) - 1), st.integers(1, 255)), min_size=1,
                 max_size=4, unique_by=lambda hit: hit[0])
    )  # fmt: skip
    for at, bits in hits:
        flip(path, at, bits)
    beginnings = {max(begin for begin in ends[:-1] if begin <= at) for at, _ in hits}
    archive = Archive(folder)
    found = {(name, offset): answer for name, offset, answer in archive.recover()}
    lost = archive.check(places)
    archive.close()
    assert archive.damaged >= len(lost)
    for place, answer in originals.items():
        if place[1] not in beginnings:
            assert found[place] == answer
            assert place not in lost
        else:  # it may be that only the line ends after it were hit
            assert found.get(place, answer) == answer
            assert place not in found or place not in lost
    assert set(found) <= set(originals)


@settings(deadline=None, max_examples=60)
@given(junk=st.binary(max_size=300), at=st.integers(0, 3000), size=st.integers(0, 1500))
def test_a_stretch_that_is_overwritten_or_lost_costs_its_own_records(
    tmp_path_factory, junk, at, size
):
    folder = tmp_path_factory.mktemp("warc")
    places = three(folder)
    originals = [read(folder, *place) for place in places]
    data = (folder / FILE).read_bytes()
    at = min(at, len(data))
    junk = (junk * 2000)[:size] if junk else b"\0" * size
    (folder / FILE).write_bytes(data[:at] + junk + data[at + size :])
    if at == 0 and size:
        return  # then it may be no archive at all
    archive = Archive(folder)
    found = {offset: answer for _, offset, answer in archive.recover()}
    archive.close()
    for (_, offset), answer in zip(places, originals, strict=True):
        assert found.get(offset, answer) == answer
        if offset >= at + size or offset + 1000 < at:
            assert offset in found


def test_a_page_that_contains_a_record_is_never_taken_for_one(tmp_path):
    evil = tmp_path / "evil"
    three(evil)
    fake = (evil / FILE).read_bytes()  # whole records with proofs, of another file
    archive = opened(tmp_path / "good")
    page = Response("http://h/", 200, "OK", [], fake, fake, WHEN)
    there = archive.add(page)
    last = archive.add(response())
    archive.close()
    path = tmp_path / "good" / FILE
    whole = path.read_bytes()
    for length in range(there[1] + 1, last[1], 59):  # torn anywhere within the page
        path.write_bytes(whole[:length])
        archive = Archive(path.parent)
        assert list(archive.recover()) == []
        archive.close()
    path.write_bytes(whole)
    flip(path, there[1] + 150)  # its head, and so its length, cannot be believed
    archive = Archive(path.parent)
    assert [place for *place, _ in archive.recover()] == [list(last)]
    assert archive.damaged == 1
    archive.close()


def test_a_torn_tail_is_no_damage_and_only_what_follows_the_known_record_is_told(tmp_path):
    places = three(tmp_path)
    archive = Archive(tmp_path)
    found = list(archive.recover({FILE: places[1][1]}))
    assert [offset for _, offset, _ in found] == [places[2][1]]
    assert archive.damaged == 0
    archive.close()


def test_nothing_is_added_behind_a_torn_record_even_if_nobody_asked_for_recovery(tmp_path):
    places = three(tmp_path)
    path = tmp_path / FILE
    os.truncate(path, path.stat().st_size - 10)
    archive = Archive(tmp_path)
    there = archive.add(response())
    archive.close()
    kinds = [kind for kind, *_ in by_warcio(path)]
    three_whole = ["warcinfo", *["response", "request", "metadata"] * 3]
    assert kinds == [*three_whole[:-1], "response"]  # the last notes were torn
    assert all(read(tmp_path, *place) for place in [*places, there])


def test_a_known_record_that_lies_beyond_the_end_means_looking_at_the_whole_file(tmp_path):
    places = three(tmp_path)
    archive = Archive(tmp_path)
    size = archive.ends()[FILE]
    assert len(list(archive.recover({FILE: 10**9}))) == len(places)
    assert archive.ends()[FILE] == size
    archive.close()


def test_damage_in_the_middle_costs_that_record_only_and_is_counted(tmp_path):
    places = three(tmp_path)
    size = (tmp_path / FILE).stat().st_size
    for at in range(8):
        flip(tmp_path / FILE, places[1][1] + at, 255)
    archive = Archive(tmp_path)
    found = [offset for _, offset, _ in archive.recover()]
    assert found == [places[0][1], places[2][1]]
    assert archive.damaged == 1
    assert archive.check(places) == [places[1]]
    archive.close()
    assert (tmp_path / FILE).stat().st_size == size


def test_a_changed_body_is_noticed_when_it_is_checked_or_read(tmp_path):
    places = three(tmp_path)
    at = (tmp_path / FILE).read_bytes().index(b"\x1f\x8b", places[1][1])
    flip(tmp_path / FILE, at + 12)
    archive = Archive(tmp_path)
    assert archive.check([*places, (FILE, 10**9), ("pages-00007.warc", 0)]) == [
        places[1],
        (FILE, 10**9),
        ("pages-00007.warc", 0),
    ]
    assert archive.damaged == 3
    archive.close()
    with pytest.raises(ArchiveDamaged, match="changed after"):
        read(tmp_path, *places[1])


def test_a_file_that_is_no_archive_is_left_alone(tmp_path):
    (tmp_path / FILE).write_text("my diary, not an archive")
    archive = Archive(tmp_path)
    with pytest.raises(ArchiveDamaged, match="move it away"):
        archive.recover()
    archive.close()
    assert (tmp_path / FILE).read_text() == "my diary, not an archive"


@pytest.mark.parametrize(
    ("fault", "damage"),
    [
        ("missing file", lambda path, at: path.unlink()),
        ("cut record", lambda path, at: path.write_bytes(path.read_bytes()[:-20])),
        ("no record there", lambda path, at: path.write_bytes(b"x" * 1000)),
        ("changed body", lambda path, at: flip(path, -10)),
        ("changed header", lambda path, at: flip(path, path.read_bytes().index(b"text/html"))),
        ("changed address", lambda path, at: flip(path, path.read_bytes().index(b"example"))),
    ],
)
def test_a_record_that_is_not_what_was_written_is_noticed(tmp_path, fault, damage):
    archive = opened(tmp_path)
    there = archive.add(response())
    archive.close()
    damage(tmp_path / FILE, there[1])
    with pytest.raises(ArchiveDamaged, match=r"pages\.warc at byte"):
        read(tmp_path, *there)


def test_records_of_an_older_archive_whose_ids_prove_nothing_are_read(tmp_path):
    content = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nbird"
    older = [
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:{uuid.uuid4()}>\r\n"
        f"WARC-Date: {WHEN}\r\nWARC-Target-URI: http://h/{name}\r\n"
        f"WARC-Payload-Digest: {warc.digest(b'bird')}\r\n"
        f"Content-Type: application/http; msgtype=response\r\n"
        f"Content-Length: {len(content)}\r\n\r\n".encode()
        + content
        + b"\r\n\r\n"
        for name in "abc"
    ]
    (tmp_path / FILE).write_bytes(b"".join(older))
    flip(tmp_path / FILE, len(older[0]) + 3)
    archive = Archive(tmp_path)
    found = list(archive.recover())
    assert [answer.url for *_, answer in found] == ["http://h/a", "http://h/c"]
    assert found[0][2] == Response("http://h/a", 200, "OK", [("X", "y")], b"bird", b"bird", WHEN)
    there = archive.add(response())
    archive.close()
    assert read(tmp_path, *there) == response()


def test_another_writer_s_record_that_is_no_answer_is_none(tmp_path):
    from warcio.warcwriter import WARCWriter

    with (tmp_path / FILE).open("wb") as file:
        writer = WARCWriter(file, gzip=False)
        record = writer.create_warc_record("http://h/", "resource", payload=io.BytesIO(b"x"))
        writer.write_record(record)
    assert read(tmp_path, FILE, 0) is None


def test_a_full_file_is_followed_by_the_next_each_with_what_wrote_it(tmp_path):
    archive = opened(tmp_path, rotate_at=2_000)
    places = [archive.add(response(url=f"http://h/{number}", sent=SENT)) for number in range(8)]
    names = [path.name for path in archive.files()]
    assert names == [FILE, "pages-00001.warc", "pages-00002.warc", "pages-00003.warc"][: len(names)]
    assert len(names) >= 3
    assert list(archive.ends()) == names
    archive.close()
    for name in names:
        first = by_warcio(tmp_path / name)[0]
        assert first[0] == "warcinfo"
        assert first[1]["WARC-Filename"] == name
        assert (tmp_path / name).stat().st_size < 2_000 + 1_500
    assert [back_from(tmp_path, place).url for place in places] == [
        f"http://h/{n}" for n in range(8)
    ]
    archive = Archive(tmp_path, rotate_at=2_000)
    last = {names[0]: places[0][1]}
    assert [(name, offset) for name, offset, _ in archive.recover(last)] == places[1:]
    assert archive.add(response())[0] == names[-1]
    archive.close()


def test_files_are_in_order_of_their_numbers_and_others_are_not_taken_for_them(tmp_path):
    archive = opened(tmp_path)
    for name in ("pages-100000.warc", "pages-00002.warc", "pages-2.warc", "pages-00001.warc.gz"):
        (tmp_path / name).touch()
    assert [path.name for path in archive.files()] == [
        FILE,
        "pages-00002.warc",
        "pages-100000.warc",
    ]
    archive.close()


def test_a_run_killed_while_a_file_was_begun_leaves_nothing_in_the_way(tmp_path):
    places = three(tmp_path)
    (tmp_path / "pages-00001.warc").touch()
    archive = Archive(tmp_path)
    assert len(list(archive.recover())) == len(places)
    there = archive.add(response())
    assert there[0] == "pages-00001.warc"
    archive.close()
    assert by_warcio(tmp_path / there[0])[0][0] == "warcinfo"


def test_two_never_write_one_archive(tmp_path):
    archive = opened(tmp_path)
    with pytest.raises(InUse, match="another run"):
        Archive(tmp_path)
    archive.close()
    opened(tmp_path).close()


def test_a_next_file_that_cannot_be_begun_leaves_the_archive_as_it_was(tmp_path):
    archive = opened(tmp_path, rotate_at=1_000)
    places = [archive.add(response(b"x" * 3_000, sent=SENT * 20))]
    (tmp_path / "pages-00001.warc").mkdir()
    for _ in range(2):
        with pytest.raises(Partial, match=r"pages-00001\.warc cannot be written"):
            archive.add(response())
    (tmp_path / "pages-00001.warc").rmdir()
    places.append(archive.add(response()))
    archive.close()
    assert [name for name, _ in places] == [FILE, "pages-00001.warc"]
    assert all(read(tmp_path, *place) for place in places)


@pytest.mark.parametrize("in_the_way", [".", ".lock", FILE])
def test_a_folder_that_cannot_be_written_is_told(tmp_path, in_the_way):
    folder = tmp_path / "pages"
    if in_the_way == ".":
        folder.write_text("a file")
    else:
        (folder / in_the_way).mkdir(parents=True)
    for _ in range(2):  # and nobody is left holding the lock
        with pytest.raises(Partial, match="cannot be written") as caught:
            Archive(folder)
    assert caught.value.exit_code == 3


@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may write anywhere")
def test_a_folder_that_may_only_be_read_is_told_and_still_read(tmp_path):
    places = three(tmp_path)
    for path in tmp_path.iterdir():
        path.chmod(0o444)
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(Partial, match="cannot be written"):
            Archive(tmp_path)
        assert all(read(tmp_path, *place) for place in places)
    finally:
        tmp_path.chmod(0o755)


FULL = """
import resource, sys
from pathlib import Path
from scraping.records.archive import Archive
from scraping.errors import Partial
from scraping.net.fetch import Response

archive = Archive(Path(sys.argv[1]), rotate_at=int(sys.argv[2]))
list(archive.recover())
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
kept = 0
try:
    for number in range(100):
        body = b"%03d" % number * 400
        page = Response(f"http://h/{number}", 200, "OK", [], body, body, "2026-11-23T01:02:03Z")
        archive.add(page, via="http://h/", depth=1)
        kept += 1
except Partial as full:
    print(kept, full.exit_code, full)
archive.close()
"""


def test_a_disk_that_is_full_loses_nothing_and_is_told(tmp_path):
    pytest.importorskip("resource", reason="the system cannot make a disk seem full")
    run = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), "1000000"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    kept, code, words = run.stdout.split(" ", 2)
    assert (int(kept) > 3, code) == (True, "3")
    assert "pages.warc cannot be written: File too large" in words
    assert "run again" in words
    assert sum(kind == "response" for kind, *_ in by_warcio(tmp_path / FILE)) == int(kept)
    archive = Archive(tmp_path)
    assert len(list(archive.recover())) == int(kept)
    assert archive.damaged == 0
    archive.close()
