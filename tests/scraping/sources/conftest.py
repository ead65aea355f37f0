"""What the tests of this folder share: a download from the site, kept in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from scraping.sources.files import download

Get = Callable[..., Path]


@pytest.fixture
def get(site, tmp_path) -> Get:
    def get(path: str = "/birds.csv", **more) -> Path:
        return download(site.url(path), archive=tmp_path / "pages", **more)

    return get
