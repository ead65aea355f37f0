"""The autoencoders' arithmetic: codes, bounds and losses by hand; a variational network in use."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import models
from models import autoencoder

from .autoencoders import built, squared_error

SMALL, VARIATIONAL = ((8, 8, 1), 8), {"hidden": (64,), "variational": True}


@pytest.fixture(scope="module")
def variational(pictures):
    """A small variational network, trained for long enough to know a digit, and its curves."""
    return autoencoder.fit(
        built(*SMALL, **VARIATIONAL),
        pictures["train"],
        pictures["validation"],
        epochs=20,
        learning_rate=0.005,
        seed=0,
    )


def test_correctness_kl_of_a_diagonal_gaussian_by_hand():
    from models.autoencoder.layers import GaussianCode, divergence

    # ½(0 + 1 − 1 − 0) = 0 for N(0, 1); ½(1² + 1 − 1 − 0) = ½ for N(1, 1);
    # ½(0 + 4 − 1 − ln 4) = 0.806853 for N(0, 4).
    mean = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]], dtype="float32")
    log_variance = np.log(np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 4.0]], dtype="float32"))
    layer = GaussianCode(beta=3.0)
    layer([mean, log_variance])
    expected = np.array([0, 0.5, 0.5 + 0.806853])
    np.testing.assert_allclose(np.array(divergence(mean, log_variance)), expected, atol=1e-6)
    assert float(layer.losses[0]) == pytest.approx(3 * expected.mean(), abs=1e-5)


def test_correctness_kl_agrees_with_an_average_over_draws():
    from scipy.stats import norm

    from models.autoencoder.layers import divergence

    mean, deviation = 0.7, 0.4
    z = np.random.default_rng(0).normal(mean, deviation, 400_000)
    average = np.mean(norm.logpdf(z, mean, deviation) - norm.logpdf(z))
    log_variance = np.array([[2 * np.log(deviation)]], dtype="float32")
    exact = float(divergence(np.array([[mean]], dtype="float32"), log_variance)[0])
    assert exact == pytest.approx(average, abs=0.01)


def test_correctness_negative_log_likelihoods_are_scipys_summed_over_pixels():
    from scipy.stats import bernoulli, norm

    from models.autoencoder import layers

    random = np.random.default_rng(0)
    pixels = random.integers(0, 2, (5, 4, 4, 1)).astype("float32")
    guesses = random.uniform(0.05, 0.95, pixels.shape).astype("float32")
    for ours, theirs in (
        (layers.bernoulli, bernoulli.logpmf(pixels, guesses)),
        (layers.gaussian, norm.logpdf(pixels, guesses)),
    ):
        nats = np.array(ours(pixels, guesses))
        np.testing.assert_allclose(nats, -theirs.sum(axis=(1, 2, 3)), rtol=1e-5)


def test_correctness_the_loss_is_reconstruction_plus_kl_in_every_epoch(variational):
    curves = variational.curves
    assert {"loss", "reconstruction", "kl"} <= set(curves.columns)
    for part in ("", "val_"):
        terms = curves[f"{part}reconstruction"] + curves[f"{part}kl"]
        np.testing.assert_allclose(curves[f"{part}loss"], terms, rtol=1e-5)
    assert curves["kl"].iloc[-1] > 1  # the code is in use


def test_correctness_beta_weighs_kl_in_the_loss_and_l2_comes_on_top(pictures):
    x = pictures["validation"]
    model = built(*SMALL, **VARIATIONAL, beta=3.0, l2=0.01)
    curves = autoencoder.fit(model, x, x, epochs=2, seed=0).curves
    weights = [weight for weight in model.get_weights() if weight.ndim == 2]
    penalty = 0.01 * sum((weight**2).sum() for weight in weights)
    terms = curves["val_reconstruction"] + 3 * curves["val_kl"] + penalty
    assert curves["val_loss"].iloc[-1] == pytest.approx(terms.iloc[-1], rel=1e-5)


def test_correctness_val_loss_is_the_negative_evidence_lower_bound(variational, pictures):
    bound = autoencoder.elbo(variational.model, pictures["validation"], draws=20, seed=3)
    assert list(bound.columns) == ["elbo", "reconstruction", "kl"]
    np.testing.assert_allclose(bound["elbo"], -bound["reconstruction"] - bound["kl"])
    best = variational.curves.loc[variational.best_epoch]
    assert bound["kl"].mean() == pytest.approx(best["val_kl"], rel=1e-4)
    assert -bound["elbo"].mean() == pytest.approx(best["val_loss"], rel=0.02)


def test_correctness_the_bound_lies_below_the_likelihood_and_is_tight_for_an_exact_posterior():
    # With one pixel x = w z + N(0, 1), log p(x) is that of N(0, w² + 1), and the posterior is
    # N(w x / (w² + 1), 1 / (w² + 1)).
    from scipy.stats import norm

    model = built((1,), 1, hidden=(), variational=True, output="linear")
    w = 1.5
    zero = np.zeros(1, dtype="float32")

    def set_posterior(variance):
        for name, slope, shift in (
            ("mean", w / (w**2 + 1), 0.0),
            ("log_variance", 0.0, np.log(variance)),
            ("pixels", w, 0.0),
        ):
            model.get_layer(name).set_weights([np.full((1, 1), slope), zero + shift])

    x = np.repeat(np.array([[-2.0], [0.0], [0.5], [3.0]], dtype="float32"), 500, axis=0)
    likelihood = norm.logpdf(x[::500, 0], 0, np.sqrt(w**2 + 1))

    def bounds():
        return autoencoder.elbo(model, x, draws=4)["elbo"].to_numpy().reshape(4, 500).mean(axis=1)

    set_posterior(1 / (w**2 + 1))
    exact = bounds()
    np.testing.assert_allclose(exact, likelihood, atol=0.05)
    set_posterior(1.0)
    assert (bounds() < likelihood - 0.1).all()


def test_correctness_a_linear_network_finds_the_subspace_of_pca():
    from sklearn.decomposition import PCA

    random = np.random.default_rng(0)
    plane = np.linalg.qr(random.normal(size=(6, 2))).Q
    factors = random.normal(size=(500, 2)) * [2.0, 1.5]
    x = (factors @ plane.T + 0.3 * random.normal(size=(500, 6))).astype("float32")
    x -= x.mean(axis=0)
    model = built((6,), 2, hidden=(), output="linear", initialiser="orthogonal")
    autoencoder.fit(model, x, epochs=40, learning_rate=0.02, schedule="cosine", seed=0)
    pca = PCA(2).fit(x)
    best = squared_error(x, pca.inverse_transform(pca.transform(x)))
    reached = squared_error(x, autoencoder.decode(model, autoencoder.encode(model, x)))
    assert best <= reached * (1 + 1e-5)
    assert reached < 1.05 * best


@pytest.mark.parametrize("kind", autoencoder.KINDS)
@pytest.mark.parametrize("is_variational", [False, True])
def test_correctness_encoder_then_decoder_is_the_network(pictures, kind, is_variational):
    model = built(
        (8, 8, 1),
        5,
        kind=kind,
        variational=is_variational,
        noise=0.2,
        masking=0.1,
        dropout=0.2,
        norm="batch",
    )
    x = pictures["test"][:20]
    codes = autoencoder.encode(model, x)
    assert codes.shape == (20, 5)
    restored = autoencoder.decode(model, codes)
    np.testing.assert_allclose(restored, model.predict(x, verbose=0), atol=1e-6)
    np.testing.assert_array_equal(autoencoder.encode(model, x), codes)
    assert autoencoder.encoder(model).output_shape == (None, 5)
    assert autoencoder.decoder(model).input_shape == (None, 5)


LOADS = """
import sys
import numpy as np
import keras
import models.autoencoder.layers
x = np.load("x.npy")
for kind in ("dense", "convolutional"):
    model = keras.saving.load_model(f"{kind}.keras")
    assert model.loss is not None, "the loss did not come back"
    np.save(f"{kind}.npy", model.predict(x, verbose=0))
"""


def test_correctness_a_saved_network_gives_the_same_pictures_in_a_fresh_process(pictures, tmp_path):
    np.save(tmp_path / "x.npy", x := pictures["test"][:50])
    expected = {}
    for kind in autoencoder.KINDS:
        model = built((8, 8, 1), 4, kind=kind, variational=True, noise=0.1, masking=0.1, l2=1e-4)
        autoencoder.fit(model, pictures["validation"], epochs=1, seed=0)
        model.save(tmp_path / f"{kind}.keras")
        expected[kind] = model.predict(x, verbose=0)
    environment = os.environ | {
        "PYTHONPATH": str(Path(models.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
    }
    subprocess.run([sys.executable, "-c", LOADS], env=environment, cwd=tmp_path, check=True)
    for kind, restored in expected.items():
        np.testing.assert_allclose(np.load(tmp_path / f"{kind}.npy"), restored, atol=1e-6)


def test_correctness_gradients_reach_every_weight_through_the_draw(variational):
    untrained = built(*SMALL, **VARIATIONAL).get_weights()
    for old, new in zip(untrained, variational.model.get_weights(), strict=True):
        assert np.abs(new - old).max() > 0


def test_correctness_codes_drawn_have_the_mean_and_deviation_asked_for():
    from models.autoencoder.layers import GaussianCode

    mean = np.full((50_000, 2), [1.0, -2.0], dtype="float32")
    log_variance = np.log(np.full((50_000, 2), [0.25, 4.0], dtype="float32"))
    layer = GaussianCode()
    drawn = np.array(layer([mean, log_variance], training=True))
    np.testing.assert_allclose(drawn.mean(axis=0), [1, -2], atol=0.05)
    np.testing.assert_allclose(drawn.std(axis=0), [0.5, 2], rtol=0.02)
    np.testing.assert_array_equal(layer([mean, log_variance], training=False), mean)


def test_basics_new_digits_are_nearer_to_real_ones_than_noise_through_the_same_decoder_untrained(
    variational, pictures
):
    def nearest(samples):
        distances = np.abs(samples[:, None] - pictures["test"][None]).mean(axis=(2, 3, 4))
        return distances.min(axis=1).mean()

    untrained = built(*SMALL, **VARIATIONAL, seed=1)
    trained = nearest(autoencoder.sample(variational.model, 50, seed=0))
    assert trained < 0.6 * nearest(autoencoder.sample(untrained, 50, seed=0))


def test_draws_of_samples_scores_and_noise_come_from_their_seed(variational, pictures):
    model, x = variational.model, pictures["test"][:10]
    for draw in (
        lambda seed: autoencoder.sample(model, 5, seed=seed),
        lambda seed: autoencoder.anomaly_score(model, x, seed=seed),
        lambda seed: autoencoder.corrupt(built((8, 8, 1), noise=0.2, masking=0.2), x, seed=seed),
    ):
        np.testing.assert_array_equal(draw(1), draw(1))
        assert not np.array_equal(draw(1), draw(2))


def test_a_way_between_two_digits_begins_and_ends_at_their_reconstructions(variational, pictures):
    model, (first, last) = variational.model, pictures["test"][:2]
    way = autoencoder.interpolate(model, first, last, steps=5)
    assert way.shape == (5, 8, 8, 1)
    ends = model.predict(np.stack([first, last]), verbose=0)
    np.testing.assert_allclose(way[[0, -1]], ends, atol=1e-5)
