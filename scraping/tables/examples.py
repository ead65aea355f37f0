"""A table as a data set that `tfds.load` and `tfds.builder_from_directory` read."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scraping.errors import Misuse, printable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")
VERSION = re.compile(r"[0-9]{1,6}\.[0-9]{1,6}\.[0-9]{1,6}")
SPLIT = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,99}")
LEFT_OUT = ("_fetched", "_offset")  # they say where a row lies in an archive that stays here
CHANNELS = {"1": 1, "L": 1, "I;16": 1, "I": 1, "P": 3, "RGB": 3, "CMYK": 3, "LA": 4, "RGBA": 4}
MISSING = (
    'Missing values: "" in text and dates, NaN in numbers (whole numbers with gaps are kept as '
    "decimals), -1 in yes/no columns with gaps."
)


@dataclass(frozen=True)
class _Column:
    """One column as tfds holds it: its feature, and how a value becomes an example's."""

    feature: Any
    value: Any


def tfds(
    table: pd.DataFrame,
    folder: str | Path,
    name: str,
    *,
    label: str | None = None,
    split: str | Mapping[str, Any] | None = None,
    seed: int = 0,
    version: str = "1.0.0",
    description: str = "",
    homepage: str = "",
    licence: str = "",
    citation: str = "",
    overwrite: bool = False,
) -> Path:
    """Write a table as a TensorFlow data set and return its folder, `folder/name/version`.

    It is read with `tfds.load(name, data_dir=folder)` or `tfds.builder_from_directory(path)`.

    Args:
        table: Columns of pictures (PNG, JPEG; others are made PNG) become Image features, of one
            shape or of any; text, dates and times Text; numbers and yes/no scalars; lists
            Sequences; other bytes Text. `_url` stays, the archive's other columns do not.
        folder: Where data sets are; made if it is missing.
        name: In small letters, digits and underscores, beginning with a letter.
        label: The column that becomes a ClassLabel, its values in alphabetical order. With one
            other column than `_url`, `as_supervised=True` works.
        split: None for all in "train"; a column whose values name the splits; fractions, such as
            {"train": 0.8, "test": 0.2}; or for each split which rows (True or False each).
        seed: Of the shuffle behind fractions.
        version: Three numbers.
        description, homepage, licence, citation: What tfds tells of the data set.
        overwrite: Replace an earlier data set of this name and version.

    tfds has no missing values: text gets "", numbers NaN (whole numbers with gaps become decimals),
    yes/no with gaps -1, 0 or 1; a missing label or picture is an error.

    Raises:
        Misuse: A name that tfds does not take, a missing label or picture, a picture that does not
            open, an empty split, a folder that is there already.
    """
    folder = Path(folder)
    if not NAME.fullmatch(name) or len(name) > 100:
        raise Misuse(
            f"{name!r} is no name for a data set: small letters, digits and single underscores, "
            "beginning with a letter, such as my_icons."
        )
    if not VERSION.fullmatch(version):
        raise Misuse(f"{version!r} is no version: three numbers, such as 1.0.0.")
    target = folder / name / version
    _check_free(target, overwrite)
    splits, used = _splits(table, split, seed)
    names = [column for column in table.columns if column not in (used, *LEFT_OUT)]
    if label is not None and label not in names:
        raise Misuse(f"There is no column {label!r}; there are {', '.join(map(str, names))}.")
    if bad := [column for column in names if not isinstance(column, str) or "/" in column]:
        raise Misuse(f"The column name {bad[0]!r} has a slash or is no text; rename it.")
    if not names:
        raise Misuse("The table has no column to write.")
    columns = {column: _column(table[column], column == label) for column in names}
    inputs = [column for column in names if column not in (label, "_url")]
    supervised = (inputs[0], label) if label is not None and len(inputs) == 1 else None

    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{name}.{os.getpid()}"
    try:
        made = _build(
            aside,
            name,
            version,
            {part: partial(_examples, table, columns, rows) for part, rows in splits.items()},
            {column: made.feature for column, made in columns.items()},
            {
                "description": f"{description}\n\n{MISSING}".strip(),
                "homepage": homepage or None,
                "license": licence or None,
                "citation": citation or None,
                "supervised_keys": supervised,
            },
        )
        target.parent.mkdir(exist_ok=True)
        _swap(made, target, aside / "replaced")
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _check_free(target: Path, overwrite: bool) -> None:
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise Misuse(f"{printable(target)} is there already; choose another version or overwrite.")
    if target.is_symlink() or not (target / "dataset_info.json").is_file():
        raise Misuse(f"{printable(target)} is no data set of tfds; it stays as it is.")


def _swap(made: Path, target: Path, replaced: Path) -> None:
    """Put a folder in place; the one that was there is back if that fails."""
    if target.exists():
        target.rename(replaced)
    try:
        made.rename(target)
    except OSError:
        if replaced.exists():
            replaced.rename(target)
        raise


def _build(
    aside: Path,
    name: str,
    version: str,
    splits: dict[str, Any],
    features: dict[str, Any],
    told: dict[str, Any],
) -> Path:
    """Have tfds write a data set below `aside`; nothing is printed and the network is not used."""
    import tensorflow_datasets
    from tensorflow_datasets.core.utils import tqdm_utils

    class Builder(tensorflow_datasets.dataset_builders.AdhocBuilder, skip_registration=True):
        """One that also tells the licence and which columns `as_supervised` gives."""

        def _info(self) -> Any:
            return tensorflow_datasets.core.DatasetInfo(
                builder=self, features=self._feature_spec, **told
            )

    bars = tqdm_utils._active
    tensorflow_datasets.disable_progress_bar()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            builder = Builder(
                name=name,
                version=version,
                features=tensorflow_datasets.features.FeaturesDict(features),
                split_datasets={part: rows() for part, rows in splits.items()},
                data_dir=aside,
            )
            config = tensorflow_datasets.download.DownloadConfig(try_download_gcs=False)
            # As tfds declares it to type checkers, a decorated method has lost its `self`.
            builder.download_and_prepare(download_config=config)  # ty: ignore[missing-argument]
    finally:
        tqdm_utils._active = bars
    # tfds leaves it to the system when its files reach the disk.
    for path in Path(builder.data_dir).iterdir():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    return Path(builder.data_dir)


def _examples(
    table: pd.DataFrame, columns: dict[str, _Column], rows: np.ndarray
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The rows of one split: number and example. A picture is opened here, one at a time."""
    series = {name: table[name] for name in columns}
    for row in rows.nonzero()[0].tolist():
        example = {}
        for name, column in columns.items():
            try:
                example[name] = column.value(series[name].iloc[row])
            except (ValueError, OSError) as fault:
                raise Misuse(
                    f"row {row:,}, column {printable(name)}: {fault}\n"
                    "Leave such rows out first: table[table[column].notna()] or the like."
                ) from fault
        yield row, example


def _splits(table: pd.DataFrame, split: Any, seed: int) -> tuple[dict[str, np.ndarray], str | None]:
    """Which rows each split has, and the column that said so."""
    import numpy as np

    used = None
    if split is None:
        splits = {"train": np.ones(len(table), dtype=bool)}
    elif isinstance(split, str):
        if split not in table.columns:
            listed = ", ".join(map(str, table.columns))
            raise Misuse(f"There is no column {split!r} to split by; there are {listed}.")
        used = split
        if table[split].isna().any():
            raise Misuse(f"Some rows have no {split!r}, which names their split.")
        values = table[split].astype(str).to_numpy(dtype=object)
        splits = {value: values == value for value in sorted(set(values))}
    elif all(isinstance(part, (int, float)) for part in split.values()):
        splits = _fractions(len(table), split, seed)
    else:
        splits = {part: np.asarray(rows, dtype=bool) for part, rows in split.items()}
        for part, rows in splits.items():
            if rows.shape != (len(table),):
                raise Misuse(f"Split {part!r} tells of {rows.size:,} rows, not {len(table):,}.")
    for part in splits:
        if not SPLIT.fullmatch(part) or part == "all":
            raise Misuse(f"{part!r} is no name for a split: letters, digits and underscores.")
    if empty := [part for part, rows in splits.items() if not rows.any()]:
        raise Misuse(f"Split {empty[0]!r} has no rows; tfds cannot write an empty one.")
    if splits and (np.sum(list(splits.values()), axis=0) > 1).any():
        raise Misuse("Some rows are in several splits.")
    if not splits:
        raise Misuse("The table has no rows to split.")
    return splits, used


def _fractions(rows: int, split: Mapping[str, float], seed: int) -> dict[str, np.ndarray]:
    import numpy as np

    if any(part <= 0 for part in split.values()) or abs(sum(split.values()) - 1) > 1e-6:
        raise Misuse(f"The fractions {dict(split)} are not all above 0 and 1 together.")
    order = np.random.default_rng(seed).permutation(rows)
    ends = np.rint(np.cumsum(list(split.values())) * rows).astype(int)
    splits = {}
    for part, start, end in zip(split, [0, *ends[:-1]], ends, strict=True):
        splits[part] = np.zeros(rows, dtype=bool)
        splits[part][order[start:end]] = True
    return splits


def _column(column: pd.Series, is_label: bool) -> _Column:
    """How tfds holds a column."""
    import numpy as np
    import pandas as pd
    from tensorflow_datasets import features

    there = column.dropna()
    gaps = len(there) < len(column)
    if is_label:
        return _label(column, there, gaps)
    if pd.api.types.is_bool_dtype(column.dtype):
        if gaps:
            return _Column(
                features.Scalar(np.int64), lambda value: -1 if _na(value) else int(value)
            )
        return _Column(features.Scalar(np.bool_), bool)
    if pd.api.types.is_integer_dtype(column.dtype) and not gaps:
        return _Column(features.Scalar(np.int64), int)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _Column(
            features.Scalar(np.float64), lambda value: float("nan") if _na(value) else float(value)
        )
    first = there.iloc[0] if len(there) else ""
    if isinstance(first, bytes):
        return _pictures(there, gaps) or _Column(features.Text(), lambda v: b"" if _na(v) else v)
    if isinstance(first, (list, tuple, np.ndarray)):
        return _sequence(there)
    return _Column(features.Text(), _text)


def _na(value: Any) -> bool:
    import pandas as pd

    return bool(pd.isna(value))


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if _na(value):
        return ""
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _label(column: pd.Series, there: pd.Series, gaps: bool) -> _Column:
    from tensorflow_datasets import features

    if gaps:
        number = int(column.isna().to_numpy().argmax())
        raise Misuse(f"Row {number:,} has no {column.name!r}, the label; leave such rows out.")
    # tfds keeps names one a line, stripped, and forgets empty ones.
    names = {value: printable(" ".join(str(value).split()), 200) for value in set(there)}
    if len(set(names.values())) < len(names) or "" in names.values():
        raise Misuse(f"Labels in {column.name!r} are empty or differ by blanks alone.")
    ordered = sorted(names.values()) if isinstance(there.iloc[0], str) else _in_order(names)
    numbers = {value: ordered.index(name) for value, name in names.items()}
    return _Column(features.ClassLabel(names=ordered), numbers.__getitem__)


def _in_order(names: dict[Any, str]) -> list[str]:
    """Names of numbers, as numbers go: 2 before 10."""
    return [names[value] for value in sorted(names)]


def _sequence(there: pd.Series) -> _Column:
    import numpy as np
    from tensorflow_datasets import features

    items = [item for value in there for item in value]
    of_text = all(isinstance(item, str) for item in items)
    whole = all(isinstance(item, (int, np.integer)) for item in items)
    kind = features.Text() if of_text else features.Scalar(np.int64 if whole else np.float64)
    convert = str if of_text else int if whole else float

    def taken(value: Any) -> list[Any]:
        return [convert(item) for item in value] if hasattr(value, "__len__") else []

    return _Column(features.Sequence(kind), taken)


def _pictures(there: pd.Series, gaps: bool) -> _Column | None:
    """Pictures as they are; None if the bytes are something else."""
    import numpy as np
    from tensorflow_datasets import features

    shapes, formats, modes = set(), set(), set()
    for number, data in enumerate(there):
        seen = _header(data)
        if seen is None and not number:
            return None
        if seen is None:
            raise Misuse(f"Picture {number:,} of column {there.name!r} is none that can be opened.")
        size, format_, mode = seen
        shapes.add(size)
        formats.add(format_ if format_ in ("PNG", "JPEG") else "PNG")
        modes.add(mode)
    if gaps:
        raise Misuse(f"Column {there.name!r} has rows without a picture; leave these out.")
    channels = max(CHANNELS.get(mode, 3) for mode in modes)
    if formats != {"PNG"}:
        channels = min(channels, 3)  # JPEG has no alpha channel
    width, height = shapes.pop() if len(shapes) == 1 else (None, None)
    deep = all(mode.startswith("I") for mode in modes) and formats == {"PNG"}
    feature = features.Image(
        shape=(height, width, channels),
        dtype=np.uint16 if deep else np.uint8,
        encoding_format=formats.pop().lower() if len(formats) == 1 else None,
    )
    return _Column(feature, _picture)


def _header(data: Any) -> tuple[tuple[int, int], str, str] | None:
    """A picture's size (width, height), format and mode, from its first bytes."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            return image.size, image.format or "", image.mode
    except (OSError, ValueError, TypeError, SyntaxError, Image.DecompressionBombError):
        return None


def _picture(data: bytes) -> bytes:
    """The picture's bytes if all of it opens; another format than PNG or JPEG as PNG."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            if image.format in ("PNG", "JPEG"):
                return data
            made = io.BytesIO()
            image.save(made, "PNG")
            return made.getvalue()
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ValueError(f"a picture that does not open: {error}") from error
