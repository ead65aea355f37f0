"""What a JSON answer holds, and the beginning of a project that makes rows of it."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Sequence
from typing import Any

from scraping.errors import printable
from scraping.looking.patterns import once
from scraping.looking.starter import quoted, written

MOST_SHOWN = 6
MOST_COLUMNS = 12
CRAWL = "crawl(START, follow=None)"
TYPES = (bool, int, float, str)  # what a column may hold, the narrowest first


def told(data: Any) -> str:
    """The data in a few words."""
    if isinstance(data, dict):
        parts = [
            f"{printable(key, 30)}: {_kind(value)}"
            for key, value in list(data.items())[:MOST_SHOWN]
        ]
        return f"an object with {len(data)} key{'s' * (len(data) != 1)} ({', '.join(parts)})"
    return _kind(data)


def _kind(value: Any) -> str:
    if isinstance(value, list):
        inner = ""
        if value and isinstance(value[0], dict):
            inner = f" of {{{printable(', '.join(map(str, list(value[0])[:MOST_SHOWN])), 80)}}}"
        return f"a list of {len(value):,}{inner}"
    named = {dict: "an object", str: "text", bool: "true or false", type(None): "nothing"}
    return named.get(type(value), "a number")


def project(url: str, data: Any) -> str:
    """A `project.py` as far as its table: a row for each object of the longest list, or one."""
    key, items = _listed(data)
    where = "page.json()" if key is None else f"page.json()[{quoted(key)}]"
    columns = _columns(items) if items else {}
    names: set[str] = set()
    if columns:
        fields = [(_name(one, names), one, *columns[one]) for one in columns]
        return written(
            url,
            ["crawl", "duplicated"],
            [f"{name}: {kind}{' | None' * optional}" for name, _, kind, optional in fields],
            CRAWL,
            ["per object", f"    for item in {_in_list(where, data, key)}:"],
            [
                f"{name}=item.get({quoted(one)})" if optional else
                f"{name}=item[{quoted(one)}]"
                for name, one, _, optional in fields
            ],
        )  # fmt: skip
    # Nothing in it has a type that a column may have: its text is a beginning.
    return written(
        url, ["crawl", "duplicated"], ["text: str"], CRAWL, ["per answer"], ["text=page.source"]
    )


def _listed(data: Any) -> tuple[str | None, list[dict[str, Any]]]:
    """The longest list of objects and the key that it stands under; else the object itself."""
    if isinstance(data, list):
        return None, _objects(data)
    if not isinstance(data, dict):
        return None, []
    lists = {key: found for key, value in data.items() if (found := _objects(value))}
    best = max(lists, key=lambda key: len(lists[key]), default=None)
    return (None, [data]) if best is None else (best, lists[best])


def _objects(value: Any) -> list[dict[str, Any]]:
    """A list's items, if all of them are objects."""
    whole = isinstance(value, list) and all(isinstance(item, dict) for item in value)
    return value if whole else []


def _in_list(where: str, data: Any, key: str | None) -> str:
    return f"[{where}]" if key is None and isinstance(data, dict) else where


def _columns(items: Sequence[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
    """For each key whose values a column may hold: their type, and whether some are missing."""
    found = {}
    for key in dict.fromkeys(key for item in items for key in item):
        values = [item[key] for item in items if item.get(key) is not None]
        kind = next((kind for kind in TYPES if all(_is(value, kind) for value in values)), None)
        if values and kind is not None:
            found[key] = (kind.__name__, len(values) < len(items))
    return dict(list(found.items())[:MOST_COLUMNS])


def _is(value: Any, kind: type) -> bool:
    if isinstance(value, bool) or kind is bool:
        return isinstance(value, bool) and kind is bool
    if kind is int:
        return isinstance(value, int) and -(2**63) <= value < 2**63
    if kind is float:
        return isinstance(value, int | float) and abs(value) < 1e300 and math.isfinite(value)
    return isinstance(value, kind)


def _name(key: str, taken: set[str]) -> str:
    """A Python name made of a key, once only."""
    name = re.sub(r"\W+", "_", key, flags=re.ASCII).strip("_")[:30].strip("_")
    if not name or name[0].isdigit() or keyword.iskeyword(name):
        name = f"field_{name}".strip("_")
    return once(name, taken)
