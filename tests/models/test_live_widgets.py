"""What the six functions make of a network: a widget's description, a table and a picture."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from models import autoencoder, backprop, classifier, cnn, gan, live, rnn, scratch, tabular, tokens
from models.errors import BadData, BadOption
from models.training import Training

NAMES = ["owl", "crow", "jay"]


def pictures(n=5, shape=(8, 8, 1)):
    """Dark strokes on white, as drawn."""
    x = np.ones((n, *shape), dtype="float32")
    x[:, 2:6, 3:5] = np.random.default_rng(0).uniform(0, 0.5, (n, 4, 2, shape[-1]))
    return x


def plain(made):
    """The description as a page gets it."""
    assert isinstance(made, live.Live)
    assert isinstance(made.alt, str)
    assert made.alt.endswith(".")
    assert isinstance(made.table, pd.DataFrame)
    assert made.table.index.name
    return json.loads(json.dumps(made.description, allow_nan=False))


def test_a_drawing_is_told_paper_ink_and_what_the_examples_are():
    model = cnn.build((8, 8, 1), 3, size=2)
    made = live.draw(model, NAMES, pictures(), labels=[0, 1, "jay", 0, 0])
    widget = plain(made)["widget"]
    assert widget["kind"] == "draw"
    assert (widget["size"], widget["channels"]) == ([8, 8], 1)
    assert widget["background"] == 1
    assert widget["ink"] == pytest.approx(0, abs=0.02)
    assert widget["answer"] == "probabilities"
    assert widget["examples"] == ["owl", "crow", "jay"]
    assert widget["top"] == 3
    assert list(made.table) == ["label", "answer 1", "answer 2", "answer 3"]
    likeliest = NAMES[int(model.predict(pictures()[:1], verbose=0).argmax())]
    assert made.table["answer 1"].iloc[0].startswith(f"{likeliest} (")
    assert made.picture.dtype == np.uint8
    assert made.picture.shape == (64, 5 * 68 - 4)
    assert made.picture[0, 0] == 255


def test_examples_of_every_class_are_shown_before_a_second_of_any():
    labels = ["owl"] * 9 + ["crow", "jay", "crow"]
    made = live.draw(cnn.build((8, 8, 1), 3, size=2), NAMES, pictures(12), labels)
    assert made.table["label"].tolist() == ["owl", "crow", "jay", "owl", "crow"] + ["owl"] * 3
    first = np.frombuffer(made.golden, "<f4")[:64]
    np.testing.assert_array_equal(first, pictures(12)[0].ravel())
    second = np.frombuffer(made.golden, "<f4")[67:131]
    np.testing.assert_array_equal(second, pictures(12)[9].ravel())


def test_a_light_drawing_on_black_and_a_network_from_scratch_work_too():
    network = scratch.build(64, 3, (4,), seed=1)
    widget = plain(live.draw(network, NAMES, 1 - pictures()))["widget"]
    assert (widget["background"], widget["examples"]) == (0, None)
    assert widget["ink"] > 0.9
    vectors = (1 - pictures()).reshape(5, 64)
    assert plain(live.draw(network, NAMES, vectors, size=(8, 8)))["widget"]["size"] == [8, 8]


def test_a_training_is_as_good_as_its_network_and_colours_stay():
    model = cnn.build((8, 8, 3), 3, size=2)
    made = live.draw(Training(model, pd.DataFrame(), 1), NAMES, pictures(3, (8, 8, 3)))
    assert plain(made)["widget"]["channels"] == 3
    assert made.picture.shape == (64, 3 * 68 - 4, 3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"classes": ["owl", "crow"]}, BadOption, "3 numbers, and there are 2 classes"),
        ({"classes": "owl"}, BadOption, "list of names"),
        ({"classes": ["owl", "owl", "jay"]}, BadOption, "same name"),
        ({"labels": ["owl", "crow", "jax", "owl", "owl"]}, BadOption, "Did you mean 'jay'"),
        ({"labels": [0]}, BadData, "5 examples and 1 labels"),
        ({"centre": "middle"}, BadOption, "centre 'middle'"),
        ({"margin": 1.5}, BadOption, "margin"),
        ({"examples": pictures(2)}, BadData, "3 examples are needed"),
        ({"examples": np.ones(3)}, BadData, "shape"),
    ],
)
def test_what_does_not_fit_a_drawing_is_refused(change, error, message):
    options = {"classes": NAMES, "examples": pictures()} | change
    with pytest.raises(error, match=message):
        live.draw(cnn.build((8, 8, 1), 3, size=2), **options)


def test_two_classes_are_drawn_for_a_softmax_only():
    model = classifier.build(64, head="sigmoid", hidden=())
    with pytest.raises(BadOption, match="head='softmax'"):
        live.draw(model, ["owl", "jay"], pictures().reshape(5, 64), size=(8, 8))


def rows(n=60):
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "wing": random.normal(30, 4, n).round(1),
            "eggs": random.integers(0, 6, n),
            "tame": random.random(n) < 0.5,
            "<food>": random.choice(["mice", "seeds"], n),
        }
    )
    table.loc[::5, "wing"] = np.nan
    return table


def columns():
    return tabular.columns(rows(), numbers=["wing", "eggs", "tame"], categories=["<food>"])


def test_a_form_has_the_fields_of_training_and_rows_to_load():
    made = live.form(
        classifier.build(columns(), head="sigmoid"), columns(), rows(), ["wild", "bred"],
        units={"wing": "cm"}, labels={"eggs": "eggs a year"}, steps={"wing": 0.5},
    )  # fmt: skip
    told = plain(made)
    widget = told["widget"]
    assert [field["name"] for field in widget["fields"]] == ["wing", "eggs", "tame", "<food>"]
    assert widget["fields"][0]["unit"] == "cm"
    assert widget["fields"][0]["step"] == 0.5
    assert widget["fields"][1]["label"] == "eggs a year"
    assert (widget["answer"], widget["asked"]) == ("probability", "bred")
    assert widget["width"] == told["inputs"][0]["shape"][0] == 6
    first = rows().iloc[0]
    assert widget["examples"][0] == {
        "wing": None, "eggs": first["eggs"], "tame": bool(first["tame"]), "<food>": first["<food>"]
    }  # fmt: skip
    assert [type(value) for value in widget["examples"][1].values()] == [float, int, bool, str]
    assert list(made.table) == ["wing", "eggs", "tame", "<food>", "answer"]
    assert made.picture is None


def test_a_number_is_told_in_its_own_unit_and_the_page_scales_it_back():
    model = classifier.build(columns(), head="linear")
    made = live.form(model, columns(), rows(), asked="weight", unit="g", scale=(900.0, 250.0))
    widget = plain(made)["widget"]
    assert (widget["classes"], widget["answer"], widget["asked"]) == (None, "number", "weight")
    expected = model.predict(columns().matrix(rows().head(8)), verbose=0)[:, 0] * 250.0 + 900
    np.testing.assert_allclose(made.table["weight (g)"], expected, rtol=1e-5)
    assert made.description["layers"][-1]["op"] == "affine"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": {}}, "tabular.columns"),
        ({"units": {"wings": "cm"}}, "Did you mean 'wing'"),
        ({"classes": None}, "name its classes"),
        ({"classes": NAMES, "scale": (1, 2)}, "not for classes"),
    ],
)
def test_what_does_not_fit_a_form_is_refused(change, message):
    options = {"columns": columns(), "rows": rows(), "classes": NAMES} | change
    with pytest.raises(BadOption, match=message):
        live.form(classifier.build(columns(), 3), **options)


def test_a_prompt_tells_the_symbols_and_shows_what_was_written():
    vocabulary = tokens.vocabulary("the owl saw a jay.\n")
    model = rnn.build("language", vocabulary=vocabulary, units=(6,))
    made = live.prompt(model, vocabulary, "the ", length=10, stop="\n")
    told = plain(made)
    assert told["widget"]["symbols"] == vocabulary.symbols
    assert told["widget"]["stop"] == "\n"
    assert [each["shape"] for each in told["inputs"]] == [[1], [6]]
    ids = [example[0] for example in told["golden"]["inputs"]]
    assert ids[0] == [0]
    assert len(ids) == 3
    assert list(made.table.index) == [0.4, 0.8, 1.0]
    assert all(text.startswith("the ") for text in made.table["text"])
    step = live.prompt(rnn.one_step(model), vocabulary, "the ", length=10, stop="\n")
    assert step.weights == made.weights


def test_a_prompt_needs_the_vocabulary_of_training_and_some_temperature():
    vocabulary = tokens.vocabulary("owl")
    model = rnn.build("language", vocabulary=9, units=(4,))
    with pytest.raises(BadData, match="the vocabulary has 4"):
        live.prompt(model, vocabulary)
    with pytest.raises(BadOption, match="temperature must be above 0"):
        live.prompt(model, vocabulary, temperature=0)


def test_sliders_begin_with_the_code_that_changes_most():
    model = autoencoder.build((8, 8, 1), code=3, hidden=(), output="linear")
    weak, strong = np.zeros((3, 64), "float32"), np.eye(3, 64, dtype="float32") * [[1], [9], [3]]
    model.get_layer("pixels").kernel.assign(weak + strong)
    made = live.sliders(model, pictures(12))
    widget = plain(made)["widget"]
    codes = autoencoder.encode(model, pictures(12))
    spread = np.ptp(np.percentile(codes, (1, 99), axis=0), axis=0) * [1, 9, 3]
    assert widget["order"] == np.argsort(-spread).tolist()
    assert np.allclose([code["typical"] for code in widget["codes"]], np.median(codes, axis=0))
    np.testing.assert_allclose(widget["examples"], codes[:8], rtol=1e-5)
    assert widget["range"][1] == pytest.approx(1)
    assert made.picture.shape == (2 * 68 - 4, 8 * 68 - 4)
    assert made.table.shape == (8, 3)


def test_sliders_take_a_decoder_with_codes_and_say_how_a_vector_is_a_picture():
    model = autoencoder.build((64,), code=2, variational=True)
    codes = np.random.default_rng(0).normal(size=(9, 2))
    decoder = autoencoder.decoder(model)
    made = live.sliders(decoder, codes, size=(8, 8))
    assert plain(made)["widget"]["size"] == [8, 8]
    assert made.description["widget"]["range"] == [0, 1]
    with pytest.raises(BadOption, match=r"size=\(28, 28\)"):
        live.sliders(decoder, codes)


def test_samples_are_of_the_average_and_of_every_class():
    model = gan.build((8, 8, 1), 3, noise=4, size=2)
    made = live.samples(model, NAMES, count=7, seed=3)
    told = plain(made)
    assert told["widget"]["noise"] == 4
    assert told["widget"]["range"] == [0, 1]
    assert told["inputs"][1] == {"name": "label", "shape": [1], "dtype": "int32"}
    assert told["golden"]["inputs"] == [[None, [0]], [None, [1]], [None, [2]]]
    assert made.table["class"].tolist() == (NAMES * 3)[:7]
    latents = np.random.default_rng(3).standard_normal((7, 4), dtype=np.float32)
    expected = gan.pictures(model, latents, np.arange(7) % 3).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(made.table["brightness"], expected, rtol=1e-4)


def test_samples_come_from_variational_autoencoders_but_not_from_others():
    made = live.samples(autoencoder.build((8, 8, 1), code=3, variational=True))
    assert plain(made)["widget"]["noise"] == 3
    with pytest.raises(BadOption, match="sliders"):
        live.samples(autoencoder.build((8, 8, 1), code=3))


def test_the_classes_of_samples_are_those_of_the_network():
    plain_gan = gan.build((8, 8, 1), noise=4, size=2)
    of_classes = gan.build((8, 8, 1), 3, noise=4, size=2)
    with pytest.raises(BadOption, match="takes none"):
        live.samples(plain_gan, NAMES)
    with pytest.raises(BadOption, match="needs the names"):
        live.samples(of_classes)
    with pytest.raises(BadData, match="knows 3 classes, and 2 are named"):
        live.samples(of_classes, NAMES[:2])


def test_backprop_takes_a_worked_example_and_its_network_gives_the_same_output():
    worked = backprop.worked((2, 3, 2), head="softmax", cost="cross_entropy", seed=4)
    made = live.backprop(worked)
    widget = plain(made)["widget"]
    assert (widget["sizes"], widget["head"], widget["cost"]) == (
        [2, 3, 2],
        "softmax",
        "cross_entropy",
    )
    assert widget["eta"] == worked.given["eta"]
    golden = np.frombuffer(made.golden, "<f4")
    np.testing.assert_allclose(golden[:2], widget["x"], rtol=1e-6)
    expected = [worked[f"a2_{j}"].value for j in (1, 2)]
    np.testing.assert_allclose(golden[2:4], expected, rtol=1e-6)
    assert made.table.loc["C", "number"] == worked["C"].value


def test_backprop_takes_a_network_from_scratch_that_can_be_followed():
    network = scratch.Network([2, 2, 1], head="sigmoid", seed=1)
    made = live.backprop(network, [0.1, 0.2], [1.0], learning_rate=0.1)
    expected = network.predict([[0.1, 0.2]])[0, 0]
    assert np.frombuffer(made.golden, "<f4")[2] == pytest.approx(expected, rel=1e-6)
    assert plain(made)["widget"]["eta"] == 0.1
    with pytest.raises(BadOption, match="can be followed"):
        live.backprop(scratch.Network([2, 5, 1], head="sigmoid", seed=1), [0.1, 0.2], [1.0])
    with pytest.raises(BadOption, match=r"models\.scratch"):
        live.backprop(classifier.build(2, 2))
