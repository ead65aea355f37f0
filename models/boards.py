"""Curves for TensorBoard, where it is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from models.errors import BadOption


def callbacks(asked: str | Path | None, borrowed: Path | None, name: str) -> list[Any]:
    """Return the Keras callbacks that write a training's curves as TensorBoard reads them.

    Args:
        asked: the folder that the user named, in which TensorBoard then has to be installed.
        borrowed: the folder that a project lends, which is used if it is.
        name: of the training; it becomes a folder, so that trainings are shown side by side.

    Raises:
        BadOption: a folder was named and TensorBoard is not installed.
    """
    folder = asked or borrowed
    if folder is None:
        return []
    if importlib.util.find_spec("tensorboard") is None:
        if asked is None:
            return []
        raise BadOption(
            f"logs={str(asked)!r} needs TensorBoard, which is not installed. "
            "`python -m pip install tensorboard` brings it; without logs= nothing is written."
        )
    import keras

    return [keras.callbacks.TensorBoard(Path(folder) / name, write_graph=False)]
