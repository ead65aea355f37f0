"""A small checkout of its own for every test, and the `folio` command run in it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

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
