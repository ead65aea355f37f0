"""How good generated examples are: as real as held-out ones, as varied, and not copied.

Distances are between pixels, or between features that a function gives for examples: a
classifier's last hidden layer, or `principal` components. Where labels are known, each class is
judged by itself: in one pool, samples without any form can pass for the spread of the classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd

from models import options
from models.errors import BadData, BadOption

AT_ONCE = 2**24  # distances held in memory at once
SPREAD_OF_COLLAPSE = 0.25  # of the held-out examples' spread
DUPLICATES_OF_COLLAPSE = 0.5  # of the samples

Features = Callable[[np.ndarray], Any]


def precision_recall(
    real: Any,
    generated: Any,
    *,
    k: int = 3,
    real_labels: Any = None,
    generated_labels: Any = None,
    features: Features | None = None,
) -> pd.DataFrame:
    """Return a row a class, or one row "all", with precision, recall and coverage from 0 to 1.

    Around each example lies a ball that reaches to its k-th nearest neighbour of the same set.

    - precision: the share of the samples that lie in some real example's ball: do they look real?
    - recall: the share of real examples that lie in some sample's ball: could they have been made?
    - coverage: the share of real examples whose own ball holds a sample. Noise has large balls, so
      its recall can be high; its coverage is not.

    Args:
        real: (n, …) examples that were held out from training.
        generated: as many samples; of each class as many as there are real ones, for the balls
            shrink with the number of examples.
        k: which neighbour a ball reaches to.
        real_labels: (n,) classes, given together with `generated_labels`.
        generated_labels: the classes the samples were asked for.
        features: gives (n, d) or (n, …) features for (n, …) examples; None compares pixels.

    Raises:
        BadData: sets of different sizes, or too few for k neighbours.

    Source: Kynkäänniemi et al., Improved Precision and Recall Metric for Assessing Generative
    Models (2019); coverage: Naeem et al., Reliable Fidelity and Diversity Metrics (2020).
    """
    k = options.whole("k", k)
    rows = {}
    for name, true, made in _classes(real, generated, real_labels, generated_labels, features):
        if len(true) != len(made):
            raise BadData(
                f"Class {name}: {len(true)} real examples but {len(made)} samples; balls of k "
                "neighbours can be compared between sets of one size only."
            )
        if len(true) <= k:
            raise BadData(f"Class {name} has {len(true)} examples; k={k} needs more than {k}.")
        ball_real, ball_made = _neighbour(true, k), _neighbour(made, k)
        looks_real = np.zeros(len(made), bool)
        recalled, covered = np.zeros((2, len(true)), bool)
        for start, across in _distances(made, true):  # (some samples, real)
            some = slice(start, start + len(across))
            in_real_ball = across <= ball_real
            looks_real[some] = in_real_ball.any(axis=1)
            covered |= in_real_ball.any(axis=0)
            recalled |= (across <= ball_made[some, None]).any(axis=0)
        rows[name] = [looks_real.mean(), recalled.mean(), covered.mean(), len(true)]
    columns = ["precision", "recall", "coverage", "examples"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename_axis("class")


def collapse(
    real: Any,
    generated: Any,
    *,
    real_labels: Any = None,
    generated_labels: Any = None,
    features: Features | None = None,
) -> pd.DataFrame:
    """Return a row a class, or one row "all", that tells whether the samples are all alike.

    - spread: the mean distance between two samples, in units of that between two real examples.
    - duplicates: the share of samples with another one nearer than half the distance that a real
      example typically has to its nearest neighbour.
    - collapsed: spread below 0.25, or more than half of the samples duplicates.

    Args:
        real: (n, …) examples that show how varied samples should be.
        generated: (m, …) samples, about as many.
        real_labels: (n,) classes, given together with `generated_labels`.
        generated_labels: the classes the samples were asked for.
        features: gives features for examples; None compares pixels.
    """
    rows = {}
    for name, true, made in _classes(real, generated, real_labels, generated_labels, features):
        if min(len(true), len(made)) < 2:
            raise BadData(f"Class {name}: two real examples and two samples are the least.")
        spread = _spread(made) / max(_spread(true), np.finfo(float).tiny)
        near = np.median(_neighbour(true, 1)) / 2
        duplicates = float(np.mean(_neighbour(made, 1) < near))
        rows[name] = [spread, duplicates, bool(all_alike(spread, duplicates))]
    columns = ["spread", "duplicates", "collapsed"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.rename_axis("class")


def all_alike(spread: Any, duplicates: Any) -> Any:
    """Return whether these numbers of `collapse` are a collapse; for columns, a column."""
    return (spread < SPREAD_OF_COLLAPSE) | (duplicates > DUPLICATES_OF_COLLAPSE)


def nearest_training(
    generated: Any, x_train: Any, *, features: Features | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each sample the row of its nearest training example (n,), and how far it is (n,).

    Samples that copy are nearer to the training data than held-out examples are: compare the
    distances with those of `nearest_training(held_out, x_train)`, and look at the pairs.

    Args:
        generated: (n, …) samples.
        x_train: (m, …) what the network was trained on.
        features: gives features for examples; None compares pixels.
    """
    made, known = _features(generated, features), _features(x_train, features)
    rows, distances = [], []
    for _, across in _distances(made, known):
        rows.append(across.argmin(axis=1))
        distances.append(across.min(axis=1))
    return np.concatenate(rows), np.concatenate(distances)


def principal(examples: Any, components: int = 20) -> Features:
    """Return a function that gives the principal components (n, components) of examples.

    Args:
        examples: (n, …) real ones, whose mean and main directions are taken.
        components: how many directions; at most as many as there are examples or pixels.
    """
    vectors = _features(examples, None)
    components = options.whole("components", components)
    if components > min(vectors.shape):
        raise BadOption(
            f"components must be at most {min(vectors.shape)} for {len(vectors)} examples of "
            f"{vectors.shape[1]} numbers, not {components}."
        )
    mean = vectors.mean(axis=0)
    directions = np.linalg.svd(vectors - mean, full_matrices=False)[2][:components]
    return lambda examples: (_features(examples, None) - mean) @ directions.T


def _features(examples: Any, features: Features | None) -> np.ndarray:
    """Return examples, or their features, as vectors (n, d) of float64."""
    given = np.asarray(examples)
    if not given.ndim or not len(given):
        raise BadData(f"There are no examples to compare: shape {given.shape}.")
    given = np.asarray(features(given)) if features else given
    vectors = given.reshape(len(given), -1).astype(float)
    if not np.isfinite(vectors).all():
        raise BadData(
            f"{int((~np.isfinite(vectors)).sum())} values to compare are NaN or infinite."
        )
    return vectors


def _classes(
    real: Any, generated: Any, real_labels: Any, generated_labels: Any, features: Features | None
) -> Iterator[tuple[Any, np.ndarray, np.ndarray]]:
    """Yield name, real vectors and generated vectors of each class."""
    true, made = _features(real, features), _features(generated, features)
    if true.shape[1] != made.shape[1]:
        raise BadData(f"Real examples have {true.shape[1]} numbers, samples {made.shape[1]}.")
    if real_labels is None and generated_labels is None:
        yield "all", true, made
        return
    if real_labels is None or generated_labels is None:
        raise BadData("Classes need real_labels and generated_labels; only one was given.")
    labels_true, labels_made = np.asarray(real_labels), np.asarray(generated_labels)
    if labels_true.shape != (len(true),) or labels_made.shape != (len(made),):
        raise BadData(
            f"Labels must be one for each example; got shapes {labels_true.shape} for {len(true)} "
            f"real ones and {labels_made.shape} for {len(made)} samples."
        )
    for name in np.union1d(labels_true, labels_made):
        yield name, true[labels_true == name], made[labels_made == name]


def _distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield a first row of `a`, and the distances (some rows, len(b)) from it and the next ones."""
    rows = max(1, AT_ONCE // len(b))
    lengths = np.square(b).sum(axis=1)
    for start in range(0, len(a), rows):
        part = a[start : start + rows]
        squares = np.square(part).sum(axis=1)[:, None] + lengths - 2 * part @ b.T
        yield start, np.sqrt(np.maximum(squares, 0))


def _neighbour(vectors: np.ndarray, k: int) -> np.ndarray:
    """Return each vector's distance to its k-th nearest neighbour among the others."""
    found = []
    for start, across in _distances(vectors, vectors):
        rows = np.arange(len(across))
        across[rows, start + rows] = np.inf  # itself
        found.append(np.partition(across, k - 1, axis=1)[:, k - 1])
    return np.concatenate(found)


def _spread(vectors: np.ndarray) -> float:
    """Return the mean distance between two of the vectors."""
    pairs = len(vectors) * (len(vectors) - 1)
    return float(sum(across.sum() for _, across in _distances(vectors, vectors)) / pairs)
