"""Models beside each other by one metric, each with how sure one can be of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blog.drawing import PAPER, mode
from blog.errors import FigureError, suggestion
from blog.figures.figure import Figure, from_axes
from blog.figures.series import numeric
from blog.figures.words import label, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 24  # models that are drawn; the words and the table have all


def comparison(
    scores: Mapping[Any, Any], metric: str, *, best: str = "high", reference: str | None = None
) -> Figure:
    """One dot per model with its interval, best first by mean; faint dots are single seeds.

    Args:
        scores: ``{model: {metric: score}}`` or ``{model: score}``, a score being a number, a list
            of values or an interval with ``mean``, ``low``, ``high`` and ``values``; or what a
            step without ``seed`` receives, ``{seed: {model: {metric: number}}}``.
        metric: which one.
        best: "high", or "low" for errors and losses.
        reference: scores are differences from this model, seed by seed, as
            ``evaluation.compare_seeds`` gives them: a line marks no difference, and numbers carry
            their sign. An interval that keeps clear of the line is drawn in colour.
    """
    if best not in ("high", "low"):
        raise FigureError(f"comparison(…) knows best='high' and best='low'; received {best!r}.")
    if reference is not None and reference in scores:
        raise FigureError(
            f"comparison(…): the reference {label(reference)!r} is among the models. With a "
            "reference it takes differences from it: {model: evaluation.compare_seeds(the model's "
            "values, the reference's values)}."
        )
    rows = _scores(scores, metric, best)
    written = number if reference is None else _signed
    shown = rows[:MOST]

    def draw(axes: Axes) -> None:
        if reference is not None:
            axes.axvline(0, color="C4", linewidth=1.4, linestyle=(0, (4, 2)), zorder=1)
        for place, row in enumerate(shown):
            _draw_row(axes, place, row, strong=_strong(place, row, reference), written=written)
        axes.set_yticks(range(len(shown)), [label(row["model"], 22) for row in shown])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(shown) - 0.5, -0.75)
        axes.margins(x=0.1)
        axes.locator_params(axis="x", nbins=6)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(_axis(metric, best, reference))
        if len(rows) > MOST:
            axes.set_title(f"the best {MOST} of {len(rows)}")

    data = pd.DataFrame(
        [{"model": r["model"], metric: r["mean"], "low": r["low"], "high": r["high"]} for r in rows]
    ).dropna(axis=1, how="all")
    told = ", ".join(f"{label(row['model'], 60)} {_told(row, written)}" for row in shown)
    if reference is not None:
        alt = f"Difference in {label(metric)} from {label(reference)}, seed by seed, of "
        alt += f"{len(rows)} models: {told}."
    else:
        alt = f"{label(metric)[:1].upper()}{label(metric)[1:]} of {len(rows)} models"
        alt += f"{', the lower the better' if best == 'low' else ''}: {told}"
        alt += "." if len(rows) <= MOST else f", and {len(rows) - MOST} more."
    return from_axes(draw, data=data, alt=alt, size=(7, 1.3 + 0.7 * len(shown)))


def _draw_row(axes: Axes, place: int, row: dict[str, Any], *, strong: bool, written: Any) -> None:
    colour = "C0" if strong else "C4"
    axes.plot(
        row["values"],
        [place] * len(row["values"]),
        "o",
        color=colour,
        alpha=0.3,
        markersize=5,
        markeredgewidth=0,
    )
    if row["low"] is not None and row["high"] is not None:
        axes.plot([row["low"], row["high"]], [place, place], color=colour, linewidth=3)
    # Not by colour alone: a diamond is what stands out.
    axes.plot([row["mean"]], [place], "D" if strong else "o", color=colour, markersize=8)
    axes.annotate(
        written(row["mean"]),
        (row["mean"], place),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
        va="bottom",
        # So that the line of no difference does not cross the number.
        bbox={"facecolor": PAPER[mode()], "linewidth": 0, "pad": 0.5},
    )


def _strong(place: int, row: dict[str, Any], reference: str | None) -> bool:
    """Tell whether a row stands out: the best model, or a difference that is clear of 0."""
    if reference is None:
        return place == 0
    return row["low"] is not None and not row["low"] <= 0 <= row["high"]


def _axis(metric: str, best: str, reference: str | None) -> str:
    better = "lower is better" if best == "low" else ""
    if reference is not None:
        better = f"difference from {label(reference, 22)}"
        better += ", lower is better" if best == "low" else ""
    return f"{label(metric)} ({better})" if better else label(metric)


def _told(row: dict[str, Any], written: Any) -> str:
    if row["low"] is None or row["high"] is None:
        return written(row["mean"])
    return f"{written(row['mean'])} ({written(row['low'])} to {written(row['high'])})"


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else '−' if value < 0 else ''}{number(abs(value))}"


def _scores(scores: Mapping[Any, Any], metric: str, best: str) -> list[dict[str, Any]]:
    """Model, mean, low, high and single values, best mean first, from any form of scores."""
    if scores and all(isinstance(key, Integral) for key in scores):
        models = dict.fromkeys(name for seed in scores.values() for name in seed)
        scores = {
            name: {metric: [seed[name][metric] for seed in scores.values()
                            if metric in seed.get(name, {})]}
            for name in models
        }  # fmt: skip
    rows = []
    for model, metrics in scores.items():
        plain = not isinstance(metrics, Mapping) or "mean" in metrics
        score: Any = metrics if plain else metrics.get(metric)
        if score is None or (isinstance(score, Sequence) and not score):
            continue
        if isinstance(score, Mapping):
            row = {key: score.get(key) for key in ("mean", "low", "high")}
            values = list(score.get("values") or [])
        else:
            values = [float(v) for v in np.atleast_1d(numeric("comparison", score, "scores"))]
            row = {"mean": float(np.mean(values)), "low": None, "high": None}
        told = [row[part] for part in ("mean", "low", "high") if row[part] is not None]
        if row["mean"] is None or not np.isfinite(numeric("comparison", told, "scores")).all():
            raise FigureError(
                f"comparison(…) needs finite scores; received {told or 'no mean'} as `{metric}` of "
                f"{label(model)!r}."
            )
        rows.append({"model": str(model), "values": values if len(values) > 1 else [], **row})
    if not rows:
        known = {key for value in scores.values() if isinstance(value, Mapping) for key in value}
        raise FigureError(
            f"comparison(…): no model has the metric `{metric}`."
            f"{suggestion(metric, map(str, known))}"
        )
    return sorted(rows, key=lambda row: row["mean"] if best == "low" else -row["mean"])
