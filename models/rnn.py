"""Recurrent networks: one step after another, with a state that says what the steps so far were.

A language model says after each character or word what comes next, and so can write; a classifier
reads a sequence to its end and then judges it.

Sources: Elman, Finding structure in time (1990); Graves, Generating sequences with recurrent
neural networks (2013); Karpathy, The unreasonable effectiveness of recurrent neural networks
(2015).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from models import options
from models.errors import BadData, BadOption, unknown
from models.tokens import UNKNOWN, Vocabulary

if TYPE_CHECKING:
    import keras

TASKS = ("language", "classifier")
CELLS = ("gru", "lstm")
HEADS = ("softmax", "sigmoid", "linear")


def build(
    task: str = "language",
    *,
    vocabulary: int | Vocabulary = 64,
    features: int | None = None,
    classes: int | None = None,
    steps: int | None = None,
    units: Sequence[int] = (128,),
    cell: str = "gru",
    embedding: int = 64,
    bidirectional: bool = False,
    head: str = "softmax",
    activation: str | Callable = "tanh",
    initialiser: str | Any = "glorot_uniform",
    recurrent_initialiser: str | Any = "orthogonal",
    l2: float = 0.0,
    dropout: float = 0.0,
    norm: str | None = None,
    mask: bool = False,
) -> keras.Model:
    """Return an uncompiled network from sequences to scores, after each step or at the end.

                    language model                    classifier
        input       ids (batch, steps)                ids, or sequence (batch, steps, features)
        embedding   (batch, steps, embedding)         the same, for ids
        gru1        units[0], after every step        the same; the last layer after the last step
        norm1       over the units, if asked for
        dropout1    if asked for
        …           the same for each further number of units; lstm1, … for cell="lstm"
        scores      softmax over the vocabulary,      softmax over the classes, or one sigmoid
                    (batch, steps, vocabulary)        or linear unit: (batch, classes) or (batch, 1)

    Sequences of unequal length are brought to one: `Vocabulary.windows` cuts equal pieces for a
    language model, `Vocabulary.rows` puts zeros in front of short texts for a classifier, which
    learns that they say nothing. With `mask` they are skipped instead. That is exact, but trains
    at half the speed, and the network cannot be run in a reader's browser.

    Args:
        task: "language" or "classifier".
        vocabulary: how many ids there are, or the vocabulary that made them.
        features: numbers that describe one step, for a classifier of sequences that are not ids,
            such as measurements; bring them to about mean 0 and variance 1.
        classes: how many classes a classifier's softmax tells apart.
        steps: the length of every sequence; None takes any, if equal within a batch.
        units: size of the state of each recurrent layer, first to last.
        cell: "gru", or "lstm", which has a third more weights and remembers for longer.
        embedding: numbers that stand for one id.
        bidirectional: read from the end, too; for a classifier only, as a language model would
            see what it is to predict. Doubles what the layer gives.
        head: of a classifier: "softmax" for one of several classes, "sigmoid" for yes or no,
            "linear" for a number.
        activation: of what enters the state; others than "tanh" train at half the speed.
        initialiser: of the weights on inputs; a name Keras knows, or a `keras.Initializer`.
        recurrent_initialiser: of the weights on the state; "orthogonal" keeps its length.
        l2: strength of the penalty on squared weights, biases and embedding left out.
        dropout: share of each recurrent layer's outputs left out at each training step; what goes
            on within a layer from step to step stays whole (Zaremba, Sutskever and Vinyals,
            Recurrent neural network regularization, 2014).
        norm: "layer" normalises what each recurrent layer gives, over its units.
        mask: skip steps whose id is 0; for a classifier of ids.

    Raises:
        BadOption: an option that cannot work.
    """
    import keras
    from keras import layers

    from models import rnn_layers

    _check_task(task, features, classes, head, bidirectional, mask)
    size = len(vocabulary) if isinstance(vocabulary, Vocabulary) else vocabulary
    size = options.whole("vocabulary", size, at_least=2)
    if task == "language":
        outputs = size
    else:
        outputs = options.whole("classes", classes, at_least=2) if head == "softmax" else 1
    if isinstance(units, int | str) or not units:
        raise BadOption(f"units must be a sequence such as (128,), not {units!r}.")
    widths = [options.whole("a layer's units", width) for width in units]
    if steps is not None:
        steps = options.whole("steps", steps)
    if cell not in CELLS:
        raise unknown("cell", cell, CELLS)
    if norm == "batch":
        raise BadOption(
            "norm='batch' would mix the steps of one sequence, whose number varies; use 'layer'."
        )
    if norm not in (None, "layer"):
        raise unknown("norm", norm, ("layer",))
    activation = options.activation(activation)
    start = options.initialiser(initialiser)
    recurrent_start = options.initialiser(recurrent_initialiser)
    dropout = options.share("dropout", dropout)
    recurrent = {"gru": rnn_layers.GRU, "lstm": rnn_layers.LSTM}[cell]

    if features is None:
        x = inputs = keras.Input((steps,), dtype="int32", name="ids")
        width = options.whole("embedding", embedding)
        x = layers.Embedding(size, width, mask_zero=mask, name="embedding")(x)
    else:
        width = options.whole("features", features)
        x = inputs = keras.Input((steps, width), name="sequence")
    for number, width in enumerate(widths, start=1):
        layer = recurrent(
            width,
            activation=activation,
            kernel_initializer=start(),
            recurrent_initializer=recurrent_start(),
            kernel_regularizer=options.penalty(l2),
            recurrent_regularizer=options.penalty(l2),
            return_sequences=task == "language" or number < len(widths),
            name=f"{cell}{number}",
        )
        x = layers.Bidirectional(layer, name=layer.name)(x) if bidirectional else layer(x)
        if norm:
            x = layers.LayerNormalization(name=f"norm{number}")(x)
        if dropout:
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    scores = layers.Dense(
        outputs,
        activation=head,
        kernel_initializer=start(),
        kernel_regularizer=options.penalty(l2),
        name="scores",
    )(x)
    return keras.Model(inputs, scores, name="rnn")


def _check_task(
    task: str,
    features: int | None,
    classes: int | None,
    head: str,
    bidirectional: bool,
    mask: bool,
) -> None:
    """Raise for options that do not go with the task."""
    if task not in TASKS:
        raise unknown("task", task, TASKS)
    if head not in HEADS:
        raise unknown("head", head, HEADS)
    if task == "classifier":
        if head == "softmax" and classes is None:
            raise BadOption("A classifier with a softmax head needs its number of classes.")
        if mask and features is not None:
            raise BadOption("mask skips steps whose id is 0; with features there are no ids.")
        return
    if bidirectional:
        raise BadOption(
            "A language model cannot be bidirectional: reading from the end, it would see the "
            "symbols it is to predict, and could not write. Use task='classifier' or leave it out."
        )
    for name, given in (("features", features), ("classes", classes)):
        if given is not None:
            raise BadOption(
                f"{name}={given!r} is for task='classifier'; a language model reads ids and gives "
                "a probability for each of its vocabulary."
            )
    if head != "softmax":
        raise BadOption(f"A language model's head is 'softmax', not {head!r}.")
    if mask:
        raise BadOption("mask is for task='classifier'; windows of text have nothing to skip.")


def one_step(model: keras.Model) -> keras.Model:
    """Return a network that does one step of a language model, its states in and out.

    It takes [ids (batch, 1), states…] and gives [probabilities (batch, vocabulary), states…]. A
    GRU layer has one state (batch, units), an LSTM layer two, output and cell; a text begins with
    zeros. What was read need not be read again for each further symbol.

    The weights are copied: make it anew after further training.

    Raises:
        BadOption: not a language model from `build`.
    """
    import keras

    if not _is_language_model(model):
        raise BadOption(
            f"One step can be taken by a language model, as rnn.build('language') gives, not by "
            f"{model.name!r} from {model.input_shape} to {model.output_shape}."
        )
    x = ids = keras.Input((1,), dtype="int32", name="ids")
    before, after = [], []
    for layer in model.layers[1:]:
        if isinstance(layer, keras.layers.RNN):
            states = [
                keras.Input((size,), name=f"{layer.name}_state{number}")
                for number, size in enumerate(keras.tree.flatten(layer.cell.state_size), start=1)
            ]
            copy = type(layer).from_config(layer.get_config() | {"return_state": True})
            x, *states_after = copy(x, initial_state=states)
            before, after = [*before, *states], [*after, *states_after]
        else:
            copy = type(layer).from_config(layer.get_config())
            x = copy(x)
        copy.set_weights(layer.get_weights())
    x = keras.layers.Reshape((model.output_shape[-1],), name="probabilities")(x)
    return keras.Model([ids, *before], [x, *after], name="rnn_step")


def _is_language_model(model: keras.Model) -> bool:
    import keras

    recurrent = [layer for layer in model.layers if isinstance(layer, keras.layers.RNN)]
    return (
        len(model.inputs) == len(model.outputs) == 1
        and isinstance(model.layers[1], keras.layers.Embedding)
        and bool(recurrent)
        and all(layer.return_sequences for layer in recurrent)
        and len(model.output_shape) == 3
    )


def generate(
    model: keras.Model,
    vocabulary: Vocabulary,
    length: int = 200,
    *,
    prompt: str = "",
    temperature: float = 1.0,
    top_k: int | None = None,
    stop: str | None = None,
    seed: int,
) -> str:
    """Return a text of the prompt and up to `length` more characters or words, drawn one by one.

    An unknown symbol is read if the prompt has one, and never written.

    Args:
        model: a trained language model, or its `one_step`, which spares making it each time.
        vocabulary: the one whose ids the model was trained on.
        length: how many symbols to draw.
        prompt: how the text begins; "" begins after an unknown symbol.
        temperature: p ^ (1 / temperature) is drawn from: below 1 the likely becomes likelier,
            above 1 all become more alike; 0 takes the likeliest each time.
        top_k: draw among this many likeliest only; None among all.
        stop: the text ends before this, once it is drawn.
        seed: the same seed gives the same text.

    Raises:
        BadData: the vocabulary is not of the model's size.
        BadOption: an option that cannot work, or not a language model.
    """
    length = options.whole("length", length, at_least=0)
    seed = options.whole("seed", seed, at_least=0)
    if top_k is not None:
        top_k = options.whole("top_k", top_k)
    number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if not number or not 0 <= temperature < math.inf:
        raise BadOption(f"temperature must be a number from 0 up, not {temperature!r}.")
    if stop is not None and (not isinstance(stop, str) or not stop):
        raise BadOption(f"stop must be a text such as '\\n', or None, not {stop!r}.")
    step = model if len(model.inputs) > 1 else one_step(model)
    if step.outputs[0].shape[-1] != len(vocabulary):
        raise BadData(
            f"The network tells {step.outputs[0].shape[-1]} ids apart, the vocabulary has "
            f"{len(vocabulary)}: it is not the one the network was trained with."
        )
    chance = np.random.default_rng(seed)
    states = [np.zeros((1, state.shape[-1]), np.float32) for state in step.inputs[1:]]
    drawn: list[int] = []
    unread = [*vocabulary.encode(prompt)] or [UNKNOWN]
    while len(drawn) < length:
        for code in unread:
            probabilities, *states = step.predict_on_batch([np.array([[code]], np.int32), *states])
        drawn.append(_draw(probabilities[0], temperature, top_k, chance))
        unread = drawn[-1:]
        if stop is not None and stop in vocabulary.decode(drawn[-len(stop) :]):
            break
    text = vocabulary.decode(drawn)
    if stop is not None:
        text = text.partition(stop)[0]
    between = " " if vocabulary.unit == "word" and prompt and text else ""
    return f"{prompt}{between}{text}"


def _draw(
    probabilities: np.ndarray, temperature: float, top_k: int | None, chance: np.random.Generator
) -> int:
    """Return a number drawn from probabilities (vocabulary,), never that of the unknown."""
    likely = probabilities[UNKNOWN + 1 :].astype(np.float64)
    if not likely.any():
        likely[:] = 1  # the network is certain of an unknown symbol, and says nothing of the rest
    if temperature == 0:
        return int(likely.argmax()) + UNKNOWN + 1
    if top_k is not None and top_k < len(likely):
        # Ties are broken by position, so that no more than k remain.
        likely[np.argsort(-likely, kind="stable")[top_k:]] = 0
    with np.errstate(divide="ignore"):
        logs = np.log(likely)
    weights = np.exp((logs - logs.max()) / temperature)
    return int(chance.choice(len(weights), p=weights / weights.sum())) + UNKNOWN + 1
