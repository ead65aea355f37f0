"""A project's folder as a whole: begun from a starter, taken away, brought back."""

from __future__ import annotations

import datetime
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from projects.spine.claim import claim
from projects.spine.durable import aside_of, swap_folder
from projects.spine.errors import BadUsage
from projects.spine.project import check_name, did_you_mean, names
from projects.spine.starters import STARTERS, told

BLANK = Path(__file__).parent / "blank"
PAGES = ("posts", "proposals")  # below blog/docs, what is made of a project


def create(root: Path, name: str, model: str) -> Path:
    """Copy a starter to projects/<name>/ and return that folder."""
    check_name(name)
    target = root / "projects" / name
    if target.exists():
        raise BadUsage(f"projects/{name}/ is there already; choose another name.")
    if model not in STARTERS:
        raise BadUsage(
            f"There is no starter `{model}`.{did_you_mean(model, STARTERS)} There is:\n{told()}"
        )
    aside = aside_of(target)
    shutil.copytree(BLANK / model, aside, ignore=shutil.ignore_patterns("__pycache__", ".folio"))
    for file in (aside / "post.md", aside / "proposal.md"):
        text = file.read_text("utf-8")
        today = datetime.date.today().isoformat()
        file.write_text(re.sub(r"^date: .*$", f"date: {today}", text, count=1, flags=re.M), "utf-8")
    try:
        swap_folder(aside, target)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return target


def of_a_starter(file: Path) -> bool:
    """Return whether a file of a project says what that of a starter says, but for its head."""

    def body(path: Path) -> str:
        return path.read_text("utf-8").partition("\n---\n")[2]

    return any(body(file) == body(path) for path in BLANK.glob(f"*/{file.name}"))


def belongings(root: Path, name: str) -> list[Path]:
    """Return what goes when a project goes: its folder, and the pages made of it with files."""
    pages = [root / "blog" / "docs" / kind for kind in PAGES]
    candidates = [root / "projects" / name]
    candidates += [path for folder in pages for path in (folder / f"{name}.md", folder / name)]
    return [path for path in candidates if path.exists()]


def remove(root: Path, name: str) -> Path:
    """Move a project and its post out of the way, and return where to."""
    if name not in names(root):
        raise BadUsage(f"There is no project `{name}`.{did_you_mean(name, names(root))}")
    with claim(root / "projects" / name / ".folio", name):
        pass  # nobody runs it
    kept = root / ".folio" / "removed" / name
    if kept.exists():
        # An older removal of the same name makes room, and is not lost either.
        number = sum(1 for _ in kept.parent.glob(f"{name}~*")) + 1
        kept.rename(kept.with_name(f"{name}~{number}"))
    _move(belongings(root, name), root, kept)
    return kept


def restore(root: Path, name: str) -> list[Path]:
    """Bring back what `remove` took, and return the paths."""
    plain = name.partition("~")[0]
    kept = root / ".folio" / "removed" / name
    removed = sorted(path.name for path in (root / ".folio" / "removed").glob("*"))
    if name not in removed:
        raise BadUsage(
            f"Nothing named `{name}` was removed.{did_you_mean(name, removed)} "
            f"Kept from earlier removals: {', '.join(removed) or 'nothing'}."
        )
    back = [kept / "projects" / plain]
    back += [path for kind in PAGES for path in (kept / "blog" / "docs" / kind).glob("*")]
    taken = [p for p in back if (root / p.relative_to(kept)).exists()]
    if taken:
        raise BadUsage(
            f"{taken[0].relative_to(kept)} is there already; it would be overwritten. "
            f"Move it away, then: folio remove --undo {name}"
        )
    targets = _move(back, kept, root)
    shutil.rmtree(kept)
    return targets


def _move(paths: Iterable[Path], base: Path, to: Path) -> list[Path]:
    """Move paths from below `base` to the same places below `to`."""
    moved = []
    for path in paths:
        target = to / path.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
        moved.append(target)
    return moved
