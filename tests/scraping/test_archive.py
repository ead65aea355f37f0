"""Records written by us and read by us, by warcio, and after damage."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from scraping.archive import FILE, Archive, read
from scraping.errors import ArchiveDamaged, Partial
from scraping.fetch import Response


def back_from(folder: Path, place: tuple[str, int]) -> Response:
    found = read(folder, *place)
    assert found is not None
    return found


WHEN = "2026-11-23T01:02:03Z"


def response(body: bytes = b"<p>bird</p>", url: str = "http://example.org/a", **more) -> Response:
    packed = gzip.compress(body, mtime=0)
    headers = [("Content-Type", "text/html"), ("Content-Encoding", "gzip")]
    return Response(url, 200, "OK", headers, packed, body, WHEN, **more)


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path)
    archive.trim(None)
    yield archive
    archive.close()


def test_an_answer_comes_back_as_it_was(archive):
    there = archive.add(response())
    assert read(archive.folder, *there) == response()


def test_warcio_reads_every_record_and_agrees_with_its_digest(archive, capsys):
    archive.add(response())
    chunked = [("Transfer-Encoding", "chunked"), ("Content-Type", "image/png")]
    archive.add(Response("http://example.org/b", 200, "OK", chunked, b"\x89PNG", b"\x89PNG", WHEN))
    archive.sync()
    with (archive.folder / FILE).open("rb") as file:
        records = [
            (record.rec_type, record.rec_headers["WARC-Target-URI"], record.content_stream().read())
            for record in ArchiveIterator(file, check_digests="raise")
        ]
    assert [kind for kind, *_ in records] == ["warcinfo", "response", "response"]
    assert records[1][1:] == ("http://example.org/a", b"<p>bird</p>")
    assert records[2][1:] == ("http://example.org/b", b"\x89PNG")
    checker = Checker(type("Command", (), {"inputs": [str(archive.folder / FILE)], "verbose": 0}))
    checker.process_all()
    assert capsys.readouterr().out == ""
    assert not checker.exit_value


def test_cookies_and_the_like_never_reach_the_disk(archive):
    headers = [("Set-Cookie", "id=secret"), ("WWW-Authenticate", "secret"), ("X", "y")]
    there = archive.add(Response("http://h/", 200, "OK", headers, b"", b"", WHEN))
    assert b"secret" not in (archive.folder / FILE).read_bytes()
    assert back_from(archive.folder, there).headers == [("X", "y")]


def test_a_header_cannot_break_out_of_its_line(archive):
    headers = [("X", "a\r\nWARC-Type: warcinfo\r\n\r\nb\x00c"), ("Y\n", "é")]
    there = archive.add(Response("http://h/", 200, "O\r\nK", headers, b"x", b"x", WHEN))
    back = back_from(archive.folder, there)
    assert back.body == b"x"
    assert back.headers == [("X", "a  WARC-Type: warcinfo    b c"), ("Y ", "é")]


token = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)
value = st.text(st.characters(codec="latin-1")).map(str.strip)


@settings(deadline=None, max_examples=50)
@given(
    body=st.binary(),
    headers=st.lists(st.tuples(token.map("X-".__add__), value)),
    reason=value,
    status=st.integers(100, 599),
)
def test_any_answer_survives_the_round_trip(tmp_path_factory, body, headers, reason, status):
    folder = tmp_path_factory.mktemp("warc")
    archive = Archive(folder)
    kept = Response("http://example.org/ü".replace("ü", "%C3%BC"), status, reason, headers,
                    body, body, WHEN)  # fmt: skip
    there = archive.add(kept)
    following = archive.add(response())
    archive.close()
    back = back_from(folder, there)
    assert (back.status, back.body, back.wire) == (status, body, body)
    assert [name for name, _ in back.headers] == [name for name, _ in headers]
    assert read(folder, *following) == response()
    with (folder / FILE).open("rb") as file:
        bodies = [record.content_stream().read() for record in ArchiveIterator(file)]
    assert bodies[1:] == [body, b"<p>bird</p>"]


@pytest.mark.parametrize("lost", [1, 4, 5, 200, 330])
def test_a_torn_tail_is_trimmed_and_the_whole_records_told(tmp_path, lost):
    archive = Archive(tmp_path)
    places = [archive.add(response(url=f"http://h/{number}")) for number in range(3)]
    archive.close()
    path = tmp_path / FILE
    with path.open("rb+") as file:
        file.truncate(path.stat().st_size - lost)
    archive = Archive(tmp_path)
    found = archive.trim(None)
    assert [offset for offset, _ in found] == [offset for _, offset in places[:2]]
    assert path.stat().st_size == places[2][1]
    assert archive.add(response(url="http://h/new"))[1] == places[2][1]
    archive.close()


def test_only_what_follows_the_known_record_is_told(tmp_path):
    archive = Archive(tmp_path)
    places = [archive.add(response(url=f"http://h/{number}"))[1] for number in range(3)]
    assert [offset for offset, _ in archive.trim(places[1])] == places[2:]
    archive.close()


def test_damage_in_the_middle_costs_that_record_only(tmp_path):
    archive = Archive(tmp_path)
    places = [archive.add(response(url=f"http://h/{number}"))[1] for number in range(3)]
    archive.close()
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    data[places[1] : places[1] + 8] = b"garbage!"
    path.write_bytes(data)
    archive = Archive(tmp_path)
    assert [offset for offset, _ in archive.trim(None)] == [places[0], places[2]]
    archive.close()
    assert path.stat().st_size == len(data)


def test_a_file_cut_within_its_first_record_begins_anew(tmp_path):
    Archive(tmp_path).close()
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes()[:30])
    archive = Archive(tmp_path)
    assert archive.trim(None) == []
    there = archive.add(response())
    archive.close()
    with path.open("rb") as file:
        assert [record.rec_type for record in ArchiveIterator(file)] == ["warcinfo", "response"]
    assert read(tmp_path, *there) == response()


def test_a_file_that_is_no_archive_is_left_alone(tmp_path):
    (tmp_path / FILE).write_text("my diary, not an archive")
    archive = Archive(tmp_path)
    with pytest.raises(ArchiveDamaged, match="move it away"):
        archive.trim(None)
    archive.close()
    assert (tmp_path / FILE).read_text() == "my diary, not an archive"


@pytest.mark.parametrize(
    ("fault", "damage"),
    [
        ("missing file", lambda path, at: path.unlink()),
        ("cut record", lambda path, at: path.write_bytes(path.read_bytes()[:-20])),
        ("no record there", lambda path, at: path.write_bytes(b"x" * 1000)),
        ("changed body", lambda path, at: flip(path, -10)),
    ],
)
def test_a_record_that_is_not_what_was_written_is_noticed(tmp_path, fault, damage):
    archive = Archive(tmp_path)
    there = archive.add(response())
    archive.close()
    damage(tmp_path / FILE, there[1])
    with pytest.raises(ArchiveDamaged, match=r"pages\.warc at byte"):
        read(tmp_path, *there)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def test_another_writer_s_record_without_a_digest_is_not_ours(tmp_path):
    from warcio.warcwriter import WARCWriter

    with (tmp_path / FILE).open("wb") as file:
        writer = WARCWriter(file, gzip=False)
        record = writer.create_warc_record("http://h/", "resource", payload=io.BytesIO(b"x"))
        writer.write_record(record)
    assert read(tmp_path, FILE, 0) is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Partial, match="cannot be written") as caught:
        Archive(tmp_path / "file")
    assert caught.value.exit_code == 3
