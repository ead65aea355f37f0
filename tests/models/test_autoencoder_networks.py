"""What an autoencoder is built of: layers, noise and options, and what only some can do."""

import numpy as np
import pytest

from models import autoencoder, classifier, evaluation
from models.errors import BadData, BadOption

from .autoencoders import built


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
