"""The optimizers by name, their schedules, and Adam as one kernel a variable.

Sources: Kingma and Ba, Adam (2015); Loshchilov and Hutter, SGDR (2017), for the cosine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from models import options
from models.errors import unknown

if TYPE_CHECKING:
    import keras

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine")


def get(
    optimizer: str | keras.Optimizer, learning_rate: float, schedule: str, steps: int, epochs: int
) -> keras.Optimizer:
    """Return the Keras optimizer of that name; one that is given already comes back as it is.

    Args:
        optimizer: one of OPTIMIZERS; "sgd" has Nesterov's momentum of 0.9.
        learning_rate: at its height.
        schedule: "constant", or "cosine": up in the first epoch, then down to nothing at the end.
        steps: updates an epoch.
        epochs: how many epochs the schedule spans.

    Raises:
        BadOption: a name that is not known, or a rate that is no positive number.
    """
    import keras

    if isinstance(optimizer, keras.Optimizer):
        return optimizer
    if optimizer not in OPTIMIZERS:
        raise unknown("optimizer", optimizer, OPTIMIZERS)
    if schedule not in SCHEDULES:
        raise unknown("schedule", schedule, SCHEDULES)
    rate: Any = options.rate(learning_rate)
    if schedule == "cosine":
        # A first epoch of warming up lets a rate several times larger work.
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=learning_rate / 10,
            warmup_target=learning_rate,
            warmup_steps=steps,
            decay_steps=max(1, steps * (epochs - 1)),
        )
    momentum = {"momentum": 0.9, "nesterov": True} if optimizer == "sgd" else {}
    named = {"class_name": optimizer, "config": {"learning_rate": rate, **momentum}}
    return fused(keras.optimizers.get(named))


def fused(optimizer: keras.Optimizer) -> keras.Optimizer:
    """Return the optimizer, whose update of a variable is one kernel if it is Adam on TensorFlow.

    Keras' own takes a dozen operations on each variable, which is a third of a small network's
    training. The formula is the same; sums differ in their last digit.
    """
    import keras

    adam = isinstance(optimizer, keras.optimizers.Adam) and not optimizer.amsgrad
    if not adam or keras.backend.backend() != "tensorflow":
        return optimizer
    import tensorflow as tf

    def update(gradient: Any, variable: Any, learning_rate: Any) -> None:
        index, dtype = optimizer._get_variable_index(variable), variable.dtype
        step = tf.cast(optimizer.iterations + 1, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=_handle(variable),
            m=_handle(optimizer._momentums[index]),
            v=_handle(optimizer._velocities[index]),
            beta1_power=tf.pow(tf.constant(optimizer.beta_1, dtype), step),
            beta2_power=tf.pow(tf.constant(optimizer.beta_2, dtype), step),
            lr=tf.cast(learning_rate, dtype),
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            epsilon=optimizer.epsilon,
            grad=tf.convert_to_tensor(gradient),  # an embedding's comes as slices
        )

    # On this object alone: what is saved with a model is Keras' own class.
    optimizer.update_step = update
    return optimizer


def _handle(variable: Any) -> Any:
    return variable.handle if hasattr(variable, "handle") else variable.value.handle
