"""A table for others: CSV that no spreadsheet runs, Parquet, a TensorFlow data set (`tfds`).

Each is written aside, synced and put in place whole. A file of the same name is replaced; a folder
only where `overwrite` says so and it is a data set of the same kind.
"""

from __future__ import annotations

import csv as standard_csv
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scraping.errors import Misuse, printable
from scraping.tables.examples import tfds

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["csv", "parquet", "tfds"]

# What a spreadsheet takes for the start of a formula, full-width forms included (OWASP, CSV
# Injection), and the numbers that begin so and are none.
FORMULA = re.compile(r"[=+\-@\t\r\n＝＋－＠]")
NUMBER = re.compile(r"[+\-]?[0-9]{1,400}(?:\.[0-9]{0,400})?(?:[eE][+\-]?[0-9]{1,3})?")
BATCH = 10_000  # rows made ready at a time


def csv(table: pd.DataFrame, path: str | Path) -> list[str]:
    """Write a table as CSV (RFC 4180, UTF-8) and return the columns that were left out.

    Left out are columns of bytes, such as pictures: `parquet` and `tfds` hold them. Text that a
    spreadsheet would run as a formula begins with an apostrophe instead; numbers stay numbers.
    Missing values are empty, lists are JSON, times are ISO 8601.

    Raises:
        Misuse: There is no such folder, or the path is a folder.
    """
    omitted = [name for name in table.columns if _has_bytes(table[name])]
    kept = table.drop(columns=omitted)
    with _placed(path) as file:
        writer = standard_csv.writer(file)
        writer.writerow([_cell(str(name)) for name in kept.columns])
        for start in range(0, len(kept), BATCH):
            piece = kept.iloc[start : start + BATCH]
            columns = [[_cell(value) for value in piece[name]] for name in kept.columns]
            writer.writerows(zip(*columns, strict=True))
    return [str(name) for name in omitted]


def parquet(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as Parquet: every column with its type, the index left out.

    Raises:
        Misuse: There is no such folder, the path is a folder, or a column has values of several
            kinds.
    """
    import pyarrow as pa

    from scraping.tables.parquet import write

    path = _target(path)
    try:
        write(table, path)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise Misuse(f"{printable(path)}: no Parquet file was written: {error}") from error


def _target(path: str | Path) -> Path:
    path = Path(path)
    if path.is_dir():
        raise Misuse(f"{printable(path)} is a folder; name a file in it.")
    if not path.parent.is_dir():
        raise Misuse(f"{printable(path.parent)}: there is no such folder; make it first.")
    return path


class _placed:  # noqa: N801 - used as a function
    """A text file that takes its place when the block ends without an error."""

    def __init__(self, path: str | Path) -> None:
        self.path = _target(path)
        self.aside = self.path.with_name(f".{self.path.name}.{os.getpid()}")

    def __enter__(self) -> Any:
        # A lone surrogate, which only a broken page yields, is no reason to lose the table.
        self.file = self.aside.open("w", encoding="utf-8", errors="backslashreplace", newline="")
        return self.file

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()
            if kind is None:
                self.aside.replace(self.path)
        finally:
            self.file.close()
            self.aside.unlink(missing_ok=True)


def _has_bytes(column: pd.Series) -> bool:
    return column.dtype == object and any(isinstance(value, bytes) for value in column)


def _cell(value: Any) -> str:
    """A value as a spreadsheet may read it."""
    if isinstance(value, str):
        text = value
    elif hasattr(value, "__len__"):
        text = json.dumps(_plain(value), ensure_ascii=False, default=str)
    elif value is None or str(value) in ("nan", "<NA>", "NaT"):
        return ""
    else:
        text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def _plain(value: Any) -> Any:
    """A list or dictionary, whatever is in it, as JSON writes it."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if hasattr(value, "__len__") and not isinstance(value, (str, bytes)):
        return [_plain(one) for one in value]
    return value.item() if hasattr(value, "item") else value
