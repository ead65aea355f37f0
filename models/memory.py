"""How much memory a training will need, reckoned before it starts.

A process that runs out of memory is killed without a word, so what cannot fit is refused, with
the batch size that would.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import OutOfMemory

if TYPE_CHECKING:
    import keras

# What one unit of a recurrent layer keeps a step for the way back: its gates, its candidate, what
# enters them, and the state.
KEPT_A_STEP = {"SimpleRNN": 3, "GRU": 9, "LSTM": 11}


@dataclass(frozen=True)
class Estimate:
    """Bytes that a training holds at once, beside what the libraries themselves take.

    Attributes:
        weights: the network's variables, the gradient of each, and the optimizer's variables.
        data: the arrays, and the backend's own copy of them.
        example: what one example of a batch leaves at every layer, and the gradient of that.
        batch_size: examples a batch.
    """

    weights: int
    data: int
    example: int
    batch_size: int

    @property
    def total(self) -> int:
        """All of it, in bytes."""
        return self.weights + self.data + self.example * self.batch_size

    def batch_size_within(self, free: int) -> int:
        """Return the largest power of two that fits into so many bytes; 0 if not even 1 does."""
        room = (free - self.weights - self.data) // max(1, self.example)
        return 2 ** int(math.log2(room)) if room >= 1 else 0

    def __str__(self) -> str:
        return (
            f"{_size(self.total)}: {_size(self.weights)} for the weights, their gradients and the "
            f"optimizer, {_size(self.data)} for the data, "
            f"{_size(self.example * self.batch_size)} for batches of {self.batch_size}"
        )


def estimate(
    model: keras.Model, arrays: Sequence[np.ndarray] = (), batch_size: int = 32
) -> Estimate:
    """Return what a training of `model` on `arrays` needs, at least.

    Args:
        model: compiled or not; without an optimizer, two numbers a weight are taken, as Adam has.
        arrays: all that is trained and validated on.
        batch_size: examples for each update.
    """
    variables = [*model.variables]
    trained = sum(_bytes(weight) for weight in model.trainable_weights)
    optimizer = getattr(model, "optimizer", None)
    slots = sum(map(_bytes, optimizer.variables)) if optimizer is not None else 2 * trained
    return Estimate(
        weights=sum(map(_bytes, variables)) + trained + slots,
        data=2 * sum(array.nbytes for array in arrays),
        example=2 * 4 * sum(_numbers(layer) for layer in _layers(model)),
        batch_size=batch_size,
    )


def check(model: keras.Model, arrays: Sequence[np.ndarray], batch_size: int) -> None:
    """Raise OutOfMemory, with the batch size that would do, if the training cannot fit."""
    import psutil

    needed, free = estimate(model, arrays, batch_size), psutil.virtual_memory().available
    # The arrays are there already; only their copy is to come.
    wanted = needed.total - needed.data // 2
    if wanted <= free:
        return
    fitting = needed.batch_size_within(free + needed.data // 2)
    advice = f"batch_size={fitting} would fit" if fitting else "a smaller network or less data"
    raise OutOfMemory(
        f"This training needs about {needed}; {_size(free)} are free. Nothing was started. "
        f"Try {advice}, or close other programs."
    )


def _layers(model: Any) -> Iterable[Any]:
    for layer in model.layers:
        yield from _layers(layer) if getattr(layer, "layers", None) else [layer]


def _numbers(layer: Any) -> int:
    """Return how many numbers one example leaves at a layer."""
    import keras

    try:
        shapes = [tensor.shape[1:] for tensor in keras.tree.flatten(layer.output)]
    except (AttributeError, ValueError):  # never called, or called more than once
        return 0
    left = sum(math.prod(size or 1 for size in shape) for shape in shapes)
    inner = getattr(layer, "forward_layer", layer)  # of a Bidirectional
    if (kept := KEPT_A_STEP.get(type(inner).__name__)) and len(layer.input.shape) == 3:
        left += (layer.input.shape[1] or 1) * inner.units * kept * (1 + (inner is not layer))
    return left


def _bytes(variable: Any) -> int:
    return math.prod(variable.shape) * np.dtype(_plain(variable.dtype)).itemsize


def _plain(dtype: str) -> str:
    return {"bfloat16": "float16"}.get(dtype, dtype)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{max(count / 1e6, 0.1):.1f} MB"
