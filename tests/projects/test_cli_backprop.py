"""`folio backprop`: what it prints and writes, what it refuses, and how it checks."""

from __future__ import annotations

import re

import pytest

from models import backprop
from models.backprop.formula import rounded


@pytest.fixture
def here(checkout, monkeypatch):
    """The checkout's folder, as the working directory."""
    monkeypatch.chdir(checkout.root)
    return checkout.root


def fill_in(path, change=None):
    """Write the right answers into an answer file, but for those in `change`."""
    text = path.read_text("utf-8")
    worked = backprop.worked((2, 1), seed=3)
    answers = {step.name: rounded(step.value) for step in worked.steps} | (change or {})
    lines = [
        re.sub(r"^(\d+),([^,]+),$", lambda m: f"{m[0]}{answers[m[2]]}", line)
        for line in text.splitlines()
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")


@pytest.fixture
def sheet(checkout, here):
    outcome = checkout.command("backprop", "--sizes", "2-1", "--seed", "3", "--sheet", "one.md")
    assert outcome.code == 0, outcome.err
    assert "folio backprop --check one.answers.csv" in outcome.out
    return here / "one.answers.csv"


def test_it_prints_every_step_of_the_example_asked_for(checkout, here):
    outcome = checkout.command("backprop")
    assert outcome.code == 0, outcome.err
    assert outcome.out == backprop.worked().text()
    asked = ["--sizes", "2-2-2", "--cost", "cross-entropy", "--activation", "tanh", "--seed", "4"]
    asked += ["--x", "0.5,-1", "--y", "0,1", "--learning-rate", "0.1"]
    outcome = checkout.command("backprop", *asked)
    worked = backprop.worked(
        (2, 2, 2), x=[0.5, -1], y=[0, 1], cost="cross_entropy", activation="tanh", seed=4,
        learning_rate=0.1,
    )  # fmt: skip
    assert outcome.out == worked.text()
    assert not list(here.glob("*.*"))


def test_the_page_and_the_drawings_are_written_and_may_be_written_again(checkout, here):
    outcome = checkout.command("backprop", "--markdown", "page.md", "--svg", "net.svg")
    assert outcome.code == 0, outcome.err
    names = {"page.md", "page.light.svg", "page.dark.svg", "net.svg", "net.dark.svg"}
    assert {path.name for path in here.glob("*.*")} == names
    assert "(page.light.svg#only-light)" in (here / "page.md").read_text("utf-8")
    before = (here / "page.md").read_text("utf-8")
    again = checkout.command("backprop", "--markdown", "page.md", "--seed", "1")
    assert again.code == 0
    assert (here / "page.md").read_text("utf-8") != before


def test_a_sheet_comes_with_a_file_to_fill_in_and_right_answers_end_with_0(checkout, sheet):
    empty = checkout.command("backprop", "--check", sheet.name)
    assert empty.code == 3
    assert "11 blanks: 11 missing." in empty.out
    fill_in(sheet)
    done = checkout.command("backprop", "--check", sheet.name)
    assert done.code == 0, done.out
    assert "11 blanks: 11 right." in done.out


def test_a_wrong_answer_ends_with_1_and_is_named(checkout, sheet):
    worked = backprop.worked((2, 1), seed=3)
    no_slope = worked["a1_1"].value - worked.given["y_1"]
    fill_in(sheet, {"delta1_1": f"{no_slope:.4f}".replace(".", ",")})
    outcome = checkout.command("backprop", "--check", sheet.name)
    assert outcome.code == 1
    assert "wrong: the factor σ'(z1_1) is missing" in outcome.out
    assert "Where it went wrong: delta1_1." in outcome.out


def test_a_blank_left_out_ends_with_3(checkout, sheet):
    fill_in(sheet, {"C": ""})
    outcome = checkout.command("backprop", "--check", sheet.name)
    assert outcome.code == 3
    assert "10 right, 1 missing" in outcome.out


@pytest.mark.parametrize("option", ["--sheet", "--markdown", "--svg"])
def test_nothing_is_written_over_a_persons_answers(checkout, sheet, option):
    fill_in(sheet)
    page = sheet.with_name("one.md")
    page.write_text(page.read_text("utf-8") + "my notes", "utf-8")
    kept = {path: path.read_bytes() for path in (sheet, page)}
    for target in ("one.md", "one.answers.csv"):
        outcome = checkout.command("backprop", option, target, "--seed", "8")
        assert outcome.code == 2
        assert "may hold somebody's work" in outcome.err
        assert {path: path.read_bytes() for path in kept} == kept
    assert not sheet.with_name("one.answers.answers.csv").exists()


def test_the_same_sheet_again_touches_nothing_and_is_no_error(checkout, sheet):
    outcome = checkout.command("backprop", "--sizes", "2-1", "--seed", "3", "--sheet", "one.md")
    assert outcome.code == 0


def test_a_part_of_the_steps_may_be_asked(checkout, here):
    outcome = checkout.command("backprop", "--sheet", "part.md", "--blanks", "deltas,update")
    assert outcome.code == 0, outcome.err
    text = (here / "part.answers.csv").read_text("utf-8")
    assert "\n1,slope2_1,\n" in text
    assert ",z1_1," not in text


def test_answers_saved_by_an_old_spreadsheet_are_read(checkout, sheet):
    fill_in(sheet)
    text = sheet.read_text("utf-8").replace(",", ";").replace(".", ",") + "; § ;\r\n"
    sheet.write_bytes(text.encode("latin-1"))
    outcome = checkout.command("backprop", "--check", sheet.name)
    assert outcome.code == 2
    assert "§ is no step of this network" in outcome.err
    sheet.write_bytes(text.replace("; § ;", ";; §").encode("latin-1"))
    bare = checkout.command("backprop", "--check", sheet.name)
    assert bare.code == 0, bare.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--sizes", "2-9-1"], "up to 6 neurons, not 9"),
        (["--sizes", "2-1-1-1-1-1"], "2 to 5 layers"),
        (["--sizes", "two"], "such as 2-2-1"),
        (["--activation", "sigmod"], "Did you mean 'sigmoid'"),
        (["--cost", "crossentropy"], "Did you mean 'cross_entropy'"),
        (["--head", "softmax"], "softmax goes with cost"),
        (["--x", "1,2,3"], "x must be a list of 2 numbers"),
        (["--x", "one"], "such as 0.5,0.1"),
        (["--x", ""], "such as 0.5,0.1"),
        (["--y", "nan"], "finite number"),
        (["--seed", "-1"], "--seed"),
        (["--learning-rate", "0"], "above 0"),
        (["--blanks", "deltas"], "--blanks goes with --sheet"),
        (["--sheet", "s.md", "--blanks", "delta"], "Did you mean 'deltas'"),
        (["--sheet", "."], "is a directory"),
        (["--check", "none.csv"], "none.csv cannot be read"),
        (["--check", "."], "is a directory"),
        (["--check", "x.csv", "--learning-rate", "1"], "--check stands alone, without --learning-"),
    ],
)
def test_what_cannot_work_ends_with_2(checkout, here, options, says):
    outcome = checkout.command("backprop", *options)
    assert outcome.code == 2
    assert says in outcome.err
    assert "Traceback" not in outcome.err
    assert not list(here.glob("*.*"))


def test_a_file_that_is_no_answer_file_says_what_was_expected(checkout, sheet):
    outcome = checkout.command("backprop", "--check", "one.md")
    assert outcome.code == 2
    assert "does not begin with the line number,name,answer" in outcome.err
    assert "folio backprop --sheet" in outcome.err
