"""A network of dense layers on vectors or table rows; with no hidden layer, logistic regression.

Source: Goodfellow, Bengio and Courville, Deep Learning (2016), chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models import options
from models.errors import BadOption, unknown
from models.tabular import Columns

if TYPE_CHECKING:
    import keras

HEADS = ("softmax", "sigmoid", "linear")


def build(
    inputs: int | Columns = 784,
    classes: int = 10,
    hidden: Sequence[int] = (100,),
    *,
    head: str = "softmax",
    activation: str | Callable = "relu",
    initialiser: str | Any = "he_normal",
    l2: float = 0.0,
    dropout: float = 0.0,
    norm: str | None = None,
) -> keras.Model:
    """Return an uncompiled network from vectors (batch, inputs) to scores (batch, units).

        normalise    (x − mean) / deviation, for each number of a table
        dense1       hidden[0] units
        norm1        over the batch or the layer, if asked for
        activation1
        dropout1     if asked for
        …            the same for each further hidden layer
        scores       one a class with softmax, or one with sigmoid or as it is

    Args:
        inputs: how many numbers describe one example; or the fitted columns of a table, whose
            means and variances then are constants of the network, saved with it.
        classes: how many classes a softmax head tells apart; the other heads have one unit.
        hidden: units of each hidden layer, first to last; () is logistic (or linear) regression.
        head: "softmax" for one of several classes, "sigmoid" for yes or no, "linear" for a number,
            whose targets are best brought to about mean 0 and variance 1 first.
        activation: of the hidden layers; a name Keras knows, or a function.
        initialiser: of every weight matrix; a name Keras knows, or a `keras.Initializer`.
        l2: strength of the penalty on squared weights.
        dropout: share of hidden units left out at each training step.
        norm: "batch" normalises each hidden unit over the batch, "layer" each example over the
            units of a layer, both before the activation; None does neither.

    Raises:
        BadOption: an option that cannot work.
    """
    import keras
    from keras import layers

    width = len(inputs.features) if isinstance(inputs, Columns) else options.whole("inputs", inputs)
    if head not in HEADS:
        raise unknown("head", head, HEADS)
    if isinstance(hidden, int | str):
        raise BadOption(f"hidden must be a sequence such as (100,), not {hidden!r}.")
    widths = [options.whole("a hidden layer", units) for units in hidden]
    units = options.whole("classes", classes, at_least=2) if head == "softmax" else 1
    activation = options.activation(activation)
    start = options.initialiser(initialiser)
    dropout = options.share("dropout", dropout)
    norm = options.norm("norm", norm)

    def dense(units: int, name: str, **arguments: Any) -> keras.Layer:
        return layers.Dense(
            units,
            kernel_initializer=start(),
            kernel_regularizer=options.penalty(l2),
            name=name,
            **arguments,
        )

    x = vector = keras.Input((width,), name="vector")
    if isinstance(inputs, Columns):
        mean, variance = inputs.normalisation()
        x = layers.Normalization(mean=mean, variance=variance, name="normalise")(x)
    for number, units_here in enumerate(widths, start=1):
        # The normalisation's shift takes the place of the bias.
        x = dense(units_here, f"dense{number}", use_bias=norm is None)(x)
        if norm:
            x = options.normalisation(norm, f"norm{number}")(x)
        x = layers.Activation(activation, name=f"activation{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    scores = dense(units, "scores", activation=head)(x)
    return keras.Model(vector, scores, name="classifier")
