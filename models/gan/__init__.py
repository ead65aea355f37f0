"""Two networks against each other: one makes pictures, one tells them from real ones.

Source: Goodfellow et al., Generative Adversarial Nets (2014); Radford, Metz and Chintala, DCGAN
(2016); for loss="wasserstein" Gulrajani et al., Improved Training of Wasserstein GANs (2017).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from models import options
from models.errors import BadOption, unknown
from models.gan import networks
from models.gan.sampling import latents, pictures, sample
from models.gan.training import GanTraining, fit

if TYPE_CHECKING:
    from models.gan.adversarial import GAN

__all__ = ["GanTraining", "build", "fit", "latents", "pictures", "sample"]

LOSSES = ("non_saturating", "wasserstein")


def build(
    input_shape: Sequence[int] = (28, 28, 1),
    classes: int | None = None,
    *,
    noise: int = 64,
    size: int = 32,
    loss: str = "non_saturating",
    average: float = 0.999,
    penalty: float = 10.0,
    activation: str | Callable = "relu",
    discriminator_activation: str | Callable = "leaky_relu",
    initialiser: str | Any = "he_normal",
    l2: float = 0.0,
    dropout: float = 0.0,
    norm: str | None = "batch",
    discriminator_norm: str | None = None,
) -> GAN:
    """Return a generator, a discriminator and the generator's average, in one untrained model.

        generator        28×28×1 from           discriminator    from 28×28×1
        latent           64                     picture          28×28×1
        dense, reshape   7×7×64                 centred          values in [-1, 1]
        upsample1        14×14×32               conv1            14×14×32
        picture          28×28×1                conv2            7×7×64
                                                score            1, high for real

    Every stage doubles or halves the picture by a 4×4 kernel with stride 2: at least two of them,
    and as many as leave the smaller side 4 or longer. With `classes`, the generator takes a label
    beside the latent, and the discriminator adds to its score how well the features fit the label
    (a projection discriminator; Miyato and Koyama, 2018).

    The attributes `generator`, `discriminator` and `average` are the networks; `sample` uses the
    average.

    Args:
        input_shape: height, width and channels of one picture, at least 8×8.
        classes: how many classes a conditional network knows; None for one without labels.
        noise: how many normally distributed numbers a picture is made from.
        size: filters of the stage next to the picture; each one further from it has twice as many.
        loss: "non_saturating", or "wasserstein" with gradient penalty.
        average: share of the averaged weights kept at each step; 0 uses the generator as it is.
        penalty: weight of the gradient penalty (Wasserstein only).
        activation: of the generator's hidden layers; a name Keras knows, or a function.
        discriminator_activation: of the discriminator's.
        initialiser: of every weight tensor; a name Keras knows, or a `keras.Initializer`.
        l2: strength of the penalty on squared weights.
        dropout: share of the discriminator's features left out at each training step, a stage.
        norm: of the generator's stages: "batch", "layer" or None.
        discriminator_norm: the same for the discriminator's, the first excepted; "batch" cannot
            go with the gradient penalty, which is defined for each example by itself.

    Raises:
        BadOption: an option that cannot work.
    """
    from models.gan.adversarial import GAN

    if classes is not None:
        classes = options.whole("classes", classes, at_least=2)
    if loss not in LOSSES:
        raise unknown("loss", loss, LOSSES)
    norm = options.norm("norm", norm)
    discriminator_norm = options.norm("discriminator_norm", discriminator_norm)
    if loss == "wasserstein" and discriminator_norm == "batch":
        raise BadOption(
            "discriminator_norm='batch' cannot go with loss='wasserstein', whose gradient penalty "
            "is for each example by itself; 'layer' and None would work."
        )
    if not isinstance(penalty, int | float) or not 0 <= penalty < math.inf:
        raise BadOption(f"penalty must be a number from 0 up, such as 10, not {penalty!r}.")
    shared = {
        "size": options.whole("size", size),
        "initialiser": options.initialiser(initialiser),
        "l2": l2,
    }
    *input_shape, _ = networks.sides(input_shape)
    return GAN(
        networks.generator(
            input_shape,
            classes,
            noise=options.whole("noise", noise),
            activation=options.activation(activation),
            norm=norm,
            **shared,
        ),
        networks.discriminator(
            input_shape,
            classes,
            activation=options.activation(discriminator_activation),
            norm=discriminator_norm,
            dropout=options.share("dropout", dropout),
            **shared,
        ),
        loss=loss,
        average_rate=options.share("average", average),
        penalty=float(penalty),
        name="gan",
    )
