"""The cells of a table as numbers or as names, whatever pandas keeps them in.

What would be a guess is refused: text that looks like a number, a date, a mixed column. The error
says what was found and what would make the column one or the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from models.errors import BadData

YES_NO = "yes or no"
NAMES_SHOWN = 5  # in an error


def check(table: Any) -> None:
    """Raise for anything but a table with rows."""
    if isinstance(table, Mapping) and "train" in table:
        raise BadData(
            "Columns are fitted on training rows alone, and a matrix is made of one part at a "
            f"time: give split['train'], not the whole split ({', '.join(map(str, table))})."
        )
    if not isinstance(table, pd.DataFrame):
        hint = "; for one row take table.iloc[[0]]" if isinstance(table, pd.Series) else ""
        raise BadData(f"A table must be a pandas DataFrame, not {type(table).__name__}{hint}.")
    if table.empty:
        raise BadData(f"The table holds nothing: {len(table)} rows × {table.shape[1]} columns.")


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    """Return one column; categorical ones as what they hold."""
    if name not in table.columns:
        raise BadData(
            f"The table has no column {name!r}, which training had; it has "
            f"{', '.join(map(str, table))}."
        )
    column = table[name]
    if isinstance(column, pd.DataFrame):
        raise BadData(f"The table has {column.shape[1]} columns that are named {name!r}.")
    return column.astype(object) if isinstance(column.dtype, pd.CategoricalDtype) else column


def numbers(table: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column as float64 (rows,), NaN where it is missing."""
    column = _column(table, name)
    types = pd.api.types
    numeric = types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype)
    if numeric and not types.is_complex_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = np.full(len(column), np.nan)
        found = column.to_numpy(dtype=object)
        for row in np.flatnonzero(column.notna()):
            value = found[row]
            if not isinstance(value, Real | Decimal | np.bool_):
                raise BadData(f"Column {name!r} should hold numbers. {_instead(name, value, row)}")
            values[row] = float(value)
    infinite = np.abs(values) > np.finfo(np.float32).max
    if infinite.any():
        raise BadData(
            f"Column {name!r} holds {int(infinite.sum())} values that are infinite or beyond "
            f"float32, the first in row {int(infinite.argmax())}. Make them missing: "
            f"table[{name!r}].where(table[{name!r}].abs() < 1e38)."
        )
    return values


def _instead(name: str, value: Any, row: int) -> str:
    """Say what was found where a number was expected, and what would make one of it."""
    cell = f"table[{name!r}]"
    if isinstance(value, timedelta):
        return f"Row {row} is a duration; {cell}.dt.total_seconds() is a number."
    if isinstance(value, date):  # a point in time is one too
        return f"Row {row} is a date; {cell}.dt.dayofyear or the days since a fixed one would do."
    if isinstance(value, str):
        return (
            f"Row {row} is the text {value[:40]!r}; pd.to_numeric({cell}, errors='coerce') makes "
            "numbers of text, or name the column among the categories."
        )
    return f"Row {row} is a {type(value).__name__}."


def labels(table: pd.DataFrame, name: str) -> tuple[np.ndarray, list[str], str | None]:
    """Return each row's code (-1: missing), the name of each code, and what kind they are."""
    column = _column(table, name)
    try:
        codes, values = pd.factorize(column)
    except TypeError:
        raise BadData(f"Column {name!r} should hold names, but holds lists or dicts.") from None
    pairs = [_label(name, value) for value in values]
    kinds = sorted({kind for kind, _ in pairs})
    if len(kinds) > 1:
        shown = ", ".join(repr(value) for value in list(values)[:NAMES_SHOWN])
        raise BadData(
            f"Column {name!r} mixes {' and '.join(kinds)}: {shown}, …. "
            f"table[{name!r}].astype(str) makes text of all."
        )
    return codes, [label for _, label in pairs], kinds[0] if kinds else None


def _label(name: str, value: Any) -> tuple[str, str]:
    """Return the kind and the name of a category: 3 and 3.0 are one, since gaps make floats."""
    if isinstance(value, str):
        return "text", value
    if isinstance(value, bool | np.bool_):
        return YES_NO, str(bool(value))
    if isinstance(value, Real | Decimal):
        number = float(value)
        return "number", str(int(number)) if number.is_integer() else repr(number)
    raise BadData(
        f"Column {name!r} should hold names: text, True and False, or numbers that stand for "
        f"names. It holds {type(value).__name__} values such as {str(value)[:40]!r}."
    )
