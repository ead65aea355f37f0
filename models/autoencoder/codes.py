"""What a trained autoencoder is for: codes, pictures from codes, and how strange an example is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models import feeding, options
from models.errors import BadData, BadOption

if TYPE_CHECKING:
    import keras


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
    named = {layer.name: layer for layer in model.layers}
    if "noise" in named:
        x = x + named["noise"].stddev * random.standard_normal(x.shape, dtype=np.float32)
    if "masking" in named:
        x = x * (random.random(x.shape) >= named["masking"].share)
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

    from models.autoencoder import layers

    if not is_variational(model):
        raise BadOption("Only a network with variational=True has an evidence lower bound.")
    x = targets(model, x, "x")
    posterior = keras.Model(
        model.input, [model.get_layer(name).output for name in ("mean", "log_variance")]
    )
    mean, log_variance = _run(posterior, x)
    loss = layers.NEGATIVE_LOG_LIKELIHOODS[output(model)]
    random, network = np.random.default_rng(seed), decoder(model)
    reconstruction = np.zeros(len(x))
    for _ in range(options.whole("draws", draws)):
        noise = random.standard_normal(mean.shape, dtype=np.float32)
        pictures = _run(network, mean + np.exp(0.5 * log_variance) * noise)[0]
        reconstruction += keras.ops.convert_to_numpy(loss(x, pictures)) / draws
    kl = keras.ops.convert_to_numpy(layers.divergence(mean, log_variance))
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


def targets(model: keras.Model, x: Any, part: str) -> np.ndarray:
    """Return x (n, …) as float32 if it fits `model` and its output can come to equal it."""
    x = _examples(model, x, part)
    low, high = x.min(), x.max()
    if output(model) == "sigmoid" and (low < 0 or high > 1):
        raise BadData(
            f"{part}: a sigmoid output gives pixels from 0 to 1, and x goes from {low:g} to "
            f"{high:g}. Bring it to that range, or build with output='linear'."
        )
    return x


def output(model: keras.Model) -> str:
    """Return the activation that the reconstruction comes from: "sigmoid" or "linear"."""
    return model.get_layer("reconstruction").activation.__name__
