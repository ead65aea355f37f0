"""The same configuration builds with Material for MkDocs and with Zensical, to the same pages.

What differs: Zensical does not tell a page's template which posts there are, so that its archive
leads to the home page, and its posts do not list related ones; and Material leaves a JSON file
beside the post, where Zensical moves it to the post's other files. Everything else is compared.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import html

from blog import site


@pytest.fixture(scope="module")
def engines(built: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One portfolio, built by both: Material's site, Zensical's site."""
    zensical = shutil.which("zensical", path=str(Path(sys.executable).parent))
    if zensical is None:
        pytest.skip("Zensical is not installed beside this Python")
    material = tmp_path_factory.mktemp("engines") / "material"
    shutil.copytree(built.parent, material, ignore=shutil.ignore_patterns("site", ".cache"))
    for post in (Path(__file__).parent / "portfolio").glob("*.md"):
        shutil.copy(post, material / "blog" / "docs" / "posts")
    other = shutil.copytree(material, material.parent / "zensical")
    # Afresh, since it serves pages from its cache; in a copy, since that empties `.cache`.
    done = subprocess.run(
        [zensical, "build", "--clean", "--config-file", "mkdocs.yml"],
        cwd=other, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return site.build(material), other / "site"


def article(folder: Path, path: str) -> html.HtmlElement:
    """The article of a page, without the parts that are known to differ."""
    page = html.fromstring((folder / path / "index.html").read_text("utf-8"))
    (found,) = page.cssselect("article")
    for part in found.cssselect(".folio-related"):
        part.drop_tree()
    return found


def words(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def test_both_build_the_same_pages(engines):
    pages = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("*.html")}
        for folder in engines
    ]
    assert "posts/pictograms/index.html" in pages[0]
    assert pages[0] == pages[1]


def test_both_say_the_same_on_every_page(engines):
    material, zensical = engines
    for path in sorted(path.parent for path in material.rglob("index.html")):
        place = path.relative_to(material).as_posix()
        if place == "archive":
            continue
        one, two = article(material, place), article(zensical, place)
        assert words(one) == words(two), place
        for query in (
            "img",
            "a[href]",
            "section.folio-live",
            "details",
            "math",
            "table",
            "form input",
        ):
            assert len(one.cssselect(query)) == len(two.cssselect(query)), (place, query)


def test_figures_and_networks_are_found_from_the_pages_of_both(engines):
    material, zensical = engines
    for place in ("posts/pictograms", "posts/digits", "."):
        one, two = (
            [
                folder / place / address.split("#")[0]
                for address in article(folder, place).xpath(".//@src | .//@href")
                if not address.startswith(("#", "http"))
            ]
            for folder in engines
        )
        assert len(one) > 5
        for ours, theirs in zip(one, two, strict=True):
            assert ours.name == theirs.name
            if ours.name != "feed.xml":  # which is written before, for the whole portfolio
                assert ours.exists(), ours
            if ours.is_file():
                assert ours.read_bytes() == theirs.read_bytes()
    (live,) = article(zensical, "posts/pictograms").cssselect("section.folio-live#try")
    assert len(live.cssselect("a[href]")) == 3
    scripts = html.parse(zensical / "posts/pictograms/index.html").xpath("//script/@src")
    assert "../../live/start.js" in scripts
    assert (zensical / "live" / "start.js").read_bytes() == (
        material / "live" / "start.js"
    ).read_bytes()


def test_the_archive_of_zensical_leads_to_the_home_page(engines):
    _, zensical = engines
    (link,) = article(zensical, "archive").cssselect("a[href]")
    assert (zensical / "archive" / link.get("href")).resolve() == zensical.resolve()


def test_a_page_of_zensical_opens_without_complaint_and_finds_what_is_searched(
    engines, serving, browser
):
    _, zensical = engines
    page = browser.new_page()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    with serving(zensical) as address:
        page.goto(address + "posts/digits/")
        page.wait_for_load_state("networkidle")
        assert page.locator(".folio-picture img:visible").count() == 1
        page.goto(address + "?architecture=cnn")
        assert page.locator(".folio-entry:visible").count() == 2
        page.click(".md-search__button")
        page.keyboard.type("scanner")
        page.get_by_role("link", name="Digits drawn with a mouse").last.wait_for()
    page.close()
    assert said == []


def test_the_network_runs_in_the_pages_of_both(engines, serving, browser):
    told = []
    for folder in engines:
        page = browser.new_page()
        with serving(folder) as address:
            page.goto(address + "posts/pictograms/")
            page.locator("section.folio-live button").first.click()
            page.get_by_text("Matches the trained network to").wait_for()
            told.append(page.locator(".folio-live__result").inner_text())
        page.close()
    assert "rain" in told[0]
    assert told[0] == told[1]
