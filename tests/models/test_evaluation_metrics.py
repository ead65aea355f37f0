"""Metrics against values worked by hand and scikit-learn's own, and what they refuse."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as reference

from models import evaluation
from models.errors import BadData, BadOption


@pytest.fixture
def answers():
    """300 examples of 4 classes: labels and probabilities that know something."""
    chance = np.random.default_rng(0)
    y = chance.choice(4, 300, p=[0.5, 0.3, 0.15, 0.05])
    logits = chance.normal(size=(300, 4)) + 1.5 * np.eye(4)[y]
    p = np.exp(logits)
    return y, p / p.sum(axis=1, keepdims=True)


@pytest.fixture
def yes_or_no():
    """200 examples, a fifth of them yes: labels and probabilities of a yes."""
    chance = np.random.default_rng(1)
    y = (chance.random(200) < 0.2).astype(int)
    return y, 1 / (1 + np.exp(-(chance.normal(size=200) + 2 * y - 1)))


def test_balanced_accuracy_averages_over_classes_however_rare():
    # 3 of 4 cats and 1 of 1 dogs.
    y, guess = ["cat"] * 4 + ["dog"], ["cat"] * 3 + ["dog"] * 2
    assert evaluation.balanced_accuracy(y, guess) == pytest.approx((3 / 4 + 1) / 2)
    assert evaluation.accuracy(y, guess) == 0.8
    assert evaluation.balanced_accuracy(["cat", "cat"], ["cat", "eel"]) == 0.5


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    y, guess = [1, 1, 1, 0, 0], [1, 1, 0, 1, 0]  # precision 2/3, recall 2/3
    assert evaluation.f1(y, guess, positive=1) == pytest.approx(2 / 3)
    assert evaluation.f1(y, guess) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert evaluation.f1(["a", "b"], ["b", "a"], positive="a") == 0
    with pytest.raises(BadData, match="No example is of the class 'eel'; classes: a, b"):
        evaluation.f1(["a", "b"], ["b", "a"], positive="eel")


def test_decisions_from_scores_are_those_of_scikit_learn(answers):
    y, p = answers
    guess = p.argmax(axis=1)
    expected = reference.balanced_accuracy_score(y, guess)
    assert evaluation.balanced_accuracy(y, p) == pytest.approx(expected)
    assert evaluation.f1(y, p) == pytest.approx(reference.f1_score(y, guess, average="macro"))


def test_auc_is_how_often_a_yes_scores_higher_than_a_no():
    # Of the four pairs of yes and no, (0.8, 0.4), (0.8, 0.6) and (0.5, 0.4) are in order.
    assert evaluation.auc([1, 1, 0, 0], [0.8, 0.5, 0.4, 0.6]) == 0.75
    assert evaluation.auc([1, 0], [[0.5], [0.5]]) == 0.5
    # Of two classes the second is the yes; anomaly scores need not be probabilities.
    assert evaluation.auc(["ill", "well"], [31.5, -7], classes=["well", "ill"]) == 1
    # A yes comes first and third: (1 / 1 + 2 / 3) / 2.
    found = evaluation.average_precision([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
    assert found == pytest.approx((1 + 2 / 3) / 2)


def test_ranking_of_several_classes_is_the_mean_of_each_against_the_rest(answers):
    y, p = answers
    expected = reference.roc_auc_score(y, p, multi_class="ovr")
    assert evaluation.auc(y, p) == pytest.approx(expected)
    assert evaluation.average_precision(y, p) == pytest.approx(
        reference.average_precision_score(np.eye(4)[y], p, average="macro")
    )
    # A class that never occurs has no area, and does not spoil the others'.
    wider = np.concatenate([p, np.zeros((300, 1))], axis=1)
    assert evaluation.auc(y, wider) == pytest.approx(expected)


def test_every_form_of_two_classes_gives_the_same_figures(yes_or_no):
    y, p = yes_or_no
    names = np.array(["no", "yes"], dtype=object)[y]
    for metric in (
        evaluation.auc,
        evaluation.average_precision,
        evaluation.brier,
        evaluation.log_loss,
        evaluation.calibration_error,
    ):
        expected = metric(y, p)
        two = np.stack([1 - p, p], axis=1)
        assert metric(y, p[:, None]) == pytest.approx(expected)
        assert metric(y, two) == pytest.approx(expected)
        assert metric(y == 1, two) == pytest.approx(expected)
        assert metric(y.astype("float32"), p) == pytest.approx(expected)
        assert metric(names, two, ["no", "yes"]) == pytest.approx(expected)
        assert metric(pd.Series(names, dtype="str"), p, ["no", "yes"]) == pytest.approx(expected)
        assert metric(pd.Categorical(names), p, ["no", "yes"]) == pytest.approx(expected)
        assert metric(np.eye(2)[y], two) == pytest.approx(expected)  # one-hot rows


def test_brier_and_log_loss_are_as_worked_by_hand():
    assert evaluation.brier([1, 0], [0.8, 0.4]) == pytest.approx((0.2**2 + 0.4**2) / 2)
    three = [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]]
    expected = (0.5**2 + 0.3**2 + 0.2**2 + 0.1**2 + 0.1**2 + 0.2**2) / 2
    assert evaluation.brier([0, 2], three) == pytest.approx(expected)
    expected = -(np.log(0.5) + np.log(0.8)) / 2
    assert evaluation.log_loss([0, 2], three) == pytest.approx(expected)
    assert evaluation.log_loss(["a", "c"], three, ["a", "b", "c"]) == pytest.approx(expected)
    # What was thought impossible costs much, and is a number still.
    assert evaluation.log_loss([1], [[1.0, 0.0]]) == pytest.approx(52 * np.log(2))


def test_probabilities_are_judged_as_scikit_learn_does(answers, yes_or_no):
    y, p = answers
    assert evaluation.log_loss(y, p) == pytest.approx(reference.log_loss(y, p))
    assert evaluation.brier(y, p) == pytest.approx(np.square(np.eye(4)[y] - p).sum(1).mean())
    y, p = yes_or_no
    assert evaluation.log_loss(y, p) == pytest.approx(reference.log_loss(y, p))
    assert evaluation.brier(y, p) == pytest.approx(reference.brier_score_loss(y, p))


def test_float32_rows_that_a_softmax_rounded_are_probabilities(answers):
    y, p = answers
    assert evaluation.log_loss(y, p.astype("float16")) == pytest.approx(
        evaluation.log_loss(y, p), rel=1e-3
    )


def test_calibration_compares_what_was_said_with_what_came_true():
    # Said 0.1, 0.2 and 0.9, 0.8, 0.9: the first bin came true once in two, the second always.
    table = evaluation.calibration([0, 1, 1, 1, 1], [0.1, 0.2, 0.9, 0.8, 0.9], bins=2)
    assert table["n"].tolist() == [2, 3]
    np.testing.assert_allclose(table["predicted"], [0.15, 2.6 / 3])
    np.testing.assert_allclose(table["observed"], [0.5, 1])
    assert (table["low"] < table["observed"]).all()
    assert table["high"].iloc[1] == 1
    error = evaluation.calibration_error([0, 1, 1, 1, 1], [0.1, 0.2, 0.9, 0.8, 0.9], bins=2)
    assert error == pytest.approx((2 * 0.35 + 3 * (1 - 2.6 / 3)) / 5)
    # Of three classes it is the likeliest that was said.
    table = evaluation.calibration([0, 1], [[0.6, 0.3, 0.1], [0.6, 0.3, 0.1]])
    np.testing.assert_allclose(table[["predicted", "observed", "n"]], [[0.6, 0.5, 2]])
    assert evaluation.calibration([1], [1.0])["predicted"].tolist() == [1]


def test_calibration_bins_are_those_of_scikit_learn(yes_or_no):
    from sklearn.calibration import calibration_curve

    y, p = yes_or_no
    observed, predicted = calibration_curve(y, p, n_bins=10)
    table = evaluation.calibration(y, p)
    np.testing.assert_allclose(table["observed"], observed)
    np.testing.assert_allclose(table["predicted"], predicted)


def test_bits_per_character_are_minus_the_logarithm_of_what_came():
    p = [[0.5, 0.25, 0.25], [0.25, 0.25, 0.5]]
    assert evaluation.bits_per_character([0, 1], p) == pytest.approx((1 + 2) / 2)
    assert evaluation.bits_per_character([[0, 1]], [p]) == pytest.approx(1.5)  # a sequence
    assert evaluation.bits_per_character([0, 1], p, characters=10) == pytest.approx(0.3)
    uniform = np.full((5, 7, 64), 1 / 64)
    assert evaluation.bits_per_character(np.ones((5, 7), int), uniform) == pytest.approx(6)
    with pytest.raises(BadData, match=r"shapes \(2, 3\) and \(3,\)"):
        evaluation.bits_per_character([0, 1, 1], p)
    with pytest.raises(BadOption, match="characters must be at least 1"):
        evaluation.bits_per_character([0, 1], p, characters=0)


def test_errors_of_quantities_are_as_worked_by_hand():
    y, guess = [1.0, 2.0, 4.0], [[1.0], [3.0], [2.0]]
    assert evaluation.mean_squared_error(y, guess) == pytest.approx(5 / 3)
    assert evaluation.mean_absolute_error(y, guess) == pytest.approx(1)
    assert evaluation.r2(y, guess) == pytest.approx(1 - 5 / (16 / 9 + 1 / 9 + 25 / 9))
    with pytest.raises(BadData, match="all 2 are 3"):
        evaluation.r2([3.0, 3.0], [1.0, 2.0])
    with pytest.raises(BadData, match=r"shapes \(2,\) and \(3,\)"):
        evaluation.mean_squared_error([1, 2], [1, 2, 3])


def test_one_column_of_quantities_is_not_compared_with_all_others():
    y = np.arange(5.0)
    assert evaluation.mean_squared_error(y, y[:, None]) == 0
    assert evaluation.r2(y[:, None], y) == 1


@pytest.mark.parametrize(
    ("metric", "arguments", "says"),
    [
        ("auc", ([1, 1], [0.5, 0.6]), "all 2 examples are of 1"),
        ("auc", (["eel"] * 2, [[0.1, 0.9]] * 2, ["cat", "eel"]), "all 2 examples are of 'eel'"),
        ("average_precision", ([0, 0], [0.5, 0.6]), "Average precision compares classes"),
        ("auc", ([], []), r"shapes \(0,\) and \(0,\)"),
        ("auc", ([0, 1], [0.1, np.nan]), "1 of 2 numbers in the scores are NaN"),
        ("auc", ([0, 1], ["a", "b"]), "the scores must be numbers"),
        ("brier", ([0, 1], [0.1, 1.2]), "from 0 to 1; got 1.2"),
        ("log_loss", ([0, 1], [[2.0, -1.0], [0.3, 0.1]]), "Scores before a softmax"),
        ("log_loss", ([0, 1], [[0.5, 0.5], [0.3, 0.1]]), "example 1 to 0.4 .1 of 2 are off"),
        ("log_loss", ([0, 3], [[0.5, 0.5], [0.3, 0.7]]), "outside the classes: .'3'"),
        ("log_loss", (["a", "b"], [[0.5, 0.5]] * 2), "pass classes=, .* order of the 2 columns"),
        ("log_loss", ([0, 1], [[0.5, 0.5]] * 2, ["a"]), "1 classes were named for 2 columns"),
        ("log_loss", ([0, 1], [[0.5, 0.5]] * 3), r"shapes \(3, 2\) and \(2,\)"),
        ("accuracy", ([2, 5], [0.2, 0.9]), "Labels such as 2 were compared with scores"),
        ("accuracy", ([0, 1], [0.2, 1.9]), "Probabilities of a yes go with labels 0 and 1"),
        ("accuracy", (["a", None], ["a", "b"]), "1 of 2 labels in y_true are missing"),
        ("accuracy", ([0, 1], [[0.2, np.nan], [1, 2]]), "1 of 4 numbers in y_pred are NaN"),
        ("accuracy", (np.array(["a", 1], dtype=object), ["a", "b"]), "mixes names and numbers"),
        ("mean_squared_error", ([1.0, np.inf], [1, 2]), "in y_true are NaN or infinite"),
        ("mean_absolute_error", ([], []), r"shapes \(0,\) and \(0,\)"),
    ],
)
def test_what_cannot_be_judged_is_refused(metric, arguments, says):
    with pytest.raises(BadData, match=says):
        getattr(evaluation, metric)(*arguments)


def test_accuracy_takes_probabilities_of_a_yes_without_a_second_axis():
    assert evaluation.accuracy([1, 0, 1], [0.9, 0.2, 0.4]) == pytest.approx(2 / 3)
    assert evaluation.accuracy([1, 0, 1], [1.0, 0.0, 1.0]) == 1


def test_confusion_reads_both_sides_alike_where_classes_are_numbers():
    counts = evaluation.confusion([0, 1], [1, 1], classes=[1, 2])  # 0: so these are positions
    assert counts.to_numpy().tolist() == [[0, 1], [0, 1]]
    counts = evaluation.confusion([1, 2], [2, 2], classes=[1, 2])
    assert counts.to_numpy().tolist() == [[0, 1], [0, 1]]


def test_scores_are_all_the_metrics_that_apply(answers, yes_or_no):
    y, p = answers
    found = evaluation.scores(y, p)
    assert list(found) == [
        "accuracy",
        "balanced_accuracy",
        "f1",
        "auc",
        "average_precision",
        "brier",
        "log_loss",
        "calibration_error",
    ]
    for name, value in found.items():
        assert type(value) is float
        assert value == pytest.approx(getattr(evaluation, name)(y, p))
    guess = p.argmax(axis=1)
    assert evaluation.scores(y, guess) == {name: found[name] for name in list(found)[:3]}
    names = np.array(["a", "b", "c", "d"])
    assert evaluation.scores(names[y], p, classes=names) == found
    assert evaluation.scores(y.astype("float32"), p) == found

    y, p = yes_or_no
    found = evaluation.scores(y, p)
    assert found["f1"] == pytest.approx(reference.f1_score(y, p > 0.5))
    assert evaluation.scores(y, np.stack([1 - p, p], axis=1)) == pytest.approx(found)
    # One class only: no AUC, and the rest stands.
    assert set(found) - set(evaluation.scores([0, 0], [0.1, 0.2])) == {"auc", "average_precision"}


def test_scores_of_floats_are_those_of_quantities():
    found = evaluation.scores([1.5, 2.0, 4.0], np.array([[1.5], [2.0], [3.0]]))
    assert found["mean_absolute_error"] == pytest.approx(1 / 3)
    assert list(found) == ["mean_squared_error", "mean_absolute_error", "r2"]
    assert "r2" not in evaluation.scores([2.5, 2.5], [2.0, 3.0])
    with pytest.raises(BadData, match=r"pass y_true.astype\(float\)"):
        evaluation.scores([17, 3], [16.5, 2.2])


def test_each_group_has_its_score_and_interval_the_worst_first():
    y = np.array(["a"] * 10 + ["b"] * 10)
    guess = np.array(["a"] * 16 + ["b"] * 4)
    table = evaluation.by_group(evaluation.accuracy, y, guess, ["north"] * 10 + ["south"] * 10)
    assert table.columns.tolist() == ["group", "n", "accuracy", "low", "high"]
    assert table["group"].tolist() == ["south", "north"]
    assert table["accuracy"].tolist() == [0.4, 1]
    assert table["high"].tolist()[1] == 1
    # Wilson's interval, which does not take ten right ones for certainty: 10 / (10 + 1.96²).
    assert table["low"].tolist()[1] == pytest.approx(10 / (10 + 1.959964**2))


def test_a_group_in_which_a_metric_is_undefined_is_nan_and_bad_input_an_error(yes_or_no):
    y, p = yes_or_no
    groups = np.full(len(y), "mixed", dtype=object)
    groups[np.flatnonzero(y == 0)[:20]] = "all no"
    table = evaluation.by_group(evaluation.auc, y, p, groups, repeats=200)
    assert table["group"].tolist() == ["mixed", "all no"]
    assert table["auc"].isna().tolist() == [False, True]
    row = table.iloc[0]
    assert row["low"] < row["auc"] < row["high"]
    with pytest.raises(BadData, match="NaN"):
        evaluation.by_group(evaluation.auc, y, np.where(p > 0.5, np.nan, p), groups)
    with pytest.raises(BadData, match="One group per example"):
        evaluation.by_group(evaluation.auc, y, p, groups[:5])
    named = evaluation.by_group(lambda t, q: evaluation.accuracy(t, q), y, p, groups, repeats=100)
    assert "score" in named.columns
