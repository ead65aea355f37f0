"""How much memory a training will need, said before it starts."""

import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from models import classifier, memory, rnn, training
from models.errors import OutOfMemory


def test_the_parts_are_as_reckoned_by_hand():
    x = np.zeros((50, 64), dtype=np.float32)
    found = memory.estimate(classifier.build(64, 10, (16,)), (x,), batch_size=8)
    parameters = 64 * 16 + 16 + 16 * 10 + 10
    # Weights, gradients, and the two moments of Adam, four bytes each.
    assert found.weights == 4 * 4 * parameters
    assert found.data == 2 * x.nbytes
    # Input, dense layer, its activation and the scores, each with its gradient.
    assert found.example == 2 * 4 * (64 + 16 + 16 + 10)
    assert found.total == found.weights + found.data + 8 * found.example


def test_the_optimizers_own_variables_count_once_there_are_some():
    model = classifier.build(64, 10, (16,))
    training.fit(model, (np.zeros((40, 64)), np.zeros(40)), epochs=1, optimizer="sgd", seed=1)
    parameters = model.count_params()
    found = memory.estimate(model).weights
    assert 3 * 4 * parameters <= found < 3 * 4 * parameters + 100  # one moment, and a few counters


def test_a_recurrent_layer_counts_every_step():
    short, long = (
        memory.estimate(rnn.build(vocabulary=20, units=(32,), steps=steps)).example
        for steps in (10, 100)
    )
    assert long == pytest.approx(10 * short, rel=0.01)
    assert short > 2 * 4 * 10 * 32 * 9


def pretend_free(monkeypatch, free):
    import psutil

    monkeypatch.setattr(psutil, "virtual_memory", lambda: namedtuple("M", "available")(free))


def test_what_cannot_fit_is_refused_with_the_batch_size_that_would(monkeypatch):
    model = classifier.build(64, 10, (16,))
    x, y = np.zeros((5000, 64), dtype=np.float32), np.zeros(5000)
    free = 4 * 4 * model.count_params() + x.nbytes + 300_000 + 20_000
    pretend_free(monkeypatch, free)
    with pytest.raises(OutOfMemory, match=r"0.3 MB are free|MB are free") as caught:
        training.fit(model, (x, y), batch_size=4096, epochs=1, seed=1)
    size = int(str(caught.value).split("batch_size=")[1].split()[0])
    assert size == 256  # 848 bytes an example: 377 of them fit
    assert "Nothing was started" in str(caught.value)
    done = training.fit(model, (x, y), batch_size=size, epochs=1, seed=1)
    assert len(done.curves) == 1


def test_where_not_even_one_example_fits_no_batch_size_is_suggested(monkeypatch):
    pretend_free(monkeypatch, 10_000)
    with pytest.raises(OutOfMemory, match="Try a smaller network or less data"):
        training.fit(classifier.build(64, 10), (np.zeros((40, 64)), np.zeros(40)), seed=1)


MEASURED = """
import os, sys
os.environ.update(OMP_NUM_THREADS="1", TF_CPP_MIN_LOG_LEVEL="3")
from pathlib import Path
import numpy as np, psutil, resource
from models import cnn, memory, training
x = np.random.default_rng(0).random((4096, 28, 28, 1), dtype=np.float32)
y = np.zeros(4096)
model = cnn.build((28, 28, 1), 10)
training.fit(model, (x[:64], y[:64]), epochs=1, seed=1)  # the libraries' own share
before = psutil.Process().memory_info().rss
training.fit(model, (x, y), epochs=1, batch_size=2048, seed=1)
if sys.platform == "linux":  # where maxrss begins with that of the process that started this one
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) * 1024
else:
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
print(peak - before, memory.estimate(model, (x, y), 2048).total - x.nbytes)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource module")
def test_the_estimate_is_near_what_a_training_really_takes():
    done = subprocess.run(
        [sys.executable, "-c", MEASURED],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(memory.__file__).parents[1],
    )
    measured, estimated = map(int, done.stdout.split())
    print(f"measured {measured / 1e6:.0f} MB, estimated {estimated / 1e6:.0f} MB")
    # Within a factor of about two: how much lies in memory at once differs from run to run.
    assert 0.4 * measured < estimated < 2.2 * measured
