"""Generator against discriminator: the step worked by hand, and the pictures made."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from models import gan
from models.errors import BadData

from .gans import array, seeded

# Trainings as short as these end before samples have become varied.
pytestmark = pytest.mark.filterwarnings("ignore:The samples are nearly all alike")


def linear_game(loss, penalty=10.0):
    """Players one can reckon by hand: G(z) = sigmoid-free z W, D(x) = x w + b; pictures of 2×2."""
    import keras
    from keras import layers

    from models.gan.adversarial import GAN, TwoOptimizers

    keras.utils.set_random_seed(1)
    latent = keras.Input((3,))
    made = layers.Reshape((2, 2, 1))(layers.Dense(4, use_bias=False, name="dense")(latent))
    picture = keras.Input((2, 2, 1))
    score = layers.Dense(1, name="score")(layers.Flatten()(picture))
    game = GAN(
        keras.Model(latent, made, name="generator"),
        keras.Model(picture, score, name="discriminator"),
        loss=loss,
        average_rate=0.999,
        penalty=penalty,
    )
    game.compile(TwoOptimizers(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2)))
    return game


def latents_to_come(model, batches):
    """What the model will draw: the same draws from a copy of its seed's state."""
    import keras

    state = array(model.seeds.state)
    draw = [keras.random.normal((5, model.noise), seed=model.seeds) for _ in range(batches)]
    model.seeds.state.assign(state)
    return [keras.ops.convert_to_numpy(latents) for latents in draw]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_correctness_one_non_saturating_step_is_the_one_worked_by_hand():
    model = linear_game("non_saturating")
    real = np.random.default_rng(0).random((5, 2, 2, 1), dtype=np.float32)
    W, (w, b) = array(model.generator.weights[0]), map(array, model.discriminator.weights)
    z1, z2 = latents_to_come(model, 2)
    x = real.reshape(5, 4)

    fake = z1 @ W
    s_real, s_fake = x @ w + b, fake @ w + b
    loss_d = -np.log(sigmoid(s_real)).mean() - np.log(1 - sigmoid(s_fake)).mean()
    delta_real, delta_fake = (sigmoid(s_real) - 1) / 5, sigmoid(s_fake) / 5
    w = w - 0.2 * (x.T @ delta_real + fake.T @ delta_fake)
    b = b - 0.2 * (delta_real.sum() + delta_fake.sum())

    scores = z2 @ W @ w + b  # by the discriminator as it is now
    loss_g = -np.log(sigmoid(scores)).mean()
    stepped = W - 0.1 * z2.T @ ((sigmoid(scores) - 1) / 5 @ w.T)

    logs = model.train_on_batch(real, return_dict=True)
    assert logs["discriminator"] == pytest.approx(loss_d, rel=1e-5)
    assert logs["generator"] == pytest.approx(loss_g, rel=1e-5)
    np.testing.assert_allclose(model.discriminator.weights[0], w, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.discriminator.weights[1], b, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.generator.weights[0], stepped, rtol=1e-4, atol=1e-6)


def test_correctness_one_wasserstein_step_is_the_one_worked_by_hand():
    model = linear_game("wasserstein", penalty=4.0)
    real = np.random.default_rng(0).random((5, 2, 2, 1), dtype=np.float32)
    W, w = array(model.generator.weights[0]), array(model.discriminator.weights[0])
    (z1,) = latents_to_come(model, 1)
    x, fake = real.reshape(5, 4), z1 @ W
    length = np.linalg.norm(w)  # a linear critic's gradient is w everywhere
    loss_d = (fake @ w).mean() - (x @ w).mean() + 4.0 * (length - 1) ** 2
    slope = fake.mean(0)[:, None] - x.mean(0)[:, None] + 4.0 * 2 * (length - 1) * w / length

    logs = model.train_on_batch(real, return_dict=True)
    assert logs["gradient_penalty"] == pytest.approx((length - 1) ** 2, rel=1e-4)
    assert logs["discriminator"] == pytest.approx(loss_d, rel=1e-4)
    np.testing.assert_allclose(
        model.discriminator.weights[0], w - 0.2 * slope, rtol=1e-4, atol=1e-6
    )


def test_correctness_the_penaltys_gradient_agrees_with_finite_differences():
    import keras

    from models.gan import adversarial

    model = seeded(loss="wasserstein", discriminator_activation="tanh", penalty=2.0)
    real = np.random.default_rng(0).random((6, 8, 8, 1), dtype=np.float32)
    state = array(model.seeds.state)

    def loss():
        model.seeds.state.assign(state)
        return model.discriminator_loss(real, None)

    kernel = model.discriminator.get_layer("conv2").kernel
    _, _, (gradient,) = adversarial.gradients_of(loss, [kernel], model.variables)
    start, direction = array(kernel), np.sign(keras.ops.convert_to_numpy(gradient))
    step, found = 1e-3, []
    for sign in (1, -1):
        kernel.assign(start + sign * step * direction)
        found.append(float(loss()[0]))
    numeric = (found[0] - found[1]) / (2 * step)
    assert numeric == pytest.approx(
        float(np.sum(np.abs(keras.ops.convert_to_numpy(gradient)))), rel=2e-2
    )


def test_correctness_the_average_follows_the_recursion():
    model = linear_game("non_saturating")
    real = np.random.default_rng(0).random((5, 2, 2, 1), dtype=np.float32)
    average = array(model.average.weights[0])
    for step in range(1, 5):
        model.train_on_batch(real)
        rate = min(0.999, (1 + step) / (10 + step))
        average = rate * average + (1 - rate) * array(model.generator.weights[0])
    np.testing.assert_allclose(model.average.weights[0], average, rtol=1e-5)
    assert not np.allclose(model.average.weights[0], model.generator.weights[0])


def test_correctness_each_player_is_moved_by_its_own_optimizer_only():
    model = linear_game("non_saturating")
    real = np.random.default_rng(0).random((5, 2, 2, 1), dtype=np.float32)
    model.optimizer.generator.learning_rate = 0.0
    before = array(model.generator.weights[0]), array(model.discriminator.weights[0])
    model.train_on_batch(real)
    np.testing.assert_array_equal(model.generator.weights[0], before[0])
    assert not np.array_equal(model.discriminator.weights[0], before[1])


def test_the_step_can_be_compiled_by_xla(digits):
    from models.gan.adversarial import two_adams

    x, y = digits["train"]
    model = seeded(classes=10, dropout=0.1)
    model.compile(two_adams(1e-3, 0.5, 0.999), jit_compile=True)
    networks = model.generator, model.discriminator
    before = [array(network.trainable_variables[0]) for network in networks]
    logs = model.train_on_batch(x[:16], y[:16], return_dict=True)
    assert np.isfinite(list(logs.values())).all()
    after = [array(network.trainable_variables[0]) for network in networks]
    assert not any(np.array_equal(*pair) for pair in zip(before, after, strict=True))


LOADED = """
import sys
import keras, numpy as np
from models import gan
from models.gan import adversarial
model = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[2], gan.sample(model, 6, [0, 1, 2] * 2, seed=4))
print(int(model.optimizer.generator.iterations))
"""


def test_correctness_a_network_loaded_in_another_process_makes_the_same_and_can_go_on(
    digits, tmp_path
):
    x = digits["validation"][0]
    model = seeded(classes=3, l2=1e-4, dropout=0.1, norm="layer", discriminator_norm="layer")
    gan.fit(model, x, np.arange(len(x)) % 3, epochs=1, seed=0)
    model.save(tmp_path / "gan.keras")
    paths = [str(tmp_path / name) for name in ("gan.keras", "made.npy")]
    environment = os.environ | {"PYTHONPATH": str(Path(gan.__file__).parents[1])}
    done = subprocess.run(
        [sys.executable, "-c", LOADED, *paths],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    made = gan.sample(model, 6, [0, 1, 2] * 2, seed=4)
    np.testing.assert_allclose(np.load(paths[1]), made, atol=1e-6)
    assert int(done.stdout.split()[-1]) == int(model.optimizer.generator.iterations) == 7


def test_a_label_changes_the_sample_and_its_score():
    model = seeded(classes=3)
    z = np.repeat(gan.latents(model, 1, seed=0), 3, axis=0)
    made = gan.pictures(model, z, [0, 1, 1])
    assert not np.allclose(made[0], made[1])
    np.testing.assert_allclose(made[1], made[2], atol=1e-6)
    scores = model.discriminator.predict([made[[0, 0]], np.array([[0], [1]])], verbose=0)
    assert scores[0] != pytest.approx(scores[1])


def test_pictures_of_more_than_a_batch_are_those_of_their_latents():
    model = seeded(classes=3)
    z, labels = gan.latents(model, 300, seed=0), np.arange(300) % 3
    made = gan.pictures(model, z, labels)
    assert made.shape == (300, 8, 8, 1)
    few = gan.pictures(model, z[255:258], labels[255:258])
    np.testing.assert_allclose(made[255:258], few, atol=1e-6)
    everything = model.average.predict([z, labels[:, None]], batch_size=256, verbose=0)
    np.testing.assert_allclose(made, everything, atol=1e-6)


def test_samples_depend_on_the_seed_alone():
    model = seeded()
    np.testing.assert_array_equal(gan.sample(model, 3, seed=1), gan.sample(model, 3, seed=1))
    assert not np.array_equal(gan.sample(model, 3, seed=1), gan.sample(model, 3, seed=2))
    assert gan.latents(model, 10_000, seed=0).std() == pytest.approx(1, abs=0.02)


def test_latents_and_labels_that_do_not_fit_are_refused():
    plain, conditional = seeded(), seeded(classes=3)
    with pytest.raises(BadData, match=r"latents must be of shape \(n, 8\), not \(2, 5\)"):
        gan.pictures(plain, np.zeros((2, 5)))
    with pytest.raises(BadData, match="takes no labels"):
        gan.sample(plain, 2, 1)
    with pytest.raises(BadData, match="labels are missing: this network knows 3 classes"):
        gan.sample(conditional, 2)
    with pytest.raises(BadData, match="labels must be one, or 2 of them"):
        gan.sample(conditional, 2, [0, 1, 2])
    with pytest.raises(BadData, match="outside the network's 3 classes"):
        gan.sample(conditional, 2, 3)
