"""The figures of a project's results, ready to stand beside its post."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blog import escape
from blog.errors import BlogError, PostError


@dataclass
class Picture:
    """One figure: its files by name, what to show (name and theme), its size in CSS pixels."""

    files: dict[str, bytes]
    shown: list[tuple[str, str]]
    width: int
    height: int
    alt: str
    data: Path | None
    sheet: bool


def pictures(project: Path, results: dict[str, Any], post: Path) -> dict[str, Picture]:
    """Every figure of the results by name. Raises where its file or alternative text is missing."""
    found = {}
    for name, figure in results.get("figures", {}).items():
        if not str(figure.get("alt") or "").strip():
            raise PostError(
                post, 1,
                f"the figure `{name}` has no alternative text; its step passes "
                "alt=\"what one sees, in a sentence\".",
            )  # fmt: skip
        found[name] = _picture(project / "results", name, figure)
    return found


def _picture(folder: Path, name: str, figure: dict[str, Any]) -> Picture:
    stem = escape.file_name(name)
    data = inside(folder, figure["data"]) if figure.get("data") else None
    if figure["kind"] == "svg":
        light, dark = (inside(folder, figure[mode]).read_bytes() for mode in ("light", "dark"))
        width, height = size(light)
        files = {f"{stem}.light.svg": light, f"{stem}.dark.svg": dark}
        shown = [(f"{stem}.light.svg", "#only-light"), (f"{stem}.dark.svg", "#only-dark")]
        return Picture(files, shown, width, height, str(figure["alt"]), data, sheet=False)
    if figure["kind"] == "webp":
        image = inside(folder, figure["image"]).read_bytes()
        width, height = int(figure["width"]), int(figure["height"])
        shown = [(f"{stem}.webp", "")]
        return Picture(
            {f"{stem}.webp": image}, shown, width, height, str(figure["alt"]), data, sheet=True
        )
    raise BlogError(
        f"{folder / 'results.json'}: figure `{name}` is of kind {figure['kind']!r}; "
        "the blog knows svg and webp."
    )


def inside(folder: Path, path: str) -> Path:
    """A file of the results; never one outside their folder."""
    file = (folder / path).resolve()
    if not file.is_relative_to(folder.resolve()) or not file.is_file():
        project = folder.parent.name
        raise BlogError(f"{folder / path} is not there. Next: folio run {project}")
    return file


def size(svg: bytes) -> tuple[int, int]:
    """Width and height that an SVG of ours asks for, in CSS pixels (three quarters of a point)."""
    head = svg[:2000].decode("utf-8", "replace")
    sizes = [re.search(rf'\b{side}="([\d.]+)pt"', head) for side in ("width", "height")]
    width, height = (round(float(size[1]) * 4 / 3) if size else 0 for size in sizes)
    return width or 672, height or 384
