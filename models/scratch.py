"""A network of dense layers from scratch, NumPy only: every step of learning can be read here.

The symbols are those of Nielsen's book, with one example a row:

    a             what a layer gives; of the first one, x       # (batch, units)
    w, b          weights and biases of a layer                 # (inputs, units), (units,)
    z = a w + b   its weighted input, a from the layer before   # (batch, units)
    C             the cost, mean over the examples of a batch
    delta         ∂C/∂z, the layer's error                      # (batch, units)
    nabla_w       ∂C/∂w                                         # (inputs, units)
    nabla_b       ∂C/∂b                                         # (units,)

and so are the four equations of backpropagation, σ being the activation:

    (BP1)  delta of the last layer = ∂C/∂a σ'(z)
    (BP2)  delta of any other      = (delta of the next) wᵀ of the next, times σ'(z)
    (BP3)  nabla_b = delta, summed over the batch
    (BP4)  nabla_w = aᵀ delta, a from the layer before

Source: Nielsen, Neural Networks and Deep Learning (2015), chapters 1 to 3; for dropout
Srivastava et al., Journal of Machine Learning Research 15 (2014). `descent.py` has the updates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from models import descent, options, saved, vectors
from models.errors import BadData, BadOption, unknown
from models.training import Training

BLOCK = 4096  # examples looked at together where nothing is learned


class Activation(NamedTuple):
    """A function a = of(z), and back(a, ∂C/∂a) = ∂C/∂z, which is ∂C/∂a times its slope."""

    of: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray, np.ndarray], np.ndarray]


def sigmoid(z: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + e⁻ᶻ), from 0 to 1; where e⁻ᶻ overflows, 0 is right."""
    a = np.exp(-z)
    a += 1
    return np.reciprocal(a, out=a)


def softmax(z: np.ndarray) -> np.ndarray:
    """Return eᶻ / Σ eᶻ over the units of each example; (batch, units)."""
    a = np.exp(z - z.max(axis=1, keepdims=True))  # the same, and nothing overflows
    a /= a.sum(axis=1, keepdims=True)
    return a


ACTIVATIONS = {
    "sigmoid": Activation(sigmoid, lambda a, da: da * a * (1 - a)),
    "tanh": Activation(np.tanh, lambda a, da: da * (1 - a * a)),
    "relu": Activation(lambda z: np.maximum(z, 0), lambda a, da: da * (a > 0)),
    # Each unit of a softmax moves all others.
    "softmax": Activation(
        softmax, lambda a, da: a * (da - np.einsum("ij,ij->i", da, a)[:, np.newaxis])
    ),
    "linear": Activation(lambda z: z, lambda a, da: da),
}
COSTS = ("cross_entropy", "quadratic")
# The spread of the first weights; with "large" the biases have it too, with the others they are 0.
INITIALISERS: dict[str, Callable[[int, int], float]] = {
    "xavier": lambda inputs, units: math.sqrt(2 / (inputs + units)),  # Glorot and Bengio (2010)
    "he": lambda inputs, units: math.sqrt(2 / inputs),  # He et al. (2015), for ReLU
    "large": lambda inputs, units: 1.0,  # Nielsen, chapter 1: units saturate, learning is slow
}


class Network:
    """Dense layers of the given sizes, such as [784, 30, 10].

    Attributes:
        w, b: weights and biases of each layer, first to last; views into `theta`, the vector of
            them all. Change them in place.
        nabla_w, nabla_b: the gradient of the last batch; views into `nabla`.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        *,
        activation: str = "sigmoid",
        head: str = "softmax",
        cost: str | None = None,
        initialiser: str = "xavier",
        l2: float = 0.0,
        dropout: float = 0.0,
        dtype: str = "float64",
        seed: int | None = None,
    ) -> None:
        """Draw the first weights; arguments as in `build`, but the head has `sizes[-1]` units."""
        if isinstance(sizes, int | str) or len(sizes) < 2:
            raise BadOption(f"sizes must be a sequence such as [784, 30, 10], not {sizes!r}.")
        if cost is None:
            cost = "cross_entropy" if head in ("softmax", "sigmoid") else "quadratic"
        for name, value, known in (
            ("activation", activation, ACTIVATIONS),
            ("head", head, ACTIVATIONS),
            ("cost", cost, COSTS),
            ("initialiser", initialiser, INITIALISERS),
            ("dtype", dtype, ("float32", "float64")),
        ):
            if not isinstance(value, str) or value not in known:
                raise unknown(name, value, known)
        if cost == "cross_entropy" and head not in ("softmax", "sigmoid"):
            raise BadOption(
                f'cost="cross_entropy" needs scores from 0 to 1, and head={head!r} gives others. '
                'head="softmax" or "sigmoid" would work, or cost="quadratic".'
            )
        if isinstance(l2, bool) or not isinstance(l2, int | float) or not 0 <= l2 < math.inf:
            raise BadOption(f"l2 must be 0 or a small positive number such as 1e-4, not {l2!r}.")
        self.sizes = [options.whole("a layer", size) for size in sizes]
        self.activation, self.head, self.cost = activation, head, cost
        self.l2, self.dropout = float(l2), options.share("dropout", dropout)
        self.dtype = np.dtype(dtype)
        self.theta = np.zeros(self.count_params(), self.dtype)
        self.nabla = np.zeros_like(self.theta)
        self.w, self.b = self._views(self.theta)
        self.nabla_w, self.nabla_b = self._views(self.nabla)
        random = np.random.default_rng(np.random.randint(2**31) if seed is None else seed)
        for w, b in zip(self.w, self.b, strict=True):
            w[:] = random.standard_normal(w.shape) * INITIALISERS[initialiser](*w.shape)
            if initialiser == "large":
                b[:] = random.standard_normal(b.shape)

    def __setstate__(self, state: dict[str, Any]) -> None:
        # In a deep copy the views would be arrays of their own.
        self.__dict__.update(state)
        self.w, self.b = self._views(self.theta)
        self.nabla_w, self.nabla_b = self._views(self.nabla)

    def _views(self, flat: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return matrices (inputs, units) and vectors (units,), layer by layer, of one vector."""
        matrices, vectors, end = [], [], 0
        for inputs, units in pairwise(self.sizes):
            start, middle, end = end, end + inputs * units, end + (inputs + 1) * units
            matrices.append(flat[start:middle].reshape(inputs, units))
            vectors.append(flat[middle:end])
        return matrices, vectors

    def forward(
        self, x: np.ndarray, random: np.random.Generator | None = None
    ) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """Return z of the last layer, and what backpropagation needs of the others.

        Args:
            x: (batch, inputs), in the network's dtype.
            random: chooses the hidden units to drop; None drops none.

        Returns:
            z (batch, units); for each layer what enters it; for each hidden layer its a, and its
            mask if units are dropped.
        """
        sigma = ACTIVATIONS[self.activation].of
        entering, hidden, masks = [x], [], []
        for w, b in zip(self.w[:-1], self.b[:-1], strict=True):
            z = entering[-1] @ w  # (batch, units)
            z += b
            a = sigma(z)
            hidden.append(a)
            if random is not None and self.dropout:
                # Those that stay speak louder, so that the mean is what it is without dropout.
                stays = random.random(a.shape, dtype=self.dtype) >= self.dropout
                masks.append(stays * self.dtype.type(1 / (1 - self.dropout)))
                a = a * masks[-1]
            entering.append(a)
        return entering[-1] @ self.w[-1] + self.b[-1], entering, hidden, masks

    def backprop(
        self,
        x: np.ndarray,
        y: np.ndarray,
        random: np.random.Generator | None = None,
        weight: np.ndarray | None = None,
    ) -> np.ndarray:
        """Fill nabla_w and nabla_b for a batch, and return z of the last layer (batch, units).

        Args:
            x: (batch, inputs), y: (batch, units), both in the network's dtype.
            random: chooses the hidden units to drop; None drops none.
            weight: (batch,), how much each example counts in C; None counts all as 1.
        """
        back = ACTIVATIONS[self.activation].back
        z, entering, hidden, masks = self.forward(x, random)
        delta = self._output_error(z, y)
        delta /= len(x)  # C is a mean
        if weight is not None:
            delta *= weight[:, np.newaxis]
        for layer in reversed(range(len(self.w))):
            np.add.reduce(delta, axis=0, out=self.nabla_b[layer])  # (BP3)
            np.matmul(entering[layer].T, delta, out=self.nabla_w[layer])  # (BP4)
            if self.l2:
                self.nabla_w[layer] += 2 * self.l2 * self.w[layer]
            if layer:
                delta = delta @ self.w[layer].T  # ∂C/∂a of the layer before
                if masks:
                    delta *= masks[layer - 1]
                delta = back(hidden[layer - 1], delta)  # (BP2)
        return z

    def _output_error(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return delta of the last layer for each example (batch, units): (BP1)."""
        a = ACTIVATIONS[self.head].of(z)
        if self.cost == "cross_entropy":
            return a - y  # σ'(z) cancels: that is what this cost is for
        return ACTIVATIONS[self.head].back(a, a - y)

    def costs(self, z: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Return each example's cost (n,), from z of the last layer and y, both (n, units).

        Cross-entropy comes from z rather than a, so that no logarithm meets a 0.
        """
        if self.cost == "quadratic":
            return 0.5 * ((ACTIVATIONS[self.head].of(z) - y) ** 2).sum(axis=1)
        if self.head == "sigmoid":
            return (np.logaddexp(0, z) - y * z).sum(axis=1)  # −y ln a − (1 − y) ln(1 − a)
        z = z - z.max(axis=1, keepdims=True)
        return (y * (np.log(np.exp(z).sum(axis=1, keepdims=True)) - z)).sum(axis=1)  # −y ln a

    def penalty(self) -> float:
        """Return l2 Σ w², the rest of C; the book's λ is 2 n l2."""
        return self.l2 * sum(float(np.vdot(w, w)) for w in self.w) if self.l2 else 0.0

    def right(self, z: np.ndarray, y: np.ndarray) -> float:
        """Return the share of examples classified rightly; arguments as `costs` takes."""
        if self.sizes[-1] == 1:
            return float(np.mean((z > 0) == (y > 0.5)))
        return float(np.mean(z.argmax(axis=1) == y.argmax(axis=1)))

    @np.errstate(over="ignore")
    def gradients(self, x: Any, y: Any) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return (nabla_b, nabla_w), one array a layer, of C over these examples; no dropout."""
        rows, targets, _ = vectors.examples(self, (x, y), "gradients")
        self.backprop(rows, targets)
        return [n.copy() for n in self.nabla_b], [n.copy() for n in self.nabla_w]

    def fit(self, x: Any, y: Any, validation_data: Any = None, **settings: Any) -> Training:
        """Train on x and y; settings and what is returned are those of `descent.fit`."""
        return descent.fit(self, (x, y), validation_data, **settings)

    @np.errstate(over="ignore")
    def predict(self, x: Any, verbose: object = None) -> np.ndarray:
        """Return scores (n, units) for x (n, inputs); `verbose` is for likeness to Keras only."""
        return ACTIVATIONS[self.head].of(self.weighted_input(vectors.inputs(self, x, "predict")))

    @np.errstate(over="ignore")
    def weighted_input(self, x: np.ndarray) -> np.ndarray:
        """Return z of the last layer (n, units) for x (n, inputs) in the network's dtype."""
        blocks = (x[start : start + BLOCK] for start in range(0, len(x), BLOCK))
        return np.concatenate([self.forward(block)[0] for block in blocks])

    @np.errstate(over="ignore")
    def evaluate(self, x: Any, y: Any) -> dict[str, float]:
        """Return {"loss", "accuracy"}; without accuracy where y are not classes."""
        rows, targets, classes = vectors.examples(self, (x, y), "evaluate")
        z = self.weighted_input(rows)
        loss = float(self.costs(z, targets).mean()) + self.penalty()
        return {"loss": loss, "accuracy": self.right(z, targets)} if classes else {"loss": loss}

    @property
    def layer_names(self) -> list[str]:
        """As the Keras builder has them, first to last: dense1, dense2, …, scores."""
        return [f"dense{number}" for number in range(1, len(self.sizes) - 1)] + ["scores"]

    @property
    def trainable_weights(self) -> list[np.ndarray]:
        """The arrays themselves, in the order of `get_weights`."""
        return [array for layer in zip(self.w, self.b, strict=True) for array in layer]

    def get_weights(self) -> list[np.ndarray]:
        """Return copies in the order Keras has them: w (inputs, units) and b (units,) by layer."""
        return [array.copy() for array in self.trainable_weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Take weights in the order of `get_weights`; BadData if they do not fit."""
        given = [np.asarray(array) for array in weights]
        wanted, got = ([a.shape for a in arrays] for arrays in (self.trainable_weights, given))
        if wanted != got:
            raise BadData(f"The network has weights of shapes {wanted}, not {got}.")
        if not all(array.dtype.kind in "fiub" and np.isfinite(array).all() for array in given):
            raise BadData("The weights given hold NaN, infinite values or no numbers.")
        for array, new in zip(self.trainable_weights, given, strict=True):
            array[:] = new

    def count_params(self) -> int:
        """Return how many numbers training adjusts."""
        return sum((inputs + 1) * units for inputs, units in pairwise(self.sizes))

    def summary(self, print_fn: Callable[[str], object] = print) -> None:
        """Print the layers as a table: name, units, activation, parameters."""
        print_fn(f"{'layer':<10}{'units':>8}  {'activation':<12}{'parameters':>12}")
        rows = zip(self.layer_names, pairwise(self.sizes), strict=True)
        for name, (inputs, units) in rows:
            function = self.head if name == "scores" else self.activation
            print_fn(f"{name:<10}{units:>8,}  {function:<12}{(inputs + 1) * units:>12,}")
        print_fn(f"{'all':<32}{self.count_params():>12,}")

    def about(self) -> dict[str, Any]:
        """Return the arguments, as plain values, that make a network of the same form."""
        kept = ("sizes", "activation", "head", "cost", "l2", "dropout")
        return {name: getattr(self, name) for name in kept} | {"dtype": self.dtype.name}

    def save(self, path: str | Path) -> None:
        """Write the network as npz, verified by its SHA-256 when it is read."""
        saved.write(Path(path), self.about(), self.theta)

    @classmethod
    def load(cls, path: str | Path) -> Network:
        """Return the network that `save` wrote; ModelError, naming the file, if it is damaged."""
        about, theta = saved.read(Path(path))
        network = cls(**about, seed=0)
        network.theta[:] = theta
        return network


def build(
    inputs: int = 784,
    classes: int = 10,
    hidden: Sequence[int] = (100,),
    *,
    head: str = "softmax",
    activation: str = "sigmoid",
    initialiser: str = "xavier",
    cost: str | None = None,
    l2: float = 0.0,
    dropout: float = 0.0,
    dtype: str = "float64",
    seed: int | None = None,
) -> Network:
    """Return an untrained network from vectors (batch, inputs) to scores (batch, units).

    Args:
        inputs: how many numbers describe one example.
        classes: how many classes a softmax head tells apart; the other heads have one unit.
        hidden: units of each hidden layer, first to last; () is logistic (or linear) regression.
        head: "softmax" for one of several classes, "sigmoid" for yes or no, "linear" for a number;
            "tanh" and "relu" too, for numbers from −1 to 1 and from 0 up.
        activation: of the hidden layers: "sigmoid", "tanh", "relu", "softmax" or "linear".
        initialiser: "xavier", "he" or "large", the spread of the first weights.
        cost: "cross_entropy", −Σ y ln a, or "quadratic", ½ Σ (a − y)²; None takes the one that
            belongs to the head.
        l2: strength of the penalty l2 Σ w² on weights.
        dropout: share of hidden units left out at each training step.
        dtype: "float64", or "float32", which is faster.
        seed: of the first weights; None takes one from NumPy's global state.

    Raises:
        BadOption: an option that cannot work.
    """
    if isinstance(hidden, int | str):
        raise BadOption(f"hidden must be a sequence such as (100,), not {hidden!r}.")
    units = options.whole("classes", classes, at_least=2) if head == "softmax" else 1
    return Network(
        [
            options.whole("inputs", inputs),
            *(options.whole("a hidden layer", width) for width in hidden),
            units,
        ],
        activation=activation,
        head=head,
        cost=cost,
        initialiser=initialiser,
        l2=l2,
        dropout=dropout,
        dtype=dtype,
        seed=seed,
    )
