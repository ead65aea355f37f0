"""The plain exporter: description, weights, and what Keras answers to three examples."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import BadData, BadOption, unknown
from models.evaluation.size import parameters
from models.live.description import FORMAT, PRECISIONS, Description
from models.live.graph import check_examples, describe, tensors
from models.scratch import Network

if TYPE_CHECKING:
    import keras

GOLDEN = 3
TOLERANCE = 1e-5  # of an answer up to 1; of larger ones float32 keeps no more than a share of them


@dataclass(frozen=True)
class Exported:
    """A network as files for a page.

    Attributes:
        description: model.json, plain values.
        weights: model.bin.
        golden: golden.bin.
        answers: for each output an array (n, …), the network's answers to all examples.
    """

    description: dict[str, Any]
    weights: bytes
    golden: bytes
    answers: list[np.ndarray]


def export(
    network: keras.Model | Network,
    *,
    examples: Any,
    precision: str = "float32",
    scale: tuple[float, float] | None = None,
) -> Exported:
    """Return a network as a page can run it, with golden vectors for its first three examples.

    Args:
        network: Functional or Sequential, of layers the interpreter knows; or from scratch.
        examples: (n, …) with n at least 3, as the network takes them; a list of arrays for several
            inputs.
        precision: "float32"; or "float16" or "int8", which make the file a half or a quarter as
            large by rounding matrices and kernels, int8 with a scale for each output channel. The
            golden answers then are those of the rounded network.
        scale: mean and deviation of a target that was normalised: answers · deviation + mean
            becomes the network's output.

    Raises:
        BadOption: a layer or an option that a page cannot run, named; an unknown precision.
        BadData: fewer than three examples, or of another shape; weights or answers that are NaN.
    """
    if precision not in PRECISIONS:
        raise unknown("precision", precision, PRECISIONS)
    arrays = check_examples(network, examples)
    if len(arrays[0]) < GOLDEN:
        raise BadData(f"{GOLDEN} examples are needed for the page's check, not {len(arrays[0])}.")
    told = describe(network, arrays)
    if scale is not None:
        _scale(told, scale)
    weights, content = told.packed(precision)
    exact = answers = _answers(network, arrays, scale)
    description: dict[str, Any] = {
        "format": FORMAT,
        "precision": precision,
        "parameters": _parameters(network, told),
        "work": told.work,
        "inputs": told.inputs,
        "outputs": told.outputs,
        "layers": told.layers,
        "weights": weights,
    }
    if precision != "float32":
        with _rounded(network, told, precision) as other:
            answers = _answers(other, arrays, scale)
        moved = [np.abs(a - b).max() for a, b in zip(answers, exact, strict=True)]
        description["rounding"] = float(max(moved))
    if not all(np.isfinite(array).all() for array in answers):
        raise BadData("The network answers the examples with NaN or infinite values.")
    largest = max(float(np.abs(array[:GOLDEN]).max()) for array in answers)
    check: dict[str, Any] = {"examples": GOLDEN, "tolerance": TOLERANCE * max(1.0, largest)}
    description["golden"] = check
    kinds = [each["dtype"] for each in told.inputs]
    if set(kinds) != {"float32"}:
        check["inputs"] = [
            [
                None if kind == "float32" else array[example].ravel().tolist()
                for kind, array in zip(kinds, arrays, strict=True)
            ]
            for example in range(GOLDEN)
        ]
    floats = [array for kind, array in zip(kinds, arrays, strict=True) if kind == "float32"]
    golden = b"".join(
        np.asarray(array[example]).astype("<f4").tobytes()
        for example in range(GOLDEN)
        for array in (*floats, *answers)
    )
    description["bytes"] = {"model.bin": len(content), "golden.bin": len(golden)}
    return Exported(description, content, golden, answers)


def _parameters(network: Any, told: Description) -> int:
    """Return how many numbers training adjusted, as the post counts them; of a copy, all it has."""
    if isinstance(network, Network):
        return network.count_params()
    return parameters(network) or sum(weight.size for weight in told.weights)


def _answers(
    network: Any, arrays: Sequence[np.ndarray], scale: tuple[float, float] | None
) -> list[np.ndarray]:
    """Return each output for all examples, float32 (n, …)."""
    if isinstance(network, Network):
        outputs = [network.predict(arrays[0])]
    else:
        import keras

        given = tensors(arrays, network.inputs)
        given = given[0] if len(given) == 1 else given
        found = keras.tree.flatten(network(given, training=False))
        outputs = [keras.ops.convert_to_numpy(output) for output in found]
    if scale is not None:
        outputs = [output.astype(np.float64) * scale[1] + scale[0] for output in outputs]
    return [np.asarray(output, dtype=np.float32) for output in outputs]


def _scale(told: Description, scale: tuple[float, float]) -> None:
    """Add the way back from a normalised target as the network's last layer."""
    mean, deviation = (float(part) for part in scale)
    if not np.isfinite([mean, deviation]).all() or deviation <= 0 or len(told.outputs) != 1:
        raise BadOption(f"scale must be a mean and a deviation above 0, not {scale!r}.")
    constants = [
        told.weight(np.array([part]), "scale", exact=True) for part in (0.0, deviation, mean)
    ]
    told.outputs = [told.layer("affine", told.outputs, constants, shape=(1,))]


@contextmanager
def _rounded(network: Any, told: Description, precision: str) -> Generator[Any]:
    """Lend the network with its weights as the page reads them."""
    rounded = [n for n in range(len(told.weights)) if told.rounds(n, precision)]
    if isinstance(network, Network):
        other = copy.deepcopy(network)
        for w, number in zip(other.w, rounded, strict=True):
            w[:] = told.rounded(number, precision)
        yield other
        return
    kept = []
    try:
        for number in rounded:
            source = told.sources[number]
            kept.append((source, source.numpy()))
            source.assign(told.rounded(number, precision).reshape(source.shape))
        yield network
    finally:
        for source, weights in kept:
            source.assign(weights)
