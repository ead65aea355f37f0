"""The network from scratch in use: it learns, is saved and copied, refuses what does not fit."""

import copy
import math
import os
from itertools import pairwise

import numpy as np
import pytest

from models import baselines, classifier, evaluation, lent, scratch
from models.errors import BadData, BadOption, Diverged, ModelError

from .examples import some


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_basics_it_learns_digits(vectors, dtype):
    network = scratch.build(64, 10, (30,), dtype=dtype, seed=0)
    done = network.fit(*vectors["train"], vectors["validation"], learning_rate=0.01, seed=0)
    x, y = vectors["test"]
    reached = evaluation.accuracy(y, network.predict(x, verbose=0))
    assert reached > 0.9
    assert network.evaluate(x, y)["accuracy"] == pytest.approx(reached)
    assert done.model is network
    assert done.trainings == 1
    assert network.predict(x).dtype == dtype
    assert list(done.curves.columns) == [
        *("loss", "accuracy", "val_loss", "val_accuracy"),
        *("gradient_dense1", "gradient_scores"),
    ]
    assert done.curves.index.tolist() == list(range(1, len(done.curves) + 1))


def test_basics_with_a_hidden_layer_it_learns_a_ring_that_no_line_can():
    from sklearn.datasets import make_circles

    x, y = make_circles(400, noise=0.08, factor=0.4, random_state=0)
    network = scratch.build(2, hidden=(8,), head="sigmoid", activation="tanh", seed=0)
    network.fit(x[:300], y[:300], epochs=60, learning_rate=0.05, seed=0)
    line = evaluation.accuracy(y[300:], baselines.logistic(x[:300], y[:300]).predict(x[300:]))
    assert evaluation.accuracy(y[300:], network.predict(x[300:])) > line + 0.3


def test_basics_a_linear_head_learns_a_number():
    random = np.random.default_rng(0)
    x = random.uniform(-1, 1, (300, 2))
    y = x[:, 0] * x[:, 1]
    network = scratch.build(2, hidden=(16,), head="linear", activation="tanh", seed=0)
    done = network.fit(x, y, epochs=80, learning_rate=0.02, patience=None, seed=0)
    assert np.mean((network.predict(x)[:, 0] - y) ** 2) < 0.1 * y.var()
    assert list(done.curves.columns) == ["loss", "gradient_dense1", "gradient_scores"]


def test_the_gradient_shrinks_from_layer_to_layer_under_sigmoid_and_not_under_relu(vectors):
    def slopes(activation, initialiser):
        network = scratch.build(
            64, 10, (30,) * 4, activation=activation, initialiser=initialiser, seed=0
        )
        done = network.fit(*vectors["train"], epochs=2, learning_rate=0.1, optimizer="sgd", seed=0)
        return done.curves.filter(like="gradient_").iloc[0]

    shrinking = slopes("sigmoid", "xavier")
    assert list(shrinking.index[-2:]) == ["gradient_dense4", "gradient_scores"]
    assert all(earlier < later / 2 for earlier, later in pairwise(shrinking))
    steady = slopes("relu", "he")
    assert steady.iloc[0] > steady.iloc[-1] / 10


def test_the_magnitudes_are_the_mean_lengths_of_nabla_b_over_the_batches():
    x, y = some([3, 4, 2], 6)
    network = scratch.build(3, 2, (4,), seed=1)
    lengths = [np.linalg.norm(nabla) for nabla in network.gradients(x, y)[0]]
    done = network.fit(x, y, epochs=1, batch_size=6, seed=0)
    np.testing.assert_allclose(done.curves.filter(like="gradient_").iloc[0], lengths, rtol=1e-12)


def test_dropout_leaves_the_mean_of_a_hidden_layer_unchanged_and_predict_drops_nothing():
    network = scratch.build(3, 2, (400,), dropout=0.3, seed=0)
    x = np.ones((500, 3))
    _, (_, entering), (hidden,), (mask,) = network.forward(x, np.random.default_rng(0))
    assert np.mean(mask == 0) == pytest.approx(0.3, abs=0.005)
    assert entering.mean() == pytest.approx(hidden.mean(), rel=0.005)
    assert same(network.predict(x[:3]), network.predict(x[:3]))


@pytest.mark.parametrize(
    ("name", "spread"), [("xavier", math.sqrt(2 / 300)), ("he", 0.1), ("large", 1.0)]
)
def test_the_first_weights_have_the_spread_that_their_name_promises(name, spread):
    network = scratch.build(200, 2, (100,), initialiser=name, seed=0)
    assert network.w[0].std() == pytest.approx(spread, rel=0.03)
    assert (network.b[0].std() > 0.8) == (name == "large")


def test_the_same_seeds_give_the_same_weights_bit_for_bit_and_another_order_does_not(vectors):
    def weights(build_seed, order):
        network = scratch.build(64, 10, (8,), dropout=0.2, seed=build_seed)
        return network.fit(*vectors["validation"], epochs=2, seed=order).model.get_weights()

    assert same(weights(1, 1), weights(1, 1))
    assert not same(weights(1, 1), weights(1, 2))
    assert not same(weights(1, 1), weights(2, 1))

    np.random.seed(3)
    first = weights(None, None)
    np.random.seed(3)
    assert same(first, weights(None, None))


def test_training_stops_when_no_better_epoch_came_and_keeps_the_best_ones_weights(vectors):
    (x, y), held_out = vectors["train"], vectors["validation"]
    shuffled = np.random.default_rng(0).permutation(y)
    network = scratch.build(64, 10, (32,), seed=0)
    done = network.fit(
        x[:200], shuffled[:200], held_out, epochs=90, learning_rate=0.02, patience=3, seed=1
    )
    assert len(done.curves) == done.best_epoch + 3 < 90
    assert done.best_epoch == done.curves["val_loss"].idxmin()
    assert network.evaluate(*held_out)["loss"] == done.curves["val_loss"].min()


def test_the_accuracy_may_say_which_epoch_is_best(vectors):
    network = scratch.build(64, 10, (8,), seed=0)
    done = network.fit(
        *vectors["validation"],
        vectors["test"],
        epochs=6,
        learning_rate=0.05,
        monitor="val_accuracy",
        seed=1,
    )
    assert done.best_epoch == done.curves["val_accuracy"].idxmax()


def test_a_loss_that_is_not_finite_stops_training_and_names_epoch_and_batch():
    x, y = np.ones((40, 2)), np.zeros(40)
    row, batch_size = 17, 4
    x[row] = 1e200  # its cost is beyond any float64
    network = scratch.build(2, hidden=(), head="linear", seed=0)
    before = network.get_weights()
    with pytest.raises(Diverged, match=r"learning_rate=0\.001") as caught:
        network.fit(x, y, batch_size=batch_size, seed=6)
    order = np.random.default_rng([6, 0]).permutation(40).tolist()
    assert (caught.value.epoch, caught.value.batch) == (1, order.index(row) // batch_size + 1)
    assert same(network.get_weights(), before)


def test_a_learning_rate_that_is_too_large_leaves_no_broken_weights(vectors):
    network = scratch.build(64, hidden=(8,), head="linear", activation="relu", seed=0)
    with pytest.raises(Diverged, match=r"Try learning_rate=1000\b"):
        network.fit(*vectors["train"], optimizer="sgd", learning_rate=1e4, seed=0)
    assert np.isfinite(network.theta).all()


def test_a_loss_that_is_not_finite_on_the_validation_data_is_told():
    x, y = np.ones((4, 2)), np.zeros(4)
    network = scratch.build(2, hidden=(), head="linear", seed=0)
    with pytest.raises(Diverged, match="on the validation data") as caught:
        network.fit(x, y, (x * 1e200, y), seed=0)
    assert caught.value.batch is None


def test_inside_a_project_it_tells_how_far_it_is_and_what_it_was(vectors):
    told, trained = [], []
    token = lent.current.set(lent.Lent(report=lambda *a: told.append(a), trained=trained.append))
    try:
        scratch.build(64, 10, (4,), seed=0).fit(*vectors["validation"], epochs=3, seed=0)
    finally:
        lent.current.reset(token)
    assert [(done, total) for _, done, total in told] == [(7, 21), (14, 21), (21, 21)]
    assert told[0][0].startswith("epoch 1/3, loss ")
    assert (trained[0]["epochs_run"], trained[0]["examples"]) == (3, 200)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_correctness_a_saved_network_gives_the_same_scores(vectors, tmp_path, dtype):
    network = scratch.build(64, 10, (8, 6), activation="relu", l2=1e-4, dropout=0.1, dtype=dtype)
    network.fit(*vectors["validation"], epochs=1)
    network.save(tmp_path / "network.npz")
    loaded = scratch.Network.load(tmp_path / "network.npz")
    x, y = vectors["test"]
    assert same([network.predict(x)], [loaded.predict(x)])
    assert loaded.evaluate(x, y) == network.evaluate(x, y)
    assert same(network.get_weights(), loaded.get_weights())
    assert (loaded.dropout, loaded.l2, loaded.dtype) == (0.1, 1e-4, dtype)
    loaded.save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == (tmp_path / "network.npz").read_bytes()


def test_any_flipped_byte_and_any_cut_of_a_saved_network_is_noticed_and_named(tmp_path):
    path = tmp_path / "network.npz"
    scratch.build(2, 2, (2,), seed=0).save(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x20]) + whole[place + 1 :])
        with pytest.raises(ModelError, match=r"network\.npz is damaged"):
            scratch.Network.load(path)
    for size in (0, 10, 64, 500, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelError, match=r"network\.npz is damaged"):
            scratch.Network.load(path)


def test_a_file_of_a_later_format_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("models.saved.FORMAT", 2)
    scratch.build(2, 2, (2,), seed=0).save(tmp_path / "network.npz")
    monkeypatch.undo()
    with pytest.raises(ModelError, match="has format 2; this version of Folio reads 1"):
        scratch.Network.load(tmp_path / "network.npz")


def test_a_full_disk_leaves_the_earlier_file_whole(tmp_path, monkeypatch):
    path = tmp_path / "network.npz"
    scratch.build(2, 2, (2,), seed=0).save(path)
    whole = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        scratch.build(2, 2, (2,), seed=1).save(path)
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


def test_weights_have_the_order_and_shapes_that_keras_gives_them():
    options = {"inputs": 5, "classes": 3, "hidden": (4, 2)}
    network, model = scratch.build(**options, seed=0), classifier.build(**options)
    model.set_weights(network.get_weights())
    network.set_weights(model.get_weights())
    assert network.count_params() == model.count_params() == evaluation.parameters(network)


def test_a_deep_copy_learns_by_itself():
    x, y = some([3, 4, 2])
    network = scratch.build(3, 2, (4,), seed=0)
    before = network.get_weights()
    twin = copy.deepcopy(network)
    twin.fit(x, y, epochs=1, seed=0)
    assert same(network.get_weights(), before)
    assert same(twin.get_weights(), network.fit(x, y, epochs=1, seed=0).model.get_weights())


def test_the_summary_is_a_table_of_layers():
    lines = []
    scratch.build(784, 10, (30,), seed=0).summary(print_fn=lines.append)
    assert [line.split() for line in lines] == [
        ["layer", "units", "activation", "parameters"],
        ["dense1", "30", "sigmoid", "23,550"],
        ["scores", "10", "softmax", "310"],
        ["all", "23,860"],
    ]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"head": "softmx"}, "Did you mean 'softmax'"),
        ({"cost": "crossentropy"}, "Did you mean 'cross_entropy'"),
        ({"initialiser": "he_normal"}, "Did you mean 'he'|Known: he, large, xavier"),
        ({"dtype": "float16"}, "Known: float32, float64"),
        ({"head": "linear", "cost": "cross_entropy"}, 'or cost="quadratic"'),
        ({"hidden": 100}, r"such as \(100,\), not 100"),
        ({"hidden": (100, 0)}, "a hidden layer must be at least 1, not 0"),
        ({"inputs": (28, 28)}, "inputs must be a whole number"),
        ({"classes": 1}, "classes must be at least 2"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1"),
        ({"l2": -1}, "l2 must be 0 or a small positive number"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        scratch.build(**options)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"optimizer": "adamw"}, "Did you mean 'adam'"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"patience": 0}, "patience must be at least 1"),
        ({"monitor": "val_accurracy"}, "Did you mean 'val_accuracy'"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings, says):
    x, y = some([3, 2])
    with pytest.raises(BadOption, match=says):
        scratch.build(3, 2, (4,), seed=0).fit(x, y, (x, y), **settings)


@pytest.mark.parametrize(
    ("x", "y", "says"),
    [
        (np.ones((4, 2)), [0, 1, 0, 1], r"takes examples of shape \(3,\), got \(2,\)"),
        (np.ones((4, 3, 1)), [0, 1, 0, 1], r"x\.reshape\(len\(x\), -1\) would fit"),
        (np.ones((0, 3)), [], "train holds no examples"),
        (np.ones((4, 3)), [0, 1, 0], r"4 examples but labels of shape \(3,\)"),
        (np.ones((4, 3)), [0, 1, 0, 2], "1 labels are outside the network's 2 classes"),
        (np.ones((4, 3)), ["a", "b", "a", "b"], "labels must be numbers from 0 to 1"),
        (np.ones((4, 3)), np.ones((4, 3)), r"gives 2 numbers for each example; y has shape \(3,\)"),
        (np.ones((4, 3)), np.ones((4, 2)), "row 0 sums to 2"),
        (np.ones((4, 3)), np.full((4, 2), 3.0), "8 are outside, such as 3"),
        (np.full((4, 3), np.nan), [0, 1, 0, 1], "12 values of x are NaN or infinite"),
        ([["a", "b", "c"]], [0], "x must be numbers"),
    ],
)
def test_arrays_that_do_not_fit_are_told_with_what_would(x, y, says):
    with pytest.raises(BadData, match=says):
        scratch.build(3, 2, (4,), seed=0).fit(x, y)


def test_weights_that_do_not_fit_are_refused():
    network = scratch.build(3, 2, (), seed=0)
    with pytest.raises(BadData, match=r"shapes \[\(3, 2\), \(2,\)\], not \[\(2, 3\), \(2,\)\]"):
        network.set_weights([np.ones((2, 3)), np.ones(2)])
    with pytest.raises(BadData, match="NaN"):
        network.set_weights([np.full((3, 2), np.nan), np.ones(2)])
