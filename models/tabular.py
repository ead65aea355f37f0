"""A table on its way into a network: fitted on the training rows, the same for all others.

A network takes numbers. A number enters as it is, a missing one as the training median with a 1
beside it that says so; a category enters as a 1 in the place of its name. What `columns` learns
are plain values, so that a form in a page can do the same.

Source: LeCun et al., Efficient BackProp (1998), section 4.3, for normalising; Josse et al., On the
consistency of supervised learning with missing values (2019), for a constant and an indicator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import pandas as pd

from models import cells, options
from models.errors import BadData, BadOption, unknown

OTHER, MISSING = -1, -2  # in place of a name's position


@dataclass(frozen=True)
class Columns:
    """What the training rows told about each column.

    Plain values: the engine stores it beside the network, `json.dumps(dataclasses.asdict(columns))`
    writes it anywhere else, and `Columns(**json.loads(text))` equals it.

    Attributes:
        rows: how many training rows it was fitted on.
        rare: what fewer training rows than this hold has no place of its own.
        numbers: for each column kind ("number", "whole number" or "yes or no"), low, high, fill
            (the median), mean and variance of the known values, and missing: in how many rows.
        categories: for each column kind ("text", "number" or "yes or no"), the names with a place
            of their own, and how many rows were other (of a rare name) and missing.
        left_out: columns from which nothing can be learned, and why.
    """

    rows: int
    rare: int
    numbers: dict[str, dict[str, Any]]
    categories: dict[str, dict[str, Any]]
    left_out: dict[str, str]

    def matrix(self, table: pd.DataFrame) -> np.ndarray:
        """Return the rows of any table as float32 (rows, width), nothing in it fitted anew.

        A name that training did not know, or knew as rare, counts as other. Where there is no
        place for other or missing ones, all places of a category hold 0, and a missing number is
        the median: a weight that no training row moved would be noise.

        Raises:
            BadData: a column is not there, has become another kind, or holds infinite values.
        """
        cells.check(table)
        matrix = np.zeros((len(table), len(self.features)), dtype=np.float32)
        for field in self.fields():
            name, told = field["name"], self.categories.get(field["name"])
            if told is None:
                values = cells.numbers(table, name)
                missing = np.isnan(values)
                if field["at"] is not None:
                    matrix[:, field["at"]] = np.where(missing, field["typical"], values)
            else:
                position = self._positions(table, name, told)
                missing = position == MISSING
                for number, at in enumerate(field["at"]):
                    matrix[:, at] = position == number
                if field["other_at"] is not None:
                    matrix[:, field["other_at"]] = position == OTHER
            if field["missing_at"] is not None:
                matrix[:, field["missing_at"]] = missing
        return matrix

    def unplaced(self, table: pd.DataFrame) -> dict[str, int]:
        """Return in how many rows each column holds a name or a gap without a place, if in any.

        Training had none of them, or fewer than `rare`.
        """
        cells.check(table)
        counts = {}
        for field in self.fields():
            name, told = field["name"], self.categories.get(field["name"])
            if told is None:
                strange, missing = np.False_, np.isnan(cells.numbers(table, name))
            else:
                position = self._positions(table, name, told)
                strange, missing = position == OTHER, position == MISSING
                strange &= field["other_at"] is None
            counts[name] = int(np.sum(strange | (missing & (field["missing_at"] is None))))
        return {name: rows for name, rows in counts.items() if rows}

    def fields(self) -> list[dict[str, Any]]:
        """Return the fields of a form, in order, with their places in a row of the matrix.

        A number has kind, low, high and typical (which stands in for a missing one) and its place
        `at`; a category has its names and as many places. `other_at` and `missing_at` are the
        places of the 1 for another name and for no value; None where training had too few, and
        `at` is None for a number that is either missing or always the same.
        """
        fields: list[dict[str, Any]] = []
        place = count()
        for name, told in self.numbers.items():
            fields.append(
                {
                    "name": name,
                    "kind": told["kind"],
                    "low": told["low"],
                    "high": told["high"],
                    "typical": told["fill"],
                    "at": next(place) if told["low"] < told["high"] else None,
                    "missing_at": next(place) if told["missing"] >= self.rare else None,
                }
            )
        for name, told in self.categories.items():
            fields.append(
                {
                    "name": name,
                    "kind": "category",
                    "names": list(told["names"]),
                    "at": [next(place) for _ in told["names"]],
                    "other_at": next(place) if told["other"] >= self.rare else None,
                    "missing_at": next(place) if told["missing"] >= self.rare else None,
                }
            )
        return fields

    @property
    def features(self) -> list[str]:
        """The name of each place in a row: "age", "age missing", "species = owl", …."""
        features = []
        for field in self.fields():
            name = field["name"]
            if field["kind"] == "category":
                features += [f"{name} = {each}" for each in field["names"]]
                features += [f"{name} other"] if field["other_at"] is not None else []
            elif field["at"] is not None:
                features.append(name)
            features += [f"{name} missing"] if field["missing_at"] is not None else []
        return features

    def normalisation(self) -> tuple[list[float], list[float]]:
        """Return the mean and variance of each place; 0 and 1 where it holds only 0 or 1."""
        mean, variance = [0.0] * len(self.features), [1.0] * len(self.features)
        for field in self.fields():
            if field["kind"] in ("number", "whole number") and field["at"] is not None:
                told = self.numbers[field["name"]]
                mean[field["at"]], variance[field["at"]] = told["mean"], told["variance"]
        return mean, variance

    def _positions(self, table: pd.DataFrame, name: str, told: dict[str, Any]) -> np.ndarray:
        """Return each row's position among the names; OTHER for another name, MISSING for none."""
        codes, labels, kind = cells.labels(table, name)
        if kind not in (None, told["kind"]):
            raise BadData(
                f"Column {name!r} held categories of kind {told['kind']!r} in training and now "
                f"{kind!r}, such as {labels[0]!r}; bring it to the same dtype."
            )
        position = {label: number for number, label in enumerate(told["names"])}
        of_label = np.array([position.get(label, OTHER) for label in labels] + [MISSING])
        return of_label[codes]  # the code of a missing value, -1, takes the last


def columns(
    train: pd.DataFrame,
    *,
    numbers: Sequence[str] = (),
    categories: Sequence[str] = (),
    rare: int = 5,
    most: int = 50,
) -> Columns:
    """Return what the training rows tell about the columns a network is to see.

    There is no way to fit on more than the table given here: a whole split is refused.

    Args:
        train: the training rows, such as `split["train"]`.
        numbers: columns of numbers or of yes and no (True and False).
        categories: columns of names: text, True and False, or numbers that stand for names.
        rare: what fewer training rows than this hold has no place of its own, as there is too
            little to learn it from: a name, which then is one of the others, or a missing value.
        most: at most this many names of a column have their own place, the commonest.

    Raises:
        BadData: not a table, a column of another kind than said, infinite values, values that
            float32 cannot tell apart, nothing that differs from row to row.
        BadOption: no such column, or one named twice.
    """
    cells.check(train)
    rare, most = options.whole("rare", rare), options.whole("most", most)
    numbers, categories = _names("numbers", numbers), _names("categories", categories)
    _check_names(train, [*numbers, *categories])
    told = {name: _number(train, name, rare) for name in numbers}
    named = {name: _category(train, name, rare, most) for name in categories}
    fitted = told | named
    left_out = {name: why for name, why in fitted.items() if isinstance(why, str)}
    if len(left_out) == len(fitted):
        reasons = "; ".join(f"{name!r}: {why}" for name, why in left_out.items())
        raise BadData(f"No column tells two of the {len(train)} training rows apart. {reasons}.")
    return Columns(
        rows=len(train),
        rare=rare,
        numbers={name: each for name, each in told.items() if not isinstance(each, str)},
        categories={name: each for name, each in named.items() if not isinstance(each, str)},
        left_out=left_out,
    )


def _number(train: pd.DataFrame, name: str, rare: int) -> dict[str, Any] | str:
    """Return what to remember of a column of numbers, or why nothing can be learned from it."""
    values = cells.numbers(train, name)
    known = values[~np.isnan(values)]
    missing = len(values) - len(known)
    if missing and len(known) < rare:
        return f"known in {len(known)} of {len(values)} training rows"
    low, high, variance = float(known.min()), float(known.max()), 0.0
    if low < high:
        variance = float(known.var())
        _check_scale(name, known, float(np.sqrt(variance)))
    elif missing < rare:
        return f"{low:g} in {len(known)} of {len(values)} training rows, else missing"
    kind = "whole number" if (known == np.round(known)).all() else "number"
    if pd.api.types.is_bool_dtype(train[name].dropna().infer_objects().dtype):
        kind = cells.YES_NO
    return {
        "kind": kind,
        "low": low,
        "high": high,
        "fill": float(np.median(known)),
        "mean": float(known.mean()),
        "variance": variance,
        "missing": missing,
    }


def _category(train: pd.DataFrame, name: str, rare: int, most: int) -> dict[str, Any] | str:
    """Return what to remember of a column of names, or why nothing can be learned from it."""
    codes, labels, kind = cells.labels(train, name)
    counts = np.bincount(codes[codes >= 0], minlength=len(labels))
    in_order = sorted(range(len(labels)), key=lambda i: _sort_key(labels[i], kind))
    common = set(sorted(in_order, key=lambda i: -counts[i])[:most])
    kept = [i for i in in_order if i in common and counts[i] >= rare]
    missing = int((codes < 0).sum())
    other = len(codes) - missing - int(counts[kept].sum())
    if not kept and (other < rare or missing < rare):
        return f"no name in {rare} training rows or more"
    if kept and counts[kept[0]] == len(codes):
        return f"{labels[kept[0]]!r} in every training row"
    names = [labels[i] for i in kept]
    return {"kind": kind, "names": names, "other": other, "missing": missing}


def _sort_key(label: str, kind: str | None) -> tuple[float, str]:
    return (float(label) if kind == "number" else 0.0, label)


def _check_scale(name: str, known: np.ndarray, deviation: float) -> None:
    """Raise for values that the network's float32 could not normalise."""
    resolution = float(np.spacing(np.float32(np.abs(known).max())))
    if resolution > deviation / 1000:
        raise BadData(
            f"Column {name!r} lies around {known.mean():.9g} and varies by {deviation:.2g}, finer "
            f"than the network's float32 can tell there. Subtract a fixed value from it first."
        )
    if not 1e-6 < deviation < 1e18:
        raise BadData(
            f"Column {name!r} varies by {deviation:.2g}, which the network's float32 cannot "
            f"normalise. Measure it in another unit: table[{name!r}] * {1 / deviation:.0e}."
        )


def _names(option: str, names: Any) -> list[str]:
    # A set has another order in every process, and with it the network's weights.
    ordered = isinstance(names, Sequence | pd.Index) and not isinstance(names, str)
    if not ordered or not all(isinstance(name, str) for name in names):
        raise BadOption(f"{option} must be a list of names such as ['age'], not {names!r}.")
    return list(names)


def _check_names(table: pd.DataFrame, wanted: list[str]) -> None:
    if not wanted:
        raise BadOption(f"Name numbers, categories or both, out of {', '.join(map(str, table))}.")
    for name in wanted:
        if name not in table.columns:
            raise unknown("column", name, map(str, table))
        if wanted.count(name) > 1:
            raise BadOption(f"Column {name!r} is named twice; it is either a number or a category.")
