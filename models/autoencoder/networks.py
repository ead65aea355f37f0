"""The network itself: an encoder, a code, and the decoder that mirrors the encoder."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models import options
from models.errors import BadOption, unknown

if TYPE_CHECKING:
    import keras

KINDS = ("convolutional", "dense")
OUTPUTS = ("linear", "sigmoid")


def build(
    input_shape: Sequence[int] = (28, 28, 1),
    code: int = 16,
    *,
    kind: str = "dense",
    hidden: Sequence[int] | None = None,
    variational: bool = False,
    beta: float = 1.0,
    noise: float = 0.0,
    masking: float = 0.0,
    output: str = "sigmoid",
    activation: str | Callable = "relu",
    initialiser: str | Any = "he_normal",
    l2: float = 0.0,
    dropout: float = 0.0,
    norm: str | None = None,
) -> keras.Model:
    """Return an uncompiled network from pictures (batch, …) to reconstructions of that shape.

        dense, hidden=(256,)             convolutional, hidden=(16, 32)
        picture            28×28×1       picture            28×28×1
                                         encode1            14×14×16
        flatten            784           encode2            7×7×32
        encode1            256           flatten            1568
        code               16            code               16
        decode1            256           expand, unflatten  7×7×32
        pixels, unflatten  28×28×1       decode1            14×14×16
                                         pixels             28×28×1
        reconstruction     28×28×1       reconstruction     28×28×1

    A variational one computes `mean` and `log_variance` before `code`, which is drawn from them
    while training and is the mean otherwise. `fit` trains either with the loss that fits.

    Args:
        input_shape: of one example: (height, width, channels), or for dense any shape.
        code: how many numbers an example is squeezed into.
        kind: "dense", or "convolutional" with 4×4 kernels of stride 2 in place of pooling.
        hidden: units (dense) or filters (convolutional) of each layer of the encoder, first to
            last; the decoder mirrors them. None takes those of the table. Dense with () and a
            linear output finds the subspace of PCA.
        variational: codes are distributions, kept near N(0, 1), so that new ones can be drawn.
        beta: weight of that nearness in the loss, above 0; 1 for the evidence lower bound
            (Higgins et al., beta-VAE, 2017).
        noise: denoising: standard deviation of what is added to training pictures.
        masking: denoising: share of a training picture's values set to 0.
        output: "sigmoid" for pixels from 0 to 1, "linear" for any numbers.
        activation: of the hidden layers; a name Keras knows, or a function.
        initialiser: of every weight tensor; a name Keras knows, or a `keras.Initializer`.
        l2: strength of the penalty on squared weights.
        dropout: share of hidden units left out at each training step.
        norm: before its activation, normalise each hidden layer over the "batch" or over its units
            ("layer").

    Raises:
        BadOption: an option that cannot work.
    """
    import keras
    from keras import layers

    from models.autoencoder.layers import GaussianCode, MaskingNoise, VariationalAutoencoder

    shape, widths = _shapes(input_shape, kind, hidden)
    code = options.whole("code", code)
    if output not in OUTPUTS:
        raise unknown("output", output, OUTPUTS)
    noise, masking = _number("noise", noise), options.share("masking", masking)
    if not _number("beta", beta):
        raise BadOption("beta must be above 0: without KL nothing keeps codes near N(0, 1).")
    if beta != 1 and not variational:
        raise BadOption(f"beta={beta} weighs the loss of variational=True only.")
    activation = options.activation(activation)
    dropout, norm = options.share("dropout", dropout), options.norm("norm", norm)
    start = options.initialiser(initialiser)
    convolutional = kind == "convolutional"

    def weights(name: str, **arguments: Any) -> dict[str, Any]:
        return {
            "kernel_initializer": start(),
            "kernel_regularizer": options.penalty(l2),
            "name": name,
            **arguments,
        }

    def dense(units: int, name: str, **arguments: Any) -> keras.Layer:
        return layers.Dense(units, **weights(name, **arguments))

    def convolution(filters: int, name: str, **arguments: Any) -> keras.Layer:
        # A kernel that its stride divides reaches every pixel equally often: no checkerboard.
        kind_of = layers.Conv2D if name.startswith("encode") else layers.Conv2DTranspose
        return kind_of(filters, 4, strides=2, padding="same", **weights(name, **arguments))

    def activate(x: Any, name: str) -> Any:
        if norm:
            x = options.normalisation(norm, f"{name}_norm")(x)
        x = layers.Activation(activation, name=f"{name}_activation")(x)
        return layers.Dropout(dropout, name=f"{name}_dropout")(x) if dropout else x

    def hidden_layer(x: Any, width: int, name: str) -> Any:
        # The normalisation's shift takes the place of the bias.
        layer = (convolution if convolutional else dense)(width, name, use_bias=norm is None)
        return activate(layer(x), name)

    x = picture = keras.Input(shape, name="picture")
    if noise:
        x = layers.GaussianNoise(noise, name="noise")(x)
    if masking:
        x = MaskingNoise(masking, name="masking")(x)
    if not convolutional:
        x = layers.Flatten(name="flatten")(x)
    for number, width in enumerate(widths, start=1):
        x = hidden_layer(x, width, f"encode{number}")
    maps = tuple(x.shape[1:])
    if convolutional:
        x = layers.Flatten(name="flatten")(x)

    if variational:
        mean, log_variance = dense(code, "mean")(x), dense(code, "log_variance")(x)
        x = GaussianCode(float(beta), name="code")([mean, log_variance])
    else:
        x = dense(code, "code")(x)

    if convolutional:
        x = dense(math.prod(maps), "expand", use_bias=norm is None)(x)
        x = activate(layers.Reshape(maps, name="unflatten")(x), "expand")
    mirrored = widths[::-1][1:] if convolutional else widths[::-1]
    for number, width in enumerate(mirrored, start=1):
        x = hidden_layer(x, width, f"decode{number}")
    if convolutional:
        x = convolution(shape[-1], "pixels")(x)
    else:
        x = dense(math.prod(shape), "pixels")(x)
        x = layers.Reshape(shape, name="unflatten")(x)
    x = layers.Activation(output, name="reconstruction")(x)
    network = VariationalAutoencoder if variational else keras.Model
    return network(picture, x, name="autoencoder")


def _shapes(
    input_shape: Sequence[int], kind: str, hidden: Sequence[int] | None
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return input shape and hidden widths, checked against the kind and each other."""
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    if not isinstance(input_shape, Sequence) or isinstance(input_shape, str) or not input_shape:
        raise BadOption(f"input_shape must be such as (28, 28, 1) or (64,), not {input_shape!r}.")
    shape = tuple(options.whole("input_shape", length) for length in input_shape)
    if hidden is None:
        hidden = (256,) if kind == "dense" else (16, 32)
    if not isinstance(hidden, Sequence) or isinstance(hidden, str):
        raise BadOption(f"hidden must be a sequence such as (256,), not {hidden!r}.")
    widths = tuple(options.whole("a hidden layer", width) for width in hidden)
    if kind == "convolutional":
        if len(shape) != 3:
            raise BadOption(
                f"kind='convolutional' takes (height, width, channels), not {shape}; "
                "kind='dense' takes any shape."
            )
        if not widths:
            raise BadOption("kind='convolutional' needs at least one hidden layer, such as (16,).")
        step = 2 ** len(widths)
        if shape[0] % step or shape[1] % step:
            fits = "×".join(str(math.ceil(side / step) * step) for side in shape[:2])
            raise BadOption(
                f"{len(widths)} hidden layers halve the picture as often: height and width must "
                f"be multiples of {step}, not {shape[0]}×{shape[1]}. Pad to {fits}, or take fewer."
            )
    return shape, widths


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise BadOption(f"{name} must be a number from 0 up, not {value!r}.")
    return float(value)
