"""Names and numbers as they stand in a figure, and which line is which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from blog.errors import FigureError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_LINES = 10  # five colours, each with two kinds of marks
MARKS = "os^Dvs^Dvo"
DASHES: list[Any] = ["-", (0, (5, 2)), (0, (1.5, 1.5)), (0, (6, 2, 1.5, 2)), (0, (9, 3))]


def label(name: Any, longest: int = 30) -> str:
    """A name fit for a figure: one line, no control characters, cut when too long."""
    name = " ".join("".join(c if c.isprintable() else " " for c in str(name)).split())
    name = name.replace("_", " ")
    return name if len(name) <= longest else name[: longest - 1] + "…"


def number(value: float) -> str:
    """A number for alt text and labels: three decimals at most, powers of ten where that is 0."""
    if value != 0 and abs(value) < 0.001:
        return f"{value:.1e}"
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.0f}"


def listed(parts: Sequence[str], most: int = 8) -> str:
    """Parts of a sentence, with how many more there are where they are many."""
    more = f" and {len(parts) - most} more" if len(parts) > most else ""
    return "; ".join(parts[:most]) + more


def style(place: int) -> dict[str, Any]:
    """Colour, dashes and mark of one line of several; no two of the first ten are alike."""
    return {
        "color": f"C{place % 5}",
        "linestyle": DASHES[(place + place // 5) % 5],
        "marker": MARKS[place % 10],
        "markersize": 6,
    }


def few_enough(function: str, names: Iterable[Any]) -> None:
    """Refuse more lines than one can tell apart."""
    names = list(names)
    if len(names) > MOST_LINES:
        raise FigureError(
            f"{function}(…) got {len(names)} lines, from {label(names[0])} to {label(names[-1])}; "
            f"more than {MOST_LINES} cannot be told apart. Give it those that matter most."
        )


def shade(axes: Axes, shown: pd.DataFrame, colour: str) -> None:
    """The span of the seeds as a band, where they differ."""
    if shown["low"].ne(shown["high"]).any():
        axes.fill_between(
            shown.index, shown["low"], shown["high"], color=colour, alpha=0.18, linewidth=0
        )


def legend(axes: Axes) -> None:
    """A legend above the drawing, where it never hides a line, on as many rows as it needs."""
    handles, labels = axes.get_legend_handles_labels()
    axes.figure.legend(
        handles,
        labels,
        loc="outside upper left",
        ncols=_side_by_side(labels),
        borderpad=0.35,
        borderaxespad=0,
        handlelength=1.9,
        columnspacing=1.4,
    )


def room_for(labels: Sequence[str]) -> float:
    """How many inches a legend of these makes a figure taller, its first row apart."""
    return 0.32 * (-(-len(labels) // _side_by_side(labels)) - 1)


def _side_by_side(labels: Sequence[str]) -> int:
    # About 54 letters fit into a row; a handle takes as much room as five.
    widest = 5 + max(map(len, labels), default=0)
    return max(1, min(len(labels), 54 // widest))
