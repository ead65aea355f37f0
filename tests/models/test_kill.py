"""A training killed with SIGKILL at random moments ends as one that nobody disturbed.

Three kills a family, each at a moment drawn anew; `FOLIO_KILLS=20` kills more often. TensorFlow is
imported once, in a process that forks itself for each training.
"""

import os
import random
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models import training

KILLS = int(os.environ.get("FOLIO_KILLS", "3"))
FAMILIES = ("classifier", "cnn", "rnn", "autoencoder", "gan", "scratch")

TRAINER = """
import hashlib, os, sys
os.environ.update(OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
import keras, numpy as np, tensorflow as tf
from sklearn.datasets import load_digits
from models import autoencoder, classifier, cnn, gan, rnn, scratch, training

x, y = load_digits(return_X_y=True)
x = (x[:420] / 16).astype("float32")
pictures, y = x.reshape(-1, 8, 8, 1), y[:420]

def classify(build, x, **options):
    settings = {"epochs": 6, "schedule": "cosine", "learning_rate": 0.01, **options}
    return training.fit(build(), (x[:300], y[:300]), (x[300:], y[300:]), **settings)

def language(folder):
    ids = (np.arange(4000) * 7 % 11 + np.arange(4000) % 3).reshape(-1, 20)
    model = rnn.build(vocabulary=14, units=(8,), embedding=4, dropout=0.2)
    return training.fit(model, (ids[:, :-1], ids[:, 1:]), epochs=6, seed=1, checkpoints=folder)

def forge(folder):
    model = gan.build((8, 8, 1), 10, noise=4, size=4, dropout=0.2)
    return gan.fit(model, pictures, y, epochs=6, snapshots=3, sheet=10, seed=1, checkpoints=folder)

def compress(folder):
    model = autoencoder.build((8, 8, 1), 2, kind="dense", variational=True, noise=0.1)
    held_out = pictures[300:]
    return autoencoder.fit(
        model, pictures[:300], held_out, epochs=6, seed=1, checkpoints=folder, patience=None
    )

TRAININGS = {
    "classifier": lambda folder: classify(
        lambda: classifier.build(64, 10, (16,), dropout=0.2), x, seed=1, checkpoints=folder),
    "cnn": lambda folder: classify(
        lambda: cnn.build((8, 8, 1), 10, size=3, shift=0.1), pictures, seed=1, checkpoints=folder),
    "rnn": language,
    "autoencoder": compress,
    "gan": forge,
    "scratch": lambda folder: classify(
        lambda: scratch.build(64, 10, (16,), dropout=0.2, seed=1), x, seed=1, checkpoints=folder,
        schedule="constant", epochs=40, patience=None),
}

for line in sys.stdin:
    family, folder, outcome = line.split()
    child = os.fork()
    if child:
        print(child, flush=True)
        os.waitpid(child, 0)
        print("ended", flush=True)
        continue
    try:
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        keras.utils.set_random_seed(5)
        done = TRAININGS[family](folder)
        digest = hashlib.sha256(done.curves.to_csv().encode())
        for weight in done.model.get_weights():
            digest.update(np.ascontiguousarray(weight).tobytes())
        if hasattr(done, "samples"):
            digest.update(np.ascontiguousarray(done.samples).tobytes())
        with open(outcome, "w") as file:
            file.write(digest.hexdigest())
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        os._exit(0)
"""


class Trainer:
    """The process that forks a training, and kills it when told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [sys.executable, "-c", TRAINER],
            env=os.environ | {"PYTHONPATH": str(Path(training.__file__).parents[1])},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def train(self, family: str, name: str, kill_after: float | None = None) -> tuple[str, float]:
        """Return the digest of what came out, "" if it was killed first, and the seconds."""
        assert self.process.stdin
        assert self.process.stdout
        outcome = self.folder / f"{name}.txt"
        outcome.unlink(missing_ok=True)
        self.process.stdin.write(f"{family} {self.folder / name} {outcome}\n")
        child, started = int(self.process.stdout.readline()), time.monotonic()
        if kill_after is not None:
            ended, _, _ = select.select([self.process.stdout], [], [], kill_after)
            if not ended:
                os.kill(child, signal.SIGKILL)
        assert self.process.stdout.readline() == "ended\n"
        return outcome.read_text() if outcome.exists() else "", time.monotonic() - started


@pytest.fixture(scope="module")
def trainer(tmp_path_factory):
    started = Trainer(tmp_path_factory.mktemp("killed"))
    yield started
    started.process.stdin.close()
    started.process.wait(timeout=60)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork a process")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_training_killed_at_random_moments_ends_as_if_it_had_not_been(trainer, family):
    undisturbed, seconds = trainer.train(family, f"{family}-whole")
    assert len(undisturbed) == 64
    moments, kills, trainings = random.Random(), 0, 0
    while kills < KILLS:
        trainings += 1
        name, outcome, killed_at = f"{family}-{trainings}", "", []
        while not outcome:
            moment = moments.uniform(0.2, 0.9) * seconds if kills < KILLS else None
            outcome, lasted = trainer.train(family, name, moment)
            if not outcome:
                kills += 1
                killed_at.append(round(lasted, 2))
        # It was through before its time was up, or it was killed often enough.
        assert outcome == undisturbed, f"killed after {killed_at} s"
