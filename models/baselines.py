"""What a network has to beat: the commonest class, a linear model, the most similar example."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models import options
from models.errors import BadData, BadOption


@dataclass
class Baseline:
    """A fitted baseline; examples of any shape are flattened to vectors on their way in."""

    name: str
    classes: np.ndarray
    estimator: Any

    def predict(self, x: Any) -> np.ndarray:
        """Return one label for each of the (n, …) examples."""
        return self.classes[self.estimator.predict(_vectors(x))]

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return probabilities (n, classes), the columns in the order of `classes`."""
        return self.estimator.predict_proba(_vectors(x))


def majority(y_train: Any) -> Baseline:
    """Return a baseline that answers the commonest label of `y_train`, whatever it is shown.

    Of labels equally common it answers the first in sorted order; its probabilities are the
    shares of the classes.
    """
    classes, codes = _labels(y_train)
    return Baseline("majority", classes, _Shares(np.bincount(codes) / len(codes)))


def logistic(
    x_train: Any,
    y_train: Any,
    validation: tuple[Any, Any] | None = None,
    *,
    l2: float | Sequence[float] = (1, 10, 100, 1000),
) -> Baseline:
    """Return a fitted multinomial logistic regression on standardised features.

    Args:
        x_train: (n, …) numbers.
        y_train: (n,) labels.
        validation: (x, y) that choose among several strengths, as they choose a network's epoch;
            without them every fifth training example does, which is left out for the choice.
        l2: strength of the penalty on squared weights, against the summed log loss (scikit-learn's
            1 / C); several to choose from, or one.
    """
    x, classes, codes = _training(x_train, y_train)
    if len(classes) < 2:
        raise BadData(f"Logistic regression needs at least 2 classes; got only {classes[0]!r}.")
    strengths = list(l2) if isinstance(l2, Sequence) else [l2]
    if not strengths or min(strengths) <= 0:
        raise BadOption(f"l2 must be a number above 0, or several, not {l2!r}.")
    if len(strengths) > 1:
        held_out = np.arange(len(x)) % 5 == 4
        if validation is None:
            seen, judge = ~held_out, (x[held_out], classes[codes[held_out]])
        else:
            seen, judge = np.full(len(x), True), (_vectors(validation[0]), validation[1])
        # The choice needs two classes to fit, and someone to judge it.
        if len(judge[0]) and len(np.unique(codes[seen])) > 1:
            trials = [_logistic(x[seen], codes[seen], strength) for strength in strengths]
            right = [np.mean(classes[trial.predict(judge[0])] == judge[1]) for trial in trials]
            strengths = [strengths[int(np.argmax(right))]]
    return Baseline("logistic", classes, _logistic(x, codes, strengths[0]))


def _logistic(x: np.ndarray, codes: np.ndarray, strength: float) -> Any:
    import warnings

    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(
        StandardScaler(), LogisticRegression(C=1 / strength, max_iter=200, tol=1e-3)
    )
    with warnings.catch_warnings():
        # Stopped a little early, a linear model of pictures is as good.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(x, codes)


def nearest(x_train: Any, y_train: Any, *, neighbours: int = 1) -> Baseline:
    """Return a baseline that answers with the label of the most similar training example.

    Args:
        x_train: (n, …) numbers; similarity is Euclidean distance.
        y_train: (n,) labels.
        neighbours: how many examples vote.
    """
    from sklearn.neighbors import KNeighborsClassifier

    x, classes, codes = _training(x_train, y_train)
    neighbours = options.whole("neighbours", neighbours)
    if neighbours > len(x):
        raise BadData(f"{neighbours} neighbours were asked of {len(x)} training examples.")
    model = KNeighborsClassifier(n_neighbors=neighbours, algorithm="brute")
    return Baseline("nearest", classes, model.fit(x, codes))


@dataclass
class _Shares:
    """Answers the same whatever it is shown."""

    shares: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.full(len(x), self.shares.argmax())

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.tile(self.shares, (len(x), 1))


def _vectors(x: Any) -> np.ndarray:
    array = np.asarray(x)
    if array.ndim < 2:
        raise BadData(f"Examples must be (n, …) numbers; got shape {array.shape}.")
    return array.reshape(len(array), math.prod(array.shape[1:]))


def _labels(y: Any) -> tuple[np.ndarray, np.ndarray]:
    labels = np.asarray(y)
    if labels.ndim != 1 or not len(labels):
        raise BadData(f"Labels must be one per example, shape (n,); got shape {labels.shape}.")
    return np.unique(labels, return_inverse=True)


def _training(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    vectors, (classes, codes) = _vectors(x), _labels(y)
    if len(vectors) != len(codes):
        raise BadData(f"{len(vectors)} examples came with {len(codes)} labels.")
    if not np.isfinite(vectors).all():
        raise BadData("The training examples hold NaN or infinite values.")
    return vectors, classes, codes
