"""results.json: every number a post may show, taken from the stored values of one run.

Written only when something a reader could see changed: the run id, and with it the post, stay the
same as long as the values do. Times and hardware are told, but do not count as a change.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from projects.spine import deviations, seal
from projects.spine.document import gather
from projects.spine.durable import aside_of, swap_folder, write_bytes
from projects.spine.engine import Engine, digest_of
from projects.spine.errors import SpineError
from projects.spine.proposal import text_of

INCIDENTAL = ("run", "behind", "minutes", "hardware", "threads", "fetched")
FOLDERS = ("figures", "tables", "live")  # what stands beside results.json


def write(engine: Engine, folder: Path) -> bool:
    """Write results.json and its files into `folder`; tell whether anything changed.

    Raises SpineError when a score is not a finite number or the document breaks its schema; the
    old results then stay as they are.
    """
    staging = aside_of(engine.work / "results")
    staging.mkdir(parents=True)
    try:
        # As it will be read: stamps of what was gathered and of what is on the disk must agree.
        document = json.loads(json.dumps(gather(engine, staging) | {"behind": behind(engine)}))
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
        for kind in FOLDERS:
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
    """Return a digest of all that the results are made from: values, settings, the proposal."""
    project = engine.project
    outputs = {run.name: engine.state(run).output for run in engine.runs()}
    made_from = [project.question, engine.settings, engine.seeds, outputs, *_proposed(engine)]
    return digest_of(made_from)[:20]


def _proposed(engine: Engine) -> list[Any]:
    """Return what verdicts and deviations follow from beside the values; [] without a proposal."""
    text, made = text_of(engine.project.folder), seal.load(engine.project.folder)
    if made is None:
        return [] if text is None else [text]
    split = seal.split_digest(engine.project, engine.overrides)
    return [text, made["hash"], split, deviations.of_log(engine, made)]


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
    files = [p for kind in FOLDERS for p in (staging / kind).rglob("*")]
    for file in sorted(p for p in files if p.is_file()):
        digest.update(file.relative_to(staging).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:10]
