"""Rows to typed tables, and what becomes of rows that do not fit."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, make_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Annotated, Any, Literal, Optional

import numpy as np
import pandas as pd
import pytest

from scraping.errors import Misuse
from scraping.tables.rows import Range, Writer, frame, iterate, read, rights, write
from scraping.tables.schema import LICENCE, roles, schema


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
    "hint",
    [
        list,
        list[bytes],
        list[list[str]],
        list[str | None],
        dict,
        str | int,
        Any,
        object,
        Literal[1, "a"],
        complex,
    ],
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


@dataclass
class Photo:
    tags: list[Literal["sky", "sea"]]
    sizes: list[Annotated[int, Range(1, 100)]] | None
    terms: Annotated[str, LICENCE]
    author: str
    licence: str = "the camera's"


def test_lists_are_columns_whose_items_are_checked_one_by_one(tmp_path):
    good = [Photo(["sky", "sea"], [3], "CC0", "A"), Photo([], None, "CC0", "A")]
    bad = [Photo(["land"], [3], "", ""), Photo("sky", [0], "", "")]  # ty: ignore
    table, rejected = frame([*good, *bad], source(4))
    assert table["tags"].tolist() == [["sky", "sea"], []]
    assert table["sizes"].tolist() == [[3], None]
    assert rejected["_reason"].tolist() == [
        "tags: 'land' is none of 'sky', 'sea'",
        "tags: 'sky' (str) is not a list; sizes: 0 is not within 1 to 100",
    ]
    write(table, tmp_path / "rows")
    assert [list(tags) for tags in read(tmp_path / "rows")["tags"]] == [["sky", "sea"], []]


def test_a_set_s_items_have_one_order():
    kind = make_dataclass("Set", [("field", list[str])])
    table, _ = frame([kind({"b", "a", "c"})], source(1))
    assert table["field"][0] == ["a", "b", "c"]


def test_the_columns_of_licence_and_author_are_known_by_annotation_or_by_name(tmp_path):
    assert roles(schema(Photo)) == {"licence": "terms", "attribution": "author"}
    assert roles(schema(make_dataclass("Icon", [("licence", str), ("author", str | None)]))) == {
        "licence": "licence",
        "attribution": "author",
    }
    assert roles(schema(Bird)) == {}
    assert roles(schema(make_dataclass("Page", [("source", bytes), ("licence", int)]))) == {}
    with Writer(tmp_path / "photos.parquet", Photo):
        pass
    assert rights(tmp_path / "photos.parquet") == {"licence": "terms", "attribution": "author"}


def test_two_licences_or_one_that_is_no_text_are_an_error():
    two = make_dataclass("Two", [("a", Annotated[str, LICENCE]), ("b", Annotated[str, LICENCE])])
    with pytest.raises(Misuse, match="a and b are both annotated as the row's licence"):
        schema(two)
    with pytest.raises(Misuse, match="told as text"):
        schema(make_dataclass("Number", [("a", Annotated[int, LICENCE])]))


def birds(count: int) -> list[Bird]:
    return [
        bird(
            name=f"Bird {n}",
            eggs="none" if n % 7 == 3 else n,
            nickname=None if n % 2 else "x",
            ring=n if n % 3 else None,
            picture=bytes([n % 256]) * 50,
        )
        for n in range(count)
    ]


def test_a_streamed_table_is_the_table_that_frame_makes(tmp_path, monkeypatch):
    monkeypatch.setattr("scraping.tables.rows.HELD_ROWS", 10)
    monkeypatch.setattr("scraping.tables.parquet.GROUP_ROWS", 25)
    found, places = birds(100), source(100)
    with Writer(tmp_path / "birds.parquet") as writer:
        for start in range(0, 100, 7):
            writer.add(found[start : start + 7], places[start : start + 7])
    table, rejected = frame(found, places)
    assert (writer.kept, writer.refused) == (len(table), len(rejected)) == (86, 14)
    pd.testing.assert_frame_equal(read(tmp_path / "birds.parquet"), table)
    pd.testing.assert_frame_equal(read(tmp_path / "birds.rejected.parquet"), rejected)
    assert len(list(iterate(tmp_path / "birds.parquet", ["name"], batch=10))) >= 9
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "birds.parquet",
        "birds.rejected.parquet",
    ]


def test_a_writer_s_tables_have_their_columns_also_without_rows(tmp_path):
    with Writer(tmp_path / "birds.parquet", Bird) as writer:
        writer.add([], [])
    empty = read(tmp_path / "birds.parquet")
    pd.testing.assert_frame_equal(empty, frame([bird()], source(1))[0].iloc[:0])
    assert not writer.rejected_path.exists()


def test_pages_without_a_row_are_among_the_rejected_with_their_reason(tmp_path):
    with Writer(tmp_path / "birds.parquet") as writer:
        writer.reject(source(1)[0], "nothing matches 'h1'")
        writer.add([bird(eggs="x")], source(1))
    rejected = read(writer.rejected_path)
    assert rejected["_reason"].tolist() == [
        "nothing matches 'h1'",
        "eggs: 'x' (str) is not a whole number",
    ]
    assert rejected["eggs"].isna().tolist() == [True, False]


def test_a_writer_that_fails_leaves_the_earlier_tables(tmp_path):
    with Writer(tmp_path / "birds.parquet") as writer:
        writer.add([bird(), bird(eggs="x")], source(2))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def attempt():
        with Writer(tmp_path / "birds.parquet") as writer:
            writer.add([bird(eggs="y"), bird()], source(2))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with Writer(tmp_path / "birds.parquet") as writer:
        writer.add([bird()], source(1))
    assert [path.name for path in tmp_path.iterdir()] == ["birds.parquet"]


def test_a_writer_takes_rows_of_one_class(tmp_path):
    def attempt():
        with Writer(tmp_path / "t") as writer:
            writer.add([bird()], source(1))
            writer.add([{"a": 1}], source(1))

    with pytest.raises(Misuse, match="several: Bird, dict"):
        attempt()
    assert list(tmp_path.iterdir()) == []


def test_dictionaries_stream_too(tmp_path, monkeypatch):
    monkeypatch.setattr("scraping.tables.rows.HELD_ROWS", 2)
    found = [{"a": 1}, {"a": 2}, {"a": 0.5, "b": "x"}]
    with Writer(tmp_path / "t") as writer:
        writer.add(found, source(3))
    assert read(tmp_path / "t")["a"].tolist() == [1, 2, 0.5]
    with pytest.raises(Misuse, match="several kinds"), Writer(tmp_path / "t") as writer:
        writer.add([{"a": 1}, {"a": "x"}], source(2))


MILLION = """
import sys
from dataclasses import dataclass
from scraping.tables import rows

@dataclass
class Reading:
    title: str
    body: str
    price: float
    tags: list[str]
    thumb: bytes

with rows.Writer(sys.argv[1]) as writer:
    for page in range(int(sys.argv[2]) // 100):
        made = [
            Reading(f"{page} {n}", f"text {page * n} " * 8, n if n else "free", ["a"], b"x" * 200)
            for n in range(100)
        ]
        writer.add(made, [(f"http://h/{page}", "2026-11-23T01:02:03Z", page)] * 100)
seen = sum(len(piece) for piece in rows.iterate(sys.argv[1]))
# Not ru_maxrss: across a fork that still counts what the parent had.
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024
print(writer.kept, writer.refused, seen, peak)
"""


@pytest.mark.slow
def test_a_million_rows_stream_in_less_than_500_mb(tmp_path):
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    rows = int(os.environ.get("FOLIO_ROWS", "200_000"))  # FOLIO_ROWS=1000000 for all of them
    ran = subprocess.run(
        [sys.executable, "-c", MILLION, str(tmp_path / "t"), str(rows)],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    kept, refused, seen, megabytes = map(int, ran.stdout.split())
    assert (kept, refused, seen) == (rows * 99 // 100, rows // 100, rows * 99 // 100)
    assert megabytes < 500
