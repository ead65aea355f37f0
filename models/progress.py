"""Where a training stands, what it has logged, and whether it is over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd


@dataclass
class Progress:
    """A training after an epoch; plain values only, for they go to a checkpoint.

    Attributes:
        epoch: how many epochs are done.
        best: the best value of the monitor so far; None without one.
        best_epoch: the epoch that gave it; without a monitor the last one.
        seconds: spent in epochs, over all sittings.
        history: what each epoch logged.
    """

    epoch: int = 0
    best: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    @property
    def curves(self) -> pd.DataFrame:
        """One row an epoch, the index counting from 1; a column for each thing logged."""
        columns = list(dict.fromkeys(name for row in self.history for name in row))
        index = pd.RangeIndex(1, self.epoch + 1, name="epoch")
        return pd.DataFrame(self.history, index=index, columns=columns)

    def record(self, row: Mapping[str, float], monitor: str | None) -> bool:
        """Take in what the next epoch logged; return whether it is the best so far by `monitor`.

        A loss or an error falls as it gets better, all else rises.
        """
        self.epoch += 1
        self.history.append({name: float(value) for name, value in row.items()})
        if monitor is None:
            self.best_epoch = self.epoch
            return True
        value = self.history[-1][monitor]
        falls = monitor.endswith(("loss", "error"))
        if self.best is not None and not (value < self.best if falls else value > self.best):
            return False
        self.best, self.best_epoch = value, self.epoch
        return True

    def over(self, settings: Mapping[str, Any]) -> bool:
        """Return whether all `epochs` are run, or no better one has come for `patience` epochs."""
        patience = settings.get("patience")
        waited = patience is not None and self.epoch - self.best_epoch >= patience
        return self.epoch >= settings["epochs"] or waited

    def line(
        self, settings: Mapping[str, Any], examples: int, parameters: int, resumed_after: int | None
    ) -> dict[str, Any]:
        """Return what is logged of a training that ran to its end; plain values."""
        return {
            **settings,
            "epochs_run": self.epoch,
            "best_epoch": self.best_epoch,
            "examples": examples,
            "parameters": parameters,
            "seconds": round(self.seconds, 2),
            "resumed_after": resumed_after,
        }


def name_of(value: Any) -> str:
    """Return the name of a function or class, or of an object's class."""
    return getattr(value, "__name__", type(value).__name__)


def fingerprint(described: Any, arrays: Iterable[np.ndarray]) -> str:
    """Return 16 letters that tell a training from every other.

    Args:
        described: settings and network, as values that JSON can hold or that have a name.
        arrays: first weights and data.
    """
    digest = hashlib.sha256(json.dumps(described, sort_keys=True, default=name_of).encode())
    for array in arrays:
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
