"""`folio publish`: what it makes, what it refuses, and that the old site survives every failure."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from blog.site import building
from projects.spine import folders, results

REPOSITORY = Path(__file__).parents[2]
POST = """\
---
title: Scored
date: 2026-11-20
question: Does it work?
finding: It reaches [[scores.m.x|.2f]].
---

A story of [[scores.m.x|.2f]].
"""
PROJECT = '''
"""Does it work?"""

SEEDS = 3


def draw(seed):
    return 0.25


def scores(draw, seed):
    return {"m": {"x": draw}}
'''


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """The template's site and one project with results and a story, published once."""
    root = tmp_path_factory.mktemp("published")
    # Of its pages only the home page and the tags: a build takes half a second then.
    others = ("*.py", "__pycache__", "posts", "proposals", "models", "howto", "changelog.md",
              "about.md")  # fmt: skip
    shutil.copytree(REPOSITORY / "blog", root / "blog", ignore=shutil.ignore_patterns(*others))
    shutil.copy(REPOSITORY / "mkdocs.yml", root / "mkdocs.yml")
    folder = root / "projects" / "scored"
    folder.mkdir(parents=True)
    (folder / "project.py").write_text(PROJECT.lstrip())
    (folder / "post.md").write_text(POST)
    for arguments in (["train", "scored", "--debug"], ["publish"]):
        done = folio(root, *arguments)
        assert done.returncode == 0, done.stderr
    return root


def folio(root: Path, *arguments: str, before: str = "") -> subprocess.CompletedProcess[str]:
    """Run `folio` in a process of its own, `before` being run in it first."""
    program = f"{before}\nimport sys\nfrom projects.spine.cli import main\nsys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=root,
        env={**os.environ, "FOLIO_ROOT": str(root), "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def published(template, checkout):
    """A published portfolio that a test may damage."""
    shutil.copytree(template, checkout.root, dirs_exist_ok=True)
    return checkout.root


def pages(site: Path) -> dict[str, bytes]:
    return {str(p.relative_to(site)): p.read_bytes() for p in site.rglob("*") if p.is_file()}


def test_a_second_publish_has_nothing_to_do_and_says_so(published, checkout):
    assert checkout.command("publish", "scored").code == 0  # at this place
    assert checkout.command("publish").code == 0
    outcome = checkout.command("publish")
    assert outcome.code == 0
    assert outcome.out.startswith("site: up to date")


def test_a_post_without_results_is_told_and_the_site_built_without_it(published, checkout):
    shutil.rmtree(published / "projects" / "scored" / "results")
    outcome = checkout.command("publish")
    assert outcome.code == 0
    assert "scored: no post yet (it takes post.md and results: folio run scored)" in outcome.out
    before = pages(published / "site")
    named = checkout.command("publish", "scored")
    assert named.code == 1
    assert "scored has no post yet" in named.err
    assert "Next: folio run scored" in named.err
    assert pages(published / "site") == before


PROPOSAL = """\
---
date: 2026-11-20
pilots: []
hypotheses:
  - name: works
    claim: It works.
    metric: x
    comparison: m > 0
    seeds: 3
---

## Plan

Draw.
"""


def test_a_proposal_is_published_before_there_are_results(published, checkout):
    folder = published / "projects" / "planned"
    folder.mkdir()
    (folder / "project.py").write_text(PROJECT.lstrip())
    (folder / "proposal.md").write_text(PROPOSAL)
    plan = checkout.command("publish", "planned", "--dry-run")
    assert "planned: its proposal, no post yet" in plan.out
    assert checkout.command("propose", "planned").code == 0
    outcome = checkout.command("publish", "planned")
    assert outcome.code == 0, outcome.err
    assert "proposal: blog/docs/proposals/planned.md" in outcome.out
    assert "planned: its proposal, no post yet (it takes post.md and results: " in outcome.out
    shown = published / "site" / "proposals"
    assert "Sealed" in (shown / "planned" / "index.html").read_text()
    assert "It works." in (shown / "planned" / "slides.html").read_text()
    assert 'href="planned/"' in (shown / "index.html").read_text()

    _edit(folder / "proposal.md", "It works.", "It always works.")
    assert checkout.command("publish").code == 0
    assert "Changed since it was sealed" in (shown / "planned" / "index.html").read_text()

    assert checkout.command("remove", "planned", "--yes").code == 0
    assert not list((published / "blog" / "docs" / "proposals").glob("planned*"))
    assert checkout.command("publish").code == 0
    assert not shown.exists()
    assert checkout.command("remove", "planned", "--undo").code == 0
    assert (published / "blog/docs/proposals/planned/slides.html").is_file()


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            (lambda folder: _edit(folder / "post.md", "scores.m.x|", "scores.m.y|")),
            "post.md:5: [[scores.m.y]]",
        ),
        (
            (lambda folder: _edit(folder / "results/results.json", '"mean": 0.25', '"mean": 0.5')),
            "does not hold what its run wrote",
        ),
        (
            (lambda folder: (folder / "results/results.json").write_text("{")),
            "does not hold what its run wrote",
        ),
    ],
    ids=["an unknown token", "a number edited by hand", "results cut short"],
)
def test_what_cannot_be_published_leaves_the_old_site_as_it_was(damage, told, published, checkout):
    before = pages(published / "site")
    damage(published / "projects" / "scored")
    outcome = checkout.command("publish")
    assert outcome.code == 1
    assert told in outcome.err
    assert "Traceback" not in outcome.err
    assert pages(published / "site") == before


def test_a_damaged_network_is_not_published(published, checkout):
    folder = published / "projects" / "scored" / "results"
    model = folder / "live" / "try_it" / "model.bin"
    model.parent.mkdir(parents=True)
    model.write_bytes(bytes(64))
    document = results.read(folder)
    document["run"] = document["run"][:16] + results._stamp(document, folder)
    (folder / "results.json").write_text(json.dumps(document))
    assert checkout.command("publish").code == 0
    before = pages(published / "site")
    model.write_bytes(bytes(63))
    outcome = checkout.command("publish")
    assert outcome.code == 1
    assert "a file in it was changed" in outcome.err
    assert "git checkout projects/scored/results" in outcome.err
    assert pages(published / "site") == before


def _edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def test_a_second_publish_waits_for_the_first_one_and_then_gives_up(
    published, checkout, monkeypatch
):
    before = pages(published / "site")
    monkeypatch.setattr(building, "PATIENCE", 0.2)
    with somebody_building(published):
        outcome = checkout.command("publish", "scored")
    assert outcome.code == 75
    assert f"Another process builds the site (process {os.getpid()}, since 20" in outcome.out
    assert "is being built by another process" in outcome.err
    assert "Next: the same command" in outcome.err
    assert pages(published / "site") == before
    assert checkout.command("publish", "scored").code == 0


def test_a_preview_writes_no_post_while_another_process_publishes(published, checkout, monkeypatch):
    monkeypatch.setattr(building, "PATIENCE", 0.2)
    monkeypatch.setattr("blog.site.serve", lambda *_, **__: pytest.fail("the preview has begun"))
    page = published / "blog" / "docs" / "posts" / "scored.md"
    page.unlink()
    with somebody_building(published):
        outcome = checkout.command("serve")
    assert outcome.code == 75, outcome.err
    assert not page.exists()


@contextlib.contextmanager
def somebody_building(root: Path):
    """Hold the right to build the site, as another process would."""
    held, done = threading.Event(), threading.Event()

    def other():
        with building.turn(root):
            held.set()
            done.wait(60)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(60)
    try:
        yield
    finally:
        done.set()
        thread.join()


@pytest.fixture
def small_disk(tmp_path_factory):
    """A file system of 2 MB, less than a site takes; it takes root and Linux to make one."""
    folder = tmp_path_factory.mktemp("disk")
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("only root can mount a small disk, on Linux")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False)
    if made.returncode:
        pytest.skip("this machine mounts no tmpfs")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_ends_with_3_and_the_old_site_whole(published, checkout, small_disk):
    target = small_disk / "public"
    target.mkdir()
    old = dict.fromkeys(("404.html", "index.html", "sitemap.xml"), b"the old site")
    for name, content in old.items():
        (target / name).write_bytes(content)
    outcome = checkout.command("publish", "--to", str(target))
    assert outcome.code == 3, outcome.err
    assert "The disk is full" in outcome.err
    assert pages(target) == old
    assert list(small_disk.iterdir()) == [target], "what was half built is in the way"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT to send")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGKILL], ids=["Ctrl-C", "kill -9"])
def test_a_publish_that_is_stopped_leaves_the_old_site_whole(sent, published, checkout):
    before = pages(published / "site")
    process = checkout.start("publish", "scored")
    deadline = time.monotonic() + 60
    while not list((published / ".cache").glob(".site-*")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(sent)
    _, said = process.communicate(timeout=60)
    assert pages(published / "site") == before
    if sent == signal.SIGINT:
        assert process.returncode == 130
        assert "Stopped." in said
        left = {path.name for path in (published / ".cache").iterdir()}
        assert left == {"site.lock", "templates"}
    assert checkout.command("publish", "scored").code == 0
    assert not list((published / ".cache").glob(".site-*"))


def test_a_dry_run_says_what_would_be_done_and_touches_nothing(published, checkout):
    before = pages(published)
    outcome = checkout.command("publish", "--dry-run", "--zip", "--to", "gh-pages")
    assert outcome.code == 0
    assert "scored: the post would be rendered" in outcome.out
    assert "committed to the branch gh-pages" in outcome.out
    assert re.search(r"zip: would be written to .*site\.zip", outcome.out)
    assert "Nothing was touched." in outcome.out
    assert pages(published) == before


def test_a_project_named_behind_zip_is_not_taken_for_the_file(published, checkout):
    outcome = checkout.command("publish", "--zip", "scored")
    assert outcome.code == 2
    assert "folio publish scored --zip" in outcome.err


def test_another_folder_gets_the_site_and_nothing_else_is_replaced(published, checkout, tmp_path):
    target = tmp_path / "elsewhere" / "public"
    outcome = checkout.command("publish", "--to", str(target))
    assert outcome.code == 0, outcome.err
    assert (target / "posts" / "scored" / "index.html").is_file()
    (target / "404.html").unlink()
    refused = checkout.command("publish", "--to", str(target))
    assert refused.code == 2
    assert "Nothing changed" in refused.err


def test_the_hand_in_names_the_command_and_the_runs(published, checkout, tmp_path, monkeypatch):
    file = tmp_path / "hand.zip"
    monkeypatch.setattr(sys, "argv", ["folio", "publish", "--zip", "hand.zip"])
    assert checkout.command("publish", "--zip", str(file)).code == 0
    with zipfile.ZipFile(file) as packed:
        told = packed.read("hand/README.txt").decode()
    assert "folio publish --zip hand.zip" in told
    assert re.search(r"scored: \d{8}-\d{6}-\w+", told)


def test_the_branch_without_a_repository_is_refused_with_advice(published, checkout):
    outcome = checkout.command("publish", "--to", "gh-pages")
    assert outcome.code == 2
    assert "no git repository" in outcome.err
    assert "folio publish --to public" in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="the browser is a shell script")
def test_a_pdf_beside_the_branch_is_of_the_site_as_it_is_now(
    published, checkout, tmp_path, monkeypatch
):
    fake = tmp_path / "bin" / "chromium"
    fake.parent.mkdir()
    fake.write_text(
        "#!/bin/sh\nfor word; do case $word in --print-to-pdf=*) "
        "printf %%PDF > ${word#--print-to-pdf=};; esac; done\n"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=os.pathsep)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Ada")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "ada@example.org")
    subprocess.run(["git", "init", "-q"], cwd=published, check=True)
    shutil.rmtree(published / "site")
    outcome = checkout.command("publish", "--to", "gh-pages", "--pdf")
    assert outcome.code == 0, outcome.err
    assert (published / "site" / "posts" / "scored" / "index.html").is_file()
    assert (published / "pdf" / "scored.pdf").read_bytes() == b"%PDF"


def test_publishing_from_committed_results_takes_none_of_the_heavy_libraries(published):
    heavy = ("tensorflow", "keras", "numpy", "pandas", "matplotlib", "pyarrow", "lxml")
    blocked = f"import sys\nfor name in {heavy!r}: sys.modules[name] = None"
    shutil.rmtree(published / "projects" / "scored" / ".folio")
    done = folio(published, "publish", "--to", "public", before=blocked)
    assert done.returncode == 0, done.stderr
    assert "0.25" in (published / "public" / "posts" / "scored" / "index.html").read_text()


def test_the_preview_is_told_of_results_runs_and_figures(published):
    from projects.spine import publishing

    folder = published / "projects" / "scored"
    value = folder / ".folio" / "values" / "curves" / "once" / "abc"
    value.mkdir(parents=True)
    for name in ("manifest.json", "value.light.svg", "value.dark.svg"):
        (value / name).write_text("<svg/>")
    (folder / ".folio" / "run.json").write_text("{}")
    watched = set(publishing.watched(published))
    changed = {
        value.parent,
        folder / ".folio" / "run.json",
        folder / "results" / "results.json",
        folder / "post.md",
    }
    assert changed <= watched
    assert {folder / written for written in publishing.WRITTEN} <= watched
    news = publishing.news(published, changed)
    assert news.to_render == ["scored"]
    assert news.figures == {
        "scored/curves.light.svg": value / "value.light.svg",
        "scored/curves.dark.svg": value / "value.dark.svg",
    }
    assert "scored: a run is under way" in news.lines
    assert "scored: new results" in news.lines
    assert "  scored: curves: its figure shows" in news.lines


def test_a_draft_is_compared_with_what_the_draft_was_made_from(published, checkout):
    warning = "was changed since its results"
    folder = published / "projects" / "scored"
    for made in ("results", ".folio"):
        shutil.rmtree(folder / made)
    (folder / "folio.lock").unlink()
    assert checkout.command("train", "scored", "--quick", "--debug").code == 0
    assert json.loads((folder / "results" / "results.json").read_text("utf-8"))["draft"]
    assert warning not in checkout.command("publish", "scored").out
    _edit(folder / "project.py", "0.25", "0.5")
    assert warning in checkout.command("publish", "scored").out
    shutil.rmtree(folder / ".folio")  # a clone does not bring it
    assert warning not in checkout.command("publish", "scored").out


def test_publishing_says_where_the_code_was_changed_since_its_results(published, checkout):
    file = published / "projects" / "scored" / "project.py"
    file.write_text(file.read_text("utf-8") + "\n\n# a comment changes nothing\n", "utf-8")
    assert "was changed" not in checkout.command("publish", "scored").out
    file.write_text(file.read_text("utf-8").replace("return 0.25", "return 0.75"), "utf-8")
    outcome = checkout.command("publish", "scored")
    assert outcome.code == 0
    told = "warning: projects/scored/project.py was changed since its results: draw. "
    assert told in outcome.out
    assert "Next: folio run scored" in outcome.out


def test_a_post_that_says_what_its_starter_said_is_published_with_a_warning(
    published, checkout, monkeypatch, tmp_path
):
    post = published / "projects" / "scored" / "post.md"
    (tmp_path / "cnn").mkdir()
    (tmp_path / "cnn" / "post.md").write_text(post.read_text("utf-8").replace("date: ", "date:  "))
    warning = "warning: projects/scored/post.md says what the starter said."
    assert warning not in checkout.command("publish", "scored").out
    monkeypatch.setattr(folders, "BLANK", tmp_path)
    outcome = checkout.command("publish", "scored")
    assert outcome.code == 0
    assert warning in outcome.out
    post.write_text(post.read_text("utf-8") + "\nAnd a word of my own.\n", "utf-8")
    assert warning not in checkout.command("publish", "scored").out
