"""A convolutional network for small pictures: stage by stage smaller, with more to say a place.

Strides take the place of pooling layers (Springenberg et al., Striving for Simplicity, 2015),
every convolution is normalised over the batch (Ioffe and Szegedy, 2015), and the last maps are
averaged over the picture (Lin et al., Network in Network, 2014).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models import options
from models.errors import BadOption, unknown

if TYPE_CHECKING:
    import keras

POOLING = ("average", "max")


def build(
    input_shape: Sequence[int] = (32, 32, 1),
    classes: int = 20,
    *,
    size: int = 22,
    activation: str | Callable = "relu",
    initialiser: str | Any = "he_normal",
    l2: float = 0.0,
    dropout: float = 0.15,
    batch_norm: bool = True,
    pooling: str = "average",
    shift: float = 0.0,
    zoom: float = 0.0,
    rotation: float = 0.0,
    flip: bool = False,
) -> keras.Model:
    """Return an uncompiled network from pictures (batch, height, width, channels) to scores.

        stage    filters   kernel  stride  32×32 becomes
        conv1    size      5×5     2       16×16
        conv2    2 × size  3×3     2       8×8
        conv3    3 × size  3×3     2       4×4
        conv4    3 × size  3×3     1       4×4
        pool     average or maximum over the places
        scores   softmax over the classes

    Pictures smaller than 16×16 keep their size in conv1.

    Args:
        input_shape: height, width and channels of one picture, at least 8×8.
        classes: how many classes; the scores (batch, classes) add up to 1.
        size: filters of the first stage. Parameters grow with its square: 22 gives about 77,000
            for 20 classes, 11 about 20,000.
        activation: after every convolution; a name Keras knows, or a function.
        initialiser: of every weight tensor; a name Keras knows, or a `keras.Initializer`.
        l2: strength of the penalty on squared weights.
        dropout: share of the pooled features left out at each training step.
        batch_norm: normalise over the batch before each activation.
        pooling: "average" or "max".
        shift: augmentation: move each training picture by up to this share of its size.
        zoom: augmentation: scale by up to this share.
        rotation: augmentation: turn by up to this share of a full turn.
        flip: augmentation: mirror left to right, half of the time.

    Raises:
        BadOption: an option that cannot work.
    """
    import keras
    from keras import layers

    if not isinstance(input_shape, Sequence) or len(input_shape) != 3:
        raise BadOption(f"input_shape must be (height, width, channels), not {input_shape!r}.")
    height, width, channels = (options.whole("input_shape", length) for length in input_shape)
    if min(height, width) < 8:
        raise BadOption(f"Pictures must be at least 8×8 for four stages; got {height}×{width}.")
    classes = options.whole("classes", classes, at_least=2)
    size = options.whole("size", size, at_least=2)
    activation = options.activation(activation)
    start = options.initialiser(initialiser)
    dropout = options.share("dropout", dropout)
    if pooling not in POOLING:
        raise unknown("pooling", pooling, POOLING)

    x = picture = keras.Input((height, width, channels), name="picture")
    for layer in _augmentation(shift, zoom, rotation, flip):
        x = layer(x)
    first = 2 if min(height, width) >= 16 else 1
    stages = ((size, 5, first), (2 * size, 3, 2), (3 * size, 3, 2), (3 * size, 3, 1))
    for number, (filters, kernel, stride) in enumerate(stages, start=1):
        x = layers.Conv2D(
            filters,
            kernel,
            strides=stride,
            padding="same",
            use_bias=not batch_norm,  # the normalisation's shift takes the place of the bias
            kernel_initializer=start(),
            kernel_regularizer=options.penalty(l2),
            name=f"conv{number}",
        )(x)
        if batch_norm:
            # Running means must settle within the few hundred steps of a small training.
            x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        x = layers.Activation(activation, name=f"activation{number}")(x)
    pool = {"average": layers.GlobalAveragePooling2D, "max": layers.GlobalMaxPooling2D}[pooling]
    x = pool(name="pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="dropout")(x)
    scores = layers.Dense(
        classes,
        activation="softmax",
        kernel_initializer=start(),
        kernel_regularizer=options.penalty(l2),
        name="scores",
    )(x)
    return keras.Model(picture, scores, name="cnn")


def _augmentation(shift: float, zoom: float, rotation: float, flip: bool) -> list[keras.Layer]:
    """Return the layers that vary training pictures; edges are filled with the nearest pixel."""
    from keras import layers

    chosen: list[keras.Layer] = []
    if options.share("shift", shift):
        chosen.append(layers.RandomTranslation(shift, shift, fill_mode="nearest", name="shift"))
    if options.share("zoom", zoom):
        chosen.append(layers.RandomZoom(zoom, fill_mode="nearest", name="zoom"))
    if options.share("rotation", rotation):
        chosen.append(layers.RandomRotation(rotation, fill_mode="nearest", name="rotation"))
    if flip:
        chosen.append(layers.RandomFlip("horizontal", name="flip"))
    return chosen
