"""How good scores are as an order: do the right ones come first, wherever one draws the line?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from models.errors import BadData
from models.evaluation import answers


def auc(y_true: Any, y_score: Any, classes: Sequence[Any] | None = None) -> float:
    """Return the area under the ROC curve: how often a yes scores higher than a no.

    0.5 is chance, 1 a perfect order. With more than two classes, each against all others,
    averaged over the classes that occur in `y_true`.

    Args:
        y_true: (n,) labels: members of `classes`, or positions in it (0 and 1 for no and yes).
        y_score: (n, classes) scores; or (n, 1) or (n,), scores of a yes. Any numbers will do,
            anomaly scores too: only their order counts.
        classes: the names, in the order of the columns; of two the second is the yes.

    Raises:
        BadData: only one class occurs, so there is nothing to tell apart; NaN; wrong shapes.

    Source: Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27 (2006).
    """
    from sklearn.metrics import roc_auc_score

    return _against_the_rest(roc_auc_score, "AUC", y_true, y_score, classes)


def average_precision(y_true: Any, y_score: Any, classes: Sequence[Any] | None = None) -> float:
    """Return average precision: the area under the curve of precision over recall.

    Chance gives the share of a yes, so it tells more than AUC when a yes is rare. Arguments,
    errors and more than two classes as for `auc`.
    """
    from sklearn.metrics import average_precision_score

    return _against_the_rest(average_precision_score, "Average precision", y_true, y_score, classes)


def _against_the_rest(
    metric: Callable[..., Any],
    called: str,
    y_true: Any,
    y_score: Any,
    classes: Sequence[Any] | None,
) -> float:
    codes, scores, names = answers.scored(y_true, y_score, classes)
    occurring = np.unique(codes)
    if len(occurring) == 1:
        raise BadData(
            f"{called} compares classes, and all {len(codes)} examples are of "
            f"{names[occurring[0]]!r}."
        )
    if len(names) == 2:
        occurring = np.array([1])
    return float(np.mean([metric(codes == code, scores[:, code]) for code in occurring]))
