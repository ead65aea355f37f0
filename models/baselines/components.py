"""Principal components: what a linear autoencoder finds, and so what others have to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.baselines import examples
from models.errors import BadData, BadOption


@dataclass
class Components:
    """Fitted principal components of examples of one shape.

    Attributes:
        mean: (features,) of the training examples.
        components: (k, features) orthonormal directions, the one of most variance first.
        explained: (k,) share of the variance along each.
        shape: of one example.
    """

    mean: np.ndarray
    components: np.ndarray
    explained: np.ndarray
    shape: tuple[int, ...]
    name: str = "pca"

    def encode(self, x: Any) -> np.ndarray:
        """Return codes (n, k): how far the (n, …) examples lie along each component."""
        return (self._vectors(x) - self.mean) @ self.components.T

    def decode(self, codes: Any) -> np.ndarray:
        """Return the examples (n, …) that codes (n, k) stand for."""
        given = np.asarray(codes)
        if given.ndim != 2 or given.shape[1] != len(self.components):
            raise BadData(
                f"Codes must be (n, {len(self.components)}), one number a component; got shape "
                f"{given.shape}."
            )
        return (given @ self.components + self.mean).reshape(-1, *self.shape)

    def predict(self, x: Any) -> np.ndarray:
        """Return the (n, …) examples as the components show them: encoded and decoded."""
        return self.decode(self.encode(x))

    def anomaly_score(self, x: Any) -> np.ndarray:
        """Return the mean squared error (n,) of each example's reconstruction."""
        return np.square(self._vectors(x) - self._vectors(self.predict(x))).mean(axis=1)

    def _vectors(self, x: Any) -> np.ndarray:
        array = np.asarray(x, dtype=np.float64)
        if array.shape[1:] != self.shape or not array.ndim:
            raise BadData(
                f"The components are of examples (n, {', '.join(map(str, self.shape))}); got shape "
                f"{array.shape}."
            )
        return array.reshape(len(array), len(self.mean))


def pca(x_train: Any, components: int | float = 0.9) -> Components:
    """Return the principal components of the training examples.

    The best linear encoding there is, by squared error: no linear autoencoder with as many units
    does better on the training examples.

    Args:
        x_train: (n, …) numbers. Features of different units should be brought to one scale first.
        components: how many; or the share of the variance to explain, below 1, by as few as do.

    Source: Bishop, Pattern Recognition and Machine Learning (2006), section 12.1.
    """
    from sklearn.decomposition import PCA

    x = examples.vectors(x_train).astype(np.float64)
    examples.finite(x)
    most = min(x.shape)
    works = not isinstance(components, bool) and isinstance(components, int | float | np.integer)
    share = isinstance(components, float)
    if not works or not (0 < components < 1 if share else components in range(1, most + 1)):
        raise BadOption(
            f"components must be a whole number from 1 to {most}, for {x.shape[0]} examples of "
            f"{x.shape[1]} numbers, or a share of the variance such as 0.9, not {components!r}."
        )
    # The full solver: the randomised one, which is chosen for large data, would need a seed.
    wanted = components if share else int(components)
    fitted = PCA(wanted, svd_solver="full").fit(x)
    return Components(
        fitted.mean_, fitted.components_, fitted.explained_variance_ratio_, np.shape(x_train)[1:]
    )
