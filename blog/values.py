"""Recorded values by name: looked up in results.json, a step's source in project.py, and shown."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from blog import escape
from blog.errors import PostError, suggestion

Place = tuple[Path, int]


def lookup(results: Any, path: str, place: Place) -> Any:
    """The value at a dotted path. Keys may hold dots themselves; lists count from 0.

    What has a `name` in a list, as a verdict has, is found by it.

    Raises PostError with the nearest names where the path leads nowhere.
    """
    value, parts, walked = results, path.split("."), []
    while parts:
        for taken in range(len(parts), 0, -1):
            key: Any = ".".join(parts[:taken])
            if isinstance(value, list) and key.isdigit() and int(key) < len(value):
                key = int(key)
            elif isinstance(value, list) and key in (named := _named(value)):
                key = named[key]
            elif not (isinstance(value, dict) and key in value):
                continue
            value, parts = value[key], parts[taken:]
            walked.append(str(key))
            break
        else:
            raise PostError(*place, _unknown(value, walked, parts, path))
    return value


def _named(values: list[Any]) -> dict[str, int]:
    """Where in a list each value stands that has a name."""
    told = [value.get("name") if isinstance(value, dict) else None for value in values]
    return {name: at for at, name in enumerate(told) if isinstance(name, str)}


def _unknown(value: Any, walked: list[str], parts: list[str], path: str) -> str:
    where = f"`{'.'.join(walked)}`" if walked else "results.json"
    if isinstance(value, dict):
        return f"[[{path}]]: {where} holds no `{parts[0]}`.{suggestion(parts[0], value)}"
    if isinstance(value, list) and (named := _named(value)):
        return f"[[{path}]]: {where} holds no `{parts[0]}`.{suggestion(parts[0], named)}"
    if isinstance(value, list):
        return f"[[{path}]]: {where} is a list of {len(value)}; name a place from 0."
    return f"[[{path}]]: {where} is {value!r} and holds nothing below it."


def show(value: Any, form: str = "", token: str = "", place: Place | None = None) -> str:
    """A recorded value as harmless Markdown: an interval by its mean, a list by its items.

    ``form`` is a format of Python's, such as ``.1%``; without one, whole numbers are written out
    and others with four significant digits. None, an interval's end after a single seed, is `–`.
    """
    if isinstance(value, dict) and "mean" in value:
        value = value["mean"]
    if isinstance(value, dict):
        inner = suggestion("", map(str, value))
        raise PostError(
            *(place or (Path("results.json"), 1)), f"[[{token}]] is no single value.{inner}"
        )
    if isinstance(value, list):
        return ", ".join(show(item, form, token, place) for item in value)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and not form:
        form = ".0f" if value.is_integer() else ".4g"
    try:
        shown = format(value, form)
    except ValueError as error:
        if place is None:  # a column's format on a value it does not fit
            return escape.markdown(str(value))
        raise PostError(
            *place, f"[[{token}]]: {value!r} cannot be written in the format `{form}` ({error})."
        ) from error
    if isinstance(value, str):
        return escape.markdown(shown)
    return f"−{shown[1:]}" if shown.startswith("-") else shown  # as in figures and verdicts


def code(file: Path, name: str, place: Place) -> str:
    """The source of a step, a helper or a class of a project, as it stands in its file."""
    if not file.is_file():
        raise PostError(*place, f"[[code:{name}]]: {file} is not there.")
    source = file.read_text(encoding="utf-8")
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise PostError(file, error.lineno or 1, f"not readable as Python: {error.msg}.") from error
    nodes = {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    if name not in nodes:
        raise PostError(*place, f"project.py has no step `{name}`.{suggestion(name, nodes)}")
    node = nodes[name]
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])
