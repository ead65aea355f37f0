"""Boosted trees on histograms: hard to beat on tables, and content with gaps and categories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models import options
from models.baselines import examples
from models.baselines.classes import Baseline
from models.baselines.quantities import Regression
from models.errors import BadData, BadOption

MOST_CATEGORIES = 254  # of one column; the trees' histograms have 255 bins
PATIENCE = 20  # trees without a better validation loss


def boosting(
    x_train: Any,
    y_train: Any,
    validation: tuple[Any, Any] | None = None,
    *,
    trees: int = 300,
    learning_rate: float = 0.1,
    leaves: int = 31,
    l2: float = 0.0,
    seed: int = 0,
) -> Baseline:
    """Return fitted gradient-boosted trees that name a class.

    Args:
        x_train: (n, …) numbers, or a table whose columns are numbers, categories or text (names
            of categories). Missing values stay missing: each tree learns where they belong. A
            category not seen in training, or beyond the 254 commonest, counts as missing.
        y_train: (n,) labels.
        validation: (x, y) that stop adding trees when 20 have made nothing better.
        trees: the most to grow, one a class each time if there are more than two.
        learning_rate: how much of each tree's answer counts.
        leaves: the most of one tree.
        l2: strength of the penalty on the leaves' values.
        seed: of the choice of rows for the histograms, where there are more than 200,000.

    Source: Ke et al., LightGBM, NeurIPS 2017, as scikit-learn's HistGradientBoosting has it.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    classes, codes = examples.labels(y_train)
    if len(classes) < 2:
        raise BadData(f"Boosting needs at least 2 classes; got only {classes.tolist()[0]!r}.")
    judge = None
    if validation is not None:
        position = {label: code for code, label in enumerate(classes.tolist())}
        strangers = sorted(map(str, set(np.asarray(validation[1]).tolist()) - set(position)))
        if strangers:
            raise BadData(f"Classes of the validation data lack in training: {strangers[:5]}.")
        judged = [position[label] for label in np.asarray(validation[1]).tolist()]
        judge = validation[0], np.array(judged)
    settings = _settings(trees, learning_rate, leaves, l2, seed)
    columns, fitted = _fit(HistGradientBoostingClassifier, settings, x_train, codes, judge)
    return Baseline("boosting", classes, fitted, columns)


def boosting_regression(
    x_train: Any,
    y_train: Any,
    validation: tuple[Any, Any] | None = None,
    *,
    trees: int = 300,
    learning_rate: float = 0.1,
    leaves: int = 31,
    l2: float = 0.0,
    seed: int = 0,
) -> Regression:
    """Return fitted gradient-boosted trees that predict a quantity, by squared error.

    Args:
        x_train: as for `boosting`, like all other arguments.
        y_train: (n,) quantities.
        validation: (x, y) that stop adding trees.
        trees: the most to grow.
        learning_rate: how much of each tree's answer counts.
        leaves: the most of one tree.
        l2: strength of the penalty on the leaves' values.
        seed: as for `boosting`.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor

    y = examples.quantities(y_train)
    if y.ndim != 1:
        raise BadData(f"Boosting predicts one quantity, (n,); got shape {y.shape}.")
    judge = None if validation is None else (validation[0], examples.quantities(validation[1]))
    settings = _settings(trees, learning_rate, leaves, l2, seed)
    columns, fitted = _fit(HistGradientBoostingRegressor, settings, x_train, y, judge)
    return Regression("boosting", fitted, columns)


@dataclass
class _Columns:
    """Brings a table or an array to numbers (n, features), as the training rows had them."""

    names: list[Any] | None  # of a table's columns; None for an array
    places: list[dict[Any, int] | None]  # of each column: its categories', None for numbers

    @classmethod
    def of(cls, x: Any) -> _Columns:
        if not isinstance(x, pd.DataFrame):
            return cls(None, [None] * examples.vectors(x).shape[1])
        return cls(list(x.columns), [_places(x[name]) for name in x.columns])

    def __call__(self, x: Any) -> np.ndarray:
        if self.names is None:
            numbers = examples.vectors(x).astype(np.float64)
            if numbers.shape[1] != len(self.places):
                raise BadData(
                    f"Examples have {len(self.places)} numbers each; got {numbers.shape[1]}."
                )
        else:
            if not isinstance(x, pd.DataFrame) or set(self.names) - set(x.columns):
                got = ", ".join(map(str, x.columns)) if isinstance(x, pd.DataFrame) else type(x)
                raise BadData(
                    f"A table with {', '.join(map(str, self.names))} is needed; got {got}."
                )
            filled = zip(self.names, self.places, strict=True)
            columns = [_numbers(x[name], places) for name, places in filled]
            numbers = np.stack(columns, axis=1)
        if np.isinf(numbers).any():
            raise BadData("The examples hold infinite values; missing ones are NaN.")
        return numbers


def _places(column: pd.Series) -> dict[Any, int] | None:
    """Return the commonest categories of a column and their numbers; None for numbers."""
    kinds = pd.api.types
    if kinds.is_numeric_dtype(column):
        return None
    if not (kinds.is_string_dtype(column) or isinstance(column.dtype, pd.CategoricalDtype)):
        raise BadOption(
            f"Column {column.name!r} holds {column.dtype}: trees take numbers, text or categories. "
            "Turn a date into numbers first, such as column.dt.dayofyear."
        )
    # Equally common ones in the order of their names, so that rows may come in any order.
    counts = pd.Series(column.to_numpy(dtype=object)).value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return {name: place for place, (name, _) in enumerate(ordered[:MOST_CATEGORIES])}


def _numbers(column: pd.Series, places: Mapping[Any, int] | None) -> np.ndarray:
    if places is None:
        if not pd.api.types.is_numeric_dtype(column):
            raise BadData(f"Column {column.name!r} was numbers in training; now {column.dtype}.")
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.array([places.get(cell, np.nan) for cell in column.to_numpy(dtype=object)], float)


def _fit(
    trees: Any, settings: dict[str, Any], x_train: Any, y: np.ndarray, validation: Any
) -> tuple[_Columns, Any]:
    columns = _Columns.of(x_train)
    x = columns(x_train)
    examples.matched(len(x), len(y), "answers")
    held_out = {}
    if validation is not None:
        held_out = {"X_val": columns(validation[0]), "y_val": validation[1]}
        examples.matched(len(held_out["X_val"]), len(validation[1]), "answers to validate with")
    model = trees(
        categorical_features=[places is not None for places in columns.places],
        early_stopping=bool(held_out),
        n_iter_no_change=PATIENCE,
        **settings,
    )
    return columns, model.fit(x, y, **held_out)


def _settings(
    trees: int, learning_rate: float, leaves: int, l2: float, seed: int
) -> dict[str, Any]:
    if not isinstance(learning_rate, int | float) or not 0 < learning_rate <= 1:
        raise BadOption(f"learning_rate must be above 0 and at most 1, not {learning_rate!r}.")
    if not isinstance(l2, int | float) or not 0 <= l2 < float("inf"):
        raise BadOption(f"l2 must be 0 or a positive number, not {l2!r}.")
    return {
        "max_iter": options.whole("trees", trees),
        "learning_rate": learning_rate,
        "max_leaf_nodes": options.whole("leaves", leaves, at_least=2),
        "l2_regularization": l2,
        "random_state": options.whole("seed", seed, at_least=0),
    }
