"""The steps, called as the plain functions they are."""

from types import SimpleNamespace

import pandas as pd

from . import project

DAY = {"rain": 0.0, "high": 20.0, "low": 10.0, "wind": 3.0}


def test_a_day_that_stands_twice_is_kept_once():
    days = pd.DataFrame([DAY | {"day": day} for day in ("1 May", "1 May", "2 May")])
    assert list(project.table(days)["day"]) == ["1 May", "2 May"]


def test_months_are_held_out_whole():
    rows = [DAY | {"month": f"2014-{i % 12 + 1:02}", "high": float(i)} for i in range(120)]
    split = project.split(pd.DataFrame(rows), seed=3)
    months = {part: set(frame["month"]) for part, frame in split.items()}
    assert not months["train"] & months["test"]
    assert not months["train"] & months["validation"]


def test_scores_are_shares_of_right_answers():
    answers = pd.DataFrame({"truth": ["winter", "summer"]})
    answers = answers.assign(majority="winter", logistic=["summer", "winter"], network="winter")
    assert project.scores(answers, seed=0) == {
        "majority": {"accuracy": 0.5},
        "logistic": {"accuracy": 0.0},
        "network": {"accuracy": 0.5},
    }


def test_curves_are_drawn_from_every_seed():
    curves = pd.DataFrame({"accuracy": [0.1, 0.5], "val_accuracy": [0.1, 0.4]}, index=[1, 2])
    figure = project.curves({0: SimpleNamespace(curves=curves), 1: SimpleNamespace(curves=curves)})
    assert figure.light.startswith("<")
    assert figure.alt
