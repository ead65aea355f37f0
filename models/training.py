"""Training that can be trusted: curves, the best epoch's weights, a stop on NaN, resuming.

`fit` gives the same weights bit for bit for the same seed on one thread, whether or not it was
killed and resumed on the way.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from models import evaluation, feeding, lent, options
from models.checkpoints import Checkpoints
from models.errors import BadOption, Diverged, unknown

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
    "dense": InputPath(32, False),
    "cnn": InputPath(32, False),
    "rnn": InputPath(1, True),
}
OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
SCHEDULES = ("constant", "cosine")


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
    class_weight: Mapping[int, float] | str | None = None,
    monitor: str = "val_loss",
    patience: int | None = 5,
    checkpoints: str | Path | None = None,
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
        class_weight: weight of each class in the loss; "balanced" makes rare classes count as
            much as common ones.
        monitor: the curve that says which epoch is best; a loss or error falls, all else rises.
        patience: epochs without a better one until training stops; None never stops early.
        checkpoints: a folder; a killed training then goes on after its last whole epoch. Inside
            a project the engine lends one.
        seed: of the order of examples; None takes one from NumPy's global state. Initial weights
            and dropout are drawn when a network is built: `keras.utils.set_random_seed` first.

    Raises:
        BadData: arrays that do not fit the network, labels outside its classes, NaN.
        BadOption: an argument that cannot work.
        Diverged: the loss became NaN or infinite; names epoch and batch. The network then has
            the weights from before that epoch, and no checkpoint holds the broken ones.
    """
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
        _check_monitor(monitor, metric)
    arrays = (x, y) if class_weight is None else (x, y, feeding.row_weights(y, class_weight))
    steps = math.ceil(len(x) / batch_size)
    chosen = _optimizer(optimizer, learning_rate, schedule, steps, epochs)
    path = _input_path(model)
    model.compile(
        optimizer=chosen,
        loss=loss,
        metrics=[metric] if metric else None,
        steps_per_execution=min(path.steps_per_execution, steps),
        jit_compile=path.jit_compile,
    )
    chosen.build(model.trainable_variables)  # so that a checkpoint can fill it

    borrowed = lent.current.get() or lent.Lent()
    settings = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate if isinstance(optimizer, str) else None,
        "schedule": schedule,
        "optimizer": type(chosen).__name__,
        "loss": loss if isinstance(loss, str) else _name(loss),
        "monitor": monitor if held_out else None,
        "patience": patience if held_out else None,
        "order_seed": seed,
    }
    kept = None
    if folder := checkpoints or borrowed.checkpoints:
        kept = Checkpoints(Path(folder), _fingerprint(model, settings, arrays, held_out or ()))
    data, reorder = feeding.batches(arrays, batch_size)
    watch = _Watch(model, settings, len(x), steps, reorder, kept, borrowed.report)
    resumed_after = watch.resume()
    if not watch.over():
        _run(model, data, held_out, watch)
        borrowed.trained(
            settings
            | {
                "epochs_run": watch.progress.epoch,
                "best_epoch": watch.progress.best_epoch,
                "examples": len(x),
                "parameters": evaluation.parameters(model),
                "seconds": round(watch.progress.seconds, 2),
                "resumed_after": resumed_after,
            }
        )
    if held_out:
        _put(model.weights, watch.best_weights)
    index = pd.RangeIndex(1, watch.progress.epoch + 1, name="epoch")
    names = [name for name in ("loss", metric) if name]
    if held_out:
        names += [f"val_{name}" for name in names]
    curves = pd.DataFrame(watch.progress.history, index=index, columns=names)
    return Training(model, curves, watch.progress.best_epoch)


def _run(model: keras.Model, data: Any, held_out: tuple | None, watch: _Watch) -> None:
    import keras

    validation = held_out and feeding.batches(held_out, feeding.EVALUATION_BATCH)[0]
    model.fit(
        data,
        validation_data=validation,
        initial_epoch=watch.progress.epoch,
        epochs=watch.settings["epochs"],
        shuffle=False,  # the order comes from `watch`
        verbose=0,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_begin=watch.epoch_begins,
                on_train_batch_end=watch.batch_ended,
                on_epoch_end=watch.epoch_ended,
            )
        ],
    )
    if watch.broken:
        raise watch.diverged(data)


@dataclass
class _Progress:
    """Where a training stands after an epoch; plain values only, for they go to a checkpoint."""

    epoch: int = 0
    best: float | None = None
    best_epoch: int = 0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)


class _Watch:
    """Sets each epoch's order, keeps the best weights, and stops when enough or broken."""

    def __init__(
        self,
        model: keras.Model,
        settings: dict[str, Any],
        rows: int,
        steps: int,
        reorder: Callable[[np.ndarray], object],
        kept: Checkpoints | None,
        report: Callable[[str, int, int | None], None],
    ) -> None:
        self.model, self.settings, self.rows, self.steps = model, settings, rows, steps
        self.reorder, self.kept, self.report = reorder, kept, report
        self.progress = _Progress()
        self.variables = [*model.variables, *model.optimizer.variables]
        self.state = _values(self.variables)  # after the last whole epoch
        self.best_weights = _values(model.weights)
        self.broken = False
        self.started = 0.0

    def resume(self) -> int | None:
        """Fill the network from its latest checkpoint; return the epochs that spares."""
        found = self.kept.latest() if self.kept else None
        if found is None:
            return None
        progress, arrays = found
        self.progress = _Progress(**progress)
        self.state, self.best_weights = arrays["state"], arrays["best"]
        _put(self.variables, self.state)
        return self.progress.epoch

    def over(self) -> bool:
        """Return whether all epochs are run, or no better one has come for too long."""
        without_better = self.progress.epoch - self.progress.best_epoch
        patience = self.settings["patience"]
        return self.progress.epoch >= self.settings["epochs"] or (
            patience is not None and without_better >= patience
        )

    def epoch_begins(self, epoch: int, logs: Any = None) -> None:
        # Seed and epoch alone give the order, so a resumed training meets the same one.
        order = np.random.default_rng([self.settings["order_seed"], epoch])
        self.reorder(order.permutation(self.rows))
        self.started = time.monotonic()

    def batch_ended(self, batch: int, logs: Mapping[str, float]) -> None:
        loss, epochs = logs["loss"], self.settings["epochs"]
        if not math.isfinite(loss):
            self.broken = self.model.stop_training = True
            return
        done = self.progress.epoch * self.steps + min(batch + 1, self.steps)
        label = f"epoch {self.progress.epoch + 1}/{epochs}, loss {loss:.2f}"
        self.report(label, done, epochs * self.steps)

    def epoch_ended(self, epoch: int, logs: Mapping[str, float]) -> None:
        if self.broken or not all(math.isfinite(value) for value in logs.values()):
            self.broken = self.model.stop_training = True
            return
        progress, monitor = self.progress, self.settings["monitor"]
        progress.epoch = epoch + 1
        progress.history.append({name: float(value) for name, value in logs.items()})
        if monitor is None:
            progress.best_epoch = progress.epoch
        elif _better(monitor, logs[monitor], progress.best):
            progress.best, progress.best_epoch = float(logs[monitor]), progress.epoch
            self.best_weights = _values(self.model.weights)
        self.state = _values(self.variables)
        progress.seconds += time.monotonic() - self.started
        if self.kept:
            # Without validation the best weights are those of the state.
            best = self.best_weights if monitor else []
            self.kept.write(progress.epoch, asdict(progress), {"state": self.state, "best": best})
        if self.over():
            self.model.stop_training = True

    def diverged(self, data: Iterable) -> Diverged:
        """Return the error that names the batch, found by running the broken epoch once more.

        While training, the loss is looked at once every `steps_per_execution` batches.
        """
        epoch, broken_at = self.progress.epoch + 1, None
        _put(self.variables, self.state)
        self.model.reset_metrics()
        for number, arrays in enumerate(data, start=1):
            loss = self.model.train_on_batch(*arrays, return_dict=True)["loss"]
            if not math.isfinite(loss):
                broken_at = number
                break
        _put(self.variables, self.state)
        where = f"batch {broken_at} of {self.steps}" if broken_at else "on the validation data"
        rate = self.settings["learning_rate"]
        tried = f"learning_rate={rate:g}" if rate else "this optimizer's learning rate"
        advice = f"learning_rate={rate / 10:g}" if rate else "a smaller one"
        files = ""
        if self.kept and self.progress.epoch:
            files = f" Kept: checkpoints up to epoch {epoch - 1} in {self.kept.folder}."
        return Diverged(
            f"The loss became NaN or infinite in epoch {epoch}, {where}, with {tried}."
            f"{files} Try {advice}, and check that x has been brought to a range such as 0 to 1.",
            epoch=epoch,
            batch=broken_at,
        )


def _better(monitor: str, value: float, best: float | None) -> bool:
    if best is None:
        return True
    return value < best if monitor.endswith(("loss", "error")) else value > best


def _values(variables: Sequence[Any]) -> list[np.ndarray]:
    # Copied: on a processor the array may be a view of the variable itself.
    return [variable.numpy().copy() for variable in variables]


def _put(variables: Sequence[Any], arrays: Sequence[np.ndarray]) -> None:
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _check_monitor(monitor: str, metric: str | None) -> None:
    names = [name for name in ("loss", metric) if name]
    known = [*(f"val_{name}" for name in names), *names]
    if monitor not in known:
        raise unknown("monitor", monitor, known)


def _optimizer(
    optimizer: str | keras.Optimizer, learning_rate: float, schedule: str, steps: int, epochs: int
) -> keras.Optimizer:
    import keras

    if isinstance(optimizer, keras.Optimizer):
        return optimizer
    if optimizer not in OPTIMIZERS:
        raise unknown("optimizer", optimizer, OPTIMIZERS)
    if schedule not in SCHEDULES:
        raise unknown("schedule", schedule, SCHEDULES)
    if not isinstance(learning_rate, int | float) or not 0 < learning_rate < math.inf:
        raise BadOption(f"learning_rate must be a number above 0, not {learning_rate!r}.")
    rate: Any = learning_rate
    if schedule == "cosine":
        # A first epoch of warming up lets a rate several times larger work.
        rate = keras.optimizers.schedules.CosineDecay(
            initial_learning_rate=learning_rate / 10,
            warmup_target=learning_rate,
            warmup_steps=steps,
            decay_steps=max(1, steps * (epochs - 1)),
        )
    momentum = {"momentum": 0.9, "nesterov": True} if optimizer == "sgd" else {}
    return keras.optimizers.get(
        {"class_name": optimizer, "config": {"learning_rate": rate, **momentum}}
    )


def _input_path(model: keras.Model) -> InputPath:
    """Return the way for the model's family, told by its layers."""
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
    if keras.backend.backend() == "tensorflow":
        return path
    return InputPath(1, "auto")  # JAX is nothing without its compiler


def _name(value: Any) -> str:
    return getattr(value, "__name__", type(value).__name__)


def _fingerprint(
    model: keras.Model,
    settings: Mapping[str, Any],
    arrays: Sequence[np.ndarray],
    held_out: Sequence[np.ndarray],
) -> str:
    """Return what tells this training from every other: settings, network, first weights, data."""
    import keras

    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    optimizer = keras.optimizers.serialize(model.optimizer)["config"]
    for config in (optimizer, *(layer.get_config() for layer in model.layers)):
        # Names are left out: Keras numbers the unnamed through the life of a process.
        config.pop("name", None)
        digest.update(json.dumps(config, sort_keys=True, default=_name).encode())
    digest.update(" ".join(_name(type(layer)) for layer in model.layers).encode())
    for array in (*_values(model.variables), *arrays, *held_out):
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]
