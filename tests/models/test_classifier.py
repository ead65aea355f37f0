"""The dense network."""

import numpy as np
import pytest

from models import baselines, classifier, evaluation, training
from models.errors import BadOption


def test_basics_it_learns_digits_better_than_the_commonest_digit_and_a_linear_model(vectors):
    import keras

    keras.utils.set_random_seed(0)
    model = classifier.build(64, 10, hidden=(64,), dropout=0.1)
    training.fit(
        model, vectors["train"], vectors["validation"], epochs=30, learning_rate=0.003, seed=0
    )
    x, y = vectors["test"]
    reached = evaluation.accuracy(y, model.predict(x, verbose=0))
    assert (
        reached > evaluation.accuracy(y, baselines.majority(vectors["train"][1]).predict(x)) + 0.5
    )
    assert reached > evaluation.accuracy(y, baselines.logistic(*vectors["train"]).predict(x))


def test_correctness_without_a_hidden_layer_it_is_softmax_of_a_linear_map():
    model = classifier.build(3, 4, hidden=())
    kernel, bias = model.get_weights()
    x = np.array([[1.0, -2.0, 0.5]], dtype="float32")
    z = np.exp(x @ kernel + bias)
    np.testing.assert_allclose(model.predict(x, verbose=0), z / z.sum(), rtol=1e-5)
    assert evaluation.parameters(model) == 3 * 4 + 4


def test_correctness_a_saved_network_gives_the_same_scores(vectors, tmp_path):
    import keras

    model = classifier.build(64, 10, hidden=(8, 8), batch_norm=True, dropout=0.1, l2=1e-4)
    training.fit(model, vectors["validation"], epochs=1, seed=0)
    model.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    x = vectors["test"][0]
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_an_initialiser_object_gives_two_layers_of_one_shape_different_weights():
    import keras

    start = keras.initializers.RandomNormal(stddev=1.0)
    model = classifier.build(8, 2, hidden=(8, 8), initialiser=start)
    first, second = model.get_layer("dense1"), model.get_layer("dense2")
    assert not np.array_equal(first.kernel, second.kernel)


@pytest.mark.parametrize(("head", "units"), [("softmax", 7), ("sigmoid", 1), ("linear", 1)])
def test_the_head_decides_how_many_scores_there_are(head, units):
    assert classifier.build(4, 7, head=head).output_shape == (None, units)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"head": "softmx"}, "Did you mean 'softmax'"),
        ({"hidden": 100}, r"such as \(100,\), not 100"),
        ({"hidden": (100, 0)}, "a hidden layer must be at least 1, not 0"),
        ({"inputs": (28, 28)}, "inputs must be a whole number"),
        ({"dropout": -0.1}, "dropout must be from 0 to below 1"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        classifier.build(**options)
