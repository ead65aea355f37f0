"""The walk from a first page, link by link, breadth first.

It is always the same walk: each address is taken from the archive if it is there and asked for if
not. So a resumed crawl, a replay and a crawl with changed selectors are one thing, give the same
pages in the same order, and fetch only what is missing. What the walk remembers of each address
is small: sets hold hashes, and how addresses end is counted.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from scraping.crawling import sitemap
from scraping.crawling.answers import WISHES, Answers, OutOfTime, Source
from scraping.crawling.balance import Tally
from scraping.crawling.bounds import Bounds
from scraping.crawling.frontier import DONE, DUE, FAILED, REFUSED, Row
from scraping.crawling.sitemap import Sitemap
from scraping.errors import (
    BadValue,
    FetchFailed,
    HostStopped,
    Misuse,
    NotFound,
    Refused,
    ScrapingError,
    Unreadable,
    printable,
)
from scraping.net.address import canonical, resolve
from scraping.outcomes import Kind
from scraping.pages import Media, Ref
from scraping.reading.page import Page

REPORT_SECONDS = 0.1
ESTIMATE_FROM = 60.0  # seconds that are left, from which on it is worth saying
MORE_PASSED = 1_000  # pages that may be passed through beyond the number that may be kept
MOST_WAITING = 100_000  # addresses in the queue, or ten for each page that may be kept
MOST_ALIKE = 100  # pages of one content whose links are taken
MOST_NESTED = 3  # sitemap indexes in one another; the protocol allows one

Find = str | Callable[[Page], Iterable[str]]  # a CSS selector, or a function of the page


class Role(IntEnum):
    """What an address is visited for. One may be both passed and kept: one visit for each."""

    PASSED = 0  # for its links
    KEPT = 1
    SITEMAP = 2


class Due(NamedTuple):
    """An address in the queue."""

    url: str
    depth: int
    role: Role
    via: str  # the page that it was found on


@dataclass(frozen=True)
class Rules:
    """What a crawl looks for, and its budgets; see `crawl`."""

    follow: Find | None
    keep: Find | None
    media: Find | None
    max_pages: int
    max_depth: int | None
    max_seconds: float | None


class Walk:
    """One crawl under way.

    Attributes:
        refs: The pages kept.
        host_stopped: Why a host of the crawl is to be left alone, if one is.
    """

    def __init__(
        self,
        start: str,
        rules: Rules,
        bounds: Bounds,
        answers: Answers,
        report: Callable[[str, int, int | None], None],
    ) -> None:
        """Nothing is asked for yet."""
        self.start, self.rules, self.bounds, self.answers = start, rules, bounds, answers
        self.refs: list[Ref] = []
        self.host_stopped: str | None = None
        self._report = report
        self._tally = Tally()
        self._queue: deque[Due] = deque()
        self._seen: set[int] = set()  # hashes of (canonical address, role)
        self._visited: set[int] = set()  # … of the pages that they led to
        self._first_with: dict[int, str] = {}  # hash of (digest, role) → address
        self._folders: dict[int, list[tuple[str, str]]] = {}  # of pages passed, by content
        self._media: dict[str, tuple[Media, str]] = {}  # address → (place, digest)
        self._changed: dict[str, str] = {}  # address → what a sitemap says of its last change
        self._passed = self._nofollow = 0
        self._deeper = self._crowded = 0  # addresses that max_depth and a full queue leave
        self._stopped: str | None = None
        self._begun = self._reported = time.monotonic()
        self._ended: float | None = None
        self._marks: deque[tuple[float, int]] = deque(maxlen=100)  # (time, pages) of late

    def run(self) -> None:
        """Walk until nothing is left or a budget is used up.

        Raises:
            Refused, FetchFailed, Unreadable: Of the first page alone.
            Partial: The disk is full.
        """
        self._seen.add(hash((canonical(self.start), Role.PASSED)))
        self._queue.append(Due(self.start, 0, Role.PASSED, ""))
        while self._queue and not self._stopped:
            if budget := self._used_up():
                self._stopped = budget
                break
            due = self._queue.popleft()
            try:
                self._visit(due)
            except OutOfTime:
                self._queue.appendleft(due)
                self._stopped = f"max_seconds={self.rules.max_seconds:g}"
            except (Refused, FetchFailed) as failure:
                self._note(due.url, failure)
                if due.via == "":
                    raise
            except (Unreadable, BadValue, NotFound) as failure:
                kind, reason = self._note(due.url, failure)
                self.answers.settle(getattr(failure, "url", due.url), FAILED, kind, reason)
                if due.via == "":
                    raise
            self._say()
        self._ended = time.monotonic()
        self._report("pages", len(self._visited), len(self._visited))

    def _used_up(self) -> str | None:
        """The budget that is used up, if one is."""
        rules = self.rules
        if len(self.refs) >= rules.max_pages or self._passed >= rules.max_pages + MORE_PASSED:
            return f"max_pages={rules.max_pages:,}"
        return f"max_seconds={rules.max_seconds:g}" if self._is_late() else None

    def _is_late(self) -> bool:
        most = self.rules.max_seconds
        return most is not None and time.monotonic() - self._begun > most

    def _visit(self, due: Due) -> None:
        """Have an address's page, take its links, keep it: whatever it is visited for."""
        first = due.via == ""
        if due.role is Role.KEPT and self.rules.media is None and not first:
            known = self.answers.judged(due.url)
            if known is not None:  # as most pages of a replay: nothing that is in it is needed
                if self._is_new(known.key, due.role):
                    self._add(known, _digest(known), ())
                return
        response = self.answers.get(
            due.url,
            due.depth,
            via=due.via,
            changed=self._changed.pop(due.url, ""),
            check=self._anywhere if first else self.bounds.check_hop,
        )
        if first:
            # A start that moves (to www., to https) takes the crawl's bounds with it.
            self.bounds.hosts.add(urlsplit(response.url).netloc)
        elif response.url != due.url and due.role is not Role.SITEMAP:
            self.bounds.check(response.url)
        key = canonical(response.url)
        if not self._is_new(key, due.role):
            return  # several addresses lead to this page
        page = Page(response)
        if first or due.role is Role.SITEMAP:
            listed = sitemap.read(response)
            if listed is not None:
                self._passed += 1
                self._take_listed(listed, response.url, due.depth)
                return
            if due.role is Role.SITEMAP:
                raise FetchFailed(due.url, "not a sitemap", kind=Kind.UNREADABLE)
        row = self.answers.frontier.get(key)
        assert row is not None
        asked = self.answers.wishes(response)
        if due.role is Role.PASSED:
            self._pass(page, row, due, asked)
        if due.role is Role.KEPT or self.rules.keep is None:
            self._keep(page, row, due, asked)

    def _is_new(self, key: str, role: Role) -> bool:
        """Whether a page is visited for the first time in this role, and remember that it was."""
        place = hash((key, role))
        if place in self._visited:
            return False
        self._visited.add(place)
        self._seen.add(place)
        return True

    @staticmethod
    def _anywhere(url: str) -> None:
        """The start may move."""

    def _pass(self, page: Page, row: Row, due: Due, asked: frozenset[str]) -> None:
        """Take a page's links, unless it asks not to or is one that was passed before."""
        self._passed += 1
        if first := self._trap(page.url, str(row.digest)):
            # What is to be kept as well is for _keep to say.
            also_kept = self.rules.keep is None or hash((row.key, Role.KEPT)) in self._seen
            if not also_kept:
                self._note_duplicate(page.url, first)
            return
        if "nofollow" in asked:
            self._nofollow += 1
            return
        for find, role in ((self.rules.keep, Role.KEPT), (self.rules.follow, Role.PASSED)):
            if find is not None:
                links = _found(page, find, ("href",))
                self._take(links, _base(page), role, due.depth + 1, page.url)

    def _take_listed(self, listed: Sitemap, url: str, level: int) -> None:
        """Take a sitemap's addresses as links to follow, and further sitemaps."""
        if self.answers.fresh:
            self._changed.update((page, changed) for page, changed in listed.pages if changed)
        self._take((page for page, _ in listed.pages), url, Role.PASSED, 1, url)
        if level < MOST_NESTED:
            self._take(listed.sitemaps, url, Role.SITEMAP, level + 1, url)
            return
        for nested in listed.sitemaps:
            reason = f"sitemaps nested more than {MOST_NESTED} deep"
            self._tally.note(nested, Kind.LEFT_OUT, reason)

    def _take(self, links: Iterable[str], base: str, role: Role, depth: int, via: str) -> None:
        """Put the addresses that links lead to in the queue, new ones only, in their order."""
        most = max(MOST_WAITING, 10 * self.rules.max_pages)
        deepest = self.rules.max_depth
        rows = []
        for link in links:
            try:
                url = resolve(base, link)
            except Refused as failure:
                self._note(failure.url, failure)
                continue
            key = canonical(url)
            mark = hash((key, role))
            if mark in self._seen:
                continue
            self._seen.add(mark)
            try:
                # A sitemap is a way to pages, as a redirect is: `include` speaks of the pages.
                check = self.bounds.check_hop if role is Role.SITEMAP else self.bounds.check
                check(url)
            except Refused as failure:
                self._note(url, failure)
                rows.append(
                    Row(key, url, depth, REFUSED, None, failure.reason, 1, kind=failure.kind)
                )
                continue
            rows.append(Row(key, url, depth, DUE))
            if deepest is not None and depth > deepest and role is not Role.SITEMAP:
                self._deeper += 1
            elif len(self._queue) >= most:
                self._crowded += 1
            else:
                self._queue.append(Due(url, depth, role, via))
        self.answers.frontier.add(rows)

    def _keep(self, page: Page, row: Row, due: Due, asked: frozenset[str]) -> None:
        """Add a page to the result, its media archived with it."""
        for wish in ("noindex", "noai", "tdm"):
            if wish in asked:
                self._tally.note(page.url, Kind.OPTED_OUT, WISHES[wish])
                self.answers.settle(page.url, REFUSED, Kind.OPTED_OUT, WISHES[wish])
                return
        digests = []
        shown = {}
        if self.rules.media is not None:
            for link in _found(page, self.rules.media, ("src", "href")):
                try:
                    url = resolve(_base(page), link)
                except Refused as failure:
                    self._note(failure.url, failure)
                    continue
                if url not in shown:
                    shown[url], digest = self._medium(url, due.depth + 1, page.url)
                    digests.append(digest)
        if self._add(row, _digest(row, digests), tuple(shown.values())):
            self.answers.judge(row, page.response)

    def _add(self, row: Row, digest: str, media: tuple[Media, ...]) -> bool:
        """Add a page to the result, unless it came before under another address."""
        if first := self._same_before(row.url, digest, Role.KEPT):
            self._note_duplicate(row.url, first)
            return False
        self.refs.append(
            Ref(row.url, digest, str(row.fetched), str(row.file), int(row.offset or 0), media)
        )
        return True

    def _medium(self, url: str, depth: int, via: str) -> tuple[Media, str]:
        """Where an image or file lies and its digest; fetched once, however often it is shown."""
        if url not in self._media:
            if self._is_late():
                raise OutOfTime
            try:
                self.bounds.check_exclude(url)
                row = self.answers.place(url, depth, via=via)
                self._media[url] = (Media(url, row.file or "", row.offset or 0), row.digest or "")
            except (Refused, FetchFailed) as failure:
                self._note(url, failure)
                self._media[url] = (Media(url, "", -1, failure.reason), "")
        return self._media[url]

    def _trap(self, url: str, digest: str) -> str | None:
        """The address above this one with the same content, if there is one.

        The same relative links lead ever deeper only below a page of their own kind.
        """
        folders = self._folders.setdefault(hash(digest), [])
        path = url.partition("?")[0]
        for folder, first in folders:
            if path.startswith(folder) and first != url:
                return first
        if len(folders) < MOST_ALIKE:
            folders.append((path[: path.rindex("/") + 1], url))
            return None
        return folders[0][1]

    def _same_before(self, url: str, digest: str, role: Role) -> str | None:
        """The address under which a page with this content came before, if one did."""
        first = self._first_with.setdefault(hash((digest, role)), url)
        return None if first == url else first

    def _note_duplicate(self, url: str, first: str) -> None:
        reason = f"the same as {first}"
        self._tally.note(url, Kind.DUPLICATE, reason)
        self.answers.settle(url, DONE, Kind.DUPLICATE, printable(reason))

    def _note(self, url: str, failure: ScrapingError) -> tuple[Kind, str]:
        """Remember why an address gives no page; its kind, and the reason in short."""
        if isinstance(failure, HostStopped) and urlsplit(url).netloc in self.bounds.hosts:
            self.host_stopped = failure.reason
        kind = getattr(failure, "kind", Kind.UNREADABLE)
        reason = getattr(failure, "reason", None)
        if reason is None:
            reason = str(failure).partition("\n")[0].removeprefix(f"{printable(url)}: ")
        self._tally.note(url, kind, reason)
        return kind, printable(reason)

    def _say(self) -> None:
        """Now and then: say how far it is, and how long it takes if that is long."""
        now = time.monotonic()
        if now - self._reported <= REPORT_SECONDS:
            return
        self._reported = now
        done = len(self._visited)
        waiting = min(len(self._queue), max(0, self.rules.max_pages - len(self.refs)))
        self._marks.append((now, done))
        then, had = self._marks[0]
        seconds = (now - then) / (done - had) * waiting if done > had else 0.0
        if self.rules.max_seconds is not None:
            seconds = min(seconds, self._begun + self.rules.max_seconds - now)
        about = f", about {round(seconds / 60):,} min left" if seconds >= ESTIMATE_FROM else ""
        self._report(f"pages{about}", done, done + waiting)

    def balance(self) -> dict[str, Any]:
        """What became of every address that this crawl came to; see balance.py."""
        for url, failure in self.answers.stale.items():
            self._note(url, failure)
        sources = self.answers.counts()
        # Each address once, though it may wait for its links and for itself.
        waiting = {
            canonical(due.url)
            for due in self._queue
            if due.role is not Role.PASSED
            or hash((canonical(due.url), Role.KEPT)) not in self._visited
        }
        due = len(waiting) + self._deeper + self._crowded
        stopped = self._stopped
        if stopped is None and due and self._ended is not None:
            deep = self._deeper and not self._crowded
            stopped = (
                f"max_depth={self.rules.max_depth}"
                if deep
                else (f"max_pages={self.rules.max_pages:,}")
            )
        return {
            "kept": len(self.refs),
            "fetched": sources[Source.NETWORK],
            "replayed": sources[Source.ARCHIVE],
            "unchanged": sources[Source.UNCHANGED],
            **self._tally.data(),
            "nofollow": self._nofollow,
            "damaged": self.answers.damaged,
            "due": due,
            "stopped": stopped and f"{stopped} reached, {due:,} addresses left",
            "hosts": dict(Counter(urlsplit(ref.url).netloc for ref in self.refs)),
            "seconds": round((self._ended or time.monotonic()) - self._begun, 1),
        }


def _digest(row: Row, media: Iterable[str] = ()) -> str:
    """The digest of a page and of what it shows."""
    return sha256("".join([str(row.digest), *media]).encode()).hexdigest()


def _base(page: Page) -> str:
    """The address that a page's links start from."""
    return page.base if page.is_html else page.url


def _found(page: Page, find: Find, attributes: tuple[str, ...]) -> Iterator[str]:
    """The links that a selector or a function finds on a page, in its order.

    Raises:
        Misuse: The function gives something other than addresses.
    """
    if not isinstance(find, str):
        links = find(page)
        for link in [links] if isinstance(links, str) else links or ():
            if not isinstance(link, str):
                name = getattr(find, "__name__", "the function")
                raise Misuse(
                    f"{printable(page.url)}: {name} gives {printable(repr(link), 80)}; "
                    "follow, keep and media take addresses, as text"
                )
            yield link
    elif page.is_html:
        for element in page.matching(find):
            for attribute in attributes:
                if (link := element.get(attribute)) is not None:
                    yield link
                    break
