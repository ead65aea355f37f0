"""Where a crawl may go: its hosts, and the addresses that include and exclude speak of."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from scraping.errors import Misuse, Refused, printable
from scraping.net import fetch
from scraping.net.address import resolve
from scraping.outcomes import Kind

LOGIN = re.compile(r"[^/?#\s]+@")  # in an address: a user name and password


class Bounds:
    """The addresses that belong to a crawl.

    Args:
        start: The first page's full address.
        include: Regular expressions; an address that none of them is found in is left out. With
            none, the crawl stays on its start's host.
        exclude: Regular expressions; an address that one of them is found in is left out.

    Attributes:
        hosts: Hosts (with port) that the crawl stays on.

    Raises:
        Misuse: A pattern is no regular expression.
    """

    def __init__(self, start: str, include: Iterable[str], exclude: Iterable[str]) -> None:
        """Compile the patterns."""
        self.hosts = {urlsplit(start).netloc}
        self._include = _patterns("include", include)
        self._exclude = _patterns("exclude", exclude)

    def check(self, url: str) -> None:
        """Refused for an address outside the crawl."""
        self.check_exclude(url)
        if self._include:
            if not any(pattern.search(url) for pattern in self._include):
                raise Refused(url, "left out by include", kind=Kind.LEFT_OUT)
        elif url.split("/", 3)[2] not in self.hosts:
            raise Refused(url, "on another site (include=… would take it in)", kind=Kind.ELSEWHERE)

    def check_hop(self, url: str) -> None:
        """Refused for an address that leads to a page (a redirect, a sitemap) out of bounds.

        `include` speaks of pages, so it takes other hosts in and leaves nothing out here.
        """
        self.check_exclude(url)
        if url.split("/", 3)[2] not in self.hosts and not any(
            pattern.search(url) for pattern in self._include
        ):
            raise Refused(url, "on another site (include=… would take it in)", kind=Kind.ELSEWHERE)

    def check_exclude(self, url: str) -> None:
        """Refused for an address that exclude speaks of; images may lie on any host."""
        if any(pattern.search(url) for pattern in self._exclude):
            raise Refused(url, "left out by exclude", kind=Kind.LEFT_OUT)


def first_address(start: str, caller: str = "crawl") -> str:
    """The start as a full address; Misuse, in the name of what was called, if it is none."""
    try:
        return resolve("", start)
    except Refused as failure:
        hint = f" Perhaps you meant https://{start}?" if "://" not in start else ""
        shown = LOGIN.sub("…@", start)  # a password is not repeated
        hint = LOGIN.sub("…@", hint)
        raise Misuse(
            f"{caller}({printable(shown)!r}): {failure.reason}.{printable(hint)}"
        ) from None


def is_here(start: str) -> bool:
    """Whether a start is on the practice site or this computer: nobody there is to be spared."""
    host = urlsplit(start).hostname or ""
    return fetch.is_sandbox(host) or _is_loopback(host)


def named_private(start: str) -> list[tuple[str, int]]:
    """The start's host and port, if the project itself named a private address."""
    parts = urlsplit(start)
    host = parts.hostname or ""
    if _is_loopback(host) or (_literal(host) is not None and fetch.is_private(host)):
        return [(host, parts.port or (443 if parts.scheme == "https" else 80))]
    return []


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
