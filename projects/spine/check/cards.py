"""Points 14 to 17 and 19: what is told of the data, how they were had, and of the network."""

from __future__ import annotations

import re

from projects.spine.check.data import HELD_OUT
from projects.spine.check.known import Known
from projects.spine.check.outcome import Outcome, counted, listed, missing, not_applicable, ok
from projects.spine.owner import owner

ANSWER = 5  # words from which a section is answered
CLASSES = frozenset((
    "accuracy", "balanced_accuracy", "f1", "auc", "average_precision", "brier", "log_loss",
    "precision", "recall",
))  # fmt: skip
COUNTS = re.compile(r"\(([\d,]+)\)|\b(true|yes) \(?[\d,.]+|[\d,.]+ ?% (true|yes)")
LICENCE = re.compile(
    r"\b(cc0|cc[ -]by\S*|mit|apache|bsd|gpl|isc|public domain|odbl|odc|pddl|work of the u\.?s\.?|"
    r"government work|creative commons|licen[cs]ed? under|unlicense)\b",
    re.IGNORECASE,
)
NAMES_NOBODY = re.compile(r"cc0|public domain|government work|unlicense|pddl|0bsd", re.IGNORECASE)
TERMS = re.compile(r"terms|robots|allow|permi|licen[cs]|free(ly)?\b|asked|agree", re.IGNORECASE)
UNKNOWN = {"unknown", "", "none", "nan", "?", "n/a"}


def _no_table(known: Known) -> Outcome | None:
    if known.results.get("card"):
        return None
    if "table" in known.project.steps:
        return missing("the results hold no data card", f"folio run {known.name} --again")
    return not_applicable("no step `table`: the project has no data set of its own")


def data_card(known: Known) -> Outcome:
    """Point 14."""
    if (outcome := _no_table(known)) is not None:
        return outcome
    answers = known.sections("datasheet.md")
    titles = [section["title"] for section in known.results["card"]["sections"]]
    blank = [title for title in titles if _words(answers, title) < ANSWER]
    if blank:
        return missing(
            f"{len(titles) - len(blank)} of {len(titles)} sections answered",
            f"write a sentence in {known.path('datasheet.md')} under "
            f"{listed([f'`## {title}`' for title in blank], 7)}",
        )
    metrics = {metric for row in known.scores.values() for metric in row}
    if not metrics & CLASSES:
        return ok(f"{len(titles)} sections answered; no classes to count")
    if not any(COUNTS.search(fact) for fact in known.facts.get("Composition", [])):
        return missing(
            "no column of the table is counted by class",
            f"keep the class as a column of the table ({known.at('table')}), then: "
            f"folio run {known.name}",
        )
    return ok(f"{len(titles)} sections answered, classes counted")


def _words(sections: dict[str, str], title: str) -> int:
    plain = re.sub(r"[^a-z]", "", title.lower())
    found = [text for heading, text in sections.items() if re.sub(r"[^a-z]", "", heading) == plain]
    return len(" ".join(found).split())


def manners(known: Known) -> Outcome:
    """Point 15."""
    facts = known.facts.get("Collection process", [])
    crawled = any(step.fetches for step in known.project.steps.values())
    if not crawled and not facts:
        return not_applicable("nothing was fetched")
    if (outcome := _no_table(known)) is not None:
        return outcome
    said = known.sections("datasheet.md")
    collection = next((text for heading, text in said.items() if "collection" in heading), "")
    sheet = known.path("datasheet.md")
    fetched = next((fact for fact in facts if "under a name with a contact" in fact), "")
    by_hand = any("browser" in fact for fact in facts)
    if not fetched and not by_hand and not crawled:
        return not_applicable("not from the web: " + (facts[0] if facts else "no crawl"))
    sites = fetched.partition(" of ")[2].partition(", fetched")[0].split(", ") if fetched else []
    elsewhere = [site for site in sites if site and site != "sandbox"]
    if elsewhere and not owner(known.root).contact:
        return missing(
            f"{listed(elsewhere)} was asked without a contact",
            "`extra: contact:` in mkdocs.yml: the crawler says whom to write to",
        )
    if fetched and not any(fact.startswith("robots.txt of") for fact in facts):
        return missing("no robots.txt is recorded", f"folio run {known.name} --again")
    if len(collection.split()) < ANSWER or not TERMS.search(collection):
        return missing(
            f"{sheet} does not say whether the site's terms allow this",
            f"write it in {sheet} under `## Collection process`; the practice site may be scraped "
            "freely",
        )
    personal = any("looks like personal data" in f for f in known.facts.get("Composition", []))
    told = " ".join([*said.values(), *known.sections("modelcard.md").values()])
    if personal and not re.search(r"personal|privacy|e-?mail|telephone|mask|names? of", told, re.I):
        return missing(
            "the table holds what looks like personal data",
            f"scraping.mask() or drop() it, or say in {sheet} why it stays",
        )
    how = f"{listed(sites)}: robots.txt kept, one request at a time" if fetched else "by hand"
    return ok(f"{how}; terms told; personal data {'told of' if personal else 'looked for: none'}")


def rights(known: Known) -> Outcome:
    """Point 16."""
    if (outcome := _no_table(known)) is not None:
        return outcome
    licences = known.results["card"]["licences"]
    data = known.results.get("data", {})
    rows = data.get("rows", 0)
    named = sum(n for name, n in licences.items() if name.strip().lower() not in UNKNOWN)
    sheet = known.sections("datasheet.md")
    distribution = next((text for heading, text in sheet.items() if "distribution" in heading), "")
    paged = [step for step in known.project.steps.values() if step.per_page]
    if not licences and (paged or not LICENCE.search(distribution)):
        where = known.at(paged[0].name) if paged else known.at("table")
        return missing(
            "no column tells the rows' licences",
            f"a field `licence: str` in the row, filled in {where}, kept to the step `table`",
        )
    if licences and rows and named < rows:
        return missing(
            f"{rows - named:,} of {rows:,} rows have no licence",
            f"read it in {known.at(paged[0].name) if paged else known.at('table')}, or leave "
            f"these rows out and say so in {known.path('datasheet.md')}",
        )
    free = bool(licences) and all(NAMES_NOBODY.search(name) for name in licences)
    credited = free or any("to be named" in f for f in known.facts.get("Distribution", []))
    if not credited and not re.search(
        r"attribut|author|credit|source|public domain|cc0|government work|by name|maker",
        distribution,
        re.IGNORECASE,
    ):
        return missing(
            "who is to be named is not told",
            "a column `author` or `attribution` in the row, or a sentence in "
            f"{known.path('datasheet.md')} under `## Distribution`",
        )
    out = max(0, data.get("extracted", rows) - rows) if paged else 0
    if out and not known.project.steps["table"].doc:
        return missing(
            f"{out:,} rows were left out in `table`, which does not say why",
            f"a docstring that says so, {known.at('table')}",
        )
    rejected = data.get("rejected", 0)
    kinds = listed([f"{n:,} × {name}" for name, n in licences.items()], 2) or "as in the datasheet"
    return ok(f"{kinds}; {out:,} left out, {rejected:,} rejected, with the reason")


def model_card(known: Known) -> Outcome:
    """Point 17."""
    if not known.trained:
        return not_applicable("no network was trained")
    answers = known.sections("modelcard.md")
    file = known.path("modelcard.md")
    asked = ("Intended use", "Out-of-scope use", "Groups", "Ethical considerations")
    blank = [title for title in asked if _words(answers, title) < ANSWER]
    if blank:
        return missing(
            f"not answered: {listed(blank, 4)}",
            f"write a sentence in {file} under {listed([f'`## {t}`' for t in blank], 4)}",
        )
    if known.generates():
        return ok("uses told; a generator has no scores per group")
    steps = known.project.steps
    grouping = {"by_group", "groupby", "crosstab"}
    grouped = [
        name
        for name in (*(n for _, n in known.shown()), *known.results.get("values", {}))
        if name in steps
        and grouping & known.calls(steps[name])
        and "learning_curves" not in known.calls(steps[name])
        and known.fits.values[name].rows() & HELD_OUT
    ]
    values = known.results.get("values", {})
    grouped = [
        name
        for name in dict.fromkeys(grouped)
        if name not in values or known.says(rf"\[\[values\.{re.escape(name)}\b")
    ]
    if not grouped:
        return missing(
            "no score per group is shown",
            "a step that returns evaluation.by_group(…) of the answers, as a table in "
            f"{known.path('post.md')}",
        )
    return ok(f"uses told; scores per group in {listed([f'`{n}`' for n in grouped])}")


def croissant(known: Known) -> Outcome:
    """Point 19."""
    if (outcome := _no_table(known)) is not None:
        return outcome
    columns = [f for f in known.facts.get("Composition", []) if f.startswith("  ") and ":" in f]
    lacking = [
        what
        for what, there in {
            "a licence": known.results["card"]["licences"]
            or LICENCE.search(known.sections("datasheet.md").get("distribution", "")),
            "a fingerprint": known.results.get("data", {}).get("hash"),
            "columns": columns,
            "a description": known.results.get("question"),
        }.items()
        if not there
    ]
    if lacking:
        return missing(
            f"the description would lack {listed(lacking, 4)}",
            f"let the step `table` ({known.at('table')}) return a DataFrame with a column "
            f"`licence`, then: folio data {known.name} --croissant FILE",
        )
    return ok(f"{counted(len(columns), 'column')}: folio data {known.name} --croissant FILE")
