"""Where a training stands, on disk: a file an epoch, verified by its SHA-256, the last two kept."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

KEPT = 2  # the newest, and the one before it should the newest turn out damaged


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one training: `<name>-<epoch>.npz` in `folder`, `.sha256` beside each."""

    folder: Path
    name: str

    def write(
        self, epoch: int, progress: Mapping[str, Any], arrays: Mapping[str, Sequence[np.ndarray]]
    ) -> None:
        """Keep where the training stands after `epoch`.

        Args:
            epoch: how many epochs are done.
            progress: plain values that JSON can hold.
            arrays: lists of arrays by name: the variables, the best weights.

        A full disk or a kill at any moment leaves the earlier checkpoints whole.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{self.name}-{epoch:05d}.npz"
        content = {
            f"{group}/{number}": array
            for group, members in arrays.items()
            for number, array in enumerate(members)
        }
        sizes = {group: len(members) for group, members in arrays.items()}
        about = json.dumps({"progress": progress, "sizes": sizes})
        aside = path.with_suffix(".part")
        try:
            with aside.open("wb") as file:
                np.savez(file, about=np.array(about), **content)  # ty: ignore[invalid-argument-type]
                file.flush()
                os.fsync(file.fileno())
            digest = hashlib.sha256(aside.read_bytes()).hexdigest()
            aside.replace(path)
            with aside.open("w", encoding="ascii") as file:
                file.write(f"{digest}  {path.name}\n")
                file.flush()
                os.fsync(file.fileno())
            aside.replace(path.with_suffix(".sha256"))
        finally:
            aside.unlink(missing_ok=True)
        for old in self._written()[KEPT:]:
            old.unlink()
            old.with_suffix(".sha256").unlink(missing_ok=True)

    def latest(self) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]] | None:
        """Return progress and arrays of the newest whole checkpoint; None if there is none.

        A damaged one is passed over with a warning that names it.
        """
        for path in self._written():
            try:
                return _read(path)
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as fault:
                warnings.warn(
                    f"Checkpoint {path} is damaged ({fault}); the one before it is used.",
                    stacklevel=2,
                )
        return None

    def _written(self) -> list[Path]:
        """Return this training's files, newest first."""
        return sorted(self.folder.glob(f"{self.name}-*.npz"), reverse=True)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, list[np.ndarray]]]:
    recorded = path.with_suffix(".sha256").read_text(encoding="ascii").split()[:1]
    # Only what this module wrote is opened at all, and never with pickle.
    if recorded != [hashlib.sha256(path.read_bytes()).hexdigest()]:
        raise ValueError("its SHA-256 is not the one recorded")
    with np.load(path, allow_pickle=False) as content:
        about = json.loads(str(content["about"]))
        arrays = {
            group: [content[f"{group}/{number}"] for number in range(size)]
            for group, size in about["sizes"].items()
        }
    return about["progress"], arrays
