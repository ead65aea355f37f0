"""Curves, early stopping, seeds, NaN and resuming."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models import classifier, cnn, evaluation, lent, rnn, training
from models.checkpoints import Checkpoints
from models.errors import BadData, BadOption, Diverged


def seeded(build, seed=7, **options):
    import keras

    keras.utils.set_random_seed(seed)
    return build(**options)


def small(seed=7, **options):
    return seeded(classifier.build, seed, **{"inputs": 64, "hidden": (16,), **options})


def weights(model):
    return [np.array(weight) for weight in model.get_weights()]


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_curves_have_a_row_an_epoch_and_the_best_epoch_is_where_the_monitor_was_best(vectors):
    done = training.fit(small(), vectors["train"], vectors["validation"], epochs=3, seed=1)
    assert list(done.curves.columns) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert done.curves.index.tolist() == [1, 2, 3]
    assert done.best_epoch == done.curves["val_loss"].idxmin()
    assert done.trainings == 1


def test_the_weights_kept_are_those_of_the_best_epoch(vectors):
    x, y = vectors["validation"]
    done = training.fit(
        small(),
        vectors["train"],
        (x, y),
        epochs=8,
        learning_rate=0.03,
        monitor="val_accuracy",
        patience=None,
        seed=1,
    )
    best = done.curves["val_accuracy"].max()
    assert done.best_epoch == done.curves["val_accuracy"].idxmax()
    assert evaluation.accuracy(y, done.model.predict(x, verbose=0)) == pytest.approx(best, abs=1e-6)


def test_training_stops_when_no_better_epoch_came_for_as_long_as_patience_says(vectors):
    x, y = vectors["train"]
    shuffled = np.random.default_rng(0).permutation(y)
    done = training.fit(
        small(hidden=(64,)),
        (x[:300], shuffled[:300]),
        vectors["validation"],
        epochs=60,
        learning_rate=0.01,
        patience=3,
        seed=1,
    )
    assert len(done.curves) == done.best_epoch + 3 < 60


def test_without_validation_all_epochs_run_and_the_last_one_is_kept(vectors):
    done = training.fit(small(), vectors["train"], epochs=2, patience=1, seed=1)
    assert done.best_epoch == 2
    assert list(done.curves.columns) == ["loss", "accuracy"]


def test_the_same_seeds_give_the_same_weights_bit_for_bit_and_another_order_does_not(vectors):
    def train(order):
        model = small(dropout=0.2)
        return weights(training.fit(model, vectors["train"], epochs=2, seed=order).model)

    assert same(train(1), train(1))
    assert not same(train(1), train(2))


def test_only_a_long_training_of_a_recurrent_network_is_compiled():
    import keras

    recurrent, dense = rnn.build(vocabulary=9, units=(4,), embedding=3), small()
    if keras.backend.backend() != "tensorflow":
        assert training.input_path(recurrent, 1) == (1, "auto")
        return
    short, long = training.WORTH_COMPILING - 1, training.WORTH_COMPILING
    assert training.input_path(recurrent, short) == (1, False)
    assert training.input_path(recurrent, long) == (1, True)
    assert not training.input_path(dense, long).jit_compile


def test_without_a_seed_the_order_comes_from_numpys_global_state(vectors):
    def train():
        import keras

        model = small()
        keras.utils.set_random_seed(3)
        return weights(training.fit(model, vectors["train"], epochs=1).model)

    assert same(train(), train())


FRESH_PROCESS = """
import os
os.environ.update(OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
import hashlib, keras, tensorflow as tf
from sklearn.datasets import load_digits
from models import cnn, training
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
keras.utils.set_random_seed(5)
model = cnn.build((8, 8, 1), 10, size=4, shift=0.1)
training.fit(model, (x[:400], y[:400]), (x[400:500], y[400:500]), epochs=2, schedule="cosine")
digest = hashlib.sha256()
for variable in model.variables:
    digest.update(keras.ops.convert_to_numpy(variable).tobytes())
print(digest.hexdigest())
"""


def test_two_processes_give_the_same_weights_bit_for_bit():
    environment = os.environ | {"PYTHONPATH": str(Path(training.__file__).parents[1])}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", FRESH_PROCESS],
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    first, second = (process.communicate(timeout=240)[0].strip() for process in running)
    assert len(first) == 64
    assert first == second


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_loss_that_becomes_nan_stops_training_and_names_epoch_and_batch(vectors):
    import keras

    # The step at 120 of 38 an epoch: epoch 4, batch 7 (counting from 1) sees what it did.
    rate = keras.optimizers.schedules.PiecewiseConstantDecay([119], [0.01, 1e30])
    model = small()
    with pytest.raises(Diverged, match=r"epoch 4, batch \d+ of 38") as caught:
        training.fit(
            model, vectors["train"], epochs=6, optimizer=keras.optimizers.SGD(rate), seed=1
        )
    assert caught.value.epoch == 4
    assert caught.value.batch in {7, 8, 9}
    assert all(np.isfinite(weight).all() for weight in weights(model))


class Killed(BaseException):
    pass


def killed_after(batches):
    """A listener that ends the training as a kill would, once so many batches are done."""

    def report(label, done, total):
        if done >= batches:
            raise Killed(label)

    return report


def test_a_killed_training_goes_on_to_the_same_curve_and_weights(digits, tmp_path):
    """Dropout, augmentation, a schedule, the best score: all go on as if nothing had happened."""
    x, y = digits["train"]
    logged = []

    def train(folder, listener):
        model = seeded(cnn.build, input_shape=(8, 8, 1), classes=10, size=3, shift=0.1)
        token = lent.current.set(lent.Lent(folder, report=listener, trained=logged.append))
        try:
            return training.fit(
                model,
                (x[:640], y[:640]),
                digits["validation"],
                epochs=4,
                learning_rate=0.01,
                schedule="cosine",
                seed=1,
            )
        finally:
            lent.current.reset(token)

    undisturbed = train(None, print)
    for batches in (10, 50, 77):  # of 20 an epoch: in the first epoch, the third, the last
        with pytest.raises(Killed):
            train(tmp_path, killed_after(batches))
    resumed = train(tmp_path, print)
    assert [line["resumed_after"] for line in logged] == [None, 3]
    pd.testing.assert_frame_equal(resumed.curves, undisturbed.curves, check_exact=True)
    assert resumed.best_epoch == undisturbed.best_epoch
    assert same(weights(resumed.model), weights(undisturbed.model))


def test_a_finished_training_is_read_back_and_not_trained_again(vectors, tmp_path):
    logged = []

    def train():
        token = lent.current.set(lent.Lent(checkpoints=tmp_path, trained=logged.append))
        try:
            return training.fit(small(), vectors["train"], vectors["validation"], epochs=2, seed=1)
        finally:
            lent.current.reset(token)

    first, second = train(), train()
    assert same(weights(first.model), weights(second.model))
    pd.testing.assert_frame_equal(first.curves, second.curves, check_exact=True)
    assert len(logged) == 1
    assert logged[0]["epochs_run"] == 2
    assert logged[0]["parameters"] == 64 * 16 + 16 + 16 * 10 + 10
    json.dumps(logged)  # plain values only


def test_another_setting_network_or_data_never_resumes_a_checkpoint(vectors, tmp_path):
    x, y = vectors["train"]

    def train(model=None, data=(x, y), **options):
        training.fit(model or small(), data, checkpoints=tmp_path, epochs=1, seed=1, **options)
        return len({path.stem.rsplit("-", 1)[0] for path in tmp_path.glob("*.npz")})

    assert train() == 1
    assert train() == 1
    assert train(learning_rate=0.01) == 2
    assert train(small(activation="tanh")) == 3
    assert train(small(seed=8)) == 4
    assert train(data=(x, (y + 1) % 10)) == 5


@pytest.mark.parametrize("damage", ["one bit flipped", "cut short", "zeroed", "no digest"])
def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(tmp_path, damage):
    kept = Checkpoints(tmp_path, "training")
    for epoch in (1, 2, 3):
        kept.write(epoch, {"epoch": epoch, "best": 0.1}, {"state": [np.arange(99.0) * epoch]})
    newest = tmp_path / "training-00003.npz"
    content = bytearray(newest.read_bytes())
    if damage == "one bit flipped":
        content[len(content) // 2] ^= 4
    elif damage == "cut short":
        del content[len(content) // 3 :]
    elif damage == "zeroed":
        content[:] = bytes(len(content))
    else:
        newest.with_suffix(".sha256").unlink()
    newest.write_bytes(content)
    with pytest.warns(UserWarning, match=newest.name):
        found = kept.latest()
    assert found is not None
    progress, arrays = found
    assert progress == {"epoch": 2, "best": 0.1}
    np.testing.assert_array_equal(arrays["state"][0], np.arange(99.0) * 2)


def test_only_the_last_two_checkpoints_are_kept_and_a_full_disk_leaves_them_whole(
    tmp_path, monkeypatch
):
    kept = Checkpoints(tmp_path, "training")
    for epoch in (1, 2, 3):
        kept.write(epoch, {"epoch": epoch}, {})

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        kept.write(4, {"epoch": 4}, {})
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "training-00002.npz",
        "training-00002.sha256",
        "training-00003.npz",
        "training-00003.sha256",
    ]
    assert kept.latest() == ({"epoch": 3}, {})


def test_progress_counts_batches_up_to_the_total(vectors):
    said = []
    token = lent.current.set(lent.Lent(report=lambda *what: said.append(what)))
    try:
        training.fit(small(), vectors["train"], epochs=2, seed=1)
    finally:
        lent.current.reset(token)
    counted = [done for _, done, _ in said]
    assert counted == sorted(set(counted))
    assert {38, 76} <= set(counted)
    assert {total for _, _, total in said} == {76}
    assert said[-1][0].startswith("epoch 2/2, loss ")


def test_balanced_class_weights_find_more_of_a_rare_class(vectors):
    x, y = vectors["train"]
    rare = (y == 8).astype(int)

    def recall(class_weight):
        model = seeded(classifier.build, inputs=64, hidden=(), head="sigmoid")
        training.fit(model, (x, rare), epochs=3, class_weight=class_weight, seed=1)
        found = model.predict(x, verbose=0)[:, 0] > 0.5
        return found[rare == 1].mean()

    assert recall("balanced") > recall(None) + 0.2


def test_a_number_is_predicted_with_squared_error_and_a_yes_with_cross_entropy(vectors):
    x, _ = vectors["train"]
    target = x.mean(axis=1) * 30
    number = seeded(classifier.build, inputs=64, hidden=(), head="linear")
    done = training.fit(number, (x, target), epochs=10, learning_rate=0.003, seed=1)
    assert list(done.curves.columns) == ["loss"]
    assert number.loss == "mean_squared_error"
    assert done.curves["loss"].iloc[-1] < np.var(target)

    yes = seeded(classifier.build, inputs=64, hidden=(), head="sigmoid")
    done = training.fit(yes, (x, target > target.mean()), epochs=1, seed=1)
    assert yes.loss == "binary_crossentropy"
    assert "accuracy" in done.curves


def test_a_quadratic_cost_can_be_asked_of_a_classifier(vectors):
    done = training.fit(small(), vectors["train"], epochs=1, loss="mean_squared_error", seed=1)
    assert done.curves["loss"].iloc[0] < 0.2


def test_one_hot_rows_train_as_class_numbers_do(vectors):
    x, y = vectors["train"]
    numbers = training.fit(small(), (x, y), epochs=1, seed=1)
    rows = training.fit(small(), (x, np.eye(10)[y]), epochs=1, seed=1)
    assert rows.curves["loss"].iloc[0] == pytest.approx(numbers.curves["loss"].iloc[0], rel=1e-5)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda x, y: (x.reshape(-1, 8, 8), y), r"takes examples of shape \(64,\), got \(8, 8\)"),
        (lambda x, y: (x.reshape(-1, 8, 8), y), r"x.reshape\(len\(x\), 64\) would fit"),
        (lambda x, y: (x, y + 5), "outside the network's 10 classes 0…9, such as 1"),
        (lambda x, y: (x, y.astype(str)), r"names, y = np.unique"),
        (lambda x, y: (x, y + 0.5), "outside the network's 10 classes"),
        (lambda x, y: (x[:0], y[:0]), "holds no examples"),
        (lambda x, y: (x, y[:-1]), "1200 examples but labels of shape"),
        (lambda x, y: (np.where(x == x[3, 5], np.nan, x), y), "values of x are NaN or infinite"),
        (lambda x, y: (x.astype(str), y), "x must be numbers"),
        (lambda x, y: x, r"must be a pair \(x, y\)"),
    ],
)
def test_data_that_do_not_fit_are_refused_with_what_would(vectors, change, says):
    with pytest.raises(BadData, match=says):
        training.fit(small(), change(*vectors["train"]))


@pytest.mark.parametrize("wrong", [9, -1])
def test_symbols_outside_the_vocabulary_are_refused(wrong):
    ids = np.array([[1, 2, 3], [4, wrong, 0]])
    model = rnn.build(vocabulary=5, units=(4,), embedding=2)
    with pytest.raises(BadData, match=rf"outside the network's vocabulary 0…4, such as {wrong}"):
        training.fit(model, (ids, np.zeros_like(ids)), epochs=1)


def test_pictures_without_a_channel_are_told_to_add_it(digits):
    x, y = digits["train"]
    with pytest.raises(BadData, match=r"x\[\.\.\., None\]"):
        training.fit(cnn.build((8, 8, 1), 10, size=2), (x[..., 0], y))


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ({"batch_size": 0}, "batch_size must be at least 1, not 0"),
        ({"epochs": 2.5}, "epochs must be a whole number, not 2.5"),
        ({"optimizer": "adaam"}, "Did you mean 'adam'"),
        ({"schedule": "cosinus"}, "Did you mean 'cosine'"),
        ({"learning_rate": -1}, "learning_rate must be a number above 0"),
        ({"monitor": "val_acc"}, "Did you mean 'val_accuracy'"),
        ({"class_weight": "balance"}, "Did you mean 'balanced'"),
        ({"patience": 0}, "patience must be at least 1"),
    ],
)
def test_options_that_cannot_work_are_refused(vectors, option, says):
    with pytest.raises(BadOption, match=says):
        training.fit(small(), vectors["train"], vectors["validation"], **option)
