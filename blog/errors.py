"""What can go wrong between recorded results and a page, as one small tree.

BlogError             anything below; exit code 1
├── FigureError       a figure cannot be drawn from what it was given
├── PostError         a post says something that the results do not hold; names file and line
└── SiteError         the site cannot be built or served
    └── PortTaken     another program listens on the port; exit code 75
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path


class BlogError(Exception):
    """Something on the way from results to page failed; ``str()`` says what and what to do."""

    exit_code = 1


class FigureError(BlogError):
    """A figure cannot be drawn from what it was given."""


class PostError(BlogError):
    """A post asks for something that is not there. Carries the place as ``file`` and ``line``."""

    def __init__(self, file: Path, line: int, message: str):
        """Put ``file:line`` before the message, so that an editor can jump there."""
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line


class SiteError(BlogError):
    """The site cannot be built or served; the old one stays as it was."""


class PortTaken(SiteError):
    """Another program already listens on the port of the preview."""

    exit_code = 75


def suggestion(asked: str, available: Iterable[str]) -> str:
    """` Did you mean …? Available: …` for an unknown name; never empty."""
    names = sorted(set(available))
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.6)
    meant = f" Did you mean `{near[0]}`?" if near else ""
    if not names:
        return f"{meant} There are none."
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    return f"{meant} Available: {shown}."
