"""Whether one model is better than another, on the same seeds or the same examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from models.errors import BadData, BadOption
from models.evaluation import answers
from models.evaluation.intervals import Metric, checked_level, percent, resampled

Values = Mapping[Any, float] | Sequence[float]


def compare_seeds(
    first: Values, second: Values, *, level: float = 0.95, test_share: float | None = None
) -> dict[str, Any]:
    """Return how much better the first model is than the second, seed by seed.

    Both had the same seeds and, for each, the same split, so that a hard split is hard for both
    and drops out of the difference.

    Args:
        first: one figure a seed: {seed: figure}, or in the same order as `second`.
        second: the same for the other model.
        level: of the interval.
        test_share: of the rows that are trained or tested on, the share that is tested on, if
            every seed draws a split of its own from the same rows. Trainings then overlap, and
            plain t is too sure; the variance is corrected by Nadeau and Bengio. None: one split,
            or fresh rows for every seed.

    Returns:
        As `interval`, of the differences first - second, and p_value, two-sided, for no
        difference on average; None for one seed, or if all differences are equal.

    Source: Nadeau and Bengio, Inference for the generalization error, Machine Learning 52 (2003).
    """
    from scipy.stats import t

    differences = _differences(first, second)
    level, n = checked_level(level), len(differences)
    mean, low, high, p_value = float(np.mean(differences)), None, None, None
    method = "one seed, no interval"
    if n > 1:
        overlap = 0.0
        if test_share is not None:
            if not isinstance(test_share, int | float) or not 0 < test_share < 1:
                raise BadOption(f"test_share must lie between 0 and 1, not {test_share!r}.")
            overlap = test_share / (1 - test_share)
        error = float(np.std(differences, ddof=1) * np.sqrt(1 / n + overlap))
        half = float(t.ppf((1 + level) / 2, n - 1)) * error
        low, high = mean - half, mean + half
        if np.ptp(differences) > 0:
            p_value = float(2 * t.sf(abs(mean) / error, n - 1))
        corrected = ", corrected for overlapping splits" if overlap else ""
        method = f"t over {n} paired seeds{corrected}, {percent(level)}"
    return {
        "values": differences,
        "mean": mean,
        "low": low,
        "high": high,
        "n": n,
        "method": method,
        "p_value": p_value,
    }


def compare_examples(
    metric: Metric,
    y_true: Any,
    first: Any,
    second: Any,
    *,
    groups: Any = None,
    repeats: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> dict[str, Any]:
    """Return how much higher the metric is for the first model's answers to the same examples.

    For one training of each: the examples are drawn anew, with replacement, the same ones for
    both models. It says nothing about other seeds.

    Args:
        metric: of (y_true, y_pred), such as `accuracy` or `auc`.
        y_true: (n, …).
        first: (n, …) answers of the first model, whatever the metric takes.
        second: those of the other.
        groups: (n,) group of each example; whole groups are drawn.
        repeats: how often to draw.
        level: share of the draws within the interval.
        seed: the same seed gives the same interval.

    Returns:
        As `bootstrap`, of the difference first - second, and p_value, two-sided: how rarely a
        draw turns the difference round; never below 2 / (repeats + 1).
    """
    true, one, other = np.asarray(y_true), np.asarray(first), np.asarray(second)

    def difference(rows: Any = slice(None)) -> float:
        return metric(true[rows], one[rows]) - metric(true[rows], other[rows])

    value = float(difference())
    draws = resampled(difference, len(true), groups, repeats, seed)
    low, high = draws.ends(level)
    p_value = None
    if draws.n > 1:
        below, above = (draws.figures <= 0).sum(), (draws.figures >= 0).sum()
        p_value = float(min(1, 2 * (min(below, above) + 1) / (len(draws.figures) + 1)))
    return {
        "values": [value],
        "mean": value,
        "low": low,
        "high": high,
        "n": draws.n,
        "method": draws.method("paired bootstrap", level),
        "p_value": p_value,
    }


def mcnemar(y_true: Any, first: Any, second: Any) -> dict[str, Any]:
    """Return on how many examples only one of two models is right, and if that can be chance.

    Args:
        y_true: (n,) labels.
        first: labels or scores of the first model, as `accuracy` takes them.
        second: those of the other.

    Returns:
        {both, first, second, neither}: how many examples were answered rightly by whom;
        difference: of the accuracies, first - second; p_value: exact, two-sided, of the examples
        that tell the models apart; n and method.

    Source: McNemar, Psychometrika 12 (1947); Dietterich, Neural Computation 10 (1998).
    """
    from scipy.stats import binomtest

    one, other = (np.equal(*answers.pair(y_true, given)) for given in (first, second))
    only_first, only_second = int((one & ~other).sum()), int((other & ~one).sum())
    apart = only_first + only_second
    return {
        "both": int((one & other).sum()),
        "first": only_first,
        "second": only_second,
        "neither": int((~one & ~other).sum()),
        "difference": (only_first - only_second) / len(one),
        "p_value": float(binomtest(only_first, apart).pvalue) if apart else 1.0,
        "n": len(one),
        "method": "McNemar, exact",
    }


def holm(p_values: Mapping[Any, float]) -> dict[Any, float]:
    """Return p-values corrected for their number: of true nulls, any at all below 5 % is 5 % rare.

    Ten comparisons at 5 % find a difference where none is two times in five. Holm's step-down
    correction never finds less than Bonferroni's.

    Args:
        p_values: by hypothesis.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979).
    """
    values = {name: float(value) for name, value in p_values.items()}
    if wrong := {name: value for name, value in values.items() if not 0 <= value <= 1}:
        raise BadData(f"p-values lie from 0 to 1; got {wrong}.")
    corrected, highest = {}, 0.0
    for rank, name in enumerate(sorted(values, key=values.__getitem__)):
        highest = max(highest, min(1.0, (len(values) - rank) * values[name]))
        corrected[name] = highest
    return {name: corrected[name] for name in values}


def _differences(first: Values, second: Values) -> list[float]:
    if isinstance(first, Mapping) != isinstance(second, Mapping):
        raise BadData("Give both models' figures by seed, or both in the order of the seeds.")
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        if set(first) != set(second):
            raise BadData(f"The seeds differ: {list(first)} and {list(second)}.")
        pairs = [(first[seed], second[seed]) for seed in first]
    else:
        if len(first) != len(second):
            raise BadData(f"{len(first)} seeds cannot be paired with {len(second)}.")
        pairs = list(zip(first, second, strict=True))
    differences = [float(one) - float(other) for one, other in pairs]
    if not differences or not np.isfinite(differences).all():
        raise BadData(f"A comparison needs finite figures, one a seed; got {pairs}.")
    return differences
