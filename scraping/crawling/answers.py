"""The answer of each address: from the archive if it is there, else asked for politely and kept.

This is where archive, frontier, manners and fetcher meet. The archive is the truth and is written
first; the frontier says how to find things in it and why an address has no answer.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import Enum
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from scraping.crawling.bounds import first_address, is_here, named_private
from scraping.crawling.freshness import age, conditions, is_current, moment
from scraping.crawling.frontier import DONE, FAILED, REFUSED, Frontier, Row, answered, unanswered
from scraping.crawling.hollow import instead
from scraping.crawling.wishes import may_change, wishes_of
from scraping.errors import (
    ArchiveDamaged,
    Disallowed,
    FetchFailed,
    Partial,
    Refused,
    ScrapingError,
)
from scraping.net import fetch
from scraping.net.address import canonical
from scraping.net.fetch import Response
from scraping.net.manners import Manners, user_agent
from scraping.net.robots import Robots
from scraping.net.tokens import Tokens
from scraping.outcomes import NEXT, Kind, of_status
from scraping.records.archive import Archive, read

COMMIT_SECONDS = 1.0  # between two syncs of archive and frontier
ROBOTS_SECONDS = 24 * 3600  # for which a robots.txt may be reused (RFC 9309, 2.4)

# The version of what decides whether an answer is a page to keep (hollow, walls, wishes): with a
# higher one every archived answer is judged anew.
RULES = 1

# What a page may ask, why that ends it, in the words of a balance.
WISHES = {
    "noarchive": "asks not to be archived (noarchive)",
    "noindex": "asks not to be collected (noindex)",
    "noai": "asks not to be learned from (noai)",
    "tdm": "reserves text and data mining (TDM-Reservation)",
}


class OutOfTime(Exception):
    """The crawl's time is over while it waits for its turn; nothing is wrong with the address."""


class Source(Enum):
    """Where an address's answer came from in this run."""

    NETWORK = "fetched"
    ARCHIVE = "replayed"
    UNCHANGED = "unchanged"  # the archive, because the site says that nothing changed
    NOWHERE = "failed"


def opened(
    start: str,
    folder: Path,
    contact: str | None,
    *,
    fresh: bool = False,
    headers: Mapping[str, str] | None = None,
    ends: float = float("inf"),
) -> Answers:
    """The answers of a folder, asked for as a crawl from this address does.

    Args:
        start: The address that all begins with.
        folder: Where archive and frontier lie.
        contact: Who is asking.
        fresh: Ask once more for what is archived.
        headers: Sent to the start's host; a `$NAME` in them is a secret.
        ends: When the time is over, on the monotonic clock.

    Raises:
        Misuse: The address is none, no contact is set, or a secret is written out.
        InUse, Partial: As `Answers`.
    """
    start = first_address(start)
    here = is_here(start)
    return Answers(
        folder,
        user_agent(contact, needed=not here),
        allowed=named_private(start),
        quick=frozenset({urlsplit(start).netloc} if here else ()),
        fresh=fresh,
        tokens=Tokens(headers, host=start),
        ends=ends,
        start=start,
    )


class Answers:
    """One folder's answers, and the means to get more.

    Args:
        folder: Where archive and frontier lie.
        agent: Who is asking.
        allowed: (host, port) pairs that may be private.
        quick: Hosts that need no pause.
        fresh: Ask once more for what is archived, by its date and tag.
        tokens: Secrets for the start's host.
        start: The address that all begins with.
        ends: When the crawl's time is over, on the monotonic clock.

    Attributes:
        damaged: Records that were not what was written, and were asked for again.
        stale: Why an address was not asked afresh with success, although an older answer stands in.
    """

    def __init__(
        self,
        folder: Path,
        agent: str,
        *,
        allowed: list[tuple[str, int]],
        quick: frozenset[str],
        fresh: bool,
        tokens: Tokens | None = None,
        ends: float = float("inf"),
        start: str = "",
    ) -> None:
        """Open the folder and bring archive and frontier into step.

        Raises:
            InUse: Another process writes there.
            Partial: The folder cannot be written.
        """
        self.folder, self.fresh, self._ends, self.start = folder, fresh, ends, start
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
            agent,
            allowed=allowed,
            seconds=fetch.SECONDS,
            max_bytes=fetch.MAX_BYTES,
            tokens=tokens,
        )
        self._manners = Manners(
            self._fetcher.get,
            quick=quick,
            sleep=self._sleep,
            recall=self._recall_robots,
            keep=lambda response: self._keep(response, depth=0),
        )
        self.damaged = self._archive.damaged
        self.stale: dict[str, FetchFailed] = {}
        self._sources: dict[int, Source] = {}  # by the hash of a canonical address
        self._asked: tuple[Response, frozenset[str]] | None = None
        self._committed = time.monotonic()

    def _adopt(self) -> None:
        """Make due what lost its record; take in what a killed run archived and did not note."""
        self.frontier.forget_beyond(self._archive.ends())
        last = {file: self.frontier.last_offset(file) for file in self._archive.ends()}
        # Records are written one after the other: what is left over in a file before the newest
        # one that the table knows was had anew since, or refused.
        known_files = [file for file, offset in last.items() if offset is not None]
        superseded = set(list(last)[: list(last).index(known_files[-1])]) if known_files else set()
        for file, offset, response in self._archive.recover(last):
            if file in superseded:
                continue
            known = self.frontier.get(canonical(response.url))
            self.frontier.set(answered(response, known.depth if known else 0, file, offset))
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
            self.frontier.commit()
            self._committed = time.monotonic()

    def _sleep(self, seconds: float) -> None:
        """Wait for a host's next turn, all safe meanwhile; OutOfTime if that is too late."""
        if time.monotonic() + seconds > self._ends:
            raise OutOfTime
        self.commit(now=seconds > COMMIT_SECONDS)
        time.sleep(seconds)

    def counts(self) -> Counter[Source]:
        """How many addresses were answered from where."""
        return Counter(self._sources.values())

    def get(
        self,
        url: str,
        depth: int,
        *,
        via: str = "",
        changed: str = "",
        check: Callable[[str], None] = lambda url: None,
    ) -> Response:
        """A page's answer, redirects followed, from the archive as far as it has it.

        Args:
            url: The address.
            depth: Links from the start.
            via: The page that it was found on.
            changed: When the site's sitemap says that it last changed.

        Raises:
            Refused: It must not be asked for, or is something else in the place of a page.
            FetchFailed: It cannot be had, or the answer is an error.
        """
        since = moment(changed) if self.fresh else None

        def hop(address: str) -> Response:
            if address != url:
                check(address)
            return self._one(address, depth, via, since)

        return self._ask(url, hop, page=True)

    def robots(self, url: str) -> Robots:
        """What the robots.txt of the address's host says; asked for if it is not archived."""
        return self._manners.robots(url)

    def place(self, url: str, depth: int, *, via: str = "") -> Row:
        """Where the answer of an image or file lies; a record known to be there is not read.

        Raises:
            Refused, FetchFailed: As `get`; also when it asks not to be learned from.
        """
        row = self.frontier.get(canonical(url))
        if row is not None and self._is_had(row):
            self._sources.setdefault(hash(row.key), Source.ARCHIVE)
            return row
        hop = partial(self._one, depth=depth, via=via, medium=True)
        response = self._ask(url, hop, page=False)
        row = self.frontier.get(canonical(response.url))
        assert row is not None
        for wish in sorted(self.wishes(response) & {"noai", "tdm"}):
            self.settle(response.url, REFUSED, Kind.OPTED_OUT, WISHES[wish])
            raise Refused(url, WISHES[wish], kind=Kind.OPTED_OUT)
        return row

    def judged(self, url: str) -> Row | None:
        """Where the answer of a page lies that an earlier run found worth keeping, if one did.

        The record is compared with what was written, and neither unpacked nor judged again.
        """
        row = self.frontier.get(canonical(url))
        if row is None or row.judged != RULES or row.kind is not None or row.url != url:
            return None
        if not self._is_had(row):
            return None
        self._sources.setdefault(hash(row.key), Source.ARCHIVE)
        return row

    def judge(self, row: Row, response: Response) -> None:
        """Note that an address's answer is worth keeping, unless it may not be some day."""
        if row.judged != RULES and not may_change(response):
            self.frontier.judge(row.key, RULES)

    def _is_had(self, row: Row) -> bool:
        """Whether a file is in the archive, whole, and need not be looked into."""
        if row.state != DONE or row.file is None or row.offset is None or row.location:
            return False
        return not self.fresh and not self._archive.check([(row.file, row.offset)])

    def _ask(self, url: str, one: Callable[[str], Response], *, page: bool) -> Response:
        """The answer at the end of an address's redirects, if it is one to be had."""
        try:
            response = fetch.follow(url, one)
            if page and (found := instead(response, url)):
                kind, reason = found
                self.settle(response.url, REFUSED, kind, reason)
                raise Refused(url, reason, f"Next: {NEXT[kind]}.", kind=kind)
            if not 200 <= response.status < 300:
                _fail(url, response)
        except FetchFailed:
            self._sources[hash(canonical(url))] = Source.NOWHERE
            raise
        return response

    def wishes(self, response: Response) -> frozenset[str]:
        """What an answer asks of robots; looked for once, though it is needed at several turns."""
        if self._asked is None or self._asked[0] is not response:
            self._asked = (response, wishes_of(response))
        return self._asked[1]

    def settle(self, url: str, state: str, kind: Kind | None = None, reason: str = "") -> None:
        """Record how an address ends whose answer is archived."""
        self.frontier.settle(canonical(url), state, kind, reason or None)

    def _one(
        self,
        url: str,
        depth: int,
        via: str,
        since: datetime | None = None,
        *,
        medium: bool = False,
    ) -> Response:
        """The answer of one address, whatever its status.

        Args:
            url: The address.
            depth: Links from the start.
            via: The page that it was found on.
            since: An archived answer of a later day is current.
            medium: Whether it is an image or a file: any content type will do.
        """
        key = canonical(url)
        mark = hash(key)
        row = self.frontier.get(key)
        known = self._read(row)
        if row is not None and (not self.fresh or mark in self._sources):
            if known is not None:
                return self._known(row, known, Source.ARCHIVE)
            self._recall_end(url, row, medium=medium)
        if row is not None and known is not None and is_current(known, since):
            return self._known(row, known, Source.UNCHANGED)
        try:
            kinds = fetch.ANYTHING if medium else fetch.PAGES
            response = self._manners.get(url, conditions(known), kinds=kinds)
            if response.status == 304 and known is not None:
                asks, asked = self.wishes(response), self.wishes(known)
                if not asks <= asked:  # a new wish, to be kept with the page
                    response = self._manners.get(url, kinds=kinds)
            self._check_noarchive(response)
        except (Refused, FetchFailed) as failure:
            self._sources[mark] = Source.NOWHERE
            if known is not None and isinstance(failure, FetchFailed) and failure.retry:
                self.stale[url] = failure
                return known
            self.frontier.set(unanswered(key, url, depth, failure))
            # Nothing in the archive tells of it: a run that is killed next must not ask again.
            self.frontier.commit()
            raise
        if known is not None and row is not None and self._repeats(response, known, row):
            self._archive.revisit(response, known)
            self.commit()
            return self._known(row, known, Source.UNCHANGED)
        self._sources[mark] = Source.NETWORK
        self._keep(response, depth, via)
        return response

    def _repeats(self, response: Response, known: Response, row: Row) -> bool:
        """Whether an answer says what the archived one says: also where it leads, what it asks."""
        if response.status == 304:
            return True
        return (
            response.status == known.status
            and response.header("Location") == known.header("Location")
            and sha256(response.body).hexdigest() == row.digest
            and self.wishes(response) == self.wishes(known)
        )

    def _known(self, row: Row, known: Response, source: Source) -> Response:
        """An archived answer once more; what it is worth is judged anew."""
        self._sources.setdefault(hash(row.key), source)
        if row.kind is not None and row.status is not None and row.status < 400:
            self.frontier.settle(row.key, DONE, None, None)
        return known

    def _check_noarchive(self, response: Response) -> None:
        """Refused for an answer that must not be written, FetchFailed if it is an error besides."""
        if response.status in fetch.REDIRECTS or "noarchive" not in self.wishes(response):
            return
        if response.status >= 400:
            _fail(response.url, response)
        raise Refused(response.url, WISHES["noarchive"], kind=Kind.OPTED_OUT)

    def _recall_end(self, url: str, row: Row, *, medium: bool) -> None:
        """Raise why an address has no answer, if that is settled."""
        failed_now = self._sources.get(hash(row.key)) is Source.NOWHERE
        if row.state not in (REFUSED, FAILED) or (row.retry and not failed_now):
            return
        reason = str(row.reason)
        if row.state == FAILED:
            kind = Kind(row.kind) if row.kind else of_status(row.status or 0)
            raise FetchFailed(url, reason, kind=kind)
        kind = Kind(row.kind) if row.kind else Kind.ROBOTS
        if kind is Kind.ROBOTS:
            raise Disallowed(url, reason)
        if not (medium and kind is Kind.CONTENT_TYPE):
            raise Refused(url, reason, kind=kind)

    def _read(self, row: Row | None) -> Response | None:
        """What is archived for an address; nothing if the record is damaged: to be fetched."""
        if row is None or row.file is None or row.offset is None:
            return None
        try:
            return read(self.folder, row.file, row.offset)
        except ArchiveDamaged:
            self.damaged += 1
            return None

    def _keep(self, response: Response, depth: int, via: str = "") -> None:
        """Archive an answer, then say so in the frontier."""
        file, offset = self._archive.add(response, via=via, depth=depth)
        self.frontier.set(answered(response, depth, file, offset))
        self.commit()

    def _recall_robots(self, url: str) -> Response | None:
        """A robots.txt that was had within the last day."""
        known = None if self.fresh else self._read(self.frontier.get(canonical(url)))
        return known if known is not None and age(known) < ROBOTS_SECONDS else None


def _fail(url: str, response: Response) -> NoReturn:
    """Raise FetchFailed for an answer that is an error."""
    reason = f"{response.status} {response.reason}".strip()
    raise FetchFailed(url, reason, kind=of_status(response.status))


def unwritable(folder: Path, fault: sqlite3.Error) -> ScrapingError:
    """The error for a frontier that cannot be read or written."""
    return Partial(
        f"{folder / 'frontier.sqlite'} cannot be used: {fault}.\n"
        "Every page fetched is kept in the archive beside it. Make room if the disk is full, allow "
        "writing if the folder is read-only; if the file is damaged, remove it: it is rebuilt from "
        "the archive. Then run again to go on."
    )
