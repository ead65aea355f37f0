"""A network that says its input again after squeezing it through a short code.

Sources: Goodfellow, Bengio and Courville, Deep Learning (2016), chapter 14; Vincent et al.,
Stacked Denoising Autoencoders (2010); Kingma and Welling, Auto-Encoding Variational Bayes (2014).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models import feeding, options, training
from models.errors import BadData, BadOption, unknown

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

    from models.autoencoder_layers import GaussianCode, MaskingNoise, VariationalAutoencoder

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


def fit(
    model: keras.Model, x: Any, validation: Any | None = None, **settings: Any
) -> training.Training:
    """Train `model` to give back `x` and return it with its curves.

    The loss is the negative log-likelihood in nats an example, summed over pixels: cross-entropy
    for a sigmoid output, squared error (variance 1) for a linear one. Its curve comes with

    - `mean_squared_error` over pixels, or
    - for a variational network `reconstruction` and `kl`, both in nats: with beta=1 and no L2
      their sum is the loss, the negative evidence lower bound. Held-out examples are measured
      with one draw of the code each.

    A denoising network meets noise of its kind on the held-out examples too, the same in each
    epoch, and is asked for the clean ones.

    Args:
        model: from `build`.
        x: (n, …) examples; for a sigmoid output from 0 to 1.
        validation: the same, held out.
        settings: what else `training.fit` takes: epochs, batch_size, learning_rate, seed, ….

    Raises:
        BadData: arrays that do not fit the network.
        BadOption: an argument that cannot work.
        Diverged: the loss became NaN or infinite.
    """
    import keras

    from models import autoencoder_layers

    x = _targets(model, x, "train")
    held_out = None
    if validation is not None:
        clean = _targets(model, validation, "validation")
        held_out = corrupt(model, clean, seed=0), clean
    loss = autoencoder_layers.NEGATIVE_LOG_LIKELIHOODS[_output(model)]
    if not is_variational(model):
        return training.fit(
            model, (x, x), held_out, loss=loss, metrics=["mean_squared_error"], **settings
        )
    reconstruction = keras.metrics.MeanMetricWrapper(loss, name="reconstruction")
    code = model.get_layer("code")
    code.drawn_always = True  # at the mean, val_loss would not be a bound
    try:
        return training.fit(
            model, (x, x), held_out, loss=loss, metrics=[reconstruction], **settings
        )
    finally:
        code.drawn_always = False


def is_variational(model: keras.Model) -> bool:
    """Return whether the codes of `model` are distributions; BadOption if it has no code."""
    names = [layer.name for layer in model.layers]
    if not {"code", "reconstruction"} <= set(names):
        raise BadOption(
            f"A network from autoencoder.build is needed, with layers 'code' and "
            f"'reconstruction'; {model.name!r} has {', '.join(names)}."
        )
    return "log_variance" in names


def encoder(model: keras.Model) -> keras.Model:
    """Return the part of `model` from pictures to codes (for variational, their means).

    It shares the weights of `model`, as does the `decoder`.
    """
    import keras

    last = model.get_layer("mean" if is_variational(model) else "code")
    return keras.Model(model.input, last.output, name="encoder")


def decoder(model: keras.Model) -> keras.Model:
    """Return the part of `model` from codes to pictures."""
    import keras

    is_variational(model)
    return keras.Model(model.get_layer("code").output, model.output, name="decoder")


def encode(model: keras.Model, x: Any) -> np.ndarray:
    """Return the codes (n, code) of examples (n, …); for variational the means."""
    return _run(encoder(model), _examples(model, x, "x"))[0]


def decode(model: keras.Model, codes: Any) -> np.ndarray:
    """Return pictures (n, …) from codes (n, code)."""
    network = decoder(model)
    codes, width = np.asarray(codes), network.input_shape[-1]
    if codes.ndim != 2 or codes.shape[1] != width or codes.dtype.kind not in "fiub":
        raise BadData(
            f"Codes must be numbers of shape (n, {width}); got shape {codes.shape}, "
            f"dtype {codes.dtype}."
        )
    return _run(network, codes.astype(np.float32))[0]


def interpolate(model: keras.Model, first: Any, last: Any, steps: int = 8) -> np.ndarray:
    """Return pictures (steps, …) on the way from one example (…) to another.

    The way is a straight line between their codes; its ends are the reconstructions.
    """
    start, end = encode(model, np.stack([first, last]))
    share = np.linspace(0, 1, options.whole("steps", steps, at_least=2))[:, None]
    return decode(model, (1 - share) * start + share * end)


def sample(model: keras.Model, n: int, seed: int) -> np.ndarray:
    """Return n new pictures (n, …), decoded from codes drawn from N(0, 1)."""
    if not is_variational(model):
        raise BadOption(
            "Only build(…, variational=True) keeps its codes near a known distribution, from "
            "which new ones can be drawn; interpolate(…) works with any autoencoder."
        )
    width = model.get_layer("mean").units
    random = np.random.default_rng(seed)
    return decode(model, random.standard_normal((options.whole("n", n), width)))


def corrupt(model: keras.Model, x: Any, seed: int) -> np.ndarray:
    """Return examples (n, …) with noise such as `model` meets while training; x if it has none."""
    x = _examples(model, x, "x")
    random = np.random.default_rng(seed)
    layers = {layer.name: layer for layer in model.layers}
    if "noise" in layers:
        x = x + layers["noise"].stddev * random.standard_normal(x.shape, dtype=np.float32)
    if "masking" in layers:
        x = x * (random.random(x.shape) >= layers["masking"].share)
    return x.astype(np.float32)


def anomaly_score(model: keras.Model, x: Any, *, draws: int = 8, seed: int = 0) -> np.ndarray:
    """Return how badly `model` accounts for each example: (n,), higher is stranger.

    The mean squared error over pixels; for a variational network the negative evidence lower
    bound in nats, from `draws` codes an example.
    """
    if is_variational(model):
        return -elbo(model, x, draws=draws, seed=seed)["elbo"].to_numpy()
    x = _examples(model, x, "x")
    squared = np.square(x - _run(model, x)[0])
    return squared.mean(axis=tuple(range(1, x.ndim)))


def elbo(model: keras.Model, x: Any, *, draws: int = 8, seed: int = 0) -> pd.DataFrame:
    """Return the evidence lower bound of each example and its two terms, in nats.

    A row an example: elbo = −reconstruction − kl, whatever beta was trained with. log p(x) under
    the model is at least that.

    Args:
        model: a variational network.
        x: (n, …) examples.
        draws: codes drawn for each example, whose reconstructions are averaged.
        seed: of the draws; the same seed gives the same figures.
    """
    import keras

    from models import autoencoder_layers

    if not is_variational(model):
        raise BadOption("Only a network with variational=True has an evidence lower bound.")
    x = _targets(model, x, "x")
    posterior = keras.Model(
        model.input, [model.get_layer(name).output for name in ("mean", "log_variance")]
    )
    mean, log_variance = _run(posterior, x)
    loss = autoencoder_layers.NEGATIVE_LOG_LIKELIHOODS[_output(model)]
    random, network = np.random.default_rng(seed), decoder(model)
    reconstruction = np.zeros(len(x))
    for _ in range(options.whole("draws", draws)):
        noise = random.standard_normal(mean.shape, dtype=np.float32)
        pictures = _run(network, mean + np.exp(0.5 * log_variance) * noise)[0]
        reconstruction += keras.ops.convert_to_numpy(loss(x, pictures)) / draws
    kl = keras.ops.convert_to_numpy(autoencoder_layers.divergence(mean, log_variance))
    return pd.DataFrame({"elbo": -reconstruction - kl, "reconstruction": reconstruction, "kl": kl})


def _run(network: keras.Model, x: np.ndarray) -> list[np.ndarray]:
    """Return each output of `network` for x; unlike `predict` nothing is compiled first."""
    import keras

    parts = []
    for first in range(0, len(x), feeding.EVALUATION_BATCH):
        outputs = network(x[first : first + feeding.EVALUATION_BATCH], training=False)
        outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
        parts.append([keras.ops.convert_to_numpy(array) for array in outputs])
    return [np.concatenate(arrays) for arrays in zip(*parts, strict=True)]


def _examples(model: keras.Model, x: Any, part: str) -> np.ndarray:
    """Return x (n, …) as float32 if it fits `model`."""
    is_variational(model)
    x = np.asarray(x)
    return feeding.examples(model, (x, x), part)[0]


def _targets(model: keras.Model, x: Any, part: str) -> np.ndarray:
    """Return x (n, …) as float32 if it fits `model` and its output can come to equal it."""
    x = _examples(model, x, part)
    low, high = x.min(), x.max()
    if _output(model) == "sigmoid" and (low < 0 or high > 1):
        raise BadData(
            f"{part}: a sigmoid output gives pixels from 0 to 1, and x goes from {low:g} to "
            f"{high:g}. Bring it to that range, or build with output='linear'."
        )
    return x


def _output(model: keras.Model) -> str:
    return model.get_layer("reconstruction").activation.__name__


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
