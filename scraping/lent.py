"""What a run lends to the code it calls, so that a project never names a path.

The engine sets `current` around a step; `crawl()` and `local()` look there. Outside a run it is
None, and `crawl(…, archive="pages/")` says where to keep things.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from scraping.errors import Misuse, printable


def nothing(label: str, done: int, total: int | None) -> None:
    """Report to nobody."""


@dataclass
class Lent:
    """The folder of one project's run, and the run's wishes."""

    archive: Path  # where crawls keep their pages
    project: Path  # the project's folder
    contact: str | None = None  # who is asking: a mail address or a page
    fresh: bool = False  # ask the site what changed
    report: Callable[[str, int, int | None], None] = nothing  # (label, done, total)
    files: dict[str, Path] = field(default_factory=dict)  # what local() opened
    max_pages: int | None = None  # a cap on top of the crawl's own


current: ContextVar[Lent | None] = ContextVar("scraping.lent", default=None)


def local(path: str) -> Path:
    """A file that was added by hand, by its path within the project's folder.

    In a run the file counts as one of the step's inputs. Outside one, the path is relative to the
    file that calls.

    Raises:
        Misuse: The path is absolute or leaves the project's folder, or there is no such file.
    """
    lent = current.get()
    if lent is not None:
        folder = lent.project
    else:
        caller = sys._getframe(1).f_globals.get("__file__")
        folder = Path(caller).parent if caller else Path.cwd()
    folder = folder.resolve()
    found = (folder / path).resolve()
    if not found.is_relative_to(folder):
        raise Misuse(
            f"local({printable(path)!r}) leaves the project's folder {folder}.\n"
            "Copy the file into the project and name it relative to that folder."
        )
    if not found.is_file():
        raise Misuse(
            f"local({printable(path)!r}): there is no such file; looked for {found}.\n"
            f"Names there: {_names_near(found)}."
        )
    if lent is not None:
        lent.files[path] = found
    return found


def _names_near(missing: Path) -> str:
    """Up to ten names in the folder where the file should have been."""
    if not missing.parent.is_dir():
        return f"the folder {missing.parent} does not exist either"
    names = sorted(entry.name for entry in missing.parent.iterdir())[:10]
    return printable(", ".join(names)) or "none"
