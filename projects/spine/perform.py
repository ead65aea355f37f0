"""One run of a step, performed in this process: inputs in, function called, value stored."""

from __future__ import annotations

import contextlib
import datetime
import functools
import gc
import hashlib
import json
import random
import shutil
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path
from types import ModuleType
from typing import Any

from projects.spine import seal
from projects.spine.document import check_scores
from projects.spine.durable import append_line
from projects.spine.engine import QUICK_PAGES, Engine, Run
from projects.spine.errors import PageLost, SpineError, StepFailed, UnsupportedValue
from projects.spine.owner import contact
from projects.spine.store import Stored

Report = Callable[[str, int, int | None], None]  # (what, done, of how many)


def perform(
    engine: Engine, run: Run, report: Report, check: Callable[[], None], *, fresh: bool = False
) -> Stored:
    """Run one step that asks for no `page`, and return its value as stored.

    `check` raises if the code was edited meanwhile: such a value belongs to neither version.
    """
    started = time.perf_counter()
    with lent(engine, run, report, fresh) as (module, opened):
        import_keras(engine, run)
        arguments = engine.arguments(run)
        seed_everything(engine, run)  # last: loading inputs must not draw from what it sets
        value = call(engine, run, getattr(module, run.step.name), arguments)
    check()
    if value is None:
        raise UnsupportedValue(
            f"{engine.project.where(run.step.line)}: step `{run.step.name}` returned nothing; "
            "is a `return` missing?"
        )
    stored = keep(engine, run, value, started, opened)
    shutil.rmtree(checkpoints(engine, run).parent, ignore_errors=True)
    return stored


def checkpoints(engine: Engine, run: Run) -> Path:
    """Return where a run's trainings keep checkpoints: only the very same run goes on from them."""
    folder = engine.work / "checkpoints" / run.step.name / (run.label or "once")
    return folder / engine.state(run).key


def keep(
    engine: Engine, run: Run, value: Any, started: float, opened: dict[str, Any], **more: Any
) -> Stored:
    """Store what a run returned, and how long that took since `started`."""
    state = engine.state(run)
    if run.step.name == "scores":
        check_scores(value, engine.project.where(run.step.line))
    local = {name: engine.cache.digest(path) for name, path in opened.items()}
    return engine.store.save(
        run.step.name,
        run.label,
        state.key,
        value,
        where=f"{engine.project.where(run.step.line)}: step `{run.step.name}`",
        more={"seconds": round(time.perf_counter() - started, 2), "local": local, **more},
    )


def call(engine: Engine, run: Run, function: Callable[..., Any], arguments: dict[str, Any]) -> Any:
    """Call a step's function; what it raises becomes a StepFailed that names step and line."""
    try:
        return function(**arguments)
    except SpineError:
        raise
    except Exception as error:
        raise failure(engine, run, error) from error


def failure(engine: Engine, run: Run, error: Exception, where: str = "") -> StepFailed:
    """Return the error a user reads when a step raised."""
    file = str(engine.project.file)
    at = engine.project.where(_line_of(error, file) or run.step.line)
    kind = type(error).__name__
    # An error of Folio's own parts already says what, where and what to do.
    ours = hasattr(error, "exit_code")
    said = str(error) if ours else f"{kind}: {error}"
    seed = "" if run.seed is None else f" (seed {run.seed})"
    place = f" on {where}" if where else ""
    text = f"{at}: step `{run.step.name}`{seed} stopped{place}: {said}"
    if isinstance(error, NameError) and error.name in {"page", "seed", *engine.project.steps}:
        text += f"\nWhat a step needs stands among its parameters: add `{error.name}` there."
    trace = "".join(traceback.format_exception(error))
    if kind == "ArchiveDamaged":
        text += (
            "\nEverything else is kept. What is damaged is fetched anew, and nothing else, by: "
            f"folio run {engine.project.name}"
        )
        return PageLost(text, 3, trace)
    if not ours:
        name = engine.project.name
        text += f"\nEarlier steps are kept. Look closer: folio run {name} --debug"
    return StepFailed(text, getattr(error, "exit_code", 1), trace)


def _line_of(error: Exception, file: str) -> int | None:
    """Return the innermost line of a file that an error came through."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    return frames[-1].lineno if frames else None


def load_module(engine: Engine) -> ModuleType:
    """Import project.py with the variant's settings; what it raises names the line."""
    try:
        return engine.project.load(engine.overrides)
    except Exception as error:
        file = str(engine.project.file)
        raise StepFailed(
            f"{engine.project.where(_line_of(error, file) or 1)}: project.py cannot be imported: "
            f"{type(error).__name__}: {error}",
            trace=traceback.format_exc(),
        ) from error


@contextlib.contextmanager
def lent(
    engine: Engine, run: Run, report: Report, fresh: bool
) -> Generator[tuple[ModuleType, dict[str, Any]]]:
    """Lend the project's folder, and load project.py."""
    import scraping.lent
    from models import lent as models_lent

    module = load_module(engine)
    borrowed = scraping.lent.Lent(
        archive=engine.archive,
        project=engine.project.folder,
        contact=contact(engine.variant.root),
        fresh=fresh,
        report=report,
        max_pages=QUICK_PAGES if engine.variant.quick and run.step.crawls else None,
    )
    training = models_lent.Lent(
        checkpoints=checkpoints(engine, run),
        boards=engine.work / "boards" / run.step.name / (run.label or "once"),
        report=report,
        trained=functools.partial(log_training, engine, run),
    )
    first = scraping.lent.current.set(borrowed)
    second = models_lent.current.set(training)
    try:
        yield module, borrowed.files
    finally:
        scraping.lent.current.reset(first)
        models_lent.current.reset(second)


def import_keras(engine: Engine, run: Run) -> None:
    """Import Keras if the step's code reaches it, before anything is seeded.

    Libraries draw random numbers while they are imported, so that a step that imported it first
    would get others than one that did not.
    """
    if "library keras" not in engine.code(run.step):
        return
    import keras  # noqa: F401

    _exempt_libraries()


@functools.cache
def _exempt_libraries() -> None:
    """Keep what was imported out of garbage collections, for the rest of this process.

    Each run begins with one (`clear_session`), which would look through the million objects of
    the libraries for a quarter of a second.
    """
    gc.freeze()


def seed_everything(engine: Engine, run: Run) -> None:
    """Seed Python, NumPy and Keras from (seed, step name)."""
    number = hashlib.sha256(f"{run.seed}:{run.step.name}".encode()).digest()
    seed = int.from_bytes(number[:4], "big")
    parts = engine.code(run.step)
    if "library keras" in parts:
        import keras

        keras.backend.clear_session()  # layer names count from one again
        keras.utils.set_random_seed(seed)
    else:
        random.seed(seed)
        if "library numpy" in parts or "numpy" in sys.modules:
            import numpy

            numpy.random.seed(seed)


def log_training(engine: Engine, run: Run, details: dict[str, Any]) -> None:
    """Add a line to the log of every training ever made; called when one ends."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    code = json.dumps(engine.code(run.step), sort_keys=True)
    line = {
        "time": now,
        "step": run.step.name,
        "seed": run.seed,
        "settings": engine.settings,
        "variant": engine.variant.slug,
        "code": hashlib.sha256(code.encode()).hexdigest()[:16],
        "own": seal.code_digest(engine.project, run.step.name),
        "split": seal.split_digest(engine.project, engine.overrides),
        "seal": seal.current_code(engine.project.folder),
        **details,
    }
    append_line(engine.project.folder / "results" / "runs.jsonl", json.dumps(line, default=str))
