"""Whether anything of the test leaked into training: what a leakage box states."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from models.errors import BadOption
from models.evaluation.pictures import Pictures, duplicate_pictures
from models.evaluation.splits import parts, times_of
from models.evaluation.texts import duplicate_texts


def leakage(
    split: Mapping[str, pd.DataFrame],
    *,
    by: str | None = None,
    time: str | None = None,
    pictures: Pictures | None = None,
    texts: str | None = None,
) -> dict[str, Any]:
    """Return what stands in two parts of a split, as plain values for a table or results.json.

    Args:
        split: {"train", "validation", "test"} of tables, as `split_rows` gives.
        by: the column of groups that were to stay whole.
        time: the column of dates or numbers that were to be in order.
        pictures: the column of pictures, or pixels for each part, to look for duplicates among.
        texts: the column of texts to look for duplicates among.

    Returns:
        rows        {part: how many}
        unit        what was held out: "rows", "groups of 'set'", "times of 'date'"
        groups      {part: how many}, and shared_groups, how many stand in two parts (with `by`)
        times       {part: [first, last]}, and in_order, whether no part begins before the one
                    before it has ended (with `time`)
        pictures    {"exact": …, "near": …}: pictures of one part found in a later one too
        texts       the same for texts
        problems    a sentence for each thing that leaks; empty if nothing asked for does
    """
    tables = parts(split)
    found: dict[str, Any] = {
        "rows": {name: len(rows) for name, rows in tables.items()},
        "unit": f"groups of {by!r}" if by else f"times of {time!r}" if time else "rows",
    }
    problems: list[str] = []
    if by is not None:
        groups = {name: _groups(rows, by) for name, rows in tables.items()}
        shared = set().union(*(a & b for a, b in combinations(groups.values(), 2)))
        found["groups"] = {name: len(values) for name, values in groups.items()}
        found["shared_groups"] = len(shared)
        if shared:
            some = ", ".join(sorted(map(str, shared))[:3])
            problems.append(f"{len(shared)} groups of {by!r} stand in two parts: {some}.")
    if time is not None:
        spans = {
            name: (times.min(), times.max())
            for name, rows in tables.items()
            if len(times := times_of(rows, time))
        }
        found["times"] = {name: [_plain(end) for end in span] for name, span in spans.items()}
        late = [
            f"{later!r} begins at {_plain(spans[later][0])}, before {name!r} has ended at "
            f"{_plain(spans[name][1])}."
            for name, later in combinations(spans, 2)
            if spans[later][0] <= spans[name][1]
        ]
        found["in_order"] = not late
        problems += late
    for kind, report in (
        ("pictures", None if pictures is None else duplicate_pictures(tables, pictures)),
        ("texts", None if texts is None else duplicate_texts(tables, texts)),
    ):
        if report is None:
            continue
        # A training picture that both held-out parts show is one row of training that leaks.
        rows = report.sort_values("kind").drop_duplicates(["part", "row"])
        found[kind] = {name: int((rows["kind"] == name).sum()) for name in ("exact", "near")}
        if len(rows):
            problems.append(
                f"{len(rows)} {kind} stand in a later part too ({found[kind]['exact']} exact, "
                f"{found[kind]['near']} near)."
            )
    return found | {"problems": problems}


def _groups(rows: pd.DataFrame, by: str) -> set[Any]:
    if by not in rows.columns:
        raise BadOption(f"No column {by!r} of groups; columns: {', '.join(rows.columns)}.")
    missing = rows[by].isna()
    # Rows without a group are one group to split_rows, and so they are here.
    return {*rows[by][~missing].tolist(), *([None] if missing.any() else [])}


def _plain(time: Any) -> str | float | int:
    """Return a date as ISO text, a number as Python's own."""
    return time.isoformat() if isinstance(time, pd.Timestamp) else time.item()
