"""The files of an archive: one follows another, one run writes them, and a disk may refuse."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from scraping.errors import InUse, Partial
from scraping.records.archive import FILE, Archive, read

from .archives import SENT, back_from, by_warcio, opened, response, three


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
