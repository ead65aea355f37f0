"""Generator against discriminator: the step by hand, the samples judged, save and resume."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models import baselines, evaluation, gan, lent, samples
from models.errors import BadData, BadOption, Diverged
from models.gan import training as gan_training

SCORES = ["precision", "recall", "coverage"]

# Trainings as short as these end before samples have become varied.
pytestmark = pytest.mark.filterwarnings("ignore:The samples are nearly all alike")


def seeded(seed=3, **options):
    import keras

    keras.utils.set_random_seed(seed)
    return gan.build(**{"input_shape": (8, 8, 1), "noise": 8, "size": 4, **options})


def noise_like(x, n, seed=0):
    """Pixels drawn one by one, with the mean and deviation each has in `x`."""
    draw = np.random.default_rng(seed).standard_normal((n, *x.shape[1:]))
    return np.clip(x.mean(axis=0) + x.std(axis=0) * draw, 0, 1)


def array(variable):
    return np.array(variable.numpy())


def variables(model):
    return [array(variable) for variable in model.variables]


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


def test_the_critic_is_stepped_as_often_as_asked(digits):
    model = seeded(loss="wasserstein")
    gan.fit(model, digits["validation"][0], epochs=1, batch_size=50, seed=0)  # four batches
    assert int(model.optimizer.generator.iterations) == 4
    assert int(model.optimizer.discriminator.iterations) == 20


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


def test_a_label_changes_the_sample_and_its_score():
    model = seeded(classes=3)
    z = np.repeat(gan.latents(model, 1, seed=0), 3, axis=0)
    made = gan.pictures(model, z, [0, 1, 1])
    assert not np.allclose(made[0], made[1])
    np.testing.assert_allclose(made[1], made[2], atol=1e-6)
    scores = model.discriminator.predict([made[[0, 0]], np.array([[0], [1]])], verbose=0)
    assert scores[0] != pytest.approx(scores[1])


def test_samples_depend_on_the_seed_alone():
    model = seeded()
    np.testing.assert_array_equal(gan.sample(model, 3, seed=1), gan.sample(model, 3, seed=1))
    assert not np.array_equal(gan.sample(model, 3, seed=1), gan.sample(model, 3, seed=2))
    assert gan.latents(model, 10_000, seed=0).std() == pytest.approx(1, abs=0.02)


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


def test_the_layers_read_like_the_table_in_the_docstring():
    model = gan.build()
    shapes = [
        {layer.name: tuple(layer.output.shape[1:]) for layer in network.layers}
        for network in (model.generator, model.discriminator)
    ]
    assert shapes[0] == {
        "latent": (64,),
        "dense": (7 * 7 * 64,),
        "maps": (7, 7, 64),
        "norm0": (7, 7, 64),
        "activation0": (7, 7, 64),
        "upsample1": (14, 14, 32),
        "norm1": (14, 14, 32),
        "activation1": (14, 14, 32),
        "picture": (28, 28, 1),
    }
    assert shapes[1] == {
        "picture": (28, 28, 1),
        "centred": (28, 28, 1),
        "conv1": (14, 14, 32),
        "activation1": (14, 14, 32),
        "conv2": (7, 7, 64),
        "activation2": (7, 7, 64),
        "features": (7 * 7 * 64,),
        "score": (1,),
    }
    same_as = [layer.name for layer in model.average.layers]
    assert same_as == list(shapes[0])


@pytest.mark.parametrize(
    ("shape", "smallest"),
    [((8, 8, 1), (2, 2)), ((32, 32, 3), (4, 4)), ((24, 32, 1), (6, 8)), ((64, 64, 3), (4, 4))],
)
def test_pictures_of_other_sizes_fit(shape, smallest):
    model = gan.build(shape, size=2)
    assert tuple(model.generator.output.shape[1:]) == shape
    assert tuple(model.generator.get_layer("maps").output.shape[1:3]) == smallest


def test_regularisation_initialisation_and_activation_are_plain_arguments():
    model = gan.build(
        (8, 8, 1),
        size=4,
        activation="tanh",
        discriminator_activation="elu",
        initialiser="zeros",
        l2=0.01,
        dropout=0.3,
        norm=None,
        discriminator_norm="batch",
    )
    generator, discriminator = model.generator, model.discriminator
    assert generator.get_layer("activation0").activation.__name__ == "tanh"
    assert discriminator.get_layer("activation1").activation.__name__ == "elu"
    assert generator.get_layer("dense").use_bias
    assert not np.any(generator.get_layer("dense").kernel)
    assert discriminator.get_layer("conv1").kernel_regularizer.l2 == pytest.approx(0.01)
    assert discriminator.get_layer("dropout2").rate == pytest.approx(0.3)
    norms = [layer.name for layer in discriminator.layers if "norm" in layer.name]
    assert norms == ["norm2"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"loss": "hinge"}, "Known: non_saturating, wasserstein"),
        ({"norm": "none"}, "Known: batch, layer"),
        ({"loss": "wasserstein", "discriminator_norm": "batch"}, "'layer' and None would work"),
        ({"input_shape": (28, 28)}, r"input_shape must be \(height, width, channels\)"),
        ({"input_shape": (4, 4, 1)}, "at least 8×8; got 4×4"),
        ({"input_shape": (30, 28, 1)}, "Pad them to 32×28, which would fit"),
        ({"classes": 1}, "classes must be at least 2, not 1"),
        ({"noise": 0}, "noise must be at least 1, not 0"),
        ({"size": 1.5}, "size must be a whole number, not 1.5"),
        ({"average": 1}, "average must be from 0 to below 1, not 1"),
        ({"dropout": -0.1}, "dropout must be from 0 to below 1, not -0.1"),
        ({"penalty": "ten"}, "penalty must be a number from 0 up"),
        ({"l2": -1}, "l2 must be 0 or a small positive number"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        gan.build(**options)


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
