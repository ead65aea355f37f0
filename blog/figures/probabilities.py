"""Whether probabilities can be taken at their word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blog.errors import FigureError
from blog.figures.figure import Figure, from_axes
from blog.figures.series import by_model, numeric
from blog.figures.words import few_enough, label, legend, listed, number, room_for, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = {"predicted", "observed", "n"}


def calibration(said: Any, *, bins: int = 10) -> Figure:
    """How often what was said with a certain probability came true; the diagonal is honesty.

    Below, how many of the answers were given with which probability. Bars are the 95 % Wilson
    interval of one training, or the span of several seeds, whose answers are counted together.
    The expected calibration error, told in words and beside the name, is the mean distance from
    the diagonal over all answers, averaged over the seeds.

    Args:
        said: of one training either (y_true, y_prob), or the table that
            ``evaluation.calibration`` returns; by itself, or as ``{model: …}``, ``{seed: …}``,
            ``{model: {seed: …}}`` or ``{seed: {model: …}}``. y_true is (n,) of 0 and 1, or class
            numbers; y_prob is (n,) or (n, 1) probabilities of a yes, or (n, classes), of which
            with two the second is the yes and with more the most probable counts.
        bins: how many from 0 to 1; of tables as many as they were made with.
    """
    if not isinstance(bins, int) or not 1 <= bins <= 100:
        raise FigureError(f"calibration(…) needs from 1 to 100 bins; received {bins!r}.")
    given = by_model(
        "calibration", said, _is_one, "(y_true, y_prob) or a table of evaluation.calibration"
    )
    few_enough("calibration", given)
    tables, off = {}, {}
    for name, seeds in given.items():
        single = [_binned(one, bins, name) for one in seeds.values()]
        tables[name] = _together(single)
        off[name] = float(np.mean([_error(table) for table in single]))

    called = {name: f"{label(name, 22)} (error {number(off[name])})".strip() for name in tables}

    def draw(axes: Axes) -> None:
        canvas = axes.figure
        rows = canvas.add_gridspec(2, 1, height_ratios=[3, 1])
        axes.set_subplotspec(rows[0])
        below = canvas.add_subplot(rows[1], sharex=axes)
        axes.plot([0, 1], [0, 1], color="C4", linewidth=1.2, linestyle=(0, (2, 2)))
        for place, (name, table) in enumerate(tables.items()):
            look = style(place)
            axes.vlines(
                table["predicted"], table["low"], table["high"],
                color=look["color"], linewidth=1.2, alpha=0.6,
            )  # fmt: skip
            axes.plot(table["predicted"], table["observed"], label=called[name], **look)
            shares = (table["n"] / table["n"].sum()).reindex(range(bins), fill_value=0)
            below.stairs(
                shares * 100, np.linspace(0, 1, bins + 1),
                color=look["color"], linewidth=1.8, linestyle=look["linestyle"],
            )  # fmt: skip
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.03, 1.03)
        axes.set_title("share that came true")
        axes.tick_params(labelbottom=False)
        below.set_ylim(bottom=0)
        below.locator_params(axis="y", nbins=3)
        below.set_title("answers, in %")
        below.set_xlabel("probability that was said")
        legend(axes)

    told = [
        f"{label(name)} expected calibration error {number(off[name])}, {_leaning(table)}".strip()
        for name, table in tables.items()
    ]
    seeds = max(map(len, given.values()))
    over = f"over {seeds} seeds" if seeds > 1 else "of one training"
    data = pd.concat(tables, names=["model", "bin"]).reset_index().drop(columns="bin")
    data = data if any(tables) else data.drop(columns="model")
    size = (7, 6 + room_for([*called.values()]))
    alt = f"Calibration {over}: {listed(told)}."
    return from_axes(draw, data=data, alt=alt, size=size)


def _leaning(table: pd.DataFrame) -> str:
    """Whether more or less came true than was said, over all answers."""
    gap = float(((table["observed"] - table["predicted"]) * table["n"]).sum() / table["n"].sum())
    if abs(gap) < 0.005:
        return "as much came true as was said"
    return f"on average {abs(gap):.3f} {'less' if gap < 0 else 'more'} came true than was said"


def _is_one(given: Any) -> bool:
    if isinstance(given, pd.DataFrame):
        return set(given.columns) >= COLUMNS
    return isinstance(given, tuple | list) and len(given) == 2


def _binned(given: Any, bins: int, name: str) -> pd.DataFrame:
    """Columns predicted, observed, low, high and n, indexed by the number of the bin."""
    if isinstance(given, pd.DataFrame):
        table = given[["predicted", "observed", "n"]].astype(float)
        values = table.to_numpy()
        if not np.isfinite(values).all() or table.empty or not (table["n"] > 0).all():
            raise FigureError(
                f"calibration(…) needs bins with finite numbers and n above 0; received "
                f"{len(table)} rows with {int((~np.isfinite(values)).sum())} that are not finite"
                f"{_of(name)}."
            )
        bin_ = np.minimum((table["predicted"] * bins).astype(int), bins - 1)
        sums = pd.DataFrame(
            {"bin": bin_, "n": table["n"], "said": table["predicted"] * table["n"],
             "true": table["observed"] * table["n"]}
        ).groupby("bin").sum()  # fmt: skip
    else:
        probability, came_true = _answers(*given, name)
        bin_ = np.minimum((probability * bins).astype(int), bins - 1)
        sums = pd.DataFrame({"bin": bin_, "n": 1.0, "said": probability, "true": came_true})
        sums = sums.groupby("bin").sum()
    return _shares(sums)


def _shares(sums: pd.DataFrame) -> pd.DataFrame:
    n, observed = sums["n"], sums["true"] / sums["n"]
    # Wilson's interval: it stays within 0 and 1, and says something of a bin with one answer.
    z = 1.959964
    middle = (observed + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(observed * (1 - observed) / n + z**2 / (4 * n**2))
    return pd.DataFrame(
        {"predicted": sums["said"] / n, "observed": observed,
         "low": (middle - half).clip(0, 1), "high": (middle + half).clip(0, 1), "n": n.astype(int)}
    )  # fmt: skip


def _together(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """All seeds' answers counted together, with the span of the seeds in place of intervals."""
    if len(tables) == 1:
        return tables[0]
    every = pd.concat(tables)
    weighted = every[["predicted", "observed"]].mul(every["n"], axis=0).assign(n=every["n"])
    sums = weighted.groupby(level=0).sum()
    spans = every.groupby(level=0)["observed"].agg(low="min", high="max")
    return pd.DataFrame(
        {"predicted": sums["predicted"] / sums["n"], "observed": sums["observed"] / sums["n"],
         "low": spans["low"], "high": spans["high"], "n": sums["n"]}
    )  # fmt: skip


def _error(table: pd.DataFrame) -> float:
    gaps = (table["observed"] - table["predicted"]).abs()
    return float((gaps * table["n"]).sum() / table["n"].sum())


def _answers(y_true: Any, y_prob: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The probability of what was said, (n,), and whether it came true, (n,)."""
    true, given = np.asarray(y_true).ravel(), numeric("calibration", y_prob, "probabilities")
    if given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.ndim not in (1, 2) or len(given) != len(true) or not len(true):
        raise FigureError(
            f"calibration(…) needs (n,) truths and (n,) or (n, classes) probabilities; "
            f"received shapes {np.shape(y_true)} and {np.shape(y_prob)}{_of(name)}."
        )
    if not np.isfinite(given).all() or given.min() < 0 or given.max() > 1:
        raise FigureError(
            "calibration(…) needs probabilities from 0 to 1; received "
            f"{np.nanmin(given)} to {np.nanmax(given)}"
            f"{' with NaN' if np.isnan(given).any() else ''}{_of(name)}."
        )
    classes = given.shape[1] if given.ndim == 2 else 2
    known = np.unique(true)
    if known.dtype.kind not in "biuf" or not np.isin(known, range(classes)).all():
        raise FigureError(
            f"calibration(…) needs truths that are numbers from 0 to {classes - 1}; "
            f"received {[label(value) for value in known[:4]]}{_of(name)}."
        )
    if given.ndim == 1:
        return given, true.astype(float)
    if classes == 2:
        return given[:, 1], true.astype(float)
    return given.max(axis=1), (given.argmax(axis=1) == true).astype(float)


def _of(name: str) -> str:
    return f" for {label(name)!r}" if name else ""
