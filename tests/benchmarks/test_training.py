"""How fast networks train, beside raw PyTorch and plain Keras, alternating in one run.

    python -m venv bench && bench/bin/python -m pip install numpy torch    # a build for processors
    FOLIO_BENCH_PYTHON=bench/bin/python python -m pytest tests/benchmarks/test_training.py -s

Same data, architecture, batches of 32 and threads (FOLIO_BENCH_THREADS, 2) for all; each program
stays alive and runs an epoch when its turn comes, FOLIO_BENCH_RUNS (7) of them after one that is
not counted. What is compared is time on the clock, so the machine should have nothing else to do.
PyTorch takes part twice: as tutorials write it, and tuned (Adam with fused=True, pictures in
channels_last); the goals are held against the faster of the two in each network.

    … test_training.py -s -k input_paths        makes the table of models/training.py anew
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

PROGRAMS = Path(__file__).parent / "training"
BENCH_PYTHON = os.environ.get("FOLIO_BENCH_PYTHON", "")
RUNS = int(os.environ.get("FOLIO_BENCH_RUNS", "7"))
THREADS = int(os.environ.get("FOLIO_BENCH_THREADS", "2"))

# Rows an epoch, so that one lasts about two seconds; the goal against PyTorch.
NETWORKS = {
    "MLP 784-100-10": (48_000, 1.5),
    "CNN 28×28": (6_400, 1.5),
    "GRU language model": (2_048, 1.0),
    "VAE, convolutional": (3_200, 1.0),
    "VAE, dense": (16_000, 1.0),
    "DCGAN step": (3_200, 1.0),
}
PATHS = [(1, ""), (1, "jit"), (16, ""), (16, "jit"), (32, ""), (128, "")]


@dataclass
class Contender:
    """A program in a process of its own, and what its epochs cost."""

    name: str
    command: list[str]
    rows: int
    speeds: list[float] = field(default_factory=list)
    per_processor: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start the process, and run the epoch that is not counted."""
        self.process = subprocess.Popen(
            self.command,
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.parameters = self.answer()["parameters"]

    def answer(self) -> dict:
        """Wait for the end of an epoch."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, f"{self.name} ended: {' '.join(self.command)}"
        return json.loads(line)

    def epoch(self, *, counted: bool = True) -> None:
        """Run one epoch and note its speed."""
        assert self.process.stdin
        started = time.perf_counter()
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        used = self.answer()["processor"]
        if counted:
            self.speeds.append(self.rows / (time.perf_counter() - started))
            self.per_processor.append(self.rows / used)

    def stop(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=60)


def keras(name: str, how: str, data: Path, rows: int, *path: object) -> Contender:
    program = str(PROGRAMS / "with_keras.py")
    told = f"{how} {path[0]}{' jit' if path[1] else ''}" if path else how
    words = [name, str(data), how, str(THREADS), *map(str, path)]
    return Contender(told, [sys.executable, program, *words], rows)


def torch(name: str, how: str, data: Path, rows: int) -> Contender:
    program = str(PROGRAMS / "with_torch.py")
    return Contender(
        f"PyTorch, {how}", [BENCH_PYTHON, program, name, str(data), how, str(THREADS)], rows
    )


def alternate(contenders: list[Contender]) -> None:
    """Run the epochs, turn by turn."""
    for one in contenders:
        one.start()
    try:
        for run in range(RUNS + 1):
            for one in contenders:
                one.epoch(counted=run > 0)  # the first may still be tracing for the last batch
    finally:
        for one in contenders:
            one.stop()


@pytest.fixture
def data(tmp_path):
    """Write the arrays that all programs read."""

    def write(name: str) -> tuple[Path, int]:
        rows, random = NETWORKS[name][0], np.random.default_rng(0)
        shape = {"M": (784,), "G": (64,)}.get(name[0], (28, 28, 1))
        if name.startswith("GRU"):
            ids = random.integers(0, 64, (rows, 65)).astype(np.int32)
            x, y = ids[:, :-1], ids[:, 1:]
        else:
            x = random.random((rows, *shape), dtype=np.float32)
            y = random.integers(0, 10, rows).astype(np.int32)
        np.savez(tmp_path / "data.npz", x=x, y=y)
        return tmp_path / "data.npz", rows

    return write


def ratios(ours: Contender, theirs: Contender) -> list[float]:
    return [a / b for a, b in zip(ours.speeds, theirs.speeds, strict=True)]


@pytest.mark.parametrize("name", NETWORKS)
def test_speed(name, data):
    if not BENCH_PYTHON:
        pytest.skip("FOLIO_BENCH_PYTHON names no Python with PyTorch")
    path, rows = data(name)
    contenders = [
        keras(name, "folio", path, rows),
        torch(name, "plain", path, rows),
        torch(name, "tuned", path, rows),
        keras(name, "plain", path, rows),
    ]
    alternate(contenders)
    assert len({one.parameters for one in contenders}) == 1, "not the same network"
    folio, *others = contenders
    print(f"\n\n{name}: {folio.parameters:,} parameters, {THREADS} threads, {RUNS} epochs each")
    print("| | samples/s, median | a processor second | ours is times as fast |")
    print("|---|--:|--:|--:|")
    for one in contenders:
        found = ratios(folio, one)
        print(
            f"| {one.name.replace('plain', 'plain Keras') if one is others[-1] else one.name} | "
            f"{statistics.median(one.speeds):,.0f} | {statistics.median(one.per_processor):,.0f} | "
            f"{statistics.median(found):.2f} ({min(found):.2f} to {max(found):.2f}) |"
        )
    goal = NETWORKS[name][1]
    for one in others:
        wanted = 1.0 if one is others[-1] else goal
        reached = statistics.median(ratios(folio, one))
        assert reached >= wanted, f"{reached:.2f} of {one.name}, wanted {wanted}"


@pytest.mark.parametrize("name", NETWORKS)
def test_input_paths(name, data):
    path, rows = data(name)
    contenders = [keras(name, "folio", path, rows, *each) for each in PATHS]
    alternate(contenders)
    print(f"\n\n{name}\n| steps for each call | samples/s | a processor second |\n|---|--:|--:|")
    for one in contenders:
        print(
            f"| {one.name.removeprefix('folio ')} | {statistics.median(one.speeds):,.0f} | "
            f"{statistics.median(one.per_processor):,.0f} |"
        )
