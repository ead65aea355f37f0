"""A table in three parts: to train on, to stop by, and to test once."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from models.errors import BadData, BadOption

PARTS = ("train", "validation", "test")


def split_rows(
    table: pd.DataFrame,
    *,
    by: str | None = None,
    time: str | None = None,
    gap: Any = None,
    test: float = 0.2,
    validation: float = 0.1,
    seed: int | None = None,
) -> dict[str, pd.DataFrame]:
    """Return {"train", "validation", "test"}: the rows of `table`, each in exactly one part.

    Args:
        table: at least three rows; their order is kept within each part, the index made anew.
        by: a column whose values are groups. A group goes whole into one part, so that the test
            asks for groups never seen in training; shares then hold as nearly as groups allow.
        time: a column of dates or numbers. Every training row is earlier than every validation
            row, and those than every test row; rows of one time stay together.
        gap: with `time`, how far apart the parts are: "3D" or a `pd.Timedelta` for dates, a number
            for numbers. Rows less than that before the next part are left out, because a window
            or an average over the past would carry one part into the other.
        test: share of rows held out for the final figures.
        validation: share of rows held out for early stopping; 0 gives an empty part.
        seed: the same seed and table give the same split; no global random state is touched. A
            split by time has no chance in it and needs none.
    """
    if not 0 < test < 1 or not 0 <= validation < 1 or test + validation >= 1:
        raise BadOption(
            f"test={test} and validation={validation} must leave rows to train on: "
            "0 < test, 0 ≤ validation, test + validation < 1."
        )
    if by is not None and time is not None:
        raise BadOption(f"Split by groups of {by!r} or by {time!r}, not by both.")
    if gap is not None and time is None:
        raise BadOption(f"gap={gap!r} needs time=, the column that it is measured in.")
    wanted = {"test": test * len(table), "validation": validation * len(table)}
    if time is not None:
        units = f"times of {time!r}"
        of_row, count = _by_time(times_of(table, time), gap, wanted)
    else:
        if seed is None:
            raise BadOption("A split by rows or groups is drawn by chance: pass seed=.")
        units = "rows" if by is None else f"groups of {by!r}"
        of_row, count = _by_group(_groups(table, by), wanted, seed)
    split = {name: table[of_row == name].reset_index(drop=True) for name in PARTS}
    empty = [name for name, rows in split.items() if rows.empty]
    if set(empty) - (set() if validation else {"validation"}):
        left_out = f" with a gap of {gap}" if gap is not None else ""
        raise BadData(
            f"{len(table)} rows in {count} {units}{left_out} leave nothing for "
            f"{' and '.join(empty)}; more {'times' if time else 'groups'} or other shares would."
        )
    return split


def parts(split: Mapping[str, Any]) -> dict[str, pd.DataFrame]:
    """Return the tables of a split, in order; whatever else a project keeps there is left out."""
    found = {name: split[name] for name in PARTS if name in split}
    if "train" not in found or len(found) < 2:
        raise BadData(
            "A split has the tables train, validation and test, as split_rows gives them; got "
            f"{', '.join(map(str, split)) or 'nothing'}."
        )
    return found


def _groups(table: pd.DataFrame, by: str | None) -> np.ndarray:
    if by is None:
        return np.arange(len(table))
    if by not in table.columns:
        raise BadOption(f"No column {by!r} to split by; columns: {', '.join(table.columns)}.")
    return pd.factorize(table[by], sort=True, use_na_sentinel=False)[0]


def _by_group(groups: np.ndarray, wanted: Mapping[str, float], seed: int) -> tuple[np.ndarray, int]:
    """Return the part of each row, and how many groups there are."""
    sizes = np.bincount(groups)
    part = np.full(len(sizes), "train", dtype=object)
    order = np.random.default_rng(seed).permutation(len(sizes))
    for name, rows in wanted.items():
        held_out = 0
        for group in order[part[order] == "train"]:
            # A group is taken when that brings the part nearer to the size wanted.
            if abs(held_out + sizes[group] - rows) < abs(held_out - rows):
                part[group] = name
                held_out += sizes[group]
    return part[groups], len(sizes)


def times_of(table: pd.DataFrame, column: str) -> pd.Series:
    """Return a column as dates or numbers."""
    if column not in table.columns:
        raise BadOption(f"No column {column!r} to split by; columns: {', '.join(table.columns)}.")
    times = table[column]
    if missing := int(times.isna().sum()):
        raise BadData(
            f"{missing} of {len(times)} rows have no {column!r}: drop or date them first."
        )
    if pd.api.types.is_datetime64_any_dtype(times):
        return times
    if pd.api.types.is_numeric_dtype(times) and not pd.api.types.is_bool_dtype(times):
        return times
    kind = pd.api.types.infer_dtype(times)
    if kind in ("date", "datetime"):
        return pd.to_datetime(times)
    raise BadOption(
        f"{column!r} holds {kind} values such as {times.iloc[0]!r}, whose order need not be that "
        f"of time: table.assign({column}=pd.to_datetime(table[{column!r}])) first."
    )


def _by_time(times: pd.Series, gap: Any, wanted: Mapping[str, float]) -> tuple[np.ndarray, int]:
    """Return the part of each row, None for rows in a gap, and how many times there are."""
    gap = _gap(gap, times)
    distinct, of_row, sizes = np.unique(times, return_inverse=True, return_counts=True)
    # At or after each time there are that many rows: the starts nearest to the shares are taken.
    after = sizes[::-1].cumsum()[::-1]
    part = np.full(len(distinct), "train", dtype=object)
    end = len(distinct)
    for name, rows in wanted.items():
        if not rows or not end:
            continue
        held_out = after[:end] - (after[end] if end < len(after) else 0)
        start = int(np.argmin(np.abs(held_out - rows)))
        part[start:end] = name
        end = start
    if gap is not None:
        for name in ("validation", "test"):
            if (inside := np.flatnonzero(part == name)).size:
                start = inside[0]
                near = pd.Series(distinct[:start]) > distinct[start] - gap
                part[:start][near.to_numpy(dtype=bool)] = None
    return part[of_row], len(distinct)


def _gap(gap: Any, times: pd.Series) -> Any:
    dates = pd.api.types.is_datetime64_any_dtype(times)
    if gap is None:
        return None
    if dates and not isinstance(gap, Real):  # a bare 3 would be three nanoseconds
        try:
            length = pd.Timedelta(gap)
        except (TypeError, ValueError):
            length = pd.NaT
        if isinstance(length, pd.Timedelta) and length >= pd.Timedelta(0):
            return length
    elif not dates and isinstance(gap, Real) and 0 <= gap < float("inf"):
        return gap
    works = '"3D" or pd.Timedelta(days=3)' if dates else "3"
    raise BadOption(f"gap must be a length of time such as {works}, not {gap!r}.")
