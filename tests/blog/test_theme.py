"""The pages that the theme makes of the posts' front matter: home, post, archive, tags, 404."""

from __future__ import annotations

import io
import json
import re
import shutil
from pathlib import Path

import pytest
from lxml import html
from PIL import Image

from blog import site

OWN = [
    "Icons from design sets never seen",
    "Digits drawn with a mouse",
    "Sketches <img src=x onerror=alert(1)>",
    "What a president says next",
]


@pytest.fixture(scope="module")
def portfolio(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site of a portfolio with several projects and an example, under a sub-path."""
    folder = tmp_path_factory.mktemp("theme") / "portfolio"
    shutil.copytree(built.parent, folder, ignore=shutil.ignore_patterns("site", ".cache"))
    for post in (Path(__file__).parent / "portfolio").glob("*.md"):
        shutil.copy(post, folder / "blog" / "docs" / "posts")
    (folder / "blog" / "docs" / "proposals" / "a.md").write_text(
        "---\ntitle: Asked by the template\nexample: true\n---\n"
    )
    settings = (folder / "mkdocs.yml").read_text()
    address = "https://example.org/at/some/path/"
    (folder / "mkdocs.yml").write_text(settings.replace("https://example.org/", address))
    return site.build(folder)


@pytest.fixture(scope="module")
def served(portfolio, serving):
    with serving(portfolio) as address:
        yield address


def page(portfolio: Path, path: str) -> html.HtmlElement:
    """The page as an HTML parser reads it."""
    return html.fromstring((portfolio / path / "index.html").read_text("utf-8"))


def texts(elements) -> list[str]:
    return [" ".join(element.text_content().split()) for element in elements]


def test_the_home_page_shows_own_projects_newest_first_and_no_example(portfolio):
    home = page(portfolio, "")
    titles = texts(home.cssselect(".folio-entry h2"))
    assert [title.startswith(own) for title, own in zip(titles, OWN, strict=True)] == [True] * 4


def test_a_card_holds_question_finding_picture_architecture_subject_date_and_the_network(portfolio):
    card = page(portfolio, "").cssselect(".folio-entry")[1]
    assert texts(card.cssselect(".folio-question")) == [
        "Does a network that learnt from scanned digits read the ones that you draw?"
    ]
    assert texts(card.cssselect(".folio-finding"))[0].startswith("It names 98.9% of scanned digits")
    assert texts(card.cssselect(".folio-meta > *")) == [
        "Try it: Digits drawn with a mouse", "CNN", "images", "drawing", "2 October 2026",
    ]  # fmt: skip
    assert card.cssselect(".folio-alive")[0].get("href") == "posts/digits/#try"
    pictures = [picture.get("src") for picture in card.cssselect("img")]
    assert [source.split("#")[1] for source in pictures] == ["only-light", "only-dark"]
    assert all((portfolio / source.split("#")[0]).is_file() for source in pictures)


def test_every_tag_on_the_home_page_leads_to_its_place_on_the_tags_page(portfolio):
    places = {place.get("id") for place in page(portfolio, "tags").cssselect("h2")}
    links = {link.get("href") for link in page(portfolio, "").cssselect(".folio-tag")}
    assert {"tags/#tag:deep-learning", "tags/#tag:c", "tags/#tag:text"} <= links
    assert {link.removeprefix("tags/#") for link in links} <= places


def test_own_proposals_come_first_and_examples_are_marked_there_and_among_the_tags(portfolio):
    listed = texts(page(portfolio, "proposals").cssselect(".folio-list > li"))
    assert [line.endswith("Example from the template") for line in listed] == [False, True]
    tags = page(portfolio, "tags").cssselect("article li")
    marked = {line.cssselect("a")[0].get("href") for line in tags if line.cssselect("span")}
    assert marked == {"../posts/sample/"}


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_wider_than_the_column_casts_a_shadow_on_the_side_where_there_is_more(
    browser, served, width, scheme
):
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    )
    window = context.new_page()
    window.goto(served + "posts/digits/")
    window.evaluate(
        """() => document.querySelector("article").insertAdjacentHTML(
          "beforeend", `<pre><code id="wide">${"x = 1; ".repeat(40)}</code></pre>`)"""
    )
    code = window.locator("#wide")

    def edge(end: int) -> tuple[bool, bool]:
        """Whether the left and the right edge differ from the middle, in a row without letters."""
        code.evaluate("(code, end) => { code.scrollLeft = end; }", end)
        seen = Image.open(io.BytesIO(code.screenshot())).convert("RGB")
        left, middle, right = (seen.getpixel((x, 4)) for x in (1, seen.width // 2, seen.width - 2))
        return left != middle, right != middle

    assert edge(0) == (False, True)
    assert edge(100) == (True, True)
    assert edge(9999) == (True, False)
    assert window.evaluate("document.documentElement.scrollWidth <= innerWidth")
    context.close()


def test_a_name_with_markup_stays_text_wherever_the_theme_puts_it(portfolio):
    for path in ("", "posts/sketches", "posts/digits", "archive", "tags"):
        parsed = page(portfolio, path)
        assert parsed.xpath("//*[@src='x' or @onerror]") == []
        assert "<img src=x onerror=alert(1)>" in parsed.text_content()
    sketches = page(portfolio, "posts/sketches")
    for value in (
        sketches.xpath("//meta[@property='og:title']")[0].get("content"),
        sketches.xpath("//title")[0].text,
    ):
        assert value.startswith('Sketches <img src=x onerror=alert(1)> "from the web" and')


def test_the_filter_works_by_keyboard_says_how_many_are_left_and_is_kept_in_the_address(
    browser, served
):
    window = browser.new_page()
    window.goto(served)
    shown = window.locator(".folio-entry:visible h2")
    said = window.locator(".folio-filter").get_by_role("status")  # announced by screen readers
    assert (shown.count(), said.inner_text()) == (4, "")
    window.focus(".folio-filter input[name=architecture]")
    window.keyboard.press("ArrowRight")
    window.keyboard.press("ArrowRight")
    assert texts_of(shown) == OWN[:2]
    assert said.inner_text() == "2 of 4 projects"
    window.keyboard.press("Tab")
    window.keyboard.press("ArrowRight")  # the first subject: C++, which no CNN has
    assert (shown.count(), said.inner_text()) == (0, "0 of 4 projects")
    window.get_by_role("radio", name="drawing").check()
    assert texts_of(shown) == OWN[1:2]
    assert window.url == f"{served}?architecture=cnn&tag=drawing"
    window.reload()
    assert texts_of(shown) == OWN[1:2]
    assert said.inner_text() == "1 of 4 projects"
    window.goto(f"{served}?tag=%3Cscript%3E&architecture=cnn%22%5D")
    assert (shown.count(), said.inner_text()) == (4, "")
    window.close()


def texts_of(locator) -> list[str]:
    return locator.all_inner_texts()


def test_without_scripts_every_project_is_shown_and_no_filter(browser, served):
    context = browser.new_context(java_script_enabled=False)
    window = context.new_page()
    window.goto(served)
    assert window.locator(".folio-entry:visible").count() == 4
    assert not window.locator(".folio-filter").is_visible()
    context.close()


def test_the_first_screen_of_a_phone_holds_finding_figure_network_authors_and_code(browser, served):
    window = browser.new_page(viewport={"width": 390, "height": 844})
    window.goto(served + "posts/digits/")
    window.wait_for_load_state("networkidle")
    parts = [".folio-finding", ".folio-picture img:visible", ".folio-try", ".folio-authors"]
    for part in [*parts, ".folio-code"]:
        box = window.locator(part).first.bounding_box()
        assert box is not None, part
        assert box["height"] > 10, part
        assert box["y"] + box["height"] <= 844, (part, box)
    window.close()


def test_a_post_leads_to_its_neighbours_and_to_those_that_share_most_but_never_to_an_example(
    portfolio,
):
    digits = page(portfolio, "posts/digits")
    onward = digits.cssselect(".folio-onward a")
    assert [(a.get("rel"), a.get("href")) for a in onward] == [
        ("prev", "../sketches/"), ("next", "../pictograms/"),
    ]  # fmt: skip
    related = [a.get("href") for a in digits.cssselect(".folio-related a")]
    assert related == ["../pictograms/", "../sketches/"]
    newest = page(portfolio, "posts/pictograms")
    assert [a.get("rel") for a in newest.cssselect(".folio-onward a")] == ["prev"]
    sample = page(portfolio, "posts/sample")
    assert "../pictograms/" in [a.get("href") for a in sample.cssselect(".folio-related a")]


def test_a_post_introduces_itself_to_other_programs(portfolio):
    digits = page(portfolio, "posts/digits")
    said = {
        meta.get("property") or meta.get("name"): meta.get("content")
        for meta in digits.cssselect("meta")
    }
    address = "https://example.org/at/some/path/"
    assert said["og:type"] == "article"
    assert said["og:url"] == f"{address}posts/digits/"
    assert said["og:image"] == f"{address}pictograms/card.png"
    assert said["og:image:alt"] == f"{said['og:title']}: {said['og:description']}"
    assert said["og:description"] == said["description"]
    assert said["twitter:card"] == "summary_large_image"
    assert (said["article:published_time"], said["article:modified_time"]) == (
        "2026-10-02", "2026-11-01",
    )  # fmt: skip
    (record,) = digits.xpath("//script[@type='application/ld+json']")
    assert json.loads(record.text)["headline"] == "Digits </script><script>alert(1)</script>"
    for path in ("", "posts/digits", "howto/tutorial"):
        (feed,) = page(portfolio, path).xpath("//link[@type='application/atom+xml']")
        assert (portfolio / path / feed.get("href")).resolve() == (portfolio / "feed.xml").resolve()


def test_the_archive_lists_the_projects_by_year(portfolio):
    archive = page(portfolio, "archive")
    assert texts(archive.cssselect("h2")) == ["2026", "2025"]
    years = [texts(each.cssselect("li > a")) for each in archive.cssselect(".folio-list")]
    assert [len(year) for year in years] == [3, 1]
    assert years[1] == OWN[3:]


def test_the_first_page_of_a_folder_lists_the_others_in_its_order(portfolio):
    howto = page(portfolio, "howto")
    links = [link.get("href") for link in howto.cssselect(".folio-list a")]
    assert links[:2] == ["tutorial/", "scrape/"]
    folders = {path.parent.name + "/" for path in (portfolio / "howto").glob("*/index.html")}
    assert set(links) == folders
    assert len(texts(howto.cssselect(".folio-list p"))) == len(links)


def test_the_running_head_names_the_main_pages_and_the_foot_the_others(portfolio):
    head = texts(page(portfolio, "howto/scrape").cssselect(".folio-pages a"))
    assert head[:3] == ["Projects", "How to", "Models"]
    assert "Archive" not in head
    foot = texts(page(portfolio, "").cssselect(".folio-footer li"))
    assert {"Archive", "Tags", "Feed"} <= set(foot)
    current = page(portfolio, "howto/scrape").cssselect(".folio-pages a[aria-current]")
    assert texts(current) == ["How to"]


def test_a_missing_page_finds_its_style_and_the_way_home_at_any_depth_under_a_sub_path(portfolio):
    missing = html.fromstring((portfolio / "404.html").read_text())
    found = [
        element.get("href") or element.get("src") for element in missing.xpath("//*[@href|@src]")
    ]
    local = [re.split("[#?]", address)[0] for address in found if not address.startswith("http")]
    assert len(local) > 10
    for address in filter(None, local):
        assert address.startswith("/at/some/path/")
        there = portfolio / address.removeprefix("/at/some/path/")
        assert (
            there / "index.html" if there.is_dir() else there
        ).exists() or there.name == "feed.xml"


def test_the_sitemap_names_every_page_at_the_sites_address(portfolio):
    places = re.findall(r"<loc>(.*?)</loc>", (portfolio / "sitemap.xml").read_text())
    pages = {
        "https://example.org/at/some/path/" + path.parent.relative_to(portfolio).as_posix() + "/"
        for path in portfolio.rglob("index.html")
    }
    assert set(places) == {page.replace("/./", "/") for page in pages}


def test_the_owners_style_is_the_last_word(portfolio):
    styles = page(portfolio, "posts/digits").xpath("//link[@rel='stylesheet']/@href")
    assert [style.split("/")[-1] for style in styles][-3:] == [
        "folio.css",
        "print.css",
        "style.css",
    ]


def test_paper_shows_the_light_figure_open_boxes_and_no_navigation(browser, served):
    context = browser.new_context(color_scheme="dark")
    window = context.new_page()
    window.goto(served + "posts/digits/")
    box = window.locator("details.folio table").first
    assert not box.is_visible()
    window.emulate_media(media="print", color_scheme="dark")
    shown = window.locator(".folio-picture img:visible")
    assert [src.split("#")[1] for src in shown.evaluate_all("all => all.map(i => i.src)")] == [
        "only-light"
    ]
    assert box.bounding_box()["height"] > 20
    for part in (".md-header", ".folio-onward", ".folio-try", ".md-footer"):
        assert not window.locator(part).first.is_visible()
    white = "getComputedStyle(document.body).backgroundColor"
    assert window.evaluate(white) == "rgb(255, 255, 255)"
    address = "getComputedStyle(document.querySelector('{}'), '::after').content"
    assert "example.org/code" in window.evaluate(address.format(".folio-code"))
    assert window.evaluate(address.format(".folio-colophon .folio-tag")) == "none"
    context.close()


def test_code_is_copied_by_a_button_that_says_so(browser, served):
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    window = context.new_page()
    window.goto(served + "posts/digits/")
    button = window.locator(".folio-copy").first
    button.focus()
    window.keyboard.press("Enter")
    window.wait_for_function("document.querySelector('.folio-copy').textContent === 'copied'")
    assert window.evaluate("navigator.clipboard.readText()").startswith("def centre(drawing):")
    context.close()
