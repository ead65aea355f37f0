"""The page on figures does what it says: its code runs, and no figure is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from blog import figures

PAGE = Path(__file__).parents[2] / "blog" / "docs" / "howto" / "figures.md"
TEXT = PAGE.read_text("utf-8")
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_code_of_the_page_runs_from_top_to_bottom():
    lines = [""] * TEXT.count("\n")
    for block in FENCE.finditer(TEXT):
        first = TEXT.count("\n", 0, block.start(1))
        for number, line in enumerate(block[1].splitlines()):
            lines[first + number] = line
    exec(compile("\n".join(lines), PAGE, "exec"), {"__name__": "__page__"})


def test_the_page_shows_every_figure_there_is():
    shown = set(re.findall(r"figures\.(\w+)\(", "".join(FENCE.findall(TEXT))))
    assert shown == {name for name in figures.__all__ if name[0].islower()}


def test_the_page_has_a_title_and_a_description():
    head = yaml.safe_load(TEXT.split("---")[1])
    assert head["title"]
    assert 30 < len(head["description"]) < 160


def test_the_limits_that_the_page_tells_are_those_of_the_code():
    from blog.figures import latent, scores, words

    assert f"over {latent.MOST_POINTS:,} points" in TEXT
    assert f"over {scores.MOST} models" in TEXT
    assert words.MOST_LINES == 10
    assert "Up to ten models" in TEXT
