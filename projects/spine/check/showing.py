"""Points 12 and 13: the errors looked at, and the curves of the training, shown in the post."""

from __future__ import annotations

import csv
import re

from blog.post import Block
from projects.spine.check.data import HELD_OUT
from projects.spine.check.known import Known
from projects.spine.check.outcome import Outcome, counted, listed, missing, not_applicable, ok

# What looks at single answers, or at which answers go wrong.
LOOKS = frozenset((
    "errors", "confusion", "by_group", "calibration", "calibration_error", "precision_recall",
    "roc",
))  # fmt: skip
LOOKS_AT_SAMPLES = frozenset({"nearest_training", "samples", "collapse"})
NAMED = re.compile(r"error|mistake|confus|wrong|worst|residual|fail|miss|hardest|neighbour")
_BARE = re.compile(r"!\[\s*\][(\[]|<img\b(?![^>]*\balt\s*=\s*[\"']?[^\"'\s>])", re.IGNORECASE)
CAPTION = 3  # words from which a caption says something


def errors(known: Known) -> Outcome:
    """Point 12."""
    if (unread := _unreadable(known)) is not None:
        return unread
    steps = known.project.steps
    looks = LOOKS | LOOKS_AT_SAMPLES if known.generates() else LOOKS
    recorded = [*known.results.get("figures", {}), *known.results.get("tables", {})]
    made = [
        name
        for name in recorded
        if NAMED.search(name) or (name in steps and looks & known.calls(steps[name]))
    ]
    rows = {name: known.fits.values[name].rows() for name in made if name in known.fits.values}
    held_out = [name for name in made if not rows.get(name) or rows[name] & HELD_OUT]
    if made and not held_out:
        return missing(
            f"`{made[0]}` looks at training rows alone",
            f"let it look at split['test'] ({known.at(made[0])})",
        )
    shown = [name for _, name in known.shown() if name in held_out]
    if held_out and not shown:
        kind = "figure" if held_out[0] in known.results.get("figures", {}) else "table"
        return missing(
            f"`{held_out[0]}` is not shown",
            f"`[[{kind}:{held_out[0]}]] What goes wrong` in {known.path('post.md')}",
        )
    if not shown:
        return missing(
            "no figure or table looks at what goes wrong",
            f"a step in {known.path('project.py')} that returns figures.errors(…), "
            "figures.confusion(…) or evaluation.by_group(…) of held-out rows, shown in "
            f"{known.path('post.md')}",
        )
    return ok(f"held-out examples in {listed([f'`{name}`' for name in shown])}")


def _unreadable(known: Known) -> Outcome | None:
    """What is shown without words for those who do not see it."""
    figures = known.results.get("figures", {})
    for name, figure in figures.items():
        if not str(figure.get("alt", "")).strip():
            return missing(
                f"the figure `{name}` has no alternative text",
                f"folio run {known.name} --again; a figure of blog.figures brings its own",
            )
    for block in known.blocks:
        if block.kind in ("figure", "table", "live") and not _captioned(block):
            kind = f"{block.kind} `{block.name}`" if block.name else block.kind
            return missing(
                f"{known.path('post.md')}:{block.line}: the {kind} has no caption",
                "write behind its token what one sees, and what follows from it",
            )
    for block in known.blocks:
        if not block.verbatim and (bare := _BARE.search(block.text)):
            line = block.line + block.text.count("\n", 0, bare.start())
            return missing(
                f"{known.path('post.md')}:{line}: a picture has no alternative text",
                "write between ![ and ], or as its alt, what it shows",
            )
    return None


def _captioned(block: Block) -> bool:
    return len(block.rest.split()) >= CAPTION or (block.kind == "live" and bool(block.rest))


def curves(known: Known) -> Outcome:
    """Point 13."""
    if not known.results.get("trainings"):
        return not_applicable("no network was trained epoch by epoch")
    drawn = {name: _columns(known, name) for name in known.results.get("figures", {})}
    steps = known.project.steps
    by_call = [n for n in drawn if n in steps and "learning_curves" in known.calls(steps[n])]
    both = [n for n, columns in drawn.items() if _both(columns)]
    if not both and known.generates():
        both = by_call  # what a generator's critic sees has no counterpart on held-out rows
    if not both:
        what = f"`{by_call[0]}` has no validation curve" if by_call else "no learning curves"
        return missing(
            what,
            "a step `curves(network)` that returns figures.learning_curves({seed: t.curves for "
            f"seed, t in network.items()}}), from trainings with validation data, in "
            f"{known.path('project.py')}",
        )
    shown = [name for name in both if known.placed("figure", name)]
    if not shown:
        return missing(
            f"`{both[0]}` is not shown",
            f"`[[figure:{both[0]}]] What the curves tell` in {known.path('post.md')}",
        )
    return ok(
        f"training and validation in {listed([f'`{name}`' for name in shown])}, "
        f"{counted(len(known.results.get('seeds', [])) or 1, 'seed')}"
    )


def _both(columns: list[str]) -> bool:
    words = " ".join(columns).lower()
    along = any(re.search(r"epoch|step|update|second|batch|budget", name) for name in columns[:3])
    return along and bool(re.search(r"train", words)) and bool(re.search(r"\bval", words))


def _columns(known: Known, name: str) -> list[str]:
    path = known.folder / "results" / known.results["figures"][name]["data"]
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [cell.lower() for cell in next(csv.reader(file), [])]
    except OSError:
        return []
