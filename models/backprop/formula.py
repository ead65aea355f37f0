"""Formulas that can be shown in symbols, shown with the numbers in them, and worked out.

One tree gives all three, so that what is printed is what was calculated.

    formula = Sum((w * x, b))
    formula.shown()                   w1_11·x_1 + b1_1
    formula.shown({"w1_11": "0.3"…})  0.3·0.5 + 0.1
    formula.value({"w1_11": 0.3…})    0.25
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

SUM, PRODUCT, ATOM = 1, 2, 3  # how tightly a formula holds together


@dataclass(frozen=True)
class Formula:
    """Something that has a value once its symbols have."""

    def value(self, values: Mapping[str, float]) -> float:
        """Return the value; NaN where there is none, as for the logarithm of a negative number."""
        try:
            return self._value(values)
        except (ArithmeticError, ValueError):
            return math.nan

    def shown(self, numbers: Mapping[str, str] | None = None, *, latex: bool = False) -> str:
        """Return it as text or LaTeX, with numbers in place of symbols if they are given."""
        return self._shown(numbers, latex, True)

    def names(self) -> tuple[str, ...]:
        """Return the names of the symbols in it, each once, in order."""
        return tuple(dict.fromkeys(symbol.name for symbol in self._symbols()))

    @property
    def binds(self) -> int:
        """How tightly it holds together: SUM, PRODUCT or ATOM."""
        return ATOM

    def _value(self, values: Mapping[str, float]) -> float:
        raise NotImplementedError

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        """Show it; `leading` where a minus sign in front needs no parentheses."""
        raise NotImplementedError

    def _symbols(self) -> Iterator[Symbol]:
        yield from ()

    def _within(
        self, numbers: Mapping[str, str] | None, latex: bool, tightness: int, leading: bool = False
    ) -> str:
        """Show it as a part of something, in parentheses where they are needed."""
        if self.binds < tightness:
            return f"({self._shown(numbers, latex, True)})"
        return self._shown(numbers, latex, leading)

    def __add__(self, other: Formula) -> Sum:
        return Sum((*_terms(self), *_terms(other)))

    def __sub__(self, other: Formula) -> Sum:
        return Sum((*_terms(self), (-1, other)))

    def __mul__(self, other: Formula) -> Product:
        return Product((*_factors(self), *_factors(other)))

    def __neg__(self) -> Sum:
        return Sum(((-1, self),))


@dataclass(frozen=True)
class Symbol(Formula):
    """A named quantity: `z1_1` in files, z1_1 in a terminal, z^{1}_{1} in LaTeX."""

    name: str
    plain: str
    latex: str

    def _value(self, values: Mapping[str, float]) -> float:
        return values[self.name]

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        if numbers is None:
            return self.latex if latex else self.plain
        number = numbers[self.name]
        if latex:
            number = in_latex(number)
        return number if leading or not number.startswith("-") else f"({number})"

    def _symbols(self) -> Iterator[Symbol]:
        yield self


@dataclass(frozen=True)
class Number(Formula):
    """A constant that belongs to the formula itself, such as ½."""

    number: float
    plain: str
    latex: str

    def _value(self, values: Mapping[str, float]) -> float:
        return self.number

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        return self.latex if latex else self.plain


ONE = Number(1, "1", "1")
TWO = Number(2, "2", "2")
HALF = Number(0.5, "½", r"\tfrac{1}{2}")


@dataclass(frozen=True)
class Sum(Formula):
    """Terms, each with its sign (1 or -1)."""

    terms: tuple[tuple[int, Formula], ...]

    @property
    def binds(self) -> int:
        """A sum holds together least."""
        return SUM

    def _value(self, values: Mapping[str, float]) -> float:
        return math.fsum(sign * term._value(values) for sign, term in self.terms)

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        (sign, first), *rest = self.terms
        if sign < 0:
            text = "-" + first._within(numbers, latex, PRODUCT)
            text = text if leading else f"({text})"
        else:
            text = first._within(numbers, latex, SUM, leading)
        for sign, term in rest:
            text += (" + " if sign > 0 else " - ") + term._within(numbers, latex, PRODUCT)
        return text

    def _symbols(self) -> Iterator[Symbol]:
        for _, term in self.terms:
            yield from term._symbols()


@dataclass(frozen=True)
class Product(Formula):
    """Factors."""

    factors: tuple[Formula, ...]

    @property
    def binds(self) -> int:
        """A product holds together more than a sum."""
        return PRODUCT

    def _value(self, values: Mapping[str, float]) -> float:
        return math.prod(factor._value(values) for factor in self.factors)

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        parts = [
            factor._within(numbers, latex, PRODUCT, leading and number == 0)
            for number, factor in enumerate(self.factors)
        ]
        if not latex:
            return "·".join(parts)
        return (r" \, " if numbers is None else r" \cdot ").join(parts)

    def _symbols(self) -> Iterator[Symbol]:
        for factor in self.factors:
            yield from factor._symbols()


@dataclass(frozen=True)
class Quotient(Formula):
    """One thing divided by another."""

    top: Formula
    bottom: Formula

    @property
    def binds(self) -> int:
        """A quotient holds together like a product."""
        return PRODUCT

    def _value(self, values: Mapping[str, float]) -> float:
        return self.top._value(values) / self.bottom._value(values)

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        if latex:
            top, bottom = (part._shown(numbers, latex, True) for part in (self.top, self.bottom))
            return rf"\frac{{{top}}}{{{bottom}}}"
        bottom = self.bottom._within(numbers, latex, ATOM)
        return f"{self.top._within(numbers, latex, PRODUCT, leading)}/{bottom}"

    def _symbols(self) -> Iterator[Symbol]:
        yield from self.top._symbols()
        yield from self.bottom._symbols()


@dataclass(frozen=True)
class Square(Formula):
    """Something times itself."""

    base: Formula

    def _value(self, values: Mapping[str, float]) -> float:
        return self.base._value(values) ** 2

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        base = self.base._within(numbers, latex, ATOM)
        if " " in base and not base.startswith("("):  # a number such as 1.2 \cdot 10^{-5}
            base = f"({base})"
        if numbers is None and latex and "^" in base and not base.startswith("("):
            base = f"({base})"  # a^{1}_{1} squared would read as a double superscript
        return f"{base}^2" if latex else f"{base}²"

    def _symbols(self) -> Iterator[Symbol]:
        yield from self.base._symbols()


@dataclass(frozen=True)
class Call(Formula):
    """A function of something: sigma, tanh, relu, step, exp or ln."""

    function: str
    argument: Formula

    def _value(self, values: Mapping[str, float]) -> float:
        return FUNCTIONS[self.function](self.argument._value(values))

    def _shown(self, numbers: Mapping[str, str] | None, latex: bool, leading: bool) -> str:
        argument = self.argument._shown(numbers, latex, True)
        if self.function == "exp" and not latex:
            whole = self.argument.binds == ATOM and not argument.startswith("-")
            return f"e^{argument}" if whole else f"e^({argument})"
        return (LATEX if latex else PLAIN)[self.function].format(argument)

    def _symbols(self) -> Iterator[Symbol]:
        yield from self.argument._symbols()


def sigma(z: float) -> float:
    """Return 1/(1 + e^(-z)), without overflow for large |z|."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


FUNCTIONS = {
    "sigma": sigma,
    "tanh": math.tanh,
    "relu": lambda z: z if z > 0 else 0.0,
    "step": lambda z: 1.0 if z > 0 else 0.0,
    "exp": math.exp,
    "ln": math.log,
}
PLAIN = {
    "sigma": "σ({})",
    "tanh": "tanh({})",
    "relu": "max(0, {})",
    "step": "[{} > 0]",
    "ln": "ln({})",
}
LATEX = {
    "sigma": r"\sigma({})",
    "tanh": r"\tanh({})",
    "relu": r"\max(0, {})",
    "step": "[{} > 0]",
    "exp": "e^{{{}}}",
    "ln": r"\ln({})",
}


def total(terms: Sequence[Formula]) -> Formula:
    """Return the sum of the terms; a single one stays as it is."""
    return terms[0] if len(terms) == 1 else Sum(tuple((1, term) for term in terms))


def rounded(value: float, digits: int = 4) -> str:
    """Return a number with that many significant digits; fewer where it is exact with fewer."""
    value += 0.0  # no -0
    short = f"{value:.{digits}g}"
    if is_exact(value, digits):
        return short
    return f"{value:#.{digits}g}".rstrip(".")


def is_exact(value: float, digits: int = 4) -> bool:
    """Whether that many significant digits say it all."""
    return abs(float(f"{value:.{digits}g}") - value) <= 1e-12 * abs(value)


def in_latex(number: str) -> str:
    """Return a number as LaTeX: 1.2e-05 is 1.2 · 10^-5."""
    digits, exponent, power = number.partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if exponent else digits


def _terms(formula: Formula) -> tuple[tuple[int, Formula], ...]:
    return formula.terms if isinstance(formula, Sum) else ((1, formula),)


def _factors(formula: Formula) -> tuple[Formula, ...]:
    return formula.factors if isinstance(formula, Product) else (formula,)
