"""Generator and discriminator in one Keras model, and the step that trains one against the other.

Keras objects live here, so the module is imported only where one is built or loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from models import optimizers

registered = keras.saving.register_keras_serializable("folio")


@registered
class TwoOptimizers(keras.Optimizer):
    """One optimizer for each player, held together so that Keras saves and compiles both."""

    def __init__(
        self, generator: keras.Optimizer, discriminator: keras.Optimizer, name: str = "two"
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.generator, self.discriminator = generator, discriminator

    def build_each(self, generator: Sequence[Any], discriminator: Sequence[Any]) -> None:
        """Create the moments for the trainable variables of each player."""
        if not self.built:
            self.generator.build(generator)
            self.discriminator.build(discriminator)
            super().build([])

    @property
    def variables(self) -> list[Any]:
        """The variables of both."""
        return [*self.generator.variables, *self.discriminator.variables]

    def save_own_variables(self, store: Any) -> None:
        """Save nothing: each optimizer saves its own."""

    def load_own_variables(self, store: Any) -> None:
        """Load nothing."""

    def get_config(self) -> dict[str, Any]:
        """Return the players as plain values."""
        serialize = keras.saving.serialize_keras_object
        return {
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> TwoOptimizers:
        """Return what `get_config` described."""
        return cls(**_players(config))


def two_adams(learning_rate: float, beta_1: float, beta_2: float) -> TwoOptimizers:
    """Return Adam for each player, with the same settings."""
    return TwoOptimizers(
        *(
            optimizers.fused(keras.optimizers.Adam(learning_rate, beta_1, beta_2, name=name))
            for name in ("generator_adam", "discriminator_adam")
        )
    )


@registered
class GAN(keras.Model):
    """A generator, a discriminator, and the generator's exponential average.

    Called on latents (batch, noise), or on latents and labels, it gives the average generator's
    pictures.

    Args:
        generator: latents, or [latents, labels], to pictures in [0, 1].
        discriminator: pictures, or [pictures, labels], to scores (batch, 1) without activation;
            high means real.
        loss: "non_saturating" or "wasserstein".
        average_rate: share of the average kept at each step; less in the first steps.
        penalty: weight of the gradient penalty of the Wasserstein loss.
    """

    trained_by = "gan.fit"

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        loss: str,
        average_rate: float,
        penalty: float,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.generator, self.discriminator = generator, discriminator
        self.average = keras.Model.from_config({**generator.get_config(), "name": "average"})
        self.average.set_weights(generator.get_weights())
        self.average.trainable = False
        self.kind, self.average_rate, self.penalty = loss, average_rate, penalty
        self.critic_steps = 1
        self.seeds = keras.random.SeedGenerator()
        self.trackers = [keras.metrics.Mean(name=name) for name in ("generator", "discriminator")]
        if loss == "wasserstein":
            self.trackers.append(keras.metrics.Mean(name="gradient_penalty"))
        self.built = True

    @property
    def noise(self) -> int:
        """How many numbers a latent has."""
        return self.generator.inputs[0].shape[-1]

    @property
    def classes(self) -> int | None:
        """How many classes a conditional network knows; None for an unconditional one."""
        if len(self.generator.inputs) == 1:
            return None
        return self.generator.get_layer("label_code").input_dim

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the average generator's pictures."""
        return self.average(inputs, training=training)

    def compile(
        self,
        optimizer: TwoOptimizers,
        *,
        critic_steps: int = 1,
        steps_per_execution: int = 1,
        jit_compile: bool | str = "auto",
    ) -> None:
        """Make ready for training: `critic_steps` updates of the discriminator to each other."""
        super().compile(optimizer, steps_per_execution=steps_per_execution, jit_compile=jit_compile)
        self.critic_steps = critic_steps
        self.optimizer.build_each(
            self.generator.trainable_variables, self.discriminator.trainable_variables
        )

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """The running means of the losses, which Keras sets to nothing at each epoch."""
        return self.trackers

    def train_step(self, *arguments: Any) -> Any:
        """Train both players on one batch; on JAX without side effects, for its compiler."""
        if keras.backend.backend() == "tensorflow":
            return self._step(*arguments)
        state, data = arguments
        groups = self._groups()
        pairs = [
            pair
            for group, values in zip(groups, state, strict=True)
            for pair in zip(group, values, strict=True)
        ]
        with keras.StatelessScope(pairs) as scope:
            logs = self._step(data)
        return logs, tuple([scope.get_current_value(v) for v in group] for group in groups)

    def _groups(self) -> tuple[list[Any], ...]:
        """Return all variables, in the groups that Keras' trainer for JAX hands around."""
        return (
            self.trainable_variables,
            self.non_trainable_variables,
            self.optimizer.variables,
            self.metrics_variables,
        )

    def _step(self, data: Any) -> dict[str, Any]:
        real, labels, _ = keras.utils.unpack_x_y_sample_weight(data)
        everything = [variable for group in self._groups() for variable in group]

        # Arjovsky's algorithm takes new real pictures for each of the critic's steps. Here they
        # share a batch, with new latents, so that an epoch is one pass over the data for both.
        for _ in range(self.critic_steps):
            variables = self.discriminator.trainable_variables
            loss, penalty, gradients = gradients_of(
                lambda: self.discriminator_loss(real, labels), variables, everything
            )
            self.optimizer.discriminator.apply(gradients, variables)
        variables = self.generator.trainable_variables
        generator_loss, _, gradients = gradients_of(
            lambda: self.generator_loss(real, labels), variables, everything
        )
        self.optimizer.generator.apply(gradients, variables)
        self.follow()

        logged = (generator_loss, loss, penalty)
        for tracker, value in zip(self.trackers, logged, strict=False):
            tracker.update_state(value)
        return {tracker.name: tracker.result() for tracker in self.trackers}

    def discriminator_loss(self, real: Any, labels: Any) -> tuple[Any, Any]:
        """Return the discriminator's loss on a batch and as many samples; the penalty within it."""
        fake = ops.stop_gradient(self._samples(real, labels))
        scores_real, scores_fake = self._scores(real, fake, labels)
        if self.kind == "wasserstein":
            steepness = self._penalty(real, fake, labels)
            loss = ops.mean(scores_fake) - ops.mean(scores_real) + self.penalty * steepness
        else:
            # −log D(x) − log(1 − D(G(z))), where D is the sigmoid of the score.
            loss = ops.mean(ops.softplus(-scores_real)) + ops.mean(ops.softplus(scores_fake))
            steepness = ops.zeros(())
        return loss + sum(self.discriminator.losses), steepness

    def generator_loss(self, real: Any, labels: Any) -> tuple[Any, Any]:
        """Return the generator's loss on as many samples as there are real pictures."""
        scores = self._judge(self._samples(real, labels), labels)
        # −log D(G(z)), since log(1 − D(G(z))) is flat where the generator is still bad.
        apart = scores if self.kind == "wasserstein" else -ops.softplus(-scores)
        loss = -ops.mean(apart)
        return loss + sum(self.generator.losses), ops.zeros(())

    def follow(self) -> None:
        """Move the average a little towards the generator: A ← r A + (1 − r) G."""
        step = ops.cast(self.optimizer.generator.iterations, "float32")
        # A young average would else be made of the initial weights.
        rate = ops.minimum(self.average_rate, (1 + step) / (10 + step))
        for slow, fast in zip(self.average.weights, self.generator.weights, strict=True):
            slow.assign(rate * slow + (1 - rate) * fast)

    def _samples(self, real: Any, labels: Any) -> Any:
        latents = keras.random.normal((ops.shape(real)[0], self.noise), seed=self.seeds)
        return self.generator(latents if labels is None else [latents, labels], training=True)

    def _judge(self, pictures: Any, labels: Any) -> Any:
        inputs = pictures if labels is None else [pictures, labels]
        return self.discriminator(inputs, training=True)

    def _scores(self, real: Any, fake: Any, labels: Any) -> tuple[Any, Any]:
        if any(isinstance(n, keras.layers.BatchNormalization) for n in self.discriminator.layers):
            # Each kind by its own statistics (Radford et al., 2016).
            return self._judge(real, labels), self._judge(fake, labels)
        both = None if labels is None else ops.concatenate([labels, labels])
        scores = self._judge(ops.concatenate([real, fake]), both)
        half = ops.shape(real)[0]
        return scores[:half], scores[half:]

    def _penalty(self, real: Any, fake: Any, labels: Any) -> Any:
        """Return how far the critic's gradients between real and fake are from length 1, squared.

        Source: Gulrajani et al., Improved Training of Wasserstein GANs (2017), equation 3.
        """
        share = keras.random.uniform((ops.shape(real)[0], 1, 1, 1), seed=self.seeds)
        between = share * real + (1 - share) * fake
        slopes = input_gradients(lambda pictures: self._judge(pictures, labels), between)
        # The root has no derivative at 0.
        lengths = ops.sqrt(ops.sum(ops.square(slopes), axis=(1, 2, 3)) + 1e-12)
        return ops.mean(ops.square(lengths - 1))

    def get_config(self) -> dict[str, Any]:
        """Return the players and the game as plain values."""
        serialize = keras.saving.serialize_keras_object
        return {
            "generator": serialize(self.generator),
            "discriminator": serialize(self.discriminator),
            "loss": self.kind,
            "average_rate": self.average_rate,
            "penalty": self.penalty,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> GAN:
        """Return what `get_config` described."""
        return cls(**_players(config))

    def get_compile_config(self) -> dict[str, Any]:
        """Return the optimizers and the steps, as plain values."""
        if not self.compiled:
            return {}
        return {
            "optimizer": keras.saving.serialize_keras_object(self.optimizer),
            "critic_steps": self.critic_steps,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Make a loaded model ready to go on training."""
        self.compile(**keras.saving.deserialize_keras_object(config))


def gradients_of(
    loss: Callable[[], tuple[Any, Any]], variables: Sequence[Any], everything: Sequence[Any]
) -> tuple[Any, Any, list[Any]]:
    """Return what `loss` gives, a scalar and something beside it, and the scalar's gradients.

    Args:
        loss: computes it from Keras variables, and may update some, such as running means.
        variables: those to differentiate by.
        everything: all the variables that `loss` reads or updates.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            for variable in variables:
                tape.watch(variable.value)
            value, beside = loss()
        return value, beside, tape.gradient(value, [variable.value for variable in variables])
    import jax

    before = [(variable, variable.value) for variable in everything]

    def of_values(values: list[Any]) -> tuple[Any, Any]:
        replaced = zip(variables, values, strict=True)
        with keras.StatelessScope([*before, *replaced]) as scope:
            value, beside = loss()
        return value, (beside, [scope.get_current_value(variable) for variable in everything])

    chosen = [variable.value for variable in variables]
    (value, (beside, after)), gradients = jax.value_and_grad(of_values, has_aux=True)(chosen)
    for variable, updated in zip(everything, after, strict=True):
        variable.assign(updated)
    return value, beside, gradients


def input_gradients(scores: Callable[[Any], Any], x: Any) -> Any:
    """Return the gradient of each example's score by the example, in the shape of `x`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            total = ops.sum(scores(x))
        return tape.gradient(total, x)
    import jax

    return jax.grad(lambda x: ops.sum(scores(x)))(x)


def _players(config: dict[str, Any]) -> dict[str, Any]:
    """Return the config with generator and discriminator made whole."""
    deserialize = keras.saving.deserialize_keras_object
    return config | {name: deserialize(config[name]) for name in ("generator", "discriminator")}
