"""Networks with weights drawn at random, written to a folder and run under Node in one process."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
INTERPRETER = ("network", "layers", "convolutions", "recurrent", "activations")


def shaken(model, seed=0):
    """The model with weights drawn at random, the running means and variances among them."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        if "seed" in variable.path:
            continue
        positive = "variance" in variable.path
        values = random.uniform(0.5, 2, variable.shape) if positive else None
        spread = 0.5 if variable.shape and np.prod(variable.shape) < 2000 else 0.1
        draw = random.normal(0, spread, variable.shape) if values is None else values
        variable.assign(draw.astype("float32"))
    return model


def numbers(shape, seed=1):
    """Three examples from −2.5 to 2.5 or so, with exact zeros among them."""
    x = np.random.default_rng(seed).normal(0, 1, (3, *shape)).astype("float32")
    x[np.abs(x) < 0.1] = 0
    return x


def alone(layer, shape):
    """A network of this layer only, and examples for it."""
    import keras

    inputs = keras.Input(shape)
    return shaken(keras.Model(inputs, layer(inputs))), numbers(shape)


def merged(layer, shapes=((4,), (4,), (4,))):
    """A network in which this layer joins inputs of these shapes, and examples for it."""
    import keras

    inputs = [keras.Input(shape) for shape in shapes]
    return shaken(keras.Model(inputs, layer(inputs))), [numbers(s, n) for n, s in enumerate(shapes)]


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
