"""The file in which a person answers an exercise: written blank, read back filled in.

CSV with the columns number, name, answer. It begins with what is given, so that it can be checked
without the sheet; it never holds a solution. It may come back from a spreadsheet: with semicolons
or tabs, with quotes, with decimal commas, with a byte order mark.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from models.backprop import example
from models.backprop.derivation import b, to, w
from models.backprop.example import Worked
from models.backprop.exercise import read_number
from models.errors import BadData, BadOption

SETTINGS = ("activation", "head", "cost")
HEADER = "number,name,answer"


def template(worked: Worked, blanks: Sequence[str]) -> str:
    """Return the file to fill in: a line for each given number, and one for each blank."""
    rows = [HEADER]
    rows += [f"given,{name},{getattr(worked, name)}" for name in SETTINGS]
    rows += [f"given,{name},{value!r}" for name, value in worked.given.items()]
    rows += [f"{number},{name}," for number, name in enumerate(blanks, start=1)]
    return "\n".join(rows) + "\n"


def read(text: str) -> tuple[Worked, tuple[str, ...], dict[str, str]]:
    """Return the example, the blanks in order, and what was written in them.

    Raises:
        BadData: a file that is none of these, or that lost one of its given numbers; the message
            names the line.
    """
    given, settings, answers = {}, {}, {}
    for line, (kind, name, value) in _rows(text):
        if name in given or name in settings or name in answers:
            raise BadData(f"line {line}: {name} is there twice.")
        if kind == "given" and name in SETTINGS:
            settings[name] = value
        elif kind == "given":
            number = read_number(value)
            if number is None:
                raise BadData(f"line {line}: {name} is given as {value!r}, which is no number.")
            given[name] = number.value
        else:
            answers[name] = value
    worked = _example(given, settings)
    known = {step.name for step in worked.steps}
    for name in answers:
        if name not in known:
            raise BadData(f"{name} is no step of this network; the first is z1_1.")
    if not answers:
        raise BadData("there is no blank in it: each is a line such as 1,z1_1,")
    blanks = tuple(step.name for step in worked.steps if step.name in answers)
    return worked, blanks, answers


def _rows(text: str) -> list[tuple[int, tuple[str, str, str]]]:
    """Return the lines under the header, with their numbers."""
    lines = text.removeprefix("\ufeff").splitlines()
    start = next((n for n, line in enumerate(lines) if line.strip()), 0)
    first = re.match(r'\s*"?number"?\s*([,;\t])\s*"?name"?\b', lines[start]) if lines else None
    if not first:
        found = lines[start][:60] if lines else ""
        raise BadData(f"it does not begin with the line {HEADER} but with {found!r}.")
    rows = []
    for number, line in enumerate(lines[start + 1 :], start=start + 2):
        (fields,) = csv.reader([line], delimiter=first[1]) if line.strip() else ([],)
        kind, name, *rest = [field.strip() for field in fields] + ["", ""]
        if not name:
            if kind:
                raise BadData(f"line {number}: {line[:60]!r} has no name in its second column.")
            continue
        # 0,42 without quotes looks like two columns.
        value = ",".join(part for part in rest if part) if first[1] == "," else rest[0]
        rows.append((number, (kind, name, value)))
    return rows


def _example(given: dict[str, float], settings: dict[str, str]) -> Worked:
    """Return the example that the given numbers describe."""
    places = [found for name in given if (found := re.fullmatch(r"b([1-9])_([1-9])", name))]
    inputs = sum(name.startswith("x_") for name in given)
    layers = max((int(found[1]) for found in places), default=0)
    sizes = [inputs, *(sum(int(found[1]) == layer for found in places) for layer in to(layers))]

    def value(name: str) -> float:
        try:
            return given.pop(name)
        except KeyError:
            raise BadData(f"the given number {name} is missing.") from None

    try:
        found = example.worked(
            sizes,
            x=[value(f"x_{k}") for k in to(sizes[0])],
            y=[value(f"y_{j}") for j in to(sizes[-1])],
            weights=[
                [
                    [value(w(layer, j, k).name) for k in to(sizes[layer - 1])]
                    for j in to(sizes[layer])
                ]
                for layer in to(layers)
            ],
            biases=[[value(b(layer, j).name) for j in to(sizes[layer])] for layer in to(layers)],
            learning_rate=value("eta"),
            activation=settings.get("activation", "sigmoid"),
            head=settings.get("head"),
            cost=settings.get("cost", "quadratic"),
        )
    except BadOption as error:
        raise BadData(f"what is given cannot be worked out: {error}") from error
    if given:
        raise BadData(f"{', '.join(given)}: given, but of no use in this network.")
    return found
