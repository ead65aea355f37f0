"""The steps, called as the plain functions they are."""

from types import SimpleNamespace

import pandas as pd

from . import project


def test_the_pages_of_a_speech_become_one_row_in_their_order():
    parts = pd.DataFrame({"speech": ["b", "a", "b"], "text": ["one", "x", "two"], "licence": "CC0"})
    table = project.table(parts)
    assert list(table["speech"]) == ["a", "b"]
    assert list(table["text"]) == ["x", "one\ntwo"]
    assert list(table["licence"]) == ["CC0", "CC0"]


def test_speeches_are_held_out_whole():
    rows = [{"speech": f"speech {i}", "text": "my fellow citizens"} for i in range(8)]
    split = project.split(pd.DataFrame(rows), seed=3)
    assert {part: len(frame) for part, frame in split.items()} == {
        "train": 5,
        "validation": 1,
        "test": 2,
    }


def test_scores_are_means_over_the_speeches():
    bits = pd.DataFrame({"part": ["test", "test", "validation"], "speech": ["a", "b", "c"]})
    bits = bits.assign(unigram=4.0, trigram=3.0, fivegram=2.0, gru=[2.0, 3.0, 9.0])
    scores = project.scores(bits, seed=0)
    assert scores["gru"] == {"bits_per_character": 2.5}
    assert scores["fivegram"] == {"bits_per_character": 2.0}
    assert project.validation(bits, seed=0)["gru"] == {"bits_per_character": 9.0}


def test_the_hardest_speech_comes_first():
    bits = pd.DataFrame({"speech": ["easy", "hard"], "trigram": [2.0, 3.0], "gru": [2.0, 3.0]})
    bits = bits.assign(part="test")
    assert list(project.hardest({0: bits, 1: bits}).index) == ["hard", "easy"]


def test_curves_are_drawn_from_every_seed():
    curves = pd.DataFrame({"loss": [3.1, 2.5], "val_loss": [3.1, 2.4]}, index=[1, 2])
    figure = project.curves({0: SimpleNamespace(curves=curves), 1: SimpleNamespace(curves=curves)})
    assert figure.light.startswith("<")
    assert figure.alt
