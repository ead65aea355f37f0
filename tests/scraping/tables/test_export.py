"""Tables for others: CSV, Parquet, TensorFlow data sets."""

from __future__ import annotations

import csv
import io
import os
import socket
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from scraping.errors import Misuse
from scraping.tables import examples, export
from scraping.tables.rows import read


def cells(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_csv_has_every_value_as_text_and_tells_what_was_left_out(tmp_path):
    table = pd.DataFrame(
        {
            "name": pd.Series(['a "b", c', "é\nf", None], dtype="str"),
            "eggs": pd.Series([6, None, -3], dtype="Int64"),
            "grams": [9.5, float("nan"), -1e30],
            "seen": [date(2026, 1, 2), None, None],
            "noted": pd.to_datetime([datetime(2026, 1, 1, tzinfo=UTC), None, None]),
            "tags": [["x", "é"], np.array([1, 2]), None],
            "picture": [b"x", None, b"y"],
        }
    )
    assert export.csv(table, tmp_path / "t.csv") == ["picture"]
    assert cells(tmp_path / "t.csv") == [
        ["name", "eggs", "grams", "seen", "noted", "tags"],
        ['a "b", c', "6", "9.5", "2026-01-02", "2026-01-01T00:00:00+00:00", '["x", "é"]'],
        ["é\nf", "", "", "", "", "[1, 2]"],
        ["", "-3", "-1e+30", "", "", ""],
    ]
    assert b"\r\n" in (tmp_path / "t.csv").read_bytes()


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "=", "+"],
)
def test_text_that_a_spreadsheet_would_run_begins_with_an_apostrophe(tmp_path, text):
    export.csv(pd.DataFrame({text: [text]}), tmp_path / "t.csv")
    assert cells(tmp_path / "t.csv") == [[f"'{text}"], [f"'{text}"]]


@pytest.mark.parametrize("text", ["-5", "+5.25", "-1e-7", "a=b", "1-2", "'=1"])
def test_numbers_and_harmless_text_stay_as_they_are(tmp_path, text):
    export.csv(pd.DataFrame({"a": [text]}), tmp_path / "t.csv")
    assert cells(tmp_path / "t.csv")[1] == [text]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=5))
def test_no_cell_begins_as_a_formula_and_every_text_is_still_there(texts):
    for text in texts:
        cell = export._cell(text)
        assert cell.removeprefix("'") == text.removeprefix("'")
        assert not export.FORMULA.match(cell) or export.NUMBER.fullmatch(cell)


def test_a_file_is_replaced_whole_and_a_folder_is_refused(tmp_path):
    for write, name in ((export.csv, "t.csv"), (export.parquet, "t.parquet")):
        write(pd.DataFrame({"a": [1]}), tmp_path / name)
        write(pd.DataFrame({"a": [2]}), tmp_path / name)
        with pytest.raises(Misuse, match="is a folder"):
            write(pd.DataFrame(), tmp_path)
        with pytest.raises(Misuse, match="no such folder"):
            write(pd.DataFrame(), tmp_path / "none" / name)
    assert cells(tmp_path / "t.csv") == [["a"], ["2"]]
    assert read(tmp_path / "t.parquet")["a"].tolist() == [2]
    with pytest.raises(Misuse, match="no Parquet file was written"):
        export.parquet(pd.DataFrame({"a": [1, "x"]}), tmp_path / "t.parquet")
    assert read(tmp_path / "t.parquet")["a"].tolist() == [2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv", "t.parquet"]


def test_a_lone_surrogate_does_not_lose_the_table(tmp_path):
    export.csv(pd.DataFrame({"a": pd.Series(["\ud800", "b"], dtype=object)}), tmp_path / "t.csv")
    assert cells(tmp_path / "t.csv")[1:] == [["\\ud800"], ["b"]]


# -- TensorFlow data sets --------------------------------------------------------------------------


def picture(width: int, height: int, mode: str = "L", kind: str = "PNG") -> bytes:
    made = io.BytesIO()
    Image.new(mode, (width, height), 7).save(made, kind)
    return made.getvalue()


def icons(count: int = 10) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image": [picture(4 + n % 3, 4) for n in range(count)],
            "subject": pd.Series(["a/b", "../x\n"] * (count // 2), dtype="str"),
            "part": pd.Series((["train"] * 4 + ["test"]) * (count // 5), dtype="str"),
            "_url": pd.Series(["http://h/"] * count, dtype="str"),
            "_fetched": pd.Series(["now"] * count, dtype="str"),
            "_offset": range(count),
        }
    )


@pytest.fixture
def offline(monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def load(folder: Path, name: str, **more):
    import tensorflow_datasets

    found = tensorflow_datasets.load(name, data_dir=folder, try_gcs=False, **more)
    return {part: list(tensorflow_datasets.as_numpy(rows)) for part, rows in found.items()}


@pytest.mark.slow
def test_pictures_labels_and_splits_come_back_from_tfds(tmp_path, offline, capfd):
    table = icons()
    made = export.tfds(
        table,
        tmp_path,
        "my_icons",
        label="subject",
        split="part",
        description="Icons.",
        homepage="http://h/",
        licence="CC0-1.0",
        citation="@misc{icons}",
    )
    assert made == tmp_path / "my_icons" / "1.0.0"
    assert "Generating" not in "".join(capfd.readouterr())
    found = load(tmp_path, "my_icons")
    assert {part: len(rows) for part, rows in found.items()} == {"train": 8, "test": 2}
    assert {row["image"].shape for rows in found.values() for row in rows} == {
        (4, 4, 1),
        (4, 5, 1),
        (4, 6, 1),
    }
    assert set(found["train"][0]) == {"image", "subject", "_url"}

    import tensorflow_datasets

    builder = tensorflow_datasets.builder_from_directory(made)
    assert builder.info.features["subject"].names == ["../x", "a/b"]
    assert builder.info.redistribution_info.license == "CC0-1.0"
    assert builder.info.supervised_keys == ("image", "subject")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my_icons"]


@pytest.mark.slow
def test_every_kind_of_column_comes_back_and_gaps_as_told(tmp_path, offline):
    table = pd.DataFrame(
        {
            "text": pd.Series(["é", None, "z"], dtype="str"),
            "whole": [1, 2, 3],
            "gaps": pd.Series([1, None, 3], dtype="Int64"),
            "yes": pd.Series([True, None, False], dtype="boolean"),
            "seen": [date(2026, 1, 2), None, date(2026, 1, 3)],
            "tags": [["x", "y"], [], None],
            "numbers": [[1, 2], [], [3]],
            "bytes": [b"\x00\xff", b"", b"z"],
            "colour": [picture(4, 4, "RGBA"), picture(5, 4, "P"), picture(4, 4, "RGB")],
            "webp": [picture(4, 4, "RGB", "WEBP")] * 3,
            "mixed": [picture(4, 4, "RGB", "JPEG"), picture(4, 4, "RGBA"), picture(4, 4)],
            "grade": [10, 2, 10],
        }
    )
    made = export.tfds(table, tmp_path, "all_kinds", label="grade", split={"all_of_it": [True] * 3})
    rows = sorted(load(tmp_path, "all_kinds")["all_of_it"], key=lambda row: row["whole"])
    assert [row["text"].decode() for row in rows] == ["é", "", "z"]
    assert [row["yes"] for row in rows] == [1, -1, 0]
    assert [row["gaps"] for row in rows][::2] == [1, 3]
    assert np.isnan(rows[1]["gaps"])
    assert [row["seen"].decode() for row in rows] == ["2026-01-02", "", "2026-01-03"]
    assert [list(row["tags"]) for row in rows] == [[b"x", b"y"], [], []]
    assert [list(row["numbers"]) for row in rows] == [[1, 2], [], [3]]
    assert [row["bytes"] for row in rows] == [b"\x00\xff", b"", b"z"]
    assert [row["colour"].shape for row in rows] == [(4, 4, 4), (4, 5, 4), (4, 4, 4)]
    assert (
        {row["webp"].shape for row in rows} == {row["mixed"].shape for row in rows} == {(4, 4, 3)}
    )
    assert [row["grade"] for row in rows] == [1, 0, 1]
    labels = (made / "grade.labels.txt").read_text().split()
    assert labels == ["2", "10"]

    with pytest.raises(Misuse, match="is there already"):
        export.tfds(table, tmp_path, "all_kinds")
    export.tfds(table[["whole"]], tmp_path, "all_kinds", overwrite=True)
    assert set(load(tmp_path, "all_kinds")) == {"train"}

    torn = icons()
    torn.loc[3, "image"] = picture(200, 200, "RGB", "PNG")[:80]
    with pytest.raises(Misuse, match="row 3, column image: a picture that does not open"):
        export.tfds(torn, tmp_path, "torn")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all_kinds"]


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "My", "a-b", "1a", "a__b", "é", "a\n", "a" * 200]
)
def test_names_that_are_no_data_set_s_are_refused(tmp_path, name):
    with pytest.raises(Misuse, match="no name for a data set"):
        export.tfds(icons(), tmp_path, name)
    with pytest.raises(Misuse, match="no version"):
        export.tfds(icons(), tmp_path, "icons", version="../1")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_ours_is_never_replaced(tmp_path):
    mine = tmp_path / "icons" / "1.0.0" / "thesis.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("years of work")
    for overwrite, said in ((False, "is there already"), (True, "is no data set of tfds")):
        with pytest.raises(Misuse, match=said):
            export.tfds(icons(), tmp_path, "icons", overwrite=overwrite)
    assert mine.read_text() == "years of work"


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ("none", "no column 'none'"),
        ("subject", "no name for a split"),
        ({"../x": 1.0}, "no name for a split"),
        ({"all": 1.0}, "no name for a split"),
        ({"train": 0.5, "test": 0.4}, "1 together"),
        ({"train": 1.5, "test": -0.5}, "above 0"),
        ({"train": 0.99, "test": 0.01}, "'test' has no rows"),
        ({"train": [True] * 10, "test": [True] * 10}, "in several splits"),
        ({"train": [True] * 9}, "tells of 9 rows, not 10"),
        ({}, "1 together"),
    ],
)
def test_splits_that_cannot_be_are_told(split, said):
    with pytest.raises(Misuse, match=said):
        examples._splits(icons(), split, 0)


def test_a_table_without_rows_cannot_be_split():
    with pytest.raises(Misuse, match="no rows"):
        examples._splits(icons().iloc[:0], "part", 0)
    with pytest.raises(Misuse, match="no rows"):
        examples._splits(icons().iloc[:0], None, 0)


def test_fractions_share_out_every_row_once_and_the_same_for_a_seed():
    first, _ = examples._splits(icons(), {"train": 0.7, "test": 0.3}, seed=1)
    again, _ = examples._splits(icons(), {"train": 0.7, "test": 0.3}, seed=1)
    other, _ = examples._splits(icons(), {"train": 0.7, "test": 0.3}, seed=2)
    assert {part: rows.sum() for part, rows in first.items()} == {"train": 7, "test": 3}
    assert (first["train"] ^ first["test"]).all()
    assert (first["train"] == again["train"]).all()
    assert (first["train"] != other["train"]).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject": ["a", " a"] * 5}, "differ by blanks"),
        ({"subject": ["a", " "] * 5}, "are empty"),
        ({"subject": ["a", None] * 5}, "Row 1 has no 'subject'"),
        ({"image": [picture(4, 4), None] * 5}, "without a picture"),
        ({"image": [picture(4, 4), b"x"] * 5}, "none that can be opened"),
        ({"a/b": 1}, "has a slash"),
    ],
)
def test_tables_that_tfds_cannot_hold_are_told_before_anything_is_written(tmp_path, change, said):
    with pytest.raises(Misuse, match=said):
        export.tfds(icons().assign(**change), tmp_path, "icons", label="subject")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_exporting_loads_tensorflow_only_for_tensorflow():
    import subprocess
    import sys

    code = (
        "import sys, scraping.tables.export, scraping.tables.personal, scraping.tables.overview\n"
    )
    code += "print([m for m in ('tensorflow', 'pandas', 'pyarrow') if m in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert ran.stdout.strip() == "[]"


def test_objects_and_nested_lists_are_whole_in_csv(tmp_path):
    table = pd.DataFrame({"object": [{"a": [1, {"b": None}]}], "nested": [[[1.5], []]]})
    export.csv(table, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as file:
        (row,) = list(csv.DictReader(file))
    assert row == {"object": '{"a": [1, {"b": null}]}', "nested": "[[1.5], []]"}
