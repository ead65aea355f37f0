"""The steps, called as the plain functions they are."""

from types import SimpleNamespace

import numpy as np
import pandas as pd

from . import project

CHANCE = np.random.default_rng(0)


def _rows(count):
    return pd.DataFrame(
        {
            "number": range(count),
            "label": [project.DIGIT, project.DIGIT + 1] * (count // 2),
            "values": list(CHANCE.integers(0, 17, (count, 64))),
        }
    )


def test_only_the_one_digit_is_kept():
    table = project.table(_rows(10))
    assert list(table["number"]) == [0, 2, 4, 6, 8]


def test_every_row_goes_into_one_part():
    parts = project.split(_rows(100), seed=3)
    numbers = [number for part in parts.values() for number in part["number"]]
    assert sorted(numbers) == list(range(100))


def test_pictures_lie_between_paper_and_ink():
    pictures = project._pictures(pd.DataFrame({"values": [[0] * 64, [16] * 64]}))
    assert pictures.shape == (2, 8, 8, 1)
    assert pictures.mean(axis=(1, 2, 3)).tolist() == [0, 1]


def test_the_simpler_generators_make_as_many_pictures_as_asked_for(monkeypatch):
    nothing = SimpleNamespace(sample=lambda model, count, seed: np.zeros((count, 8, 8, 1)))
    monkeypatch.setattr(project, "gan", nothing)
    made = project._made(SimpleNamespace(model=None), {"train": _rows(60)}, 7, seed=1)
    assert list(made) == list(project.MODELS)
    for pictures in made.values():
        assert pictures.shape == (7, 8, 8, 1)
        assert pictures.min() >= 0
        assert pictures.max() <= 1
    assert made["pixels"].std(axis=0).min() > 0


def test_curves_are_the_medians_of_the_seeds():
    def run(value):
        columns = ["precision", "recall", "coverage"]
        rows = [[0.0] * 3, [value] * 3]
        return SimpleNamespace(curves=pd.DataFrame(rows, index=[1, 2], columns=columns))

    figure = project.curves({0: run(0.2), 1: run(0.4), 2: run(0.9)})
    assert figure.data["precision"].tolist() == [0, 0.4]
