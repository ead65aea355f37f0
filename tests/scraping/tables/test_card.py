"""The data card: seven sections, filled from records, asking for the rest."""

from __future__ import annotations

import dataclasses
import json

import pandas as pd
import pytest

from scraping import crawl, text
from scraping.errors import Misuse
from scraping.tables import card, croissant, export
from scraping.tables.overview import summary
from scraping.tables.personal import found
from scraping.tables.rows import frame


@dataclasses.dataclass
class Bird:
    """One bird of the shop."""

    name: str
    licence: str


@pytest.fixture
def facts(shop, tmp_path) -> card.About:
    pages = crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path / "archive")
    rows = [Bird(text(page, "h1"), "MIT" if n % 3 else "CC0-1.0") for n, page in enumerate(pages)]
    rows[0] = Bird("", 3)  # ty: ignore[invalid-argument-type] - rejected
    table, rejected = frame(rows, [(ref.url, ref.fetched, ref.offset) for ref in pages.refs])
    return card.About(
        name="birds",
        title="Which birds are dear?",
        creator="Ada",
        contact="ada@example.org",
        command="folio run birds",
        rows_are="One bird of the shop.",
        steps=[("table", "Each bird once.")],
        table=table,
        summary=summary(table, rejected),
        findings=found(table),
        origin=card.origin(pages),
        roles={"licence": "licence"},
    )


def test_the_card_has_the_seven_sections_of_a_datasheet_in_order(facts):
    assert [section.title for section in card.sections(facts)] == list(card.SECTIONS)
    assert len(card.SECTIONS) == 7


def test_what_the_records_know_is_filled_in(facts, shop):
    told = "\n".join(card.told(facts))
    host = f"127.0.0.1:{shop.port}"
    for known in (
        "A row is: One bird of the shop.",
        "11 rows from 11 pages",
        f"12 pages of {host}",
        f"sha256:{facts.origin.digest}",
        f"robots.txt of {host}, as it was:",
        "Disallow: /private",
        "8 × MIT",
        "3 × CC0-1.0",
        "1 × ",  # a rejected row, with its reason
        "folio run birds",
    ):
        assert known in told, known


def test_only_of_a_site_that_needs_pauses_they_are_told(facts):
    assert "one request at a time, with pauses, under a name" in "\n".join(card.told(facts))
    here = dataclasses.replace(facts.origin, hosts=["sandbox"])
    told = "\n".join(card.told(dataclasses.replace(facts, origin=here)))
    assert "one request at a time." in told
    assert "pauses" not in told


def test_what_only_people_know_is_asked_for_until_it_is_answered(facts):
    asked = [section.title for section in card.sections(facts) if section.asked]
    assert asked == list(card.SECTIONS)
    said = card.answers("# x\n\n## Motivation\n\nA course.\n\n## Uses\n\n## Maintenance\nNo.")
    assert said == {"Motivation": "A course.", "Maintenance": "No."}
    answered = dataclasses.replace(facts, answers=said)
    asked = [section.title for section in card.sections(answered) if section.asked]
    assert asked == [one for one in card.SECTIONS if one not in said]
    assert "A course." in card.markdown(answered, str)


def test_a_comment_is_no_answer_and_a_foreign_heading_an_error():
    assert card.answers("## Uses\n<!-- write here -->\n") == {}
    with pytest.raises(Misuse, match=r"'Motives' is no section of a datasheet"):
        card.answers("## Motives\n\nx")


def test_robots_that_were_not_there_are_told_as_such(site, tmp_path):
    site["/"] = "<h1>One</h1>"
    pages = crawl(site.url(), follow=None, archive=tmp_path)
    (said,) = card.origin(pages).robots.values()
    assert said == "there was none (answer 404)"


def test_personal_data_is_reported_with_its_column(facts):
    table = facts.table.assign(contact="write to jo@birds.example")
    told = "\n".join(card.told(dataclasses.replace(facts, table=table, findings=found(table))))
    assert "contact: e-mail, 11 times in 11 rows" in told
    assert "jo@birds.example" not in told


def test_hostile_words_mean_nothing_in_the_markdown(facts):
    table = facts.table.assign(licence="<script>alert(1)</script> [x](javascript:1)")
    hostile = dataclasses.replace(facts, table=table, summary=summary(table))
    written = card.markdown(hostile, lambda words: "".join(c for c in words if c.isalnum()))
    assert "<script" not in written
    assert "](javascript" not in written


def described(facts, tmp_path):
    parquet = tmp_path / "birds.parquet"
    export.parquet(facts.table, parquet)
    words = croissant.describe(
        facts, parquet, url="https://example.org/birds/", published="2026-11-23"
    )
    path = tmp_path / "birds.json"
    path.write_text(croissant.text(words), "utf-8")
    return path


@pytest.mark.slow
def test_the_reference_reader_validates_the_croissant_and_loads_every_row(facts, tmp_path):
    mlcroissant = pytest.importorskip("mlcroissant", reason="in the extra `readers`")
    facts.table["pair"] = pd.Series([["a", "b"]] * len(facts.table))
    facts.table["heavy"] = facts.table["name"].str.len() > 7
    facts.table["weight"] = facts.table["name"].str.len() / 2
    read = mlcroissant.Dataset(jsonld=str(described(facts, tmp_path)))
    assert not read.metadata.ctx.issues.errors
    assert not read.metadata.ctx.issues.warnings
    rows = list(read.records("rows"))
    assert [row["rows/name"].decode() for row in rows] == list(facts.table["name"])
    assert [row["rows/heavy"] for row in rows] == list(facts.table["heavy"])
    assert [row["rows/weight"] for row in rows] == list(facts.table["weight"])


def test_the_croissant_names_file_licences_and_times(facts, tmp_path):
    words = json.loads(described(facts, tmp_path).read_text("utf-8"))
    assert words["conformsTo"].endswith("/1.1")
    assert words["license"] == [
        "https://spdx.org/licenses/MIT",
        "https://spdx.org/licenses/CC0-1.0",
    ]
    (file,) = words["distribution"]
    assert file["contentUrl"] == "birds.parquet"
    assert len(file["sha256"]) == 64
    assert words["rai:dataCollectionTimeFrame"] == [facts.origin.first, facts.origin.last]


def test_licences_of_any_kind_of_column_are_counted():
    column = pd.Series(["MIT", None, "MIT"], dtype="category")
    roles = {"licence": "licence"}
    assert card.licences_of(pd.DataFrame({"licence": column}), roles) == {"MIT": 2, "unknown": 1}


def test_croissant_is_valid_for_a_table_without_rows_and_columns_of_any_name(facts, tmp_path):
    mlcroissant = pytest.importorskip("mlcroissant")
    table = pd.DataFrame(
        {
            "Size / cm": [1.0],
            "Size_cm": [2],
            "": ["no name"],
            7: ["number"],
            "a\nb": [[1, 2]],
            "object": [{"a": 1}],
            "nothing": [None],
        }
    )
    for rows in (table, table.iloc[:0]):
        about = dataclasses.replace(facts, table=rows)
        export.parquet(rows, tmp_path / "my rows.parquet")
        described = croissant.describe(
            about, tmp_path / "my rows.parquet", url="https://example.org/", published=""
        )
        (tmp_path / "c.json").write_text(croissant.text(described), "utf-8")
        made = mlcroissant.Dataset(tmp_path / "c.json")
        assert not made.metadata.issues.errors
        assert len(list(made.records("rows"))) == len(rows)
        assert "year" not in described["citeAs"]
