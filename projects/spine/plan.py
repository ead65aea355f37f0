"""What a command is going to do, and how long that should take, before it does it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from projects.spine.engine import Engine, Run


@dataclass
class Plan:
    """The runs that are due, in order, each with its reason."""

    due: dict[str, str] = field(default_factory=dict)  # run name → why
    again: frozenset[str] = frozenset()  # run names to make although they are up to date
    fresh: bool = False
    runs: dict[str, Run] = field(default_factory=dict)

    def minutes(self, engine: Engine, jobs: int) -> tuple[float, bool]:
        """Return (minutes, whether every run's time is known), from the runs before."""
        total, known = 0.0, True
        for name, run in self.runs.items():
            record = engine.lock.records.get(name)
            known &= record is not None
            shared = min(jobs, len(engine.seeds)) if run.seed is not None else 1
            total += (record.seconds if record else 0.0) / shared
        return total / 60, known


def make(
    engine: Engine,
    goals: Iterable[str],
    *,
    remake: bool = False,
    again: bool = False,
    fresh: bool = False,
    whole: bool = False,
) -> Plan:
    """Return what has to run so that the goals and all behind them are up to date.

    `remake`: also make what is only recorded. `again`: make everything, up to date or not.
    `fresh`: ask the site again, and follow what changed. `whole`: results are to be written, which
    takes every value: if anything is made, what is only recorded is made as well.
    """
    steps = engine.behind(goals)
    plan = Plan(fresh=fresh)
    forced: set[str] = set()
    for run in engine.runs(steps):
        state = engine.state(run)
        if again or (fresh and run.step.fetches):
            forced.add(run.name)
            plan.due[run.name] = "asked for" if again else "asking the site what changed"
        elif state.kind == "out of date":
            plan.due[run.name] = "; ".join(state.reasons)
        elif state.kind == "recorded" and remake:
            plan.due[run.name] = "recorded elsewhere, no value on this disk"
    if whole and plan.due:
        for run in engine.runs(steps):
            if engine.state(run).kind == "recorded":
                plan.due.setdefault(run.name, "the new results need its value")
    count = -1
    while len(plan.due) > count:
        count = len(plan.due)
        for run in engine.runs(steps):
            if any(needed.name in plan.due for needed in engine.inputs_of(run)):
                plan.due.setdefault(run.name, "if its input changes")
        # What runs needs the values of its inputs: those that are only recorded are made first.
        for run in reversed(engine.runs(steps)):
            if run.name in plan.due:
                for needed in engine.inputs_of(run):
                    if engine.state(needed).kind == "recorded":
                        plan.due.setdefault(needed.name, f"`{run.step.name}` needs its value")
    plan.runs = {run.name: run for run in engine.runs(steps) if run.name in plan.due}
    plan.due = {name: plan.due[name] for name in plan.runs}
    plan.again = frozenset(forced)
    return plan


def by_step(plan: Plan) -> dict[str, tuple[int, str]]:
    """Return {step: (how many of its runs are due, the first reason)} for showing."""
    shown: dict[str, tuple[int, str]] = {}
    for name, run in plan.runs.items():
        count, why = shown.get(run.step.name, (0, plan.due[name]))
        shown[run.step.name] = (count + 1, why)
    return shown
