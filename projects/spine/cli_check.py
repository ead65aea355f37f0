"""The command `folio check`. Wording only, as in cli.py."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from projects.spine.asked import known, say
from projects.spine.errors import BadUsage, SpineError, printable
from projects.spine.values import repository_root

if TYPE_CHECKING:
    from projects.spine.check.outcome import Outcome
    from projects.spine.check.teacher import Wanted

MARKS = {"ok": "✓", "missing": "✗", "not applicable": "–"}
COLOURS = {"ok": "green", "missing": "red", "not applicable": "dim"}
SCHEMA = 1  # of --json

Judged = dict[str, "dict[int, Outcome]"]


@click.command()
@click.argument("project", nargs=-1)
@click.option("--strict", is_flag=True, help="Exit 1 if a point that counts is missing.")
@click.option(
    "--points",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A teacher's file (TOML): which points count, and what they ask for.",
)
@click.option("--seal", "code", metavar="CODE", help="Look a seal up by the code handed over.")
@click.option("--json", "as_json", is_flag=True, help="For a script.")
def check(
    project: tuple[str, ...], strict: bool, file: Path | None, code: str | None, as_json: bool
) -> None:
    """Judge a project by the 20 points of the rubric.

    Each is ok, missing or not applicable, with what was seen and what to do next. Nothing is run.
    """
    root = repository_root()
    chosen = known(root, project)
    if code is not None:
        if file or as_json or strict or len(chosen) > 1:
            raise BadUsage("--seal CODE goes alone, or with the one project to look in.")
        _look_up(root, code, chosen)
        return
    from projects.spine.cache import cache_of
    from projects.spine.check import check as judge
    from projects.spine.check import teacher
    from projects.spine.project import names

    wanted = teacher.read(file) if file else teacher.Wanted()
    cache = cache_of(root)
    judged: Judged = {}
    failed: list[SpineError] = []
    for name in dict.fromkeys(chosen or names(root)):
        try:
            judged[name] = judge(root, name, cache, wanted.least, wanted.points)
        except SpineError as error:
            failed.append(error)
    cache.save()
    if as_json:
        click.echo(json.dumps(_document(judged, wanted), indent=1))
    elif judged:
        _show(judged, wanted)
    elif not failed:
        say("There is no project yet. To begin one: folio new NAME")
    for error in failed:
        click.echo(printable(str(error)), err=True)
    if failed:
        raise SystemExit(failed[0].exit_code)
    if strict and any(_missing(outcomes, wanted) for outcomes in judged.values()):
        raise SystemExit(1)


def _look_up(root: Path, code: str, chosen: list[str]) -> None:
    from projects.spine import seal

    answer = seal.verify(root, code, chosen[0] if chosen else None)
    for line in answer.lines:
        say(line)
    if not answer.ok:
        raise SystemExit(1)


def _missing(outcomes: dict[int, Outcome], wanted: Wanted) -> list[int]:
    return [n for n in wanted.points if outcomes[n].kind == "missing"]


def _reached(outcomes: dict[int, Outcome], wanted: Wanted) -> tuple[float, float]:
    """Return (reached, possible); what does not apply counts on neither side."""
    applies = {n: o for n, o in outcomes.items() if o.kind != "not applicable"}
    possible = sum(wanted.weight(n) for n in applies)
    return sum(wanted.weight(n) for n, o in applies.items() if o.kind == "ok"), possible


def _document(judged: Judged, wanted: Wanted) -> dict[str, Any]:
    """Return what --json prints."""
    from projects.spine.check import POINTS

    projects = []
    for name, outcomes in judged.items():
        reached, possible = _reached(outcomes, wanted)
        points = [
            {
                "number": point.number,
                "title": point.title,
                "outcome": outcomes[point.number].kind,
                "weight": wanted.weight(point.number),
                "saw": outcomes[point.number].saw,
                "next": outcomes[point.number].next,
            }
            for point in POINTS
            if point.number in outcomes
        ]
        projects.append(
            {"project": name, "reached": reached, "possible": possible, "points": points}
        )
    return {"schema": SCHEMA, "title": wanted.title, "projects": projects}


def _show(judged: Judged, wanted: Wanted) -> None:
    show = _table if sys.stdout.isatty() else _lines
    if wanted.title:
        say(wanted.title)
    for name, outcomes in judged.items():
        reached, possible = _reached(outcomes, wanted)
        aside = sum(1 for n in wanted.points if outcomes[n].kind == "not applicable")
        left = f", {aside} not applicable" if aside else ""
        what = "points" if not wanted.weights else "by weight"
        say(f"{name}: {reached:g} of {possible:g} {what}{left}")
        show(outcomes, wanted)


def _lines(outcomes: dict[int, Outcome], wanted: Wanted) -> None:
    """Say each point in a line or two, for logs and pipes."""
    from projects.spine.check import POINTS

    for point in POINTS:
        if point.number not in outcomes:
            continue
        outcome = outcomes[point.number]
        weight = f" (×{wanted.weight(point.number):g})" if wanted.weights else ""
        aside = "not applicable: " if outcome.kind == "not applicable" else ""
        say(f"  {MARKS[outcome.kind]} {point.number:2} {point.title}{weight}: {aside}{outcome.saw}")
        if outcome.next:
            say(f"       → {outcome.next}")


def _table(outcomes: dict[int, Outcome], wanted: Wanted) -> None:
    """Draw a table on a terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from projects.spine.check import POINTS

    table = Table(show_header=False, box=None, padding=(0, 1), pad_edge=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(ratio=2)
    table.add_column(ratio=5)
    for point in POINTS:
        if point.number not in outcomes:
            continue
        outcome = outcomes[point.number]
        colour = COLOURS[outcome.kind]
        weight = f" ×{wanted.weight(point.number):g}" if wanted.weights else ""
        aside = "not applicable: " if outcome.kind == "not applicable" else ""
        told = Text(printable(aside + outcome.saw), style="dim" if aside else "")
        if outcome.next:
            told.append(f"\n→ {printable(outcome.next)}", style="bold")
        mark = Text(f"{MARKS[outcome.kind]} {point.number:2}", style=colour)
        table.add_row(mark, Text(point.title + weight, style=colour), told)
    Console().print(table)
