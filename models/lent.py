"""What the engine lends a training inside a project: a folder for checkpoints, and who listens.

Outside a project nothing is lent, and `training.fit(…, checkpoints="folder/")` says it itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def _nobody_listens(*_: Any) -> None:
    pass


@dataclass
class Lent:
    """One step's surroundings.

    Args:
        checkpoints: folder for this step's checkpoints; None keeps none.
        report: called with (label, done, total), such as ("epoch 3/20, loss 0.41", 282, 1880);
            done and total count batches.
        boards: folder for TensorBoard's files, written where it is installed; None writes none.
        trained: called once for each training that ran to its end, with a dict of plain values.
    """

    checkpoints: Path | None = None
    boards: Path | None = None
    report: Callable[[str, int, int | None], None] = _nobody_listens
    trained: Callable[[dict[str, Any]], None] = _nobody_listens


current: ContextVar[Lent | None] = ContextVar("models.lent", default=None)
