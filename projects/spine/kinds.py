"""How each kind of value becomes files; `reader` brings it back. Never pickle.

DataFrame → Parquet · array or scratch network → npz · Keras model → .keras · numbers and text →
JSON · figure → SVG (light and dark) and its data · picture → WebP · network for the page → JSON
and its weights · pages → a list into the archive · dict, list, tuple and dataclass of these → one
file a field.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from projects.spine.errors import UnsupportedValue, printable
from projects.spine.source import PACKAGES

KINDS = (
    "a DataFrame or Series, a NumPy array, a Keras model, a scratch network, a number, text, "
    "True/False, a figure or sheet of blog.figures, a PIL image, the pages of crawl(), "
    "a network for the page (models.live), "
    "or a dict, list, tuple or dataclass of these"
)
WHEN_AND_WHERE = ("_fetched", "_offset")  # when a row's page was fetched, where it is archived
DRAWN = "drawn"  # what a picture is in a few words
SCALARS = (str, bool, int, float, type(None))


@dataclass(frozen=True)
class Rows:
    """What a `page` step gave: its rows, those it rejected, and the pages behind both."""

    frame: Any  # DataFrame, with _url, _fetched, _offset
    rejected: Any  # DataFrame, with _reason as well
    pages: list[list[str]]  # [url, digest] of every page read


@dataclass(frozen=True)
class Streamed:
    """The same on its way into the store: Parquet files, which it takes over, and their rows."""

    frame: Path
    frame_rows: int
    rejected: Path
    rejected_rows: int
    pages: list[list[str]]


def _loaded(value: Any, *classes: str) -> bool:
    """Tell whether a value is of a class named "module:Name", without importing the module."""
    for name in classes:
        module, _, attribute = name.partition(":")
        known = getattr(sys.modules.get(module), attribute, None)
        if known is not None and isinstance(value, known):
            return True
    return False


def is_plain(value: Any) -> bool:
    """Tell whether JSON holds a value as it is."""
    if isinstance(value, list):
        return all(is_plain(v) for v in value)
    if isinstance(value, dict):
        return all(isinstance(k, str) for k in value) and all(is_plain(v) for v in value.values())
    return isinstance(value, SCALARS)


def as_plain(value: Any) -> Any:
    """Return a value with NumPy's scalars as Python's own."""
    if _loaded(value, "numpy:generic"):
        return value.item()
    if type(value) is list:
        return [as_plain(v) for v in value]
    if type(value) is dict:
        return {as_plain(k): as_plain(v) for k, v in value.items()}
    return value


class Writer:
    """Writes one value into a folder that nothing else uses."""

    def __init__(self, folder: Path, archive: Path, where: str) -> None:
        self.folder = folder
        self.archive = archive
        self.where = where
        self.meanings: dict[str, str] = {}
        self.parameters: dict[str, int] = {}

    def write(self, value: Any, name: str) -> dict[str, Any]:
        """Write a value under `name` and return the node that describes it."""
        value = as_plain(value)
        if is_plain(value):
            return self._json(value, name)
        if isinstance(value, Streamed):
            return self._rows(value, name)
        for classes, kind in self._kinds():
            if _loaded(value, *classes):
                return kind(value, name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
            made_by = f"{type(value).__module__}:{type(value).__qualname__}"
            self._check_class(type(value), made_by)
            return self._fields(fields, name, {"type": "dataclass", "class": made_by})
        if isinstance(value, dict):
            if bad := [k for k in value if type(k) not in (str, int)]:
                raise UnsupportedValue(
                    f"{self.where} returned a dict with the key {bad[0]!r} at {name}; "
                    "keys are text or whole numbers."
                )
            return self._fields(value, name, {"type": "dict"})
        if isinstance(value, list | tuple):
            kind = "list" if isinstance(value, list) else "tuple"
            return self._fields(dict(enumerate(value)), name, {"type": kind})
        raise UnsupportedValue(
            f"{self.where} returned {_describe(value)} at {name}, which Folio has no way to keep. "
            f"A step may return {KINDS}."
        )

    def _check_class(self, made: Any, made_by: str) -> None:
        """Raise where a dataclass could be written but never made again."""
        ours = made_by.partition(".")[0] in PACKAGES
        if not ours or "<locals>" in made_by or any(not f.init for f in dataclasses.fields(made)):
            raise UnsupportedValue(
                f"{self.where} returned a {made.__qualname__}, which could not be made again: a "
                "dataclass must stand at the top of project.py or of a module of this repository, "
                "and take all its fields. A dict works everywhere."
            )

    def _kinds(self) -> list[tuple[tuple[str, ...], Callable[[Any, str], dict[str, Any]]]]:
        return [
            (("pandas:DataFrame", "pandas:Series"), self._table),
            (("numpy:ndarray",), self._array),
            (("keras:Model",), self._network),
            (("models.scratch:Network",), self._scratch),
            (("blog.figures:Figure",), self._figure),
            (("blog.figures:Sheet",), self._sheet),
            (("models.live:Live",), self._live),
            (("PIL.Image:Image",), self._picture),
            (("scraping.pages:Pages",), self._pages),
        ]

    def _json(self, value: Any, name: str) -> dict[str, Any]:
        file = f"{name}.json"
        (self.folder / file).write_text(json.dumps(value, ensure_ascii=False), "utf-8")
        return {"kind": "json", "file": file}

    def _table(self, value: Any, name: str) -> dict[str, Any]:
        file = f"{name}.parquet"
        series = _loaded(value, "pandas:Series")
        frame = value.to_frame("value" if value.name is None else value.name) if series else value
        frame.to_parquet(self.folder / file)
        told = [column for column in WHEN_AND_WHERE if column in frame.columns]
        if told:
            # The same rows fetched again on another day are the same rows.
            content = frame.drop(columns=told).to_parquet()
            self.meanings[file] = hashlib.sha256(content).hexdigest()
        return {
            "kind": "series" if series else "table",
            "file": file,
            "rows": len(frame),
            **({"unnamed": True} if series and value.name is None else {}),
        }

    def _rows(self, value: Streamed, name: str) -> dict[str, Any]:
        from projects.spine.meaning import meaning_of

        files = {f"{name}.parquet": value.frame, f"{name}.rejected.parquet": value.rejected}
        for file, path in files.items():
            path.replace(self.folder / file)
            # The same rows fetched again on another day are the same rows.
            self.meanings[file] = meaning_of(self.folder / file, without=WHEN_AND_WHERE)
        return {
            "kind": "rows",
            "file": f"{name}.parquet",
            "rows": value.frame_rows,
            "rejected": f"{name}.rejected.parquet",
            "rejected_rows": value.rejected_rows,
            "pages": self._json(value.pages, f"{name}.pages")["file"],
        }

    def _array(self, value: Any, name: str) -> dict[str, Any]:
        import numpy

        if value.dtype.hasobject:
            raise UnsupportedValue(
                f"{self.where} returned an array of Python objects at {name}; "
                "give it a number or text dtype (array.astype(…)), or return a DataFrame."
            )
        file = f"{name}.npz"
        buffer = io.BytesIO()
        whole = numpy.asarray(value, order="C")
        numpy.lib.format.write_array(buffer, whole, allow_pickle=False)
        with zipfile.ZipFile(self.folder / file, "w", zipfile.ZIP_DEFLATED) as packed:
            # A fixed date: the same array gives the same bytes.
            entry = zipfile.ZipInfo("value.npy", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            packed.writestr(entry, buffer.getvalue(), compresslevel=1)
        return {
            "kind": "array",
            "file": file,
            "shape": list(value.shape),
            "dtype": str(value.dtype),
        }

    def _network(self, value: Any, name: str) -> dict[str, Any]:
        file = f"{name}.keras"
        value.save(self.folder / file)
        meaning = hashlib.sha256(value.to_json().encode())
        for weights in value.get_weights():
            meaning.update(str((weights.shape, weights.dtype)).encode())
            meaning.update(weights.tobytes())
        self.meanings[file] = meaning.hexdigest()
        self.parameters[name] = int(value.count_params())
        return {"kind": "network", "file": file}

    def _scratch(self, value: Any, name: str) -> dict[str, Any]:
        file = f"{name}.npz"
        value.save(self.folder / file)
        self.parameters[name] = value.count_params()
        return {"kind": "scratch", "file": file}

    def _figure(self, value: Any, name: str) -> dict[str, Any]:
        files = {"light": f"{name}.light.svg", "dark": f"{name}.dark.svg", "data": f"{name}.csv"}
        (self.folder / files["light"]).write_text(value.light, "utf-8", newline="\n")
        (self.folder / files["dark"]).write_text(value.dark, "utf-8", newline="\n")
        value.data.to_csv(self.folder / files["data"], lineterminator="\n")
        return {"kind": "figure", **files, "alt": value.alt}

    def _sheet(self, value: Any, name: str) -> dict[str, Any]:
        (self.folder / f"{name}.webp").write_bytes(value.webp())
        value.data.to_csv(self.folder / f"{name}.csv", lineterminator="\n")
        return {
            "kind": "sheet",
            "file": f"{name}.webp",
            "data": f"{name}.csv",
            "width": value.image.width,
            "height": value.image.height,
            "alt": value.alt,
        }

    def _picture(self, value: Any, name: str) -> dict[str, Any]:
        file = f"{name}.webp"
        value.save(self.folder / file, "WEBP", lossless=True, quality=60, method=4)
        return {"kind": "picture", "file": file, "width": value.width, "height": value.height}

    def _live(self, value: Any, name: str) -> dict[str, Any]:
        from PIL import Image

        files = {
            "model": self._json(value.description, f"{name}.model")["file"],
            "weights": f"{name}.model.bin",
            "golden": f"{name}.golden.bin",
            "data": f"{name}.csv",
        }
        (self.folder / files["weights"]).write_bytes(value.weights)
        (self.folder / files["golden"]).write_bytes(value.golden)
        value.table.to_csv(self.folder / files["data"], lineterminator="\n")
        node = {"kind": "live", **files, "alt": value.alt}
        if value.picture is not None:
            node["picture"] = self._picture(Image.fromarray(value.picture), f"{name}.picture")
        return node

    def _pages(self, value: Any, name: str) -> dict[str, Any]:
        node = self._json(value.to_json(), name)
        # The bytes stay in the archive; here is only what to look up there. The time of
        # fetching is no part of the meaning: the same pages fetched again are the same value.
        self.meanings[node["file"]] = value.digest
        files = {ref.file for ref in value.refs}
        files |= {one.file for ref in value.refs for one in ref.media if one.file}
        sizes = {name: (self.archive / name).stat().st_size for name in sorted(files)}
        return {"kind": "pages", "file": node["file"], "pages": len(value), "archive": sizes}

    def _fields(self, value: dict[Any, Any], name: str, node: dict[str, Any]) -> dict[str, Any]:
        items = []
        for number, (key, field) in enumerate(value.items()):
            safe = re.sub(r"[^A-Za-z0-9_-]", "_", str(key))[:40]
            # Numbered where two keys could give one file name, also where case does not count.
            clash = [k for k in value if str(k).casefold() == str(key).casefold()]
            plain = safe == str(key) and len(clash) == 1
            part = f"{name}.{safe}" if plain else f"{name}.{number}-{safe}"
            items.append([key, self.write(field, part)])
        return {"kind": "fields", **node, "items": items}

    def figure(self, value: Any) -> str:
        """Return a value in a few words."""
        return printable(summary(value))


def summary(value: Any) -> str:
    """Return a value in a few words: "3,980 rows × 5 columns", "cnn accuracy 0.945"."""
    value = as_plain(value)
    if isinstance(value, bool | type(None)):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str):
        line = " ".join(value.split())
        return line if len(line) <= 60 else f"{line[:59]}…"
    if isinstance(value, Streamed):
        rejected = f", {value.rejected_rows:,} rejected" if value.rejected_rows else ""
        return f"{value.frame_rows:,} rows{rejected}"
    if _loaded(value, "pandas:DataFrame"):
        columns = len(value.columns)
        return f"{len(value):,} rows × {columns} column{'s' * (columns != 1)}"
    if _loaded(value, "pandas:Series"):
        return f"{len(value):,} rows"
    if _loaded(value, "numpy:ndarray"):
        return f"{'×'.join(map(str, value.shape)) or 'one'} {value.dtype}"
    if _loaded(value, "scraping.pages:Pages"):
        told = [f"{value.balance.get(name, 0):,} {name}" for name in ("failed", "due")]
        left = [each for each in told if not each.startswith("0 ")]
        return ", ".join([f"{len(value):,} pages", *left])
    if _loaded(value, "blog.figures:Figure", "blog.figures:Sheet", "PIL.Image:Image"):
        return DRAWN
    if _loaded(value, "models.live:Live"):
        return f"{value.description['parameters']:,} parameters for the page"
    if _loaded(value, "keras:Model", "models.scratch:Network"):
        return f"{int(value.count_params()):,} parameters"
    if dataclasses.is_dataclass(value):
        value = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, dict):
        shown = [_pair(k, v) for k, v in list(value.items())[:4]]
        return " · ".join(shown) + (" · …" if len(value) > 4 else "")
    return f"{len(value):,} values"


def _pair(key: Any, value: Any) -> str:
    if isinstance(value, dict) and len(value) == 1:
        return f"{key} {_pair(*next(iter(value.items())))}"
    if _loaded(value, "pandas:DataFrame"):
        return f"{key} {len(value):,}"
    return f"{key} {summary(value)}" if not isinstance(value, dict) else f"{key} ({len(value)})"


def _describe(value: Any) -> str:
    kind = type(value)
    named = f"{kind.__module__}.{kind.__qualname__}".removeprefix("builtins.")
    if kind.__name__ == "generator":
        return "a generator (only a step that asks for `page` may use yield)"
    if named == "matplotlib.figure.Figure":
        return "a matplotlib Figure (draw it through blog.figures.from_axes, light and dark)"
    return f"a {named}"
