"""Rebuild the icon museum's content pack from the npm package ``@iconify/json``.

    npm pack @iconify/json@2.2.535
    python3 -m venv ../museumvenv
    ../museumvenv/bin/python -m pip install resvg_py==0.5.0 pillow
    ../museumvenv/bin/python scraping/sandbox/build_museum.py iconify-json-2.2.535.tgz

The argument is the packed file or the folder it was unpacked to. Written beside this script:
``museum.zip`` (the pictures and one table, every entry stored), its line in ``packs.sha256`` and
its part of ``ATTRIBUTION.md``. The same package and the same two libraries give the same bytes.
This script stands alone, because the rasteriser is no dependency of the project.

Only sets under the licences in `LICENCES` are taken, and none whose icons are trademarks.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageStat

SOURCE = "@iconify/json"
HERE = Path(__file__).resolve().parent
SIDE = 32  # pixels
PER_SUBJECT = 4  # icons of one subject from one set, so that no set dominates
ENOUGH = 3  # a set with fewer plain icons of a subject lends decorated ones up to this many
SMALLEST_SET = 6  # icons; a set with fewer makes no gallery
LICENCES = {
    "MIT": "https://spdx.org/licenses/MIT.html",
    "Apache-2.0": "https://spdx.org/licenses/Apache-2.0.html",
    "ISC": "https://spdx.org/licenses/ISC.html",
    "CC0-1.0": "https://spdx.org/licenses/CC0-1.0.html",
}
# A licence to the drawing is no licence to the trademark it shows.
TRADEMARKS = {"Logos", "Programming"}

# A subject's words, in order of preference: where a set has an icon named by the words before
# a bar, those after it are not looked at, since they are the vaguer ones (a "phone" may be a
# mobile telephone, "delete" a cross).
SUBJECTS = {
    "arrow": "arrow arrows",
    "bell": "bell | notification notifications",
    "bin": "trash trashcan wastebasket | bin | delete",
    "calendar": "calendar",
    "camera": "camera",
    "car": "car automobile",
    "cart": "cart",
    "clock": "clock",
    "cloud": "cloud",
    "envelope": "envelope | mail email",
    "folder": "folder",
    "gear": "gear cog cogwheel | settings setting",
    "heart": "heart | favorite favourite",
    "house": "house | home",
    "key": "key",
    "lock": "lock padlock locked",
    "magnifier": "magnifier magnify magnifying search",
    "person": "user | person | account profile",
    "phone": "call telephone | phone",
    "star": "star",
}
# Words that change how a thing is drawn, not what it is.
STYLES = (
    "outline outlined outlines filled fill solid bold line linear duotone duo tone twotone round "
    "rounded sharp light thin regular baseline alt o bulk broken color colored flat medium small "
    "large big mini micro xs sm md lg xl s m l variant icon symbol stroke poly two broad wght "
    "bolder normal simple red blue green black white yellow orange purple pink glyph f"
)
# Words that add something small beside the thing or a frame around it.
DECORATIONS = "add plus minus check checkmark remove edit alert dot circle square"
OF_ONE_SUBJECT = {
    "arrow": "up down left right top bottom north south east west northeast northwest southeast "
    "southwest long narrow back forward upward downward",
    "bell": "ring ringing active",
    "bin": "can empty full",
    "camera": "photo",
    "car": "side front vehicle sport",
    "cart": "shopping full empty",
    "cloud": "rain snow drizzle",
    "folder": "open",
    "heart": "suit",
    "key": "old",
    "lock": "open closed keyhole",
    "magnifier": "glass tilted",
}
# Named like their subject and drawn as something else; found by looking at every picture.
MISLEADING = re.compile(
    r"""
    .*/red-envelope.* | .*/(green|light|circle)-house | .*/(f-)?two-key | carbon/key
    | fluent-emoji.*/person.* | noto.*/person.* | (topcoat|ui[ms]|uit)/favorite
    | glyphs.*/arrows?-round.* | hugeicons/arrow-(down|up)\d\d | reicon/arrow(-bottom)?
    | icon-park.*/(delete-two|camera-two|folder) | fluent/bin-full.*
    | reicon/(star3|star-2|cart(-duotone|-filled|[245])?)
    | ix/notifications?(-filled)? | iconmind/(phone|settings|cart)-.*
    | ic/\w+-camera | material-symbols.*/camera(-outline|-rounded|-sharp)* | gg/camera
    | jam/(camera-alt|phone)(-f)? | qlementine-icons/(camera|call)-16 | reicon/camera3
    | tdesign/camera-\d.* | fluent-color/phone-.* | oi/phone | flat-ui/(settings|camera)
    | marketeq/settings-alt-. | mingcute/(settings-2|clock(-2)?)-.* | tabler/clock-24
    | icon-park(-outline)?/heart
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Candidate:
    """An icon whose name says one subject; ``rank`` orders the icons of that subject."""

    name: str
    subject: str
    preference: int
    decorations: int
    rank: tuple[Any, ...]
    drawing: str


def main(arguments: list[str]) -> int:
    """Rebuild the pack; returns the exit code."""
    if len(arguments) != 1 or not Path(arguments[0]).exists():
        print(f"{__doc__}\nNot a packed or unpacked package: {' '.join(arguments) or 'nothing'}")
        return 2
    read = reader(Path(arguments[0]))
    collections = json.loads(read("collections.json"))
    version = json.loads(read("package.json"))["version"]
    sets: list[dict[str, Any]] = []
    icons: list[tuple[str, str, str]] = []
    pictures: dict[str, bytes] = {}
    for prefix in sorted(collections):
        about = collections[prefix]
        if about["license"].get("spdx") not in LICENCES or about.get("category") in TRADEMARKS:
            continue
        drawings = json.loads(read(f"json/{prefix}.json"))
        chosen = choose(prefix, drawings)
        if len(chosen) < SMALLEST_SET:
            continue
        sets.append(describe(prefix, about, drawings))
        for name, subject, picture in chosen:
            icons.append((prefix, name, subject))
            pictures[f"media/{prefix}/{name}.png"] = picture
        print(f"{prefix}: {len(chosen)}")
    table = {"source": f"{SOURCE} {version}", "sets": sets, "icons": icons}
    rows = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    write_pack(HERE / "museum.zip", {"museum.json": rows, **pictures})
    write_sums(HERE)
    write_part(HERE / "ATTRIBUTION.md", attribution(table))
    print(f"{len(icons)} icons in {len(sets)} sets; {(HERE / 'museum.zip').stat().st_size:,} bytes")
    print(Counter(subject for _, _, subject in icons))
    return 0


def reader(package: Path) -> Callable[[str], str]:
    """A function that reads one file of the package, packed or not, as text."""
    if package.is_dir():
        return lambda name: (package / name).read_text(encoding="utf-8")
    # Unpacked in memory once: seeking back in a gzip stream would start over for every file.
    texts = {}
    with tarfile.open(package) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file and member.name.endswith(".json"):
                texts[member.name.removeprefix("package/")] = file.read()
    return lambda name: texts[name].decode("utf-8")


def describe(prefix: str, about: dict[str, Any], drawings: dict[str, Any]) -> dict[str, Any]:
    """The row of the table for one design set."""
    licence = about["license"]
    changed = datetime.fromtimestamp(drawings["lastModified"], UTC)
    return {
        "prefix": prefix,
        "name": about["name"],
        "author": about["author"]["name"],
        "author_url": about["author"].get("url", ""),
        "licence": licence["title"],
        "spdx": licence["spdx"],
        "licence_url": licence.get("url") or LICENCES[licence["spdx"]],
        "changed": changed.strftime("%Y-%m-%d"),
    }


def choose(prefix: str, drawings: dict[str, Any]) -> list[tuple[str, str, bytes]]:
    """The icons of one set that go on display: name, subject, picture, in order of name."""
    chosen: list[tuple[str, str, bytes]] = []
    seen: set[bytes] = set()
    found = candidates(prefix, drawings)
    for subject in SUBJECTS:
        of_subject = [each for each in found if each.subject == subject]
        best = min((each.preference for each in of_subject), default=0)
        kept: list[Image.Image] = []
        for each in sorted(of_subject, key=lambda each: each.rank):
            if each.preference != best or len(kept) == PER_SUBJECT:
                continue
            if each.decorations and len(kept) >= ENOUGH:
                continue
            picture = rasterise(each.drawing)
            if picture is None or any(alike(picture, other) for other in kept):
                continue
            data = encode(picture)
            if data in seen:
                continue
            seen.add(data)
            kept.append(picture)
            chosen.append((each.name, subject, data))
    return sorted(chosen)


def candidates(prefix: str, drawings: dict[str, Any]) -> list[Candidate]:
    """Every icon of the set whose name is a subject's word and nothing that misleads."""
    found = []
    for name, icon in drawings["icons"].items():
        # Drawn by animation, such an icon is blank at the start.
        if icon.get("hidden") or re.search("<(animate|set)", icon["body"]):
            continue
        if MISLEADING.fullmatch(f"{prefix}/{name}"):
            continue
        words = [re.sub(r"\d+(px)?$", "", word) for word in re.split("[-_]", name)]
        for subject, preferences in SUBJECTS.items():
            preference, rest = match(words, preferences)
            if preference is None or not rest <= allowed(subject):
                continue
            decorations = len(rest & set(DECORATIONS.split()))
            sizes = [int(size) for size in re.findall(r"\b\d\d\b", name)] or [SIDE]
            rank = (decorations, len(words), abs(sizes[0] - SIDE), name)
            found.append(Candidate(name, subject, preference, decorations, rank,
                                   drawing(icon, drawings)))  # fmt: skip
    return found


def match(words: list[str], preferences: str) -> tuple[int | None, set[str]]:
    """Which group of a subject's words the name uses, and the name's other words."""
    for preference, group in enumerate(preferences.split("|")):
        if set(words) & set(group.split()):
            return preference, set(words) - set(preferences.split()) - set(STYLES.split()) - {""}
    return None, set()


def allowed(subject: str) -> set[str]:
    """The words that may stand beside a subject's own in the name of an icon."""
    return set(DECORATIONS.split()) | set(OF_ONE_SUBJECT.get(subject, "").split())


def drawing(icon: dict[str, Any], drawings: dict[str, Any]) -> str:
    """The icon as an SVG document; the set's defaults fill in what the icon leaves out."""
    left, top, width, height = (
        icon.get(key, drawings.get(key, default))
        for key, default in (("left", 0), ("top", 0), ("width", 16), ("height", 16))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'width="{SIDE}" height="{SIDE}" viewBox="{left} {top} {width} {height}">'
        f"{icon['body']}</svg>"
    )


def rasterise(svg: str) -> Image.Image | None:
    """The picture, `SIDE` pixels square, RGBA; None if next to nothing is to be seen."""
    import resvg_py  # ty: ignore[import-not-found]

    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg))))
    picture = picture.convert("RGBA")
    # As a reader sees it, on white: a white drawing shows nothing.
    return picture if ImageStat.Stat(ImageChops.invert(on_white(picture))).mean[0] > 4 else None


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in grey, as it looks on white paper."""
    paper = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(paper, picture).convert("L")


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two icons of a set differ by no more than rounder corners or a finer line."""
    return ImageStat.Stat(ImageChops.difference(on_white(one), on_white(other))).mean[0] < 9


def encode(picture: Image.Image) -> bytes:
    """The picture as a small PNG: grey with transparency if it has no colour, else RGBA."""
    red, green, blue, alpha = picture.split()
    if red.tobytes() == green.tobytes() == blue.tobytes():
        picture = Image.merge("LA", (red, alpha))
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def write_pack(path: Path, files: dict[str, bytes], *, compress: bool = False) -> None:
    """Write files as a zip that tells nothing of when and where it was made."""
    kind = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind, compresslevel=9) as pack:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            # Set here, or the bytes would tell on which system the pack was made.
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            entry.compress_type = kind
            pack.writestr(entry, data, compresslevel=9)


def write_sums(folder: Path) -> None:
    """Write the hashes of all packs in a folder, as ``sha256sum *.zip`` does."""
    lines = [
        f"{hashlib.sha256(pack.read_bytes()).hexdigest()}  {pack.name}\n"
        for pack in sorted(folder.glob("*.zip"))
    ]
    (folder / "packs.sha256").write_text("".join(lines), encoding="ascii", newline="\n")


def write_part(path: Path, part: str) -> None:
    """Put a part with a heading of its own into a Markdown file, in the place of the old one."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    parts = [each for each in re.split("(?m)^(?=# )", old) if each]
    headings = [each.partition("\n")[0] for each in parts]
    heading = part.partition("\n")[0]
    place = headings.index(heading) if heading in headings else len(parts)
    parts[place : place + 1] = [part.rstrip("\n") + "\n"]
    text = "\n".join(each.rstrip("\n") + "\n" for each in parts)
    path.write_text(text, encoding="utf-8", newline="\n")


def attribution(table: dict[str, Any]) -> str:
    """Who drew what, and under which licence, as Markdown."""
    counts = Counter(prefix for prefix, _, _ in table["icons"])
    lines = [
        "# The icon museum: who drew it",
        "",
        f"`museum.zip` shows {len(table['icons'])} icons from {len(table['sets'])} design sets, "
        f"taken from the npm package `{SOURCE}` {table['source'].split()[-1]}. "
        f"Changed here: each was drawn as a picture of {SIDE} × {SIDE} pixels. "
        "Generated by `build_museum.py`; do not edit.",
        "",
        "The texts of the licences are in `LICENCES.txt`.",
        "",
        "| Set | Name | Author | Licence | Icons |",
        "|---|---|---|---|---:|",
    ]
    lines += [
        f"| `{each['prefix']}` | {cell(each['name'])} "
        f"| {link(each['author'], each['author_url'])} "
        f"| {link(each['spdx'], each['licence_url'])} | {counts[each['prefix']]} |"
        for each in table["sets"]
    ]
    return "\n".join(lines) + "\n"


def link(words: str, address: str) -> str:
    """A Markdown link for a table, or the words alone where there is no address."""
    return f"[{cell(words)}](<{address}>)" if address else cell(words)


def cell(words: str) -> str:
    """Words that break no Markdown table."""
    return re.sub(r"([\\|\[\]<>*_`])", r"\\\1", words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
