"""How good probabilities are: do they say what happens, and as often as they say?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from models import options
from models.errors import BadData
from models.evaluation import answers
from models.evaluation.intervals import wilson

LEAST = np.finfo(np.float64).eps  # what a probability of 0 counts as where a logarithm is taken


def brier(y_true: Any, y_prob: Any, classes: Sequence[Any] | None = None) -> float:
    """Return the Brier score: the mean squared error of probabilities; 0 is best.

    Of two classes, that of the yes (0 to 1, always saying ½ gives ¼); of more, summed over the
    classes (0 to 2).

    Args:
        y_true: (n,) labels: members of `classes`, or positions in it (0 and 1 for no and yes).
        y_prob: (n, classes) probabilities that add up to 1; or (n, 1) or (n,) of a yes.
        classes: the names, in the order of the columns; of two the second is the yes.

    Source: Brier, Verification of forecasts expressed in terms of probability, Monthly Weather
    Review 78 (1950).
    """
    from sklearn.metrics import brier_score_loss

    codes, probabilities, names = answers.probable(y_true, y_prob, classes)
    if len(names) == 2:
        return float(brier_score_loss(codes, probabilities[:, 1], pos_label=1))
    return float(brier_score_loss(codes, probabilities, labels=np.arange(len(names))))


def log_loss(y_true: Any, y_prob: Any, classes: Sequence[Any] | None = None) -> float:
    """Return the mean of -ln p, p being the probability given to what was true; in nats.

    The cross-entropy that training lowers. A probability of 0 counts as 2.2e-16. Arguments as
    for `brier`.
    """
    from sklearn.metrics import log_loss as cross_entropy

    codes, probabilities, names = answers.probable(y_true, y_prob, classes)
    return float(cross_entropy(codes, probabilities, labels=np.arange(len(names))))


def calibration(
    y_true: Any, y_prob: Any, classes: Sequence[Any] | None = None, *, bins: int = 10
) -> pd.DataFrame:
    """Return how often what was said with a certain probability came true; a row for each bin.

    Of two classes, what was said is the yes; of more, the class thought most probable. Bins are
    equally wide; empty ones are left out.

    Args:
        y_true: as for `brier`, like y_prob and classes.
        y_prob: probabilities.
        classes: the names.
        bins: how many from 0 to 1.

    Returns:
        Columns predicted (mean probability), observed (share that came true), low and high (its
        95 % Wilson interval), n (examples).

    Source: Guo et al., On calibration of modern neural networks, ICML 2017.
    """
    bins = options.whole("bins", bins)
    codes, probabilities, names = answers.probable(y_true, y_prob, classes)
    if len(names) == 2:
        said, came_true = probabilities[:, 1], codes == 1
    else:
        said, came_true = probabilities.max(axis=1), codes == probabilities.argmax(axis=1)
    of_example = np.minimum((said * bins).astype(int), bins - 1)  # 1 belongs to the last bin
    n = np.bincount(of_example, minlength=bins)
    filled = n > 0
    n = n[filled]
    predicted = np.bincount(of_example, said, minlength=bins)[filled] / n
    right = np.bincount(of_example, came_true, minlength=bins)[filled]
    low, high = wilson(right, n)
    return pd.DataFrame(
        {"predicted": predicted, "observed": right / n, "low": low, "high": high, "n": n}
    )


def calibration_error(
    y_true: Any, y_prob: Any, classes: Sequence[Any] | None = None, *, bins: int = 10
) -> float:
    """Return the expected calibration error: the bins' |observed - predicted|, mean over examples.

    0 says that probabilities can be taken at their word. Few examples raise it by chance alone.
    Arguments as for `calibration`.
    """
    table = calibration(y_true, y_prob, classes, bins=bins)
    gaps = (table["observed"] - table["predicted"]).abs()
    return float((gaps * table["n"]).sum() / table["n"].sum())


def bits_per_character(y_true: Any, y_prob: Any, *, characters: int | None = None) -> float:
    """Return how many bits a language model needs for each character: the mean of -log2 p.

    Args:
        y_true: (…) positions in the vocabulary: (n,), or (n, steps) for sequences.
        y_prob: (…, vocabulary) probabilities of what comes next.
        characters: how many characters the text has; None if every position is one. A model of
            words is compared with one of characters by the characters of the same text.

    A probability of 0 counts as 2.2e-16.
    """
    true, given = np.asarray(y_true), np.asarray(y_prob)
    if given.ndim < 2 or given.shape[:-1] != true.shape:
        raise BadData(
            "Probabilities of what comes next must be (…, vocabulary) for positions (…); got "
            f"shapes {given.shape} and {true.shape}."
        )
    if given.shape[-1] < 2:
        raise BadData("A vocabulary has at least 2 members; got probabilities of 1.")
    codes, probabilities, _ = answers.probable(true.ravel(), given.reshape(true.size, -1), None)
    said = probabilities[np.arange(len(codes)), codes]
    bits = -np.log2(np.maximum(said, LEAST)).sum()
    return float(
        bits / (len(codes) if characters is None else options.whole("characters", characters))
    )
