"""What every built page gets: a policy under which it works, and links to the commit."""

import base64
import hashlib
import re
import subprocess
import time

import pytest

from blog import site
from blog.errors import SiteError
from blog.site import finishing
from blog.site.finishing import finished, frame_source

HEAD = '<!doctype html><html><head><meta charset="utf-8"></head><body>{}</body></html>'


def page(body: str) -> bytes:
    return HEAD.format(body).encode()


def policy_of(text: str) -> dict[str, list[str]]:
    content = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert content
    return {rule: values for rule, *values in map(str.split, content[1].split("; "))}


def test_the_policy_allows_the_sites_own_files_and_the_inline_scripts_that_were_built_in():
    script = "const a = '<b>';\nrun(a)"
    data = '<script type="application/ld+json">{"a": 1}</script>'
    text = finished(page(f'<script>{script}</script>{data}<script src="x.js"></script>'), "x")
    rules = policy_of(text.decode())
    expected = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert rules["script-src"] == ["'self'", f"'sha256-{expected}'"]
    assert rules["default-src"] == rules["style-src"] == rules["connect-src"] == ["'self'"]
    assert rules["img-src"] == ["'self'", "data:"]
    assert rules["object-src"] == rules["frame-src"] == rules["form-action"] == ["'none'"]
    assert text.index(b"Content-Security") < text.index(b"<script")


def test_style_attributes_are_allowed_by_their_text_and_nothing_else():
    rules = policy_of(finished(page('<td style="text-align: right;">1</td>'), "x").decode())
    digest = hashlib.sha256(b"text-align: right;").digest()
    own = ["'self'", "'unsafe-hashes'", f"'sha256-{base64.b64encode(digest).decode()}'"]
    assert rules["style-src"] == own


@pytest.mark.parametrize(
    "body",
    [
        '<p onclick="go()">',
        "<svg/onload=go()>",
        "<img src=x\nonerror = go()>",
        '<a href="javascript:go()">',
        '<a href=" JavaScript:go()">',
        '<a href="java&#115;cript:go()">',
        '<a href="&#x6a;avascript&colon;go()">',
        '<a href="java\tscript:go()">',
        '<form action="javascript:go()">',
    ],
)
def test_what_no_policy_would_let_run_is_an_error_that_names_the_page(body):
    with pytest.raises(SiteError, match=r"^posts/x/index\.html: .*policy\s+forbids"):
        finished(page(body), "posts/x/index.html")


def test_an_inline_script_in_the_story_is_an_error_that_tells_where_scripts_go():
    with pytest.raises(SiteError, match=r"x: there is an inline script.*extra_javascript"):
        finished(page("<article><script>go()</script></article>"), "x")


@pytest.mark.parametrize(
    "body",
    [
        '<p title="a > b onclick=x">the content="…" of javascript: links, onclick = …</p>',
        "<code>&lt;p onclick=&quot;go()&quot;&gt;</code>",
        '<a href="mail&#116;o&#58;me">mail</a>',
        '<a href="?q=javascript:x">search</a>',
    ],
)
def test_text_about_scripts_is_text(body):
    assert body.encode() in finished(page(body), "x")


def test_the_link_that_material_leaves_to_its_script_leads_nowhere():
    assert b'href="#"' in finished(page('<a href="javascript:void(0)" data-x>share</a>'), "x")
    quoted = '<code>&lt;a href="javascript:void(0)"&gt;</code>'
    assert quoted.encode() in finished(page(quoted), "x")


def test_a_video_host_is_one_host_and_nothing_more():
    assert frame_source(None) == "'none'"
    assert frame_source("https://www.youtube-nocookie.com/") == "https://www.youtube-nocookie.com"
    assert frame_source("video.example.org:8443") == "https://video.example.org:8443"
    for wrong in ("http://a.org", "https://a.org/path", "*", "a.org; script-src *", "'self'", 3):
        with pytest.raises(SiteError, match=r"extra\.video_host is .*one host"):
            frame_source(wrong)


def test_a_video_host_of_the_owner_stands_in_the_policy(root):
    config = root / "mkdocs.yml"
    config.write_text(config.read_text() + "  video_host: https://tube.example.org\n")
    home = (site.build(root) / "index.html").read_text()
    assert policy_of(home)["frame-src"] == ["https://tube.example.org"]


def test_links_to_the_code_lead_to_the_commit_that_was_built(root):
    link = '<a class="folio-code" href="https://git.example/me/it/tree/HEAD/projects/x">code</a>'
    other = '<a href="https://git.example/tree/HEAD/">not ours</a>'
    (root / "blog/docs/about.md").write_text(f"# About\n\n{link} {other}\n")
    assert "/tree/HEAD/projects/x" in (site.build(root) / "about/index.html").read_text()
    for command in (
        ["init", "-q"],
        ["add", "mkdocs.yml"],
        ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=root, check=True)
    built = (site.build(root) / "about/index.html").read_text()
    assert f"/tree/{finishing.head(root)}/projects/x" in built
    assert "git.example/tree/HEAD/" in built


def test_a_page_is_finished_in_less_than_a_millisecond(built):
    pages = [path.read_bytes() for path in built.rglob("*.html")]
    begun = time.process_time()
    for text in pages:
        finished(text, "x")
    assert (time.process_time() - begun) / len(pages) < 0.001


@pytest.mark.slow
def test_no_page_breaks_its_policy_and_its_scripts_work(browser, serving, built):
    with serving(built) as address:
        tab = browser.new_page()
        said: list[str] = []
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => console.error("
            "'violated', e.violatedDirective, e.blockedURI, e.sample))"
        )
        for path in sorted(built.rglob("*.html")):
            tab.goto(address + path.relative_to(built).as_posix().removesuffix("index.html"))
            tab.evaluate("new Promise(requestAnimationFrame)")
        tab.goto(address)
        before = tab.evaluate("document.body.dataset.mdColorScheme")
        for _ in range(2):
            tab.locator("[data-md-component=palette] label:visible").first.click()
        tab.locator("input[name=query]").click()
        tab.keyboard.type("pictogram")
        tab.locator(".md-search-result__link").first.wait_for()
        after = tab.evaluate("document.body.dataset.mdColorScheme")
        tab.goto(address + "posts/pictograms/")
        assert tab.evaluate("getComputedStyle(document.querySelector('td[style]')).textAlign") in (
            "right", "left", "center",
        )  # fmt: skip
        tab.close()
    assert said == []
    assert {before, after} <= {"default", "slate"}
    assert before != after
