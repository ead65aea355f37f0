"""Whose portfolio it is, as far as its pages tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Portfolio:
    """What ``mkdocs.yml`` says of the site and its owner; empty where it says nothing yet.

    Attributes:
        name: the site's title.
        author: the owner's name.
        url: the site's address, with a slash at its end.
        repository: where the code lives, such as ``https://github.com/someone/folio``.
        video_host: the one host whose videos may be shown in a frame.
    """

    name: str = "Folio"
    author: str = ""
    url: str = ""
    repository: str = ""
    video_host: str = ""

    def address(self, path: str) -> str:
        """The address of a page by its path from the site's root; "" while the site has none."""
        return f"{self.url.rstrip('/')}/{path}" if self.url else ""
