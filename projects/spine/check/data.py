"""What an expression of project.py holds: rows of which parts, under which keys."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

PARTS = ("train", "validation", "test")
WHOLE = "whole"  # the table before it was split
SOME = "some"  # rows picked from the whole table, by a rule that is not looked into
UNSURE = "unsure"  # one part or another
FUNCTION = "function"  # of what is made: a function inside another one
HELD_OUT = frozenset({"test", "validation", UNSURE})


@dataclass(frozen=True)
class Data:
    """What an expression holds."""

    labels: frozenset[str] = frozenset()
    inside: tuple[tuple[Any, Data], ...] = ()  # by key or place
    each: Data | None = None  # the same for every key or place
    keyed: bool = False  # going through it gives keys: a dict
    constant: Any = None  # a text or number that is written out
    statistic: bool = False  # a mean, a deviation or the like of its rows
    made: str = ""  # of which class
    scaled: frozenset[tuple[int, str, str]] = frozenset()  # (line, how, label of the statistic)

    def rows(self) -> frozenset[str]:
        """All labels, those of what is inside too."""
        found = set(self.labels)
        for part in self.parts():
            found |= part.rows()
        return frozenset(found)

    def suspects(self) -> frozenset[tuple[int, str, str]]:
        """Every scaling by a statistic of rows that training must not know."""
        found = set(self.scaled)
        for part in self.parts():
            found |= part.suspects()
        return frozenset(found)

    def parts(self) -> list[Data]:
        """What stands inside."""
        return [value for _, value in self.inside] + ([self.each] if self.each else [])

    def at(self, key: Any) -> Data | None:
        """What stands under a key that is known."""
        return next((value for known, value in self.inside if known == key), None)


NOTHING = Data()
SPLIT = Data(inside=tuple((part, Data(frozenset({part}))) for part in PARTS), keyed=True)


def flat(*values: Data) -> Data:
    """One value made from several, of which nothing but their rows is known."""
    labels = frozenset().union(*(value.rows() for value in values))
    return Data(labels, scaled=frozenset().union(*(value.suspects() for value in values)))


def join(values: Iterable[Data]) -> Data:
    """What is one of several values, depending on which way was taken."""
    found: Data | None = None
    for value in values:
        found = value if found is None else merged(found, value)
    return found or NOTHING


def merged(a: Data, b: Data) -> Data:
    """What is one of two values."""
    if a == b:
        return a
    keys = dict.fromkeys(key for key, _ in (*a.inside, *b.inside))
    eaches = [each for each in (a.each, b.each) if each]
    return Data(
        labels=a.labels | b.labels,
        inside=tuple((k, join(v for v in (a.at(k), b.at(k)) if v)) for k in keys),
        each=join(eaches) if eaches else None,
        keyed=a.keyed or b.keyed,
        constant=a.constant if a.constant == b.constant else None,
        statistic=a.statistic and b.statistic,
        made=a.made if a.made == b.made else "",
        scaled=a.scaled | b.scaled,
    )


def sequence(values: Iterable[Data]) -> Data:
    """A list or tuple."""
    return Data(inside=tuple(enumerate(values)))


def elements(value: Data) -> tuple[list[Data], bool]:
    """What going through a value gives, and whether that is all of it, in order."""
    if value.inside:
        if value.keyed:
            return [Data(constant=key) for key, _ in value.inside], True
        return [part for _, part in value.inside], True
    if value.each:
        return [NOTHING if value.keyed else value.each], False
    return [replace(value, constant=None)], False


def scaled(made: Data, data: Data, others: list[Data], op: ast.operator | None, line: int) -> Data:
    """Add to a value that it was shifted or divided by a statistic of rows held back."""
    fits = op is None or isinstance(op, ast.Sub | ast.Div)
    if not fits or data.statistic or not data.rows():
        return made
    found = {
        (line, "a mean, a deviation or the like", label)
        for other in others
        if other.statistic
        for label in other.rows() & {"test", "validation", WHOLE}
    }
    return replace(made, scaled=made.scaled | found)
