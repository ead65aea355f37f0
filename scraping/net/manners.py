"""How a crawl behaves towards a host: robots.txt, pauses, retries, and saying who asks.

robots.txt is read as RFC 9309 says: none (404) allows all; one that cannot be had disallows all.
A host's pause grows when it shows signs of strain, and shrinks again while all goes well.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import urlsplit

from scraping.errors import Disallowed, FetchFailed, HostStopped, NoContact, Refused
from scraping.net import robots
from scraping.net.fetch import Kinds, Response, follow
from scraping.net.robots import PRODUCT, Robots
from scraping.outcomes import Kind, of_status

PAUSE = 0.5  # seconds between the end of one request to a host and the start of the next
LONGEST_PAUSE = 120.0  # of a Crawl-delay or a Retry-After that is waited for
LONGEST_REST = 30.0  # that a pause of our own making grows to
GROWTH = 2.0  # of the pause, at each sign of strain
SHRINKAGE = 0.9  # … and after each answer without one
LATENCY_SHARE = 0.3  # of the latest answer in the running mean of how long they take
TRIES = 3  # for one address
BACK_OFF = 1.0  # seconds before the second try; three times as long before each further one
MOST_FAILURES = 5  # addresses in a row, each after all its tries, until a host is left alone
HOLD_ON = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses worth another try
# What the host as a whole is to blame for; a broken or oversized answer is one page's own fault.
STRAIN = frozenset({Kind.UNREACHABLE, Kind.SERVER, Kind.CLIENT})


def user_agent(contact: str | None, *, needed: bool) -> str:
    """The name a crawl gives, with the contact by which its owner can be reached.

    Raises:
        NoContact: A contact is needed (anywhere but on the practice site and this computer).
    """
    contact = (contact or "").strip()
    if not contact.isprintable():
        raise NoContact(f"the contact {contact!r} has characters that no header may carry.")
    if not contact and needed:
        raise NoContact(
            "A crawl of the web says who is asking, and no contact is set.\n"
            "Set a mail address or a page about you as extra.contact in mkdocs.yml, "
            'or crawl(…, contact="me@example.org").'
        )
    contact = contact.encode("ascii", "ignore").decode()
    return f"{PRODUCT}/0.1 (+{contact})" if contact else f"{PRODUCT}/0.1"


class Send(Protocol):
    """One request, no redirects followed, as `Fetcher.get`."""

    def __call__(
        self, url: str, headers: Mapping[str, str] | None = None, *, kinds: Kinds | None = None
    ) -> Response:
        """The answer, or `Refused` or `FetchFailed`."""
        ...


@dataclass
class _Host:
    """What is known of one host's wishes and of how it fares."""

    base: float  # the shortest pause; none for a host that needs none
    pause: float = 0.0  # the present one
    latency: float = 0.0  # running mean, seconds from question to whole answer
    robots: Robots = robots.OPEN
    failures: int = 0  # in a row
    stopped: str | None = None

    def rest(self, seconds: float, *, strained: bool) -> float:
        """The seconds to leave the host alone after an exchange that took so long."""
        if self.base:
            self.latency += LATENCY_SHARE * (seconds - self.latency)
            grown = self.pause * (GROWTH if strained else SHRINKAGE)
            self.pause = max(self.base, min(grown, max(LONGEST_REST, self.base)))
        # A host that answers slowly is given as long a rest as its answers take.
        return max(self.pause, min(self.latency, LONGEST_REST))


@dataclass
class Manners:
    """Stands between a crawl and the fetcher; asks politely or not at all.

    Args:
        send: One request, no redirects followed, as `Fetcher.get`.
        quick: Hosts (with port) that need no pause: the practice site and this computer.
        sleep: Waits; the crawl's own, so that a test need not.
        recall: A robots.txt had within the last day, if there is one (RFC 9309, 2.4).
        keep: Is handed each answer for robots.txt.
        free_at: When the next request to a host (with port, whether http or https) may start, on
            the monotonic clock; to be shared by those that ask one after another.
    """

    send: Send
    quick: frozenset[str] = frozenset()
    sleep: Callable[[float], None] = time.sleep
    recall: Callable[[str], Response | None] = lambda url: None
    keep: Callable[[Response], None] = lambda response: None
    free_at: dict[str, float] = field(default_factory=dict)
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, kinds: Kinds | None = None
    ) -> Response:
        """The answer of one address, asked for as its host wishes and tried again if it may help.

        Raises:
            Disallowed: robots.txt says no.
            HostStopped: The host asks for a longer wait than is kept, or no longer answers.
            Refused, FetchFailed: As `Fetcher.get`; also for a status that other tries did not
                better.
        """
        host = self._host(url)
        if host.robots.reason:
            raise HostStopped(url, host.robots.reason)
        if not host.robots.allowed(url):
            raise Disallowed(url, "the site's robots.txt asks robots to leave it alone")
        return self._tried(url, host, headers, kinds)

    def robots(self, url: str) -> Robots:
        """What the robots.txt of the address's host says to us; it is had if it was not yet.

        Raises:
            Refused: The host itself must not be asked.
        """
        return self._host(url).robots

    def _tried(
        self,
        url: str,
        host: _Host,
        headers: Mapping[str, str] | None = None,
        kinds: Kinds | None = None,
    ) -> Response:
        """The answer after at most `TRIES` tries, with growing, jittered pauses between them."""
        for left in reversed(range(TRIES)):
            if host.stopped:
                raise HostStopped(url, host.stopped)
            pause = self.free_at.get(urlsplit(url).netloc, 0.0) - time.monotonic()
            if pause > 0:
                self.sleep(pause)
            try:
                response = self._sent(url, host, headers, kinds)
            except FetchFailed as failure:
                if failure.wait is not None and failure.wait > LONGEST_PAUSE:
                    host.stopped = (
                        f"{urlsplit(url).netloc} asks to wait {failure.wait:,.0f} seconds"
                    )
                    raise HostStopped(url, host.stopped) from failure
                if failure.wait is not None:  # it is meant for whatever is asked next
                    self._leave(url, failure.wait)
                if not left or not failure.retry:
                    self._count_failure(host, url, failure)
                    raise
                if failure.wait is None:
                    self._leave(url, BACK_OFF * 3 ** (TRIES - 1 - left) * random.uniform(0.5, 1.5))
            else:
                host.failures = 0
                return response
        raise AssertionError("the last try returns or raises")

    def _leave(self, url: str, seconds: float) -> None:
        """Leave an address's host alone for so long."""
        name = urlsplit(url).netloc
        self.free_at[name] = max(self.free_at.get(name, 0.0), time.monotonic() + seconds)

    def _sent(
        self, url: str, host: _Host, headers: Mapping[str, str] | None, kinds: Kinds | None
    ) -> Response:
        """One request; FetchFailed for a status that asks to come back."""
        started, strained = time.monotonic(), False
        try:
            response = self.send(url, headers, kinds=kinds)
            strained = response.status in HOLD_ON
        except FetchFailed as failure:
            strained = failure.kind in STRAIN
            raise
        finally:
            self._leave(url, host.rest(time.monotonic() - started, strained=strained))
        if strained:
            wait = retry_after(response.header("Retry-After"))
            reason = f"{response.status} {response.reason}".strip()
            kind = of_status(response.status)
            raise FetchFailed(url, reason, retry=True, wait=wait, kind=kind)
        return response

    def _count_failure(self, host: _Host, url: str, failure: FetchFailed) -> None:
        """Leave a host alone that failed so many addresses in a row."""
        if not failure.retry or failure.kind not in STRAIN:
            return
        host.failures += 1
        if host.failures >= MOST_FAILURES:
            host.stopped = (
                f"{urlsplit(url).netloc} failed {host.failures} addresses in a row, "
                f"the last with: {failure.reason}"
            )

    def _host(self, url: str) -> _Host:
        """The host's wishes; its robots.txt is had before anything else of it."""
        parts = urlsplit(url)
        name = f"{parts.scheme}://{parts.netloc}"
        host = self._hosts.get(name)
        if host is None:
            base = 0.0 if parts.netloc in self.quick else PAUSE
            host = self._hosts[name] = _Host(base, base)
            try:
                self._read_robots(f"{name}/robots.txt", host)
            except BaseException:
                del self._hosts[name]
                raise
        return host

    def _read_robots(self, url: str, host: _Host) -> None:
        """Fill in the host's rules, or why they could not be had."""

        def hop(address: str) -> Response:
            known = self.recall(address)
            if known is None:
                # Rules may lie elsewhere; the pauses are those of the host that they are for.
                known = self._tried(address, host)
                self.keep(known)
            return known

        try:
            response = follow(url, hop)
        except (FetchFailed, Refused) as failure:
            if isinstance(failure, Refused) and failure.url == url:
                raise  # the host itself is refused
            host.robots = Robots(reason=f"robots.txt could not be had: {failure.reason}")
            return
        if response.status >= 500:
            host.robots = Robots(reason=f"robots.txt answered {response.status}")
        elif 200 <= response.status < 300:
            host.robots = robots.parse(response.body)
            delay = host.robots.crawl_delay
            if delay is not None and delay > LONGEST_PAUSE:
                host.stopped = f"robots.txt asks for {delay:,.0f} seconds between requests"
            elif delay:
                host.base = max(host.base, delay)
                host.pause = max(host.pause, host.base)
                self._leave(url, host.pause)


def retry_after(value: str) -> float | None:
    """The seconds that a Retry-After header asks for, given as a number or a date; else None."""
    value = value.strip()
    if value.isascii() and value.isdecimal():
        return float(value[:12])
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    try:
        return max(0.0, (when - datetime.now(UTC)).total_seconds())
    except OverflowError:
        return None
