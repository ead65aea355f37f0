"""A network, one example, and one step of gradient descent on it, number by number.

Notation: layer 0 is the input, layer L the output; w^l_jk is the weight from neuron k of layer l-1
to neuron j of layer l, and z^l = w^l a^(l-1) + b^l. (Nielsen's book counts the input as layer 1.)
There is no array in sight, so that each line can be redone with a pencil.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from models import options
from models.backprop.derivation import Plan, b, to, w
from models.backprop.formula import Formula, rounded
from models.errors import BadOption, unknown

if TYPE_CHECKING:
    from models.backprop.exercise import Sheet

ACTIVATIONS = ("sigmoid", "tanh", "relu", "linear")
HEADS = (*ACTIVATIONS, "softmax")
COSTS = ("quadratic", "cross_entropy")
MOST_LAYERS = 5  # the input among them
MOST_NEURONS = 6  # in a layer: one digit names a neuron, and a drawing stays legible


@dataclass(frozen=True)
class Step:
    """One value on the way: what it is called, the formula that gave it, and the value."""

    name: str
    """Plain, such as `z1_1`, `slope1_1`, `delta2_1`, `dC/dw1_12` or `new_w1_12`."""
    latex: str
    plain: str
    """As a terminal shows it: δ2_1, ∂C/∂w1_12."""
    part: str
    """One of PARTS."""
    kind: str
    """z, a, cost, slope, delta, nabla_b, nabla_w or new."""
    place: tuple[int, ...]
    """Layer and neuron, for a weight also the neuron it comes from; () for the cost."""
    formula: Formula
    symbols: str
    numbers: str
    latex_symbols: str
    latex_numbers: str
    value: float
    depends_on: tuple[str, ...]
    """Names of the earlier steps in the formula; given numbers are not among them."""


@dataclass(frozen=True)
class Worked:
    """A network, one example, and every step from the input to the new weights."""

    sizes: tuple[int, ...]
    activation: str
    head: str
    cost: str
    given: dict[str, float]
    """What is known from the start: x, y, every w and b, and eta."""
    steps: tuple[Step, ...]

    def __getitem__(self, name: str) -> Step:
        for step in self.steps:
            if step.name == name:
                return step
        raise unknown("step", name, [step.name for step in self.steps])

    @property
    def values(self) -> dict[str, float]:
        """Every number by name, the given ones first."""
        return {**self.given, **{step.name: step.value for step in self.steps}}

    def activation_of(self, layer: int) -> str:
        """Return the name of a layer's activation."""
        return self.head if layer == len(self.sizes) - 1 else self.activation

    def text(self, width: int = 80) -> str:
        """Return it for a terminal of that many columns."""
        from models.backprop import handout

        return handout.text(self, width)

    def markdown(self, diagram: str = "") -> str:
        """Return it as Markdown with LaTeX between dollar signs.

        `diagram` is the name of the drawing without its ending: with "net", the page shows
        net.light.svg or net.dark.svg as its colours are.
        """
        from models.backprop import handout

        return handout.markdown(self, diagram)

    def svg(self, *, dark: bool = False, hidden: Collection[str] = ()) -> str:
        """Return a drawing of the network; the values named in `hidden` are shown as "?"."""
        from models.backprop import diagram

        return diagram.svg(self, dark=dark, hidden=hidden)

    def sheet(self, blanks: str | Sequence[str] = "all", diagram: str = "") -> Sheet:
        """Return an exercise: these steps with blanks. See `exercise.sheet`."""
        from models.backprop import exercise

        return exercise.sheet(self, blanks, diagram)


def worked(
    sizes: Sequence[int] = (2, 2, 1),
    *,
    x: Sequence[float] | None = None,
    y: Sequence[float] | None = None,
    weights: Sequence[Any] | None = None,
    biases: Sequence[Any] | None = None,
    activation: str = "sigmoid",
    head: str | None = None,
    cost: str = "quadratic",
    learning_rate: float = 0.5,
    seed: int = 0,
) -> Worked:
    """Return one step of gradient descent on one example, worked out value by value.

    Args:
        sizes: neurons of each layer, the input first: 2 to 5 layers of 1 to 6 neurons.
        x: the example's input, one number for each input neuron.
        y: what the output should be, one number for each output neuron.
        weights: a matrix for each layer after the input, of shape (neurons, neurons before).
        biases: a vector for each layer after the input.
        activation: of the hidden layers: "sigmoid", "tanh", "relu" or "linear".
        head: of the output layer; one of these, or "softmax". Left out, it is `activation` with the
            quadratic cost, and with cross-entropy "sigmoid" for one output, "softmax" for several.
        cost: "quadratic", ½ Σ (y - a)², or "cross_entropy", which takes a sigmoid or softmax head.
        learning_rate: eta, the length of the step.
        seed: of what is not given; the same seed gives the same numbers, all with one decimal.

    Raises:
        BadOption: an argument that cannot work, or numbers so large that the cost is infinite.
    """
    sizes = _sizes(sizes)
    head = _head(sizes, activation, head, cost)
    drawn = _drawn(sizes, head, seed)
    given: dict[str, float] = {}
    for name, vector, size in (("x", x, sizes[0]), ("y", y, sizes[-1])):
        numbers = _vector(name, drawn[name] if vector is None else vector, size)
        given |= {f"{name}_{j}": value for j, value in enumerate(numbers, start=1)}
    _check_target([given[f"y_{j}"] for j in to(sizes[-1])], head, cost)
    for name, layers in (("weights", weights), ("biases", biases)):
        layers = drawn[name] if layers is None else _layers(name, layers, len(sizes) - 1)
        for number, layer in enumerate(layers, start=1):
            given |= _parameters(name, number, layer, sizes[number], sizes[number - 1])
    given["eta"] = _number("learning_rate", learning_rate)
    if given["eta"] <= 0:
        raise BadOption(f"learning_rate must be above 0, not {learning_rate!r}.")
    plan = Plan(sizes, activation, head, cost)
    return Worked(sizes, activation, head, cost, given, tuple(_evaluated(plan, given)))


def _evaluated(plan: Plan, given: Mapping[str, float]) -> Iterator[Step]:
    """Put in the numbers, step by step."""
    values = dict(given)
    numbers = {name: f"{value:.10g}" for name, value in given.items()}
    for symbol, part, kind, place, formula in plan.steps():
        value = formula.value(values)
        if not math.isfinite(value):
            raise BadOption(
                f"{symbol.name} is {value}: the numbers given are too large for {plan.head} with "
                f"the {plan.cost} cost. Smaller weights or inputs would work."
            )
        shown = formula.shown(), formula.shown(numbers)
        in_latex = formula.shown(latex=True), formula.shown(numbers, latex=True)
        earlier = tuple(name for name in formula.names() if name not in given)
        yield Step(
            symbol.name, symbol.latex, symbol.plain, part, kind, place, formula,
            *shown, *in_latex, value, earlier,
        )  # fmt: skip
        values[symbol.name] = value
        numbers[symbol.name] = rounded(value)


def _sizes(sizes: Any) -> tuple[int, ...]:
    if isinstance(sizes, int | str) or not 2 <= len(sizes) <= MOST_LAYERS:
        raise BadOption(
            f"sizes must name 2 to {MOST_LAYERS} layers, the input first, such as (2, 2, 1); "
            f"not {sizes!r}."
        )
    checked = tuple(options.whole("a layer's size", size) for size in sizes)
    if max(checked) > MOST_NEURONS:
        raise BadOption(
            f"a layer may have up to {MOST_NEURONS} neurons, not {max(checked)}: "
            "by hand, and in a drawing, more cannot be followed."
        )
    return checked


def _head(sizes: tuple[int, ...], activation: str, head: str | None, cost: str) -> str:
    """Return the head, once it is known to go with the rest."""
    if activation not in ACTIVATIONS:
        hint = " It is a head: head='softmax'." if activation == "softmax" else ""
        raise BadOption(f"{unknown('activation', activation, ACTIVATIONS)}{hint}")
    if cost not in COSTS:
        raise unknown("cost", cost, COSTS)
    if head is None:
        several = "softmax" if sizes[-1] > 1 else "sigmoid"
        head = activation if cost == "quadratic" else several
    if head not in HEADS:
        raise unknown("head", head, HEADS)
    if cost == "cross_entropy" and head not in ("sigmoid", "softmax"):
        raise BadOption(
            "cross-entropy needs outputs between 0 and 1: head 'sigmoid' or 'softmax', "
            f"not {head!r}."
        )
    if head == "softmax" and cost != "cross_entropy":
        raise BadOption("softmax goes with cost 'cross_entropy', where its derivative cancels out.")
    if head == "softmax" and sizes[-1] < 2:
        raise BadOption("softmax compares outputs: it needs at least 2, not 1.")
    return head


def _drawn(sizes: tuple[int, ...], head: str, seed: int) -> dict[str, list[Any]]:
    """Draw all that may be left out, in tenths: what is given changes nothing in the rest."""
    chance = random.Random(options.whole("seed", seed, at_least=0))

    def tenths() -> float:
        return chance.choice([-1, 1]) * chance.randint(1, 9) / 10

    weights = [
        [[tenths() for _ in range(before)] for _ in range(size)] for before, size in pairwise(sizes)
    ]
    biases = [[tenths() for _ in range(size)] for size in sizes[1:]]
    # All different, so that a mix-up shows.
    x = [tenth / 10 for tenth in chance.sample(range(1, 10), sizes[0])]
    if head == "softmax":
        winner = chance.randrange(sizes[-1])
        aims = [float(j == winner) for j in range(sizes[-1])]
    else:
        aims = [chance.choice({"sigmoid": (0.0, 1.0), "tanh": (-1.0, 1.0)}.get(head, (0.2, 0.8)))
                for _ in range(sizes[-1])]  # fmt: skip
    return {"weights": weights, "biases": biases, "x": x, "y": aims}


def _check_target(aims: list[float], head: str, cost: str) -> None:
    if cost == "cross_entropy" and not all(0 <= aim <= 1 for aim in aims):
        raise BadOption(f"with cross-entropy every y lies between 0 and 1, not {aims}.")
    if head == "softmax" and not math.isclose(sum(aims), 1, abs_tol=1e-9):
        raise BadOption(f"with softmax the y are shares that add up to 1, not {aims}.")


def _layers(name: str, layers: Any, count: int) -> Any:
    if isinstance(layers, str | Mapping) or not hasattr(layers, "__len__") or len(layers) != count:
        raise BadOption(f"{name} must hold {count} layers (all but the input), not {layers!r}.")
    return layers


def _parameters(name: str, number: int, layer: Any, size: int, before: int) -> dict[str, float]:
    """Return one layer's weights or biases by name."""
    if name == "biases":
        values = _vector(f"biases of layer {number}", layer, size)
        return {b(number, j).name: value for j, value in enumerate(values, start=1)}
    if not hasattr(layer, "__len__") or len(layer) != size:
        raise BadOption(
            f"weights of layer {number} must be {size} rows of {before}: w_jk leads from k to j; "
            f"not {layer!r}."
        )
    return {
        w(number, j, k).name: value
        for j, row in enumerate(layer, start=1)
        for k, value in enumerate(_vector(f"row {j} of layer {number}'s weights", row, before), 1)
    }


def _vector(name: str, vector: Any, size: int) -> list[float]:
    if isinstance(vector, str) or not hasattr(vector, "__len__") or len(vector) != size:
        numbers = "one number" if size == 1 else f"{size} numbers"
        raise BadOption(f"{name} must be a list of {numbers}, not {vector!r}.")
    return [_number(name, value) for value in vector]


def _number(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise BadOption(f"{name} must be a finite number, not {value!r}.")
    return number
