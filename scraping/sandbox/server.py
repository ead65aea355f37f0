"""Serves the practice site on loopback: `port` in the background, `serve` for a visitor.

Errors:

    OSError
    └── PortTaken        exit code 75: another program listens on the port asked for
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import socketserver
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from scraping.sandbox import router, rude
from scraping.sandbox.layout import Response
from scraping.sandbox.packs import PackDamaged

ADDRESS = "127.0.0.1"
WORTH_GZIP = ("text/", "application/xml")
IDLE_SECONDS = 60


class PortTaken(OSError):
    """Another program listens on the port."""

    exit_code = 75

    def __init__(self, port: int, reason: OSError) -> None:
        """Name the port that could not be had, and why."""
        super().__init__(reason.errno, reason.strerror)
        self.port = port

    def __str__(self) -> str:
        """What happened and what to do."""
        return (
            f"Port {self.port} on {ADDRESS} cannot be used for the practice site: "
            f"{self.strerror}. Stop the program that listens there, or choose another port."
        )


class Server(ThreadingHTTPServer):
    """A thread per connection, none of which keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    # On Windows this would let two programs listen on one port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, *where: Any) -> None:
        """Listen; answering begins with `serve_forever`."""
        super().__init__(*where)
        self.room = threading.BoundedSemaphore(rude.MOST_VISITS)

    def server_bind(self) -> None:
        """Bind without asking the name service who we are, as the parent would."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a visitor that hangs up is no news."""


class Handler(BaseHTTPRequestHandler):
    """Answers GET and HEAD; one write per answer."""

    server: Server  # ty: ignore[incompatible-mutable-override]
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    # An answer shorter than a packet must not wait for the last one's acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answer with the page, or let a trap of the rude corner speak for itself."""
        if not rude.meet(self, self.server.room):
            self.wfile.write(self.answer())

    def do_HEAD(self) -> None:
        """Answer with the headers of the page alone."""
        self.wfile.write(self.answer().partition(b"\r\n\r\n")[0] + b"\r\n\r\n")

    def answer(self) -> bytes:
        """The whole answer, headers and body."""
        try:
            response = self.look_up()
        except PackDamaged as fault:
            self.close_connection = True
            response = Response(f"{fault}\n".encode(), "text/plain; charset=utf-8", status=500)
        except Exception:  # The visitor gets an answer whatever is wrong with a wing.
            self.close_connection = True
            response = Response(b"The practice site failed.\n", "text/plain", status=500)
        tag = f'W/"{hashlib.blake2b(response.body, digest_size=12).hexdigest()}"'
        headers = {
            "Server": "practice-site",
            "Date": self.date_time_string(),
            "ETag": tag,
            "Last-Modified": http_date(response.changed),
            "Cache-Control": "no-cache",
        }
        if self.close_connection:
            headers["Connection"] = "close"
        if response.status == 200 and self.is_current(tag, response.changed):
            return head(304, headers)
        body = response.body
        headers["Content-Type"] = response.kind
        if response.location:
            headers["Location"] = response.location
        if response.kind.startswith(WORTH_GZIP):
            headers["Vary"] = "Accept-Encoding"
            if accepts_gzip(self.headers.get("Accept-Encoding", "")):
                headers["Content-Encoding"] = "gzip"
                body = gzip.compress(body, 5, mtime=0)
        headers["Content-Length"] = str(len(body))
        return head(response.status, headers) + body

    def look_up(self) -> Response:
        """The site's response to the address asked for."""
        try:
            asked = urlsplit(re.sub("^/+", "/", self.path))
        except ValueError:  # "http://[::1"
            return router.not_found(self.path)
        host = self.headers.get("Host", "")
        if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]+)?", host):
            host = "sandbox"
        return router.respond(unquote(asked.path), parse_qs(asked.query), host=host)

    def is_current(self, tag: str, changed: str) -> bool:
        """Whether the visitor's copy is still good (RFC 9110, section 13.2.2)."""
        known = self.headers.get("If-None-Match")
        if known is not None:
            tags = {each.strip().removeprefix("W/") for each in known.split(",")}
            return known.strip() == "*" or tag.removeprefix("W/") in tags
        try:
            since = parsedate_to_datetime(self.headers["If-Modified-Since"])
            return datetime.fromisoformat(changed).replace(tzinfo=UTC) <= since
        except (TypeError, ValueError):
            return False

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the terminal for its owner."""


def head(status: int, headers: dict[str, str]) -> bytes:
    """Status line and headers, up to and with the empty line."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def accepts_gzip(accepted: str) -> bool:
    """Whether an ``Accept-Encoding`` header asks for gzip."""
    return bool(re.search(r"\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))", accepted))


@lru_cache(maxsize=256)
def http_date(day: str) -> str:
    """An ISO date as HTTP writes it: ``Sun, 01 Nov 2026 00:00:00 GMT``."""
    return format_datetime(datetime.fromisoformat(day).replace(tzinfo=UTC), usegmt=True)


_lock = threading.Lock()
_server: Server | None = None


def port() -> int:
    """The port of this process's practice site, which the first call starts."""
    global _server
    with _lock:
        if _server is None:
            _server = Server((ADDRESS, 0), Handler)
            threading.Thread(
                target=_server.serve_forever, name="practice site", daemon=True
            ).start()
        return _server.server_port


def _forget() -> None:
    """After a fork: the threads stayed behind, so the child has no practice site yet."""
    global _lock, _server
    # Held open here, the socket would take calls that nobody answers once the parent is gone.
    if _server is not None:
        _server.socket.close()
    _lock, _server = threading.Lock(), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def serve(port: int = 8888, announce: Callable[[str], None] | None = None) -> None:
    """Serve the site on a port until Ctrl-C; ``announce`` is told its address once it is up.

    Port 0 means any free one. Raises `PortTaken` if the port cannot be had.
    """
    try:
        server = Server((ADDRESS, port), Handler)
    except OSError as error:
        raise PortTaken(port, error) from error
    try:
        if announce:
            announce(f"http://{ADDRESS}:{server.server_port}/")
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
