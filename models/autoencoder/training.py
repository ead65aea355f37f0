"""Training with the loss that belongs to the output, and its terms beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models import training
from models.autoencoder import codes

if TYPE_CHECKING:
    import keras


def fit(
    model: keras.Model, x: Any, validation: Any | None = None, **settings: Any
) -> training.Training:
    """Train `model` to give back `x` and return it with its curves.

    The loss is the negative log-likelihood in nats an example, summed over pixels: cross-entropy
    for a sigmoid output, squared error (variance 1) for a linear one. Its curve comes with

    - `mean_squared_error` over pixels, or
    - for a variational network `reconstruction` and `kl`, both in nats: with beta=1 and no L2
      their sum is the loss, the negative evidence lower bound. Held-out examples are measured
      with one draw of the code each.

    A denoising network meets noise of its kind on the held-out examples too, the same in each
    epoch, and is asked for the clean ones.

    Args:
        model: from `build`.
        x: (n, …) examples; for a sigmoid output from 0 to 1.
        validation: the same, held out.
        settings: what else `training.fit` takes: epochs, batch_size, learning_rate, seed, ….

    Raises:
        BadData: arrays that do not fit the network.
        BadOption: an argument that cannot work.
        Diverged: the loss became NaN or infinite.
    """
    import keras

    from models.autoencoder import layers

    x = codes.targets(model, x, "train")
    held_out = None
    if validation is not None:
        clean = codes.targets(model, validation, "validation")
        held_out = codes.corrupt(model, clean, seed=0), clean
    loss = layers.NEGATIVE_LOG_LIKELIHOODS[codes.output(model)]
    if not codes.is_variational(model):
        return training.fit(
            model, (x, x), held_out, loss=loss, metrics=["mean_squared_error"], **settings
        )
    reconstruction = keras.metrics.MeanMetricWrapper(loss, name="reconstruction")
    code = model.get_layer("code")
    code.drawn_always = True  # at the mean, val_loss would not be a bound
    try:
        return training.fit(
            model, (x, x), held_out, loss=loss, metrics=[reconstruction], **settings
        )
    finally:
        code.drawn_always = False
