"""Keras' activations by name, as far as they mean the same in a page."""

from __future__ import annotations

from typing import Any

from models.live.description import refuse

# Each number of these depends on its whole row, so they cannot be a gate of a recurrent layer.
OF_A_ROW = ("softmax", "log_softmax", "sparsemax", "glu")
INCOMPLETE = ("threshold",)  # has no meaning without arguments


def activation(layer: Any, function: Any) -> str:
    """Return the name of an activation that is Keras' own.

    Raises:
        BadOption: a function of somebody's own, whatever it is called.
    """
    import keras

    name = getattr(function, "__name__", "")
    if name in INCOMPLETE or getattr(keras.activations, name or " ", None) is not function:
        shown = name or repr(function)
        refuse(
            layer,
            f"its activation {shown!r} is a function of its own",
            "An activation that Keras has by name would work, such as 'relu' or 'gelu'.",
        )
    return name


def elementwise(layer: Any, function: Any) -> str:
    """Return the same for an activation of each number by itself."""
    name = activation(layer, function)
    if name in OF_A_ROW:
        refuse(layer, f"its activation {name!r} mixes its units", "'tanh' would work.")
    return name
