"""How each kind of value comes back from its files. Never pickle; only classes of ours."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from projects.spine.errors import MissingValue
from projects.spine.source import PACKAGES


class Reader:
    """Reads back what Writer wrote."""

    def __init__(self, folder: Path, archive: Path) -> None:
        self.folder = folder
        self.archive = archive

    def read(self, node: dict[str, Any]) -> Any:
        """Return the value that a node describes."""
        return getattr(self, f"_{node['kind']}")(node)

    def _json(self, node: dict[str, Any]) -> Any:
        return json.loads((self.folder / node["file"]).read_text("utf-8"))

    def _table(self, node: dict[str, Any]) -> Any:
        import pandas

        return pandas.read_parquet(self.folder / node["file"])

    _rows = _table

    def _series(self, node: dict[str, Any]) -> Any:
        series = self._table(node).iloc[:, 0]
        return series.rename(None) if node.get("unnamed") else series

    def _array(self, node: dict[str, Any]) -> Any:
        import numpy

        with numpy.load(self.folder / node["file"], allow_pickle=False) as packed:
            return packed["value"]

    def _network(self, node: dict[str, Any]) -> Any:
        import keras

        path = self.folder / node["file"]
        # Layers of our own are known to Keras once their module is there; no other is imported.
        with zipfile.ZipFile(path) as packed:
            config = packed.read("config.json").decode()
        for module in sorted(set(re.findall(r'"module": "(models(?:\.[a-z_]+)+)"', config))):
            importlib.import_module(module)
        return keras.models.load_model(path, compile=False)

    def _scratch(self, node: dict[str, Any]) -> Any:
        from models.scratch import Network

        return Network.load(self.folder / node["file"])

    def _figure(self, node: dict[str, Any]) -> Any:
        import pandas

        from blog.figures import Figure

        return Figure(
            light=(self.folder / node["light"]).read_text("utf-8"),
            dark=(self.folder / node["dark"]).read_text("utf-8"),
            data=pandas.read_csv(self.folder / node["data"], index_col=0),
            alt=node["alt"],
        )

    def _sheet(self, node: dict[str, Any]) -> Any:
        import pandas

        from blog.figures import Sheet

        data = pandas.read_csv(self.folder / node["data"], index_col=0)
        return Sheet(image=self._picture(node), data=data, alt=node["alt"])

    def _picture(self, node: dict[str, Any]) -> Any:
        from PIL import Image

        with Image.open(self.folder / node["file"]) as image:
            image.load()
            return image

    def _live(self, node: dict[str, Any]) -> Any:
        import numpy
        import pandas

        from models.live import Live

        picture = self._picture(node["picture"]) if "picture" in node else None
        return Live(
            description=self._json({"file": node["model"]}),
            weights=(self.folder / node["weights"]).read_bytes(),
            golden=(self.folder / node["golden"]).read_bytes(),
            table=pandas.read_csv(self.folder / node["data"], index_col=0),
            picture=None if picture is None else numpy.asarray(picture),
            alt=node["alt"],
        )

    def _pages(self, node: dict[str, Any]) -> Any:
        from scraping.pages import Pages

        return Pages.from_json(self._json(node), archive=self.archive)

    def _fields(self, node: dict[str, Any]) -> Any:
        values = {key: self.read(field) for key, field in node["items"]}
        if node["type"] == "dataclass":
            return self._class_of(node["class"])(**values)
        if node["type"] == "dict":
            return values
        return (list if node["type"] == "list" else tuple)(values.values())

    @staticmethod
    def _class_of(made_by: str) -> Callable[..., Any]:
        """Return a dataclass of this repository by name; nothing else is ever imported."""
        module, _, name = made_by.partition(":")
        if module.partition(".")[0] not in PACKAGES:
            raise MissingValue(f"A stored value names the class {made_by}, which is not Folio's.")
        loaded = sys.modules.get(module) or importlib.import_module(module)
        found = loaded
        for part in name.split("."):
            found = getattr(found, part, None)
        if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
            raise MissingValue(f"A stored value was a {name}, which {module} no longer has.")
        return found
