"""What a step returned, kept under `.folio/values/<step>/<run>/<key>/`.

A value is written aside, fsynced and renamed, its manifest with the SHA-256 of every file in it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.spine.cache import Cache, digest_file
from projects.spine.durable import aside_of, swap_folder
from projects.spine.errors import SpineError, UnsupportedValue

if TYPE_CHECKING:
    from projects.spine.kinds import Rows

MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Stored:
    """One value on the disk: where, and what its manifest says."""

    folder: Path
    manifest: dict[str, Any]

    @property
    def digest(self) -> str:
        """Return the digest of the content: equal values have equal ones."""
        return self.manifest["digest"]

    @property
    def figure(self) -> str:
        """Return the value in a few words: "4,123 pages", "accuracy 0.945"."""
        return self.manifest["figure"]

    @property
    def kind(self) -> str:
        """Return the kind of the outermost value."""
        return self.manifest["node"]["kind"]


class Store:
    """The values of one project."""

    def __init__(self, folder: Path, archive: Path, cache: Cache) -> None:
        self.folder = folder
        self.archive = archive
        self.cache = cache

    def place(self, step: str, run: str, key: str) -> Path:
        """Return the folder of one value."""
        return self.folder / step / (run or "once") / key

    def find(self, step: str, run: str, key: str) -> Stored | str:
        """Return the value, or why there is none: "absent", or what happened to it."""
        folder = self.place(step, run, key)
        try:
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
            files = manifest["files"]
        except FileNotFoundError:
            return "absent"
        except (OSError, ValueError, KeyError, TypeError):
            return f"its manifest {MANIFEST} was damaged"
        for name, told in files.items():
            try:
                if self.cache.digest(folder / name) != told["sha256"]:
                    return f"its stored {name} was changed"
            except OSError:
                return f"its stored {name} was deleted"
        stored = Stored(folder, manifest)
        if lost := self._lost_archive(manifest["node"]):
            return f"the archive file {lost} is gone or shorter"
        return stored

    def _lost_archive(self, node: dict[str, Any]) -> str | None:
        """Return the name of an archive file that a pages value needs and that is not whole."""
        if node["kind"] != "pages":
            return None
        for name, size in node["archive"].items():
            path = self.archive / name
            if not path.is_file() or path.stat().st_size < size:
                return name
        return None

    def save(
        self, step: str, run: str, key: str, value: Any, *, where: str, more: dict[str, Any]
    ) -> Stored:
        """Store a value and return it as stored; `more` joins its manifest.

        Raises UnsupportedValue, naming `where`, for a kind the store does not know.
        """
        from projects.spine.kinds import Writer

        target = self.place(step, run, key)
        target.parent.mkdir(parents=True, exist_ok=True)
        aside = aside_of(target)
        aside.mkdir()
        try:
            writer = Writer(aside, self.archive, where)
            try:
                node = writer.write(value, "value")
            except (SpineError, OSError):
                raise
            except Exception as error:
                raise UnsupportedValue(
                    f"{where} returned a value that cannot be kept: {type(error).__name__}: {error}"
                ) from error
            files = {
                path.name: {"sha256": digest_file(path)}
                for path in sorted(aside.iterdir())
                if path.is_file()
            }
            # Two files with the same meaning may differ in bytes (a date inside a .keras).
            meaning = {name: writer.meanings.get(name, f["sha256"]) for name, f in files.items()}
            # How large the archive's files are is to be checked, and says nothing of the pages.
            shape = {key: part for key, part in node.items() if key != "archive"}
            manifest = {
                "node": node,
                "files": files,
                "digest": _digest_of([shape, meaning]),
                "figure": writer.figure(value),
                **({"parameters": writer.parameters} if writer.parameters else {}),
                **more,
            }
            (aside / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
            swap_folder(aside, target)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        return Stored(target, manifest)

    def load(self, stored: Stored) -> Any:
        """Return the value itself. Files are checked against their hashes by `find` before."""
        from projects.spine.reader import Reader

        return Reader(stored.folder, self.archive).read(stored.manifest["node"])

    def rows(self, stored: Stored) -> Rows:
        """Return the whole outcome of a `page` step, of which `load` returns the rows alone."""
        from projects.spine.kinds import Rows
        from projects.spine.reader import Reader

        node, reader = stored.manifest["node"], Reader(stored.folder, self.archive)
        return Rows(
            frame=reader.read(node),
            rejected=reader.read({**node, "kind": "table", "file": node["rejected"]}),
            pages=reader.read({"kind": "json", "file": node["pages"]}),
        )

    def every(self, step: str, run: str) -> list[Stored]:
        """Return the whole values of a run under any key, the newest first."""
        folder = self.place(step, run, "x").parent
        if not folder.is_dir():
            return []
        keys = [f for f in folder.iterdir() if f.is_dir() and not f.name.startswith(".")]
        keys.sort(key=lambda f: f.stat().st_mtime_ns, reverse=True)
        return [s for f in keys if isinstance(s := self.find(step, run, f.name), Stored)]

    def drop(self, step: str, run: str) -> None:
        """Remove all values of a run: what they point to is not what it was."""
        shutil.rmtree(self.place(step, run, "x").parent, ignore_errors=True)

    def prune(self, step: str, run: str, keep: Iterable[str]) -> None:
        """Remove older values of a step, all but `keep` and the newest other one."""
        folder = self.place(step, run, "x").parent
        kept = set(keep)
        others = [f for f in folder.iterdir() if f.is_dir() and f.name not in kept]
        others.sort(key=lambda f: f.stat().st_mtime_ns, reverse=True)
        for old in others[1:]:
            shutil.rmtree(old, ignore_errors=True)


def _digest_of(document: Any) -> str:
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
