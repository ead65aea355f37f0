"""What a network has to beat.

Classes      majority, logistic, nearest, boosting
Quantities   mean, linear, boosting_regression
Series       last_value, markov
Texts        ngram
Anomalies    pca

All answer `predict(x)`; those of classes `predict_proba(x)` too, with columns as in `classes`.
"""

from models.baselines.boosted import boosting, boosting_regression
from models.baselines.classes import Baseline, logistic, majority, nearest
from models.baselines.components import Components, pca
from models.baselines.ngrams import NGram, ngram
from models.baselines.quantities import Regression, linear, mean
from models.baselines.series import LastValue, Markov, last_value, markov

__all__ = [
    "Baseline",
    "Components",
    "LastValue",
    "Markov",
    "NGram",
    "Regression",
    "boosting",
    "boosting_regression",
    "last_value",
    "linear",
    "logistic",
    "majority",
    "markov",
    "mean",
    "nearest",
    "ngram",
    "pca",
]
