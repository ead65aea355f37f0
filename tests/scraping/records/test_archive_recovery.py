"""What is left of an archive after every kind of damage, and that the damage is told."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from warcio.archiveiterator import ArchiveIterator

from scraping.errors import ArchiveDamaged
from scraping.net.response import Response
from scraping.records import warc
from scraping.records.archive import FILE, Archive, read

from .archives import WHEN, by_warcio, opened, response, three


def flip(path: Path, at: int, bits: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= bits
    path.write_bytes(data)


def by_warcio_ends(path: Path) -> list[tuple[str, int]]:
    """Each record's kind and end, its two line ends included."""
    found = []
    with path.open("rb") as file:
        iterator = ArchiveIterator(file)
        for record in iterator:
            kind = record.rec_type
            found.append((kind, iterator.get_record_offset() + iterator.get_record_length() + 4))
    return found


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
