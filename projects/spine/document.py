"""What a run says of itself: the document behind results.json, and the files that go with it."""

from __future__ import annotations

import math
import numbers
import os
import shutil
import sys
from pathlib import Path
from typing import Any

from projects.spine.engine import Engine
from projects.spine.errors import BadUsage, SpineError
from projects.spine.project import Project, Step
from projects.spine.source import Import, imports_of
from projects.spine.store import Stored

SCHEMA_VERSION = 1
MOST_TABLE_ROWS = 200  # a longer table is data, not a result
LIVE = {"model": "model.json", "weights": "model.bin", "golden": "golden.bin", "data": "table.csv"}
FAMILIES = ("scratch", "classifier", "cnn", "rnn", "autoencoder", "gan")  # modules of `models`


def gather(engine: Engine, staging: Path) -> dict[str, Any]:
    """Return the document, and put its figures and tables as files below `staging`."""
    from models.evaluation import interval
    from projects.spine import judging

    document: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "project": engine.project.name,
        "run": "",
        "behind": "",
        "draft": engine.variant.quick,
        "question": engine.project.question,
        "families": families(engine.project),
        "settings": engine.settings,
        "seeds": engine.seeds,
        "scores": {},
        "values": {},
        "figures": {},
        "tables": {},
        "live": {},
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
        "seal": None,
        "verdicts": [],
        "deviations": [],
        "pilots": [],
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
            values = _finite([engine.store.load(s) for s in stored.values()], step.name, engine)
            if step.name == "validation" and _like_scores(values):
                values = _scores(values, interval, step, engine)
            document["values"][step.name] = values
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
    document["card"], document["fetched"] = _card(engine)
    document["leakage"] = _leakage(engine, document["splits"])
    return document | judging.about(engine, document)


def _leakage(engine: Engine, splits: dict[str, Any]) -> dict[str, Any] | None:
    """Return what stands on two sides of the split; add the sizes that its manifest does not tell.

    None where no step is named `split`.
    """
    from projects.spine import leakage
    from projects.spine.check import fitting

    found = leakage.found(engine, fitting.of(engine.project))
    if found is None:
        return None
    for part, size in found.pop("sizes").items():
        splits.setdefault(part, size)
    return found


def families(project: Project) -> list[str]:
    """Return the kinds of network that a project imports from `models`, in their usual order."""
    imported = {what for _, what in imports_of(project.tree, f"projects.{project.name}")}
    return [name for name in FAMILIES if _imports(imported, name)]


def _imports(imported: set[Import], family: str) -> bool:
    module = f"models.{family}"
    return any(
        f"{what.module}.{what.name}" == module or f"{what.module}.".startswith(f"{module}.")
        for what in imported
    )


def _card(engine: Engine) -> tuple[dict[str, Any] | None, dict[str, str]]:
    """Return what the records tell for the data card, and when the pages were fetched.

    What only the author can tell stands in datasheet.md, and is read when the post is rendered.
    """
    from projects.spine import dataset
    from scraping.tables import card

    try:
        about = dataset.about(engine, dated=False)
    except BadUsage:  # a project without a table
        return None, {}
    sections = [
        {"title": each.title, "facts": each.facts, "asked": card.ASKED[each.title]}
        for each in card.sections(about)
    ]
    licences = card.licences_of(about.table, about.roles) or {}
    told = {"rows_are": about.rows_are, "sections": sections, "licences": licences}
    times = {"first": about.origin.first, "last": about.origin.last} if about.origin else {}
    return told, times


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


def _like_scores(values: list[Any]) -> bool:
    """Tell whether every seed's value is {model: {metric: number}}, as `scores` gives."""
    return all(
        isinstance(value, dict)
        and value
        and all(
            isinstance(row, dict)
            and all(isinstance(n, numbers.Real) and not isinstance(n, bool) for n in row.values())
            for row in value.values()
        )
        for value in values
    )


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
    elif kind == "live":
        live = {part: copy(node[part], f"live/{name}/{file}") for part, file in LIVE.items()}
        model = engine.store.load(
            Stored(stored.folder, {"node": {"kind": "json", "file": node["model"]}})
        )
        document["live"][name] = {
            **live,
            "widget": model["widget"]["kind"],
            "parameters": model["parameters"],
            "bytes": sum((staging / live[part]).stat().st_size for part in ("model", "weights")),
            "alt": node["alt"],
        }
        if "picture" in node:
            drawn = node["picture"]
            document["live"][name]["picture"] = {
                "image": copy(drawn["file"], f"live/{name}/picture.webp"),
                "width": drawn["width"],
                "height": drawn["height"],
            }
    elif kind == "table" and name != "table" and node["rows"] <= MOST_TABLE_ROWS:
        file = f"tables/{name}.csv"
        (staging / "tables").mkdir(exist_ok=True)
        engine.store.load(stored).to_csv(staging / file, lineterminator="\n")
        document["tables"][name] = {"data": file, "rows": node["rows"]}


def _trainings(engine: Engine, stored: Stored) -> int:
    """Return how many trainings stand behind a value: of training.fit, gan.fit or a search."""
    node = stored.manifest["node"]
    if node["kind"] != "fields":
        return 0
    fields = dict(node["items"])
    if "trainings" not in fields or not str(node.get("class")).startswith("models."):
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
