"""All metrics that apply, and one metric group by group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from models.errors import BadData
from models.evaluation import answers
from models.evaluation.decisions import accuracy, balanced_accuracy, f1
from models.evaluation.intervals import Metric, bootstrap, checked_level, proportion
from models.evaluation.probabilities import brier, calibration_error, log_loss
from models.evaluation.quantities import mean_absolute_error, mean_squared_error, r2
from models.evaluation.ranking import auc, average_precision


def scores(y_true: Any, y_pred: Any, *, classes: Sequence[Any] | None = None) -> dict[str, float]:
    """Return every metric that applies, by name: what a project's `scores` step wants.

    labels          accuracy, balanced_accuracy, f1
    probabilities   these, auc, average_precision, brier, log_loss, calibration_error
    quantities      mean_squared_error, mean_absolute_error, r2

    Args:
        y_true: (n,) labels; or quantities, which are floats other than 0 and 1 alone. Whole
            numbers are labels: `astype(float)` makes counts quantities.
        y_pred: (n,) labels; probabilities (n, classes), or (n, 1) or (n,) of a yes; or (n,) or
            (n, 1) quantities.
        classes: the names, in the order of the columns; labels may be positions in it.

    Of two classes f1 is that of the yes, the second; of more, the mean. What `y_true` leaves
    undefined (auc of one class, r2 of equal quantities) is left out.
    """
    true, given = np.asarray(y_true), np.asarray(y_pred)
    one_column = given.ndim == 1 or given.shape[1:] == (1,)
    yes_or_no = true.dtype.kind in "biuf" and ((true == 0) | (true == 1)).all()
    if true.dtype.kind == "f" and not yes_or_no and (one_column or true.shape == given.shape):
        found = {
            "mean_squared_error": mean_squared_error(y_true, given),
            "mean_absolute_error": mean_absolute_error(y_true, given),
        }
        return found | _defined(r2=lambda: r2(y_true, given))
    if given.ndim == 2 or (given.dtype.kind == "f" and (given % 1).any()):
        if true.dtype.kind in "iu" and one_column and not yes_or_no and classes is None:
            raise BadData(
                f"Whole numbers such as {true.max()} are labels, and those of one column are 0 and "
                "1. To compare quantities, pass y_true.astype(float)."
            )
        codes, probabilities, names = answers.probable(y_true, given, classes)
        return {
            "accuracy": accuracy(codes, probabilities),
            "balanced_accuracy": balanced_accuracy(codes, probabilities),
            "f1": _f1(codes, probabilities.argmax(axis=1), len(names)),
            **_defined(
                auc=lambda: auc(codes, probabilities),
                average_precision=lambda: average_precision(codes, probabilities),
            ),
            "brier": brier(codes, probabilities),
            "log_loss": log_loss(codes, probabilities),
            "calibration_error": calibration_error(codes, probabilities),
        }
    true, predicted = answers.pair(true, given)
    names = sorted({*true.tolist(), *predicted.tolist()}) if classes is None else list(classes)
    true, predicted = answers.positions(names, true, predicted)
    return {
        "accuracy": accuracy(true, predicted),
        "balanced_accuracy": balanced_accuracy(true, predicted),
        "f1": _f1(true, predicted, len(names)),
    }


def by_group(
    metric: Metric,
    y_true: Any,
    y_pred: Any,
    groups: Any,
    *,
    level: float = 0.95,
    repeats: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return a metric for each group of examples, the worst first where more is better.

    Args:
        metric: of (y_true, y_pred), such as `accuracy`.
        y_true: (n, …).
        y_pred: (n, …), whatever the metric takes.
        groups: (n,) group of each example: its source, its class, the decade it is from.
        level: of the intervals: Wilson's for `accuracy`, bootstrap over examples for the rest.
        repeats: draws of the bootstrap.
        seed: of the bootstrap.

    Returns:
        Columns group, n, the metric's name, low, high; in ascending order of the metric. A
        metric that is undefined in a group (auc of one class) is NaN there, as are the ends of
        an interval from one example. With many groups some are low by chance: the intervals are
        each for one group looked at alone.
    """
    checked_level(level)
    true, predicted, of_row = np.asarray(y_true), np.asarray(y_pred), np.asarray(groups)
    if of_row.shape != (len(true),) or len(predicted) != len(true) or not len(true):
        raise BadData(
            f"One group per example is needed; got {of_row.shape} for {len(true)} examples and "
            f"{len(predicted)} answers."
        )
    metric(true, predicted)  # what cannot be compared at all is an error, not a row of NaN
    codes, names = pd.factorize(of_row, use_na_sentinel=False)
    name = getattr(metric, "__name__", "score").replace("<lambda>", "score")
    rows = []
    for code, group in enumerate(names):
        inside = codes == code
        n = int(inside.sum())
        try:
            value = float(metric(true[inside], predicted[inside]))
            if metric is accuracy:
                found = proportion(round(value * n), n, level)
            else:
                found = bootstrap(
                    metric, true[inside], predicted[inside], level=level, repeats=repeats, seed=seed
                )
        except BadData:
            value, found = np.nan, {"low": np.nan, "high": np.nan}
        rows.append((group, n, value, found["low"], found["high"]))
    table = pd.DataFrame(rows, columns=["group", "n", name, "low", "high"])
    table[["low", "high"]] = table[["low", "high"]].astype(float)
    return table.sort_values(name, kind="stable", ignore_index=True)


def _f1(codes: np.ndarray, predicted: np.ndarray, classes: int) -> float:
    if classes != 2:
        return f1(codes, predicted)
    # Without a yes on either side there is none to find and none was found.
    return f1(codes, predicted, positive=1) if (codes | predicted).any() else 0.0


def _defined(**metrics: Any) -> dict[str, float]:
    found = {}
    for name, metric in metrics.items():
        try:
            found[name] = metric()
        except BadData:
            continue
    return found
