"""folio.lock: for each run of a step, what it depended on and what came out. Committed.

The parts of a step's code are the same for all its seeds, so they are written once and named.
Beside it, ignored by git, `made.json` tells which values this very disk has held: a value that is
in folio.lock but not here was made elsewhere, one that is in made.json was deleted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from projects.spine.durable import write_bytes, write_json
from projects.spine.errors import SpineError

VERSION = 1


@dataclass
class Record:
    """One finished run of a step."""

    code: dict[str, str]  # "setting EPOCHS": "20", "module models/cnn.py": digest, …
    inputs: dict[str, str]  # "table" or "scores[seed=0]": digest of its content
    output: str  # digest of the content
    figure: str  # the output in a few words
    seconds: float
    files: dict[str, str] = field(default_factory=dict)  # read through local(): digest


class Lock:
    """The records of one project, in a file that merges line by line."""

    def __init__(self, path: Path, made: Path) -> None:
        self.path = path
        self.made_path = made
        self.records: dict[str, Record] = {}
        self.made: dict[str, str] = {}
        if path.is_file():
            self._read()
        with contextlib.suppress(OSError, ValueError, TypeError):
            self.made = dict(json.loads(made.read_text("utf-8")))

    def _read(self) -> None:
        try:
            document = json.loads(self.path.read_text("utf-8"))
            if document["version"] != VERSION:
                raise SpineError(
                    f"{self.path}: written by another version of Folio "
                    f"(version {document['version']}, this one reads {VERSION}). "
                    "Merge the newer template, or delete the file to run every step again."
                )
            for name, entry in document["runs"].items():
                record = {**entry, "code": document["code"][entry["code"]]}
                self.records[name] = Record(**record)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SpineError(
                f"{self.path}: cannot be read ({error}). If git left conflict markers in it, take "
                "either side whole (git checkout --ours or --theirs); or delete it: every step "
                "then counts as never run, and nothing else is lost."
            ) from None

    def write(self) -> None:
        """Write both files, aside first."""
        code: dict[str, dict[str, str]] = {}
        runs: dict[str, Any] = {}
        for name, record in self.records.items():
            text = json.dumps(record.code, sort_keys=True)
            key = hashlib.sha256(text.encode()).hexdigest()[:8]
            code[key] = dict(sorted(record.code.items()))
            runs[name] = {**vars(record), "code": key}
        # A line a part and a line a run: diffs stay readable and merges stay small.
        write_bytes(self.path, _lines({"version": VERSION, "code": code, "runs": runs}).encode())
        write_json(self.made_path, self.made)

    def keep_only(self, names: set[str]) -> None:
        """Forget the runs of steps and seeds that project.py no longer has."""
        self.records = {n: r for n, r in self.records.items() if n in names}
        self.made = {n: k for n, k in self.made.items() if n in names}


def _lines(document: dict[str, Any]) -> str:
    def text(value: Any) -> str:
        return json.dumps(value)

    codes = ",\n".join(
        f"  {text(key)}: {{\n"
        + ",\n".join(f"   {text(k)}: {text(v)}" for k, v in parts.items())
        + "\n  }"
        for key, parts in document["code"].items()
    )
    runs = ",\n".join(f"  {text(name)}: {text(entry)}" for name, entry in document["runs"].items())
    return (
        f'{{\n "version": {document["version"]},\n "code": {{\n{codes}\n }},\n'
        f' "runs": {{\n{runs}\n }}\n}}\n'
    )
