"""How good answers are: one class for each example, right or wrong."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from models.errors import BadData
from models.evaluation import answers


def accuracy(y_true: Any, y_pred: Any) -> float:
    """Return the share of right answers.

    Args:
        y_true: (n,) labels.
        y_pred: (n,) labels, or what a network's `predict` gives: (n, classes) scores, whose
            highest counts, or (n, 1) or (n,) probabilities of a yes.
    """
    true, predicted = answers.pair(y_true, y_pred)
    return float(np.mean(true == predicted))


def balanced_accuracy(y_true: Any, y_pred: Any) -> float:
    """Return the share of right answers within each class, averaged over the classes.

    Chance gives 1 / classes however rare some of them are. A class that `y_true` lacks does not
    count. Arguments as for `accuracy`.
    """
    from sklearn.metrics import balanced_accuracy_score

    true, predicted = _codes(y_true, y_pred)
    with warnings.catch_warnings():
        # A class that is only ever answered, never true: it has no share of its own.
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        warnings.filterwarnings("ignore", "A single label was found")
        return float(balanced_accuracy_score(true, predicted))


def f1(y_true: Any, y_pred: Any, *, positive: Any = None) -> float:
    """Return F1, the harmonic mean of precision and recall.

    Args:
        y_true: (n,) labels.
        y_pred: as for `accuracy`.
        positive: the class whose F1 is wanted; None averages over all classes that are true or
            answered somewhere ("macro"). 0 where a class is never answered rightly.
    """
    from sklearn.metrics import f1_score

    true, predicted = answers.pair(y_true, y_pred)
    if positive is None:
        true, predicted = _codes(true, predicted)
        return float(f1_score(true, predicted, average="macro", zero_division=0))
    if positive not in {*true.tolist(), *predicted.tolist()}:
        known = sorted(map(str, set(true.tolist())))
        raise BadData(f"No example is of the class {positive!r}; classes: {', '.join(known)}.")
    return float(f1_score(true == positive, predicted == positive, zero_division=0))


def confusion(y_true: Any, y_pred: Any, classes: Sequence[Any]) -> pd.DataFrame:
    """Return how often each class (row) was taken for each other (column), as counts.

    Args:
        y_true: (n,) labels: members of `classes`, or their positions in it.
        y_pred: the same, or scores as `accuracy` takes them.
        classes: the names, in the order of rows and columns.
    """
    names = list(classes)
    true, predicted = answers.positions(names, *answers.pair(y_true, y_pred))
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    return pd.DataFrame(
        counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted")
    )


def _codes(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    true, predicted = answers.pair(y_true, y_pred)
    codes = np.unique(np.concatenate([true, predicted]), return_inverse=True)[1]
    return codes[: len(true)], codes[len(true) :]
