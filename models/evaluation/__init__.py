"""How good a model is, how sure one can be of it, and whether the test was a fair one.

How good    accuracy, balanced_accuracy, f1, confusion; auc, average_precision; brier, log_loss,
            calibration; mean_squared_error, mean_absolute_error, r2; bits_per_character;
            scores (all that apply); by_group (one of them, group by group)
How sure    interval over seeds, bootstrap over examples, proportion; compare_seeds,
            compare_examples, mcnemar, holm
How fair    split_rows; duplicate_pictures, duplicate_texts and what drops them; leakage
"""

from models.evaluation.comparison import compare_examples, compare_seeds, holm, mcnemar
from models.evaluation.decisions import accuracy, balanced_accuracy, confusion, f1
from models.evaluation.guards import leakage
from models.evaluation.intervals import bootstrap, interval, proportion
from models.evaluation.pictures import drop_duplicates_across, duplicate_pictures
from models.evaluation.probabilities import (
    bits_per_character,
    brier,
    calibration,
    calibration_error,
    log_loss,
)
from models.evaluation.quantities import mean_absolute_error, mean_squared_error, r2
from models.evaluation.ranking import auc, average_precision
from models.evaluation.size import parameters
from models.evaluation.splits import split_rows
from models.evaluation.summary import by_group, scores
from models.evaluation.texts import drop_duplicate_texts, duplicate_texts

__all__ = [
    "accuracy",
    "auc",
    "average_precision",
    "balanced_accuracy",
    "bits_per_character",
    "bootstrap",
    "brier",
    "by_group",
    "calibration",
    "calibration_error",
    "compare_examples",
    "compare_seeds",
    "confusion",
    "drop_duplicate_texts",
    "drop_duplicates_across",
    "duplicate_pictures",
    "duplicate_texts",
    "f1",
    "holm",
    "interval",
    "leakage",
    "log_loss",
    "mcnemar",
    "mean_absolute_error",
    "mean_squared_error",
    "parameters",
    "proportion",
    "r2",
    "scores",
    "split_rows",
]
