"""Recurrent networks that read and write."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import models
from models import baselines, evaluation, rnn, tokens, training
from models.errors import BadData, BadOption


def _sentences(count, seed):
    """Sentences whose verb agrees with a subject that stands some words before it."""
    chance = np.random.default_rng(seed)
    lines = []
    for _ in range(count):
        one, other = chance.choice(["cat", "dog", "hen", "fox"], 2)
        many = chance.integers(2)
        where = chance.choice(["in the barn", "by the old mill"])
        lines.append(f"the {one}{'s' * many} {where} see{'s' * (1 - many)} a {other}.\n")
    return "".join(lines)


@pytest.fixture(scope="module")
def writer():
    """A small language model of characters, its vocabulary, and one step of it."""
    import keras

    keras.utils.set_random_seed(0)
    text = _sentences(150, 0)
    vocabulary = tokens.vocabulary(text)
    model = rnn.build(vocabulary=vocabulary, units=(48,), embedding=16)
    trained = training.fit(
        model,
        vocabulary.windows(text, 40, 20),
        vocabulary.windows(_sentences(20, 1), 40),
        epochs=8,
        learning_rate=0.01,
        seed=0,
    )
    return trained.model, vocabulary, rnn.one_step(trained.model)


def test_basics_a_language_model_needs_fewer_bits_than_chance_single_and_pairs_of_characters(
    writer,
):
    model, vocabulary, _ = writer
    held_out = _sentences(60, 2)
    x, y = vocabulary.windows(held_out, 100)
    bits = evaluation.bits_per_character(y, model.predict(x, verbose=0))
    single, pairs = (baselines.ngram(_sentences(150, 0), order=order) for order in (1, 2))
    assert single.bits_per_character(held_out) < np.log2(len(vocabulary))
    assert pairs.bits_per_character(held_out) < single.bits_per_character(held_out)
    assert bits < pairs.bits_per_character(held_out) - 0.2


def test_basics_a_classifier_tells_which_of_two_symbols_came_first():
    """Both classes hold the same symbols equally often: nothing but their order tells."""
    import keras

    keras.utils.set_random_seed(0)
    chance = np.random.default_rng(0)
    n, steps = 1000, 10
    x = chance.integers(3, 8, (n, steps))
    y = chance.integers(2, size=n)
    for row, first in zip(x, y, strict=True):
        places = np.sort(chance.choice(steps, 2, replace=False))
        row[places] = (1, 2) if first else (2, 1)
    model = rnn.build("classifier", vocabulary=8, classes=2, units=(16,), embedding=8)
    training.fit(
        model, (x[:700], y[:700]), (x[700:800], y[700:800]), epochs=12, learning_rate=0.02, seed=0
    )
    reached = evaluation.accuracy(y[800:], model.predict(x[800:], verbose=0))
    guess = baselines.majority(y[:700]).predict(x[800:])
    assert reached > evaluation.accuracy(y[800:], guess) + 0.3


def _sigmoid(z):
    return 1 / (1 + np.exp(-z))


def test_correctness_a_gru_follows_its_formula_step_by_step():
    model = rnn.build("classifier", features=3, head="linear", units=(4,))
    W, U, b, kernel, bias = _shaken(model)
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    h = np.zeros((2, 4))
    for t in range(5):
        x_z, x_r, x_g = np.split(x[:, t] @ W + b[0], 3, axis=1)
        h_z, h_r, h_g = np.split(h @ U + b[1], 3, axis=1)
        z, r = _sigmoid(x_z + h_z), _sigmoid(x_r + h_r)
        h = z * h + (1 - z) * np.tanh(x_g + r * h_g)
    np.testing.assert_allclose(model.predict(x, verbose=0), h @ kernel + bias, atol=1e-6)


def test_correctness_an_lstm_follows_its_formula_step_by_step():
    model = rnn.build("classifier", features=3, head="linear", units=(4,), cell="lstm")
    W, U, b, kernel, bias = _shaken(model)
    x = np.random.default_rng(1).normal(size=(2, 5, 3))
    h = c = np.zeros((2, 4))
    for t in range(5):
        i, f, g, o = np.split(x[:, t] @ W + h @ U + b, 4, axis=1)
        c = _sigmoid(f) * c + _sigmoid(i) * np.tanh(g)
        h = _sigmoid(o) * np.tanh(c)
    np.testing.assert_allclose(model.predict(x, verbose=0), h @ kernel + bias, atol=1e-6)


def _shaken(model):
    """Give every weight, biases too, a value of its own; return them in float64."""
    chance = np.random.default_rng(0)
    model.set_weights([chance.normal(size=w.shape, scale=0.5) for w in model.get_weights()])
    return [weight.astype(np.float64) for weight in model.get_weights()]


@pytest.mark.parametrize(("backwards", "jit"), [(False, False), (True, True)])
@pytest.mark.parametrize("cell", ["GRU", "LSTM"])
def test_correctness_outputs_states_and_gradients_are_those_of_keras_own_layer(
    cell, backwards, jit
):
    """One step of plain gradient descent moves every weight equally, those before it as well."""
    import keras

    from models import rnn_layers

    def network(layer):
        sequence, context = keras.Input((None, 3)), keras.Input((2,))
        start = [
            keras.layers.Dense(5, name=f"start{number}")(context)
            for number in range(len(keras.tree.flatten(layer.cell.state_size)))
        ]
        outputs, *states = layer(keras.layers.Dense(4)(sequence), initial_state=start)
        joined = keras.layers.Concatenate()([keras.layers.Flatten()(outputs[:, :6]), *states])
        model = keras.Model([sequence, context], joined)
        model.compile(keras.optimizers.SGD(1.0), "mean_squared_error", jit_compile=jit)
        return model

    options = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    ours = network(getattr(rnn_layers, cell)(5, **options))
    keras_own = network(getattr(keras.layers, cell)(5, **options))
    _shaken(ours)
    keras_own.set_weights(ours.get_weights())
    chance = np.random.default_rng(3)
    x = [chance.normal(size=(2, 6, 3)), chance.normal(size=(2, 2))]
    before = keras_own.get_weights()
    outputs = ours.predict_on_batch(x)
    np.testing.assert_allclose(outputs, keras_own.predict_on_batch(x), atol=1e-6)
    y = chance.normal(size=outputs.shape)
    ours.train_on_batch(x, y)
    keras_own.train_on_batch(x, y)
    for mine, theirs, was in zip(ours.get_weights(), keras_own.get_weights(), before, strict=True):
        assert not np.allclose(theirs, was, atol=1e-4)
        np.testing.assert_allclose(mine, theirs, atol=2e-6)


@pytest.mark.parametrize("options", [{"cell": "gru"}, {"cell": "lstm", "norm": "layer"}])
def test_correctness_one_step_at_a_time_gives_what_the_whole_sequence_gives(options):
    model = rnn.build(vocabulary=9, units=(6, 5), embedding=4, dropout=0.2, **options)
    _shaken(model)
    ids = np.random.default_rng(2).integers(0, 9, (3, 12))
    whole = model.predict(ids, verbose=0)
    step = rnn.one_step(model)
    states = [np.zeros((3, state.shape[-1])) for state in step.inputs[1:]]
    assert len(states) == (2 if options["cell"] == "gru" else 4)
    for t in range(12):
        probabilities, *states = step.predict_on_batch([ids[:, t : t + 1], *states])
        np.testing.assert_allclose(probabilities, whole[:, t], atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"task": "language", "units": (5, 4), "cell": "lstm", "norm": "layer", "l2": 1e-4},
        {"task": "classifier", "classes": 3, "units": (5, 4), "bidirectional": True},
    ],
)
def test_correctness_a_saved_network_gives_the_same_scores(options, tmp_path):
    import keras

    model = rnn.build(vocabulary=7, embedding=4, dropout=0.1, **options)
    model.save(tmp_path / "rnn.keras")
    loaded = keras.saving.load_model(tmp_path / "rnn.keras")
    ids = np.random.default_rng(0).integers(0, 7, (4, 6))
    np.testing.assert_array_equal(model.predict(ids, verbose=0), loaded.predict(ids, verbose=0))


def test_correctness_another_process_loads_a_network_once_the_layers_are_imported(tmp_path):
    model = rnn.build(vocabulary=7, units=(4,), embedding=4)
    model.save(tmp_path / "rnn.keras")
    ids = [[1, 2, 3, 6]]
    code = f"""
import keras
import numpy as np
import models.rnn_layers
model = keras.saving.load_model({str(tmp_path / "rnn.keras")!r})
np.save({str(tmp_path / "scores.npy")!r}, model.predict(np.array({ids}), verbose=0))
"""
    environment = os.environ | {"PYTHONPATH": str(Path(models.__file__).parents[1])}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    np.testing.assert_array_equal(
        np.load(tmp_path / "scores.npy"), model.predict(np.array(ids), verbose=0)
    )


def test_correctness_at_temperature_0_the_likeliest_is_written_after_all_that_was_read(writer):
    model, vocabulary, _ = writer
    text = rnn.generate(model, vocabulary, 8, prompt="the cats by", temperature=0, seed=0)
    assert text.startswith("the cats by")
    likely = model.predict(vocabulary.encode(text)[None], verbose=0)[0, :, 1:].argmax(axis=1) + 1
    written = len(text) - len("the cats by")
    assert text[-written:] == vocabulary.decode(likely[-written - 1 : -1])


def test_the_network_writes_words_it_was_trained_on(writer):
    _, vocabulary, step = writer
    text = rnn.generate(step, vocabulary, 300, prompt="the ", temperature=0.5, seed=1)
    words = text.split()[:-1]  # the last may be cut
    assert np.mean([word in _sentences(150, 0).split() for word in words]) > 0.8


def test_the_same_seed_writes_the_same_text_and_another_another(writer):
    _, vocabulary, step = writer
    texts = [rnn.generate(step, vocabulary, 40, seed=seed) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0]) == 40


def test_a_text_ends_before_what_stops_it_and_unknown_symbols_are_read_but_not_written(writer):
    _, vocabulary, step = writer
    text = rnn.generate(step, vocabulary, 200, prompt="\x00Ж", stop=" s", temperature=0.1, seed=0)
    assert text.startswith("\x00Ж")
    assert 2 < len(text) < 200
    assert not {" s", "�"} & {text[i : i + n] for n in (1, 2) for i in range(len(text))}


def test_draws_have_the_probabilities_that_temperature_and_top_k_make():
    chance = np.random.default_rng(0)
    p = np.array([0.5, 0.1, 0.3, 0.1], dtype=np.float32)  # half of it for the unknown

    def shares(temperature, top_k=None):
        drawn = [rnn._draw(p, temperature, top_k, chance) for _ in range(4000)]
        return np.bincount(drawn, minlength=4) / 4000

    np.testing.assert_allclose(shares(1.0), [0, 0.2, 0.6, 0.2], atol=0.03)
    np.testing.assert_allclose(shares(0.5), [0, 1 / 11, 9 / 11, 1 / 11], atol=0.03)
    np.testing.assert_allclose(shares(1.0, top_k=2), [0, 0.25, 0.75, 0], atol=0.03)
    assert rnn._draw(p, 0, None, chance) == rnn._draw(p, 1e-9, None, chance) == 2
    assert rnn._draw(np.array([1.0, 0, 0]), 1.0, None, chance) in (1, 2)


def test_masked_steps_are_skipped_and_unmasked_zeros_are_read():
    ids = np.array([[3, 1, 2]])
    padded = np.array([[0, 0, 0, 3, 1, 2]])
    for mask in (True, False):
        model = rnn.build("classifier", vocabulary=4, classes=2, units=(5,), mask=mask)
        _shaken(model)
        scores, of_padded = (model.predict(x, verbose=0) for x in (ids, padded))
        assert np.allclose(scores, of_padded, atol=1e-6) == mask


def test_the_layers_read_like_the_table_in_the_docstring():
    model = rnn.build(vocabulary=9, units=(6, 5), dropout=0.1, norm="layer", steps=7)
    assert [layer.name for layer in model.layers] == [
        "ids", "embedding", "gru1", "norm1", "dropout1", "gru2", "norm2", "dropout2", "scores"
    ]  # fmt: skip
    assert model.output_shape == (None, 7, 9)
    # 3 gates, each with weights on inputs and state and two biases
    model = rnn.build(vocabulary=9, units=(6,), embedding=4)
    assert evaluation.parameters(model) == 9 * 4 + 3 * 6 * (4 + 6 + 2) + (6 + 1) * 9


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({"vocabulary": 5, "classes": 3}, (None, 3)),
        ({"vocabulary": 5, "head": "sigmoid"}, (None, 1)),
        ({"features": 4, "head": "linear", "bidirectional": True}, (None, 1)),
    ],
)
def test_a_classifier_gives_its_scores_after_the_last_step(options, shape):
    assert rnn.build("classifier", units=(3, 2), **options).output_shape == shape


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"task": "languag"}, "Did you mean 'language'"),
        ({"bidirectional": True}, "would see the symbols it is to predict"),
        ({"classes": 3}, r"classes=3 is for task='classifier'"),
        ({"features": 3}, r"features=3 is for task='classifier'"),
        ({"head": "linear"}, "head is 'softmax', not 'linear'"),
        ({"mask": True}, "nothing to skip"),
        ({"task": "classifier"}, "needs its number of classes"),
        ({"task": "classifier", "classes": 1}, "classes must be at least 2"),
        ({"task": "classifier", "head": "softmx"}, "Did you mean 'softmax'"),
        ({"task": "classifier", "classes": 2, "features": 3, "mask": True}, "there are no ids"),
        ({"vocabulary": 1}, "vocabulary must be at least 2"),
        ({"units": 128}, r"such as \(128,\), not 128"),
        ({"units": ()}, r"such as \(128,\), not \(\)"),
        ({"units": (8, 0)}, "a layer's units must be at least 1, not 0"),
        ({"cell": "gur"}, "Did you mean 'gru'"),
        ({"norm": "batch"}, "use 'layer'"),
        ({"norm": "layers"}, "Did you mean 'layer'"),
        ({"activation": "tahn"}, "Did you mean 'tanh'"),
        ({"dropout": 1}, "dropout must be from 0 to below 1"),
        ({"steps": 0}, "steps must be at least 1"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        rnn.build(**options)


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"temperature": -1}, BadOption, "temperature must be a number from 0 up, not -1"),
        ({"temperature": float("nan")}, BadOption, "not nan"),
        ({"temperature": "hot"}, BadOption, "not 'hot'"),
        ({"top_k": 0}, BadOption, "top_k must be at least 1"),
        ({"stop": ""}, BadOption, "stop must be a text"),
        ({"length": -1}, BadOption, "length must be at least 0"),
        ({"vocabulary": tokens.Vocabulary(["a"])}, BadData, "the vocabulary has 2"),
    ],
)
def test_texts_that_cannot_be_written_are_refused(writer, options, error, says):
    model, vocabulary, _ = writer
    with pytest.raises(error, match=says):
        rnn.generate(model, **{"vocabulary": vocabulary, "seed": 0} | options)


def test_a_classifier_takes_no_single_steps():
    model = rnn.build("classifier", vocabulary=5, classes=3, units=(2,))
    with pytest.raises(BadOption, match=r"not by 'rnn' from \(None, None\) to \(None, 3\)"):
        rnn.one_step(model)


def test_windows_that_do_not_fit_a_network_of_fixed_steps_are_refused():
    vocabulary = tokens.vocabulary("abc")
    model = rnn.build(vocabulary=vocabulary, units=(2,), steps=4)
    with pytest.raises(BadData, match=r"examples of shape \(4,\), got \(3,\)"):
        training.fit(model, vocabulary.windows("abcabc", 3), epochs=1, seed=0)
