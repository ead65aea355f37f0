"""What was said between a crawl and a server, as the content of WARC records, without secrets.

An answer and its request are stored as HTTP heads (RFC 9112), lines that nothing in a header can
break out of; what is known beside them as `application/warc-fields`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

from scraping.net.body import decoded
from scraping.net.response import Response
from scraping.records.warc import EMPTY_LINE, Record, line

LARGEST = 160 * 1024 * 1024  # bytes of a body once decoded, well above what is fetched
LONGEST_PATH = 250  # links from the start that are written out, a letter each
# What a client and a server say to know each other again is nobody's business later.
PRIVATE = re.compile(
    r"cookie|authoriz|authentic|auth-|csrf|xsrf|access-?token|api-?key|secret|session", re.I
)
NO_NAME = re.compile(r"[^\x21-\x39\x3b-\x7e]")  # what cannot stand in a header's name


def answer_head(response: Response) -> bytes:
    """The head of an answer, up to and with its empty line."""
    first = f"HTTP/1.1 {response.status} {line(response.reason)}"
    return _head(first, response.headers)


def request_head(response: Response) -> bytes:
    """The head of the request that was sent for this answer; nothing if none is known."""
    if not response.sent:
        return b""
    parts = urlsplit(response.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = list(response.sent)
    if not any(name.lower() == "host" for name, _ in headers):
        headers.insert(0, ("Host", parts.netloc))
    return _head(f"GET {line(target)} HTTP/1.1", headers)


def notes(response: Response, via: str, depth: int) -> bytes:
    """What is known beside an answer: where its link was, how far from the start, how long."""
    known = {
        "via": line(via),
        # Each L is a link that was followed, as crawlers write it; of a very long chain it is
        # left out.
        "hopsFromSeed": "L" * depth if depth <= LONGEST_PATH else "",
        "fetchTimeMs": f"{response.seconds * 1000:.0f}" if response.seconds else "",
    }
    text = "".join([f"{name}: {value}\r\n" for name, value in known.items() if value])
    return text.encode("utf-8", "replace")


def answer(record: Record, payload: bytes) -> Response:
    """The answer in a response record.

    Raises:
        ValueError: Its HTTP head or its compression cannot be read.
    """
    first, *lines = record.opening.removesuffix(EMPTY_LINE).decode("latin-1").split("\r\n")
    _, status, *reason = first.split(" ", 2)
    headers = [
        (name, value.strip(" \t")) for name, _, value in (one.partition(":") for one in lines)
    ]
    coding = ", ".join(value for name, value in headers if name.lower() == "content-encoding")
    return Response(
        url=record.field("WARC-Target-URI"),
        status=int(status),
        reason=reason[0] if reason else "",
        headers=headers,
        wire=payload,
        body=decoded(payload, coding, LARGEST),
        fetched=record.field("WARC-Date"),
    )


def _head(first: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [first]
    for name, value in headers:
        if kept := _kept(name):
            lines.append(f"{kept}: {line(value)}")
    text = "\r\n".join(lines)
    try:
        return text.encode("latin-1") + EMPTY_LINE  # as headers are read from the wire
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace") + EMPTY_LINE


@lru_cache(maxsize=512)
def _kept(name: str) -> str:
    """The name under which a header is kept; nothing for one that is not."""
    if PRIVATE.search(name):
        return ""
    # The chunks are undone; the header stays readable under the usual archival name.
    if name.lower() == "transfer-encoding":
        return "X-Archive-Orig-Transfer-Encoding"
    return NO_NAME.sub("_", name) or "_"
