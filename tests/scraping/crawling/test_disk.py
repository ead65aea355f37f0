"""A disk that is full and a folder that cannot be written: nothing lost, said, gone on from."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scraping import crawl, errors

SHOP: dict[str, Any] = {"follow": "a.next", "keep": "a.bird", "media": "img"}
NOBODY = 65534
# Root may write anywhere, so the crawl is another user's; what it imports is imported before.
CRAWLER = f"""
import os, sys
from scraping import crawl, errors
if os.geteuid() == 0:
    crawl(sys.argv[1], **{SHOP!r}, archive=sys.argv[3])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
try:
    crawl(sys.argv[1], **{SHOP!r}, archive=sys.argv[2])
except errors.ScrapingError as error:
    print(error)
    sys.exit(error.exit_code)
"""


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of its own with room for a part of the crawl."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True).returncode == 0
    except FileNotFoundError:
        made = False
    if not made:
        pytest.skip("a small file system cannot be mounted here: that needs Linux, and root")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_loses_nothing_and_the_crawl_ends_when_there_is_room(
    shop, tmp_path, small_disk
):
    for path in [path for path in shop.answers if ".html" in path]:
        shop[path] = f"{shop.answers[path]}<p>{path} {'text ' * 2_000}</p>"
    whole = crawl(shop.url(), **SHOP, archive=tmp_path / "whole")
    shop.forget()
    with pytest.raises(errors.Partial, match=r"No space left|disk is full") as caught:
        crawl(shop.url(), **SHOP, archive=small_disk)
    assert caught.value.exit_code == 3
    kept = caught.value.pages
    assert kept is not None
    assert 0 < len(kept) < 12
    assert [page.url for page in kept] == [page.url for page in whole][: len(kept)]
    with pytest.raises(errors.Partial):
        crawl(shop.url(), **SHOP, archive=small_disk)  # still full, and no worse for it
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    asked_before = {page.url.partition(shop.url())[2] for page in kept}
    shop.forget()
    pages = crawl(shop.url(), **SHOP, archive=small_disk)
    assert pages.digest == whole.digest
    assert not asked_before & {path[1:] for path in shop.asked}, "what was kept is not asked again"


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("locked", ["", "pages.warc", "frontier.sqlite"])
def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_lost(shop, tmp_path, locked):
    with tempfile.TemporaryDirectory() as above:  # tmp_path is closed to other users
        Path(above).chmod(0o755)
        folder = Path(above) / "archive"
        first = crawl(shop.url(), **SHOP, max_pages=5, archive=folder)
        if os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        (folder / locked).chmod(0o444 if locked else 0o555)
        before = (folder / "pages.warc").read_bytes()
        command = [sys.executable, "-c", CRAWLER, shop.url(), str(folder), str(tmp_path / "other")]
        failed = subprocess.run(command, capture_output=True, text=True)
        assert failed.returncode == 3, failed.stderr
        assert str(folder) in failed.stdout
        assert "run again" in failed.stdout
        assert (folder / "pages.warc").read_bytes().startswith(before)
        (folder / locked).chmod(0o755)
        shop.forget()
        pages = crawl(shop.url(), **SHOP, archive=folder)
        assert len(pages) == 12
        assert pages[:5].digest == first.digest
        assert not {page.url for page in first} & {shop.url(path) for path in shop.asked}
