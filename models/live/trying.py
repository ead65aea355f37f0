"""Networks that are asked something: a drawing, a row of a table, the beginning of a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from models import cells, options
from models.backprop import Worked, worked
from models.errors import BadData, BadOption, unknown
from models.live.golden import GOLDEN, export
from models.live.graph import check
from models.live.result import (
    Live,
    answer_kind,
    class_names,
    joined,
    one_of,
    picture_size,
    shares,
    sheet,
    some,
)
from models.scratch import Network
from models.tabular import Columns
from models.tokens import UNKNOWN, Vocabulary

CENTRES = ("box", "mass", "none")
SHOWN = 8  # examples in the page without JavaScript
FOLLOWED = 20  # steps of a text that golden examples are taken from
LAYERS_BY_HAND, UNITS_BY_HAND = 3, 4


def draw(
    model: Any,
    classes: Sequence[Any],
    examples: Any,
    labels: Sequence[Any] | None = None,
    *,
    centre: str = "box",
    margin: float = 0.1,
    stroke: float = 0.07,
    background: float | None = None,
    ink: float | None = None,
    top: int = 5,
    size: Sequence[int] | None = None,
    precision: str = "float32",
) -> Live:
    """Return a classifier of pictures, to be tried by drawing one.

    Args:
        model: a network with one output a class.
        classes: their names, in the order of the outputs.
        examples: held-out pictures (n, …) as the network takes them, at least three; the first
            eight are shown, or with labels the first of each class.
        labels: what each example is, one of `classes` or its number.
        centre: how training pictures lie in their frame, so that a drawing can be put alike:
            "box", their bounding box in the middle; "mass", their centre of mass there; "none".
        margin: share of the side that is left free around a drawing.
        stroke: width of the pen, as a share of the side.
        background, ink: values of an empty and of a drawn pixel; None takes them from the edges
            and the extremes of the examples.
        top: how many answers are shown.
        size: height and width, where the network takes pictures as vectors.
        precision: as for `export`.

    Raises:
        BadOption, BadData: as for `export`; classes, labels or a size that do not fit.
    """
    model, names = one_of(model), class_names(classes)
    told = _told(labels, names, len(examples))
    chosen = _varied(told or [""] * len(examples))
    pictures = some(examples, len(examples), "examples")[chosen]
    told = told and [told[number] for number in chosen]
    height, width, channels = picture_size(pictures.shape[1:], size)
    given = pictures.reshape(len(pictures), -1) if isinstance(model, Network) else pictures
    exported = export(model, examples=given, precision=precision)
    kind = answer_kind(model, exported.answers[0].shape[-1], names)
    if kind == "probability":
        raise BadOption("A drawing is judged by one output a class: head='softmax' has them.")
    if centre not in CENTRES:
        raise unknown("centre", centre, CENTRES)
    frame = pictures.reshape(-1, height, width, channels)
    low, high = float(frame.min()), float(frame.max())
    if background is None:
        edges = (frame[:, 0], frame[:, -1], frame[:, :, 0], frame[:, :, -1])
        background = float(np.median(np.concatenate([edge.ravel() for edge in edges])))
    if ink is None:
        ink = low if background - low > high - background else high
    widget = {
        "kind": "draw",
        "size": [height, width],
        "channels": channels,
        "background": float(background),
        "ink": float(ink),
        "range": [low, high],
        "centre": centre,
        "margin": options.share("margin", margin),
        "stroke": options.share("stroke", stroke),
        "classes": names,
        "answer": kind,
        "top": min(options.whole("top", top), len(names)),
        "examples": told and told[:GOLDEN],
    }
    found = shares(kind, exported.answers[0])
    table = _ranking(found, names, min(3, len(names)), "picture")
    if told:
        table.insert(0, "label", told)
    alt = f"{len(pictures)} pictures and what the network takes them for, out of {len(names)}."
    # Where all pixels are alike there is nothing to stretch.
    picture = sheet(frame, (height, width, channels), (low, max(high, low + 1e-6)), len(frame))
    return joined(exported, widget, table, alt, picture)


def _told(labels: Any, names: list[str], count: int) -> list[str] | None:
    """Return labels as names of classes."""
    if labels is None:
        return None
    found = [
        names[int(label)]
        if isinstance(label, int | np.integer) and 0 <= label < len(names)
        else str(label)
        for label in labels
    ]
    if len(found) != count:
        raise BadData(f"There are {count} examples and {len(found)} labels.")
    for label in found:
        if label not in names:
            raise unknown("label", label, names)
    return found


def _varied(labels: Sequence[str]) -> list[int]:
    """Return which examples to show: the first of each label, then the second, and so on."""
    met: Counter[str] = Counter()
    turns = []
    for label in labels:
        turns.append(met[label])
        met[label] += 1
    return sorted(range(len(turns)), key=lambda number: turns[number])[:SHOWN]


def _ranking(found: np.ndarray, names: list[str], top: int, index: str) -> pd.DataFrame:
    """Return the likeliest classes of each example with their shares, as text."""
    order = np.argsort(-found, axis=1, kind="stable")[:, :top]
    columns = {
        f"answer {place + 1}": [
            f"{names[row[place]]} ({found[number, row[place]]:.1%})"
            for number, row in enumerate(order)
        ]
        for place in range(top)
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, len(found) + 1, name=index))


def form(
    model: Any,
    columns: Columns,
    rows: pd.DataFrame,
    classes: Sequence[Any] | None = None,
    *,
    asked: str | None = None,
    unit: str = "",
    scale: tuple[float, float] | None = None,
    labels: Mapping[str, str] | None = None,
    units: Mapping[str, str] | None = None,
    steps: Mapping[str, float] | None = None,
    precision: str = "float32",
) -> Live:
    """Return a network for the rows of a table, to be tried by filling in a form.

    Args:
        model: a network that takes `columns.matrix(rows)`.
        columns: what training told about the columns, from `tabular.columns`.
        rows: held-out rows, at least three; the first three can be loaded into the form.
        classes: names of the classes in the order of the outputs, two for one sigmoid; None for a
            network that gives a number.
        asked: what the answer is called: of two classes judged by one sigmoid, the one that the
            probability is of (None takes the second); of a number, what it is.
        unit: what a number is measured in.
        scale: mean and deviation of the target if it was normalised for training.
        labels, units, steps: for columns by name: what to call them, what they are measured in,
            and by how much a number is to move.
        precision: as for `export`.

    Raises:
        BadOption, BadData: as for `export`; columns or classes that do not fit.
    """
    model = one_of(model)
    if not isinstance(columns, Columns):
        raise BadOption(
            f"columns must come from tabular.columns(…), not be a {type(columns).__name__}."
        )
    shown = rows.head(SHOWN)
    matrix = columns.matrix(shown)
    exported = export(model, examples=matrix, precision=precision, scale=scale)
    outputs = exported.answers[0]
    fields = columns.fields()
    for option, given in (("label", labels), ("unit", units), ("step", steps)):
        for name, value in (given or {}).items():
            field = next((field for field in fields if field["name"] == name), None)
            if field is None:
                raise unknown("column", name, [field["name"] for field in fields])
            field[option] = float(value) if option == "step" else str(value)
    names = None if classes is None else class_names(classes)
    kind = "number"
    if names is not None:
        kind = answer_kind(model, outputs.shape[-1], names)
        if scale is not None:
            raise BadOption("scale is for a network that gives a number, not for classes.")
    elif outputs.shape[-1] != 1:
        raise BadOption(f"The network gives {outputs.shape[-1]} numbers; name its classes.")
    told = {field["name"]: _plain(shown, field) for field in fields}
    widget = {
        "kind": "form",
        "fields": fields,
        "width": matrix.shape[1],
        "classes": names,
        "answer": kind,
        "asked": asked or (names[1] if names and kind == "probability" else None),
        "unit": unit,
        "examples": [{name: values[row] for name, values in told.items()} for row in range(GOLDEN)],
    }
    index = pd.RangeIndex(1, len(shown) + 1, name="row")
    table = pd.DataFrame(told, index=index, dtype=object)
    answer = (names is None and asked) or "answer"
    while answer in table:
        answer = f"{answer} of the network"
    if names is None:
        table[f"{answer} ({unit})" if unit else answer] = outputs[:, 0].astype(float)
    else:
        table[answer] = _ranking(shares(kind, outputs), names, 1, "row")["answer 1"].to_numpy()
    return joined(exported, widget, table, f"{len(table)} rows and the network's answers to them.")


def _plain(rows: pd.DataFrame, field: Mapping[str, Any]) -> list[Any]:
    """Return a column as the form has it: numbers, names, yes and no; None for what is missing."""
    if field["kind"] == "category":
        codes, names, _ = cells.labels(rows, field["name"])
        return [names[code] if code >= 0 else None for code in codes]
    plain = {cells.YES_NO: bool, "whole number": _whole}.get(field["kind"], float)
    values = cells.numbers(rows, field["name"])
    return [None if np.isnan(value) else plain(value) for value in values]


def _whole(value: float) -> float:
    """Return 3 for 3.0; a held-out row may hold 3.5 where training knew whole numbers only."""
    return int(value) if float(value).is_integer() else float(value)


def prompt(
    model: Any,
    vocabulary: Vocabulary,
    prompt: str = "",
    *,
    length: int = 200,
    temperature: float = 0.8,
    stop: str | None = None,
    seed: int = 0,
    precision: str = "float32",
) -> Live:
    """Return a language model, to be tried by letting it write on.

    Args:
        model: from `rnn.build("language")`, or its `rnn.one_step`.
        vocabulary: the one it was trained with.
        prompt: how a text begins, unless the reader writes something else.
        length: how many symbols are written at most.
        temperature: what the reader begins with, above 0.
        stop: the text ends before this.
        seed: of the texts that stand in the page without JavaScript.
        precision: as for `export`.

    Raises:
        BadOption, BadData: as for `export` and `rnn.generate`.
    """
    from models import rnn

    model = one_of(model)
    check(model)
    step = model if len(model.inputs) > 1 else rnn.one_step(model)
    if not isinstance(temperature, int | float) or temperature <= 0:
        raise BadOption(f"temperature must be above 0 for a reader to move, not {temperature!r}.")
    lower = max(round(float(temperature) / 2, 2), 0.01)
    texts = {
        each: rnn.generate(
            step, vocabulary, length, prompt=prompt, temperature=each, stop=stop, seed=seed
        )
        for each in sorted({lower, float(temperature), 1.0})
    }
    exported = export(step, examples=_read(step, vocabulary, prompt), precision=precision)
    widget = {
        "kind": "text",
        "symbols": vocabulary.symbols,
        "unit": vocabulary.unit,
        "prompt": prompt,
        "length": length,
        "temperature": float(temperature),
        "stop": stop,
        "answer": "probabilities",
    }
    index = pd.Index(list(texts), name="temperature")
    table = pd.DataFrame({"text": list(texts.values())}, index=index)
    return joined(exported, widget, table, f"What the network wrote at {len(texts)} temperatures.")


def _read(step: Any, vocabulary: Vocabulary, prompt: str) -> list[np.ndarray]:
    """Return the inputs of three of the steps in which the network reads a text."""
    codes = [UNKNOWN, *vocabulary.encode(prompt), *range(1, len(vocabulary))] * FOLLOWED
    states = [np.zeros((1, state.shape[-1]), np.float32) for state in step.inputs[1:]]
    before = []
    for code in codes[:FOLLOWED]:
        before.append([np.array([[code]], np.int32), *states])
        _, *states = step.predict_on_batch(before[-1])
    chosen = (before[0], before[FOLLOWED // 2], before[-1])
    return [np.concatenate(parts) for parts in zip(*chosen, strict=True)]


def backprop(
    network: Network | Worked,
    x: Sequence[float] | None = None,
    y: Sequence[float] | None = None,
    *,
    learning_rate: float = 0.5,
) -> Live:
    """Return a network small enough to follow, to be tried by changing a weight.

    Args:
        network: from scratch, of up to three layers (the input counts) of up to four units; or
            what `models.backprop.worked` gives, which has its own x, y and learning rate.
        x: one example's inputs.
        y: what its outputs should be.
        learning_rate: length of one step of gradient descent.

    Raises:
        BadOption: a network that is too large, or an example that does not fit.
    """
    if isinstance(network, Network):
        step = worked(
            network.sizes,
            x=x,
            y=y,
            weights=[w.T.tolist() for w in network.w],
            biases=[b.tolist() for b in network.b],
            activation=network.activation,
            head=network.head,
            cost=network.cost,
            learning_rate=learning_rate,
        )
    elif isinstance(network, Worked):
        step, network = network, _of_worked(network)
    else:
        raise BadOption(
            f"A network from models.scratch or models.backprop is needed, not "
            f"{type(network).__name__}."
        )
    sizes = list(step.sizes)
    if len(sizes) > LAYERS_BY_HAND or max(sizes) > UNITS_BY_HAND:
        raise BadOption(
            f"Up to {LAYERS_BY_HAND} layers of up to {UNITS_BY_HAND} units can be followed in a "
            f"page, not {sizes}."
        )
    inputs = [step.given[f"x_{j}"] for j in range(1, sizes[0] + 1)]
    examples = np.array([inputs, [-value for value in inputs], [0.0] * sizes[0]])
    exported = export(network, examples=examples)
    widget = {
        "kind": "backprop",
        "sizes": sizes,
        "activation": step.activation,
        "head": step.head,
        "output": step.head,
        "cost": step.cost,
        "x": inputs,
        "y": [step.given[f"y_{j}"] for j in range(1, sizes[-1] + 1)],
        "eta": step.given["eta"],
    }
    rows = {each.plain: (each.symbols, each.value) for each in step.steps}
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["formula", "number"])
    table.index.name = "value"
    alt = f"Every value of one step of backpropagation in a network of {sizes} units."
    return joined(exported, widget, table, alt)


def _of_worked(step: Worked) -> Network:
    """Return the network of a worked example, with its weights."""
    network = Network(step.sizes, activation=step.activation, head=step.head, cost=step.cost)
    for layer, (w, b) in enumerate(zip(network.w, network.b, strict=True), start=1):
        for j in range(len(b)):
            b[j] = step.given[f"b{layer}_{j + 1}"]
            for k in range(len(w)):
                w[k, j] = step.given[f"w{layer}_{j + 1}{k + 1}"]
    return network
