"""The command `folio backprop`. Wording only, as in cli.py."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import click

from projects.spine.asked import say
from projects.spine.errors import BadUsage

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--sizes", default="2-2-1", show_default=True, metavar="N-N-N", help="Neurons of each layer."
)
@click.option("--activation", default="sigmoid", help="Hidden layers: sigmoid, tanh, relu, linear.")
@click.option("--head", help="Output layer: one of these, or softmax.")
@click.option("--cost", default="quadratic", help="quadratic or cross-entropy.")
@click.option("--learning-rate", type=float, default=0.5, help="Length of the step, η.")
@click.option("--seed", type=click.IntRange(0), default=0, help="Of the numbers not given.")
@click.option("--x", metavar="N,N", help="The example's input, such as 0.5,0.1")
@click.option("--y", metavar="N", help="What the output should be, such as 1")
@click.option("--markdown", type=FILE, help="Write it for a post.")
@click.option("--svg", type=FILE, help="Write the drawing, and a dark one.")
@click.option("--sheet", type=FILE, help="Write an exercise sheet.")
@click.option(
    "--blanks",
    default="all",
    metavar="PART",
    help="With --sheet: all, forward, deltas, gradients or update.",
)
@click.option("--check", type=FILE, help="Check the answers in this file.")
@click.pass_context
def backprop(
    context: click.Context,
    sizes: str,
    x: str | None,
    y: str | None,
    markdown: Path | None,
    svg: Path | None,
    sheet: Path | None,
    blanks: str,
    check: Path | None,
    **network: Any,
) -> None:
    """Work an example of backpropagation, by hand.

    Prints every value of one step of gradient descent on a small network, with the formula that
    gave it. Or writes an exercise sheet and a file for the answers, and checks them: it ends with
    0 where all are right, 1 where one is wrong, 3 where none is wrong but some are missing.
    """
    from models import backprop as by_hand

    given = {name for name in context.params if _was_given(context, name)}
    if check:
        if given - {"check"}:
            other = sorted(given - {"check"})[0].replace("_", "-")
            raise BadUsage(f"--check stands alone, without --{other}: the file says the rest.")
        _check(check)
        return
    if "blanks" in given and not sheet:
        raise BadUsage("--blanks goes with --sheet FILE.")
    layers = [_whole(size, sizes) for size in re.split("[-,x]", sizes)]
    network["cost"] = network["cost"].replace("-", "_")
    worked = by_hand.worked(layers, x=_numbers("x", x), y=_numbers("y", y), **network)
    written: dict[Path, str] = {}
    if markdown:
        written |= {markdown: worked.markdown(markdown.stem)} | _drawings(worked, markdown)
    if svg:
        written |= {svg: worked.svg(), svg.with_suffix(".dark.svg"): worked.svg(dark=True)}
    if sheet:
        made = worked.sheet([part for part in re.split("[, ]+", blanks) if part], sheet.stem)
        answers = sheet.with_suffix(".answers.csv")
        written |= {sheet: made.markdown, answers: made.template}
        written |= _drawings(worked, sheet, made.hidden)
    if not written:
        say(worked.text(min(shutil.get_terminal_size((80, 24)).columns, 120)).rstrip("\n"))
        return
    _write(written)
    if sheet:
        say(f"Fill in the column `answer` of {answers}, then: folio backprop --check {answers}")


def _was_given(context: click.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name != "DEFAULT"


def _whole(text: str, sizes: str) -> int:
    if not text.strip().isdecimal():
        raise BadUsage(f"--sizes {sizes}: write it as the neurons of each layer, such as 2-2-1")
    return int(text)


def _numbers(name: str, text: str | None) -> list[float] | None:
    """Return the numbers of an option such as --x 0.5,0.1; None if it was not given."""
    if text is None:
        return None
    try:
        return [float(part) for part in re.split(r"[,;\s]+", text.strip())]
    except ValueError:
        raise BadUsage(f"--{name} {text}: write it as numbers, such as 0.5,0.1") from None


def _drawings(worked: Any, beside: Path, hidden: tuple[str, ...] = ()) -> dict[Path, str]:
    """Return the drawing for light and for dark pages, named after the page that shows it."""
    return {
        beside.with_suffix(f".{look}.svg"): worked.svg(dark=look == "dark", hidden=hidden)
        for look in ("light", "dark")
    }


def _write(written: dict[Path, str]) -> None:
    """Write the files, but none over what a person may have written."""
    from models.backprop.handout import MARK
    from projects.spine.durable import write_bytes

    for path, text in written.items():
        if not path.exists() or path.read_bytes() == text.encode():
            continue
        if MARK.encode() not in path.read_bytes()[:1000]:
            raise BadUsage(
                f"{path} is there already and may hold somebody's work. Nothing was written: "
                "take another name, or remove it first."
            )
    for path, text in written.items():
        write_bytes(path, text.encode())
        say(f"written: {path}")


def _check(path: Path) -> None:
    """Print the verdict on each answer; end with 0, 1 or 3."""
    from models.backprop import answers
    from models.backprop import check as verdict
    from models.errors import BadData

    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadUsage(f"{path} cannot be read: {error.strerror}.") from error
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")  # as older spreadsheets save it
    try:
        worked, blanks, filled_in = answers.read(text)
    except BadData as error:
        raise BadUsage(
            f"{path}: {error} It should be the file that `folio backprop --sheet` wrote beside "
            "the sheet, with its last column filled in."
        ) from error
    report = verdict(worked, filled_in, blanks)
    say(report.text().rstrip("\n"))
    if not report.all_right:
        raise SystemExit(1 if report.faults else 3)
