"""The two players of a GAN as Functional networks: DCGAN's convolutions, with or without labels.

Source: Radford, Metz and Chintala, Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks (2016); Mirza and Osindero, Conditional Generative Adversarial Nets
(2014); Miyato and Koyama, cGANs with Projection Discriminator (2018).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models import options
from models.errors import BadOption

if TYPE_CHECKING:
    import keras

SMALLEST = 4  # the shorter side is halved while it stays at least this long, and at least twice
KERNEL = 4  # a multiple of the stride, or samples show a chequerboard (Odena et al., 2016)


def sides(input_shape: Sequence[int]) -> tuple[int, int, int, int]:
    """Return height, width and channels as plain numbers, and how often the sides are halved."""
    if not isinstance(input_shape, Sequence) or len(input_shape) != 3:
        raise BadOption(f"input_shape must be (height, width, channels), not {input_shape!r}.")
    height, width, channels = (options.whole("input_shape", length) for length in input_shape)
    if min(height, width) < 2 * SMALLEST:
        raise BadOption(
            f"Pictures must be at least {2 * SMALLEST}×{2 * SMALLEST}; got {height}×{width}."
        )
    stages = max(2, int(math.log2(min(height, width) / SMALLEST)))
    step = 2**stages
    if height % step or width % step:
        near = "×".join(str(-(-length // step) * step) for length in (height, width))
        raise BadOption(
            f"Pictures of {height}×{width} cannot be halved {stages} times without a rest. "
            f"Pad them to {near}, which would fit."
        )
    return height, width, channels, stages


def generator(
    input_shape: Sequence[int],
    classes: int | None,
    *,
    noise: int,
    size: int,
    activation: str | Callable,
    initialiser: Callable[[], Any],
    l2: float,
    norm: str | None,
) -> keras.Model:
    """Return the network from latents (batch, noise), and labels (batch, 1), to pictures."""
    import keras
    from keras import layers

    height, width, channels, stages = sides(input_shape)
    low, wide = height // 2**stages, width // 2**stages

    def finish(x: Any, number: int) -> Any:
        x = options.normalisation(norm, f"norm{number}")(x) if norm else x
        return layers.Activation(activation, name=f"activation{number}")(x)

    inputs = [keras.Input((noise,), name="latent")]
    x = inputs[0]
    if classes:
        inputs.append(keras.Input((1,), dtype="int32", name="label"))
        # It begins as a one-hot code, one row a class.
        code = layers.Embedding(classes, classes, "identity", name="label_code")(inputs[1])
        x = layers.Concatenate(name="latent_and_label")([x, layers.Flatten(name="code")(code)])
    filters = size * 2 ** (stages - 1)
    # The normalisation's shift takes the place of the bias.
    bias = norm is None
    x = layers.Dense(
        low * wide * filters, use_bias=bias, name="dense", **_weights(initialiser, l2)
    )(x)
    x = layers.Reshape((low, wide, filters), name="maps")(x)
    x = finish(x, 0)
    for number in range(1, stages + 1):
        last = number == stages
        filters = channels if last else filters // 2
        x = layers.Conv2DTranspose(
            filters,
            KERNEL,
            strides=2,
            padding="same",
            activation="sigmoid" if last else None,
            use_bias=last or bias,
            name="picture" if last else f"upsample{number}",
            **_weights(initialiser, l2),
        )(x)
        if not last:
            x = finish(x, number)
    return keras.Model(inputs if classes else inputs[0], x, name="generator")


def discriminator(
    input_shape: Sequence[int],
    classes: int | None,
    *,
    size: int,
    activation: str | Callable,
    initialiser: Callable[[], Any],
    l2: float,
    norm: str | None,
    dropout: float,
) -> keras.Model:
    """Return the network from pictures, and labels (batch, 1), to scores (batch, 1)."""
    import keras
    from keras import layers

    *_, stages = sides(input_shape)
    inputs = [keras.Input(tuple(input_shape), name="picture")]
    x = layers.Rescaling(2.0, offset=-1.0, name="centred")(inputs[0])
    for number in range(1, stages + 1):
        # The first stage is not normalised, or brightness and contrast would be lost.
        chosen = norm if number > 1 else None
        x = layers.Conv2D(
            size * 2 ** (number - 1),
            KERNEL,
            strides=2,
            padding="same",
            use_bias=chosen is None,
            name=f"conv{number}",
            **_weights(initialiser, l2),
        )(x)
        if chosen:
            x = options.normalisation(chosen, f"norm{number}")(x)
        x = layers.Activation(activation, name=f"activation{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    features = layers.Flatten(name="features")(x)
    score = layers.Dense(1, name="score", **_weights(initialiser, l2))(features)
    if classes:
        inputs.append(keras.Input((1,), dtype="int32", name="label"))
        direction = layers.Embedding(classes, features.shape[-1], name="label_direction")
        direction = layers.Flatten(name="direction")(direction(inputs[1]))
        fit = layers.Dot(axes=1, name="fit_to_label")([features, direction])
        score = layers.Add(name="score_with_label")([score, fit])
    return keras.Model(inputs if classes else inputs[0], score, name="discriminator")


def _weights(initialiser: Callable[[], Any], l2: float) -> dict[str, Any]:
    return {"kernel_initializer": initialiser(), "kernel_regularizer": options.penalty(l2)}
