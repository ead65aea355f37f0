"""The catalogue with requests and Beautiful Soup, as most people write it.

    python with_requests.py START ROWS

No robots, no pauses, no archive, nothing to resume from.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from urllib.parse import urljoin

import requests
from bs4 import BeautifulSoup


def soup_of(url: str) -> BeautifulSoup:
    """The page at an address."""
    response = requests.get(url, timeout=30)
    response.raise_for_status()
    return BeautifulSoup(response.text, "html.parser")


def main(start: str, rows: str) -> None:
    """Crawl, extract, write."""
    with Path(rows).open("w", encoding="utf-8") as file:
        url = start
        while url:
            catalogue = soup_of(url)
            for link in catalogue.select("a.item"):
                page = soup_of(urljoin(url, link["href"]))
                row = {
                    "name": page.select_one("h1.object__title").get_text(strip=True),
                    "maker": page.select_one("a.maker").get_text(strip=True),
                    "year": int(page.select_one(".object__year").get_text()),
                    "value": float(
                        page.select_one(".object__value").get_text().lstrip("£").replace(",", "")
                    ),
                    "inventory": page.select_one(".object__number").get_text(strip=True),
                    "image": page.select_one("img.object__image")["src"],
                }
                file.write(json.dumps(row) + "\n")
            onward = catalogue.select_one("a.next")
            url = urljoin(url, onward["href"]) if onward else ""


if __name__ == "__main__":
    main(*sys.argv[1:])
