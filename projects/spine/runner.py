"""Many runs of steps at once: in worker processes as soon as inputs are there, pages in chunks.

A worker computes on one thread, so that a run repeats bit for bit whatever else the machine does,
and two seeds use two cores; it stays for all runs it is given, so that it imports TensorFlow once.
Workers write values only; folio.lock is written by this process. The crawl runs right here.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.spine import extraction, perform
from projects.spine.cache import cache_of
from projects.spine.engine import Engine, Run, Variant, digest_of
from projects.spine.errors import PageLost, SpineError, WorkerEnded
from projects.spine.plan import Plan
from projects.spine.progress import Progress

if TYPE_CHECKING:
    from scraping.pages import Ref

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "PYTHONHASHSEED": "0",
}
GIGABYTES_A_WORKER = 1.3  # TensorFlow, a small data set and its batches


def default_jobs(seeds: int) -> int:
    """Return how many workers the machine's cores and free memory have room for."""
    import psutil

    free = psutil.virtual_memory().available / 2**30
    cores = len(psutil.Process().cpu_affinity()) if sys.platform == "linux" else os.cpu_count()
    return max(1, min(cores or 1, int(free / GIGABYTES_A_WORKER), max(seeds, 2)))


@dataclass(frozen=True)
class Task:
    """One run of a step, as a worker is asked for it."""

    variant: Variant
    step: str
    seed: int | None
    code: str  # digest of the step's code, as the run was planned
    journal: Path


# -- in a worker process -----------------------------------------------------------------------


def _enter_worker(parent: int, log: Path) -> None:
    """Set up a worker: its output goes to a log, and it never outlives the run it serves."""
    from joblib.externals.loky import process_executor

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C ends
    # A trained network takes hundreds of megabytes, which loky would take for a leak and answer
    # with a new process, TensorFlow imported again.
    process_executor._MAX_MEMORY_LEAK_SIZE = sys.maxsize
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    threading.Thread(target=_die_with, args=(parent,), daemon=True).start()


def _die_with(parent: int) -> None:
    import psutil

    # A dead parent may stay as a zombie, but its children get another one at once; Windows keeps
    # the number, and has no zombies.
    while os.getppid() == parent and psutil.pid_exists(parent):
        time.sleep(0.5)
    os._exit(1)


def _work(task: Task) -> None:
    """Carry out a task in a worker, telling its progress through the journal."""
    engine = Engine(task.variant, cache_of(task.variant.root))

    def tell(*line: Any) -> None:
        with task.journal.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    carry_out(engine, task, functools.partial(tell, "moved"), functools.partial(tell, "finished"))


def carry_out(
    engine: Engine,
    task: Task,
    moved: Callable[..., None],
    finished: Callable[..., None],
    *,
    fresh: bool = False,
) -> None:
    """Perform one run in this process."""
    run = Run(engine.project.steps[task.step], task.seed)
    check = functools.partial(_check_unchanged, engine, run, task.code)
    check()
    moved(run.name, "", 0, None)
    report = _seldom(functools.partial(moved, run.name))
    stored = perform.perform(engine, run, report, check, fresh=fresh)
    finished(run.name, stored.figure, stored.manifest["seconds"])


def _check_unchanged(engine: Engine, run: Run, planned: str) -> None:
    """Raise where a source file was edited after the run was planned: half of each is neither."""
    now = Engine(engine.variant, engine.cache)
    step = now.project.steps.get(run.step.name)
    if step is None or digest_of(now.code(step)) != planned:
        raise SpineError(
            f"The code behind `{run.step.name}` was changed while the run was under way. "
            "What was finished before is kept; run the same command again."
        )


def _seldom(report: perform.Report) -> perform.Report:
    """Pass on a report at most five times a second, and the last one of a count."""
    last = 0.0

    def filtered(label: str, done: int, total: int | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > 0.2 or done == total:
            last = now
            report(label, done, total)

    return filtered


def _read_chunk(variant: Variant, step: str, planned: str, refs: list[Ref]) -> extraction.Chunk:
    """Read some pages in a worker."""
    engine = _engine_of(variant, step)
    run = Run(engine.project.steps[step])
    _check_unchanged(engine, run, planned)
    return extraction.read_pages(engine, run, refs)


_engines: dict[str, Engine] = {}


def _engine_of(variant: Variant, step: str) -> Engine:
    """Return one engine for all chunks of a step: a pool, and its workers, serve one run only."""
    asked = f"{variant} {step}"
    if asked not in _engines:
        _engines[asked] = Engine(variant, cache_of(variant.root))
    return _engines[asked]


# -- in the process the user started -----------------------------------------------------------


class Pool:
    """Worker processes, started when first needed and ended with the run."""

    def __init__(self, engine: Engine, jobs: int, progress: Progress) -> None:
        self.engine = engine
        self.jobs = jobs
        self.progress = progress
        self.journal = engine.work / f"progress-{os.getpid()}.jsonl"
        self.log = engine.work / "worker.log"
        self._executor: Any = None
        self._read = 0

    def __enter__(self) -> Pool:
        """Begin with an empty journal and log."""
        self.engine.work.mkdir(parents=True, exist_ok=True)
        for left in self.engine.work.glob("progress-*.jsonl"):
            left.unlink()
        self.journal.touch()
        self.log.write_bytes(b"")
        return self

    def __exit__(self, kind: object, *rest: object) -> None:
        """End the workers: quietly when all is done, at once when something failed."""
        if self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=kind is not None)
        self.journal.unlink(missing_ok=True)

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> Any:
        if self._executor is None:
            # Its complaint about a worker that was killed comes as our own error below.
            logging.getLogger("concurrent.futures").setLevel(logging.CRITICAL)
            from joblib.externals import loky

            self._executor = loky.ProcessPoolExecutor(
                max_workers=self.jobs,
                initializer=_enter_worker,
                initargs=(os.getpid(), self.log),
                env=ONE_THREAD,
            )
        return self._executor.submit(function, *arguments)

    def start(self, task: Task) -> Any:
        """Have a worker carry out a task; the future's result is nothing, its error counts."""
        return self._submit(_work, task)

    def spread(self, step: str, chunks: list[list[Ref]]) -> Iterator[extraction.Chunk]:
        """Read chunks of pages in the workers; the outcomes come in order."""
        variant = self.engine.variant
        planned = digest_of(self.engine.code(self.engine.project.steps[step]))
        futures = [self._submit(_read_chunk, variant, step, planned, chunk) for chunk in chunks]
        for future in futures:
            self.watch([future])
            yield future.result()

    def watch(self, futures: Iterable[Any]) -> set[Any]:
        """Wait until one of the futures is done, showing progress; return those that are."""
        waiting = set(futures)
        done: set[Any] = set()
        while not done:
            done, _ = concurrent.futures.wait(
                waiting, timeout=0.1, return_when=concurrent.futures.FIRST_COMPLETED
            )
            self._follow_journal()
        for future in done:
            self._raise(future.exception())
        return done

    def _raise(self, error: BaseException | None) -> None:
        if error is None:
            return
        if isinstance(error, SpineError) or hasattr(error, "exit_code"):
            raise error
        name = self.engine.project.name
        if type(error).__name__ in ("TerminatedWorkerError", "BrokenProcessPool"):
            raise WorkerEnded(
                "A worker process was ended from outside, most often because memory ran out. "
                "Values that were finished are kept, and a training goes on from its last "
                f"checkpoint. Try with fewer at once: folio run {name} --jobs 1\n"
                f"What it printed last is in {self.log}"
            ) from error
        raise SpineError(
            f"A worker process failed: {type(error).__name__}: {error}\n"
            f"What it printed last is in {self.log}"
        ) from error

    def _follow_journal(self) -> None:
        with self.journal.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break  # a worker is in the middle of writing it
                self._read += len(line)
                kind, *details = json.loads(line)
                getattr(self.progress, kind)(*details)


def bring_up_to_date(
    engine: Engine, plan: Plan, *, jobs: int, progress: Progress, debug: bool = False
) -> None:
    """Make everything that is due, and record each value as soon as it is there."""
    if debug:
        for key, value in ONE_THREAD.items():
            os.environ.setdefault(key, value)
    waiting = dict(plan.runs)
    running: dict[Any, Run] = {}
    with contextlib.ExitStack() as stack:
        # Whatever was finished before a failure is recorded.
        stack.callback(record, engine)
        stack.push(functools.partial(_crawl_again_for, engine))
        stack.callback(engine.forget)
        if not waiting:
            return
        pool = stack.enter_context(Pool(engine, jobs, progress))
        while waiting or running:
            for run in _ready(engine, waiting, running):
                del waiting[run.name]
                if not _is_due(engine, plan, run):
                    continue
                if not (debug or run.step.fetches or run.step.per_page):
                    running[pool.start(_task(engine, run, pool))] = run
                    continue
                if run.step.per_page:
                    _pages(engine, plan, run, pool, debug)
                else:  # the crawl waits for the network, not for a core
                    fresh = plan.fresh and run.step.fetches
                    task = _task(engine, run, pool)
                    carry_out(engine, task, progress.moved, progress.finished, fresh=fresh)
                engine.forget()
                record(engine)
            for future in pool.watch(running) if running else ():
                del running[future]
                engine.forget()
                record(engine)


def _crawl_again_for(engine: Engine, kind: object, error: object, trace: object) -> None:
    """Make the crawl due for a page whose record is damaged: it reads all and fetches that one."""
    if isinstance(error, PageLost):
        for run in engine.runs():
            if run.step.crawls:
                engine.store.drop(run.step.name, run.label)
        engine.forget()


def _ready(engine: Engine, waiting: dict[str, Run], running: dict[Any, Run]) -> list[Run]:
    """Return the runs whose inputs are all there, in order."""
    missing = waiting.keys() | {run.name for run in running.values()}
    return [
        run
        for run in waiting.values()
        if not any(needed.name in missing for needed in engine.inputs_of(run))
    ]


def _task(engine: Engine, run: Run, pool: Pool) -> Task:
    code = digest_of(engine.code(run.step))
    return Task(engine.variant, run.step.name, run.seed, code, pool.journal)


def _is_due(engine: Engine, plan: Plan, run: Run) -> bool:
    """Tell whether a run has to be made, now that its inputs are what they will be."""
    state = engine.state(run)
    recorded = state.kind == "recorded" and run.name in plan.due
    return state.kind == "out of date" or recorded or run.name in plan.again


def _pages(engine: Engine, plan: Plan, run: Run, pool: Pool, debug: bool) -> None:
    """Run a `page` step, its chunks of pages spread over the workers."""

    def here(chunks: list[list[Ref]]) -> Iterator[extraction.Chunk]:
        return (extraction.read_pages(engine, run, chunk) for chunk in chunks)

    pool.progress.moved(run.name, "", 0, None)
    report = functools.partial(pool.progress.moved, run.name)
    spread = here if debug else functools.partial(pool.spread, run.step.name)
    again = run.name in plan.again
    stored = extraction.extract(engine, run, spread, report, again=again)
    pool.progress.finished(run.name, stored.figure, stored.manifest["seconds"])


def record(engine: Engine) -> None:
    """Write folio.lock if the values on this disk say something new."""
    changed = [run for run in engine.runs() if engine.unrecorded(run)]
    for run in changed:
        engine.adopt(run)
    names = {run.name for run in engine.runs()}
    if changed or not set(engine.lock.records) <= names:
        engine.lock.keep_only(names)
        engine.lock.write()
        for run in changed:
            engine.store.prune(run.step.name, run.label, engine.current_keys(run))
