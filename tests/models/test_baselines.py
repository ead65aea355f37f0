"""What a network has to beat."""

import numpy as np
import pytest

from models import baselines, evaluation
from models.errors import BadData


def test_majority_answers_the_commonest_label_with_the_shares_as_probabilities():
    fitted = baselines.majority(["dog", "cat", "dog", "eel"])
    assert fitted.predict(np.zeros((2, 5))).tolist() == ["dog", "dog"]
    np.testing.assert_allclose(fitted.predict_proba(np.zeros((1, 5))), [[0.25, 0.5, 0.25]])
    assert fitted.classes.tolist() == ["cat", "dog", "eel"]


def test_nearest_answers_with_the_label_of_the_most_similar_example():
    fitted = baselines.nearest([[0.0, 0.0], [1.0, 1.0]], ["zero", "one"])
    assert fitted.predict([[0.2, 0.3], [0.9, 0.6]]).tolist() == ["zero", "one"]


def test_pictures_are_flattened_and_both_beat_the_majority(digits):
    x, y = digits["test"]
    least = evaluation.accuracy(y, baselines.majority(digits["train"][1]).predict(x))
    for fit in (baselines.logistic, baselines.nearest):
        fitted = fit(*digits["train"])
        assert evaluation.accuracy(y, fitted.predict(x)) > 0.85 > least
        assert fitted.predict_proba(x).shape == (len(x), 10)


def test_validation_data_choose_how_strongly_logistic_regression_is_held_back(digits):
    x, y = digits["train"]
    few, unseen = (x[:200], y[:200]), (x[200:], y[200:])

    def reached(l2, validation=None):
        fitted = baselines.logistic(*few, validation, l2=l2)
        return evaluation.accuracy(unseen[1], fitted.predict(unseen[0]))

    assert reached(1e6) < reached(1)
    assert reached((1e6, 1), digits["validation"]) == reached(1)
    assert reached((1e6, 1)) == reached(1)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        ([[1.0]], ["a", "b"], "1 examples came with 2 labels"),
        ([1.0, 2.0], ["a", "b"], r"got shape \(2,\)"),
        ([[np.nan], [1.0]], ["a", "b"], "NaN"),
        ([[1.0], [2.0]], ["a", "a"], "at least 2 classes"),
        (np.zeros((0, 3)), [], r"got shape \(0,\)"),
    ],
)
def test_data_that_cannot_be_fitted_are_refused(x, y, says):
    with pytest.raises(BadData, match=says):
        baselines.logistic(x, y)
