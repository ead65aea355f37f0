"""Whether an archived answer still holds, by what the site says of its last change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from scraping.net.fetch import Response


def conditions(known: Response | None) -> dict[str, str]:
    """The headers that ask for a page only if it changed (RFC 9110, 13.1)."""
    if known is None:
        return {}
    pairs = [("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")]
    return {ask: value for ask, name in pairs if (value := known.header(name))}


def age(known: Response) -> float:
    """Seconds since an answer was had."""
    return (datetime.now(UTC) - datetime.fromisoformat(known.fetched)).total_seconds()


def is_current(known: Response, changed: datetime | None) -> bool:
    """Whether an answer was had after the site says that its page last changed."""
    return changed is not None and changed <= datetime.fromisoformat(known.fetched)


def moment(date: str) -> datetime | None:
    """The end of the moment or day that a W3C date speaks of; None if it is none."""
    try:
        when = datetime.fromisoformat(date)
    except ValueError:
        return None
    if len(date) <= len("2026-11-23"):
        when += timedelta(days=1)
    return when if when.tzinfo else when.replace(tzinfo=UTC)
