"""Data that a page carries for machines: JSON-LD, and JSON in scripts and attributes.

Nothing here runs JavaScript: a script's `name = {…}` is read if what follows is JSON, and passed
over if it is anything else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from scraping.errors import BadValue, printable

if TYPE_CHECKING:
    from scraping.reading.page import Page

MAX_VALUES = 2_000_000  # lists and objects in one JSON text: about 200 MB as Python's
MAX_TRIES = 500  # assignments looked at on one page
MAX_WRONG = 20  # pushes in one script that hold no JSON
# `window.name =`, `window["name"] =`, `var name =` and the like, before an object, a list or
# JSON.parse of a text.
ASSIGNED = re.compile(
    r"""(?:\b(?:window|self|globalThis)\s*(?:\.\s*([\w$]+)|\[\s*["']([\w$.-]+)["']\s*\])"""
    r"""|\b(?:var|let|const)\s+([\w$]+))\s*=\s*(?=[\[{]|JSON\s*\.\s*parse\s*\()"""
)
PUSHED = re.compile(r"\bself\.__next_f\.push\(\s*(?=\[)")  # Next.js sends its data piece by piece
TEXT = re.compile(
    r"""JSON\s*\.\s*parse\s*\(\s*(?:"((?:[^"\\]|\\.)*+)"|'((?:[^'\\]|\\.)*+)')\s*\)""", re.DOTALL
)
ENDS = re.compile(r"\s*(?:[;,)]|\Z)|[ \t]*[\r\n]")  # what may follow a value
# What old pages put around data in a script, to hide it from still older browsers.
OPENED = re.compile(r"(?://|/\*)?\s*<!(?:--|\[CDATA\[)(?:\s*\*/)?")
CLOSED = re.compile(r"(?:(?://|/\*)\s*)?(?:-->|\]\]>)(?:\s*\*/)?\Z")
DECODER = json.JSONDecoder(strict=False)  # line ends within texts are common, and harmless


def loads(text: str) -> Any:
    """The data that a JSON text holds.

    Raises:
        ValueError: It is not JSON, nests too deep, or holds more than a machine should.
    """
    values = text.count("[") + text.count("{")
    if values > MAX_VALUES:
        raise ValueError(f"{values:,} lists and objects; at most {MAX_VALUES:,} are read")
    try:
        return DECODER.decode(text)
    except RecursionError:
        raise ValueError("lists and objects nest too deep") from None


def jsonld(page: Page) -> tuple[list[dict[str, Any]], list[str]]:
    """Every JSON-LD object of the page, `@graph` taken apart, and what could not be read."""
    found: list[dict[str, Any]] = []
    faults: list[str] = []
    for said, text in _scripts(page, "application/ld+json"):
        try:
            found += _nodes(loads(text))
        except ValueError as fault:
            faults.append(f"{said} is no JSON ({fault})")
    return found, faults


def embedded(page: Page) -> tuple[dict[str, Any], list[str]]:
    """JSON found on the page by id, variable or attribute, and what could not be read."""
    found: dict[str, Any] = {}
    faults: list[str] = []

    def keep(name: str, value: Any) -> None:
        number = 2
        unique = name
        while unique in found:
            unique, number = f"{name} {number}", number + 1
        found[unique] = value

    tries = 0
    for number, script in enumerate(page.find_all("script"), start=1):
        text = script._element.text or ""
        kind = _kind(script.get("type") or "")
        if kind == "application/ld+json" or not text.strip():
            continue
        if kind == "application/json" or kind.endswith("+json"):
            named = next((name for name in script.attrs if name.startswith("data-")), "")
            name = script.get("id") or named or f"script {number}"
            try:
                keep(name, loads(_unwrapped(text)))
            except ValueError as fault:
                faults.append(f"script {name!r} is no JSON ({fault})")
        elif kind in ("", "module") or "javascript" in kind or "ecmascript" in kind:
            for name, value in _assigned(text, MAX_TRIES - tries):
                tries += 1
                if name == "__next_f":
                    found.setdefault(name, []).append(value)
                elif name:
                    keep(name, value)
    for name, value in _attributes(page):
        keep(name, value)
    return found, faults


def _scripts(page: Page, wanted: str) -> Iterator[tuple[str, str]]:
    """What to call each script of a type, and its text."""
    for number, script in enumerate(page.find_all("script"), start=1):
        if _kind(script.get("type") or "") == wanted:
            text = script._element.text or ""
            start = printable(" ".join(text[:200].split()), 60)
            yield f"script {number} ({start})", _unwrapped(text)


def _unwrapped(text: str) -> str:
    """A script's data without what stands around it."""
    text = text.strip().removesuffix(";").rstrip()
    if opened := OPENED.match(text):
        text = text[opened.end() :]
    if closed := CLOSED.search(text, max(len(text) - 20, 0)):
        text = text[: closed.start()]
    return text.strip().removesuffix(";")


def _kind(declared: str) -> str:
    return declared.partition(";")[0].strip().lower()


def _nodes(data: Any) -> list[dict[str, Any]]:
    """The objects of one JSON-LD text: lists and graphs taken apart, in order."""
    found = []
    waiting = [data]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif isinstance(node, dict) and isinstance(graph := node.get("@graph"), list | dict):
            rest = {key: value for key, value in node.items() if key != "@graph"}
            if rest.keys() - {"@context"}:
                found.append(rest)  # a graph with a name or properties of its own
            waiting.append(graph)
        elif isinstance(node, dict) and node:
            found.append(node)
    return found


def _assigned(script: str, most: int) -> Iterator[tuple[str, Any]]:
    """(name, value) for what a script assigns; without a name where it is no JSON."""
    place = 0
    for _ in range(most):
        match = ASSIGNED.search(script, place)
        if match is None:
            break
        value, place = _literal(script, match.end())
        name = next(group for group in match.groups() if group)
        yield ("" if value is None else name), value
    wrong = 0
    for match in PUSHED.finditer(script):
        value, _ = _literal(script, match.end())
        if value is not None:
            yield "__next_f", value
        elif (wrong := wrong + 1) > MAX_WRONG:
            break


def _literal(script: str, start: int) -> tuple[Any, int]:
    """The JSON value at a place of a script and where it ends; None if there is none."""
    try:
        if script[start] in "[{":
            value, end = DECODER.raw_decode(script, start)
        elif match := TEXT.match(script, start):
            double, single = match.groups()
            if double is None:
                double = re.sub(r"\\(.)|\"", _requoted, single, flags=re.DOTALL)
            value, end = loads(DECODER.decode(f'"{double}"')), match.end()
        else:
            return None, start
    except (ValueError, RecursionError):
        return None, start
    return (value, end) if ENDS.match(script, end) else (None, end)


def _requoted(match: re.Match[str]) -> str:
    """One piece of a text in single quotes, as it is written in double quotes."""
    if match.group() == '"':
        return '\\"'
    return "'" if match.group(1) == "'" else match.group()


def _attributes(page: Page) -> Iterator[tuple[str, Any]]:
    """JSON objects and lists in data-* attributes of elements that have an id."""
    if "data-" not in page.source:
        return
    for tag in page.find_all(id=True):
        for name, value in tag._element.items():
            if name.startswith("data-") and value[:1] in ("{", "[") and value[-1:] in ("}", "]"):
                try:
                    yield f"{tag['id']}[{name}]", loads(value)
                except ValueError:
                    continue


def complain(page: Page, faults: list[str]) -> None:
    """Raise BadValue if something could not be read."""
    if faults:
        raise BadValue(f"{page.url}: {'; '.join(faults[:3])}\nTo do without: skip_broken=True")
