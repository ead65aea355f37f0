"""The formulas of backpropagation for a network of any shape, before a number is put into them.

Source: Nielsen, Neural Networks and Deep Learning (2015), chapter 2 (BP1 to BP4) and chapter 3
(cross-entropy, softmax).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.backprop.formula import (
    HALF,
    ONE,
    Call,
    Formula,
    Product,
    Quotient,
    Square,
    Sum,
    Symbol,
    total,
)

PARTS = ("forward", "cost", "BP1", "BP2", "BP3", "BP4", "update")

# The symbols. `j` is a neuron of the layer, `k` one of the layer before, as in the book.


def w(layer: int, j: int, k: int) -> Symbol:
    """Return the weight from neuron k of layer l-1 to neuron j of layer l."""
    return Symbol(f"w{layer}_{j}{k}", f"w{layer}_{j}{k}", f"w^{{{layer}}}_{{{j}{k}}}")


def b(layer: int, j: int) -> Symbol:
    """Return the bias of a neuron."""
    return _of_neuron("b", "b", "b", layer, j)


def z(layer: int, j: int) -> Symbol:
    """Return the weighted input of a neuron."""
    return _of_neuron("z", "z", "z", layer, j)


def a(layer: int, j: int) -> Symbol:
    """Return the activation of a neuron; in layer 0 that is the input."""
    return (
        Symbol(f"x_{j}", f"x_{j}", f"x_{{{j}}}")
        if layer == 0
        else _of_neuron("a", "a", "a", layer, j)
    )


def y(j: int) -> Symbol:
    """Return what an output should be."""
    return Symbol(f"y_{j}", f"y_{j}", f"y_{{{j}}}")


def delta(layer: int, j: int) -> Symbol:
    """Return the error of a neuron, the derivative of the cost with respect to its z."""
    return _of_neuron("delta", "δ", r"\delta", layer, j)


def nabla(parameter: Symbol) -> Symbol:
    """Return the derivative of the cost with respect to a weight or bias."""
    latex = rf"\frac{{\partial C}}{{\partial {parameter.latex}}}"
    return Symbol(f"dC/d{parameter.name}", f"∂C/∂{parameter.plain}", latex)


def new(parameter: Symbol) -> Symbol:
    """Return a weight or bias after the step."""
    latex = parameter.latex.replace("}", r",\text{new}}", 1)
    return Symbol(f"new_{parameter.name}", f"new {parameter.plain}", latex)


ETA = Symbol("eta", "η", r"\eta")
COST = Symbol("C", "C", "C")


def _of_neuron(name: str, plain: str, latex: str, layer: int, j: int) -> Symbol:
    return Symbol(f"{name}{layer}_{j}", f"{plain}{layer}_{j}", f"{latex}^{{{layer}}}_{{{j}}}")


@dataclass(frozen=True)
class Plan:
    """The formulas of a network, before any number is put into them."""

    sizes: tuple[int, ...]
    activation: str
    head: str
    cost: str

    @property
    def last(self) -> int:
        """The output layer's number, L."""
        return len(self.sizes) - 1

    def activation_of(self, layer: int) -> str:
        """Return the name of a layer's activation."""
        return self.head if layer == self.last else self.activation

    def steps(self) -> Iterator[tuple[Symbol, str, str, tuple[int, ...], Formula]]:
        """Yield symbol, part, kind, place and formula of every step, in order."""
        L, layers = self.last, to(self.last)
        for layer in layers:
            for j in to(self.sizes[layer]):
                yield z(layer, j), "forward", "z", (layer, j), self.weighted_input(layer, j)
            for j in to(self.sizes[layer]):
                yield a(layer, j), "forward", "a", (layer, j), self.activated(layer, j)
        yield COST, "cost", "cost", (), self.total_cost()
        for layer in reversed(layers):
            part = "BP1" if layer == L else "BP2"
            if self.has_slope(layer):
                for j in to(self.sizes[layer]):
                    yield self.slope(layer, j), part, "slope", (layer, j), self.derivative(layer, j)
            for j in to(self.sizes[layer]):
                formula = (
                    self.error_of_output(j) if layer == L else self.error_passed_back(layer, j)
                )
                yield delta(layer, j), part, "delta", (layer, j), formula
        for layer in layers:
            for j in to(self.sizes[layer]):
                yield nabla(b(layer, j)), "BP3", "nabla_b", (layer, j), delta(layer, j)
        for layer in layers:
            for j, k in self.edges(layer):
                formula = a(layer - 1, k) * delta(layer, j)
                yield nabla(w(layer, j, k)), "BP4", "nabla_w", (layer, j, k), formula
        for layer in layers:
            for j, k in self.edges(layer):
                yield self.update(w(layer, j, k), (layer, j, k))
            for j in to(self.sizes[layer]):
                yield self.update(b(layer, j), (layer, j))

    def edges(self, layer: int) -> list[tuple[int, int]]:
        """Return (j, k) of every weight into a layer."""
        return [(j, k) for j in to(self.sizes[layer]) for k in to(self.sizes[layer - 1])]

    def weighted_input(self, layer: int, j: int) -> Formula:
        """z = w a + b."""
        return total([w(layer, j, k) * a(layer - 1, k) for k in to(self.sizes[layer - 1])]) + b(
            layer, j
        )

    def activated(self, layer: int, j: int) -> Formula:
        """a = σ(z), or what the layer has in its place."""
        name = self.activation_of(layer)
        if name == "linear":
            return z(layer, j)
        if name == "softmax":
            powers: list[Formula] = [Call("exp", z(layer, k)) for k in to(self.sizes[layer])]
            return Quotient(powers[j - 1], total(powers))
        return Call({"sigmoid": "sigma"}.get(name, name), z(layer, j))

    def total_cost(self) -> Formula:
        """C of the outputs a and what they should be."""
        outputs = [(y(j), a(self.last, j)) for j in to(self.sizes[-1])]
        if self.cost == "quadratic":
            return Product((HALF, total([Square(aim - output) for aim, output in outputs])))
        if self.head == "softmax":
            return Sum(tuple((-1, aim * Call("ln", output)) for aim, output in outputs))
        terms = [
            term
            for aim, output in outputs
            for term in (aim * Call("ln", output), (ONE - aim) * Call("ln", ONE - output))
        ]
        return Sum(tuple((-1, term) for term in terms))

    def has_slope(self, layer: int) -> bool:
        """Whether σ' of the layer enters its error: not where it is 1 or cancels out."""
        return self.activation_of(layer) != "linear" and (
            layer < self.last or self.cost == "quadratic"
        )

    def slope(self, layer: int, j: int) -> Symbol:
        """Return the derivative of the activation at z, as a quantity of its own."""
        at = z(layer, j)
        plain, latex = {
            "sigmoid": ("σ'", r"\sigma'"),
            "tanh": ("tanh'", r"\tanh'"),
            "relu": ("relu'", r"\mathrm{relu}'"),
        }[self.activation_of(layer)]
        return Symbol(f"slope{layer}_{j}", f"{plain}({at.plain})", f"{latex}({at.latex})")

    def derivative(self, layer: int, j: int) -> Formula:
        """Return σ'(z), from the activation where that is the shorter way."""
        name = self.activation_of(layer)
        if name == "sigmoid":
            return a(layer, j) * (ONE - a(layer, j))
        return ONE - Square(a(layer, j)) if name == "tanh" else Call("step", z(layer, j))

    def error_of_output(self, j: int) -> Formula:
        """BP1; with cross-entropy the derivative of the head cancels out."""
        difference = a(self.last, j) - y(j)
        if self.has_slope(self.last):
            return difference * self.slope(self.last, j)
        return difference

    def error_passed_back(self, layer: int, j: int) -> Formula:
        """BP2."""
        terms: list[Formula] = [
            w(layer + 1, k, j) * delta(layer + 1, k) for k in to(self.sizes[layer + 1])
        ]
        return total(terms) * self.slope(layer, j) if self.has_slope(layer) else total(terms)

    def update(
        self, parameter: Symbol, place: tuple[int, ...]
    ) -> tuple[Symbol, str, str, tuple[int, ...], Formula]:
        """Return the step that gives a weight or bias its new value."""
        return new(parameter), "update", "new", place, parameter - ETA * nabla(parameter)


def to(size: int) -> range:
    """Return 1 … size, as the book counts."""
    return range(1, size + 1)
