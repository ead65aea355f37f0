"""What the command line asked for, checked; and what is said back."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from projects.spine.errors import BadUsage, printable
from projects.spine.project import did_you_mean, names


def say(text: str) -> None:
    """Print a line; what was scraped cannot move the cursor."""
    click.echo(printable(text))


def known(root: Path, chosen: Iterable[str]) -> list[str]:
    """Return the chosen names; BadUsage where one of them is no project."""
    everything = names(root)
    for name in chosen:
        if name not in everything:
            listed = ", ".join(everything) or "none yet"
            raise BadUsage(
                f"There is no project `{name}`.{did_you_mean(name, everything)} "
                f"Projects here: {listed}. To begin one: folio new {name}"
            )
    return list(chosen)


def parse_settings(texts: Iterable[str], chosen: list[str]) -> tuple[tuple[str, Any], ...]:
    """Return --set NAME=VALUE pairs, values read as Python's own (3, 0.5, "text", [1, 2])."""
    pairs = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key.isidentifier():
            raise BadUsage(f"--set {text}: write it as NAME=VALUE, for example --set EPOCHS=3")
        try:
            pairs.append((key, ast.literal_eval(value)))
        except (ValueError, SyntaxError):
            pairs.append((key, value))
    if pairs and len(chosen) != 1:
        raise BadUsage(
            "--set tries a setting of one project: name it, for example "
            f"folio run icons --set {pairs[0][0]}={pairs[0][1]!r}"
        )
    return tuple(pairs)
