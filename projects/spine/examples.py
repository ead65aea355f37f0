"""A split's stored values as examples that can be compared: a hash for each cell of any kind.

Splits hold tables, arrays, lists of texts or one running text, in dicts and tuples as deep as their
author likes.
"""

from __future__ import annotations

import dataclasses
import io
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

PARTS = {
    "train": re.compile(r"train(ing)?"),
    "validation": re.compile(r"validation|valid|val|dev"),
    "test": re.compile(r"test|held_out"),
}
# What tells which row it is, not what it holds; the last two are what pandas makes of an index.
ID = re.compile(r"_.*|id|.*_id|uuid|url|link|href|index|Unnamed: \d+")
LONG = 40  # characters, on average, from which a text hardly repeats by chance
OWN = 0.2  # share of different texts in a part, from which they are more than categories
WIDE = 16  # numbers from which an example hardly does


@dataclasses.dataclass
class Examples:
    """One part of a split, as hashes: a list of columns of one length."""

    rows: int
    columns: dict[str, Any]  # name → uint64 hashes, one a row
    known: dict[str, Any]  # name → whether the cell holds something
    rich: set[str]  # columns whose cells hardly repeat by chance
    values: dict[str, Any]  # name → the cells, for groups and times
    stream: Any = None  # a running text, as numbers


def splits_in(value: Any) -> list[dict[str, Any]]:
    """Return the splits that a step's value holds, each {part: its examples}, however nested."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = vars(value)
    if isinstance(value, list | tuple) and len(value) in (2, 3):
        names = list(PARTS) if len(value) == 3 else ["train", "test"]
        return [dict(zip(names, value, strict=True))]
    if not isinstance(value, Mapping):
        return []
    direct = {part: value[key] for key in value if (part := _part(str(key)))}
    if len(direct) > 1:
        return [direct]
    by_part: dict[str, dict[str, Any]] = {}
    for key, held in value.items():
        words = str(key).split("_")
        part = next((p for w in words if (p := _part(w))), None)
        if part:
            by_part.setdefault(part, {})["_".join(w for w in words if not _part(w))] = held
    if len(by_part) > 1:
        return [by_part]
    return [inner for held in value.values() for inner in splits_in(held)]


def _part(key: str) -> str | None:
    return next((part for part, pattern in PARTS.items() if pattern.fullmatch(key)), None)


def examples_of(parts: Mapping[str, Any], pixels: dict[bytes, int]) -> dict[str, Examples]:
    """Return each part of a split as examples; `pixels` remembers pictures that were opened."""
    made = {name: _examples(parts[name], pixels) for name in PARTS if name in parts}
    return {name: examples for name, examples in made.items() if examples is not None}


def _examples(value: Any, pixels: dict[bytes, int]) -> Examples | None:
    import numpy as np

    columns = dict(_columns(value, ""))
    lengths = [len(cells) for cells in columns.values()]
    if not lengths:
        return None
    rows = max(lengths, key=lengths.count)
    made = Examples(rows, {}, {}, set(), {})
    for name, cells in columns.items():
        if len(cells) != rows or (ID.fullmatch(name.rpartition(".")[2]) and len(columns) > 1):
            continue
        made.values[name] = cells
        made.columns[name], made.known[name], rich = _hashes(cells, pixels)
        if rich:
            made.rich.add(name)
    if list(columns) == ["text"] or (len(columns) == 1 and _flat_numbers(columns)):
        (cells,) = columns.values()
        made = Examples(len(cells), {}, {}, set(), {}, stream=np.asarray(cells))
    return made


def _flat_numbers(columns: Mapping[str, Any]) -> bool:
    """Tell whether all there is is one row of numbers: a running text as tokens."""
    (cells,) = columns.values()
    return (
        getattr(cells, "ndim", 1) == 1
        and getattr(cells, "dtype", None) is not None
        and (cells.dtype.kind in "iu")
    )


def _columns(value: Any, name: str) -> list[tuple[str, Any]]:
    """Return a part's columns, by name: of a table, of arrays, of texts, of a dict of them."""
    import numpy as np

    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return [(f"{name}.{key}".strip("."), _cells(value[key])) for key in value.columns]
    if isinstance(value, str):
        return [("text", np.frombuffer(value.encode("utf-32-le", "surrogatepass"), dtype="<u4"))]
    if hasattr(value, "to_numpy"):
        return [(name or "values", _cells(value))]
    if isinstance(value, np.ndarray):
        return [(name or "array", value)] if value.ndim else []
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = vars(value)
    if isinstance(value, Mapping):
        items = [(str(key), held) for key, held in value.items()]
    elif isinstance(value, list | tuple):
        plain = (str, bytes, int, float, type(None))
        if value and all(isinstance(held, plain) for held in value):
            return [(name or "items", np.array(value, dtype=object))]
        items = [(str(place), held) for place, held in enumerate(value)]
    else:
        return []
    return [
        pair
        for key, held in items
        if not isinstance(held, str) or key == "text"
        for pair in _columns(held, f"{name}.{key}".strip("."))
    ]


def _cells(column: Any) -> Any:
    """Return a column as an array: of numbers or dates as such, of anything else as objects."""
    kind = getattr(column.dtype, "kind", "O")
    return (
        column.to_numpy()
        if kind in "iufbM" and column.dtype.__class__.__module__.startswith("numpy")
        else column.to_numpy(dtype=object)
    )


def _hashes(cells: Any, pixels: dict[bytes, int]) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return (hashes, which cells hold something, whether they hardly repeat by chance)."""
    import numpy as np
    import pandas as pd

    if cells.ndim > 1:
        flat = np.ascontiguousarray(cells).reshape(len(cells), -1)
        told = [hash(row.tobytes()) for row in flat]
        return _unsigned(told), np.ones(len(flat), dtype=bool), flat.shape[1] >= WIDE
    if cells.dtype != object:
        return _bits(cells), ~pd.isna(cells), False
    known = np.array([holds(cell) for cell in cells], dtype=bool)
    some = cells[known]
    told = np.zeros(len(cells), dtype=np.uint64)
    told[known] = _unsigned([_hash(cell, pixels) for cell in some])
    return told, known, _rarely_repeats(some)


def _bits(cells: np.ndarray) -> np.ndarray:
    """Return numbers or dates as they lie in memory, one value the same whatever its type."""
    import numpy as np

    numbers = cells.view(np.int64) if cells.dtype.kind in "mM" else cells
    return (numbers.astype(np.float64) + 0.0).view(np.uint64)


def _unsigned(hashes: list[int]) -> np.ndarray:
    import numpy as np

    return np.array(hashes, dtype=np.int64).view(np.uint64)


def holds(cell: Any) -> bool:
    """Tell whether a cell holds something: neither missing nor blank."""
    if cell is None or (isinstance(cell, float) and cell != cell):
        return False
    return bool(cell.strip()) if isinstance(cell, str | bytes) else str(cell) not in ("NaT", "<NA>")


def _hash(cell: Any, pixels: dict[bytes, int]) -> int:
    import numpy as np

    if isinstance(cell, bytes):
        if cell not in pixels:
            pixels[cell] = hash(_pixels(cell))
        return pixels[cell]
    if isinstance(cell, str):
        return hash(" ".join(cell.split()))
    if isinstance(cell, np.ndarray | list | tuple):
        return hash(np.asarray(cell).tobytes() if not isinstance(cell, list) else repr(cell))
    try:
        return hash(cell)
    except TypeError:
        return hash(repr(cell))


def _pixels(cell: bytes) -> bytes:
    """Return a picture's pixels, so that two files of one picture are the same."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(cell)) as picture:
            return picture.convert("RGBA").tobytes() if picture.width <= 512 else cell
    except (OSError, ValueError, Image.DecompressionBombError):
        return cell


def _rarely_repeats(cells: Any) -> bool:
    first = next(iter(cells), None)
    if isinstance(first, str):
        # One sentence in every row, such as who is to be named, is a category and no content.
        own = len(set(cells)) >= OWN * len(cells)
        return own and sum(len(str(cell)) for cell in cells) / len(cells) >= LONG
    if isinstance(first, bytes):
        return True
    return hasattr(first, "__len__") and len(first) >= WIDE
