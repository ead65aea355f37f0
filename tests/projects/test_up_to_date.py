"""The rule of what is up to date, one sentence a test."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from projects.spine import libraries


def values_of(toy: Path, step: str) -> list[Path]:
    return sorted((toy.parent / ".folio" / "values" / step).rglob("value.json"))


def test_a_second_run_runs_nothing(checkout, toy):
    checkout.train("toy")
    assert checkout.ran() == []


def test_touching_the_file_runs_nothing(checkout, toy):
    later = time.time() + 60
    os.utime(toy, (later, later))
    checkout.train("toy")
    assert checkout.ran() == []


def test_editing_a_comment_a_docstring_or_the_layout_runs_nothing(checkout, toy):
    checkout.edit(toy, '"""Twice the numbers."""', '"""Two times."""  # as it says')
    checkout.edit(toy, "return FACTOR * number", "return (\n        FACTOR * number\n    )")
    checkout.train("toy")
    assert checkout.ran() == []


def test_a_changed_setting_runs_what_uses_it_and_status_says_from_what_to_what(checkout, toy):
    checkout.edit(toy, "FACTOR = 2", "FACTOR = 3")
    assert "✗ doubled: FACTOR 2 → 3" in checkout.command("status", "toy").out
    checkout.train("toy")
    assert checkout.ran() == ["doubled", "total"]


def test_going_back_to_an_earlier_setting_uses_the_value_that_was_kept(checkout, toy):
    checkout.edit(toy, "FACTOR = 2", "FACTOR = 3")
    checkout.train("toy")
    checkout.ran()
    checkout.edit(toy, "FACTOR = 3", "FACTOR = 2")
    checkout.train("toy")
    assert checkout.ran() == []
    assert "✓ total: 12" in checkout.command("status", "toy").out


def test_a_changed_helper_in_the_same_file_runs_what_uses_it(checkout, toy):
    checkout.edit(toy, "return FACTOR * number", "return FACTOR * number + 1")
    assert "helper _double changed" in checkout.command("status", "toy").out
    checkout.train("toy")
    assert checkout.ran() == ["doubled", "total"]


def test_a_step_whose_output_stays_the_same_lets_later_steps_be(checkout, toy):
    checkout.edit(toy, "return FACTOR * number", "return number * FACTOR")
    checkout.train("toy")
    assert checkout.ran() == ["doubled"]


def test_a_changed_step_runs_again_and_earlier_ones_do_not(checkout, toy):
    checkout.edit(toy, "return sum(doubled)", "return sum(doubled) + 1")
    checkout.train("toy")
    assert checkout.ran() == ["total"]


def test_a_changed_module_level_statement_runs_everything(checkout, toy):
    toy.write_text(toy.read_text() + "\nos.environ['TOY'] = '1'\n")
    checkout.train("toy")
    assert checkout.ran() == ["table", "doubled", "total"]


@pytest.fixture
def with_modules(checkout, toy) -> Path:
    """The toy, with a helper module it imports and a module that it does not."""
    toy.with_name("shapes.py").write_text("def double(number):\n    return 2 * number\n")
    toy.with_name("unrelated.py").write_text("X = 1\n")
    checkout.edit(toy, "import os\n", "import os\n\nfrom .shapes import double\n")
    checkout.edit(toy, "return FACTOR * number", "return double(number)")
    checkout.train("toy")
    checkout.ran()
    return toy


def test_a_changed_helper_module_runs_what_reaches_it(checkout, with_modules):
    with_modules.with_name("shapes.py").write_text("def double(number):\n    return 3 * number\n")
    assert "projects/toy/shapes.py changed" in checkout.command("status", "toy").out
    checkout.train("toy")
    assert checkout.ran() == ["doubled", "total"]


def test_an_unrelated_module_runs_nothing(checkout, with_modules):
    with_modules.with_name("unrelated.py").write_text("X = 2\n")
    checkout.train("toy")
    assert checkout.ran() == []


def test_a_module_behind_a_module_counts(checkout, with_modules):
    folder = with_modules.parent
    (folder / "shapes.py").write_text(
        "from .numbers import TWO\n\n\ndef double(number):\n    return TWO * number\n"
    )
    (folder / "numbers.py").write_text("TWO = 2\n")
    checkout.train("toy")
    checkout.ran()
    (folder / "numbers.py").write_text("TWO = 5\n")
    checkout.train("toy")
    assert checkout.ran() == ["doubled", "total"]


def test_a_library_of_another_version_runs_what_imports_it(checkout, toy, monkeypatch):
    checkout.edit(toy, "import os\n", "import os\n\nimport numpy\n")
    checkout.edit(toy, "return sum(doubled)", "return int(numpy.sum(doubled))")
    checkout.train("toy")
    checkout.ran()
    real = libraries.version
    monkeypatch.setattr(libraries, "version", lambda n, c: "99.0" if n == "numpy" else real(n, c))
    assert "→ 99.0" in checkout.command("status", "toy").out
    checkout.train("toy")
    assert checkout.ran() == ["total"]


def test_a_changed_file_read_through_local_runs_the_step_again(checkout):
    path = checkout.write(
        "notes",
        '''
        """What do the notes say?"""
        from scraping import local

        def words():
            """The words of a file added by hand."""
            return local("data/notes.txt").read_text().split()
        ''',
    )
    notes = path.parent / "data" / "notes.txt"
    notes.parent.mkdir()
    notes.write_text("one two")
    checkout.train("notes")
    assert "words: 2 values" in checkout.command("status", "notes").out
    notes.write_text("one two three")
    assert "data/notes.txt changed" in checkout.command("status", "notes").out
    checkout.train("notes")
    assert "words: 3 values" in checkout.command("status", "notes").out
    notes.unlink()
    assert "data/notes.txt is gone" in checkout.command("status", "notes").out


def test_an_output_edited_by_hand_is_noticed_and_made_again(checkout, toy):
    (file,) = values_of(toy, "doubled")
    file.write_text("[0, 2, 4, 7]")
    assert "its stored value.json was changed" in checkout.command("status", "toy").out
    checkout.train("toy")
    assert checkout.ran() == ["doubled"]
    assert json.loads(file.read_text()) == [0, 2, 4, 6]


def test_a_deleted_output_is_noticed_and_made_again(checkout, toy):
    (file,) = values_of(toy, "doubled")
    file.unlink()
    assert "its stored value.json was deleted" in checkout.command("status", "toy").out
    shutil.rmtree(file.parents[2])
    assert "its stored value was deleted" in checkout.command("status", "toy").out
    checkout.train("toy")
    assert checkout.ran() == ["doubled"]


def test_a_damaged_manifest_is_noticed_and_made_again(checkout, toy):
    (file,) = values_of(toy, "table")
    (file.parent / "manifest.json").write_text("{")
    checkout.train("toy")
    assert checkout.ran() == ["table"]


def test_a_clone_without_values_is_recorded_and_a_bare_run_leaves_it(checkout, toy):
    checkout.write("other", '"""Is there another?"""\n\n\ndef one():\n    return 1\n')
    checkout.train("other")
    shutil.rmtree(toy.parent / ".folio")
    assert "toy: as recorded" in checkout.command("status").out
    plan = checkout.command("run", "--dry-run")
    assert "toy: as recorded; nothing changed" in plan.out
    checkout.ran()
    checkout.train("toy")  # named: made anew
    assert checkout.ran() == ["table", "doubled", "total"]


def test_a_changed_step_in_a_clone_makes_the_recorded_values_the_results_need(checkout, toy):
    shutil.rmtree(toy.parent / ".folio")
    checkout.edit(toy, "return sum(doubled)", "return sum(doubled) + 1")
    plan = checkout.command("run", "toy", "--dry-run").out
    assert "table" in plan
    checkout.train("toy")
    assert checkout.ran() == ["table", "doubled", "total"]


def test_a_renamed_step_is_new_and_the_old_name_leaves_the_lock(checkout, toy):
    checkout.edit(toy, "def total(", "def whole(")
    assert "✗ whole: never run" in checkout.command("status", "toy").out
    checkout.train("toy")
    lock = json.loads((toy.parent / "folio.lock").read_text())
    assert list(lock["runs"]) == ["table", "doubled", "whole"]


def test_more_seeds_leave_the_seeds_that_were_run(checkout):
    path = checkout.write(
        "seeds",
        '''
        """Do seeds repeat?"""
        import os
        import random

        SEEDS = 2


        def draw(seed):
            """One number."""
            with open(os.environ["STEPS_LOG"], "a") as log:
                log.write(f"draw{seed}\\n")
            return random.random()


        def biggest(draw):
            """The largest of them."""
            return max(draw.values())
        ''',
    )
    checkout.train("seeds")
    assert checkout.ran() == ["draw0", "draw1"]
    checkout.edit(path, "SEEDS = 2", "SEEDS = 3")
    checkout.train("seeds")
    assert checkout.ran() == ["draw2"]
    checkout.edit(path, "SEEDS = 3", "SEEDS = [2, 7]")
    checkout.train("seeds")
    assert checkout.ran() == ["draw7"]


def test_again_makes_every_value_anew_and_leaves_nothing_to_commit(checkout, toy):
    folder = toy.parent
    committed = [folder / "folio.lock", folder / "results" / "results.json"]
    before = [path.read_bytes() for path in committed]
    checkout.train("toy", "--again")
    assert [path.read_bytes() for path in committed] == before
    assert checkout.ran() == ["table", "doubled", "total"]


def test_dry_run_shows_the_plan_and_runs_nothing(checkout, toy):
    checkout.edit(toy, "SIZE = 4", "SIZE = 5")
    outcome = checkout.command("train", "toy", "--dry-run")
    assert "SIZE 4 → 5" in outcome.out
    assert checkout.ran() == []


def test_set_tries_a_setting_and_leaves_results_and_lock_alone(checkout, toy):
    results = (toy.parent / "results" / "results.json").read_bytes()
    lock = (toy.parent / "folio.lock").read_bytes()
    outcome = checkout.train("toy", "--set", "FACTOR=10")
    assert checkout.ran() == ["doubled", "total"]
    assert ".folio/tries/FACTOR=10/results/results.json written" in outcome.out
    tried = json.loads((toy.parent / ".folio/tries/FACTOR=10/results/results.json").read_text())
    assert tried["values"]["total"] == 60
    assert tried["settings"]["FACTOR"] == 10
    assert (toy.parent / "results" / "results.json").read_bytes() == results
    assert (toy.parent / "folio.lock").read_bytes() == lock
    checkout.train("toy")
    assert checkout.ran() == []


def test_many_tries_do_not_push_the_projects_own_value_out(checkout, toy):
    for factor in (3, 4, 5, 6):
        checkout.train("toy", "--set", f"FACTOR={factor}")
    checkout.ran()
    checkout.train("toy")
    assert checkout.ran() == []


def test_a_no_op_run_imports_neither_tensorflow_nor_pandas(checkout, toy):
    script = (
        "import sys; from projects.spine.cli import main; code = main(['train', 'toy']); "
        "print(code, [m for m in ('tensorflow', 'keras', 'pandas', 'numpy', 'rich') "
        "if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 []", done.stderr


def test_a_single_value_that_was_brought_back_is_recorded(checkout, toy):
    lock = toy.parent / "folio.lock"
    before = lock.read_text()
    checkout.edit(toy, "return sum(doubled)", "return sum(doubled) + 1")
    checkout.train("toy")
    checkout.edit(toy, "return sum(doubled) + 1", "return sum(doubled)")
    checkout.train("toy")
    assert lock.read_text() == before
    assert checkout.train("toy").out == "toy: up to date\n"


def test_results_of_other_values_are_written_again(checkout, toy):
    results = toy.parent / "results" / "results.json"
    old = results.read_bytes()
    checkout.edit(toy, "return sum(doubled)", "return sum(doubled) + 1")
    checkout.train("toy")
    results.write_bytes(old)  # as git checkout would, or a kill before they were written
    checkout.ran()
    checkout.train("toy")
    assert checkout.ran() == []
    assert json.loads(results.read_text())["values"]["total"] == 13


def test_a_changed_question_reaches_the_results_and_runs_nothing(checkout, toy):
    checkout.edit(toy, "Do toys add up?", "Do toys add up at all?")
    checkout.train("toy")
    assert checkout.ran() == []
    results = json.loads((toy.parent / "results" / "results.json").read_text())
    assert results["question"] == "Do toys add up at all?"


def test_a_module_whose_names_are_all_imported_counts(checkout, toy):
    toy.with_name("extra.py").write_text("LIMIT = 1\n")
    checkout.edit(toy, "import os\n", "import os\n\nfrom .extra import *\n")
    checkout.train("toy")
    checkout.ran()
    toy.with_name("extra.py").write_text("LIMIT = 2\n")
    checkout.train("toy")
    assert checkout.ran() == ["table", "doubled", "total"]


@pytest.mark.parametrize("text", ["[]", "null", '{"version": 2}', "{", "\x00"])
def test_a_damaged_cache_costs_nothing_but_time(checkout, toy, text):
    (checkout.root / ".folio").mkdir(exist_ok=True)
    (checkout.root / ".folio" / "cache.json").write_text(text)
    checkout.train("toy")
    assert checkout.ran() == []
