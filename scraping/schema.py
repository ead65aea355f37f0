"""A dataclass read as a table's schema: which columns there are and what each may hold."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from numbers import Integral, Real
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from scraping.errors import Misuse, printable

PROVENANCE = ("_url", "_fetched", "_offset")


@dataclass(frozen=True)
class Range:
    """The values a number or date may have, ends included: `Annotated[float, Range(0, 100)]`."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Column:
    """What one field may hold."""

    name: str
    kind: type
    optional: bool
    limits: Range | None
    allowed: tuple[Any, ...] | None

    def taken(self, value: Any) -> Any:
        """The value as the table holds it; ValueError with the reason if it does not fit."""
        if value is None:
            if self.optional:
                return None
            raise ValueError("is missing")
        value = CONVERTERS[self.kind](value)
        if self.allowed is not None and value not in self.allowed:
            listed = ", ".join(map(repr, self.allowed))
            raise ValueError(f"{printable(repr(value), 60)} is none of {listed}")
        if self.limits is not None and not self.limits.low <= value <= self.limits.high:
            raise ValueError(f"{value} is not within {self.limits.low} to {self.limits.high}")
        return value


def schema(kind: type) -> list[Column]:
    """The columns that a dataclass describes.

    Raises:
        Misuse: It is no dataclass, or a field's annotation is none that a table can hold.
    """
    if not dataclasses.is_dataclass(kind):
        raise Misuse(
            f"A row is an instance of a dataclass (or a dictionary), not {kind.__name__}.\n"
            "Write @dataclass above the class."
        )
    hints = get_type_hints(kind, include_extras=True)
    return [_column(kind, entry.name, hints[entry.name]) for entry in dataclasses.fields(kind)]


def _column(owner: type, name: str, hint: Any) -> Column:
    optional, limits, allowed = False, None, None
    if name in (*PROVENANCE, "_reason"):
        raise Misuse(f"{owner.__name__}.{name}: that name is the table's own; choose another.")
    asked = hint
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *more = get_args(hint)
            limits = next((one for one in more if isinstance(one, Range)), limits)
        elif origin in (Union, types.UnionType):
            inner = [one for one in get_args(hint) if one is not type(None)]
            if len(inner) != 1:
                break
            optional, hint = True, inner[0]
        elif origin is Literal:
            allowed = tuple(one for one in get_args(hint) if one is not None)
            optional = optional or None in get_args(hint)
            if len({type(one) for one in allowed}) != 1:
                break
            hint = type(allowed[0])
        else:
            break
    if hint not in CONVERTERS:
        listed = ", ".join(kind.__name__ for kind in CONVERTERS)
        raise Misuse(
            f"{owner.__name__}.{name} is annotated {printable(asked)}; a table holds {listed}, "
            "Optional of these, Annotated[…, Range(low, high)] and Literal[…] of one type."
        )
    return Column(name, hint, optional, limits, allowed)


def _take_str(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(_wrong(value, "text"))
    return str(value)


def _take_int(value: Any) -> int:
    if _is_bool(value) or not isinstance(value, Integral):
        raise ValueError(_wrong(value, "a whole number"))
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} needs more than 64 bits")
    return int(value)


def _take_float(value: Any) -> float:
    if _is_bool(value) or not isinstance(value, Real):
        raise ValueError(_wrong(value, "a number"))
    if not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    return float(value)


def _take_bool(value: Any) -> bool:
    if not _is_bool(value):
        raise ValueError(_wrong(value, "True or False"))
    return bool(value)


def _take_bytes(value: Any) -> bytes:
    if not isinstance(value, (bytes, bytearray)):
        raise ValueError(_wrong(value, "bytes"))
    return bytes(value)


def _take_date(value: Any) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise ValueError(_wrong(value, "a date"))
    return value


def _take_datetime(value: Any) -> datetime:
    """A time without a zone is taken to be UTC."""
    if not isinstance(value, datetime):
        raise ValueError(_wrong(value, "a date with time"))
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


CONVERTERS: dict[type, Callable[[Any], Any]] = {
    str: _take_str,
    int: _take_int,
    float: _take_float,
    bool: _take_bool,
    bytes: _take_bytes,
    date: _take_date,
    datetime: _take_datetime,
}


def _is_bool(value: Any) -> bool:
    """Also NumPy's, which is no bool to Python."""
    return type(value).__name__ in ("bool", "bool_")


def _wrong(value: Any, wanted: str) -> str:
    return f"{printable(shown(value), 60)!r} ({type(value).__name__}) is not {wanted}"


def shown(value: Any) -> str | None:
    """A rejected value as text."""
    if value is None or isinstance(value, str):
        return value
    return f"{len(value):,} bytes" if isinstance(value, bytes) else str(value)
