"""A project's stored values as attributes, for notebooks and the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from projects.spine.cache import cache_of
from projects.spine.engine import Engine, Run, Variant
from projects.spine.errors import BadUsage
from projects.spine.project import did_you_mean


def repository_root() -> Path:
    """Return the checkout this package is in, or the one that FOLIO_ROOT names."""
    named = os.environ.get("FOLIO_ROOT")
    return Path(named).resolve() if named else Path(__file__).resolve().parents[2]


class Values:
    """The values of one project: an attribute a step."""

    def __init__(self, name: str) -> None:
        from projects.spine.perform import load_module

        root = repository_root()
        self._engine = Engine(Variant(root, name), cache_of(root))
        load_module(self._engine)  # its dataclasses are what some values are made of

    def __getattr__(self, step: str) -> Any:
        steps = self._engine.project.steps
        if step.startswith("_") or step not in steps:
            listed = ", ".join(steps)
            raise AttributeError(
                f"`{self._engine.project.name}` has no step `{step}`."
                f"{did_you_mean(step, steps)} Its steps: {listed}."
            )
        found = {run.seed: self._engine.load(run) for run in self._engine.of(steps[step])}
        return found if steps[step].per_seed else found[None]

    def __dir__(self) -> list[str]:
        return list(self._engine.project.steps)


def run_named(engine: Engine, step: str, seed: int | None) -> Run:
    """Return the run of a step for a seed; BadUsage where there is no such step or seed."""
    steps = engine.project.steps
    if step not in steps:
        raise BadUsage(
            f"`{engine.project.name}` has no step `{step}`.{did_you_mean(step, steps)} "
            f"Its steps: {', '.join(steps)}."
        )
    if not steps[step].per_seed:
        return Run(steps[step])
    chosen = engine.seeds[0] if seed is None else seed
    if chosen not in engine.seeds:
        raise BadUsage(f"There is no seed {chosen}; the seeds are {engine.seeds}.")
    return Run(steps[step], chosen)
