"""Whether an archived answer still holds, by what the site says of its last change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scraping.net.fetch import Response

SKEW = 60.0  # seconds by which a clock may be set right
NEVER = datetime.min.replace(tzinfo=UTC)  # a date that says nothing was long ago


def conditions(known: Response | None) -> dict[str, str]:
    """The headers that ask for a page only if it changed (RFC 9110, 13.1)."""
    # The tag of an error would have the error confirmed, whatever the page is by now.
    if known is None or not 200 <= known.status < 300:
        return {}
    pairs = [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")]
    return {ask: value for ask, name in pairs if (value := known.header(name))}


def age(known: Response) -> float:
    """Seconds since an answer was had; endless where a clock that went back had it tomorrow."""
    seconds = (datetime.now(UTC) - _had(known)).total_seconds()
    return seconds if seconds >= -SKEW else float("inf")


def is_current(known: Response, changed: datetime | None) -> bool:
    """Whether an answer was had after the site says that its page last changed."""
    return changed is not None and changed <= _had(known) and age(known) < float("inf")


def moment(date: str) -> datetime | None:
    """The end of the moment or day that a W3C date speaks of; None if it is none."""
    try:
        when = datetime.fromisoformat(date)
        if len(date) <= len("2026-11-23"):
            when += timedelta(days=1)
    except (ValueError, OverflowError):  # a sitemap may say 9999-12-31
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def _had(known: Response) -> datetime:
    """When an answer was had, in whatever form a record says so."""
    try:
        when = datetime.fromisoformat(known.fetched)
    except ValueError:
        return NEVER
    return when if when.tzinfo else when.replace(tzinfo=UTC)
