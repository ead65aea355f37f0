"""seal.json: a proposal fixed before the runs that judge it, and the code that stands for it.

The code is the beginning of a hash over all that is sealed. Handed to somebody else it makes them
a witness; without one, a seal shows what came first in this repository and nothing more.
"""

from __future__ import annotations

import ast
import datetime
import difflib
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.spine.errors import BadUsage, SpineError
from projects.spine.project import Project, names
from projects.spine.proposal import text_of

FILE = "seal.json"
SCHEMA = 1
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no I, L, O and U: they are read as others
# A second proposal for a code that is out takes 2^60 trials, two of one's own making 2^30: who
# does not trust the author at all keeps the whole hash instead, and `verify` takes that, too.
CODE_BITS = 60
HASHED = ("schema", "project", "time", "commit", "sealed")


# -- the file ----------------------------------------------------------------------------------


def load(folder: Path) -> dict[str, Any] | None:
    """Return the seal in a project's folder, or None where there is none.

    A dict of schema, project, time (UTC), commit or None, code, hash, sealed (text, seeds,
    settings, split, trainings) and earlier (seals that this one replaced). SpineError where the
    file does not hold what was sealed.
    """
    try:
        seal = json.loads((folder / FILE).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        seal = None
    where = f"projects/{folder.name}/{FILE}"
    if seal is None or not intact(seal):
        raise SpineError(
            f"{where}: it does not hold what was sealed: its content does not give its hash. "
            f"Next: git checkout {where}"
        )
    if seal["project"] != folder.name:
        raise SpineError(
            f"{where}: it is the seal of `{seal['project']}`, not of `{folder.name}`. Delete the "
            f"file, then: folio propose {folder.name}"
        )
    return seal


def intact(seal: Any) -> bool:
    """Tell whether a seal is whole: what it holds gives its hash, and that its code."""
    try:
        content = seal["sealed"]
        shaped = (
            isinstance(content["text"], str)
            and isinstance(content["seeds"], list)
            and isinstance(content["settings"], dict)
            and isinstance(content["trainings"], int)
            and isinstance(content["split"], str | None)
            and isinstance(seal["commit"], str | None)
            and all(isinstance(each["code"], str) for each in seal["earlier"])
            and datetime.datetime.fromisoformat(seal["time"])
        )
        return (
            bool(shaped) and hash_of(seal) == seal["hash"] and code_of(seal["hash"]) == seal["code"]
        )
    except (KeyError, TypeError, ValueError):
        return False


def hash_of(seal: dict[str, Any]) -> str:
    """Return the SHA-256, in hex, of what is sealed: content, project, time and commit."""
    sealed = {key: seal[key] for key in HASHED}
    text = json.dumps(sealed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def code_of(digest: str) -> str:
    """Return the first 60 bits of a hash as F7KQ-2M9X-C4TD.

    Source: Crockford, Base 32, https://www.crockford.com/base32.html
    """
    number = int(digest[: CODE_BITS // 4], 16)
    signs = [CROCKFORD[number >> shift & 31] for shift in range(CODE_BITS - 5, -1, -5)]
    return "-".join("".join(signs[at : at + 4]) for at in range(0, len(signs), 4))


def typed(code: str) -> str:
    """Return a code as it was printed from how somebody typed it; BadUsage where it is none.

    A whole hash stays one.
    """
    if re.fullmatch("[0-9a-f]{64}", code.strip().lower()):
        return code.strip().lower()
    plain = "".join(sign for sign in code.upper() if sign.isalnum())
    plain = plain.replace("O", "0").replace("I", "1").replace("L", "1")
    if len(plain) != CODE_BITS // 5 or set(plain) - set(CROCKFORD):
        raise BadUsage(
            f"{code!r} is no code of a seal: it has twelve letters and digits, such as "
            "F7KQ-2M9X-C4TD."
        )
    return "-".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def current_code(folder: Path) -> str | None:
    """Return the code of a project's seal for the log of trainings; None without a whole one."""
    try:
        seal = load(folder)
    except SpineError:
        return None
    return seal["code"] if seal else None


# -- what is sealed ----------------------------------------------------------------------------


def split_digest(project: Project, overrides: dict[str, Any]) -> str | None:
    """Return 16 hex digits that change with how the step `split` splits, None without that step.

    Its own code with the helpers and settings it uses; not libraries, nor the version of Python.
    """
    if "split" not in project.steps:
        return None
    parts = {}
    for name in project.closure("split")[0]:
        if name in project.settings:
            parts[name] = repr(overrides.get(name, project.settings[name]))
        else:
            parts[name] = "\n".join(map(ast.unparse, project.code.defined[name]))
    parts[""] = "\n".join(map(ast.unparse, project.code.loose))
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_digest(project: Project, step: str) -> str:
    """Return 16 hex digits that change with a step's own code and the helpers it uses.

    Not with settings, which the log tells by themselves; nor with libraries.
    """
    named = sorted(name for name in project.closure(step)[0] if name not in project.settings)
    code = [project.code.loose, *(project.code.defined[name] for name in named)]
    text = "\n".join(ast.unparse(node) for nodes in code for node in nodes)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def plain(settings: dict[str, Any]) -> dict[str, Any]:
    """Return settings as JSON gives them back: tuples as lists, keys as text."""
    return json.loads(json.dumps(settings))


def trainings(folder: Path) -> list[dict[str, Any]]:
    """Return every training of a project's log, in the order in which they ended."""
    try:
        lines = (folder / "results" / "runs.jsonl").read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:  # torn by a full disk
            continue
        if isinstance(entry, dict):
            found.append(entry)
    return found


def concerned(entry: dict[str, Any], seeds: list[int], split: str | None) -> bool:
    """Tell whether a training had one of the seeds, and this split or one that is not known."""
    seeded = entry.get("seed") in seeds if seeds else True
    return seeded and entry.get("split") in (split, None)


def listed(word: str, values: list[int]) -> str:
    """Return "seed 3", "seeds 3, 4 and 5", or "no seed"."""
    if not values:
        return f"no {word}"
    told = [str(value) for value in values]
    if len(told) == 1:
        return f"{word} {told[0]}"
    return f"{word}s {', '.join(told[:-1])} and {told[-1]}"


# -- a code, looked up -------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    """What is known of a code that somebody was handed."""

    ok: bool  # a seal of this repository has it, and its content gives it
    lines: list[str]


def verify(root: Path, code: str, name: str | None = None) -> Answer:
    """Return what a code, or a whole hash, stands for; worked out anew from what is sealed.

    Capitals, dashes, O for 0 and I or L for 1 do not matter. `name`: look in that project only.
    BadUsage where it cannot be the code of any seal.
    """
    code = typed(code)
    chosen = names(root) if name is None else [name]
    for project in chosen:
        folder = root / "projects" / project
        try:
            seal = json.loads((folder / FILE).read_text("utf-8"))
            every = [seal, *seal["earlier"]]
            found = next((each for each in every if code in (each["code"], each["hash"])), None)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if found is not None:
            return _answer(folder, code, found, replaced=None if found is seal else seal)
    whose = "No project here" if name is None else f"`{name}` is not the project that"
    return Answer(
        False,
        [
            f"{code}: {whose} has a seal with this code.",
            "Either it was mistyped, or the seal was replaced, changed or removed after the code "
            "was handed over.",
        ],
    )


def _answer(folder: Path, code: str, seal: dict[str, Any], replaced: Any) -> Answer:
    place = f"projects/{folder.name}/{FILE}"
    if not intact({**seal, "earlier": []}):
        return Answer(
            False,
            [
                f"{code}: {place} carries this code, but what it holds does not give it: it was "
                "changed after the sealing."
            ],
        )
    commit = f"at commit {seal['commit'][:12]}" if seal["commit"] else "outside of any commit"
    lines = [
        f"{code}: sealed for `{seal['project']}` on {seal['time']}, {commit}.",
        f"The hash of what {place} holds was worked out anew and gives this code.",
    ]
    if replaced is not None:
        lines.append(
            f"But this seal was replaced by {replaced['code']} on {replaced['time']}; the "
            "verdicts are those of that one."
        )
        return Answer(False, lines)
    lines += _changes(folder, seal["sealed"]["text"])
    return Answer(seal["project"] == folder.name, lines)


def _changes(folder: Path, sealed: str) -> list[str]:
    """Return how proposal.md differs from what was sealed, as lines."""
    now = text_of(folder)
    if now is None:
        return ["proposal.md is gone; what was sealed is kept in the seal."]
    if now == sealed:
        return ["proposal.md is unchanged since."]
    return [
        "proposal.md was changed since:",
        *difflib.unified_diff(
            sealed.splitlines(), now.splitlines(), "sealed", "now", lineterm="", n=1
        ),
    ]
