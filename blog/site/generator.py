"""mkdocs in this process: what it complained of becomes one error, and excerpts are left out."""

from __future__ import annotations

import errno
import logging
import os
import re
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from blog.errors import SiteError

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.plugins import BasePlugin


def generate(root: Path, out: Path, *, search: bool = True, **settings: Any) -> MkDocsConfig:
    """Build the Markdown of ``root`` into ``out``; the configuration it was built with.

    ``settings`` override those of mkdocs.yml; without ``search`` pages have none.
    Raises SiteError with mkdocs' complaints, and lets errors of the disk through as the OSError
    they are.
    """
    with complaints(root) as said:
        config = configuration(root, out, strict=True, **settings)
        if not search and (plugin := config.plugins.pop("material/search", None)):
            plugin.config["enabled"] = False  # its events are registered all the same
        run(config, root)
        if not (out / "index.html").is_file():
            said.append(f"{config['docs_dir']} has no index.md, so the site has no home page")
            raise SystemExit(1)
    return config


def configuration(root: Path, out: Path, **settings: Any) -> MkDocsConfig:
    """Return mkdocs' configuration for a build of ``root`` into ``out``."""
    # Asked for by Material while it is imported: no notice of another program's future.
    os.environ.setdefault("NO_MKDOCS_2_WARNING", "1")
    from mkdocs.config import load_config
    from mkdocs.config.defaults import MkDocsConfig

    # Plugins that end with their build are otherwise taken up again by the next one.
    MkDocsConfig.plugins.plugin_cache.clear()  # ty: ignore[missing-attribute]
    with (root / "mkdocs.yml").open("rb") as file:
        return load_config(file, site_dir=str(out), **settings)


def run(config: MkDocsConfig, root: Path, *plugins: BasePlugin) -> None:
    """Build ``root`` once with ``plugins`` added. Raises whatever mkdocs raises."""
    from mkdocs.commands.build import build

    for number, plugin in enumerate([_faster(root / ".cache" / "templates"), *plugins]):
        config.plugins[f"folio/{number}"] = plugin
    config.plugins.on_startup(command="build", dirty=False)
    try:
        build(config)
    finally:
        config.plugins.on_shutdown()


def _faster(templates: Path) -> BasePlugin:
    """Return a plugin that spares what a build need not do.

    The blog plugin renders each post a second time, as an excerpt for the home page, whose cards
    are made of front matter and show none. And ``templates`` keeps the theme's compiled templates
    from one build to the next.
    """
    from jinja2 import FileSystemBytecodeCache
    from mkdocs.plugins import BasePlugin, event_priority

    class Faster(BasePlugin):
        def on_env(self, env: Any, **_: Any) -> Any:
            with suppress(OSError):  # a folder that nobody may write to
                templates.mkdir(parents=True, exist_ok=True)
                env.bytecode_cache = FileSystemBytecodeCache(str(templates))
            return env

        @event_priority(-60)  # after the blog plugin has made them, at -50
        def on_page_markdown(self, markdown: str, *, page: Any, **_: Any) -> str:
            if getattr(page, "excerpt", None) is not None:
                page.excerpt = _Card(page)
            return markdown

    return Faster()


class _Card:
    """A post as the blog's list shows it; what is not its own (title, meta, url) is the post's."""

    content = ""
    more = None
    toc = SimpleNamespace(items=())

    def __init__(self, post: Any) -> None:
        self.post = post

    def __getattr__(self, name: str) -> Any:
        return getattr(self.post, name)

    def render(self, page: Any, separator: str) -> None:
        """Nothing: there is no excerpt to render."""


@contextmanager
def complaints(root: Path) -> Generator[list[str]]:
    """Collect what mkdocs warns of; a SiteError that tells it where the block fails."""
    handler = _Collector()
    logger = logging.getLogger("mkdocs")
    logger.addHandler(handler)
    try:
        yield handler.said
    except OSError as error:
        # A full disk or a folder nobody may write to is no fault of a page.
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        raise _failure(root, handler.said, error) from error
    except SiteError:
        raise
    except (Exception, SystemExit) as error:
        raise _failure(root, handler.said, error) from error
    finally:
        logger.removeHandler(handler)


class _Collector(logging.Handler):
    """Keeps the text of every warning and error."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []
        self.thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self.thread:  # the preview builds in two threads
            self.said.append(f"{record.levelname:8}-  {record.getMessage()}")


def _failure(root: Path, said: list[str], error: BaseException) -> SiteError:
    """Put mkdocs' complaints into one error."""
    lines = [line for text in said for line in text.splitlines() if line.strip()]
    if not isinstance(error, SystemExit) and (text := str(error)) not in "\n".join(lines):
        lines += f"{type(error).__name__}: {text}".splitlines()
    told = "\n".join(f"  {line}" for line in lines[-12:]) or "  (mkdocs said nothing)"
    pages = re.findall(r"(post|proposal)s/([a-z][a-z0-9_]*)(?:\.md|/(?:index|slides)\.html)", told)
    for kind, name in dict.fromkeys(pages):
        source = f"projects/{name}/{kind}.md"
        if (root / source).is_file():
            told += f"\n  {kind}s/{name}.md is made from {source}: correct that one."
    return SiteError(f"The site could not be built from {root / 'mkdocs.yml'}:\n{told}")
