"""Where the pages to take in come from, and what became of them."""

from __future__ import annotations

from pathlib import Path

from scraping.sources.imports import Taken

URL = "https://birds.example.org"


def reasons(taken: Taken) -> list[str]:
    return [entry.reason for entry in taken.skipped]


def kept(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.glob("*.warc"))
