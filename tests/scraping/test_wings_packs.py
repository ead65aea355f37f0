"""The packs of the practice site: what was shipped, opened late, made by the script, and safe."""

from __future__ import annotations

import csv
import gzip
import http.client
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from lxml import html

from scraping import sandbox
from scraping.sandbox import build_wings, digits, museum, packs, speeches, strikes, weather
from scraping.sandbox.build_museum import write_pack, write_part
from scraping.sandbox.packs import PackDamaged

HERE = Path(sandbox.__file__).parent
NAMES = ("digits", "museum", "speeches", "strikes", "weather")
BAD = "\"></script><script>alert(1)</script>&amp;'{{7*7}}"


# As shipped


def test_every_pack_is_the_one_that_was_shipped_and_together_they_are_small() -> None:
    listed = (HERE / "packs.sha256").read_text(encoding="ascii").splitlines()
    assert [line.split("  ")[1] for line in listed] == [f"{name}.zip" for name in NAMES]
    assert sorted(HERE.glob("*.zip")) == [HERE / f"{name}.zip" for name in NAMES]
    assert sum(len(packs.read(f"{name}.zip")) for name in NAMES) < 12_000_000


def test_the_digits_are_those_of_the_installed_scikit_learn() -> None:
    installed = gzip.decompress(build_wings.installed_digits().read_bytes())
    assert packs.files("digits.zip")["digits.csv"] == installed


def test_every_pack_is_attributed_with_its_source_and_licence() -> None:
    attribution = (HERE / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert attribution.startswith("# The icon museum")
    for name in ("weather", "strikes", "speeches", "digits"):
        (line,) = [row for row in attribution.splitlines() if row.startswith(f"| `{name}.zip`")]
        source = json.loads(packs.files(f"{name}.zip")["about.json"])["source"]
        assert f"`{source}`" in line
        assert any(each in line for each in ("U.S. Government Work", "CC0-1.0", "CC BY 4.0"))


def test_no_speech_holds_a_control_character() -> None:
    here = speeches.library()
    for each in here.speeches.values():
        paragraphs = here.paragraphs(each)
        assert len(paragraphs) == each.paragraphs
        assert all(line.isprintable() and line == line.strip() for line in paragraphs), each.key


# Damaged


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A folder with one pack and its hash."""
    (tmp_path / "weather.zip").write_bytes((HERE / "weather.zip").read_bytes())
    (tmp_path / "packs.sha256").write_bytes((HERE / "packs.sha256").read_bytes())
    return tmp_path


def test_a_pack_with_one_byte_changed_is_named_and_not_opened(shelf: Path) -> None:
    assert packs.files("weather.zip", shelf)
    content = bytearray((shelf / "weather.zip").read_bytes())
    content[1000] ^= 1
    (shelf / "weather.zip").write_bytes(content)
    with pytest.raises(PackDamaged, match=r"weather\.zip has the SHA-256 .* git checkout") as error:
        packs.files("weather.zip", shelf)
    assert error.value.path == shelf / "weather.zip"


@pytest.mark.parametrize("gone", ["weather.zip", "packs.sha256"])
def test_a_missing_pack_or_list_of_hashes_is_named(shelf: Path, gone: str) -> None:
    (shelf / gone).unlink()
    with pytest.raises(PackDamaged, match=r"weather\.zip cannot be read"):
        packs.read("weather.zip", shelf)


def test_a_pack_without_a_hash_is_not_opened(shelf: Path) -> None:
    (shelf / "other.zip").write_bytes(b"PK")
    with pytest.raises(PackDamaged, match="not any known one"):
        packs.read("other.zip", shelf)


def test_a_visitor_is_told_which_pack_is_damaged(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged() -> None:
        raise PackDamaged(HERE / "weather.zip", "has the SHA-256 0, not 1")

    monkeypatch.setattr(weather, "office", damaged)
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port(), timeout=10)
    connection.request("GET", "/weather/", headers={"Host": "sandbox"})
    answer = connection.getresponse()
    assert answer.status == 500
    assert "weather.zip has the SHA-256 0" in answer.read().decode()
    connection.close()


# Opened late


def test_the_start_page_opens_no_pack_but_the_museums_and_a_wing_opens_its_own_alone() -> None:
    code = """
import sys
from scraping.sandbox import digits, museum, router, speeches, strikes, weather
doors = [museum.museum, weather.office, strikes.register, speeches.library, digits.archive]
opened = lambda: [door.cache_info().currsize for door in doors]
assert opened() == [0, 0, 0, 0, 0], opened()
router.respond("/robots.txt", {}, host="sandbox")
router.respond("/", {}, host="sandbox")
assert opened() == [1, 0, 0, 0, 0], opened()
router.respond("/weather/2012/march.html", {}, host="sandbox")
assert opened() == [1, 1, 0, 0, 0], opened()
assert not {"numpy", "pandas", "sklearn", "PIL"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# Made again


@pytest.fixture
def packages(tmp_path: Path) -> tuple[list[str], Path]:
    """Two small npm packages and a small table of digits."""
    speech = {
        "year": 1790,
        "name": "George Washington",
        "party": "none",
        "text": "First sentence, by Mr. Smith.  " * 30 + "And here it ends \x02 now. Thanks.\n",
    }
    contents = {
        "vega.tgz": {
            "package.json": json.dumps({"version": "9.9.9"}),
            "data/seattle-weather.csv": "date,precipitation,temp_max,temp_min,wind,weather\n"
            "2012-02-29,1.5,3.0,-0.5,2.0,rain\n",
            "data/birdstrikes.csv": ",".join([*strikes.COLUMNS, "Flight Date"])
            + "\n"
            + ",".join([*"abcdefghi", "", "1", "2", "3", "1990-01-08"])
            + "\n",
        },
        "sotu.tgz": {
            "package.json": json.dumps({"version": "8.8.8"}),
            "data/1790_george_washington_n.json": json.dumps(speech),
            "data/1790_george_washington_n.txt": speech["text"],
        },
    }
    for name, files in contents.items():
        with tarfile.open(tmp_path / name, "w:gz") as archive:
            for path, said in files.items():
                entry = tarfile.TarInfo(f"package/{path}")
                entry.size = len(said.encode())
                archive.addfile(entry, io.BytesIO(said.encode()))
    table = tmp_path / "digits.csv.gz"
    table.write_bytes(gzip.compress(b",".join([b"16"] * 64) + b",7\n"))
    return [str(tmp_path / name) for name in contents], table


def test_the_script_makes_the_same_packs_twice_and_the_wings_can_read_them(
    packages: tuple[list[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, table = packages
    made = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        assert build_wings.main(arguments, table, folder) == 0
        made.append({each.name: each.read_bytes() for each in folder.iterdir()})
    assert made[0] == made[1]
    assert "speeches.zip: " in capsys.readouterr().out
    assert "`vega-datasets 9.9.9`" in (tmp_path / "one" / "ATTRIBUTION.md").read_text()

    folder = tmp_path / "one"
    (month,) = weather.Office(packs.files("weather.zip", folder)).months
    assert (month.name, month.days[0].low) == ("February", "-0.5")
    (strike,) = strikes.Register(packs.files("strikes.zip", folder)).records.values()
    assert (strike.number, strike.speed, strike.total) == ("00001", "", "3")
    library = speeches.Library(packs.read("speeches.zip", folder))
    (speech,) = library.speeches.values()
    assert (speech.key, speech.party) == ("1790-george-washington", "")
    (digit,) = digits.Archive(packs.files("digits.zip", folder)).digits
    assert (digit.label, set(digit.values)) == (7, {16})
    with zipfile.ZipFile(folder / "weather.zip") as pack:
        stamps = {(each.date_time, each.create_system) for each in pack.infolist()}
    assert stamps == {((1980, 1, 1, 0, 0, 0), 3)}


def test_paragraphs_end_with_sentences_and_together_are_the_text() -> None:
    sentence = "It was said to Mr. Smith of the U.S. Army that all is well. "
    paragraphs = build_wings.in_paragraphs(sentence * 20 + "  Done\x02.\n")
    assert " ".join(paragraphs) == sentence * 20 + "Done\ufffd."
    assert [len(each) >= build_wings.LONG_ENOUGH for each in paragraphs] == [True, True, False]
    assert all(each.endswith("well.") for each in paragraphs[:-1])


def test_the_museums_script_would_write_its_files_as_they_are_shipped(tmp_path: Path) -> None:
    write_pack(tmp_path / "museum.zip", packs.files("museum.zip"))
    assert (tmp_path / "museum.zip").read_bytes() == packs.read("museum.zip")


def test_the_script_says_how_it_is_called(capsys: pytest.CaptureFixture[str]) -> None:
    assert build_wings.main(["nothing.tgz"]) == 2
    assert "npm pack vega-datasets" in capsys.readouterr().out


def test_each_script_writes_its_own_part_of_the_attribution(tmp_path: Path) -> None:
    file = tmp_path / "ATTRIBUTION.md"
    write_part(file, "# One\n\nfirst\n")
    write_part(file, "# Two\n\nsecond\n")
    write_part(file, "# One\n\nfirst, changed\n")
    assert file.read_text() == "# One\n\nfirst, changed\n\n# Two\n\nsecond\n"


def test_the_museums_part_of_the_attribution_would_stay_as_it_is(tmp_path: Path) -> None:
    shipped = (HERE / "ATTRIBUTION.md").read_text(encoding="utf-8")
    again = tmp_path / "ATTRIBUTION.md"
    again.write_text(shipped, encoding="utf-8")
    sources = {
        name: json.loads(packs.files(f"{name}.zip")["about.json"])["source"]
        for name in ("weather", "strikes", "speeches", "digits")
    }
    write_part(again, build_wings.attribution(sources))
    assert again.read_text(encoding="utf-8") == shipped
    assert len(museum.museum().sets) == shipped.count("\n| `") - len(sources)


# Hostile


def table_of(*rows: dict[str, str]) -> bytes:
    """Rows as a CSV file."""
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


ABOUT = json.dumps({"source": BAD}).encode()


def hostile_pages() -> list[bytes]:
    """Pages of every wing over packs whose text is markup."""
    day = {"date": "2014-01-01", "precipitation": "1", "temp_max": "1", "temp_min": "1",
           "wind": BAD, "weather": BAD}  # fmt: skip
    office = weather.Office({"about.json": ABOUT, "weather.csv": table_of(day | {"wind": "1"})})
    row = dict.fromkeys(strikes.COLUMNS, BAD) | {"Flight Date": "1990-01-08"}
    row |= {column: "1" for column in strikes.COLUMNS if column.startswith("Cost")}
    row["Origin State"] = f"A{BAD}"
    register = strikes.Register({"about.json": ABOUT, "strikes.csv": table_of(row)})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        pack.writestr("about.json", ABOUT)
        speakers = {year: f"{BAD} {year}" for year in (1790, 1900, 2000)}
        rows = [[year, speaker, BAD, 1] for year, speaker in speakers.items()]
        pack.writestr("speeches.json", json.dumps({"speeches": rows}))
        for year, speaker in speakers.items():
            pack.writestr(f"{year}-{speeches.slug(speaker)}.txt", BAD)
    library = speeches.Library(file.getvalue())
    answers = [
        weather.entrance(office),
        weather.month_page(office, 0),
        strikes.entrance(register, {}),
        strikes.overview(register, "states"),
        strikes.selection(register.states[f"A{BAD}"], "States", f"A{BAD}", {}),
        strikes.record_page(register.records["00001"]),
        speeches.entrance(library),
        speeches.presidents(library),
        *(speeches.century(library, years) for years in library.centuries),
        *(speeches.president(library, name) for name in library.presidents),
        *(speeches.speech_page(library, each, 1) for each in library.speeches.values()),
        *(speeches.printed(library, each) for each in library.speeches.values()),
    ]
    return [answer.body for answer in answers if answer is not None]


def test_hostile_text_in_a_pack_is_shown_and_does_nothing() -> None:
    pages = hostile_pages()
    assert len(pages) == 20
    for body in pages:
        page = html.fromstring(body)
        scripts = page.cssselect("script")
        assert all(each.get("type") == "application/ld+json" for each in scripts)
        assert not page.xpath("//@onclick")
        assert "alert(1)" in page.text_content()
    record = html.fromstring(pages[5])
    told = json.loads(record.cssselect("script")[0].text_content())
    assert told["location"]["name"] == BAD
