"""The road of one project: plan, run what is due, write the results; said as it goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.spine import plan as planning
from projects.spine import results
from projects.spine.cache import Cache
from projects.spine.claim import claim
from projects.spine.engine import Engine, Variant
from projects.spine.kinds import DRAWN

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    jobs: int | None = None
    dry_run: bool = False
    again: bool = False
    fresh: bool = False
    quick: bool = False
    debug: bool = False
    overrides: tuple[tuple[str, Any], ...] = ()
    remake: bool = False  # also make what is only recorded


def travel(
    root: Path, name: str, options: Options, cache: Cache, say: Say, *, until: str = "results"
) -> None:
    """Bring one project up to date, as far as "table" (scraping) or "results"."""
    engine, goals, plan = _look(root, name, options, cache, until)
    told = until == "table" or results.current(engine, results_folder(engine))
    if not plan.due:
        recorded = any(engine.state(run).kind == "recorded" for run in engine.runs(goals))
        if recorded:
            say(f"{name}: as recorded; nothing changed")
        elif told:
            say(f"{name}: up to date")
        else:
            say(f"{name}: the results are not what the steps gave; they are written again")
        if recorded or options.dry_run:
            return
    jobs = options.jobs or 1
    if plan.due:
        if options.jobs is None:
            from projects.spine.runner import default_jobs

            jobs = default_jobs(len(engine.seeds))
        show_plan(engine, plan, jobs, say)
        if until == "results":
            _say_unsealed(engine, say)
        if options.dry_run:
            return
    if plan.due or not told or _unrecorded(engine):
        with claim(engine.work, name):
            # Looked at once more: another run may have ended between the plan and the claim.
            engine, _, plan = _look(root, name, options, cache, until)
            _run(engine, plan, jobs, options, say, until)


def _say_unsealed(engine: Engine, say: Say) -> None:
    """Say, before seeds are used up, that the proposal is not sealed yet."""
    from projects.spine import proposal, seal, sealing

    name, folder = engine.project.name, engine.project.folder
    planned = proposal.read(folder)  # a mistake in it is told now, not after the run
    if planned is None or not planned.hypotheses or seal.load(folder) is not None:
        return
    if sealing.refusal(engine):
        say("  The proposal is not sealed, and with these seeds it cannot be any more.")
    else:
        say(
            f"  The proposal is not sealed: folio propose {name} before the first run. After this "
            f"one, {seal.listed('seed', engine.seeds)} cannot be sealed any more."
        )


def balances(root: Path, name: str, options: Options, cache: Cache) -> list[str]:
    """Return what became of every address that a project's crawl came to, as lines."""
    from scraping.crawling.balance import told

    engine = Engine(Variant(root, name, options.overrides, options.quick), cache)
    crawled = [run for run in engine.runs() if run.step.crawls and engine.state(run).stored]
    return [f"  {line}" for run in crawled for line in told(engine.load(run).balance)]


def _look(
    root: Path, name: str, options: Options, cache: Cache, until: str
) -> tuple[Engine, list[str], planning.Plan]:
    """Return the project's engine, the steps that are asked for, and what is due for them."""
    engine = Engine(Variant(root, name, options.overrides, options.quick), cache)
    goals = scraping_steps(engine) if until == "table" else list(engine.project.steps)
    plan = planning.make(
        engine,
        goals,
        remake=options.remake or bool(engine.variant.slug),
        again=options.again,
        fresh=options.fresh,
        whole=until == "results",
    )
    return engine, goals, plan


def _unrecorded(engine: Engine) -> bool:
    """Tell whether folio.lock lacks finished values, or has those of steps that are gone."""
    runs = engine.runs()
    gone = set(engine.lock.records) - {run.name for run in runs}
    return bool(gone) or any(engine.unrecorded(run) for run in runs)


def _run(
    engine: Engine, plan: planning.Plan, jobs: int, options: Options, say: Say, until: str
) -> None:
    from projects.spine import runner
    from projects.spine.progress import on_this_terminal

    folder = engine.project.folder / "results"
    committed = results.read(folder) or {}
    # That both were drawn does not make two figures the same.
    records = engine.lock.records.items()
    before = {name: record.figure for name, record in records if record.figure != DRAWN}
    progress = on_this_terminal(before)
    try:
        runner.bring_up_to_date(engine, plan, jobs=jobs, progress=progress, debug=options.debug)
    finally:
        progress.close()
        engine.cache.save()
    if until == "table":
        return
    target = results_folder(engine)
    changed = results.write(engine, target)
    fresh = results.read(target) or {}
    show_scores(fresh.get("scores", {}), committed.get("scores", {}), say)
    for verdict in fresh.get("verdicts", []):
        say(f"  {verdict['name']}: {verdict['outcome']}. {verdict['found']}")
    # A try is none from the proposal; what it means for the sealed ones, their own results tell.
    for line in () if engine.variant.overrides else fresh.get("deviations", []):
        say(f"  deviation: {line}")
    label = target.relative_to(engine.variant.root).as_posix()
    say(f"  {label}/results.json {'written' if changed else 'holds the same values as before'}")


def results_folder(engine: Engine) -> Path:
    """Return where results go: a try never touches the committed ones, a draft no full ones."""
    folder = engine.project.folder / "results"
    committed = results.read(folder) if engine.variant.quick else None
    if engine.variant.overrides or (committed and not committed.get("draft")):
        return engine.home / "results"
    return folder


def scraping_steps(engine: Engine) -> list[str]:
    """Return the steps that end with `table`; without one, those that read pages or crawl."""
    steps = engine.project.steps
    if "table" in steps:
        return ["table"]
    return [s.name for s in steps.values() if s.fetches or s.per_page]


def show_plan(engine: Engine, plan: planning.Plan, jobs: int, say: Say) -> None:
    """Say what is going to run, why, and in how many minutes."""
    from projects.spine.progress import duration

    minutes, known = plan.minutes(engine, jobs)
    took = f"about {duration(minutes * 60)}" if minutes else "time not known yet"
    more = "" if known or not minutes else " and what has not been run before"
    at_once = f"{jobs} at a time" if jobs > 1 else "one at a time"
    say(f"{engine.project.name}: {engine.project.question}")
    shown = planning.by_step(plan)
    whys = {why for _, why in shown.values()}
    same = f", every step {next(iter(whys))}" if len(whys) == 1 and len(shown) > 1 else ""
    say(f"  Plan ({took}{more}, {at_once}{same}):")
    width = max(len(step) for step in shown)
    for step, (count, why) in shown.items():
        times = f" × {count} seeds" if count > 1 else ""
        reason = "" if same else f"  ({why})"
        say(f"    {step:<{width}}  {engine.project.steps[step].doc}{times}{reason}")


def show_scores(scores: dict[str, Any], committed: dict[str, Any], say: Say) -> None:
    """Say the scores with their intervals, and the committed ones beside them."""
    rows: list[tuple[str, str, str]] = []
    for model, metrics in scores.items():
        for metric, value in metrics.items():
            old = committed.get(model, {}).get(metric)
            rows.append((f"{model} {metric}", _interval(value), _interval(old) if old else ""))
    if not rows:
        return
    wide, value = (max(len(row[i]) for row in rows) for i in (0, 1))
    say(f"  {'scores':<{wide}}  {'new':<{value}}  committed" if committed else "  scores")
    for name, new, old in rows:
        say(f"  {name:<{wide}}  {new:<{value}}  {old}".rstrip())


def _interval(value: dict[str, Any]) -> str:
    # One seed; or nothing that went by chance, where an interval would be no certainty.
    if value["low"] is None or math.isclose(value["low"], value["high"]):
        return f"{value['mean']:.4f}"
    return f"{value['mean']:.4f} [{value['low']:.4f}, {value['high']:.4f}]"


def nothing_made_yet(root: Path, known: Iterable[str]) -> bool:
    """Tell whether no project holds values on this disk, as in a fresh clone."""
    return not any((root / "projects" / n / ".folio" / "made.json").is_file() for n in known)
