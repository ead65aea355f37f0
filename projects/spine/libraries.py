"""Versions of installed libraries by the name they are imported under, without importing them."""

from __future__ import annotations

import functools
import json
import os
import sysconfig
from pathlib import Path

from projects.spine.cache import Cache


def version(name: str, cache: Cache) -> str:
    """Return the version of the library that `import name` gives, or "not installed".

    Remembered while the environment's package folder is unchanged: installing anything changes it.
    """
    site = _packages()
    # A folder has one stamp for everything in it, so one answer holds all names.
    known = cache.of_file("versions", site) or {}
    if name not in known:
        known = {**known, name: _look_up(name)}
        cache.keep("versions", site, known)
    return known[name]


@functools.cache
def _packages() -> Path:
    """Return the environment's package folder; asking takes a quarter of a millisecond."""
    return Path(sysconfig.get_paths()["purelib"])


def _look_up(name: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
    owners = importlib.metadata.packages_distributions().get(name)
    if not owners:
        return "not installed"
    return ", ".join(sorted({importlib.metadata.version(owner) for owner in owners}))


def backend() -> str:
    """Return the Keras backend as Keras would choose it: the variable, its file, TensorFlow."""
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen
    home = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
    try:
        return json.loads((home / "keras.json").read_text("utf-8"))["backend"]
    except (OSError, ValueError, KeyError, TypeError):
        return "tensorflow"
