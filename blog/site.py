"""The site from its Markdown: built aside and swapped in whole, or served while you write."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import webbrowser
from collections.abc import Callable
from pathlib import Path

from blog.errors import BlogError, PortTaken, SiteError

logger = logging.getLogger(__name__)


class NotASite(SiteError):
    """The folder to be replaced holds something other than a site."""

    exit_code = 2


def sources(root: Path) -> list[Path]:
    """Every file that the built site depends on, sorted."""
    files = [root / "mkdocs.yml", root / "blog" / "site.yml"]
    for folder in (root / "blog" / "docs", root / "blog" / "theme"):
        files += [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path for path in files if path.is_file())


def build(root: Path, *, to: Path | None = None) -> Path:
    """Build the site in ``root`` and swap it in; the folder it stands in now.

    The build is strict and happens aside, so that after any failure the old site is still there
    whole. Two builds at once end with one of the two results. Raises SiteError with the reasons.
    """
    target = (to or root / "site").resolve()
    _check_target(target, root)
    # Beside the target, since only within one file system a rename swaps a folder at once.
    workshop = root / ".cache" if target.parent == root.resolve() else target.parent
    workshop.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=workshop))
    try:
        _mkdocs(root, aside / "site", target)
        _swap(aside / "site", target, workshop / f".{target.name}.old", root)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def serve(
    root: Path,
    *,
    port: int = 8000,
    rebuild: Callable[[set[Path]], None],
    open_browser: bool = False,
    report: Callable[[str], None] = logger.warning,
) -> None:
    """Serve a preview on 127.0.0.1 until interrupted; pages reload after a save.

    ``rebuild(changed)`` is called with the edited ``projects/*/post.md`` before the site is built
    again. What fails on the way is told to ``report``, and the last good pages stay. Raises
    PortTaken when the port is in use.
    """
    from mkdocs.livereload import LiveReloadServer

    _check_port(port)
    with tempfile.TemporaryDirectory(prefix="folio-preview-") as folder:
        shown = Path(folder) / "site"
        stories, built = _times(_stories(root)), {}

        def again() -> None:
            nonlocal stories, built
            now = _times(_stories(root))
            changed = {path for path in now | stories if now.get(path) != stories.get(path)}
            stories = now
            try:
                if changed:
                    rebuild(changed)
                # Rendering wrote into a watched folder, which wakes the watcher once more.
                wanted = _times(sources(root))
                if wanted == built:
                    return
                fresh = Path(folder) / "fresh"
                _mkdocs(root, fresh, shown, strict=False)
                shutil.copytree(fresh, shown, dirs_exist_ok=True)
                shutil.rmtree(fresh)
                built = wanted
            except BlogError as error:
                report(str(error))

        again()
        server = LiveReloadServer(again, "127.0.0.1", port, str(shown), polling_interval=0.3)
        for folder_of_pages in (root / "blog" / "docs", root / "blog" / "theme"):
            server.watch(str(folder_of_pages))
        # Not below a project's folder: its archive holds thousands of files.
        for path in (root, root / "blog", *{story.parent for story in stories}):
            server.watch(str(path), recursive=False)
        if open_browser:
            webbrowser.open(f"http://127.0.0.1:{port}/")
        try:
            server.serve()
        except KeyboardInterrupt:
            report("The preview has ended.")
        except OSError as error:
            raise _taken(port) from error
        finally:
            server.shutdown()


def _check_target(target: Path, root: Path) -> None:
    """Refuse to replace a folder that holds anything but a site built before."""
    if root.resolve().is_relative_to(target) or (target.exists() and not target.is_dir()):
        raise NotASite(f"{target} cannot hold the site; name a folder of its own. Nothing changed.")
    if target.is_dir() and any(target.iterdir()) and not (target / "404.html").is_file():
        raise NotASite(
            f"{target} holds something other than a site; building there would replace it. "
            "Nothing changed. Next: name an empty folder, or empty this one yourself."
        )


def _mkdocs(root: Path, out: Path, kept: Path, *, strict: bool = True) -> None:
    """Run mkdocs in a process of its own; SiteError with its complaints when it fails."""
    # Never --quiet: it keeps warnings from being counted, and --strict from failing on them.
    command = [sys.executable, "-m", "mkdocs", "build", "--site-dir", str(out)]
    command += ["--config-file", str(root / "mkdocs.yml"), *(["--strict"] if strict else [])]
    done = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PYTHONUTF8": "1"},
        check=False,
    )
    if done.returncode == 0 and (out / "index.html").is_file():
        return
    lines = [
        line
        for line in (done.stderr + done.stdout).splitlines()
        if line.strip() and not line.startswith("INFO")
    ]
    said = "\n".join(f"  {line}" for line in lines[-12:]) or "  (mkdocs said nothing)"
    state = f"The old site in {kept} is untouched." if kept.exists() else "No site was written."
    raise SiteError(
        f"The site could not be built from {root / 'mkdocs.yml'}:\n{said}\n{state} "
        "Next: correct the file named above, then folio publish."
    )


def _swap(fresh: Path, target: Path, old: Path, root: Path) -> None:
    """Put ``fresh`` in the target's place; one swap at a time, undone when it fails half-way."""
    from filelock import FileLock

    lock = root / ".cache" / "site.lock"
    lock.parent.mkdir(exist_ok=True)
    with FileLock(lock):
        if old.exists():  # a swap was killed half-way
            if target.exists():
                shutil.rmtree(old)
            else:
                old.rename(target)
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError as error:
            if old.exists():
                old.rename(target)
            raise SiteError(
                f"{target} could not be replaced ({error}); it is as it was."
            ) from error
        shutil.rmtree(old, ignore_errors=True)


def _check_port(port: int) -> None:
    with contextlib.closing(socket.socket()) as probe:
        if os.name == "posix":  # elsewhere the option would let two servers share a port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _taken(port) from error


def _taken(port: int) -> PortTaken:
    return PortTaken(
        f"Port {port} on 127.0.0.1 is in use by another program. "
        f"Next: folio serve --port {port + 1 if port < 65535 else 8000}"
    )


def _stories(root: Path) -> list[Path]:
    return list((root / "projects").glob("*/post.md"))


def _times(paths: list[Path]) -> dict[Path, int]:
    """When each of the files was last written."""
    found = {}
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            found[path] = path.stat().st_mtime_ns
    return found
