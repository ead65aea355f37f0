"""What can go wrong in `models`.

ModelError             a fault                                     exit code 1
├── BadOption          an argument that cannot work                exit code 2
├── BadData            data that do not fit the model, or are NaN  exit code 1
├── Diverged           a loss that became NaN or infinite          exit code 1
└── OutOfMemory        a training too large for this machine       exit code 1
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class ModelError(Exception):
    """A fault in `models`; its text says what was received and what would work."""

    exit_code = 1


class BadOption(ModelError, ValueError):
    """An argument that cannot work: a misspelt activation, a batch size of 0."""

    exit_code = 2


class BadData(ModelError, ValueError):
    """Arrays that do not fit: wrong shape, labels outside the classes, NaN, nothing at all."""


class Diverged(ModelError, ArithmeticError):
    """A training whose loss became NaN or infinite; `epoch` and `batch` count from 1."""

    def __init__(self, message: str, *, epoch: int, batch: int | None) -> None:
        super().__init__(message)
        self.epoch = epoch
        self.batch = batch


class OutOfMemory(ModelError, MemoryError):
    """A training that needs more memory than is free; its text has the batch size that fits."""


def unknown(what: str, received: object, known: Iterable[str]) -> BadOption:
    """Return the error for a name that is not among `known`, with the nearest one that is."""
    names = sorted(known)
    close = get_close_matches(str(received), names, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return BadOption(f"{what} {received!r} is not known. {hint}Known: {', '.join(names)}.")
