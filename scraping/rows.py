"""Rows to a typed table: what fits the dataclass is kept, what does not is kept with its reason."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from scraping.errors import Misuse
from scraping.schema import Range, schema, shown

__all__ = ["Range", "frame", "read", "write"]

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


def frame(
    rows: Sequence[Any], provenance: Sequence[tuple[str, str, int]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows as a typed table, and those that do not fit with the reason.

    Args:
        rows: Instances of one dataclass, whose annotations are the schema: str, int, float, bool,
            bytes, date, datetime, Optional of these, `Annotated[float, Range(0, 100)]`,
            `Literal[...]`. Or dictionaries, which are taken as they are.
        provenance: For each row the page's address, the time it was fetched, its record's offset.

    Returns:
        The table, with `_url`, `_fetched`, `_offset` at the end; and the rejected rows, their
        values as text, with `_reason` after these.

    Raises:
        Misuse: Rows of several classes, or an annotation of another kind.
    """
    if len(rows) != len(provenance):
        raise Misuse(f"{len(rows)} rows came with {len(provenance)} places they come from.")
    kinds = {type(row) for row in rows}
    if len(kinds) > 1:
        names = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise Misuse(f"A table has rows of one class; these are of several: {names}.")
    if not rows or kinds == {dict}:
        return _with_provenance(pd.DataFrame(list(rows)), provenance), _rejected([], [])
    (kind,) = kinds
    columns = schema(kind)
    kept: list[list[Any]] = []
    sources, refused, reasons = [], [], []
    for row, source in zip(rows, provenance, strict=True):
        values, faults = [], []
        for column in columns:
            try:
                values.append(column.taken(getattr(row, column.name)))
            except ValueError as fault:
                faults.append(f"{column.name}: {fault}")
        if faults:
            refused.append({column.name: shown(getattr(row, column.name)) for column in columns})
            reasons.append((source, "; ".join(faults)))
        else:
            kept.append(values)
            sources.append(source)
    by_column = zip(*kept, strict=True) if kept else ([] for _ in columns)
    table = pd.DataFrame(
        {
            column.name: pd.Series(list(values), dtype=COLUMNS[column.kind][column.optional])
            for column, values in zip(columns, by_column, strict=True)
        }
    )
    return _with_provenance(table, sources), _rejected(refused, reasons)


def _with_provenance(
    table: pd.DataFrame, sources: Collection[tuple[str, str, int]]
) -> pd.DataFrame:
    urls, times, offsets = zip(*sources, strict=True) if sources else ((), (), ())
    return table.assign(
        _url=pd.Series(urls, dtype="str", index=table.index),
        _fetched=pd.Series(times, dtype="str", index=table.index),
        _offset=pd.Series(offsets, dtype="int64", index=table.index),
    )


def _rejected(rows: list[dict[str, Any]], reasons: list[tuple[Any, str]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, dtype="str")
    table = _with_provenance(table, [source for source, _ in reasons])
    return table.assign(_reason=pd.Series([reason for _, reason in reasons], dtype="str"))


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
    """A table kept by `write`, its column types as they were."""
    return pq.read_table(path).to_pandas()
