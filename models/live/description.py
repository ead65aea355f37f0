"""What a page is told of a network: numbered values, the layers between them, and the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from models.errors import BadData, BadOption

FORMAT = 1
PRECISIONS = ("float32", "float16", "int8")
# The interpreter refuses more, so that a foreign file cannot fill a reader's memory.
MOST_NUMBERS = 2**24  # in all weights, and in all values of one call
MOST_LAYERS = 1000
MOST_AXES = 4
SHAPED = ("reshape", "onehot")  # layers whose shape does not follow from what they are given


def refuse(layer: Any, what: str, instead: str) -> NoReturn:
    """Raise for a layer, or an option of one, that a page cannot run."""
    raise BadOption(
        f"Layer {layer.name!r} ({type(layer).__name__}) cannot be run in a page: {what}. {instead}"
    )


@dataclass(frozen=True)
class Value:
    """A value in the network: its number in the description, and Keras' own for one example."""

    number: int
    tensor: Any  # (1, …)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape for one example."""
        return tuple(int(size) for size in self.tensor.shape[1:])


@dataclass
class Description:
    """The description while it is written: inputs first, then layer by layer.

    Attributes:
        inputs: name, shape and dtype of each.
        layers: each with its op, the numbers of the values it takes, its weights and options; layer
            i gives the value i + the number of inputs.
        weights: every array once, float32, as Keras has it.
        sources: the Keras variable or array behind each weight.
        scaled: for each weight, how many of its last axes tell its channels apart: in int8 each
            channel has a scale of its own.
        work: multiplications and additions of one call, together.
    """

    inputs: list[dict[str, Any]] = field(default_factory=list)
    layers: list[dict[str, Any]] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    weights: list[np.ndarray] = field(default_factory=list)
    sources: list[Any] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    scaled: list[int] = field(default_factory=list)
    work: int = 0
    numbers: int = 0

    def input(self, name: str, shape: Sequence[int], dtype: str) -> int:
        """Add an input and return its value's number."""
        self._count(name, shape)
        self.inputs.append({"name": name, "shape": list(shape), "dtype": dtype})
        return len(self.inputs) - 1

    def weight(
        self,
        source: Any,
        name: str,
        shape: Sequence[int] | None = None,
        exact: bool = False,
        scaled: int = 1,
    ) -> int:
        """Add a weight of the layer `name`, or find it if it is there; return its number.

        Args:
            source: a Keras variable or an array.
            name: of the layer, for errors.
            shape: to tell it in another shape, such as a sequence's kernel as a picture's.
            exact: never round it, as for constants. Vectors never are.
            scaled: how many of the last axes tell its channels apart.
        """
        for number, known in enumerate(self.sources):
            if known is source:
                return number
        array = np.asarray(_numpy(source), dtype=np.float32)
        if not np.isfinite(array).all():
            count = int((~np.isfinite(array)).sum())
            raise BadData(
                f"Layer {name!r} has {count} weights that are NaN or infinite, which no page can "
                "show. Train again with a smaller learning rate."
            )
        array = array.ravel() if exact else array.reshape(array.shape if shape is None else shape)
        self.weights.append(array)
        self.sources.append(source)
        self.names.append(name)
        self.scaled.append(scaled)
        total = sum(weight.size for weight in self.weights)
        if total > MOST_NUMBERS:
            raise BadOption(
                f"A network of more than {MOST_NUMBERS:,} weights is too much for a page; up to "
                f"layer {name!r} there are {total:,}. A smaller one would load in seconds, too."
            )
        return len(self.weights) - 1

    def layer(
        self,
        op: str,
        values: Sequence[int],
        weights: Sequence[int] = (),
        *,
        shape: Sequence[int],
        work: int | None = None,
        **options: Any,
    ) -> int:
        """Add a layer and return the number of its value, which has that `shape`."""
        self._count(op, shape)
        if len(self.layers) == MOST_LAYERS:
            raise BadOption(f"A network of more than {MOST_LAYERS} layers is too much for a page.")
        told = {"op": op, "from": list(values)}
        told |= {"weights": list(weights)} if weights else {}
        told |= {"shape": list(shape)} if op in SHAPED else {}
        told |= {key: option for key, option in options.items() if option != "linear"}
        self.layers.append(told)
        self.work += math.prod(shape) if work is None else work
        return len(self.inputs) + len(self.layers) - 1

    def activated(
        self, op: str, values: Sequence[int], weights: Sequence[int], activation: str, **told: Any
    ) -> int:
        """Add a layer with an activation; glu, which halves what it is given, as one of its own."""
        if activation != "glu":
            return self.layer(op, values, weights, activation=activation, **told)
        *outer, width = told["shape"]
        told_before: dict[str, Any] = {**told, "shape": [*outer, 2 * width]}
        before = self.layer(op, values, weights, **told_before)
        return self.layer("glu", [before], shape=told["shape"])

    def _count(self, what: str, shape: Sequence[int]) -> None:
        self.numbers += math.prod(shape)
        if self.numbers > MOST_NUMBERS or len(shape) > MOST_AXES:
            raise BadOption(
                f"At {what!r}, whose value has the shape {tuple(shape)}, one call of the network "
                f"has become too much for a page: up to {MOST_NUMBERS:,} numbers in all and "
                f"{MOST_AXES} axes would work."
            )

    def rounds(self, number: int, precision: str) -> bool:
        """Return whether a weight is written rounded: matrices and kernels are, if asked for."""
        return precision != "float32" and self.weights[number].ndim > 1

    def rounded(self, number: int, precision: str) -> np.ndarray:
        """Return a weight as the page reads it, float32 in the shape it is told in."""
        array = self.weights[number]
        if not self.rounds(number, precision):
            return array
        if precision == "float16":
            return array.astype(np.float16).astype(np.float32)
        steps, scales = _quantised(array, self.scaled[number])
        return steps * scales

    def packed(self, precision: str) -> tuple[list[dict[str, Any]], bytes]:
        """Return where each weight lies, and all of them as bytes, little-endian.

        Raises:
            BadOption: a weight beyond what float16 holds.
        """
        told: list[dict[str, Any]] = [{} for _ in self.weights]
        whole, narrow = bytearray(), bytearray()
        for number, array in enumerate(self.weights):
            told[number] = {"shape": list(array.shape), "at": len(whole), "type": "float32"}
            if not self.rounds(number, precision):
                whole += array.astype("<f4").tobytes()
                continue
            told[number] |= {"at": len(narrow), "type": precision}
            if precision == "int8":
                steps, scales = _quantised(array, self.scaled[number])
                told[number]["scales"] = {"at": len(whole), "count": scales.size}
                whole += scales.astype("<f4").tobytes()
                narrow += steps.tobytes()
                continue
            if np.abs(array).max() > np.finfo(np.float16).max:
                raise BadOption(
                    f"Layer {self.names[number]!r} has weights up to {np.abs(array).max():g}, and "
                    "float16 ends at 65504; precision='float32' would work."
                )
            narrow += array.astype("<f2").tobytes()
        # The wider ones first: each then begins at a multiple of its own size.
        for number, weight in enumerate(told):
            if self.rounds(number, precision):
                weight["at"] += len(whole)
        return told, bytes(whole + narrow)


def _quantised(array: np.ndarray, axes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a weight as int8 from −127 to 127, and what one step is worth, float32.

    The scales have the length of the last `axes` axes, and 1 along all others.
    """
    largest = np.abs(array).max(axis=tuple(range(array.ndim - axes)), keepdims=True)
    scales = (largest / 127).astype(np.float32)
    scales[scales == 0] = 1  # a channel of zeros, whatever its scale
    return np.clip(np.rint(array / scales), -127, 127).astype(np.int8), scales


# What tells of one Keras layer: it takes the layer, the values given to it, the shape of the first
# it gives and the description, and returns the numbers of those it gives.
Emit = Callable[[Any, list[Value], tuple[int, ...], Description], list[int]]


def _numpy(source: Any) -> np.ndarray:
    return source.numpy() if hasattr(source, "numpy") else np.asarray(source)
