"""What a browser recorded of its own requests: an HTTP archive (HAR 1.2), as its tools save it."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scraping.errors import printable
from scraping.sources.offered import Left, Offer, moment, offered

MOST_BYTES = 500 * 1024 * 1024  # of a file: all of it is read at once


def answers_in(path: Path) -> Iterator[Offer]:
    """Each answer in a HAR file, in the order of the recording."""
    if path.stat().st_size > MOST_BYTES:
        yield Left(path.name, f"larger than {MOST_BYTES:,} bytes")
        return
    try:
        data = json.loads(path.read_bytes())
    except RecursionError:
        yield Left(path.name, "JSON that is nested too deeply")
        return
    except (ValueError, MemoryError) as fault:
        yield Left(path.name, f"not JSON ({printable(fault, 80)})")
        return
    entries = _part(_part(data, "log"), "entries")
    if not isinstance(entries, list):
        yield Left(path.name, "JSON, and no recording: it has no log.entries")
        return
    changed = path.stat().st_mtime
    for entry in entries:
        yield _answer(entry, changed)


def _answer(entry: Any, changed: float) -> Offer:
    """One entry; a part of a wrong type counts as missing."""
    request, response = _part(entry, "request"), _part(entry, "response")
    url, status = _part(request, "url"), _part(response, "status")
    if not isinstance(url, str) or not isinstance(status, int):
        return Left("an entry", "no address or no status in it")
    content = _part(response, "content")
    method = _part(request, "method")
    body = _body(content)
    if isinstance(body, str) and 200 <= status < 300:
        return Left(url[:8_192], body)
    kind = _part(content, "mimeType")
    listed = _part(response, "headers")
    headers = [
        (name, value)
        for one in (listed if isinstance(listed, list) else [])
        if isinstance(name := _part(one, "name"), str)
        and isinstance(value := _part(one, "value"), str)
        and name.lower() != "content-type"
    ]
    if isinstance(kind, str) and kind:
        # A text stands here in Unicode, however it was sent.
        plain = _part(content, "encoding") != "base64"
        kind = f"{kind.partition(';')[0].strip()}; charset=utf-8" if plain else kind
        headers.append(("Content-Type", kind))
    words = _part(response, "statusText")
    return offered(
        url,
        status,
        headers,
        body if isinstance(body, bytes) else b"",
        fetched=moment(_part(entry, "startedDateTime"), changed),
        method=method if isinstance(method, str) else "no",
        words=words if isinstance(words, str) else "",
    )


def _body(content: Any) -> bytes | str:
    """The body, or why there is none."""
    text = _part(content, "text")
    if not isinstance(text, str):
        if _part(content, "size") == 0:
            return b""
        return "no body in the recording: save it with content, and with the page just loaded"
    if _part(content, "encoding") == "base64":
        try:
            return b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            return "a damaged body (not base64)"
    return text.encode("utf-8", "replace")


def _part(data: Any, name: str) -> Any:
    """A named part of a JSON object; None if there is none."""
    return data.get(name) if isinstance(data, dict) else None
