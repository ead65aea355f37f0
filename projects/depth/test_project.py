"""The steps of `depth`, called as the plain functions they are."""

import json

import numpy as np
import pandas as pd
import pytest

from scraping import Page

from . import project


def rows(labels, **columns):
    """Digits that are blank but for one pixel, whose place is the label's."""
    pixels = [(16 * np.eye(64, dtype=int)[6 * label]).tolist() for label in labels]
    return pd.DataFrame(
        {"label": labels, "pixels": pixels, "number": range(len(labels)), **columns}
    )


def test_a_portion_of_the_archive_is_read():
    item = {"id": 7, "label": 3, "image": "/7.png", "pixels": [[0, 16] * 4] * 8}
    page = Page.of(json.dumps({"results": [item], "attribution": "E. A.", "licence": "CC BY 4.0"}))
    (digit,) = project.digits(page)
    assert (digit.number, digit.label, len(digit.pixels)) == (7, 3, 64)
    assert digit.pixels[:3] == [0, 16, 0]
    assert digit.licence == "CC BY 4.0"


def test_a_portion_of_the_viewer_is_read(monkeypatch):
    monkeypatch.setattr(project, "SOURCE", "web")
    row = {f"pixel_{place}": float(place % 17) for place in range(64)} | {"target": 5}
    answer = {
        "features": [{"feature_idx": 0, "name": "pixel_0", "type": {"dtype": "float64"}}],
        "rows": [{"row_idx": 100, "row": row, "truncated_cells": []}],
        "num_rows_total": 1797,
    }
    (digit,) = project.digits(Page.of(json.dumps(answer)))
    assert (digit.number, digit.label) == (100, 5)
    assert digit.pixels == [place % 17 for place in range(64)]


def test_a_new_sheet_begins_where_the_form_does():
    form = [*range(10), *range(10), *[7] * 110]
    spoilt = [1, 2, *range(2, 10), *range(10), *[3] * 105]  # two of the first digits are lost
    table = project.table(rows([*form, *spoilt, *form]).sample(frac=1, random_state=1))
    assert list(table["number"]) == list(range(len(table)))
    assert table["sheet"].value_counts(sort=False).to_dict() == {1: 130, 2: 125, 3: 130}


def test_no_sheet_is_on_both_sides():
    table = rows([0, 1] * 40, sheet=np.repeat(range(10), 8))
    parts = project.split(table, seed=1)
    sheets = [set(part["sheet"]) for part in parts.values()]
    assert sum(map(len, sheets)) == 10
    assert not sheets[0] & sheets[2]


def test_the_gradient_of_sigmoids_vanishes_and_that_of_relu_does_not():
    np.random.seed(1)
    found = project.gradients({"train": rows(list(range(10)) * 20)}, seed=1)
    first, *_, last = found["sigmoid_xavier_8"]
    assert first < 1e-3 * last
    first, *_, last = found["relu_he_8"]
    assert first > 1e-2 * last
    assert len(found["tanh_large_4"]) == 5


def test_bias_and_variance_add_up_to_the_squared_error(monkeypatch):
    np.random.seed(1)
    monkeypatch.setattr(project, "FEW_EPOCHS", 2)
    digits = rows(list(range(10)) * 3)
    draws = [digits.sample(12, random_state=seed) for seed in range(3)]
    split = {"validation": digits, "test": digits}
    found = project._decomposed(draws, split, width=4)
    assert set(found) == {"train", "validation", "test", "bias", "variance"}
    assert found["variance"] > 0
    assert 0 < found["bias"] + found["variance"] < 2


def test_equal_networks_have_no_variance(monkeypatch):
    class Sure:
        def fit(self, *_, **__): ...

        def evaluate(self, x, y):
            return {"accuracy": 1.0}

        def predict(self, x):
            return np.tile(np.eye(10)[0], (len(x), 1))

    monkeypatch.setattr(project.scratch, "build", lambda *_, **__: Sure())
    digits = rows([0, 1])
    found = project._decomposed([digits] * 4, {"validation": digits, "test": digits})
    assert found["variance"] == 0
    assert found["bias"] == pytest.approx(1.0)  # 0 for the nought, 2 for the one


def test_validation_chooses_among_the_strengths_of_each_kind():
    tried = [f"{option} {s}" for option, strengths in project.STRENGTHS.items() for s in strengths]
    few = pd.DataFrame({"validation": [0.3, 0.1, 0.9, 0.2, 0.4]}, index=tried)
    assert project._chosen(few) == {
        "plain": "plain", "early": "early stopping", "l2": "l2 0.01", "dropout": "dropout 0.2",
    }  # fmt: skip


def test_quarters_are_mean_ink_of_sixes_and_nines_only():
    picture = np.zeros((8, 8), int)
    picture[:4, 4:] = 16
    six = pd.DataFrame({"label": [6, 1, 9], "pixels": [picture.ravel().tolist()] * 3})
    x, y = project._quartered(six)
    assert x.tolist() == [[0, 1, 0, 0]] * 2
    assert y.tolist() == [0, 1]


def test_accuracies_are_of_the_columns_behind_the_sheet():
    guesses = rows([1, 2], sheet=1).assign(nearest=[1, 1], relu_2=[1, 2])
    assert project._accuracies(guesses) == {
        "nearest": {"accuracy": 0.5}, "relu_2": {"accuracy": 1.0},
    }  # fmt: skip
