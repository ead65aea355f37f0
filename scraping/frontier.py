"""Every address known to a crawl, in SQLite: due, done, refused or failed, and why.

The archive is the truth and this its index: rows are written after the record they point to, and
records that a killed run left without a row are adopted when the archive is opened again.
"""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from w3lib.url import canonicalize_url, safe_url_string

from scraping.errors import Misuse, Refused

LONGEST = 4_096  # characters of an address
VERSION = 1

DUE, DONE, REFUSED, FAILED = "due", "done", "refused", "failed"

SCHEMA = f"""
PRAGMA user_version = {VERSION};
CREATE TABLE address (
    key TEXT PRIMARY KEY,      -- the canonical address
    url TEXT NOT NULL,         -- as first seen, without fragment
    depth INTEGER NOT NULL,    -- links from the start
    state TEXT NOT NULL,       -- due, done, refused, failed
    status INTEGER,            -- HTTP
    reason TEXT,               -- why refused or failed
    retry INTEGER NOT NULL DEFAULT 0,
    location TEXT,             -- where a redirect points
    fetched TEXT,
    digest TEXT,               -- SHA-256 of the body, compression undone
    file TEXT,
    offset INTEGER
) WITHOUT ROWID;
CREATE INDEX place ON address (file, offset);
"""


class Row(NamedTuple):
    """What is known of one address."""

    key: str
    url: str
    depth: int
    state: str
    status: int | None = None
    reason: str | None = None
    retry: int = 0
    location: str | None = None
    fetched: str | None = None
    digest: str | None = None
    file: str | None = None
    offset: int | None = None


class Frontier:
    """The table of addresses. One process writes; `commit` makes what was set durable."""

    def __init__(self, path: Path) -> None:
        """Open or create the table at `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._database.executescript("BEGIN;" + SCHEMA + "COMMIT;")
        elif version != VERSION:
            self._database.close()
            raise Misuse(
                f"{path} is in format {version}, this Folio reads format {VERSION}.\n"
                "Remove that one file: it is rebuilt from the archive beside it."
            )
        self._database.execute("BEGIN")

    def get(self, key: str) -> Row | None:
        """What is known of the address with this canonical form."""
        found = self._database.execute("SELECT * FROM address WHERE key = ?", (key,)).fetchone()
        return Row(*found) if found else None

    def set(self, row: Row) -> None:
        """Record what became of an address; the latest word counts."""
        marks = ", ".join("?" * len(row))
        self._database.execute(f"INSERT OR REPLACE INTO address VALUES ({marks})", row)

    def add(self, rows: list[Row]) -> None:
        """Record addresses as known; what is known already stays."""
        marks = ", ".join("?" * len(Row._fields))
        self._database.executemany(f"INSERT OR IGNORE INTO address VALUES ({marks})", rows)

    def last_offset(self, file: str) -> int | None:
        """Where the last record of this archive file begins that an address points to."""
        query = "SELECT MAX(offset) FROM address WHERE file = ?"
        return self._database.execute(query, (file,)).fetchone()[0]

    def forget_beyond(self, ends: dict[str, int]) -> int:
        """Make every address due again whose record is not there; their number.

        Args:
            ends: The length of each archive file.
        """
        lost = [
            key
            for key, file, offset in self._database.execute(
                "SELECT key, file, offset FROM address WHERE file IS NOT NULL"
            )
            if offset >= ends.get(file, 0)
        ]
        self._database.executemany(
            "UPDATE address SET state = 'due', status = NULL, location = NULL, fetched = NULL,"
            " digest = NULL, file = NULL, offset = NULL WHERE key = ?",
            [(key,) for key in lost],
        )
        return len(lost)

    def counts(self) -> dict[str, int]:
        """How many addresses are in each state."""
        return dict(
            self._database.execute("SELECT state, COUNT(*) FROM address GROUP BY state").fetchall()
        )

    def commit(self) -> None:
        """Make everything set so far durable."""
        self._database.execute("COMMIT")
        self._database.execute("BEGIN")

    def close(self) -> None:
        """Commit and let the file go."""
        try:
            self._database.execute("COMMIT")
        finally:
            self._database.close()


def resolve(base: str, link: str) -> str:
    """The full address that a link on the page `base` means, without fragment.

    Raises:
        Refused: It is no http or https address that could be requested; the reason says why.
    """
    if len(link) > LONGEST:
        raise Refused(link[:80] + "…", f"an address of {len(link):,} characters")
    try:
        return _safe(urljoin(base, link.strip()))
    except (ValueError, UnicodeError) as fault:
        raise Refused(link, f"not an address: {fault}") from None


@lru_cache(maxsize=65_536)
def _safe(url: str) -> str:
    """The address in ASCII as a browser would send it; ValueError if it could not."""
    safe = safe_url_string(url.partition("#")[0])
    parts = urlsplit(safe)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{parts.scheme or 'no scheme'}: is not http or https")
    host = parts.hostname or ""
    if not host or not safe.isascii() or not safe.isprintable() or " " in parts.netloc:
        raise ValueError("its host is empty or has impossible characters")
    if any(not 0 < len(label) < 64 for label in host.rstrip(".").split(".")):
        raise ValueError("a part of its host's name is empty or too long")
    if "@" in parts.netloc:
        raise ValueError("it carries a user name or password")
    netloc = parts.netloc
    if parts.port == (443 if parts.scheme == "https" else 80):  # ValueError when out of range
        netloc = netloc.rpartition(":")[0]
    if netloc != parts.netloc or not parts.path:
        safe = parts._replace(netloc=netloc, path=parts.path or "/").geturl()
    return safe


@lru_cache(maxsize=65_536)
def canonical(url: str) -> str:
    """The form by which two spellings of one address are known as the same."""
    return canonicalize_url(url)
