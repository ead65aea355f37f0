"""The how-to page on the real web: every sample has a live source, every command is one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blog.post import read
from projects.spine.cli import folio
from projects.spine.project import Project, names

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "blog/docs/howto/real-web.md").read_text("utf-8")
SAMPLES = [
    name
    for name in names(ROOT)
    if (ROOT / "projects" / name / "post.md").is_file()
    and read(ROOT / "projects" / name / "post.md").meta.get("example")
]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_has_a_live_source_and_goes_there_by_one_setting(name):
    assert re.search(rf"^\|.*`{name}`.*\|.*https://", PAGE, re.M), f"{name} has no row"
    project = Project(ROOT, name)
    assert project.settings["SOURCE"] == "sandbox"
    source = project.source.decode()
    assert "https://" in source
    assert '"web"' in source


def test_every_command_on_the_page_is_one():
    named = set(re.findall(r"^folio (\w+)|`folio (\w+)", PAGE, re.M))
    assert {first or second for first, second in named} <= set(folio.commands)
