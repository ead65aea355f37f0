"""One answer out of a file that someone brings: taken as if fetched, or left with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from scraping.errors import Misuse, Refused, printable
from scraping.net.address import resolve
from scraping.net.fetch import MAX_BYTES, Response
from scraping.net.tokens import Tokens

# The body is stored as it is read: what said how it was sent no longer holds.
FRAMING = frozenset({"content-encoding", "transfer-encoding", "content-length", "trailer"})
LONGEST_HEADER = 8_192  # characters of one header's value
MOST_HEADERS = 200


class Left(NamedTuple):
    """An answer that is not taken: its address (or the file), and why."""

    url: str
    reason: str


Offer = Response | Left


def offered(
    url: str,
    status: int,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    fetched: str,
    method: str = "GET",
    words: str = "OK",
) -> Offer:
    """The answer as a crawl would have had it, if it is one that a crawl would keep.

    Args:
        url: The address that was asked.
        status: HTTP.
        headers: Of the answer. Cookies and the like are left out when it is archived; those of
            the request are never looked at.
        body: Compression undone.
        fetched: As `moment` gives it.
        method: Of the request.
        words: Beside the status.
    """
    shown = url[:LONGEST_HEADER]
    if method.upper() != "GET":
        return Left(shown, f"a {printable(method, 20)} request")
    if not 200 <= status < 300 or status == 206:
        return Left(shown, f"status {status}")
    if len(body) > MAX_BYTES:
        return Left(shown, f"{len(body):,} bytes; the limit is {MAX_BYTES:,}")
    try:
        address = resolve("", url)
        Tokens(host=address)
    except Refused as failure:
        return Left(shown, failure.reason)
    except Misuse:
        return Left(address.partition("?")[0], "its address carries a secret, written out")
    kept = [
        (name[:LONGEST_HEADER], value[:LONGEST_HEADER])
        for name, value in list(headers)[:MOST_HEADERS]
        if name.lower() not in FRAMING and not name.startswith(":")
    ]
    kept.append(("Content-Length", str(len(body))))
    return Response(address, status, words[:200], kept, body, body, fetched)


def moment(date: object, otherwise: float) -> str:
    """A date of ISO 8601 as archives write it; that of a file's change (in seconds) if it is none.

    A date in the future is none.
    """
    when = None
    if isinstance(date, str):
        try:
            when = datetime.fromisoformat(date.strip())
            when = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            when = None
    if when is None or when > datetime.now(UTC) or when.year < 1990:
        when = datetime.fromtimestamp(otherwise, UTC)
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")
