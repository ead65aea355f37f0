"""A data set of tensorflow_datasets as a table, for projects that scrape nothing.

tensorflow_datasets and TensorFlow are imported only when one is asked for: that takes seconds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scraping.errors import FetchFailed, Misuse, printable
from scraping.lent import current
from scraping.outcomes import Kind

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "datasets"  # within the archive
# A name, perhaps a configuration, perhaps a version. Names with a namespace before them stand for
# code that would be fetched and run: not here.
NAME = re.compile(r"[a-z][a-z0-9_]*(?:/[A-Za-z0-9_.+-]+)?(?::[0-9*]+\.[0-9*]+\.[0-9*]+)?")
PNG = b"\x89PNG\r\n\x1a\n"


def dataset(name: str, *, split: str = "train", folder: str | Path | None = None) -> pd.DataFrame:
    """One split of a data set as a table, a row for each example.

        digits = dataset("mnist", split="test")
        birds = dataset("birds", folder=local("birds/dataset_info.json").parent.parent)

    Images are PNG bytes, class labels their names, texts decoded, numbers plain; sequences and
    tensors are lists; a feature within another has a dot in its name. What is unlabelled is None.

    Args:
        name: As in the catalogue, perhaps with configuration and version: "name/config:1.0.0".
        split: "train", "test[:10%]" and the like.
        folder: Where the data set lies, or is to lie: a folder of data sets, or that of one
            version. Lent by the run inside a project; else that of the library.

    Raises:
        Misuse: No such data set or split; or tensorflow_datasets is not installed.
        FetchFailed: It is not there yet and cannot be had.
    """
    if not NAME.fullmatch(name):
        raise Misuse(f"dataset({printable(name)!r}): a name is such as mnist or name/config:1.0.0.")
    try:
        import pandas as pd
        import tensorflow_datasets as tfds
    except ImportError as fault:
        raise Misuse(
            f"dataset({name!r}) needs tensorflow_datasets, and {fault.name} is missing.\n"
            "Next: pip install tensorflow-datasets"
        ) from None
    lent = current.get()
    if folder is None and lent is not None:
        folder = lent.archive / FOLDER
    builder = _builder(tfds, name, None if folder is None else Path(folder))
    try:
        examples = builder.as_dataset(split=split, decoders=_undecoded(tfds, builder.info.features))
    except (ValueError, KeyError, AssertionError) as fault:
        known = ", ".join(builder.info.splits)
        raise Misuse(
            f"dataset({name!r}, split={printable(split)!r}): there is {printable(known)} "
            f"({printable(str(fault).partition(chr(10))[0], 120)})."
        ) from None
    plain = _plain(tfds, builder.info.features)
    rows = [_flat(plain(example)) for example in tfds.as_numpy(examples)]
    return pd.DataFrame(rows)


def _builder(tfds: Any, name: str, folder: Path | None) -> Any:
    """The data set, on the disk: from the folder if it is there, else fetched by the library."""
    if folder is not None and (folder / "dataset_info.json").is_file():
        return tfds.builder_from_directory(folder)
    try:
        # What is there already needs neither the library's own recipe for it nor the network.
        return tfds.core.read_only_builder.builder_from_files(name, data_dir=folder)
    except tfds.core.DatasetNotFoundError:
        pass
    try:
        builder = tfds.builder(name, data_dir=folder)
        builder.download_and_prepare()
    except tfds.core.DatasetNotFoundError as fault:
        raise Misuse(
            f"dataset({name!r}): there is no such data set in {printable(folder or 'the library')} "
            f"nor in the catalogue ({printable(str(fault).partition(chr(10))[0], 200)})."
        ) from None
    except OSError as fault:
        raise FetchFailed(name, printable(fault, 200), retry=True, kind=Kind.UNREACHABLE) from fault
    return builder


def _undecoded(tfds: Any, feature: Any) -> Any:
    """Decoders that leave every image in the bytes it was stored as."""
    if isinstance(feature, tfds.features.FeaturesDict):
        found = {key: _undecoded(tfds, inner) for key, inner in feature.items()}
        return {key: decoder for key, decoder in found.items() if decoder} or None
    return tfds.decode.SkipDecoding() if type(feature) is tfds.features.Image else None


def _plain(tfds: Any, feature: Any) -> Callable[[Any], Any]:
    """The function that makes plain values of a feature's."""
    if isinstance(feature, tfds.features.FeaturesDict):
        inner = {key: _plain(tfds, feature[key]) for key in sorted(feature)}  # they have no order
        return lambda value: {key: make(value[key]) for key, make in inner.items()}
    if type(feature) is tfds.features.Image:
        return _png
    if isinstance(feature, tfds.features.ClassLabel):
        return lambda label: feature.int2str(int(label)) if label >= 0 else None
    return _value


def _value(value: Any) -> Any:
    """A number, a text, bytes that are no text, or a list of such."""
    if isinstance(value, dict):
        return {key: _value(inner) for key, inner in value.items()}
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list):
        return [_value(inner) for inner in value]
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value
    return value


def _png(stored: bytes) -> bytes:
    """An image as PNG, whatever it was stored as."""
    if stored.startswith(PNG):
        return stored
    from PIL import Image

    made = io.BytesIO()
    Image.open(io.BytesIO(stored)).save(made, "PNG")
    return made.getvalue()


def _flat(row: dict[str, Any], before: str = "") -> dict[str, Any]:
    """A row without dictionaries in it: dots in the names instead."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat
