"""One function for each Keras layer: what it is checked for, and what a page is told of it.

Each takes the layer, the values it is given, the shape it gives and the description, and returns
the numbers of the values it gives. What is not here is refused.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from models.live import recurrent, windows
from models.live.activations import activation
from models.live.description import Description, Emit, Value, refuse


def of(layer: Any) -> Emit | None:
    """Return the function for a layer; None if it does nothing outside training.

    Raises:
        BadOption: a layer that is not known, or one of another precision.
    """
    kind = type(layer)
    name = kind.__name__
    # Somebody's own class of the same name may compute something else.
    known = kind.__module__.partition(".")[0] in ("keras", "models")
    if not known or name not in (*LAYERS, *TRAINING_ONLY):
        refuse(
            layer,
            "the interpreter does not know its class",
            f"These would work: {', '.join(LAYERS)}.",
        )
    if name in TRAINING_ONLY:
        return None
    if name not in LOOKUPS and layer.compute_dtype != "float32":
        refuse(layer, f"it computes in {layer.compute_dtype}", "float32 would work.")
    if getattr(layer, "quantization_mode", None) or getattr(layer, "lora_enabled", False):
        refuse(layer, "it is quantised or adapted by LoRA", "A plain layer would work.")
    if getattr(layer, "data_format", "channels_last") == "channels_first":
        refuse(layer, "data_format='channels_first'", "channels_last would work.")
    return LAYERS[name]


def dense(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """Dense, over the last axis."""
    weights = [layer.kernel, *([layer.bias] if layer.use_bias else [])]
    return [
        to.activated(
            "dense",
            [given[0].number],
            [to.weight(weight, layer.name) for weight in weights],
            activation(layer, layer.activation),
            shape=shape,
            work=math.prod(given[0].shape[:-1]) * math.prod(layer.kernel.shape),
        )
    ]


def affine(
    layer: Any, value: Value, mean: Any, scale: Any, offset: Any, to: Description
) -> list[int]:
    """Whatever is (x − mean) · scale + offset along the last axis, worked out in float64."""
    width = value.shape[-1]
    constants = [np.asarray(part, dtype=np.float64).ravel() for part in (mean, scale, offset)]
    if any(part.size not in (1, width) for part in constants):
        refuse(layer, "its constants differ along other axes than the last", "axis=-1 would work.")
    weights = [
        to.weight(np.broadcast_to(part, (width,)), layer.name, exact=True) for part in constants
    ]
    return [to.layer("affine", [value.number], weights, shape=value.shape)]


def _check_axis(layer: Any, value: Value) -> None:
    axis = layer.axis[0] if isinstance(layer.axis, list | tuple) else layer.axis
    several = isinstance(layer.axis, list | tuple) and len(layer.axis) > 1
    if several or axis not in (-1, len(value.shape)):
        refuse(layer, f"axis={layer.axis}", "axis=-1 would work.")


def batch_normalization(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """BatchNormalization with the running mean and variance."""
    _check_axis(layer, given[0])
    mean, variance = (_float64(part) for part in (layer.moving_mean, layer.moving_variance))
    scale = 1 / np.sqrt(variance + layer.epsilon)
    if layer.scale:
        scale = scale * _float64(layer.gamma)
    return affine(layer, given[0], mean, scale, _float64(layer.beta) if layer.center else 0, to)


def layer_normalization(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """LayerNormalization over the last axis."""
    _check_axis(layer, given[0])
    width = shape[-1]
    gamma = layer.gamma if layer.scale else np.ones(width)
    beta = layer.beta if layer.center else np.zeros(width)
    weights = [to.weight(part, layer.name) for part in (gamma, beta)]
    return [to.layer("norm", [given[0].number], weights, shape=shape, epsilon=float(layer.epsilon))]


def normalization(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """Normalization by the mean and variance it was given or adapted to, or its inverse."""
    if layer.axis:  # () where one mean is for all
        _check_axis(layer, given[0])
    import keras

    mean = _float64(layer.mean)
    deviation = np.maximum(np.sqrt(_float64(layer.variance)), keras.config.epsilon())
    if layer.invert:
        return affine(layer, given[0], 0, deviation, mean, to)
    return affine(layer, given[0], mean, 1 / deviation, 0, to)


def rescaling(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """Rescaling."""
    return affine(layer, given[0], 0, layer.scale, layer.offset, to)


def embedding(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """Embedding without a mask."""
    if layer.mask_zero:
        refuse(layer, "mask_zero=True", "mask_zero=False (mask=False in rnn.build) would work.")
    weights = [to.weight(layer.embeddings, layer.name)]
    return [to.layer("embedding", [given[0].number], weights, shape=shape)]


def activation_layer(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """Activation."""
    name = activation(layer, layer.activation)
    if name == "glu":
        return [to.layer("glu", [given[0].number], shape=shape)]
    return [_applied(given[0], name, to)]


def _applied(value: Value, told: str | dict[str, Any], to: Description) -> int:
    return to.layer("activation", [value.number], shape=value.shape, activation=told)


def relu(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """ReLU."""
    told: dict[str, Any] = {"name": "relu", "slope": float(layer.negative_slope)}
    told["threshold"] = float(layer.threshold)
    if layer.max_value is not None:
        told["most"] = float(layer.max_value)
    return [_applied(given[0], told, to)]


def leaky_relu(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """LeakyReLU."""
    told = {"name": "leaky_relu", "slope": float(layer.negative_slope)}
    return [_applied(given[0], told, to)]


def elu(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """ELU."""
    return [_applied(given[0], {"name": "elu", "alpha": float(layer.alpha)}, to)]


def softmax(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """Softmax over the last axis."""
    _check_axis(layer, given[0])
    return [_applied(given[0], "softmax", to)]


def prelu(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """PReLU; one slope a channel where the others are shared."""
    alpha = layer.alpha.numpy() if hasattr(layer.alpha, "numpy") else np.asarray(layer.alpha)
    if math.prod(alpha.shape[:-1]) != 1:
        alpha = np.broadcast_to(alpha, shape)
    weights = [to.weight(alpha, layer.name, exact=True)]
    return [to.layer("prelu", [given[0].number], weights, shape=shape)]


def reshape(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """Flatten and Reshape."""
    return [to.layer("reshape", [given[0].number], shape=shape, work=0)]


def concatenate(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """Concatenate along any axis but the batch."""
    axis = layer.axis - 1 if layer.axis > 0 else layer.axis + len(shape)
    numbers = [value.number for value in given]
    return [to.layer("concat", numbers, shape=shape, axis=axis)]


def merge(kind: str) -> Emit:
    """Return the function for layers that merge values of one shape number by number."""

    def emit(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
        if any(value.shape != shape for value in given):
            shapes = [value.shape for value in given]
            refuse(layer, f"it is given values of shapes {shapes}", "Equal ones would work.")
        numbers = [value.number for value in given]
        return [to.layer("merge", numbers, shape=shape, kind=kind)]

    return emit


def dot(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """Dot of two vectors."""
    if layer.normalize or any(len(value.shape) != 1 for value in given):
        refuse(layer, "it is more than the dot product of two vectors", "axes=1 would work.")
    return [to.layer("dot", [value.number for value in given], shape=shape)]


def lookup(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """StringLookup and IntegerLookup, as numbers or one-hot."""
    mode = layer.output_mode
    if mode not in ("int", "one_hot", "multi_hot"):
        refuse(layer, f"output_mode={mode!r}", "'int', 'one_hot' or 'multi_hot' would work.")
    if layer.invert:
        refuse(layer, "invert=True", "A lookup from words to numbers would work.")
    if layer.num_oov_indices > 1:
        refuse(layer, f"num_oov_indices={layer.num_oov_indices}", "0 or 1 would work.")
    masked = layer.mask_token is not None
    if masked and mode != "int":
        refuse(layer, f"mask_token={layer.mask_token!r}", "mask_token=None would work.")
    plain = str if type(layer).__name__ == "StringLookup" else int
    number = to.layer(
        "lookup",
        [given[0].number],
        shape=given[0].shape,
        vocabulary=[plain(word) for word in layer.get_vocabulary(include_special_tokens=False)],
        first=layer.num_oov_indices + masked,
        unknown=int(masked) if layer.num_oov_indices else None,
        mask=plain(layer.mask_token) if masked else None,
    )
    if mode == "int":
        return [number]
    return [to.layer("onehot", [number], shape=shape, many=mode == "multi_hot")]


def category_encoding(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """CategoryEncoding, one-hot or multi-hot."""
    if layer.output_mode not in ("one_hot", "multi_hot"):
        refuse(layer, f"output_mode={layer.output_mode!r}", "'one_hot' would work.")
    many = layer.output_mode == "multi_hot"
    return [to.layer("onehot", [given[0].number], shape=shape, many=many)]


def _float64(part: Any) -> np.ndarray:
    return np.asarray(part.numpy() if hasattr(part, "numpy") else part, dtype=np.float64)


LOOKUPS = ("StringLookup", "IntegerLookup", "CategoryEncoding")
LAYERS: dict[str, Emit] = {
    "Dense": dense,
    "BatchNormalization": batch_normalization,
    "LayerNormalization": layer_normalization,
    "Normalization": normalization,
    "Rescaling": rescaling,
    "Embedding": embedding,
    "Activation": activation_layer,
    "ReLU": relu,
    "LeakyReLU": leaky_relu,
    "PReLU": prelu,
    "ELU": elu,
    "Softmax": softmax,
    "Flatten": reshape,
    "Reshape": reshape,
    "Concatenate": concatenate,
    "Add": merge("add"),
    "Subtract": merge("subtract"),
    "Multiply": merge("multiply"),
    "Average": merge("average"),
    "Maximum": merge("maximum"),
    "Minimum": merge("minimum"),
    "Dot": dot,
    "StringLookup": lookup,
    "IntegerLookup": lookup,
    "CategoryEncoding": category_encoding,
    **windows.LAYERS,
    **recurrent.LAYERS,
}
# GaussianCode gives the mean, its first input; the others what they are given.
TRAINING_ONLY = (
    "ActivityRegularization",
    "AlphaDropout",
    "Dropout",
    "GaussianCode",
    "GaussianDropout",
    "GaussianNoise",
    "Identity",
    "MaskingNoise",
    "RandomBrightness",
    "RandomContrast",
    "RandomFlip",
    "RandomRotation",
    "RandomTranslation",
    "RandomZoom",
    "SpatialDropout1D",
    "SpatialDropout2D",
)
