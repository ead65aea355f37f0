"""A full disk, for real: the checkpoint that was there stays whole."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from models import scratch, training
from models.checkpoints import Checkpoints
from models.scratch import Network


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 96 KB; it takes root and Linux to make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk, on Linux")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", folder], check=False)
    if made.returncode:
        pytest.skip("this machine mounts no tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_leaves_the_old_checkpoint_whole(tiny_disk):
    kept = Checkpoints(tiny_disk, "training")
    kept.write(1, {"epoch": 1}, {"state": [np.arange(1000.0)]})
    with pytest.raises(OSError, match="No space left"):
        kept.write(2, {"epoch": 2}, {"state": [np.random.default_rng(0).random(50_000)]})
    found = kept.latest()
    assert found is not None
    progress, arrays = found
    assert progress == {"epoch": 1}
    np.testing.assert_array_equal(arrays["state"][0], np.arange(1000.0))
    assert not list(tiny_disk.glob("*.part"))


def test_a_training_on_a_full_disk_stops_with_what_it_had_and_goes_on_when_there_is_room(
    vectors, tiny_disk
):
    def train():
        network = scratch.build(64, 10, (8,), seed=1)
        return training.fit(network, vectors["train"], epochs=3, checkpoints=tiny_disk, seed=1)

    filler = tiny_disk / "filler"
    filler.write_bytes(bytes(64 * 1024))
    with pytest.raises(OSError, match="No space left"):
        train()
    (written,) = tiny_disk.glob("*-00001.npz")
    assert written.with_suffix(".sha256").exists()
    filler.unlink()
    resumed = train()
    network: Network = scratch.build(64, 10, (8,), seed=1)
    whole = training.fit(network, vectors["train"], epochs=3, seed=1)
    np.testing.assert_array_equal(resumed.model.theta, whole.model.theta)


def test_a_saved_network_survives_a_full_disk(tiny_disk):
    small, large = scratch.build(8, 2, (4,), seed=1), scratch.build(784, 10, (100,), seed=1)
    small.save(tiny_disk / "network.npz")
    with pytest.raises(OSError, match="No space left"):
        large.save(tiny_disk / "network.npz")
    assert Network.load(tiny_disk / "network.npz").sizes == [8, 4, 2]
