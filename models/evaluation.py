"""How good a model is, how sure one can be of it, and whether the test was a fair one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models.errors import BadData, BadOption

if TYPE_CHECKING:
    import keras


def accuracy(y_true: Any, y_pred: Any) -> float:
    """Return the share of right answers.

    Args:
        y_true: (n,) labels.
        y_pred: (n,) labels, or what a network's `predict` gives: (n, classes) scores, whose
            highest counts, or (n, 1) probabilities of a yes.
    """
    true, predicted = _pair(y_true, y_pred)
    return float(np.mean(true == predicted))


def confusion(y_true: Any, y_pred: Any, classes: Sequence[Any]) -> pd.DataFrame:
    """Return how often each class (row) was taken for each other (column), as counts.

    Args:
        y_true: (n,) labels: members of `classes`, or their positions in it.
        y_pred: the same, or scores as `accuracy` takes them.
        classes: the names, in the order of rows and columns.
    """
    names = list(classes)
    true, predicted = (_positions(labels, names) for labels in _pair(y_true, y_pred))
    counts = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    return pd.DataFrame(
        counts, index=pd.Index(names, name="true"), columns=pd.Index(names, name="predicted")
    )


def interval(values: Sequence[float], level: float = 0.95) -> dict[str, Any]:
    """Return the mean over seeds and where the true mean lies.

    A dict of values, mean, low, high, n and method, as `results.json` holds it: Student's t over
    the seeds, which take in the luck of initialisation, order and split. One seed gives no
    interval: low and high are None.
    """
    numbers = [float(value) for value in values]
    if not numbers or not np.isfinite(numbers).all():
        raise BadData(f"An interval needs finite numbers, one a seed; got {numbers}.")
    n, mean = len(numbers), float(np.mean(numbers))
    low = high = None
    method = "one seed, no interval"
    if n > 1:
        from scipy.stats import t

        half = float(t.ppf((1 + level) / 2, n - 1) * np.std(numbers, ddof=1) / np.sqrt(n))
        low, high = mean - half, mean + half
        method = f"t over {n} seeds, {level:.0%}".replace("%", " %")
    return {"values": numbers, "mean": mean, "low": low, "high": high, "n": n, "method": method}


def parameters(model: keras.Model) -> int:
    """Return how many numbers training adjusts; running means and the like do not count."""
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def split_rows(
    table: pd.DataFrame,
    *,
    by: str | None = None,
    test: float = 0.2,
    validation: float = 0.1,
    seed: int,
) -> dict[str, pd.DataFrame]:
    """Return {"train", "validation", "test"}: the rows of `table`, each in exactly one part.

    Args:
        table: at least three rows; their order is kept within each part, the index made anew.
        by: a column whose values are groups. A group goes whole into one part, so that the test
            asks for groups never seen in training; shares then hold as nearly as groups allow.
        test: share of rows held out for the final figures.
        validation: share of rows held out for early stopping; 0 gives an empty part.
        seed: the same seed and table give the same split; no global random state is touched.
    """
    if not 0 < test < 1 or not 0 <= validation < 1 or test + validation >= 1:
        raise BadOption(
            f"test={test} and validation={validation} must leave rows to train on: "
            "0 < test, 0 ≤ validation, test + validation < 1."
        )
    if by is None:
        groups = np.arange(len(table))
    elif by in table.columns:
        groups = pd.factorize(table[by], sort=True, use_na_sentinel=False)[0]
    else:
        raise BadOption(f"No column {by!r} to split by; columns: {', '.join(table.columns)}.")
    sizes = np.bincount(groups)
    part = np.full(len(sizes), "train", dtype=object)
    order = np.random.default_rng(seed).permutation(len(sizes))
    for name, wanted in (("test", test * len(table)), ("validation", validation * len(table))):
        held_out = 0
        for group in order[part[order] == "train"]:
            # A group is taken when that brings the part nearer to the size wanted.
            if abs(held_out + sizes[group] - wanted) < abs(held_out - wanted):
                part[group] = name
                held_out += sizes[group]
    of_row = part[groups]
    split = {
        name: table[of_row == name].reset_index(drop=True)
        for name in ("train", "validation", "test")
    }
    empty = [name for name, rows in split.items() if rows.empty]
    if set(empty) - (set() if validation else {"validation"}):
        raise BadData(
            f"{len(table)} rows in {len(sizes)} {'rows' if by is None else f'groups of {by!r}'} "
            f"leave nothing for {' and '.join(empty)}; more groups or other shares would."
        )
    return split


def drop_duplicates_across(
    split: Mapping[str, pd.DataFrame],
    pictures: str | Mapping[str, np.ndarray],
    *,
    threshold: float = 0.02,
) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, int]]]:
    """Return the split without pictures that a held-out part shows too, and how many there were.

    The test part stays whole: validation loses what the test shows, training what either shows.

    Args:
        split: {"train", "validation", "test"} of tables, as `split_rows` gives.
        pictures: the column that holds encoded pictures (bytes) or pixel arrays; or, for each
            part, an array (n, …) of pixels in [0, 1] in the order of its rows.
        threshold: mean absolute difference of pixels up to which two pictures are the same.

    Returns:
        The new split, and {"train": {"exact", "near"}, "validation": {"exact", "near"}}: rows
        left out for a picture equal pixel by pixel, and for one within the threshold.
    """
    if not 0 <= threshold < 1:
        raise BadOption(f"threshold must be from 0 to below 1, not {threshold!r}.")
    pixels = {
        name: _pixels(rows, pictures) if isinstance(pictures, str) else np.asarray(pictures[name])
        for name, rows in split.items()
    }
    for name, rows in split.items():
        if len(pixels[name]) != len(rows):
            raise BadData(f"{len(pixels[name])} pictures for the {len(rows)} rows of {name!r}.")
    kept, counts = dict(split), {}
    for name, others in (("validation", ["test"]), ("train", ["test", "validation"])):
        held_out = np.concatenate([_flat(pixels[o]) for o in others if len(pixels[o])])
        distance = _nearest_difference(_flat(pixels[name]), held_out, threshold)
        exact, near = distance == 0, (distance > 0) & (distance <= threshold)
        counts[name] = {"exact": int(exact.sum()), "near": int(near.sum())}
        stays = ~(exact | near)
        kept[name] = split[name][stays].reset_index(drop=True)
        pixels[name] = pixels[name][stays]
    return kept, counts


def _pixels(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Return the pictures of a column as float32 arrays in [0, 1], grey on white, of one size."""
    import io

    from PIL import Image

    if column not in rows.columns:
        raise BadOption(f"No column {column!r} of pictures; columns: {', '.join(rows.columns)}.")
    arrays = []
    for cell in rows[column]:
        if isinstance(cell, bytes | bytearray):
            picture = Image.open(io.BytesIO(cell)).convert("RGBA").resize((32, 32))
            white = Image.new("RGBA", picture.size, "white")
            grey = Image.alpha_composite(white, picture).convert("L")
            arrays.append(np.asarray(grey, dtype=np.float32) / 255)
        else:
            arrays.append(np.asarray(cell, dtype=np.float32))
    return np.stack(arrays) if arrays else np.zeros((0, 1), dtype=np.float32)


def _flat(pixels: np.ndarray) -> np.ndarray:
    return pixels.reshape(len(pixels), math.prod(pixels.shape[1:])).astype(np.float32, copy=False)


def _nearest_difference(
    pictures: np.ndarray, others: np.ndarray, threshold: float, block: int = 64
) -> np.ndarray:
    """Return for each picture (n, pixels) its smallest mean absolute difference to the others.

    Exact up to the threshold, infinite beyond it. Sums over runs of 16 pixels come first: their
    difference never exceeds that of the pixels, so most pairs need no closer look.
    """
    found = np.full(len(pictures), np.inf)
    if not len(pictures) or not len(others):
        return found
    if pictures.shape[1] != others.shape[1]:
        raise BadData(
            f"Pictures of {pictures.shape[1]} and of {others.shape[1]} pixels cannot be compared."
        )
    starts = np.arange(0, pictures.shape[1], 16)
    runs = np.add.reduceat(pictures, starts, axis=1)
    other_runs = np.add.reduceat(others, starts, axis=1)
    limit = threshold * pictures.shape[1] * (1 + 1e-5) + 1e-4  # room for rounding in the sums
    for first in range(0, len(pictures), block):
        rows = slice(first, first + block)
        bound = np.abs(runs[rows, None, :] - other_runs[None, :, :]).sum(axis=2)
        for near, other in zip(*np.nonzero(bound <= limit), strict=True):
            difference = float(np.abs(pictures[first + near] - others[other]).mean())
            found[first + near] = min(found[first + near], difference)
    return found


def _pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return true and predicted labels of one length; scores become labels."""
    true, predicted = np.asarray(y_true), np.asarray(y_pred)
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        predicted = (predicted[:, 0] > 0.5).astype(int)
    elif predicted.ndim == 2:
        predicted = predicted.argmax(axis=1)
    if true.ndim != 1 or true.shape != predicted.shape or not len(true):
        raise BadData(
            f"One label per example is needed on both sides; got shapes {true.shape} "
            f"and {np.shape(y_pred)}."
        )
    if (true.dtype.kind in "OUST") != (predicted.dtype.kind in "OUST"):
        raise BadData(
            f"Names were compared with numbers: {true[0]!r} with {predicted[0]!r}. "
            "Turn positions into names first: np.asarray(classes)[predicted]."
        )
    return true, predicted


def _positions(labels: np.ndarray, names: list[Any]) -> np.ndarray:
    position = {name: number for number, name in enumerate(names)}
    if labels.dtype.kind in "iu" and not set(labels.tolist()) <= set(names):
        position = {number: number for number in range(len(names))}
    strangers = set(labels.tolist()) - set(position)
    if strangers:
        raise BadData(
            f"Labels outside the classes: {sorted(map(str, strangers))[:5]}; "
            f"the {len(names)} classes are {names[:5]}…"
        )
    return np.array([position[label] for label in labels.tolist()], dtype=int)
