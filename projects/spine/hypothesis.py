"""A hypothesis: one metric of one model, compared, by more than a threshold."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

LEVEL = 0.95  # of all hypotheses together
# Functions of models.evaluation that take (y_true, y_pred): what `over: examples` can draw anew.
METRICS = (
    "accuracy", "auc", "average_precision", "balanced_accuracy", "brier", "calibration_error",
    "f1", "log_loss", "mean_absolute_error", "mean_squared_error", "r2",
)  # fmt: skip
COMPARISON = re.compile(r"([^\s<>=]+)\s*([<>])\s*([^\s<>=]+)")


@dataclass(frozen=True)
class Hypothesis:
    """A claim that a run can refute: one metric, compared, by more than a threshold."""

    name: str
    claim: str
    metric: str
    comparison: str
    seeds: int  # how many a verdict needs
    threshold: float = 0.0
    over: str = "seeds"  # or "examples"
    answers: str | None = None  # the step whose values hold the examples

    @property
    def sides(self) -> tuple[str, str, str | float]:
        """Return the model, "<" or ">", and the other model or a number."""
        match = COMPARISON.fullmatch(self.comparison)
        assert match, self.comparison  # checked when it was read
        number = number_of(match[3])
        return match[1], match[2], match[3] if number is None else number

    def test(self, count: int) -> str:
        """Return in a sentence how it is judged, as one of `count` hypotheses."""
        model, sign, other = self.sides
        than = f"that of {other}" if isinstance(other, str) else f"{other:g}"
        by = f" by more than {self.threshold:g}" if self.threshold else ""
        how = f"{self.seeds} paired seeds" if isinstance(other, str) else f"{self.seeds} seeds"
        if self.over == "examples":
            seeds = f", mean of {self.seeds} seeds" if self.seeds > 1 else ""
            how = f"bootstrap over the examples of `{self.answers}`{seeds}"
        side = "above" if sign == ">" else "below"
        return f"{self.metric} of {model} {side} {than}{by}; {how}, {100 * level(count):.4g} %"


def level(count: int) -> float:
    """Return the level of one interval of `count`, so that all hold at once in 95 of 100 cases.

    Bonferroni's correction: one hypothesis of five is found by chance in a quarter of all studies
    if each is judged as if it were alone.
    """
    return 1 - (1 - LEVEL) / max(1, count)


def number_of(value: Any) -> float | None:
    """Return a finite number, also one that YAML takes for text (5e-3); None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
