"""The network from scratch beside a loop over examples, as Nielsen's book writes it.

    python -m pytest tests/benchmarks/test_scratch.py -s

Both learn the same 784-30-10 network of sigmoids with cross-entropy by plain mini-batch descent on
one thread. They take turns of about the same processor time, and each round gives a ratio, so that
other work on the machine matters to both alike. The book computes in float64; its loop in float32
is shown beside it. Ours also keeps its curves, which the book's `update_mini_batch` does not.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from models import scratch

SIZES = [784, 30, 10]
ROWS = 1500
EPOCHS = 8
ROUNDS = 15
ETA = 0.1


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class Book:
    """Nielsen's `network2.Network`, as far as it learns: examples are columns, one at a time."""

    def __init__(self, weights, biases):
        self.weights, self.biases = weights, biases
        self.num_layers = len(weights) + 1

    def epoch(self, data, mini_batch_size, eta):
        for k in range(0, len(data), mini_batch_size):
            self.update_mini_batch(data[k : k + mini_batch_size], eta)

    def update_mini_batch(self, mini_batch, eta):
        nabla_b = [np.zeros(b.shape, b.dtype) for b in self.biases]
        nabla_w = [np.zeros(w.shape, w.dtype) for w in self.weights]
        for x, y in mini_batch:
            delta_nabla_b, delta_nabla_w = self.backprop(x, y)
            nabla_b = [nb + dnb for nb, dnb in zip(nabla_b, delta_nabla_b, strict=True)]
            nabla_w = [nw + dnw for nw, dnw in zip(nabla_w, delta_nabla_w, strict=True)]
        step = eta / len(mini_batch)
        self.weights = [w - step * nw for w, nw in zip(self.weights, nabla_w, strict=True)]
        self.biases = [b - step * nb for b, nb in zip(self.biases, nabla_b, strict=True)]

    def backprop(self, x, y):
        nabla_b = [np.zeros(b.shape, b.dtype) for b in self.biases]
        nabla_w = [np.zeros(w.shape, w.dtype) for w in self.weights]
        activation, activations, zs = x, [x], []
        for b, w in zip(self.biases, self.weights, strict=True):
            z = np.dot(w, activation) + b
            zs.append(z)
            activation = sigmoid(z)
            activations.append(activation)
        delta = activations[-1] - y
        nabla_b[-1] = delta
        nabla_w[-1] = np.dot(delta, activations[-2].T)
        for layer in range(2, self.num_layers):
            z = zs[-layer]
            slope = sigmoid(z) * (1 - sigmoid(z))
            delta = np.dot(self.weights[-layer + 1].T, delta) * slope
            nabla_b[-layer] = delta
            nabla_w[-layer] = np.dot(delta, activations[-layer - 1].T)
        return nabla_b, nabla_w


def seconds(work) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


@pytest.mark.parametrize(
    ("batch_size", "dtype", "wanted"), [(10, "float64", 5.0), (64, "float32", 15.0)]
)
def test_it_is_many_times_faster_than_a_loop_over_examples(batch_size, dtype, wanted):
    random = np.random.default_rng(0)
    x = random.random((ROWS, SIZES[0]))
    y = np.eye(SIZES[-1])[random.integers(0, SIZES[-1], ROWS)]
    network = scratch.Network(SIZES, head="sigmoid", dtype=dtype, seed=0)

    def by_the_book(precision: str) -> Callable[[], None]:
        book = Book(
            [w.T.astype(precision) for w in network.w],
            [b[:, np.newaxis].astype(precision) for b in network.b],
        )
        examples, targets = x.astype(precision), y.astype(precision)

        def epoch() -> None:
            # The order is drawn within the time on both sides.
            order = random.permutation(ROWS)
            data = [(examples[row][:, None], targets[row][:, None]) for row in order]
            book.epoch(data, batch_size, ETA)

        return epoch

    own_x, own_y = x.astype(dtype), y.astype(dtype)

    def ours() -> None:
        settings = {"epochs": EPOCHS, "batch_size": batch_size, "learning_rate": ETA}
        network.fit(own_x, own_y, optimizer="sgd", seed=0, **settings)

    contenders = {"loop over examples": (by_the_book("float64"), ROWS)}
    if dtype == "float32":
        contenders["the same in float32"] = (by_the_book("float32"), ROWS)
    contenders["models.scratch"] = (ours, ROWS * EPOCHS)
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    with threadpool_limits(1):
        for _ in range(ROUNDS):
            for name, (work, rows) in contenders.items():
                speeds[name].append(rows / seconds(work))
    print(f"\n\n| batch {batch_size}, {dtype} | samples/s, median | ours is times as fast |")
    print("|---|--:|--:|")
    times = {}
    for name, found in speeds.items():
        ratios = [our / their for our, their in zip(speeds["models.scratch"], found, strict=True)]
        times[name] = statistics.median(ratios)
        spread = f"{times[name]:.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        print(f"| {name} | {statistics.median(found):,.0f} | {spread} |")
    assert times["loop over examples"] >= wanted
