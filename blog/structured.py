"""What a post tells machines: JSON-LD after schema.org, as text for a script element.

Source: https://schema.org/BlogPosting and https://schema.org/Dataset.
"""

from __future__ import annotations

from typing import Any

from blog import escape
from blog.authors import Author
from blog.portfolio import Portfolio

# Addresses of the licences that data sets come under most, by their SPDX names.
LICENCES = {
    "MIT": "https://opensource.org/license/mit",
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "ISC": "https://opensource.org/license/isc-license-txt",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-3.0": "https://creativecommons.org/licenses/by-sa/3.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
}


def json_ld(
    head: dict[str, Any],
    results: dict[str, Any],
    authors: list[Author],
    portfolio: Portfolio,
    project: str,
) -> str:
    """The post, and the data set under it, as one JSON text that cannot end its script element.

    ``head`` holds the post's title, description, date and tags as plain text.
    """
    url = portfolio.address(f"posts/{project}/")
    people = authors or ([Author(portfolio.author)] if portfolio.author else [])
    post = {
        "@type": "BlogPosting",
        "headline": _text(head["title"])[:110],
        "description": _text(head["description"]),
        "datePublished": str(head["date"]),
        "inLanguage": "en",
        "keywords": ", ".join(head.get("tags", [])),
        "author": [_person(author) for author in people],
        "isPartOf": {"@type": "Blog", "name": _text(portfolio.name), "url": portfolio.address("")},
        "url": url,
        "mainEntityOfPage": url,
        "image": portfolio.address(f"{project}/card.png"),
        "about": _dataset(results, people, project, url),
    }
    return escape.script({"@context": "https://schema.org", **_told(post)})


def _dataset(
    results: dict[str, Any], people: list[Author], project: str, url: str
) -> dict[str, Any]:
    card = results.get("card")
    if not card:
        return {}
    rows = results.get("data", {}).get("rows")
    described = " ".join(
        [
            _text(results.get("question", "")),
            f"{rows:,} rows." if rows is not None else "",
            _text(card["rows_are"]),
        ]
    )
    licences = [LICENCES.get(name, _text(name)) for name in card["licences"]]
    return _told(
        {
            "@type": "Dataset",
            "name": f"{project}: the data set",
            "description": described.strip(),
            "license": licences[0] if len(licences) == 1 else licences,
            "creator": [_person(author) for author in people],
            "isAccessibleForFree": True,
            "url": url,
        }
    )


def _person(author: Author) -> dict[str, Any]:
    return _told({"@type": "Person", "name": _text(author.name), "url": author.link})


def _text(value: str) -> str:
    return escape.text(str(value)).strip()


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields that hold something."""
    return {name: value for name, value in fields.items() if value not in ("", [], {}, None)}
