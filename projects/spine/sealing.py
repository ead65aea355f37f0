"""Sealing a proposal: what is checked, what is refused, and the file that is written."""

from __future__ import annotations

import datetime
import subprocess
from pathlib import Path
from typing import Any

from projects.spine.durable import write_json
from projects.spine.engine import Engine
from projects.spine.errors import BadUsage, SpineError
from projects.spine.lockfile import Lock
from projects.spine.proposal import Proposal
from projects.spine.seal import (
    FILE,
    SCHEMA,
    code_of,
    concerned,
    hash_of,
    listed,
    load,
    plain,
    split_digest,
    trainings,
)


def content(engine: Engine, proposal: Proposal) -> dict[str, Any]:
    """Return what a seal of this proposal would hold now."""
    return {
        "text": proposal.text,
        "seeds": engine.seeds,
        "settings": plain(engine.settings),
        "split": split_digest(engine.project, engine.overrides),
        "trainings": len(trainings(engine.project.folder)),
    }


def check(engine: Engine, proposal: Proposal) -> None:
    """Raise BadUsage where a proposal cannot be judged by what project.py has."""
    project = engine.project
    place = f"projects/{project.name}/proposal.md"
    if not proposal.hypotheses:
        raise BadUsage(
            f"{place}:1: it names no hypothesis, so there is nothing to seal. Add `hypotheses:` to "
            "its front matter: name, claim, metric, comparison, seeds."
        )
    for hypothesis in proposal.hypotheses:
        where = f"{place}:{proposal.line_of(hypothesis.name)}: hypothesis {hypothesis.name}"
        step = hypothesis.answers if hypothesis.over == "examples" else "scores"
        if step not in project.steps:
            raise BadUsage(
                f"{where} is judged by the step `{step}`, and project.py has none of that name. "
                f"Its steps: {', '.join(project.steps) or 'none yet'}."
            )
        if hypothesis.seeds > 1 and not project.steps[step].per_seed:
            raise BadUsage(
                f"{where} needs {hypothesis.seeds} seeds, and the step `{step}` runs once: let it "
                "ask for `seed`, with several SEEDS in project.py."
            )
        if hypothesis.seeds > max(1, len(engine.seeds)):
            raise BadUsage(
                f"{where} needs {hypothesis.seeds} seeds; projects/{project.name}/project.py has "
                f"{len(engine.seeds)}. Raise SEEDS there, or ask for fewer."
            )


def refusal(engine: Engine) -> str | None:
    """Return why these seeds and this split cannot be sealed any more; None where they can."""
    folder, seeds = engine.project.folder, engine.seeds
    split = split_digest(engine.project, engine.overrides)
    before = [entry for entry in trainings(folder) if concerned(entry, seeds, split)]
    if before:
        used = sorted({e["seed"] for e in before if isinstance(e.get("seed"), int)})
        where = f"projects/{folder.name}/results/runs.jsonl"
        known = "this split" if before[0].get("split") or not split else "an unknown split"
        what = (
            f"{where} holds {len(before)} training{'s' * (len(before) != 1)} with "
            f"{listed('seed', used)} and {known}, the first of {before[0].get('time')}"
        )
    elif (scored := _scored(engine, split)) is not None:
        whose = f"the scores of {listed('seed', scored)}" if scored else "the scores"
        what = f"folio.lock holds {whose} with this split"
    else:
        return None
    taken = [e["seed"] for e in trainings(folder) if isinstance(e.get("seed"), int)]
    first = max([*taken, *seeds, 0]) + 1
    free = list(range(first, first + max(1, len(seeds))))
    return (
        f"{what}: what came out could be known, so it cannot be sealed any more. Choose other "
        f"seeds in projects/{folder.name}/project.py, for example SEEDS = {free}."
    )


def _scored(engine: Engine, split: str | None) -> list[int] | None:
    """Return the seeds whose scores with this split are recorded, here or by a try; None: nothing.

    What needs no `fit` leaves no line in the log, and can be known all the same.
    """
    found: set[int | None] = set()
    for path in [engine.lock.path, *(engine.work / "tries").glob("*/folio.lock")]:
        try:
            records = Lock(path, path.with_name("made.json")).records
        except SpineError:
            continue
        for name, record in records.items():
            if name.partition("[")[0] == "scores":
                labels = [name, *record.inputs]
                seeds: list[int | None] = [
                    seed for seed in engine.seeds if any(f"[seed={seed}]" in x for x in labels)
                ]
                seeds = seeds if engine.seeds else [None]
                found |= {s for s in seeds if split is None or _same_split(engine, records, s)}
    return sorted(s for s in found if s is not None) if found else None


def _same_split(engine: Engine, records: dict[str, Any], seed: int | None) -> bool:
    """Tell whether a recorded split was made by the code that project.py has now."""
    record = records.get(f"split[seed={seed}]") or records.get("split")
    step = engine.project.steps["split"]
    if record is None or record.code.get("python") != engine.code(step)["python"]:
        return True  # nobody can tell: as for an unknown split in the log
    now = engine.project.parts_here("split", engine.overrides)
    return all(record.code.get(part) == text for part, text in now.items())


Seals = tuple[dict[str, Any] | None, dict[str, Any]]


def make(engine: Engine, proposal: Proposal) -> Seals:
    """Seal a proposal: write seal.json; return the seal before it, if any, and the one now.

    They are one and the same where nothing changed since. A seal that no training was made under
    is replaced and listed; else SpineError, and everything stays as it was. Call it under the
    project's claim.
    """
    check(engine, proposal)
    folder = engine.project.folder
    before = load(folder)
    if before and unchanged(before, engine, proposal):
        return before, before
    if why := refusal(engine):
        stays = (
            f" The seal {before['code']} stays; what was changed since shows as a deviation."
            if before
            else ""
        )
        raise SpineError(f"{folder.name} was not sealed: {why}{stays}")
    seal: dict[str, Any] = {
        "schema": SCHEMA,
        "project": folder.name,
        "time": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "commit": git(engine.variant.root, "rev-parse", "HEAD"),
        "sealed": content(engine, proposal),
    }
    seal["hash"] = hash_of(seal)
    seal["code"] = code_of(seal["hash"])
    seal["earlier"] = []
    if before:
        kept = {key: value for key, value in before.items() if key != "earlier"}
        seal["earlier"] = [*before["earlier"], kept]
    write_json(folder / FILE, seal)
    return before, seal


def unchanged(seal: dict[str, Any], engine: Engine, proposal: Proposal) -> bool:
    """Tell whether a seal would be the same now; trainings made since do not count."""
    now = content(engine, proposal)
    return all(seal["sealed"][key] == now[key] for key in now if key != "trainings")


def git(root: Path, *arguments: str) -> str | None:
    """Return what git says, in one line; None without git or a repository."""
    command = ["git", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
