"""The widgets for everyone: rules that axe checks, narrow screens, fingers, both looks."""

from __future__ import annotations

import gzip
import re

import pytest

KINDS = ["draw", "form", "text", "sliders", "samples", "backprop"]


@pytest.mark.parametrize("look", ["", "-dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_nothing(reader, posts, axe, kind, look):
    # With an answer, or the sentence in its place, and with what folds opened.
    reader.page.add_init_script(path=axe)
    section = reader.open(posts[kind + look])
    assert "Matches the trained network" in section.inner_text()
    if kind == "text":
        section.get_by_role("button", name="Write").click()
    for details in section.locator("details").all():
        details.locator("summary").click()
    for button in section.get_by_role("button", name="Clear").all():
        button.click()
    assert violations(reader) == []


@pytest.mark.parametrize("look", ["", "-dark"])
def test_axe_finds_nothing_before_and_while_loading_and_in_errors(reader, posts, axe, look):
    reader.page.add_init_script(path=axe)
    reader.page.goto(posts[f"form{look}"])
    section = reader.page.locator("#try")
    button = section.get_by_role("button")
    button.wait_for()
    assert violations(reader) == []
    held = []
    reader.page.route("**/model.bin", lambda route: held.append(route))
    button.click()
    section.get_by_role("progressbar").wait_for()
    assert violations(reader) == []
    held[0].abort()
    section.get_by_role("alert").wait_for()
    assert violations(reader) == []
    reader.complaints.clear()  # the aborted request


def violations(reader) -> list[tuple[str, str]]:
    found = reader.page.evaluate("() => axe.run('section')")["violations"]
    return [(each["id"], node["html"]) for each in found for node in each["nodes"]]


@pytest.mark.parametrize("kind", KINDS)
def test_the_narrowest_screen_holds_it_and_a_finger_can_hit_it(phone, posts, kind):
    phone.page.set_viewport_size({"width": 320, "height": 640})
    section = phone.open(posts[kind])
    for details in section.locator("details").all():
        details.locator("summary").click()
    assert phone.page.evaluate("document.documentElement.scrollWidth") == 320
    parts = section.locator("button, input, select, textarea, summary, canvas[tabindex]")
    sizes = parts.evaluate_all(
        """all => all.filter(each => each.offsetParent).map(each => {
            const { width, height } = each.getBoundingClientRect();
            return [width, height, each.outerHTML];
        })"""
    )
    assert sizes
    assert [each for each in sizes if min(each[:2]) < 40] == []


def test_the_scripts_are_small_and_make_no_markup_of_text(live_site):
    scripts = {path.name: path.read_text("utf-8") for path in (live_site.root / "live").glob("*")}
    assert len(gzip.compress(scripts["start.js"].encode(), 6)) < 2560
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
        r"|setAttribute\(\s*[\"'](?:style|on\w+)"
    )
    for name, source in scripts.items():
        assert not forbidden.search(source), name
        # One classic script can be made of them: plain imports, no import.meta.
        assert "import.meta" not in source, name
        imports = re.findall(r"^import .*$", source, re.MULTILINE)
        for line in imports:
            assert re.fullmatch(r'import \{ [\w, ]+ \} from "\./\w+\.js";', line), (name, line)
        calls = re.findall(r"\bimport\(", source)
        assert len(calls) == (name == "start.js"), name
    widgets = ("draw", "form", "text", "sliders", "samples", "backprop")
    for widget in widgets:
        assert len(gzip.compress(scripts[f"{widget}.js"].encode(), 6)) < 3300, widget


def test_no_script_refers_to_a_module_that_is_not_there(live_site):
    folder = live_site.root / "live"
    for path in folder.glob("*.js"):
        for name in re.findall(r'from "\./(\w+\.js)"', path.read_text("utf-8")):
            assert (folder / name).is_file(), (path.name, name)
