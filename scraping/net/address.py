"""Addresses made whole: what a link means, and when two spellings are one address.

Both follow w3lib, which follows browsers. The plain majority of addresses takes a short way with
the same outcome: a page may carry hundreds of links, and a crawl has thousands of pages.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urljoin, urlparse, urlsplit, urlunparse

from w3lib.url import canonicalize_url, safe_url_string

from scraping.errors import Refused

LONGEST = 4_096  # characters of an address, as written and once made whole
REMEMBERED = 16_384  # spellings: a page's navigation is met again on the next page

SEGMENT = r"[A-Za-z0-9_~-][A-Za-z0-9._~-]*+"
# Nothing in such an address needs escaping, sorting or removing: no dot segments, no default port,
# no international host, at most one parameter.
PLAIN = re.compile(
    r"https?://(?:(?!xn--)[a-z0-9-]{1,62}\.)*+(?!xn--)[a-z0-9-]{1,62}"
    r"(?::(?:[1-9][0-9]{3}|[1-5][0-9]{4}|6[0-4][0-9]{3}))?"
    rf"/(?:{SEGMENT}(?:/{SEGMENT})*+/?)?"
    r"(?:\?[A-Za-z0-9_.~-]++=[A-Za-z0-9_.~-]*+)?"
)


def resolve(base: str, link: str) -> str:
    """The full address that a link on the page `base` means, without fragment.

    Raises:
        Refused: It is no http or https address that could be requested; the reason says why.
    """
    url = _resolved(base, link)
    if len(url) > LONGEST:  # relative links on ever longer addresses, or much to be escaped
        raise _too_long(url)
    return url


def _resolved(base: str, link: str) -> str:
    if len(link) > LONGEST:
        raise _too_long(link)
    if above := _above(base):
        bare = link.partition("#")[0]
        if not bare:
            before = base
        elif bare.startswith("http"):
            before = ""  # if it is plain at all, it is whole
        else:
            origin, folder, path = above
            before = origin if bare[0] == "/" else path if bare[0] == "?" else folder
        if joined := _joined(before, bare):
            return joined
    try:
        return _safe(urljoin(base, link.strip()))
    except (ValueError, UnicodeError) as fault:
        raise Refused(link, f"not an address: {fault}") from None


def _too_long(address: str) -> Refused:
    return Refused(address[:80] + "…", f"an address of {len(address):,} characters")


@lru_cache(maxsize=256)
def _above(base: str) -> tuple[str, str, str] | None:
    """A page's host, folder and path, for links to be put behind; None if it is not so easy."""
    path = base.partition("?")[0]
    if not PLAIN.fullmatch(path):
        return None
    return path[: path.index("/", 8)], path[: path.rindex("/") + 1], path


@lru_cache(maxsize=REMEMBERED)
def _joined(before: str, link: str) -> str | None:
    """The two as one address, if that is a plain one."""
    joined = before + link
    return joined if PLAIN.fullmatch(joined) else None


@lru_cache(maxsize=REMEMBERED)
def _safe(url: str) -> str:
    """The address in ASCII as a browser would send it; ValueError if it could not."""
    # An empty parameter (a final ";") goes, as urljoin lets it go from any address but a fresh one.
    safe = urlunparse(urlparse(safe_url_string(url.partition("#")[0])))
    parts = urlsplit(safe)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{parts.scheme or 'no scheme'}: is not http or https")
    host = parts.hostname or ""
    if not host or not safe.isascii() or not safe.isprintable() or " " in parts.netloc:
        raise ValueError("its host is empty or has impossible characters")
    if "%" in host:  # what we take for a name, a proxy may take for a number
        raise ValueError("its host has escaped characters")
    if any(not 0 < len(label) < 64 for label in host.rstrip(".").split(".")):
        raise ValueError("a part of its host's name is empty or too long")
    if "@" in parts.netloc:
        raise ValueError("it carries a user name or password")
    netloc = parts.netloc
    if parts.port == (443 if parts.scheme == "https" else 80):  # ValueError when out of range
        netloc = netloc.rpartition(":")[0]
    netloc = netloc.removesuffix(":")
    if netloc != parts.netloc or not parts.path:
        safe = parts._replace(netloc=netloc, path=parts.path or "/").geturl()
    return safe


@lru_cache(maxsize=REMEMBERED)
def canonical(url: str) -> str:
    """The form by which two spellings of one address are known as the same."""
    return url if PLAIN.fullmatch(url) else canonicalize_url(url)
