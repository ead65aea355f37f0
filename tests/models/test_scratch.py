"""The network from scratch: held against the book, finite differences and Keras."""

import math

import numpy as np
import pytest

from models import classifier, scratch, training

from .examples import some

PAIRS = [
    ("softmax", "cross_entropy"),
    ("softmax", "quadratic"),
    ("sigmoid", "cross_entropy"),
    ("sigmoid", "quadratic"),
    ("tanh", "quadratic"),
    ("relu", "quadratic"),
    ("linear", "quadratic"),
]


def one_hot(labels, classes):
    return np.eye(classes)[labels]


def numeric_gradient(network, cost, step=1e-5):
    """∂C/∂θ by central differences, in the order of theta."""
    slopes = np.zeros_like(network.theta)
    for place, value in enumerate(network.theta.copy()):
        network.theta[place] = value + step
        above = cost()
        network.theta[place] = value - step
        slopes[place] = (above - cost()) / (2 * step)
        network.theta[place] = value
    return slopes


def in_theta_order(nabla_b, nabla_w):
    return np.concatenate([part.ravel() for layer in zip(nabla_w, nabla_b) for part in layer])  # noqa: B905


def relative_error(first, second):
    assert np.linalg.norm(first) > 1e-3
    return np.linalg.norm(first - second) / (np.linalg.norm(first) + np.linalg.norm(second))


@pytest.mark.parametrize("l2", [0.0, 0.01])
@pytest.mark.parametrize(("head", "cost"), PAIRS)
@pytest.mark.parametrize("activation", list(scratch.ACTIVATIONS))
def test_correctness_the_gradient_is_that_of_finite_differences(activation, head, cost, l2):
    sizes = [4, 5, 4, 3]
    x, y = some(sizes)
    network = scratch.Network(
        sizes, activation=activation, head=head, cost=cost, initialiser="large", l2=l2, seed=3
    )
    slopes = numeric_gradient(network, lambda: network.evaluate(x, one_hot(y, 3))["loss"])
    assert relative_error(in_theta_order(*network.gradients(x, y)), slopes) < 1e-6


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_correctness_with_dropout_the_gradient_is_that_of_the_units_that_stayed(activation):
    sizes = [4, 6, 5, 3]
    x, y = some(sizes)
    y = one_hot(y, 3)
    network = scratch.Network(
        sizes, activation=activation, initialiser="large", dropout=0.4, seed=3
    )

    def cost():
        z = network.forward(x, np.random.default_rng(8))[0]
        return network.costs(z, y).mean()

    network.backprop(x, y, np.random.default_rng(8))
    analytic = network.nabla.copy()
    assert relative_error(analytic, numeric_gradient(network, cost)) < 1e-6


def book_sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def book_update(weights, biases, batch, eta, lmbda, n, *, cross_entropy):
    """Nielsen's `update_mini_batch`: a loop over examples, which are columns, as in the book."""
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    for x, y in batch:
        activation, activations, zs = x, [x], []
        for b, w in zip(biases, weights, strict=True):
            zs.append(np.dot(w, activation) + b)
            activation = book_sigmoid(zs[-1])
            activations.append(activation)
        delta = activations[-1] - y
        if not cross_entropy:
            delta = delta * book_sigmoid(zs[-1]) * (1 - book_sigmoid(zs[-1]))
        for layer in range(1, len(weights) + 1):
            if layer > 1:
                slope = book_sigmoid(zs[-layer]) * (1 - book_sigmoid(zs[-layer]))
                delta = np.dot(weights[-layer + 1].T, delta) * slope
            nabla_b[-layer] = nabla_b[-layer] + delta
            nabla_w[-layer] = nabla_w[-layer] + np.dot(delta, activations[-layer - 1].T)
    step = eta / len(batch)
    return (
        [(1 - eta * lmbda / n) * w - step * nw for w, nw in zip(weights, nabla_w, strict=True)],
        [b - step * nb for b, nb in zip(biases, nabla_b, strict=True)],
    )


@pytest.mark.parametrize("cost", scratch.COSTS)
def test_correctness_one_update_is_that_of_the_books_loop_over_examples(cost):
    sizes, n, eta, lmbda = [7, 5, 4, 3], 10, 0.7, 0.3
    x, y = some(sizes, n)
    network = scratch.Network(
        sizes, head="sigmoid", cost=cost, initialiser="large", l2=lmbda / (2 * n), seed=2
    )
    weights, biases = [w.T.copy() for w in network.w], [b[:, None].copy() for b in network.b]
    batch = [(row[:, None], target[:, None]) for row, target in zip(x, one_hot(y, 3), strict=True)]
    weights, biases = book_update(
        weights, biases, batch, eta, lmbda, n, cross_entropy=cost == "cross_entropy"
    )
    network.fit(x, y, epochs=1, batch_size=n, learning_rate=eta, optimizer="sgd", seed=0)
    for layer in range(3):
        np.testing.assert_allclose(network.w[layer].T, weights[layer], rtol=0, atol=1e-12)
        np.testing.assert_allclose(network.b[layer], biases[layer][:, 0], rtol=0, atol=1e-12)


def test_correctness_an_example_worked_by_hand():
    ln3 = math.log(3)  # σ(ln 3) = 3/4, σ(0) = 1/2
    network = scratch.Network([2, 2, 1], head="sigmoid", cost="quadratic")
    network.set_weights([[[ln3, 2], [0, -1]], [0, 0], [[4], [-2]], [ln3 - 2]])
    x, y = [[1, 2]], [1]
    # z = (ln 3 · 1 + 0 · 2, 2 · 1 − 1 · 2) = (ln 3, 0), so a = (3/4, 1/2);
    # z = 4 · 3/4 − 2 · 1/2 + ln 3 − 2 = ln 3, so a = 3/4 and C = ½ (3/4 − 1)² = 1/32.
    assert network.predict(x)[0, 0] == pytest.approx(3 / 4, abs=1e-15)
    assert network.evaluate(x, y)["loss"] == pytest.approx(1 / 32, abs=1e-15)
    # delta of the last layer = (3/4 − 1) · 3/4 · 1/4 = −3/64;
    # of the first = (4 · −3/64 · 3/4 · 1/4, −2 · −3/64 · 1/2 · 1/2) = (−9/256, 3/128).
    nabla_b, nabla_w = network.gradients(x, y)
    np.testing.assert_allclose(nabla_b[1], [-3 / 64], atol=1e-15)
    np.testing.assert_allclose(nabla_w[1], [[3 / 4 * -3 / 64], [1 / 2 * -3 / 64]], atol=1e-15)
    np.testing.assert_allclose(nabla_b[0], [-9 / 256, 3 / 128], atol=1e-15)
    np.testing.assert_allclose(
        nabla_w[0], [[-9 / 256, 3 / 128], [2 * -9 / 256, 2 * 3 / 128]], atol=1e-15
    )
    network.fit(x, y, epochs=1, learning_rate=64, optimizer="sgd")
    np.testing.assert_allclose(network.b[1], [ln3 - 2 + 3], atol=1e-13)
    np.testing.assert_allclose(network.w[0], [[ln3 + 9 / 4, 1 / 2], [9 / 2, -4]], atol=1e-13)


@pytest.fixture
def double_precision():
    """Keras in float64 for as long as a test lasts."""
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("JAX computes in float32 unless told otherwise before it starts")
    before = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(before[0])
    keras.config.set_dtype_policy(before[1])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("head", "activation", "l2", "optimizer"),
    [
        ("softmax", "tanh", 0.001, "sgd"),
        ("softmax", "relu", 0.001, "adam"),
        ("sigmoid", "sigmoid", 0.0, "momentum"),
    ],
)
def test_correctness_it_is_keras_with_the_same_weights_and_batches(
    vectors, double_precision, head, activation, l2, optimizer
):
    import keras

    options = {"hidden": (12, 8), "head": head, "activation": activation, "l2": l2}
    network = scratch.build(64, 10, **options, seed=5)
    model = classifier.build(64, 10, **options)
    model.set_weights(network.get_weights())
    (x, y), held_out = vectors["train"], vectors["validation"]
    x, y = x[:300], y[:300]
    if head == "sigmoid":
        y, held_out = y % 2, (held_out[0], held_out[1] % 2)
    np.testing.assert_allclose(network.predict(x), model.predict(x, verbose=0), rtol=0, atol=1e-6)

    rate, theirs = {
        "sgd": (0.1, keras.optimizers.SGD(0.1)),
        "momentum": (0.1, keras.optimizers.SGD(0.1, momentum=0.9)),
        "adam": (0.01, keras.optimizers.Adam(0.01)),
    }[optimizer]
    batch = {"batch_size": 50, "seed": 4}
    one = scratch.build(64, 10, **options, seed=5)
    one.fit(x[:50], y[:50], epochs=1, learning_rate=rate, optimizer=optimizer, **batch)
    training.fit(model, (x[:50], y[:50]), epochs=1, optimizer=theirs, **batch)
    for our, their in zip(one.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(our, their, rtol=0, atol=1e-6)

    # From there as many updates as three epochs have, and the same curves.
    model.set_weights(network.get_weights())
    theirs = type(theirs).from_config(theirs.get_config())
    done = training.fit(model, (x, y), held_out, epochs=3, optimizer=theirs, **batch)
    ours = network.fit(x, y, held_out, epochs=3, learning_rate=rate, optimizer=optimizer, **batch)
    for name in done.curves.columns:
        np.testing.assert_allclose(ours.curves[name], done.curves[name], rtol=1e-5, atol=1e-6)
    assert ours.best_epoch == done.best_epoch
    np.testing.assert_allclose(network.predict(x), model.predict(x, verbose=0), rtol=0, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
def test_correctness_momentum_and_adam_are_their_papers_formulas(optimizer):
    x, y = some([3, 4, 2], 1)
    network = scratch.build(3, 2, (4,), seed=1)
    ours = scratch.build(3, 2, (4,), seed=1)
    ours.fit(x, y, epochs=5, learning_rate=0.05, optimizer=optimizer)
    m, v, eta = 0.0, 0.0, 0.05
    for t in range(1, 6):
        gradient = in_theta_order(*network.gradients(x, y))
        if optimizer == "momentum":
            v = 0.9 * v - eta * gradient
            network.theta += v
        else:
            m = 0.9 * m + 0.1 * gradient
            v = 0.999 * v + 0.001 * gradient**2
            rate = eta * math.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            network.theta -= rate * m / (np.sqrt(v) + 1e-7)
    np.testing.assert_allclose(ours.theta, network.theta, rtol=0, atol=1e-12)


def test_scores_far_from_zero_cost_no_infinity_and_no_warning(recwarn):
    x, y = np.full((2, 3), 1e4), np.array([0, 1])
    for head, cost in PAIRS[:4]:
        network = scratch.build(3, 2, (), head=head, cost=cost, initialiser="large", seed=0)
        network.gradients(x, y)
        assert np.isfinite(network.evaluate(x, y)["loss"])
        assert np.isfinite(network.predict(-x)).all()
    assert not list(recwarn)
