"""The steps, called as the plain functions they are."""

import io

import numpy as np
import pandas as pd
from PIL import Image

from . import project


def _png(grey):
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), grey, dtype="uint8")).save(file, "PNG")
    return file.getvalue()


def test_a_picture_that_stands_twice_is_kept_once():
    digits = pd.DataFrame({"image": [b"a", b"a", b"b"], "label": ["1", "1", "7"]})
    assert list(project.table(digits)["image"]) == [b"a", b"b"]


def test_every_picture_goes_into_one_part():
    table = pd.DataFrame({"image": [bytes([i]) for i in range(100)], "label": "1"})
    parts = project.split(table, seed=3)
    images = [image for part in parts.values() for image in part["image"]]
    assert sorted(images) == list(table["image"])
    assert len(parts["test"]) == 25


def test_ink_is_1_and_paper_0():
    pictures = project._pictures(pd.DataFrame({"image": [_png(255), _png(0)]}))
    assert pictures.shape == (2, 8, 8, 1)
    assert pictures.mean(axis=(1, 2, 3)).tolist() == [0, 1]


def test_a_distance_is_the_mean_of_squares():
    pictures = np.zeros((2, 8, 8, 1))
    made = np.stack([np.full((8, 8, 1), value) for value in (0.5, 1)])
    assert project._distance(pictures, made).tolist() == [0.25, 1]


def test_scores_are_means_over_the_pictures():
    errors = pd.DataFrame({"label": ["1", "7"], "mean": [0.1, 0.3], "pca": 0.1, "network": 0.05})
    scores = project.scores(errors, seed=0)
    assert scores["mean"] == {"mean_squared_error": 0.2}
    assert scores["network"] == {"mean_squared_error": 0.05}
