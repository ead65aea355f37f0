"""Verdicts from recorded values: margins and intervals worked by hand, every outcome."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t

from projects.spine import judging
from projects.spine.hypothesis import Hypothesis

SEEDS = [31, 32, 33]
CNN = [0.90, 0.93, 0.96]
NEAREST = [0.88, 0.88, 0.94]  # differences .02, .05, .02: mean .03, deviation .03 / √3


class Engine:
    """What judging asks of an engine: steps, and the values of one that answers."""

    def __init__(self, frames=None, *, split_by_seed=False):
        self.frames = frames or {}
        steps = {"scores": SimpleNamespace(name="scores", per_seed=True)}
        if split_by_seed is not None:
            steps["split"] = SimpleNamespace(name="split", per_seed=split_by_seed)
        if frames:
            steps["answers"] = SimpleNamespace(name="answers", per_seed=None not in frames)
        self.project = SimpleNamespace(steps=steps)

    def load(self, run):
        return self.frames[run.seed]


def document(**models):
    scores = {name: {"accuracy": {"values": values}} for name, values in models.items()}
    return {
        "scores": scores,
        "seeds": SEEDS,
        "splits": {"train": {"mean": 70.0}, "validation": {"mean": 10.0}, "test": {"mean": 20.0}},
    }


def hypothesis(comparison="cnn > nearest", **more):
    fields = {"name": "h", "claim": "It is so.", "metric": "accuracy", "seeds": 3}
    return Hypothesis(**fields | {"comparison": comparison} | more)


def judged(comparison="cnn > nearest", *, count=1, engine=None, made=None, told=None, **more):
    told = told or document(cnn=CNN, nearest=NEAREST)
    return judging.verdict(engine or Engine(), told, hypothesis(comparison, **more), count, made)


# -- over seeds --------------------------------------------------------------------------------


def test_a_margin_over_seeds_is_students_t_of_the_paired_differences():
    found = judged()
    # Half of the interval: 4.3027 (t of 2 degrees of freedom) × (.03 / √3) / √3
    assert found["mean"] == pytest.approx(0.03)
    assert found["low"] == pytest.approx(0.03 - 4.302653 * 0.01, abs=1e-6)
    assert found["high"] == pytest.approx(0.03 + 4.302653 * 0.01, abs=1e-6)
    assert (found["n"], found["outcome"], found["sealed"]) == (3, "undecided", False)
    assert found["found"] == "0.930 against 0.900: higher by 0.030 (−0.013 to 0.073)"


def test_a_split_of_each_seeds_own_widens_it_by_nadeau_and_bengio():
    found = judged(engine=Engine(split_by_seed=True))
    # 70 rows are learned from, 20 tested on: the variance is (1/3 + 2/7) s² instead of s² / 3.
    half = 4.302653 * (0.03 / 3**0.5) * (1 / 3 + 2 / 7) ** 0.5
    assert found["high"] - found["mean"] == pytest.approx(half, abs=1e-6)
    assert "corrected for overlapping splits" in found["method"]
    assert "corrected" not in judged(engine=Engine(split_by_seed=None))["method"]


@pytest.mark.parametrize("beside", ["validation", "classes"])
def test_only_what_is_learned_from_and_tested_on_widens_it(beside):
    engine, told = Engine(split_by_seed=True), document(cnn=CNN, nearest=NEAREST)
    width = judged(engine=engine, told=told)["high"]
    told["splits"][beside] = {"mean": 784.0}
    assert judged(engine=engine, told=told)["high"] == width


def test_splits_of_unknown_size_leave_it_undecided():
    told = document(cnn=[0.9, 0.91, 0.92], nearest=[0.1, 0.12, 0.11]) | {"splits": {}}
    assert judged(told=told)["outcome"] == "supported"
    found = judged(engine=Engine(split_by_seed=True), told=told)
    assert found["outcome"] == "undecided"
    assert "nobody knows how much the trainings overlap" in found["found"]


def test_five_hypotheses_are_judged_at_99_percent_each():
    found = judged(count=5)
    half = t.ppf(0.995, 2) * 0.01
    assert found["high"] - found["mean"] == pytest.approx(half)
    assert "99 %" in found["method"]
    assert found["test"].endswith("3 paired seeds, 99 %")


@pytest.mark.parametrize(
    ("comparison", "threshold", "outcome"),
    [
        ("cnn > 0.85", 0.0, "supported"),  # .93 ± .0745 against .85: from .0055
        ("cnn > 0.85", 0.01, "undecided"),
        ("cnn > 0.85", 0.2, "refuted"),
        ("cnn > 1.1", 0.0, "refuted"),
        ("cnn < 1.1", 0.0, "supported"),
        ("cnn < 1.1", 0.1, "undecided"),
        ("cnn < 0.85", 0.0, "refuted"),
        ("cnn < nearest", 0.0, "undecided"),
        ("cnn < nearest", 0.02, "refuted"),  # at most .013 lower
        ("nearest < cnn", 0.0, "undecided"),
        ("nearest < cnn", 0.08, "refuted"),
    ],
)
def test_the_outcome_is_where_the_interval_lies(comparison, threshold, outcome):
    assert judged(comparison, threshold=threshold)["outcome"] == outcome


def test_less_than_turns_the_margin_round():
    higher, lower = judged("cnn > nearest"), judged("nearest < cnn")
    assert (higher["mean"], higher["low"]) == (lower["mean"], lower["low"])
    assert lower["found"] == "0.900 against 0.930: lower by 0.030 (−0.013 to 0.073)"


def test_what_was_found_is_told_the_way_it_went_and_not_the_way_that_was_claimed():
    found = judged("cnn < nearest")
    assert found["mean"] == pytest.approx(-0.03)
    assert found["found"] == "0.930 against 0.900: higher by 0.030 (−0.013 to 0.073)"


def test_an_interval_that_ends_at_the_threshold_decides_nothing():
    margin = judging.Margin((1, 0), 0.5, 0.1, 0.9, 3)
    assert judging.outcome(margin, 0.1) == "undecided"
    assert judging.outcome(margin, 0.9) == "undecided"
    assert judging.outcome(margin, 0.09) == "supported"
    assert judging.outcome(margin, 0.91) == "refuted"


def test_fewer_seeds_than_it_takes_is_undecided_and_says_so():
    found = judged("cnn > 0.5", seeds=5)
    assert found["low"] > 0.3
    assert found["outcome"] == "undecided"
    assert found["found"].endswith("; only 3 of the 5 seeds that it takes")


def test_the_sealed_seeds_alone_count_for_a_sealed_hypothesis():
    made = {"sealed": {"seeds": [31, 32]}}
    found = judged("cnn > 0.5", made=made, seeds=2)
    assert (found["n"], found["sealed"]) == (2, True)
    assert found["mean"] == pytest.approx(0.415)
    assert judged("cnn > 0.5", made={"sealed": {"seeds": [41]}})["found"] == (
        "Not judged: no sealed seed was run."
    )


def test_sealed_seeds_that_were_left_out_leave_it_undecided():
    found = judged("cnn > 0.5", made={"sealed": {"seeds": [*SEEDS, 34]}}, seeds=3)
    assert found["low"] > 0.5 - 0.2
    assert found["outcome"] == "undecided"
    assert found["found"].endswith("; only 3 of the 4 sealed seeds were run")


def test_one_seed_gives_no_interval_and_no_verdict():
    found = judged("cnn > 0.5", made={"sealed": {"seeds": [31]}}, seeds=1)
    assert (found["low"], found["high"], found["outcome"]) == (None, None, "undecided")
    assert found["found"] == "0.90 against 0.50: higher by 0.40; one seed, no interval"


def test_the_same_difference_with_every_seed_is_no_certainty():
    told = document(cnn=[0.9, 0.8, 0.7], nearest=[0.8, 0.7, 0.6])
    found = judged(told=told)
    assert found["outcome"] == "undecided"
    assert "every seed gave the same difference" in found["found"]


def test_scores_made_once_for_all_seeds_are_one_figure():
    engine = Engine()
    engine.project.steps["scores"].per_seed = False
    found = judged("cnn > 0.5", engine=engine, told=document(cnn=[0.9]), seeds=2)
    assert (found["n"], found["outcome"]) == (1, "undecided")


@pytest.mark.parametrize("comparison", ["cnn > nearst", "cmn > nearest"])
def test_a_model_that_scores_do_not_have_is_undecided_with_the_reason(comparison):
    found = judged(comparison)
    assert found["outcome"] == "undecided"
    assert found["mean"] is None
    assert found["found"].startswith("Not judged: the step `scores` gave no accuracy for ")


# -- over examples -----------------------------------------------------------------------------


def answers(n=200, wrong_first=10, wrong_second=50, **more):
    truth = np.arange(n) % 2
    first, second = truth.copy(), truth.copy()
    first[:wrong_first] = 1 - first[:wrong_first]
    second[:wrong_second] = 1 - second[:wrong_second]
    return pd.DataFrame({"truth": truth, "cnn": first, "nearest": second, **more})


OVER = {"over": "examples", "answers": "answers", "seeds": 1}


def test_examples_are_drawn_anew_in_pairs():
    found = judged(engine=Engine({None: answers()}), **OVER)
    assert found["mean"] == pytest.approx(0.2)
    # 40 of 200 examples tell them apart: √(.2 × .8 / 200) = .0283, times 1.96 = .0554
    assert found["low"] == pytest.approx(0.2 - 0.0554, abs=0.01)
    assert found["high"] == pytest.approx(0.2 + 0.0554, abs=0.01)
    assert (found["n"], found["outcome"]) == (200, "supported")
    assert found["method"] == "paired bootstrap over 200 examples, 1000 draws, 95 %"
    assert judged(engine=Engine({None: answers()}), **OVER) == found
    # At the level of twenty hypotheses 1,000 draws would leave one beyond either end.
    assert "4000 draws" in judged(engine=Engine({None: answers()}), count=20, **OVER)["method"]


def test_whole_groups_are_drawn_where_examples_of_one_are_alike():
    alone = judged(engine=Engine({None: answers()}), **OVER)
    grouped = judged(engine=Engine({None: answers(group=np.arange(200) // 20)}), **OVER)
    assert grouped["n"] == 10
    assert grouped["mean"] == pytest.approx(alone["mean"])
    # Two groups of ten hold all that tells them apart: √(.2 × .8 / 10) = .126 instead of .028.
    assert grouped["high"] - grouped["low"] > 3 * (alone["high"] - alone["low"])
    assert "over 10 groups" in grouped["method"]


def test_the_figure_is_the_mean_over_seeds_of_the_same_rows():
    frames = {31: answers(), 32: answers(wrong_first=20), 33: answers(wrong_first=30)}
    found = judged(engine=Engine(frames), **OVER | {"seeds": 3})
    assert found["mean"] == pytest.approx((0.2 + 0.15 + 0.1) / 3)
    assert found["method"].endswith("95 %, mean of 3 seeds")
    equal = judged(engine=Engine(dict.fromkeys(SEEDS, answers())), **OVER | {"seeds": 3})
    assert equal["mean"] == pytest.approx(0.2)
    few = judged(engine=Engine(frames), **OVER | {"seeds": 5})
    assert few["outcome"] == "undecided"
    assert "only 3 of the 5 seeds" in few["found"]


def test_a_constant_and_a_smaller_is_better_metric_over_examples():
    frame = answers().astype(float)
    found = judged("cnn < 0.25", engine=Engine({None: frame}), **OVER | {"metric": "brier"})
    assert found["mean"] == pytest.approx(0.25 - 0.05)
    assert found["method"].startswith("bootstrap over 200")
    assert found["outcome"] == "supported"


def test_models_that_answer_alike_refute_that_one_is_better_by_something():
    frame = answers(wrong_second=10)
    engine = Engine({None: frame})
    assert judged(engine=engine, **OVER)["outcome"] == "undecided"
    assert judged(engine=engine, threshold=0.01, **OVER)["outcome"] == "refuted"


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (answers()[::-1], "or in another order"),
        (answers(n=190), "other examples"),
        (answers(truth=np.zeros(200, int)), "other examples"),
        (answers(group=1), None),
        (answers().drop(columns="nearest"), "gave no column nearest"),
        ([1, 2], "gave list and no DataFrame"),
    ],
)
def test_seeds_that_answered_other_examples_are_not_compared(other, said):
    found = judged(engine=Engine({31: answers(), 32: other}), made={"sealed": {"seeds": SEEDS[:2]}},
                   **OVER)  # fmt: skip
    if said is None:  # the first seed names no groups: examples are drawn for all of them
        assert found["n"] == 200
    else:
        assert said in found["found"]
        assert found["outcome"] == "undecided"


def test_groups_without_a_name_are_equal_to_themselves():
    group = [None, *["a"] * 99, *["b"] * 100]
    frames = {31: answers(group=group), 32: answers(group=group)}
    made = {"sealed": {"seeds": SEEDS[:2]}}
    assert judged(engine=Engine(frames), made=made, **OVER)["n"] == 3


def test_a_metric_that_does_not_fit_the_answers_is_undecided_with_the_reason():
    found = judged(engine=Engine({None: answers(cnn="rain")}), **OVER)
    assert found["outcome"] == "undecided"
    assert found["found"].startswith("Not judged: accuracy cannot be worked out: Names were")


def test_a_step_that_is_gone_is_told():
    found = judged(engine=Engine(), **OVER)
    assert found["found"] == "Not judged: there is no step `answers` any more."


@pytest.mark.parametrize(
    ("number", "spread", "told"),
    [
        (0.123456, 0.02, "0.123"),
        (-0.5, 0.2, "−0.50"),
        (-0.0004, 0.07, "0.000"),
        (1234.5, 300.0, "1234"),
        (2.5e-9, 1e-9, "2.50e-09"),
        (0.0, 0.0, "0.00"),
        (0.4, 0.0, "0.40"),
    ],
)
def test_numbers_have_the_places_that_their_interval_has(number, spread, told):
    assert judging._written(number, judging._places(spread)) == told


def test_an_end_never_looks_as_if_it_lay_on_the_threshold_that_decides():
    told = document(cnn=[0.803, 0.753, 0.853], nearest=0.7)
    margins = judged("cnn > 0.6786", told=told)
    assert margins["outcome"] == "supported"
    assert margins["found"] == "0.8030 against 0.6786: higher by 0.1244 (0.0002 to 0.2486)"
    margins = judged("cnn < 0.6786", told=told)
    assert margins["found"].endswith("higher by 0.1244 (0.0002 to 0.2486)")
