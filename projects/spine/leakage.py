"""What stands on two sides of a split, counted in the stored values themselves.

A row of the test part that the training part has too asks the network for what it has seen. Every
seed's split is read back and compared: rows without what only names them or tells where they came
from, and by themselves what hardly ever repeats by chance, such as pictures, long texts and arrays.
Rows of a few columns may repeat without being the same thing (two days with equal weather), so the
counts are told as they are; `folio check` judges them.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

from projects.spine.engine import Engine
from projects.spine.examples import PARTS, Examples, examples_of, holds, splits_in

if TYPE_CHECKING:
    import numpy as np

    from projects.spine.check.fitting import Fits

TIME = re.compile(r"(.*_)?(date|time|day|month|year|timestamp|datetime)", re.IGNORECASE)
PASSAGE = 100  # characters or tokens of a running text that are compared as one example


def found(engine: Engine, fits: Fits) -> dict[str, Any] | None:
    """Return what stands on two sides of the step `split`, over all seeds; None without one.

    The keys: `unit` (what was held apart), `kind` ("groups", "times", "rows" or None), `told_by`,
    `separated`, `sizes`, `duplicates` (a list, each with `of`, `rich`, `share` and counts by part),
    `share` (the largest), `guards`, `fitting`, and `problems`, a sentence for each thing that leaks
    for certain.
    """
    step = engine.project.steps.get("split")
    if step is None:
        return None
    pixels: dict[bytes, int] = {}
    seeds = []
    returned: set[str] = set()
    for run in engine.of(step):
        value = engine.load(run)
        returned |= _unit_returned(value)
        seeds.append([examples_of(parts, pixels) for parts in splits_in(value)])
    unit = _unit(fits, returned, seeds)
    counted = _duplicates(seeds)
    sides = [fit.told(line=False) for fit in fits.wrong]
    problems = []
    if unit["separated"] is False:
        how = "are not in order" if unit["kind"] == "times" else "stand in two parts"
        problems.append(f"The {unit['kind']} of `{unit['unit']}` {how}.")
    return {
        **unit,
        "sizes": _sizes(seeds),
        "duplicates": counted,
        "share": max((each["share"] for each in counted), default=None),
        "guards": sorted(fits.guards),
        "fitting": {
            "fits": len(fits.found),
            "wrong": list(dict.fromkeys(sides)),
            "unsure": list(dict.fromkeys(fit.told(line=False) for fit in fits.unsure)),
        },
        "problems": problems,
    }


def _unit_returned(value: Any) -> set[str]:
    """Return the unit that a split tells itself: {…, "unit": "author"}."""
    told = value.get("unit") if isinstance(value, Mapping) else None
    return {told} if isinstance(told, str) and told.strip() else set()


# -- duplicates ------------------------------------------------------------------------------


def _duplicates(seeds: list[list[dict[str, Examples]]]) -> list[dict[str, Any]]:
    """Return, for whole rows and for each rich column, what later parts share with earlier ones."""
    shared: dict[tuple[str, bool], dict[str, list[tuple[int, int]]]] = {}
    for splits in seeds:
        for parts in splits:
            for of, rich, part, count, rows in _shared(parts):
                shared.setdefault((of, rich), {}).setdefault(part, []).append((count, rows))
    told = []
    for (of, rich), parts in shared.items():
        shares = [
            sum(c for c, _ in seen) / max(1, sum(n for _, n in seen)) for seen in parts.values()
        ]
        counts = {part: _spread([count for count, _ in seen]) for part, seen in parts.items()}
        told.append({"of": of, "rich": rich, "share": max(shares), **counts})
    return sorted(told, key=lambda each: -each["share"])


def _shared(parts: Mapping[str, Examples]) -> list[tuple[str, bool, str, int, int]]:
    """Return (of what, rich, part, how many of its examples an earlier part has, of how many)."""
    import numpy as np

    told = []
    for part, earlier in (("validation", ["train"]), ("test", ["train", "validation"])):
        before = [parts[name] for name in earlier if name in parts]
        if part not in parts or not before:
            continue
        here = parts[part]
        if here.stream is not None:
            count, passages = _passages(
                here.stream, [e.stream for e in before if e.stream is not None]
            )
            told.append((f"passages of {PASSAGE}", True, part, count, passages))
            continue
        # What one part has and another lacks, such as a note on its rows, makes no row another one.
        names = sorted(set(here.columns).intersection(*(e.columns for e in before)))
        if not names:
            continue
        rich = here.rich & before[0].rich & set(names)
        rows = np.isin(_rows(here, names), np.concatenate([_rows(e, names) for e in before]))
        told.append(("rows", names == sorted(rich), part, int(rows.sum()), here.rows))
        for name in sorted(rich) if len(names) > 1 else ():
            known = here.known[name]
            there = np.concatenate([e.columns[name][e.known[name]] for e in before])
            again = np.isin(here.columns[name][known], there)
            told.append((f"`{name}`", True, part, int(again.sum()), int(known.sum())))
    return told


def _rows(examples: Examples, names: list[str]) -> np.ndarray:
    """Return one hash a row."""
    import numpy as np

    made = np.zeros(examples.rows, dtype=np.uint64)
    for name in names:
        made = made * np.uint64(0x9E3779B97F4A7C15) + examples.columns[name]
        made ^= made >> np.uint64(29)
    return made


def _passages(text: np.ndarray, earlier: list[np.ndarray]) -> tuple[int, int]:
    """Return how many of a text's passages an earlier text has at any place, of how many."""
    import numpy as np

    if len(text) < PASSAGE or not earlier:
        return 0, max(1, len(text) // PASSAGE)
    here = _windows(text)[::PASSAGE]
    there = np.concatenate([_windows(each) for each in earlier])
    return int(np.isin(here, there).sum()), len(here)


def _windows(text: np.ndarray) -> np.ndarray:
    """Return a hash for each run of PASSAGE characters, at every place."""
    import numpy as np

    points = text.astype(np.uint64)
    if len(points) < PASSAGE:
        return np.zeros(0, dtype=np.uint64)
    mixed = np.zeros(len(points) - PASSAGE + 1, dtype=np.uint64)
    for place in range(PASSAGE):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + points[place : place + len(mixed)]
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _sizes(seeds: list[list[dict[str, Examples]]]) -> dict[str, Any]:
    """Return how many examples each part has, over the seeds."""
    sizes: dict[str, list[int]] = {}
    for splits in seeds:
        for part in PARTS:
            if held := [parts[part].rows for parts in splits if part in parts]:
                sizes.setdefault(part, []).append(sum(held))
    return {part: _spread(counts) for part, counts in sizes.items()}


def _spread(counts: list[int]) -> dict[str, Any]:
    return {"mean": sum(counts) / len(counts), "values": counts}


# -- groups and times ------------------------------------------------------------------------


def _unit(fits: Fits, returned: set[str], seeds: list[list[dict[str, Examples]]]) -> dict[str, Any]:
    """Return what the split holds apart, who says so, and whether its values bear that out."""
    by, time = next(((b, t) for b, t in fits.units if b or t), (None, None))
    splits = [parts for every in seeds for parts in every]
    if time:
        return _told(time, "times", "split_rows", _in_order(splits, time))
    if by:
        return _told(by, "groups", "split_rows", _disjoint(splits, by))
    if returned:
        unit = sorted(returned)[0]
        ordered = _in_order(splits, unit) if TIME.fullmatch(unit) else None
        kind = "times" if ordered is not None else "groups"
        separated = ordered if ordered is not None else _disjoint(splits, unit)
        return _told(unit, kind, "split", separated)
    columns = list(splits[0]["test"].values) if splits and "test" in splits[0] else []
    for name in (c for c in columns if TIME.fullmatch(c)):
        if _in_order(splits, name):
            return _told(name, "times", "values", True)
    groups = {name: _groups(splits, name) for name in columns}
    if separated := {name: count for name, count in groups.items() if count}:
        return _told(max(separated, key=lambda n: separated[n]), "groups", "values", True)
    if fits.units:  # split_rows without by= and time= draws rows
        return _told("row", "rows", "split_rows", None)
    if columns and any(not name.startswith(("array", "0", "1")) for name in columns):
        return _told("row", "rows", "values", None)
    return _told(None, None, None, None)


def _told(unit: str | None, kind: str | None, by: str | None, apart: bool | None) -> dict[str, Any]:
    return {"unit": unit, "kind": kind, "told_by": by, "separated": apart}


def _cells_by_part(parts: Mapping[str, Examples], name: str) -> list[list[Any]] | None:
    """Return what a column holds in each part, in order; None where one lacks it."""
    held = [parts[part].values.get(name) for part in PARTS if part in parts]
    if len(held) < 2 or any(cells is None or cells.ndim > 1 for cells in held):
        return None
    cells = [[c for c in cells.tolist() if holds(c)] for cells in held if cells is not None]
    # A list or an array, such as the values of a picture, is no name of a group and no time.
    return cells if all(isinstance(c, Hashable) for part in cells for c in part) else None


def _disjoint(splits: list[dict[str, Examples]], name: str) -> bool | None:
    """Tell whether no value of a column stands in two parts; None if no part holds it."""
    known = [cells for parts in splits if (cells := _cells_by_part(parts, name))]
    if not known:
        return None
    return all(not set(a) & set(b) for cells in known for a, b in combinations(cells, 2))


def _in_order(splits: list[dict[str, Examples]], name: str) -> bool | None:
    """Tell whether each part's times come after those of the part before; None if not known."""
    known = [cells for parts in splits if (cells := _cells_by_part(parts, name))]
    if not known:
        return None
    filled = [[cells for cells in parts if cells] for parts in known]
    try:
        return all(max(a) < min(b) for parts in filled for a, b in pairwise(parts))
    except TypeError:
        return None


def _groups(splits: list[dict[str, Examples]], name: str) -> int:
    """Return how many groups of rows a column holds that no two parts share; 0 if it does not."""
    if not _disjoint(splits, name):
        return 0
    cells = _cells_by_part(splits[0], name) or []
    distinct, rows = len(set().union(*map(set, cells))), sum(map(len, cells))
    return distinct if len(cells) < distinct <= rows / 2 else 0
