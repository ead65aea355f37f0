"""The pages on the models do what they say: their code runs, what they name is there."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest
import yaml

from models import backprop
from projects.spine.cli import folio

DOCS = Path(__file__).parents[2] / "blog" / "docs" / "models"
PAGES = sorted(DOCS.glob("*.md"))
FENCE = re.compile(r"^(`{3,})(\w*)[^\n]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
SECTIONS = ("what it is", "when to use it", "formula", "picture", "example", "limits", "sources")
MODULES = [
    path.stem for path in Path(backprop.__file__).parents[1].iterdir() if path.stem[0] != "_"
]

on_every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def code(page: Path) -> str:
    """The page's Python, each line where it stands on the page, so that a fault names its line."""
    text = page.read_text("utf-8")
    lines = [""] * (text.count("\n") + 1)
    for block in FENCE.finditer(text):
        if block[2] == "python":
            first = text.count("\n", 0, block.start(3))
            for number, line in enumerate(block[3].splitlines()):
                lines[first + number] = line
    return "\n".join(lines)


@pytest.mark.slow
@on_every_page
def test_the_code_of_a_page_runs_from_top_to_bottom(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    exec(compile(code(page), page, "exec"), {"__name__": "__page__"})


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.stem != "index"], ids=lambda page: page.stem
)
def test_a_page_says_what_when_how_and_where_it_ends(page):
    text = FENCE.sub("", page.read_text("utf-8"))
    head = yaml.safe_load(text.split("---")[1])
    assert re.search(r"^# ", text, re.MULTILINE)
    assert 30 < len(head["description"]) < 160
    sections = [section.lower() for section in re.findall(r"^## (.+)$", text, re.MULTILINE)]
    for wanted in SECTIONS:
        assert any(wanted in section for section in sections), f"no section on: {wanted}"
    assert "$$\n" in text
    assert "![" in text
    assert code(page).strip()


def test_the_first_page_leads_to_all_others_and_they_are_named_as_they_are():
    text = (DOCS / "index.md").read_text("utf-8")
    linked = set(re.findall(r"\]\((\w+\.md)\)", text))
    assert linked == {page.name for page in PAGES} - {"index.md"}


@on_every_page
def test_what_a_page_names_of_the_models_is_there(page):
    text = page.read_text("utf-8")
    spans = re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCE.sub("", text))
    for source in (*spans, code(page)):
        named = re.findall(rf"(?<![\w./])({'|'.join(MODULES)})\.([A-Za-z]\w*)", source)
        for module, name in named:
            if name in ("py", "md"):
                continue
            found = importlib.import_module(f"models.{module}")
            assert hasattr(found, name), f"models/{module} has no {name}"


@on_every_page
def test_every_command_on_a_page_is_one_with_such_options(page):
    text = page.read_text("utf-8")
    blocks = [block[3] for block in FENCE.finditer(text) if block[2] in ("", "text", "sh")]
    for line in re.findall(r"^folio .+$", "\n".join(blocks), re.M) + re.findall(
        "`(folio .+?)`", text
    ):
        _, name, *rest = line.split()
        assert name in folio.commands, line
        known = {option for param in folio.commands[name].params for option in param.opts}
        assert {word for word in rest if word.startswith("--")} <= known, line


def test_the_step_on_the_page_is_the_one_that_folio_backprop_writes():
    worked, text = backprop.worked((2, 2, 1), seed=1), (DOCS / "backprop.md").read_text("utf-8")
    assert "folio backprop --seed 1\n" in text
    written = worked.markdown()
    for formula in re.findall(r"^\$\$\n(.*?)\n\$\$$", text, re.MULTILINE | re.DOTALL):
        if r"\text{(BP1)}" not in formula:  # the general ones are the page's own
            assert formula in written
    for look in ("light", "dark"):
        drawn = (DOCS / "pictures" / f"backprop.{look}.svg").read_text("utf-8")
        assert drawn == worked.svg(dark=look == "dark")
