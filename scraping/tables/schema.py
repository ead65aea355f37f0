"""A dataclass read as a table's schema: which columns there are and what each may hold."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from numbers import Integral, Real
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from scraping.errors import Misuse, printable

PROVENANCE = ("_url", "_fetched", "_offset")
REASON = "_reason"  # a rejected row's own column


@dataclass(frozen=True)
class Range:
    """The values a number or date may have, ends included: `Annotated[float, Range(0, 100)]`."""

    low: Any
    high: Any


@dataclass(frozen=True)
class Role:
    """What a text column says about the rights in its row: `Annotated[str, LICENCE]`."""

    name: str


LICENCE = Role("licence")  # under which licence the row may be used
ATTRIBUTION = Role("attribution")  # who is to be named
SOURCE = Role("source")  # where it was published first

# The names that say as much without an annotation, the likeliest first.
NAMED_ROLES = {
    "licence": LICENCE,
    "license": LICENCE,
    "attribution": ATTRIBUTION,
    "author": ATTRIBUTION,
    "creator": ATTRIBUTION,
    "source": SOURCE,
}


@dataclass(frozen=True)
class Column:
    """What one field may hold; `many`: a list of such values."""

    name: str
    kind: type
    optional: bool
    limits: Range | None
    allowed: tuple[Any, ...] | None
    many: bool = False
    role: Role | None = None

    def taken(self, value: Any) -> Any:
        """The value as the table holds it; ValueError with the reason if it does not fit."""
        if value is None:
            if self.optional:
                return None
            raise ValueError("is missing")
        if not self.many:
            return self._one(value)
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise ValueError(_wrong(value, "a list"))
        # A set has no order of its own, and a table must not differ from run to run.
        ordered = sorted(value, key=repr) if isinstance(value, (set, frozenset)) else value
        return [self._one(item) for item in ordered]

    def _one(self, value: Any) -> Any:
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
    columns = [_column(kind, entry.name, hints[entry.name]) for entry in dataclasses.fields(kind)]
    for role in (LICENCE, ATTRIBUTION, SOURCE):
        told = [column.name for column in columns if column.role == role]
        if len(told) > 1:
            raise Misuse(
                f"{kind.__name__}: {' and '.join(told)} are both annotated as the row's "
                f"{role.name}; choose one."
            )
    return columns


def roles(columns: Iterable[Column]) -> dict[str, str]:
    """Which column tells a row's "licence", "attribution", "source", where one does.

    An annotation (`Annotated[str, LICENCE]`) goes before a name (`licence: str`).
    """
    texts = {column.name: column for column in columns if column.kind is str and not column.many}
    found: dict[str, str] = {}
    for name, role in NAMED_ROLES.items():
        if name in texts and texts[name].role is None:
            found.setdefault(role.name, name)
    return found | {column.role.name: name for name, column in texts.items() if column.role}


def roles_by_name(names: Iterable[str]) -> dict[str, str]:
    """The same for columns of a table that no dataclass describes, by their names alone."""
    found: dict[str, str] = {}
    there = set(names)
    for name, role in NAMED_ROLES.items():
        if name in there:
            found.setdefault(role.name, name)
    return found


def _column(owner: type, name: str, hint: Any) -> Column:
    optional, many, limits, allowed, role = False, False, None, None, None
    if name in (*PROVENANCE, REASON):
        raise Misuse(f"{owner.__name__}.{name}: that name is the table's own; choose another.")
    asked = hint
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *more = get_args(hint)
            limits = next((one for one in more if isinstance(one, Range)), limits)
            role = next((one for one in more if isinstance(one, Role)), role)
        elif origin in (Union, types.UnionType):
            inner = [one for one in get_args(hint) if one is not type(None)]
            if len(inner) != 1 or many:
                break
            optional, hint = True, inner[0]
        elif origin is list and not many and len(get_args(hint)) == 1:
            many, (hint,) = True, get_args(hint)
        elif origin is Literal:
            allowed = tuple(one for one in get_args(hint) if one is not None)
            optional = optional or None in get_args(hint)
            if len({type(one) for one in allowed}) != 1 or (many and None in get_args(hint)):
                break
            hint = type(allowed[0])
        else:
            break
    if hint not in (LISTED if many else CONVERTERS):
        listed = ", ".join(kind.__name__ for kind in CONVERTERS)
        raise Misuse(
            f"{owner.__name__}.{name} is annotated {printable(asked)}; a table holds {listed}, "
            "Optional of these, Annotated[…, Range(low, high)], Literal[…] of one type, and "
            f"lists of {', '.join(kind.__name__ for kind in LISTED)}."
        )
    if role and (hint is not str or many):
        raise Misuse(f"{owner.__name__}.{name}: a row's {role.name} is told as text (str).")
    return Column(name, hint, optional, limits, allowed, many, role)


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
LISTED = (str, int, float, bool)


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
