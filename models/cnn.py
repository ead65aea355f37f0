"""A convolutional network for small pictures: stage by stage smaller, with more to say a place.

Plain, or with shortcuts around pairs of convolutions (He et al., Deep Residual Learning, 2016).
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
    residual: bool = False,
    size: int = 22,
    depth: int = 1,
    activation: str | Callable = "relu",
    initialiser: str | Any = "he_normal",
    l2: float = 0.0,
    dropout: float = 0.15,
    norm: str | None = "batch",
    pooling: str = "average",
    shift: float = 0.0,
    zoom: float = 0.0,
    rotation: float = 0.0,
    flip: bool = False,
) -> keras.Model:
    """Return an uncompiled network from pictures (batch, height, width, channels) to scores.

    Plain:

        stage    filters   kernel  stride  32×32 becomes
        conv1    size      5×5     2       16×16
        conv2    2 × size  3×3     2       8×8
        conv3    3 × size  3×3     2       4×4
        conv4    3 × size  3×3     1       4×4
        pool     average or maximum over the places
        scores   softmax over the classes

    Pictures smaller than 16×16 keep their size in conv1. With a depth above 1 each stage goes on
    with 3×3 convolutions of stride 1: conv1_2, conv1_3, ….

    Residual, where a block is two 3×3 convolutions whose result is added to the block's input:

        stage    filters   layers           stride  32×32 becomes
        stem     size      one convolution  1       32×32
        stage1   2 × size  depth blocks     2       16×16
        stage2   4 × size  depth blocks     2       8×8
        pool     average or maximum over the places
        scores   softmax over the classes

    The stem halves pictures of 64×64 and more.

    Args:
        input_shape: height, width and channels of one picture, at least 8×8.
        classes: how many classes; the scores (batch, classes) add up to 1.
        residual: shortcuts around each pair of convolutions, which let deep networks learn.
        size: filters of the first stage. Parameters grow with its square: 22 gives about 77,000
            for 20 classes, 11 about 20,000; residual, 16 gives about 74,000.
        depth: convolutions in each plain stage, blocks in each residual one.
        activation: after every convolution; a name Keras knows, or a function.
        initialiser: of every weight tensor; a name Keras knows, or a `keras.Initializer`.
        l2: strength of the penalty on squared weights.
        dropout: share of the pooled features left out at each training step.
        norm: before each activation, normalise over the "batch", or the filters of each place
            ("layer"); None does not.
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
        raise BadOption(f"Pictures must be at least 8×8 for the stages; got {height}×{width}.")
    classes = options.whole("classes", classes, at_least=2)
    size = options.whole("size", size, at_least=2)
    depth = options.whole("depth", depth)
    activation = options.activation(activation)
    start = options.initialiser(initialiser)
    dropout, norm = options.share("dropout", dropout), options.norm("norm", norm)
    if pooling not in POOLING:
        raise unknown("pooling", pooling, POOLING)

    def convolve(
        x: Any, filters: int, kernel: int, stride: int, name: str, activated: bool = True
    ) -> Any:
        x = layers.Conv2D(
            filters,
            kernel,
            strides=stride,
            padding="same",
            use_bias=norm is None,  # the normalisation's shift takes the place of the bias
            kernel_initializer=start(),
            kernel_regularizer=options.penalty(l2),
            name=name.format("conv"),
        )(x)
        if norm:
            x = options.normalisation(norm, name.format("norm"))(x)
        return layers.Activation(activation, name=name.format("activation"))(x) if activated else x

    def block(x: Any, filters: int, stride: int, name: str) -> Any:
        shortcut = x
        x = convolve(x, filters, 3, stride, name + "_{}1")
        x = convolve(x, filters, 3, 1, name + "_{}2", activated=False)
        if shortcut.shape != x.shape:
            shortcut = convolve(shortcut, filters, 1, stride, name + "_shortcut_{}", False)
        x = layers.Add(name=name + "_add")([x, shortcut])
        return layers.Activation(activation, name=name + "_activation2")(x)

    x = picture = keras.Input((height, width, channels), name="picture")
    for layer in _augmentation(shift, zoom, rotation, flip):
        x = layer(x)
    if residual:
        x = convolve(x, size, 3, 2 if min(height, width) >= 64 else 1, "stem_{}")
        for stage, filters in enumerate((2 * size, 4 * size), start=1):
            for number in range(1, depth + 1):
                stride = 2 if number == 1 else 1
                x = block(x, filters, stride, f"stage{stage}_block{number}")
    else:
        first = 2 if min(height, width) >= 16 else 1
        stages = ((size, 5, first), (2 * size, 3, 2), (3 * size, 3, 2), (3 * size, 3, 1))
        for stage, (filters, kernel, stride) in enumerate(stages, start=1):
            x = convolve(x, filters, kernel, stride, f"{{}}{stage}")
            for number in range(2, depth + 1):
                x = convolve(x, filters, 3, 1, f"{{}}{stage}_{number}")
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
