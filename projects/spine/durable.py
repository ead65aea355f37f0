"""Writing so that a killed process, a full disk or a second run never leaves half a file."""

from __future__ import annotations

import json
import os
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any


def write_bytes(path: Path, content: bytes) -> None:
    """Replace a file by `content`: written aside, fsynced, renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = aside_of(path)
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def write_json(path: Path, document: Any) -> None:
    """Replace a JSON file; keys keep their order, numbers their full precision."""
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_bytes(path, text.encode())


def append_line(path: Path, line: str) -> None:
    """Add one line to a log, on the disk when this returns; safe beside other writers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torn = path.is_file() and path.read_bytes()[-1:] not in (b"", b"\n")
    with path.open("ab") as file:
        file.write(b"\n" * torn + line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def aside_of(path: Path) -> Path:
    """Return a name beside `path` that nothing else uses."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.aside")


def swap_folder(aside: Path, target: Path) -> None:
    """Put a finished folder in the place of another one, which goes only after that."""
    for file in aside.rglob("*"):
        if file.is_file():
            # Windows cannot fsync a file opened for reading.
            with file.open("r+b") as opened:
                os.fsync(opened.fileno())
    sync_folder(aside)
    old = None
    if target.exists():
        old = aside_of(target)
        target.rename(old)
    aside.rename(target)
    sync_folder(target.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Make a rename in this folder durable; Windows has no such call and needs none."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def clear_asides(*folders: Path) -> None:
    """Remove what a killed run left half-written in these folders."""
    for left in [path for folder in folders for path in folder.glob(".*.aside")]:
        shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink(missing_ok=True)
