"""How large a network is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def parameters(model: keras.Model) -> int:
    """Return how many numbers training adjusts; running means and the like do not count."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)
