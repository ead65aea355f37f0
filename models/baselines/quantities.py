"""Baselines that predict a quantity: the mean, and a linear model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.baselines import examples


@dataclass
class Regression:
    """A fitted baseline of quantities; examples of any shape are flattened to vectors."""

    name: str
    estimator: Any
    prepare: Callable[[Any], np.ndarray] = examples.vectors

    def predict(self, x: Any) -> np.ndarray:
        """Return the quantities (n,) or (n, outputs) of the (n, …) examples."""
        return self.estimator.predict(self.prepare(x))


def mean(y_train: Any) -> Regression:
    """Return a baseline that answers the mean of `y_train`, whatever it is shown.

    What the majority is for classes: its R² on the training rows is 0.

    Args:
        y_train: (n,) or (n, outputs) quantities.
    """
    return Regression("mean", _Mean(examples.quantities(y_train).mean(axis=0)))


def linear(
    x_train: Any,
    y_train: Any,
    validation: tuple[Any, Any] | None = None,
    *,
    l2: float | Sequence[float] = (0.01, 1, 10, 100, 1000),
) -> Regression:
    """Return a fitted linear (ridge) regression on standardised features.

    Args:
        x_train: (n, …) numbers.
        y_train: (n,) or (n, outputs) quantities.
        validation: (x, y) that choose among several strengths, by squared error; without them
            every fifth training example does, which is left out for the choice.
        l2: strength of the penalty on squared weights, against the summed squared error; several
            to choose from, or one.
    """
    x, y = examples.vectors(x_train), examples.quantities(y_train)
    examples.matched(len(x), len(y), "quantities")
    examples.finite(x)
    strengths = examples.strengths(l2)
    if len(strengths) > 1:
        held_out = np.arange(len(x)) % 5 == 4
        if validation is None:
            seen, judge = ~held_out, (x[held_out], y[held_out])
        else:
            seen = np.full(len(x), True)
            judge = examples.vectors(validation[0]), examples.quantities(validation[1])
            examples.matched(len(judge[0]), len(judge[1]), "quantities to validate with")
        if len(judge[0]):
            trials = [_ridge(x[seen], y[seen], strength) for strength in strengths]
            errors = [np.square(trial.predict(judge[0]) - judge[1]).mean() for trial in trials]
            strengths = [strengths[int(np.argmin(errors))]]
    return Regression("linear", _ridge(x, y, strengths[0]))


def _ridge(x: np.ndarray, y: np.ndarray, strength: float) -> Any:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(StandardScaler(), Ridge(alpha=strength)).fit(x, y)


@dataclass
class _Mean:
    """Answers the same whatever it is shown."""

    value: np.ndarray

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.tile(self.value, (len(x), 1)) if self.value.ndim else np.full(len(x), self.value)
