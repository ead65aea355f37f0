"""How good predicted quantities are."""

from __future__ import annotations

from typing import Any

import numpy as np

from models.errors import BadData
from models.evaluation.answers import finite


def mean_squared_error(y_true: Any, y_pred: Any) -> float:
    """Return the mean squared error, in the square of the unit.

    Args:
        y_true: (n,) or (n, outputs) quantities.
        y_pred: the same; (n, 1) goes with (n,).
    """
    from sklearn.metrics import mean_squared_error as squared

    return float(squared(*_pair(y_true, y_pred)))


def mean_absolute_error(y_true: Any, y_pred: Any) -> float:
    """Return the mean absolute error, in the unit itself. Arguments as above."""
    from sklearn.metrics import mean_absolute_error as absolute

    return float(absolute(*_pair(y_true, y_pred)))


def r2(y_true: Any, y_pred: Any) -> float:
    """Return R²: the share of the variance that was predicted.

    1 is perfect, 0 what the mean of `y_true` would reach; worse is below 0. Arguments as above.
    """
    from sklearn.metrics import r2_score

    true, predicted = _pair(y_true, y_pred)
    if (true == true[0]).all(axis=0).any():
        raise BadData(f"R² needs quantities that differ; all {len(true)} are {true.flat[0]:g}.")
    return float(r2_score(true, predicted))


def _pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    true, predicted = (
        finite(np.asarray(values), what)
        for values, what in ((y_true, "y_true"), (y_pred, "y_pred"))
    )
    true, predicted = (a[:, None] if a.ndim == 1 else a for a in (true, predicted))
    # Broadcasting (n,) against (n, 1) would compare everything with everything.
    if true.ndim != 2 or true.shape != predicted.shape or not true.size:
        raise BadData(
            f"One prediction per quantity is needed; got shapes {np.shape(y_true)} and "
            f"{np.shape(y_pred)}."
        )
    return true, predicted
