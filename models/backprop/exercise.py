"""Exercise sheets on backpropagation: steps with blanks, and a checker of a person's answers.

An answer counts as right if it agrees as far as its digits go and has enough of them to tell. One
that is wrong, but follows from an earlier wrong answer, is not held against the person.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from models.backprop.example import Step, Worked
from models.backprop.mistakes import typical
from models.errors import BadOption, unknown

GROUPS = {
    "forward": ("z", "a", "cost"),
    "deltas": ("slope", "delta"),
    "gradients": ("nabla_b", "nabla_w"),
    "update": ("new",),
}
VERDICTS = ("right", "wrong", "carried", "coarse", "unreadable", "missing")


@dataclass(frozen=True)
class Sheet:
    """An exercise without its solution."""

    worked: Worked
    blanks: tuple[str, ...]
    """Names of the steps left blank; the first is number 1 on the sheet."""
    markdown: str
    template: str
    """CSV to fill in: number, name, answer; it begins with the given numbers."""

    @property
    def hidden(self) -> tuple[str, ...]:
        """Names of what may not be shown: the blanks, and all that depends on them."""
        return hidden(self.worked, self.blanks)


@dataclass(frozen=True)
class Answer:
    """What became of one blank."""

    number: int
    name: str
    given: str
    """As the person wrote it; empty if nothing was."""
    verdict: str
    """One of VERDICTS. "carried": wrong, but it follows from earlier wrong answers; "coarse":
    right so far as it goes, with too few digits to tell."""
    because: tuple[str, ...] = ()
    """For "carried": the wrong answers that it comes from."""
    hint: str = ""
    """The typical mistake that leads to this answer, where one does."""


@dataclass(frozen=True)
class Report:
    """The verdict on every blank; never the right values."""

    answers: tuple[Answer, ...]

    def count(self, verdict: str) -> int:
        """Return how many answers have that verdict."""
        if verdict not in VERDICTS:
            raise unknown("verdict", verdict, VERDICTS)
        return sum(answer.verdict == verdict for answer in self.answers)

    @property
    def all_right(self) -> bool:
        """Whether every blank has its right answer."""
        return self.count("right") == len(self.answers)

    @property
    def faults(self) -> tuple[str, ...]:
        """Names of the steps where the person went wrong, without what only followed from them."""
        faulty = ("wrong", "coarse", "unreadable")
        return tuple(answer.name for answer in self.answers if answer.verdict in faulty)

    def text(self) -> str:
        """Return a line for each blank and the sum of it, for a terminal."""
        lines = []
        broad = max((len(answer.name) for answer in self.answers), default=0)
        written = max((len(answer.given) for answer in self.answers), default=0)
        for answer in self.answers:
            start = f"({answer.number})".rjust(5)
            line = f"{start} {answer.name:<{broad}}  {answer.given:<{written}}  {_said(answer)}"
            lines.append(line.rstrip())
        counts = [(verdict, self.count(verdict)) for verdict in VERDICTS]
        names = {"carried": "carried over", "coarse": "too coarse"}
        told = ", ".join(f"{n} {names.get(verdict, verdict)}" for verdict, n in counts if n)
        lines += ["", f"{len(self.answers)} blanks: {told}."]
        if self.faults:
            lines.append(f"Where it went wrong: {', '.join(self.faults)}.")
        elif self.count("missing"):
            lines.append("Nothing is wrong so far.")
        return "\n".join(lines) + "\n"


def sheet(worked: Worked, blanks: str | Sequence[str] = "all", diagram: str = "") -> Sheet:
    """Return an exercise: the steps of `worked`, some of them blank.

    Args:
        worked: the example.
        blanks: "all", or one or several of "forward" (z, a and C), "deltas" (with σ'),
            "gradients" and "update". What comes before them is shown worked out; what would give
            them away is left out.
        diagram: name of a drawing beside the sheet, without its ending, as in `Worked.markdown`;
            drawn with `worked.svg(hidden=sheet.hidden)`.

    Raises:
        BadOption: blanks that are none of these.
    """
    from models.backprop import answers, handout

    asked = [blanks] if isinstance(blanks, str) else list(blanks)
    for name in asked:
        if name != "all" and name not in GROUPS:
            raise unknown("blanks", name, ["all", *GROUPS])
    if not asked:
        raise BadOption(f"blanks must name what is asked: all, {', '.join(GROUPS)}.")
    chosen = list(GROUPS) if "all" in asked else asked
    kinds = {kind for group in chosen for kind in GROUPS[group]}
    names = tuple(step.name for step in worked.steps if step.kind in kinds)
    text = handout.exercise(worked, names, hidden(worked, names), diagram)
    return Sheet(worked, names, text, answers.template(worked, names))


def hidden(worked: Worked, blanks: Sequence[str]) -> tuple[str, ...]:
    """Return the names of what a sheet with these blanks may not show."""
    kept: set[str] = set()
    for step in worked.steps:
        if step.name in blanks or kept.intersection(step.depends_on):
            kept.add(step.name)
    return tuple(step.name for step in worked.steps if step.name in kept)


def check(
    of: Sheet | Worked, answers: Mapping[str, str | float], blanks: Sequence[str] | None = None
) -> Report:
    """Return what is right, what is wrong and where, for answers by the steps' names.

    Numbers may be texts with a decimal point or comma, and need not have more digits than a person
    would write. `blanks` says which steps of a worked example were asked; left out, all of them.

    Raises:
        BadOption: an answer to something that is not asked.
    """
    worked = of.worked if isinstance(of, Sheet) else of
    if blanks is None:
        blanks = of.blanks if isinstance(of, Sheet) else [step.name for step in of.steps]
    for name in answers:
        if name not in blanks:
            raise unknown("blank", name, blanks)
    return Report(tuple(_checked(worked, blanks, answers)))


@dataclass(frozen=True)
class _Written:
    """A number as a person wrote it, and a unit of its last digit."""

    value: float
    unit: float


def _checked(
    worked: Worked, blanks: Sequence[str], answers: Mapping[str, str | float]
) -> Iterator[Answer]:
    """Go through the steps with two sets of values at hand: the true ones, and the person's."""
    true = worked.values
    theirs = dict(worked.given)  # what the person goes on from; of a blank left out, what follows
    roots: dict[str, tuple[str, ...]] = {}  # the wrong answers that a value comes from
    for step in worked.steps:
        name = step.name
        inherited = tuple(dict.fromkeys(r for d in step.depends_on for r in roots.get(d, ())))
        follows = step.formula.value(theirs)
        if name not in blanks:
            theirs[name] = follows if inherited else true[name]
            roots[name] = inherited
            continue
        number = list(blanks).index(name) + 1
        text = str(answers.get(name, "")).strip()
        written = read_number(text)
        if written is None:
            verdict = "unreadable" if text else "missing"
            theirs[name], roots[name] = follows, inherited
            yield Answer(number, name, text, verdict)
            continue

        # With the person's values only where they are wrong; the others' rounding adds some slack.
        used = {n: theirs[n] if roots.get(n) else true[n] for n in step.formula.names()}
        expected = step.formula.value(used)
        drift = sum(
            abs(step.formula.value({**used, n: theirs[n]}) - expected)
            for n in used
            if not roots.get(n)
        )
        theirs[name] = written.value
        slack = written.unit + drift
        if _near(written.value, true[name], written.unit if inherited else slack):
            coarse = _coarse(written, true[name], drift) or _unmoved(step, written, true)
            roots[name] = (name,) if coarse else ()
            yield Answer(number, name, text, "coarse" if coarse else "right")
        elif inherited and _near(written.value, expected, slack):
            coarse = _coarse(written, expected, drift)
            roots[name] = (*inherited, name) if coarse else inherited
            yield Answer(number, name, text, "coarse" if coarse else "carried", inherited)
        else:
            mixed = true | {n: value for n, value in theirs.items() if roots.get(n)}
            hint = _hint(worked, step, written, [mixed, true])
            roots[name] = (name,)
            yield Answer(number, name, text, "wrong", hint=hint)


def _hint(worked: Worked, step: Step, written: _Written, settings: list[dict[str, float]]) -> str:
    """Return the typical mistake that comes nearest to the answer; "" where none fits."""
    if written.unit > 0.1 * abs(written.value):
        return ""  # one digit fits anything
    for values in settings:
        fits = []
        for hint, formula in typical(worked, step):
            value = formula.value(values)
            if _near(written.value, value, written.unit):
                fits.append((abs(written.value - value), hint))
        if fits:
            closest = min(distance for distance, _ in fits)
            return next(hint for distance, hint in fits if distance <= closest * 1.001 + 1e-12)
    return ""


def read_number(text: str) -> _Written | None:
    """Return a number as people write it: 0.42, 0,42, −.5, 1.2e-3; None if it is none."""
    plain = text.strip().lstrip("=≈").strip().replace("−", "-").replace(" ", "")
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", plain, re.IGNORECASE):
        return None
    try:
        number = Decimal(plain)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    value = float(number)
    if not isinstance(exponent, int) or not math.isfinite(value):
        return None
    return _Written(value, float(f"1e{exponent}"))


def _near(value: float, wanted: float, slack: float) -> bool:
    """Whether two numbers agree within the slack, apart from the computer's own rounding."""
    return abs(value - wanted) <= slack * 1.0001 + 1e-9 * abs(wanted) + 1e-13


def _coarse(written: _Written, wanted: float, drift: float) -> bool:
    """Whether too few digits were given to tell; zeros at the end may have been left out."""
    off = abs(written.value - wanted) - drift
    return written.unit > 0.1 * abs(wanted) and off > 0.01 * abs(wanted) + 1e-13


def _unmoved(step: Step, written: _Written, true: Mapping[str, float]) -> bool:
    """Whether a new weight has so few digits that it cannot be told from the old one."""
    if step.kind != "new":
        return False
    old = true[step.name.removeprefix("new_")]
    return written.value == old and float(f"{true[step.name]:.3g}") != old


def _said(answer: Answer) -> str:
    """Return the verdict in words."""
    if answer.verdict == "wrong":
        return f"wrong: {answer.hint}" if answer.hint else "wrong, at this step"
    return {
        "right": "right",
        "carried": f"follows from {' and '.join(answer.because)}; this step itself is right",
        "coarse": "too few digits to tell: give at least three that count",
        "unreadable": "not a number: write it as 0.42 or 0,42",
        "missing": "missing",
    }[answer.verdict]
