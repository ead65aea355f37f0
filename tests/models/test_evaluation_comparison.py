"""How sure: intervals that hold what they promise, and comparisons against SciPy's."""

import json

import numpy as np
import pytest
from scipy import stats

from models import evaluation
from models.errors import BadData, BadOption


def test_a_proportion_has_wilsons_interval_as_scipy_has_it():
    for right, n in ((0, 10), (7, 10), (10, 10), (812, 1000)):
        found = evaluation.proportion(right, n)
        expected = stats.binomtest(right, n).proportion_ci(method="wilson")
        assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))
        assert found["values"] == [found["mean"]] == [right / n]
    assert evaluation.proportion(7, 10)["method"] == "Wilson over 10 examples, 95 %"
    with pytest.raises(BadOption, match="right=11 is more than n=10"):
        evaluation.proportion(11, 10)


def test_the_bootstrap_gives_the_figure_and_where_it_would_lie_on_other_examples():
    chance = np.random.default_rng(0)
    y = chance.integers(0, 2, 400)
    guess = np.where(chance.random(400) < 0.8, y, 1 - y)
    found = evaluation.bootstrap(evaluation.accuracy, y, guess)
    share = evaluation.accuracy(y, guess)
    half = 1.96 * np.sqrt(share * (1 - share) / 400)  # normal theory
    assert found["values"] == [found["mean"]] == [share]
    assert found["low"] == pytest.approx(share - half, abs=0.006)
    assert found["high"] == pytest.approx(share + half, abs=0.006)
    assert (found["n"], found["method"]) == (400, "bootstrap over 400 examples, 1000 draws, 95 %")
    json.dumps(found)
    narrower = evaluation.bootstrap(evaluation.accuracy, y, guess, level=0.5)
    assert found["low"] < narrower["low"] < narrower["high"] < found["high"]


def test_the_bootstrap_follows_its_seed_and_leaves_global_random_state_alone():
    y, p = [0, 1, 0, 1, 1, 0, 1, 0], [0.2, 0.4, 0.6, 0.8, 0.9, 0.1, 0.5, 0.3]
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    first, again, other = (
        evaluation.bootstrap(evaluation.auc, y, p, repeats=100, seed=s) for s in (1, 1, 2)
    )
    assert first == again
    assert first["low"] != other["low"] or first["high"] != other["high"]
    assert np.random.random() == expected


@pytest.mark.slow
def test_nine_in_ten_bootstrap_intervals_hold_the_truth():
    # 200 test sets of 100 examples each, on which the model is right 70 % of the time.
    chance = np.random.default_rng(5)
    held = 0
    for trial in range(200):
        right = (chance.random(100) < 0.7).astype(int)
        found = evaluation.bootstrap(
            lambda t, p: float(np.mean(p)), right, right, level=0.9, repeats=200, seed=trial
        )
        held += found["low"] <= 0.7 <= found["high"]
    assert 0.9 - 0.065 < held / 200 < 0.9 + 0.065  # three standard errors


def test_whole_groups_are_drawn_and_the_interval_is_as_wide_as_they_are_few():
    # 20 groups of 50 examples that are all right or all wrong: 20 witnesses, not 1,000.
    right = np.repeat(np.arange(20) % 2, 50)
    y, groups = np.ones(1000, int), np.repeat(np.arange(20), 50)
    alone = evaluation.bootstrap(evaluation.accuracy, y, right)
    grouped = evaluation.bootstrap(evaluation.accuracy, y, right, groups=groups)
    assert grouped["n"] == 20
    assert grouped["method"] == "bootstrap over 20 groups, 1000 draws, 95 %"
    wider = (grouped["high"] - grouped["low"]) / (alone["high"] - alone["low"])
    assert wider == pytest.approx(np.sqrt(50), rel=0.15)
    # In any order of the rows.
    order = np.random.default_rng(0).permutation(1000)
    mixed = evaluation.bootstrap(evaluation.accuracy, y, right[order], groups=groups[order])
    assert mixed["high"] - mixed["low"] == pytest.approx(grouped["high"] - grouped["low"], rel=0.25)


def test_draws_of_one_class_only_are_left_out_and_counted():
    y, p = [1] + [0] * 4, [0.5, 0.1, 0.6, 0.2, 0.3]
    found = evaluation.bootstrap(evaluation.auc, y, p, repeats=400)
    # (4/5)⁵ of the draws miss the only yes, and a few draw nothing else.
    assert " undefined left out, 95 %" in found["method"]
    undefined = int(found["method"].split("draws, ")[1].split()[0])
    assert undefined / 400 == pytest.approx(0.8**5 + 0.2**5, abs=0.08)
    with pytest.raises(BadData, match="too few for an interval"):
        evaluation.bootstrap(evaluation.auc, [1, 0], [0.5, 0.1], groups=["a", "b"], seed=1)


def test_one_example_or_group_gives_no_interval():
    found = evaluation.bootstrap(evaluation.accuracy, [1], [1])
    assert (found["mean"], found["low"], found["high"]) == (1, None, None)
    found = evaluation.bootstrap(evaluation.accuracy, [1, 0], [1, 1], groups=["a", "a"])
    assert (found["low"], found["n"], found["method"]) == (None, 1, "one group, no interval")


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"groups": ["a"]}, BadData, "1 groups were named for 2 examples"),
        ({"repeats": 5}, BadOption, "repeats must be at least 100"),
        ({"level": 95}, BadOption, "level must lie between 0 and 1, such as 0.95, not 95"),
    ],
)
def test_a_bootstrap_that_cannot_be_is_refused(arguments, error, says):
    with pytest.raises(error, match=says):
        evaluation.bootstrap(evaluation.accuracy, [1, 0], [1, 1], **arguments)
    with pytest.raises(BadOption, match="level must lie"):
        evaluation.interval([1, 2], level=1)


def test_seeds_are_compared_by_the_paired_t_test():
    first, second = [0.90, 0.91, 0.95, 0.93, 0.96], [0.88, 0.90, 0.92, 0.93, 0.93]
    found = evaluation.compare_seeds(first, second)
    expected = stats.ttest_rel(first, second)
    ends = expected.confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((ends.low, ends.high))
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert found["values"] == pytest.approx([0.02, 0.01, 0.03, 0, 0.03])
    assert (found["n"], found["method"]) == (5, "t over 5 paired seeds, 95 %")
    json.dumps(found)
    # By seed, in whatever order.
    by_seed = dict(enumerate(first)), dict(reversed(list(enumerate(second))))
    assert evaluation.compare_seeds(*by_seed) == found


def test_overlapping_trainings_make_the_comparison_less_sure():
    first, second = [0.90, 0.91, 0.95, 0.93, 0.96], [0.88, 0.90, 0.92, 0.93, 0.93]
    plain = evaluation.compare_seeds(first, second)
    careful = evaluation.compare_seeds(first, second, test_share=0.2)
    # The variance s² / 5 becomes s² (1 / 5 + 0.2 / 0.8).
    wider = (careful["high"] - careful["low"]) / (plain["high"] - plain["low"])
    assert wider == pytest.approx(np.sqrt((1 / 5 + 1 / 4) / (1 / 5)))
    assert careful["p_value"] > plain["p_value"]
    assert "corrected for overlapping splits" in careful["method"]
    with pytest.raises(BadOption, match="test_share must lie between 0 and 1"):
        evaluation.compare_seeds(first, second, test_share=20)


def test_one_seed_or_no_spread_gives_no_p_value():
    found = evaluation.compare_seeds([0.9], [0.8])
    assert (found["low"], found["p_value"], found["method"]) == (
        None,
        None,
        "one seed, no interval",
    )
    found = evaluation.compare_seeds([0.5, 0.5, 0.5], [0.25, 0.25, 0.25])
    assert (found["low"], found["high"], found["p_value"]) == (0.25, 0.25, None)


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ([0.9], [0.9, 0.8], "1 seeds cannot be paired with 2"),
        ({0: 0.9}, {1: 0.9}, r"seeds differ: \[0\] and \[1\]"),
        ({0: 0.9}, [0.9], "both models' figures by seed"),
        ([np.nan], [0.9], "finite figures"),
        ([], [], "finite figures"),
    ],
)
def test_seeds_that_do_not_pair_are_refused(first, second, says):
    with pytest.raises(BadData, match=says):
        evaluation.compare_seeds(first, second)


def models_that_err_together(rows=400):
    """Labels, and two models that are wrong on the same hard examples; the first on fewer."""
    chance = np.random.default_rng(0)
    y = chance.integers(0, 3, rows)
    hard = chance.random(rows) < 0.3
    first = np.where(hard, (y + 1) % 3, y)
    second = np.where(hard | (chance.random(rows) < 0.05), (y + 1) % 3, y)
    return y, first, second


def test_the_same_examples_are_drawn_for_both_models():
    y, first, second = models_that_err_together()
    found = evaluation.compare_examples(evaluation.accuracy, y, first, second)
    difference = evaluation.accuracy(y, first) - evaluation.accuracy(y, second)
    assert found["values"] == [found["mean"]] == [difference]
    assert 0 < found["low"] < difference < found["high"]
    assert found["p_value"] < 0.01
    # Taken one by one their intervals overlap: the pairing is what tells them apart.
    one, other = (evaluation.bootstrap(evaluation.accuracy, y, g) for g in (first, second))
    assert one["low"] < other["high"]
    same = evaluation.compare_examples(evaluation.accuracy, y, first, first)
    assert (same["low"], same["high"], same["p_value"]) == (0, 0, 1)
    turned = evaluation.compare_examples(evaluation.accuracy, y, second, first)
    assert turned["low"] == pytest.approx(-found["high"])
    json.dumps(found)


def test_mcnemar_counts_who_is_right_and_asks_the_binomial():
    y, first, second = ["a"] * 12, ["a"] * 9 + ["b"] * 3, ["a"] * 2 + ["b"] * 9 + ["a"]
    found = evaluation.mcnemar(y, first, second)
    assert [found[name] for name in ("both", "first", "second", "neither")] == [2, 7, 1, 2]
    assert found["difference"] == pytest.approx(6 / 12)
    # Seven or more of eight, either way: 2 × (8 + 1) / 2⁸.
    assert found["p_value"] == pytest.approx(18 / 256)
    assert evaluation.mcnemar(y, first, first)["p_value"] == 1
    json.dumps(found)


def test_holm_corrects_for_the_number_of_comparisons():
    # Smallest first: 3 × 0.01, 2 × 0.02 and 1 × 0.03, none below the one before it.
    found = evaluation.holm({"third": 0.03, "first": 0.01, "second": 0.02})
    assert found == pytest.approx({"third": 0.04, "first": 0.03, "second": 0.04})
    assert list(found) == ["third", "first", "second"]
    assert evaluation.holm({"one": 0.9, "other": 0.8}) == {"one": 1, "other": 1}
    assert evaluation.holm({}) == {}
    with pytest.raises(BadData, match="p-values lie from 0 to 1"):
        evaluation.holm({"one": 1.2})
