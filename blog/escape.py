"""Text from elsewhere made harmless where it enters a page.

In Markdown no clever escaping holds: HTML, links, attribute lists and tables each have their own
meta-characters. A numeric entity is plain text to all of them, so every ASCII character that is
neither letter nor digit becomes one.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

# What Unicode keeps free for ever, and HTML forbids: the last two characters of every plane.
_NEVER = "".join(
    map(chr, (p + end for p in range(0, 0x110000, 0x10000) for end in (0xFFFE, 0xFFFF)))
)
# Control characters, and the marks that reorder the text around them.
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0-\ufdef\ufeff"
    rf"{_NEVER}]"
)


def text(value: str) -> str:
    """The value in one line, without control characters, reordering marks, halves of characters."""
    value = _INVISIBLE.sub("", value.encode("utf-8", "ignore").decode())
    return re.sub(r"\s+", " ", value)


def markdown(value: str) -> str:
    """Text that means nothing but itself in Markdown, in a table cell and in HTML."""
    return re.sub(r"[!-/:-@\[-`{-~]", lambda match: f"&#{ord(match[0])};", text(value))


def sentence(value: str, harmless: Callable[[str], str] = markdown) -> str:
    """A sentence in which what stands between two single backticks is shown as code.

    Code and the rest mean only themselves: a title that was scraped may stand in either.
    ``harmless`` escapes them for the page they are for: :func:`markdown`, or :func:`attribute` for
    HTML.
    """
    parts = [harmless(part) for part in re.split(r"(?<!`)`([^`]+)`(?!`)", text(value))]
    parts[1::2] = [f"<code>{part}</code>" for part in parts[1::2]]
    return "".join(parts)


def attribute(value: str) -> str:
    """Text for an HTML attribute in double quotes, or for the inside of an element."""
    return html.escape(text(value), quote=True)


def xml(value: str) -> str:
    """Text for the inside of an XML element or an attribute in double quotes.

    XML knows no named entities but five, and no control characters at all.
    """
    allowed = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text(value))
    return html.escape(allowed, quote=True)


def script(value: Any) -> str:
    """A plain value as JSON that cannot end the script element it stands in."""
    told = json.dumps(value, ensure_ascii=False)
    return told.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def bibtex(value: str) -> str:
    """Text for a field in braces: no brace left open, no command begun."""
    named = {"\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "~": "\\textasciitilde{}"}
    named |= {"^": "\\textasciicircum{}"} | {sign: f"\\{sign}" for sign in "&%$#_"}
    return "".join(named.get(letter, letter) for letter in text(value))


def address(value: str) -> str | None:
    """A web address safe as the target of a Markdown link; None for any other scheme."""
    value = text(value)
    if not re.match(r"https?://[^/]", value, re.IGNORECASE):
        return None
    return quote(value, safe="/:?=&%#,;+@~.-_").replace("&", "&amp;")


def file_name(value: str) -> str:
    """A name of letters, digits, ``-`` and ``_`` for a file; never empty, never a path."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", value).strip("-")[:80] or "unnamed"
