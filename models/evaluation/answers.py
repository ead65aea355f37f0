"""What was true and what a model answered, brought into one form, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from models.errors import BadData

NAMES = "OUST"  # kinds of arrays that hold names, not numbers
SUM_TOLERANCE = 1e-3  # float16 softmax is this far off at most


class Scored(NamedTuple):
    """Examples with a score for each class."""

    codes: np.ndarray  # (n,) the true classes' positions
    scores: np.ndarray  # (n, classes), float64
    classes: list[Any]  # the names, in the order of the columns


def labels(values: Any, what: str) -> np.ndarray:
    """Return one label per example, (n,): names or numbers; one-hot rows become positions.

    Strings come as an array of objects, also from a pandas column that is backed by Arrow.
    """
    array = np.asarray(values)
    if array.ndim == 2 and array.dtype.kind in "biuf":
        if array.shape[1] == 1:
            array = array[:, 0]
        elif ((array == 0) | (array == 1)).all() and (array.sum(axis=1) == 1).all():
            array = array.argmax(axis=1)
    if array.ndim == 1 and (missing := int(pd.isna(array).sum())):
        raise BadData(f"{missing} of {len(array)} labels in {what} are missing.")
    if array.ndim == 1 and array.dtype == object:
        named = {isinstance(label, str) for label in array.tolist()}
        if len(named) > 1:
            raise BadData(f"{what} mixes names and numbers: {array.tolist()[:5]}…")
        if named == {False}:
            return np.array(array.tolist())
    return array


def pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted labels of one length; scores become labels."""
    true, given = labels(y_true, "y_true"), np.asarray(y_pred)
    if given.ndim == 2 and given.dtype.kind in "biuf":
        given = finite(given, "y_pred")
        # The answer to a column of probabilities is no or yes, to several columns the highest.
        predicted = (given[:, 0] > 0.5).astype(int) if given.shape[1] == 1 else given.argmax(axis=1)
    else:
        predicted = labels(y_pred, "y_pred")
    if true.ndim != 1 or true.shape != predicted.shape or not len(true):
        raise BadData(
            f"One label per example is needed on both sides; got shapes {np.shape(y_true)} "
            f"and {np.shape(y_pred)}."
        )
    if (true.dtype.kind in NAMES) != (predicted.dtype.kind in NAMES):
        raise BadData(
            f"Names were compared with numbers: {true.tolist()[0]!r} with "
            f"{predicted.tolist()[0]!r}. "
            "Turn positions into names first: np.asarray(classes)[predicted]."
        )
    if predicted.dtype.kind == "f" and (predicted % 1).any() and not (true % 1).any():
        if not _yes_or_no(true) or predicted.min() < 0 or predicted.max() > 1:
            raise BadData(
                f"Labels such as {true.tolist()[0]!r} were compared with scores such as "
                f"{predicted.tolist()[0]!r}. Probabilities of a yes go with labels 0 and 1; scores "
                "of several classes have shape (n, classes)."
            )
        predicted = (predicted > 0.5).astype(int)
    return true, predicted


def scored(y_true: Any, y_score: Any, classes: Sequence[Any] | None) -> Scored:
    """Return what every class of every example scored, and which class was the true one.

    Args:
        y_true: (n,) labels: members of `classes`, or positions in it.
        y_score: (n, classes); or (n, 1) or (n,), scores of a yes, which is the second class.
        classes: the names, in the order of the columns; None if labels are positions.
    """
    true, score = labels(y_true, "y_true"), finite(np.asarray(y_score), "the scores")
    if score.ndim == 2 and score.shape[1] == 1:
        score = score[:, 0]
    if score.ndim == 1:
        score = np.stack([-score, score], axis=1)
    if true.ndim != 1 or score.ndim != 2 or len(true) != len(score) or not len(true):
        raise BadData(
            "Scores must be (n, classes), or (n,) for a yes, with one label per example; got "
            f"shapes {np.shape(y_score)} and {np.shape(y_true)}."
        )
    columns = score.shape[1]
    if classes is None:
        if true.dtype.kind in NAMES:
            raise BadData(
                f"Labels are names such as {true.tolist()[0]!r}: pass classes=, the names in the "
                f"order of the {columns} columns."
            )
        names: list[Any] = list(range(columns))
    else:
        names = list(classes)
        if len(names) != columns:
            raise BadData(f"{len(names)} classes were named for {columns} columns of scores.")
    return Scored(positions(names, true)[0], score, names)


def probable(y_true: Any, y_prob: Any, classes: Sequence[Any] | None) -> Scored:
    """Return the same for probabilities: each from 0 to 1, those of an example adding up to 1."""
    given = finite(np.asarray(y_prob), "the probabilities")
    outside = given[(given < -SUM_TOLERANCE) | (given > 1 + SUM_TOLERANCE)]
    if outside.size:
        raise BadData(
            f"Probabilities lie from 0 to 1; got {outside.flat[0]:g}. "
            "Scores before a softmax or sigmoid are none yet."
        )
    given = given.clip(0, 1)
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim == 1:
        given = np.stack([1 - given, given], axis=1)
    found = scored(y_true, given, classes)
    sums = found.scores.sum(axis=1)
    wrong = np.flatnonzero(np.abs(sums - 1) > SUM_TOLERANCE)
    if wrong.size:
        raise BadData(
            f"The probabilities of an example add up to 1; those of example {wrong[0]} to "
            f"{sums[wrong[0]]:.4g} ({wrong.size} of {len(sums)} are off)."
        )
    return found._replace(scores=found.scores / sums[:, None])


def positions(names: list[Any], *given: np.ndarray) -> list[np.ndarray]:
    """Return labels as positions in `names`.

    Labels that are all members of `names` are taken as such; whole numbers that are not, as
    positions. All arrays given are read in the same way.
    """
    # Each label is looked up once, not once an example: a bootstrap asks thousands of times.
    apart = [np.unique(array, return_inverse=True) for array in given]
    found = set().union(*(values.tolist() for values, _ in apart))
    place = {name: number for number, name in enumerate(names)}
    if not found <= set(place) and all(array.dtype.kind in "biuf" for array in given):
        place = {number: number for number in range(len(names))}
    if strangers := found - set(place):
        raise BadData(
            f"Labels outside the classes: {sorted(map(str, strangers))[:5]}; "
            f"the {len(names)} classes are {names[:5]}…"
        )
    return [
        np.array([place[label] for label in values.tolist()], dtype=int)[inverse]
        for values, inverse in apart
    ]


def finite(values: np.ndarray, what: str) -> np.ndarray:
    """Return numbers as float64; NaN and infinite ones are refused."""
    try:
        numbers = values.astype(np.float64)
    except (TypeError, ValueError):
        raise BadData(f"{what} must be numbers; got {values.ravel()[:3].tolist()}…") from None
    if broken := int((~np.isfinite(numbers)).sum()):
        raise BadData(f"{broken} of {numbers.size} numbers in {what} are NaN or infinite.")
    return numbers


def _yes_or_no(true: np.ndarray) -> bool:
    return bool(((true == 0) | (true == 1)).all())
