"""Every address known to a crawl, in SQLite: due, done, refused or failed, and why.

The archive is the truth and this its index: rows are written after the record they point to, and
records that a killed run left without a row are adopted when the archive is opened again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from scraping.errors import FetchFailed, HostStopped, Misuse, Partial, Refused
from scraping.net.address import canonical
from scraping.net.response import Response
from scraping.outcomes import Kind, of_status

VERSION = 3

DUE, DONE, REFUSED, FAILED = "due", "done", "refused", "failed"
ASK_AGAIN = frozenset({Kind.SCHEME, Kind.PRIVATE, Kind.ELSEWHERE, Kind.LEFT_OUT})  # costs nothing

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
    offset INTEGER,
    kind TEXT,                 -- the outcomes.Kind of an address that gives no page
    judged INTEGER NOT NULL DEFAULT 0  -- the rules by which its answer was found to be a page
) WITHOUT ROWID;
CREATE INDEX place ON address (file, offset);
"""
# What each format lacks of the next; the answers of an older one are judged anew.
TAKEN_OVER = {
    1: "ALTER TABLE address ADD COLUMN kind TEXT;",
    2: "ALTER TABLE address ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;",
}


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
    kind: str | None = None
    judged: int = 0


MARKS = ", ".join("?" * len(Row._fields))


class Frontier:
    """The table of addresses. One process writes; `commit` makes what was set durable."""

    def __init__(self, path: Path) -> None:
        """Open or create the table at `path`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._database = sqlite3.connect(path, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._database.close()
            raise

    def _prepare(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        version = self._database.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            self._database.executescript("BEGIN;" + SCHEMA + "COMMIT;")
        elif version in TAKEN_OVER:
            steps = "".join(TAKEN_OVER[older] for older in range(version, VERSION))
            self._database.executescript(f"BEGIN; {steps} PRAGMA user_version = {VERSION}; COMMIT;")
        elif version != VERSION:
            raise Misuse(
                f"{self.path} is in format {version}, this Folio reads format {VERSION}.\n"
                "Remove that one file: it is rebuilt from the archive beside it."
            )
        self._database.execute("BEGIN")

    def get(self, key: str) -> Row | None:
        """What is known of the address with this canonical form."""
        found = self._database.execute("SELECT * FROM address WHERE key = ?", (key,)).fetchone()
        return Row(*found) if found else None

    def set(self, row: Row) -> None:
        """Record what became of an address; the latest word counts."""
        self._database.execute(f"INSERT OR REPLACE INTO address VALUES ({MARKS})", row)

    def add(self, rows: Iterable[Row]) -> None:
        """Record addresses as known; what is known already stays."""
        self._database.executemany(f"INSERT OR IGNORE INTO address VALUES ({MARKS})", rows)

    def settle(self, key: str, state: str, kind: str | None, reason: str | None) -> None:
        """Record how an address with an archived answer ends; the place of the answer stays."""
        self._database.execute(
            "UPDATE address SET state = ?, kind = ?, reason = ?, retry = 0, judged = 0"
            " WHERE key = ?",
            (state, kind, reason, key),
        )

    def judge(self, key: str, rules: int) -> None:
        """Record by which rules the archived answer of an address was found to be a page."""
        self._database.execute("UPDATE address SET judged = ? WHERE key = ?", (rules, key))

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
            "UPDATE address SET state = 'due', status = NULL, reason = NULL, location = NULL,"
            " fetched = NULL, digest = NULL, file = NULL, offset = NULL, kind = NULL, judged = 0"
            " WHERE key = ?",
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


def look_up(folder: Path, url: str) -> Row | None:
    """What the table in this folder knows of an address; nothing is written, whoever writes."""
    found = _read(folder, "key = ?", canonical(url))
    return found[0] if found else None


def stored(folder: Path) -> list[Row]:
    """What the table in this folder knows of each address that the archive answers."""
    return _read(folder, "file IS NOT NULL")


def _read(folder: Path, condition: str, *values: str) -> list[Row]:
    path = folder / "frontier.sqlite"
    if not path.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            query = f"SELECT * FROM address WHERE {condition}"
            return [Row(*row) for row in database.execute(query, values).fetchall()]
    except (sqlite3.Error, TypeError) as fault:  # TypeError: of a Folio to come
        raise Partial(
            f"{path} cannot be read: {fault}.\nRemove that one file: it is rebuilt from the "
            "archive beside it."
        ) from fault


def answered(response: Response, depth: int, file: str, offset: int) -> Row:
    """What the frontier says of an archived answer."""
    good = 200 <= response.status < 400
    location = None
    with suppress(Refused):
        location = response.location
    return Row(
        key=canonical(response.url),
        url=response.url,
        depth=depth,
        state=DONE if good else FAILED,
        status=response.status,
        reason=None if good else f"{response.status} {response.reason}".strip(),
        location=location,
        fetched=response.fetched,
        digest=sha256(response.body).hexdigest(),
        file=file,
        offset=offset,
        kind=None if good else of_status(response.status),
    )


def unanswered(key: str, url: str, depth: int, failure: Refused | FetchFailed) -> Row:
    """What the frontier says of an address that gave no answer."""
    state, retry = FAILED, False
    if isinstance(failure, Refused):
        # What a site said is settled until someone asks afresh; the rest costs no request to find
        # out again.
        state, retry = REFUSED, failure.kind in ASK_AGAIN
    elif isinstance(failure, HostStopped):
        state, retry = DUE, True
    else:
        retry = failure.retry
    return Row(key, url, depth, state, reason=failure.reason, retry=int(retry), kind=failure.kind)
