"""A teacher's file: which points count, how much, and what they ask for at least.

    title = "Deep learning, winter 2026"
    count = [1, 2, 3, 4, 5, 6]      # or leave_out = [19]; without either, all twenty

    [weight]                        # one without a weight counts once
    5 = 2

    [least]
    seeds = 5                       # point 6
    sealed_by = 2026-12-01          # point 1

It is TOML: https://toml.io
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from projects.spine.check import NUMBERS
from projects.spine.errors import BadUsage
from projects.spine.project import did_you_mean

KEYS = ("title", "count", "leave_out", "weight", "least")
# What can be asked for, of which kind, and the point that it raises.
LEAST: dict[str, tuple[type, int]] = {
    "sealed_by": (datetime.date, 1),
    "hypotheses": (int, 2),
    "seeds": (int, 6),
    "due": (datetime.date, 18),
    "sources": (int, 20),
    "words": (int, 20),
}


@dataclass(frozen=True)
class Wanted:
    """What counts; without a teacher's file, every point once."""

    title: str = ""
    points: tuple[int, ...] = NUMBERS
    weights: Mapping[int, float] = field(default_factory=dict)
    least: Mapping[str, Any] = field(default_factory=dict)

    def weight(self, number: int) -> float:
        """Return how much a point counts; 0 where it does not."""
        return self.weights.get(number, 1) if number in self.points else 0


def read(file: Path) -> Wanted:
    """Return what a teacher's file asks for; BadUsage names the mistake in it."""
    try:
        told = tomllib.loads(file.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise BadUsage(f"--points {file}: it cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError as error:
        raise BadUsage(f"{file}: byte {error.start} is no UTF-8; save it as UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise BadUsage(
            f"{file}: {error}. It is TOML, such as\n  count = [1, 2, 5]\n  [least]\n  seeds = 5"
        ) from None
    for key in told:
        if key not in KEYS:
            moved = f" It belongs below [least]: {key} = …" if key in LEAST else ""
            raise BadUsage(
                f"{file}: `{key}` is no key here.{moved or did_you_mean(key, KEYS)} "
                f"Keys: {', '.join(KEYS)}."
            )
    title = told.get("title", "")
    if not isinstance(title, str):
        raise BadUsage(f"{file}: `title` is {title!r}; it takes text in quotes.")
    points = _points(file, told)
    weights = _weights(file, told, points)
    return Wanted(title, points, weights, _least(file, told, points))


def _points(file: Path, told: dict[str, Any]) -> tuple[int, ...]:
    if "count" in told and "leave_out" in told:
        raise BadUsage(f"{file}: say which points `count` or which to `leave_out`, not both.")
    for key in ("count", "leave_out"):
        given = told.get(key, [])
        whole = isinstance(given, list) and all(type(number) is int for number in given)
        if not whole or (key in told and not given):
            raise BadUsage(f"{file}: `{key}` is {given!r}; it takes points, such as [1, 2, 5].")
        if odd := [number for number in given if number not in NUMBERS]:
            raise BadUsage(f"{file}: `{key}`: there is no point {odd[0]}; they are 1 to 20.")
        if twice := [number for number in given if given.count(number) > 1]:
            raise BadUsage(f"{file}: `{key}` names point {twice[0]} twice.")
    left_out = told.get("leave_out", [])
    points = tuple(sorted(told.get("count", [n for n in NUMBERS if n not in left_out])))
    if not points:
        raise BadUsage(f"{file}: `leave_out` leaves no point to count.")
    return points


def _weights(file: Path, told: dict[str, Any], points: tuple[int, ...]) -> dict[int, float]:
    given = told.get("weight", {})
    if not isinstance(given, dict):
        raise BadUsage(f"{file}: `weight` is {given!r}; it takes lines below [weight]: 5 = 2")
    weights = {}
    for key, weight in given.items():
        if not key.isdigit() or int(key) not in NUMBERS:
            raise BadUsage(f"{file}: [weight]: there is no point {key}; they are 1 to 20.")
        if int(key) not in points:
            raise BadUsage(f"{file}: [weight]: point {key} has a weight and does not count.")
        if type(weight) not in (int, float) or not 0 < weight < 1000:
            raise BadUsage(f"{file}: [weight]: {key} = {weight!r}; it takes a number above 0.")
        weights[int(key)] = weight
    return weights


def _least(file: Path, told: dict[str, Any], points: tuple[int, ...]) -> dict[str, Any]:
    given = told.get("least", {})
    if not isinstance(given, dict):
        raise BadUsage(f"{file}: `least` is {given!r}; it takes lines below [least]: seeds = 5")
    for key, value in given.items():
        if key not in LEAST:
            raise BadUsage(
                f"{file}: [least]: `{key}` cannot be asked for.{did_you_mean(key, LEAST)} "
                f"What can: {', '.join(LEAST)}."
            )
        kind, point = LEAST[key]
        good = type(value) is kind and (kind is not int or value > 0)
        if not good:
            takes = "a whole number from 1 up" if kind is int else "a day such as 2026-12-01"
            raise BadUsage(f"{file}: [least]: {key} = {value!s}; it takes {takes}.")
        if point not in points:
            raise BadUsage(
                f"{file}: [least]: {key} is part of point {point}, which does not count."
            )
    return given
