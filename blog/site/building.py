"""One build at a time, made aside and swapped in whole, so that the old site survives."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog.errors import SiteError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

PATIENCE = 20.0  # seconds that a build waits for another one to end

Say = Callable[[str], None]
Made = Callable[[Path, "MkDocsConfig"], None]


class NotASite(SiteError):
    """The folder to be replaced holds something other than a site."""

    exit_code = 2


class SiteInUse(SiteError):
    """Another process builds the site of this portfolio."""

    exit_code = 75


def sources(root: Path) -> list[Path]:
    """Every file that the built site depends on, sorted."""
    files = [root / "mkdocs.yml", root / "blog" / "site.yml"]
    for folder in (root / "blog" / "docs", root / "blog" / "theme"):
        files += [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if path.is_file())


def build(
    root: Path,
    *,
    to: Path | None = None,
    say: Say = lambda line: None,
) -> Path:
    """Build the site in ``root`` and swap it in; the folder it stands in now.

    The build is strict and happens aside, so that after any failure the old site is still there
    whole. Of two builds at once the second waits for its turn.

    Raises SiteError with the reasons (exit code 1), NotASite (2) where ``to`` holds something
    else, SiteInUse (75) where another build does not end, and OSError where the disk is full.
    """
    target = (to or root / "site").resolve()
    _check_target(target, root)
    with turn(root, say), aside(root, target) as folder:
        fresh, old = folder / "site", _old(folder, target)
        _mend(target, old)
        try:
            made(root, fresh)
        except SiteError as error:
            raise _untouched(error, target) from error
        _swap(fresh, target, old)
    return target


def made(
    root: Path, out: Path, *, then: Made | None = None, own: str = "'self'", **settings: Any
) -> None:
    """Build and finish the site in ``out``, an absent folder; nothing else is touched.

    ``then(folder, configuration)`` may change the pages before they get their policy, which lets
    them load what comes from ``own``. ``settings`` are those of `generate`.
    """
    from blog.site.finishing import finish
    from blog.site.generator import generate

    config = generate(root, out, **settings)
    if then:
        then(out, config)
    finish(out, root, config["extra"].get("video_host"), own)


@contextlib.contextmanager
def turn(root: Path, say: Say = lambda line: None) -> Generator[None]:
    """Hold the right to build the site of ``root``; waits for a while, then raises SiteInUse.

    One thread may take it again inside. The system frees it when the process dies.
    """
    from filelock import FileLock, Timeout

    cache = root / ".cache"
    cache.mkdir(exist_ok=True)
    lock = FileLock(cache / "site.lock", is_singleton=True)
    holder = cache / "site.json"
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"Another process builds the site{_told(holder)}. Waiting for it.")
        try:
            lock.acquire(timeout=PATIENCE)
        except Timeout:
            raise SiteInUse(
                f"The site is being built by another process{_told(holder)}, still after "
                f"{PATIENCE:.0f} seconds. Nothing was changed. Next: the same command, once that "
                "one has ended."
            ) from None
    outermost = lock.lock_counter == 1
    try:
        if outermost:
            now = datetime.datetime.now().astimezone().isoformat(timespec="seconds")
            holder.write_text(json.dumps({"pid": os.getpid(), "since": now}))
        yield
    finally:
        if outermost:
            holder.unlink(missing_ok=True)
        lock.release()


def _told(holder: Path) -> str:
    """Return who builds, as it said itself."""
    try:
        told = json.loads(holder.read_text())
        return f" (process {int(told['pid'])}, since {told['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""


@contextlib.contextmanager
def aside(root: Path, target: Path) -> Generator[Path]:
    """Lend a folder on the target's file system, where alone a rename swaps a folder at once.

    For who has the `turn`: what a killed build left in the cache goes.
    """
    cache, prefix = root / ".cache", f".{target.name}-"
    workshop = cache if target.parent == root.resolve() else target.parent
    workshop.mkdir(parents=True, exist_ok=True)
    if workshop == cache:  # elsewhere such a name may be somebody else's
        for left in [path for path in cache.iterdir() if path.name.startswith(prefix)]:
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=workshop))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _old(folder: Path, target: Path) -> Path:
    """Where the old site waits while the new one takes its place."""
    return folder.parent / f".{target.name}.old"


def _untouched(error: SiteError, target: Path) -> SiteError:
    """Add to an error what became of the site that was there, and what to do."""
    state = f"The old site in {target} is untouched." if target.exists() else "No site was written."
    return type(error)(f"{error}\n{state} Next: correct the file named above, then folio publish.")


def _check_target(target: Path, root: Path) -> None:
    """Refuse to replace a folder that holds anything but a site built before."""
    root = root.resolve()
    inside = target.is_relative_to(root / "blog")  # what the site is made from
    if root.is_relative_to(target) or inside or (target.exists() and not target.is_dir()):
        raise NotASite(f"{target} cannot hold the site; name a folder of its own. Nothing changed.")
    if (target / ".git").exists():
        raise NotASite(
            f"{target} is a git repository, and building there would replace it, history and all. "
            "Nothing changed. Next: build elsewhere and copy the files; or folio publish --to "
            "gh-pages, which commits the site to a branch of this repository."
        )
    built = all((target / name).is_file() for name in ("index.html", "404.html", "sitemap.xml"))
    if target.is_dir() and any(target.iterdir()) and not built:
        raise NotASite(
            f"{target} holds something other than a site; building there would replace it. "
            "Nothing changed. Next: name an empty folder, or empty this one yourself."
        )


def _mend(target: Path, old: Path) -> None:
    """End a swap that was killed half-way: the old site is back, should the new one fail."""
    if old.exists():
        if target.exists():
            shutil.rmtree(old)
        else:
            old.rename(target)


def _swap(fresh: Path, target: Path, old: Path) -> None:
    """Put ``fresh`` in the target's place; undone when it fails half-way."""
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError as error:
        if old.exists():
            old.rename(target)
        raise SiteError(f"{target} could not be replaced ({error}); it is as it was.") from error
    shutil.rmtree(old, ignore_errors=True)
