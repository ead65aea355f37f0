"""How well scores put a yes before a no, wherever one draws the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blog.errors import FigureError
from blog.figures.figure import Figure, from_axes
from blog.figures.series import band, by_model, numeric
from blog.figures.words import few_enough, label, legend, listed, number, room_for, shade, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GRID = np.linspace(0, 1, 101)  # where curves of several seeds are compared
Answers = tuple[np.ndarray, np.ndarray]


def precision_recall(answers: Any) -> Figure:
    """Precision over recall, one curve per model: median and band of the seeds.

    The dotted line is what chance gives, the share of a yes. Average precision stands beside each
    name, and in the words, as the mean over the seeds.

    Args:
        answers: of one training (y_true, y_score): (n,) of 0 and 1, and (n,) scores of a yes,
            higher for surer, or (n, 2), whose second column is the yes. By itself, or as
            ``{model: …}``, ``{seed: …}``, ``{model: {seed: …}}`` or ``{seed: {model: …}}``. Of
            more than two classes, give it one against the rest: ``(y == 3, scores[:, 3])``.
    """

    def curve(true: np.ndarray, score: np.ndarray) -> np.ndarray:
        from sklearn.metrics import precision_recall_curve

        precision, recall, _ = precision_recall_curve(true, score)
        # From the strictest threshold on: the first that finds so large a share.
        first = np.searchsorted(recall[::-1][1:], GRID - 1e-12).clip(max=len(recall) - 2)
        return precision[::-1][1:][first]

    def area(true: np.ndarray, score: np.ndarray) -> float:
        from sklearn.metrics import average_precision_score

        return float(average_precision_score(true, score))

    given = _given("precision_recall", answers)
    share = float(np.mean([true.mean() for seeds in given.values() for true, _ in seeds]))
    return _drawn(
        "precision_recall", given, curve, area, ("precision", "recall", "average precision"),
        chance=(share, share), told=f"chance gives {number(share)}",
    )  # fmt: skip


def roc(answers: Any) -> Figure:
    """The share of a yes that is found over the share of a no that is taken for one, per model.

    Median and band of the seeds; the dotted diagonal is chance. The area under the curve stands
    beside each name, and in the words, as the mean over the seeds. ``answers`` as for
    ``precision_recall``.
    """

    def curve(true: np.ndarray, score: np.ndarray) -> np.ndarray:
        from sklearn.metrics import roc_curve

        false_positive, true_positive, _ = roc_curve(true, score)
        return np.interp(GRID, false_positive, true_positive)

    def area(true: np.ndarray, score: np.ndarray) -> float:
        from sklearn.metrics import roc_auc_score

        return float(roc_auc_score(true, score))

    return _drawn(
        "roc", _given("roc", answers), curve, area,
        ("true positive rate", "false positive rate", "AUC"),
        chance=(0, 1), told="chance gives 0.5",
    )  # fmt: skip


def _drawn(
    function: str,
    given: dict[str, list[Answers]],
    curve: Callable[..., np.ndarray],
    area: Callable[..., float],
    names: tuple[str, str, str],
    *,
    chance: tuple[float, float],
    told: str,
) -> Figure:
    up, along, area_name = names
    bands = {
        name: band(function, [pd.Series(curve(*one), GRID) for one in seeds], up)
        for name, seeds in given.items()
    }
    areas = {name: [area(*one) for one in seeds] for name, seeds in given.items()}

    called = {
        name: f"{label(name, 22)} ({number(float(np.mean(of)))})".strip()
        for name, of in areas.items()
    }

    def draw(axes: Axes) -> None:
        axes.plot([0, 1], chance, color="C4", linewidth=1.4, linestyle=(0, (1.5, 1.5)))
        for place, (name, shown) in enumerate(bands.items()):
            look = style(place)
            shade(axes, shown, look["color"])
            # Every curve of the second kind starts in the corner.
            x, y = (np.append(0, GRID), np.append(0, shown["median"]))
            if up == "precision":
                x, y = x[1:], y[1:]
            axes.plot(x, y, label=called[name], markevery=(5 + 3 * place, 20), **look)
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.03, 1.03)
        axes.set_title(up)
        axes.set_xlabel(along)
        legend(axes)

    said = []
    for name, values in areas.items():
        span = f", {number(min(values))} to {number(max(values))}" if len(values) > 1 else ""
        said.append(f"{label(name)} {area_name} {number(float(np.mean(values)))}{span}".strip())
    seeds = max(map(len, given.values()))
    over = f"over {seeds} seeds, median and range" if seeds > 1 else "of one training"
    columns = {along: GRID[::5]}
    for name, shown in bands.items():
        columns[f"{name} {up}".strip()] = shown["median"].to_numpy()[::5]
        if len(given[name]) > 1:
            for end in ("low", "high"):
                columns[f"{name} {end}".strip()] = shown[end].to_numpy()[::5]
    size = (7, 4.8 + room_for([*called.values()]))
    alt = f"{up[:1].upper()}{up[1:]} over {along} {over}: {listed(said)}; {told}."
    return from_axes(draw, data=pd.DataFrame(columns).round(4), alt=alt, size=size)


def _given(function: str, answers: Any) -> dict[str, list[Answers]]:
    models = by_model(
        function,
        answers,
        lambda given: isinstance(given, tuple | list) and len(given) == 2,
        "(y_true, y_score)",
    )
    few_enough(function, models)
    return {
        name: [_checked(function, name, *one) for one in seeds.values()]
        for name, seeds in models.items()
    }


def _checked(function: str, name: str, y_true: Any, y_score: Any) -> Answers:
    """Truth (n,) of 0 and 1, scores of a yes (n,)."""
    where = f" for {label(name)!r}" if name else ""
    true, score = np.asarray(y_true).ravel(), numeric(function, y_score, "scores")
    if score.ndim == 2 and score.shape[1] in (1, 2):
        score = score[:, -1]
    if score.shape != true.shape or not len(true):
        raise FigureError(
            f"{function}(…) needs (n,) truths and (n,) scores of a yes; received shapes "
            f"{np.shape(y_true)} and {np.shape(y_score)}{where}. Of several classes, give it one "
            "against the rest: (y == 3, scores[:, 3])."
        )
    if not np.isfinite(score).all():
        raise FigureError(
            f"{function}(…) needs finite scores; received "
            f"{int((~np.isfinite(score)).sum())} of {len(score)} that are not{where}."
        )
    known = np.unique(true)
    if known.dtype.kind not in "biuf" or not np.array_equal(known, [0, 1]):
        raise FigureError(
            f"{function}(…) needs truths of 0 and 1, with both among them; received "
            f"{[label(value) for value in known[:4]]}{where}."
        )
    return true.astype(int), score
