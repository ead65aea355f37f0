"""Points 1 to 4: hypotheses sealed, given as data, deviated from and answered in the open."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from typing import Any

from projects.spine import deviations as told_deviations
from projects.spine.check.known import Known
from projects.spine.check.outcome import Outcome, counted, listed, missing, ok
from projects.spine.proposal import Proposal, parse

EXPLAINED = 10  # words from which a section says something


def sealed(known: Known) -> Outcome:
    """Point 1."""
    if (problem := _unsealed(known)) is not None:
        return problem
    proposal, seal = known.proposal, known.seal
    assert isinstance(proposal, Proposal)
    assert isinstance(seal, dict)
    propose = f"folio propose {known.name}"
    fixed = parse(seal["sealed"]["text"], "the sealed proposal.md", known.project.question)
    if fixed.hypotheses != proposal.hypotheses:
        changed = _of(known, seal, "Hypothesis ")
        return missing(
            changed[0] if changed else "the hypotheses were changed after the sealing",
            f"put {known.path('proposal.md')} back as sealed (folio check --seal {seal['code']} "
            "shows the difference), or ask the new question with new seeds and seal again: "
            f"{propose}",
        )
    if early := [s for s in told_deviations.of_log(known.engine, seal) if "before the seal" in s]:
        return missing(
            early[0], f"choose other seeds in {known.path('project.py')}, then: {propose}"
        )
    before = seal["sealed"]["trainings"]
    if before and not fixed.pilots:
        return missing(
            f"{counted(before, 'training')} logged before the seal, and no pilot is listed",
            f"list them under `pilots:` in {known.path('proposal.md')}; sealing that takes new "
            f"seeds: {propose}",
        )
    by = known.least.get("sealed_by")
    if by and datetime.date.fromisoformat(seal["time"][:10]) > by:
        return missing(f"sealed on {seal['time'][:10]}, asked for by {by}", "ask your teacher")
    under = (known.results.get("seal") or {}).get("code")
    if under != seal["code"]:
        return missing(
            f"the results were made under {'the seal ' + under if under else 'no seal'}, "
            f"proposal.md is sealed as {seal['code']}",
            f"folio run {known.name}",
        )
    return ok(
        f"{counted(len(fixed.hypotheses), 'hypothesis')} sealed as {seal['code']} on "
        f"{seal['time'][:10]}, before every training with these seeds; "
        f"{counted(len(fixed.pilots), 'pilot')} listed"
    )


def as_data(known: Known) -> Outcome:
    """Point 2."""
    proposal = known.proposal
    if not isinstance(proposal, Proposal) or not proposal.hypotheses:
        return _nothing(known)
    few = int(known.least.get("hypotheses", 1))
    count = len(proposal.hypotheses)
    if count < few:
        return missing(
            f"{counted(count, 'hypothesis')}; {few} are asked for",
            f"add one under `hypotheses:` in {known.path('proposal.md')}, then: "
            f"folio propose {known.name}",
        )
    first = proposal.hypotheses[0]
    return ok(
        f"{count} × metric, comparison, threshold and seeds, such as {first.metric}: "
        f"{first.comparison} by {first.threshold:g} over {counted(first.seeds, 'seed')}"
    )


def deviations(known: Known) -> Outcome:
    """Point 3."""
    if (problem := _unsealed(known)) is not None:
        return problem
    assert isinstance(known.seal, dict)
    now = told_deviations.of(known.engine, known.seal)
    recorded = known.results.get("deviations", [])
    if unrecorded := [line for line in now if line not in recorded]:
        return missing(f"not in the results yet: {unrecorded[0]}", f"folio run {known.name}")
    if not known.results.get("verdicts"):
        return missing("the results hold no verdicts", f"folio run {known.name}")
    if not recorded:
        return ok("none; the box in the post says so")
    told = [
        text
        for heading, text in known.sections("post.md").items()
        if re.search(r"deviat|otherwise|than (proposed|planned|sealed)", heading)
    ]
    if not any(len(text.split()) >= EXPLAINED for text in told):
        return missing(
            f"{counted(len(recorded), 'deviation')} without a reason: {recorded[0]}",
            f"say why in {known.path('post.md')} under `## Deviations from the proposal`",
        )
    return ok(f"{counted(len(recorded), 'deviation')}, shown in the post with the reason")


def outcomes(known: Known) -> Outcome:
    """Point 4."""
    verdicts = known.results.get("verdicts", [])
    if not verdicts:
        if (problem := _unsealed(known)) is not None:
            return problem
        return missing("the results hold no verdicts", f"folio run {known.name}")
    proposal = known.proposal
    named = {verdict.get("name") for verdict in verdicts}
    if isinstance(proposal, Proposal):
        lost = [each.name for each in proposal.hypotheses if each.name not in named]
        if lost:
            return missing(f"no verdict on {listed(lost)}", f"folio run {known.name}")
    if known.placed("verdicts") is None:
        return missing(
            "the post does not show the verdicts",
            f"a paragraph `[[verdicts]] What was claimed, and what came out` in "
            f"{known.path('post.md')}",
        )
    found = Counter(verdict["outcome"] for verdict in verdicts)
    kinds = ("supported", "refuted", "undecided")
    return ok(", ".join(f"{found[kind]} {kind}" for kind in kinds) + ", all in the post's table")


def _unsealed(known: Known) -> Outcome | None:
    """What is missing before there is a seal to speak of."""
    if not isinstance(known.proposal, Proposal) or not known.proposal.hypotheses:
        return _nothing(known)
    if isinstance(known.seal, str):
        what, _, then = known.seal.partition(" Next: ")
        return missing(what, then or f"folio propose {known.name}")
    if known.seal is None:
        return missing(
            f"{counted(len(known.proposal.hypotheses), 'hypothesis')}, not sealed",
            f"folio propose {known.name}, before the run that is to judge them",
        )
    return None


def _nothing(known: Known) -> Outcome:
    if isinstance(known.proposal, str):
        return missing(known.proposal, f"mend that line, then: folio propose {known.name}")
    file = known.path("proposal.md")
    what = "names no hypothesis" if known.proposal else "is not there"
    return missing(
        f"{file} {what}",
        f"write `hypotheses:` into the front matter of {file}, then: folio propose {known.name}",
    )


def _of(known: Known, seal: dict[str, Any], start: str) -> list[str]:
    told = told_deviations.of(known.engine, seal)
    return [line for line in told if line.startswith(start)]
