"""Croissant metadata: a table described so that machines can find, load and credit it.

Croissant 1.1 (MLCommons), a JSON-LD vocabulary over schema.org. The table lies beside the
description as one Parquet file, named by its SHA-256.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scraping.tables.card import About, licences_of

if TYPE_CHECKING:
    import pandas as pd

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
SPDX = "https://spdx.org/licenses/"
IDENTIFIERS = frozenset(
    [
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-NC-4.0",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "GPL-2.0",
        "GPL-3.0",
        "ISC",
        "LGPL-3.0",
        "MIT",
        "MPL-2.0",
        "ODbL-1.0",
        "OFL-1.1",
        "PDDL-1.0",
        "Unlicense",
    ]
)
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")  # how image files begin


def describe(about: About, parquet: Path, *, url: str, published: str) -> dict[str, Any]:
    """The description of a table that lies at `parquet`, as JSON-LD.

    Args:
        about: The data card's facts.
        parquet: The table's file; named relative to the description, which lies beside it.
        url: Where the data set is told of.
        published: ISO date.
    """
    licences = licences_of(about.table, about.roles) or {}
    file_id = parquet.name
    described: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": about.name,
        "description": f"{about.title} {about.rows_are}".strip(),
        "url": url,
        "version": "1.0.0",
        "datePublished": published,
        "license": [_licence(name) for name in licences] or ["unknown"],
        "creator": {"@type": "sc:Person", "name": about.creator},
        "citeAs": _bibtex(about, url, published),
        "rai:dataLimitations": about.answers.get("Composition", ""),
        "rai:dataUseCases": about.answers.get("Uses", ""),
        "rai:personalSensitiveInformation": [one.told() for one in about.findings],
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": file_id,
                "name": file_id,
                "contentUrl": file_id,
                "contentSize": f"{parquet.stat().st_size} B",
                "encodingFormat": "application/x-parquet",
                "sha256": _sha256(parquet),
            }
        ],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "rows",
                "name": "rows",
                "description": about.rows_are,
                "field": [
                    field
                    for name in map(str, about.table.columns)
                    if (field := _field(name, about.table[name], file_id))
                ],
            }
        ],
    }
    if about.origin:
        described["rai:dataCollection"] = (
            f"A crawl of {', '.join(about.origin.hosts)} as their robots.txt allows; pages "
            f"sha256:{about.origin.digest}"
        )
        described["rai:dataCollectionTimeFrame"] = [about.origin.first, about.origin.last]
    return {key: value for key, value in described.items() if value not in ("", [])}


def text(described: dict[str, Any]) -> str:
    """The description as it is written to a file."""
    return json.dumps(described, indent=1, ensure_ascii=False) + "\n"


def _field(name: str, column: pd.Series, file_id: str) -> dict[str, Any] | None:
    """The description of a column; None where Croissant has no name for what it holds."""
    kind = _data_type(column)
    if kind is None:
        return None
    return {
        "@type": "cr:Field",
        "@id": f"rows/{name}",
        "name": name,
        "dataType": kind,
        **({"isArray": True, "arrayShape": "-1"} if _is_list(column) else {}),
        "source": {"fileObject": {"@id": file_id}, "extract": {"column": name}},
    }


def _first(column: pd.Series) -> Any:
    known = column.dropna()
    return known.iloc[0] if len(known) else ""


def _is_list(column: pd.Series) -> bool:
    return type(_first(column)).__name__ in ("list", "ndarray")


def _data_type(column: pd.Series) -> str | None:
    """schema.org's name for what a column holds."""
    from datetime import date

    from pandas.api import types

    if types.is_bool_dtype(column):
        return "sc:Boolean"
    if types.is_integer_dtype(column):
        return "sc:Integer"
    if types.is_float_dtype(column):
        return "sc:Float"
    if types.is_datetime64_any_dtype(column):
        return "sc:DateTime"
    first = _first(column)
    if _is_list(column) and len(first):
        first = first[0]
    if isinstance(first, bytes):
        return "sc:ImageObject" if first.startswith(PICTURES) else None
    if isinstance(first, date):
        return "sc:Date"
    if isinstance(first, int | float) and not isinstance(first, bool):
        return "sc:Float" if isinstance(first, float) else "sc:Integer"
    return "sc:Text"


def _licence(name: str) -> str:
    return SPDX + name if name in IDENTIFIERS else name


def _bibtex(about: About, url: str, published: str) -> str:
    """How to cite the data set; nothing in it can end a field."""
    plain = {key: "".join(c for c in value if c not in "{}\\\n") for key, value in (
        ("title", f"{about.name}: {about.title}"), ("author", about.creator), ("url", url)
    )}  # fmt: skip
    fields = ", ".join(f"{key} = {{{value}}}" for key, value in plain.items())
    return f"@misc{{{about.name}, {fields}, year = {{{published[:4]}}}}}"


def _sha256(path: Path) -> str:
    whole = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            whole.update(piece)
    return whole.hexdigest()
