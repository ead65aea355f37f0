"""`folio data`: a project's data card, and its data in the forms that others use."""

from __future__ import annotations

import csv
import json
import shutil

import pandas as pd
import pytest

CRAWLED = '''
"""Which icons have a licence?"""
from dataclasses import dataclass
from datetime import date

from scraping import crawl, image, text


@dataclass
class Icon:
    """One icon of the museum."""

    title: str
    note: str
    licence: str
    size: int | None
    tags: list[str]
    raw: bytes
    seen: date
    icon: bytes


def pages():
    """A few icons' pages."""
    return crawl("http://sandbox/museum/bi/", follow=None, keep="a.icon", media="img.icon",
                 max_pages=4)


def icons(page):
    """One row an icon."""
    name = text(page, "h1")
    note = "=1+1, write to kea@parrots.example"
    yield Icon(name, note, "MIT", None, ["a", "b"], b"raw", date(2026, 1, 2), image(page))


def table(icons):
    """The icons."""
    return icons.assign(**{"Size / cm": 1.5})
'''
LOCAL = '''
"""How much did it rain?"""
import pandas

from scraping import local


def table():
    """The days."""
    return pandas.read_csv(local("rain.csv"))
'''


@pytest.fixture
def icons(checkout):
    checkout.write("museum", CRAWLED)
    outcome = checkout.command("scrape", "museum", "--debug")
    assert outcome.code == 0, outcome.err
    return checkout


@pytest.fixture
def rain(checkout):
    path = checkout.write("rain", LOCAL)
    (path.parent / "rain.csv").write_text("day,licence\n1,CC0-1.0\n2,MIT\n2,MIT\n")
    outcome = checkout.command("scrape", "rain", "--debug")
    assert outcome.code == 0, outcome.err
    return checkout


def test_the_card_tells_what_the_crawl_knows_and_what_is_personal(icons):
    outcome = icons.command("data", "museum")
    assert outcome.code == 0, outcome.err
    for told in (
        "A row is: One icon of the museum.",
        "4 rows from 4 pages",
        "4 pages of sandbox, fetched from 20",
        "4 × MIT",
        "Disallow: /museum/storeroom/",
        "note: e-mail, 4 times in 4 rows",
        "=1+1, write to [e-mail] (4)",
        "scraping.mask()",
        "Answer in projects/museum/datasheet.md under “## Uses”.",
    ):
        assert told in outcome.out, f"{told!r} is not in\n{outcome.out}"


def test_every_form_is_written_and_read_back(icons, tmp_path):
    named = {form: tmp_path / f"out.{form}" for form in ("markdown", "csv", "parquet", "croissant")}
    outcome = icons.command("data", "museum", *(f"--{form}={path}" for form, path in named.items()))
    assert outcome.code == 0, outcome.err
    assert "left out of" in outcome.out
    assert named["markdown"].read_text("utf-8").startswith("# Data card: museum")
    with named["csv"].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["note"].startswith("'=1+1")
    assert rows[0]["tags"] == '["a", "b"]'
    assert rows[0]["Size / cm"] == "1.5"
    assert not {"raw", "icon"} & set(rows[0])
    kept = pd.read_parquet(named["parquet"])
    assert len(kept) == 4
    assert kept["icon"][0].startswith(b"\x89PNG")
    described = json.loads(named["croissant"].read_text("utf-8"))
    assert described["distribution"][0]["contentUrl"] == "out.parquet"
    kinds = {one["name"]: one["dataType"] for one in described["recordSet"][0]["field"]}
    assert kinds["seen"] == "sc:Date"
    assert kinds["icon"] == "sc:ImageObject"
    assert kinds["Size / cm"] == "sc:Float"
    assert "raw" not in kinds  # bytes that are no pictures


def test_croissant_is_valid_whatever_the_columns_are_called(icons, tmp_path):
    mlcroissant = pytest.importorskip("mlcroissant")
    assert icons.command("data", "museum", "--croissant", str(tmp_path / "c d.json")).code == 0
    made = mlcroissant.Dataset(tmp_path / "c d.json")
    assert not made.metadata.issues.errors
    records = list(made.records("rows"))
    assert [record["rows/Size_cm"] for record in records] == [1.5] * 4


def test_nothing_is_written_over_unless_asked_for(rain, tmp_path):
    there = tmp_path / "there.csv"
    there.write_text("mine")
    fresh = tmp_path / "fresh.parquet"
    outcome = rain.command("data", "rain", "--parquet", str(fresh), "--csv", str(there))
    assert outcome.code == 2
    assert "--overwrite" in outcome.err
    assert there.read_text() == "mine"
    assert not fresh.exists()  # all of it is looked at before any is written
    assert rain.command("data", "rain", "--csv", str(there), "--overwrite").code == 0
    assert there.read_text().splitlines()[0] == "day,licence"
    # The table that --croissant writes beside counts as well.
    (tmp_path / "c.parquet").write_text("mine")
    assert rain.command("data", "rain", "--croissant", str(tmp_path / "c.json")).code == 2
    assert (tmp_path / "c.parquet").read_text() == "mine"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--label", "day"], "go with --tfds"),
        (["--csv", "{}/x", "--parquet", "{}/x"], "its own file"),
        (["--croissant", "{}/x.parquet"], "its own file"),
        (["--croissant", "{}/x.json", "--parquet", "{}/projects/x.parquet"], "same folder"),
        (["--csv", "{}"], "is a folder"),
        (["--markdown", "{}/none/x.md"], "there is no folder"),
        (["--csv"], "requires an argument"),
    ],
)
def test_options_that_do_not_go_together_end_with_2_and_write_nothing(
    rain, tmp_path, options, said
):
    before = set(tmp_path.rglob("x*"))
    outcome = rain.command("data", "rain", *(part.format(tmp_path) for part in options))
    assert outcome.code == 2
    assert said in outcome.err
    assert set(tmp_path.rglob("x*")) == before


def test_the_card_of_local_files_names_them_and_claims_no_crawl(rain):
    outcome = rain.command("data", "rain")
    assert outcome.code == 0, outcome.err
    assert "Not by a crawl." in outcome.out
    assert "added by hand: rain.csv, sha256:" in outcome.out
    assert "one request at a time" not in outcome.out
    assert "2 × MIT" in outcome.out  # by the column's name
    assert "1 of them duplicates" in outcome.out


def test_the_card_of_a_download_tells_where_the_file_is_from(checkout):
    source = LOCAL.replace("import local", "import download")
    read = 'pandas.read_csv(download("http://sandbox/robots.txt"), sep="#")'
    checkout.write("rain", source.replace('pandas.read_csv(local("rain.csv"))', read))
    outcome = checkout.command("scrape", "rain", "--debug")
    assert outcome.code == 0, outcome.err
    card = checkout.command("data", "rain").out
    assert "Not by a crawl." in card
    assert "downloaded: http://sandbox/robots.txt, 20" in card
    assert "added by hand" not in card


def test_in_a_clone_the_message_says_how_to_have_the_values(icons):
    shutil.rmtree(icons.root / "projects" / "museum" / ".folio")
    outcome = icons.command("data", "museum")
    assert outcome.code == 1
    assert "folio run museum" in outcome.err
    assert "Traceback" not in outcome.err


def test_a_project_without_a_table_has_no_data(checkout, toy):
    outcome = checkout.command("data", "toy")
    assert outcome.code == 2
    assert "gives no table" in outcome.err


def test_a_datasheet_with_another_heading_is_told_the_seven(rain):
    (rain.root / "projects" / "rain" / "datasheet.md").write_text("## Purpose\nNone.\n")
    outcome = rain.command("data", "rain")
    assert outcome.code == 2
    assert "'Purpose' is no section of a datasheet" in outcome.err
    (rain.root / "projects" / "rain" / "datasheet.md").write_text("## Uses\nForecasts.\n")
    assert "Forecasts." in rain.command("data", "rain").out


@pytest.mark.slow
def test_a_tensorflow_data_set_is_written_and_loaded(icons, tmp_path):
    tensorflow_datasets = pytest.importorskip("tensorflow_datasets")
    outcome = icons.command(
        "data", "museum", "--tfds", str(tmp_path / "sets"), "--label", "licence"
    )
    # A column that tfds cannot name is told, not dropped.
    assert outcome.code == 2
    assert "has a slash" in outcome.err
    icons.edit(icons.root / "projects" / "museum" / "project.py", "Size / cm", "size_cm")
    assert icons.command("scrape", "museum", "--debug").code == 0
    options = ("--tfds", str(tmp_path / "sets"), "--label", "licence")
    outcome = icons.command("data", "museum", *options)
    assert outcome.code == 0, outcome.err
    made = tensorflow_datasets.builder_from_directory(tmp_path / "sets" / "museum" / "1.0.0")
    assert made.info.splits["train"].num_examples == 4
    assert made.info.features["licence"].names == ["MIT"]
    assert icons.command("data", "museum", *options).code == 2
    assert icons.command("data", "museum", *options, "--overwrite").code == 0
