"""Curves for TensorBoard."""

import importlib.util

import numpy as np
import pytest

from models import classifier, lent, training
from models.errors import BadOption


def small():
    return classifier.build(64, 10, (16,))


INSTALLED = importlib.util.find_spec("tensorboard") is not None


@pytest.mark.skipif(INSTALLED, reason="TensorBoard is installed")
def test_without_tensorboard_a_named_folder_is_refused_with_what_to_install(vectors, tmp_path):
    with pytest.raises(BadOption, match="python -m pip install tensorboard"):
        training.fit(small(), vectors["train"], epochs=1, logs=tmp_path, seed=1)


@pytest.mark.skipif(INSTALLED, reason="TensorBoard is installed")
def test_without_tensorboard_nothing_is_written_to_a_folder_that_is_lent(vectors, tmp_path):
    token = lent.current.set(lent.Lent(boards=tmp_path / "boards"))
    try:
        training.fit(small(), vectors["train"], epochs=1, seed=1)
    finally:
        lent.current.reset(token)
    assert not (tmp_path / "boards").exists()


@pytest.mark.skipif(not INSTALLED, reason="TensorBoard is not installed")
def test_tensorboard_reads_the_curves_as_they_are(vectors, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    done = training.fit(
        classifier.build(64, 10, (16,)),
        vectors["train"],
        vectors["validation"],
        epochs=3,
        logs=tmp_path,
        seed=1,
    )
    (training_logs,) = tmp_path.glob("*/train")
    events = EventAccumulator(str(training_logs), size_guidance={"tensors": 0})
    events.Reload()
    import tensorflow as tf

    losses = [float(tf.make_ndarray(e.tensor_proto)) for e in events.Tensors("epoch_loss")]
    np.testing.assert_allclose(losses, done.curves["loss"], rtol=1e-6)
