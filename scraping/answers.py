"""The answer of each address: from the archive if it is there, else asked for politely and kept.

This is where archive, frontier, manners and fetcher meet. The archive is the truth and is written
first; the frontier says how to find things in it and why an address has no answer.
"""

from __future__ import annotations

import calendar
import sqlite3
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from scraping import fetch
from scraping.archive import FILE, Archive, read
from scraping.errors import (
    ArchiveDamaged,
    Disallowed,
    FetchFailed,
    HostStopped,
    Partial,
    Refused,
    ScrapingError,
)
from scraping.fetch import Response
from scraping.frontier import DONE, DUE, FAILED, REFUSED, Frontier, Row, canonical
from scraping.manners import Manners

COMMIT_SECONDS = 1.0  # between two syncs of archive and frontier
ROBOTS_SECONDS = 24 * 3600  # for which a robots.txt may be reused (RFC 9309, 2.4)


class Answers:
    """One folder's answers, and the means to get more.

    Args:
        folder: Where archive and frontier lie.
        agent: Who is asking.
        allowed: (host, port) pairs that may be private.
        quick: Hosts that need no pause.
        fresh: Ask once more for what is archived, by its date and tag.

    Attributes:
        fetched: Canonical addresses that the network answered in this run.
        replayed: … that the archive answered.
        unchanged: … that were asked for afresh and are as they were.
    """

    def __init__(
        self,
        folder: Path,
        agent: str,
        *,
        allowed: list[tuple[str, int]],
        quick: frozenset[str],
        fresh: bool,
    ) -> None:
        """Open the folder and bring archive and frontier into step.

        Raises:
            InUse: Another process writes there.
            Partial: The folder cannot be written.
        """
        self.folder, self.fresh = folder, fresh
        self._archive = Archive(folder)
        try:
            self.frontier = Frontier(folder / "frontier.sqlite")
            self._adopt()
        except sqlite3.Error as fault:
            self._archive.close()
            raise unwritable(folder, fault) from fault
        except BaseException:
            self._archive.close()
            raise
        self._fetcher = fetch.Fetcher(
            agent, allowed=allowed, seconds=fetch.SECONDS, max_bytes=fetch.MAX_BYTES
        )
        self._manners = Manners(
            self._fetcher.get,
            quick=quick,
            recall=self._recall_robots,
            keep=lambda response: self._keep(response, depth=0),
        )
        self.fetched: set[str] = set()
        self.replayed: set[str] = set()
        self.unchanged: set[str] = set()
        # Why an address was not asked afresh with success, although an older answer stands in.
        self.stale: dict[str, FetchFailed] = {}
        self._committed = time.monotonic()

    def _adopt(self) -> None:
        """Make due what lost its record; take in what a killed run archived and did not note."""
        self.frontier.forget_beyond(self._archive.ends())
        for offset, response in self._archive.trim(self.frontier.last_offset(FILE)):
            known = self.frontier.get(canonical(response.url))
            self.frontier.set(_row(response, known.depth if known else 0, FILE, offset))
        self.frontier.forget_beyond(self._archive.ends())
        self.frontier.commit()

    def close(self) -> None:
        """Make everything durable, whatever happened."""
        self._fetcher.close()
        try:
            # A frontier that cannot be written is rebuilt from the archive next time.
            with suppress(sqlite3.Error):
                self.frontier.close()
        finally:
            self._archive.close()

    def commit(self, *, now: bool = False) -> None:
        """Make what was had durable, at most once a second unless it must be `now`."""
        if now or time.monotonic() - self._committed > COMMIT_SECONDS:
            self._archive.sync()
            try:
                self.frontier.commit()
            except sqlite3.Error as fault:
                raise unwritable(self.folder, fault) from fault
            self._committed = time.monotonic()

    def get(self, url: str, depth: int) -> Response:
        """A successful answer, redirects followed, from the archive as far as it has it.

        Raises:
            Refused: It must not be asked for.
            FetchFailed: It cannot be had, or the answer is an error.
        """
        response = fetch.follow(url, lambda hop: self._one(hop, depth))
        if not 200 <= response.status < 300:
            raise FetchFailed(url, f"{response.status} {response.reason}".strip())
        return response

    def place(self, url: str, depth: int) -> Row:
        """Where a successful answer lies; its record is not read if it is known to be there."""
        row = self.frontier.get(canonical(url))
        if row is None or row.state != DONE or row.location or self.fresh:
            row = self.frontier.get(canonical(self.get(url, depth).url))
            assert row is not None
        elif row.key not in self.fetched:
            self.replayed.add(row.key)
        return row

    def _one(self, url: str, depth: int) -> Response:
        """The answer of one address, whatever its status."""
        key = canonical(url)
        row = self.frontier.get(key)
        known = self._read(row)
        if row is not None and (not self.fresh or key in self.fetched):
            if known is not None:
                if key not in self.fetched:
                    self.replayed.add(key)
                return known
            if row.state == REFUSED and not row.retry:
                raise Disallowed(url, str(row.reason))
            if row.state == FAILED and not row.retry:
                raise FetchFailed(url, str(row.reason))
        try:
            response = self._manners.get(url, _conditions(known))
        except (Refused, FetchFailed) as failure:
            if known is not None and isinstance(failure, FetchFailed) and failure.retry:
                self.stale[url] = failure
                return known
            self.frontier.set(_row_without(key, url, depth, failure))
            raise
        self.fetched.add(key)
        if (
            known is not None
            and row is not None
            and (response.status == 304 or sha256(response.body).hexdigest() == row.digest)
        ):
            self.unchanged.add(key)
            return known
        self._keep(response, depth)
        return response

    def _read(self, row: Row | None) -> Response | None:
        """What is archived for an address; nothing if the record is damaged: to be fetched."""
        if row is None or row.file is None or row.offset is None:
            return None
        with suppress(ArchiveDamaged):
            return read(self.folder, row.file, row.offset)
        return None

    def _keep(self, response: Response, depth: int) -> None:
        """Archive an answer, then say so in the frontier."""
        file, offset = self._archive.add(response)
        self.frontier.set(_row(response, depth, file, offset))
        self.commit()

    def _recall_robots(self, url: str) -> Response | None:
        """A robots.txt that was had within the last day."""
        known = None if self.fresh else self._read(self.frontier.get(canonical(url)))
        if known is None:
            return None
        had = calendar.timegm(time.strptime(known.fetched, "%Y-%m-%dT%H:%M:%SZ"))
        return known if time.time() - had < ROBOTS_SECONDS else None


def _row(response: Response, depth: int, file: str, offset: int) -> Row:
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
    )


def _row_without(key: str, url: str, depth: int, failure: Refused | FetchFailed) -> Row:
    """What the frontier says of an address that gave no answer."""
    if isinstance(failure, HostStopped):
        return Row(key, url, depth, DUE, reason=failure.reason, retry=1)
    if isinstance(failure, FetchFailed):
        return Row(key, url, depth, FAILED, reason=failure.reason, retry=int(failure.retry))
    # What robots.txt says is settled until someone asks afresh; the rest costs no request to find
    # out again.
    retry = not isinstance(failure, Disallowed)
    return Row(key, url, depth, REFUSED, reason=failure.reason, retry=int(retry))


def _conditions(known: Response | None) -> dict[str, str]:
    """The headers that ask for a page only if it changed (RFC 9110, 13.1)."""
    if known is None:
        return {}
    pairs = [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")]
    return {ask: value for ask, name in pairs if (value := known.header(name))}


def unwritable(folder: Path, fault: sqlite3.Error) -> ScrapingError:
    """The error for a frontier that cannot be read or written."""
    return Partial(
        f"{folder / 'frontier.sqlite'} cannot be used: {fault}.\n"
        "Every page fetched is kept in the archive beside it. Make room if the disk is full; if "
        "the file is damaged, remove it: it is rebuilt from the archive. Then run again to go on."
    )
