"""Baselines of quantities, series, components and boosted trees, against hand and scikit-learn."""

import numpy as np
import pandas as pd
import pytest

from models import baselines, evaluation
from models.errors import BadData, BadOption


def line(rows=200):
    """Quantities that a line through four features gives, with a little noise."""
    chance = np.random.default_rng(0)
    x = chance.normal(size=(rows, 2, 2)) * [[1, 10], [100, 1]]
    return x, x.reshape(rows, 4) @ [1.0, 0.2, 0.03, 0.0] + 5 + chance.normal(size=rows) * 0.1


def test_the_mean_answers_the_mean_and_has_an_r2_of_0():
    fitted = baselines.mean([[1.0], [2.0], [6.0]])
    assert fitted.predict(np.zeros((2, 5))).tolist() == [3, 3]
    assert evaluation.r2([1.0, 2.0, 6.0], fitted.predict(np.zeros((3, 1)))) == 0
    two = baselines.mean([[1.0, 2.0], [3.0, 6.0]])
    assert two.predict(np.zeros((3, 1))).tolist() == [[2, 4]] * 3


def test_linear_regression_is_ridge_on_standardised_features():
    from sklearn.linear_model import Ridge

    x, y = line()
    fitted = baselines.linear(x, y, l2=3)
    flat = x.reshape(len(x), 4)
    scaled = (flat - flat.mean(axis=0)) / flat.std(axis=0)
    np.testing.assert_allclose(fitted.predict(x), Ridge(alpha=3).fit(scaled, y).predict(scaled))


def test_basics_linear_regression_finds_the_line_and_held_out_rows_choose_its_strength():
    x, y = line()
    least = evaluation.r2(y[100:], baselines.mean(y[:100]).predict(x[100:]))
    fitted = baselines.linear(x[:100], y[:100], (x[100:150], y[100:150]))
    assert least < 0.1 < 0.99 < evaluation.r2(y[150:], fitted.predict(x[150:]))
    alone = baselines.linear(x[:100], y[:100], l2=0.01).predict(x)
    np.testing.assert_allclose(fitted.predict(x), alone)  # the weakest is best here
    both = baselines.linear(x, np.stack([y, -y], axis=1))
    np.testing.assert_allclose(both.predict(x)[:, 0], -both.predict(x)[:, 1])


@pytest.mark.parametrize(
    ("x", "y", "arguments", "error", "says"),
    [
        ([[1.0]], [1.0, 2.0], {}, BadData, "1 examples came with 2 quantities"),
        ([[1.0], [np.nan]], [1.0, 2.0], {}, BadData, "examples hold NaN"),
        ([[1.0], [2.0]], [1.0, np.nan], {}, BadData, "quantities to predict hold NaN"),
        ([[1.0], [2.0]], [], {}, BadData, r"got shape \(0,\)"),
        ([[1.0], [2.0]], [1.0, 2.0], {"l2": 0}, BadOption, "l2 must be a number above 0"),
    ],
)
def test_quantities_that_cannot_be_fitted_are_refused(x, y, arguments, error, says):
    with pytest.raises(error, match=says):
        baselines.linear(x, y, **arguments)


def test_the_last_value_is_answered_again_or_that_of_a_season_ago():
    assert baselines.last_value().predict(["sun", "rain"]).tolist() == ["sun", "rain"]
    assert baselines.last_value().predict([[1, 2, 3], [4, 5, 6]]).tolist() == [3, 6]
    windows = np.arange(24).reshape(2, 4, 3)
    assert baselines.last_value(feature=1).predict(windows).tolist() == [10, 22]
    assert baselines.last_value(season=4).predict(windows).tolist() == [0, 12]
    with pytest.raises(BadData, match=r"at least 5 steps; got shape \(2, 4, 3\)"):
        baselines.last_value(season=5).predict(windows)
    with pytest.raises(BadData, match="No feature 3 among 3"):
        baselines.last_value(feature=3).predict(windows)
    with pytest.raises(BadOption, match="season must be at least 1"):
        baselines.last_value(season=0)


def test_a_chain_counts_which_class_follows_which():
    days = ["sun", "sun", "rain", "sun", "sun", "sun"]
    fitted = baselines.markov(days[:-1], days[1:])
    # After sun came sun three times and rain once, and each counts as seen once beforehand.
    assert fitted.classes.tolist() == ["rain", "sun"]
    np.testing.assert_allclose(
        fitted.predict_proba(["sun", "rain"]), [[2 / 6, 4 / 6], [1 / 3, 2 / 3]]
    )
    assert fitted.predict(["sun", "rain"]).tolist() == ["sun", "sun"]
    # What was never seen tells nothing: the shares of what follows, 3 and 6 of 9.
    np.testing.assert_allclose(fitted.predict_proba(["snow"]), [[3 / 9, 6 / 9]])
    assert evaluation.log_loss(days[1:], fitted.predict_proba(days[:-1]), fitted.classes) < np.log(
        2
    )
    with pytest.raises(BadData, match=r"Classes \(2,\) came with \(1,\)"):
        baselines.markov(["a", "b"], ["a"])
    with pytest.raises(BadOption, match="smoothing must be a number above 0"):
        baselines.markov(days[:-1], days[1:], smoothing=0)


def test_components_explain_and_give_back_what_lies_along_them(digits):
    from sklearn.decomposition import PCA

    x, _ = digits["train"]
    fitted = baselines.pca(x, components=10)
    flat = x.reshape(len(x), 64).astype(float)
    oracle = PCA(10, svd_solver="full").fit(flat)
    np.testing.assert_allclose(fitted.encode(x), oracle.transform(flat), atol=1e-9)
    back = oracle.inverse_transform(oracle.transform(flat))
    np.testing.assert_allclose(fitted.predict(x), back.reshape(x.shape), atol=1e-9)
    np.testing.assert_allclose(fitted.anomaly_score(x), np.square(back - flat).mean(axis=1))
    assert fitted.decode(fitted.encode(x)).shape == x.shape
    # Errors and explained variance are the same statement, over the training examples.
    unexplained = fitted.anomaly_score(x).sum() * 64 / np.square(flat - flat.mean(axis=0)).sum()
    assert 1 - fitted.explained.sum() == pytest.approx(unexplained)


def test_basics_what_is_no_digit_is_an_anomaly(digits):
    x = digits["test"][0]
    fitted = baselines.pca(digits["train"][0])
    assert fitted.explained.sum() >= 0.9 > fitted.explained[:-1].sum()
    noise = np.random.default_rng(0).random(x.shape)
    scores = fitted.anomaly_score(np.concatenate([x, noise]))
    assert evaluation.auc(np.repeat([0, 1], len(x)), scores) > 0.99


@pytest.mark.parametrize("components", [0, 65, 1.0, True, "ten"])
def test_components_that_cannot_be_are_refused(digits, components):
    with pytest.raises(BadOption, match="components must be a whole number from 1 to 64"):
        baselines.pca(digits["train"][0], components=components)


def test_components_take_examples_of_one_shape(digits):
    fitted = baselines.pca(digits["train"][0], components=3)
    with pytest.raises(BadData, match=r"\(n, 8, 8, 1\); got shape \(5, 64\)"):
        fitted.encode(np.zeros((5, 64)))
    with pytest.raises(BadData, match=r"\(n, 3\), one number a component; got shape \(5, 2\)"):
        fitted.decode(np.zeros((5, 2)))


def table(rows=600):
    """Whether a house is warm: by its stove, and below 10 degrees only if it has one."""
    chance = np.random.default_rng(0)
    made = pd.DataFrame(
        {
            "stove": pd.Series(chance.choice(["wood", "gas", "none"], rows), dtype="str"),
            "degrees": chance.normal(10, 5, rows),
            "floors": pd.Series(chance.integers(1, 4, rows), dtype="Int64"),
        }
    )
    warm = np.where((made["stove"] != "none") | (made["degrees"] > 10), "warm", "cold")
    made.loc[::11, "degrees"] = np.nan
    made.loc[::13, "stove"] = None
    made.loc[::17, "floors"] = pd.NA
    return made, warm


def test_basics_boosting_takes_categories_and_gaps_and_beats_the_majority():
    x, y = table()
    fitted = baselines.boosting(x[:400], y[:400], (x[400:500], y[400:500]))
    reached = evaluation.accuracy(y[500:], fitted.predict(x[500:]))
    least = evaluation.accuracy(y[500:], baselines.majority(y[:400]).predict(x[500:]))
    assert reached > least + 0.1
    assert reached > 0.9
    assert fitted.classes.tolist() == ["cold", "warm"]
    np.testing.assert_allclose(fitted.predict_proba(x).sum(axis=1), 1)


def test_boosting_reads_columns_by_name_and_new_categories_as_missing():
    x, y = table()
    fitted = baselines.boosting(x, y, trees=20)
    again = baselines.boosting(x, y, trees=20)
    expected = fitted.predict_proba(x)
    np.testing.assert_array_equal(again.predict_proba(x), expected)
    np.testing.assert_array_equal(fitted.predict_proba(x[x.columns[::-1]].assign(new=1)), expected)
    as_category = baselines.boosting(x.astype({"stove": "category"}), y, trees=20)
    np.testing.assert_array_equal(as_category.predict_proba(x), expected)
    unseen, missing = (fitted.predict_proba(x.assign(stove=s)) for s in ("pellets", None))
    np.testing.assert_array_equal(unseen, missing)
    # 400 categories: the commonest are told apart, and no error is raised.
    many = pd.DataFrame({"name": [f"n{min(row, 400)}" for row in range(len(x))]})
    assert baselines.boosting(many, y, trees=5).predict(many).shape == (len(x),)


def test_validation_rows_stop_boosting():
    chance = np.random.default_rng(0)
    x, y = chance.normal(size=(200, 3)), chance.integers(0, 2, 200)  # nothing to learn
    fitted = baselines.boosting(x[:100], y[:100], (x[100:], y[100:]))
    assert fitted.estimator.n_iter_ < 60
    assert baselines.boosting(x, y, trees=70).estimator.n_iter_ == 70


def test_basics_boosting_predicts_quantities(digits):
    x, y = line(600)
    fitted = baselines.boosting_regression(x[:400], y[:400], (x[400:500], y[400:500]))
    assert evaluation.r2(y[500:], fitted.predict(x[500:])) > 0.8
    names, _ = table()
    warmth = names["degrees"].fillna(0) + 10 * (names["stove"] == "wood")
    fitted = baselines.boosting_regression(names, warmth, trees=50)
    assert evaluation.r2(warmth, fitted.predict(names)) > 0.9


def test_boosting_that_cannot_be_is_refused():
    x, y = table(50)
    for arguments, error, says in (
        ((x, ["warm"] * 50), BadData, "at least 2 classes; got only 'warm'"),
        ((x, y[:40]), BadData, "50 examples came with 40 answers"),
        ((x, y, (x, ["hot"] * 50)), BadData, r"lack in training: \['hot'\]"),
        ((x.assign(day=pd.Timestamp("2024-01-01")), y), BadOption, "Turn a date into numbers"),
        ((x.assign(degrees=np.inf), y), BadData, "missing ones are NaN"),
        ((x["degrees"], y), BadData, r"got shape \(50,\)"),
    ):
        with pytest.raises(error, match=says):
            baselines.boosting(*arguments)
    fitted = baselines.boosting(x, y, trees=2)
    with pytest.raises(BadData, match="A table with stove, degrees, floors is needed; got stove"):
        fitted.predict(x[["stove"]])
    with pytest.raises(BadData, match="'degrees' was numbers in training"):
        fitted.predict(x.assign(degrees="ten"))
    with pytest.raises(BadData, match=r"have 3 numbers each; got 2"):
        baselines.boosting(np.eye(3), [0, 1, 0], trees=2).predict(np.eye(2))
    with pytest.raises(BadOption, match="learning_rate must be above 0"):
        baselines.boosting(x, y, learning_rate=0)
    with pytest.raises(BadOption, match="trees must be at least 1"):
        baselines.boosting_regression(x, np.arange(50.0), trees=0)
