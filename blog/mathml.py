"""A formula from LaTeX to MathML, which browsers set by themselves: no script, no font from afar.

latex2mathml does the translation. It takes what it does not know for text and leaves braces open,
so a formula is checked first, against names that it does know. What it gives is then brought to
MathML Core, the part of MathML that every browser sets, and only elements are passed on: text is
escaped where the page is written, never here.

Source: MathML Core, W3C Candidate Recommendation, https://www.w3.org/TR/mathml-core/
"""

from __future__ import annotations

import contextlib
import difflib
import re
import unicodedata
from xml.etree.ElementTree import Element

from latex2mathml.commands import FUNCTIONS, LIMIT
from latex2mathml.converter import MOVABLE_LIMIT_TEXTS, convert_to_element
from latex2mathml.symbols_parser import SYMBOLS

from blog.errors import BlogError


class BadFormula(BlogError):
    """A formula that cannot be set; the text says what in it, and what would work."""


# Beside letters, signs, functions and operators, which are many and taken from latex2mathml. Left
# out is what makes links, styles, scripts or new commands, and what MathML Core cannot show.
COMMANDS = re.findall(
    r"\\(?:[A-Za-z]+|.)",
    r"""
    \frac \dfrac \tfrac \binom \sqrt \left \middle \right \big \Big \bigl \bigr \Bigl \Bigr
    \mathrm \mathbf \mathbb \mathcal \mathfrak \mathit \mathscr \mathsf \mathtt \boldsymbol \bm
    \hat \bar \vec \tilde \dot \ddot \widehat \widetilde \overline \underline
    \overbrace \underbrace \overset \underset \stackrel \limits \nolimits \phantom
    \quad \qquad \, \: \> \; \! \  \\ \{ \} \| \% \# \$ \& \_
    """,
)
TEXT = ("text", "textbf", "textit", "textrm", "textsf", "texttt")
ENVIRONMENTS = {
    # latex2mathml knows only `split` of those whose lines stand under one another.
    **dict.fromkeys(("aligned", "align", "align*", "split"), "split"),
    **{name: name for name in ("array", "cases", "matrix", "smallmatrix")},
    **{name: name for name in ("bmatrix", "Bmatrix", "pmatrix", "vmatrix", "Vmatrix")},
}
KNOWN = set(COMMANDS).union(
    FUNCTIONS,
    LIMIT,
    MOVABLE_LIMIT_TEXTS,
    (
        name
        for name, code in SYMBOLS.items()
        if re.fullmatch(r"\\[A-Za-z]+", name) and not unicodedata.combining(chr(int(code, 16)))
    ),
) - {r"\intop", r"\idotsint"}
TOKEN = re.compile(
    rf"""\\(?P<edge>begin|end)\s*\{{(?P<environment>[^{{}}]*)\}}
    | \\(?:{"|".join(TEXT)})\s*\{{[^{{}}\\%$]*\}}
    | \\operatorname\*?\s*\{{[A-Za-z\s]+\}}
    | (?P<command>\\(?:[A-Za-z]+|.))(?P<length>\s*\[[^\]]*(?:pt|em|ex|mm|cm)\])?
    | (?P<sign>[{{}}&%#$])""",
    re.VERBOSE | re.DOTALL,
)

PARTS = {
    "mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2,
    "msubsup": 3, "munderover": 3,
}  # fmt: skip
# The rest of what latex2mathml writes means nothing in MathML Core.
ATTRIBUTES = {
    "accent", "columnalign", "displaystyle", "fence", "form", "height", "linethickness", "lspace",
    "maxsize", "minsize", "movablelimits", "rspace", "scriptlevel", "stretchy", "width",
}  # fmt: skip
STYLES = {
    "bold": "BOLD", "bold-italic": "BOLD ITALIC", "double-struck": "DOUBLE-STRUCK",
    "fraktur": "FRAKTUR", "monospace": "MONOSPACE", "sans-serif": "SANS-SERIF", "script": "SCRIPT",
}  # fmt: skip
SCRIPTS = {"msub": "munder", "msup": "mover", "msubsup": "munderover"}
LIMITS = {"∑", "∏", *(name[1:] for name in LIMIT)}
ORDINARY, OPERATORS = set("∞∅∂∇"), set("·:;")  # their Unicode category says otherwise
BARS, FENCES, ACCENTS = set("|‖"), set("|‖()[]{}"), set("^~¯→˙¨―")
THIN = "0.167em"


def mathml(latex: str, *, display: bool = False) -> Element:
    """Return the formula as a `math` element.

    Args:
        latex: the formula, without dollar signs around it.
        display: set on a line of its own, with limits under and over their signs.

    Raises:
        BadFormula: the formula is broken, or uses a command that is not known.
    """
    _check(latex)
    latex = re.sub(
        r"\\(begin|end)\s*\{([^{}]*)\}",
        lambda match: rf"\{match[1]}{{{ENVIRONMENTS[match[2]]}}}",
        latex,
    )
    try:
        math = convert_to_element(latex)
    except Exception as error:  # latex2mathml's own have no common base, and only a name
        words = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__.removesuffix("Error")).lower()
        raise BadFormula(f"it cannot be read: {words}.") from error
    _tidy(math)
    math.attrib = {"display": "block"} if display else {}
    return math


def _check(latex: str) -> None:
    """Raise BadFormula for what latex2mathml would pass over in silence."""
    if not latex.strip():
        raise BadFormula("it is empty.")
    opened: list[str] = []
    for match in TOKEN.finditer(latex):
        command, sign, environment = match["command"], match["sign"], match["environment"]
        if environment is not None:
            if environment not in ENVIRONMENTS:
                raise BadFormula(
                    rf"\begin{{{environment}}} is not known; known: {', '.join(ENVIRONMENTS)}."
                )
            if match["edge"] == "begin":
                opened.append(environment)
            elif not opened or opened.pop() != environment:
                raise BadFormula(rf"\end{{{environment}}} closes nothing that is open there.")
        elif sign == "{":
            opened.append("{")
        elif sign == "}":
            if not opened or opened.pop() != "{":
                raise BadFormula("a } closes nothing that is open there.")
        elif sign == "&" or command == r"\\":
            if not any(name in ENVIRONMENTS for name in opened):
                raise BadFormula(
                    rf"{sign or command} belongs between \begin{{aligned}} and \end{{aligned}}."
                )
            if match["length"]:
                raise BadFormula(rf"{match[0]}: \\ takes no length here.")
        elif sign:
            raise BadFormula(rf"{sign} by itself is not known; as a sign it is written \{sign}.")
        elif command and command not in KNOWN:
            raise BadFormula(_unknown(command))
    if opened:
        what = "{" if opened[-1] == "{" else rf"\begin{{{opened[-1]}}}"
        raise BadFormula(f"{what} is never closed.")


def _unknown(command: str) -> str:
    if command[1:] in TEXT:
        return (
            rf"{command}{{…}} holds words only: no braces, backslashes, dollar or per cent signs."
        )
    if command == r"\operatorname":
        return r"\operatorname{…} holds letters only; arg max is written \argmax."
    near = difflib.get_close_matches(command, KNOWN, n=1, cutoff=0.75)
    return f"{command} is not known." + (f" Did you mean {near[0]}?" if near else "")


def _tidy(element: Element) -> None:
    """Bring an element, and all in it, to MathML Core."""
    for child in element:
        _tidy(child)
    if len(element) != PARTS.get(element.tag, len(element)):
        raise BadFormula(r"a part is missing: \frac has two, and _ and ^ stand at something.")
    variant = element.attrib.get("mathvariant")
    given = element.text or ""
    text = re.sub("&#x([0-9A-Fa-f]+);", lambda match: chr(int(match[1], 16)), given)
    if text != given and len(text) == 1 and text.isascii() and text.isalpha():
        variant = "normal"  # so latex2mathml writes \mathrm{d}
    element.text = (_styled(text, STYLES[variant]) if variant in STYLES else text) or None
    element.attrib = {key: value for key, value in element.attrib.items() if key in ATTRIBUTES}
    if element.tag in ("mi", "mo"):
        _sort(element, upright=variant == "normal")
    elif element.attrib.get("width") == "negativethinmathspace":
        element.set("width", f"-{THIN}")
    elif element.tag in SCRIPTS and _limits(element[0]):
        element.tag = SCRIPTS[element.tag]
    elif element.tag in ("mover", "munder") and element[1].text in ACCENTS:
        element.set("accent" if element.tag == "mover" else "accentunder", "true")
        if element[1].text == "―":  # \overline, \underline
            element[1].text = "‾" if element.tag == "mover" else "_"
            element[1].attrib = {"stretchy": "true"}
    if element.tag in SCRIPTS or element.tag in SCRIPTS.values():
        for sign in (sign for script in element[1:] for sign in script.iter("mo")):
            sign.attrib = {"lspace": "0", "rspace": "0", **sign.attrib}  # n+1 is tight up there
    if element.tag not in PARTS:
        element[:] = _spaced(_joined(_fenced(list(element))))


def _sort(element: Element, *, upright: bool) -> None:
    """Make a sign what it is, a name or an operator, so that browsers space it as TeX does."""
    text = element.text or ""
    kind = unicodedata.category(text) if len(text) == 1 else ""
    if text in ORDINARY:
        element.tag, upright = "mi", True
    elif kind in ("Sm", "Ps", "Pe") or text in OPERATORS or text in BARS:
        if element.tag == "mi":
            element.text = "∼" if text == "~" else text
            if kind in ("Ps", "Pe"):
                element.set("stretchy", "false")
        element.tag = "mo"
    if element.tag == "mi" and upright:
        element.set("mathvariant", "normal")
    if element.tag == "mo" and text in BARS and not {"fence", "minsize"} & {*element.keys()}:
        element.attrib |= {"stretchy": "false", "lspace": "0", "rspace": "0"}
    elif text == "/":
        element.attrib |= {"lspace": "0", "rspace": "0"}


def _limits(base: Element) -> bool:
    """Whether what is written below and above the base belongs under and over it."""
    if base.tag != "mo" or (base.text not in LIMITS and "movablelimits" not in base.attrib):
        return False
    base.set("movablelimits", "true")  # at its side within a line of words
    return True


def _styled(text: str, style: str) -> str:
    """Return text in the letters that Unicode has for a style: 𝐱, ℝ, ℒ."""

    def styled(letter: str) -> str:
        name = unicodedata.name(letter, "").removeprefix("LATIN ").removeprefix("GREEK ")
        name = name.replace("LETTER ", "")
        # Some had a place of their own before the rest came.
        for whole in (f"{style} {name}", f"MATHEMATICAL {style} {name}"):
            with contextlib.suppress(KeyError):
                return unicodedata.lookup(whole.replace("FRAKTUR C", "BLACK-LETTER C"))
        return letter

    return "".join(map(styled, text))


def _fenced(row: list[Element]) -> list[Element]:
    """Put each matrix into a row with its fences alone, since they grow as tall as their row."""
    grouped: list[Element] = []
    while row:
        first, *rest = row
        if len(rest) > 1 and rest[0].tag == "mtable" and _fence(first) and _fence(rest[1]):
            whole = Element("mrow")
            whole.extend(row[:3])
            for side, form in ((first, "prefix"), (rest[1], "postfix")):
                side.attrib = {"fence": "true", "stretchy": "true", "form": form}
            grouped.append(whole)
            row = row[3:]
        else:
            grouped.append(first)
            row = rest
    return grouped


def _fence(element: Element) -> bool:
    return element.tag == "mo" and element.text in FENCES


def _joined(row: list[Element]) -> list[Element]:
    """Make one name of upright letters side by side, which come one by one."""
    joined: list[Element] = []
    for child in row:
        before = joined[-1] if joined else Element("none")
        if all(part.tag == "mi" and "mathvariant" in part.attrib for part in (before, child)):
            before.text = f"{before.text}{child.text}"
        else:
            joined.append(child)
    for child in joined:
        if child.tag == "mi" and len(child.text or "") > 1:
            child.attrib.pop("mathvariant", None)  # several letters are upright as it is
    return joined


def _spaced(row: list[Element]) -> list[Element]:
    """Set log, max and the like off from what they are applied to; set signs close to numbers."""
    spaced: list[Element] = []
    for child in row:
        before = _edge(spaced[-1], -1) if spaced else Element("mo")
        after = _edge(child, 0)
        if (_function(before) or _function(after)) and _full(before, "Pe") and _full(after, ""):
            spaced.append(Element("mspace", width=THIN))
        if _function(after) and after.tag == "mo":
            after.attrib |= {"lspace": "0", "rspace": "0"}
        if child.text in ("+", "−", "±") and not (_full(before, "Pe") or _closing(spaced)):
            child.set("form", "prefix")  # of a number, not between two
        spaced.append(child)
    return spaced


def _closing(row: list[Element]) -> bool:
    """Whether a row ends with a bar that closes: every second one does, where none says so."""
    edges = [_edge(element, -1) for element in row]
    if not edges or edges[-1].text not in BARS:
        return False
    bars = sum(edge.text in BARS for edge in edges)
    return edges[-1].get("form") == "postfix" or bars % 2 == 0


def _edge(element: Element, side: int) -> Element:
    """Return what stands first (side 0) or last (-1) on the line."""
    while len(element) and (
        element.tag == "mrow" or (element.tag in PARTS and element.tag != "mfrac")
    ):
        element = element[side if element.tag == "mrow" else 0]
    return element


def _function(element: Element) -> bool:
    name = (element.text or "").replace("\u2009", "")
    written = name.isalpha() and len(name) > 1
    return written and (element.tag == "mo" or (element.tag == "mi" and rf"\{name}" in FUNCTIONS))


def _full(element: Element, kinds: str) -> bool:
    """Whether it is no operator, or one of these Unicode categories."""
    text = element.text or ""
    kind = unicodedata.category(text) if len(text) == 1 else "none"
    return _function(element) or element.tag not in ("mo", "mspace") or kind in kinds.split()
