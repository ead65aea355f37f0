"""The starters: each is a whole small project, which runs, passes its tests and can be read."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from projects.spine import proposal
from projects.spine.cli import main
from projects.spine.folders import BLANK
from projects.spine.starters import STARTERS

FILES = {
    "project.py", "proposal.md", "post.md", "references.bib", "datasheet.md", "modelcard.md",
    "test_project.py",
}  # fmt: skip


def test_there_is_a_folder_for_each_starter_and_no_other():
    assert {path.parent.name for path in BLANK.glob("*/project.py")} == set(STARTERS)


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_has_every_file_of_a_project_and_neither_results_nor_a_seal(name):
    assert {path.name for path in (BLANK / name).iterdir() if path.name[0] not in "._"} == FILES


@pytest.mark.parametrize("name", STARTERS)
def test_a_starters_question_is_a_question_and_says_where_to_begin(name):
    source = (BLANK / name / "project.py").read_text("utf-8")
    assert (ast.get_docstring(ast.parse(source)) or "").endswith("?")
    assert source.count("# Begin to change here") == 1
    assert "SEEDS = 3" in source


def test_help_and_a_wrong_name_list_the_starters(checkout):
    told = checkout.command("new", "--help").out
    wrong = checkout.command("new", "mine", "--model", "auto")
    assert wrong.code == 2
    for name, purpose in STARTERS.items():
        for text in (told, wrong.err):
            (line,) = [line for line in text.splitlines() if line.split()[:1] == [name]]
            assert line.endswith(purpose)
    assert not (checkout.root / "projects" / "mine").exists()


@pytest.fixture(scope="module")
def made(fresh_copy) -> Path:
    """A copy in which each starter was begun under a name of its own and run with `--quick`.

    All in this process, so that TensorFlow is loaded once.
    """
    root = fresh_copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOLIO_ROOT", str(root))
        for name in STARTERS:
            assert main(["new", f"my_{name}", "--model", name]) == 0
            assert main(["train", f"my_{name}", "--quick", "--debug"]) == 0, name
        assert main(["publish"]) == 0
    return root


@pytest.mark.slow
@pytest.mark.parametrize("name", STARTERS)
def test_a_starter_runs_and_its_post_shows_what_came_out(name, made):
    folder = made / "projects" / f"my_{name}"
    results = json.loads((folder / "results" / "results.json").read_text("utf-8"))
    assert results["draft"]
    assert results["data"]["rows"] > 5
    assert len(results["scores"]) >= 3
    assert results["live"]
    page = (made / "site" / "posts" / f"my_{name}" / "index.html").read_text("utf-8")
    assert "[[" not in page.partition("<article")[2].partition("</article>")[0]
    for hypothesis in proposal.read(folder).hypotheses:
        for metrics in results["scores"].values():
            assert hypothesis.metric in metrics
        models = hypothesis.comparison.split()[::2]
        assert set(models) <= set(results["scores"])


@pytest.mark.slow
def test_the_starters_own_tests_pass(made):
    files = [f"projects/my_{name}/test_project.py" for name in STARTERS]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *files],
        cwd=made,
        env={**os.environ, "PYTHONPATH": str(made)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout.splitlines()[-1]
