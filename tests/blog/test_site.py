import html
import re
import shutil
import threading
from html.parser import HTMLParser
from pathlib import Path

import pytest

from blog import render, site
from blog.errors import SiteError

LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}
# A page may name its own address and the tools it was set with; it loads nothing from there.
NAMED_ONLY = {"canonical", "prev", "next", "alternate"}


class Resources(HTMLParser):
    """Collects every address that a browser would load by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "link" and attributes.get("rel") in NAMED_ONLY:
            return
        if address := attributes.get(LOADED.get(tag, "")):
            self.found.append(address)


def add_post(root: Path, finished: Path, name: str, *, example: bool = False) -> None:
    project = shutil.copytree(finished, root / "projects" / name)
    if example:
        story = (project / "post.md").read_text()
        (project / "post.md").write_text(story.replace("hero:", "example: true\nhero:"))
    render.write(project, root / "blog" / "docs")


def test_a_portfolio_without_projects_builds_strictly(root):
    home = (site.build(root) / "index.html").read_text()
    assert "No project has been published yet" in home
    assert (root / "site" / "tags" / "index.html").is_file()


def test_the_post_stands_on_the_home_page_with_finding_question_and_picture(built):
    home = (built / "index.html").read_text()
    assert "A network of 83,412 weights names 94.5% of icons." in home
    assert "Can a small CNN recognise an icon" in home
    for source in re.findall(r'src="(pictograms/[^"#]+)', home):
        assert (built / source).is_file()
    assert (built / "posts" / "pictograms" / "index.html").is_file()
    assert "belongs to nobody yet" in home


def test_examples_are_labelled_and_leave_the_home_page_once_there_is_an_own_project(root, finished):
    add_post(root, finished, "sample", example=True)
    home = (site.build(root) / "index.html").read_text()
    assert 'href="posts/sample/"' in home
    assert "example from the template" in home
    add_post(root, finished, "mine")
    home = (site.build(root) / "index.html").read_text()
    assert 'href="posts/mine/"' in home
    assert 'href="posts/sample/"' not in home
    assert "Example from the template" in (root / "site/posts/sample/index.html").read_text()


def test_no_page_loads_anything_from_another_host(built):
    pages = list(built.rglob("*.html"))
    assert len(pages) >= 6
    for page in pages:
        resources = Resources()
        resources.feed(page.read_text())
        assert resources.found
        assert [a for a in resources.found if re.match(r"(?:https?:)?//", a)] == []
    for style in built.rglob("*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", style.read_text())


def test_names_from_the_web_stay_text_in_the_built_page(built):
    class Live(HTMLParser):
        def handle_starttag(self, tag, attrs):
            attributes = dict(attrs)
            assert attributes.get("src") != "x"
            assert not any(name.startswith("on") for name in attributes)
            assert not re.match(r"javascript:(?!void\(0\))", attributes.get("href") or "")

    for page in built.rglob("*.html"):
        Live().feed(page.read_text())
    post = (built / "posts" / "pictograms" / "index.html").read_text()
    assert "{{ 7*7 }}" in html.unescape(post)


def test_a_failing_build_leaves_the_old_site_whole(root):
    first = site.build(root)
    before = {path: path.read_bytes() for path in first.rglob("*") if path.is_file()}
    (root / "blog" / "docs" / "broken.md").write_text("[nowhere](missing.md)")
    with pytest.raises(SiteError, match=r"(?s)missing.md.*is untouched.*Next: ") as raised:
        site.build(root)
    assert raised.value.exit_code == 1
    assert {path: path.read_bytes() for path in first.rglob("*") if path.is_file()} == before
    assert {path.name for path in (root / ".cache").iterdir()} == {"site.lock", "templates"}


def test_a_swap_that_was_killed_half_way_is_mended(root):
    target = site.build(root)
    target.rename(root / ".cache" / ".site.old")
    assert site.build(root) == target
    assert (target / "index.html").is_file()
    assert not (root / ".cache" / ".site.old").exists()


def test_a_swap_that_was_killed_half_way_is_mended_by_a_build_that_fails_too(root):
    target = site.build(root)
    target.rename(root / ".cache" / ".site.old")
    (root / "blog" / "docs" / "broken.md").write_text("[nowhere](missing.md)")
    with pytest.raises(SiteError, match="is untouched"):
        site.build(root)
    assert (target / "index.html").is_file()


def test_two_builds_at_once_end_with_a_whole_site(root):
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(site.build(root))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert outcomes == [root / "site"] * 2
    assert (root / "site" / "index.html").is_file()


def test_a_folder_that_is_no_site_is_not_replaced(root, tmp_path):
    precious = tmp_path / "documents"
    precious.mkdir()
    (precious / "thesis.txt").write_text("all of it")
    clone = shutil.copytree(site.build(root), tmp_path / "clone")
    (clone / ".git").mkdir()
    (root / "blog" / "theme" / "index.html").touch()
    (root / "blog" / "theme" / "sitemap.xml").touch()
    for target in (precious, root, tmp_path, clone, root / "blog/theme", root / "blog/docs/out"):
        with pytest.raises(SiteError, match="Nothing changed") as raised:
            site.build(root, to=target)
        assert raised.value.exit_code == 2
    assert (precious / "thesis.txt").read_text() == "all of it"
    assert (clone / ".git").is_dir()


def test_a_folder_of_somebody_elses_pages_is_no_site(root, tmp_path):
    (tmp_path / "index.md").touch()
    (tmp_path / "404.html").write_text("mine")
    with pytest.raises(SiteError, match="Nothing changed"):
        site.build(root, to=tmp_path)
    assert (tmp_path / "404.html").read_text() == "mine"


def test_the_site_can_be_built_elsewhere(root, tmp_path):
    there = tmp_path / "elsewhere" / "public"
    assert site.build(root, to=there) == there
    assert [path.name for path in there.parent.iterdir()] == ["public"]


def test_sources_name_what_a_build_reads(root):
    names = {path.relative_to(root).as_posix() for path in site.sources(root)}
    assert {"mkdocs.yml", "blog/site.yml", "blog/docs/index.md", "blog/theme/main.html"} <= names


@pytest.fixture(scope="module")
def served(built, serving):
    with serving(built) as address:
        yield address


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_open_quietly_and_fit_in_light_and_dark_wide_and_narrow(
    browser, served, scheme, width
):
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    said, asked, failed = [], [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: (said.append("dialog"), dialog.dismiss()))
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    for path in ("", "posts/pictograms/", "howto/tutorial/", "404.html"):
        page.goto(served + path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(served + "posts/pictograms/")
    hero = page.locator("#figure-models img:visible")
    assert hero.count() == 1
    assert hero.get_attribute("src").endswith(f"models.{scheme}.svg#only-{scheme}")
    assert hero.get_attribute("alt").startswith("Accuracy of 3 models")
    assert hero.bounding_box()["width"] > 300
    assert hero.bounding_box()["y"] < 600  # on the first screen
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(251, 250, 247)", "dark": "rgb(22, 24, 27)"}[scheme]
    context.close()
    assert said == []
    assert failed == []
    assert [url for url in asked if not url.startswith((served, "data:"))] == []
