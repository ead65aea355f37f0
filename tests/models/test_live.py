"""Every layer that is exported computes in a page what Keras computes."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pytest

from models import autoencoder, classifier, cnn, gan, rnn, scratch
from models.live import export
from models.live.layers import LAYERS, TRAINING_ONLY

keras = pytest.importorskip("keras")
layers = keras.layers
spec = importlib.util.spec_from_file_location("networks", Path(__file__).parent / "networks.py")
networks = importlib.util.module_from_spec(spec)
spec.loader.exec_module(networks)
alone, merged = networks.alone, networks.merged
numbers, shaken = networks.numbers, networks.shaken

PICTURE, STEPS, VECTOR = (7, 6, 3), (5, 3), (6,)
INPUT_OF = {3: PICTURE, 2: STEPS, 1: VECTOR}
ACTIVATIONS = [
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
]  # fmt: skip

# Layers on pictures, sequences and vectors; each is tried on its own.
ON_PICTURES = {
    "conv_same": lambda: layers.Conv2D(4, 3, padding="same", activation="relu"),
    "conv_valid_strided": lambda: layers.Conv2D(4, (3, 2), strides=(2, 3), use_bias=False),
    "conv_same_strided": lambda: layers.Conv2D(5, 4, strides=2, padding="same"),
    "conv_of_one": lambda: layers.Conv2D(2, 1, strides=2, padding="same", activation="softmax"),
    "transposed_same": lambda: layers.Conv2DTranspose(4, 4, strides=2, padding="same"),
    "transposed_valid": lambda: layers.Conv2DTranspose(2, (3, 5), strides=(2, 3)),
    "transposed_odd": lambda: layers.Conv2DTranspose(2, 3, strides=2, padding="same"),
    "transposed_sparse": lambda: layers.Conv2DTranspose(2, 2, strides=3, padding="same"),
    "transposed_sparse_valid": lambda: layers.Conv2DTranspose(2, 2, strides=3, use_bias=False),
    "depthwise": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
    "depthwise_strided": lambda: layers.DepthwiseConv2D(3, strides=2, activation="tanh"),
    "upsample": lambda: layers.UpSampling2D((2, 3)),
    "upsample_bilinear": lambda: layers.UpSampling2D((2, 3), interpolation="bilinear"),
    "max_pool": lambda: layers.MaxPooling2D(2),
    "max_pool_same": lambda: layers.MaxPooling2D(3, strides=2, padding="same"),
    "average_pool": lambda: layers.AveragePooling2D((2, 3), strides=1),
    "average_pool_same": lambda: layers.AveragePooling2D(3, strides=2, padding="same"),
    "global_max": layers.GlobalMaxPooling2D,
    "global_average_kept": lambda: layers.GlobalAveragePooling2D(keepdims=True),
    "padding": lambda: layers.ZeroPadding2D(((1, 2), (3, 0))),
    "batch_norm": layers.BatchNormalization,
    "batch_norm_bare": lambda: layers.BatchNormalization(center=False, scale=False, axis=3),
    "layer_norm": layers.LayerNormalization,
    "layer_norm_bare": lambda: layers.LayerNormalization(center=False, scale=False, epsilon=0.1),
    "rescaling": lambda: layers.Rescaling(2.0, offset=-1.0),
    "rescaling_channels": lambda: layers.Rescaling([2.0, 3.0, 4.0], offset=[0.1, 0.2, 0.3]),
    "prelu": layers.PReLU,
    "prelu_shared": lambda: layers.PReLU(shared_axes=[1, 2]),
    "prelu_half_shared": lambda: layers.PReLU(shared_axes=[1]),
    "flatten": layers.Flatten,
    "dense_on_a_picture": lambda: layers.Dense(4, activation="softmax"),
    "softmax": layers.Softmax,
    "reshape": lambda: layers.Reshape((-1, 9)),
}  # fmt: skip
ON_SEQUENCES = {
    "conv1d_same": lambda: layers.Conv1D(4, 3, padding="same", strides=2),
    "conv1d_valid": lambda: layers.Conv1D(4, 2, activation="gelu"),
    "conv1d_causal": lambda: layers.Conv1D(4, 3, padding="causal"),
    "conv1d_transposed": lambda: layers.Conv1DTranspose(4, 3, strides=2, padding="same"),
    "depthwise1d": lambda: layers.DepthwiseConv1D(3, padding="same"),
    "max_pool1d": lambda: layers.MaxPooling1D(2, padding="same"),
    "average_pool1d": lambda: layers.AveragePooling1D(3, strides=1, padding="same"),
    "global_max1d": layers.GlobalMaxPooling1D,
    "global_average1d": layers.GlobalAveragePooling1D,
    "padding1d": lambda: layers.ZeroPadding1D((1, 2)),
    "upsample1d": lambda: layers.UpSampling1D(2),
    "gru": lambda: layers.GRU(4),
    "gru_sequences": lambda: layers.GRU(4, return_sequences=True),
    "gru_before": lambda: layers.GRU(4, reset_after=False, return_sequences=True),
    "gru_plain": lambda: layers.GRU(4, use_bias=False, go_backwards=True),
    "gru_other": lambda: layers.GRU(4, activation="relu", recurrent_activation="hard_sigmoid"),
    "lstm": lambda: layers.LSTM(4),
    "lstm_back": lambda: layers.LSTM(4, go_backwards=True, return_sequences=True),
    "lstm_plain": lambda: layers.LSTM(4, use_bias=False, activation="elu", dropout=0.3),
    "both_ways": lambda: layers.Bidirectional(layers.GRU(4, return_sequences=True)),
    "both_ways_last": lambda: layers.Bidirectional(layers.LSTM(4)),
    "both_ways_sum": lambda: layers.Bidirectional(
        layers.LSTM(4, return_sequences=True), merge_mode="sum"
    ),
    "both_ways_mul": lambda: layers.Bidirectional(layers.GRU(4), merge_mode="mul"),
    "both_ways_ave": lambda: layers.Bidirectional(layers.GRU(4), merge_mode="ave"),
    "layer_norm_steps": layers.LayerNormalization,
}
ON_VECTORS = {
    "dense_bare": lambda: layers.Dense(3, use_bias=False),
    "relu_options": lambda: layers.ReLU(max_value=0.9, negative_slope=0.2, threshold=0.1),
    "relu_layer": layers.ReLU,
    "leaky_relu_options": lambda: layers.LeakyReLU(0.4),
    "elu_options": lambda: layers.ELU(1.7),
    "normalise": lambda: layers.Normalization(mean=[5, 0, 1, 2, 3, 4], variance=[9] * 6),
    "normalise_back": lambda: layers.Normalization(mean=[1] * 6, variance=[4] * 6, invert=True),
    "normalise_all": lambda: layers.Normalization(axis=None, mean=0.4, variance=4.0),
    "dense_glu": lambda: layers.Dense(4, activation="glu"),
    **{f"activation_{name}": lambda name=name: layers.Activation(name) for name in ACTIVATIONS},
}


def shared_and_nested():
    """A layer called twice, a model within a model, and layers that do nothing."""
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, activation="tanh", name="inner")])
    twice = layers.Dense(4, activation="relu")
    x = inputs = keras.Input(VECTOR)
    x = layers.Dropout(0.5)(layers.GaussianNoise(0.3)(x), training=True)
    x = twice(layers.Dense(4)(x))
    x = layers.Add()([inner(twice(x)), x])
    return shaken(keras.Model(inputs, [x, inner(x)])), numbers(VECTOR)


def with_states():
    sequence, h, c = keras.Input((3, 2)), keras.Input((4,)), keras.Input((4,))
    x, *ends = layers.LSTM(4, return_sequences=True, return_state=True)(
        sequence, initial_state=[h, c]
    )
    y, end = layers.GRU(4, return_state=True)(x, initial_state=h)
    model = keras.Model([sequence, h, c], [x, *ends, y, end])
    return shaken(model), [numbers((3, 2)), numbers((4,), 2), numbers((4,), 3)]


def lookups():
    word, number = keras.Input((1,), dtype="string"), keras.Input((2,), dtype="int32")
    known = layers.StringLookup(vocabulary=["owl", "crow", "æ"])
    hot = layers.StringLookup(vocabulary=["owl", "crow"], output_mode="one_hot")
    masked = layers.StringLookup(vocabulary=["owl"], mask_token="", num_oov_indices=1)
    many = layers.IntegerLookup(vocabulary=[5, 70000], output_mode="multi_hot")
    ids = layers.IntegerLookup(vocabulary=[5, 70000, -3])
    x = layers.Concatenate()(
        [
            layers.Flatten()(layers.Embedding(4, 3)(known(word))),
            hot(word),
            layers.Flatten()(layers.Embedding(3, 3)(masked(word))),
            many(number),
            layers.Flatten()(layers.CategoryEncoding(4, output_mode="one_hot")(ids(number))),
            layers.CategoryEncoding(4, output_mode="multi_hot")(ids(number)),
        ]
    )
    model = shaken(keras.Model([word, number], layers.Dense(3)(x)))
    words = np.array([["owl"], ["æ"], ["jay"]])
    return model, [words, np.array([[5, 7], [70000, -3], [5, 5]], dtype="int32")]


def step_of(cell):
    """One step of a language model, after 0, 10 and 19 steps of a text."""
    step = rnn.one_step(
        shaken(rnn.build("language", vocabulary=11, units=(8, 5), cell=cell, norm="layer"))
    )
    states = [np.zeros((1, state.shape[-1]), np.float32) for state in step.inputs[1:]]
    read = []
    for code in range(20):
        read.append([np.array([[code % 11]], np.int32), *states])
        _, *states = step.predict_on_batch(read[-1])
    return step, [np.concatenate(parts) for parts in zip(read[0], read[10], read[19], strict=True)]


FAMILIES = {
    "classifier_plain": lambda: (classifier.build(6, 3, (5,)), numbers((6,))),
    "classifier_norm": lambda: (
        classifier.build(6, 3, (5, 4), norm="batch", dropout=0.2, activation="gelu", l2=0.1),
        numbers((6,)),
    ),
    "classifier_layer": lambda: (
        classifier.build(6, 3, (5,), norm="layer", head="sigmoid"), numbers((6,))
    ),
    "classifier_linear": lambda: (classifier.build(6, 1, (), head="linear"), numbers((6,))),
    **{
        f"cnn_{norm}_{residual}_{pooling}": lambda n=norm, r=residual, p=pooling: (
            cnn.build(
                (16, 12, 3), 4, size=4, norm=n, residual=r, pooling=p, depth=2,
                shift=0.1, zoom=0.1, rotation=0.1, flip=True,
            ),
            numbers((16, 12, 3)),
        )
        for norm, residual, pooling in [
            ("batch", False, "average"), ("layer", True, "max"), (None, False, "max"),
            ("batch", True, "average"),
        ]
    },
    "cnn_small_pictures": lambda: (cnn.build((9, 8, 1), 3, size=3), numbers((9, 8, 1))),
    "cnn_large_pictures": lambda: (
        cnn.build((64, 64, 1), 3, size=2, residual=True), numbers((64, 64, 1))
    ),
    **{
        f"rnn_{cell}_{both}_{head}": lambda c=cell, b=both, h=head: (
            rnn.build(
                "classifier", vocabulary=9, classes=3, units=(4, 5), cell=c, bidirectional=b,
                head=h, norm="layer", dropout=0.2,
            ),
            np.array([[1, 2, 0, 8], [0, 0, 3, 3], [5, 6, 7, 8]], np.int32),
        )
        for cell, both, head in itertools.product(
            rnn.CELLS, (False, True), ("softmax", "sigmoid")
        )
    },
    "rnn_measurements": lambda: (
        rnn.build("classifier", features=3, classes=3, units=(4,), activation="relu"),
        numbers((7, 3)),
    ),
    **{
        f"rnn_language_over_20_steps_{cell}": lambda c=cell: (
            rnn.build("language", vocabulary=9, units=(6, 7), cell=c),
            np.arange(60, dtype=np.int32).reshape(3, 20) ** 2 % 9,
        )
        for cell in rnn.CELLS
    },
    "step_gru": lambda: step_of("gru"),
    "step_lstm": lambda: step_of("lstm"),
    **{
        f"autoencoder_{kind}_{norm}_{variational}": lambda k=kind, n=norm, v=variational: (
            autoencoder.build(
                (8, 8, 1), code=3, kind=k, hidden=(6,) if k == "dense" else (4, 5), norm=n,
                variational=v, noise=0.1, masking=0.2, dropout=0.1,
                output="linear" if v else "sigmoid",
            ),
            numbers((8, 8, 1)),
        )
        for kind, norm, variational in itertools.product(
            autoencoder.KINDS, ("batch", "layer", None), (False, True)
        )
    },
    "decoder": lambda: (
        autoencoder.decoder(
            shaken(autoencoder.build((8, 8, 1), code=3, kind="convolutional", variational=True))
        ),
        numbers((3,)),
    ),
    "generator": lambda: (gan.build((8, 8, 1), noise=5, size=4).average, numbers((5,))),
    "generator_of_classes": lambda: (
        gan.build((8, 12, 3), 3, noise=5, size=4, norm="layer").average,
        [numbers((5,)), np.array([[0], [2], [1]], np.int32)],
    ),
    "discriminator_of_classes": lambda: (
        gan.build((8, 8, 1), 3, noise=5, size=4, discriminator_norm="batch").discriminator,
        [numbers((8, 8, 1)), np.array([[0], [2], [1]], np.int32)],
    ),
    "scratch": lambda: (scratch.build(6, 4, (5, 3), seed=1), numbers((6,))),
    "scratch_tanh": lambda: (
        scratch.build(6, 1, (5,), activation="tanh", head="linear", seed=1), numbers((6,))
    ),
}  # fmt: skip
CASES = {
    **{
        name: lambda make=make, rank=rank: alone(make(), INPUT_OF[rank])
        for rank, group in ((3, ON_PICTURES), (2, ON_SEQUENCES), (1, ON_VECTORS))
        for name, make in group.items()
    },
    **{
        kind.lower(): lambda kind=kind: merged(getattr(layers, kind)())
        for kind in ("Add", "Multiply", "Average", "Maximum", "Minimum")
    },
    "subtract": lambda: merged(layers.Subtract(), ((4,), (4,))),
    "dot": lambda: merged(layers.Dot(axes=1), ((4,), (4,))),
    "concatenate": lambda: merged(layers.Concatenate(), ((2, 3), (2, 1))),
    "concatenate_first": lambda: merged(layers.Concatenate(axis=1), ((2, 3), (1, 3), (4, 3))),
    "shared_and_nested": shared_and_nested,
    "with_states": with_states,
    "lookups": lookups,
    **FAMILIES,
}


RUN_IN_PAGE = """async (names) => {
  const { Network } = await import(new URL("live/network.js", location.href));
  const found = {};
  for (const name of names) {
    const files = ["model.json", "model.bin", "golden.bin"];
    const [model, weights, golden] = await Promise.all(
      files.map(async (file) => (await fetch(`all/${name}/${file}`)).arrayBuffer()));
    const network = new Network(JSON.parse(new TextDecoder().decode(model)), weights);
    found[name] = network.deviation(golden);
  }
  return found;
}"""


@pytest.fixture(scope="module")
def made():
    """Every case's network and examples."""
    made = {name: make() for name, make in CASES.items()}
    for name in FAMILIES:
        if isinstance(made[name][0], keras.Model):
            shaken(made[name][0])
    return made


@pytest.fixture(scope="module")
def written(made, tmp_path_factory):
    """A folder with every case exported."""
    folder = tmp_path_factory.mktemp("live") / "all"
    for name, (model, x) in made.items():
        networks.write(folder / name, export(model, examples=x))
    return folder


@pytest.fixture(scope="module")
def results(written):
    """What the interpreter says of every case, in one process."""
    return networks.run(written)


@pytest.mark.parametrize("name", CASES)
def test_the_page_computes_what_keras_computes(results, name):
    found = results[name]
    assert "error" not in found, found
    assert float(found["deviation"]) < 1e-5
    if name != "activation_sparsemax":  # Keras gives zeros where two or more numbers stay
        assert all(np.ptp(answer) > 0 or len(answer) == 1 for answer in found["answers"])


def test_a_browser_computes_the_same_under_a_sub_path(written, serving, browser):
    folder = written.parent / "site"
    for name in networks.INTERPRETER:
        networks.place(name, folder / "people" / "me" / "live")
    (folder / "people" / "me" / "all").symlink_to(written)
    (folder / "people" / "me" / "index.html").write_text("<!doctype html><title>All</title>")
    page = browser.new_page()
    with serving(folder) as address:
        page.goto(address + "people/me/")
        found = page.evaluate(RUN_IN_PAGE, sorted(CASES))
    page.close()
    assert {name: said for name, said in found.items() if not said < 1e-5} == {}
    assert len(found) == len(CASES)


def test_every_layer_that_can_be_exported_is_tried_and_every_activation(made):
    pending = [layer for name in CASES if name not in FAMILIES for layer in made[name][0].layers]
    tried = set()
    while pending:
        layer = pending.pop()
        pending += getattr(layer, "layers", [])
        tried.add(type(layer).__name__)
    assert set(LAYERS) <= tried
    known = {name for name in dir(keras.activations) if not name.startswith("_")}
    assert known - {"deserialize", "get", "serialize", "threshold"} == set(ACTIVATIONS)


def test_layers_that_work_while_training_only_are_left_out_of_the_page():
    names = [name for name in TRAINING_ONLY if hasattr(layers, name)]
    assert len(names) >= len(TRAINING_ONLY) - 2  # two are Folio's own
    model, examples = alone(layers.RandomFlip(), PICTURE)
    assert export(model, examples=examples).description["layers"] == []


def test_equal_networks_give_equal_files_and_the_description_tells_their_size():
    model = shaken(classifier.build(6, 3, (5,)))
    one, other = (export(model, examples=numbers((6,))) for _ in range(2))
    assert one.description == other.description
    assert (one.weights, one.golden) == (other.weights, other.golden)
    assert one.description["parameters"] == 6 * 5 + 5 + 5 * 3 + 3
    normalised = shaken(classifier.build(6, 3, (5,), norm="batch"))
    told = export(normalised, examples=numbers((6,))).description
    assert told["parameters"] == 6 * 5 + 2 * 5 + 5 * 3 + 3  # what Keras calls trainable
    assert one.description["work"] == 6 * 5 + 5 + 5 * 3  # the activation is a layer
    assert one.description["bytes"] == {"model.bin": 4 * 53, "golden.bin": 4 * 3 * (6 + 3)}
    assert one.description["golden"] == {"examples": 3, "tolerance": 1e-5}


def test_a_large_answer_is_compared_relative_to_its_size():
    exported = export(
        classifier.build(6, head="linear"), examples=numbers((6,)), scale=(250_000.0, 80_000.0)
    )
    assert exported.answers[0].mean() > 1e4
    largest = np.abs(exported.answers[0]).max()
    assert exported.description["golden"]["tolerance"] == pytest.approx(1e-5 * largest)
