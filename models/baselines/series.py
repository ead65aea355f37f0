"""Baselines of what comes next in a series: the same again, or what has followed it before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models import options
from models.baselines import examples
from models.errors import BadData, BadOption


@dataclass
class LastValue:
    """Answers that nothing changes."""

    season: int
    feature: int
    name: str = "last value"

    def predict(self, x: Any) -> np.ndarray:
        """Return what each series was last, or one season ago.

        Args:
            x: (n,) values or labels, the last ones; or windows (n, steps) or (n, steps, features).
        """
        windows = np.asarray(x)
        if windows.ndim == 1 and self.season == 1:
            return windows
        if windows.ndim not in (2, 3) or windows.shape[1] < self.season:
            raise BadData(
                f"The value {self.season} steps ago needs windows (n, steps) or (n, steps, "
                f"features) of at least {self.season} steps; got shape {windows.shape}."
            )
        if windows.ndim == 2:
            return windows[:, -self.season]
        if self.feature >= windows.shape[2]:
            raise BadData(f"No feature {self.feature} among {windows.shape[2]}.")
        return windows[:, -self.season, self.feature]


def last_value(*, season: int = 1, feature: int = 0) -> LastValue:
    """Return a baseline that answers with the last value of a series: persistence.

    Nothing is fitted. Of classes it gives no probabilities; `markov` does.

    Args:
        season: how many steps ago the answer is from: 24 for yesterday's at the same hour.
        feature: which feature of the windows (n, steps, features) is to be predicted.

    Source: Hyndman and Athanasopoulos, Forecasting: Principles and Practice (2021), section 5.2.
    """
    return LastValue(options.whole("season", season), options.whole("feature", feature, at_least=0))


@dataclass
class Markov:
    """A fitted chain: `transitions[i, j]` is the probability that class j follows class i."""

    classes: np.ndarray
    transitions: np.ndarray
    shares: np.ndarray  # of the classes that follow, whatever came before
    name: str = "markov"

    def predict(self, x: Any) -> np.ndarray:
        """Return the class most likely to follow each of the (n,) classes."""
        return self.classes[self.predict_proba(x).argmax(axis=1)]

    def predict_proba(self, x: Any) -> np.ndarray:
        """Return probabilities (n, classes) of what follows; a class never seen tells nothing."""
        now = np.asarray(x)
        if now.ndim != 1:
            raise BadData(f"A chain goes on from one class each, (n,); got shape {now.shape}.")
        position = {label: number for number, label in enumerate(self.classes.tolist())}
        rows = np.array([position.get(label, -1) for label in now.tolist()], dtype=int)
        return np.vstack([self.transitions, self.shares])[rows]


def markov(now: Any, following: Any, *, smoothing: float = 1.0) -> Markov:
    """Return a Markov chain fitted on pairs of classes: which follows which, how often.

    It answers as persistence does where classes mostly stay, and knows how sure to be of it.

    Args:
        now: (n,) classes.
        following: (n,) the class that came after each. Of one series y: y[:-1] and y[1:].
        smoothing: how many times each transition counts as seen beforehand, so that none is
            impossible.
    """
    before, after = np.asarray(now), np.asarray(following)
    if before.shape != after.shape:
        raise BadData(f"Classes {before.shape} came with {after.shape} that follow them.")
    if not isinstance(smoothing, int | float) or not 0 < smoothing < float("inf"):
        raise BadOption(f"smoothing must be a number above 0, not {smoothing!r}.")
    classes, codes = examples.labels(np.concatenate([before, after]))
    counts = np.full((len(classes), len(classes)), float(smoothing))
    np.add.at(counts, (codes[: len(before)], codes[len(before) :]), 1)
    shares = counts.sum(axis=0)
    return Markov(classes, counts / counts.sum(axis=1, keepdims=True), shares / shares.sum())
