"""The page that shows a project as a notebook and as steps: both run, and find the same."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

PAGE = (Path(__file__).parents[2] / "blog/docs/howto/notebook.md").read_text("utf-8")
FENCE = re.compile(r"^```(\w*)(?: title=\"(.*?)\")?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = FENCE.findall(PAGE)
CELLS = [code for _, title, code in BLOCKS if title.startswith("A notebook: ")]
STEPS = [code for _, title, code in BLOCKS if title == "projects/seasons/project.py"]
NUMBER = re.compile(r"-?\d+\.\d+")


def shown_after(command: str) -> list[list[str]]:
    """What the page shows after each time that a command is typed, line by line."""
    texts = [text for _, _, text in BLOCKS]
    places = [place for place, text in enumerate(texts) if text.strip() == command]
    return [texts[place + 1].splitlines() for place in places]


def check(shown: list[str], told: str) -> None:
    """Every line is one of the output, but for seconds and the last digits of scores."""
    lines = [re.sub(r"  \[[^\[\]]*s\]$", "", line) for line in told.splitlines()]
    for line in shown:
        expected = re.sub(r"  \[[^\[\]]*s\]$", "", line)
        alike = [each for each in lines if words(each) == words(expected)]
        assert any(numbers(each) == pytest.approx(numbers(expected), abs=0.1) for each in alike), (
            f"{line}\n\n{told}"
        )


def words(line: str) -> str:
    """A line without its numbers."""
    return " ".join(NUMBER.sub("#", line).split())


def numbers(line: str) -> list[float]:
    """The numbers of a line that have a decimal point."""
    return [float(number) for number in NUMBER.findall(line)]


def test_each_cell_stands_beside_its_step():
    assert len(CELLS) == len(STEPS) == 6
    beside = re.findall(r"<div class=\"folio-beside\" markdown>\n(.*?)</div>", PAGE, re.DOTALL)
    assert len(beside) == 6
    for pair in beside:
        (_, left, _), (_, right, _) = FENCE.findall(pair)
        assert left.startswith("A notebook: ")
        assert right == "projects/seasons/project.py"


@pytest.mark.slow
def test_the_notebook_run_as_one_script_finds_what_the_steps_find(checkout, monkeypatch):
    checkout.write("seasons", "\n\n".join(STEPS))
    first, second = shown_after("folio train seasons")
    outcome = checkout.train("seasons")
    check(first, outcome.out)
    results = checkout.root / "projects" / "seasons" / "results" / "results.json"
    recorded = json.loads(results.read_text("utf-8"))["scores"]

    monkeypatch.chdir(checkout.root)
    names: dict = {"__name__": "__notebook__"}
    exec("\n".join(CELLS), names)
    assert len(names["table"]) == 1461
    for model, accuracy in names["scores"].items():
        assert recorded[model]["accuracy"]["values"] == [pytest.approx(accuracy, abs=1e-9)]

    project = checkout.root / "projects" / "seasons" / "project.py"
    checkout.edit(project, "EPOCHS = 10", "EPOCHS = 12")
    (shown,) = shown_after("folio status seasons")
    check(shown, checkout.command("status", "seasons").out)

    checkout.edit(project, "SEEDS = [0]", "SEEDS = 5")
    check(second, checkout.train("seasons").out)

    (shown,) = shown_after("folio show seasons scores --seed 3")
    check(shown, checkout.command("show", "seasons", "scores", "--seed", "3").out)

    (afterwards,) = [code for _, title, code in BLOCKS if title == "A notebook, afterwards"]
    exec(afterwards, names)
    assert sorted(names["seasons"].network) == [0, 1, 2, 3, 4]

    (shown,) = shown_after("folio scrape seasons --again")
    check(shown, checkout.command("scrape", "seasons", "--again", "--debug").out)


@pytest.mark.slow  # beside the one above, which has loaded Keras already
def test_the_test_on_the_page_tests_the_split(monkeypatch):
    (code,) = [code for _, title, code in BLOCKS if title.endswith("test_project.py")]
    page = ModuleType("seasons_page")
    monkeypatch.setitem(sys.modules, "seasons_page", page)
    exec("\n".join(STEPS), vars(page))
    names: dict = {}
    exec(code.replace("from . import project", "import seasons_page as project"), names)
    names["test_no_month_is_on_both_sides"]()
    split = page.split
    page.split = lambda days, seed: dict.fromkeys(split(days, seed), days)
    with pytest.raises(AssertionError):
        names["test_no_month_is_on_both_sides"]()
    assert shown_after("folio test seasons") == [["1 passed"]]
