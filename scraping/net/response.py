"""What an address answered, and the walk along redirects.

`follow` asks a function for each hop, so that every hop passes the same manners as a link does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from scraping.errors import FetchFailed
from scraping.net.address import resolve
from scraping.outcomes import Kind

MAX_REDIRECTS = 10
REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True)
class Response:
    """What one address answered."""

    url: str
    status: int
    reason: str
    headers: list[tuple[str, str]]
    wire: bytes = field(repr=False)  # the body as sent, without chunked framing
    body: bytes = field(repr=False)  # … and with its compression undone
    fetched: str = ""  # ISO 8601, UTC
    sent: list[tuple[str, str]] = field(default_factory=list)  # the request's headers, no secrets
    seconds: float = 0.0  # from the first packet to the last byte

    def header(self, name: str) -> str:
        """A header's value, or nothing."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")

    @property
    def location(self) -> str | None:
        """The address that the answer points on to, if it is a redirect."""
        target = self.header("Location") if self.status in REDIRECTS else ""
        return resolve(self.url, target) if target else None


def follow(url: str, get: Callable[[str], Response]) -> Response:
    """The answer at the end of a chain of redirects, each hop had from `get`.

    Only a Location header is followed, never a page's own wish (meta refresh).

    Raises:
        FetchFailed: The chain is a loop or longer than `MAX_REDIRECTS`; it is named.
    """
    hops = [url]
    while (response := get(hops[-1])).location:
        target = str(response.location)
        hops.append(target)
        if target in hops[:-1]:
            reason = f"redirect loop: {' → '.join(hops)}"
            raise FetchFailed(url, reason, kind=Kind.REDIRECTS)
        if len(hops) > MAX_REDIRECTS + 1:
            reason = f"more than {MAX_REDIRECTS} redirects; the last: {target}"
            raise FetchFailed(url, reason, kind=Kind.REDIRECTS)
    return response
