"""Arrays on their way into a network from scratch: checked against it, made one-hot."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from models import feeding
from models.errors import BadData

if TYPE_CHECKING:
    from models.scratch import Network


def inputs(network: Network, x: Any, part: str) -> np.ndarray:
    """Return x (n, inputs) in the network's dtype; `part` is what to call it in an error."""
    x, width = np.asarray(x), network.sizes[0]
    if x.ndim == 0 or not len(x):
        raise BadData(f"{part} holds no examples: x has shape {x.shape}.")
    if x.shape[1:] != (width,):
        fits = math.prod(x.shape[1:]) == width
        hint = "x.reshape(len(x), -1) would fit" if fits else "build the network for that shape"
        raise BadData(
            f"{part}: the network takes examples of shape {(width,)}, got {x.shape[1:]}; {hint}."
        )
    if x.dtype.kind not in "fiub":
        raise BadData(f"{part}: x must be numbers; its dtype is {x.dtype}.")
    x = np.ascontiguousarray(x, dtype=network.dtype)
    if not np.isfinite(x).all():
        row, count = int(np.argwhere(~np.isfinite(x))[0][0]), int((~np.isfinite(x)).sum())
        raise BadData(f"{part}: {count} values of x are NaN or infinite, the first in row {row}.")
    return x


def examples(network: Network, pair: Any, part: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return x (n, inputs), y (n, units), and whether y are classes; BadData if they do not fit.

    Args:
        network: its sizes, head, cost and dtype are what the arrays must suit.
        pair: (x, y); y are class numbers (n,), which become one-hot rows, or targets as they are.
        part: what to call them in an error: "train" or "validation".
    """
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise BadData(f"{part} must be a pair (x, y) of arrays, not {type(pair).__name__}.")
    x, y, units = inputs(network, pair[0], part), np.asarray(pair[1]), network.sizes[-1]
    if y.ndim == 0 or len(y) != len(x):
        raise BadData(f"{part} holds {len(x)} examples but labels of shape {y.shape}.")
    if y.ndim == 1 and units > 1:
        y = np.eye(units, dtype=network.dtype)[feeding.class_labels(y, units, part)]
    elif y.ndim == 1:
        y = y[:, np.newaxis]
    if y.shape[1:] != (units,) or y.dtype.kind not in "fiub":
        raise BadData(
            f"{part}: the network gives {units} numbers for each example; "
            f"y has shape {y.shape[1:]} and dtype {y.dtype}."
        )
    y = y.astype(network.dtype)
    if not np.isfinite(y).all():
        raise BadData(f"{part}: {int((~np.isfinite(y)).sum())} targets are NaN or infinite.")
    sums = y.sum(axis=1)
    if network.cost == "cross_entropy":
        outside = (y < 0) | (y > 1)
        if outside.any():
            raise BadData(
                f"{part}: cross-entropy takes targets from 0 to 1; {int(outside.sum())} are "
                f"outside, such as {y[outside][0]:g}."
            )
        if network.head == "softmax" and (away := np.abs(sums - 1)).max() > 1e-4:
            raise BadData(
                f"{part}: for softmax with cross-entropy each row of y must sum to 1; row "
                f"{int(away.argmax())} sums to {sums[away.argmax()]:g}."
            )
    chosen = bool(np.isin(y, (0, 1)).all()) and (units == 1 or bool((sums == 1).all()))
    return x, y, network.head == "softmax" or (network.head == "sigmoid" and chosen)
