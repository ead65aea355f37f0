"""Points 9 and 10: how the data were split, and whether anything crossed the line."""

from __future__ import annotations

from typing import Any

from projects.spine.check.known import Known
from projects.spine.check.outcome import Outcome, counted, listed, missing, not_applicable, ok

MOST_SHARED = 0.01  # of a held-out part's rows may stand in an earlier part too


def unit(known: Known) -> Outcome:
    """Point 9."""
    if (problem := _no_split(known)) is not None:
        return problem
    sizes = known.results.get("splits", {})
    lacking = [part for part in ("train", "test") if not sizes.get(part, {}).get("mean")]
    if lacking:
        return missing(
            f"no size recorded for {' and '.join(lacking)}",
            f'let the step `split` ({known.at("split")}) return {{"train": …, "validation": …, '
            '"test": …}',
        )
    told = ", ".join(f"{part} {size['mean']:,.0f}" for part, size in sizes.items())
    leakage = known.results["leakage"]
    if leakage["unit"] is None:
        return missing(
            f"{told}; what was held apart is not told",
            f'evaluation.split_rows(…, by="author") in {known.at("split")}, or add '
            '`"unit": "author"` to what the step returns',
        )
    return ok(f"{told}; {told_unit(leakage)}")


def told_unit(leakage: dict[str, Any]) -> str:
    """Return the unit of a split in words."""
    if leakage["kind"] == "rows":
        return "single rows"
    if leakage["kind"] == "times":
        return f"in order of `{leakage['unit']}`"
    return f"whole groups of `{leakage['unit']}`"


def leakage(known: Known) -> Outcome:
    """Point 10."""
    wrong = known.fits.wrong
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        return missing(
            f"{known.path('project.py')}: {wrong[0].told()}{more}",
            f"fit it to split['train'] alone ({known.project.where(wrong[0].line)}) and apply it "
            "to the other parts",
        )
    if (problem := _no_split(known)) is not None:
        return problem
    found = known.results["leakage"]
    if found["problems"]:
        return missing(
            found["problems"][0],
            f"keep them apart in the step `split` ({known.at('split')}): "
            f"evaluation.split_rows(…, by= or time=), then: folio run {known.name}",
        )
    over = [each for each in found["duplicates"] if each["share"] > MOST_SHARED]
    for each in sorted(over, key=lambda d: not d["rich"]):
        told = f"{each['share']:.1%} of a held-out part's {each['of']} stand in an earlier part too"
        if each["rich"]:
            return missing(
                told,
                f"take them out in {known.at('split')}: evaluation.drop_duplicates_across(parts, "
                "column) for pictures, drop_duplicate_texts for texts, or "
                "table.drop_duplicates(…) before the split",
            )
        if known.says(r"\[\[leakage\.") is None:
            return missing(
                told,
                f"table.drop_duplicates(…) before the split ({known.at('split')}); if rows repeat "
                f"without being the same thing, say so in {known.path('post.md')} with the share, "
                "[[leakage.share|.1%]]",
            )
    return ok(_told(known, found, over))


def _told(known: Known, found: dict[str, Any], over: list[dict[str, Any]]) -> str:
    parts = []
    if found["share"] is None:
        parts.append("nothing to look for duplicates among")
    elif over:
        parts.append(f"{over[0]['share']:.1%} of rows repeat, as the post explains")
    else:
        parts.append("no duplicates" if not found["share"] else f"{found['share']:.2%} duplicates")
    if found["separated"]:
        parts.append(f"{told_unit(found)} held apart")
    fits = known.fits
    if unsure := fits.unsure:
        lines = listed([str(fit.line) for fit in unsure])
        parts.append(f"could not tell the rows of what is fitted in line {lines}")
    elif fits.found:
        parts.append(f"{counted(len(fits.found), 'fit')}, none to held-back rows")
    else:
        parts.append("nothing is fitted")
    return "; ".join(parts)


def _no_split(known: Known) -> Outcome | None:
    if "split" not in known.project.steps:
        if not known.scores:
            return not_applicable("no scores, and so nothing to hold out")
        return missing(
            "no step is named `split`",
            f'a step `split(table, seed)` in {known.path("project.py")} that returns {{"train": …, '
            '"validation": …, "test": …}',
        )
    if not known.results.get("leakage"):
        return missing(
            "the results do not tell what stands on two sides of the split",
            f"folio run {known.name} --again",
        )
    return None
