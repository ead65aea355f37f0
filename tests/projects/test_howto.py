"""The how-to page on scraping does what it says: its code runs, its commands are there."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from projects.spine.cli import folio
from scraping.lent import Lent, current
from scraping.outcomes import Kind

PAGE = (Path(__file__).parents[2] / "blog/docs/howto/scrape.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)(?: title=\"(.*?)\")?\n(.*?)^```$", PAGE, re.M | re.S)


def test_the_project_on_the_page_scrapes_what_the_page_shows(checkout):
    (_, title, code), _ = [block for block in BLOCKS if block[1]]
    name = title.split("/")[1]
    checkout.write(name, code)
    outcome = checkout.command("scrape", name, "--debug")
    assert outcome.code == 0, outcome.err
    (shown,) = [text for _, _, text in BLOCKS if "pages kept" in text]
    for line in shown.splitlines():
        told = re.sub(r"  \[.*\]$", "", line)  # how long it took is another matter
        assert told in outcome.out, f"{told!r} is not in\n{outcome.out}"
    card = checkout.command("data", name)
    assert card.code == 0, card.err
    assert "115 rows" in card.out


def test_the_test_on_the_page_passes_for_the_project_on_the_page():
    (_, _, code), (_, _, tests) = [block for block in BLOCKS if block[1]]
    project: dict = {"__name__": "projects.sets.project"}
    exec(compile(code, "project.py", "exec", dont_inherit=True), project)
    names: dict = {"project": SimpleNamespace(**project)}
    exec(tests.replace("from . import project\n", ""), names)
    (test,) = [value for name, value in names.items() if name.startswith("test_")]
    test()


@pytest.mark.parametrize(
    "code", [text for kind, title, text in BLOCKS if kind == "python" and not title]
)
def test_every_other_piece_of_code_gives_pages(code, tmp_path):
    names: dict = {}
    token = current.set(Lent(archive=tmp_path / "archive", project=tmp_path))
    try:
        exec(code, names)
    finally:
        current.reset(token)
    assert len(names["pages"]) > 2


def test_the_look_on_the_page_is_what_a_look_says(checkout):
    (shown,) = [text for _, _, text in BLOCKS if "repeats" in text]
    told = checkout.command("look", "http://sandbox/museum/").out
    for line in shown.splitlines():
        if "answer" not in line:  # its size and time are another matter
            assert line in told, f"{line!r} is not in\n{told}"


def test_every_command_on_the_page_is_one():
    named = set(re.findall(r"^folio (\w+)|`folio (\w+)", PAGE, re.M))
    assert {first or second for first, second in named} <= set(folio.commands)


def test_every_way_an_address_can_end_is_explained():
    section = PAGE.partition("## 5.")[2].partition("## 6.")[0]
    for kind in Kind:
        assert kind in section, kind
