"""Rows to a typed table: what fits the dataclass is kept, what does not is kept with its reason.

`frame` makes a table in memory; `Writer` streams rows of any number to a Parquet file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scraping.errors import Misuse, printable
from scraping.tables.parquet import Stream, iterate, read, write
from scraping.tables.schema import REASON, Column, Range, roles, schema, shown

__all__ = ["Range", "Writer", "frame", "iterate", "read", "rights", "write"]

Place = tuple[str, str, int]  # the page's address, when it was fetched, its record's offset

# The column type without and with missing values.
COLUMNS: dict[type, tuple[str, str]] = {
    str: ("str", "str"),
    int: ("int64", "Int64"),
    float: ("float64", "float64"),
    bool: ("bool", "boolean"),
    bytes: ("object", "object"),
    date: ("object", "object"),
    datetime: ("datetime64[us, UTC]", "datetime64[us, UTC]"),
}
# What Arrow is to make of values that pandas holds as Python objects.
OBJECTS = {bytes: pa.binary(), date: pa.date32()}
ITEMS: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
}
HELD_ROWS = 5_000
HELD_BYTES = 4 * 2**20  # of text and bytes, in rows not yet written; as many of rejected ones


def frame(rows: Sequence[Any], provenance: Sequence[Place]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows as a typed table, and those that do not fit with the reason.

    Args:
        rows: Instances of one dataclass, whose annotations are the schema: str, int, float, bool,
            bytes, date, datetime, Optional of these, `Annotated[float, Range(0, 100)]`,
            `Literal[...]`, `list[str]` and lists of numbers. Or dictionaries, which are taken as
            they are.
        provenance: For each row the page's address, the time it was fetched, its record's offset.

    Returns:
        The table, with `_url`, `_fetched`, `_offset` at the end; and the rejected rows, their
        values as text, with `_reason` after these.

    Raises:
        Misuse: Rows of several classes, or an annotation of another kind.
    """
    kind = _kind_of(rows, provenance, None)
    if kind in (None, dict):
        return _with_provenance(pd.DataFrame(list(rows)), provenance), _rejected([], [])
    columns = schema(kind)
    kept: list[list[Any]] = []
    sources, refused, reasons = [], [], []
    for row, source in zip(rows, provenance, strict=True):
        values, reason = _checked(row, columns)
        if reason:
            refused.append(_as_text(row, columns))
            reasons.append((source, reason))
        else:
            kept.append(values)
            sources.append(source)
    by_column = zip(*kept, strict=True) if kept else ([] for _ in columns)
    table = pd.DataFrame(
        {
            column.name: pd.Series(list(values), dtype=_dtype(column))
            for column, values in zip(columns, by_column, strict=True)
        }
    )
    return _with_provenance(table, sources), _rejected(refused, reasons)


class Writer:
    """Streams rows to a Parquet file, and those that do not fit to one beside it.

    ::

        with rows.Writer("birds.parquet", Bird) as writer:
            writer.add([Bird("wren", 9.5)], [(page.url, page.fetched, 0)])

    The files hold what `frame` would have returned, rejected rows in `birds.rejected.parquet`,
    which is there only if there are any. Both appear when the block ends without an error: written
    aside, synced, then put in place. Memory is bounded by bytes: some 20 MB of rows are held.

    Attributes:
        kept, refused: How many rows were written so far.
    """

    def __init__(
        self, path: str | Path, kind: type | None = None, *, rejected: str | Path | None = None
    ) -> None:
        """`kind` is the rows' dataclass, else that of the first row; `rejected` another path."""
        self.path = Path(path)
        beside = self.path.with_name(f"{self.path.stem}.rejected{self.path.suffix}")
        self.rejected_path = Path(rejected or beside)
        self.kept = self.refused = 0
        self._kind = kind
        self._columns = schema(kind) if kind not in (None, dict) else []
        self._rows: list[Any] = []
        self._places: list[Place] = []
        self._bytes = self._refused_bytes = 0
        self._refused: list[dict[str, Any] | None] = []
        self._reasons: list[tuple[Place, str]] = []
        self._table = Stream(self.path)
        self._rejects: Stream | None = None

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if kind is None:
            self.close()
        else:
            self.abandon()

    def add(self, rows: Sequence[Any], provenance: Sequence[Place]) -> None:
        """Take rows, each with the place it comes from.

        Raises:
            Misuse: Rows of another class than those before, or values no column can hold.
        """
        kind = _kind_of(rows, provenance, self._kind)
        if kind is not None and self._kind is None:
            self._kind = kind
            self._columns = schema(kind) if kind is not dict else []
        for row, place in zip(rows, provenance, strict=True):
            if kind is dict:
                values, parts = row, row.values()
            else:
                values, reason = _checked(row, self._columns)
                if reason:
                    self._refuse(_as_text(row, self._columns), place, reason)
                    continue
                parts = values
            self._rows.append(values)
            self._places.append(place)
            self._bytes += _size(parts)
            if len(self._rows) >= HELD_ROWS or self._bytes >= HELD_BYTES:
                self._flush()

    def reject(self, place: Place, reason: str) -> None:
        """Keep a page that gave no row, with the reason."""
        self._refuse(None, place, reason)

    def _refuse(self, values: dict[str, Any] | None, place: Place, reason: str) -> None:
        self._refused.append(values)
        self._reasons.append((place, reason))
        self._refused_bytes += len(reason) + _size((values or {}).values())
        self.refused += 1
        if len(self._reasons) >= HELD_ROWS or self._refused_bytes >= HELD_BYTES:
            self._flush_refused()

    def _flush(self) -> None:
        self._table.add(self._arrow())
        self.kept += len(self._rows)
        self._rows, self._places, self._bytes = [], [], 0

    def _arrow(self) -> pa.Table:
        """What is held as a table of the type that the file has."""
        if self._kind in (None, dict):
            table = _with_provenance(pd.DataFrame(self._rows), self._places)
            try:
                return pa.Table.from_pandas(table, preserve_index=False)
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise Misuse(
                    f"{printable(self.path)}: a column has values of several kinds: {error}\n"
                    "A dataclass with one type a column says which rows do not fit."
                ) from error
        typed = arrow_schema(self._columns)
        values = zip(*self._rows, strict=True) if self._rows else ([] for _ in self._columns)
        places = zip(*self._places, strict=True) if self._places else ((), (), ())
        arrays = [
            pa.array(column, field.type)
            for column, field in zip((*values, *places), typed, strict=True)
        ]
        return pa.table(arrays, schema=typed)

    def _flush_refused(self) -> None:
        if not self._reasons:
            return
        if self._rejects is None:
            self._rejects = Stream(self.rejected_path)
        names = [column.name for column in self._columns] if any(self._refused) else []
        empty: dict[str, Any] = dict.fromkeys(names)
        table = _rejected([values or empty for values in self._refused], self._reasons)
        self._rejects.add(pa.Table.from_pandas(table, preserve_index=False))
        self._refused, self._reasons, self._refused_bytes = [], [], 0

    def close(self) -> None:
        """Put both files in place."""
        try:
            if self._rows or self._columns or not self.kept:
                self._flush()
            self._flush_refused()
            self._table.close()
            if self._rejects is not None:
                self._rejects.close()
            else:
                self.rejected_path.unlink(missing_ok=True)  # of an earlier table
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Remove what was written aside; files that were there before stay."""
        self._table.abandon()
        if self._rejects is not None:
            self._rejects.abandon()


def rights(path: str | Path) -> dict[str, str]:
    """Which columns of a kept table tell a row's "licence", "attribution" and "source".

    As the dataclass says, also where the column has another name: `Annotated[str, LICENCE]`.
    """
    with pq.ParquetFile(path) as file:
        fields = file.schema_arrow
    return {
        field.metadata[b"role"].decode(): field.name
        for field in fields
        if field.metadata and b"role" in field.metadata
    }


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """The columns and the three of provenance as Parquet keeps them, readable by pandas."""
    empty = pd.DataFrame({one.name: pd.Series([], dtype=_dtype(one)) for one in columns})
    empty = _with_provenance(empty, [])
    guessed = pa.Schema.from_pandas(empty, preserve_index=False)
    told = {name: role for role, name in roles(columns).items()}
    for number, column in enumerate(columns):
        field = guessed.field(number)
        if column.many:
            field = field.with_type(pa.list_(ITEMS[column.kind]))
        elif column.kind in OBJECTS:
            field = field.with_type(OBJECTS[column.kind])
        if column.name in told:
            field = field.with_metadata({"role": told[column.name]})
        guessed = guessed.set(number, field)
    return guessed


def _kind_of(rows: Sequence[Any], provenance: Sequence[Place], known: type | None) -> type | None:
    """The one class of the rows; None where there are no rows."""
    if len(rows) != len(provenance):
        raise Misuse(f"{len(rows)} rows came with {len(provenance)} places they come from.")
    kinds = {type(row) for row in rows}
    if known is not None and kinds:
        kinds.add(known)
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise Misuse(f"A table has rows of one class; these are of several: {names}.")
    return next(iter(kinds), None)


def _dtype(column: Column) -> str:
    return "object" if column.many else COLUMNS[column.kind][column.optional]


def _checked(row: Any, columns: Sequence[Column]) -> tuple[list[Any], str]:
    """The row's values as the table holds them, and why they do not fit, if so."""
    values, faults = [], []
    for column in columns:
        try:
            values.append(column.taken(getattr(row, column.name)))
        except ValueError as fault:
            faults.append(f"{column.name}: {fault}")
    return values, "; ".join(faults)


def _size(values: Iterable[Any]) -> int:
    return sum(len(value) for value in values if isinstance(value, (str, bytes, list)))


def _as_text(row: Any, columns: Sequence[Column]) -> dict[str, Any]:
    return {column.name: shown(getattr(row, column.name)) for column in columns}


def _with_provenance(table: pd.DataFrame, sources: Collection[Place]) -> pd.DataFrame:
    urls, times, offsets = zip(*sources, strict=True) if sources else ((), (), ())
    return table.assign(
        _url=pd.Series(urls, dtype="str", index=table.index),
        _fetched=pd.Series(times, dtype="str", index=table.index),
        _offset=pd.Series(offsets, dtype="int64", index=table.index),
    )


def _rejected(rows: list[dict[str, Any]], reasons: list[tuple[Any, str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, dtype="str")
    table = _with_provenance(table, [source for source, _ in reasons])
    return table.assign(**{REASON: pd.Series([reason for _, reason in reasons], dtype="str")})
