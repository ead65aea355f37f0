"""Networks in fewer bytes: what rounding to float16 and int8 keeps, and what it refuses."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from models import classifier, scratch
from models.errors import BadOption
from models.live import export
from models.live.description import Description

keras = pytest.importorskip("keras")
layers = keras.layers
spec = importlib.util.spec_from_file_location("networks", Path(__file__).parent / "networks.py")
networks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(networks)
numbers, shaken = networks.numbers, networks.shaken

SHORTER = {"float16": 0.65, "int8": 0.5}  # of the file with small matrices and their vectors


def kernels():
    """Every kind of kernel, so that each has its scales along the right axes in int8."""
    picture, steps = keras.Input((6, 6, 3)), keras.Input((5,), dtype="int32")
    x = layers.Conv2D(4, 3, padding="same")(picture)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2)(x)
    x = layers.Conv2DTranspose(5, 3, strides=2, padding="same")(x)
    x = layers.GlobalAveragePooling2D()(x)
    y = layers.Embedding(7, 4)(steps)
    y = layers.Conv1D(6, 2)(y)
    y = layers.Bidirectional(layers.GRU(3))(y)
    model = shaken(keras.Model([picture, steps], layers.Dense(3)(layers.Concatenate()([x, y]))))
    # Channels of very different size, which one scale for all would ruin.
    for layer in model.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            size = np.geomspace(0.001, 1, 8, dtype=np.float32).reshape(4, 2)
            layer.kernel.assign(layer.kernel.numpy() * size)
    return model, [numbers((6, 6, 3)), np.arange(15).reshape(3, 5) % 7]


@pytest.fixture(scope="module")
def shorter(tmp_path_factory):
    """Networks in fewer bytes: one with a mean that rounding would ruin, and one from scratch."""
    inputs = keras.Input((6,))
    mean = [2023.0, 0, 1, 2, 3, 4]
    x = layers.Normalization(mean=mean, variance=[9.0] * 6)(inputs)
    x = layers.Dense(20, activation="tanh", name="hidden")(x)
    model = shaken(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))
    examples = numbers((6,)) + np.array(mean, np.float32)
    before = [weight.numpy() for weight in model.weights]
    several, given = kernels()
    exported = {"keras_float32": export(model, examples=examples)}
    for precision in SHORTER:
        exported |= {
            f"keras_{precision}": export(model, examples=examples, precision=precision),
            f"scratch_{precision}": export(
                scratch.build(6, 3, (20,), seed=1), examples=numbers((6,)), precision=precision
            ),
            f"kernels_{precision}": export(several, examples=given, precision=precision),
        }
    after = [weight.numpy() for weight in model.weights]
    found = networks.write_and_run(tmp_path_factory.mktemp("shorter") / "shorter", exported)
    return exported, found, (before, after)


@pytest.mark.parametrize("precision", SHORTER)
def test_a_shorter_file_agrees_with_keras_on_the_rounded_weights(shorter, precision):
    exported, found, _ = shorter
    for name in ("keras", "scratch", "kernels"):
        assert float(found[f"{name}_{precision}"]["deviation"]) < 1e-5
        most = {"float16": 0.01, "int8": 0.1}[precision]
        assert 1e-6 < exported[f"{name}_{precision}"].description["rounding"] < most
    whole = exported["keras_float32"]
    assert len(exported[f"keras_{precision}"].weights) < SHORTER[precision] * len(whole.weights)
    assert "rounding" not in whole.description


def test_int8_has_a_scale_for_each_output_channel_of_every_kind_of_kernel(shorter):
    exported, _, _ = shorter
    weights = exported["kernels_int8"].description["weights"]
    counts = {tuple(each["shape"]): each["scales"]["count"] for each in weights if "scales" in each}
    assert counts == {
        (3, 3, 3, 4): 4,
        (3, 3, 4, 2): 8,  # depthwise: both axes together
        (3, 3, 5, 8): 8,  # transposed: those of its input
        (7, 4): 4,
        (1, 2, 4, 6): 6,
        (6, 9): 9,
        (3, 9): 9,  # gates and units
        (11, 3): 3,
    }


def test_the_network_has_its_own_weights_again_after_rounding(shorter):
    _, _, (before, after) = shorter
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def test_int8_keeps_every_weight_to_half_a_step_of_its_channel():
    told = Description()
    kernel = np.array([[1.0, 0.0, -0.004], [-0.5, 0.0, 0.002], [0.3, 0.0, 1e-4]], np.float32)
    told.weight(kernel, "dense")
    told.weight(np.array([0.1, 0.2, 0.3]), "dense")
    (first, bias), content = told.packed("int8")
    assert first == {"shape": [3, 3], "at": 24, "type": "int8", "scales": {"at": 0, "count": 3}}
    assert bias == {"shape": [3], "at": 12, "type": "float32"}
    steps = np.frombuffer(content, np.int8, 9, 24).reshape(3, 3)
    scales = np.frombuffer(content, "<f4", 3, 0)
    assert steps.tolist() == [[127, 0, -127], [-64, 0, 64], [38, 0, 3]]  # half a step to even
    np.testing.assert_allclose(scales, [1 / 127, 1, 0.004 / 127], rtol=1e-6)
    np.testing.assert_array_equal(told.rounded(0, "int8"), steps * scales)
    assert (np.abs(steps * scales - kernel) <= 0.5001 * scales).all()


def test_weights_beyond_float16_are_refused_with_advice():
    model = classifier.build(6, 3)
    model.get_layer("dense1").kernel.assign(np.full((6, 100), 7e4))
    with pytest.raises(BadOption, match=r"'dense1'.*65504; precision='float32' would work"):
        export(model, examples=numbers((6,)), precision="float16")


def test_an_unknown_precision_is_refused():
    with pytest.raises(BadOption, match="Did you mean 'float16'"):
        export(classifier.build(6, 3), examples=numbers((6,)), precision="float17")
