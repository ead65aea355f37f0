"""What a page cannot run is refused before it is written, by name."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from models import classifier, gan, rnn
from models.errors import BadData, BadOption
from models.live import export

keras = pytest.importorskip("keras")
layers = keras.layers
spec = importlib.util.spec_from_file_location("networks", Path(__file__).parent / "networks.py")
networks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(networks)
alone, merged, numbers = networks.alone, networks.merged, networks.numbers

PICTURE, STEPS, VECTOR = (7, 6, 3), (5, 3), (6,)

REFUSED = {
    "dilation": (lambda: alone(layers.Conv2D(3, 3, dilation_rate=2), PICTURE), "dilation_rate"),
    "groups": (lambda: alone(layers.Conv2D(3, 3, groups=3), PICTURE), "groups"),
    "output_padding": (
        lambda: alone(layers.Conv2DTranspose(3, 3, strides=2, output_padding=1), PICTURE),
        "output_padding",
    ),
    "stateful": (
        lambda: (
            keras.Sequential(
                [keras.Input(batch_shape=(1, 4, 2)), layers.GRU(3, stateful=True, name="memory")]
            ),
            numbers((4, 2)),
        ),
        "'memory' .GRU.*stateful",
    ),
    "mask": (
        lambda: (
            rnn.build("classifier", vocabulary=9, classes=3, mask=True),
            np.ones((3, 4), np.int32),
        ),
        "mask_zero",
    ),
    "axis": (lambda: alone(layers.BatchNormalization(axis=1), PICTURE), "axis=1"),
    "two_axes": (lambda: alone(layers.LayerNormalization(axis=[2, 3]), PICTURE), "axis"),
    "softmax_axis": (lambda: alone(layers.Softmax(axis=1), PICTURE), "axis=1"),
    "unknown": (lambda: alone(layers.SimpleRNN(3, name="simple"), STEPS), "'simple'.*SimpleRNN"),
    "permute": (lambda: alone(layers.Permute((2, 1)), STEPS), "Permute"),
    "function": (
        lambda: alone(layers.Dense(3, activation=lambda x: x * x), VECTOR),
        "function of its own",
    ),
    "gate": (lambda: alone(layers.GRU(3, activation="softmax"), STEPS), "mixes its units"),
    "bicubic": (lambda: alone(layers.UpSampling2D(2, interpolation="bicubic"), PICTURE), "bicubic"),
    "half": (lambda: alone(layers.Dense(3, dtype="mixed_float16"), VECTOR), "float16"),
    "operation": (
        lambda: (lambda x: (keras.Model(x, x * 2), numbers(VECTOR)))(keras.Input(VECTOR)),
        "operation between layers",
    ),
    "gan": (lambda: (gan.build((8, 8, 1), noise=4, size=2), numbers((4,))), "average"),
    "merge_shapes": (lambda: merged(layers.Add(), ((2, 3), (3,))), "shapes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_page_cannot_run_is_refused_by_name(name):
    make, message = REFUSED[name]
    model, examples = make()
    with pytest.raises(BadOption, match=message) as raised:
        export(model, examples=examples)
    assert "would work" in str(raised.value)


def test_a_layer_of_ones_own_is_refused_even_if_it_is_called_dense():
    class Dense(layers.Layer):
        def call(self, x):
            return x * 3

    model, examples = alone(Dense(), VECTOR)
    with pytest.raises(BadOption, match="does not know its class"):
        export(model, examples=examples)


def test_examples_that_do_not_fit_are_refused():
    model = classifier.build(6, 3)
    for examples, message in (
        (numbers((6,))[:2], "3 examples are needed"),
        (numbers((5,)), r"takes examples of shape \(6,\)"),
        (np.full((3, 6), np.nan), "NaN"),
        ([numbers((6,)), numbers((6,))], "1 inputs"),
        (np.array([["a"] * 6] * 3), "takes numbers"),
    ):
        with pytest.raises(BadData, match=message):
            export(model, examples=examples)


def test_weights_that_are_no_numbers_are_refused_with_the_layers_name():
    model = classifier.build(6, 3)
    model.get_layer("dense1").kernel.assign(np.full((6, 100), np.inf))
    with pytest.raises(BadData, match="'dense1' has 600 weights"):
        export(model, examples=numbers((6,)))


def test_what_is_no_network_is_refused_with_what_would_be_one():
    with pytest.raises(BadOption, match=r"network\[0\]\.model"):
        export({0: classifier.build(6, 3)}, examples=numbers((6,)))


def test_a_network_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr("models.live.description.MOST_NUMBERS", 60)
    with pytest.raises(BadOption, match=r"'norm1' there are 70\. A smaller one"):
        export(classifier.build(6, 3, (10,), norm="batch"), examples=numbers((6,)))
    with pytest.raises(BadOption, match="too much for a page: up to 60 numbers"):
        export(alone(layers.UpSampling1D(9), STEPS)[0], examples=numbers(STEPS))
