"""The training of a GAN, with what its losses do not tell: how good and how varied samples are."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models import feeding, loop, memory, options, samples, training
from models.errors import BadData, BadOption
from models.gan.sampling import latents, pictures
from models.progress import fingerprint, name_of

if TYPE_CHECKING:
    from models.gan.adversarial import GAN

JUDGED = 1000  # held-out examples that each epoch is judged by


@dataclass
class GanTraining(training.Training):
    """What `fit` gives, beside the network and its curves.

    Attributes:
        samples: (snapshots, n, height, width, channels) pictures in [0, 1] that the average
            generator made of the same n latents in the course of training.
        snapshots_at: the epochs (snapshots,) after which it made them.
        sample_labels: (n,) the labels of a conditional network's; empty without labels.
        collapse: what to know and do about samples that are all alike; empty if they are not.
    """

    samples: np.ndarray = field(default_factory=lambda: np.empty(0))
    snapshots_at: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))
    sample_labels: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))
    collapse: str = ""


def fit(
    model: GAN,
    x: Any,
    labels: Any = None,
    held_out: Any = None,
    *,
    epochs: int = 50,
    batch_size: int = 32,
    learning_rate: float = 2e-4,
    critic_steps: int | None = None,
    features: Callable | None = None,
    snapshots: int = 10,
    sheet: int = 64,
    checkpoints: str | Path | None = None,
    logs: str | Path | None = None,
    seed: int | None = None,
) -> GanTraining:
    """Train both networks and return them with curves, samples over time, and any collapse.

    The curves have the losses (`generator`, `discriminator`, `gradient_penalty`) and, of the
    average generator's samples after each epoch, `spread` and `duplicates` as
    `samples.collapse` has them, of the worst class; with `held_out` also `precision`, `recall` and
    `coverage` as `samples.precision_recall` has them, the mean over the classes. A loss does not
    tell how good the samples are. All epochs are run, and the last one's weights are kept.

    Args:
        model: what `build` returned.
        x: (n, height, width, channels) pictures with values from 0 to 1.
        labels: (n,) class numbers, for a conditional network only.
        held_out: pictures not trained on, or (pictures, labels) for a conditional network. At
            most 1,000 of them, drawn once, judge the epochs.
        epochs: passes over the pictures.
        batch_size: real pictures, and as many samples, for each update.
        learning_rate: of Adam, for both networks.
        critic_steps: updates of the discriminator for each one of the generator; None takes 1, or
            5 for the Wasserstein loss.
        features: gives (n, d) features for pictures, such as a classifier's, to judge samples by;
            None compares pixels.
        snapshots: after how many epochs, evenly spread, samples are kept.
        sheet: how many samples a snapshot has; for a conditional network rounded up to as many
            for each class.
        checkpoints: a folder; a killed training then goes on after its last whole epoch. Inside
            a project the engine lends one.
        logs: a folder for the curves as TensorBoard reads them.
        seed: of the order of pictures, the latents of the samples kept, and the pictures that
            judge; None takes one from NumPy's global state. Initial weights, and the latents of
            training, are drawn when a network is built: `keras.utils.set_random_seed` first.

    Raises:
        BadData: pictures that do not fit the networks, or not from 0 to 1; labels missing, not
            wanted, or outside the classes.
        BadOption: an argument that cannot work.
        Diverged: a loss became NaN or infinite.
    """
    from models.gan.adversarial import GAN

    if not isinstance(model, GAN):
        raise BadOption(f"gan.fit trains what gan.build returns, not {name_of(model)}.")
    epochs, batch_size = options.whole("epochs", epochs), options.whole("batch_size", batch_size)
    wasserstein = model.kind == "wasserstein"
    critic_steps = options.whole("critic_steps", critic_steps or (5 if wasserstein else 1))
    options.rate(learning_rate)
    if seed is None:
        seed = int(np.random.randint(2**31))
    arrays = _examples(model, x, labels, "train")
    judged = None
    if held_out is not None:
        pair = held_out if isinstance(held_out, tuple | list) else (held_out, None)
        judged = _examples(model, *pair, "held_out")

    compiled(model, learning_rate, critic_steps, epochs, math.ceil(len(arrays[0]) / batch_size))
    memory.check(model, (*arrays, *(judged or ())), batch_size)
    jury = _Jury.drawn(model, arrays, judged, features, seed)
    at = np.unique(
        np.linspace(1, epochs, options.whole("snapshots", snapshots)).round().astype(int)
    )
    sheet = options.whole("sheet", sheet)
    sheet_labels = None
    if model.classes:
        sheet_labels = np.repeat(np.arange(model.classes), -(-sheet // model.classes))
        sheet = len(sheet_labels)
    sheet_latents = latents(model, sheet, seed)
    kept: dict[str, list[np.ndarray]] = {"samples": []}

    def each_epoch(epoch: int) -> dict[str, float]:
        if epoch in at:
            kept["samples"].append(pictures(model, sheet_latents, sheet_labels))
        return jury.verdict()

    progress = loop.run(
        model,
        arrays,
        settings={
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
            "loss": model.kind,
            "average": model.average_rate,
            "penalty": model.penalty if wasserstein else None,
            "critic_steps": critic_steps,
            "features": features and name_of(features),
            "held_out": judged and fingerprint([], judged),
            "snapshots": snapshots,
            "sheet": sheet,
            "order_seed": seed,
        },
        each_epoch=each_epoch,
        kept_too=kept,
        checkpoints=checkpoints,
        logs=logs,
    )
    done = GanTraining(
        model,
        progress.curves,
        progress.best_epoch,
        samples=np.stack(kept["samples"]),
        snapshots_at=at,
        sample_labels=np.empty(0, dtype=int) if sheet_labels is None else sheet_labels,
        collapse=_collapse(progress.curves),
    )
    if done.collapse:
        warnings.warn(done.collapse, stacklevel=2)
    return done


def compiled(model: GAN, learning_rate: float, critic_steps: int, epochs: int, steps: int) -> None:
    """Make `model` ready for epochs of so many steps, on the input path of its family."""
    from models.gan.adversarial import two_adams

    path = training.input_path(model, epochs * steps)
    model.compile(
        # Little momentum: what one network learned against, the other has left behind.
        two_adams(learning_rate, *((0.0, 0.9) if model.kind == "wasserstein" else (0.5, 0.999))),
        critic_steps=critic_steps,
        steps_per_execution=min(path.steps_per_execution, steps),
        jit_compile=path.jit_compile,
    )


def _examples(model: GAN, x: Any, labels: Any, part: str) -> tuple[np.ndarray, ...]:
    """Return (x,) or (x, labels) as arrays that fit the networks."""
    import keras

    if model.classes is None and labels is not None:
        raise BadData(f"{part}: labels are for a network built with classes=…; this one has none.")
    if model.classes is not None and labels is None:
        raise BadData(f"{part}: labels are missing; the network knows {model.classes} classes.")
    discriminator = model.discriminator
    entrance = keras.Model(discriminator.inputs[0], discriminator.get_layer("centred").output)
    pair = (x, labels if labels is not None else np.zeros(len(x)))
    x, labels = feeding.examples(entrance, pair, part)
    low, high = x.min(), x.max()
    if low < 0 or high > 1:
        raise BadData(
            f"{part}: pictures must have values from 0 to 1, as the generator's have; these go "
            f"from {low:g} to {high:g}. x / 255 brings bytes there."
        )
    if model.classes is None:
        return (x,)
    return x, feeding.class_labels(labels, model.classes, part)


@dataclass
class _Jury:
    """Real pictures, and latents for as many samples, that judge the generator in each epoch."""

    model: GAN
    real: np.ndarray
    labels: np.ndarray | None
    latents: np.ndarray
    held_out: bool
    features: Callable | None

    @classmethod
    def drawn(
        cls,
        model: GAN,
        train: tuple[np.ndarray, ...],
        held_out: tuple[np.ndarray, ...] | None,
        features: Callable | None,
        seed: int,
    ) -> _Jury:
        # How varied samples should be, training pictures tell as well.
        x, *labels = held_out or train
        chosen = np.random.default_rng(seed).permutation(len(x))[:JUDGED]
        return cls(
            model,
            x[chosen],
            labels[0][chosen] if labels else None,
            latents(model, len(chosen), seed + 1),
            held_out is not None,
            features,
        )

    def verdict(self) -> dict[str, float]:
        """Return the numbers that join the curves."""
        made = pictures(self.model, self.latents, self.labels)
        judge: dict[str, Any] = {
            "real_labels": self.labels,
            "generated_labels": self.labels,
            "features": self.features,
        }
        alike = samples.collapse(self.real, made, **judge)
        row = {"spread": alike["spread"].min(), "duplicates": alike["duplicates"].max()}
        if self.held_out:
            table = samples.precision_recall(self.real, made, **judge)
            row |= table[["precision", "recall", "coverage"]].mean().to_dict()
        return row


def _collapse(curves: pd.DataFrame) -> str:
    """Return what to say about a training that ends with samples all alike; "" if it does not."""
    collapsed = samples.all_alike(curves["spread"], curves["duplicates"])
    if not collapsed.iloc[-1]:
        return ""
    varied = curves.index[~collapsed]
    since = varied[-1] + 1 if len(varied) else curves.index[0]
    last = curves.iloc[-1]
    return (
        f"The samples are nearly all alike from epoch {since} on (mode collapse). At the end "
        f"their spread is {last['spread']:.2f} of real pictures', and {last['duplicates']:.0%} are "
        "duplicates, in the worst class. Try loss='wasserstein', a smaller learning_rate, or "
        "dropout in the discriminator; more epochs if it has only begun."
    )
