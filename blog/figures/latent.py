"""Where a network puts what it has seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blog.drawing import PAPER, letter_size, mode
from blog.errors import FigureError
from blog.figures.figure import Figure, from_axes
from blog.figures.series import numeric
from blog.figures.words import MARKS, label, listed, number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 7.0, 6.2  # inches
MOST_POINTS = 1200  # keeps the SVG below 60 KB
MOST_MARKED = 10  # classes with a colour and a mark of their own
MOST_NAMED = 20  # classes whose name stands in the figure


def latent_map(codes: Any, labels: Any = None, *, axes_named: tuple[str, str] = ("", "")) -> Figure:
    """Two-dimensional codes as a map: a point per example, each class's name at its median.

    Up to ten classes have a colour and a mark of their own; of more than twenty the names of the
    largest are written. Of more than 1,200 points every class keeps its share, evenly picked in
    the order given; the medians are of all points.

    Args:
        codes: (n, 2) finite numbers, such as ``autoencoder.encode`` gives, or the first two
            principal components of longer codes.
        labels: (n,) class names; None for points without classes.
        axes_named: what the two axes are, such as ("first component", "second component").
    """
    points, names = _checked(codes, labels)
    classes = pd.Series(names).value_counts(sort=False)
    classes = classes.iloc[np.lexsort((classes.index, -classes.to_numpy()))]
    table = pd.DataFrame({"class": names, "x": points[:, 0], "y": points[:, 1]})
    medians = table.groupby("class")[["x", "y"]].median().loc[classes.index]
    every = max(1, int(np.ceil(len(points) / MOST_POINTS)))
    shown = {name: points[names == name][::every] for name in classes.index}

    def draw(axes: Axes) -> None:
        for place, some in enumerate(shown.values()):
            marked = place < MOST_MARKED
            axes.plot(
                *some.T,
                MARKS[place] if marked else ".",
                color=f"C{place % 5}" if marked else "C4",
                markersize=4.5,
                markeredgewidth=0,
                alpha=0.6,
            )
        axes.grid(visible=False)
        axes.locator_params(nbins=5)
        axes.margins(0.06)
        if labels is not None:
            _write_names(axes, medians.iloc[:MOST_NAMED])
        axes.set_xlabel(label(axes_named[0]))
        axes.set_ylabel(label(axes_named[1]))

    alt = f"Map of {len(points)} codes"
    if labels is not None:
        told = [
            f"{label(name)} round ({number(x)}, {number(y)})"
            for name, x, y in medians.itertuples()
        ]  # fmt: skip
        alt += f" of {len(classes)} classes, by their medians: {listed(told, MOST_NAMED)}."
    else:
        low, high = points.min(axis=0), points.max(axis=0)
        alt += f", from ({number(low[0])}, {number(low[1])}) to ({number(high[0])}, "
        alt += f"{number(high[1])})."
    data = medians.rename(columns={"x": "median x", "y": "median y"})
    data.insert(0, "n", classes)
    data = data.rename_axis("class").reset_index()
    if labels is None:
        data = data.drop(columns="class")
    return from_axes(draw, data=data, alt=alt, size=(WIDTH, HEIGHT))


def _write_names(axes: Axes, medians: pd.DataFrame) -> None:
    """The names at the medians, on paper of their own so that points do not cross them.

    Where names would touch, the smaller class's moves up or down by a line or two, or is left to
    the table.
    """
    letters = letter_size(WIDTH)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    unit = np.array([(right - left) / (0.88 * WIDTH * 72), (high - low) / (0.88 * HEIGHT * 72)])
    taken: list[tuple[np.ndarray, float]] = []  # middle and width, in points
    for name, *median in medians.itertuples():
        words = label(name, 16)
        width = 0.62 * letters * len(words)
        for lines in (0, 1, -1, 2, -2):
            at = np.array(median) / unit + (0, 1.25 * letters * lines)
            if all(
                abs(at[0] - there[0]) > (width + wide) / 2 or abs(at[1] - there[1]) > 1.2 * letters
                for there, wide in taken
            ):
                break
        else:
            continue
        taken.append((at, width))
        axes.text(
            float(at[0] * unit[0]),
            float(at[1] * unit[1]),
            words,
            ha="center",
            va="center",
            bbox={"facecolor": PAPER[mode()], "alpha": 0.8, "linewidth": 0, "pad": 1.5},
        )


def _checked(codes: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    points = numeric("latent_map", codes, "codes")
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise FigureError(
            f"latent_map(…) needs codes of (n, 2); received {points.shape}. Of longer codes, give "
            "it two columns, or their first two principal components."
        )
    if not np.isfinite(points).all():
        wrong = int((~np.isfinite(points)).any(axis=1).sum())
        raise FigureError(
            f"latent_map(…) needs finite codes; received {wrong} of {len(points)} that are not."
        )
    names = np.full(len(points), "", dtype=object) if labels is None else np.asarray(labels)
    if len(names) != len(points):
        raise FigureError(
            f"latent_map(…) got {len(points)} codes and {len(names)} labels; "
            "it needs one label per code."
        )
    return points, np.array([str(name) for name in names.ravel()], dtype=object)
