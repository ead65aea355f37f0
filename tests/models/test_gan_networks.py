"""What a generator and a discriminator are built of: layers, sizes and options."""

import numpy as np
import pytest

from models import gan
from models.errors import BadOption


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
