"""A drawing of a small network: weights on the edges, values and errors in the neurons.

It runs from top to bottom, so that it can be as tall as its numbers need and stays legible on a
phone. Real text, colours of the site's figures, the same bytes for the same numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator

from models.backprop.derivation import Symbol, a, b, delta, to, w, y, z
from models.backprop.example import Worked
from models.backprop.formula import rounded

PAPER = {"light": "#fbfaf7", "dark": "#16181b"}
INK = {"light": "#26282b", "dark": "#e4e1da"}
FAINT = {"light": "#6b6b68", "dark": "#a3a19b"}
POSITIVE = {"light": "#1f5f99", "dark": "#74b3ec"}
NEGATIVE = {"light": "#c4501b", "dark": "#ff9a6b"}
LETTERS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"

WIDTH = 700  # shown as wide as the text: 20 units are 11 pixels on a phone
MARGIN = 50  # on the left, for the layers' names
SIZE = 20  # of the letters
LINE = 26  # from one line of letters to the next
PADDING = 10
ALL = "every weight, value and error of one step of backpropagation"
SOME = "the weights, and what is known"


def svg(worked: Worked, *, dark: bool = False, hidden: Collection[str] = ()) -> str:
    """Return the drawing as SVG; the values named in `hidden` are shown as "?"."""
    return _Drawing(worked, "dark" if dark else "light", frozenset(hidden)).svg()


class _Drawing:
    """Where everything stands, and how it looks."""

    def __init__(self, worked: Worked, look: str, hidden: frozenset[str]) -> None:
        self.worked, self.look, self.hidden = worked, look, hidden
        self.values = worked.values
        self.rows = list(_rows(worked))
        self.pitch = min(230.0, (WIDTH - MARGIN) / max(worked.sizes))
        self.box = min(150.0, self.pitch - 6)
        self.inset, self.letters = (8, SIZE) if self.box > 115 else (4, 18)
        self.tops = [PADDING]
        for layer in to(len(worked.sizes) - 1):
            # Each neuron's weights stand on a line of their own between the layers.
            gap = max(120, round(worked.sizes[layer] * (LINE + 4) / 0.38))
            self.tops.append(self.bottom(layer - 1) + gap)

    def svg(self) -> str:
        """Return the whole drawing."""
        height = self.bottom(-1) + 2 * LINE + PADDING
        parts = [*self.edges(), *self.neurons(), *self.captions(), *self.outcome()]
        body = "\n".join(parts)
        words = alternative(self.worked, SOME if self.hidden else ALL)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_short(WIDTH * 0.75)}pt" '
            f'height="{_short(height * 0.75)}pt" viewBox="0 0 {WIDTH} {height}" role="img" '
            f'aria-labelledby="backprop-title backprop-desc" font-family="{LETTERS}" '
            f'font-size="{SIZE}">\n'
            "<!-- made by `folio backprop` -->\n"
            f'<title id="backprop-title">{words}</title>\n'
            f'<desc id="backprop-desc">{_described(self.worked, self.number)}</desc>\n'
            f"<style>.halo{{paint-order:stroke;stroke:{PAPER[self.look]};stroke-width:6px;"
            "stroke-linejoin:round}</style>\n"
            f"{body}\n</svg>\n"
        )

    def bottom(self, layer: int) -> int:
        """Return where a layer's neurons end."""
        return self.tops[layer] + LINE * len(self.rows[layer][0]) + 16

    def centre(self, layer: int, j: int) -> float:
        """Return the middle of a neuron, from the left."""
        middle = MARGIN + (WIDTH - MARGIN) / 2
        return middle + (j - (self.worked.sizes[layer] + 1) / 2) * self.pitch

    def number(self, name: str) -> str:
        """Return a number with three significant digits."""
        return "?" if name in self.hidden else rounded(self.values[name], 3).replace("-", "−")

    def fitting(self, name: str) -> str:
        """Return a number that fits into a neuron beside its letter."""
        if name in self.hidden:
            return "?"
        value, room = self.values[name], self.box - 2 * self.inset - 0.8 * self.letters
        for text in (rounded(value, 3), rounded(value, 2), f"{value:.1e}", f"{value:.0e}"):
            short = re.sub(r"e([+-])0*(?=\d)", r"e\1", text).replace("e+", "e").replace("-", "−")
            if _breadth(short) * self.letters <= room:
                return short
        return "…"

    def edges(self) -> Iterator[str]:
        """Yield the lines, then the weights on them."""
        labels = []
        for layer in to(len(self.worked.sizes) - 1):
            start, end = self.bottom(layer - 1), self.tops[layer]
            for j in to(self.worked.sizes[layer]):
                # Nearer to the lower neuron the edges into it would crowd.
                way = 0.15 + 0.38 * (j - 0.5) / self.worked.sizes[layer]
                for k in to(self.worked.sizes[layer - 1]):
                    name = w(layer, j, k).name
                    value = self.values[name]
                    colour = (POSITIVE if value >= 0 else NEGATIVE)[self.look]
                    x1, x2 = self.centre(layer - 1, k), self.centre(layer, j)
                    yield (
                        f'<line x1="{_short(x1)}" y1="{start}" x2="{_short(x2)}" y2="{end}" '
                        f'stroke="{colour}" stroke-width="{_short(1 + 1.25 * min(abs(value), 2))}" '
                        'stroke-opacity="0.55"/>'
                    )
                    x, y_ = x1 + way * (x2 - x1), start + way * (end - start) + 7
                    labels.append(
                        f'<text x="{_short(x)}" y="{_short(y_)}" text-anchor="middle" '
                        f'fill="{colour}" class="halo"><title>{name}</title>'
                        f"{self.number(name)}</text>"
                    )
        yield from labels

    def neurons(self) -> Iterator[str]:
        """Yield the boxes and the values in them."""
        for layer, row in enumerate(self.rows):
            top, tall = self.tops[layer], self.bottom(layer) - self.tops[layer]
            for j, lines in enumerate(row, start=1):
                left = self.centre(layer, j) - self.box / 2
                yield (
                    f'<rect x="{_short(left)}" y="{top}" width="{_short(self.box)}" '
                    f'height="{tall}" rx="10" fill="{PAPER[self.look]}" '
                    f'stroke="{FAINT[self.look]}" stroke-width="1.5"/>'
                )
                for place, (symbol, label) in enumerate(lines, start=1):
                    base = top + 1 + LINE * place
                    strong = ' font-weight="600"' if label.startswith(("a", "x")) else ""
                    yield (
                        f'<text x="{_short(left + self.inset)}" y="{base}" '
                        f'font-size="{self.letters}" fill="{FAINT[self.look]}">{label}</text>'
                        f'<text x="{_short(left + self.box - self.inset)}" y="{base}" '
                        f'text-anchor="end" font-size="{self.letters}" '
                        f'fill="{INK[self.look]}"{strong}><title>{symbol.name}</title>'
                        f"{self.fitting(symbol.name)}</text>"
                    )

    def captions(self) -> Iterator[str]:
        """Yield the layers' names, at the left, from bottom to top."""
        for layer, top in enumerate(self.tops):
            middle = (top + self.bottom(layer)) / 2
            words = ["input"]
            if layer:
                words = [f"layer {layer}", self.worked.activation_of(layer)]
            for place, word in enumerate(words):
                yield (
                    f'<text transform="translate({18 + 22 * place} {_short(middle)}) rotate(-90)" '
                    f'text-anchor="middle" fill="{FAINT[self.look]}" font-size="18">{word}</text>'
                )

    def outcome(self) -> Iterator[str]:
        """Yield what the outputs should be, and the cost."""
        last, base = len(self.tops) - 1, self.bottom(-1)
        written = f'text-anchor="middle" fill="{INK[self.look]}"'
        for j in to(self.worked.sizes[-1]):
            x = _short(self.centre(last, j))
            words = f"y = {self.number(y(j).name)}"
            yield f'<text x="{x}" y="{base + LINE - 2}" {written}>{words}</text>'
        yield (
            f'<text x="{_short(MARGIN + (WIDTH - MARGIN) / 2)}" y="{base + 2 * LINE}" {written} '
            f'font-weight="600">cost C = {self.number("C")}</text>'
        )


def alternative(worked: Worked, shown: str = ALL) -> str:
    """Return what the drawing shows, in a sentence."""
    sizes = "-".join(map(str, worked.sizes))
    return f"A network of {sizes} neurons: {shown}."


def _rows(worked: Worked) -> Iterator[list[list[tuple[Symbol, str]]]]:
    """Yield, layer by layer, the lines in each neuron: a symbol and its letter."""
    for layer, size in enumerate(worked.sizes):
        if layer == 0:
            yield [[(a(0, k), f"x{_below(k)}")] for k in to(size)]
        else:
            yield [
                [(b(layer, j), "b"), (z(layer, j), "z"), (a(layer, j), "a"), (delta(layer, j), "δ")]
                for j in to(size)
            ]


def _described(worked: Worked, number: Callable[[str], str]) -> str:
    """Return everything in the drawing in words, for those who cannot see it."""
    inputs = ", ".join(f"{a(0, k).name} = {number(a(0, k).name)}" for k in to(worked.sizes[0]))
    told = [f"Input: {inputs}."]
    for layer in to(len(worked.sizes) - 1):
        told.append(f"Layer {layer}, {worked.activation_of(layer)}:")
        for j in to(worked.sizes[layer]):
            names = [w(layer, j, k).name for k in to(worked.sizes[layer - 1])]
            names += [symbol(layer, j).name for symbol in (b, z, a, delta)]
            told.append(", ".join(f"{name} = {number(name)}" for name in names) + ".")
    aims = ", ".join(f"{y(j).name} = {number(y(j).name)}" for j in to(worked.sizes[-1]))
    told.append(f"It should be {aims}; the cost C = {number('C')}.")
    return " ".join(told)


def _breadth(text: str) -> float:
    """Return how broad a number is in letters' sizes, in DejaVu Sans, a broad typeface."""
    return sum({".": 0.32, "−": 0.84}.get(letter, 0.64) for letter in text)


def _below(number: int) -> str:
    return "₀₁₂₃₄₅₆₇₈₉"[number]


def _short(value: float) -> str:
    """Return a coordinate with at most two decimals."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
