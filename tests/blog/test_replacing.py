"""Files that are replaced whole or not at all."""

from __future__ import annotations

import errno
import os

import pytest

from blog.replacing import replace_file


def test_a_file_is_replaced_only_where_its_bytes_differ(tmp_path):
    path = tmp_path / "new" / "page.md"
    assert replace_file(path, b"one")
    assert not replace_file(path, b"one")
    assert replace_file(path, b"two")
    assert path.read_bytes() == b"two"


def test_a_full_disk_leaves_the_old_file_and_nothing_beside_it(tmp_path, monkeypatch):
    path = tmp_path / "page.md"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        replace_file(path, b"new")
    assert [file.name for file in tmp_path.iterdir()] == ["page.md"]
    assert path.read_bytes() == b"old"
