"""Tables to Parquet and back, group by group."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraping.errors import Misuse, ScrapingError
from scraping.tables import parquet
from scraping.tables.parquet import Stream, gather, iterate, read


def table(**columns: list) -> pa.Table:
    return pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)


def groups(path: Path) -> list[int]:
    with pq.ParquetFile(path) as file:
        return [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]


def test_groups_are_cut_by_bytes_not_only_by_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_BYTES", 10_000)
    with Stream(tmp_path / "t") as stream:
        for number in range(20):
            stream.add(table(n=[number] * 10, data=[b"x" * 300] * 10))
    assert len(groups(tmp_path / "t")) >= 5
    assert max(groups(tmp_path / "t")) <= 40
    assert read(tmp_path / "t")["n"].tolist() == [n for n in range(20) for _ in range(10)]


def test_one_large_table_is_cut_too(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 7)
    with Stream(tmp_path / "t") as stream:
        stream.add(table(n=list(range(20))))
    assert groups(tmp_path / "t") == [7, 7, 6]


def test_a_later_table_may_bring_columns_and_wider_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "GROUP_ROWS", 2)
    with Stream(tmp_path / "t") as stream:
        stream.add(table(a=[1, 2], gone=[None, None]))
        stream.add(table(b=["x", "y"], a=[0.5, 1.5]))
        stream.add(table(gone=["z"], a=[3]))
    found = read(tmp_path / "t")
    assert list(found.columns) == ["a", "gone", "b"]
    assert found["a"].tolist() == [1, 2, 0.5, 1.5, 3]
    assert found["b"].isna().tolist() == [True, True, False, False, True]
    assert found["gone"].iloc[4] == "z"
    assert [p.name for p in tmp_path.iterdir()] == ["t"]


def test_values_that_no_column_holds_together_are_an_error_and_leave_nothing(tmp_path):
    def attempt():
        with Stream(tmp_path / "t") as stream:
            stream.add(table(a=[1]))
            stream.add(table(a=["x"]))

    with pytest.raises(Misuse, match="several kinds"):
        attempt()
    assert list(tmp_path.iterdir()) == []


def test_a_failure_leaves_the_earlier_file(tmp_path):
    with Stream(tmp_path / "t") as stream:
        stream.add(table(a=[1]))

    def attempt():
        with Stream(tmp_path / "t") as stream:
            stream.add(table(a=[2]))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        attempt()
    assert read(tmp_path / "t")["a"].tolist() == [1]
    assert len(list(tmp_path.iterdir())) == 1


def test_a_stream_of_nothing_is_a_table_of_nothing(tmp_path):
    Stream(tmp_path / "t").close()
    assert read(tmp_path / "t").shape == (0, 0)
    assert list(iterate(tmp_path / "t")) == []


def test_iterate_gives_pieces_and_only_the_columns_asked_for(tmp_path):
    with Stream(tmp_path / "t") as stream:
        stream.add(table(a=list(range(25)), b=["x"] * 25))
    pieces = list(iterate(tmp_path / "t", ["a"], batch=10))
    assert [len(piece) for piece in pieces] == [10, 10, 5]
    assert {tuple(piece.columns) for piece in pieces} == {("a",)}
    with pytest.raises(Misuse, match="no column 'c'; it has a, b"):
        list(iterate(tmp_path / "t", ["c"]))


def test_a_missing_and_a_damaged_file_are_told(tmp_path):
    with pytest.raises(Misuse, match="no such file"):
        read(tmp_path / "t")
    with Stream(tmp_path / "t") as stream:
        stream.add(table(a=list(range(1000))))
    (tmp_path / "t").write_bytes((tmp_path / "t").read_bytes()[:-20])
    with pytest.raises(ScrapingError, match="no whole Parquet file"):
        list(iterate(tmp_path / "t"))


@settings(max_examples=40, deadline=None)
@given(
    files=st.lists(st.lists(st.integers(0, 5), max_size=12), min_size=1, max_size=4),
    order=st.permutations(range(6)).flatmap(
        lambda keys: st.integers(0, 6).map(lambda n: {key: at for at, key in enumerate(keys[:n])})
    ),
    size=st.integers(1, 5),
)
def test_gathered_rows_are_those_of_a_stable_sort_in_memory(files, order, size, tmp_path_factory):
    folder = tmp_path_factory.mktemp("gather")
    whole, sources = [], []
    earlier = parquet.GROUP_ROWS, parquet.HELD_GROUPS
    parquet.GROUP_ROWS, parquet.HELD_GROUPS = size, 1
    try:
        for number, keys in enumerate(files):
            with Stream(folder / str(number)) as stream:
                rows = [(key, f"{number}-{at}") for at, key in enumerate(keys)]
                whole += rows
                stream.add(table(key=[k for k, _ in rows], name=[n for _, n in rows]))
            sources.append((folder / str(number), order))
        with Stream(folder / "out") as stream:
            gather(sources, "key", stream)
    finally:
        parquet.GROUP_ROWS, parquet.HELD_GROUPS = earlier
    wanted = sorted((row for row in whole if row[0] in order), key=lambda row: order[row[0]])
    found = read(folder / "out").get("name", pd.Series())
    assert found.tolist() == [name for _, name in wanted]


def test_a_file_that_lacks_the_column_gives_no_rows(tmp_path):
    for name, columns in (("a", {"key": [1]}), ("b", {"other": [2]})):
        with Stream(tmp_path / name) as stream:
            stream.add(table(**columns))
    with Stream(tmp_path / "out") as stream:
        gather([(tmp_path / "b", {1: 0}), (tmp_path / "a", {1: 0})], "key", stream)
    assert read(tmp_path / "out").to_dict("list") == {"key": [1]}
