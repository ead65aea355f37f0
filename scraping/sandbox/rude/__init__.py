"""The rude corner of the practice site: everything a server can do to a crawler.

    http://sandbox/rude/               what there is, and what a crawler should do about it
    http://sandbox/rude/about/<trap>   a harmless page about one trap, with a link to it
    http://sandbox/rude/<trap>         the trap itself
    http://<trap>.sandbox/             … where it needs a whole host, as for its own robots.txt

Every answer ends after `trap.LONGEST` seconds or `trap.MOST_BYTES` bytes, no large one is made
whole in memory, and no more than `MOST_VISITS` are under way at once.
"""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import urlsplit

from scraping.sandbox.layout import Response, redirect
from scraping.sandbox.rude import (
    damage,
    guises,
    index,
    letters,
    markup,
    mazes,
    redirects,
    sizes,
    waits,
    wishes,
)
from scraping.sandbox.rude.index import PATH, SUMMARY, TITLE
from scraping.sandbox.rude.trap import KEPT, Call, Section, Trap, spring

__all__ = ["KEPT", "PATH", "SECTIONS", "SUMMARY", "TITLE", "TRAPS", "Trap", "meet", "respond"]

MOST_VISITS = 64

SECTIONS: tuple[Section, ...] = (
    sizes.SECTION,
    waits.SECTION,
    redirects.SECTION,
    damage.SECTION,
    letters.SECTION,
    markup.SECTION,
    mazes.SECTION,
    guises.SECTION,
    wishes.PAGES,
    wishes.ROBOTS,
)
TRAPS = {trap.key: trap for section in SECTIONS for trap in section.traps}


def respond(path: str, host: str) -> Response | None:
    """What the corner's harmless pages answer; None where nothing is."""
    if path == PATH:
        return index.overview(SECTIONS)
    for section in SECTIONS:
        for trap in section.traps:
            if path == f"{PATH}about/{trap.key}":
                return index.about(trap, section, host)
            # A trap on a host of its own, or one that is asked for its headers alone.
            if path == f"{PATH}{trap.key}":
                return redirect(f"{PATH}about/{trap.key}")
    return redirect(PATH) if path in ("/rude", f"{PATH}about", f"{PATH}about/") else None


def meet(handler: BaseHTTPRequestHandler, room: threading.BoundedSemaphore) -> bool:
    """Answer a request that is for a trap; False if it is for another part of the site.

    ``room`` has one place for each visitor who may be in the corner at once.
    """
    found = _find(handler.headers.get("Host", ""), handler.path)
    if found is None:
        return False
    if not room.acquire(blocking=False):
        Call(handler, "").say("The rude corner is full.\n", ("Retry-After", "5"), status=503)
        return True
    try:
        trap, path = found
        spring(trap, handler, path)
    finally:
        room.release()
    return True


def _find(host: str, address: str) -> tuple[Trap, str] | None:
    """The trap that is meant, and what follows its own address."""
    try:
        path = urlsplit(address).path
    except ValueError:  # "http://[::1"
        return None
    name, _, home = host.partition(":")[0].lower().partition(".")
    if home in ("sandbox", "localhost"):
        trap = TRAPS.get(name)
        return (trap if trap and trap.host else _NOWHERE), path
    key, slash, rest = path.removeprefix(PATH).partition("/")
    trap = TRAPS.get(key) if path.startswith(PATH) else None
    return (trap, slash + rest) if trap and not trap.host else None


# A host's name that is none of ours must not look like the practice site.
_NOWHERE = Trap("", "", "", (), Call.missing)
