"""What a trap is, and how it speaks: byte for byte, and never without end."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from scraping.outcomes import Kind

LONGEST = 90.0  # seconds for which one answer goes on
MOST_BYTES = 1024**3  # in one answer
HTML = ("Content-Type", "text/html; charset=utf-8")
KEPT = "kept"  # how a trap ends that a good crawler walks through

Header = tuple[str, str]


class Over(Exception):
    """The answer has gone on for long enough, or nobody listens any more."""


@dataclass(frozen=True)
class Trap:
    """One rude thing that a server can do, at an address of its own.

    Attributes:
        key: Its name: the trap is at ``/rude/<key>``, or on the host ``<key>.sandbox``.
        does: What the server does, as a sentence.
        wanted: What a good crawler does about it.
        ends: How an address with this trap ends: a `Kind`, `KEPT`, or either of several.
        speak: Gives the answer.
        host: The path to ask for on a host of the trap's own; empty if it needs none.
        shows: The text that the page shows if it is read right.
    """

    key: str
    does: str
    wanted: str
    ends: tuple[Kind | str, ...]
    speak: Callable[[Call], None] = field(repr=False)
    host: str = ""
    shows: str = ""

    def address(self, visited: str) -> str:
        """Where the trap is, for a visitor who calls the practice site's host ``visited``."""
        if not self.host:
            return f"/rude/{self.key}"
        name, _, port = visited.partition(":")
        # A browser finds every name under localhost on its own computer (RFC 6761, 6.3).
        home = "sandbox" if name.endswith("sandbox") else "localhost"
        return f"http://{self.key}.{home}{port and ':'}{port}{self.host}"


@dataclass(frozen=True)
class Section:
    """Traps of one sort."""

    title: str
    words: str
    traps: tuple[Trap, ...]


class Call:
    """One visitor's request for a trap, and the means to answer it badly."""

    def __init__(self, handler: BaseHTTPRequestHandler, path: str) -> None:
        """``path`` is what follows the trap's address, such as ``/2`` or nothing."""
        self.handler, self.path = handler, path
        self.ends = time.monotonic() + LONGEST
        self.written = 0
        self._stays = not handler.close_connection
        # Only an answer that is whole and right keeps the connection.
        handler.close_connection = True

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The query as lists."""
        return parse_qs(urlsplit(self.handler.path).query)

    @property
    def name(self) -> str:
        """The path below the trap's address, unquoted, without its slash."""
        return unquote(self.path.removeprefix("/"))

    def write(self, data: bytes) -> None:
        """Send bytes as they are. Raises `Over` when it has been enough."""
        self.written += len(data)
        if self.written > MOST_BYTES or time.monotonic() > self.ends:
            raise Over
        self.handler.wfile.write(data)

    def pour(self, pieces: Iterable[bytes]) -> None:
        """Send piece after piece."""
        for piece in pieces:
            self.write(piece)

    def drip(self, data: bytes, seconds: float = 1.0) -> None:
        """Send byte after byte, with a pause between them."""
        for byte in data:
            self.write(bytes([byte]))
            self.wait(seconds)

    def wait(self, seconds: float) -> None:
        """Do nothing for a while. Raises `Over` as soon as the visitor hangs up."""
        left = min(seconds, self.ends - time.monotonic())
        heard, _, _ = select.select([self.handler.connection], [], [], max(0.0, left))
        if heard or time.monotonic() > self.ends:
            raise Over

    def start(self, *headers: Header, status: int = 200, reason: str | None = None) -> None:
        """Send the status line, the headers and the empty line after them."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase if reason is None else reason}"]
        lines += [f"{name}: {value}" for name, value in (("Server", "practice-site"), *headers)]
        self.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))

    def say(
        self, body: str | bytes, *headers: Header, status: int = 200, reason: str | None = None
    ) -> None:
        """Send a whole and right answer: HTML, unless the headers name another type."""
        data = body.encode() if isinstance(body, str) else body
        if not any(name == "Content-Type" for name, _ in headers):
            headers = (HTML, *headers)
        if self._stays:
            self.handler.close_connection = False
        else:
            headers = (*headers, ("Connection", "close"))
        self.start(*headers, ("Content-Length", str(len(data))), status=status, reason=reason)
        self.write(data)

    def redirect(self, location: str) -> None:
        """Send the visitor on, wherever that may be."""
        self.say("<!doctype html><title>Moved</title>", ("Location", location), status=302)

    def missing(self) -> None:
        """Say that there is nothing here."""
        self.say(document("Nothing here", "<p>This trap has no such page.</p>"), status=404)


def spring(trap: Trap, handler: BaseHTTPRequestHandler, path: str) -> None:
    """Let the trap answer a request; whatever happens ends with this visitor's connection."""
    with suppress(Over, OSError):
        trap.speak(Call(handler, path))


def document(title: str, main: str, *, head: str = "") -> str:
    """A small, harmless page; ``main`` and ``head`` are HTML."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">{head}'
        f"<title>{title}</title></head>\n<body><h1>{title}</h1>\n{main}\n</body></html>\n"
    )
