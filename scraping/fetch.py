"""One request with every bound: bytes, seconds, redirects, addresses, codings.

`Fetcher.get` asks for one address and follows nothing; `follow` walks redirects by asking a
function for each hop, so that every hop passes the same manners as a link does. requests and
urllib3 do the talking; the connection class here resolves, checks and pins the address itself.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_environ_proxies, select_proxy
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from scraping.body import BadBody, decoded
from scraping.errors import FetchFailed, Refused, ScrapingError
from scraping.frontier import resolve

MAX_BYTES = 20 * 1024 * 1024  # of one body, on the wire and again once decoded
SECONDS = 60.0  # for one request, from the first packet to the last byte
CONNECT_SECONDS = 10.0
MAX_REDIRECTS = 10
PIECE = 64 * 1024
SANDBOX = "sandbox"  # the practice site's host, wherever its server listens
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

    Raises:
        FetchFailed: The chain is a loop or longer than `MAX_REDIRECTS`; it is named.
    """
    hops = [url]
    while (response := get(hops[-1])).location:
        target = str(response.location)
        hops.append(target)
        if target in hops[:-1]:
            raise FetchFailed(url, f"redirect loop: {' → '.join(hops)}")
        if len(hops) > MAX_REDIRECTS + 1:
            raise FetchFailed(url, f"more than {MAX_REDIRECTS} redirects; the last: {target}")
    return response


class Fetcher:
    """Asks for one address after another, over connections that are kept.

    Args:
        user_agent: Who is asking.
        allowed: (host, port) pairs that may be private: what the project named itself.
        seconds: For one request in all.
        max_bytes: Of one body, on the wire and once decoded.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        allowed: Iterable[tuple[str, int]] = (),
        seconds: float = SECONDS,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """Nothing is sent before the first `get`."""
        self.seconds, self.max_bytes = seconds, max_bytes
        self.allowed = set(allowed)
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Encoding": "gzip",
        }
        self._url = ""  # what is being asked for, to be named in errors
        self._deadline = _Deadline(seconds)
        self._adapter = _Adapter(self)
        self._proxies: dict[str, dict[str, str]] = {}  # by scheme and host: looking is slow
        self._verify = os.environ.get("REQUESTS_CA_BUNDLE") or True

    def close(self) -> None:
        """Let the connections go."""
        self._deadline.close()
        self._adapter.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """The answer of one address, whatever its status; redirects are not followed.

        Raises:
            Refused: Not http or https, or the host's address is private; nothing was sent.
            FetchFailed: No complete answer within the bounds.
        """
        request = requests.PreparedRequest()
        request.method = "GET"
        request.headers = CaseInsensitiveDict({**self._headers, **(headers or {})})
        request.url = self._wire_url(url, request.headers)
        request.hooks = {"response": []}
        self._url = url
        self._deadline.start()
        try:
            return self._exchange(url, request)
        except ScrapingError:
            raise
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            HTTPException,
            OSError,
            ValueError,
        ) as fault:
            if self._deadline.expired:
                reason = f"no complete answer within {self.seconds:g} seconds"
            else:
                reason = _plain(fault)
            raise FetchFailed(url, reason, retry=not isinstance(fault, ValueError)) from fault
        finally:
            self._deadline.stop()

    def _exchange(self, url: str, request: requests.PreparedRequest) -> Response:
        """Send the request, read the whole answer, check that it is whole."""
        patience = (min(CONNECT_SECONDS, self.seconds), self.seconds)
        answer = self._adapter.send(
            request,
            stream=True,
            timeout=patience,
            verify=self._verify,
            proxies=self._proxies_for(str(request.url)),
        )
        raw = answer.raw
        try:
            headers = list(raw.headers.items())
            wire = self._read(url, raw)
        except BaseException:
            raw.close()
            raise
        try:
            body = decoded(wire, raw.headers.get("Content-Encoding", ""), self.max_bytes)
        except BadBody as fault:
            raise FetchFailed(url, str(fault), retry="bytes once" not in str(fault)) from None
        fetched = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return Response(url, raw.status, raw.reason or "", headers, wire, body, fetched)

    def _read(self, url: str, raw: Any) -> bytes:
        """The body as sent, at most `max_bytes`; urllib3 checks length and chunks."""
        announced = raw.headers.get("Content-Length", "").strip()
        if announced and not announced.isdecimal():
            raise FetchFailed(url, f"Content-Length is {announced!r}, not a number of bytes")
        if announced and int(announced) > self.max_bytes:
            raise FetchFailed(
                url, f"{int(announced):,} bytes announced; the limit is {self.max_bytes:,}"
            )
        pieces, size = [], 0
        for piece in raw.stream(PIECE, decode_content=False):
            pieces.append(piece)
            size += len(piece)
            if size > self.max_bytes:
                raise FetchFailed(url, f"more than {self.max_bytes:,} bytes; reading was stopped")
        if self._deadline.expired:
            # A connection cut by the deadline looks like a body that ends without a length.
            raise FetchFailed(
                url, f"no complete answer within {self.seconds:g} seconds", retry=True
            )
        return b"".join(pieces)

    def _wire_url(self, url: str, headers: CaseInsensitiveDict) -> str:
        """The address to connect to: the practice site's is wherever its server listens."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Refused(url, f"not an http or https address: {parts.scheme or 'no scheme'}")
        if parts.hostname != SANDBOX:
            return url
        from scraping import sandbox

        port = sandbox.port()
        self.allowed.add(("127.0.0.1", port))
        headers["Host"] = SANDBOX
        return parts._replace(scheme="http", netloc=f"127.0.0.1:{port}").geturl()

    def _proxies_for(self, wire_url: str) -> dict[str, str]:
        """The environment's proxies for this address; none for what the project named private."""
        parts = urlsplit(wire_url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._proxies:
            host, port = parts.hostname or "", parts.port or _default_port(parts.scheme)
            proxies = {} if (host, port) in self.allowed else get_environ_proxies(wire_url)
            self._proxies[origin] = proxies if select_proxy(wire_url, proxies) else {}
        if self._proxies[origin]:
            # The proxy resolves the name; refuse at least what can be seen to be private here.
            self._check(parts.hostname or "", parts.port or _default_port(parts.scheme))
        return self._proxies[origin]

    def _check(self, host: str, port: int) -> list[tuple[str, int]]:
        """The host's addresses, all of them public or named by the project."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return []
        addresses = [(str(where[0]), int(where[1])) for *_, where in found]
        if (host, port) not in self.allowed:
            for address, _ in addresses:
                if is_private(address):
                    raise Refused(
                        self._url,
                        f"{host} is the private address {address}",
                        "Only an address that the project itself starts from may be private.",
                    )
        return addresses

    def connect(self, host: str, port: int, timeout: Any) -> socket.socket:
        """A connection to one of the host's addresses, checked before anything is sent.

        The name is resolved once and the checked number is what is connected to, so a name that
        changes its mind between check and use (DNS rebinding) gains nothing.
        """
        addresses = self._check(host, port)
        if not addresses:
            raise FetchFailed(self._url, f"no such host: {host}", retry=True)
        fault: OSError | None = None
        for address in addresses:
            try:
                return create_connection(
                    address, timeout, socket_options=HTTPConnection.default_socket_options
                )
            except OSError as refused:
                fault = refused
        assert fault is not None
        raise fault

    def guard(self, connection: socket.socket | None) -> None:
        """Put this connection under the running request's deadline."""
        self._deadline.connection = connection


def is_private(address: str) -> bool:
    """Whether an IP address is anything but a public one, also when wrapped in IPv6."""
    number = ipaddress.ip_address(address.split("%")[0])
    if isinstance(number, ipaddress.IPv6Address):
        if number in ipaddress.ip_network("64:ff9b::/96"):  # NAT64, RFC 6052
            return is_private(str(ipaddress.IPv4Address(int(number) & 0xFFFFFFFF)))
        wrapped = number.ipv4_mapped or number.sixtofour
        if wrapped is not None:
            return is_private(str(wrapped))
    return not number.is_global or number.is_multicast


class _Deadline:
    """Shuts the connection of a request that runs past its time, however it drips."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.connection: socket.socket | None = None
        self.expired = False
        self._ends = float("inf")
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, daemon=True, name="deadline")
            self._thread.start()
        with self._lock:
            self.connection, self.expired = None, False
            self._ends = time.monotonic() + self.seconds

    def stop(self) -> None:
        with self._lock:
            self._ends = float("inf")

    def close(self) -> None:
        self._closed.set()

    def _watch(self) -> None:
        while not self._closed.wait(min(0.5, self.seconds / 20)):
            with self._lock:
                if time.monotonic() > self._ends and self.connection is not None:
                    self.expired = True
                    self._ends = float("inf")
                    # Past TLS, straight to the socket: no farewell, the reader wakes at once.
                    with suppress(OSError):
                        socket.socket.shutdown(self.connection, socket.SHUT_RDWR)


class _Adapter(HTTPAdapter):
    """requests' own adapter over connections that check and pin their address."""

    def __init__(self, fetcher: Fetcher) -> None:
        self._pools = _pools(fetcher)
        super().__init__(pool_connections=16, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *settings: Any, **more: Any) -> None:
        super().init_poolmanager(*settings, **more)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **more: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **more)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pools(fetcher: Fetcher) -> dict[str, Any]:
    """Connection pools whose connections belong to this fetcher."""

    class Guarded:
        """Resolves through the fetcher and stands under its deadline."""

        def _new_conn(self: Any) -> socket.socket:
            if self.proxy is not None:
                return super()._new_conn()
            return fetcher.connect(self._dns_host, self.port, self.timeout)

        def getresponse(self: Any) -> Any:
            fetcher.guard(self.sock)
            return super().getresponse()

    class Plain(Guarded, HTTPConnection):
        pass

    class Secure(Guarded, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain  # ty: ignore[invalid-assignment]

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure  # ty: ignore[invalid-assignment]

    return {"http": PlainPool, "https": SecurePool}


def _default_port(scheme: str) -> int:
    return 443 if scheme == "https" else 80


def _plain(fault: BaseException) -> str:
    """The innermost reason of a nest of library errors, in a few words."""
    seen = fault
    while True:
        inner = next(
            (
                part
                for part in (getattr(seen, "reason", None), *reversed(seen.args), seen.__cause__)
                if isinstance(part, BaseException)
            ),
            None,
        )
        if inner is None:
            break
        seen = inner
    words = {
        ConnectionRefusedError: "connection refused",
        ConnectionResetError: "connection reset",
        TimeoutError: "no answer in time",
    }
    for kind, text in words.items():
        if isinstance(seen, kind):
            return text
    return f"{type(seen).__name__}: {seen}" if str(seen) else type(seen).__name__
