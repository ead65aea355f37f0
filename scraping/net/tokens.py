"""Secrets for one host: taken from environment variables, sent to it alone, kept off the disk.

    crawl("https://api.example.org/v1/birds?key=$BIRDS_KEY", …)
    crawl("https://api.example.org/v1/birds", headers={"Authorization": "Bearer $BIRDS_TOKEN"}, …)

`$NAME` stands for the variable's value only on the way out; wherever the value comes back (in a
link, a redirect, a body), `$NAME` is put in its place, so that code, archive, frontier and
messages never hold it.
"""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import overload
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from scraping.errors import Misuse, printable

NAME = re.compile(r"(?:\$|%24)([A-Z][A-Z0-9_]*)")  # also as a canonical address spells it
SHORTEST = 8  # characters: anything shorter could not be told from a page's ordinary text
SECRET_LOOKING = 16  # characters of a parameter's value: a sort key is shorter
SECRET_HEADERS = re.compile(r"auth|cookie|token|secret|password|credential|session|api-?key", re.I)
SECRET_PARAMETERS = re.compile(
    r"(?:(?:access|auth|refresh|id|api|private|secret|client)[-_]?)?(?:token|secret|password|key)",
    re.I,
)
NEVER_NOTED = frozenset({"authorization", "proxy-authorization", "cookie"})


class Tokens:
    """The secrets of one host and where they go.

    Args:
        headers: Sent with each request to the host; `$NAME` stands for a variable's value.
        host: The address of the host, such as the crawl's start: its scheme, name and port count,
            and a `$NAME` in it is a secret too.

    Raises:
        Misuse: A secret is written out, or a variable is not set or too short to be one.
    """

    def __init__(self, headers: Mapping[str, str] | None = None, *, host: str) -> None:
        """Look the variables up, once."""
        self.headers = dict(headers or {})
        self._origin = _origin(host)
        _refuse_literals(self.headers, host)
        names = {name for text in (*self.headers.values(), host) for name in NAME.findall(text)}
        self._values = {name: _value(name) for name in sorted(names)}
        # Longer values first: one may be a part of another.
        spellings = {
            spelling: f"${name}"
            for name, value in self._values.items()
            for spelling in _spellings(value)
        }
        ordered = sorted(spellings.items(), key=lambda pair: -len(pair[0]))
        self._hidden = [(text, text.encode(), name, name.encode()) for text, name in ordered]

    def __repr__(self) -> str:
        """The names alone."""
        return f"Tokens({self.headers!r}, host={self._origin!r})"

    def is_for(self, url: str) -> bool:
        """Whether the address is on the one host (scheme, name and port) that may see them."""
        return _origin(url) == self._origin

    def fill(self, text: str) -> str:
        """The text with each known `$NAME` replaced by its value, to be sent and never kept."""
        return NAME.sub(lambda found: self._values.get(found[1], found[0]), text)

    def fill_url(self, url: str) -> str:
        """The address with each known `$NAME` replaced by its value, quoted for addresses."""
        return NAME.sub(
            lambda found: (
                quote(self._values[found[1]], safe="") if found[1] in self._values else found[0]
            ),
            url,
        )

    @overload
    def hide(self, text: str) -> str: ...
    @overload
    def hide(self, text: bytes) -> bytes: ...
    def hide(self, text: str | bytes) -> str | bytes:
        """The text or bytes with `$NAME` wherever its value appears, in any usual spelling."""
        for value, value_bytes, name, name_bytes in self._hidden:
            if isinstance(text, str):
                text = text.replace(value, name)
            else:
                text = text.replace(value_bytes, name_bytes)
        return text

    def hide_in(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The pieces of one body with values hidden, also those that lie across two pieces."""
        overlap = max((len(value) for _, value, *_ in self._hidden), default=1) - 1
        held = b""
        for piece in pieces:
            held = self.hide(held + piece)
            if len(held) > overlap:
                yield held[: len(held) - overlap]
                held = held[len(held) - overlap :]
        yield held


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return parts.scheme, (parts.hostname or "").rstrip("."), port


def _refuse_literals(headers: Mapping[str, str], host: str) -> None:
    """Misuse for a secret that is written out; it is not repeated in the message."""
    parts = urlsplit(host)
    if "@" in parts.netloc:
        raise Misuse(
            f"the start address on {printable(parts.hostname)} carries a user name or password.\n"
            'Put it in an environment variable: headers={"Authorization": "Basic $MY_LOGIN"}.'
        )
    for name, value in headers.items():
        if SECRET_HEADERS.search(name) and not NAME.search(value):
            raise Misuse(
                f"the header {printable(name)} carries a secret that is written out; it would "
                "end up in your repository.\nPut it in an environment variable and name that: "
                f'headers={{"{printable(name)}": "$MY_TOKEN"}}.'
            )
    for name, value in parse_qsl(parts.query):
        secret = SECRET_PARAMETERS.fullmatch(name) and len(value) >= SECRET_LOOKING
        if secret and not NAME.search(value):
            raise Misuse(
                f"the start address carries the secret {printable(name)}=…, written out; it "
                "would end up in your repository.\nPut it in an environment variable and name "
                f"that: {printable(name)}=$MY_TOKEN."
            )


def _value(name: str) -> str:
    """The variable's value; Misuse if it cannot be a secret. The value is never shown."""
    value = os.environ.get(name, "").strip()
    if not value:
        raise Misuse(
            f"${name} stands for an environment variable, and {name} is not set.\n"
            f"Set it where you run this, for example: export {name}=…"
        )
    if len(value) < SHORTEST or not value.isascii() or not value.isprintable():
        raise Misuse(
            f"the environment variable {name} has {len(value)} characters; a secret has at least "
            f"{SHORTEST}, all of them printable ASCII.\nSet it anew, for example: export {name}=…"
        )
    return value


def _spellings(value: str) -> set[str]:
    """The value as it may come back in an address, in HTML or in JSON."""
    quoted = {quote(value, safe=""), quote(value), quote_plus(value)}
    lower = {re.sub("%..", lambda found: found[0].lower(), text) for text in quoted}
    in_json = json.dumps(value)[1:-1]
    return {value, *quoted, *lower, html.escape(value), in_json, in_json.replace("/", "\\/")}
