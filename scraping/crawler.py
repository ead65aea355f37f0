"""From a first page, link by link; what is archived is read back, not fetched again.

A crawl is always the same walk, breadth first: each address is taken from the archive if it is
there and asked for if not. So a resumed crawl, a replay and a crawl with changed selectors are one
thing, give the same pages in the same order, and fetch only what is missing.
"""

from __future__ import annotations

import ipaddress
import re
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scraping import fetch
from scraping.answers import Answers, unwritable
from scraping.errors import (
    FetchFailed,
    HostStopped,
    Misuse,
    Partial,
    Refused,
    Unreachable,
    printable,
)
from scraping.frontier import DONE, DUE, FAILED, REFUSED, Row, canonical, resolve
from scraping.lent import Lent, current
from scraping.manners import user_agent
from scraping.page import Page, check_selector
from scraping.pages import Media, Pages, Ref

REPORT_SECONDS = 0.1
MORE_PASSED = 1_000  # pages that may be passed through beyond the number that may be kept
MOST_REASONS = 20  # told apart in a balance


def crawl(
    start: str,
    *,
    follow: str | None,
    keep: str | None = None,
    media: str | None = None,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    max_pages: int = 10_000,
    max_depth: int | None = None,
    max_seconds: float | None = None,
    max_failed: float = 0.2,
    archive: str | Path | None = None,
    contact: str | None = None,
) -> Pages:
    """The kept pages of a site, each once, in the order of a walk breadth first.

    Args:
        start: The first page's address.
        follow: CSS selector of the links to go on to; sought on the first page and on every page
            that was followed.
        keep: Selector of the links whose targets are the pages. Without it, every page that was
            followed is kept.
        media: Selector of images and files to archive with each kept page.
        include: Regular expressions; an address that none of them is found in is left out. Without
            them the crawl stays on the first page's host.
        exclude: Regular expressions; an address that one of them is found in is left out.
        max_pages: Pages to keep at most; a thousand more may be passed through on the way.
        max_depth: Links from the first page at most.
        max_seconds: When it is over, what there is is the result.
        max_failed: The share of addresses that may fail.
        archive: The folder to keep everything in; lent by the run inside a project.
        contact: Who is asking: a mail address or a page; lent by the run inside a project.

    Raises:
        Misuse: A selector, pattern or address is none; no archive; no contact.
        Refused: The first page must not be asked for.
        Unreachable: The first page could not be had.
        Partial: Too much failed, the host asks for a long rest, or the disk is full. What was
            kept is in `.pages`, and the same crawl goes on from there.
    """
    lent = current.get()
    if lent is None:
        if archive is None:
            raise Misuse('Outside a project a crawl needs a folder: crawl(…, archive="pages/").')
        lent = Lent(archive=Path(archive), project=Path.cwd())
    elif lent.max_pages is not None:
        max_pages = min(max_pages, lent.max_pages)
    for selector in (follow, keep, media):
        if selector is not None:
            check_selector(selector)
    walk = _Walk(
        start=_first_address(start),
        folder=Path(archive) if archive is not None else lent.archive,
        lent=lent,
        contact=contact or lent.contact,
        include=_patterns("include", include),
        exclude=_patterns("exclude", exclude),
    )
    try:
        walk.run(follow, keep, media, max_pages, max_depth, max_seconds)
    except sqlite3.Error as fault:
        raise unwritable(walk.folder, fault) from fault
    finally:
        walk.answers.close()
    return walk.verdict(max_failed)


class _Walk:
    """One crawl under way."""

    def __init__(
        self,
        start: str,
        folder: Path,
        lent: Lent,
        contact: str | None,
        include: list[re.Pattern[str]],
        exclude: list[re.Pattern[str]],
    ) -> None:
        self.start, self.folder, self.lent = start, folder, lent
        self.include, self.exclude = include, exclude
        parts = urlsplit(start)
        self.hosts = {parts.netloc}
        here = parts.hostname == fetch.SANDBOX or _is_loopback(parts.hostname or "")
        self.answers = Answers(
            folder,
            user_agent(contact, needed=not here),
            allowed=_named_private(start),
            quick=frozenset(self.hosts if here else ()),
            fresh=lent.fresh,
        )
        self.refs: list[Ref] = []
        self.outcomes: dict[str, tuple[str, str]] = {}  # address → (refused or failed, reason)
        self.media: dict[str, tuple[Media, str]] = {}  # address → (place, digest)
        self.stopped: str | None = None  # the budget that ended the walk
        self.host_stopped: str | None = None
        self.waiting = 0
        self.reported = time.monotonic()

    def run(
        self,
        follow: str | None,
        keep: str | None,
        media: str | None,
        max_pages: int,
        max_depth: int | None,
        max_seconds: float | None,
    ) -> None:
        """Walk until nothing is left or a budget is used up."""
        begun = time.monotonic()
        # An address may be both a page to pass through and one to keep: one visit for each.
        due: deque[tuple[str, int, bool]] = deque([(self.start, 0, True)])
        seen = {(canonical(self.start), True)}
        visited: set[tuple[str, bool]] = set()
        passed = 0
        while due:
            if len(self.refs) >= max_pages or passed >= max_pages + MORE_PASSED:
                self.stopped = f"max_pages={max_pages:,}"
                break
            if max_seconds is not None and time.monotonic() - begun > max_seconds:
                self.stopped = f"max_seconds={max_seconds:g}"
                break
            url, depth, passing = due.popleft()
            kept = not passing or keep is None
            page = self._visit(url, depth)
            if page is None:
                continue
            place = (canonical(page.url), passing)
            if place in visited:
                continue  # several addresses lead to this page
            visited.add(place)
            seen.add(place)
            if passing:
                passed += 1
                wanted = [(keep, False), (follow, True)] if keep else [(follow, True)]
                for selector, onward in wanted:
                    if selector and (max_depth is None or depth < max_depth):
                        links = self._links(page, selector, depth + 1, onward, seen)
                        due.extend((link, depth + 1, onward) for link in links)
            if kept:
                self._keep(page, media, depth)
            self.waiting = len(due)
            self._report(passed + len(self.refs) if keep else passed)
        self.waiting = len(due)
        if self.stopped:
            self.stopped += f" reached, {self.waiting:,} addresses left"
        self.lent.report("pages", len(visited), len(visited))

    def _visit(self, url: str, depth: int) -> Page | None:
        """The page at an address, wherever it redirects to within the crawl's bounds."""
        first = url == self.start and depth == 0
        try:
            response = self.answers.get(url, depth)
            if first:
                # A start that moves (to www., to https) takes the crawl's bounds with it.
                self.hosts.add(urlsplit(response.url).netloc)
            elif response.url != url:
                self._check_bounds(response.url)
        except (Refused, FetchFailed) as failure:
            if first:
                self._fail_at_start(failure)
            if isinstance(failure, HostStopped) and urlsplit(url).netloc in self.hosts:
                self.host_stopped = failure.reason
            self._note(url, failure)
            return None
        return Page(response)

    def _links(
        self, page: Page, selector: str, depth: int, onward: bool, seen: set[tuple[str, bool]]
    ) -> list[str]:
        """The addresses that a page's links lead to, new ones only, in the page's order."""
        if not page.is_html:
            return []
        fresh, rows = [], []
        for element in page.matching(selector):
            link = element.get("href")
            if link is None:
                continue
            try:
                url = resolve(page.base, link)
                key = canonical(url)
                if (key, onward) in seen:
                    continue
                seen.add((key, onward))
                self._check_bounds(url)
            except (Refused, ValueError) as failure:
                self._note(getattr(failure, "url", link), failure)
                continue
            fresh.append(url)
            rows.append(Row(key, url, depth, DUE))
        self.answers.frontier.add(rows)
        return fresh

    def _check_bounds(self, url: str) -> None:
        """Refused for an address outside the crawl."""
        if any(pattern.search(url) for pattern in self.exclude):
            raise Refused(url, "left out by exclude")
        if self.include:
            if not any(pattern.search(url) for pattern in self.include):
                raise Refused(url, "left out by include")
        elif urlsplit(url).netloc not in self.hosts:
            raise Refused(url, "on another site (include=… would take it in)")

    def _keep(self, page: Page, selector: str | None, depth: int) -> None:
        """Add a page to the result, its media archived with it."""
        row = self.answers.frontier.get(canonical(page.url))
        assert row is not None
        whole = sha256(str(row.digest).encode())
        shown = {}
        if selector and page.is_html:
            for element in page.matching(selector):
                link = element.get("src") or element.get("href")
                if not link:
                    continue
                try:
                    url = resolve(page.base, link)
                except Refused as failure:
                    self._note(failure.url, failure)
                    continue
                if url not in shown:
                    shown[url], digest = self._medium(url, depth + 1)
                    whole.update(digest.encode())
        self.refs.append(
            Ref(
                url=page.url,
                digest=whole.hexdigest(),
                fetched=page.fetched,
                file=str(row.file),
                offset=int(row.offset or 0),
                media=tuple(shown.values()),
            )
        )

    def _medium(self, url: str, depth: int) -> tuple[Media, str]:
        """Where an image or file lies and its digest; fetched once, however often it is shown."""
        if url not in self.media:
            try:
                if any(pattern.search(url) for pattern in self.exclude):
                    raise Refused(url, "left out by exclude")
                row = self.answers.place(url, depth)
                self.media[url] = (Media(url, row.file or "", row.offset or 0), row.digest or "")
            except (Refused, FetchFailed) as failure:
                self._note(url, failure)
                self.media[url] = (Media(url, "", -1, failure.reason), "")
        return self.media[url]

    def _note(self, url: str, failure: Exception) -> None:
        """Remember why an address gives no page, for the balance."""
        kind = FAILED if isinstance(failure, FetchFailed) else REFUSED
        reason = getattr(failure, "reason", str(failure))
        self.outcomes[url] = (kind, printable(reason, 120))

    def _report(self, done: int) -> None:
        """Now and then: say how far it is."""
        now = time.monotonic()
        if now - self.reported > REPORT_SECONDS:
            self.lent.report("pages", done, done + self.waiting)
            self.reported = now

    # How it ended

    def balance(self) -> dict[str, Any]:
        """What became of every address that this crawl came to."""
        for url, failure in self.answers.stale.items():
            self._note(url, failure)
        kinds = Counter(kind for kind, _ in self.outcomes.values())
        reasons = Counter(reason for _, reason in self.outcomes.values())
        told = dict(reasons.most_common(MOST_REASONS))
        rest = reasons.total() - sum(told.values())
        failed = {canonical(url) for url, (kind, _) in self.outcomes.items() if kind == FAILED}
        return {
            "kept": len(self.refs),
            "fetched": len(self.answers.fetched - self.answers.unchanged - failed),
            "replayed": len(self.answers.replayed - failed),
            "unchanged": len(self.answers.unchanged),
            "refused": kinds[REFUSED],
            "failed": kinds[FAILED],
            "due": self.waiting,
            "reasons": told | ({"other reasons": rest} if rest else {}),
            "stopped": self.stopped,
        }

    def verdict(self, max_failed: float) -> Pages:
        """The pages, if enough of the crawl went well; else Partial."""
        balance = self.balance()
        pages = Pages(self.folder, self.refs, balance)
        failed = balance["failed"]
        asked = balance["fetched"] + balance["replayed"] + balance["unchanged"] + failed
        trouble = None
        if self.host_stopped:
            trouble = self.host_stopped
        elif asked and failed / asked > max_failed:
            trouble = f"{failed:,} of {asked:,} addresses failed ({failed / asked:.0%})"
        if trouble is None:
            return pages
        why = "".join(f"\n  {count:,} × {reason}" for reason, count in balance["reasons"].items())
        partial = Partial(
            f"{self.start}: {trouble}.{why}\n"
            f"Kept: {len(self.refs):,} pages in {self.folder}.\n"
            f"Next: {self._again()} goes on from there, and asks again only for what may do "
            "better; exclude=… leaves out what never will, max_failed=… accepts more of it."
        )
        partial.pages = pages
        raise partial

    def _fail_at_start(self, failure: Refused | FetchFailed) -> None:
        """Raise what a first page that cannot be had means."""
        if isinstance(failure, Refused):
            raise failure
        known = self.answers.frontier.counts().get(DONE, 0)
        unreachable = Unreachable(
            f"The first page could not be had: {failure}.\n"
            f"Kept: {known:,} answers from earlier runs in {self.folder}.\n"
            f"Next: check the address in a browser; {self._again()} tries again; or start from the "
            "practice site, http://sandbox/museum/, which needs no network."
        )
        unreachable.pages = Pages(self.folder, [], self.balance())
        raise unreachable from failure

    def _again(self) -> str:
        """The command that resumes this crawl."""
        if current.get() is None:
            return "the same crawl"
        return f"`folio run {self.lent.project.name}`"


def _first_address(start: str) -> str:
    """The start as a full address; Misuse with the likely one if it is none."""
    try:
        return resolve("", start)
    except Refused as failure:
        hint = f" Perhaps you meant https://{start}?" if "://" not in start else ""
        raise Misuse(f"crawl({printable(start)!r}): {failure.reason}.{printable(hint)}") from None


def _patterns(name: str, given: Iterable[str]) -> list[re.Pattern[str]]:
    """Regular expressions, compiled; one alone may be given as it is."""
    found = []
    for pattern in [given] if isinstance(given, str) else given:
        try:
            found.append(re.compile(pattern))
        except re.error as fault:
            raise Misuse(
                f"{name}: {printable(pattern)!r} is no regular expression: {fault}."
            ) from None
    return found


def _literal(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    number = _literal(host)
    return host == "localhost" if number is None else number.is_loopback


def _named_private(start: str) -> list[tuple[str, int]]:
    """The start's host and port, if the project itself named a private address."""
    parts = urlsplit(start)
    host = parts.hostname or ""
    if _is_loopback(host) or (_literal(host) is not None and fetch.is_private(host)):
        return [(host, parts.port or (443 if parts.scheme == "https" else 80))]
    return []
