"""The builders' options, checked: each error says what was received and what would work."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, SupportsIndex

from models.errors import BadOption, unknown

NORMS = ("batch", "layer")  # over the examples of a batch, or over one example's own units


def whole(name: str, value: object, at_least: int = 1) -> int:
    """Return `value` if it is a whole number of at least `at_least`."""
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise BadOption(f"{name} must be a whole number, not {value!r}.")
    number = operator.index(value)  # a NumPy integer becomes a plain one
    if number < at_least:
        raise BadOption(f"{name} must be at least {at_least}, not {value!r}.")
    return number


def share(name: str, value: Any) -> float:
    """Return `value` if it lies in 0 ≤ value < 1."""
    if not isinstance(value, int | float) or not 0 <= value < 1:
        raise BadOption(f"{name} must be from 0 to below 1, not {value!r}.")
    return float(value)


def rate(value: Any) -> float:
    """Return `value` if it is a positive number, as a learning rate must be."""
    if not isinstance(value, int | float) or not 0 < value < math.inf:
        raise BadOption(f"learning_rate must be a number above 0, not {value!r}.")
    return value


def penalty(value: Any) -> Any:
    """Return the Keras regularizer for an L2 strength; None for 0."""
    import keras

    if not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise BadOption(f"l2 must be 0 or a small positive number such as 1e-4, not {value!r}.")
    return keras.regularizers.L2(value) if value else None


def norm(name: str, value: Any) -> str | None:
    """Return `value` if it is "batch", "layer" or None."""
    if value not in (None, *NORMS):
        raise unknown(name, value, NORMS)
    return value


def normalisation(value: str | None, name: str) -> Any:
    """Return the Keras layer for "batch" or "layer".

    The running means of a batch normalisation have to settle within the few hundred steps of a
    small training, so they follow ten times as fast as Keras' own.
    """
    from keras import layers

    if value == "batch":
        return layers.BatchNormalization(momentum=0.9, name=name)
    return layers.LayerNormalization(name=name)


def activation(value: str | Callable) -> str | Callable:
    """Return `value` if Keras knows an activation of that name, or it is a function."""
    import keras

    if callable(value):
        return value
    known = {name for name in dir(keras.activations) if not name.startswith("_")}
    known -= {"deserialize", "get", "serialize"}
    if value not in known:
        raise unknown("activation", value, known)
    return value


def initialiser(value: str | Any) -> Callable[[], Any]:
    """Return a function that gives a fresh initialiser for each layer.

    One Keras initialiser object shared by two layers of the same shape would give both the same
    weights, so an object is cloned.
    """
    import keras

    if isinstance(value, keras.Initializer):
        return value.clone
    known = {name for name in dir(keras.initializers) if name.islower()}
    known -= {"deserialize", "get", "serialize"}
    if value not in known:
        raise unknown("initialiser", value, known)
    return lambda: value
