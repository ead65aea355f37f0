"""Connections that check whom they talk to and stop when time is up.

urllib3's connections and pools, changed in three places. A host's name is resolved in bounded
time, each of its addresses must be public or named by the project, and the number that was
checked is what is connected to. Every wait ends at one deadline for the whole request. And an
answer's headers are read here, within bounds of their own: http.client hands them to the e-mail
parser, which takes a NUL, a line without a colon or an early end for granted, at a fifth of the
cost of a request.
"""

from __future__ import annotations

import http.client
import io
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from scraping.errors import FetchFailed, Refused
from scraping.outcomes import Kind

CONNECT_SECONDS = 10.0  # to resolve a name, and again to reach one of its addresses
HEADER_BYTES = 256 * 1024  # of all headers of one answer
HEADER_LINES = 100
BUFFER = 64 * 1024

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052
COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1: IPv4 in IPv6, long given up
GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")  # all of IPv6 that was ever handed out
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2


class BadAnswer(ValueError):
    """An answer that no client can make sense of."""


class TooMuch(BadAnswer):
    """An answer that goes on and on, in whatever it is wrapped."""


def is_private(address: str) -> bool:
    """Whether an IP address is anything but a public one, also when wrapped in IPv6."""
    number = ipaddress.ip_address(address.split("%")[0])
    if isinstance(number, ipaddress.IPv4Address):
        return not number.is_global or number.is_multicast
    wrapped = number.ipv4_mapped or number.sixtofour
    if wrapped is None and (number in NAT64 or number in COMPATIBLE):
        wrapped = ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)
    if wrapped is not None:
        return is_private(str(wrapped))
    return number not in GLOBAL_UNICAST or not number.is_global


class Bounds:
    """What the running request may still take, for all that wait and read on its behalf."""

    def __init__(self) -> None:
        """No request is running."""
        self.ends = self.seconds = float("inf")
        self.silence = float("inf")  # seconds without a byte
        self.slowest = float("inf")  # bytes a second
        self.size = self.unread = 0  # bytes on the wire, chunks' frames and all

    def start(self, seconds: float, size: int, slowest: float = float("inf")) -> float:
        """Begin a request; the time by `time.monotonic`.

        Args:
            seconds: For all of it, and at most without a byte.
            size: Bytes on the wire.
            slowest: So many bytes that come give a second more.
        """
        now = time.monotonic()
        self.ends, self.seconds, self.silence = now + seconds, seconds, seconds
        self.slowest = slowest
        self.size = self.unread = size
        return now

    def take(self, size: int) -> None:
        """Count bytes that were read; TooMuch if they are more than there may be."""
        self.unread -= size
        self.ends += size / self.slowest
        if self.unread < 0:
            raise TooMuch(f"more than {self.size:,} bytes on the wire; reading was stopped")

    def left(self, at_most: float = float("inf")) -> float:
        """The seconds that a wait may take; TimeoutError if there are none."""
        left = min(self.ends - time.monotonic(), self.silence, at_most)
        if left <= 0:
            raise TimeoutError("the time for the whole request is up")
        return left

    @property
    def passed(self) -> bool:
        """Whether the whole time is used up (but for what a timer may be early)."""
        return time.monotonic() > self.ends - 0.01


class Guard:
    """Lets connections through to public addresses and to what the project named itself.

    Attributes:
        allowed: (host, port) pairs that may be private.
        bounds: Of the request that is running.
        url: What it asks for, to be named in errors.
        opened: Connections so far.
    """

    def __init__(self, allowed: Iterable[tuple[str, int]]) -> None:
        """Nothing is looked up yet."""
        self.allowed = set(allowed)
        self.bounds = Bounds()
        self.url, self.opened = "", 0

    def check(self, host: str, port: int, *, known: bool = False) -> list[tuple[str, int]]:
        """The host's addresses, none if it has none.

        Args:
            host: A name, or an IP address in any spelling.
            port: Where it is to be reached.
            known: Take private addresses, as for a proxy that the user set.

        Raises:
            Refused: One of the addresses is private, and the project did not name the host.
            FetchFailed: The name could not be resolved in time.
        """
        addresses = self._lookup(host, port)
        if known or (host, port) in self.allowed:
            return addresses
        for address, _ in addresses:
            if is_private(address):
                raise Refused(
                    self.url,
                    f"{host} is the private address {address}",
                    "Only what the project itself starts from may be private, and only by its "
                    f"number: if it is your own, start from http://{_in_address(address)}/.",
                    kind=Kind.PRIVATE,
                )
        return addresses

    def connect(self, host: str, port: int, *, known: bool = False) -> socket.socket:
        """A connection to one of the host's addresses, checked before anything is sent.

        The name is resolved once and the checked number is what is connected to, so a name that
        changes its mind between check and use (DNS rebinding) gains nothing.
        """
        self.opened += 1
        addresses = self.check(host, port, known=known)
        if not addresses:
            raise FetchFailed(self.url, f"no such host: {host}", retry=True, kind=Kind.UNREACHABLE)
        fault: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    address,
                    self.bounds.left(CONNECT_SECONDS),
                    socket_options=HTTPConnection.default_socket_options,
                )
            except OSError as refused:
                fault = refused
        assert fault is not None
        raise fault

    def _lookup(self, host: str, port: int) -> list[tuple[str, int]]:
        """What the system makes of a name; it has no time limit of its own, so it gets one."""
        if _is_literal(bare := host.rstrip(".")):
            return _resolved(bare, port)  # no server is asked; a proxy may see past a final dot
        if f".{host.lower().rstrip('.')}".endswith(".localhost"):
            # RFC 6761, 6.3; some systems resolve not all of its spellings, though a proxy may.
            return _resolved("localhost", port)
        seconds = self.bounds.left(CONNECT_SECONDS)
        found: SimpleQueue[list[tuple[str, int]]] = SimpleQueue()
        threading.Thread(
            target=lambda: found.put(_resolved(host, port)), daemon=True, name="resolver"
        ).start()
        try:
            return found.get(timeout=seconds)
        except Empty:
            raise FetchFailed(
                self.url,
                f"the name {host} was not resolved within {seconds:.3g} seconds",
                retry=True,
                kind=Kind.UNREACHABLE,
            ) from None


def _in_address(number: str) -> str:
    return f"[{number}]" if ":" in number else number


def _is_literal(host: str) -> bool:
    """Whether a host is a number already, in any of the forms that the system takes."""
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeError):
        return False
    return True


def _resolved(host: str, port: int) -> list[tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return [(str(where[0]), int(where[1])) for *_, where in found]


class _Ear(io.RawIOBase):
    """A socket to read from, each time for no longer than the bounds leave."""

    def __init__(self, connection: socket.socket, bounds: Bounds) -> None:
        self._connection, self._bounds = connection, bounds
        self._raw: Any = connection.makefile("rb", buffering=0)  # keeps the socket open

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._connection.settimeout(self._bounds.left())
        size = self._raw.readinto(buffer)
        self._bounds.take(size or 0)
        return size

    def makefile(self, mode: str) -> io.BufferedReader:
        """What http.client asks of a socket."""
        return io.BufferedReader(self, BUFFER)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """http.client's answer, with headers read and judged here (RFC 9112, 4 to 6)."""

    def begin(self) -> None:
        """Read status and headers, and settle how the body ends.

        Raises:
            BadAnswer: They are too long, cut short, impossible or contradict each other.
        """
        if self.headers is not None:
            return
        budget = HEADER_BYTES
        while True:
            version, status, reason = self._read_status()
            fields, budget = _read_headers(self.fp, budget)
            if not 100 <= status < 200:
                break  # anything before was an interim answer, such as 103 Early Hints
        if not version.startswith("HTTP/1."):
            raise BadAnswer(f"an answer in {version!r}, not HTTP/1.1")
        self.code = self.status = status
        self.reason = reason.strip()
        self.version = 10 if version == "HTTP/1.0" else 11
        self.fields = fields
        self.headers = self.msg = headers = HTTPHeaderDict(fields)
        self.chunked = _is_chunked(headers)
        self.chunk_left = None
        self.length = 0 if status in (204, 304) else None
        if self.length is None and not self.chunked:
            self.length = _length(headers)
        wishes = headers.get("Connection", "").lower()
        self.will_close = (
            "close" in wishes
            or (self.version == 10 and "keep-alive" not in wishes)
            or (self.length is None and not self.chunked)
        )


def _read_headers(lines: Any, budget: int) -> tuple[list[tuple[str, str]], int]:
    """The headers up to the empty line, and how many bytes of `budget` are left."""
    fields: list[tuple[str, str]] = []
    for _ in range(HEADER_LINES + 1):
        line = lines.readline(budget + 1)
        budget -= len(line)
        if budget < 0:
            raise BadAnswer(f"more than {HEADER_BYTES:,} bytes of headers")
        if line in (b"\r\n", b"\n"):
            return fields, budget
        if not line:
            raise http.client.IncompleteRead(b"")
        text = line.decode("latin-1").removesuffix("\n").removesuffix("\r")
        if "\0" in text or "\r" in text:
            raise BadAnswer("a header with a NUL or a bare carriage return in it")
        name, colon, value = text.partition(":")
        if text[:1] in (" ", "\t") and fields:  # a folded line goes on (RFC 9112, 5.2)
            fields[-1] = (fields[-1][0], f"{fields[-1][1]} {text.strip()}")
        elif colon and TOKEN.fullmatch(name := name.strip(" \t")):
            fields.append((name, value.strip(" \t")))
        # Any other line is no header; browsers pass over it too.
    raise BadAnswer(f"more than {HEADER_LINES} headers")


def _is_chunked(headers: HTTPHeaderDict) -> bool:
    coding = headers.get("Transfer-Encoding", "").strip().lower()
    if coding not in ("", "identity", "chunked"):
        raise BadAnswer(f"Transfer-Encoding is {coding!r}, which was not asked for")
    return coding == "chunked"


def _length(headers: HTTPHeaderDict) -> int | None:
    """The announced length; a list of equal numbers counts as one (RFC 9112, 6.3)."""
    announced = headers.get("Content-Length")
    if announced is None:
        return None
    lengths = {part.strip() for part in announced.split(",")}
    first = lengths.pop()
    if lengths or not first.isascii() or not first.isdecimal() or len(first) > 18:
        raise BadAnswer(f"Content-Length is {announced!r}, not a number of bytes")
    return int(first)


class Head(HTTPResponse):
    """urllib3's response, and the headers as they came: in order, each by itself."""

    fields: list[tuple[str, str]]


class GuardedAdapter(HTTPAdapter):
    """requests' own adapter over connections that a `Guard` watches."""

    def __init__(self, guard: Guard) -> None:
        """One connection, kept."""
        self._pools = _pools(guard)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *settings: Any, **more: Any) -> None:
        """Use the guarded pools."""
        super().init_poolmanager(*settings, **more)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        """Use the guarded pools towards a proxy too."""
        manager = super().proxy_manager_for(proxy, **more)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(guard: Guard) -> dict[str, Any]:
    """Connection pools whose connections this guard watches."""

    def listen(connection: socket.socket, **more: Any) -> _Answer:
        return _Answer(_Ear(connection, guard.bounds), **more)  # ty: ignore[invalid-argument-type]

    class Guarded:
        """Resolves and reads through the guard."""

        response_class: Any = staticmethod(listen)

        def _new_conn(self: Any) -> socket.socket:
            # A proxy is the user's own choice and often private; what it is asked for is checked
            # before (see `Fetcher`).
            return guard.connect(self._dns_host, self.port, known=self.proxy is not None)

        def getresponse(self: Any) -> Any:
            answer: Any = http.client.HTTPConnection.getresponse(self)
            head = Head(
                body=answer,
                headers=answer.headers,
                status=answer.status,
                reason=answer.reason,
                preload_content=False,
                decode_content=False,
                original_response=answer,
                request_method="GET",
            )
            head.fields = answer.fields
            return head

    class Plain(Guarded, HTTPConnection):
        pass

    class Secure(Guarded, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain  # ty: ignore[invalid-assignment]

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure  # ty: ignore[invalid-assignment]

    return {"http": PlainPool, "https": SecurePool}
