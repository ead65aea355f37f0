"""What a page says, as values: text, numbers, dates, attributes, tables, images.

Each takes a page or one of its elements and a CSS selector, and fails loudly when nothing matches,
unless told what to use instead (`default=`). An empty selector means the element itself. Images
come from the archive; nothing here fetches.
"""

from __future__ import annotations

import datetime as calendar
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from scraping.archive import read
from scraping.errors import BadValue, NotFound, Refused, printable
from scraping.frontier import resolve
from scraping.tag import Tag

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from PIL.Image import Image

D = TypeVar("D")
MISSING: Any = object()  # no default given; None is one

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MAX_PIXELS = 40_000_000
NUMBER = re.compile(
    r"(?<![\d.,])[-−+]?"
    r"(?:\d{1,3}(?:[ '’]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,]\d+)*)"  # grouped by spaces, or not
    r"(?:[eE][-+]?\d+)?"
)


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


def number(page: Tag, selector: str = "", default: D = MISSING) -> float | D:
    """The one number in the text of the first match: "1,234.50 €" and "1.234,5" alike.

    A single comma or point that is followed by exactly three digits is taken to group thousands
    if it is a comma, and to be a decimal point if it is a point.

    Raises:
        NotFound: Nothing matches and there is no default.
        BadValue: The text holds no number, or several.
    """
    tag = _found(page, selector, default)
    if tag is None:
        return default
    said = " ".join(tag.get_text().split())
    runs = NUMBER.findall(said)
    if len(runs) != 1:
        found = "no number" if not runs else f"{len(runs)} numbers"
        raise BadValue(f"{tag.page.url}: {selector!r} holds {found}: {printable(said, 80)!r}")
    run = re.sub(r"['’ ]", "", runs[0]).replace("−", "-")
    if run.rfind(",") > run.rfind("."):
        # The comma is last: it is decimal, unless it groups.
        groups = run.count(",") > 1 or ("." not in run and re.search(r",\d{3}$", run))
        run = run.replace(",", "") if groups else run.replace(".", "").replace(",", ".")
    elif run.count(".") > 1:
        run = run.replace(".", "")
    else:
        run = run.replace(",", "")
    return float(run)


def date(
    page: Tag, selector: str = "", format: str = "", default: D = MISSING
) -> calendar.date | D:
    """The date that the first match gives, by its `datetime` attribute or in its text.

    Args:
        page: A page or an element.
        selector: Where to look.
        format: As for `datetime.strptime`; without it ISO 8601 ("2026-11-23") is read.
        default: Instead, when nothing matches.

    Raises:
        NotFound: Nothing matches and there is no default.
        BadValue: What is there is no such date.
    """
    tag = _found(page, selector, default)
    if tag is None:
        return default
    said = " ".join(str(tag.get("datetime") or tag.get_text()).split())
    try:
        if format:
            return calendar.datetime.strptime(said, format).date()
        return calendar.datetime.fromisoformat(said).date()
    except ValueError:
        wanted = format or "YYYY-MM-DD"
        raise BadValue(
            f"{tag.page.url}: {selector!r} is {printable(said, 80)!r}, not a date like {wanted}"
        ) from None


def html_table(page: Tag, selector: str = "table") -> pd.DataFrame:
    """The first matching table as a DataFrame, its header row as column names.

    Raises:
        NotFound: Nothing matches.
        BadValue: The match holds no table.
    """
    import pandas as pd

    tag = _found(page, selector, MISSING)
    try:
        return pd.read_html(io.StringIO(str(tag)), flavor="lxml")[0]
    except ValueError as fault:
        raise BadValue(f"{page.page.url}: {selector!r} holds no table ({fault})") from None


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
