"""robots.txt as RFC 9309 has it: decoded, narrowed to what is meant for us, and asked.

protego matches the rules; it reads a line for `fol` or `*bot` as meant for `folio` too, and one for
`Folio/0.1` as not, so each group's name is first reduced to the product token (RFC 9309, 2.2.1).
"""

from __future__ import annotations

import codecs
import math
import re
from typing import NamedTuple

from protego import Protego

PRODUCT = "Folio"  # the name that a robots.txt may address
ROBOTS_BYTES = 500 * 1024  # RFC 9309, 2.5: at least so much is read
AGENT = re.compile(r"(?im)^([ \t]*user-?[ \t]?agent[ \t]*:)[ \t]*([^\n#]*)")
TOKEN = re.compile(r"[A-Za-z_-]+")


class Robots(NamedTuple):
    """What one host's robots.txt says to us."""

    text: str = ""  # as served, line ends alike
    sitemaps: tuple[str, ...] = ()  # as they stand there
    crawl_delay: float | None = None  # seconds
    reason: str = ""  # why it could not be had, in which case nothing is allowed
    rules: Protego | None = None

    def allowed(self, url: str) -> bool:
        """Whether the address may be requested."""
        if self.reason:
            return False
        return self.rules is None or self.rules.can_fetch(url, PRODUCT)


OPEN = Robots()  # what no robots.txt says


def parse(body: bytes) -> Robots:
    """A robots.txt's rules, whatever bytes it is made of."""
    text = robots_text(body)
    rules = Protego.parse(AGENT.sub(_for_us, text))
    delay = rules.crawl_delay(PRODUCT)
    if delay is not None and not (math.isfinite(delay) and delay >= 0):
        delay = None
    return Robots(text, tuple(rules.sitemaps), delay, rules=rules)


def _for_us(line: re.Match[str]) -> str:
    """A user-agent line that names us, everyone, or another."""
    value = line[2].strip()
    if value == "*":
        return f"{line[1]} *"
    token = TOKEN.match(value)
    ours = token is not None and token[0].lower() == PRODUCT.lower()
    return f"{line[1]} {PRODUCT if ours else 'another-robot'}"


def robots_text(body: bytes) -> str:
    """A robots.txt as text: byte order marks heeded, all line ends alike, 500 KiB at most."""
    sixteen = body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if sixteen else "utf-8-sig"
    text = body[:ROBOTS_BYTES].decode(encoding, errors="replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
