"""The how-to page on proposals does what it says: its files, its commands, what they print."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from projects.spine import hypothesis, proposal
from projects.spine.cli import folio

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "blog/docs/howto/propose.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)(?: title=\"(.*?)\")?\n(.*?)^```$", PAGE, re.M | re.S)
SCRIPT = (ROOT / "blog/slides.js").read_text("utf-8")


def titled(name: str) -> str:
    ((code),) = [text for _, title, text in BLOCKS if title == f"projects/mine/{name}"]
    return code


def test_the_proposal_on_the_page_is_sealed_as_the_page_shows(checkout):
    assert checkout.command("new", "mine", "--model", "cnn").code == 0
    folder = checkout.root / "projects" / "mine"
    (folder / "proposal.md").write_text(titled("proposal.md"), "utf-8")
    source = (folder / "project.py").read_text("utf-8")
    seeds = re.compile(r"^SEEDS = .*$", re.MULTILINE)
    assert seeds.search(source)
    (folder / "project.py").write_text(seeds.sub(titled("project.py").strip(), source), "utf-8")
    (shown,) = [text for _, _, text in BLOCKS if text.startswith("mine: ")]
    dry = checkout.command("propose", "mine", "--dry-run")
    assert dry.code == 0, dry.err
    assert shown in dry.out + dry.err
    assert "seeds: 21, 22, 23, 24, 25" in dry.out + dry.err
    assert not (folder / "seal.json").exists()
    done = checkout.command("propose", "mine")
    assert done.code == 0, done.err
    (code,) = re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", done.out + done.err)
    for typed in (code, code.lower().replace("-", "")):
        assert checkout.command("check", "--seal", typed).code == 0


def test_the_plan_on_the_page_has_the_notes_that_it_speaks_of():
    told = proposal.parse(titled("proposal.md"), "proposal.md")
    assert [section.heading for section in told.sections] == [
        "Question", "Split", "What would change my mind",
    ]  # fmt: skip
    assert told.sections[0].notes.startswith("Show two keys")
    assert "Show two keys" not in told.sections[0].markdown


def test_every_key_of_a_hypothesis_is_explained():
    for name in hypothesis.Hypothesis.__dataclass_fields__:
        assert f"`{name}`" in PAGE or f"{name}:" in PAGE, name


def test_every_key_of_the_slides_is_one():
    section = PAGE.partition("| key | what it does |")[2].partition("\n\n")[0]
    for key in re.findall(r"`(.)`", section):
        assert f" {key}: " in SCRIPT or f'"{key}": ' in SCRIPT, key


def test_every_command_on_the_page_is_one():
    named = re.findall(r"^folio (\w+)|`folio (\w+)", PAGE, re.M)
    assert {first or second for first, second in named} <= set(folio.commands)


def test_every_piece_of_front_matter_on_the_page_can_be_read():
    for kind, _, text in BLOCKS:
        if kind == "yaml":
            assert list(yaml.safe_load_all(text.partition("\n## ")[0]))
