"""What the autoencoders learn: dense, convolutional, denoising; killed and resumed."""

import numpy as np
import pytest

from models import autoencoder
from models.errors import BadData

from .autoencoders import built, squared_error


def test_basics_three_numbers_of_a_dense_network_say_more_than_three_of_pca(pictures):
    from sklearn.decomposition import PCA

    x = pictures["test"]
    model = built((8, 8, 1), 3, hidden=(128,))
    done = autoencoder.fit(
        model,
        pictures["train"],
        pictures["validation"],
        epochs=25,
        learning_rate=0.005,
        schedule="cosine",
        seed=0,
    )
    assert list(done.curves.columns) == [
        "loss",
        "mean_squared_error",
        "val_loss",
        "val_mean_squared_error",
    ]
    pca = PCA(3).fit(pictures["train"].reshape(-1, 64))
    flat = x.reshape(-1, 64)
    by_pca = squared_error(flat, pca.inverse_transform(pca.transform(flat)))
    by_network = squared_error(x, autoencoder.decode(model, autoencoder.encode(model, x)))
    assert by_network < 0.95 * by_pca


def test_basics_a_convolutional_network_says_more_than_the_mean_picture(pictures):
    x = pictures["test"]
    model = built((8, 8, 1), 8, kind="convolutional")
    autoencoder.fit(model, pictures["train"], epochs=8, learning_rate=0.005, seed=0)
    by_mean = squared_error(x, pictures["train"].mean(axis=0))
    by_network = squared_error(x, autoencoder.decode(model, autoencoder.encode(model, x)))
    assert by_network < 0.6 * by_mean


def test_basics_denoising_brings_noisy_digits_nearer_to_the_clean_ones(pictures):
    x = pictures["test"]
    model = built((8, 8, 1), 16, hidden=(128,), noise=0.3, masking=0.2)
    autoencoder.fit(
        model, pictures["train"], pictures["validation"], epochs=12, learning_rate=0.005, seed=0
    )
    noisy = autoencoder.corrupt(model, x, seed=1)
    restored = autoencoder.decode(model, autoencoder.encode(model, noisy))
    assert squared_error(x, restored) < 0.5 * squared_error(x, noisy)


@pytest.mark.parametrize("is_variational", [False, True])
def test_basics_a_digit_never_seen_is_stranger_than_those_seen(digits, is_variational):
    from sklearn.metrics import roc_auc_score

    (x, y), (held_out, labels) = digits["train"], digits["test"]
    model = built((8, 8, 1), 6, hidden=(64,), variational=is_variational)
    autoencoder.fit(model, x[y != 6], epochs=12, learning_rate=0.005, seed=0)
    scores = autoencoder.anomaly_score(model, held_out)
    assert scores.shape == (len(held_out),)
    assert roc_auc_score(labels == 6, scores) > 0.6


def test_training_gives_the_same_weights_bit_for_bit_killed_and_resumed_or_not(pictures, tmp_path):
    def train(epochs, folder):
        model = built((8, 8, 1), 4, hidden=(16,), variational=True, masking=0.1)
        x = pictures["train"][:300]
        settings = {"epochs": epochs, "seed": 1, "checkpoints": folder}
        return autoencoder.fit(model, x, pictures["validation"], **settings)

    class Killed(BaseException):
        pass

    from models import lent

    def kill(label, done, of):
        if label.startswith("epoch 3"):
            raise Killed

    whole = train(4, tmp_path / "whole")
    before = lent.current.set(lent.Lent(report=kill))
    try:
        with pytest.raises(Killed):
            train(4, tmp_path / "killed")
    finally:
        lent.current.reset(before)
    resumed = train(4, tmp_path / "killed")
    assert resumed.curves.equals(whole.curves)
    for a, b in zip(whole.model.get_weights(), resumed.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.zeros((5, 8, 8)), r"add the channel: x\[\.\.\., None\]"),
        (np.zeros((5, 64)), r"x.reshape\(len\(x\), 8, 8, 1\) would fit"),
        (np.zeros((0, 8, 8, 1)), "holds no examples"),
        (np.full((5, 8, 8, 1), np.nan), "NaN or infinite"),
        (np.full((5, 8, 8, 1), 255), "from 255 to 255.*output='linear'"),
    ],
)
def test_pictures_that_do_not_fit_are_refused_by_name(x, says):
    with pytest.raises(BadData, match=f"train.*{says}"):
        autoencoder.fit(autoencoder.build((8, 8, 1), 2, hidden=(4,)), x)
