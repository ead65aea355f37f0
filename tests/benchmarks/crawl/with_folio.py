"""The catalogue with Folio: robots, archive and frontier on, as they always are.

    python with_folio.py START ROWS ARCHIVE [parquet]

The rows are written as JSON lines, as Scrapy writes them; `parquet` writes the typed table that a
project keeps instead.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from scraping import Page, attr, crawl, number, text


@dataclass
class Thing:
    """One object of the museum."""

    name: str
    maker: str
    year: int
    value: float
    inventory: str
    image: str


def things(page: Page) -> Iterator[Thing]:
    """The object that a page shows."""
    yield Thing(
        name=text(page, "h1.object__title"),
        maker=text(page, "a.maker"),
        year=int(number(page, ".object__year")),
        value=number(page, ".object__value"),
        inventory=text(page, ".object__number"),
        image=attr(page, "img.object__image", "src"),
    )


def main(start: str, rows: str, archive: str, kind: str = "jsonl") -> None:
    """Crawl, extract, write."""
    pages = crawl(start, follow="a.next", keep="a.item", max_pages=1_000_000, archive=archive)
    if kind == "parquet":
        from scraping.tables.rows import Writer  # pandas and pyarrow: 100 MB and 0.7 s

        with Writer(rows, Thing) as table:
            for ref, page in zip(pages.refs, pages, strict=True):
                found = list(things(page))
                table.add(found, [(ref.url, ref.fetched, ref.offset)] * len(found))
        return
    with Path(rows).open("w", encoding="utf-8") as file:
        for page in pages:
            for row in things(page):
                file.write(json.dumps(asdict(row)) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
