"""What a page asks of robots: not to be indexed, followed, archived, or learned from.

The words are those of `<meta name="robots">` and of the X-Robots-Tag header (as search engines
document them), `noai` and `noimageai`, and the text-and-data-mining reservation (TDMRep, W3C
Community Group Report of 2024). Wishes to robots with another name are not ours; of several
wishes all count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape

from scraping.net.body import as_text
from scraping.net.fetch import Response

LOOKED_AT = 128 * 1024  # bytes of a page in which its wishes may stand
OURS = frozenset({"", "*", "robots", "folio"})  # the names by which we are spoken to
MEANING = {
    "noindex": ("noindex",),
    "nofollow": ("nofollow",),
    "none": ("noindex", "nofollow"),
    "noarchive": ("noarchive",),
    "nocache": ("noarchive",),  # Bing's and Yahoo's word for it
    "noai": ("noai",),
    "noimageai": ("noai",),
}
ROBOT = re.compile(r"[*a-z][\w.-]*")
# Directives with a value: what stands before their colon is no robot's name.
VALUED = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
RESERVED = "tdm-reservation"

META = re.compile(rb"<[mM][eE][tT][aA](?=[\s/])")
ATTRIBUTE = re.compile(
    rb"[\s/]*([^\s/>=][^\s/>=]*)(?:\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s>\"'][^\s>]*)?))?"
)
OPENING = re.compile(rb"<(?:!--|[!?]|/?([a-zA-Z][^\s/>]*))")
COMMENT_END = re.compile(rb"--!?>")
UNREAD = frozenset(  # elements whose content is text, or no part of the page
    {
        b"script",
        b"style",
        b"title",
        b"textarea",
        b"xmp",
        b"iframe",
        b"noembed",
        b"noframes",
        b"template",
    }
)


def wishes_of(response: Response) -> frozenset[str]:
    """What an answer asks for: any of "noindex", "nofollow", "noarchive", "noai", "tdm".

    "tdm" says that text and data mining is reserved. Headers count for every kind of answer,
    elements only for HTML and only within its first `LOOKED_AT` bytes.
    """
    found: set[str] = set()
    kind = ""
    for name, value in response.headers:
        lowered = name.lower()
        if lowered == "x-robots-tag":
            found |= _asked(value)
        elif lowered == RESERVED and value.strip() == "1":
            found.add("tdm")
        elif lowered == "content-type":
            kind = value.lower()
    if not kind or "html" in kind or "xml" in kind:
        found |= _of_elements(response.body[:LOOKED_AT], kind)
    return frozenset(found)


def may_change(response: Response) -> bool:
    """Whether an answer may ask for something else on a later day ("unavailable_after: …")."""
    dated = "unavailable_after"
    if any(dated in value.lower() for _, value in response.headers):
        return True
    markup = response.body[:LOOKED_AT]
    return b"\x00" in markup[:64] or dated.encode() in markup.lower()


def _of_elements(markup: bytes, kind: str) -> set[str]:
    """What the page's meta elements ask for."""
    if b"\x00" in markup[:64]:
        markup = as_text(markup, kind).encode("utf-8", "replace")
    # Most pages ask for nothing; only where something that looks like a wish is found is it worth
    # reading the markup in order, to know whether it stands in a comment or a script.
    if not any(_looks_like_a_wish(markup, match.end()) for match in META.finditer(markup)):
        return set()
    return set().union(*(_of_meta(attributes) for attributes in _metas(markup)))


def _looks_like_a_wish(markup: bytes, place: int) -> bool:
    """Whether the meta element whose name ends at `place` asks for something, if it is one."""
    tag = markup[place : markup.find(b">", place)].lower()
    if (
        b"robots" in tag
        or b"folio" in tag
        or b"tdm-" in tag
        or b"&#" in tag  # perhaps a name in disguise
        or tag.count(b'"') % 2  # a ">" within quotes
        or tag.count(b"'") % 2
    ):
        return bool(_of_meta(_attributes(markup, place)[0]))
    return False


def _metas(markup: bytes) -> Iterator[dict[str, str]]:
    """The attributes of each meta element, those in comments, scripts and the like apart."""
    place = 0
    while match := OPENING.search(markup, place):
        place = match.end()
        if match[0] == b"<!--":
            closing = COMMENT_END.search(markup, place - 2)
            if closing is None:
                return
            place = closing.end()
            continue
        if match[1] is None:  # a declaration
            place = markup.find(b">", place) + 1
            if not place:
                return
            continue
        attributes, place = _attributes(markup, place)
        name = match[1].lower()
        if match[0].startswith(b"</"):
            continue
        if name == b"meta":
            yield attributes
        elif name in UNREAD:
            closing = re.compile(rb"</" + name + rb"(?=[\s/>])", re.IGNORECASE).search(
                markup, place
            )
            if closing is None:
                return
            place = closing.end()


def _attributes(markup: bytes, place: int) -> tuple[dict[str, str], int]:
    """The attributes that stand from `place` to the end of the tag, and where that is."""
    found: dict[str, str] = {}
    while match := ATTRIBUTE.match(markup, place):
        name = match[1].decode("ascii", "replace").lower()
        value = match[2] or match[3] or match[4] or b""
        # Of two attributes with one name the first counts (HTML, 13.2.5.33).
        found.setdefault(name, unescape(value.decode("utf-8", "replace")))
        place = match.end()
    end = markup.find(b">", place)
    return found, end + 1 if end >= 0 else len(markup)


def _of_meta(attributes: dict[str, str]) -> set[str]:
    """What one meta element asks of us."""
    name = attributes.get("name", "").strip().lower()
    content = attributes.get("content", "")
    if name == RESERVED:
        return {"tdm"} if content.strip() == "1" else set()
    return _asked(content) if name in ("robots", "folio") else set()


def _asked(value: str) -> set[str]:
    """What a list of directives asks of us, as in "noindex, otherbot: nofollow, noarchive".

    A robot's name is for the directives behind it, up to the next name.
    """
    found: set[str] = set()
    robot = ""
    parts = value.lower()[:8_192].split(",")
    for place, part in enumerate(parts):
        word = part.strip()
        name, colon, rest = (piece.strip() for piece in word.partition(":"))
        if colon and name not in VALUED and ROBOT.fullmatch(name):
            robot, word = name, rest
            name, colon, rest = (piece.strip() for piece in word.partition(":"))
        if robot not in OURS:
            continue
        if colon and name == "unavailable_after":
            # A date may have a comma of its own: "Fri, 25 Jun 2010 …".
            later = ",".join([rest, *parts[place + 1 : place + 2]])
            if _is_past(rest) or _is_past(later):
                found.add("noindex")
        for one in word.split():  # some write spaces for commas
            found.update(MEANING.get(one, ()))
    return found


def _is_past(date: str) -> bool:
    """Whether a date, in the form of ISO 8601, RFC 822 or RFC 850, lies behind us."""
    date = date.strip().replace("-", " ") if not date.strip()[:4].isdigit() else date.strip()
    try:
        when = datetime.fromisoformat(date.upper())
    except ValueError:
        try:
            when = parsedate_to_datetime(date)
        except (ValueError, TypeError, IndexError, OverflowError):
            return False
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return when < datetime.now(UTC)
