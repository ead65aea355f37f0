"""Keras layers that slide a window over pictures or sequences.

A sequence (steps, channels) is told as a picture of one row. Where the first window begins and how
many there are is worked out here, so that the interpreter need not know what "same" means.
"""

from __future__ import annotations

import math
from typing import Any

from models.live.activations import activation
from models.live.description import Description, Emit, Value, refuse


def _pair(value: Any, axes: int, of_row: int = 1) -> list[int]:
    """Return an option as (down, right), for a sequence too."""
    numbers = [int(n) for n in (value if isinstance(value, list | tuple) else (value,) * axes)]
    return [of_row, *numbers] if axes == 1 else numbers


def _before(
    padding: str, lengths: tuple[int, ...], sizes: list[int], strides: list[int]
) -> list[int]:
    """Return how far the first window begins ahead of the first pixel, along each axis."""
    if padding == "valid":
        return [0] * len(sizes)
    if padding == "causal":
        return [size - 1 for size in sizes]
    return [
        max((-(-length // stride) - 1) * stride + size - length, 0) // 2
        for length, size, stride in zip(lengths, sizes, strides, strict=True)
    ]


def _frame(
    layer: Any, value: Value, shape: tuple[int, ...], window: Any, strides: Any, padding: str
) -> dict[str, Any]:
    """Return strides, beginning and number of windows as the interpreter takes them."""
    axes = len(value.shape) - 1
    down = _pair(strides, axes)
    row = (1, *value.shape[:1]) if axes == 1 else value.shape[:2]
    before = _before(padding, row, _pair(window, axes), down)
    if axes == 1:
        before[0] = 0
    return {"strides": down, "before": before, "size": _pair(shape[:-1], axes)}


def _check(layer: Any) -> None:
    """Raise for options of a convolution that are not told."""
    dilation = layer.dilation_rate
    if set(dilation if isinstance(dilation, list | tuple) else (dilation,)) != {1}:
        refuse(layer, f"dilation_rate={dilation}", "dilation_rate=1 would work.")
    if getattr(layer, "groups", 1) != 1:
        refuse(layer, f"groups={layer.groups}", "groups=1 would work, or a DepthwiseConv2D.")
    if getattr(layer, "output_padding", None) is not None:
        refuse(
            layer,
            f"output_padding={layer.output_padding}",
            "output_padding=None would work, with padding='same' or 'valid'.",
        )


def _weights(layer: Any, to: Description, scaled: int = 1) -> list[int]:
    kernel = layer.kernel
    shape = tuple(kernel.shape) if len(kernel.shape) == 4 else (1, *kernel.shape)
    weights = [to.weight(kernel, layer.name, shape=shape, scaled=scaled)]
    return weights + ([to.weight(layer.bias, layer.name)] if layer.use_bias else [])


def convolution(op: str) -> Emit:
    """Return the function for ordinary and depthwise convolutions."""

    def emit(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
        _check(layer)
        frame = _frame(layer, given[0], shape, layer.kernel_size, layer.strides, layer.padding)
        name = activation(layer, layer.activation)
        if name == "glu":
            refuse(layer, "its activation is 'glu'", "A Dense or Activation layer may have it.")
        work = math.prod(shape[:-1]) * math.prod(layer.kernel.shape)
        # A depthwise kernel's output channels are its last two axes together.
        weights = _weights(layer, to, scaled=2 if op == "depthwise" else 1)
        numbers = [given[0].number]
        told = {**frame, "shape": shape, "work": work}
        return [to.layer(op, numbers, weights, activation=name, **told)]

    return emit


def transposed(
    layer: Any, given: list[Value], shape: tuple[int, ...], to: Description
) -> list[int]:
    """Conv1DTranspose and Conv2DTranspose."""
    _check(layer)
    axes = len(shape) - 1
    strides, sizes = _pair(layer.strides, axes), _pair(layer.kernel_size, axes)
    same = layer.padding == "same"
    cut = [max(k - s, 0) // 2 if same else 0 for k, s in zip(sizes, strides, strict=True)]
    name = activation(layer, layer.activation)
    if name == "glu":
        refuse(layer, "its activation is 'glu'", "A Dense or Activation layer may have it.")
    return [
        to.layer(
            "transposed",
            [given[0].number],
            _weights(layer, to),
            shape=shape,
            work=math.prod(given[0].shape[:-1]) * math.prod(layer.kernel.shape),
            strides=strides,
            before=cut,
            size=_pair(shape[:-1], axes),
            activation=name,
        )
    ]


def pool(kind: str) -> Emit:
    """Return the function for pooling over windows."""

    def emit(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
        strides = layer.pool_size if layer.strides is None else layer.strides
        frame = _frame(layer, given[0], shape, layer.pool_size, strides, layer.padding)
        window = _pair(layer.pool_size, len(shape) - 1)
        work = math.prod(shape) * math.prod(window)
        told: dict[str, Any] = {**frame, "shape": shape, "work": work}
        return [to.layer("pool", [given[0].number], kind=kind, window=window, **told)]

    return emit


def global_pool(kind: str) -> Emit:
    """Return the function for pooling over all places."""

    def emit(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
        work = math.prod(given[0].shape)
        number = to.layer("global", [given[0].number], shape=shape[-1:], work=work, kind=kind)
        return [to.layer("reshape", [number], shape=shape, work=0) if layer.keepdims else number]

    return emit


def pad(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """ZeroPadding1D and ZeroPadding2D."""
    flat = len(shape) == 2
    before = [0, int(layer.padding[0])] if flat else [int(side[0]) for side in layer.padding]
    size = _pair(shape[:-1], len(shape) - 1)
    return [to.layer("pad", [given[0].number], shape=shape, before=before, size=size)]


def upsample(layer: Any, given: list[Value], shape: tuple[int, ...], to: Description) -> list[int]:
    """UpSampling1D and UpSampling2D."""
    how = getattr(layer, "interpolation", "nearest")
    if how not in ("nearest", "bilinear"):
        refuse(layer, f"interpolation={how!r}", "'nearest' or 'bilinear' would work.")
    factors = _pair(layer.size, len(shape) - 1)
    number = given[0].number
    return [to.layer("upsample", [number], shape=shape, factors=factors, bilinear=how != "nearest")]


LAYERS: dict[str, Emit] = {
    "Conv1D": convolution("conv"),
    "Conv2D": convolution("conv"),
    "DepthwiseConv1D": convolution("depthwise"),
    "DepthwiseConv2D": convolution("depthwise"),
    "Conv1DTranspose": transposed,
    "Conv2DTranspose": transposed,
    "MaxPooling1D": pool("max"),
    "MaxPooling2D": pool("max"),
    "AveragePooling1D": pool("average"),
    "AveragePooling2D": pool("average"),
    "GlobalMaxPooling1D": global_pool("max"),
    "GlobalMaxPooling2D": global_pool("max"),
    "GlobalAveragePooling1D": global_pool("average"),
    "GlobalAveragePooling2D": global_pool("average"),
    "ZeroPadding1D": pad,
    "ZeroPadding2D": pad,
    "UpSampling1D": upsample,
    "UpSampling2D": upsample,
}
