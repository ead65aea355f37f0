"""The digit archive: handwritten digits as pictures in albums, and as numbers from a JSON API.

    /digits/                         the albums                  a.album
    /digits/albums/<number>/         a hundred pictures          .album li, img.digit
    /digits/images/<number>.png      a picture, 8 × 8 pixels, grey
    /digits/api/items                the same as JSON: ?offset=0&limit=100

The content is ``digits.zip`` beside this file, made by ``build_wings.py``. The API's answers name
the next one under ``next``; a value is 0 for bare paper to 16 for full ink.
"""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import zlib
from collections.abc import Iterator
from functools import cache, partial
from html import escape
from typing import Any, NamedTuple

from scraping.sandbox import packs
from scraping.sandbox.layout import Frame, Response, Wing, credit, crumbs, redirect
from scraping.sandbox.layout import page as framed

TITLE = "Digit archive"
PATH = "/digits/"
SUMMARY = (
    "Handwritten digits, a hundred to an album, and all of them once more from an API. Teaches: "
    "pictures with labels, JSON that comes in portions."
)
SIDE = 8  # pixels
INK = 16  # the largest value
A_PAGE = 100
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
LICENCE = "CC BY 4.0"
LICENCE_ADDRESS = "https://creativecommons.org/licenses/by/4.0/"
AUTHORS = "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (UCI, 1998)"
DOI = "https://doi.org/10.24432/C50P49"

FRAME = Frame(
    navigation=((PATH, TITLE), (f"{PATH}api/", "API")),
    footer=credit(
        f'<a rel="external" href="{DOI}">{AUTHORS}</a>; '
        "taken from scikit-learn and drawn as pictures.",
        licence=LICENCE,
        address=LICENCE_ADDRESS,
    ),
    look="digits",
)
page = partial(framed, frame=FRAME)

Query = dict[str, list[str]]


class Digit(NamedTuple):
    """A digit: which it is, and its values from 0 to `INK`, row by row."""

    number: int  # its place in the source, from 0
    label: int
    values: bytes

    @property
    def name(self) -> str:
        """Its number in addresses: 0042."""
        return f"{self.number:04d}"


class Archive:
    """The content pack in memory."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """Read a pack's ``about.json`` and ``digits.csv``: 64 values a row, then the label."""
        self.source: str = json.loads(files["about.json"])["source"]
        self.digits: list[Digit] = []
        for row in csv.reader(io.StringIO(files["digits.csv"].decode("ascii"))):
            *values, label = map(int, row)
            self.digits.append(Digit(len(self.digits), label, bytes(values)))
        self.albums = -(-len(self.digits) // A_PAGE)


@cache
def archive() -> Archive:
    """The archive as it is shipped."""
    return Archive(packs.files("digits.zip"))


def addresses() -> Iterator[tuple[str, str]]:
    """Every page, with the date it changed, for the sitemap."""
    yield PATH, Response.changed
    yield f"{PATH}api/", Response.changed
    for number in range(1, archive().albums + 1):
        yield f"{PATH}albums/{number}/", Response.changed


def respond(path: str, query: Query) -> Response | None:
    """What the archive answers under an unquoted path below `PATH`; None if nothing is there."""
    here = archive()
    match path.removeprefix(PATH).split("/"):
        case [""]:
            return entrance(here)
        case ["api", ""]:
            return manual(here)
        case ["api", "items"]:
            return items(here, query)
        case ["albums", number, ""] if number in map(str, range(1, here.albums + 1)):
            return album(here, int(number))
        case ["images", file] if re.fullmatch(r"[0-9]{4}\.png", file, re.ASCII):
            place = int(file[:4])
            if place < len(here.digits):
                return Response(png(here.digits[place]), kind="image/png")
        case ["albums"] | ["albums", ""]:
            return redirect(PATH)
        case ["api"]:
            return redirect(f"{PATH}api/")
    return None


def entrance(here: Archive) -> Response:
    """The list of albums."""
    entries = []
    for number in range(1, here.albums + 1):
        held = here.digits[(number - 1) * A_PAGE : number * A_PAGE]
        entries.append(
            f'        <li><a class="album" href="albums/{number}/">'
            f'<img class="sample" src="images/{held[0].name}.png" alt="" width="8" height="8">'
            f"Album {number}</a> <span>{len(held)} digits</span></li>"
        )
    main = f"""      <h1>{TITLE}</h1>
      <p class="lead">{len(here.digits):,} digits, written by hand, each in eight by eight pixels.
        They are in the albums below, and to be had as numbers from the <a href="api/">API</a>.
        Made from {escape(here.source)}.</p>
      <ul class="years">
{chr(10).join(entries)}
      </ul>"""
    return page(TITLE, main, path=PATH)


def album(here: Archive, number: int) -> Response:
    """The pictures of an album."""
    entries = "\n".join(
        f'        <li><img class="digit" src="../../images/{each.name}.png" '
        f'alt="a handwritten {WORDS[each.label]}" data-label="{each.label}" width="8" height="8">'
        f"<span>{each.name}</span></li>"
        for each in here.digits[(number - 1) * A_PAGE : number * A_PAGE]
    )
    links = []
    if number > 1:
        links.append(f'<a class="previous" rel="prev" href="../{number - 1}/">← Previous</a>')
    if number < here.albums:
        links.append(f'<a class="next" rel="next" href="../{number + 1}/">Next →</a>')
    main = f"""{crumbs(("../../", TITLE), here=f"Album {number}")}
      <h1>Album {number}</h1>
      <ol class="album">
{entries}
      </ol>
      <nav class="pager" aria-label="Albums">{" ".join(links)}</nav>"""
    return page(f"Album {number} – {TITLE}", main, path=f"{PATH}albums/{number}/")


def manual(here: Archive) -> Response:
    """The page that explains the API."""
    main = f"""{crumbs(("../", TITLE), here="API")}
      <h1>API</h1>
      <p class="lead">The digits as JSON, in portions of at most {A_PAGE}.</p>
      <dl>
        <dt>Address</dt>
        <dd><a href="items?offset=0&amp;limit=10" rel="nofollow"><code>{PATH}api/items\
?offset=0&amp;limit=10</code></a></dd>
        <dt>offset</dt>
        <dd>How many digits to pass over, from 0 to {len(here.digits)}; 0 if it is left out.</dd>
        <dt>limit</dt>
        <dd>How many to give, from 1 to {A_PAGE}; {A_PAGE} if it is left out.</dd>
        <dt>Answer</dt>
        <dd><code>count</code>, how many there are; <code>next</code>, the address of the next
          portion, or null; <code>results</code>, in which each digit has <code>id</code>,
          <code>label</code>, <code>image</code> and <code>pixels</code>, {SIDE} rows of {SIDE}
          values from 0 (paper) to {INK} (ink).</dd>
      </dl>"""
    return page(f"API – {TITLE}", main, path=f"{PATH}api/")


def items(here: Archive, query: Query) -> Response:
    """A portion of the digits as JSON; status 400 for an offset or limit that is none."""
    offset = whole(query, "offset", 0, 0, len(here.digits))
    limit = whole(query, "limit", A_PAGE, 1, A_PAGE)
    if offset is None or limit is None:
        name, bounds = ("offset", f"0 to {len(here.digits)}") if offset is None else (
            "limit", f"1 to {A_PAGE}")  # fmt: skip
        return answer({"error": f"{name} is to be a whole number from {bounds}"}, status=400)
    after = offset + limit
    onward = f"{PATH}api/items?offset={after}&limit={limit}" if after < len(here.digits) else None
    return answer(
        {
            "count": len(here.digits),
            "next": onward,
            "licence": LICENCE,
            "licence_url": LICENCE_ADDRESS,
            "attribution": f"{AUTHORS}, {DOI}",
            "results": [item(each) for each in here.digits[offset:after]],
        }
    )


def item(each: Digit) -> dict[str, Any]:
    """A digit as the API gives it."""
    rows = [list(each.values[start : start + SIDE]) for start in range(0, SIDE * SIDE, SIDE)]
    return {
        "id": each.number,
        "label": each.label,
        "image": f"{PATH}images/{each.name}.png",
        "pixels": rows,
    }


def answer(data: dict[str, Any], *, status: int = 200) -> Response:
    """An answer of the API."""
    body = json.dumps(data, separators=(",", ":")).encode() + b"\n"
    return Response(body, kind="application/json", status=status)


def whole(query: Query, name: str, default: int, least: int, most: int) -> int | None:
    """A whole number of the query, or its default; None for what is none, or out of bounds."""
    asked = query.get(name, [str(default)])[-1]
    if not re.fullmatch("[0-9]{1,6}", asked, re.ASCII) or not least <= int(asked) <= most:
        return None
    return int(asked)


def png(each: Digit) -> bytes:
    """The picture of a digit, dark on white, as a PNG with the same bytes everywhere."""
    # Not compressed: so few bytes gain nothing, and compressors differ from machine to machine.
    lines = b"".join(
        b"\0" + bytes(255 - value * 255 // INK for value in each.values[start : start + SIDE])
        for start in range(0, SIDE * SIDE, SIDE)
    )
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)  # 8 bits, grey
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in (
            (b"IHDR", header), (b"IDAT", zlib.compress(lines, 0)), (b"IEND", b""))
    )  # fmt: skip


WING = Wing(
    title=TITLE,
    path=PATH,
    closed=(),
    summary=lambda: SUMMARY,
    addresses=addresses,
    respond=respond,
)
