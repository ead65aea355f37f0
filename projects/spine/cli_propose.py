"""The command `propose`: wording only; the work is in `sealing`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from projects.spine.asked import known, say
from projects.spine.errors import BadUsage, SpineError
from projects.spine.values import repository_root


@click.command()
@click.argument("project")
@click.option("--dry-run", is_flag=True, help="Show what would be sealed and stop.")
def propose(project: str, dry_run: bool) -> None:
    """Seal the hypotheses, before the first run.

    Reads projects/NAME/proposal.md, shows each hypothesis as it will be judged, and writes
    projects/NAME/seal.json with a code to hand to somebody else.
    """
    from projects.spine import sealing
    from projects.spine.cache import cache_of
    from projects.spine.claim import claim
    from projects.spine.engine import Engine, Variant

    root = repository_root()
    known(root, [project])
    if dry_run:
        engine = Engine(Variant(root, project), cache_of(root))
        _dry_run(engine)
        return
    with claim(root / "projects" / project / ".folio", project):
        # Read under the claim: no run begins between the look at its log and the seal.
        engine = Engine(Variant(root, project), cache_of(root))
        proposal = _read(engine)
        sealing.check(engine, proposal)
        _show(engine, proposal)
        before, made = sealing.make(engine, proposal)
    _sealed(root, before, made)


def _read(engine: Any) -> Any:
    from projects.spine.proposal import read

    proposal = read(engine.project.folder)
    if proposal is None:
        name = engine.project.name
        raise BadUsage(
            f"projects/{name}/proposal.md is not there: the question and the hypotheses are "
            "written in it. How: blog/docs/howto/propose.md"
        )
    return proposal


def _dry_run(engine: Any) -> None:
    from projects.spine import seal, sealing

    proposal = _read(engine)
    sealing.check(engine, proposal)
    _show(engine, proposal)
    made = seal.load(engine.project.folder)
    if made and sealing.unchanged(made, engine, proposal):
        say(f"Sealed already as {made['code']}, and unchanged since. Nothing was touched.")
        return
    if why := sealing.refusal(engine):
        raise SpineError(f"It would not be sealed: {why}")
    say(f"Nothing was touched. To seal it: folio propose {engine.project.name}")


def _show(engine: Any, proposal: Any) -> None:
    """Say what would be sealed: hypotheses, seeds, split, pilots."""
    from projects.spine import seal
    from projects.spine.hypothesis import level

    count = len(proposal.hypotheses)
    say(f"{engine.project.name}: {proposal.question}")
    for hypothesis in proposal.hypotheses:
        say(f"  {hypothesis.name}: {hypothesis.claim}")
        say(f"    {hypothesis.test(count)}")
    if count > 1:
        say(
            f"  {count} hypotheses, so each interval is at {100 * level(count):.4g} %: all of them "
            "hold at once 95 times in 100."
        )
    say(f"  seeds: {', '.join(map(str, engine.seeds)) or 'none'}")
    split = seal.split_digest(engine.project, engine.overrides)
    say(f"  split: {f'the step `split` as it is now ({split})' if split else 'no step `split`'}")
    logged = len(seal.trainings(engine.project.folder))
    if logged:
        say(f"  trainings logged before: {logged}")
    say("  pilots:" if proposal.pilots else "  pilots: none listed")
    for pilot in proposal.pilots:
        say(f"    {pilot}")
    _show_doubts(engine, proposal)


def _show_doubts(engine: Any, proposal: Any) -> None:
    """Say which names of the hypotheses the last results do not know, if there are any."""
    from projects.spine import results
    from projects.spine.project import did_you_mean

    scores = (results.read(engine.project.folder / "results") or {}).get("scores", {})
    for hypothesis in proposal.hypotheses if scores else ():
        model, _, other = hypothesis.sides
        for side in (model, other):
            if isinstance(side, str) and side not in scores:
                say(
                    f"  note: the last results have no model `{side}`."
                    f"{did_you_mean(side, scores)} Theirs: {', '.join(scores)}."
                )


def _sealed(root: Path, before: dict[str, Any] | None, made: dict[str, Any]) -> None:
    """Say what the seal is worth, and what comes next."""
    from blog.proposal import paths
    from projects.spine.sealing import git

    name = made["project"]
    if before is made:
        say(f"\nSealed already on {made['time']}; nothing changed since: {made['code']}")
        return
    if before:
        say(f"\nThe seal {before['code']} was replaced; it stays listed in the new one.")
    commit = f" at commit {made['commit'][:12]}" if made["commit"] else ""
    say(f"\nSealed on {made['time']}{commit}: {made['code']}")
    say(f"  whole hash: {made['hash']}")
    say(
        "Handed to someone else, the code makes them a witness; without one the seal proves order "
        "within this repository, not honesty."
    )
    files = [f"projects/{name}/{file}" for file in ("proposal.md", "project.py")]
    if made["commit"] and git(root, "status", "--porcelain", "--", *files):
        say("note: proposal.md or project.py is not committed as it was sealed.")
    say(f"To present it: folio publish, then site/{paths(name).slides}")
    say(f"Next: git add projects/{name} && git commit, hand over the code, then folio run {name}")
