"""The digest of a table's content: the same however it was written, another for other content."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from projects.spine import meaning
from projects.spine.meaning import meaning_of


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": pd.Series(["a", "", None, "é" * 9, "b"], dtype="str"),
            "whole": pd.Series([1, None, 3, 4, 5], dtype="Int64"),
            "number": [0.5, 1.5, 2.5, -0.5, 1e300],
            "yes": [True, False, True, True, False],
            "data": [b"x", b"", b"yz", None, b"x"],
            "day": [date(2026, 1, day) for day in range(1, 6)],
            "when": [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 6)],
            "tags": [["a"], [], None, ["b", "c"], ["d"]],
            "inside": [{"a": n} for n in range(5)],
            "_fetched": ["now"] * 5,
        }
    )


def digest(frame: pd.DataFrame, tmp_path, group: int = 100) -> str:
    table = pa.Table.from_pandas(frame, preserve_index=False)
    pq.write_table(table, tmp_path / "t", row_group_size=group)
    return meaning_of(tmp_path / "t", without=["_fetched"])


@pytest.fixture(params=["whole", "column by column"])
def way(request, monkeypatch):
    if request.param != "whole":
        monkeypatch.setattr(meaning, "WHOLE_ROWS", 0)
        monkeypatch.setattr(meaning, "BATCH", 2)
    return request.param


def test_groups_and_the_time_of_fetching_are_no_part_of_it(way, tmp_path):
    one = digest(rows(), tmp_path)
    assert digest(rows().assign(_fetched="later"), tmp_path, group=2) == one
    assert digest(rows(), tmp_path, group=3) == one


@pytest.mark.parametrize("column", [name for name in rows().columns if name != "_fetched"])
def test_every_value_is_part_of_it(way, tmp_path, column):
    one = digest(rows(), tmp_path)
    frame = rows()
    values = list(frame[column])
    values[0], values[1] = values[1], values[0]
    frame[column] = pd.Series(values, dtype=frame[column].dtype)
    assert digest(frame, tmp_path) != one
    assert digest(rows().rename(columns={column: "other"}), tmp_path) != one


def test_text_moved_from_one_row_to_the_next_is_noticed(way, tmp_path):
    first, second = (pd.DataFrame({"a": [x, y]}) for x, y in (("ab", "c"), ("a", "bc")))
    assert digest(first, tmp_path) != digest(second, tmp_path)


def test_a_small_table_s_digest_is_that_of_its_parquet_bytes(tmp_path):
    frame = rows()
    wanted = hashlib.sha256(frame.drop(columns="_fetched").to_parquet()).hexdigest()
    assert digest(frame, tmp_path) == wanted


def test_a_table_of_many_bytes_is_read_a_few_rows_at_a_time(tmp_path, monkeypatch):
    one = digest(rows(), tmp_path)
    monkeypatch.setattr(meaning, "WHOLE_BYTES", 10)
    assert digest(rows(), tmp_path) != one


def test_columns_of_nothing_have_a_digest_too(way, tmp_path):
    empty = pd.DataFrame({"a": pd.Series(["", "", ""], dtype="str"), "b": [None] * 3})
    assert digest(empty, tmp_path) == digest(empty, tmp_path, group=1)
    assert digest(empty.iloc[:0], tmp_path) != digest(empty, tmp_path)
    assert digest(pd.DataFrame(), tmp_path)
