"""Everything the spine can refuse or fail at.

SpineError                exit 1  a fault
├── BadUsage              exit 2  a name, an option or a project.py that cannot work
├── StepFailed            exit 1, or the code of what it wraps  a step raised
│   └── PageLost          exit 3  … for a page whose archived record is damaged; run again
├── UnsupportedValue      exit 1  a step returned something the store has no kind for
├── MissingValue          exit 1  a value that is only recorded, or was never made
├── WorkerEnded           exit 3  a worker process was killed; the same command goes on
└── InUse                 exit 75 another run holds the project
"""

from __future__ import annotations


def printable(text: str) -> str:
    """Return text without control characters: what was scraped must not move the cursor."""
    return "".join(c if c == "\n" or c.isprintable() else repr(c)[1:-1] for c in text)


class SpineError(Exception):
    """A fault: the message says what, where, what was kept and what to do next."""

    exit_code = 1


class BadUsage(SpineError):
    """A name, an option or a project.py that cannot work as written."""

    exit_code = 2


class StepFailed(SpineError):
    """A step raised; carries the step, the line of project.py and the exit code of the cause."""

    def __init__(self, message: str, exit_code: int = 1, trace: str = "") -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.trace = trace

    def __reduce__(self) -> tuple[type, tuple[str, int, str]]:
        """Travel whole from a worker process to the one that started it."""
        return (type(self), (str(self), self.exit_code, self.trace))


class PageLost(StepFailed):
    """A page or file that a step reads is no longer what was archived: the next run fetches it."""


class UnsupportedValue(SpineError):
    """A step returned something the store has no kind for."""


class MissingValue(SpineError):
    """A value that is recorded in folio.lock but not on this disk, or was never made."""


class WorkerEnded(SpineError):
    """A worker process was killed from outside; what was finished is kept."""

    exit_code = 3


class InUse(SpineError):
    """Another process runs this project."""

    exit_code = 75
