"""A network from scratch in the place of Keras' own: the same call, the same outcome."""

import numpy as np
import pandas as pd
import pytest

from models import classifier, lent, scratch, training
from models.errors import BadData, BadOption


def pair(vectors, **options):
    """The two networks with the same first weights, in float64's and float32's best."""
    theirs = classifier.build(64, 10, (12,), activation="sigmoid", **options)
    ours = scratch.build(64, 10, (12,), dtype="float32", **options)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("class_weight", [None, "balanced", {3: 5.0, 7: 0.0}])
def test_fit_takes_either_and_both_learn_the_same(vectors, class_weight):
    x, y = vectors["train"]
    keep = (y != 2) | (np.arange(len(y)) % 5 == 0)  # classes of unequal size
    settings = {"epochs": 2, "seed": 3, "class_weight": class_weight, "learning_rate": 0.01}
    ours, theirs = (
        training.fit(model, (x[keep], y[keep]), vectors["validation"], **settings)
        for model in pair(vectors)
    )
    shared = ["loss", "accuracy", "val_loss", "val_accuracy"]
    pd.testing.assert_frame_equal(ours.curves[shared], theirs.curves[shared], rtol=1e-4)
    assert ours.best_epoch == theirs.best_epoch
    np.testing.assert_allclose(ours.model.predict(x), theirs.model.predict(x, verbose=0), atol=1e-5)


def test_a_network_from_scratch_goes_on_after_a_kill_to_the_same_weights(vectors, tmp_path):
    class Killed(BaseException):
        pass

    def report(label, done, total):
        if label.startswith("epoch 3/6"):
            raise Killed

    def train(checkpoints, report=print):
        token = lent.current.set(lent.Lent(checkpoints, report=report))
        try:
            network = scratch.build(64, 10, (12,), dropout=0.2, seed=1)
            return training.fit(network, vectors["train"], vectors["validation"], epochs=6, seed=2)
        finally:
            lent.current.reset(token)

    with pytest.raises(Killed):
        train(tmp_path, report)
    resumed, whole = train(tmp_path), train(None)
    np.testing.assert_array_equal(resumed.model.theta, whole.model.theta)
    pd.testing.assert_frame_equal(resumed.curves, whole.curves, check_exact=True)


@pytest.mark.parametrize(
    "option", [{"schedule": "cosine"}, {"loss": "mean_squared_error"}, {"metrics": ["mae"]}]
)
def test_what_only_keras_can_is_refused_by_name(vectors, option):
    (name,) = option
    with pytest.raises(BadOption, match=f"A network from scratch takes no {name}="):
        training.fit(scratch.build(64, 10), vectors["train"], **option)


def test_what_is_no_network_is_refused_with_how_to_get_one(vectors):
    with pytest.raises(BadOption, match=r"classifier.build\(…\) gives one"):
        training.fit("cnn", vectors["train"])
    with pytest.raises(BadData, match=r"must be a pair \(x, y\)"):
        training.fit(scratch.build(64, 10), vectors["train"][0])
