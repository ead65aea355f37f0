"""One request with every bound: bytes, seconds, redirects, addresses, types, codings.

requests finds proxies and certificates and urllib3 does the talking, over the connections of
`connection.py`. A redirect is an answer like any other: see `follow`.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests
from requests.utils import get_environ_proxies, select_proxy
from urllib3.exceptions import ProtocolError

from scraping.errors import FetchFailed, Misuse, Refused, ScrapingError
from scraping.net import saving
from scraping.net.body import BadBody, decoded
from scraping.net.connection import BUFFER, HEADER_BYTES, Guard, GuardedAdapter, is_private
from scraping.net.faults import FAULTS, explained, innermost
from scraping.net.response import REDIRECTS, Response, follow
from scraping.net.tokens import NEVER_NOTED, Tokens
from scraping.outcomes import Kind

__all__ = ["ANYTHING", "PAGES", "REDIRECTS", "Fetcher", "Response", "follow", "is_private"]

MAX_BYTES = 20 * 1024 * 1024  # of one body, on the wire and again once decoded
SECONDS = 60.0  # for one request, from the first packet to the last byte
PIECE = 64 * 1024
MANY_PIECES = 50_000  # of one body: from here on they must be on average …
SMALL_PIECE = 64  # … so many bytes; a chunk costs the same time whatever its size
SLOWEST = 100_000  # bytes a second, below which a download is given up
MOST_ORIGINS = 16  # hosts whose connection is kept
SANDBOX = "sandbox"  # the practice site's host, wherever its server listens
MORE_PAGES = frozenset(
    {
        "",  # unsaid: it is read and seen
        "application/json",
        "application/xml",
        "application/gzip",  # a sitemap may be packed
        "application/x-gzip",
    }
)

Kinds = Callable[[str], bool]  # whether a content type, such as "text/html", is wanted


@lru_cache(maxsize=256)
def _is_page(content_type: str) -> bool:
    return (
        content_type.startswith("text/")
        or content_type.endswith(("+xml", "+json"))
        or content_type in MORE_PAGES
    )


def _is_anything(content_type: str) -> bool:
    return True


PAGES: Kinds = _is_page  # what a page, an API's answer or a sitemap may be
ANYTHING: Kinds = _is_anything


def is_sandbox(host: str) -> bool:
    """Whether a host's name is the practice site's, or that of one of its rude hosts."""
    return host == SANDBOX or host.endswith(f".{SANDBOX}")


@dataclass
class _Origin:
    """One scheme, host and port, and the way there."""

    adapter: GuardedAdapter
    pool: Any  # urllib3's, with its one connection
    prefix: str  # what goes before the path: nothing, or all of it for a plain proxy
    headers: dict[str, str]  # of every request, Host first


class Fetcher:
    """Asks for one address after another, over connections that are kept; not for two threads.

    Args:
        user_agent: Who is asking.
        allowed: (host, port) pairs that may be private: what the project named itself.
        seconds: For one request in all.
        max_bytes: Of one body, on the wire and once decoded.
        tokens: Secrets for one host.
    """

    def __init__(
        self,
        user_agent: str,
        *,
        allowed: Iterable[tuple[str, int]] = (),
        seconds: float = SECONDS,
        max_bytes: int = MAX_BYTES,
        tokens: Tokens | None = None,
    ) -> None:
        """Nothing is sent before the first `get`."""
        self.seconds, self.max_bytes, self.tokens = seconds, max_bytes, tokens
        self._guard = Guard(allowed)
        self._headers = {
            "User-Agent": user_agent,
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Encoding": "gzip",
        }
        self._origins: dict[str, _Origin] = {}  # by scheme and netloc; the last used is last
        self._verify = (
            os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
        )

    def close(self) -> None:
        """Let the connections go."""
        while self._origins:
            self._origins.popitem()[1].adapter.close()

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, kinds: Kinds | None = None
    ) -> Response:
        """The answer of one address, whatever its status; redirects are not followed.

        Args:
            url: An http or https address; a `$NAME` in it may be one of the tokens'.
            headers: Sent beside the usual ones.
            kinds: The content types that are wanted of a successful answer, as `PAGES`; all if
                not said.

        Raises:
            Refused: Not http or https, or the host's address is private: nothing was sent. Or
                the answer is of another content type: its body was not read.
            FetchFailed: No complete answer within the bounds.
        """
        begun = self._guard.bounds.start(self.seconds, _on_wire(self.max_bytes))
        raw = None
        try:
            raw, sent = self._open(url, headers or {})
            if kinds is not None:
                self._check_kind(url, raw, kinds)
            wire, body = self._read(url, raw)
        except BaseException as fault:
            self._give_up(url, raw, fault)
        return self._response(url, raw, wire, body, sent, begun)

    def save(
        self,
        url: str,
        path: Path,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """The answer of one address, its body written to a file as it comes; `wire` stays empty.

        The file is written aside, made durable and put in place when it is whole; its compression,
        if it came with one all the same, is undone. A status other than 200 writes no file; its
        body is in the answer. The time allowed is that of a page, and more with each byte that
        comes; a silence may last as long as a page may take.

        Raises:
            Refused, FetchFailed: As `get`; no file is left behind.
            Partial: The file cannot be written.
        """
        begun = self._guard.bounds.start(self.seconds, _on_wire(max_bytes), SLOWEST)
        raw, body = None, b""
        aside = path.with_name(f"{path.name}.part")
        try:
            raw, sent = self._open(url, {"Accept-Encoding": "identity", **(headers or {})})
            if raw.status == 200:
                coding = raw.headers.get("Content-Encoding", "")
                pieces = saving.unpacked(_pieces(url, raw, max_bytes), coding, max_bytes)
                saving.write(aside, self.tokens.hide_in(pieces) if self.tokens else pieces)
                aside.replace(path)
            else:
                body = self._read(url, raw)[1]
        except BaseException as fault:
            with suppress(OSError):
                aside.unlink(missing_ok=True)
            self._give_up(url, raw, fault)
        answer = self._response(url, raw, b"", body, sent, begun)
        return saving.described(answer, path) if raw.status == 200 else answer

    def _open(self, url: str, more: Mapping[str, str]) -> tuple[Any, list[tuple[str, str]]]:
        """The answer's head, its body still to be read; and the headers sent, without secrets."""
        self._guard.url = url
        try:
            scheme, netloc, path, query, _ = urlsplit(url)
        except ValueError as fault:
            raise Refused(url, f"not an address: {fault}", kind=Kind.SCHEME) from None
        origin = self._origins.pop(f"{scheme}://{netloc}", None) or self._new_origin(url)
        self._origins[f"{scheme}://{netloc}"] = origin
        target = f"{origin.prefix}{path or '/'}?{query}" if query else origin.prefix + (path or "/")
        headers = {**origin.headers, **more}
        sent = headers.items()
        if self.tokens is not None and self.tokens.is_for(url):
            target = self.tokens.fill_url(target)
            sent = (headers | self.tokens.headers).items()
            headers |= {name: self.tokens.fill(text) for name, text in self.tokens.headers.items()}
        opened = self._guard.opened
        try:
            raw = self._ask(origin, target, headers)
        except ProtocolError as fault:
            reused = self._guard.opened == opened
            if not (reused and isinstance(innermost(fault), ConnectionError)):
                raise
            # The server let go of the kept connection while the request was under way: that says
            # nothing of the request (RFC 9112, 9.3.1).
            raw = self._ask(origin, target, headers)
        return raw, [pair for pair in sent if pair[0].lower() not in NEVER_NOTED]

    def _ask(self, origin: _Origin, target: str, headers: dict[str, str]) -> Any:
        return origin.pool.urlopen(
            "GET",
            target,
            headers=headers,
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
            timeout=self._guard.bounds.left(),
        )

    def _read(self, url: str, raw: Any) -> tuple[bytes, bytes]:
        """The body as sent, and with its compression undone."""
        whole = io.BytesIO()  # a list of a million pieces would be many times their size
        for piece in _pieces(url, raw, self.max_bytes):
            whole.write(piece)
        wire = whole.getvalue()
        return wire, decoded(wire, raw.headers.get("Content-Encoding", ""), self.max_bytes)

    def _new_origin(self, url: str) -> _Origin:
        """The way to an address's host; the practice site's is wherever its server listens."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https") or not host:
            reason = f"not an http or https address: {parts.scheme or 'no scheme'}"
            raise Refused(url, reason, kind=Kind.SCHEME)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError as fault:
            raise Refused(url, f"not an address: {fault}", kind=Kind.SCHEME) from None
        base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        headers = {"Host": base.partition("//")[2], **self._headers}
        if is_sandbox(host):
            from scraping import sandbox

            port = sandbox.port()
            base = f"http://127.0.0.1:{port}"
            self._guard.allowed.add(("127.0.0.1", port))
            proxies = {}
        elif (host, port) in self._guard.allowed:
            proxies = {}
        else:
            proxies = get_environ_proxies(base)
        proxy = select_proxy(base, proxies)
        if proxy and proxy.lower().startswith("socks"):
            raise Misuse(
                f"the proxy for {base} is a SOCKS proxy, over which addresses cannot be checked.\n"
                "Set http_proxy and https_proxy to one that speaks HTTP, or name the host in "
                "no_proxy."
            )
        if proxy:
            # The proxy resolves the name; refuse at least what can be seen to be private here.
            with suppress(FetchFailed):
                self._guard.check(host, port)
        request = requests.PreparedRequest()
        request.url = base
        adapter = GuardedAdapter(self._guard)
        pool = adapter.get_connection_with_tls_context(request, self._verify, proxies)
        adapter.cert_verify(pool, base, self._verify, None)
        while len(self._origins) >= MOST_ORIGINS:
            self._origins.pop(next(iter(self._origins))).adapter.close()
        tunnelled = parts.scheme == "https"
        return _Origin(adapter, pool, "" if not proxy or tunnelled else base, headers)

    def _response(
        self,
        url: str,
        raw: Any,
        wire: bytes,
        body: bytes,
        sent: list[tuple[str, str]],
        begun: float,
    ) -> Response:
        """What came, with every secret taken out of it again."""
        headers = raw.fields
        reason = raw.reason or ""
        if self.tokens is not None:
            hide = self.tokens.hide
            headers = [(name, hide(value)) for name, value in headers]
            reason, hidden = hide(reason), hide(body)
            if hidden != body:
                # The wire body may be packed: what is kept of it is the plain one, and says so.
                framing = ("content-encoding", "content-length")
                headers = [pair for pair in headers if pair[0].lower() not in framing]
                headers.append(("Content-Length", str(len(hidden))))
                wire, body = hidden if wire else wire, hidden
        fetched = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        seconds = time.monotonic() - begun
        return Response(url, raw.status, reason, headers, wire, body, fetched, sent, seconds)

    def _give_up(self, url: str, raw: Any, fault: BaseException) -> NoReturn:
        """Drop the connection and say in our own words what went wrong."""
        if raw is not None:
            raw.close()
        if isinstance(fault, BadBody):
            kind = Kind.TOO_LARGE if fault.too_large else Kind.BROKEN
            reason = self._hidden(str(fault))
            raise FetchFailed(url, reason, retry=not fault.too_large, kind=kind) from None
        if not isinstance(fault, FAULTS) or isinstance(fault, ScrapingError):
            raise fault
        reason, kind, retry = explained(fault, answered=raw is not None)
        bounds = self._guard.bounds
        if bounds.passed:
            reason = f"no complete answer within {bounds.seconds:g} seconds"
            if bounds.slowest < float("inf"):
                reason += f" and one more for each {bounds.slowest:,} bytes"
            kind, retry = Kind.UNREACHABLE, True
        raise FetchFailed(url, self._hidden(reason), retry=retry, kind=kind) from fault

    def _check_kind(self, url: str, raw: Any, kinds: Kinds) -> None:
        """Refuse a successful answer of a type that is not wanted, before its body is read."""
        if not 200 <= raw.status < 300:
            return
        said = self._hidden(raw.headers.get("Content-Type", ""))
        content_type = said.partition(";")[0].strip().lower()
        if not kinds(content_type):
            raise Refused(url, f"its content type is {content_type}", kind=Kind.CONTENT_TYPE)

    def _hidden(self, text: str) -> str:
        """What a server said, for a message: without secrets."""
        return text if self.tokens is None else self.tokens.hide(text)


def _pieces(url: str, raw: Any, limit: int) -> Iterator[bytes]:
    """The body as sent, at most `limit` bytes; urllib3 checks length and chunks."""
    if raw.status in (204, 304) and raw.chunked:
        raw.close()  # such an answer has no body, and no chunk to wait for (RFC 9112, 6.3)
        return
    announced = raw.length_remaining
    if announced and announced > limit:
        reason = f"{announced:,} bytes announced; the limit is {limit:,}"
        raise FetchFailed(url, reason, kind=Kind.TOO_LARGE)
    size = 0
    for count, piece in enumerate(raw.stream(PIECE, decode_content=False)):
        size += len(piece)
        if size > limit:
            reason = f"more than {limit:,} bytes; reading was stopped"
            raise FetchFailed(url, reason, kind=Kind.TOO_LARGE)
        if count > MANY_PIECES and size < count * SMALL_PIECE:
            reason = f"a body in {count:,} pieces of a few bytes; reading was stopped"
            raise FetchFailed(url, reason, kind=Kind.TOO_LARGE)
        yield piece


def _on_wire(limit: int) -> int:
    """The most bytes to take in for a body of so many: chunks have frames, answers headers."""
    return 2 * limit + HEADER_BYTES + BUFFER
