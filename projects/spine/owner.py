"""Whose portfolio this is, as far as what runs the projects needs to know."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

# The template's mkdocs.yml: nobody.
PLACEHOLDERS = frozenset({"Your Name", "you@example.org", "https://example.org/"})


class Owner(NamedTuple):
    """What mkdocs.yml says of its owner; None where it does not, or still says the template's."""

    author: str | None = None
    url: str | None = None
    contact: str | None = None
    name: str | None = None
    repository: str | None = None
    video_host: str | None = None


def owner(root: Path) -> Owner:
    """Return whose portfolio lies at `root`; nobody's where mkdocs.yml cannot be read."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads past the tags that other tools add to mkdocs.yml."""

    Loader.add_multi_constructor("", lambda loader, suffix, node: None)
    try:
        told = yaml.load((root / "mkdocs.yml").read_text("utf-8"), Loader) or {}
        found = Owner(
            author=told.get("site_author"),
            url=told.get("site_url"),
            contact=(told.get("extra") or {}).get("contact"),
            name=told.get("site_name"),
            repository=told.get("repo_url"),
            video_host=(told.get("extra") or {}).get("video_host"),
        )
    except (OSError, yaml.YAMLError, AttributeError):
        return Owner()
    told = (str(value) if value else None for value in found)
    return Owner(*(None if value in PLACEHOLDERS else value for value in told))


def contact(root: Path) -> str | None:
    """Return who the crawler says we are: `extra.contact` of mkdocs.yml, once it is set."""
    return owner(root).contact
