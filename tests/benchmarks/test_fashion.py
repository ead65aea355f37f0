"""How well the networks do on Fashion-MNIST, with the official split.

    python -m pytest tests/benchmarks/test_fashion.py -s

Debian's package `dataset-fashion-mnist` brings the pictures. Each training is a process of its own
on one thread, two processes at once. Of the 60,000 training rows the last 5,000 are held out, and
by them the best epoch is chosen. The recipes were found on training rows, too: the 10,000 test rows
are looked at once, at the end.

A killed benchmark goes on where it was: checkpoints and finished results are in the folder that
FOLIO_BENCH_FOLDER names, or in one for temporary files. A result counts only for the recipe and the
network that gave it. Minutes are processor time, so that other work on the machine matters little.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

DATA = Path("/usr/share/datasets/fashion-mnist")
ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("FOLIO_BENCH_FOLDER", Path(tempfile.gettempdir(), "folio-fashion")))
PROCESSES = min(2, os.cpu_count() or 1)
SEEDS = (0, 1, 2)
HELD_OUT = 5_000
# The longest first, so that no core idles at the end.
RECIPES: dict[str, dict[str, Any]] = {
    "cnn": {
        "network": {
            "input_shape": (28, 28, 1),
            "residual": True,
            "size": 16,
            "dropout": 0,
            "shift": 1 / 28,
            "flip": True,
        },
        "training": {"epochs": 20, "batch_size": 64, "learning_rate": 3e-3},
    },
    "classifier": {
        "network": {"inputs": 784, "hidden": (256, 128), "dropout": 0.2},
        "training": {"epochs": 20, "batch_size": 64, "learning_rate": 1e-3},
    },
}
FLOORS = {"cnn": 0.925, "classifier": 0.883}
MOST_PARAMETERS = {"cnn": 100_000}


def examples(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures (n, 28, 28, 1) as float32 in [0, 1] and labels (n,); part: train or t10k."""
    pictures = gzip.decompress((DATA / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((DATA / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    x = np.frombuffer(pictures, np.uint8, offset=16).reshape(-1, 28, 28, 1)
    return x.astype(np.float32) / 255, np.frombuffer(labels, np.uint8, offset=8).astype(np.int32)


def train(family: str, seed: int, folder: Path) -> None:
    """Train and test one network, and leave the result in `folder`; what a process does."""
    os.environ |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "2"}
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
    from models import classifier, cnn, evaluation, lent, training

    recipe = RECIPES[family]
    keras.utils.set_random_seed(seed)
    build = {"cnn": cnn.build, "classifier": classifier.build}[family]
    model = build(classes=10, **recipe["network"])
    about = json.dumps([recipe, model.to_json()]).encode()
    key = hashlib.sha256(about).hexdigest()[:12]
    result, clock = (folder / f"{family}-{seed}-{key}.{kind}" for kind in ("json", "seconds"))
    if result.exists():
        print(result)
        return
    before = float(clock.read_text()) if clock.exists() else 0.0

    def count(*_: object) -> None:
        clock.write_text(str(before + time.process_time()))

    lent.current.set(lent.Lent(report=count))
    (x, y), (x_test, y_test) = (
        (pictures.reshape(-1, *model.input_shape[1:]), labels)
        for pictures, labels in map(examples, ("train", "t10k"))
    )
    checkpoints = folder / f"{family}-{seed}-{key}"
    training.fit(
        model,
        (x[:-HELD_OUT], y[:-HELD_OUT]),
        (x[-HELD_OUT:], y[-HELD_OUT:]),
        monitor="val_accuracy",
        patience=None,
        schedule="cosine",
        checkpoints=checkpoints,
        seed=seed,
        **recipe["training"],
    )
    scores = model.predict(x_test, batch_size=500, verbose=0)
    found = {
        "accuracy": evaluation.accuracy(y_test, scores),
        "parameters": evaluation.parameters(model),
        "minutes": float(clock.read_text()) / 60,
    }
    aside = result.with_suffix(".part")
    aside.write_text(json.dumps(found))
    aside.replace(result)
    shutil.rmtree(checkpoints)
    clock.unlink()
    print(result)


def trained(job: tuple[str, int]) -> dict[str, float]:
    """Return what a process finds for (family, seed)."""
    family, seed = job
    log = FOLDER / f"{family}-{seed}.log"
    with log.open("w") as errors:
        program = subprocess.Popen(
            [sys.executable, __file__, family, str(seed), str(FOLDER)],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        # Not `communicate()`, which would close the pipe the process watches.
        said = program.stdout.read() if program.stdout else ""
        code = program.wait()
    assert code == 0, f"{family}, seed {seed}: {log.read_text()[-2000:]}"
    found = json.loads(Path(said.split()[-1]).read_text())
    print(f"{family}, seed {seed}: {found['accuracy']:.2%}, {found['minutes']:.1f} minutes")
    return found


@pytest.mark.skipif(not DATA.exists(), reason="apt-get install dataset-fashion-mnist")
def test_on_fashion_mnist_the_networks_are_no_worse_than_published():
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"\n\nCheckpoints and results: {FOLDER}")
    jobs = [(family, seed) for family in RECIPES for seed in SEEDS]
    with ThreadPoolExecutor(PROCESSES) as pool:
        found = dict(zip(jobs, pool.map(trained, jobs), strict=True))
    print("\n| network | parameters | test accuracy by seed, % | mean | wanted | minutes a seed |")
    print("|---|--:|--:|--:|--:|--:|")
    missed = []
    for family, floor in FLOORS.items():
        rows = [found[family, seed] for seed in SEEDS]
        parameters = max(row["parameters"] for row in rows)
        mean = statistics.mean(row["accuracy"] for row in rows)
        minutes = statistics.mean(row["minutes"] for row in rows)
        by_seed = ", ".join(f"{row['accuracy']:.2%}" for row in rows).replace("%", "")
        print(
            f"| {family} | {parameters:,} | {by_seed} | {100 * mean:.2f} | {100 * floor:.1f} "
            f"| {minutes:.1f} |"
        )
        if mean < floor:
            missed.append(f"{family}: {mean:.2%} < {floor:.1%}")
        if parameters >= MOST_PARAMETERS.get(family, parameters + 1):
            missed.append(f"{family}: {parameters:,} parameters")
    assert not missed


def _end_with_the_benchmark() -> None:
    # Its end of the pipe closes however it ends, kill -9 included.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=_end_with_the_benchmark, daemon=True).start()
    train(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
