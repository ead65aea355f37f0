"""A file written aside and swapped in, so that nobody ever reads half of it."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, content: bytes) -> bool:
    """Give ``path`` this content; False, and nothing touched, when the bytes are there already."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.aside")  # one for each who writes; ignored
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)  # noqa: PTH105 (the name of what makes it atomic)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    return True
