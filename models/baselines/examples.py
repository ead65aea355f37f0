"""What baselines are fitted on, brought into one form, or refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from models.errors import BadData, BadOption


def vectors(x: Any) -> np.ndarray:
    """Return examples (n, …) as vectors (n, features)."""
    array = np.asarray(x)
    if array.ndim < 2:
        raise BadData(f"Examples must be (n, …) numbers; got shape {array.shape}.")
    return array.reshape(len(array), math.prod(array.shape[1:]))


def labels(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes in sorted order, and each label's position among them, (n,)."""
    array = np.asarray(y)
    if array.ndim != 1 or not len(array):
        raise BadData(f"Labels must be one per example, shape (n,); got shape {array.shape}.")
    return np.unique(array, return_inverse=True)


def quantities(y: Any) -> np.ndarray:
    """Return quantities (n,) or (n, outputs) as floats; (n, 1) becomes (n,)."""
    array = np.asarray(y, dtype=np.float64)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or not len(array):
        raise BadData(f"Quantities must be (n,) or (n, outputs); got shape {np.shape(y)}.")
    if not np.isfinite(array).all():
        raise BadData("The quantities to predict hold NaN or infinite values.")
    return array


def training(x: Any, y: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vectors, classes and positions of a training set."""
    rows, (classes, codes) = vectors(x), labels(y)
    matched(len(rows), len(codes), "labels")
    finite(rows)
    return rows, classes, codes


def matched(examples: int, answers: int, called: str) -> None:
    """Refuse examples that do not come with one answer each."""
    if examples != answers:
        raise BadData(f"{examples} examples came with {answers} {called}.")


def finite(x: np.ndarray) -> None:
    """Refuse training examples with NaN."""
    if not np.isfinite(x).all():
        raise BadData("The training examples hold NaN or infinite values.")


def strengths(l2: float | Sequence[float]) -> list[float]:
    """Return the strengths of the penalty to choose among."""
    found = list(l2) if isinstance(l2, Sequence) else [l2]
    if not found or min(found) <= 0:
        raise BadOption(f"l2 must be a number above 0, or several, not {l2!r}.")
    return found
