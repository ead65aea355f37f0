"""The dense network."""

import numpy as np
import pandas as pd
import pytest

from models import baselines, classifier, evaluation, tabular, training
from models.errors import BadData, BadOption


@pytest.fixture(scope="module")
def strikes():
    """A mixed table with gaps, split: does a strike do damage? Heavy birds at speed do."""
    rng = np.random.default_rng(0)
    size = rng.choice(["small", "medium", "large"], 1500, p=[0.6, 0.3, 0.1])
    speed = rng.normal(140, 30, 1500)
    weight = pd.Series(size).map({"small": -1.5, "medium": 0.5, "large": 3.0}).to_numpy()
    # Speed is noted down less often where nothing happened: the gap itself tells something.
    damage = rng.random(1500) < 1 / (1 + np.exp(-(weight + (speed - 140) / 20)))
    table = pd.DataFrame({"size": size, "speed": speed, "damage": damage})
    table.loc[rng.random(1500) < np.where(damage, 0.1, 0.4), "speed"] = np.nan
    table.loc[rng.random(1500) < 0.1, "size"] = None
    return evaluation.split_rows(table, seed=0)


def whole_batches(model, x, y, loss, steps=1000):
    """Train on all rows at once until nothing moves any more."""
    import keras

    falling = keras.optimizers.schedules.CosineDecay(0.1, steps)
    model.compile(optimizer=keras.optimizers.Adam(falling), loss=loss)
    for _ in range(steps):
        model.train_on_batch(x, y)


def test_basics_it_learns_digits_better_than_the_commonest_digit_and_a_linear_model(vectors):
    import keras

    keras.utils.set_random_seed(0)
    model = classifier.build(64, 10, hidden=(64,), dropout=0.1)
    training.fit(
        model, vectors["train"], vectors["validation"], epochs=30, learning_rate=0.003, seed=0
    )
    x, y = vectors["test"]
    reached = evaluation.accuracy(y, model.predict(x, verbose=0))
    assert (
        reached > evaluation.accuracy(y, baselines.majority(vectors["train"][1]).predict(x)) + 0.5
    )
    assert reached > evaluation.accuracy(y, baselines.logistic(*vectors["train"]).predict(x))


def test_basics_on_a_mixed_table_with_gaps_it_beats_the_majority_and_nears_scikit_learn(strikes):
    import keras
    from sklearn.compose import make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    columns = tabular.columns(strikes["train"], numbers=["speed"], categories=["size"])
    x = {part: columns.matrix(rows) for part, rows in strikes.items()}
    y = {part: rows["damage"].to_numpy(dtype=int) for part, rows in strikes.items()}
    keras.utils.set_random_seed(0)
    model = classifier.build(columns, hidden=(16,), head="sigmoid")
    pairs = [(x[part], y[part]) for part in ("train", "validation")]
    training.fit(model, *pairs, epochs=15, learning_rate=0.01, seed=0)
    reached = evaluation.accuracy(y["test"], model.predict(x["test"], verbose=0))

    theirs = make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(add_indicator=True), StandardScaler()), ["speed"]),
            (OneHotEncoder(handle_unknown="ignore"), ["size"]),
        ),
        LogisticRegression(),
    ).fit(strikes["train"].astype({"size": object}), y["train"])
    linear = theirs.score(strikes["test"].astype({"size": object}), y["test"])
    majority = evaluation.accuracy(y["test"], baselines.majority(y["train"]).predict(x["test"]))
    assert reached > majority + 0.1
    assert reached > linear - 0.02


def test_basics_balanced_class_weights_find_more_of_a_rare_class(strikes):
    import keras

    train = strikes["train"]
    rare = pd.concat([train[~train["damage"]], train[train["damage"]][:40]])
    columns = tabular.columns(rare, numbers=["speed"], categories=["size"])
    found = {}
    for weights in (None, "balanced"):
        keras.utils.set_random_seed(0)
        model = classifier.build(columns, classes=2, hidden=())
        pair = columns.matrix(rare), rare["damage"].to_numpy(dtype=int)
        training.fit(model, pair, epochs=10, learning_rate=0.02, class_weight=weights, seed=0)
        scores = model.predict(columns.matrix(strikes["test"]), verbose=0)
        found[weights] = scores[strikes["test"]["damage"].to_numpy()].argmax(axis=1).mean()
    assert found["balanced"] > found[None] + 0.2


@pytest.mark.parametrize("head", ["softmax", "sigmoid"])
def test_correctness_logistic_regression_trained_to_the_end_is_scikit_learns(head):
    import keras
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(240, 4)).astype("float32")
    y = (x @ rng.normal(size=(4, 3)) + rng.gumbel(size=(240, 3))).argmax(axis=1)
    y = y if head == "softmax" else (y == 1).astype(int)
    theirs = LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000).fit(x, y)
    keras.utils.set_random_seed(0)
    # Theirs adds half the squared weights to C times the sum of the losses, Keras to their mean.
    model = classifier.build(4, 3, hidden=(), head=head, l2=1 / (2 * 0.1 * 240))
    kind = "sparse_categorical" if head == "softmax" else "binary"
    whole_batches(model, x, y if head == "softmax" else y[:, None], f"{kind}_crossentropy")
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, theirs.coef_.T, atol=1e-3)
    # Adding one number to all biases changes no softmax; theirs add up to 0.
    bias = bias - bias.mean() if head == "softmax" else bias
    np.testing.assert_allclose(bias, theirs.intercept_, atol=1e-3)


def test_correctness_a_linear_head_without_hidden_layer_is_least_squares():
    import keras
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(0)
    table = pd.DataFrame({"a": rng.normal(1000, 50, 100), "b": rng.normal(0, 0.01, 100)})
    y = (table["a"] / 50 - table["b"] / 0.01 + rng.normal(size=100)).to_numpy()
    y = (y - y.mean()) / y.std()
    columns = tabular.columns(table, numbers=["a", "b"])
    keras.utils.set_random_seed(0)
    model = classifier.build(columns, hidden=(), head="linear")
    whole_batches(model, columns.matrix(table), y[:, None], "mean_squared_error")
    theirs = LinearRegression().fit(table, y).predict(table)
    ours = model.predict(columns.matrix(table), verbose=0)[:, 0]
    np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_correctness_a_table_is_normalised_inside_the_network(strikes):
    import keras

    columns = tabular.columns(strikes["train"], numbers=["speed"], categories=["size"])
    model = classifier.build(columns, 2, hidden=())
    inside = keras.Model(model.input, model.get_layer("normalise").output)
    x = columns.matrix(strikes["train"])
    normal = inside.predict(x, verbose=0)
    known = normal[strikes["train"]["speed"].notna(), 0]
    np.testing.assert_allclose([known.mean(), known.std()], [0, 1], atol=1e-4)
    np.testing.assert_array_equal(normal[:, 1:], x[:, 1:])  # ones and zeros stay


def test_correctness_a_saved_network_keeps_the_tables_means_and_variances(strikes, tmp_path):
    import keras

    columns = tabular.columns(strikes["train"], numbers=["speed"], categories=["size"])
    model = classifier.build(columns, 2, hidden=(4,), norm="layer")
    model.save(tmp_path / "table.keras")
    loaded = keras.saving.load_model(tmp_path / "table.keras")
    x = columns.matrix(strikes["test"])
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_correctness_layer_normalisation_is_over_the_units_of_one_example():
    import keras

    model = classifier.build(5, hidden=(16,), norm="layer")
    assert [layer.name for layer in model.layers] == [
        "vector",
        "dense1",
        "norm1",
        "activation1",
        "scores",
    ]
    x = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    z = x @ model.get_weights()[0]
    deviation = np.sqrt(z.var(axis=1, keepdims=True) + 1e-3)
    expected = (z - z.mean(axis=1, keepdims=True)) / deviation
    inside = keras.Model(model.input, model.get_layer("norm1").output)
    np.testing.assert_allclose(inside.predict(x, verbose=0), expected, atol=1e-5)


def test_the_matrix_of_other_columns_is_refused(strikes):
    train = strikes["train"]
    columns = tabular.columns(train, numbers=["speed"], categories=["size"])
    other = tabular.columns(train, numbers=["speed"])
    with pytest.raises(BadData, match=r"takes examples of shape \(6,\), got \(2,\)"):
        training.fit(classifier.build(columns, 2), (other.matrix(train), train["damage"]))


def test_correctness_without_a_hidden_layer_it_is_softmax_of_a_linear_map():
    model = classifier.build(3, 4, hidden=())
    kernel, bias = model.get_weights()
    x = np.array([[1.0, -2.0, 0.5]], dtype="float32")
    z = np.exp(x @ kernel + bias)
    np.testing.assert_allclose(model.predict(x, verbose=0), z / z.sum(), rtol=1e-5)
    assert evaluation.parameters(model) == 3 * 4 + 4


def test_correctness_a_saved_network_gives_the_same_scores(vectors, tmp_path):
    import keras

    model = classifier.build(64, 10, hidden=(8, 8), norm="batch", dropout=0.1, l2=1e-4)
    training.fit(model, vectors["validation"], epochs=1, seed=0)
    model.save(tmp_path / "classifier.keras")
    loaded = keras.saving.load_model(tmp_path / "classifier.keras")
    x = vectors["test"][0]
    np.testing.assert_array_equal(model.predict(x, verbose=0), loaded.predict(x, verbose=0))


def test_an_initialiser_object_gives_two_layers_of_one_shape_different_weights():
    import keras

    start = keras.initializers.RandomNormal(stddev=1.0)
    model = classifier.build(8, 2, hidden=(8, 8), initialiser=start)
    first, second = model.get_layer("dense1"), model.get_layer("dense2")
    assert not np.array_equal(first.kernel, second.kernel)


@pytest.mark.parametrize(("head", "units"), [("softmax", 7), ("sigmoid", 1), ("linear", 1)])
def test_the_head_decides_how_many_scores_there_are(head, units):
    assert classifier.build(4, 7, head=head).output_shape == (None, units)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"activation": "rellu"}, "Did you mean 'relu'"),
        ({"head": "softmx"}, "Did you mean 'softmax'"),
        ({"hidden": 100}, r"such as \(100,\), not 100"),
        ({"hidden": (100, 0)}, "a hidden layer must be at least 1, not 0"),
        ({"inputs": (28, 28)}, "inputs must be a whole number"),
        ({"dropout": -0.1}, "dropout must be from 0 to below 1"),
        ({"norm": "bach"}, "Did you mean 'batch'"),
        ({"norm": True}, "norm True is not known"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        classifier.build(**options)
