"""Rows to typed tables, and what becomes of rows that do not fit."""

from __future__ import annotations

from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, Optional

import numpy as np
import pandas as pd
import pytest

from scraping.errors import Misuse
from scraping.rows import Range, frame, read, write


@dataclass
class Bird:
    name: str
    eggs: int
    grams: Annotated[float, Range(0, 20_000)]
    migrates: bool
    picture: bytes
    seen: date
    noted: datetime
    status: Literal["common", "rare"]
    nickname: Optional[str] = None  # noqa: UP045 - both spellings are tested
    ring: int | None = None
    wing: Annotated[float | None, Range(0, 400)] = None


def bird(**changes: Any) -> Bird:
    values: dict[str, Any] = {
        "name": "Wren",
        "eggs": 6,
        "grams": 9.5,
        "migrates": False,
        "picture": b"\x89PNG\x00",
        "seen": date(2026, 3, 4),
        "noted": datetime(2026, 3, 4, 5, 6, 7, 89, tzinfo=UTC),
        "status": "common",
    }
    return Bird(**(values | changes))


def source(count: int) -> list[tuple[str, str, int]]:
    return [(f"http://h/{n}", "2026-11-23T01:02:03Z", 100 * n) for n in range(count)]


def test_a_table_has_the_types_that_the_class_names_and_says_where_each_row_is_from():
    table, rejected = frame([bird(), bird(name="Owl", ring=7, nickname="U")], source(2))
    assert {name: str(kind) for name, kind in table.dtypes.items()} == {
        "name": "str",
        "eggs": "int64",
        "grams": "float64",
        "migrates": "bool",
        "picture": "object",
        "seen": "object",
        "noted": "datetime64[us, UTC]",
        "status": "str",
        "nickname": "str",
        "ring": "Int64",
        "wing": "float64",
        "_url": "str",
        "_fetched": "str",
        "_offset": "int64",
    }
    assert table["ring"].isna().tolist() == [True, False]
    assert table["_url"].tolist() == ["http://h/0", "http://h/1"]
    assert table["_offset"].tolist() == [0, 100]
    assert len(rejected) == 0
    assert list(rejected.columns)[-4:] == ["_url", "_fetched", "_offset", "_reason"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": None}, "name: is missing"),
        ({"name": 7}, "name: '7' (int) is not text"),
        ({"eggs": "6"}, "eggs: '6' (str) is not a whole number"),
        ({"eggs": 6.0}, "eggs: '6.0' (float) is not a whole number"),
        ({"eggs": True}, "eggs: 'True' (bool) is not a whole number"),
        ({"eggs": 2**63}, "eggs: 9223372036854775808 needs more than 64 bits"),
        ({"grams": "9"}, "grams: '9' (str) is not a number"),
        ({"grams": float("nan")}, "grams: nan is not a number"),
        ({"grams": -1}, "grams: -1.0 is not within 0 to 20000"),
        ({"wing": 401}, "wing: 401.0 is not within 0 to 400"),
        ({"migrates": 1}, "migrates: '1' (int) is not True or False"),
        ({"picture": "x"}, "picture: 'x' (str) is not bytes"),
        ({"seen": datetime(2026, 1, 1)}, "is not a date"),
        ({"seen": "2026-01-01"}, "is not a date"),
        ({"noted": date(2026, 1, 1)}, "is not a date with time"),
        ({"status": "extinct"}, "status: 'extinct' is none of 'common', 'rare'"),
        ({"name": 1, "eggs": None}, "name: '1' (int) is not text; eggs: is missing"),
    ],
)
def test_a_row_that_does_not_fit_is_kept_apart_with_the_reason(change, reason):
    table, rejected = frame([bird(), bird(**change)], source(2))
    assert len(table) == len(rejected) == 1
    assert reason in rejected["_reason"][0]
    assert rejected["_url"].tolist() == ["http://h/1"]


def test_numpy_s_values_and_whole_floats_fit_where_they_mean_the_same():
    fits = bird(eggs=np.int32(6), grams=9, migrates=np.bool_(True), wing=np.float32(1.5))
    table, rejected = frame([fits], source(1))
    assert rejected.empty
    assert table.loc[0, ["eggs", "grams", "migrates", "wing"]].tolist() == [6, 9.0, True, 1.5]


def test_times_are_kept_in_utc():
    east = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    table, _ = frame([bird(noted=east), bird(noted=datetime(2026, 1, 1, 12))], source(2))
    assert [when.hour for when in table["noted"]] == [10, 12]


def test_a_table_survives_parquet_with_its_types(tmp_path):
    table, rejected = frame([bird(), bird(ring=7, wing=3), bird(eggs="x")], source(3))
    for one in (table, rejected):
        write(one, tmp_path / "rows.parquet")
        pd.testing.assert_frame_equal(read(tmp_path / "rows.parquet"), one)
    assert [path.name for path in tmp_path.iterdir()] == ["rows.parquet"]


def test_a_table_in_which_every_row_was_rejected_still_has_its_columns(tmp_path):
    table, rejected = frame([bird(eggs="x")], source(1))
    assert (len(table), len(rejected)) == (0, 1)
    assert str(table["ring"].dtype) == "Int64"
    write(table, tmp_path / "rows.parquet")
    assert list(read(tmp_path / "rows.parquet").columns) == list(table.columns)


def test_the_bytes_of_a_table_depend_on_the_table_alone(tmp_path):
    table, _ = frame([bird()], source(1))
    write(table, tmp_path / "1")
    write(table, tmp_path / "2")
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()


def test_a_write_that_fails_leaves_the_old_table(tmp_path):
    path = tmp_path / "rows.parquet"
    write(pd.DataFrame({"a": [1]}), path)
    with pytest.raises(Exception, match="Conversion failed"):
        write(pd.DataFrame({"a": [1, "x", b"y"]}, dtype="object"), path)
    assert read(path)["a"].tolist() == [1]
    assert len(list(tmp_path.iterdir())) == 1


def test_dictionaries_are_taken_as_they_are():
    table, rejected = frame([{"a": 1, "b": "x"}, {"a": 2}], source(2))
    assert table["a"].tolist() == [1, 2]
    assert table["b"].isna().tolist() == [False, True]
    assert table["_offset"].tolist() == [0, 100]
    assert rejected.empty


def test_no_rows_are_an_empty_table():
    table, rejected = frame([], [])
    assert len(table) == len(rejected) == 0
    assert list(table.columns) == ["_url", "_fetched", "_offset"]


def test_rows_of_several_classes_are_an_error():
    @dataclass
    class Fish:
        name: str

    with pytest.raises(Misuse, match="several: Bird, Fish"):
        frame([bird(), Fish("Cod")], source(2))


@pytest.mark.parametrize(
    "hint", [list[str], dict, str | int, Any, object, Literal[1, "a"], complex]
)
def test_an_annotation_that_no_table_can_hold_is_named(hint):
    kind = make_dataclass("Odd", [("field", hint)])
    with pytest.raises(Misuse, match=r"Odd\.field is annotated"):
        frame([kind("x")], source(1))


def test_a_row_that_is_no_dataclass_is_an_error():
    with pytest.raises(Misuse, match="@dataclass"):
        frame([("a", 1)], source(1))


def test_control_characters_in_a_value_are_escaped_in_the_reason():
    _, rejected = frame([bird(status="\x1b[31mred")], source(1))
    assert "\x1b" not in rejected["_reason"][0]
