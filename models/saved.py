"""A network from scratch on disk: one npz that ends in the SHA-256 of all before it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ModelError

FORMAT = 1
DIGEST = 64  # bytes: hexadecimal, in the comment that a zip file may end in


def write(path: Path, about: Mapping[str, Any], theta: np.ndarray) -> None:
    """Write a network's description, plain values only, and its weights as one vector.

    Equal networks give equal bytes. A full disk or a kill at any moment leaves an earlier file
    whole.
    """
    buffer = io.BytesIO()
    header = json.dumps({"format": FORMAT, **about})
    np.savez(buffer, about=np.array(header), theta=theta)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = bytes(DIGEST)  # room for the digest
    content = buffer.getvalue()[:-DIGEST]
    aside = path.with_name(f"{path.name}.part")
    try:
        with aside.open("wb") as file:
            file.write(content + hashlib.sha256(content).hexdigest().encode())
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read(path: Path) -> tuple[dict[str, Any], np.ndarray]:
    """Return description and weights as `write` took them.

    Raises:
        ModelError: the file is damaged, foreign, or of a later format; it stays as it is.
    """
    content = path.read_bytes()
    # Only what this module wrote is opened at all, and never with pickle.
    if hashlib.sha256(content[:-DIGEST]).hexdigest().encode() != content[-DIGEST:]:
        raise ModelError(
            f"{path} is damaged, or was not written by Network.save: its SHA-256 is not the one "
            "recorded in it. Take it from a copy, or train again."
        )
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        about, theta = json.loads(str(arrays["about"])), arrays["theta"]
    if (received := about.pop("format")) != FORMAT:
        raise ModelError(f"{path} has format {received}; this version of Folio reads {FORMAT}.")
    return about, theta
