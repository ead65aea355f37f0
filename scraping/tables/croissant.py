"""Croissant metadata: a table described so that machines can find, load and credit it.

Croissant 1.1 (MLCommons), a JSON-LD vocabulary over schema.org. The table lies beside the
description as one Parquet file, named by its SHA-256.
"""

from __future__ import annotations

import json
import re
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
    file_id = re.sub(r"[^\w.\-]+", "_", parquet.name)  # an @id takes no white space
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
                "name": parquet.name,
                "contentUrl": parquet.name,
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
                "field": _fields(about.table, parquet, file_id),
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


def _fields(table: pd.DataFrame, parquet: Path, file_id: str) -> list[dict[str, Any]]:
    """The descriptions of the file's columns, without those that Croissant has no name for."""
    import pyarrow.parquet as pq

    kinds = pq.read_schema(parquet)
    fields, taken = [], set()
    for position, name in enumerate(map(str, table.columns)):
        kind = kinds.field(position).type
        is_list = hasattr(kind, "value_type") and str(kind).startswith(("list", "large_list"))
        of = _data_type(kind.value_type if is_list else kind, table.iloc[:, position])
        if of is None or not name:
            continue
        # An @id takes no white space; the column keeps its name.
        number, plain = 1, re.sub(r"[^\w.\-]+", "_", name)
        while (unique := plain if number == 1 else f"{plain}_{number}") in taken:
            number += 1
        taken.add(unique)
        fields.append(
            {
                "@type": "cr:Field",
                "@id": f"rows/{unique}",
                "name": name,
                "dataType": of,
                **({"isArray": True, "arrayShape": "-1"} if is_list else {}),
                "source": {"fileObject": {"@id": file_id}, "extract": {"column": name}},
            }
        )
    return fields


def _data_type(kind: Any, column: pd.Series) -> str | None:
    """schema.org's name for a type of the file; bytes are told if they are pictures."""
    from pyarrow import types

    if types.is_dictionary(kind):
        kind = kind.value_type
    named = (
        (types.is_boolean, "sc:Boolean"),
        (types.is_integer, "sc:Integer"),
        (types.is_floating, "sc:Float"),
        (types.is_decimal, "sc:Float"),
        (types.is_timestamp, "sc:DateTime"),
        (types.is_date, "sc:Date"),
        (types.is_string, "sc:Text"),
        (types.is_large_string, "sc:Text"),
        (types.is_null, "sc:Text"),  # nothing is known of it
    )
    if types.is_binary(kind) or types.is_large_binary(kind):
        known = column.dropna()
        are_pictures = len(known) > 0 and all(
            isinstance(value, bytes) and value.startswith(PICTURES) for value in known
        )
        return "sc:ImageObject" if are_pictures else None
    return next((name for test, name in named if test(kind)), None)


def _licence(name: str) -> str:
    return SPDX + name if name in IDENTIFIERS else name


def _bibtex(about: About, url: str, published: str) -> str:
    """How to cite the data set; nothing in it can end a field."""
    plain = {key: "".join(c for c in value if c not in "{}\\\n") for key, value in (
        ("title", f"{about.name}: {about.title}"), ("author", about.creator), ("url", url)
    )}  # fmt: skip
    plain |= {"year": published[:4]} if published else {}
    fields = ", ".join(f"{key} = {{{value}}}" for key, value in plain.items())
    return f"@misc{{{about.name}, {fields}}}"


def _sha256(path: Path) -> str:
    whole = sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            whole.update(piece)
    return whole.hexdigest()
