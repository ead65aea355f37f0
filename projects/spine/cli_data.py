"""The commands about pages and data: look, import, data. Wording only, as in cli.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from projects.spine.asked import known, say
from projects.spine.errors import BadUsage, printable
from projects.spine.values import repository_root

KNOWN = "already in the archive"  # why an import leaves out what is there


@click.command()
@click.argument("url")
@click.option("--fresh", is_flag=True, help="Ask again, although it was looked at before.")
@click.option("--code", is_flag=True, help="Print only the beginning of a project.py.")
def look(url: str, fresh: bool, code: bool) -> None:
    """See what a page offers and allows, before any code.

    Asks for robots.txt, the sitemap and the page itself, once; try
    http://sandbox/museum/bi/
    """
    from projects.spine.owner import contact
    from scraping.looking.look import at

    root = repository_root()
    found = at(url, root / ".folio" / "look", contact(root), fresh=fresh)
    start = found.project()
    if not code:
        for line in found.told():
            say(line)
    if start is not None:
        say(
            start if code else f"\nA beginning of a project.py (--code prints it alone):\n\n{start}"
        )
    elif code:
        # Not where the code would have gone: --code > project.py is to hold code or nothing.
        told = [*found.told(), "There is nothing to scrape here as it is, so there is no code."]
        click.echo(printable("\n".join(told)), err=True)
        raise SystemExit(4)


@click.command("import")
@click.argument("project")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--url", default="", help="The address of a saved page that does not say its own.")
@click.option("--dry-run", is_flag=True, help="Show what would be taken and stop.")
def take_in(project: str, files: tuple[Path, ...], url: str, dry_run: bool) -> None:
    """Take pages saved by your own browser into a project.

    Saved HTML, HAR and web archives: the way to pages that JavaScript builds or that stand behind
    a login, where the site's terms allow it.
    """
    from projects.spine.claim import claim
    from scraping.sources.imports import take

    root = repository_root()
    known(root, [project])
    work = root / "projects" / project / ".folio"
    with claim(work, project):
        taken = take(work / "archive", list(files), url=url, dry_run=dry_run)
    for line in taken.told():
        say(line)
    if taken.taken and not dry_run:
        say(f"Then: folio scrape {project} --again")
    if not taken.taken and any(entry.reason != KNOWN for entry in taken.skipped):
        raise SystemExit(1)


@click.command()
@click.argument("project")
@click.option("--markdown", type=click.Path(path_type=Path), help="Write the card to this file.")
@click.option("--csv", type=click.Path(path_type=Path), help="Write the table, without pictures.")
@click.option("--parquet", type=click.Path(path_type=Path), help="Write the table, all of it.")
@click.option(
    "--croissant",
    type=click.Path(path_type=Path),
    help="Describe the table for machines; it is written beside, as Parquet.",
)
@click.option("--tfds", type=click.Path(path_type=Path), help="Write a TensorFlow data set here.")
@click.option("--label", help="With --tfds: the column that is to be predicted.")
@click.option("--split", help="With --tfds: the column that names each row's split.")
@click.option("--overwrite", is_flag=True, help="Replace files that are there already.")
def data(
    project: str,
    markdown: Path | None,
    csv: Path | None,
    parquet: Path | None,
    croissant: Path | None,
    tfds: Path | None,
    overwrite: bool,
    **of_tfds: Any,
) -> None:
    """Show a project's data card, or write its data for others.

    The card has the seven sections of a datasheet. What Folio knows is filled in, what only you
    can tell is asked for.
    """
    from blog.escape import markdown as harmless
    from projects.spine import dataset
    from projects.spine.cache import cache_of
    from projects.spine.durable import write_bytes
    from projects.spine.engine import Engine, Variant
    from scraping.tables import card, export

    root = repository_root()
    known(root, [project])
    if not tfds and any(of_tfds.values()):
        raise BadUsage("--label and --split go with --tfds DIR.")
    if croissant and not parquet:
        parquet = croissant.with_suffix(".parquet")
    files = {"markdown": markdown, "csv": csv, "parquet": parquet, "croissant": croissant}
    _check_free({name: path for name, path in files.items() if path}, overwrite)
    facts = dataset.about(Engine(Variant(root, project), cache_of(root)))
    written: list[Path] = []
    if markdown:
        write_bytes(markdown, card.markdown(facts, harmless).encode())
        written.append(markdown)
    if csv:
        for column in export.csv(facts.table, csv):
            say(f"left out of {csv}: `{column}`, which holds bytes; --parquet and --tfds keep it")
        written.append(csv)
    if parquet:
        export.parquet(facts.table, parquet)
        written.append(parquet)
    if croissant and parquet:
        write_bytes(croissant, dataset.croissant(facts, parquet, root).encode())
        written.append(croissant)
    if tfds:
        written.append(dataset.tfds(facts, tfds, overwrite=overwrite, **of_tfds))
    if not written:
        for line in card.told(facts):
            say(line)
    for path in written:
        say(f"written: {path}")
    if facts.findings:
        say("It holds what looks like personal data: see scraping.mask() and scraping.drop().")


def _check_free(files: dict[str, Path], overwrite: bool) -> None:
    """BadUsage, before anything is written, for a file that cannot be or is there already."""
    whole = {name: path.absolute() for name, path in files.items()}
    if len(set(whole.values())) < len(whole):
        raise BadUsage("Each of --markdown, --csv, --parquet and --croissant takes its own file.")
    if "croissant" in whole and whole["croissant"].parent != whole["parquet"].parent:
        raise BadUsage(
            "--croissant describes the file of --parquet and names it relative to itself: give "
            "both the same folder."
        )
    for name, path in whole.items():
        if path.is_dir():
            raise BadUsage(f"--{name} {files[name]} is a folder; name a file in it.")
        if not path.parent.is_dir():
            raise BadUsage(f"--{name} {files[name]}: there is no folder {path.parent}.")
        if path.exists() and not overwrite:
            raise BadUsage(
                f"{path} is there already; it stays as it is. To replace it: --overwrite"
            )
