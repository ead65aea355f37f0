"""What is up to date, what is not and why; decided without importing the project.

A *run* is one step for one seed, or a step once. Its key is the digest of everything it depends
on: the parts of its code, and the content of its inputs. The value under that key is the answer;
if there is none, folio.lock tells why not and how long making it took.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from projects.spine import libraries
from projects.spine.cache import Cache
from projects.spine.errors import MissingValue
from projects.spine.lockfile import Lock, Record
from projects.spine.project import Project, Step
from projects.spine.source import Repository
from projects.spine.store import Store, Stored

MOST_MODULES = 3  # of a package that are named when they changed
QUICK_PAGES = 1_000  # `--quick`: enough for a few groups to be held out, few enough for seconds


@dataclass(frozen=True)
class Variant:
    """Which project, and how it differs from what is committed: tried settings, or --quick."""

    root: Path
    name: str
    overrides: tuple[tuple[str, Any], ...] = ()
    quick: bool = False

    @property
    def slug(self) -> str:
        """Return the name of the folder under .folio/tries/, or "" for the project as it is."""
        words = [f"{k}={v}" for k, v in self.overrides] + (["quick"] if self.quick else [])
        text = ",".join(words)
        safe = "".join(c if c.isalnum() or c in "=,.-_" else "_" for c in text)[:60]
        # Two settings that look alike once made safe still get two folders.
        return safe if safe == text else f"{safe}-{digest_of(text)[:6]}"


@dataclass(frozen=True)
class Run:
    """One step for one seed, or a step once."""

    step: Step
    seed: int | None = None

    @property
    def label(self) -> str:
        """Return "seed=3", or "" for a step that runs once."""
        return "" if self.seed is None else f"seed={self.seed}"

    @property
    def name(self) -> str:
        """Return "network[seed=3]" or "table"."""
        return f"{self.step.name}[{self.label}]" if self.label else self.step.name


@dataclass(frozen=True)
class State:
    """Where one run stands."""

    kind: Literal["up to date", "recorded", "out of date"]
    code: dict[str, str]
    inputs: dict[str, str]
    key: str = ""  # "" while an input is out of date
    output: str | None = None  # digest of the content, where it is known
    stored: Stored | None = None
    reasons: tuple[str, ...] = field(default=())


class Engine:
    """Answers for one variant of one project; `forget` after something was made."""

    def __init__(self, variant: Variant, cache: Cache) -> None:
        self.variant = variant
        self.cache = cache
        self.project = Project(variant.root, variant.name)
        self.overrides = dict(variant.overrides)
        self.settings = self.project.with_settings(self.overrides)
        seeds = self.project.seeds(self.settings)
        self.seeds = seeds[:1] if variant.quick else seeds
        self.work = self.project.folder / ".folio"
        self.archive = self.work / "archive"
        self.store = Store(self.work / "values", self.archive, cache)
        self.home = self.work / "tries" / variant.slug if variant.slug else self.project.folder
        self.lock = Lock(
            self.home / "folio.lock",
            (self.home if variant.slug else self.work) / "made.json",
        )
        self.repository = Repository(variant.root, cache)
        self._code: dict[str, dict[str, str]] = {}
        self._states: dict[str, State] = {}

    # -- runs ------------------------------------------------------------------------------

    def runs(self, steps: Iterable[str] | None = None) -> list[Run]:
        """Return the runs of the given steps (all, by default) in the order of project.py."""
        chosen = set(self.project.steps if steps is None else steps)
        return [run for s in self.project.steps.values() if s.name in chosen for run in self.of(s)]

    def of(self, step: Step) -> list[Run]:
        """Return a step's runs: one a seed, or one."""
        return [Run(step, seed) for seed in self.seeds] if step.per_seed else [Run(step)]

    def inputs_of(self, run: Run) -> list[Run]:
        """Return the runs whose values a run needs."""
        needed: list[Run] = []
        for name in run.step.all_inputs:
            step = self.project.steps[name]
            same_seed = step.per_seed and run.step.per_seed
            needed.extend([Run(step, run.seed)] if same_seed else self.of(step))
        return needed

    def behind(self, steps: Iterable[str]) -> set[str]:
        """Return the given steps and all that they need."""
        found: set[str] = set()
        pending = list(steps)
        while pending:
            name = pending.pop()
            if name not in found:
                found.add(name)
                pending.extend(self.project.steps[name].all_inputs)
        return found

    # -- state -----------------------------------------------------------------------------

    def code(self, step: Step) -> dict[str, str]:
        """Return everything but inputs and files that a step depends on, part by part."""
        if step.name not in self._code:
            parts = self.project.parts_here(step.name, self.overrides)
            reached: set[str] = set()
            for imported in self.project.closure(step.name)[1]:
                reached |= self.repository.reached(imported)
            for part in reached:
                kind, _, name = part.partition(" ")
                if kind == "module":
                    parts[part] = self.repository.digest(name)
                else:
                    parts[part] = libraries.version(name, self.cache)
            if "library keras" in parts:
                backend = libraries.backend()
                parts["backend"] = f"{backend} {libraries.version(backend, self.cache)}"
            parts["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
            if self.variant.quick and step.crawls:
                parts["quick"] = f"{QUICK_PAGES} pages"
            self._code[step.name] = parts
        return self._code[step.name]

    def state(self, run: Run) -> State:
        """Return where a run stands, and why."""
        if run.name not in self._states:
            self._states[run.name] = self._state(run)
        return self._states[run.name]

    def forget(self) -> None:
        """Look at the disk again: something was made."""
        self._states.clear()

    def _state(self, run: Run) -> State:
        code = self.code(run.step)
        inputs: dict[str, str] = {}
        waiting: dict[str, None] = {}
        for needed in self.inputs_of(run):
            output = self.state(needed).output
            if output is None:
                waiting[needed.step.name] = None
            else:
                inputs[needed.name] = output
        record = self.lock.records.get(run.name)
        if waiting:
            changed = _differences(record.code, code) if record else []
            waits = "waits for " + ", ".join(f"`{name}`" for name in waiting)
            return State("out of date", code, inputs, reasons=(*changed, waits))
        key = digest_of([code, inputs])[:20]
        found = self.store.find(run.step.name, run.label, key)
        if isinstance(found, Stored):
            changed = self.changed_files(found.manifest.get("local", {}))
            if not changed:
                return State("up to date", code, inputs, key, found.digest, found)
            return State("out of date", code, inputs, key, reasons=tuple(changed))
        if record is None:
            return State("out of date", code, inputs, key, reasons=("never run",))
        reasons = [
            *_differences(record.code, code),
            *_changed_inputs(record.inputs, inputs),
            *self.changed_files(record.files),
        ]
        if not reasons and found == "absent":
            if self.lock.made.get(run.name) != key:
                return State("recorded", code, inputs, key, record.output)
            reasons = ["its stored value was deleted"]
        return State("out of date", code, inputs, key, reasons=tuple(reasons or [found]))

    def changed_files(self, files: Mapping[str, str]) -> list[str]:
        """Return what happened to files that a run read through local()."""
        reasons = []
        for name, digest in files.items():
            path = self.project.folder / name
            if not path.is_file():
                reasons.append(f"{name} is gone")
            elif self.cache.digest(path) != digest:
                reasons.append(f"{name} changed")
        return reasons

    # -- values ----------------------------------------------------------------------------

    def stored(self, run: Run) -> Stored:
        """Return the stored value of a run; MissingValue with the command that makes it."""
        state = self.state(run)
        if state.stored is None:
            name = self.project.name
            if state.kind == "recorded":
                raise MissingValue(
                    f"`{run.name}` of `{name}` is recorded, but its value is not on this disk "
                    f"(a clone carries results, not values). To make it: folio run {name}"
                )
            why = "; ".join(state.reasons)
            raise MissingValue(
                f"`{run.name}` of `{name}` is out of date: {why}. To make it: folio run {name}"
            )
        return state.stored

    def load(self, run: Run) -> Any:
        """Return the value of a run."""
        return self.store.load(self.stored(run))

    def arguments(self, run: Run) -> dict[str, Any]:
        """Return what a run's function is called with, `page` apart."""
        values: dict[str, Any] = {} if run.seed is None else {"seed": run.seed}
        for name in run.step.inputs:
            step = self.project.steps[name]
            if step.per_seed and not run.step.per_seed:
                values[name] = {r.seed: self.load(r) for r in self.of(step)}
            else:
                values[name] = self.load(Run(step, run.seed if step.per_seed else None))
        return values

    def current_keys(self, run: Run) -> set[str]:
        """Return the keys of a run's values that must stay: this variant's and the project's."""
        keys = {self.lock.made.get(run.name, "")}
        if self.variant.slug:
            committed = Lock(self.project.folder / "folio.lock", self.work / "made.json")
            keys.add(committed.made.get(run.name, ""))
        return keys

    def unrecorded(self, run: Run) -> bool:
        """Tell whether the store holds a value that folio.lock or made.json does not know of."""
        record = self._record_of(run)
        if record is None:
            return False
        key = self.state(run).key
        return self.lock.records.get(run.name) != record or self.lock.made.get(run.name) != key

    def adopt(self, run: Run) -> None:
        """Record what the store holds for a run."""
        if record := self._record_of(run):
            self.lock.records[run.name] = record
            self.lock.made[run.name] = self.state(run).key

    def _record_of(self, run: Run) -> Record | None:
        state = self.state(run)
        if state.stored is None:
            return None
        manifest = state.stored.manifest
        record = Record(
            code=state.code,
            inputs=state.inputs,
            output=state.stored.digest,
            figure=state.stored.figure,
            seconds=manifest["seconds"],
            files=manifest.get("local", {}),
        )
        # Made again with the same outcome, only faster or slower: nothing new to commit.
        known = self.lock.records.get(run.name)
        return known if known and replace(record, seconds=known.seconds) == known else record


def digest_of(document: Any) -> str:
    """Return the SHA-256, in hex, of a document that JSON can hold."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return in words how the parts of a step's code changed, settings first."""
    reasons = []
    modules: dict[str, list[tuple[str, str]]] = {}  # package → (module, in words)
    for part in sorted({*before, *now}, key=lambda p: (not p.startswith("setting"), p)):
        old, new = before.get(part), now.get(part)
        if old == new:
            continue
        kind, _, name = part.partition(" ")
        if kind == "module":
            how = (
                f"{name} changed" if old and new else f"{'now' if new else 'no longer'} uses {name}"
            )
            modules.setdefault(name.partition("/")[0], []).append((name, how))
        elif part == "code":
            reasons.append("its code changed")
        elif kind == "setting" and old and new:
            reasons.append(f"{name} {old} → {new}")
        elif old and new and kind in ("library", "python", "backend"):
            reasons.append(f"{name or kind} {old} → {new}")
        elif old and new:
            reasons.append(f"{part} changed")
        else:
            shown = part.removeprefix("library ")
            reasons.append(f"{'now' if new else 'no longer'} uses {shown}")
    for package, changed in modules.items():
        if len(changed) <= MOST_MODULES:
            reasons += [how for _, how in changed]
        else:
            first = ", ".join(name.partition("/")[2] for name, _ in changed[:MOST_MODULES])
            reasons.append(f"{len(changed)} modules of {package} changed ({first}, …)")
    return reasons


def _changed_inputs(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Return in words which inputs have other content, each step named once."""
    changed = [n for n in {**before, **now} if before.get(n) != now.get(n)]
    return [f"its input `{n}` changed" for n in dict.fromkeys(c.partition("[")[0] for c in changed)]
