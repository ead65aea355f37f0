"""What became of one point: ok, missing or not applicable, with what was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["ok", "missing", "not applicable"]


@dataclass(frozen=True)
class Outcome:
    """One point's outcome."""

    kind: Kind
    saw: str  # one short line
    next: str = ""  # where it is missing: what to do, with file, heading or command


def ok(saw: str) -> Outcome:
    """The point is met."""
    return Outcome("ok", saw)


def missing(saw: str, then: str) -> Outcome:
    """The point is not met; `then` says what to do next."""
    return Outcome("missing", saw, then)


def not_applicable(why: str) -> Outcome:
    """The point asks for something that this project cannot have."""
    return Outcome("not applicable", why)


def listed(items: list[str], most: int = 3) -> str:
    """Return "a, b, c and 2 more"."""
    shown = ", ".join(items[:most])
    return f"{shown} and {len(items) - most} more" if len(items) > most else shown


def counted(number: int, word: str) -> str:
    """Return "1 seed" or "5 seeds"; a word in -is becomes one in -es."""
    if number == 1:
        return f"1 {word}"
    return f"{number:,} {word[:-2]}es" if word.endswith("is") else f"{number:,} {word}s"
