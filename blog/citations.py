"""BibTeX into references: the subset that bibliographies of projects use.

Entries with fields in braces, quotes or bare numbers. ``@comment``, ``@string`` and ``@preamble``
are passed over; macros and ``#`` are not understood.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from urllib.parse import quote

from blog import escape
from blog.errors import PostError

# Where an entry appeared: what comes first of these.
WHERE = ("journal", "booktitle", "publisher", "howpublished", "institution", "school")
_ACCENTS = {
    '"': "\u0308",
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    "~": "\u0303",
    "c": "\u0327",
}


def read(file: Path) -> dict[str, dict[str, str]]:
    """The entries of a bibliography by key, each a dict of lower-case field names; {} if no file.

    Raises PostError, with the line, where an entry is not closed.
    """
    if not file.is_file():
        return {}
    source = file.read_text(encoding="utf-8")
    entries = {}
    for match in re.finditer(r"@(\w+)\s*\{", source):
        if match[1].lower() in {"comment", "string", "preamble"}:
            continue
        line = source.count("\n", 0, match.start()) + 1
        body = _until("}", source, match.end())
        if body is None:
            raise PostError(
                file, line, f"the entry @{match[1]} is never closed; a `}}` is missing."
            )
        key, _, fields = body.partition(",")
        entries[key.strip()] = _fields(fields)
    return entries


def reference(entry: dict[str, str]) -> str:
    """One reference as a line of Markdown: authors, year, title, where, address."""
    authors = [_person(name) for name in re.split(r"\s+and\s+", entry.get("author", "")) if name]
    if len(authors) > 1:
        authors[-2:] = [f"{authors[-2]} and {authors[-1]}"]
    where = next((entry[kind] for kind in WHERE if kind in entry), "")
    link = entry.get("url") or (f"https://doi.org/{entry['doi']}" if "doi" in entry else "")
    target = escape.address(link) if link else None
    title = f"*{escape.markdown(entry.get('title', 'Untitled'))}*"
    parts = [
        escape.markdown(", ".join(authors)),
        f"({escape.markdown(entry['year'])})" if "year" in entry else "",
        f"[{title}]({target})." if target else f"{title}.",
        f"{escape.markdown(where)}." if where else "",
    ]
    return " ".join(part for part in parts if part)


def _until(closing: str, source: str, start: int) -> str | None:
    """What stands before the next ``closing`` outside of inner braces; None if there is none."""
    depth = 0
    for at in range(start, len(source)):
        if depth == 0 and source[at] == closing:
            return source[start:at]
        depth += {"{": 1, "}": -1}.get(source[at], 0)
    return None


def _fields(body: str) -> dict[str, str]:
    fields = {}
    at = 0
    while match := re.compile(r'[\s,]*([\w-]+)\s*=\s*([{"]?)').match(body, at):
        if match[2]:
            closing = "}" if match[2] == "{" else '"'
            value = _until(closing, body, match.end()) or ""
            at = match.end() + len(value) + 1
        else:
            value = re.split(r"[,\s]", body[match.end() :], maxsplit=1)[0]
            at = match.end() + len(value)
        fields[match[1].lower()] = _plain(value)
    return fields


def _plain(value: str) -> str:
    """LaTeX's accents, dashes and protecting braces as the characters they stand for."""
    value = re.sub(
        r"""\{?\\(["'`^~]|c(?=[\s{]))\s*\{?\\?([A-Za-z])\}*""",
        lambda match: unicodedata.normalize("NFC", match[2] + _ACCENTS[match[1]]),
        value,
    )
    value = re.sub(r"\\([&%$#_])", r"\1", value).replace("---", "—").replace("--", "–")
    return " ".join(re.sub(r"[{}]", "", value).replace("~", " ").split())


def _person(name: str) -> str:
    """`Nielsen, Michael` as `Michael Nielsen`; anything else as it is."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name.strip()


def entry(key: str, fields: dict[str, str]) -> str:
    """A BibTeX entry of the kind ``@misc``, its special characters protected; empty fields go.

    An address is printed as it stands, so what would end its field is written in percent there.
    """
    told = {
        name: quote(value, safe="/:?=&%#,;+@~.-_!$'()*") if name == "url" else escape.bibtex(value)
        for name, value in fields.items()
        if value
    }
    lines = [f"  {name:<12} = {{{value}}}," for name, value in told.items()]
    return "\n".join([f"@misc{{{key},", *lines, "}"])
