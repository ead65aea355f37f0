"""From results to the site, and whether there is anything to do: asked without importing either."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from projects.spine import folders, results
from projects.spine.cache import cache_of
from projects.spine.durable import write_json
from projects.spine.engine import Engine, Variant
from projects.spine.errors import SpineError
from projects.spine.owner import owner
from projects.spine.project import names

if TYPE_CHECKING:
    from blog.portfolio import Portfolio
    from blog.site.branch import Committed

Say = Callable[[str], None]
# What a post is made from beside the results, by hand.
WRITTEN = (
    "project.py", "post.md", "references.bib", "datasheet.md", "modelcard.md", "proposal.md",
    "seal.json",
)  # fmt: skip


def _sources(root: Path) -> Iterator[Path]:
    """Yield every file a page or the site is made from."""
    yield root / "mkdocs.yml"
    if b"repo_url" in _bytes(root / "mkdocs.yml"):  # then posts link to the code at this commit
        yield root / ".git" / "logs" / "HEAD"
    for folder, _, files in os.walk(root / "blog"):
        if not folder.endswith("__pycache__"):
            yield from (Path(folder, name) for name in files)
    for name in names(root):
        folder = root / "projects" / name
        yield from (folder / written for written in WRITTEN)
        yield from (p for p in folder.glob("results/**/*") if p.name != "runs.jsonl")


def _bytes(path: Path) -> bytes:
    """Return what a file holds; nothing where there is none."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _signature(root: Path) -> str:
    """Return a digest of names, sizes and times of all that the site is made from."""
    lines = []
    for path in _sources(root):
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


def complete(root: Path, name: str) -> bool:
    """Tell whether a project has what a post takes: a story and results."""
    folder = root / "projects" / name
    return (folder / "post.md").is_file() and (folder / "results" / "results.json").is_file()


def proposed(root: Path, name: str) -> bool:
    """Tell whether a project has a proposal, which has a page of its own before any results."""
    return (root / "projects" / name / "proposal.md").is_file()


def portfolio(root: Path) -> Portfolio:
    """Return whose portfolio the pages say it is."""
    from blog.portfolio import Portfolio

    told = owner(root)
    found = {
        "name": told.name, "author": told.author, "url": told.url, "repository": told.repository,
        "video_host": told.video_host,
    }  # fmt: skip
    return Portfolio(**{key: value for key, value in found.items() if value})


def render(root: Path, chosen: list[str]) -> tuple[list[Path], list[str]]:
    """Render posts and proposals of the chosen; return (files changed, projects without results).

    What was rendered of a project that is gone goes with it.
    """
    from blog import proposal
    from blog import render as pages

    docs = root / "blog" / "docs"
    whose = portfolio(root)
    changed: list[Path] = []
    without: list[str] = []
    for name in chosen:
        folder = root / "projects" / name
        if complete(root, name):
            _check(name, folder / "results")
            changed.extend(pages.write(folder, docs, whose))
        else:
            without.append(name)
        changed.extend(render_proposal(root, name, docs, whose))
    projects = root / "projects"
    for stale in pages.stale(projects, docs) + proposal.stale(projects, docs):
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
        changed.append(stale)
    changed.extend(proposal.write_index(docs))
    changed.extend(pages.write_feed(docs, whose))
    return changed, without


def render_proposal(root: Path, name: str, docs: Path, whose: Portfolio) -> list[Path]:
    """Render the page and the slides of a project's proposal, if it has one."""
    from blog import proposal as pages
    from projects.spine import proposal, seal

    folder = root / "projects" / name
    if (told := proposal.read(folder)) is None:
        return []
    found = results.read(folder / "results") if complete(root, name) else None
    return pages.write(folder, docs, told.document(), seal.load(folder), whose, results=found)


def warnings(root: Path, chosen: list[str]) -> list[str]:
    """Return where a post may not tell what was run: numbers typed, code changed since."""
    from blog import render as pages

    found = []
    for name in chosen:
        if complete(root, name):
            found += pages.warnings(root / "projects" / name)
            if folders.of_a_starter(root / "projects" / name / "post.md"):
                found.append(
                    f"projects/{name}/post.md says what the starter said. Write what you found, "
                    f"then: folio publish {name}"
                )
            if changed := _changed_since(root, name):
                found.append(
                    f"projects/{name}/project.py was changed since its results: "
                    f"{', '.join(changed)}. The post tells of the run before. "
                    f"Next: folio run {name}"
                )
    return found


def _changed_since(root: Path, name: str) -> list[str]:
    """Return the steps that project.py tells otherwise than the recorded run had them.

    Of the libraries nothing is asked: a site is built where they are not installed, too.
    """
    document = results.read(root / "projects" / name / "results") or {}
    engine = Engine(Variant(root, name, quick=bool(document.get("draft"))), cache_of(root))
    if document.get("draft") and not engine.lock.records:
        return []  # what a draft was made from is not committed: nobody can tell
    changed = []
    for step in engine.project.steps.values():
        record = engine.lock.records.get(engine.of(step)[0].name)
        before = record.code if record else {}
        here = ("code", "setting", "helper", "module-level")
        told = {part: text for part, text in before.items() if part.startswith(here)}
        if told != engine.project.parts_here(step.name, {}):
            changed.append(step.name)
    return changed


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


def turn(root: Path, say: Say) -> AbstractContextManager[None]:
    """Hold the right to render and build; another publish waits, then ends with exit code 75."""
    from blog import site

    return site.turn(root, say)


def build(root: Path, *, to: Path | None = None, remember: bool = False) -> Path:
    """Build the whole site and return its folder; `remember`: from what, if all posts are new."""
    from blog import site

    before = _signature(root)
    folder = site.build(root, to=to)
    if remember:
        write_json(root / ".folio" / "site.json", before)
    return folder


def to_branch(root: Path) -> Committed:
    """Build the whole site and commit it to the branch for a web host."""
    from blog.site import branch, building

    with building.aside(root, root / "site") as folder:
        building.made(root, folder / "site")
        told = " ".join(runs(root)) or "no posts yet"
        return branch.commit(root, folder / "site", f"The site, as published\n\n{told}")


def hand_in(root: Path, file: Path) -> Path:
    """Build the site as it works from a disk, and zip it."""
    from blog.site import handin

    command = shlex.join(["folio", *sys.argv[1:]])
    return handin.zipped(root, file, command=command, runs=runs(root))


def to_pdf(root: Path, name: str, site: Path) -> Path:
    """Print a project's post from the built site to pdf/NAME.pdf."""
    from blog.site import printing

    (made,) = printing.printed(site, [(f"posts/{name}/", root / "pdf" / f"{name}.pdf")])
    return made


def runs(root: Path) -> list[str]:
    """Return "name: run id" for every project that has a post."""
    found = []
    for name in names(root):
        document = results.read(root / "projects" / name / "results")
        if document is not None and complete(root, name):
            found.append(f"{name}: {document.get('run')}")
    return found


@dataclass
class News:
    """What files that changed mean to somebody who looks at the preview."""

    lines: list[str] = field(default_factory=list)  # to be said
    to_render: list[str] = field(default_factory=list)  # projects
    figures: dict[str, Path] = field(default_factory=dict)  # by their address in the site


def watched(root: Path) -> Iterator[Path]:
    """Yield what tells that a post is to be rendered again, or that a step of a run has ended."""
    for name in names(root):
        folder = root / "projects" / name
        yield from (folder / written for written in WRITTEN)
        yield folder / "results" / "results.json"
        yield folder / ".folio" / "run.json"
        yield from (folder / ".folio" / "values").glob("*/*")


def news(root: Path, changed: Iterable[Path]) -> News:
    """Sort out what of the `watched` changed: stories, results, runs and their steps."""
    found = News()
    for path in sorted(changed):
        _, name, *rest = path.relative_to(root).parts
        if rest[0] != ".folio":
            if name not in found.to_render:
                found.to_render.append(name)
            if rest[0] == "results":
                found.lines.append(f"{name}: new results")
        elif rest[1] == "run.json":
            found.lines.append(f"{name}: a run {'is under way' if path.exists() else 'has ended'}")
        elif path.is_dir():
            _step_ended(found, name, rest[2], path)
    return found


def _step_ended(found: News, name: str, step: str, folder: Path) -> None:
    """Add that a step has a new value; if that is a figure, the figure."""
    from blog import escape

    values = sorted(folder.glob("*/manifest.json"), key=lambda path: path.stat().st_mtime_ns)
    if not values:
        return
    run = "" if folder.name == "once" else f" ({folder.name})"
    figure = values[-1].with_name("value.light.svg").is_file()
    found.lines.append(f"  {name}: {step}{run}{': its figure shows' if figure else ''}")
    for mode in ("light", "dark") if figure else ():
        address = f"{name}/{escape.file_name(step)}.{mode}.svg"
        found.figures[address] = values[-1].with_name(f"value.{mode}.svg")
