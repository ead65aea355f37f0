"""Exercise sheets on backpropagation: no solution in them, and a fair checker."""

from __future__ import annotations

import csv
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import backprop
from models.backprop import answers
from models.backprop.formula import rounded
from models.backprop.mistakes import typical
from models.errors import BadData, BadOption


@pytest.fixture
def worked():
    """Two hidden layers of two, so that every mistake can be made in it."""
    return backprop.worked((2, 2, 2, 2), seed=7)


def solved(worked, digits=4):
    return {step.name: rounded(step.value, digits) for step in worked.steps}


def verdicts(report):
    return {answer.name: answer.verdict for answer in report.answers}


def hint(report, name):
    (answer,) = (answer for answer in report.answers if answer.name == name)
    return answer.hint


@pytest.mark.parametrize("blanks", ["all", "forward", "deltas", "gradients", "update"])
def test_a_sheet_and_its_files_hold_no_solution(worked, blanks):
    sheet = worked.sheet(blanks, "net")
    assert len(sheet.blanks) == sheet.markdown.count("&nbsp; |")
    values = worked.values
    drawn = worked.svg(hidden=sheet.hidden)
    known = {value for name, value in values.items() if name not in sheet.hidden}
    for name in sheet.hidden:
        number = rounded(values[name], 3)
        if len(number.strip("-0.")) < 3 or values[name] in known:
            continue  # there for other reasons, as δ is where its ∂C/∂b is asked
        for place in (sheet.markdown, sheet.template, drawn.replace("−", "-")):
            assert f" {number}" not in place, name
            assert rounded(values[name], 4) not in place, name
    for number, name in enumerate(sheet.blanks, start=1):
        assert f"\n{number},{name},\n" in sheet.template
        assert f"| {number} | ${worked[name].latex}$ |" in sheet.markdown


def test_what_comes_before_the_blanks_is_shown_and_what_would_give_them_away_is_not(worked):
    sheet = worked.sheet("deltas")
    assert worked["C"].latex_numbers in sheet.markdown
    assert "(BP2)" in sheet.markdown
    assert "(BP3)" not in sheet.markdown
    both = worked.sheet(["deltas", "update"])
    assert "new_w1_11" in both.blanks
    assert "dC/dw1_11" not in both.blanks
    assert "dC/dw1_11" in both.hidden
    with pytest.raises(BadOption, match="Did you mean 'deltas'"):
        worked.sheet("delta")
    with pytest.raises(BadOption, match="must name what is asked"):
        worked.sheet([])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 4), min_size=2, max_size=4),
    st.integers(0, 1000),
    st.sampled_from(["sigmoid", "tanh", "relu"]),
    st.sampled_from(["quadratic", "cross_entropy"]),
    st.integers(3, 6),
)
def test_right_answers_are_right_however_they_are_rounded(sizes, seed, activation, cost, digits):
    worked = backprop.worked(sizes, seed=seed, activation=activation, cost=cost)
    assert backprop.check(worked.sheet(), solved(worked, digits)).all_right
    exact = {step.name: step.value for step in worked.steps}
    assert backprop.check(worked.sheet(), exact).all_right
    # A person who rounds at every step, and goes on from what was rounded.
    theirs = dict(worked.given)
    written = {}
    for step in worked.steps:
        written[step.name] = f"{step.formula.value(theirs):#.{digits}g}"
        theirs[step.name] = float(written[step.name])
    report = backprop.check(worked, written)
    assert not {"wrong", "carried"} & set(verdicts(report).values()), report.text()


@pytest.mark.parametrize(
    "text", ["0.3752", "0,3752", " 0.375 ", ".375", "+0,38", "≈ 0.375", "3.75e-1", "0.37522"]
)
def test_an_answer_may_be_written_as_people_write(text):
    worked = backprop.worked()
    assert worked["a1_1"].value == pytest.approx(0.37519, abs=1e-5)
    wanted = "right" if text != "0.37522" else "wrong"
    answer = backprop.check(worked, {"z1_1": "−0,51", "a1_1": text}).answers[2]
    assert (answer.name, answer.verdict) == ("a1_1", wanted)


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "missing"),
        ("   ", "missing"),
        ("about a half", "unreadable"),
        ("nan", "unreadable"),
        ("1e999", "unreadable"),
        ("0e999", "coarse"),
        ("1,2,3", "unreadable"),
        ("0.4", "coarse"),
        ("0", "coarse"),
        ("-0.375", "wrong"),
    ],
)
def test_what_is_not_an_answer_is_told_apart(text, verdict):
    worked = backprop.worked()
    report = backprop.check(worked, solved(worked) | {"a1_1": text})
    assert verdicts(report)["a1_1"] == verdict
    assert not report.all_right
    rest = {name: v for name, v in verdicts(report).items() if name != "a1_1"}
    assert set(rest.values()) == {"right"}


def test_what_follows_from_a_wrong_answer_is_not_held_against_the_person(worked):
    theirs = dict(worked.given)
    for step in worked.steps:
        value = step.formula.value(theirs)
        if step.name == "a1_1":
            value = theirs["z1_1"]  # forgot σ
        if step.name == "dC/dw3_12":
            value = theirs["delta3_1"]  # forgot the input
        theirs[step.name] = float(f"{value:.5g}")
    report = backprop.check(worked, {step.name: theirs[step.name] for step in worked.steps})
    assert report.faults == ("a1_1", "dC/dw3_12")
    by_name = {answer.name: answer for answer in report.answers}
    assert "activation function is still to be applied" in by_name["a1_1"].hint
    assert "a2_2 is missing" in by_name["dC/dw3_12"].hint
    assert by_name["z1_2"].verdict == by_name["a1_2"].verdict == "right"
    assert by_name["z2_1"].verdict == "carried"
    assert by_name["z2_1"].because == ("a1_1",)
    assert by_name["new_w3_12"].because == ("dC/dw3_12",)
    assert by_name["new_w3_11"].because == ("a1_1",)
    shown = report.text()
    assert "Where it went wrong: a1_1, dC/dw3_12." in shown
    assert "follows from a1_1; this step itself is right" in shown
    values = [rounded(worked[name].value) for name in ("a1_1", "z2_1", "dC/dw3_12")]
    assert not any(value in shown for value in values), "the right value is not given away"


def test_a_wrong_answer_corrected_later_carries_nothing(worked):
    given = solved(worked) | {"a1_1": "0.123"}
    assert backprop.check(worked, given).faults == ("a1_1",)
    assert backprop.check(worked, given).count("right") == len(worked.steps) - 1


def test_a_wrong_answer_carries_across_a_blank_that_was_left_out(worked):
    theirs = dict(worked.given)
    for step in worked.steps:
        theirs[step.name] = -step.formula.value(theirs) if step.name == "delta3_1" else (
            step.formula.value(theirs)
        )  # fmt: skip
    given = {step.name: theirs[step.name] for step in worked.steps}
    del given["dC/dw3_11"]
    report = backprop.check(worked, given)
    assert verdicts(report)["dC/dw3_11"] == "missing"
    assert verdicts(report)["new_w3_11"] == "carried"
    assert report.faults == ("delta3_1",)


V = {
    "z2_1": {
        "bias b is missing": "w2_11*a1_1 + w2_12*a1_2",
        "z of the layer before": "w2_11*z1_1 + w2_12*z1_2 + b2_1",
        "weights are transposed": "w2_11*a1_1 + w2_21*a1_2 + b2_1",
        "inputs that the weights": "w2_11 + w2_12 + b2_1",
        "this is a": "a2_1",
        "term with w2_12 is missing": "w2_11*a1_1 + b2_1",
    },
    "a1_2": {
        "this is z": "z1_2",
        "not σ(z)": "slope1_2",
        "decimal point": "a1_2 / 10",
        "value of a1_1": "a1_1",
    },
    "C": {"factor ½": "2*C", "sign": "-C"},
    "slope3_1": {
        "a itself": "a3_1",
        "z was used in place of a": "z3_1*(1 - z3_1)",
        "factor a is missing": "1 - a3_1",
    },
    "delta3_1": {
        "a - y, not y - a": "-delta3_1",
        "factor σ'(z3_1) is missing": "a3_1 - y_1",
        "a was used in place of σ'": "(a3_1 - y_1)*a3_1",
        "z was used in place of a": "(z3_1 - y_1)*slope3_1",
    },
    "delta2_1": {
        "factor σ'(z2_1) is missing": "w3_11*delta3_1 + w3_21*delta3_2",
        "the sign": "-delta2_1",
        "weights are not transposed": "(w3_11*delta3_1 + w3_12*delta3_2)*slope2_1",
        "weights are missing": "(delta3_1 + delta3_2)*slope2_1",
        "a was used in place of σ'": "(w3_11*delta3_1 + w3_21*delta3_2)*a2_1",
        "term with w3_21 is missing": "w3_11*delta3_1*slope2_1",
    },
    "dC/db2_1": {"not b": "b2_1*delta2_1", "in δ already": "delta2_1*slope2_1"},
    "dC/dw2_12": {
        "input factor a1_2 is missing": "delta2_1",
        "z of the layer before": "z1_2*delta2_1",
        "indices are swapped": "a1_1*delta2_2",
        "a of this layer": "a2_1*delta2_1",
        "weight was used": "w2_12*delta2_1",
        "decimal point": "100*a1_2*delta2_1",
    },
    "new_w2_12": {
        "subtracted, downhill": "w2_12 + eta*g",
        "learning rate η is missing": "w2_12 - g",
        "only the change": "-eta*g",
        "this is the gradient": "g",
    },
}
MISTAKES = [(name, words, made) for name, all_ in V.items() for words, made in all_.items()]


@pytest.mark.parametrize(("name", "words", "made"), MISTAKES, ids=lambda value: value)
def test_a_typical_mistake_is_named(worked, name, words, made):
    values = worked.values
    known = {n: v for n, v in values.items() if n.isidentifier()} | {"g": values["dC/dw2_12"]}
    wrong = eval(made, {"__builtins__": {}}, known)
    report = backprop.check(worked, solved(worked, 6) | {name: f"{wrong:.5g}"})
    assert report.faults == (name,)
    assert words in hint(report, name)


@pytest.mark.parametrize("cost", ["quadratic", "cross_entropy"])
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "linear"])
def test_no_mistake_on_the_list_is_taken_for_right(activation, cost):
    worked = backprop.worked((2, 2, 2), seed=5, activation=activation, cost=cost)
    named = 0
    for step in worked.steps:
        for words, formula in typical(worked, step):
            value = formula.value(worked.values)
            if float(f"{value:.3g}") == pytest.approx(float(f"{step.value:.3g}"), abs=1e-9):
                continue
            report = backprop.check(worked, solved(worked, 6) | {step.name: f"{value:.6g}"})
            assert report.faults == (step.name,), (step.name, words)
            named += hint(report, step.name) != ""
    assert named > 30


def test_an_answer_to_what_is_not_asked_is_refused(worked):
    with pytest.raises(BadOption, match="blank 'z1_1' is not known"):
        backprop.check(worked.sheet("deltas"), {"z1_1": 1})


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_answer_file_comes_back_from_any_editor_or_spreadsheet(worked, delimiter, tmp_path):
    sheet = worked.sheet("gradients")
    wanted = {name: solved(worked)[name].replace(".", ",") for name in sheet.blanks}
    path = tmp_path / "back.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter, lineterminator="\r\n")
        for row in csv.reader(sheet.template.splitlines()):
            row[2] = wanted.get(row[1], row[2].replace(".", ","))
            writer.writerow([*row, ""])
        writer.writerow(["", "", "", ""])
    again, blanks, written = answers.read(path.read_text("utf-8"))
    assert again == worked
    assert blanks == sheet.blanks
    assert written == wanted
    assert backprop.check(again, written, blanks).all_right


def test_a_decimal_comma_in_a_file_with_commas_needs_no_quotes():
    worked = backprop.worked((1, 1))
    text = re.sub(r"(?m)^1,z1_1,$", "1,z1_1,0,13", worked.sheet().template)
    assert answers.read(text)[2]["z1_1"] == "0,13"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: "", "does not begin with the line number,name,answer"),
        (lambda text: "hello\n" + text, "but with 'hello'"),
        (lambda text: text.replace("given,x_1", "given,x_9"), "x_1 is missing"),
        (lambda text: text.replace("given,eta,0.5", "given,eta,half"), "line 11: eta is given as"),
        (lambda text: text.replace("1,z1_1,", "1,z1_1,\n1,z1_1,"), "z1_1 is there twice"),
        (lambda text: text.replace("1,z1_1,", "1,z1_7,"), "z1_7 is no step of this network"),
        (lambda text: text.replace("1,z1_1,", "1"), "has no name in its second column"),
        (lambda text: text.replace("quadratic", "cubic"), "cost 'cubic' is not known"),
        (lambda text: re.sub(r"(?m)^\d+,.*\n", "", text), "no blank in it"),
        (lambda text: text.replace("given,eta", "given,momentum,1\ngiven,eta"), "of no use"),
        (lambda text: "number,name,answer\n1,z1_1,2", "cannot be worked out|is missing"),
    ],
)
def test_a_damaged_answer_file_is_told_with_its_line(change, says):
    text = backprop.worked((1, 1, 1)).sheet().template
    with pytest.raises(BadData, match=says):
        answers.read(change(text))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["z1_1", "a1_1", "C", "delta1_1"]), st.text(max_size=8)))
def test_no_text_upsets_the_checker(given):
    worked = backprop.worked((1, 1), cost="cross_entropy")
    backprop.check(worked, given).text()


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["z1_1", "a1_1", "slope1_1", "delta1_1"]), st.floats()))
def test_no_number_upsets_the_checker(given):
    backprop.check(backprop.worked((1, 1)), given).text()
