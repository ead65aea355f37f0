"""Exported networks written to a folder, and run under Node in one process."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
INTERPRETER = ("network", "layers", "convolutions", "recurrent", "activations")


def write(folder: Path, exported: Any) -> None:
    """Write one network as a project does."""
    folder.mkdir(parents=True)
    (folder / "model.json").write_text(json.dumps(exported.description), "utf-8")
    (folder / "model.bin").write_bytes(exported.weights)
    (folder / "golden.bin").write_bytes(exported.golden)


def place(module: str, folder: Path) -> None:
    """Copy a module of the interpreter into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / f"blog/theme/live/{module}.js", folder)


def run(folder: Path, calls: int | None = None) -> dict[str, dict[str, Any]]:
    """Run every network in a folder; what the interpreter says of each, by name."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no Node.js found on PATH")
    live = folder.parent / f"{folder.name}_live"
    for name in INTERPRETER:
        place(name, live)
    (live / "package.json").write_text('{"type": "module"}')
    shutil.copy(ROOT / "tests/blog/run_networks.mjs", live)
    command = [node, live / "run_networks.mjs", live, folder, *([str(calls)] if calls else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def write_and_run(folder: Path, exported: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Write networks by name and run them."""
    for name, each in exported.items():
        write(folder / name, each)
    return run(folder, **options)
