"""What a page says, as values: text, numbers, dates, attributes, tables, JSON-LD, images.

Each takes a page or one of its elements and a CSS selector, and fails loudly when nothing matches,
unless told what to use instead (`default=`). An empty selector means the element itself. Images
come from the archive; nothing here fetches.
"""

from __future__ import annotations

import datetime as calendar
import io
import math
import re
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from scraping.errors import BadValue, Misuse, NotFound, Refused, printable
from scraping.net.address import resolve
from scraping.reading import embedded
from scraping.reading.tag import Tag
from scraping.records.archive import read

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    import numpy as np
    import pandas as pd
    from PIL.Image import Image

D = TypeVar("D")
MISSING: Any = object()  # no default given; None is one

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_PIXELS = 40_000_000
# A hyphen, or one of the signs that are set for a minus.
MINUS = "\\-\u2010\u2011\u2012\u2013\u2212\ufe63\uff0d"
NUMBER = re.compile(
    rf"(?<![\d.,])(?:[{MINUS}+]\s?(?=[$€£¥₹₽₩])[^\d\s]\s?|[{MINUS}+])?"  # also -$5
    r"(?:\d{1,3}(?:[ '’]\d{3})+(?!\d)(?:[.,]+\d+)?"  # grouped by spaces …
    r"|\d+(?:[.,]+\d+)*"  # … or not
    r"|[.,]\d+(?![.,]*\d))"  # .5
    r"(?:[eE][-+]?\d+)?"
)
# By threes, or as in India: the last group of three, those before of two.
GROUPED = re.compile(r"[1-9]\d{0,2}(?:(?P<by>[.,])\d{3})(?:(?P=by)\d{3})*|[1-9]\d?(?:,\d\d)+,\d{3}")
POWERS = re.compile(r"(?<![A-Za-z])(?:[kcmdµ]?m|ft|in|yd|mi)[23]\b")  # the 2 of m2 is no number
WEEK = re.compile(r"\d{4}-?W\d\d")
ZONE = re.compile(r" (?=[-+]\d\d:?\d\d$)")
FRACTION = re.compile("[¼-¾⅐-⅞²³¹⁰-⁹₀-₉]|⁄")
JOINS = "-\u2010\u2011"  # a minus, or what joins a letter and a digit
LONGEST_DATE = 200  # characters


def text(page: Tag, selector: str = "", default: D = MISSING) -> str | D:
    """The text of the first match, runs of white space made one space.

    Raises:
        NotFound: Nothing matches and there is no default.
    """
    tag = _found(page, selector, default)
    return default if tag is None else " ".join(tag.get_text().split())


def attr(page: Tag, selector: str, name: str, default: D = MISSING) -> str | D:
    """An attribute of the first match, such as its `href`, as text.

    Raises:
        NotFound: Nothing matches, or the match lacks the attribute, and there is no default.
    """
    tag = _found(page, selector, default)
    if tag is None:
        return default
    value = tag.get(name)
    if value is not None:
        return " ".join(value) if isinstance(value, list) else value
    if default is MISSING:
        raise NotFound(tag.page.url, f"{selector}[{name}]", f"the match is {_start(tag)}")
    return default


def number(page: Tag, selector: str = "", default: D = MISSING, *, decimal: str = "") -> float | D:
    """The one number in the text of the first match: "1,234.50 €" and "1.234,5" alike.

    Thousands may be grouped by commas, points, apostrophes or spaces. Where both comma and point
    occur, the last is the decimal one; one that occurs twice groups. A single one that is followed
    by exactly three digits is ambiguous: a comma is taken to group ("1,234" is 1234), a point to
    be decimal ("1.234" is 1.234), unless `decimal` says which it is on this site. What groups has
    to group by threes (or as in 12,34,567): "23.11.2026" and "1.2.3" are errors, "0,123" is 0.123.
    Units around the number are passed over (also "m2"); it is not scaled by them: "3 %" is 3,
    "2 million" is 2. What may mean several things is an error: "5½", "10²", "A-5".

    Args:
        page: A page or an element.
        selector: Where to look.
        default: Instead, when nothing matches.
        decimal: The site's decimal mark, "." or ",", where that should not be guessed.

    Raises:
        NotFound: Nothing matches and there is no default.
        BadValue: The text holds no number, or several, or one that is unclear or beyond what a
            float holds.
    """
    if decimal not in ("", ".", ","):
        raise Misuse(f"decimal={decimal!r}: the decimal mark is '.' or ','")
    tag = _found(page, selector, default)
    if tag is None:
        return default
    said = " ".join(tag.get_text().split())
    matches = list(islice(NUMBER.finditer(POWERS.sub("", said)), 100))
    if len(matches) != 1:
        found = "no number" if not matches else f"{len(matches)} numbers"
        raise BadValue(f"{tag.page.url}: {selector!r} holds {found}: {printable(said, 80)!r}")
    plain = _plain(matches[0], decimal)
    if plain is None:
        raise BadValue(
            f"{tag.page.url}: {selector!r} is not clearly one number: {printable(said, 80)!r}\n"
            "Take it as text(…) and read it in Python."
        )
    value = float(plain)
    if not math.isfinite(value):
        raise BadValue(f"{tag.page.url}: {selector!r} is too large: {printable(said, 80)!r}")
    return value


def _plain(match: re.Match[str], decimal: str) -> str | None:
    """A number as Python writes it, its grouping gone; None where it could mean several things."""
    run, before, after = (
        match.group(),
        match.string[: match.start()][-1:],
        match.string[match.end() :],
    )
    if FRACTION.match(after) or (run[0] in JOINS and before.isalpha()):
        return None  # "5½" and "10²" are more than 5 and 10; the hyphen of "A-5" is hardly a minus
    sign = "-" if re.match(f"[{MINUS}]", run) else ""
    digits, _, power = re.sub(r"[^\d.,eE+\-]", "", _unsigned(run)).lower().partition("e")
    whole, mark, part = _parted(digits, decimal)
    if "," in whole or "." in whole:
        if not GROUPED.fullmatch(whole):
            return None
        whole = re.sub("[.,]", "", whole)
    if "," in part or "." in part or (mark and not part):
        return None
    return f"{sign}{whole or '0'}.{part or '0'}" + (f"e{power}" if power else "")


def _unsigned(run: str) -> str:
    """A number without the sign and the currency before it."""
    return run[next(place for place, mark in enumerate(run) if mark.isdigit() or mark in ".,") :]


def _parted(digits: str, decimal: str) -> tuple[str, str, str]:
    """What stands before the decimal mark, the mark, and what follows it."""
    if decimal:
        return digits.partition(decimal)
    last = max(digits.rfind(","), digits.rfind("."))
    mark = digits[last] if last >= 0 else ""
    if not mark or digits.count(mark) > 1:
        return digits, "", ""
    if mark == "," and "." not in digits and GROUPED.fullmatch(digits):
        return digits, "", ""  # a lone comma before three digits groups
    return digits[:last], mark, digits[last + 1 :]


def date(
    page: Tag,
    selector: str = "",
    format: str | Iterable[str] = (),
    default: D = MISSING,
    *,
    zone: str = "",
) -> calendar.date | D:
    """The date that the first match gives, by its `datetime` or `content` attribute or its text.

    Args:
        page: A page or an element.
        selector: Where to look.
        format: As for `datetime.strptime`, or several to try in turn (month names as the
            machine's locale has them); ISO 8601 ("2026-11-23", "2026-11-23T08:00Z") without.
        default: Instead, when nothing matches.
        zone: Whose day it should be, such as "Europe/Berlin": a moment that states its offset from
            UTC is moved there first. Without, the day is the one written.

    Raises:
        NotFound: Nothing matches and there is no default.
        BadValue: What is there is no such date.
    """
    formats = [format] if isinstance(format, str) and format else list(format)
    for way in formats:
        if not re.search("%[YyGcx]", way):
            raise Misuse(f"format={printable(way)!r} has no year; %Y is 2026, %y is 26")
    place = _zone(zone) if zone else None
    tag = _found(page, selector, default)
    if tag is None:
        return default
    marked = tag.get("datetime") or (tag.get("content") if tag.name == "meta" else None)
    said = " ".join(tag.get_text().split())
    for words, ways in ((marked, [*formats, ""]), (said, formats or [""])):
        for way in ways if words and len(words) <= LONGEST_DATE else ():
            moment = _moment(str(words).strip(), way)
            if moment is not None:
                with suppress(OverflowError):  # a day before the first or after the last year
                    return (moment.astimezone(place) if place and moment.tzinfo else moment).date()
    wanted = " or ".join(formats) or "YYYY-MM-DD"
    shown = printable(marked or said, 80)
    raise BadValue(f"{tag.page.url}: {selector!r} is {shown!r}, not a date like {wanted}")


def _moment(words: str, format: str) -> calendar.datetime | None:
    """The moment that the words name, by one format or as ISO 8601; None if they name none."""
    with suppress(ValueError, OverflowError, re.error):
        if format:
            return calendar.datetime.strptime(words, format)
        if WEEK.fullmatch(words):
            return None  # a week is no day
        return calendar.datetime.fromisoformat(ZONE.sub("", words))
    return None


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise Misuse(f"zone={printable(name)!r} is no time zone; one is 'Europe/Berlin'") from None


def html_table(page: Tag, selector: str = "table", default: D = MISSING) -> pd.DataFrame | D:
    """The first matching table as a DataFrame, its header as column names.

    Cells that span rows or columns stand in each of them. The header is the <thead>, or else the
    rows of <th> alone at the top; several are joined ("Size / cm"); without one the columns are
    "column 1" and on. A column in which every text is a plain number is int64, or float64 if there
    are decimals or gaps; every other column is text exactly as on the page: "007", "1,234" and
    "n/a" stay what they are. Cells that a short row lacks are missing values.

    Raises:
        NotFound: Nothing matches and there is no default.
        BadValue: The match holds no table, or one of more than a million cells.
    """
    from scraping.reading import grid

    tag = _found(page, selector, default)
    if tag is None:
        return default
    table = tag if tag.name == "table" else tag.find("table")
    if table is None:
        raise BadValue(f"{page.page.url}: {selector!r} holds no table; it is {_start(tag)}")
    try:
        return grid.frame(table)
    except ValueError as fault:
        raise BadValue(f"{page.page.url}: {selector!r} cannot be read: {fault}") from None


def jsonld(page: Tag, type: str = "", default: D = MISSING) -> dict[str, Any] | D:
    """The page's first JSON-LD object of a type, such as "Product"; of any type without one.

    Raises:
        NotFound: There is none, and no default; what types there are is said.
        BadValue: There is none, but a script with JSON-LD that is broken.
    """
    found, faults = embedded.jsonld(page.page)
    for node in found:
        if not type or type in _types(node):
            return node
    if default is not MISSING:
        return default
    if faults:
        raise BadValue(f"{page.page.url}: no JSON-LD of type {type!r}; {'; '.join(faults[:3])}")
    there = ", ".join(dict.fromkeys(one for node in found for one in _types(node)))
    said = f"the page has JSON-LD of type {there}" if there else "the page has no JSON-LD"
    raise NotFound(page.page.url, f"JSON-LD {type}".strip(), said)


def _types(node: dict[str, Any]) -> list[str]:
    """What an object says it is, with and without the vocabulary's address."""
    said = node.get("@type")
    named = [one for one in (said if isinstance(said, list) else [said]) if isinstance(one, str)]
    return [*named, *(re.split("[/#:]", one)[-1] for one in named if re.search("[/#:]", one))]


def image(page: Tag, selector: str = "img", default: D = MISSING) -> bytes | D:
    """The archived file of the first matching image: PNG, JPEG, WebP or GIF, seen to decode.

    Raises:
        NotFound: Nothing matches, or its file was not archived, and there is no default.
        BadValue: The file is no such image, is damaged, or has more than 40 million pixels.
    """
    tag = _found(page, selector, default)
    if tag is None:
        return default
    source = tag.get("src") or tag.get("href") or ""
    whole = tag.page
    try:
        url = resolve(whole.base, source)
        place = whole.media.get(url, "crawl(…, media=…) did not select it")
    except Refused as refused:
        url, place = source, refused.reason
    if isinstance(place, str) or whole.archive is None:
        if default is not MISSING:
            return default
        raise NotFound(whole.url, selector, f"the file {printable(url)} is not archived: {place}")
    response = read(whole.archive, *place)
    assert response is not None
    try:
        _opened(response.body).load()
    except (OSError, ValueError, SyntaxError) as fault:
        raise BadValue(f"{whole.url}: {printable(url)} is no readable image: {fault}") from None
    return response.body


def pixels(
    column: Iterable[bytes], size: tuple[int, int] = (32, 32), mode: str = "L"
) -> np.ndarray:
    """Images as one array: float32, (images, height, width, channels), from 0 to 1.

    Args:
        column: Image files, as `image` gives them.
        size: Width and height that each is scaled to.
        mode: Pillow's name for the channels: "L" is grey (1 channel), "RGB" is colour (3).

    Returns:
        The array; transparent pixels are laid on white.
    """
    import numpy as np
    from PIL import Image

    def one(file: bytes) -> np.ndarray:
        picture = _opened(file)
        if picture.has_transparency_data:
            picture = picture.convert("RGBA")
            white = Image.new("RGBA", picture.size, "white")
            picture = Image.alpha_composite(white, picture)
        picture = picture.convert(mode)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        return np.asarray(picture, dtype=np.float32) / 255

    width, height = size
    channels = len(Image.new(mode, (1, 1)).getbands())
    pictures = [one(file).reshape(height, width, channels) for file in column]
    if not pictures:
        return np.zeros((0, height, width, channels), dtype=np.float32)
    return np.stack(pictures)


def _opened(file: bytes) -> Image:
    """The image, its size checked before its pixels are decoded."""
    from PIL import Image

    picture = Image.open(io.BytesIO(file), formats=FORMATS)
    if picture.width * picture.height > MAX_PIXELS:
        raise ValueError(f"{picture.width} × {picture.height} pixels are too many")
    return picture


def _found(page: Tag, selector: str, default: Any) -> Tag | None:
    """The first match; None when there is none and a default to use."""
    tag = page.select_one(selector) if selector else page
    if tag is None and default is MISSING:
        raise NotFound(page.page.url, selector, _near(page, selector))
    return tag


def _near(page: Tag, selector: str) -> str:
    """What is there instead: as much of the selector as does match, else how the page begins."""
    parts = re.split(r"\s*[\s>+~]\s*", selector.strip())
    for length in range(len(parts) - 1, 0, -1):
        shorter = " ".join(parts[:length])
        found = page.select_one(shorter) if "(" not in shorter and "[" not in shorter else None
        if found is not None:
            return f"{shorter!r} matches {_start(found)}"
    named = re.match(r"[a-zA-Z][\w-]*", parts[-1])
    alike = page.select(named.group()) if named else []
    if alike:
        return f"of {len(alike)} <{alike[0].name}> there the first is {_start(alike[0])}"
    return f"it begins {_start(page)}"


def _start(tag: Tag) -> str:
    return printable(" ".join(str(tag).split()), 120)
