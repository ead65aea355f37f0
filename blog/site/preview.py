"""The site while you write: mkdocs stays loaded, and what was edited is on the screen at once.

An edited page is rendered alone, an edited style or picture copied. The whole site is built anew
behind the scenes whenever more than that may have changed (a title on the home page, a new post,
the words of the search), and takes the place of what was shown once it is whole.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import sys
import tempfile
import threading
import time
import webbrowser
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from blog.errors import BlogError
from blog.site.building import sources
from blog.site.finishing import finish
from blog.site.reloading import SCRIPT, Shown, reloading, served

if TYPE_CHECKING:
    from blog.site.incremental import Loaded

logger = logging.getLogger(__name__)

PAUSE = 0.1  # seconds between two looks at the files, up to LONGEST where a look takes long
LONGEST = 0.4
QUIET = 2.0  # seconds without an edit before the whole site is built anew

Rebuild = Callable[[set[Path]], Mapping[str, Path] | None]


def serve(
    root: Path,
    *,
    port: int = 8000,
    rebuild: Rebuild,
    watched: Callable[[], Iterable[Path]] | None = None,
    open_browser: bool = False,
    report: Callable[[str], None] = logger.warning,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Serve a preview on 127.0.0.1 until interrupted; pages reload after a save.

    ``rebuild(changed)`` is called with those of the ``watched`` files and folders that changed
    (where none are named: every ``projects/*/post.md``), before the pages are looked at. It may
    return files to show in the preview alone, by their address in the site. What fails on the way
    is told to ``report``, and the last good pages stay. ``ready(address)`` is called once the port
    is ours; raises PortTaken when it is in use.
    """
    watched = watched or (lambda: (root / "projects").glob("*/post.md"))
    with tempfile.TemporaryDirectory(prefix="folio-preview-") as folder:
        shown = Shown(None)
        script = {"/folio-reload.js": SCRIPT}
        with served(shown, port=port, page=reloading(shown), extra=script) as address:
            preview = _Preview(root, Path(folder), shown, report)
            ready(address)
            if open_browser:
                webbrowser.open(address)
            # Each look at a file lets go of the interpreter, and would wait for its turn as long as
            # this while the whole site is built in the other thread: hundreds of files, 5 ms each.
            usual = sys.getswitchinterval()
            sys.setswitchinterval(0.0002)
            try:
                _watch(preview, watched, rebuild)
            except KeyboardInterrupt:
                report("The preview has ended.")
            finally:
                sys.setswitchinterval(usual)
                preview.wait()


def _watch(preview: _Preview, watched: Callable[[], Iterable[Path]], rebuild: Rebuild) -> None:
    """Look at the files again and again, and bring what changed to the screen."""
    stories = _times(watched())
    preview.build()
    while True:
        pause, begun = PAUSE, time.process_time()
        try:
            now = _times(watched())  # a folder may go while it is looked through
            changed = {path for path in now | stories if now.get(path) != stories.get(path)}
            stories = now
            # Twice, since the sources are looked at as well.
            pause = min(LONGEST, max(PAUSE, 8 * (time.process_time() - begun)))
            if changed:
                preview.overlay(rebuild(changed) or {})
            preview.look()
        except (BlogError, OSError) as error:
            preview.report(str(error))
        time.sleep(pause)


class _Preview:
    """What is shown, what it was made from, and the whole build that may be under way."""

    def __init__(
        self, root: Path, folder: Path, shown: Shown, report: Callable[[str], None]
    ) -> None:
        self.root, self.folder, self.shown, self.report = root, folder, shown, report
        self.seen: dict[Path, int] = {}  # the sources as they are on the screen
        self.loaded: Loaded | None = None
        self.over: dict[str, Path] = {}
        self.building: threading.Thread | None = None
        self.changing = threading.Lock()  # held by who changes what is shown
        self.wanted = 0.0  # when the whole site shall be built anew; 0 for not at all

    def look(self) -> None:
        """Bring edited sources to the screen, and begin a whole build where one is due."""
        with self.changing:
            now = _times(sources(self.root))
            edited = {path for path in now | self.seen if now.get(path) != self.seen.get(path)}
            if edited:
                self.seen = now
                self._show(edited)
        if self.wanted and time.monotonic() >= self.wanted and not self.building:
            self.build()

    def overlay(self, files: Mapping[str, Path]) -> None:
        """Show files in the preview that are not (yet) the site's."""
        self.over.update(files)
        if files and self.shown.folder:
            self._lay(self.shown.folder, files)
            self.shown.changed()

    def build(self) -> None:
        """Begin a build of the whole site in the background."""
        self.wanted = 0.0
        before = _times(sources(self.root))
        self.seen = self.seen or before
        self.building = threading.Thread(target=self._whole, args=(before,))
        if self.loaded is None:
            self.report("Building the preview.")
        self.building.start()

    def wait(self) -> None:
        """Let a build that is under way end, so that its folder can go."""
        if self.building:
            self.building.join()

    def _show(self, edited: set[Path]) -> None:
        """Render edited pages alone and copy edited files; the rest takes a whole build."""
        loaded, at_once = self.loaded, []
        for path in sorted(edited):
            if loaded is None or not path.is_file() or not loaded.knows(path):
                self.wanted = self.wanted or time.monotonic()
                continue
            at_once.append(path)
            if path.suffix == ".md":
                self.wanted = time.monotonic() + QUIET  # titles, cards and the search follow
        if loaded is None or not at_once:
            return
        for path in at_once:
            for line in loaded.show(path):
                self.report(line)
        self.shown.changed()

    def _whole(self, before: dict[Path, int]) -> None:
        """Build everything aside, show it, and catch up with what was edited meanwhile."""
        from blog.site.incremental import load

        fresh = Path(tempfile.mkdtemp(prefix="site-", dir=self.folder))
        begun = time.monotonic()
        try:
            loaded = load(self.root, fresh)
            finish(fresh, self.root, loaded.config["extra"].get("video_host"))
            self._lay(fresh, self.over)
        except (BlogError, OSError) as error:
            shutil.rmtree(fresh, ignore_errors=True)
            self.report(str(error))
            self.building = None
            return
        for line in loaded.said:
            self.report(line)
        with self.changing:
            old, first = self.shown.folder, self.loaded is None
            self.loaded, self.seen = loaded, before
            self.shown.changed(fresh)
            self.building = None
        if first:
            self.report(f"The preview is built ({time.monotonic() - begun:.1f} s).")
        if old:
            shutil.rmtree(old, ignore_errors=True)

    @staticmethod
    def _lay(folder: Path, files: Mapping[str, Path]) -> None:
        from blog.site.incremental import copy

        for address, file in files.items():
            target = folder / address
            if target.is_file():  # what no page shows yet is of no use
                with contextlib.suppress(OSError):
                    copy(file, target)


def _times(paths: Iterable[Path]) -> dict[Path, int]:
    """When each of the files was last written."""
    found = {}
    for path in paths:
        with contextlib.suppress(OSError):
            found[path] = path.stat().st_mtime_ns
    return found
