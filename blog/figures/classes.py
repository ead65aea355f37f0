"""Which class was taken for which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from blog.drawing import SHADES, letter_size, mode
from blog.errors import FigureError
from blog.figures.figure import Figure, from_axes
from blog.figures.series import numeric
from blog.figures.words import label

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 7.0  # inches
GRID = 0.72 * WIDTH * 72  # points that the cells take, beside the names


def confusion(matrix: pd.DataFrame) -> Figure:
    """Which class was taken for which: rows are the truth, columns what the network said.

    Shades are shares of a row, so that rare classes read like frequent ones. Up to 12 classes the
    counts are written into the cells; of more than 22 only some names stand at the sides, evenly,
    so that they stay legible, and all of them in the table.
    """
    counts = _counts(matrix)
    names = [str(name) for name in matrix.index]
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)

    def draw(axes: Axes) -> None:
        _shade(axes, shares)
        if len(names) <= 12:
            _write(axes, counts, shares)
        _name(axes, names)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)

    off = counts - np.diag(np.diag(counts))
    worst = [index for index in np.argsort(-off, axis=None, kind="stable")[:3] if off.flat[index]]
    told = [
        f"{label(names[index // len(names)], 60)} taken for "
        f"{label(names[index % len(names)], 60)} "
        f"({off.flat[index]:g} {'time' if off.flat[index] == 1 else 'times'})"
        for index in worst
    ]
    right = np.trace(counts) / counts.sum()
    alt = f"Confusion matrix of {len(names)} classes; {right:.1%} lie on the diagonal"
    alt += f". Most often confused: {', '.join(told)}." if told else ", none beside it."
    data = pd.DataFrame(matrix.to_numpy(), columns=pd.Index(names))
    data.insert(0, "true \\ predicted", names, allow_duplicates=True)
    return from_axes(draw, data=data, alt=alt, size=(WIDTH, WIDTH))


def _counts(matrix: pd.DataFrame) -> np.ndarray:
    if matrix.empty or list(matrix.index) != list(matrix.columns):
        raise FigureError(
            "confusion(…) needs a square table with the same classes as rows and columns; "
            f"received {matrix.shape[0]} rows and {matrix.shape[1]} columns."
        )
    counts = numeric("confusion", matrix, "counts")
    if not np.isfinite(counts).all() or (counts < 0).any() or not counts.any():
        wrong = counts[~np.isfinite(counts) | (counts < 0)]
        got = f"{wrong[0]} among them" if wrong.size else "nothing but zeros"
        raise FigureError(f"confusion(…) needs counts from 0 up, not all 0; received {got}.")
    return counts


def _shade(axes: Axes, shares: np.ndarray) -> None:
    """The cells, all of one of 24 shades as one shape: a large matrix stays a small file."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    colours = LinearSegmentedColormap.from_list("shade", SHADES[mode()])
    levels = np.ceil(shares * 24).astype(int)
    half = 0.5 - 0.4 * len(shares) / GRID  # leaves a little paper between the cells
    corners = np.array([(-half, -half), (half, -half), (half, half), (-half, half), (-half, -half)])
    codes = [Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY]
    for level in np.unique(levels[levels > 0]):
        rows, columns = np.nonzero(levels == level)
        places = np.column_stack([columns, rows])[:, None, :] + corners
        cells = Path(places.reshape(-1, 2), codes * len(rows))
        axes.add_patch(PathPatch(cells, facecolor=colours(level / 24), linewidth=0))
    axes.set_xlim(-0.5, len(shares) - 0.5)
    axes.set_ylim(-0.5, len(shares) - 0.5)


def _write(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    """The counts in their cells, no wider than these."""
    widest = 0.97 * GRID / len(counts)
    for row, column in zip(*np.nonzero(counts), strict=True):
        written = f"{counts[row, column]:.12g}"
        dark_cell = (shares[row, column] > 0.4) == (mode() == "light")
        axes.text(
            column,
            row,
            written,
            ha="center",
            va="center",
            color="#ffffff" if dark_cell else "#16181b",
            fontsize=min(letter_size(WIDTH), widest / (0.64 * len(written))),
        )


def _name(axes: Axes, names: list[str]) -> None:
    """The names at both sides; every second or third where all of them would touch."""
    letters = letter_size(WIDTH)
    every = max(1, int(np.ceil(1.1 * letters * len(names) / GRID)))
    places = range(0, len(names), every)
    shown = [label(names[place], 14) for place in places]
    axes.set_xticks(places, shown, rotation=90)
    axes.set_yticks(places, shown)
    axes.tick_params(length=0)
