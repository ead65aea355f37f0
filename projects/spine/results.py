"""results.json: every number a post may show, taken from the stored values of one run.

Written only when something a reader could see changed: the run id, and with it the post, stay the
same as long as the values do. Times and hardware are told, but do not count as a change.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import math
import numbers
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from projects.spine.durable import aside_of, swap_folder, write_bytes
from projects.spine.engine import Engine, digest_of
from projects.spine.errors import SpineError
from projects.spine.project import Step
from projects.spine.store import Stored

SCHEMA_VERSION = 1
INCIDENTAL = ("run", "behind", "minutes", "hardware", "threads")
MOST_TABLE_ROWS = 200  # a longer table is data, not a result


def gather(engine: Engine, staging: Path) -> dict[str, Any]:
    """Return the document, and put its figures and tables as files below `staging`."""
    from models.evaluation import interval

    document: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "project": engine.project.name,
        "run": "",
        "behind": behind(engine),
        "draft": engine.variant.quick,
        "question": engine.project.question,
        "settings": engine.settings,
        "seeds": engine.seeds,
        "scores": {},
        "values": {},
        "figures": {},
        "tables": {},
        "data": {},
        "splits": {},
        "parameters": {},
        "trainings": 0,
        "minutes": {},
        "hardware": hardware(),
        "threads": 1,
        "backend": "",
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "libraries": {},
        "verdicts": [],
    }
    for step in engine.project.steps.values():
        stored = {run.seed: engine.stored(run) for run in engine.of(step)}
        first = next(iter(stored.values()))
        _data(engine, step, first, document["data"])
        if step.name == "scores":
            values = [engine.store.load(s) for s in stored.values()]
            document["scores"] = _scores(values, interval, step, engine)
        elif step.name == "split":
            document["splits"] = _sizes([s.manifest["node"] for s in stored.values()])
        elif not step.per_seed:
            _publish(engine, step.name, first, staging, document)
        elif first.kind == "json":
            values = [engine.store.load(s) for s in stored.values()]
            document["values"][step.name] = _finite(values, step.name, engine)
        for name, count in first.manifest.get("parameters", {}).items():
            inner = name.removeprefix("value").removeprefix(".")
            plain = inner in ("", "model")
            document["parameters"][step.name if plain else f"{step.name}.{inner}"] = count
        document["trainings"] += sum(_trainings(engine, s) for s in stored.values())
        document["minutes"][step.name] = round(
            sum(s.manifest["seconds"] for s in stored.values()) / 60, 3
        )
    total = round(sum(document["minutes"].values()), 3)
    document["minutes"] = {"total": total, "steps": document["minutes"]}
    for step in engine.project.steps.values():
        for part, version in engine.code(step).items():
            if part.startswith("library "):
                document["libraries"][part.removeprefix("library ")] = version
            elif part == "backend":
                document["backend"] = version.partition(" ")[0]
    document["libraries"] = dict(sorted(document["libraries"].items()))
    return document


def write(engine: Engine, folder: Path) -> bool:
    """Write results.json and its files into `folder`; tell whether anything changed.

    Raises SpineError when a score is not a finite number or the document breaks its schema; the
    old results then stay as they are.
    """
    staging = aside_of(engine.work / "results")
    staging.mkdir(parents=True)
    try:
        # As it will be read: stamps of what was gathered and of what is on the disk must agree.
        document = json.loads(json.dumps(gather(engine, staging)))
        stamp = _stamp(document, staging)
        now = datetime.datetime.now(datetime.UTC).strftime("%Y%m%d-%H%M%S")
        document["run"] = f"{now}-{stamp}"
        present = read(folder)
        same = present is not None and intact(present, folder) and present["run"].endswith(stamp)
        if same and present is not None:
            if present.get("behind") == document["behind"]:
                return False
            document["run"] = present["run"]  # other values behind it, the same to a reader
        validate(document, folder / "results.json")
        # Before anything is replaced: what JSON cannot hold leaves the old results whole.
        text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        folder.mkdir(parents=True, exist_ok=True)
        for kind in ("figures", "tables"):
            made, target = staging / kind, folder / kind
            if made.is_dir():
                swap_folder(made, target)
            elif target.is_dir():
                shutil.rmtree(target)
        write_bytes(folder / "results.json", text.encode())
        return not same
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def read(folder: Path) -> dict[str, Any] | None:
    """Return the committed document, or None where there is none that can be read."""
    try:
        document = json.loads((folder / "results.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def intact(document: dict[str, Any], folder: Path) -> bool:
    """Tell whether results still say what their run wrote: the run id ends with their digest."""
    return str(document.get("run", "")).endswith(f"-{_stamp(document, folder)}")


def behind(engine: Engine) -> str:
    """Return a digest of all that the results are made from: values, settings, the question."""
    project = engine.project
    outputs = {run.name: engine.state(run).output for run in engine.runs()}
    return digest_of([project.question, engine.settings, engine.seeds, outputs])[:20]


def current(engine: Engine, folder: Path) -> bool:
    """Tell whether results are there, untouched, of these values, and a draft only if asked for."""
    document = read(folder)
    return (
        document is not None
        and intact(document, folder)
        and document.get("draft") == engine.variant.quick
        and document.get("behind") == behind(engine)
    )


def validate(document: dict[str, Any], path: Path) -> None:
    """Raise SpineError, naming the place, where a document breaks the schema."""
    import jsonschema

    text = Path(__file__).with_name("results.schema.json").read_text("utf-8")
    validator = jsonschema.Draft202012Validator(json.loads(text))
    error = jsonschema.exceptions.best_match(validator.iter_errors(document))
    if error is not None:
        raise SpineError(
            f"{path}: {error.json_path}: {error.message}. The results before it were kept."
        )


def _stamp(document: dict[str, Any], staging: Path) -> str:
    """Return ten hex digits of everything a reader can see: the document, figures and tables."""
    visible = {k: v for k, v in document.items() if k not in INCIDENTAL}
    digest = hashlib.sha256(json.dumps(visible, sort_keys=True).encode())
    files = [p for kind in ("figures", "tables") for p in (staging / kind).rglob("*")]
    for file in sorted(p for p in files if p.is_file()):
        digest.update(file.relative_to(staging).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:10]


# -- what each kind of value contributes -------------------------------------------------------


def _scores(values: list[Any], interval: Any, step: Step, engine: Engine) -> dict[str, Any]:
    """Turn one {model: {metric: number}} a seed into an interval a metric."""
    where = engine.project.where(step.line)
    given = [{f"{m}.{metric}" for m, row in v.items() for metric in row} for v in values]
    if odd := sorted(set.union(*given) - set.intersection(*given)):
        raise SpineError(
            f"{where}: step `scores` gave {odd[0]} for one seed and not for another. "
            "Every seed needs the same scores."
        )
    return {
        model: {metric: interval([value[model][metric] for value in values]) for metric in row}
        for model, row in values[0].items()
    }


def _finite(value: Any, name: str, engine: Engine) -> Any:
    """Return a value whose numbers results.json can hold; SpineError names the step if not."""
    if isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            _finite(part, name, engine)
    elif isinstance(value, float) and not math.isfinite(value):
        where = engine.project.where(engine.project.steps[name].line)
        raise SpineError(
            f"{where}: step `{name}` gave {value}, which is no number to publish. Return None for "
            "what there is not. The results before it were kept."
        )
    return value


def check_scores(value: Any, where: str) -> None:
    """Raise SpineError where a value is not {model: {metric: finite number}}."""
    if not isinstance(value, dict) or not all(isinstance(row, dict) for row in value.values()):
        raise SpineError(
            f"{where}: step `scores` must return {{model: {{metric: number}}}}; "
            f"it gave {value!r:.200}."
        )
    for model, metrics in value.items():
        for metric, number in metrics.items():
            if not isinstance(number, numbers.Real) or not math.isfinite(number):
                raise SpineError(
                    f"{where}: the score {model}.{metric} is {number!r:.80}; "
                    "a score is a finite number."
                )


def _sizes(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how many rows or examples each part of a split has, over the seeds."""
    sizes: dict[str, list[int]] = {}
    for node in nodes:
        if node["kind"] == "fields":
            for name, part in node["items"]:
                count = part.get("rows", (part.get("shape") or [None])[0])
                if count is not None:
                    sizes.setdefault(str(name), []).append(count)
    return {n: {"mean": sum(v) / len(v), "values": v} for n, v in sizes.items()}


def _data(engine: Engine, step: Step, stored: Stored, data: dict[str, Any]) -> None:
    """Add what a crawl, a `page` step or the table tells about the data set."""
    node = stored.manifest["node"]
    if stored.kind == "pages":
        data["pages"] = node["pages"]
        data["archive"] = stored.digest
    elif step.per_page:
        data["extracted"] = data.get("extracted", 0) + node["rows"]
        data["rejected"] = data.get("rejected", 0) + node["rejected_rows"]
    if step.name == "table" and stored.kind in ("table", "rows"):
        data["rows"] = node["rows"]
        data["hash"] = stored.digest


def _publish(
    engine: Engine, name: str, stored: Stored, staging: Path, document: dict[str, Any]
) -> None:
    """Take a value that a post may show: a number or text, a figure, a short table."""

    def copy(file: str, to: str) -> str:
        target = staging / to
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stored.folder / file, target)
        return to

    node = stored.manifest["node"]
    kind = node["kind"]
    if kind == "json":
        document["values"][name] = _finite(engine.store.load(stored), name, engine)
    elif kind == "figure":
        document["figures"][name] = {
            "kind": "svg",
            "light": copy(node["light"], f"figures/{name}.light.svg"),
            "dark": copy(node["dark"], f"figures/{name}.dark.svg"),
            "data": copy(node["data"], f"figures/{name}.csv"),
            "alt": node["alt"],
        }
    elif kind == "sheet":
        document["figures"][name] = {
            "kind": "webp",
            "image": copy(node["file"], f"figures/{name}.webp"),
            "data": copy(node["data"], f"figures/{name}.csv"),
            "alt": node["alt"],
            "width": node["width"],
            "height": node["height"],
        }
    elif kind == "table" and name != "table" and node["rows"] <= MOST_TABLE_ROWS:
        file = f"tables/{name}.csv"
        (staging / "tables").mkdir(exist_ok=True)
        engine.store.load(stored).to_csv(staging / file, lineterminator="\n")
        document["tables"][name] = {"data": file, "rows": node["rows"]}


def _trainings(engine: Engine, stored: Stored) -> int:
    """Return how many trainings stand behind a value of training.fit."""
    node = stored.manifest["node"]
    if node["kind"] != "fields":
        return 0
    fields = dict(node["items"])
    if node.get("class") != "models.training:Training":
        parts = [Stored(stored.folder, {"node": part}) for part in fields.values()]
        return sum(_trainings(engine, part) for part in parts)
    return engine.store.load(Stored(stored.folder, {"node": fields["trainings"]}))


def hardware() -> dict[str, Any]:
    """Return what the run was made on, as far as a reader needs it to compare times."""

    import platform

    import psutil

    processor = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text("utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                processor = line.partition(":")[2].strip()
                break
    return {
        "processor": processor,
        "cores": os.cpu_count() or 1,
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
    }
