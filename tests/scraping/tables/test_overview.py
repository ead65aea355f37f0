"""A table in figures."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import numpy as np
import pandas as pd

from scraping.tables.overview import duplicated, summary


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": pd.Series(["wren", "owl", None, "owl", "wren"], dtype="str"),
            "eggs": pd.Series([6, 3, None, 3, 6], dtype="Int64"),
            "grams": [9.5, 500.0, 1.0, 500.0, 9.5],
            "rare": [True, False, False, False, True],
            "picture": [b"ab", b"c", b"", b"c", b"ab"],
            "seen": [date(2026, 1, day) for day in (1, 2, 3, 2, 1)],
            "noted": pd.to_datetime([datetime(2026, 1, 1, tzinfo=UTC)] * 5),
            "tags": [["x"], [], ["x", "y"], [], np.array(["x"], dtype=object)],
            "_url": [f"http://h/{n}" for n in (0, 0, 1, 2, 3)],
            "_fetched": [str(n) for n in range(5)],
            "_offset": range(5),
        }
    )


def test_every_column_has_its_type_gaps_range_and_common_values():
    found = summary(table())
    columns = {column.name: column for column in found.columns}
    assert (found.rows, found.pages, found.duplicates) == (5, 4, 2)
    assert {name: column.type for name, column in columns.items()} == {
        "name": "text",
        "eggs": "whole number",
        "grams": "number",
        "rare": "yes/no",
        "picture": "bytes",
        "seen": "date",
        "noted": "time",
        "tags": "list",
    }
    name = columns["name"]
    assert (name.missing, name.distinct, name.low, name.high, name.mean) == (1, 2, 3, 4, 3.5)
    assert set(name.common) == {("wren", 2), ("owl", 2)}
    eggs = columns["eggs"]
    assert (eggs.missing, eggs.low, eggs.high, eggs.mean) == (1, 3, 6, 4.5)
    assert (columns["picture"].low, columns["picture"].high) == (0, 2)
    assert (columns["seen"].low, columns["seen"].high) == ("2026-01-01", "2026-01-03")
    assert columns["tags"].common[0] == ("x", 3)
    assert columns["tags"].high == 2


def test_it_is_told_in_lines_and_as_plain_data():
    found = summary(table())
    assert found.told()[0] == "5 rows from 4 pages, 2 of them duplicates of earlier ones"
    assert any(
        line.startswith("  eggs: whole number; 2 different; 1 missing; 3 to 6")
        for line in found.told()
    )
    assert json.loads(json.dumps(found.to_json()))["columns"][0]["name"] == "name"


def test_duplicates_are_rows_with_equal_values_from_whatever_page():
    assert duplicated(table()).tolist() == [False, False, False, True, True]
    assert duplicated(table()[["_url"]]).tolist() == [False] * 5
    assert not duplicated(table().iloc[:0]).any()
    missing = pd.DataFrame({"a": [None, None, "x"], "n": [np.nan, np.nan, 1]})
    assert duplicated(missing).tolist() == [False, True, False]


def test_rejected_rows_are_counted_by_reason_without_what_differs_from_row_to_row():
    reasons = [
        ("http://h/1", "http://h/1: nothing matches '.grams'; there is <p>\nIf some pages lack it"),
        ("http://h/2", "http://h/2: nothing matches '.grams'; there is <p>\nIf some pages lack it"),
        ("http://h/3", "eggs: '6' (str) is not a whole number"),
        ("http://h/4", "eggs: 'six of them' (str) is not a whole number"),
        ("http://h/5", "grams: -1.5 is not within 0 to 100"),
        ("http://h/6", "grams: 200.0 is not within 0 to 100"),
    ]
    rejected = pd.DataFrame(reasons, columns=["_url", "_reason"])
    assert summary(table(), rejected).rejected == {
        "nothing matches '.grams'; there is <p>": 2,
        "eggs: a value is not a whole number": 2,
        "grams: a value is not within 0 to 100": 2,
    }
    many = pd.DataFrame({"_url": "", "_reason": [f"fault {n}" for n in range(30)]})
    told = summary(table(), many).rejected
    assert len(told) == 21
    assert told["other reasons"] == 10


def test_odd_tables_have_a_summary_too():
    odd = pd.DataFrame({"mixed": [1, "a", None], "none": [None] * 3, 7: [{"a": 1}] * 3})
    assert [column.type for column in summary(odd).columns] == ["mixed", "mixed", "mixed"]
    assert summary(pd.DataFrame()).told() == ["0 rows"]
    assert summary(table().iloc[:0]).rows == 0


def test_hostile_text_never_reaches_the_terminal_raw():
    bad = pd.DataFrame({"\x1b[31m": ["\x1b[2J\x07"] * 4})
    assert all("\x1b" not in line for line in summary(bad).told())


def test_lists_and_objects_are_duplicates_only_if_all_in_them_is_equal():
    table = pd.DataFrame(
        {
            "object": [{"a": 1}, {"a": 2}, {"a": 1}],
            "list": [[0.123456789, None], [0.123456789, None], [0.123456789, None]],
        }
    )
    assert list(duplicated(table)) == [False, False, True]
    nearly = pd.DataFrame({"list": [[[0.1234567891]], [[0.1234567892]], [[float("nan")]] * 2]})
    assert list(duplicated(nearly.explode("list"))) == [False, False, False, True]
    assert summary(table).columns[0].distinct == 2


def test_common_values_that_are_personal_are_masked():
    table = pd.DataFrame({"by": ["kea@parrots.example.org"] * 3})
    told = "\n".join(summary(table).told())
    assert "[e-mail] (3)" in told
    assert "parrots" not in told
