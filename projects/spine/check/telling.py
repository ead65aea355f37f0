"""Points 18 and 20: that the numbers can be had again, and how far they reach."""

from __future__ import annotations

import datetime
import re

from blog import authors, render
from blog.errors import BlogError
from blog.post import Post
from projects.spine.check.known import Known
from projects.spine.check.outcome import Outcome, counted, listed, missing, ok

LIMITS = re.compile(r"limit|not show|not tell|not say|cannot|caveat|what is left|threats")
PLACEHOLDER = re.compile(r"^Say here\b", re.MULTILINE)
SAID = 20  # words from which a section on limits says something
CITED = re.compile(r"\[\[cite:([^\[\]\n]+)\]\]")


def remaking(known: Known) -> Outcome:
    """Point 18."""
    results, run = known.results, f"folio run {known.name}"
    if results.get("draft"):
        return missing("a draft of --quick", run)
    if not known.intact:
        return missing(
            f"{known.path('results/results.json')} was changed by hand since its run",
            f"{run} --again",
        )
    if known.late:
        return missing(f"project.py was changed since: {listed(known.late, 4)}", run)
    told = {
        "seeds": results.get("seeds")
        or not any(step.per_seed for step in known.project.steps.values()),
        "the hardware": results.get("hardware", {}).get("processor"),
        "the minutes": results.get("minutes", {}).get("total") is not None,
        "library versions": results.get("libraries"),
        "parameter counts": results.get("parameters") or not results.get("trainings"),
        "the data's fingerprint": results.get("data", {}).get("hash")
        or "table" not in known.project.steps,
        "folio.lock": (known.folder / "folio.lock").is_file(),
    }
    if lacking := [what for what, there in told.items() if not there]:
        return missing(f"not recorded: {listed(lacking, 4)}", f"{run} --again")
    if isinstance(known.post, str):
        return missing(known.post, "mend that line")
    if typed := render.warnings(known.folder):
        place, _, what = typed[0].replace(f"{known.root}/", "").partition(": ")
        number = what.partition(" is typed")[0]
        more = f" (and {len(typed) - 1} more)" if len(typed) > 1 else ""
        return missing(
            f"{place}: {number} is typed, so no run can change it{more}",
            "write it as a token, such as [[scores.cnn.accuracy|.1%]]",
        )
    due = known.least.get("due")
    made = datetime.datetime.strptime(results["run"][:8], "%Y%m%d").date()
    if due and made > due:
        return missing(f"the results are of {made}, due by {due}", "ask your teacher")
    minutes = results["minutes"]["total"]
    return ok(
        f"{run} --again; lock, {counted(len(results.get('seeds', [])), 'seed')}, "
        f"{minutes:.1f} minutes, data {str(results.get('data', {}).get('hash', 'none'))[:8]}, "
        "every number by token"
    )


def limits(known: Known) -> Outcome:
    """Point 20."""
    post, file = known.post, known.path("post.md")
    if not isinstance(post, Post):
        return missing(post, f"mend that line of {file}")
    about = {h: text for h, text in known.sections("post.md").items() if LIMITS.search(h)}
    said = [text for text in about.values() if not PLACEHOLDER.search(text)]
    if not any(len(text.split()) >= SAID for text in said):
        return missing(
            "no section of the post tells the limits" if not said else "the limits are a few words",
            f"`## What it does not show` in {file}: what the data, the split and the test leave "
            f"open, in {SAID} words or more",
        )
    if known.trained and len(known.sections("modelcard.md").get("limits", "").split()) < 5:
        return missing(
            "the model card tells no limits",
            f"a sentence in {known.path('modelcard.md')} under `## Limits`",
        )
    if (problem := _sources(known)) is not None:
        return problem
    try:
        people = authors.of_post(post)
    except BlogError as error:
        return missing(str(error).replace(f"{known.root}/", ""), "mend that line")
    idle = [person.name for person in people if not person.roles]
    if len(people) > 1 and idle:
        return missing(
            f"what {listed(idle)} did is not told",
            f"`roles:` for each of `authors:` in {file}",
        )
    words, least = known.words(), int(known.least.get("words", 0))
    if words < least:
        return missing(
            f"the post has {words:,} words; {least:,} are asked for", f"write on in {file}"
        )
    cited = {key for _, text in known.prose for key in CITED.findall(text)}
    who = f", who did what by {counted(len(people), 'author')}" if len(people) > 1 else ""
    return ok(f"`{next(iter(about))}`; {counted(len(cited), 'source')} cited{who}; {words:,} words")


def _sources(known: Known) -> Outcome | None:
    file = known.path("references.bib")
    if isinstance(known.references, str):
        return missing(known.references, f"mend that line of {file}")
    cited = {key.strip() for _, text in known.prose for key in CITED.findall(text)}
    least = int(known.least.get("sources", 1))
    if unknown := sorted(cited - set(known.references)):
        return missing(f"{unknown[0]} is cited and not in {file}", f"add its entry to {file}")
    if len(cited) < least:
        return missing(
            f"{counted(len(cited), 'source')} cited"
            + (f"; {least} asked for" if least > 1 else ""),
            f"[[cite:key]] in {known.path('post.md')}, with the key's entry in {file}",
        )
    return None
