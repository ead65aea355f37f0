"""The Keras objects an autoencoder needs besides Keras' own.

Imported only where one is built or loaded: a saved autoencoder loads once this module is there.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

registered = keras.saving.register_keras_serializable("folio")


@registered
class GaussianCode(keras.layers.Layer):
    """A draw from N(mean, exp(log_variance)), made so that gradients reach both.

    Adds to the loss how far the draw's distribution is from N(0, 1):

        KL = ½ Σ (mean² + exp(log_variance) − 1 − log_variance)    nats an example

    While training the code is drawn; otherwise it is the mean, unless `drawn_always` is set, as
    while a training measures its held-out examples.

    Args:
        beta: weight of KL in the loss; with 1 the loss is the negative evidence lower bound.

    Source: Kingma and Welling, Auto-Encoding Variational Bayes (2014), section 2.4, appendix B.
    """

    def __init__(self, beta: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.beta = beta
        self.drawn_always = False
        self.seeds = keras.random.SeedGenerator()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return codes (batch, code) from means and log variances, each (batch, code)."""
        mean, log_variance = inputs
        self.add_loss(self.beta * ops.mean(divergence(mean, log_variance)))
        if not (training or self.drawn_always):
            return mean
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seeds)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the mean."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal layer."""
        return super().get_config() | {"beta": self.beta}


def divergence(mean: Any, log_variance: Any) -> Any:
    """Return KL(N(mean, exp(log_variance)) ‖ N(0, 1)) for each row, in nats: (batch,)."""
    summands = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
    return 0.5 * ops.sum(summands, axis=-1)


@registered
class VariationalAutoencoder(keras.Model):
    """A network with one GaussianCode, which reports `kl` in nats an example beside the loss.

    The layer itself cannot: on JAX, Keras gives metrics no place in the forward pass.
    """

    trained_by = "autoencoder.fit"  # which brings the loss that belongs to `kl`

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **options: Any) -> None:
        super().__init__(inputs=inputs, outputs=outputs, name=name, **options)
        self.kl = keras.metrics.Mean(name="kl")

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return reconstruction + beta KL + penalties, and note the second."""
        # First what layers add, here the code alone; penalties on weights come after. When Keras
        # only asks for shapes there may be none.
        if self.losses:
            kl = self.losses[0] / self.get_layer("code").beta
            self.kl.update_state(kl, sample_weight=ops.shape(y_pred)[0])
        return super().compute_loss(x, y, y_pred, sample_weight, training)


@registered
class MaskingNoise(keras.layers.Layer):
    """While training, sets a share of all values to 0; unlike Dropout it leaves the rest alone.

    Args:
        share: of the values, from 0 to below 1.

    Source: Vincent et al., Stacked Denoising Autoencoders (2010), section 3.3.
    """

    def __init__(self, share: float, **options: Any) -> None:
        super().__init__(**options)
        self.share = share
        self.seeds = keras.random.SeedGenerator()

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Return the inputs with holes; outside training, the inputs."""
        if not training:
            return inputs
        kept = keras.random.uniform(ops.shape(inputs), seed=self.seeds) >= self.share
        return inputs * ops.cast(kept, inputs.dtype)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the same shape."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what makes an equal layer."""
        return super().get_config() | {"share": self.share}


@registered
def bernoulli(pixels: Any, probabilities: Any) -> Any:
    """Return −log p(pixels) in nats an example (batch,), each pixel a coin with its probability.

    Pixels between 0 and 1 count as shares of heads. The sum is over pixels: the mean would make
    KL in a variational loss hundreds of times too heavy.
    """
    nats = ops.binary_crossentropy(pixels, probabilities)
    return ops.sum(nats, axis=range(1, len(nats.shape)))


@registered
def gaussian(pixels: Any, means: Any) -> Any:
    """Return −log p(pixels) in nats an example (batch,), each pixel normal with variance 1."""
    nats = 0.5 * ops.square(pixels - means) + 0.5 * math.log(2 * math.pi)
    return ops.sum(nats, axis=range(1, len(nats.shape)))


NEGATIVE_LOG_LIKELIHOODS = {"sigmoid": bernoulli, "linear": gaussian}
