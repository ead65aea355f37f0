"""Tables as Markdown: every cell made harmless, numbers to the right."""

from __future__ import annotations

import csv
import math
import re
from pathlib import Path
from typing import Any

from blog import escape
from blog.values import show

ROWS = 100  # longer tables are cut on the page


def of_scores(scores: dict[str, Any], form: str) -> str:
    """Models down, metrics across; the mean, and the interval behind it where there is one."""
    metrics = list(dict.fromkeys(metric for model in scores.values() for metric in model))

    def cell(score: dict[str, Any] | None) -> str:
        if not score:
            return ""
        mean = show(score["mean"], form)
        low, high = score.get("low"), score.get("high")
        # Where nothing varied, that is not certainty.
        if low is None or high is None or math.isclose(low, high):
            return mean
        return f"{mean} ({show(low, form)}–{show(high, form)})"

    rows = [
        [escape.markdown(model), *(cell(scores[model].get(m)) for m in metrics)] for model in scores
    ]
    return of_rows(["model", *metrics], rows)


def of_csv(file: Path, form: str = "") -> str:
    """A table from a CSV file: cells made harmless, numbers in one format, at most ROWS rows."""
    with file.open(encoding="utf-8", newline="") as opened:
        header, *rows = list(csv.reader(opened)) or [[]]
    if header and not header[0]:  # the unnamed index of a frame
        header, rows = header[1:], [row[1:] for row in rows]

    def cell(value: str) -> str:
        if re.fullmatch(r"-?\d+\.\d+(e-?\d+)?|-?\d+e-?\d+", value):
            return show(float(value), form)
        return escape.markdown(value)

    table = of_rows(header, [[cell(value) for value in row] for row in rows[:ROWS]])
    if len(rows) > ROWS:
        table += f"\n\nThe first {ROWS} of {len(rows)} rows."
    return table


def of_rows(header: list[str], rows: list[list[str]]) -> str:
    """A Markdown table of cells that are harmless already; columns of numbers to the right."""
    numeric = [
        all(re.match(r"[-−\d.,]+%?( \(|$)", row[at]) for row in rows if row[at])
        for at in range(len(header))
    ]
    rule = ["---:" if right else "---" for right in numeric]
    lines = [[escape.markdown(name) for name in header], rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def folded(title: str, body: str) -> str:
    """A box that opens with a click.

    The search leaves it out: every page loads the search's index, which is to stay small.
    """
    return (
        '<details class="folio" data-search-exclude markdown>\n'
        f"<summary>{title}</summary>\n\n{body}\n\n</details>"
    )
