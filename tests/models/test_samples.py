"""Precision, recall and collapse of samples: noise is not rewarded, nor are copies."""

import numpy as np
import pytest

from models import samples
from models.errors import BadData, BadOption

SCORES = ["precision", "recall", "coverage"]


@pytest.fixture(scope="module")
def halves():
    """Two halves of the digits, shuffled: vectors and labels of each."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(x))[:1600]
    x, y = x[order] / 16, y[order]
    return (x[:800], y[:800]), (x[800:], y[800:])


def scores(real, generated, **options):
    return samples.precision_recall(real, generated, **options)[SCORES].iloc[0].to_dict()


def test_precision_recall_and_coverage_of_points_on_a_line_are_those_worked_by_hand():
    # To the nearest neighbour: real 1, 1, 8; generated 0.5, 0.5, 88.
    real, generated = [[0.0], [1.0], [9.0]], [[1.5], [2.0], [90.0]]
    # Real balls: [-1, 1], [0, 2], [1, 17]: hold 1.5 and 2, not 90. The first holds no sample.
    # Generated balls: [1, 2], [1.5, 2.5], [2, 178]: hold 1 and 9, not 0.
    found = samples.precision_recall(real, generated, k=1).loc["all"]
    assert found.to_dict() == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 3, "coverage": 2 / 3, "examples": 3}
    )


def test_precision_and_recall_equal_those_of_scikit_learns_neighbours(halves):
    from scipy.spatial.distance import cdist
    from sklearn.neighbors import NearestNeighbors

    real, generated = halves[0][0][:200], halves[1][0][:200] + 0.05

    def inside(centres, points):
        balls = NearestNeighbors(n_neighbors=4).fit(centres)  # 3 beside itself
        radii = balls.kneighbors(centres)[0][:, 3]
        return (cdist(points, centres) <= radii).any(axis=1).mean()

    found = scores(real, generated)
    assert found["precision"] == inside(real, generated)
    assert found["recall"] == inside(generated, real)


def test_distances_in_parts_are_the_same_as_at_once(halves, monkeypatch):
    real, generated = halves[0][0], halves[1][0]
    whole = samples.precision_recall(real, generated), samples.collapse(real, generated)
    monkeypatch.setattr(samples, "AT_ONCE", 7 * 800 + 3)
    parts = samples.precision_recall(real, generated), samples.collapse(real, generated)
    np.testing.assert_array_equal(whole[0], parts[0])
    np.testing.assert_allclose(whole[1].astype(float), parts[1].astype(float), rtol=1e-12)


def test_other_real_examples_have_high_scores_and_are_not_a_collapse(halves):
    (real, _), (others, _) = halves
    assert min(scores(real, others).values()) > 0.8
    found = samples.collapse(real, others).loc["all"]
    assert found["spread"] == pytest.approx(1, abs=0.05)
    assert found["duplicates"] < 0.05
    assert not found["collapsed"]


def test_noise_is_not_rewarded(halves):
    real = halves[0][0]
    noise = np.random.default_rng(0).random(real.shape)
    assert max(scores(real, noise).values()) < 0.01


def test_noise_with_the_right_mean_and_deviation_of_each_pixel_can_have_recall_but_no_coverage(
    halves,
):
    real, others = halves[0][0], halves[1][0]
    draw = np.random.default_rng(0)
    noise = others.mean(0) + others.std(0) * draw.standard_normal(real.shape)
    found = scores(real, np.clip(noise, 0, 1))
    assert found["recall"] > 0.1  # its balls are large
    assert found["precision"] < 0.05
    assert found["coverage"] < 0.05


def test_copies_of_one_real_example_look_real_but_have_no_recall_and_are_a_collapse(halves):
    real, copies = halves[0][0], np.repeat(halves[1][0][:1], 800, axis=0)
    found = scores(real, copies)
    assert found["precision"] == 1
    assert found["recall"] < 0.01
    assert found["coverage"] < 0.02
    alike = samples.collapse(real, copies).loc["all"]
    assert alike["spread"] < 1e-6
    assert alike["duplicates"] == 1
    assert alike["collapsed"]


def test_a_few_pictures_over_and_over_with_a_little_noise_are_duplicates(halves):
    real, others = halves[0][0], halves[1][0]
    few = np.tile(others[:10], (80, 1)) + np.random.default_rng(0).normal(0, 0.01, real.shape)
    alike = samples.collapse(real, few).loc["all"]
    assert alike["spread"] > 0.5  # the ten differ
    assert alike["duplicates"] == 1
    assert alike["collapsed"]


def test_classes_are_judged_each_by_itself(halves):
    (real, labels), (others, other_labels) = halves
    few = min(np.bincount(labels).min(), np.bincount(other_labels).min())
    first = np.concatenate([np.flatnonzero(labels == c)[:few] for c in range(10)])
    second = np.concatenate([np.flatnonzero(other_labels == c)[:few] for c in range(10)])
    asked = other_labels[second].copy()
    mixed = others[second].copy()
    asked_for_3 = asked == 3
    mixed[asked_for_3] = others[other_labels == 0][:few]  # the network makes 0 where 3 was asked
    found = samples.precision_recall(
        real[first], mixed, real_labels=labels[first], generated_labels=asked
    )
    assert found.index.tolist() == list(range(10))
    assert found.loc[3, SCORES].max() < 0.1
    assert found.drop(3)[SCORES].min().min() > 0.5
    assert min(scores(real[first], mixed).values()) > 0.7  # in one pool nobody would notice

    mixed[asked_for_3] = mixed[asked_for_3][0]
    alike = samples.collapse(real, mixed, real_labels=labels, generated_labels=asked)
    assert alike.index[alike["collapsed"]].tolist() == [3]


def test_features_take_the_place_of_pixels(halves):
    real, others = halves[0][0], halves[1][0]
    brightness = scores(real, others, features=lambda x: x.mean(axis=1))
    assert brightness["precision"] > 0.95
    components = samples.principal(real, 10)
    assert components(others).shape == (800, 10)
    assert min(scores(real, others, features=components).values()) > 0.8


def test_principal_components_are_scikit_learns_but_for_their_signs(halves):
    from sklearn.decomposition import PCA

    real, others = halves[0][0], halves[1][0]
    oracle = PCA(5, svd_solver="full").fit(real).transform(others)
    ours = samples.principal(real.reshape(-1, 8, 8, 1), 5)(others.reshape(-1, 8, 8, 1))
    np.testing.assert_allclose(np.abs(ours), np.abs(oracle), atol=1e-9)


def test_the_nearest_training_example_tells_copies_from_new_pictures(halves):
    train, held_out = halves[0][0], halves[1][0]
    rows, copied = samples.nearest_training(train[[5, 0]] + 0.001, train)
    assert rows.tolist() == [5, 0]
    assert copied == pytest.approx([0.008, 0.008])  # 64 pixels, each 0.001 off
    _, new = samples.nearest_training(held_out, train)
    assert np.median(new) > 50 * copied.max()


@pytest.mark.parametrize(
    ("real", "generated", "options", "says"),
    [
        (np.zeros((9, 4)), np.zeros((8, 4)), {}, "Class all: 9 real examples but 8 samples"),
        (np.zeros((9, 4)), np.zeros((9, 5)), {}, "Real examples have 4 numbers, samples 5"),
        (np.zeros((3, 4)), np.zeros((3, 4)), {}, "Class all has 3 examples; k=3 needs more than 3"),
        (np.zeros((0, 4)), np.zeros((9, 4)), {}, "no examples to compare"),
        (np.full((9, 4), np.nan), np.zeros((9, 4)), {}, "36 values to compare are NaN"),
        (np.zeros((9, 4)), np.zeros((9, 4)), {"real_labels": [0] * 9}, "only one was given"),
        (
            np.zeros((9, 4)),
            np.zeros((9, 4)),
            {"real_labels": [0] * 9, "generated_labels": [0]},
            "Labels must be one for each example",
        ),
    ],
)
def test_sets_that_cannot_be_compared_are_refused(real, generated, options, says):
    with pytest.raises(BadData, match=says):
        samples.precision_recall(real, generated, **options)


def test_options_that_cannot_work_are_refused():
    with pytest.raises(BadOption, match="k must be at least 1, not 0"):
        samples.precision_recall(np.zeros((9, 4)), np.zeros((9, 4)), k=0)
    with pytest.raises(BadOption, match="components must be at most 4 for 9 examples of 4"):
        samples.principal(np.zeros((9, 4)), 20)
    with pytest.raises(BadData, match="two samples are the least"):
        samples.collapse(np.zeros((9, 4)), np.zeros((1, 4)))
