"""One page of a site that mkdocs has just built, rendered again without the rest."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from blog.site.finishing import finished, frame_source, head
from blog.site.generator import complaints, configuration, run

if TYPE_CHECKING:
    from jinja2 import Environment
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import File, Files
    from mkdocs.structure.nav import Navigation

# Made anew by every build, and by nothing else.
STRUCTURAL = {".html", ".yml", ".py"}


@dataclass
class Loaded:
    """A site as mkdocs holds it after a build: everything that one page's rendering takes."""

    root: Path
    config: MkDocsConfig
    files: Files
    nav: Navigation
    env: Environment
    said: list[str]  # what mkdocs warned of

    def __post_init__(self) -> None:
        self._by_path: dict[Path, File] = {
            Path(file.abs_src_path): file for file in self.files if file.abs_src_path
        }
        self._frames = frame_source(self.config["extra"].get("video_host"))

    def knows(self, path: Path) -> bool:
        """Tell whether a source can be brought to the screen alone."""
        return path in self._by_path and path.suffix not in STRUCTURAL

    def show(self, path: Path) -> list[str]:
        """Render the page of ``path``, or copy it if it is no page; the warnings it gave.

        Raises SiteError where mkdocs fails or the page breaks its policy; then it is as it was.
        """
        file = self._by_path[path]
        if not file.is_documentation_page():
            copy(path, Path(file.abs_dest_path))
            return []
        target = Path(file.abs_dest_path)
        fresh = target.with_name(f".{target.name}.new")  # nobody is shown a page without its policy
        file.abs_dest_path = str(fresh)
        try:
            with complaints(self.root) as said:
                self._render(file)
            page = fresh.read_bytes()
            page = finished(page, file.dest_uri, self._frames, lambda: head(self.root))
            fresh.write_bytes(page)
            fresh.replace(target)
        finally:
            file.abs_dest_path = str(target)
            fresh.unlink(missing_ok=True)
        return said

    def _render(self, file: File) -> None:
        from mkdocs.commands.build import _build_page, _populate_page

        page: Any = file.page
        if hasattr(page, "excerpt"):  # a post: it was read when the blog plugin made it
            from mkdocs.utils import meta

            page.markdown, fresh = meta.get_data(file.content_string)
            page.markdown = page.markdown.lstrip("\n")
            page.meta = {key: page.meta[key] for key in ("template", "hide")} | fresh
        _populate_page(page, self.config, self.files)
        _build_page(page, self.config, self.files.documentation_pages(), self.nav, self.env)


def copy(file: Path, target: Path) -> None:
    """Copy a file so that whoever reads the target meanwhile gets the old one whole, or the new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    shutil.copyfile(file, fresh)
    fresh.replace(target)


def load(root: Path, out: Path) -> Loaded:
    """Build the site of ``root`` into ``out`` and keep it loaded. Raises SiteError."""
    from mkdocs.plugins import BasePlugin, event_priority

    kept: dict[str, Any] = {}

    class Keeper(BasePlugin):
        @event_priority(-100)
        def on_nav(self, nav: Any, **_: Any) -> Any:
            kept["nav"] = nav
            return nav

        @event_priority(-100)
        def on_env(self, env: Any, *, files: Any, **_: Any) -> Any:
            kept.update(env=env, files=files)
            return env

    with complaints(root) as said:
        # As a site of its own host: links of the page for missing addresses count from its root.
        config = configuration(root, out, strict=False, site_url="http://127.0.0.1/")
        run(config, root, Keeper())
    return Loaded(root, config, kept["files"], kept["nav"], kept["env"], said)
