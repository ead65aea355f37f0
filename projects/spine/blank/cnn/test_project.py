"""The steps, called as the plain functions they are."""

from types import SimpleNamespace

import pandas as pd

from . import project


def test_a_picture_that_stands_twice_is_kept_once():
    icons = pd.DataFrame({"image": [b"a", b"a", b"b"], "subject": ["key", "key", "star"]})
    assert list(project.table(icons)["image"]) == [b"a", b"b"]


def test_design_sets_are_held_out_whole():
    rows = [{"image": bytes([i]), "set": f"set {i % 10}", "subject": "key"} for i in range(100)]
    split = project.split(pd.DataFrame(rows), seed=3)
    sets = {part: set(frame["set"]) for part, frame in split.items()}
    assert not sets["train"] & sets["test"]
    assert not sets["train"] & sets["validation"]


def test_scores_are_shares_of_right_answers():
    answers = pd.DataFrame({"truth": ["key", "star"]})
    answers = answers.assign(majority="key", nearest=["star", "key"], cnn=["key", "star"])
    assert project.scores(answers, seed=0) == {
        "majority": {"accuracy": 0.5},
        "nearest": {"accuracy": 0.0},
        "cnn": {"accuracy": 1.0},
    }


def test_curves_are_drawn_from_every_seed():
    curves = pd.DataFrame({"accuracy": [0.1, 0.5], "val_accuracy": [0.1, 0.4]}, index=[1, 2])
    figure = project.curves({0: SimpleNamespace(curves=curves), 1: SimpleNamespace(curves=curves)})
    assert figure.light.startswith("<")
    assert figure.alt
