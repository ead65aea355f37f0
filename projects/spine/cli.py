"""The `folio` command: wording only; the work is in the modules it calls.

Exit codes: 0 done, 1 fault, 2 bad usage, 3 partial but resumable, 4 refused, 75 in use, 130 Ctrl-C.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

from projects.spine import cli_backprop, cli_check, cli_data, cli_propose, cli_site
from projects.spine.asked import known, parse_settings, say
from projects.spine.cache import cache_of
from projects.spine.errors import BadUsage, printable
from projects.spine.project import did_you_mean, names
from projects.spine.road import Options, balances, nothing_made_yet, travel
from projects.spine.starters import told
from projects.spine.values import repository_root, run_named

FIRST = "icons"  # the quick sample that a fresh clone remakes


class Commands(click.Group):
    """Lists the commands in the order in which they are used, and guesses at a misspelt one."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of definition."""
        return list(self.commands)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find a command; say which one was probably meant where there is none."""
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            hint = did_you_mean(args[0], self.commands)
            raise click.UsageError(f"There is no command `{args[0]}`.{hint} See: folio --help")
        return super().resolve_command(ctx, args)


def work_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that `run`, `scrape` and `train` share."""
    for option in reversed(
        [
            click.option("--again", is_flag=True, help="Discard stored values; make them again."),
            click.option("--fresh", is_flag=True, help="Ask the site what changed since."),
            click.option("--quick", is_flag=True, help="One seed, at most 1,000 pages, a draft."),
            click.option(
                "--set",
                "settings",
                multiple=True,
                metavar="NAME=VALUE",
                help="Try a setting; the outcome goes to .folio/tries/.",
            ),
            click.option(
                "--jobs",
                type=click.IntRange(1, 64),
                metavar="N",
                help="How many seeds at once (default: by cores and free memory).",
            ),
            click.option("--dry-run", is_flag=True, help="Show the plan and stop."),
            click.option(
                "--debug",
                is_flag=True,
                help="Run steps in this process (breakpoint() works); show tracebacks.",
            ),
        ]
    ):
        function = option(function)
    return function


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="folio-portfolio", prog_name="folio")
def folio() -> None:
    """Scrape a data set, train a network, publish the post.

    Start with: folio run
    """


folio.add_command(cli_data.look)


@folio.command(epilog=f"\b\nThe starters:\n{told()}")
@click.argument("name")
@click.option("--model", default="cnn", show_default=True, help="Which starter to copy.")
def new(name: str, model: str) -> None:
    """Begin a project from a starter that runs as it is."""
    from projects.spine import folders

    root = repository_root()
    folder = folders.create(root, name, model)
    click.echo(f"projects/{name}/ is there, copied from the starter `{model}`:")
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        click.echo(f"  {path.relative_to(root).as_posix()}")
    click.echo(f"It runs as it is: folio run {name}\nThen open projects/{name}/project.py.")


folio.add_command(cli_propose.propose)


@folio.command()
@click.argument("project", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every project, recorded ones too.")
@work_options
def run(
    project: tuple[str, ...], everything: bool, settings: tuple[str, ...], **flags: Any
) -> None:
    """Scrape, train and publish what is out of date."""
    root = repository_root()
    present = names(root)
    chosen = known(root, project) or present
    overrides = parse_settings(settings, list(project))
    if (flags["again"] or flags["fresh"]) and not (everything or project):
        raise BadUsage("--again and --fresh need to know what: name a project, or say --all.")
    remake = set(present if everything else project)
    if not remake and FIRST in present and nothing_made_yet(root, present):
        say(f"Nothing was run on this disk yet: `{FIRST}`, the quick one, is made anew.")
        remake = {FIRST}
    if not chosen:
        say("There is no project yet. To begin one: folio new NAME")
    cache = cache_of(root)

    def one(name: str) -> None:
        options = Options(overrides=overrides, remake=name in remake, **flags)
        travel(root, name, options, cache, say)

    code = each(chosen, one, debug=flags["debug"])
    cache.save()
    if overrides:
        say("A try: projects/*/results/ and the site stay as they are.")
    elif not flags["dry_run"] and not (code and len(chosen) == 1):
        cli_site.publish_all(root, present)
    if code:
        raise SystemExit(code)


def each(chosen: list[str], work: Callable[[str], object], *, debug: bool = False) -> int:
    """Do something for each project; one that fails does not stop the others.

    Returns the exit code of the first that failed, or 0.
    """
    codes = []
    for name in chosen:
        try:
            work(name)
        except BrokenPipeError:
            raise  # nobody reads on: `folio status | head`
        except Exception as error:
            codes.append(_failed(error, debug))
    return codes[0] if codes else 0


@folio.command()
@click.argument("project")
@work_options
def scrape(project: str, settings: tuple[str, ...], **flags: Any) -> None:
    """Scrape only: as far as the step `table`."""
    _part(project, settings, flags, "table")


@folio.command()
@click.argument("project")
@work_options
def train(project: str, settings: tuple[str, ...], **flags: Any) -> None:
    """Scrape and train, without publishing."""
    _part(project, settings, flags, "results")


def _part(project: str, settings: tuple[str, ...], flags: dict[str, Any], until: str) -> None:
    root = repository_root()
    known(root, [project])
    overrides = parse_settings(settings, [project])
    cache = cache_of(root)
    options = Options(overrides=overrides, remake=True, **flags)
    travel(root, project, options, cache, say, until=until)
    cache.save()
    if until == "table" and not flags["dry_run"]:
        for line in balances(root, project, options, cache):
            say(line)


folio.add_command(cli_data.take_in)


folio.add_command(cli_site.publish)
folio.add_command(cli_site.serve)


@folio.command()
@click.argument("project", required=False)
def status(project: str | None) -> None:
    """Say what is up to date, and what is not and why."""
    from projects.spine import status as standing

    root = repository_root()
    cache = cache_of(root)
    chosen = known(root, [project]) if project else names(root)
    if not chosen:
        click.echo("There is no project yet. To begin one: folio new NAME")
    every_step = project is not None
    code = each(chosen, lambda name: standing.show(root, name, cache, say, every_step=every_step))
    cache.save()
    if code:
        raise SystemExit(code)


@folio.command()
@click.argument("project")
@click.argument("step", required=False)
@click.option("--seed", type=int, help="Which seed's value (default: the first).")
@click.option("--open", "open_it", is_flag=True, help="Open the value's file with its program.")
def show(project: str, step: str | None, seed: int | None, open_it: bool) -> None:
    """Print a value, or the graph of steps."""
    from projects.spine import status as standing
    from projects.spine.engine import Engine, Variant

    root = repository_root()
    known(root, [project])
    engine = Engine(Variant(root, project), cache_of(root))
    if step is None:
        standing.graph(engine, say)
        return
    chosen = run_named(engine, step, seed)
    file = standing.value(engine, chosen, say)
    if open_it:
        click.launch(str(file))


folio.add_command(cli_check.check)


folio.add_command(cli_data.data)


@folio.command()
@click.argument("project")
@click.option("--yes", is_flag=True, help="Do it; without this, only show what would go.")
@click.option("--undo", is_flag=True, help="Bring back what was removed.")
def remove(project: str, yes: bool, undo: bool) -> None:
    """Take a project away; first show what would go."""
    from projects.spine import folders

    root = repository_root()
    if undo:
        for path in folders.restore(root, project):
            click.echo(f"back: {path.relative_to(root).as_posix()}")
        click.echo("To build the site with it: folio publish")
        return
    known(root, [project])
    for path in folders.belongings(root, project):
        files = [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]
        size = sum(p.stat().st_size for p in files) / 1e6
        count = f"{len(files):,} file{'s' * (len(files) != 1)}"
        label = path.relative_to(root).as_posix()
        click.echo(f"{'removed' if yes else 'would go'}: {label}  ({count}, {size:.1f} MB)")
    if not yes:
        click.echo(f"Nothing was touched. To do it: folio remove {project} --yes")
        return
    kept = folders.remove(root, project)
    click.echo(
        f"Kept in {kept.relative_to(root).as_posix()}; to bring it back: "
        f"folio remove {project} --undo\nTo build the site without it: folio publish"
    )


folio.add_command(cli_backprop.backprop)


@folio.command()
@click.option("--port", default=8888, show_default=True, type=click.IntRange(1, 65535))
def sandbox(port: int) -> None:
    """Open the practice site, for your browser."""
    from scraping.sandbox import serve as serve_sandbox

    serve_sandbox(
        port, announce=lambda url: click.echo(f"The practice site: {url}\nCtrl-C ends it.")
    )


@folio.command(context_settings={"ignore_unknown_options": True})
@click.argument("project", required=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def test(project: str | None, options: tuple[str, ...]) -> None:
    """Run all tests, or one project's.

    Further options go to pytest: folio test icons -x
    """
    import subprocess

    root = repository_root()
    targets: list[str] = []
    if project and project.startswith("-"):
        options = (project, *options)
    elif project:
        known(root, [project])
        targets = [f"projects/{project}/test_project.py"]
        if not (root / targets[0]).is_file():
            raise BadUsage(f"`{project}` has no tests: {targets[0]} is not there.")
    command = [sys.executable, "-m", "pytest", *targets, *options]
    raise SystemExit(subprocess.call(command, cwd=root))


def main(arguments: list[str] | None = None) -> int:
    """Run a command and return its exit code; every message goes to standard error."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        folio.main(args=arguments, prog_name="folio", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo(
            "\nStopped. What was finished is kept; the same command goes on from there.", err=True
        )
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except Exception as error:
        return _failed(error, debug)
    return 0


def _failed(error: Exception, debug: bool) -> int:
    """Say what failed, and return its exit code; the traceback only with --debug."""
    if debug:
        import traceback

        trace = getattr(error, "trace", "") or "".join(traceback.format_exception(error))
        click.echo(printable(trace), err=True)
    code = getattr(error, "exit_code", None)
    if isinstance(code, int):
        click.echo(printable(str(error)), err=True)
        return code
    if isinstance(error, OSError):
        click.echo(printable(f"{type(error).__name__}: {error}"), err=True)
        if error.errno == 28:
            click.echo(
                "The disk is full. Nothing finished was lost: make room and run the same "
                "command again.",
                err=True,
            )
            return 3
        return 1
    click.echo(
        printable(f"Folio failed: {type(error).__name__}: {error}\n")
        + "That is a fault of Folio's own. To see where: the same command with --debug",
        err=True,
    )
    return 1


def entry() -> None:
    """Start from the `folio` script."""
    raise SystemExit(main())


if __name__ == "__main__":
    entry()
