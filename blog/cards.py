"""The folded cards of a post: its data and its model, each by the sections of its source.

What the run recorded is filled in. What only a person can tell is the author's own text in
``datasheet.md`` and ``modelcard.md``; where it is missing, the card says that nobody answered.

Sources: Gebru et al., Datasheets for Datasets (2021); Mitchell et al., Model Cards for Model
Reporting (2019).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from blog import escape, tables
from blog.errors import PostError, suggestion
from blog.values import show

# What only people know of a network, by section of its card.
MODEL = {
    "Intended use": "For what, and for whom, is the network meant?",
    "Out-of-scope use": "For what should nobody use it?",
    "Groups": "Between which groups could its errors differ, and do they?",
    "Ethical considerations": "Whom could a wrong answer harm?",
    "Limits": "When does it stop being right?",
}
SPLIT = "Split and leakage"
COLLECTION = "Collection process"  # the section that tells when pages were fetched
FAMILIES = {
    "scratch": "a network from scratch",
    "classifier": "a classifier of dense layers",
    "cnn": "a convolutional network",
    "rnn": "a recurrent network",
    "autoencoder": "an autoencoder",
    "gan": "a generative adversarial network",
}


def data(project: Path, results: dict[str, Any]) -> str:
    """The data card; "" where the project has no table and no split."""
    split = _list(_split(results))
    card = results.get("card")
    if not card:
        return _box("Data card", [_section(SPLIT, split, "", "")]) if split else ""
    asked = {section["title"]: section["asked"] for section in card["sections"]}
    said = _answers(project / "datasheet.md", asked)
    fetched = results.get("fetched") or {}
    parts = []
    for section in card["sections"]:
        title, facts = section["title"], list(section["facts"])
        if title == COLLECTION and fetched:
            facts.insert(1, f"Fetched from {fetched['first']} to {fetched['last']}.")
        parts.append(_section(title, _list(facts), said.get(title, ""), asked[title]))
    if split:
        parts.append(_section(SPLIT, split, "", ""))
    return _box("Data card", parts)


def model(project: Path, results: dict[str, Any]) -> str:
    """The model card; "" where no network was trained."""
    if not results.get("parameters"):
        return ""
    said = _answers(project / "modelcard.md", MODEL)
    parts = [
        _section("Details", _list(_details(results)), "", ""),
        _section("Training and evaluation", _list(_evaluation(results)), "", ""),
    ]
    if scores := results.get("scores"):
        parts[-1] += f"\n\n{tables.of_scores(scores, '.3f')}"
    if validation := _validation(results):
        table = tables.of_scores(validation, ".3f")
        parts[-1] += f"\n\nThe same on the validation part:\n\n{table}"
    parts += [_section(title, "", said.get(title, ""), asked) for title, asked in MODEL.items()]
    return _box("Model card", parts)


def _split(results: dict[str, Any]) -> list[str]:
    """How the data were split, and what stands on two sides of it all the same."""
    found = results.get("leakage")
    if not found:
        return []
    sizes = [f"{part} {size['mean']:,.0f}" for part, size in results.get("splits", {}).items()]
    lines = [f"Sizes, a seed on average: {', '.join(sizes)}"] if sizes else []
    apart = {None: "", False: ", and they are not", True: ", and they are"}[found["separated"]]
    if found["kind"] == "times":
        lines.append(f"To be in order of {found['unit']}{apart}")
    elif found["kind"] == "groups":
        lines.append(f"To be held apart: whole groups of {found['unit']}{apart}")
    elif found["kind"] == "rows":
        lines.append("Split by single rows")
    for each in found["duplicates"]:
        told = [
            f"{each[part]['mean']:,.1f} of {part}"
            for part in ("validation", "test")
            if part in each
        ]
        of = each["of"].strip("`")
        lines.append(f"In an earlier part too, by {of}: {', '.join(told)} ({each['share']:.1%})")
    if found["guards"]:
        lines.append(f"Taken out before: {', '.join(found['guards'])}")
    fitting = found["fitting"]
    if fitting["fits"]:
        lines.append(
            f"Places in the code that fit something: {fitting['fits']}; "
            f"to rows held back: {len(fitting['wrong'])}; not to be told: {len(fitting['unsure'])}"
        )
    return lines + [f"  {line}" for line in fitting["wrong"]] + found["problems"]


def _validation(results: dict[str, Any]) -> dict[str, Any]:
    """The validation scores, where the step `validation` gives them as `scores` does."""
    told = results.get("values", {}).get("validation")
    models = told if isinstance(told, dict) else {}
    like = [
        isinstance(row, dict)
        and all(
            isinstance(cell, dict) and "mean" in cell and "low" in cell for cell in row.values()
        )
        for row in models.values()
    ]
    return models if like and all(like) else {}


def _details(results: dict[str, Any]) -> list[str]:
    kinds = [FAMILIES[name] for name in results.get("families", []) if name in FAMILIES]
    lines = [f"Kind: {', '.join(kinds)}"] if kinds else []
    lines += [f"{name}: {count:,} parameters" for name, count in results["parameters"].items()]
    lines += [
        f"For the page, {name}: {live['parameters']:,} parameters"
        for name, live in results.get("live", {}).items()
        if live["parameters"] not in results["parameters"].values()
    ]
    if results.get("backend"):
        lines.append(f"Trained with Keras on {results['backend']}, run {results.get('run', '')}")
    return lines


def _evaluation(results: dict[str, Any]) -> list[str]:
    sizes = [
        f"{part} {show(size['mean'], ',.0f')}" for part, size in results.get("splits", {}).items()
    ]
    lines = [f"Examples, a seed on average: {', '.join(sizes)}"] if sizes else []
    lines.append(f"Trainings behind these numbers: {results.get('trainings', 0)}")
    seeds = results.get("seeds", [])
    if seeds:
        lines.append(f"Seeds: {', '.join(map(str, seeds))}")
    methods = {
        metric["method"]
        for model in results.get("scores", {}).values()
        for metric in model.values()
        if metric.get("low") is not None
    }
    if methods:
        lines.append(f"Intervals: {', '.join(sorted(methods))}")
    return lines


def _answers(file: Path, sections: dict[str, str]) -> dict[str, str]:
    """The author's text by section. Raises PostError for a heading that is no section."""
    if not file.is_file():
        return {}
    text = re.sub(
        r"<!--.*?-->", lambda note: "\n" * note[0].count("\n"), file.read_text("utf-8"), flags=re.S
    )
    known = {_plain(section): section for section in sections}
    found: dict[str, str] = {}
    title = ""
    for number, line in enumerate(text.splitlines(), 1):
        heading = re.match(r"## +(.+?) *$", line)
        if not heading:
            found[title] = found.get(title, "") + line + "\n"
            continue
        if _plain(heading[1]) not in known:
            raise PostError(
                file, number, f"`{heading[1]}` is no section.{suggestion(heading[1], sections)}"
            )
        title = known[_plain(heading[1])]
    return {title: body.strip() for title, body in found.items() if title and body.strip()}


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z]", "", heading.lower())


def _list(facts: list[str]) -> str:
    """Recorded facts as a list; what is indented goes under the line before it."""
    lines, depth = [], -1
    for fact in facts:
        if told := escape.markdown(fact).strip():
            # A list goes down one level at a time; indented further, its text would be code.
            depth = min((len(fact) - len(fact.lstrip())) // 2, depth + 1, 1)
            lines.append(f"{' ' * 4 * depth}- {told}")
    return "\n".join(lines)


def _section(title: str, facts: str, said: str, asked: str) -> str:
    parts = [f"**{title}**", facts, said]
    if asked and not said:
        parts.append(f"*Not answered:* {asked}")
    return "\n\n".join(part for part in parts if part)


def _box(title: str, parts: list[str]) -> str:
    return tables.folded(title, "\n\n".join(parts))
