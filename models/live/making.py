"""Networks that make pictures: the decoder of an autoencoder, the generator of a GAN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from models import options
from models.errors import BadData, BadOption
from models.live.golden import GOLDEN, export
from models.live.graph import check, check_examples, tensors
from models.live.result import (
    Live,
    class_names,
    joined,
    last_activation,
    one_of,
    picture_size,
    sheet,
    some,
)

SHOWN = 8  # real examples to jump to
MEASURED = 1000  # examples that the range of each code is taken from
EDGES = (1, 99)  # percentiles of the codes that a slider goes between
COLUMNS = 6  # of the sheet of samples
RANGES = {"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}


def sliders(
    model: Any,
    x: Any,
    *,
    size: Sequence[int] | None = None,
    precision: str = "float32",
) -> Live:
    """Return a decoder, to be tried by moving the numbers of its code.

    Args:
        model: an autoencoder from `autoencoder.build`, or any network from codes (n, code) to
            pictures.
        x: held-out examples as the autoencoder takes them, at least three; for a decoder codes.
        size: height and width, where the pictures are vectors.
        precision: as for `export`.

    Raises:
        BadOption, BadData: as for `export`; examples or a size that do not fit.
    """
    from models import autoencoder

    model = one_of(model)
    check(model)
    decoder, codes, real = model, some(x, MEASURED, "x"), None
    if {"code", "reconstruction"} <= {layer.name for layer in model.layers}:
        real, codes = codes, autoencoder.encode(model, codes)
        decoder = autoencoder.decoder(model)
    (codes,) = check_examples(decoder, codes)
    if codes.ndim != 2:
        raise BadData(f"A decoder takes codes (n, code), not examples of shape {codes.shape}.")
    exported = export(decoder, examples=codes[:SHOWN], precision=precision)
    pictures = exported.answers[0]
    dimensions = picture_size(pictures.shape[1:], size)
    low, high = np.percentile(codes, EDGES, axis=0)
    typical = np.median(codes, axis=0)
    shades = RANGES.get(last_activation(decoder)) or _range(pictures if real is None else real)
    widget = {
        "kind": "sliders",
        "size": list(dimensions[:2]),
        "channels": dimensions[2],
        "codes": [
            {"low": float(a), "high": float(max(b, a + 1e-3)), "typical": float(c)}
            for a, b, c in zip(low, high, typical, strict=True)
        ],
        "order": _strongest(decoder, low, high, typical),
        "examples": [[float(number) for number in code] for code in codes[:SHOWN]],
        "range": list(shades),
    }
    names = [f"code {number}" for number in range(1, codes.shape[1] + 1)]
    index = pd.RangeIndex(1, len(pictures) + 1, name="picture")
    table = pd.DataFrame(codes[:SHOWN].astype(float), index=index, columns=names)
    shown = pictures if real is None else np.concatenate([real[:SHOWN], pictures])
    alt = f"{len(pictures)} pictures from codes of {codes.shape[1]} numbers, which the table gives."
    if real is not None:
        alt = f"Above {len(pictures)} examples, below what the network makes of their codes."
    return joined(exported, widget, table, alt, sheet(shown, dimensions, shades, len(pictures)))


def _range(pictures: np.ndarray) -> tuple[float, float]:
    """Return what black and white are where the output may be any number."""
    low, high = float(pictures.min()), float(pictures.max())
    return low, max(high, low + 1e-6)


def _strongest(decoder: Any, low: np.ndarray, high: np.ndarray, typical: np.ndarray) -> list[int]:
    """Return the numbers of the codes, that first whose way from low to high changes most."""
    import keras

    ends = np.tile(typical, (2, len(typical), 1))
    ends[0][np.diag_indices(len(typical))], ends[1][np.diag_indices(len(typical))] = low, high
    begun, ended = (
        keras.ops.convert_to_numpy(decoder(*tensors([end], decoder.inputs), training=False))
        for end in ends
    )
    change = np.square(ended - begun).reshape(len(typical), -1).mean(axis=1)
    return [int(number) for number in np.argsort(-change, kind="stable")]


def samples(
    model: Any,
    classes: Sequence[Any] | None = None,
    *,
    count: int = 12,
    seed: int = 0,
    size: Sequence[int] | None = None,
    precision: str = "float32",
) -> Live:
    """Return a generator, to be tried by drawing new pictures.

    Args:
        model: a GAN from `gan.build`; a variational autoencoder; or any network from normally
            distributed numbers (n, noise), and class numbers (n, 1) if there are two inputs, to
            pictures.
        classes: names of the classes of a conditional network.
        count: pictures on the sheet.
        seed: of the pictures in the page without JavaScript.
        size: height and width, where the pictures are vectors.
        precision: as for `export`.

    Raises:
        BadOption, BadData: as for `export`; classes or a size that do not fit.
    """
    generator = _generator(one_of(model))
    count = options.whole("count", count, at_least=GOLDEN)
    noise = int(generator.inputs[0].shape[-1])
    names = _names(generator, classes)
    random = np.random.default_rng(options.whole("seed", seed, at_least=0))
    given = [random.standard_normal((count, noise), dtype=np.float32)]
    if names:
        given.append(np.arange(count, dtype=np.int32)[:, None] % len(names))
    exported = export(generator, examples=given, precision=precision)
    pictures = exported.answers[0]
    dimensions = picture_size(pictures.shape[1:], size)
    shades = RANGES.get(last_activation(generator)) or _range(pictures)
    widget = {
        "kind": "samples",
        "size": list(dimensions[:2]),
        "channels": dimensions[2],
        "noise": noise,
        "distribution": "normal",
        "classes": names,
        "range": list(shades),
        "count": count,
    }
    index = pd.RangeIndex(1, count + 1, name="picture")
    flat = (pictures.reshape(count, -1).astype(float) - shades[0]) / (shades[1] - shades[0])
    table = pd.DataFrame({"brightness": flat.mean(axis=1), "contrast": flat.std(axis=1)}, index)
    if names:
        table.insert(0, "class", [names[int(number)] for number in given[1][:, 0]])
    alt = f"{count} pictures that the network made of random numbers."
    return joined(exported, widget, table, alt, sheet(pictures, dimensions, shades, COLUMNS))


def _generator(model: Any) -> Any:
    """Return the network from random numbers to pictures."""
    from models import autoencoder

    average = getattr(model, "average", None)
    model = model if average is None else average
    check(model)
    names = {layer.name for layer in model.layers}
    if not {"code", "reconstruction"} <= names:
        return model
    if not autoencoder.is_variational(model):
        raise BadOption(
            "Only the codes of a variational autoencoder can be drawn at random; sliders(…) works "
            "with any."
        )
    return autoencoder.decoder(model)


def _names(generator: Any, classes: Sequence[Any] | None) -> list[str] | None:
    """Return the names of a conditional network's classes, as many as it knows."""
    if len(generator.inputs) == 1:
        if classes is not None:
            raise BadOption("This network was built without classes and takes none.")
        return None
    import keras

    known = [
        layer.input_dim for layer in generator.layers if isinstance(layer, keras.layers.Embedding)
    ]
    if classes is None:
        raise BadOption("A conditional network needs the names of its classes.")
    names = class_names(classes)
    if known and known[0] != len(names):
        raise BadData(f"The network knows {known[0]} classes, and {len(names)} are named.")
    return names
