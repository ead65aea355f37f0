"""Tables to Parquet and back, a group of rows at a time: memory is bounded by bytes, not by rows.

A file is written aside, synced and renamed, so that a reader sees a whole table or the earlier one.
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scraping.errors import Misuse, ScrapingError, printable

GROUP_BYTES = 16 * 2**20  # of values, uncompressed, in one group of rows
GROUP_ROWS = 100_000
HELD_GROUPS = 4  # while rows are gathered from several files


class Stream:
    """A Parquet file written table by table; a later table may widen the columns.

    Columns are united by name in the order in which they first came; whole numbers widen to
    decimals, a column of nothing but missing values to whatever comes.
    """

    def __init__(self, path: str | Path) -> None:
        """Nothing is at `path` before `close`."""
        self.path = Path(path)
        self.rows = 0
        self.schema: pa.Schema | None = None
        self._held: list[pa.Table] = []
        self._held_bytes = self._held_rows = 0
        self._writer: pq.ParquetWriter | None = None
        self._parts: list[Path] = []
        self._folder = Path(tempfile.mkdtemp(prefix=f".{self.path.name}.", dir=self.path.parent))

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def add(self, table: pa.Table) -> None:
        """Take more rows; those held are written once they are many or large."""
        table = table.select([name for name in table.column_names if name != "__index_level_0__"])
        self.schema = table.schema if self.schema is None else united(self.schema, table.schema)
        self.rows += len(table)
        for start in range(0, len(table), GROUP_ROWS):
            piece = table.slice(start, GROUP_ROWS)
            self._held.append(piece)
            self._held_bytes += piece.nbytes
            self._held_rows += len(piece)
            if self._held_bytes >= GROUP_BYTES or self._held_rows >= GROUP_ROWS:
                self._flush()

    def _flush(self) -> None:
        if self.schema is None or not self._held:
            return
        if self._writer is not None and not self._writer.schema.equals(self.schema):
            self._writer.close()
            self._writer = None
        if self._writer is None:
            self._parts.append(self._folder / str(len(self._parts)))
            self._writer = pq.ParquetWriter(self._parts[-1], self.schema, compression="zstd")
        whole = pa.concat_tables([fitted(piece, self.schema) for piece in self._held])
        self._held, self._held_bytes, self._held_rows = [], 0, 0
        each = max(1, len(whole) * GROUP_BYTES // max(whole.nbytes, 1))
        self._writer.write_table(whole.combine_chunks(), row_group_size=min(each, GROUP_ROWS))

    def close(self) -> None:
        """Put the file in place. Without any table there is a file without columns."""
        try:
            if self.schema is None:
                self.schema = pa.schema([])
            self._flush()
            if self._writer is not None:
                self._writer.close()
            last = self._parts[0] if len(self._parts) == 1 else self._joined()
            with last.open("rb+") as file:
                os.fsync(file.fileno())
            last.replace(self.path)
        finally:
            self.abandon()

    def _joined(self) -> Path:
        """The parts, in which columns were fewer or narrower, as one file."""
        joined = self._folder / "joined"
        with pq.ParquetWriter(joined, self.schema, compression="zstd") as writer:
            for part in self._parts:
                with pq.ParquetFile(part) as file:
                    for number in range(file.num_row_groups):
                        writer.write_table(fitted(file.read_row_group(number), self.schema))
        return joined

    def abandon(self) -> None:
        """Remove what was written aside."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._held = []
        shutil.rmtree(self._folder, ignore_errors=True)


def united(first: pa.Schema, second: pa.Schema) -> pa.Schema:
    """One schema that holds the rows of both.

    Raises:
        Misuse: A column has values of two kinds that no one kind holds.
    """
    if first.equals(second):
        return first
    try:
        schema = pa.unify_schemas([first, second], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise Misuse(
            f"A column has values of several kinds: {printable(error)}\n"
            "A dataclass with one type a column says which rows do not fit."
        ) from error
    # The account that pandas gives of its columns has to name all of them.
    plain = schema.remove_metadata()
    return schema.with_metadata(_told_to_pandas(plain, [first, second]))


def _told_to_pandas(plain: pa.Schema, parts: Sequence[pa.Schema]) -> dict[bytes, bytes]:
    empty = pd.concat([part.empty_table().to_pandas() for part in parts])
    nullable = {name: empty[name] for name in plain.names}
    table = pa.Table.from_pandas(pd.DataFrame(nullable), schema=plain, preserve_index=False)
    return {**(parts[0].metadata or {}), **(table.schema.metadata or {})}


def fitted(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """The table with the schema's columns, in its order; those it lacks are missing."""
    if table.schema.equals(schema):
        return table.replace_schema_metadata(schema.metadata)
    columns = [
        table.column(field.name).cast(field.type)
        if field.name in table.column_names
        else pa.nulls(len(table), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


class _Groups:
    """Groups of rows of several files, the last few in memory; no file stays open."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = paths
        self._held: OrderedDict[tuple[int, int], pa.Table] = OrderedDict()

    def read(self, number: int, group: int) -> pa.Table:
        key = (number, group)
        if key not in self._held:
            while len(self._held) >= HELD_GROUPS:
                self._held.popitem(last=False)
            with pq.ParquetFile(self.paths[number]) as file:
                self._held[key] = file.read_row_group(group)
        self._held.move_to_end(key)
        return self._held[key]


def gather(sources: Sequence[tuple[Path, Mapping[Any, int]]], column: str, into: Stream) -> None:
    """The rows of several files in a new order, group by group.

    A row's place is what its file's mapping says of its value in `column`; rows of one place stay
    in the order of the files and of their rows; rows whose value has no place are left out.
    Memory: some 80 bytes a row and a few groups. Files in about the wanted order are read once.
    """
    places, homes = [np.empty(0, dtype=np.int64)], [np.empty((0, 3), dtype=np.int32)]
    for number, (path, order) in enumerate(sources):
        with pq.ParquetFile(path) as file:
            there = file.num_row_groups if column in file.schema_arrow.names else 0
            for group in range(there):
                values = file.read_row_group(group, columns=[column]).column(0).to_pylist()
                places.append(np.array([order.get(value, -1) for value in values], dtype=np.int64))
                home = np.empty((len(values), 3), dtype=np.int32)
                home[:, 0], home[:, 1], home[:, 2] = number, group, np.arange(len(values))
                homes.append(home)
    place, home = np.concatenate(places), np.concatenate(homes)
    sequence = np.argsort(place, kind="stable")
    wanted = home[sequence[place[sequence] >= 0]]
    groups = _Groups([path for path, _ in sources])
    # Stretches of rows that lie in one group.
    change = np.any(wanted[1:, :2] != wanted[:-1, :2], axis=1).nonzero()[0] + 1
    for start, end in itertools.pairwise([0, *change.tolist(), len(wanted)]):
        if start == end:
            continue
        rows = wanted[start:end]
        group = groups.read(int(rows[0, 0]), int(rows[0, 1]))
        # A copy, not a slice: a slice of some rows would hold all of its group in memory.
        whole = len(rows) == len(group) and np.array_equal(rows[:, 2], np.arange(len(group)))
        into.add(group if whole else group.take(pa.array(rows[:, 2])))


def iterate(
    path: str | Path, columns: Sequence[str] | None = None, *, batch: int = 10_000
) -> Iterator[pd.DataFrame]:
    """A kept table piece by piece, at most `batch` rows each; `columns` leaves out the others.

    Raises:
        Misuse: There is no such file or column.
    """
    with _opened(path) as file:
        there = file.schema_arrow.names
        if missing := [name for name in columns or () if name not in there]:
            raise Misuse(
                f"{printable(path)} has no column {printable(missing[0])!r}; "
                f"it has {printable(', '.join(there))}."
            )
        # Asked for all groups at once, Arrow would hold them all.
        for group in range(file.num_row_groups):
            for piece in file.iter_batches(batch, row_groups=[group], columns=columns):
                yield pa.Table.from_batches([piece]).to_pandas()


def _opened(path: str | Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except FileNotFoundError:
        raise Misuse(f"{printable(path)}: there is no such file.") from None
    except pa.ArrowInvalid as error:
        raise ScrapingError(f"{printable(path)} is no whole Parquet file: {error}") from error


def write(table: pd.DataFrame, path: str | Path) -> None:
    """Keep a table as Parquet: written aside, synced, then put in place."""
    path = Path(path)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with aside.open("wb") as file:
            pq.write_table(
                pa.Table.from_pandas(table, preserve_index=False), file, compression="zstd"
            )
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read(path: str | Path) -> pd.DataFrame:
    """A table kept by `write` or `Writer`, its column types as they were."""
    with _opened(path) as file:
        return file.read().to_pandas()
