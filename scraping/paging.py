"""From one page of a list to the next, for lists that come as JSON or with a Link header.

Each function here makes what `crawl(…, follow=…)` takes: a function from a page to the addresses
that follow it. All are functions of the page alone, so a replay takes the same way.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from w3lib.url import add_or_replace_parameter

from scraping.errors import BadValue, Misuse, Refused, printable
from scraping.net.address import resolve

if TYPE_CHECKING:
    from scraping.reading.page import Page

Follow = Callable[["Page"], list[str]]
LONGEST_CURSOR = 2_000  # characters
MISSING = object()


def by_key(key: str, *, parameter: str | None = None) -> Follow:
    """The next page is named in the answer, under a key.

        crawl("https://api.example.org/birds", follow=by_key("links.next"))
        crawl("https://api.example.org/birds", follow=by_key("meta.cursor", parameter="cursor"))

    Args:
        key: Keys from the outside in, with dots between them; a number counts into a list
            ("links.0.href"). A key that itself has dots in it is found as well
            ("@odata.nextLink").
        parameter: For an answer that gives a bare cursor or number instead of an address: the
            query parameter that it is to be sent in.

    The list ends where the key is missing, null, false or empty, and where it names the page that
    it stands on. Raises BadValue for an answer that is not JSON, and for a value that can be
    neither address nor cursor.
    """
    _check_name("key", key)

    def follow(page: Page) -> list[str]:
        value = _looked_up(page.json(), key)
        if value is MISSING or value is None or value is False or value == "":
            return []
        if parameter is None:
            if not isinstance(value, str):
                raise BadValue(
                    f"{page.url}: {key!r} is {printable(value, 80)}, which is no address.\n"
                    f'If it is to be sent back, say in what: by_key({key!r}, parameter="…").'
                )
            return _onward(page, value)
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise BadValue(f"{page.url}: {key!r} is {printable(value, 80)}, which is no cursor.")
        if len(str(value)) > LONGEST_CURSOR:
            raise BadValue(f"{page.url}: {key!r} is a cursor of {len(str(value)):,} characters.")
        return _onward(page, add_or_replace_parameter(page.url, parameter, str(value)))

    return follow


def by_parameter(parameter: str, *, items: str = "", first: int = 1, step: int = 1) -> Follow:
    """The next page has the next number in the address, as long as there is something on this one.

        crawl("https://api.example.org/birds", follow=by_parameter("page", items="results"))
        crawl(
            "https://api.example.org/birds?limit=100",
            follow=by_parameter("offset", items="data.birds", first=0, step=100),
        )

    Args:
        parameter: The query parameter that counts.
        items: The key of the list in the answer, as in `by_key`; nothing if the answer itself is
            the list. The counting ends where that list is empty or missing.
        first: The number of a page whose address has none.
        step: From one page to the next: 1 for page numbers, the page's length for offsets.

    Raises BadValue for an answer that is not JSON, and for an address in which something other
    than a number stands.
    """
    _check_name("parameter", parameter)
    if step < 1:
        raise Misuse(f"by_parameter(step={step!r}): it counts upward, by 1 or more.")

    def follow(page: Page) -> list[str]:
        listed = _looked_up(page.json(), items) if items else page.json()
        if not isinstance(listed, list | dict) or not listed:
            return []
        said = dict(parse_qsl(urlsplit(page.url).query)).get(parameter, "")
        try:
            number = int(said) if said else first
        except ValueError:
            raise BadValue(
                f"{page.url}: {parameter!r} is {printable(said, 80)!r}, which is no number.\n"
                "If the answer names the next one: by_key(…, parameter=…)."
            ) from None
        return _onward(page, add_or_replace_parameter(page.url, parameter, str(number + step)))

    return follow


def by_link_header(rel: str = "next") -> Follow:
    """The next page is named in the answer's Link header (RFC 8288), as GitHub's API does.

        crawl("https://api.example.org/birds", follow=by_link_header())

    Args:
        rel: The relation that leads on.
    """
    _check_name("rel", rel)

    def follow(page: Page) -> list[str]:
        targets: list[str] = []
        for name, value in page.response.headers:
            if name.lower() != "link":
                continue
            for target, parameters in links_in(value):
                # A link with an anchor says something of another page than this one (3.2).
                if rel.lower() in parameters.get("rel", "").lower().split() and (
                    "anchor" not in parameters
                ):
                    targets += _onward(page, target)
        return list(dict.fromkeys(targets))

    return follow


# A stray semicolon at the end of one link is no reason to lose the next.
TARGET = re.compile(r"[\s,;]*<([^<>]*)>")
PARAMETER = re.compile(
    r"""\s*;\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?"""
)


def links_in(value: str) -> list[tuple[str, dict[str, str]]]:
    """A Link header's targets, each with its parameters; commas in quotes part nothing.

    What does not follow RFC 8288, section 3, ends the reading; what was read before counts.
    """
    found = []
    place = 0
    while match := TARGET.match(value, place):
        target, place = match[1].strip(), match.end()
        parameters: dict[str, str] = {}
        while match := PARAMETER.match(value, place):
            said = re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3] or ""
            parameters.setdefault(match[1].lower(), said)  # only the first rel counts (3.3)
            place = match.end()
        found.append((target, parameters))
    return found


def _looked_up(data: Any, key: str) -> Any:
    """What stands under a dotted key, or MISSING; the longest name that fits is taken."""
    if isinstance(data, dict):
        if key in data:
            return data[key]
        parts = key.split(".")
        for count in range(len(parts) - 1, 0, -1):
            name = ".".join(parts[:count])
            if name in data:
                found = _looked_up(data[name], ".".join(parts[count:]))
                if found is not MISSING:
                    return found
    elif isinstance(data, list):
        name, _, rest = key.partition(".")
        if name.isascii() and name.isdecimal() and int(name[:9]) < len(data):
            return _looked_up(data[int(name[:9])], rest) if rest else data[int(name[:9])]
    return MISSING


def _onward(page: Page, link: str) -> list[str]:
    """The address that a page's link means; nothing if it leads nowhere else.

    One that cannot be asked for is handed on as it is: the crawl refuses it and says why.
    """
    try:
        url = resolve(page.url, link)
    except Refused:
        return [link]
    return [] if url == page.url else [url]


def _check_name(what: str, name: str) -> None:
    if not name.strip():
        raise Misuse(f"paging needs a {what}; it was empty.")
