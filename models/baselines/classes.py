"""Baselines that name a class: the commonest, a linear model's, the most similar example's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models import options
from models.baselines import examples
from models.errors import BadData


@dataclass
class Baseline:
    """A fitted baseline; examples of any shape are flattened to vectors on their way in."""

    name: str
    classes: np.ndarray
    estimator: Any
    prepare: Callable[[Any], np.ndarray] = examples.vectors

    def predict(self, x: Any) -> np.ndarray:
        """Return one label for each of the (n, …) examples."""
        return self.classes[self.estimator.predict(self.prepare(x))]

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return probabilities (n, classes), the columns in the order of `classes`."""
        return self.estimator.predict_proba(self.prepare(x))


def majority(y_train: Any) -> Baseline:
    """Return a baseline that answers the commonest label of `y_train`, whatever it is shown.

    Of labels equally common it answers the first in sorted order; its probabilities are the
    shares of the classes.
    """
    classes, codes = examples.labels(y_train)
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
    x, classes, codes = examples.training(x_train, y_train)
    if len(classes) < 2:
        only = classes.tolist()[0]
        raise BadData(f"Logistic regression needs at least 2 classes; got only {only!r}.")
    strengths = examples.strengths(l2)
    if len(strengths) > 1:
        held_out = np.arange(len(x)) % 5 == 4
        if validation is None:
            seen, judge = ~held_out, (x[held_out], classes[codes[held_out]])
        else:
            seen, judge = np.full(len(x), True), (examples.vectors(validation[0]), validation[1])
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

    x, classes, codes = examples.training(x_train, y_train)
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
