"""One run at a time per project: a file lock that tells who holds it."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import sys
from collections.abc import Generator
from pathlib import Path

from projects.spine.durable import clear_asides
from projects.spine.errors import InUse


@contextlib.contextmanager
def claim(folder: Path, name: str) -> Generator[None]:
    """Hold a project's `.folio/`, or raise InUse naming the process that does.

    The system frees the lock when the process dies, however it dies.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    owner = folder / "run.json"
    lock = FileLock(folder / "run.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise InUse(
            f"`{name}` is being run by another process{_told(owner)}. Wait for it, or end it: "
            "what it has finished is kept."
        ) from None
    try:
        now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
        command = " ".join(["folio", *sys.argv[1:]])
        owner.write_text(json.dumps({"pid": os.getpid(), "command": command, "since": now}))
        values = [path for path in folder.glob("values/*/*") if path.is_dir()]
        clear_asides(folder, folder.parent, folder.parent / "results", *values)
        yield
    finally:
        owner.unlink(missing_ok=True)
        lock.release()


def _told(owner: Path) -> str:
    """Return who holds the lock, as it said itself."""
    try:
        told = json.loads(owner.read_text())
        return f" (process {int(told['pid'])}: `{told['command']}`, since {told['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
