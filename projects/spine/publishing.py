"""From results to the site, and whether there is anything to do: asked without importing either."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from projects.spine import results
from projects.spine.durable import write_json
from projects.spine.errors import SpineError
from projects.spine.project import names


def _watched(root: Path) -> Iterator[Path]:
    """Yield every file a page or the site is made from."""
    yield root / "mkdocs.yml"
    for folder, _, files in os.walk(root / "blog"):
        if not folder.endswith("__pycache__"):
            yield from (Path(folder, name) for name in files)
    for name in names(root):
        folder = root / "projects" / name
        yield from (folder / "project.py", folder / "post.md", folder / "references.bib")
        yield from (p for p in folder.glob("results/**/*") if p.name != "runs.jsonl")


def _signature(root: Path) -> str:
    """Return a digest of names, sizes and times of all that the site is made from."""
    lines = []
    for path in _watched(root):
        try:
            stat = path.stat()
        except OSError:
            continue
        lines.append(f"{path} {stat.st_size} {stat.st_mtime_ns}")
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def up_to_date(root: Path) -> bool:
    """Tell whether the site is what a build now would give."""
    try:
        seen = json.loads((root / ".folio" / "site.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return (root / "site" / "index.html").is_file() and seen == _signature(root)


def render(root: Path, chosen: list[str]) -> tuple[list[Path], list[str]]:
    """Render the posts of the chosen projects; return (files changed, projects without results).

    A post whose project is gone goes with it.
    """
    from blog import render as pages

    docs = root / "blog" / "docs"
    changed: list[Path] = []
    without: list[str] = []
    for name in chosen:
        folder = root / "projects" / name
        if not (folder / "post.md").is_file() or not (folder / "results/results.json").is_file():
            without.append(name)
            continue
        _check(name, folder / "results")
        changed.extend(pages.write(folder, docs))
    for stale in pages.stale(root / "projects", docs):
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        changed.append(stale)
    return changed, without


def _check(name: str, folder: Path) -> None:
    """Raise SpineError where results are not what a run wrote: a post shows nothing else."""
    document = results.read(folder)
    if document is None or not results.intact(document, folder):
        raise SpineError(
            f"projects/{name}/results/ does not hold what its run wrote: a file in it was changed, "
            "added or is missing. No post was rendered from it, and the site was left as it was. "
            f"To write it anew: folio run {name}; or take it back: "
            f"git checkout projects/{name}/results"
        )


def build(root: Path, *, remember: bool = True) -> Path:
    """Build the whole site and return its folder; `remember`: from what, if all posts are new."""
    from blog import site

    before = _signature(root)
    folder = site.build(root)
    if remember:
        write_json(root / ".folio" / "site.json", before)
    return folder
