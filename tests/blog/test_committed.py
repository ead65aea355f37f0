"""What is committed under blog/docs/posts/ is what the committed results give."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from blog import feed, render
from projects.spine import publishing, results

ROOT = Path(__file__).parents[2]
PUBLISHED = sorted(p.parents[1] for p in ROOT.glob("projects/*/results/results.json"))


@pytest.mark.parametrize("project", PUBLISHED, ids=lambda path: path.name)
def test_a_committed_post_is_what_its_results_give(project, tmp_path):
    posts = ROOT / "blog" / "docs" / "posts"
    copied = tmp_path / "posts"
    copied.mkdir()
    shutil.copy(posts / f"{project.name}.md", copied)
    if (posts / project.name).is_dir():
        shutil.copytree(posts / project.name, copied / project.name)
    written = render.write(project, tmp_path, publishing.portfolio(ROOT))
    changed = [path.relative_to(tmp_path).as_posix() for path in written]
    assert changed == [], f"to write them: folio publish {project.name}"


def test_the_committed_feed_is_what_the_committed_posts_give():
    docs = ROOT / "blog" / "docs"
    told = feed.feed(docs, publishing.portfolio(ROOT))
    assert (docs / feed.FILE).read_text("utf-8") == told, "to write it: folio publish"


@pytest.mark.parametrize("project", PUBLISHED, ids=lambda path: path.name)
def test_committed_results_are_what_their_run_wrote(project):
    document = json.loads((project / "results" / "results.json").read_text("utf-8"))
    results.validate(document, project)
    assert results.intact(document, project / "results")


@pytest.mark.parametrize("project", PUBLISHED, ids=lambda path: path.name)
def test_no_decimal_number_is_typed_into_a_story(project):
    assert render.warnings(project) == []
