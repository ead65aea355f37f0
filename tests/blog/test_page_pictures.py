"""The pictures of the pages on models: one each, legible on light and on dark paper."""

from __future__ import annotations

import io
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from blog.drawing import PAPER

DOCS = Path(__file__).parents[2] / "blog" / "docs" / "models"
PAGES = [page for page in sorted(DOCS.glob("*.md")) if page.stem != "index"]
# `folio backprop` draws its own pair, held to its drawing by the tests of the models.
PICTURES = [path for path in sorted(DOCS.glob("pictures/*.svg")) if path.stem.isalpha()]
IMAGE = re.compile(r"^!\[([^\]]+)\]\((pictures/[\w.]+)(#only-\w+)\)$", re.MULTILINE)
LOOKS = ("light", "dark")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_shows_its_picture_for_both_looks_and_in_words(page):
    text = page.read_text("utf-8")
    images = IMAGE.findall(text)
    assert len(images) == text.count("![")
    for (words, light, first), (same, dark, second) in zip(images[::2], images[1::2], strict=True):
        assert (first, second) == ("#only-light", "#only-dark")
        assert words == same
        assert len(words) > 60
        assert words.endswith(".")
        assert (DOCS / light).is_file()
        assert (DOCS / dark).is_file()
        assert light == dark or light.replace(".light.", ".dark.") == dark


def test_every_picture_is_on_a_page():
    shown = {name for page in PAGES for _, name, _ in IMAGE.findall(page.read_text("utf-8"))}
    assert shown == {f"pictures/{path.name}" for path in DOCS.glob("pictures/*")}


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_small_real_text_and_asks_nobody(picture):
    source = picture.read_text("utf-8")
    root = ElementTree.fromstring(source)
    space = "{http://www.w3.org/2000/svg}"
    assert [part.get("id") for part in root.iter() if part.get("id")] == ["only-light", "only-dark"]
    assert len(root.findtext(f"{space}title")) > 30
    assert len(root.findall(f".//{space}text")) >= 4
    assert picture.stat().st_size < 6000
    assert not re.search(r"<script|<image|<foreignObject|\bon\w+=|href|url\(|@import", source)
    assert source.count("http") == 1  # the name of the language


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
@pytest.mark.parametrize("look", LOOKS)
def test_words_in_a_picture_stand_out_from_paper_and_boxes(picture, look):
    rule = re.search(rf"#only-{look}:target \{{(.*?)\}}", picture.read_text("utf-8"))
    colours = dict(re.findall(r"--(\w+): (#\w{6})", rule[1]))
    for ink in ("ink", "faint", "blue", "warm"):
        for paper in (PAPER[look], colours["wash"]):
            assert contrast(colours[ink], paper) >= 4.5, f"{ink} on {paper}"


def contrast(one: str, other: str) -> float:
    """WCAG 2's ratio of two colours."""

    def luminance(colour: str) -> float:
        parts = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture(scope="module")
def served(built, serving):
    with serving(built) as address:
        yield f"{address}models/"


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("width", [1280, 360])
def test_formulas_and_pictures_fit_wide_and_narrow_in_light_and_dark(browser, served, look, width):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=look)
    tab = context.new_page()
    for page in PAGES:
        tab.goto(f"{served}{page.stem}/")
        tab.wait_for_load_state("networkidle")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, page.stem
        formulas = tab.locator("math")
        assert formulas.count() > 1
        assert formulas.first.evaluate("math => math instanceof MathMLElement")
        (picture,) = tab.locator("p > img:visible").all()
        assert f"#only-{look}" in picture.get_attribute("src")
        assert picture.bounding_box()["width"] > 0.7 * min(width, 620)
        # The words in it are dark on light paper, and light on dark.
        darkest, lightest = shades(picture)
        assert darkest < 90 if look == "light" else lightest > 170, page.stem
    context.close()


@pytest.mark.slow
def test_a_long_formula_is_scrolled_within_its_own_frame(browser, served):
    context = browser.new_context(viewport={"width": 360, "height": 800})
    tab = context.new_page()
    tab.goto(f"{served}backprop/")
    frames = [
        frame.evaluate(
            """box => {
                const start = box.firstElementChild.getBoundingClientRect().left
                    - box.getBoundingClientRect().left
                box.scrollLeft = 9999
                return {start, moved: box.scrollLeft, more: box.scrollWidth - box.clientWidth,
                        below: box.scrollHeight - box.clientHeight}
            }"""
        )
        for frame in tab.locator(".folio-formula").all()
    ]
    assert any(frame["more"] > 0 for frame in frames)
    for frame in frames:
        assert frame["start"] >= 0
        assert frame["moved"] == pytest.approx(max(0, frame["more"]), abs=1)
        assert frame["below"] <= 0  # nothing is cut off
    context.close()


@pytest.mark.slow
def test_a_picture_follows_the_switch_of_the_site_against_the_system(browser, served):
    context = browser.new_context(color_scheme="dark")
    tab = context.new_page()
    tab.goto(f"{served}training/")
    tab.evaluate("document.body.setAttribute('data-md-color-scheme', 'default')")
    (picture,) = tab.locator("p > img:visible").all()
    assert picture.get_attribute("src").endswith("#only-light")
    assert shades(picture)[0] < 90
    context.close()


def shades(picture) -> tuple[int, int]:
    """The darkest and the lightest grey on the screen there, from 0 to 255."""
    from PIL import Image

    return Image.open(io.BytesIO(picture.screenshot())).convert("L").getextrema()
