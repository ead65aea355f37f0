"""Time: answers that hardly come, and servers that ask for patience."""

from __future__ import annotations

import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from scraping.outcomes import Kind
from scraping.sandbox.rude.trap import HTML, KEPT, LONGEST, Call, Section, Trap, document

MOST_REMEMBERED = 1000

_told: OrderedDict[str, float] = OrderedDict()  # address → when a visitor may come back


def drip_body(call: Call) -> None:
    """One byte of the page a second."""
    call.start(HTML, ("Content-Length", str(int(LONGEST))), ("Connection", "close"))
    call.drip(b"<p>" + b"x" * (int(LONGEST) - 3))


def drip_headers(call: Call) -> None:
    """One byte of the headers a second."""
    call.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    call.drip(b"x" * int(LONGEST))
    call.write(b"\r\nContent-Length: 5\r\n\r\nhello")


def silence(call: Call) -> None:
    """The connection is taken, and nothing is ever said."""
    call.wait(LONGEST)


def _later(call: Call, status: int, wait: str, seconds: float) -> None:
    """``status`` with Retry-After ``wait`` until ``seconds`` are over, then a page, once."""
    address, now = call.handler.path, time.monotonic()
    back = _told.pop(address, None)
    if back is not None and now >= back:
        return call.say(document("Thank you for waiting", "<p>Here is your page.</p>"))
    _told[address] = now + seconds
    if len(_told) > MOST_REMEMBERED:
        _told.popitem(last=False)
    words = "Please come back later." if back is None else "You are back too early."
    return call.say(document("Later", f"<p>{words}</p>"), ("Retry-After", wait), status=status)


def retry_after_second(call: Call) -> None:
    """429 and one second of patience."""
    _later(call, 429, "1", 1.0)


def retry_after_date(call: Call) -> None:
    """503 until a moment named as a date, between one and two seconds from now."""
    when = datetime.now(UTC) + timedelta(seconds=2)
    _later(call, 503, format_datetime(when, usegmt=True), 1.0)


def retry_after_garbage(call: Call) -> None:
    """503 and no usable word on when to come back; the next request is answered."""
    _later(call, 503, "when it suits you", 0.0)


def retry_after_day(call: Call) -> None:
    """429 and a whole day."""
    if call.path == "/robots.txt":
        return call.missing()
    return call.say(document("Tomorrow", ""), ("Retry-After", "86400"), status=429)


SECTION = Section(
    "Too slow, and not now",
    f"Answers that hardly come, each given up by the server itself after {LONGEST:.0f} seconds, "
    "and servers that ask to be left alone for a while. With a crawl's usual patience, a minute a "
    "try, the first three take minutes.",
    (
        Trap(
            "drip-body",
            "One byte of the page a second, so that no single wait is ever long.",
            "Set a limit to the whole answer, not to each wait; try again, then give a reason.",
            (Kind.UNREACHABLE,),
            drip_body,
        ),
        Trap(
            "drip-headers",
            "One byte of the headers a second.",
            "Set a limit to the whole answer, headers included.",
            (Kind.UNREACHABLE,),
            drip_headers,
        ),
        Trap(
            "silence",
            "The connection is taken, and nothing is ever said.",
            "Give up when the limit is reached; try again, then give a reason.",
            (Kind.UNREACHABLE,),
            silence,
        ),
        Trap(
            "retry-after-second",
            "429 Too Many Requests, with Retry-After: 1. After that second the page is there.",
            "Wait that second, ask again, keep the page.",
            (KEPT,),
            retry_after_second,
        ),
        Trap(
            "retry-after-date",
            "503 Service Unavailable, with a date two seconds ahead in Retry-After.",
            "Wait until then, ask again, keep the page.",
            (KEPT,),
            retry_after_date,
        ),
        Trap(
            "retry-after-garbage",
            "503 with Retry-After: when it suits you. The second request is answered.",
            "Wait for a moment of its own choosing, ask again, keep the page.",
            (KEPT,),
            retry_after_garbage,
        ),
        Trap(
            "retry-after-day",
            "429 with Retry-After: 86400, which is a day.",
            "Leave this host alone after one request, say so, and go on from there another day.",
            (Kind.RESTING,),
            retry_after_day,
            host="/",
        ),
    ),
)
