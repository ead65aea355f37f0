"""Worker processes, seeds, and every way a run can end badly."""

from __future__ import annotations

import json
import os
import signal
import sys
import time

import psutil
import pytest

NAP = '''
"""Does it wake up?"""
import os
import time


def _note(step):
    with open(os.environ["STEPS_LOG"], "a") as log:
        log.write(step + "\\n")


def table():
    """Numbers."""
    _note("table")
    return [1, 2]


def nap(table):
    """Sleeps."""
    _note("nap")
    time.sleep(float(os.environ.get("NAP", "0")))
    return sum(table)
'''


def wait_for(checkout, step: str, process) -> None:
    deadline = time.monotonic() + 60
    while not (checkout.log.exists() and step in checkout.log.read_text().split()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "the step never began"
        time.sleep(0.05)


@pytest.fixture
def napping(checkout, monkeypatch):
    """A run that is asleep inside its second step."""
    checkout.write("nap", NAP)
    monkeypatch.setenv("NAP", "60")
    process = checkout.start("train", "nap")
    wait_for(checkout, "nap", process)
    monkeypatch.setenv("NAP", "0")
    yield process
    process.kill()
    process.communicate()


def test_kill_9_inside_a_step_costs_that_step_only_and_leaves_no_process(checkout, napping):
    workers = psutil.Process(napping.pid).children(recursive=True)
    assert workers
    napping.kill()
    napping.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    checkout.ran()
    outcome = checkout.command("train", "nap")
    assert outcome.code == 0, outcome.err
    assert checkout.ran() == ["nap"]
    assert not list((checkout.root / "projects" / "nap").rglob("*.aside"))


def test_a_second_run_of_a_project_is_told_who_runs_it_and_ends_with_75(checkout, napping):
    outcome = checkout.command("train", "nap")
    assert outcome.code == 75
    assert f"process {napping.pid}" in outcome.err
    assert "train nap" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
def test_ctrl_c_ends_with_130_says_what_is_kept_and_leaves_no_process(checkout, napping):
    workers = psutil.Process(napping.pid).children(recursive=True)
    napping.send_signal(signal.SIGINT)
    _, err = napping.communicate(timeout=30)
    assert napping.returncode == 130
    assert "What was finished is kept" in err
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive
    lock = json.loads((checkout.root / "projects/nap/folio.lock").read_text())
    assert list(lock["runs"]) == ["table"]


def test_code_edited_while_a_run_is_under_way_ends_the_run_with_the_reason(checkout, monkeypatch):
    path = checkout.write("nap", NAP + "\n\ndef after(nap):\n    return nap + 1\n")
    monkeypatch.setenv("NAP", "3")
    process = checkout.start("train", "nap")
    wait_for(checkout, "nap", process)
    checkout.edit(path, "return nap + 1", "return nap + 2")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "`after` was changed while the run was under way" in err
    monkeypatch.setenv("NAP", "0")
    checkout.ran()
    assert checkout.command("train", "nap").code == 0
    assert checkout.ran() == []


def test_code_edited_while_its_own_step_runs_is_not_kept_under_the_old_code(checkout, monkeypatch):
    path = checkout.write(
        "draws",
        NAP.replace("def nap(table)", "SEEDS = 1\n\n\ndef nap(table, seed)")
        + "\n\ndef scores(nap, seed):\n    return {'m': {'x': 1}}\n",
    )
    monkeypatch.setenv("NAP", "3")
    process = checkout.start("train", "draws")
    wait_for(checkout, "nap", process)
    checkout.edit(path, "{'x': 1}", "{'x': 2}")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "changed while the run was under way" in err
    monkeypatch.setenv("NAP", "0")
    checkout.edit(path, "{'x': 2}", "{'x': 1}")
    assert checkout.command("train", "draws").code == 0
    results = json.loads((path.parent / "results" / "results.json").read_text())
    assert results["scores"]["m"]["x"]["mean"] == 1


def test_a_step_that_returns_nothing_is_asked_for_its_return(checkout):
    checkout.write("bad", "def table():\n    [1, 2]\n")
    outcome = checkout.command("train", "bad", "--debug")
    assert outcome.code == 1
    assert "is a `return` missing?" in outcome.err


def test_a_number_that_is_none_is_refused_before_results_are_touched(checkout):
    path = checkout.write("ratio", "def ratio():\n    return {'a': 1.0}\n")
    checkout.train("ratio")
    results = path.parent / "results" / "results.json"
    before = results.read_bytes()
    checkout.edit(path, "1.0", "float('nan')")
    outcome = checkout.command("train", "ratio", "--debug")
    assert outcome.code == 1
    assert "step `ratio` gave nan" in outcome.err
    assert results.read_bytes() == before


def test_one_broken_project_does_not_stop_the_others(checkout, toy):
    checkout.write("aaa", "def table(:\n")
    outcome = checkout.command("status")
    assert outcome.code == 2
    assert "projects/aaa/project.py:1" in outcome.err
    assert "toy: up to date" in outcome.out


def test_a_project_that_is_running_is_not_removed(checkout, napping):
    outcome = checkout.command("remove", "nap", "--yes")
    assert outcome.code == 75
    assert (checkout.root / "projects" / "nap" / "project.py").exists()


def test_a_step_that_lacks_a_parameter_is_told_to_ask_for_it(checkout):
    checkout.write("bad", "def table():\n    'Numbers.'\n    return [seed]\n")
    outcome = checkout.command("train", "bad")
    assert outcome.code == 1
    assert "stopped: NameError: name 'seed' is not defined" in outcome.err
    assert "add `seed` there" in outcome.err


def test_a_step_that_raises_is_named_with_its_line_and_no_traceback(checkout):
    checkout.write("bad", "def table():\n    'Numbers.'\n    return [1][5]\n")
    outcome = checkout.command("train", "bad")
    assert outcome.code == 1
    assert "projects/bad/project.py:3: step `table` stopped: IndexError" in outcome.err
    assert "folio run bad --debug" in outcome.err
    assert "Traceback" not in outcome.err
    outcome = checkout.command("train", "bad", "--debug")
    assert "Traceback" in outcome.err
    assert "return [1][5]" in outcome.err


def test_a_step_that_returns_an_unsupported_kind_is_told_the_kinds(checkout):
    checkout.write("bad", "def table():\n    return {1, 2}\n")
    outcome = checkout.command("train", "bad")
    assert outcome.code == 1
    assert "projects/bad/project.py:1: step `table` returned a set" in outcome.err
    assert "a DataFrame or Series" in outcome.err


def test_a_worker_that_dies_is_told_with_what_to_try(checkout):
    checkout.write("bad", "import os\n\n\ndef table():\n    os._exit(9)\n")
    outcome = checkout.command("train", "bad")
    assert outcome.code == 3
    assert "ended from outside" in outcome.err
    assert "--jobs 1" in outcome.err


def test_what_a_step_prints_in_a_worker_goes_to_its_log(checkout):
    path = checkout.write("loud", "def table():\n    print('hello there')\n    return 1\n")
    outcome = checkout.command("train", "loud")
    assert outcome.code == 0
    assert "hello there" not in outcome.out
    assert "hello there" in (path.parent / ".folio" / "worker.log").read_text()


def test_control_characters_in_an_error_do_not_reach_the_terminal(checkout):
    checkout.write("bad", "def table():\n    raise ValueError('\\x1b[2J gone')\n")
    outcome = checkout.command("train", "bad")
    assert "\x1b" not in outcome.err
    assert "\\x1b[2J gone" in outcome.err


LEARNS = '''
"""Does a seed repeat?"""
import numpy as np

from models import classifier, training

SEEDS = 2


def network(seed):
    """A tiny network on noise: all that counts is that it repeats."""
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(64, 8)).astype("float32"), rng.integers(0, 2, 64)
    model = classifier.build(8, 2, hidden=(16,), dropout=0.2)
    return training.fit(model, (x[:48], y[:48]), (x[48:], y[48:]), epochs=2, batch_size=8)


def scores(network, seed):
    """The last loss, as a score."""
    return {"mlp": {"loss": float(network.curves["loss"].iloc[-1])}}
'''


@pytest.mark.slow
def test_the_same_seed_gives_the_same_weights_with_one_job_or_two(checkout):
    path = checkout.write("learns", LEARNS)
    lock = path.with_name("folio.lock")
    outcome = checkout.command("train", "learns", "--jobs", "1")
    assert outcome.code == 0, outcome.err
    first = {n: r["output"] for n, r in json.loads(lock.read_text())["runs"].items()}
    outcome = checkout.command("train", "learns", "--jobs", "2", "--again")
    assert outcome.code == 0, outcome.err
    second = {n: r["output"] for n, r in json.loads(lock.read_text())["runs"].items()}
    assert first == second
    assert first["network[seed=0]"] != first["network[seed=1]"]
    log = (path.parent / "results" / "runs.jsonl").read_text().splitlines()
    assert [json.loads(line)["seed"] for line in log[:2]] == [0, 1]
    assert len(log) == 4
    results = json.loads((path.parent / "results" / "results.json").read_text())
    assert results["trainings"] == 2
    assert results["parameters"] == {"network": 8 * 16 + 16 + 16 * 2 + 2}
    assert results["scores"]["mlp"]["loss"]["n"] == 2


def test_default_jobs_follow_cores_and_memory(monkeypatch):
    from projects.spine import runner

    memory = psutil.virtual_memory()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=2**30))
    assert runner.default_jobs(5) == 1
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory._replace(available=2**40))
    assert runner.default_jobs(1) <= 2
    assert runner.default_jobs(64) == len(os.sched_getaffinity(0))
