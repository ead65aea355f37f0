"""The autoencoders: dense, convolutional, denoising, variational."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import models
from models import autoencoder, classifier, evaluation
from models.errors import BadData, BadOption

SMALL, VARIATIONAL = ((8, 8, 1), 8), {"hidden": (64,), "variational": True}


def built(*arguments, seed=0, **options):
    import keras

    keras.utils.set_random_seed(seed)
    return autoencoder.build(*arguments, **options)


def squared_error(x, pictures):
    return float(np.mean((x - pictures) ** 2))


@pytest.fixture(scope="module")
def pictures(digits):
    """The digits without their labels."""
    return {part: x for part, (x, _) in digits.items()}


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


def test_basics_new_digits_are_nearer_to_real_ones_than_noise_through_the_same_decoder_untrained(
    variational, pictures
):
    def nearest(samples):
        distances = np.abs(samples[:, None] - pictures["test"][None]).mean(axis=(2, 3, 4))
        return distances.min(axis=1).mean()

    untrained = built(*SMALL, **VARIATIONAL, seed=1)
    trained = nearest(autoencoder.sample(variational.model, 50, seed=0))
    assert trained < 0.6 * nearest(autoencoder.sample(untrained, 50, seed=0))


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


def test_draws_of_samples_scores_and_noise_come_from_their_seed(variational, pictures):
    model, x = variational.model, pictures["test"][:10]
    for draw in (
        lambda seed: autoencoder.sample(model, 5, seed=seed),
        lambda seed: autoencoder.anomaly_score(model, x, seed=seed),
        lambda seed: autoencoder.corrupt(built((8, 8, 1), noise=0.2, masking=0.2), x, seed=seed),
    ):
        np.testing.assert_array_equal(draw(1), draw(1))
        assert not np.array_equal(draw(1), draw(2))


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


def test_noise_is_of_its_kind_and_only_while_training():
    from models.autoencoder.layers import MaskingNoise

    x = np.full((200, 8, 8, 1), 0.5, dtype="float32")
    masked = np.array(MaskingNoise(0.25)(x, training=True))
    assert set(np.unique(masked)) == {0, 0.5}  # what is left is not scaled up
    assert (masked == 0).mean() == pytest.approx(0.25, abs=0.02)
    np.testing.assert_array_equal(MaskingNoise(0.25)(x, training=False), x)

    noisy = autoencoder.corrupt(built((8, 8, 1), noise=0.3, masking=0.25), x, seed=0)
    assert (noisy == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert noisy[noisy != 0].std() == pytest.approx(0.3, abs=0.02)
    np.testing.assert_array_equal(autoencoder.corrupt(built((8, 8, 1)), x, seed=0), x)


def test_the_layers_read_like_the_table_in_the_docstring():
    def shapes(model):
        names = [layer.name for layer in model.layers]
        assert names[0] == "picture"
        assert names[-1] == "reconstruction"
        return {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers}

    dense = shapes(autoencoder.build())
    assert [dense[name] for name in ("flatten", "encode1", "code", "decode1")] == [
        (784,),
        (256,),
        (16,),
        (256,),
    ]
    maps = shapes(autoencoder.build(kind="convolutional", variational=True))
    assert [maps[name] for name in ("encode1", "encode2", "flatten")] == [
        (14, 14, 16),
        (7, 7, 32),
        (1568,),
    ]
    assert maps["mean"] == maps["log_variance"] == maps["code"] == (16,)
    assert [maps[name] for name in ("unflatten", "decode1", "pixels", "reconstruction")] == [
        (7, 7, 32),
        (14, 14, 16),
        (28, 28, 1),
        (28, 28, 1),
    ]


def test_regularisation_initialisation_and_activation_are_plain_arguments():
    import keras

    model = autoencoder.build(
        (8, 8, 1),
        4,
        hidden=(40,),
        activation="tanh",
        l2=0.01,
        dropout=0.3,
        initialiser=keras.initializers.RandomNormal(stddev=1.0),
    )
    for name in ("encode1", "decode1", "code", "pixels"):
        assert model.get_layer(name).kernel_regularizer.l2 == pytest.approx(0.01)
    assert model.get_layer("encode1").kernel.numpy().std() == pytest.approx(1, abs=0.1)
    assert model.get_layer("decode1_activation").activation.__name__ == "tanh"
    assert model.get_layer("encode1_dropout").rate == pytest.approx(0.3)
    plain = evaluation.parameters(autoencoder.build((8, 8, 1), 4, hidden=(40,)))
    assert plain == 64 * 40 + 40 + 40 * 4 + 4 + 4 * 40 + 40 + 40 * 64 + 64


def test_a_way_between_two_digits_begins_and_ends_at_their_reconstructions(variational, pictures):
    model, (first, last) = variational.model, pictures["test"][:2]
    way = autoencoder.interpolate(model, first, last, steps=5)
    assert way.shape == (5, 8, 8, 1)
    ends = model.predict(np.stack([first, last]), verbose=0)
    np.testing.assert_allclose(way[[0, -1]], ends, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"kind": "convolution"}, "Did you mean 'convolutional'"),
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"initialiser": "he_normall"}, "Did you mean 'he_normal'"),
        ({"output": "softmax"}, "Known: linear, sigmoid"),
        ({"code": 0}, "code must be at least 1, not 0"),
        ({"hidden": 256}, r"such as \(256,\), not 256"),
        ({"hidden": (256, 0)}, "a hidden layer must be at least 1, not 0"),
        ({"input_shape": 784}, r"such as \(28, 28, 1\) or \(64,\), not 784"),
        ({"input_shape": (784,), "kind": "convolutional"}, "kind='dense' takes any shape"),
        ({"hidden": (), "kind": "convolutional"}, "at least one hidden layer"),
        (
            {"input_shape": (27, 30, 1), "kind": "convolutional"},
            "multiples of 4, not 27×30. Pad to 28×32",
        ),
        ({"beta": 2}, "beta=2 weighs the loss of variational=True only"),
        ({"beta": 0, "variational": True}, "beta must be above 0"),
        ({"beta": -1, "variational": True}, "beta must be a number from 0 up, not -1"),
        ({"noise": float("nan")}, "noise must be a number from 0 up, not nan"),
        ({"masking": 1}, "masking must be from 0 to below 1, not 1"),
        ({"dropout": 1}, "dropout must be from 0 to below 1, not 1"),
        ({"l2": -1}, "l2 must be 0 or a small positive number"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        autoencoder.build(**options)


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


def test_what_only_some_networks_can_do_is_said():
    plain = autoencoder.build((8, 8, 1), 2, hidden=(4,))
    with pytest.raises(BadOption, match="variational=True"):
        autoencoder.sample(plain, 3, seed=0)
    with pytest.raises(BadOption, match="variational=True"):
        autoencoder.elbo(plain, np.zeros((2, 8, 8, 1)))
    drawn = autoencoder.build((8, 8, 1), 2, hidden=(4,), variational=True)
    with pytest.raises(BadData, match=r"from 0 to 2.*output='linear'"):
        autoencoder.anomaly_score(drawn, np.linspace(0, 2, 64).reshape(1, 8, 8, 1))
    with pytest.raises(BadOption, match=r"autoencoder\.build is needed.*scores"):
        autoencoder.encode(classifier.build(64, 10), np.zeros((2, 64)))
    with pytest.raises(BadData, match=r"shape \(n, 2\); got shape \(3, 5\)"):
        autoencoder.decode(plain, np.zeros((3, 5)))
