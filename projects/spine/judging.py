"""Verdicts: what the recorded values say of each hypothesis, as it was sealed.

The margin of a hypothesis is how far it goes the way that was claimed: A - B for `A > B`, B - A
for `A < B`. Supported: the whole interval of the margin lies above the threshold; refuted: the
whole interval lies below; undecided: all else, and whatever gave no interval.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from projects.spine import deviations, seal
from projects.spine.engine import Engine, Run
from projects.spine.hypothesis import Hypothesis, level
from projects.spine.proposal import Proposal, parse, read

REPEATS = 1000  # draws of a bootstrap, and more …
PER_HYPOTHESIS = 200  # … where there are many: five of them still lie beyond either end
SAME = 1e-12  # differences closer than this are rounding


@dataclass(frozen=True)
class Margin:
    """How far a hypothesis goes the way that was claimed, and how sure that is."""

    sides: tuple[float, float] | None = None  # what was compared, on average
    mean: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0  # seeds, examples or groups
    method: str = "not judged"
    open: str = ""  # why there can be no verdict, whatever the interval


def about(engine: Engine, document: dict[str, Any]) -> dict[str, Any]:
    """Return seal, verdicts, deviations and pilots of a project, for its results.

    `document` holds the scores, seeds and split sizes that were gathered.
    """
    project = engine.project
    now, made = read(project.folder), seal.load(project.folder)
    sealed: Proposal | None = None
    if made:
        sealed = parse(made["sealed"]["text"], "the sealed proposal.md", project.question)
    fixed = sealed.hypotheses if sealed else []
    names = [each.name for each in fixed]
    added = [each for each in now.hypotheses if each.name not in names] if now else []
    verdicts = [
        # What was added later must not make it harder, or easier, for what was sealed.
        *(verdict(engine, document, each, len(fixed), made) for each in fixed),
        *(verdict(engine, document, each, len(fixed) + len(added), None) for each in added),
    ]
    shown = sealed or now
    return {
        "seal": {key: made[key] for key in ("code", "time", "hash", "commit")} if made else None,
        "verdicts": verdicts,
        "deviations": deviations.of(engine, made),
        "pilots": shown.pilots if shown else [],
    }


def verdict(
    engine: Engine,
    document: dict[str, Any],
    hypothesis: Hypothesis,
    count: int,
    made: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return what became of one hypothesis of `count`; `made` is the seal it is under, if any."""
    seeds, fixed = document["seeds"], made["sealed"]["seeds"] if made else []
    if made:
        seeds = [seed for seed in seeds if seed in fixed]
    weigh = _over_examples if hypothesis.over == "examples" else _over_seeds
    margin = weigh(engine, document, hypothesis, seeds, count)
    if len(seeds) < len(fixed) and not margin.open:  # else the best of them could be picked
        why = f"only {len(seeds)} of the {len(fixed)} sealed seeds were run"
        margin = replace(margin, open=why)
    return {
        "name": hypothesis.name,
        "claim": hypothesis.claim,
        "test": hypothesis.test(count),
        "found": _found(hypothesis, margin),
        "outcome": outcome(margin, hypothesis.threshold),
        "mean": margin.mean,
        "low": margin.low,
        "high": margin.high,
        "n": margin.n,
        "threshold": hypothesis.threshold,
        "method": margin.method,
        "sealed": made is not None,
    }


def outcome(margin: Margin, threshold: float) -> str:
    """Return "supported", "refuted" or "undecided"."""
    if margin.open or margin.low is None or margin.high is None:
        return "undecided"
    if margin.low > threshold:
        return "supported"
    return "refuted" if margin.high < threshold else "undecided"


# -- over seeds --------------------------------------------------------------------------------


def _over_seeds(
    engine: Engine, document: dict[str, Any], hypothesis: Hypothesis, seeds: list[int], count: int
) -> Margin:
    """Return the margin of the recorded scores, seed by seed."""
    from models.evaluation import compare_seeds

    model, sign, other = hypothesis.sides
    scores = document["scores"]
    for side in (model, other):
        if isinstance(side, str) and hypothesis.metric not in scores.get(side, {}):
            return Margin(open=f"the step `scores` gave no {hypothesis.metric} for {side}")
    step = engine.project.steps["scores"]
    every: list[int | None] = list(document["seeds"]) if step.per_seed else [None]
    chosen: list[int | None] = list(seeds) if step.per_seed else [None]
    if not chosen:
        return Margin(open="no sealed seed was run")

    def figures(side: str | float) -> dict[Any, float]:
        if not isinstance(side, str):
            return dict.fromkeys(chosen, side)
        values = scores[side][hypothesis.metric]["values"]
        by_seed = dict(zip(every, values, strict=True))
        return {seed: by_seed[seed] for seed in chosen}

    first, second = figures(model), figures(other)
    higher, lower = (first, second) if sign == ">" else (second, first)
    share = _test_share(engine, document)
    found = compare_seeds(higher, lower, level=level(count), test_share=share)
    why = _too_few(hypothesis, len(chosen))
    split = engine.project.steps.get("split")
    if split is not None and split.per_seed and share is None and not why:
        why = (
            "each seed splits for itself, and without the sizes of `train` and `test` in the step "
            "`split` nobody knows how much the trainings overlap"
        )
    same = len(chosen) > 1 and max(found["values"]) - min(found["values"]) < SAME
    if same and not why:
        why = "every seed gave the same difference, so that seeds cannot tell how sure it is"
    return Margin(
        sides=(sum(first.values()) / len(first), sum(second.values()) / len(second)),
        mean=found["mean"],
        low=found["low"],
        high=found["high"],
        n=found["n"],
        method=found["method"],
        open=why,
    )


def _test_share(engine: Engine, document: dict[str, Any]) -> float | None:
    """Return, where each seed splits for itself, what share of its rows it is tested on.

    Rows to validate with are not counted: they are neither learned from nor tested on.
    """
    step = engine.project.steps.get("split")
    if step is None or not step.per_seed:
        return None
    learned, tested = (
        document["splits"].get(part, {"mean": 0})["mean"] for part in ("train", "test")
    )
    return tested / (learned + tested) if learned and tested else None


# -- over examples -----------------------------------------------------------------------------


def _over_examples(
    engine: Engine, document: dict[str, Any], hypothesis: Hypothesis, seeds: list[int], count: int
) -> Margin:
    """Return the margin on the held-out examples, drawn anew: the same rows for every seed."""
    from models import evaluation
    from models.errors import BadData, BadOption
    from models.evaluation.intervals import resampled

    model, sign, other = hypothesis.sides
    step = engine.project.steps.get(hypothesis.answers or "")
    if step is None:
        return Margin(open=f"there is no step `{hypothesis.answers}` any more")
    runs = [Run(step, seed) for seed in seeds] if step.per_seed else [Run(step)]
    frames = [engine.load(run) for run in runs]
    columns = ["truth", model, *([other] if isinstance(other, str) else [])]
    if why := _unlike(frames, columns, step.name):
        return Margin(open=why)
    metric = getattr(evaluation, hypothesis.metric)
    truth = _column(frames[0], "truth")
    groups = _column(frames[0], "group") if "group" in frames[0] else None
    given = {name: _distinct(_column(frame, name) for frame in frames) for name in columns[1:]}

    def mean(side: str | float, rows: Any = slice(None)) -> float:
        if not isinstance(side, str):
            return side
        figures = [times * metric(truth[rows], told[rows]) for told, times in given[side]]
        return sum(figures) / len(frames)

    higher, lower = (model, other) if sign == ">" else (other, model)
    at, repeats = level(count), max(REPEATS, PER_HYPOTHESIS * count)
    try:
        sides = mean(model), mean(other)
        draws = resampled(
            lambda rows: mean(higher, rows) - mean(lower, rows), len(truth), groups, repeats, 0
        )
        low, high = draws.ends(at)
    except (BadData, BadOption, ValueError, TypeError) as error:
        return Margin(open=f"{hypothesis.metric} cannot be worked out: {str(error).rstrip('.')}")
    kind = "paired bootstrap" if isinstance(other, str) else "bootstrap"
    of_seeds = f", mean of {len(frames)} seeds" if len(frames) > 1 else ""
    return Margin(
        sides=sides,
        mean=sides[0] - sides[1] if sign == ">" else sides[1] - sides[0],
        low=low,
        high=high,
        n=draws.n,
        method=draws.method(kind, at) + of_seeds,
        open=_too_few(hypothesis, len(frames)),
    )


def _unlike(frames: list[Any], columns: list[str], step: str) -> str:
    """Return why answers cannot be compared example by example; "" where they can."""
    if not frames:
        return "no sealed seed was run"
    for frame in frames:
        if not hasattr(frame, "columns"):
            return f"the step `{step}` gave {type(frame).__name__} and no DataFrame"
        missing = [name for name in columns if name not in frame]
        if missing:
            return f"the step `{step}` gave no column {missing[0]}"
    kept = [name for name in ("truth", "group") if name in frames[0]]
    first = frames[0]
    for frame in frames[1:]:
        same = len(frame) == len(first) and frame.index.equals(first.index)
        if not same or any(
            name not in frame or not frame[name].equals(first[name]) for name in kept
        ):
            return (
                f"the step `{step}` answered other examples, or in another order, for one seed "
                "than for another"
            )
    return ""


def _distinct(columns: Iterable[Any]) -> list[tuple[Any, int]]:
    """Return each different column once, and how often it came: many models know no seed."""
    counts: dict[bytes, tuple[Any, int]] = {}
    for column in columns:
        key = column.tobytes()
        counts[key] = column, counts.get(key, (column, 0))[1] + 1
    return list(counts.values())


def _column(frame: Any, name: str) -> Any:
    """Return a column as an array: (n,), or (n, classes) where each cell is a list."""
    import numpy as np

    return np.array(frame[name].tolist())


# -- in words ----------------------------------------------------------------------------------


def _too_few(hypothesis: Hypothesis, count: int) -> str:
    if count >= hypothesis.seeds:
        return ""
    return f"only {count} of the {hypothesis.seeds} seeds that it takes"


def _found(hypothesis: Hypothesis, margin: Margin) -> str:
    """Return in a line what was compared, and by how much."""
    if margin.mean is None or margin.sides is None:
        return f"Not judged: {margin.open}."
    # Told the way it went, which need not be the way that was claimed.
    other = margin.mean < 0
    way = "higher" if (hypothesis.sides[1] == ">") != other else "lower"
    ends = None if margin.low is None or margin.high is None else (margin.low, margin.high)
    if ends and other:
        ends = (-ends[1], -ends[0])
    places = _places((ends[1] - ends[0] if ends else 0.0) or abs(margin.mean))
    threshold = -hypothesis.threshold if other else hypothesis.threshold
    # An end is not to look as if it lay on the threshold, which is what decides.
    while places < 6 and any(SAME < abs(x - threshold) < 0.5 * 10**-places for x in ends or ()):
        places += 1
    first, second, mean = (_written(x, places) for x in (*margin.sides, abs(margin.mean)))
    told = f"{first} against {second}: {way} by {mean}"
    if ends:
        told += f" ({_written(ends[0], places)} to {_written(ends[1], places)})"
    elif not margin.open:
        told += f"; {margin.method}"
    return f"{told}; {margin.open}" if margin.open else told


def _places(spread: float) -> int:
    """Return how many places two digits of an interval of this width have."""
    return max(0, 1 - math.floor(math.log10(spread))) if spread > 0 else 2


def _written(number: float, places: int) -> str:
    told = f"{number:.{places}f}" if places <= 6 else f"{number:.2e}"
    below = told.startswith("-") and told.strip("-0.")  # and not merely rounded to −0.00
    return f"−{told[1:]}" if below else told.removeprefix("-")
