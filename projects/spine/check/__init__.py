"""The rubric: twenty checkable points of what makes a project convincing, each judged by evidence.

Evidence is what a run recorded, and the syntax tree of project.py, wherever a point allows it; the
author's words count where the point is about words. Nothing of the project is imported or run.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.spine.cache import Cache
from projects.spine.check import cards, comparing, hypotheses, showing, splitting, telling
from projects.spine.check.known import Known
from projects.spine.check.outcome import Outcome, missing


@dataclass(frozen=True)
class Point:
    """One line of the rubric."""

    number: int
    title: str
    judge: Callable[[Known], Outcome]
    of_results: bool = True  # says nothing before there are results


POINTS = (
    Point(1, "Hypotheses sealed before the run, pilots listed", hypotheses.sealed, False),
    Point(2, "Hypotheses as metric, comparison, threshold, seeds", hypotheses.as_data, False),
    Point(3, "Deviations from the proposal", hypotheses.deviations),
    Point(4, "Every hypothesis with its outcome", hypotheses.outcomes),
    Point(5, "A trivial and a classical baseline, same split", comparing.baselines),
    Point(6, "Intervals over seeds or by bootstrap", comparing.intervals),
    Point(7, "Number of trainings, and how settings were chosen", comparing.trainings),
    Point(8, "A validation score beside every test score", comparing.validation),
    Point(9, "Sizes and unit of the split", splitting.unit),
    Point(10, "Nothing leaks across the split", splitting.leakage),
    Point(11, "An ablation or comparison", comparing.comparison),
    Point(12, "Errors on held-out examples, shown", showing.errors),
    Point(13, "Learning curves, training and validation", showing.curves),
    Point(14, "Data card: seven sections, class counts", cards.data_card),
    Point(15, "Scraping ethics", cards.manners),
    Point(16, "Licence and attribution of every row", cards.rights),
    Point(17, "Model card: uses, scores per group", cards.model_card),
    Point(18, "The numbers can be had again", telling.remaking),
    Point(19, "Croissant metadata", cards.croissant),
    Point(20, "Limits, contributions, sources", telling.limits),
)
NUMBERS = tuple(point.number for point in POINTS)


def check(
    root: Path,
    name: str,
    cache: Cache,
    least: Mapping[str, Any] | None = None,
    only: Collection[int] = NUMBERS,
) -> dict[int, Outcome]:
    """Return the outcome of every point, or of some, for a project.

    Args:
        root: the checkout.
        name: of the project.
        cache: of file digests, as everywhere.
        least: a teacher's minimums: seeds, hypotheses, sources, words, sealed_by, due.
        only: the points that count.

    Raises:
        BadUsage: project.py cannot be read.
    """
    known = Known(root, name, cache, least)
    return {p.number: _judged(p, known) for p in POINTS if p.number in only}


def _judged(point: Point, known: Known) -> Outcome:
    if point.of_results and not known.results:
        return missing("no results yet", f"folio run {known.name}")
    try:
        return point.judge(known)
    except (LookupError, TypeError, AttributeError, ValueError, OSError):
        if known.intact:
            raise
        return missing(
            f"{known.path('results')} is not as its run wrote it, and this cannot be read",
            f"folio run {known.name} --again",
        )
