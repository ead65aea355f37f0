"""The picture that stands for a post where it is shared: title, finding, and whose portfolio.

Drawn with Pillow alone. Letters differ between machines, and so do the bytes; what a picture tells
is written into it as a digest, so that it is drawn again only when that changes.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog.errors import BlogError

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

LOOK = 1  # raised when the drawing changes, so that every card is drawn again
SIZE = (1200, 630)  # what those who show shared links ask for
MARGIN = 84
PAPER, INK, FAINT, RULE, RUBRIC = "#fbfaf7", "#26282b", "#62625f", "#dddad2", "#a3321f"
# From the first that has the letters; they come with matplotlib. The last one has most scripts.
FONTS = ("STIXGeneral.ttf", "DejaVuSerif.ttf", "DejaVuSans.ttf")
LONGEST = 600  # characters that are looked at; no card holds as many
SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEYWORD = b"folio"


def card(*, title: str, finding: str, name: str, mark: str = "") -> bytes:
    """Return a PNG of 1200 × 630 pixels, at most 60 KB, for Open Graph's ``og:image``.

    ``title`` and ``finding`` are plain text, wrapped, and cut with an ellipsis where they are too
    long; ``name`` is the portfolio's; ``mark`` a few words opposite to it, such as "draft".
    Characters that no font here can draw are left out. Raises BlogError without Pillow.
    """
    try:
        from PIL import Image, ImageDraw, PngImagePlugin
    except ImportError as error:
        raise BlogError(
            "A post's sharing image is drawn with Pillow, which is not installed. "
            "Next: pip install pillow"
        ) from error

    sheet = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(sheet)
    _head(pen, name, mark)
    below = _title(pen, title)
    _finding(pen, finding, below)

    info = PngImagePlugin.PngInfo()
    info.add_text(KEYWORD.decode(), _digest(title=title, finding=finding, name=name, mark=mark))
    buffer = io.BytesIO()
    few = sheet.quantize(palette=_palette(), dither=Image.Dither.NONE)
    few.save(buffer, "PNG", optimize=True, pnginfo=info)
    return buffer.getvalue()


def digest_of(png: bytes) -> str:
    """Return the digest of what a card tells, as written into it; "" if there is none."""
    for kind, content in _chunks(png):
        keyword, _, text = content.partition(b"\0")
        if kind == b"tEXt" and keyword == KEYWORD:
            return text.decode("latin-1")
    return ""


def current(png: bytes, *, title: str, finding: str, name: str, mark: str = "") -> bool:
    """Tell whether a card tells just this, and in today's look. Needs no Pillow."""
    return digest_of(png) == _digest(title=title, finding=finding, name=name, mark=mark)


def _digest(**inputs: str) -> str:
    told = json.dumps([LOOK, inputs], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield kind and content of each chunk of a PNG, as far as they are whole."""
    at = len(SIGNATURE) if png.startswith(SIGNATURE) else len(png)
    while at + 12 <= len(png):
        (length,) = struct.unpack_from(">I", png, at)
        if at + 12 + length > len(png):
            return
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


# -- what stands on it -----------------------------------------------------------------------------


def _head(pen: ImageDraw, name: str, mark: str) -> None:
    """The portfolio's name behind its square, the mark opposite, a rule below both."""
    right = SIZE[0] - MARGIN
    words, font = _letters(mark, 30)
    (words,) = _wrapped(words, font, 320, 1) or [""]
    pen.text((right, 98), words, FAINT, font, anchor="rs")
    left = MARGIN + 34
    room = right - left - (font.getlength(words) + 40 if words else 0)
    pen.rectangle((MARGIN, 81, MARGIN + 16, 97), fill=RUBRIC)
    words, font = _letters(name, 36)
    (words,) = _wrapped(words, font, room, 1) or [""]
    pen.text((left, 98), words, INK, font, anchor="ls")
    pen.line((MARGIN, 130, right, 130), fill=RULE, width=2)


def _title(pen: ImageDraw, title: str) -> int:
    """The title in the largest letters that let it keep to three lines; where the last one ends."""
    for size in (84, 74, 64):
        words, font = _letters(title, size)
        if len(_wrapped(words, font, _room(), 4)) <= 3:
            break
    lines = _balanced(words, font, _room(), 3)
    return _lines(pen, lines, font, INK, 166, round(size * 1.12))


def _finding(pen: ImageDraw, finding: str, below: int) -> None:
    """The finding at the foot of the card, as many lines of it as there is room for."""
    pitch, foot = 50, SIZE[1] - 72
    words, font = _letters(finding, 39)
    lines = _balanced(words, font, _room(), min(5, (foot - below - 24) // pitch))
    _lines(pen, lines, font, FAINT, foot - pitch * len(lines), pitch)


def _room() -> int:
    return SIZE[0] - 2 * MARGIN


def _lines(
    pen: ImageDraw, lines: list[str], font: FreeTypeFont, colour: str, top: int, pitch: int
) -> int:
    """Draw lines one below the other, to the right where they are read from there; their end."""
    for number, words in enumerate(lines):
        strong = [d for d in map(unicodedata.bidirectional, words) if d in ("L", "R", "AL")]
        from_right = strong[:1] in (["R"], ["AL"])
        at = (SIZE[0] - MARGIN if from_right else MARGIN, top + number * pitch + round(pitch * 0.8))
        pen.text(at, words, colour, font, anchor="rs" if from_right else "ls")
    return top + len(lines) * pitch


# -- letters ---------------------------------------------------------------------------------------


def _letters(text: str, size: int) -> tuple[str, FreeTypeFont]:
    """The text as one line of what can be drawn, and the font that has most of its letters."""
    text = unicodedata.normalize("NFC", str(text)[:LONGEST])
    # Marks that turn the direction of reading would turn round what follows as well.
    shown = (" " if c.isspace() else c for c in text if c.isprintable() or c.isspace())
    text = " ".join("".join(shown).split())
    fonts = [_font(file, size) for file in _font_files()]
    missing = [{c for c in set(text) if not _drawable(font, c)} for font in fonts]
    best = min(range(len(fonts)), key=lambda number: len(missing[number]))
    drawn = "".join(c for c in text if c not in missing[best])
    return " ".join(drawn.split()), fonts[best]


def _font_files() -> list[str]:
    """The font files that are here, best first; "" stands for the letters of Pillow itself."""
    # Looked up, not imported: matplotlib takes half a second.
    found = importlib.util.find_spec("matplotlib")
    if found is None or found.origin is None:
        return [""]
    folder = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf"
    return [str(folder / name) for name in FONTS if (folder / name).is_file()] or [""]


@cache
def _font(file: str, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)


@cache
def _drawable(font: Any, character: str) -> bool:
    """Tell whether the font has a character, and not just the box that stands for a missing one."""
    if character.isspace():
        return True
    return bytes(font.getmask(character)) != bytes(font.getmask("\U0010fffe"))


def _wrapped(text: str, font: FreeTypeFont, room: float, most: int) -> list[str]:
    """The text in at most so many lines, the last one with an ellipsis where more would follow."""
    lines: list[str] = []
    rest = text
    while rest and len(lines) < most:
        end = _fitting(rest, font, room)
        if end < len(rest):
            # Between words; a word that is wider than a line is cut where the line ends.
            at = rest.rfind(" ", 1, end + 1)
            end = at if at > 0 else end
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest and lines:
        last = lines[-1]
        while last and font.getlength(f"{last}…") > room:
            last = last[:-1].rstrip()
        lines[-1] = f"{last.rstrip(' ,;:.–—-')}…"
    return lines


def _fitting(text: str, font: FreeTypeFont, room: float) -> int:
    """How many of the first characters are no wider than ``room`` pixels; at least one."""
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if font.getlength(text[:middle]) <= room else (low, middle - 1)
    return low


def _balanced(text: str, font: FreeTypeFont, room: int, most: int) -> list[str]:
    """The same in lines about equally long, so that no word is left over in the last one."""
    lines = _wrapped(text, font, room, most)
    if len(lines) < 2 or lines[-1].endswith("…"):
        return lines
    for narrower in range(room - 20, room // 2, -20):
        tighter = _wrapped(text, font, narrower, len(lines))
        if tighter[-1].endswith("…"):
            break
        lines = tighter
    return lines


def _palette() -> Any:
    """The colours used, and the steps from the paper to letters that smooth their edges."""
    from PIL import Image, ImageColor

    paper = ImageColor.getrgb(PAPER)
    colours = [*ImageColor.getrgb(RUBRIC), *ImageColor.getrgb(RULE)]
    for letters in map(ImageColor.getrgb, (INK, FAINT)):
        for step in range(16):
            pairs = zip(paper[:3], letters[:3], strict=True)
            colours += [round(a + (b - a) * step / 15) for a, b in pairs]
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours)
    return palette
