"""The commands `publish` and `serve`: wording only; the work is in `publishing` and `blog.site`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from projects.spine.asked import known, say
from projects.spine.errors import BadUsage, SpineError
from projects.spine.project import names
from projects.spine.values import repository_root

BRANCH = "gh-pages"


@click.command()
@click.argument("project", nargs=-1)
@click.option(
    "--to",
    metavar="DIR",
    help=f"Build into another folder than site/, or commit to the branch {BRANCH}.",
)
@click.option(
    "--zip",
    "archive",
    is_flag=False,
    flag_value="site.zip",
    metavar="[FILE]",
    help="Also pack a zip that opens by double-click, without a server (site.zip).",
)
@click.option("--pdf", is_flag=True, help="Also print the posts: pdf/NAME.pdf each.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def publish(
    project: tuple[str, ...],
    to: str | None,
    archive: str | None,
    pdf: bool,
    dry_run: bool,
    debug: bool,
) -> None:
    """Render the posts and build the site.

    The site is the folder site/: plain files for any web space. It is built aside and put in place
    only when it is whole; nothing is sent anywhere. What else it can become:

    \b
      folio publish --to public      another folder
      folio publish --to gh-pages    a commit on the branch gh-pages (pushing is yours)
      folio publish --zip hand.zip   a zip that opens by double-click
      folio publish --pdf icons      pdf/icons.pdf, through an installed browser
    """
    root = repository_root()
    chosen = known(root, project) or names(root)
    _check_complete(root, project)
    if archive and not archive.endswith(".zip"):
        raise BadUsage(
            f"--zip {archive}: the file's name ends in .zip. With a project's name write "
            f"folio publish {archive} --zip"
        )
    if dry_run:
        _plan(root, chosen, to, archive, pdf)
        return
    if pdf:
        from blog.site import printing

        printing.browser()  # before the work, not after it
    if to == BRANCH:
        _to_branch(root, chosen)
    elif to is not None:
        _to_folder(root, chosen, Path(to))
    if (pdf and to in (None, BRANCH)) or not (to or archive):
        publish_all(root, chosen, named=bool(project))
    if archive:
        _zip(root, chosen, Path(archive))
    if pdf:
        _print(root, chosen, Path(to) if to and to != BRANCH else root / "site")


def _check_complete(root: Path, project: tuple[str, ...]) -> None:
    """Refuse, before anything is done, to publish a project by name that has nothing to show."""
    from projects.spine import publishing

    for name in project:
        if not publishing.complete(root, name) and not publishing.proposed(root, name):
            raise SpineError(
                f"{name} has no post yet: it takes projects/{name}/post.md and results. The site "
                f"was left as it was. Next: folio run {name}"
            )


def publish_all(root: Path, chosen: list[str], named: bool = False) -> None:
    """Render and build, unless nothing changed since the last time."""
    from projects.spine import publishing

    if not named and publishing.up_to_date(root):
        click.echo(f"site: up to date\n  {root / 'site'}\nTo look at it: folio serve")
        return
    with publishing.turn(root, say):
        _render(root, chosen)
        folder = publishing.build(root, remember=set(chosen) >= set(names(root)))
    click.echo(f"site: built\n  {folder}\nTo look at it: folio serve")


def _render(root: Path, chosen: list[str]) -> None:
    """Render posts and proposals and say which of them changed."""
    from projects.spine import publishing

    changed, without = publishing.render(root, chosen)
    docs = root / "blog" / "docs"
    kinds = {docs / "posts": "post", docs / "proposals": "proposal"}
    for path in (p for p in changed if p.suffix == ".md" and p.stem != "index"):
        if kind := kinds.get(path.parent):
            gone = "" if path.exists() else "  (gone, as its project is)"
            say(f"{kind}: {path.relative_to(root).as_posix()}{gone}")
    for line in publishing.warnings(root, chosen):
        say(f"warning: {line}")
    for name in without:
        click.echo(
            f"{name}: {_no_post(root, name)} (it takes post.md and results: folio run {name})"
        )


def _no_post(root: Path, name: str) -> str:
    from projects.spine import publishing

    return "its proposal, no post yet" if publishing.proposed(root, name) else "no post yet"


def _plan(root: Path, chosen: list[str], to: str | None, archive: str | None, pdf: bool) -> None:
    """Say what a publish would do."""
    from projects.spine import publishing

    for name in chosen:
        there = publishing.complete(root, name)
        click.echo(f"{name}: {'the post would be rendered' if there else _no_post(root, name)}")
    if to == BRANCH:
        click.echo(f"site: would be built and committed to the branch {BRANCH}; nothing is pushed")
    elif to is not None:
        click.echo(f"site: would be built in {Path(to).resolve()}")
    if (pdf and to in (None, BRANCH)) or not (to or archive):
        state = "is up to date" if publishing.up_to_date(root) else "would be built"
        click.echo(f"site: {state} ({root / 'site'})")
    if archive:
        click.echo(f"zip: would be written to {Path(archive).resolve()}")
    if pdf:
        for name in chosen:
            click.echo(f"pdf: would be written to {root / 'pdf' / name}.pdf")
    click.echo("Nothing was touched.")


def _to_folder(root: Path, chosen: list[str], folder: Path) -> None:
    from projects.spine import publishing

    with publishing.turn(root, say):
        _render(root, chosen)
        built = publishing.build(root, to=folder)
    click.echo(f"site: built\n  {built}")


def _to_branch(root: Path, chosen: list[str]) -> None:
    from blog.site import branch
    from projects.spine import publishing

    branch.check(root)
    with publishing.turn(root, say):
        _render(root, chosen)
        done = publishing.to_branch(root)
    if done.new:
        click.echo(f"{BRANCH}: committed the site ({done.commit[:10]})\nTo send it: {done.push}")
    else:
        click.echo(
            f"{BRANCH}: holds this site already ({done.commit[:10]}); nothing to commit\n"
            f"To send it, if it is not yet there: {done.push}"
        )


def _zip(root: Path, chosen: list[str], file: Path) -> None:
    from projects.spine import publishing

    with publishing.turn(root, say):
        _render(root, chosen)
        say("zip: building the pages as they work without a server")
        made = publishing.hand_in(root, file)
    click.echo(f"zip: {made} ({made.stat().st_size / 1e6:.1f} MB)")


def _print(root: Path, chosen: list[str], site: Path) -> None:
    from projects.spine import publishing

    for name in chosen:
        if not publishing.complete(root, name):
            click.echo(f"{name}: no post to print")
            continue
        made = publishing.to_pdf(root, name, site)
        click.echo(f"pdf: {made} ({made.stat().st_size / 1e6:.1f} MB)")


@click.command()
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option("--open", "open_browser", is_flag=True, help="Open it in the browser.")
@click.option("--debug", is_flag=True, help="Show tracebacks.")
def serve(port: int, open_browser: bool, debug: bool) -> None:
    """Show the site, live while you write.

    A saved post or style is on the screen at once. While a run is under way, a figure shows as
    soon as its step has ended.
    """
    from blog import site
    from projects.spine import publishing
    from projects.spine.cli import each

    root = repository_root()

    def render(chosen: Iterable[str]) -> None:
        with publishing.turn(root, say):  # a publish at the same time writes the same files
            # A post that cannot be rendered leaves its last page, and the preview, as they are.
            each(list(chosen), lambda name: publishing.render(root, [name]), debug=debug)

    def rebuild(changed: set[Path]) -> Mapping[str, Path]:
        news = publishing.news(root, changed)
        for line in news.lines:
            say(line)
        if news.to_render:
            render(news.to_render)
        return news.figures

    render(names(root))
    site.serve(
        root,
        port=port,
        rebuild=rebuild,
        watched=lambda: publishing.watched(root),
        open_browser=open_browser,
        report=say,
        ready=lambda address: say(
            f"The site, live: {address}\nA saved post shows at once. Ctrl-C ends it."
        ),
    )
