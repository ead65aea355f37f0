"""The convolutional network."""

import numpy as np
import pytest

from models import baselines, cnn, evaluation, training
from models.errors import BadOption


@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
def test_basics_it_learns_digits_better_than_the_commonest_digit_and_a_linear_model(
    digits, residual
):
    import keras

    keras.utils.set_random_seed(0)
    model = cnn.build((8, 8, 1), 10, size=12, residual=residual)
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


@pytest.mark.parametrize(
    "options",
    [{"shift": 0.1, "zoom": 0.1, "rotation": 0.02, "flip": True}, {"residual": True, "depth": 2}],
    ids=["plain", "residual"],
)
def test_correctness_a_saved_network_gives_the_same_scores(digits, tmp_path, options):
    import keras

    model = cnn.build((8, 8, 1), 10, size=4, l2=1e-4, **options)
    training.fit(model, digits["validation"], epochs=1, seed=0)
    model.save(tmp_path / "cnn.keras")
    loaded = keras.saving.load_model(tmp_path / "cnn.keras")
    x = digits["test"][0]
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_correctness_a_block_adds_its_input_to_what_its_convolutions_find():
    # Kernels that look at one place and one map only, so that a block is plain arithmetic:
    # x becomes x + (-3)(2x).
    import keras

    model = cnn.build((8, 8, 1), 2, residual=True, size=2, depth=2, norm=None)

    def give(name, factor):
        kernel, bias = model.get_layer(name).weights
        kept = np.zeros(kernel.shape, "float32")
        middle = kernel.shape[0] // 2
        kept[middle, middle] = factor * np.eye(*kernel.shape[2:])
        kernel.assign(kept)
        bias.assign(np.zeros(bias.shape, "float32"))

    give("stage1_block2_conv1", 2)
    give("stage1_block2_conv2", -3)
    into = model.get_layer("stage1_block1_activation2").output
    parts = [model.get_layer(f"stage1_block2_{part}").output for part in ("add", "activation2")]
    block = keras.Model(model.input, [into, *parts])
    picture = np.random.default_rng(0).random((1, 8, 8, 1)).astype("float32")
    x, added, activated = (np.asarray(array) for array in block(picture))
    assert x.max() > 0
    np.testing.assert_allclose(added, x - 3 * 2 * x, rtol=1e-6)
    np.testing.assert_array_equal(activated, np.maximum(added, 0))


def test_correctness_scores_equal_the_table_computed_layer_by_layer_with_scipy():
    from scipy.signal import correlate2d
    from scipy.special import softmax

    model = cnn.build((8, 8, 1), 3, size=2, norm=None, dropout=0)
    picture = np.random.default_rng(0).random((8, 8, 1))
    x = picture
    for number, stride in enumerate((1, 2, 2, 1), start=1):
        kernel, bias = (
            np.asarray(w.numpy(), float) for w in model.get_layer(f"conv{number}").weights
        )
        maps = [
            sum(correlate2d(x[..., i], kernel[..., i, o], mode="same") for i in range(x.shape[-1]))
            for o in range(kernel.shape[-1])
        ]
        # "same" with stride 2 on an even length starts at the second place.
        x = np.maximum(
            np.stack(maps, axis=-1)[stride - 1 :: stride, stride - 1 :: stride] + bias, 0
        )
    kernel, bias = (np.asarray(w.numpy(), float) for w in model.get_layer("scores").weights)
    expected = softmax(x.mean(axis=(0, 1)) @ kernel + bias)
    found = model.predict(picture[None].astype("float32"), verbose=0)[0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


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


def test_the_residual_layers_read_like_their_table():
    model = cnn.build((32, 32, 1), 10, residual=True, size=16)
    block = ["conv1", "norm1", "activation1", "conv2", "norm2", "add", "activation2"]
    shortcut = ["shortcut_conv", "shortcut_norm"]
    names = [layer.name for layer in model.layers]
    assert names[:4] == ["picture", "stem_conv", "stem_norm", "stem_activation"]
    assert sorted(names[4:-3]) == sorted(
        f"stage{stage}_block1_{name}" for stage in (1, 2) for name in block + shortcut
    )
    assert names[-3:] == ["pool", "dropout", "scores"]
    shapes = {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}
    assert shapes["stem_conv"] == (32, 32, 16)
    assert shapes["stage1_block1_add"] == (16, 16, 32)
    assert shapes["stage2_block1_add"] == (8, 8, 64)
    assert 70_000 < evaluation.parameters(model) < 75_000


def test_the_stem_halves_large_pictures():
    large = cnn.build((64, 80, 3), 10, residual=True, size=2)
    assert large.get_layer("stem_conv").output.shape[1:] == (32, 40, 2)


def test_depth_repeats_what_a_stage_does_without_halving_again():
    plain = cnn.build((32, 32, 1), 10, size=2, depth=3)
    assert [layer.name for layer in plain.layers if "conv1" in layer.name] == [
        "conv1",
        "conv1_2",
        "conv1_3",
    ]
    assert plain.get_layer("conv1_3").output.shape[1:] == (16, 16, 2)
    residual = cnn.build((32, 32, 1), 10, size=2, depth=3, residual=True)
    # Only a block that changes the shape needs a convolution on its shortcut.
    assert [layer.name for layer in residual.layers if "shortcut_conv" in layer.name] == [
        "stage1_block1_shortcut_conv",
        "stage2_block1_shortcut_conv",
    ]
    assert residual.get_layer("stage1_block3_add").output.shape[1:] == (16, 16, 4)


def test_augmentation_varies_training_pictures_only():
    picture = np.random.default_rng(0).random((2, 16, 16, 1)).astype("float32")
    model = cnn.build((16, 16, 1), 3, size=2, shift=0.2, zoom=0.2, rotation=0.1, flip=True)
    for name in ("shift", "zoom", "rotation", "flip"):
        layer = model.get_layer(name)
        np.testing.assert_array_equal(layer(picture, training=False), picture)
        assert any(not np.array_equal(layer(picture, training=True), picture) for _ in range(9))


def test_regularisation_initialisation_and_activation_are_plain_arguments():
    import keras

    model = cnn.build(
        (16, 16, 3),
        5,
        size=4,
        activation="tanh",
        l2=0.01,
        dropout=0,
        norm=None,
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
        ({"input_shape": (4, 4, 1)}, "at least 8×8 for the stages; got 4×4"),
        ({"classes": 1}, "classes must be at least 2, not 1"),
        ({"size": 1.5}, "size must be a whole number, not 1.5"),
        ({"depth": 0}, "depth must be at least 1, not 0"),
        ({"dropout": 1}, "dropout must be from 0 to below 1, not 1"),
        ({"l2": -1}, "l2 must be 0 or a small positive number"),
        ({"shift": 2}, "shift must be from 0 to below 1, not 2"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        cnn.build(**options)
