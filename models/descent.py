"""Gradient descent for a network from scratch: plain, with momentum, and Adam.

`fit` takes and gives what `training.fit` does; with the same seed it shows the examples in the
same order.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from models import feeding, lent, options, vectors
from models.checkpoints import Checkpoints
from models.errors import Diverged, unknown
from models.progress import Progress, fingerprint
from models.training import Training

if TYPE_CHECKING:
    from models.scratch import Network


class Plain:
    """θ → θ − η ∇C. Source: Nielsen, chapter 1, equations 20 and 21."""

    def __init__(self, theta: np.ndarray, eta: float) -> None:
        self.theta, self.eta = theta, eta
        self.state = [theta]  # all that a step changes

    def step(self, nabla: np.ndarray) -> None:
        """Move θ in place; `nabla` is used up."""
        nabla *= self.eta
        self.theta -= nabla


class Momentum:
    """v → μ v − η ∇C, θ → θ + v. Source: Nielsen, chapter 3, equations 107 and 108."""

    def __init__(self, theta: np.ndarray, eta: float, mu: float = 0.9) -> None:
        self.theta, self.eta, self.mu = theta, eta, mu
        self.v = np.zeros_like(theta)
        self.state = [theta, self.v]

    def step(self, nabla: np.ndarray) -> None:
        """Move θ in place; `nabla` is used up."""
        self.v *= self.mu
        nabla *= self.eta
        self.v -= nabla
        self.theta += self.v


class Adam:
    """m → β₁ m + (1 − β₁) ∇C, v → β₂ v + (1 − β₂) ∇C², θ → θ − η m̂ / (√v̂ + ε).

    The corrections of m̂ and v̂ for their start at 0 are taken into η.
    Source: Kingma and Ba, Adam (2015), algorithm 1 and the end of section 2.
    """

    def __init__(
        self,
        theta: np.ndarray,
        eta: float,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-7,
    ) -> None:
        self.theta, self.eta = theta, eta
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        self.m, self.v, self.room = (np.zeros_like(theta) for _ in range(3))
        self.t = np.zeros((), int)
        self.state = [theta, self.m, self.v, self.t]

    def step(self, nabla: np.ndarray) -> None:
        """Move θ in place; `nabla` is used up."""
        self.t += 1
        t = int(self.t)
        eta = self.eta * math.sqrt(1 - self.beta2**t) / (1 - self.beta1**t)
        self.m *= self.beta1
        self.m += np.multiply(nabla, 1 - self.beta1, out=self.room)
        self.v *= self.beta2
        nabla *= nabla
        nabla *= 1 - self.beta2
        self.v += nabla
        np.sqrt(self.v, out=self.room)
        self.room += self.epsilon
        np.divide(self.m, self.room, out=self.room)
        self.room *= eta
        self.theta -= self.room


OPTIMIZERS = {"sgd": Plain, "momentum": Momentum, "adam": Adam}


def fit(
    network: Network,
    train: tuple[Any, Any],
    validation: tuple[Any, Any] | None = None,
    *,
    epochs: int = 20,
    batch_size: int = 32,
    learning_rate: float = 1e-3,
    optimizer: str = "adam",
    class_weight: Mapping[int, float] | str | None = None,
    monitor: str = "val_loss",
    patience: int | None = 5,
    checkpoints: str | Path | None = None,
    seed: int | None = None,
) -> Training:
    """Train `network` and return it with its curves.

    The curves have a row an epoch: loss, accuracy where y are classes, the same for validation,
    and for each layer a column such as gradient_dense1, the length of nabla_b, mean over the
    epoch's batches: how fast the layer learns (Nielsen, chapter 5).

    Args:
        network: from `scratch.build`.
        train: x (n, inputs) and y: class numbers (n,), one-hot rows, or targets (n, units).
        validation: the same, held out. The weights of its best epoch are those kept; without it
            all epochs are run and the last one's are.
        epochs: the most passes over the training data.
        batch_size: examples for each update.
        learning_rate: η.
        optimizer: "sgd", "momentum" (0.9) or "adam".
        class_weight: weight of each class in the cost; "balanced" makes rare classes count as
            much as common ones.
        monitor: the curve that says which epoch is best; a loss falls, accuracy rises.
        patience: epochs without a better one until training stops; None never stops early.
        checkpoints: a folder; a killed training then goes on after its last whole epoch. Inside
            a project the engine lends one.
        seed: of the order of examples and of dropout; None takes one from NumPy's global state.

    Raises:
        BadData: arrays that do not fit the network, labels outside its classes, NaN.
        BadOption: an argument that cannot work.
        Diverged: the loss became NaN or infinite; names epoch and batch. The network then has
            the weights from before that epoch, and no checkpoint holds the broken ones.
    """
    epochs, batch_size = options.whole("epochs", epochs), options.whole("batch_size", batch_size)
    if patience is not None:
        patience = options.whole("patience", patience)
    if optimizer not in OPTIMIZERS:
        raise unknown("optimizer", optimizer, OPTIMIZERS)
    options.rate(learning_rate)
    if seed is None:
        seed = int(np.random.randint(2**31))
    x, y, classes = vectors.examples(network, train, "train")
    held_out = None
    if validation is not None:
        held_out = vectors.examples(network, validation, "validation")[:2]
    columns = ["loss", "accuracy"] if classes else ["loss"]
    if held_out:
        columns += [f"val_{name}" for name in columns]
        if monitor not in columns:
            raise unknown("monitor", monitor, columns)
    columns += [f"gradient_{name}" for name in network.layer_names]
    weights = None if class_weight is None else feeding.row_weights(y, class_weight)
    settings = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "optimizer": optimizer,
        "loss": network.cost,
        "monitor": monitor if held_out else None,
        "patience": patience if held_out else None,
        "order_seed": seed,
    }
    descent = OPTIMIZERS[optimizer](network.theta, learning_rate)
    borrowed = lent.current.get() or lent.Lent()
    kept = None
    if folder := checkpoints or borrowed.checkpoints:
        about = settings | network.about()
        data = [x, y, *(held_out or ()), *([] if weights is None else [weights])]
        kept = Checkpoints(Path(folder), fingerprint(about, [network.theta, *data]))
    progress, best_theta, resumed_after = Progress(), network.theta.copy(), None
    if kept and (found := kept.latest()):
        (kept_progress, arrays), resumed_after = found, found[0]["epoch"]
        progress = Progress(**kept_progress)
        for array, value in zip(descent.state, arrays["state"], strict=True):
            array[...] = value
        (best_theta,) = arrays["best"]
    steps, trained = math.ceil(len(x) / batch_size), not progress.over(settings)
    while not progress.over(settings):
        started, before = time.monotonic(), network.theta.copy()
        # Seed and epoch alone give the order.
        random = np.random.default_rng([seed, progress.epoch])
        try:
            row = _epoch(network, descent, x, y, weights, batch_size, random)
            if held_out:
                row |= _judged(network, *held_out)
        except _NotFinite as broken:
            network.theta[:] = before
            raise _diverged(progress.epoch + 1, broken.batch, steps, learning_rate) from None
        if progress.record({name: row[name] for name in columns}, settings["monitor"]):
            best_theta = network.theta.copy()
        progress.seconds += time.monotonic() - started
        if kept:
            arrays = {"state": descent.state, "best": [best_theta]}
            kept.write(progress.epoch, asdict(progress), arrays)
        label = f"epoch {progress.epoch}/{epochs}, loss {row['loss']:.2f}"
        borrowed.report(label, progress.epoch * steps, epochs * steps)
    if trained:
        line = progress.line(settings, len(x), network.count_params(), resumed_after)
        borrowed.trained(line)
    if held_out:
        network.theta[:] = best_theta
    # The same class as `training.fit` gives, so that all that reads it reads this.
    return Training(cast("Any", network), progress.curves, progress.best_epoch)


class _NotFinite(Exception):
    """The loss or a weight became NaN or infinite; `batch` is None on the validation data."""

    def __init__(self, batch: int | None) -> None:
        super().__init__(batch)
        self.batch = batch


def _epoch(
    network: Network,
    descent: Plain | Momentum | Adam,
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    batch_size: int,
    random: np.random.Generator,
) -> dict[str, float]:
    """Make one pass over the examples in random order, and return the epoch's row of curves."""
    order = random.permutation(len(x))
    y = y[order]
    z = np.empty_like(y)  # of each example as its turn came, (n, units)
    lengths = [0.0] * len(network.b)  # of nabla_b, by layer
    penalty = 0.0
    with np.errstate(over="ignore", invalid="ignore"):  # it is found below
        for start in range(0, len(x), batch_size):
            batch = slice(start, start + batch_size)
            # x is not put in order as a whole: it may be too large to have twice.
            rows = order[batch]
            weight = None if weights is None else weights[rows]
            z[batch] = network.backprop(x.take(rows, axis=0), y[batch], random, weight)
            if network.l2:
                penalty += network.penalty() * len(y[batch]) / len(y)
            lengths = [
                length + math.sqrt(nabla_b @ nabla_b)
                for length, nabla_b in zip(lengths, network.nabla_b, strict=True)
            ]
            descent.step(network.nabla)
        costs = network.costs(z, y)
        if weights is not None:
            costs *= weights[order]
    finite = np.isfinite(costs)
    if not finite.all():
        raise _NotFinite(int(finite.argmin()) // batch_size + 1)
    batches = math.ceil(len(x) / batch_size)
    if not (math.isfinite(penalty) and np.isfinite(network.theta).all()):
        raise _NotFinite(batches)  # it came with the last updates
    slopes = zip(network.layer_names, lengths, strict=True)
    return {
        "loss": float(costs.mean()) + penalty,
        "accuracy": network.right(z, y),
        **{f"gradient_{name}": length / batches for name, length in slopes},
    }


def _judged(network: Network, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the part of an epoch's row that comes from the validation data."""
    z = network.weighted_input(x)
    with np.errstate(over="ignore", invalid="ignore"):
        loss = float(network.costs(z, y).mean()) + network.penalty()
    if not math.isfinite(loss):
        raise _NotFinite(None)
    return {"val_loss": loss, "val_accuracy": network.right(z, y)}


def _diverged(epoch: int, batch: int | None, steps: int, rate: float) -> Diverged:
    where = f"batch {batch} of {steps}" if batch else "on the validation data"
    return Diverged(
        f"The loss became NaN or infinite in epoch {epoch}, {where}, with learning_rate={rate:g}. "
        f"The network has the weights from before that epoch. Try learning_rate={rate / 10:g}, "
        "and check that x has been brought to a range such as 0 to 1.",
        epoch=epoch,
        batch=batch,
    )
