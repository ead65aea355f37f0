"""What `folio run` costs when there is nothing to do, beside doit and pytask on the same steps.

    python -m venv bench && bench/bin/python -m pip install "doit>=0.36" "pytask>=0.5"
    FOLIO_BENCH_PYTHON=bench/bin/python python -m pytest tests/benchmarks/test_noop.py -s

Each child's processor time (user and system) is taken, not the time on the clock, so that other
work on the machine matters little. The commands take turns, so that it matters to all alike.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("os.wait4 is not on Windows", allow_module_level=True)

REPOSITORY = Path(__file__).parents[2]
ALLOWED = 0.150  # seconds of processor time beyond Python's own start
REPEATS = 11
BENCH_PYTHON = os.environ.get("FOLIO_BENCH_PYTHON", sys.executable)
FOLIO = (sys.executable, "-c", "from projects.spine.cli import entry; entry()")

STEPS = """
def _note(step):
    with open(os.environ["STEPS_LOG"], "a") as log:
        log.write(step + "\\n")


def _double(numbers):
    return [2 * number for number in numbers]
"""

PROJECT = f'''
"""Do numbers add up?"""
import json
import os

{{imports}}
from scraping import local

{STEPS}

def numbers():
    """Numbers from a file."""
    _note("numbers")
    return json.loads(local("numbers.json").read_text())


def doubled(numbers):
    """Twice the numbers."""
    _note("doubled")
    return _double(numbers)


def total(doubled):
    """Their sum."""
    _note("total")
    return {{total}}
'''

POST = """\
---
title: Numbers
date: 2026-11-23
finding: They add up to [[values.total]].
---

They add up to [[values.total]].
"""

DODO = f"""
import json
import os
from pathlib import Path

{STEPS}

def _made(step, source, target, function):
    _note(step)
    Path(target).write_text(json.dumps(function(json.loads(Path(source).read_text()))))


def _task(step, source, function):
    target = step + ".json"
    return {{
        "actions": [(_made, [step, source, target, function])],
        "file_dep": [source],
        "targets": [target],
    }}


def task_read():
    return _task("read", "numbers.json", list)


def task_doubled():
    return _task("doubled", "read.json", _double)


def task_total():
    return _task("total", "doubled.json", sum)
"""

PYTASK = f"""
import json
import os
from pathlib import Path

HERE = Path(__file__).parent
{STEPS}

def _made(step, source, target, function):
    _note(step)
    target.write_text(json.dumps(function(json.loads(source.read_text()))))


def task_read(source=HERE / "numbers.json", produces=HERE / "read.json"):
    _made("read", source, produces, list)


def task_doubled(source=HERE / "read.json", produces=HERE / "doubled.json"):
    _made("doubled", source, produces, _double)


def task_total(source=HERE / "doubled.json", produces=HERE / "total.json"):
    _made("total", source, produces, sum)
"""


@dataclass
class Contender:
    """A command in its folder, and what each of its runs cost."""

    name: str
    command: tuple[str, ...]
    folder: Path
    start: str  # which contender is the bare start of the same Python
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def environment(folder: Path) -> dict[str, str]:
    """A user's environment: bytecode is cached, nothing is said about where modules are."""
    unusual = {"PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "PYTHONPYCACHEPREFIX", "FOLIO_ROOT"}
    kept = {name: value for name, value in os.environ.items() if name not in unusual}
    return {**kept, "STEPS_LOG": str(folder / "steps.log")}


def processor_seconds(command: tuple[str, ...], folder: Path) -> float:
    """Run a command to its end; the processor time that it and its children took."""
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(
            command, cwd=folder, env=environment(folder), stdout=said, stderr=subprocess.STDOUT
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        assert child.returncode == 0, said.read().decode()
    return used.ru_utime + used.ru_stime


def steps_run(folder: Path) -> list[str]:
    log = folder / "steps.log"
    return log.read_text().split() if log.exists() else []


def portfolio(folder: Path, *, imports: str = "", total: str = "sum(doubled)") -> Path:
    """A copy of this repository with one project, as `folder`."""
    left_out = shutil.ignore_patterns("__pycache__", ".folio", "posts")
    for package in ("blog", "models", "scraping"):
        shutil.copytree(REPOSITORY / package, folder / package, ignore=left_out)
    shutil.copytree(
        REPOSITORY / "projects" / "spine", folder / "projects" / "spine", ignore=left_out
    )
    shutil.copy(REPOSITORY / "projects" / "__init__.py", folder / "projects")
    shutil.copy(REPOSITORY / "mkdocs.yml", folder)
    (folder / "blog" / "docs" / "posts").mkdir()
    project = folder / "projects" / "sums"
    project.mkdir()
    (project / "project.py").write_text(PROJECT.format(imports=imports, total=total).lstrip())
    (project / "post.md").write_text(POST)
    (project / "numbers.json").write_text("[0, 1, 2, 3]")
    return folder


def script(folder: Path, name: str, source: str) -> Path:
    folder.mkdir()
    (folder / name).write_text(source)
    (folder / "numbers.json").write_text("[0, 1, 2, 3]")
    return folder


def installed(module: str) -> bool:
    found = subprocess.run([BENCH_PYTHON, "-c", f"import {module}"], capture_output=True)
    return found.returncode == 0


def table(contenders: Mapping[str, Contender]) -> str:
    """Milliseconds of processor time: median, least, most, and beyond the Python's own start."""
    lines = [f"{'ms of CPU':<22} {'median':>8} {'min':>8} {'max':>8} {'beyond start':>14}"]
    for one in contenders.values():
        figures = [one.median, min(one.seconds), max(one.seconds)]
        text = " ".join(f"{1000 * figure:8.0f}" for figure in figures)
        beyond = one.median - contenders[one.start].median
        lines.append(f"{one.name:<22} {text} {1000 * beyond:14.0f}")
    return "\n".join(lines)


def test_a_run_with_nothing_to_do_costs_little_beyond_the_start_of_python(tmp_path):
    missing = [module for module in ("doit", "pytask") if not installed(module)]
    if missing:
        pytest.skip(
            f"{BENCH_PYTHON} has no {' and no '.join(missing)}. Make an environment with both: "
            'python -m venv bench && bench/bin/python -m pip install "doit>=0.36" "pytask>=0.5"; '
            "then set FOLIO_BENCH_PYTHON=bench/bin/python"
        )
    plain = portfolio(tmp_path / "plain")
    uses_keras = portfolio(
        tmp_path / "keras", imports="from keras import ops", total="float(ops.sum(doubled))"
    )
    # A Python of its own path starts in its own time, which more packages make longer.
    started, other = "python -c pass", "bench python -c pass"
    doit = script(tmp_path / "doit", "dodo.py", DODO)
    pytask = script(tmp_path / "pytask", "task_sums.py", PYTASK)
    contenders = {
        one.name: one
        for one in (
            Contender("folio run", (*FOLIO, "run"), plain, started),
            Contender("doit", (BENCH_PYTHON, "-m", "doit"), doit, other),
            Contender("pytask", (BENCH_PYTHON, "-m", "pytask"), pytask, other),
            Contender(started, (sys.executable, "-c", "pass"), tmp_path, started),
            Contender(other, (BENCH_PYTHON, "-c", "pass"), tmp_path, other),
            Contender("folio train sums", (*FOLIO, "train", "sums"), plain, started),
            Contender("folio run, with Keras", (*FOLIO, "run"), uses_keras, started),
        )
    }
    # The first run does the work, the second fills the caches.
    for _ in range(2):
        for one in contenders.values():
            processor_seconds(one.command, one.folder)
    done = {folder: steps_run(folder) for folder in (plain, uses_keras, doit, pytask)}
    assert {len(steps) for steps in done.values()} == {3}, done
    assert (plain / "site" / "posts").is_dir()

    for _ in range(REPEATS):
        for one in contenders.values():
            one.seconds.append(processor_seconds(one.command, one.folder))
    print(f"\n{REPEATS} runs each, in turn\n{table(contenders)}")

    assert {folder: steps_run(folder) for folder in done} == done, "a no-op run ran a step"
    for name in ("folio run", "folio run, with Keras"):
        beyond = contenders[name].median - contenders[started].median
        assert beyond <= ALLOWED, f"`{name}` takes {beyond:.3f} s, {ALLOWED} s are allowed"


def test_a_run_with_nothing_to_do_imports_neither_keras_nor_tensorflow(tmp_path):
    folder = portfolio(
        tmp_path / "keras", imports="import keras", total="float(keras.ops.sum(doubled))"
    )
    processor_seconds((*FOLIO, "run"), folder)
    lock = json.loads((folder / "projects" / "sums" / "folio.lock").read_text())
    assert any("library keras" in parts for parts in lock["code"].values())
    said = subprocess.run(
        [sys.executable, "-X", "importtime", *FOLIO[1:], "run"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "site: up to date" in said.stdout
    imported = {line.rpartition("|")[2].strip() for line in said.stderr.splitlines()}
    assert "projects.spine.cli" in imported
    heavy = {"keras", "tensorflow", "numpy", "pandas", "mkdocs", "models", "scraping", "blog"}
    assert not heavy & {name.partition(".")[0] for name in imported}
