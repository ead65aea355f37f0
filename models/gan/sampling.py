"""Pictures from a GAN's average generator: drawn at random, or from latents one chooses.

The latents are NumPy's, so the same seed gives the same ones whatever the backend.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from models import feeding, options
from models.errors import BadData

if TYPE_CHECKING:
    from models.gan.adversarial import GAN


def latents(model: GAN, n: int, seed: int | None = None) -> np.ndarray:
    """Return n latents (n, noise) of float32, normally distributed, the same for the same seed."""
    shape = (options.whole("n", n), model.noise)
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def pictures(model: GAN, latents: Any, labels: Any = None) -> np.ndarray:
    """Return the average generator's pictures (n, height, width, channels), from 0 to 1.

    Args:
        model: what `build` returned, trained.
        latents: (n, noise), from `latents`, or points between two of them.
        labels: class numbers (n,), or one for all, for a conditional network only.
    """
    given = np.asarray(latents, dtype=np.float32)
    if given.ndim != 2 or given.shape[1] != model.noise:
        raise BadData(f"latents must be of shape (n, {model.noise}), not {given.shape}.")
    if model.classes is None:
        if labels is not None:
            raise BadData("This network was built without classes and takes no labels.")
        return _generated(model, given)
    if labels is None:
        raise BadData(f"labels are missing: this network knows {model.classes} classes.")
    asked = np.asarray(labels)
    if asked.ndim > 1 or asked.size not in (1, len(given)):
        raise BadData(f"labels must be one, or {len(given)} of them; got shape {asked.shape}.")
    asked = np.broadcast_to(asked, len(given))
    asked = feeding.class_labels(asked, model.classes, "labels")[:, None]
    return _generated(model, given, asked)


def _generated(model: GAN, *inputs: np.ndarray) -> np.ndarray:
    """Return the average generator's pictures, a batch at a time.

    `predict` would build a data set first, which takes longer than the pictures: a training
    draws some after every epoch.
    """
    size = feeding.EVALUATION_BATCH
    parts = []
    for first in range(0, len(inputs[0]), size):
        batch = [array[first : first + size] for array in inputs]
        parts.append(model.average.predict_on_batch(batch if len(batch) > 1 else batch[0]))
    return np.concatenate(parts)


def sample(model: GAN, n: int = 16, labels: Any = None, *, seed: int | None = None) -> np.ndarray:
    """Return n new pictures (n, height, width, channels), from 0 to 1.

    Args:
        model: what `build` returned, trained.
        n: how many.
        labels: class numbers (n,), or one for all, for a conditional network only.
        seed: of the latents; None draws others each time.
    """
    return pictures(model, latents(model, n, seed), labels)
