"""What was done otherwise than sealed, in sentences that a reader of the post gets."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from projects.spine.engine import Engine
from projects.spine.hypothesis import Hypothesis
from projects.spine.proposal import Proposal, Section, parse, text_of
from projects.spine.seal import concerned, listed, plain, split_digest, trainings

SHOWN = 40  # characters of a setting's value


def of(engine: Engine, seal: dict[str, Any] | None) -> list[str]:
    """Return every deviation of a project from its seal; [] where there are none.

    Without a seal: that there is none, if the proposal has hypotheses.
    """
    folder = engine.project.folder
    text = text_of(folder)
    label = f"projects/{folder.name}/proposal.md"
    now = None if text is None else parse(text, label, engine.project.question)
    if seal is None:
        open_ones = now.hypotheses if now else []
        unsealed = ["The proposal was not sealed before the run."] if open_ones else []
        return unsealed + _strangers(engine, [])
    sealed = parse(seal["sealed"]["text"], "the sealed proposal.md", engine.project.question)
    return [
        *_of_text(sealed, now),
        *_of_seeds(seal["sealed"]["seeds"], engine.seeds),
        *_of_settings(seal["sealed"]["settings"], plain(engine.settings)),
        *_of_split(seal["sealed"]["split"], split_digest(engine.project, engine.overrides)),
        *of_log(engine, seal),
    ]


def of_log(engine: Engine, seal: dict[str, Any]) -> list[str]:
    """Return what the log of trainings tells against a seal."""
    content = seal["sealed"]
    log = trainings(engine.project.folder)
    ours = [entry for entry in log if concerned(entry, content["seeds"], content["split"])]
    sealed_at = datetime.datetime.fromisoformat(seal["time"])
    told = []
    early = [entry for entry in ours if _time(entry) < sealed_at]
    if early:
        told.append(
            f"{_count(early)} with sealed seeds {_was(early)} made before the sealing, the first "
            f"of {early[0].get('time')}."
        )
    expected = (content["settings"], plain(engine.settings))
    later = [e for e in ours if e not in early]
    tried = [e for e in later if all(_changes(known, e.get("settings")) for known in expected)]
    if tried:
        other = dict.fromkeys(
            change for e in tried for change in _changes(content["settings"], e.get("settings"))
        )
        told.append(
            f"{_count(tried)} with sealed seeds {_was(tried)} made with other settings: "
            f"{', '.join(other)}."
        )
    known = [seal["code"], *(each["code"] for each in seal["earlier"])]
    return [*told, *_of_code(later), *_strangers(engine, known)]


def _of_code(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Tell which steps trained with sealed seeds by one version of their code, and then another."""
    versions: dict[str, set[str]] = {}
    for entry in entries:
        if own := entry.get("own"):  # logs of older versions of Folio do not tell
            versions.setdefault(str(entry.get("step")), set()).add(str(own))
    for step, found in versions.items():
        if len(found) > 1:
            yield (
                f"The code of the step `{step}` was changed between trainings with sealed seeds: "
                f"{len(found)} versions of it are in the log."
            )


def _strangers(engine: Engine, known: list[str]) -> list[str]:
    """Return that trainings name a seal which is not there any more."""
    log = trainings(engine.project.folder)
    lost = [e for e in log if e.get("seal") and e["seal"] not in known]
    if not lost:
        return []
    codes = ", ".join(dict.fromkeys(str(entry["seal"]) for entry in lost))
    return [f"{_count(lost)} {_was(lost)} made under another seal, which is gone: {codes}."]


def _of_text(sealed: Proposal, now: Proposal | None) -> Iterator[str]:
    if now is None:
        yield "proposal.md was removed after the sealing."
        return
    if now.text == sealed.text:
        return
    told = [*_of_hypotheses(sealed.hypotheses, now.hypotheses)]
    for key in ("title", "question", "date", "authors", "video"):
        before, after = getattr(sealed, key), getattr(now, key)
        if before != after:
            told.append(f"The proposal's {key} was changed after the sealing.")
    if sealed.pilots != now.pilots:
        told.append("Pilots are listed otherwise than sealed; those shown are the sealed ones.")
    before, after = _by_heading(sealed.sections), _by_heading(now.sections)
    for part in dict.fromkeys([*before, *after]):
        heading, nth = part
        again = f" (number {nth} of that name)" if nth > 1 else ""
        what = f"section “{heading}”{again}" if heading else "part before the first heading"
        if part not in after:
            told.append(f"The plan’s {what} was taken out after the sealing.")
        elif part not in before:
            told.append(f"The plan’s {what} was added after the sealing.")
        elif before[part] != after[part]:
            told.append(f"The plan’s {what} was changed after the sealing.")
    yield from told or ["The text of proposal.md was changed after the sealing, in layout only."]


def _by_heading(sections: list[Section]) -> dict[tuple[str, int], Section]:
    """Return sections by heading and by which one of that name each is."""
    found: dict[tuple[str, int], Section] = {}
    for section in sections:
        nth = 1 + sum(heading == section.heading for heading, _ in found)
        found[section.heading, nth] = section
    return found


def _of_hypotheses(sealed: list[Hypothesis], now: list[Hypothesis]) -> Iterator[str]:
    after = {each.name: each for each in now}
    for before in sealed:
        other = after.pop(before.name, None)
        if other is None:
            yield (
                f"Hypothesis {before.name} was taken out after the sealing; it is judged as sealed."
            )
        elif other != before:
            changes = [
                f"{key} {_short(old)} → {_short(vars(other)[key])}"
                for key, old in vars(before).items()
                if old != vars(other)[key]
            ]
            yield (
                f"Hypothesis {before.name} was changed after the sealing ({'; '.join(changes)}); "
                "it is judged as sealed."
            )
    for added in after:
        yield f"Hypothesis {added} was added after the sealing; it is marked as not sealed."


def _of_seeds(sealed: list[int], now: list[int]) -> Iterator[str]:
    missing = [seed for seed in sealed if seed not in now]
    added = [seed for seed in now if seed not in sealed]
    if missing:
        yield f"Of the sealed seeds, {listed('seed', missing)} {_was(missing)} not run."
    if added:
        yield (
            f"{listed('seed', added).capitalize()} {_was(added)} added after the sealing; the "
            "sealed hypotheses are judged by the sealed seeds alone."
        )


def _of_settings(sealed: dict[str, Any], now: dict[str, Any]) -> Iterator[str]:
    if changes := _changes(sealed, now):
        yield f"Settings differ from the sealed ones: {', '.join(changes)}."


def _changes(before: dict[str, Any], now: Any) -> list[str]:
    """Return in words how settings differ; SEEDS apart, which are told by themselves."""
    now = now if isinstance(now, dict) else {}
    told = []
    for key in dict.fromkeys([*before, *now]):
        if key == "SEEDS" or (key in before and key in now and before[key] == now[key]):
            continue
        old = _short(before[key]) if key in before else "not there"
        told.append(f"{key} {old} → {_short(now[key]) if key in now else 'gone'}")
    return told


def _of_split(sealed: str | None, now: str | None) -> Iterator[str]:
    if sealed == now:
        return
    if sealed is None:
        yield "The step `split` was added after the sealing."
    elif now is None:
        yield "The step `split` was taken out after the sealing."
    else:
        yield "How the step `split` splits was changed after the sealing."


def _time(entry: dict[str, Any]) -> datetime.datetime:
    """Return when a training ended; one that does not say it counts as an early one."""
    try:
        told = datetime.datetime.fromisoformat(str(entry.get("time")))
    except ValueError:
        return datetime.datetime.min.replace(tzinfo=datetime.UTC)
    return told if told.tzinfo else told.replace(tzinfo=datetime.UTC)


def _count(entries: list[Any]) -> str:
    return f"{len(entries)} training{'s' * (len(entries) != 1)}"


def _was(entries: list[Any]) -> str:
    return "was" if len(entries) == 1 else "were"


def _short(value: Any) -> str:
    told = str(value)
    return told if len(told) <= SHOWN else f"{told[: SHOWN - 1]}…"
