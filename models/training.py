"""Training that can be trusted: curves, the best epoch's weights, a stop on NaN, resuming.

`fit` gives the same weights bit for bit for the same seed on one thread, whether or not it was
killed and resumed on the way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from models import feeding, loop, memory, optimizers, options
from models.errors import BadData, BadOption, unknown
from models.progress import name_of

if TYPE_CHECKING:
    import keras


class InputPath(NamedTuple):
    """How batches reach the network: steps for each call into the backend, and XLA or not."""

    steps_per_execution: int
    jit_compile: bool | str


# By family, from measurements on the TensorFlow backend; never timed while training, so that
# results do not depend on the machine's mood. XLA helps only recurrent networks on a processor,
# and those lose by several steps a call.
INPUT_PATHS = {
    "dense": InputPath(128, False),
    "cnn": InputPath(32, False),
    "rnn": InputPath(1, True),
}
# XLA takes 8 seconds of a processor before the first batch; fewer batches do not earn that back.
WORTH_COMPILING = 1000


@dataclass
class Training:
    """What `fit` gives.

    Attributes:
        model: the trained network, with the best epoch's weights if there were validation data.
        curves: one row an epoch, the index counting from 1; columns loss, accuracy, val_loss, ….
        best_epoch: the epoch whose weights the network has.
        trainings: how many trainings this took.
    """

    model: keras.Model
    curves: pd.DataFrame
    best_epoch: int
    trainings: int = 1


def fit(
    model: keras.Model,
    train: tuple[Any, Any],
    validation: tuple[Any, Any] | None = None,
    *,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    schedule: str = "constant",
    optimizer: str | keras.Optimizer = "adam",
    loss: str | Callable | None = None,
    metrics: Sequence[Any] = (),
    class_weight: Mapping[int, float] | str | None = None,
    monitor: str = "val_loss",
    patience: int | None = 5,
    checkpoints: str | Path | None = None,
    logs: str | Path | None = None,
    seed: int | None = None,
) -> Training:
    """Train `model` and return it with its curves.

    Args:
        model: a network from one of the builders, or any Keras model with one input and output.
        train: x (n, …) and y: class numbers (n,), one-hot rows, or targets for a linear output.
        validation: the same, held out. The weights of its best epoch are those kept; without it
            all epochs are run and the last one's are.
        epochs: the most passes over the training data.
        batch_size: examples for each update.
        learning_rate: of the optimizer.
        schedule: "constant", or "cosine": up in the first epoch, then down to nothing at the end.
        optimizer: "adam", "adamw", "rmsprop", "sgd" (with momentum 0.9), or a Keras optimizer,
            whose own learning rate then holds.
        loss: a Keras loss; None takes the one that belongs to the network's last activation.
        metrics: what else the curves should show; names or objects that Keras knows.
        class_weight: weight of each class in the loss; "balanced" makes rare classes count as
            much as common ones.
        monitor: the curve that says which epoch is best; a loss or error falls, all else rises.
        patience: epochs without a better one until training stops; None never stops early.
        checkpoints: a folder; a killed training then goes on after its last whole epoch. Inside
            a project the engine lends one.
        logs: a folder for the curves as TensorBoard reads them, which then has to be installed.
            Inside a project they are written where it is, to `.folio/boards/`.
        seed: of the order of examples; None takes one from NumPy's global state. Initial weights
            and dropout are drawn when a network is built: `keras.utils.set_random_seed` first.

    Raises:
        BadData: arrays that do not fit the network, labels outside its classes, NaN.
        BadOption: an argument that cannot work.
        Diverged: the loss became NaN or infinite; names epoch and batch. The network then has
            the weights from before that epoch, and no checkpoint holds the broken ones.
    """
    import keras

    if not isinstance(model, keras.Model):
        return _from_scratch(
            model,
            train,
            validation,
            {"schedule": schedule, "loss": loss, "logs": logs, "metrics": metrics},
            epochs=epochs,
            batch_size=batch_size,
            learning_rate=learning_rate,
            optimizer=optimizer,
            class_weight=class_weight,
            monitor=monitor,
            patience=patience,
            checkpoints=checkpoints,
            seed=seed,
        )
    if loss is None and (trainer := getattr(model, "trained_by", None)):
        raise BadOption(f"{model.name!r} has a loss of its own: {trainer}(model, x, …) trains it.")
    epochs, batch_size = options.whole("epochs", epochs), options.whole("batch_size", batch_size)
    if patience is not None:
        patience = options.whole("patience", patience)
    if seed is None:
        seed = int(np.random.randint(2**31))
    x, y = feeding.examples(model, train, "train")
    loss, metric, y = feeding.objective(model, y, loss, "train")
    held_out = None
    if validation is not None:
        held_out = feeding.examples(model, validation, "validation")
        held_out = (held_out[0], feeding.objective(model, held_out[1], loss, "validation")[2])
        _check_monitor(model, monitor, [metric, *metrics])
    arrays = (x, y) if class_weight is None else (x, y, feeding.row_weights(y, class_weight))
    steps = math.ceil(len(x) / batch_size)
    chosen = optimizers.get(optimizer, learning_rate, schedule, steps, epochs)
    path = input_path(model, epochs * steps)
    model.compile(
        optimizer=chosen,
        loss=loss,
        metrics=[*([metric] if metric else []), *metrics],
        steps_per_execution=min(path.steps_per_execution, steps),
        jit_compile=path.jit_compile,
    )
    chosen.build(model.trainable_variables)  # so that a checkpoint can fill it
    memory.check(model, (*arrays, *(held_out or ())), batch_size)
    progress = loop.run(
        model,
        arrays,
        held_out,
        settings={
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate if isinstance(optimizer, str) else None,
            "schedule": schedule,
            "optimizer": type(chosen).__name__,
            "loss": loss if isinstance(loss, str) else name_of(loss),
            "monitor": monitor if held_out else None,
            "patience": patience if held_out else None,
            "order_seed": seed,
        },
        checkpoints=checkpoints,
        logs=logs,
    )
    return Training(model, progress.curves, progress.best_epoch)


def _from_scratch(
    network: Any, train: Any, validation: Any, keras_only: Mapping[str, Any], **settings: Any
) -> Training:
    """Let a network of `models.scratch` train itself, as `descent.fit` has it."""
    if not hasattr(network, "backprop"):
        raise BadOption(
            f"model must be a Keras model or a network from scratch, not {name_of(network)}; "
            "classifier.build(…) gives one."
        )
    for name, value in keras_only.items():
        if value not in (None, (), "constant"):
            raise BadOption(f"A network from scratch takes no {name}={value!r}: leave it out.")
    if not isinstance(train, tuple | list) or len(train) != 2:
        raise BadData(f"train must be a pair (x, y) of arrays, not {type(train).__name__}.")
    return network.fit(*train, validation, **settings)


def _check_monitor(model: keras.Model, monitor: str, metrics: Sequence[Any]) -> None:
    # A layer may report something of its own, as the divergence of a variational code.
    reported = [getattr(metric, "name", metric) for metric in (*metrics, *model.metrics) if metric]
    names = ["loss", *reported]
    known = [*(f"val_{name}" for name in names), *names]
    if monitor not in known:
        raise unknown("monitor", monitor, known)


def input_path(model: keras.Model, batches: int) -> InputPath:
    """Return the way for the model's family, told by its layers, and for so many batches in all."""
    import keras

    def families(layers: Iterable[Any]) -> Iterable[str]:
        for layer in layers:
            if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
                yield "rnn"
            elif "Conv" in type(layer).__name__:
                yield "cnn"
            yield from families(getattr(layer, "layers", ()))

    found = set(families(model.layers))
    path = INPUT_PATHS[next((name for name in ("rnn", "cnn") if name in found), "dense")]
    if keras.backend.backend() != "tensorflow":
        return InputPath(1, "auto")  # JAX is nothing without its compiler
    return path if batches >= WORTH_COMPILING else path._replace(jit_compile=False)
