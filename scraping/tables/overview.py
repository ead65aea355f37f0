"""What a table holds, in figures: types, gaps, ranges, the most common values, duplicates."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scraping.errors import printable
from scraping.tables.personal import masked
from scraping.tables.schema import PROVENANCE, REASON

if TYPE_CHECKING:
    import pandas as pd

COMMON = 5  # values told of a column
NAN = ("not a number",)
REASONS = 20  # reasons told of rejected rows; the others are counted together


@dataclass(frozen=True)
class ColumnSummary:
    """One column in figures; what does not apply to its type is None.

    Attributes:
        name: Of the column.
        type: "text", "whole number", "number", "yes/no", "bytes", "date", "time", "list" or
            "mixed".
        missing: Rows without a value.
        distinct: How many different values there are.
        low, high: The smallest and largest number or date; the shortest and longest length of text
            (characters), bytes and lists (items).
        mean: Of the numbers or lengths.
        common: The most common values and how often each is there; empty where nearly all differ.
    """

    name: str
    type: str
    missing: int
    distinct: int
    low: Any = None
    high: Any = None
    mean: float | None = None
    common: tuple[tuple[str, int], ...] = ()

    def told(self) -> str:
        """The column as one line, personal data masked."""
        parts = [f"{printable(self.name, 60)}: {self.type}", f"{self.distinct:,} different"]
        if self.missing:
            parts.append(f"{self.missing:,} missing")
        if self.low is not None:
            unit = UNITS.get(self.type, "")
            mean = "" if self.mean is None else f", mean {_figure(self.mean)}"
            parts.append(f"{_figure(self.low)} to {_figure(self.high)}{unit}{mean}")
        if self.common:
            parts.append(", ".join(f"{printable(masked(v), 30)} ({n:,})" for v, n in self.common))
        return "; ".join(parts)


UNITS = {"text": " characters", "bytes": " bytes", "list": " items"}


@dataclass(frozen=True)
class Summary:
    """A table in figures.

    Attributes:
        rows: How many.
        duplicates: Rows whose values all are those of an earlier row; provenance does not count.
        pages: How many pages the rows come from; None where the table does not say.
        rejected: Rows and pages that did not fit, by reason, the most frequent first.
        columns: Each column's figures, without those of provenance.
    """

    rows: int
    duplicates: int
    pages: int | None
    rejected: dict[str, int]
    columns: tuple[ColumnSummary, ...]

    def told(self) -> list[str]:
        """The summary as lines, safe to print, personal data masked."""
        pages = "" if self.pages is None else f" from {self.pages:,} page{'s' * (self.pages != 1)}"
        lines = [f"{self.rows:,} row{'s' * (self.rows != 1)}{pages}"]
        if self.duplicates:
            lines[0] += f", {self.duplicates:,} of them duplicates of earlier ones"
        lines += [f"  {column.told()}" for column in self.columns]
        if self.rejected:
            lines.append(f"{sum(self.rejected.values()):,} rejected")
            lines += [f"  {count:,} × {masked(reason)}" for reason, count in self.rejected.items()]
        return lines

    def to_json(self) -> dict[str, Any]:
        """The summary as plain data."""
        return dataclasses.asdict(self)


def summary(table: pd.DataFrame, rejected: pd.DataFrame | None = None) -> Summary:
    """A table's figures; with `rejected`, also why rows were not taken."""
    names = [name for name in table.columns if name not in PROVENANCE]
    reasons: dict[str, int] = {}
    if rejected is not None and REASON in rejected.columns:
        urls = rejected["_url"] if "_url" in rejected.columns else [""] * len(rejected)
        reasons = _grouped(zip(urls, rejected[REASON], strict=True))
    return Summary(
        rows=len(table),
        duplicates=int(duplicated(table).sum()),
        pages=int(table["_url"].nunique()) if "_url" in table.columns else None,
        rejected=reasons,
        columns=tuple(_column(str(name), table[name]) for name in names),
    )


def duplicated(table: pd.DataFrame) -> pd.Series:
    """True for each row whose values all are those of an earlier row, whatever page it is from.

    ::

        table = table[~duplicated(table)]
    """
    values = table[[name for name in table.columns if name not in PROVENANCE]]
    if not len(values.columns):
        import pandas as pd

        return pd.Series(False, index=table.index)
    values = values.copy(deep=False)
    for name in values.columns:
        if _has_lists(values[name]):
            values[name] = _hashable(values[name])
    return values.duplicated()


def _has_lists(column: pd.Series) -> bool:
    return column.dtype == object and bool(column.map(_is_list).any())


def _is_list(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes))


def _hashable(column: pd.Series) -> pd.Series:
    return type(column)([_frozen(value) for value in column], index=column.index, dtype=object)


def _frozen(value: Any) -> Any:
    """A value that can be told from others: lists as tuples, dictionaries as their pairs."""
    if isinstance(value, dict):
        # As Parquet keeps them, all have the same keys: one that is missing is None.
        pairs = [(key, _frozen(one)) for key, one in value.items() if one is not None]
        return ("{}", *sorted(pairs, key=lambda pair: str(pair[0])))
    if _is_list(value):
        return tuple(_frozen(one) for one in value)
    value = value.item() if hasattr(value, "item") else value
    return NAN if value != value else value  # each NaN differs from every other


def _column(name: str, column: pd.Series) -> ColumnSummary:
    there = column.dropna()
    kind = _type(there)
    told: dict[str, Any] = {"missing": len(column) - len(there)}
    if kind == "list":
        told |= _figures(there.map(len))
        items = Counter(_frozen(item) for value in there for item in value)
        distinct = len(items)
        told["common"] = _common(items.most_common(COMMON), distinct, sum(items.values()))
    else:
        counts = (_hashable(there) if _has_lists(there) else there).value_counts()
        distinct = len(counts)
        if kind in ("text", "bytes"):
            lengths = there.str.len() if kind == "text" else there.map(len)
            told |= _figures(lengths)
        elif kind in ("whole number", "number"):
            told |= _figures(there)
        elif kind in ("date", "time") and len(there):
            told |= {"low": str(there.min()), "high": str(there.max())}
        if kind in ("text", "yes/no", "whole number", "mixed"):
            most = list(zip(map(str, counts.index[:COMMON]), counts[:COMMON], strict=True))
            told["common"] = _common(most, distinct, len(there))
    return ColumnSummary(name=name, type=kind, distinct=int(distinct), **told)


def _type(there: pd.Series) -> str:
    import pandas as pd

    if pd.api.types.is_bool_dtype(there.dtype):
        return "yes/no"
    if pd.api.types.is_integer_dtype(there.dtype):
        return "whole number"
    if pd.api.types.is_float_dtype(there.dtype):
        return "number"
    if pd.api.types.is_datetime64_any_dtype(there.dtype):
        return "time"
    inferred = pd.api.types.infer_dtype(there.head(10_000), skipna=True)
    known = {"string": "text", "bytes": "bytes", "date": "date", "datetime": "time"}
    if inferred in known:
        return known[inferred]
    if inferred == "empty":
        return "mixed" if there.dtype == object else "text"
    if there.map(lambda value: isinstance(value, dict)).any():
        return "mixed"
    return "list" if there.map(_is_list).all() else "mixed"


def _figures(numbers: pd.Series) -> dict[str, Any]:
    if not len(numbers):
        return {}
    low, high = numbers.min().item(), numbers.max().item()
    return {"low": low, "high": high, "mean": float(numbers.mean())}


def _common(
    most: Iterable[tuple[Any, Any]], distinct: int, values: int
) -> tuple[tuple[str, int], ...]:
    """The most common values, unless nearly every value is another one."""
    if distinct > values / 2 and distinct > COMMON:
        return ()
    return tuple((printable(value), int(count)) for value, count in most)


def _grouped(reasons: Iterable[tuple[str, str]]) -> dict[str, int]:
    """Reasons counted without what differs from row to row: the page's address, the value."""
    counts: Counter[str] = Counter()
    for url, reason in reasons:
        first = reason.split("\n", 1)[0].removeprefix(f"{url}: ")
        counts[VALUE.sub("a value", first)] += 1
    most = dict(counts.most_common(REASONS))
    if others := sum(counts.values()) - sum(most.values()):
        most["other reasons"] = others
    return most


# The value in "eggs: '6' (str) is not a whole number", "grams: -1.0 is not within 0 to 100".
VALUE = re.compile(
    r"(?<=: )(?:'[^']{0,80}' \(\w{1,40}\)|\S{1,80})"
    r"(?= is (?:not|none of)| needs more)"
)


def _figure(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else printable(value, 40)
