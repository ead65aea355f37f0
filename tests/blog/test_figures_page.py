"""The page on figures does what it says: its code runs, and draws the pictures that it shows.

python tests/blog/test_figures_page.py      writes the pictures, and the page's lines for them
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from blog import figures
from blog.assets import size

PAGE = Path(__file__).parents[2] / "blog" / "docs" / "howto" / "figures.md"
TEXT = PAGE.read_text("utf-8")
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


PICTURES = PAGE.parent / "pictures"
SHOWN = re.compile(r"\n<!-- drawn: .*?-->\n.*?<!-- end -->\n", re.DOTALL)


def drawn(text: str) -> dict[int, tuple[str, Any]]:
    """Run the page from top to bottom; what each call of a figure gave, by its last line."""
    lines = [""] * text.count("\n")
    for block in FENCE.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for number, line in enumerate(block[1].splitlines()):
            lines[first + number] = line
    found: dict[int, tuple[str, Any]] = {}
    names: dict[str, Any] = {"__name__": "__page__"}
    for statement in ast.parse("\n".join(lines)).body:
        call = getattr(statement, "value", None)
        shows = isinstance(statement, ast.Expr) and ast.unparse(statement).startswith("figures.")
        if shows and isinstance(call, ast.Call):
            name = ast.unparse(call.func).removeprefix("figures.")
            value = eval(compile(ast.Expression(call), PAGE, "eval"), names)
            again = sum(each.startswith(name) for each, _ in found.values())
            found[statement.end_lineno or 0] = (f"{name}{again + 1}" if again else name, value)
        else:
            exec(compile(ast.Module([statement], []), PAGE, "exec"), names)
    return found


def files(name: str, value: Any) -> dict[str, bytes]:
    """A figure's files by name."""
    if isinstance(value, figures.Sheet):
        return {f"{name}.webp": value.webp()}
    return {f"{name}.{mode}.svg": getattr(value, mode).encode() for mode in ("light", "dark")}


def images(name: str, value: Any) -> str:
    """The page's lines for a figure."""
    alt = re.sub(r"([\[\]])", r"\\\1", value.alt)
    if isinstance(value, figures.Sheet):
        width, height = value.image.size
    else:
        width, height = size(value.light.encode())
    lines = [
        f"![{alt}](pictures/{file}{f'#only-{mode[1]}' if mode else ''})"
        f"{{ loading=lazy width={width} height={height} }}"
        for file in files(name, value)
        for mode in [re.search(r"\.(light|dark)\.svg$", file)]
    ]
    return f"\n<!-- drawn: {name} -->\n" + "\n".join(lines) + "\n<!-- end -->\n"


@pytest.mark.slow
def test_the_pictures_of_the_page_are_those_that_its_code_draws():
    found = drawn(TEXT)
    assert len(found) >= 12
    kept = {path.name: path.read_bytes() for path in PICTURES.glob("*")}
    made = {
        file: data for name, value in found.values() for file, data in files(name, value).items()
    }
    assert kept.keys() == made.keys()
    for file, data in made.items():
        if file.endswith(".svg"):  # another version of Pillow packs other bytes
            assert kept[file] == data, f"to draw it again: python {Path(__file__).name}"
    for name, value in found.values():
        assert images(name, value) in TEXT


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


def write() -> None:
    """Draw the pictures anew, and put them into the page below the code that draws them."""
    text = SHOWN.sub("", TEXT)
    found = drawn(text)
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*"):
        old.unlink()
    parts, at = [], 0
    for block in FENCE.finditer(text):
        first, last = (text.count("\n", 0, place) for place in block.span())
        parts.append(text[at : block.end()])
        at = block.end()
        for line, (name, value) in found.items():
            if first < line <= last:
                parts.append(images(name, value))
                for file, data in files(name, value).items():
                    (PICTURES / file).write_bytes(data)
    PAGE.write_text("".join([*parts, text[at:]]), "utf-8")


if __name__ == "__main__":
    write()
