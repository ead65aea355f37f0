"""The whole road in a copy of this repository: a new project, run, published, removed."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from projects.spine import road
from projects.spine.project import names

REPOSITORY = Path(__file__).parents[2]
MADE = shutil.ignore_patterns(
    ".git", ".venv", ".folio", ".cache", "__pycache__", ".pytest_cache", ".ruff_cache",
    ".hypothesis",
)  # fmt: skip


def left_out(folder: str, names: list[str]) -> set[str]:
    """What a clone would not bring; the site is made at the root alone."""
    return MADE(folder, names) | ({"site"} if Path(folder) == REPOSITORY else set())


pytestmark = pytest.mark.slow


def folio(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "projects.spine.cli", *arguments],
        cwd=clone,
        env={**os.environ, "FOLIO_ROOT": str(clone), "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
        timeout=400,
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory) -> Path:
    """A copy of this repository with its samples taken away."""
    target = tmp_path_factory.mktemp("road") / "folio"
    shutil.copytree(REPOSITORY, target, ignore=left_out)
    for name in names(target):
        assert folio(target, "remove", name, "--yes").returncode == 0
    return target


def text_of(page: Path) -> str:
    """Return what a reader sees of a page, runs of white space made one space."""
    visible = re.sub(r"<(script|style).*?</\1>|<[^>]+>", " ", page.read_text("utf-8"), flags=re.S)
    return " ".join(html.unescape(visible).split())


def test_a_new_project_runs_at_once_and_its_post_shows_its_results(clone):
    assert folio(clone, "new", "mine", "--model", "classifier").returncode == 0
    done = folio(clone, "run", "mine")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Plan" in done.stdout
    assert str(clone / "site") in done.stdout.splitlines()[-2]
    results = json.loads((clone / "projects/mine/results/results.json").read_text("utf-8"))
    assert results["data"]["pages"] == 48
    scores = results["scores"]
    assert scores["network"]["accuracy"]["mean"] > scores["majority"]["accuracy"]["mean"] + 0.2
    shown = text_of(clone / "site" / "posts" / "mine" / "index.html")
    for model, metrics in scores.items():
        value = metrics["accuracy"]
        row = f"{model} {value['mean']:.3f} ({value['low']:.3f}–{value['high']:.3f})"
        assert row in shown, row
    assert f"{results['data']['rows']:,} days from {results['data']['pages']:,} pages" in shown


def test_a_second_run_does_nothing(clone):
    done = folio(clone, "run")
    assert done.returncode == 0, done.stderr
    assert "mine: up to date" in done.stdout
    assert "site: up to date" in done.stdout


def test_an_edited_story_is_rendered_and_nothing_is_run(clone):
    post = clone / "projects/mine/post.md"
    post.write_text(post.read_text("utf-8").replace("Say here what", "I ask what"), "utf-8")
    done = folio(clone, "run")
    assert "mine: up to date" in done.stdout
    assert "I ask what" in text_of(clone / "site" / "posts" / "mine" / "index.html")


def test_the_tests_of_the_new_project_pass(clone):
    done = folio(clone, "test", "mine", "-q")
    assert done.returncode == 0, done.stdout
    assert "4 passed" in done.stdout


def test_without_any_project_the_site_builds_and_undo_brings_all_back(clone):
    removed = clone / ".folio" / "removed"
    samples = {p.name for p in removed.iterdir()} if removed.is_dir() else set()
    assert folio(clone, "remove", "mine", "--yes").returncode == 0
    done = folio(clone, "publish")
    assert done.returncode == 0, done.stderr
    assert not (clone / "site" / "posts" / "mine").exists()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/test_readme.py", "tests/test_arrows.py"],
        cwd=clone,
        env={**os.environ, "PYTHONPATH": str(clone)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    for name in ("mine", *samples):
        done = folio(clone, "remove", name, "--undo")
        assert done.returncode == 0, done.stderr
    done = folio(clone, "publish")
    assert done.returncode == 0, done.stderr
    for name in ("mine", *samples):
        assert (clone / "site" / "posts" / name / "index.html").exists()
    assert "mine: up to date" in folio(clone, "status").stdout


def test_a_score_that_no_seed_changes_is_told_without_an_interval_of_no_width():
    told: list[str] = []
    same = {"mean": 0.25, "low": 0.25 - 1e-16, "high": 0.25}
    other = {"mean": 0.25, "low": 0.2, "high": 0.3}
    road.show_scores({"size": {"accuracy": same}, "cnn": {"accuracy": other}}, {}, told.append)
    assert told[1:] == ["  size accuracy  0.2500", "  cnn accuracy   0.2500 [0.2000, 0.3000]"]


def test_that_a_figure_was_drawn_before_does_not_make_it_the_committed_one(checkout):
    source = '''
        """Is it dark?"""
        from PIL import Image


        def dot():
            """A dot."""
            return Image.new("L", (2, 2), 9)


        def count():
            """How many."""
            return 1
    '''
    path = checkout.write("dots", source)
    checkout.train("dots")
    checkout.edit(path, "(2, 2), 9", "(2, 2), 8")
    assert re.search(r"✓ dot: drawn  \[", checkout.train("dots").out)
    again = checkout.train("dots", "--again").out
    assert re.search(r"✓ dot: drawn  \[", again)
    assert "✓ count: 1 (as committed)" in again
