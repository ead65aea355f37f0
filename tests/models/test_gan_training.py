"""Training a generator against a discriminator: the samples judged, a collapse told, resumed."""

import numpy as np
import pandas as pd
import pytest

from models import baselines, evaluation, gan, lent, samples
from models.errors import BadData, BadOption, Diverged
from models.gan import training as gan_training

from .gans import seeded, variables

SCORES = ["precision", "recall", "coverage"]
# Trainings as short as these end before samples have become varied.
pytestmark = pytest.mark.filterwarnings("ignore:The samples are nearly all alike")


def noise_like(x, n, seed=0):
    """Pixels drawn one by one, with the mean and deviation each has in `x`."""
    draw = np.random.default_rng(seed).standard_normal((n, *x.shape[1:]))
    return np.clip(x.mean(axis=0) + x.std(axis=0) * draw, 0, 1)


def same(first, second):
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.fixture(scope="module")
def held_out(digits):
    x, y = (
        np.concatenate([digits[part][side] for part in ("validation", "test")]) for side in (0, 1)
    )
    return x, y


@pytest.fixture(scope="module")
def trained(digits, held_out):
    model = seeded(0, noise=16, size=24)
    return gan.fit(
        model,
        digits["train"][0],
        held_out=held_out[0],
        epochs=15,
        learning_rate=1e-3,
        snapshots=4,
        sheet=10,
        seed=0,
    )


def test_basics_samples_of_digits_beat_noise_with_the_same_mean_and_deviation_of_each_pixel(
    digits, held_out, trained
):
    real, reached = held_out[0], trained.curves.iloc[-1]
    noise = noise_like(digits["train"][0], len(real))
    baseline = samples.precision_recall(real, noise).loc["all"]
    assert reached["precision"] + reached["recall"] > baseline["precision"] + baseline["recall"]
    assert reached["coverage"] > 5 * baseline["coverage"]
    assert reached["precision"] > 0.2
    assert trained.collapse == ""


def test_basics_a_conditional_network_makes_the_digit_it_is_asked_for(digits):
    x, y = digits["train"]
    model = seeded(0, noise=16, size=24, classes=10)
    done = gan.fit(model, x, y, epochs=10, learning_rate=1e-3, snapshots=1, seed=0)
    asked = np.arange(200) % 10
    judge = baselines.logistic(x, y)
    made = gan.sample(model, 200, asked, seed=1)
    assert evaluation.accuracy(asked, judge.predict(made)) > 0.5  # by chance 0.1
    assert done.sample_labels.tolist() == np.repeat(np.arange(10), 7).tolist()
    assert done.samples.shape == (1, 70, 8, 8, 1)


def test_basics_samples_are_not_copies_of_training_pictures(digits, held_out, trained):
    made = gan.sample(trained.model, 200, seed=5)
    _, distances = samples.nearest_training(made, digits["train"][0])
    _, of_new_digits = samples.nearest_training(held_out[0], digits["train"][0])
    assert np.quantile(distances, 0.1) > np.quantile(of_new_digits, 0.1) / 2


def test_curves_have_the_losses_and_what_the_samples_are_worth(trained):
    names = ["discriminator", "generator", "spread", "duplicates", *SCORES]
    assert sorted(trained.curves.columns) == sorted(names)
    assert trained.curves.index.tolist() == list(range(1, 16))
    assert trained.best_epoch == 15
    assert trained.snapshots_at.tolist() == [1, 6, 10, 15]
    assert trained.samples.shape == (4, 10, 8, 8, 1)
    last = gan.pictures(trained.model, gan.latents(trained.model, 10, seed=0))
    np.testing.assert_array_equal(trained.samples[-1], last)
    assert 0 <= trained.samples.min() < trained.samples.max() <= 1


def test_the_critic_is_stepped_as_often_as_asked(digits):
    model = seeded(loss="wasserstein")
    gan.fit(model, digits["validation"][0], epochs=1, batch_size=50, seed=0)  # four batches
    assert int(model.optimizer.generator.iterations) == 4
    assert int(model.optimizer.discriminator.iterations) == 20


def test_the_same_seeds_give_the_same_weights_and_samples_bit_for_bit(digits):
    x = digits["validation"][0][:96]

    def train(seed):
        done = gan.fit(seeded(dropout=0.1), x, epochs=1, snapshots=1, sheet=4, seed=seed)
        return [*variables(done.model), done.samples]

    assert same(train(1), train(1))


def test_a_training_broken_off_goes_on_to_the_same_weights_samples_and_curves(digits, tmp_path):
    x, y = (side[:96] for side in digits["validation"])

    def train(**options):
        model = seeded(loss="wasserstein", classes=10)
        judged = {"held_out": digits["train"], "snapshots": 3, "sheet": 10}
        return gan.fit(model, x, y, epochs=3, critic_steps=2, seed=1, **judged, **options)

    def stop(label, done, total):
        if label.startswith("epoch 3/3"):
            raise KeyboardInterrupt

    whole = train()
    token = lent.current.set(lent.Lent(checkpoints=tmp_path, report=stop))
    try:
        with pytest.raises(KeyboardInterrupt):
            train()
    finally:
        lent.current.reset(token)
    resumed = train(checkpoints=tmp_path)
    assert same(variables(whole.model), variables(resumed.model))
    np.testing.assert_array_equal(whole.samples, resumed.samples)
    pd.testing.assert_frame_equal(whole.curves, resumed.curves)
    again = train(checkpoints=tmp_path)  # nothing is left to do
    np.testing.assert_array_equal(whole.samples, again.samples)


def test_samples_that_stay_alike_are_called_a_collapse(digits):
    model = seeded(initialiser="zeros")  # whatever the latent, the picture is grey
    with pytest.warns(UserWarning, match=r"from epoch 1 on \(mode collapse\)"):
        done = gan.fit(model, digits["validation"][0], epochs=2, learning_rate=1e-7, seed=0)
    assert "Try loss='wasserstein'" in done.collapse


def test_a_collapse_is_dated_from_the_last_varied_epoch():
    curves = pd.DataFrame({"spread": [0.1, 0.9, 0.8, 0.2, 0.1], "duplicates": [1.0, 0, 0, 0, 0]})
    curves.index += 1
    assert "from epoch 4 on" in gan_training._collapse(curves)
    assert gan_training._collapse(curves[:3]) == ""


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_loss_that_becomes_nan_stops_training(digits):
    with pytest.raises(Diverged, match="epoch 1"):
        gan.fit(seeded(), digits["validation"][0], epochs=3, learning_rate=1e30)


def test_features_judge_the_samples(digits):
    x = digits["validation"][0]
    half = x[:100]

    def brightness(pictures):
        return pictures.mean(axis=(1, 2, 3))

    done = gan.fit(seeded(), x, held_out=half, epochs=1, seed=0, features=brightness)
    order = np.random.default_rng(0).permutation(100)
    made = gan.pictures(done.model, gan.latents(done.model, 100, seed=1))
    expected = samples.precision_recall(half[order], made, features=brightness).loc["all"]
    assert done.curves.loc[1, SCORES].to_dict() == expected[SCORES].to_dict()


def test_data_that_do_not_fit_are_refused(digits):
    x, y = digits["validation"]
    plain, conditional = seeded(), seeded(classes=10)
    with pytest.raises(BadData, match="train: the network takes examples of shape"):
        gan.fit(plain, x.reshape(-1, 64))
    with pytest.raises(BadData, match=r"values from 0 to 1.*these go from 0 to 255.*x / 255"):
        gan.fit(plain, x * 255)
    with pytest.raises(BadData, match="train: labels are for a network built with classes"):
        gan.fit(plain, x, y)
    with pytest.raises(BadData, match="train: labels are missing; the network knows 10"):
        gan.fit(conditional, x)
    with pytest.raises(BadData, match="held_out: labels are missing"):
        gan.fit(conditional, x, y, x)
    with pytest.raises(BadData, match="outside the network's 10 classes"):
        gan.fit(conditional, x, y + 1)
    with pytest.raises(BadOption, match="learning_rate must be a number above 0, not 0"):
        gan.fit(plain, x, learning_rate=0)
    with pytest.raises(BadOption, match=r"trains what gan\.build returns, not Functional"):
        gan.fit(plain.generator, x)
