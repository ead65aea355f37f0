"""Answers about files, remembered while a file's size, mtime and inode stay the same.

The cache only ever saves work: without it, or with a damaged one, every answer is made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

VERSION = 2  # of what the answers mean


class Cache:
    """A JSON file of answers, each keyed by what was asked, the file and its stat."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._changed = False
        self._entries: dict[str, Any] = {}
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            stored = json.loads(path.read_text("utf-8"))
            if stored["version"] == VERSION:
                self._entries = dict(stored["entries"])

    @staticmethod
    def stamp(path: Path) -> list[int] | None:
        """Return [size, mtime in ns, inode], or None while the file is too fresh to trust.

        A file changed within the last 50 ms could change again within one tick of its clock.
        """
        stat = path.stat()
        if abs(time.time_ns() - stat.st_mtime_ns) < 50_000_000:
            return None
        return [stat.st_size, stat.st_mtime_ns, stat.st_ino]

    def of_file(self, question: str, path: Path) -> Any:
        """Return the remembered answer about a file, or None."""
        entry = self._entries.get(f"{question} {path}")
        if entry is None or entry[0] != self.stamp(path):
            return None
        return entry[1]

    def keep(self, question: str, path: Path, answer: Any) -> Any:
        """Remember an answer about a file, and return it."""
        stamp = self.stamp(path)
        if stamp is not None:
            self._entries[f"{question} {path}"] = [stamp, answer]
            self._changed = True
        return answer

    def digest(self, path: Path) -> str:
        """Return the SHA-256 of a file's bytes, in hex."""
        found = self.of_file("sha256", path)
        if found is None:
            # The stamp is taken before the bytes: a change while reading is seen next time.
            before = self.stamp(path)
            found = digest_file(path)
            if before is not None and before == self.stamp(path):
                self.keep("sha256", path, found)
        return found

    def save(self) -> None:
        """Write the cache if it learnt something; entries of files that are gone are dropped."""
        if not self._changed:
            return
        kept = {k: v for k, v in self._entries.items() if Path(k.partition(" ")[2]).exists()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        aside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        # Losing the cache costs time only: a full disk must not stop what it serves.
        with contextlib.suppress(OSError):
            aside.write_text(json.dumps({"version": VERSION, "entries": kept}), "utf-8")
            aside.replace(self.path)
        self._changed = False


def cache_of(root: Path) -> Cache:
    """Return what is remembered about the files of a checkout."""
    return Cache(root / ".folio" / "cache.json")


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
