"""One step by hand: the numbers, and how they are shown."""

from __future__ import annotations

import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models import backprop
from models.backprop.derivation import PARTS
from models.errors import BadOption

SVG = "{http://www.w3.org/2000/svg}"
NETWORKS = [
    {"activation": "sigmoid"},
    {"activation": "tanh"},
    {"activation": "relu"},
    {"activation": "linear"},
    {"activation": "tanh", "head": "linear"},
    {"activation": "relu", "head": "sigmoid"},
    {"activation": "sigmoid", "cost": "cross_entropy"},
    {"activation": "tanh", "cost": "cross_entropy"},
    {"activation": "relu", "cost": "cross_entropy", "head": "sigmoid"},
    {"activation": "linear", "cost": "cross_entropy", "head": "softmax"},
]
SHAPES = [(2, 1), (2, 3, 2), (3, 2, 4, 2), (1, 2, 1, 2, 2)]


def label(network):
    return "-".join(network.values())


def arrays(worked, values=None):
    """The given weights and biases as arrays, one pair a layer."""
    values = values or worked.values
    layers = []
    for layer, (before, size) in enumerate(pairwise(worked.sizes), start=1):
        W = [[values[f"w{layer}_{j}{k}"] for k in range(1, before + 1)] for j in range(1, size + 1)]
        layers.append(
            (np.array(W), np.array([values[f"b{layer}_{j}"] for j in range(1, size + 1)]))
        )
    return layers


def vectors(worked):
    x = np.array([worked.given[f"x_{k + 1}"] for k in range(worked.sizes[0])])
    return x, np.array([worked.given[f"y_{j + 1}"] for j in range(worked.sizes[-1])])


ACTIVATE = {
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "linear": lambda z: z,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(),
}


def cost_of(worked, layers):
    """The cost by plain NumPy, and every z and a on the way."""
    a, y = vectors(worked)
    zs, activations = [], [a]
    for number, (W, bias) in enumerate(layers, start=1):
        zs.append(W @ a + bias)
        a = ACTIVATE[worked.activation_of(number)](zs[-1])
        activations.append(a)
    if worked.cost == "quadratic":
        return 0.5 * np.sum((y - a) ** 2), zs, activations
    if worked.head == "softmax":
        return -np.sum(y * np.log(a)), zs, activations
    return -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)), zs, activations


def numeric(worked, change):
    """The derivative of the cost by central differences; `change(layers, h)` moves one number."""
    h = 1e-6
    up, down = arrays(worked), arrays(worked)
    change(up, h)
    change(down, -h)
    return (cost_of(worked, up)[0] - cost_of(worked, down)[0]) / (2 * h)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("network", NETWORKS, ids=label)
def test_every_value_is_that_of_a_plain_network_and_of_central_differences(network, shape):
    if shape[-1] == 1 and network.get("head") == "softmax":
        shape = (*shape[:-1], 2)
    worked = backprop.worked(shape, **network, seed=5, learning_rate=0.25)
    values = worked.values
    cost, zs, activations = cost_of(worked, arrays(worked))
    assert values["C"] == pytest.approx(cost, abs=1e-12)
    for layer in range(1, len(shape)):
        for j in range(1, shape[layer] + 1):
            at = f"{layer}_{j}"
            assert values[f"z{at}"] == pytest.approx(zs[layer - 1][j - 1], abs=1e-12)
            assert values[f"a{at}"] == pytest.approx(activations[layer][j - 1], abs=1e-12)

            def shift(layers, h, layer=layer, j=j):
                layers[layer - 1][1][j - 1] += h

            slope = numeric(worked, shift)
            assert values[f"delta{at}"] == pytest.approx(slope, abs=1e-8)  # dC/db is dC/dz
            assert values[f"dC/db{at}"] == values[f"delta{at}"]
            new = values[f"b{at}"] - 0.25 * values[f"dC/db{at}"]
            assert values[f"new_b{at}"] == pytest.approx(new, abs=1e-15)
            if f"slope{at}" in values:
                act = ACTIVATE[worked.activation_of(layer)]
                z, h = zs[layer - 1][j - 1], 1e-6
                slope = (act(z + h) - act(z - h)) / (2 * h)
                assert values[f"slope{at}"] == pytest.approx(slope, abs=1e-8)
            for k in range(1, shape[layer - 1] + 1):

                def turn(layers, h, layer=layer, j=j, k=k):
                    layers[layer - 1][0][j - 1, k - 1] += h

                at = f"{layer}_{j}{k}"
                assert values[f"dC/dw{at}"] == pytest.approx(numeric(worked, turn), abs=1e-8)
                new = values[f"w{at}"] - 0.25 * values[f"dC/dw{at}"]
                assert values[f"new_w{at}"] == pytest.approx(new, abs=1e-15)


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS, ids=label)
def test_one_update_is_that_of_keras(network):
    import keras

    worked = backprop.worked((3, 4, 2), **network, seed=2, learning_rate=0.5)
    layers = [keras.Input((3,))]
    for number, units in enumerate((4, 2), start=1):
        layers.append(keras.layers.Dense(units, activation=worked.activation_of(number)))
    model = keras.Sequential(layers)
    model.set_weights([part for W, bias in arrays(worked) for part in (W.T, bias)])
    x, y = vectors(worked)
    # Keras takes means over the outputs where the book takes sums.
    loss, factor = {
        "quadratic": ("mse", 2 / 2),
        "cross_entropy": ("binary_crossentropy", 2),
    }[worked.cost]
    if worked.head == "softmax":
        loss, factor = "categorical_crossentropy", 1
    model.compile(keras.optimizers.SGD(worked.given["eta"] * factor), loss)
    model.train_on_batch(x[None].astype("float32"), y[None].astype("float32"))
    ours = {**worked.values}
    ours |= {name[4:]: ours[name] for name in ours if name.startswith("new_")}
    wanted = [part for W, bias in arrays(worked, ours) for part in (W.T, bias)]
    for got, expected in zip(model.get_weights(), wanted, strict=True):
        np.testing.assert_allclose(got, expected, atol=2e-6)


def test_a_step_done_with_a_pencil():
    worked = backprop.worked(
        (2, 2, 1),
        x=[0.5, 0.1],
        y=[1],
        weights=[[[0.3, -0.2], [0.4, 0.6]], [[0.7, -0.5]]],
        biases=[[0.1, -0.3], [0.2]],
        learning_rate=0.5,
    )
    pencil = {
        "z1_1": 0.23,  # 0.3·0.5 - 0.2·0.1 + 0.1
        "z1_2": -0.04,  # 0.4·0.5 + 0.6·0.1 - 0.3
        "a1_1": 0.5572,  # 1/(1 + e^-0.23) = 1/1.7945
        "a1_2": 0.4900,  # 1/(1 + e^0.04) = 1/2.0408
        "z2_1": 0.3451,  # 0.7·0.5572 - 0.5·0.4900 + 0.2
        "a2_1": 0.5854,
        "C": 0.08593,  # 0.4146²/2
        "slope2_1": 0.2427,  # 0.5854·0.4146
        "delta2_1": -0.1006,  # -0.4146·0.2427
        "slope1_1": 0.2467,
        "slope1_2": 0.2499,
        "delta1_1": -0.01738,  # 0.7·(-0.1006)·0.2467
        "delta1_2": 0.01257,  # -0.5·(-0.1006)·0.2499
        "dC/db1_1": -0.01738,
        "dC/db1_2": 0.01257,
        "dC/db2_1": -0.1006,
        "dC/dw1_11": -0.008688,  # 0.5·δ1_1
        "dC/dw1_12": -0.001738,  # 0.1·δ1_1
        "dC/dw1_21": 0.006286,
        "dC/dw1_22": 0.001257,
        "dC/dw2_11": -0.05608,  # 0.5572·δ2_1
        "dC/dw2_12": -0.04931,
        "new_w1_11": 0.3043,  # 0.3 + 0.5·0.008688
        "new_b2_1": 0.2503,
    }
    for name, value in pencil.items():
        assert worked[name].value == pytest.approx(value, rel=2e-3), name
    assert worked["z1_1"].symbols == "w1_11·x_1 + w1_12·x_2 + b1_1"
    assert worked["z1_1"].numbers == "0.3·0.5 + (-0.2)·0.1 + 0.1"
    assert worked["delta1_2"].depends_on == ("delta2_1", "slope1_2")
    assert worked["delta1_2"].latex == r"\delta^{1}_{2}"
    line = "z1_1 = w1_11·x_1 + w1_12·x_2 + b1_1 = 0.3·0.5 + (-0.2)·0.1 + 0.1 = 0.23"
    assert line in re.sub(" +", " ", worked.text(90))
    assert r"&= 0.3 \cdot 0.5 + (-0.2) \cdot 0.1 + 0.1 = 0.23" in worked.markdown()


def test_a_step_downhill_lowers_the_cost():
    for network in NETWORKS:
        worked = backprop.worked((2, 3, 2), **network, seed=1, learning_rate=0.01)
        after = {n[4:]: v for n, v in worked.values.items() if n.startswith("new_")}
        assert cost_of(worked, arrays(worked, after))[0] < worked.values["C"], network


@pytest.mark.parametrize("network", NETWORKS, ids=label)
def test_the_network_from_scratch_has_the_same_gradient(network):
    scratch = pytest.importorskip("models.scratch")
    worked = backprop.worked((3, 4, 2), **network, seed=2)
    options = {"activation": worked.activation, "head": worked.head, "cost": worked.cost}
    other = scratch.Network(worked.sizes, **options)
    other.set_weights([part for W, bias in arrays(worked) for part in (W.T, bias)])
    x, y = vectors(worked)
    nabla_b, nabla_w = other.gradients(x[None], y[None])
    for layer, (for_b, for_w) in enumerate(zip(nabla_b, nabla_w, strict=True), start=1):
        for (k, j), value in np.ndenumerate(for_w):
            ours = worked[f"dC/dw{layer}_{j + 1}{k + 1}"].value
            assert value == pytest.approx(ours, abs=1e-12)
        for j, value in enumerate(np.ravel(for_b), start=1):
            assert value == pytest.approx(worked[f"dC/db{layer}_{j}"].value, abs=1e-12)


def test_the_same_seed_gives_the_same_numbers_and_what_is_given_changes_no_other():
    one, two = backprop.worked(seed=3), backprop.worked(seed=3)
    assert one == two
    assert backprop.worked(seed=4).given != one.given
    other = backprop.worked(seed=3, x=[0.5, 0.25])
    assert {n: v for n, v in other.given.items() if n[0] != "x"} == {
        n: v for n, v in one.given.items() if n[0] != "x"
    }
    assert other.given["x_2"] == 0.25
    arrays_too = backprop.worked(
        x=np.array([0.5, 0.25]), weights=[np.ones((2, 2)), np.ones((1, 2))], biases=[[0, 0], [0]]
    )
    assert arrays_too["z1_2"].value == 0.75


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sizes": 3}, r"sizes must name 2 to 5 layers.*not 3"),
        ({"sizes": (2,)}, "2 to 5 layers"),
        ({"sizes": (1,) * 6}, "2 to 5 layers"),
        ({"sizes": (2, 7, 1)}, "up to 6 neurons, not 7"),
        ({"sizes": (2, 0, 1)}, "must be at least 1, not 0"),
        ({"activation": "sigmod"}, "Did you mean 'sigmoid'"),
        ({"activation": "softmax"}, "head='softmax'"),
        ({"cost": "entropy"}, "Known: cross_entropy, quadratic"),
        ({"head": "softmax"}, "softmax goes with cost 'cross_entropy'"),
        ({"head": "tanh", "cost": "cross_entropy"}, "outputs between 0 and 1"),
        ({"head": "softmax", "cost": "cross_entropy"}, "at least 2, not 1"),
        ({"x": [1, 2, 3]}, r"x must be a list of 2 numbers, not \[1, 2, 3\]"),
        ({"x": [1, math.nan]}, "finite number, not nan"),
        ({"y": ["one"]}, "y must be a finite number, not 'one'"),
        ({"y": [2], "cost": "cross_entropy"}, "every y lies between 0 and 1"),
        (
            {"sizes": (1, 2), "y": [1, 1], "cost": "cross_entropy"},
            "shares that add up to 1",
        ),
        ({"weights": [[[1, 2]]]}, "weights must hold 2 layers"),
        ({"weights": [[[1, 2]], [[1, 2]]]}, "weights of layer 1 must be 2 rows of 2"),
        ({"biases": [[1], [1]]}, "biases of layer 1 must be a list of 2 numbers"),
        ({"learning_rate": 0}, "learning_rate must be above 0, not 0"),
        ({"seed": -1}, "seed must be at least 0"),
        (
            {"weights": [[[1e300]], [[1e300]]], "sizes": (1, 1, 1), "activation": "relu"},
            "too large",
        ),
    ],
)
def test_what_cannot_be_worked_out_is_refused(options, says):
    with pytest.raises(BadOption, match=says):
        backprop.worked(**options)


def test_an_unknown_step_is_told_the_nearest_one():
    with pytest.raises(BadOption, match="Did you mean 'delta1_2'"):
        _ = backprop.worked()["detla1_2"]


networks = st.fixed_dictionaries(
    {
        "sizes": st.lists(st.integers(1, 6), min_size=2, max_size=5),
        "seed": st.integers(0, 10_000),
        "activation": st.sampled_from(["sigmoid", "tanh", "relu", "linear"]),
        "cost": st.sampled_from(["quadratic", "cross_entropy"]),
        "learning_rate": st.floats(1e-6, 100),
    }
)


@settings(max_examples=25, deadline=None)
@given(networks, st.integers(20, 160), st.data())
def test_any_network_can_be_shown_in_every_way(options, width, data):
    numbers = st.floats(-20, 20, allow_nan=False)
    x = data.draw(st.lists(numbers, min_size=options["sizes"][0], max_size=options["sizes"][0]))
    try:
        worked = backprop.worked(**options, x=x)
    except BadOption:
        assume(False)  # such numbers that the cost is infinite
    names = [step.name for step in worked.steps]
    assert len(set(names)) == len(names)
    assert not set(names) & set(worked.given)
    assert [PARTS.index(step.part) for step in worked.steps] == sorted(
        PARTS.index(step.part) for step in worked.steps
    )
    seen = set()
    for step in worked.steps:
        assert set(step.depends_on) <= seen
        seen.add(step.name)
    for line in worked.text(width).splitlines():
        assert "nan" not in line
        if width >= 80:
            assert len(line) <= width, line
    markdown = worked.markdown("net")
    assert markdown.count("$$") % 2 == 0
    assert markdown.count("{") == markdown.count("}")
    for dark in (False, True):
        drawn = worked.svg(dark=dark)
        root = ElementTree.fromstring(drawn)
        width_, height = map(float, root.attrib["viewBox"].split()[2:])
        for text in root.iter(f"{SVG}text"):
            if "x" in text.attrib:
                assert 0 <= float(text.attrib["x"]) <= width_
                assert 0 <= float(text.attrib["y"]) <= height
        assert drawn == worked.svg(dark=dark)
    sheet = worked.sheet()
    assert sheet.markdown.count(" | $") == len(names)


def test_the_drawing_has_real_text_and_words_for_those_who_cannot_see_it():
    worked = backprop.worked((2, 3, 2), cost="cross_entropy", activation="tanh", seed=1)
    light, dark = worked.svg(), worked.svg(dark=True)
    assert light != dark
    root = ElementTree.fromstring(light)
    assert root.attrib["role"] == "img"
    title, words = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert words is not None
    assert {title.attrib["id"], words.attrib["id"]} == set(root.attrib["aria-labelledby"].split())
    assert "2-3-2 neurons" in title.text
    shown = {"".join(text.itertext()) for text in root.iter(f"{SVG}text")}
    assert {"layer 2", "softmax", "tanh", "input"} <= shown
    for name, value in worked.given.items():
        if name[0] in "wbxy":
            assert f"{name} = {value:g}".replace("-", "−") in words.text
    assert len(list(root.iter(f"{SVG}line"))) == 2 * 3 + 3 * 2
    # Letters of at least 9.5 pixels where the drawing is 390 pixels wide.
    assert min(map(float, re.findall(r'font-size="([\d.]+)"', light))) * 390 / 700 > 9.5


def test_softmax_and_cross_entropy_leave_no_slope_at_the_output():
    worked = backprop.worked((2, 2, 3), cost="cross_entropy")
    assert worked.head == "softmax"
    assert worked["delta2_3"].symbols == "a2_3 - y_3"
    assert worked["a2_1"].symbols == "e^z2_1/(e^z2_1 + e^z2_2 + e^z2_3)"
    with pytest.raises(BadOption):
        _ = worked["slope2_1"]
    assert sum(worked[f"a2_{j}"].value for j in (1, 2, 3)) == pytest.approx(1)
