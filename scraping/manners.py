"""How a crawl behaves towards a host: robots.txt, pauses, retries, and saying who asks.

robots.txt is read as RFC 9309 says: none (404) allows all; one that cannot be had disallows all.
"""

from __future__ import annotations

import codecs
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from protego import Protego

from scraping.errors import Disallowed, FetchFailed, HostStopped, NoContact, Refused
from scraping.fetch import Response, follow

PRODUCT = "Folio"  # the name that a robots.txt may address
PAUSE = 0.5  # seconds between the end of one request to a host and the start of the next
LONGEST_PAUSE = 120.0  # of a Crawl-delay or a Retry-After that is waited for
TRIES = 3  # for one address
BACK_OFF = 1.0  # seconds before the second try; three times as long before each further one
MOST_FAILURES = 5  # addresses in a row, each after all its tries, until a host is left alone
ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: at least so much is read
HOLD_ON = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses worth another try


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


@dataclass
class _Host:
    """What is known of one host's wishes."""

    pause: float
    rules: Protego | None = None
    closed: FetchFailed | None = None  # why robots.txt could not be had
    free_at: float = 0.0  # when the next request may start
    failures: int = 0  # in a row
    stopped: str | None = None


@dataclass
class Manners:
    """Stands between a crawl and the fetcher; asks politely or not at all.

    Args:
        send: One request, no redirects followed, as `Fetcher.get`.
        quick: Hosts (with port) that need no pause: the practice site and this computer.
        sleep: Waits; the crawl's own, so that a test need not.
        recall: A robots.txt had within the last day, if there is one (RFC 9309, 2.4).
        keep: Is handed each answer for robots.txt.
    """

    send: Callable[[str, Mapping[str, str] | None], Response]
    quick: frozenset[str] = frozenset()
    sleep: Callable[[float], None] = time.sleep
    recall: Callable[[str], Response | None] = lambda url: None
    keep: Callable[[Response], None] = lambda response: None
    _hosts: dict[str, _Host] = field(default_factory=dict)

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """The answer of one address, asked for as its host wishes and tried again if it may help.

        Raises:
            Disallowed: robots.txt says no.
            HostStopped: The host asks for a longer wait than is kept, or no longer answers.
            Refused, FetchFailed: As `Fetcher.get`; also for a status that other tries did not
                better.
        """
        host = self._host(url)
        if host.closed is not None:
            raise HostStopped(url, host.closed.reason)
        if host.rules is not None and not host.rules.can_fetch(url, PRODUCT):
            raise Disallowed(url, "the site's robots.txt asks robots to leave it alone")
        return self._tried(url, host, headers)

    def _tried(self, url: str, host: _Host, headers: Mapping[str, str] | None = None) -> Response:
        """The answer after at most `TRIES` tries, with growing, jittered pauses between them."""
        for left in reversed(range(TRIES)):
            if host.stopped:
                raise HostStopped(url, host.stopped)
            self._wait(host)
            try:
                response = self._sent(url, host, headers)
            except FetchFailed as failure:
                if not left or not failure.retry:
                    self._count_failure(host, url, failure)
                    raise
                wait = failure.wait
            else:
                host.failures = 0
                return response
            if wait is None:
                wait = BACK_OFF * 3 ** (TRIES - 1 - left) * random.uniform(0.5, 1.5)
            elif wait > LONGEST_PAUSE:
                host.stopped = f"{urlsplit(url).netloc} asks to wait {wait:,.0f} seconds"
                raise HostStopped(url, host.stopped)
            host.free_at = max(host.free_at, time.monotonic() + wait)
        raise AssertionError("the last try returns or raises")

    def _sent(self, url: str, host: _Host, headers: Mapping[str, str] | None) -> Response:
        """One request; FetchFailed for a status that asks to come back."""
        started = time.monotonic()
        try:
            response = self.send(url, headers)
        finally:
            ended = time.monotonic()
            # A host that answers slowly is given as long a rest as its answer took.
            host.free_at = ended + (max(host.pause, min(ended - started, 10)) if host.pause else 0)
        if response.status in HOLD_ON:
            wait = retry_after(response.header("Retry-After"))
            reason = f"{response.status} {response.reason}".strip()
            raise FetchFailed(url, reason, retry=True, wait=wait)
        return response

    def _wait(self, host: _Host) -> None:
        pause = host.free_at - time.monotonic()
        if pause > 0:
            self.sleep(pause)

    def _count_failure(self, host: _Host, url: str, failure: FetchFailed) -> None:
        """Leave a host alone that failed so many addresses in a row."""
        if not failure.retry:
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
            host = self._hosts[name] = _Host(pause=0.0 if parts.netloc in self.quick else PAUSE)
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
            host.closed = FetchFailed(url, f"robots.txt could not be had: {failure.reason}")
            return
        if response.status >= 500 or response.status < 200:
            host.closed = FetchFailed(url, f"robots.txt answered {response.status}")
        elif response.status < 300:
            host.rules = Protego.parse(robots_text(response.body))
            delay = host.rules.crawl_delay(PRODUCT)
            if delay is not None and delay > LONGEST_PAUSE:
                host.stopped = f"robots.txt asks for {delay:,.0f} seconds between requests"
            elif delay is not None:
                host.pause = max(host.pause, delay)
                host.free_at = time.monotonic() + host.pause


def robots_text(body: bytes) -> str:
    """A robots.txt as text: byte order marks heeded, all line ends alike, 500 KiB at most."""
    sixteen = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if sixteen else "utf-8-sig"
    text = body[:ROBOTS_BYTES].decode(encoding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")


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
    return max(0.0, (when - datetime.now(UTC)).total_seconds())
