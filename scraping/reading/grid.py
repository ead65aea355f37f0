"""HTML tables as rows of text and as DataFrames: spans laid out, header told from body."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from scraping.reading.tag import Tag

if TYPE_CHECKING:
    import pandas as pd

MAX_CELLS = 1_000_000  # once spans are laid out
MAX_COLUMNS = 10_000
MAX_COLSPAN = 1_000  # as in the HTML standard, 4.9.11
# A number that loses nothing by being one: no leading zeros, no grouping.
PLAIN = re.compile(r"[-−]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?", re.ASCII)
WHOLE = re.compile(r"[-−]?\d{1,18}", re.ASCII)
TOO_LONG = re.compile(r"[-−]?\d{16}", re.ASCII)  # digits that a float would lose

Row = list[str | None]


def frame(table: Tag) -> pd.DataFrame:
    """The table as a DataFrame, as `html_table` describes it.

    Raises:
        ValueError: It has no rows, or more than `MAX_CELLS` cells.
    """
    import pandas as pd

    head, body = rows(table)
    if not head and not body:
        raise ValueError("a table without rows")
    width = max(map(len, head + body))
    if width * len(head + body) > MAX_CELLS:
        raise ValueError(f"more than {MAX_CELLS:,} cells, once every row is as long as the longest")
    for row in head + body:
        row += [None] * (width - len(row))
    names = _names(head, width)
    # Column by column, as text that holds no number stays what it is.
    columns = [_column([row[place] for row in body]) for place in range(width)]
    return pd.DataFrame(dict(zip(names, columns, strict=True)), columns=names)


def rows(table: Tag) -> tuple[list[Row], list[Row]]:
    """The rows of the head and of the body, each cell's text in every place that it spans.

    Raises:
        ValueError: There are more than `MAX_CELLS` cells, once spans are laid out.
    """
    element = table._element
    head: list[Row] = []
    body: list[Row] = []
    cells = 0
    leading = True  # still above the first row with data
    parts = _sections(element)
    has_head = any(kind == "thead" for kind, _ in parts)
    for kind, lines in parts:
        spans: dict[int, tuple[int, str]] = {}  # column: rows to go, text
        for place, line in enumerate(lines):
            row, only_heads = _row(line, spans, len(lines) - place, table)
            cells += len(row)
            if cells > MAX_CELLS:
                raise ValueError(f"more than {MAX_CELLS:,} cells, once its spans are laid out")
            if not row:
                continue
            leading = leading and (kind == "thead" or (only_heads and not has_head))
            (head if leading else body).append(row)
    return head, body


def _sections(element: Any) -> list[tuple[str, list[Any]]]:
    """The parts of a table, by name; rows that stand in none are parts without a name."""
    parts: list[tuple[str, list[Any]]] = []
    for child in element.iterchildren("tr", "thead", "tbody", "tfoot"):
        if child.tag != "tr":
            parts.append((child.tag, list(child.iterchildren("tr"))))
        elif parts and parts[-1][0] == "":
            parts[-1][1].append(child)
        else:
            parts.append(("", [child]))
    return parts


def _row(line: Any, spans: dict[int, tuple[int, str]], left: int, table: Tag) -> tuple[Row, bool]:
    """One row's texts, those that reach down into it among them; whether all are headers."""
    row: Row = []

    def fill() -> None:
        while len(row) in spans:
            place = len(row)
            to_go, text = spans[place]
            row.append(text)
            if to_go > 1:
                spans[place] = (to_go - 1, text)
            else:
                del spans[place]

    cells = list(line.iterchildren("td", "th"))
    only_heads = bool(cells) and all(cell.tag == "th" for cell in cells)
    for cell in cells:
        fill()
        text = " ".join(Tag(cell, table.page).get_text().split())
        wide = min(max(_span(cell.get("colspan")), 1), MAX_COLSPAN)
        down = _span(cell.get("rowspan"))
        down = left if down == 0 else min(down, left)
        for _ in range(wide):
            fill()
            if down > 1:
                spans[len(row)] = (down - 1, text)
            row.append(text)
        if len(row) > MAX_COLUMNS:
            raise ValueError(f"more than {MAX_COLUMNS:,} columns, once its spans are laid out")
    fill()
    # A cell from above may reach down beyond a gap.
    furthest = max(spans, default=-1)
    while len(row) <= furthest:
        row.append(None)
        fill()
    return row, only_heads


def _span(said: str | None) -> int:
    """A span as browsers read it: 1 where it is no number."""
    digits = re.match(r"\s*\+?(\d{1,9})", said or "", re.ASCII)
    return int(digits.group(1)) if digits else 1


def _names(head: list[Row], width: int) -> list[str]:
    """Each column's headers from above as its name; "column 3" without, "name.1" when taken."""
    names: dict[str, None] = {}
    taken: dict[str, int] = {}
    for place in range(width):
        over = dict.fromkeys(text for row in head if (text := row[place]))
        name = " / ".join(over) or f"column {place + 1}"
        again = taken.get(name, 0)
        taken[name] = again + 1
        unique = f"{name}.{again}" if again else name
        while unique in names:
            unique += "'"
        names[unique] = None
    return list(names)


def _column(texts: list[str | None]) -> pd.Series:
    """One column: numbers where every text is a plain one, else the texts as they are."""
    import pandas as pd

    said = [text for text in texts if text]
    if said and all(len(text) < 40 and PLAIN.fullmatch(text) for text in said):
        plain = [text.replace("−", "-") if text else None for text in texts]
        if None not in plain and all(map(WHOLE.fullmatch, said)):
            return pd.Series([int(text) for text in plain if text], dtype="int64")
        values = [float(text) if text else None for text in plain]
        # Beyond what a float holds, a text would be infinite.
        held = all(value is None or math.isfinite(value) for value in values)
        if held and not any(map(TOO_LONG.match, said)):
            return pd.Series(values, dtype="float64")
    return pd.Series(texts, dtype="str")
