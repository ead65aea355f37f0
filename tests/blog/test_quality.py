"""What a visitor gets: pages that everyone can use, that are valid, and that ask nobody else.

The tools come from npm: `npm install --prefix .cache/node axe-core lighthouse vnu-jar`. Where one
is missing, its tests are skipped.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from blog import site

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".cache" / "node" / "node_modules"
AXE = TOOLS / "axe-core" / "axe.min.js"
VALIDATOR = TOOLS / "vnu-jar" / "build" / "dist" / "vnu.jar"
LIGHTHOUSE = TOOLS / "lighthouse" / "cli" / "index.js"
PAGES = ("", "posts/digits/", "posts/pictograms/", "howto/tutorial/", "404.html")
COMMITTED = tuple(f"posts/{path.stem}/" for path in (ROOT / "blog/docs/posts").glob("*.md"))
OTHERS = (
    *("archive/", "tags/", "howto/", "howto/scrape/", "howto/publish/", "about/", "models/"),
    *("models/live/", "posts/sketches/", "proposals/", "proposals/pictograms/"),
    "proposals/pictograms/slides.html",
)  # fmt: skip


def tool(path: Path) -> Path:
    """The tool at ``path``; skips the test where it is not installed."""
    if not path.is_file():
        pytest.skip(f"{path.relative_to(ROOT)} is not installed")
    return path


@pytest.fixture(scope="module")
def portfolio(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site of a portfolio with several projects, and all that are committed here."""
    folder = tmp_path_factory.mktemp("quality") / "portfolio"
    shutil.copytree(built.parent, folder, ignore=shutil.ignore_patterns("site", ".cache"))
    for made in ("posts", "proposals"):
        if (ROOT / "blog/docs" / made).is_dir():
            shutil.copytree(
                ROOT / "blog/docs" / made, folder / "blog/docs" / made, dirs_exist_ok=True
            )
    for post in (Path(__file__).parent / "portfolio").glob("*.md"):
        shutil.copy(post, folder / "blog" / "docs" / "posts")
    return site.build(folder)


@pytest.fixture(scope="module")
def served(portfolio, serving):
    with serving(portfolio) as address:
        yield address


def violations(page) -> list[str]:
    """What axe finds wrong with the page as it stands, one line each."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => (await axe.run()).violations")
    return [
        f"{page.url} {rule['id']}: {node['html'][:120]} {node['any'][:1]}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_wrong_on_any_kind_of_page(browser, served, scheme, width):
    tool(AXE)
    context = browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    wrong = []
    # The other pages are made of the same parts: each scheme and each width once.
    whole = (scheme, width) in {("light", 1280), ("dark", 390)}
    for path in PAGES + COMMITTED + (OTHERS if whole else ()):
        page.goto(served + path)
        page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true })")
        wrong += violations(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    if whole:
        page.goto(served)
        page.evaluate("document.getElementById('__search').click()")
        page.keyboard.type("network")
        page.wait_for_selector(".md-search-result__item")
        wrong += violations(page)
    if whole and width < 960:
        page.goto(served)
        page.evaluate("document.getElementById('__drawer').click()")
        page.wait_for_function(
            "document.querySelector('.folio-drawer').getBoundingClientRect().x >= 0"
        )
        wrong += violations(page)
    context.close()
    assert wrong == []
    assert said == []
    assert [url for url in asked if not url.startswith((served, "data:"))] == []


def test_the_validator_finds_no_error_in_any_page(portfolio):
    validator = tool(VALIDATOR)
    java = shutil.which("java")
    if java is None:
        pytest.skip("no java found on PATH, which the HTML validator needs")
    pages = sorted(map(str, portfolio.rglob("*.html")))
    assert len(pages) > 15
    command = [java, "-jar", str(validator), "--errors-only", "--format", "json", *pages]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(done.stderr)["messages"]
    assert [f"{said['url']}:{said.get('lastLine')}: {said['message']}" for said in found] == []


def test_a_post_weighs_at_most_250_kb_of_which_our_scripts_15(browser, served, portfolio):
    page = browser.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("#")[0].split("?")[0]))
    for path in ("", "posts/digits/", "posts/pictograms/", *COMMITTED):
        asked.clear()
        page.goto(served + path)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        page.wait_for_load_state("networkidle")
        weight: Counter[str] = Counter()
        for url in asked:
            if url.startswith("data:"):
                continue
            name = url.removeprefix(served)
            file = portfolio / (name if name and name[-1] != "/" else f"{name}index.html")
            ours = name.endswith((".js", ".mjs")) and not name.startswith("assets/javascripts/")
            weight["ours" if ours else "other"] += len(gzip.compress(file.read_bytes(), 6))
        assert weight["other"] > 20_000
        assert weight.total() <= 250_000, (path, weight)
        assert weight["ours"] <= 15_000, (path, weight)
    page.close()


def test_the_filter_of_the_home_page_stays_small(portfolio):
    assert len(gzip.compress((portfolio / "assets" / "filter.js").read_bytes())) <= 1_500


@pytest.mark.slow
@pytest.mark.parametrize("path", ["", "posts/digits/"])
def test_lighthouse_gives_full_marks_but_for_speed(served, path, tmp_path):
    lighthouse, node = tool(LIGHTHOUSE), shutil.which("node")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if node is None or chromium is None:
        pytest.skip("Lighthouse needs node and chromium (or google-chrome) on PATH")
    report = tmp_path / "report.json"
    subprocess.run(
        [
            node, str(lighthouse), served + path, "--quiet", "--output=json",
            f"--output-path={report}", "--only-categories=accessibility,best-practices,seo",
            "--chrome-flags=--headless=new --no-sandbox",
        ],
        env={**os.environ, "CHROME_PATH": chromium}, check=True, timeout=120,
    )  # fmt: skip
    document = json.loads(report.read_text())
    scores = {name: kind["score"] for name, kind in document["categories"].items()}
    failed = [name for name, audit in document["audits"].items() if audit["score"] == 0]
    assert scores == {"accessibility": 1, "best-practices": 1, "seo": 1}, failed
