"""A worked example of backpropagation as text for a terminal and as Markdown for a post."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from itertools import groupby

from models.backprop.derivation import b, to, w
from models.backprop.diagram import ALL, SOME, alternative
from models.backprop.example import Step, Worked
from models.backprop.formula import in_latex, is_exact, rounded

# How Folio knows a page that it may write anew.
MARK = "<!-- made by `folio backprop` -->"
TITLES = {
    "forward": "Forward",
    "cost": "Cost",
    "BP1": "Error of the output layer (BP1)",
    "BP2": "Error of the hidden layers, from the last to the first (BP2)",
    "BP3": "Gradient of the biases (BP3)",
    "BP4": "Gradient of the weights (BP4)",
    "update": "One step of gradient descent",
}
MEANING = {
    "sigmoid": ("σ(z) = 1/(1 + e^(-z))", r"\sigma(z) = \frac{1}{1 + e^{-z}}"),
    "relu": ("relu(z) = max(0, z)", r"\mathrm{relu}(z) = \max(0, z)"),
    "softmax": (
        "e^z_j / (sum over k of e^z_k)",
        r"\mathrm{softmax}(z)_j = \frac{e^{z_j}}{\sum_k e^{z_k}}",
    ),
}
SYMBOL = {
    "sigmoid": ("σ", r"\sigma"),
    "tanh": ("tanh", r"\tanh"),
    "relu": ("relu", r"\mathrm{relu}"),
}
ANSWERING = (
    "Fill in the blanks, in order: each may need the ones before it. Give at least three digits "
    "that count."
)
BLANK = "&nbsp;" * 12
ON_ONE_LINE = 34  # letters of a formula and its numbers that stand side by side on a phone
ROUNDING = "Shown with 4 significant digits (≈ where that rounds), calculated with all of them."
NOTATION = (
    "Layer 0 is the input; w^l_jk is the weight from neuron k of layer l-1 to neuron j of layer l."
)
NOTATION_LATEX = (
    "Layer 0 is the input; $w^{l}_{jk}$ is the weight from neuron $k$ of layer $l-1$ to neuron "
    "$j$ of layer $l$."
)


def rules(worked: Worked) -> dict[str, tuple[str, str]]:
    """Return the general formula of each part, as text and as LaTeX."""
    hidden = SYMBOL.get(worked.activation, ("f", "f"))
    head = SYMBOL.get(worked.head, ("f", "f"))
    both = head if len(worked.sizes) == 2 or worked.head == worked.activation else ("f", "f")
    difference = ("a^L_j - y_j", r"a^{L}_{j} - y_{j}")
    if worked.cost == "quadratic":
        cost = ("C = ½ sum_j (y_j - a^L_j)²", r"C = \tfrac{1}{2} \sum_j (y_{j} - a^{L}_{j})^2")
        error = difference
        if worked.head != "linear":
            error = (
                f"({error[0]})·{head[0]}'(z^L_j)",
                rf"({error[1]}) \, {head[1]}'(z^{{L}}_{{j}})",
            )
    elif worked.head == "softmax":
        cost = ("C = -sum_j y_j·ln(a^L_j)", r"C = -\sum_j y_{j} \ln(a^{L}_{j})")
        error = difference
    else:
        cost = (
            "C = -sum_j [y_j·ln(a^L_j) + (1 - y_j)·ln(1 - a^L_j)]",
            r"C = -\sum_j \left[ y_{j} \ln(a^{L}_{j}) + (1 - y_{j}) \ln(1 - a^{L}_{j}) \right]",
        )
        error = difference
    back = (
        "(sum_k w^(l+1)_kj·δ^(l+1)_k)",
        r"\left( \sum_k w^{l+1}_{kj} \, \delta^{l+1}_{k} \right)",
    )
    if worked.activation != "linear":
        back = (back[0] + f"·{hidden[0]}'(z^l_j)", back[1] + rf" {hidden[1]}'(z^{{l}}_{{j}})")
    return {
        "forward": (
            f"z^l_j = sum_k w^l_jk·a^(l-1)_k + b^l_j,  a^l_j = {both[0]}(z^l_j),  a^0 = x",
            r"z^{l}_{j} = \sum_k w^{l}_{jk} \, a^{l-1}_{k} + b^{l}_{j}, \quad "
            rf"a^{{l}}_{{j}} = {both[1]}(z^{{l}}_{{j}}), \quad a^{{0}} = x",
        ),
        "cost": cost,
        "BP1": (f"δ^L_j = {error[0]}", rf"\delta^{{L}}_{{j}} = {error[1]}"),
        "BP2": (f"δ^l_j = {back[0]}", rf"\delta^{{l}}_{{j}} = {back[1]}"),
        "BP3": (
            "∂C/∂b^l_j = δ^l_j",
            r"\frac{\partial C}{\partial b^{l}_{j}} = \delta^{l}_{j}",
        ),
        "BP4": (
            "∂C/∂w^l_jk = a^(l-1)_k·δ^l_j",
            r"\frac{\partial C}{\partial w^{l}_{jk}} = a^{l-1}_{k} \, \delta^{l}_{j}",
        ),
        "update": (
            "new w = w - η·∂C/∂w,  new b = b - η·∂C/∂b",
            r"w^{\text{new}} = w - \eta \, \frac{\partial C}{\partial w}, \quad "
            r"b^{\text{new}} = b - \eta \, \frac{\partial C}{\partial b}",
        ),
    }


def title(worked: Worked) -> str:
    """Return what is worked out, in a line."""
    return f"Backpropagation by hand: a network of {'-'.join(map(str, worked.sizes))} neurons"


def setting(worked: Worked, eta: str = "η = {}") -> str:
    """Return the activations, the cost and the learning rate, in a sentence."""
    layers = f"output layer {worked.head}"
    if len(worked.sizes) > 2:
        layers = f"hidden layers {worked.activation}, {layers}"
    rate = eta.format(f"{worked.given['eta']:.10g}")
    return _capital(f"{layers}; {worked.cost.replace('_', '-')} cost; learning rate {rate}.")


def text(worked: Worked, width: int = 80) -> str:
    """Return the example for a terminal of `width` columns; what does not fit is stacked."""
    width = max(width, 30)
    lines = [*_filled(title(worked), width), "", *_filled(setting(worked), width)]
    for name in _explained(worked):
        lines += _filled(f"{name}: {MEANING[name][0]}", width)
    lines += ["", *_filled(NOTATION, width), "", *_filled(ROUNDING, width), "", "Given"]
    cells = [f"{name} = {value:.10g}" for name, value in worked.given.items() if name != "eta"]
    for _, group in groupby(cells, key=lambda cell: cell.split("_")[0]):
        lines += _cells(list(group), width)
    general = rules(worked)
    for part, steps in groupby(worked.steps, key=lambda step: step.part):
        lines += ["", *_filled(TITLES[part], width)]
        lines += _filled(general[part][0], width, indent="  ")
        lines.append("")
        lines += _rows(list(steps), width)
    return "\n".join(lines) + "\n"


def markdown(worked: Worked, diagram: str = "") -> str:
    """Return the example as Markdown: headings of the second and third order, math in LaTeX."""
    blocks = [MARK, f"## {title(worked)}", opening(worked)]
    if diagram:
        blocks.append(drawing(worked, diagram))
    blocks += ["### Given", given(worked)]
    general = rules(worked)
    for part, steps in groupby(worked.steps, key=lambda step: step.part):
        blocks += [f"### {TITLES[part]}", display(general[part][1]), aligned(list(steps))]
    blocks.append(ROUNDING)
    return "\n\n".join(blocks) + "\n"


def exercise(
    worked: Worked, blanks: Sequence[str], hidden: Collection[str], diagram: str = ""
) -> str:
    """Return an exercise sheet as Markdown: what is known, and a numbered blank for each name.

    Nothing that is `hidden` is shown.
    """
    blocks = [f"## {title(worked)}", opening(worked), ANSWERING]
    if diagram:
        blocks.append(drawing(worked, diagram, SOME))
    blocks += ["### Given", given(worked)]
    general = rules(worked)
    for part, group in groupby(worked.steps, key=lambda step: step.part):
        steps = list(group)
        shown = [step for step in steps if step.name not in hidden]
        asked = [step for step in steps if step.name in blanks]
        if not shown and not asked:
            continue
        blocks += [f"### {TITLES[part]}", display(general[part][1])]
        if shown:
            blocks.append(aligned(shown))
        if asked:
            rows = ["| number | quantity | answer |", "|---:|:---|:---|"]
            rows += [
                f"| {blanks.index(step.name) + 1} | ${step.latex}$ | {BLANK} |" for step in asked
            ]
            blocks.append("\n".join(rows))
    return "\n\n".join(blocks) + "\n"


def opening(worked: Worked) -> str:
    """Return what the network is and how its numbers are named, as Markdown."""
    meanings = [f"${MEANING[name][1]}$." for name in _explained(worked)]
    return "\n".join([setting(worked, r"$\eta = {}$"), *meanings, NOTATION_LATEX])


def drawing(worked: Worked, diagram: str, shown: str = ALL) -> str:
    """Return the Markdown that shows the drawing in the page's colours."""
    words = alternative(worked, shown)
    return "\n".join(f"![{words}]({diagram}.{look}.svg#only-{look})" for look in ("light", "dark"))


def given(worked: Worked) -> str:
    """Return the numbers known from the start as Markdown: example, weights, biases."""

    def matrix(rows: list[list[str]]) -> str:
        lines = [
            " & ".join(in_latex(f"{worked.given[name]:.10g}") for name in names) for names in rows
        ]
        return r"\begin{pmatrix} " + r" \\ ".join(lines) + r" \end{pmatrix}"

    x = matrix([[f"x_{k}"] for k in to(worked.sizes[0])])
    aim = matrix([[f"y_{j}"] for j in to(worked.sizes[-1])])
    blocks = [display(rf"x = {x}, \quad y = {aim}")]
    for layer in to(len(worked.sizes) - 1):
        neurons, before = to(worked.sizes[layer]), to(worked.sizes[layer - 1])
        weights = matrix([[w(layer, j, k).name for k in before] for j in neurons])
        biases = matrix([[b(layer, j).name] for j in neurons])
        blocks.append(display(rf"w^{{{layer}}} = {weights}, \quad b^{{{layer}}} = {biases}"))
    return "\n\n".join(blocks)


def display(formula: str) -> str:
    """Return a formula in a paragraph of its own."""
    return f"$$\n{formula}\n$$"


def aligned(steps: list[Step]) -> str:
    """Return steps one below the other; a long one has its numbers on a second line."""
    lines = []
    for step in steps:
        value = in_latex(rounded(step.value))
        sign = "=" if is_exact(step.value) else r"\approx"
        numbers = "" if step.latex_numbers == value else f"= {step.latex_numbers} "
        letters = len(step.plain + step.symbols) + len(step.numbers) * bool(numbers)
        between = "" if letters <= ON_ONE_LINE else r"\\" + "\n&"
        lines.append(f"{step.latex} &= {step.latex_symbols} {between}{numbers}{sign} {value}")
    return display(r"\begin{aligned}" + "\n" + " \\\\\n".join(lines) + "\n" + r"\end{aligned}")


def _rows(steps: list[Step], width: int) -> list[str]:
    """Return a part's steps: those of a kind in columns if they fit, else one below the other."""
    name = max(len(step.plain) for step in steps)
    lines = []
    for _, group in groupby(steps, key=lambda step: step.kind):
        rows = []
        for step in group:
            value = rounded(step.value)
            numbers = "" if step.numbers == value else step.numbers
            sign = "=" if is_exact(step.value) else "≈"
            rows.append((f"  {step.plain:>{name}}", step.symbols, numbers, f"{sign} {value}"))
        columns = _columns(rows)
        if max(map(len, columns)) <= width:
            lines += columns
            continue
        for start, symbols, numbers, value in rows:
            lines += _broken(f"{start} = ", symbols, width)
            lines += _broken(" " * len(start) + " = ", numbers, width) if numbers else []
            lines.append(" " * len(start) + f" {value}")
    return lines


def _columns(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Return each row on one line, its parts under those of the others."""
    symbols, numbers = (max(len(row[column]) for row in rows) for column in (1, 2))
    lines = []
    for row in rows:
        middle = f"= {row[2]:<{numbers}} " if row[2] else " " * (numbers + 3 if numbers else 0)
        lines.append(f"{row[0]} = {row[1]:<{symbols}} {middle}{row[3]}")
    return lines


def _broken(start: str, formula: str, width: int) -> list[str]:
    """Return a formula on as many lines as it takes, broken in front of its + and -."""
    lines, line = [], start
    terms = formula.replace(" + ", "\0+ ").replace(" - ", "\0- ").split("\0")
    for number, term in enumerate(terms):
        if number and len(line) + 1 + len(term) > width:
            lines.append(line)
            line = " " * len(start) + term
        else:
            line += (" " if number else "") + term
    return [*lines, line]


def _cells(cells: list[str], width: int) -> list[str]:
    """Return short texts side by side, in columns of the same width."""
    broad = max(map(len, cells)) + 3
    count = max(1, (width - 2) // broad)
    rows = (cells[start : start + count] for start in range(0, len(cells), count))
    return ["  " + "".join(f"{cell:<{broad}}" for cell in row).rstrip() for row in rows]


def _explained(worked: Worked) -> list[str]:
    """Return the names of the activations whose formula needs saying."""
    names = dict.fromkeys([worked.activation, worked.head][-(len(worked.sizes) - 1) :])
    return [name for name in names if name in MEANING]


def _filled(words: str, width: int, indent: str = "") -> list[str]:
    lines = textwrap.wrap(
        words.replace(" = ", "\xa0=\xa0"),
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
    )
    return [line.replace("\xa0", " ") for line in lines]


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
