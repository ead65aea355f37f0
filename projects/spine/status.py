"""How a project stands, in words: its steps, why they are out of date, and its values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from projects.spine import results
from projects.spine.cache import Cache
from projects.spine.engine import Engine, Run, Variant

Say = Callable[[str], None]


def show(root: Path, name: str, cache: Cache, say: Say, *, every_step: bool) -> None:
    """Say how a project stands: in one line where all is well, step by step where not."""
    engine = Engine(Variant(root, name), cache)
    states = {run.name: (run, engine.state(run)) for run in engine.runs()}
    kinds = [state.kind for _, state in states.values()]
    late = kinds.count("out of date")
    recorded = kinds.count("recorded")
    summary = "up to date"
    if late:
        summary = f"{late} of {len(kinds)} runs out of date"
    elif recorded:
        summary = "as recorded (values were made on another disk)"
    say(f"{name}: {summary}")
    for step in engine.project.steps.values() if every_step or late else ():
        _step(engine, step.name, [states[run.name] for run in engine.of(step)], say)
    document = results.read(engine.project.folder / "results")
    if document is None:
        say(f"  no results yet; to make them: folio run {name}")
        return
    draft = " (draft)" if document.get("draft") else ""
    say(f"  results of run {document.get('run', '?')}{draft}")
    for model, metrics in document.get("scores", {}).items():
        told = [f"{metric} {value['mean']:.4f}" for metric, value in metrics.items()]
        say(f"    {model}: {', '.join(told)}")


def _step(engine: Engine, name: str, runs: list[tuple[Run, Any]], say: Say) -> None:
    late = [(run, state) for run, state in runs if state.kind == "out of date"]
    if late:
        seeds = f" ({len(late)} of {len(runs)} seeds)" if len(runs) > 1 else ""
        why = dict.fromkeys("; ".join(state.reasons) for _, state in late)
        say(f"  ✗ {name}{seeds}: {' | '.join(why)}")
        return
    run, state = runs[0]
    figure = state.stored.figure if state.stored else engine.lock.records[run.name].figure
    mark = "✓" if state.kind == "up to date" else "·"
    say(f"  {mark} {name}: {figure}")


def graph(engine: Engine, say: Say) -> None:
    """Say each step with what it needs, in order."""
    say(f"{engine.project.name}: {engine.project.question}")
    for step in engine.project.steps.values():
        asked = [*(["page"] if step.per_page else []), *step.inputs]
        asked += ["seed"] if step.per_seed else []
        say(f"  {step.name}({', '.join(asked)})")
        if step.doc:
            say(f"      {step.doc}")
        if step.pages_from:
            say(f"      once for each page of `{step.pages_from}`")
        elif step.per_seed:
            say(f"      once for each seed: {', '.join(map(str, engine.seeds))}")


def value(engine: Engine, run: Run, say: Say) -> Path:
    """Print a value as fits its kind, and return its file (or folder, where there are several)."""
    stored = engine.stored(run)
    node = stored.manifest["node"]
    file = stored.folder / node["file"] if "file" in node else stored.folder
    kind = node["kind"]
    say(f"{run.name}: {stored.figure}")
    if kind in ("table", "rows", "series"):
        say(engine.load(run).to_string(max_rows=10, max_cols=8, max_colwidth=40))
    elif kind == "network":
        engine.load(run).summary(print_fn=lambda line, **_: say(line))
    elif kind == "json":
        import json

        say(json.dumps(engine.load(run), indent=1, ensure_ascii=False))
    elif kind == "pages":
        for ref in engine.load(run).refs[:10]:
            say(f"  {ref.url}")
    elif kind == "array":
        say(repr(engine.load(run)))
    elif kind == "fields":
        for key, part in node["items"]:
            where = part.get("file") or part.get("light") or ""
            say(f"  {key}: {part['kind']}{f'  {stored.folder / where}' if where else ''}")
    elif kind == "figure":
        file = stored.folder / node["light"]
        say(node["alt"])
    say(str(file))
    return file
