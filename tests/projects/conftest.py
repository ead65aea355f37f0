"""A small checkout of its own for every test, and the `folio` command run in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from projects.spine import check, results, seal
from projects.spine.cache import cache_of
from projects.spine.cli import main

REPOSITORY = Path(__file__).parents[2]


@dataclass
class Outcome:
    code: int
    out: str
    err: str


@dataclass
class Checkout:
    """A folder with projects/ in it; `ran` tells which steps ran since it was last asked."""

    root: Path
    command: Callable[..., Outcome]
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.root / "steps.log"
        os.environ["STEPS_LOG"] = str(self.log)

    def write(self, name: str, source: str) -> Path:
        path = self.root / "projects" / name / "project.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source).lstrip(), "utf-8")
        return path

    def edit(self, path: Path, old: str, new: str) -> None:
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def train(self, name: str, *options: str) -> Outcome:
        """Train in this process (`--debug`), which must end well."""
        outcome = self.command("train", name, "--debug", *options)
        assert outcome.code == 0, outcome.err
        return outcome

    def ran(self) -> list[str]:
        steps = self.log.read_text().split() if self.log.exists() else []
        self.log.unlink(missing_ok=True)
        return steps

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `folio` as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "projects.spine.cli", *arguments],
            cwd=REPOSITORY,
            env={**os.environ, "FOLIO_ROOT": str(self.root)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


@pytest.fixture
def checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Checkout:
    monkeypatch.setenv("FOLIO_ROOT", str(tmp_path))
    monkeypatch.setenv("STEPS_LOG", "")

    def command(*arguments: str) -> Outcome:
        capfd.readouterr()
        code = main(list(arguments))
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    (tmp_path / "projects").mkdir()
    return Checkout(tmp_path, command)


@pytest.fixture(scope="session")
def fresh_copy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Gives copies of this repository as it is for a newcomer whom no sample interests.

    The tests are left out, and all pages but those that the home page needs: a site takes half a
    second then.
    """

    def make() -> Path:
        target = tmp_path_factory.mktemp("fresh") / "folio"
        passing = shutil.ignore_patterns("__pycache__", ".folio")
        for part in ("scraping", "models", "blog", "projects/spine"):
            shutil.copytree(REPOSITORY / part, target / part, ignore=passing)
        for name in ("mkdocs.yml", "pyproject.toml", "projects/__init__.py"):
            shutil.copy(REPOSITORY / name, target / name)
        pages = target / "blog" / "docs"
        for others in ("models", "howto", "posts"):
            shutil.rmtree(pages / others, ignore_errors=True)
        for other in ("changelog.md", "about.md"):  # they link to what was left out
            (pages / other).unlink()
        return target

    return make


TOY = '''
"""Do toys add up?"""
import os

SIZE = 4
FACTOR = 2


def _note(step):
    with open(os.environ["STEPS_LOG"], "a") as log:
        log.write(step + "\\n")


def _double(number):
    return FACTOR * number


def table():
    """Numbers."""
    _note("table")
    return list(range(SIZE))


def doubled(table):
    """Twice the numbers."""
    _note("doubled")
    return [_double(number) for number in table]


def total(doubled):
    """Their sum."""
    _note("total")
    return sum(doubled)
'''


@pytest.fixture
def toy(checkout: Checkout) -> Path:
    """A project of three steps, up to date."""
    path = checkout.write("toy", TOY)
    checkout.train("toy")
    assert checkout.ran() == ["table", "doubled", "total"]
    return path


@pytest.fixture(scope="session")
def judged_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with the project `bells`, to which all 20 points of the rubric are ok.

    Sealed here; what its run recorded lies in `passing/results`, so that nothing has to be trained.
    """
    from projects.spine.engine import Engine, Variant
    from projects.spine.lockfile import Record

    root = tmp_path_factory.mktemp("judged")
    folder = root / "projects" / "bells"
    passing = Path(__file__).parent / "passing"
    shutil.copytree(passing, folder, ignore=shutil.ignore_patterns("results", "__pycache__"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOLIO_ROOT", str(root))
        assert main(["propose", "bells"]) == 0
    shutil.copytree(passing / "results", folder / "results")
    seal = json.loads((folder / "seal.json").read_text("utf-8"))
    log = [json.loads(line) for line in (folder / "results/runs.jsonl").read_text().splitlines()]
    now = {"time": seal["time"], "seal": seal["code"], "split": seal["sealed"]["split"]}
    lines = "".join(json.dumps(entry | now) + "\n" for entry in log)
    (folder / "results/runs.jsonl").write_text(lines)
    restamp(folder, seal={key: seal[key] for key in ("code", "time", "hash", "commit")})
    engine = Engine(Variant(root, "bells"), cache_of(root))
    for run in engine.runs():
        state = engine.state(run)
        engine.lock.records[run.name] = Record(state.code, state.inputs, f"of {run.name}", "", 1.0)
        engine.forget()
    engine.lock.write()
    return root


def restamp(folder: Path, **changes: Any) -> None:
    """Change what the results of a project hold, as a run that gave it would have written it."""
    file = folder / "results" / "results.json"
    document = json.loads(file.read_text("utf-8")) | changes
    document["run"] = f"20261125-120000-{results._stamp(document, folder / 'results')}"
    file.write_text(json.dumps(document), "utf-8")


@dataclass
class Judged:
    """The project `bells` in a checkout of its own."""

    folder: Path
    command: Callable[..., Outcome]

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.folder / file
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new), "utf-8")

    def results(self) -> dict[str, Any]:
        return json.loads((self.folder / "results" / "results.json").read_text("utf-8"))

    def record(self, **changes: Any) -> None:
        """Let the run have recorded something else."""
        restamp(self.folder, **changes)

    def outcomes(self, *numbers: int) -> dict[int, check.Outcome]:
        """What became of the given points, or of all."""
        root = self.folder.parents[1]
        return check.check(root, "bells", cache_of(root), only=numbers or check.NUMBERS)

    def missing(self, *numbers: int) -> dict[int, str]:
        """Those of them that are missing: what was seen, and what is to be done."""
        return {
            number: f"{outcome.saw} → {outcome.next}"
            for number, outcome in self.outcomes(*numbers).items()
            if outcome.kind == "missing"
        }


@pytest.fixture
def bells(judged_once: Path, checkout: Checkout) -> Judged:
    shutil.copytree(judged_once, checkout.root, dirs_exist_ok=True)
    return Judged(checkout.root / "projects" / "bells", checkout.command)


RAIN = '''
"""Does it rain?"""
import pandas as pd

from models import lent

SEEDS = [31, 32]
DAYS = 40
EPOCHS = 2


def table():
    """Days."""
    return pd.DataFrame({"day": range(DAYS), "rain": [day % 3 == 0 for day in range(DAYS)]})


def split(table, seed):
    """The last days are held out."""
    return {"train": table.head(30), "test": table.tail(10)}


def network(split, seed):
    """What a training leaves in the log, without the training."""
    lent.current.get().trained({"epochs": EPOCHS})
    return {"seed": seed}


def scores(network, seed):
    """Two models; the differences are .21 and .23."""
    return {"net": {"brier": 0.1 + seed / 1000}, "markov": {"brier": 0.28 + seed / 333}}
'''
RAIN_PROPOSAL = """\
---
date: 2026-11-25
pilots:
  - Seeds 1 and 2 on other days; <b>.19</b>.
hypotheses:
  - name: beats-markov
    claim: The net is <script>alert(1)</script> | better.
    metric: brier
    comparison: net < markov
    threshold: 0.1
    seeds: 2
---

## Plan

Train.
"""


class Rain:
    """The project `rain`, with a proposal, in a checkout of its own."""

    SOURCE, PROPOSAL = RAIN, RAIN_PROPOSAL

    def __init__(self, checkout):
        self.checkout = checkout
        self.project = checkout.write("rain", RAIN)
        self.folder = self.project.parent
        self.proposal = self.folder / "proposal.md"
        self.proposal.write_text(RAIN_PROPOSAL, "utf-8")
        self.file = self.folder / "seal.json"

    def propose(self, *options):
        return self.checkout.command("propose", "rain", *options)

    def sealed(self) -> dict:
        outcome = self.propose()
        assert outcome.code == 0, outcome.err
        return json.loads(self.file.read_text("utf-8"))

    def results(self) -> dict:
        self.checkout.train("rain")
        return json.loads((self.folder / "results" / "results.json").read_text("utf-8"))

    def log(self) -> list[dict]:
        return seal.trainings(self.folder)


@pytest.fixture
def rain(checkout):
    return Rain(checkout)
