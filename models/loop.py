"""Epoch after epoch: the order of examples, the best weights, the stop on NaN, the checkpoints.

`training.fit` and `gan.fit` run their networks here; the batches themselves are Keras' work.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from models import boards, feeding, lent
from models.checkpoints import Checkpoints
from models.errors import Diverged
from models.evaluation import parameters
from models.progress import Progress, fingerprint

if TYPE_CHECKING:
    import keras


def run(
    model: keras.Model,
    arrays: tuple[np.ndarray, ...],
    held_out: tuple[np.ndarray, ...] | None = None,
    *,
    settings: Mapping[str, Any],
    each_epoch: Callable[[int], Mapping[str, float]] | None = None,
    kept_too: dict[str, list[np.ndarray]] | None = None,
    checkpoints: str | Path | None = None,
    logs: str | Path | None = None,
) -> Progress:
    """Train a compiled model to the end, from its latest checkpoint if there is one.

    Args:
        model: compiled and built, so that all of its variables exist.
        arrays: what a batch is cut from, (x, y), (x, y, weights) or what its train step takes;
            all (n, …).
        held_out: the same for validation.
        settings: plain values that tell this training from others and go to the log; of them
            `epochs`, `batch_size` and `order_seed` are needed here, `monitor` and `patience`
            if an epoch is to be chosen, `learning_rate` for the advice on a loss that broke.
        each_epoch: called with the epoch, counting from 1, when its batches are done; what it
            returns joins the curves.
        kept_too: lists of arrays that `each_epoch` appends to; a resumed training finds them
            filled as they were.
        checkpoints: a folder; None takes the one that is lent, if any.
        logs: a folder for TensorBoard; the same.

    Raises:
        Diverged: a logged value became NaN or infinite; the variables are those from before
            that epoch.
    """
    import keras

    borrowed = lent.current.get() or lent.Lent()
    variables = [*model.variables, *model.optimizer.variables]
    described = [dict(settings), *_configurations([model])]
    name = fingerprint(described, [*values(variables), *arrays, *(held_out or ())])
    folder = checkpoints or borrowed.checkpoints
    watch = _Watch(
        model,
        settings,
        variables,
        len(arrays[0]),
        Checkpoints(Path(folder), name) if folder else None,
        borrowed.report,
        each_epoch or (lambda epoch: {}),
        kept_too if kept_too is not None else {},
    )
    resumed_after = watch.resume()
    if not watch.progress.over(settings):
        with feeding.fed(model, arrays, held_out, settings["batch_size"]) as fed:
            watch.reorder = fed.reorder
            model.fit(
                fed.train,
                validation_data=fed.validation,
                initial_epoch=watch.progress.epoch,
                epochs=settings["epochs"],
                shuffle=False,  # the order comes from `watch`
                verbose=0,
                callbacks=[
                    keras.callbacks.LambdaCallback(
                        on_epoch_begin=watch.epoch_begins,
                        on_train_batch_end=watch.batch_ended,
                        on_epoch_end=watch.epoch_ended,
                    ),
                    *boards.callbacks(logs, borrowed.boards, name),
                ],
            )
        if watch.broken:
            raise watch.diverged(arrays)
        line = watch.progress.line(settings, len(arrays[0]), parameters(model), resumed_after)
        borrowed.trained(line)
    if settings.get("monitor"):
        put(model.weights, watch.best_weights)
    return watch.progress


class _Watch:
    """Sets each epoch's order, keeps the best weights, and stops when enough or broken."""

    def __init__(
        self,
        model: keras.Model,
        settings: Mapping[str, Any],
        variables: Sequence[Any],
        rows: int,
        kept: Checkpoints | None,
        report: Callable[[str, int, int | None], None],
        each_epoch: Callable[[int], Mapping[str, float]],
        kept_too: dict[str, list[np.ndarray]],
    ) -> None:
        self.model, self.settings, self.variables, self.rows = model, settings, variables, rows
        self.kept, self.report = kept, report
        self.each_epoch, self.kept_too = each_epoch, kept_too
        self.steps = math.ceil(rows / settings["batch_size"])
        self.monitor = settings.get("monitor")
        self.progress = Progress()
        self.reorder: Callable[[np.ndarray], object] = lambda order: None
        self.state = values(variables)  # after the last whole epoch
        self.best_weights = values(model.weights)
        self.broken = False
        self.started = 0.0

    def resume(self) -> int | None:
        """Fill the network from its latest checkpoint; return the epochs that spares."""
        found = self.kept.latest() if self.kept else None
        if found is None:
            return None
        progress, arrays = found
        self.progress = Progress(**progress)
        self.state, self.best_weights = arrays.pop("state"), arrays.pop("best")
        for name, filled in self.kept_too.items():
            filled[:] = arrays.get(name, [])
        put(self.variables, self.state)
        return self.progress.epoch

    def epoch_begins(self, epoch: int, logs: Any = None) -> None:
        self.reorder(self.order(epoch))
        self.started = time.monotonic()

    def order(self, epoch: int) -> np.ndarray:
        # Seed and epoch alone give the order, so a resumed training meets the same one.
        random = np.random.default_rng([self.settings["order_seed"], epoch])
        return random.permutation(self.rows).astype(np.int32)

    def batch_ended(self, batch: int, logs: Mapping[str, float]) -> None:
        # Running means: once one of them is broken it stays so until the epoch's end.
        if not _finite(logs):
            self.broken = self.model.stop_training = True
            return
        epochs, (name, value) = self.settings["epochs"], next(iter(_ordered(logs).items()))
        done = self.progress.epoch * self.steps + min(batch + 1, self.steps)
        label = f"epoch {self.progress.epoch + 1}/{epochs}, {name} {value:.2f}"
        self.report(label, done, epochs * self.steps)

    def epoch_ended(self, epoch: int, logs: Mapping[str, float]) -> None:
        if self.broken or not _finite(logs):
            self.broken = self.model.stop_training = True
            return
        progress = self.progress
        row = {**_ordered(logs), **self.each_epoch(epoch + 1)}
        if progress.record(row, self.monitor) and self.monitor:
            self.best_weights = values(self.model.weights)
        self.state = values(self.variables)
        progress.seconds += time.monotonic() - self.started
        if self.kept:
            # Without a monitor the best weights are those of the state.
            best = self.best_weights if self.monitor else []
            arrays = {"state": self.state, "best": best, **self.kept_too}
            self.kept.write(progress.epoch, asdict(progress), arrays)
        if self.progress.over(self.settings):
            self.model.stop_training = True

    def diverged(self, arrays: tuple[np.ndarray, ...]) -> Diverged:
        """Return the error that names the batch, found by running the broken epoch once more.

        While training, the loss is looked at once every `steps_per_execution` batches.
        """
        epoch, broken_at, size = self.progress.epoch + 1, None, self.settings["batch_size"]
        order = self.order(self.progress.epoch)
        put(self.variables, self.state)
        self.model.reset_metrics()
        for number in range(1, self.steps + 1):
            rows = order[(number - 1) * size : number * size]
            batch = (array[rows] for array in arrays)
            if not _finite(self.model.train_on_batch(*batch, return_dict=True)):
                broken_at = number
                break
        put(self.variables, self.state)
        where = f"batch {broken_at} of {self.steps}" if broken_at else "on the validation data"
        rate = self.settings.get("learning_rate")
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


def values(variables: Sequence[Any]) -> list[np.ndarray]:
    """Return copies of what variables hold."""
    # On a processor the array may be a view of the variable itself.
    return [np.array(variable.numpy()) for variable in variables]


def put(variables: Sequence[Any], arrays: Sequence[np.ndarray]) -> None:
    """Fill variables from arrays of the same shapes, in the same order."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _finite(logs: Mapping[str, Any]) -> bool:
    return all(math.isfinite(value) for value in logs.values())


def _ordered(logs: Mapping[str, float]) -> dict[str, float]:
    """Return the logs with those of training first, and the loss as the first of each."""
    first = sorted(
        logs, key=lambda name: (name.startswith("val_"), name.removeprefix("val_") != "loss")
    )
    return {name: logs[name] for name in first}


def _configurations(layers: Iterable[Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield class and configuration of each layer, those of networks within networks too."""
    for layer in layers:
        if optimizer := getattr(layer, "optimizer", None):
            yield _described(optimizer)
        if inner := getattr(layer, "layers", None):
            yield from _configurations(inner)
        else:
            yield _described(layer)


def _described(part: Any) -> tuple[str, dict[str, Any]]:
    # Names are left out: Keras numbers the unnamed through the life of a process.
    config = {key: value for key, value in part.get_config().items() if key != "name"}
    return type(part).__name__, config
