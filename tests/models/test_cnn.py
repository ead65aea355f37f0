"""The convolutional network."""

import numpy as np
import pytest

from models import baselines, cnn, evaluation, training
from models.errors import BadOption


def test_basics_it_learns_digits_better_than_the_commonest_digit_and_a_linear_model(digits):
    import keras

    keras.utils.set_random_seed(0)
    model = cnn.build((8, 8, 1), 10, size=12)
    training.fit(
        model,
        digits["train"],
        digits["validation"],
        epochs=8,
        learning_rate=0.004,
        schedule="cosine",
        seed=0,
    )
    x, y = digits["test"]
    reached = evaluation.accuracy(y, model.predict(x, verbose=0))
    linear = baselines.logistic(*digits["train"])
    assert reached > evaluation.accuracy(y, linear.predict(x))
    assert reached > 0.9


def test_correctness_a_saved_network_gives_the_same_scores(digits, tmp_path):
    import keras

    model = cnn.build((8, 8, 1), 10, size=4, shift=0.1, zoom=0.1, rotation=0.02, flip=True, l2=1e-4)
    training.fit(model, digits["validation"], epochs=1, seed=0)
    model.save(tmp_path / "cnn.keras")
    loaded = keras.saving.load_model(tmp_path / "cnn.keras")
    x = digits["test"][0]
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_the_layers_read_like_the_table_in_the_docstring():
    model = cnn.build()
    assert [layer.name for layer in model.layers] == [
        "picture",
        *(f"{kind}{n}" for n in range(1, 5) for kind in ("conv", "norm", "activation")),
        "pool",
        "dropout",
        "scores",
    ]
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}
    assert [shapes[f"conv{n}"] for n in range(1, 5)] == [
        (16, 16, 22),
        (8, 8, 44),
        (4, 4, 66),
        (4, 4, 66),
    ]
    assert 75_000 < evaluation.parameters(model) < 80_000


def test_regularisation_initialisation_and_activation_are_plain_arguments():
    import keras

    model = cnn.build(
        (16, 16, 3),
        5,
        size=4,
        activation="tanh",
        l2=0.01,
        dropout=0,
        batch_norm=False,
        pooling="max",
        initialiser=keras.initializers.RandomNormal(stddev=1.0),
    )
    assert model.get_layer("conv2").kernel_regularizer.l2 == pytest.approx(0.01)
    assert model.get_layer("conv2").use_bias
    assert model.get_layer("conv2").kernel.numpy().std() == pytest.approx(1, abs=0.2)
    assert not any("norm" in layer.name or "dropout" in layer.name for layer in model.layers)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"initialiser": "he_normall"}, "Did you mean 'he_normal'"),
        ({"pooling": "avg"}, "Known: average, max"),
        ({"input_shape": (32, 32)}, r"input_shape must be \(height, width, channels\)"),
        ({"input_shape": (4, 4, 1)}, "at least 8×8 for four stages; got 4×4"),
        ({"classes": 1}, "classes must be at least 2, not 1"),
        ({"size": 1.5}, "size must be a whole number, not 1.5"),
        ({"dropout": 1}, "dropout must be from 0 to below 1, not 1"),
        ({"l2": -1}, "l2 must be 0 or a small positive number"),
        ({"shift": 2}, "shift must be from 0 to below 1, not 2"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        cnn.build(**options)
