"""What a project's step gives for the page, and the pieces that every kind of it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from models.errors import BadData, BadOption
from models.live.golden import Exported

GAP = 4  # pixels between pictures of a sheet
SMALLEST_SIDE = 64  # pixels; smaller pictures are enlarged by a whole number


@dataclass(frozen=True)
class Live:
    """A network that a page can run, and what stands there until it does.

    Attributes:
        description: model.json, plain values.
        weights: model.bin.
        golden: golden.bin, Keras' answers to three examples.
        table: inputs and the network's answers, for a page without JavaScript.
        picture: uint8 (height, width) or (height, width, 3), where the examples are pictures.
        alt: picture and table in a sentence.
    """

    description: dict[str, Any]
    weights: bytes
    golden: bytes
    table: pd.DataFrame
    picture: np.ndarray | None
    alt: str


def joined(
    exported: Exported,
    widget: dict[str, Any],
    table: pd.DataFrame,
    alt: str,
    picture: np.ndarray | None = None,
) -> Live:
    """Return exported network, widget and static fallback as one."""
    description = exported.description | {"widget": widget}
    return Live(description, exported.weights, exported.golden, table, picture, alt)


def one_of(network: Any) -> Any:
    """Return the network itself, of a training too."""
    from models.training import Training

    return network.model if isinstance(network, Training) else network


def last_activation(network: Any) -> str:
    """Return the name of what the network's output comes from, "" if it is no activation."""
    from models.scratch import Network

    if isinstance(network, Network):
        return network.head
    return getattr(getattr(network.layers[-1], "activation", None), "__name__", "")


def class_names(classes: Any) -> list[str]:
    """Return names of classes as text."""
    if isinstance(classes, str) or not isinstance(classes, Sequence | np.ndarray | pd.Index):
        raise BadOption(f"classes must be a list of names such as ['cat', 'dog'], not {classes!r}.")
    names = [str(name) for name in classes]
    if len(set(names)) < len(names):
        raise BadOption("Two of the classes have the same name.")
    return names


def answer_kind(network: Any, width: int, classes: list[str]) -> str:
    """Return "probabilities", "probability" or "logits": what the outputs for classes are.

    Raises:
        BadOption: as many outputs as there are classes, or one sigmoid for two, are needed.
    """
    activation = last_activation(network)
    if width == len(classes):
        return "probabilities" if activation == "softmax" else "logits"
    if width == 1 and len(classes) == 2 and activation == "sigmoid":
        return "probability"
    raise BadOption(
        f"The network gives {width} numbers, and there are {len(classes)} classes: name them in "
        "the order of the outputs. One output is for two classes, by a sigmoid."
    )


def shares(kind: str, outputs: np.ndarray) -> np.ndarray:
    """Return probabilities (n, classes) from outputs (n, width) of that kind."""
    if kind == "probability":
        return np.hstack([1 - outputs, outputs])
    if kind == "probabilities":
        return outputs
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def picture_size(shape: Sequence[int], given: Sequence[int] | None) -> tuple[int, int, int]:
    """Return height, width and channels of the pictures in a value of that shape."""
    if given is not None:
        height, width, *rest = given
        shape = (height, width, *(rest or [int(np.prod(shape)) // (height * width)]))
    elif len(shape) == 2:
        shape = (*shape, 1)
    fits = len(shape) == 3 and shape[2] in (1, 3)
    if not fits:
        raise BadOption(
            f"{tuple(shape)} is no picture of (height, width, channels) with 1 or 3 channels; "
            "size=(28, 28) would say how a vector is one."
        )
    return int(shape[0]), int(shape[1]), int(shape[2])


def sheet(
    pictures: np.ndarray, size: tuple[int, int, int], scale: tuple[float, float], columns: int
) -> np.ndarray:
    """Return pictures (n, …) side by side, row by row, as uint8 (h, w) or (h, w, 3).

    `scale` is what black and white are in the pictures.
    """
    low, high = scale
    height, width, channels = size
    grey = np.clip((pictures.reshape(len(pictures), *size) - low) / (high - low), 0, 1)
    times = max(1, -(-SMALLEST_SIDE // min(height, width)))
    tiles = np.rint(255 * grey).astype(np.uint8).repeat(times, axis=1).repeat(times, axis=2)
    rows, high_one, wide_one = -(-len(tiles) // columns), height * times + GAP, width * times + GAP
    page = np.full((rows * high_one - GAP, columns * wide_one - GAP, channels), 255, np.uint8)
    for number, tile in enumerate(tiles):
        top, left = number // columns * high_one, number % columns * wide_one
        page[top : top + height * times, left : left + width * times] = tile
    return page[..., 0] if channels == 1 else page


def some(examples: Any, most: int, what: str) -> np.ndarray:
    """Return the first `most` of examples (n, …); BadData if there are none."""
    array = np.asarray(examples)
    if array.ndim < 2 or not len(array):
        raise BadData(f"{what} must be examples (n, …), not an array of shape {array.shape}.")
    return array[:most]
