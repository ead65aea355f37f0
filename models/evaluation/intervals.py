"""How sure one can be of a figure.

Every interval is a dict of values, mean, low, high, n and method, as `results.json` holds it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from models import options
from models.errors import BadData, BadOption

Metric = Callable[[Any, Any], float]


class Draws(NamedTuple):
    """Figures from examples, or whole groups of them, drawn anew with replacement."""

    figures: np.ndarray  # one for each draw that defines it
    n: int  # how many examples or groups a draw takes
    unit: str  # "examples" or "groups"
    repeats: int  # how many draws

    def ends(self, level: float) -> tuple[float | None, float | None]:
        """Return where the middle `level` of the figures begins and ends."""
        tail = (1 - checked_level(level)) / 2
        if self.n < 2:
            return None, None
        low, high = np.quantile(self.figures, [tail, 1 - tail])
        return float(low), float(high)

    def method(self, kind: str, level: float) -> str:
        """Return in words how the interval came about."""
        if self.n < 2:
            return f"one {self.unit.removesuffix('s')}, no interval"
        undefined = self.repeats - len(self.figures)
        left_out = f", {undefined} undefined left out" if undefined else ""
        return f"{kind} over {self.n} {self.unit}, {self.repeats} draws{left_out}, {percent(level)}"


def interval(values: Sequence[float], level: float = 0.95) -> dict[str, Any]:
    """Return the mean over seeds and where the true mean lies.

    A dict of values, mean, low, high, n and method, as `results.json` holds it: Student's t over
    the seeds, which take in the luck of initialisation, order and split. One seed gives no
    interval: low and high are None.
    """
    level = checked_level(level)
    numbers = [float(value) for value in values]
    if not numbers or not np.isfinite(numbers).all():
        raise BadData(f"An interval needs finite numbers, one a seed; got {numbers}.")
    n, mean = len(numbers), float(np.mean(numbers))
    low = high = None
    method = "one seed, no interval"
    if n > 1:
        from scipy.stats import t

        half = float(t.ppf((1 + level) / 2, n - 1) * np.std(numbers, ddof=1) / np.sqrt(n))
        low, high = mean - half, mean + half
        method = f"t over {n} seeds, {percent(level)}"
    return {"values": numbers, "mean": mean, "low": low, "high": high, "n": n, "method": method}


def proportion(right: int, n: int, level: float = 0.95) -> dict[str, Any]:
    """Return the share `right` of `n` examples and where the true share lies.

    Wilson's interval: unlike the bootstrap it stays honest when all of a few examples are right.

    Source: Wilson, Journal of the American Statistical Association 22 (1927).
    """
    n, right = options.whole("n", n), options.whole("right", right, at_least=0)
    if right > n:
        raise BadOption(f"right={right} is more than n={n}.")
    low, high = wilson(np.array([right]), np.array([n]), checked_level(level))
    return {
        "values": [right / n],
        "mean": right / n,
        "low": float(low[0]),
        "high": float(high[0]),
        "n": n,
        "method": f"Wilson over {n} examples, {percent(level)}",
    }


def bootstrap(
    metric: Metric,
    y_true: Any,
    y_pred: Any,
    *,
    groups: Any = None,
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Return a metric on the held-out examples and where it would lie on other ones.

    The examples are drawn anew, with replacement, `repeats` times; the interval holds the middle
    of the figures that gives. It takes in the luck of the test examples, not that of training.

    Args:
        metric: of (y_true, y_pred), such as `accuracy` or `auc`.
        y_true: (n, …).
        y_pred: (n, …), whatever the metric takes.
        groups: (n,) group of each example. Whole groups are drawn: examples of one group are
            alike, and taking each as a witness of its own makes the interval too narrow.
        repeats: how often to draw.
        level: share of the draws within the interval.
        seed: the same seed gives the same interval; no global random state is touched.

    Returns:
        As `interval`; values holds the one figure, which is the mean too, and n counts what was
        drawn: examples or groups. Draws for which the metric is undefined (AUC of one class) are
        left out, and the method tells how many. One example or group gives no interval.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    value = float(metric(true, predicted))
    draws = resampled(
        lambda rows: metric(true[rows], predicted[rows]), len(true), groups, repeats, seed
    )
    low, high = draws.ends(level)
    return {
        "values": [value],
        "mean": value,
        "low": low,
        "high": high,
        "n": draws.n,
        "method": draws.method("bootstrap", level),
    }


def resampled(
    figure: Callable[[np.ndarray], float], n: int, groups: Any, repeats: int, seed: int
) -> Draws:
    """Return `figure` of the rows of each draw, n examples or their groups drawn anew."""
    repeats = options.whole("repeats", repeats, at_least=100)
    members = _members(n, groups)
    chance = np.random.default_rng(seed)
    found = []
    for _ in range(repeats if len(members) > 1 else 0):
        drawn = chance.integers(0, len(members), len(members))
        rows = drawn if groups is None else np.concatenate([members[group] for group in drawn])
        try:
            found.append(float(figure(rows)))
        except BadData:
            continue  # undefined there: of one class only, for example
    unit = "examples" if groups is None else "groups"
    if len(members) > 1 and len(found) < repeats / 2:
        raise BadData(
            f"The metric was defined for {len(found)} of {repeats} draws of {len(members)} {unit}: "
            "too few for an interval."
        )
    return Draws(np.array(found), len(members), unit, repeats)


def _members(n: int, groups: Any) -> list[np.ndarray]:
    """Return the rows of each group, in the order in which groups first occur."""
    if groups is None:
        return [np.array([row]) for row in range(n)]
    codes = pd.factorize(np.asarray(groups), use_na_sentinel=False)[0]
    if len(codes) != n:
        raise BadData(f"{len(codes)} groups were named for {n} examples: one each is needed.")
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])


def wilson(right: np.ndarray, n: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's interval of each share right / n: (low, high)."""
    from scipy.stats import norm

    z = float(norm.ppf((1 + level) / 2))
    share = right / n
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    # At shares of 0 and 1 the ends are exact; rounding must not move them beyond.
    return np.where(right == 0, 0.0, middle - half), np.where(right == n, 1.0, middle + half)


def checked_level(level: float) -> float:
    """Return a level if it lies between 0 and 1."""
    if not isinstance(level, int | float) or not 0 < level < 1:
        raise BadOption(f"level must lie between 0 and 1, such as 0.95, not {level!r}.")
    return float(level)


def percent(level: float) -> str:
    """Return 0.95 as "95 %", 0.995 as "99.5 %"."""
    return f"{100 * level:.4g} %"
