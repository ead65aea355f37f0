"""Random examples for a network of any sizes."""

import numpy as np


def some(sizes, n=6, seed=1):
    """A few random examples, each of one class."""
    random = np.random.default_rng(seed)
    return random.standard_normal((n, sizes[0])), random.integers(0, sizes[-1], n)
