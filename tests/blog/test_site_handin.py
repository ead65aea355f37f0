"""The hand-in: unpacked anywhere, it works by double-click, and equal sites are equal bytes."""

import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest

from blog import render
from blog.errors import SiteError
from blog.portfolio import Portfolio
from blog.site import handin
from blog.site.bundling import bundle


@pytest.fixture(scope="module")
def portfolio(tmp_path_factory, new_site, finished):
    root = new_site(tmp_path_factory.mktemp("portfolio"))
    docs = root / "blog" / "docs"
    templates = (root / "blog" / "theme").rglob("*.html")
    if not any("live/start.js" in path.read_text() for path in templates):
        config = root / "mkdocs.yml"
        script = "extra_javascript:\n  - {path: live/start.js, type: module}\n"
        config.write_text(config.read_text() + script)
    (docs / "forms.md").write_text('# Forms\n\nA field is `<input name="search">`.\n')
    render.write(finished, docs)
    render.write_feed(docs, Portfolio())
    return root


@pytest.fixture(scope="module")
def packed(portfolio, tmp_path_factory):
    file = tmp_path_factory.mktemp("out") / "seminar work.zip"
    handin.zipped(portfolio, file, command="folio publish --zip", runs=["pictograms: 2026-x"])
    return file


@pytest.fixture(scope="module")
def unpacked(packed, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(packed) as file:
        file.extractall(folder)
    (only,) = folder.iterdir()
    return only


def test_every_link_and_script_leads_to_a_file_that_is_there(unpacked):
    pages = sorted(unpacked.rglob("*.html"))
    assert len(pages) >= 6
    for page in pages:
        text = page.read_text()
        assert 'type="module"' not in text
        for address in re.findall(r'<(?:a|link|script|img)\s[^>]*?(?:href|src)="([^"]+)"', text):
            if re.match(r"[a-z]+:|#", address):
                continue
            there = page.parent / unquote(re.sub(r"[?#].*", "", address))
            assert there.is_file(), f"{page.name}: {address}"


def test_a_page_about_a_search_keeps_its_words(unpacked):
    assert '&lt;input name="search"&gt;' in (unpacked / "forms.html").read_text()


def test_the_readme_says_what_it_is_which_command_made_it_and_from_which_runs(unpacked):
    told = (unpacked / "README.txt").read_text()
    assert told.startswith("seminar work: a portfolio")
    assert "folio publish --zip\n" in told
    assert "pictograms: 2026-x" in told
    assert "open index.html" in told


def test_equal_sites_are_equal_bytes(portfolio, packed):
    first = packed.read_bytes()
    for page in (portfolio / "blog" / "docs").rglob("*.md"):
        page.touch()
    handin.zipped(portfolio, packed, command="folio publish --zip", runs=["pictograms: 2026-x"])
    assert packed.read_bytes() == first


def test_a_hand_in_that_cannot_be_built_leaves_the_old_one(root, tmp_path):
    file = tmp_path / "old.zip"
    file.write_text("old")
    (root / "blog" / "docs" / "broken.md").write_text("[nowhere](missing.md)")
    with pytest.raises(SiteError, match=r"missing\.md"):
        handin.zipped(root, file, command="", runs=[])
    assert file.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.zip", "portfolio"]


@pytest.mark.slow
def test_in_a_browser_the_pages_open_quietly_and_the_network_runs(browser, unpacked):
    tab = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto((unpacked / "index.html").as_uri())
    tab.locator('a[href*="pictograms"]').first.click()
    tab.wait_for_url("**/posts/pictograms.html")
    assert tab.locator("#figure-models img:visible").evaluate("image => image.naturalWidth") > 0
    assert tab.locator("input[name=query]:visible").count() == 0
    before = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    for _ in range(2):
        tab.locator("[data-md-component=palette] label:visible").first.click()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != before
    tab.locator(".folio-live button").first.click()
    tab.get_by_text(re.compile(r"matches the trained network", re.IGNORECASE)).first.wait_for(
        timeout=10_000
    )
    tab.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


MODULES = {
    "start.js": 'import { twice } from "./number.js";\nglobalThis.seen = twice(4);\n'
    'function load(name) { return import("./" + name + ".js"); }\n',
    "number.js": 'import {\n  half as part,\n} from "./half.js";\nconst two = 2;\n'
    "export function twice(x) { return x / part * two / two; }\nexport class Never {}\n",
    "half.js": "export const half = 0.5;\nexport async function later() {}\n",
    "worker.js": 'import { twice } from "./number.js";\nself.onmessage = twice;\n',
}


@pytest.fixture
def modules(tmp_path):
    for name, text in MODULES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.skipif(not shutil.which("node"), reason="there is no node to run it")
def test_modules_are_joined_in_the_order_of_their_imports(modules):
    names = "Object.keys(folioLive.modules).join()"
    program = f"globalThis.window = globalThis;\n{bundle(modules)}\nconsole.log(seen, {names})"
    done = subprocess.run(["node", "-e", program], capture_output=True, text=True, check=True)
    assert done.stdout == "8 half,number,start\n"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ('import * as all from "./half.js";', r"number\.js:1: `import \* as all"),
        ("const a = 1;\nexport default a;", r"number\.js:2: `export default a;`"),
        ("export { half };", r"number\.js:1: `export \{ half \};`"),
        ("const here = import.meta.url;", r"number\.js:1: .*import\.meta"),
        ('import { twice } from "./gone.js";', r"imports \./gone\.js, which is not there"),
        ('import { twice } from "./start.js";', r"in a circle: .*start\.js"),
    ],
)
def test_what_cannot_be_joined_is_named_with_its_line(modules, wrong, told):
    (modules / "number.js").write_text(wrong + "\n")
    with pytest.raises(SiteError, match=told):
        bundle(modules)
