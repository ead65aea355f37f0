"""The slides of a proposal in a real browser: keys, notes, timer, paper, and everybody's access."""

from __future__ import annotations

import base64
import hashlib
import html
import re
from pathlib import Path

import pytest

from blog import slides
from blog.authors import Author
from blog.portfolio import Portfolio
from blog.site.finishing import finished

AXE = Path(__file__).parents[2] / ".cache/node/node_modules/axe-core/axe.min.js"
PLAN = """\
Rate $\\frac{a}{b}$, and with [a link](https://example.org/a), [one inside](../x.md):

| part | days |
| --- | ---: |
| test | 365 |

### Which days

```python
test = table[table.year == 2014]
```

<b onclick="alert(1)">bold</b> and ![a sketch](sketch.png)
"""
DOCUMENT = {
    "question": "Will it rain tomorrow?",
    "title": "Rain tomorrow",
    "date": "2026-11-25",
    "pilots": ["Brier .185, on other days."],
    "hypotheses": [
        {"name": f"h{n}", "claim": f"Claim {n} holds.", "test": f"brier of a below {n}, `answers`"}
        for n in range(1, 5)
    ],
    "sections": [
        ("", "Before the first heading.", ""),
        ("Plan", PLAN, "Speak *slowly*."),
        ("Long", "A sentence that goes on. " * 240, ""),
        ("Empty", "<!-- nobody answered -->", ""),
    ],
    "text": "",
}
SEAL = {"code": "F7KQ-2M9X-C4TD", "time": "2026-11-25T19:48:05+00:00"}
HEADINGS = [
    "Rain tomorrow", "Hypotheses (1 of 2)", "Hypotheses (2 of 2)", "Rain tomorrow", "Plan",
    "Long", "What was tried before", "The seal",
]  # fmt: skip
MADE = slides.slides(
    "rain", DOCUMENT, SEAL, [Author("Ada"), Author("Bob")], Portfolio(url="https://ada.example/")
)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """The slides on a disk, with the policy that a site adds to every page."""
    path = tmp_path_factory.mktemp("slides") / "slides.html"
    path.write_bytes(finished(MADE.encode(), "slides.html"))
    return path


def test_what_stands_between_backticks_in_a_pilot_is_code_and_harmless():
    told = slides.slides(
        "rain", DOCUMENT | {"pilots": ["by `folio run --quick`; `<b>x</b>`"]}, SEAL, [], Portfolio()
    )
    shown = "<code>folio run --quick</code>; <code>&lt;b&gt;x&lt;/b&gt;</code>"
    assert f"<li>by {shown}</li>" in told


@pytest.fixture
def opened(browser, file):
    """``opened(**context)`` opens the slides by their file; nothing may be said or asked for."""
    said, asked, contexts = [], [], []

    def opens(address: str = "", **options):
        context = browser.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(file.as_uri() + address)
        return page

    yield opens
    for context in contexts:
        context.close()
    assert said == []
    assert {url.partition("#")[0].partition("?")[0] for url in asked} <= {file.as_uri(), "data:,"}


def at(page) -> int:
    """The number of the only slide that shows."""
    (label,) = page.eval_on_selector_all(
        "main > .slide", "all => all.filter(one => one.checkVisibility()).map(one => one.ariaLabel)"
    )
    assert page.url.endswith(f"#{label.split()[0]}")
    return int(label.split()[0])


def test_first_question_then_hypotheses_a_slide_a_section_and_the_seal():
    told = re.findall(r'aria-label="(\d+) of 8: ([^"]*)"', MADE)
    assert told == [(str(n), heading) for n, heading in enumerate(HEADINGS, 1)]
    first, *_, last = re.findall(r"<section.*?</section>", MADE, re.DOTALL)
    for text in ("Will it rain tomorrow?", "Ada and Bob", "25 November 2026"):
        assert text in first
    assert MADE.count("<li><p>Claim") == 4
    assert "brier of a below 4, <code>answers</code></p>" in MADE
    assert "F7KQ-2M9X-C4TD" in last
    assert '<a href="../rain/">https://ada.example/proposals/rain/</a>' in last


def test_without_a_seal_the_last_slide_says_so_and_without_an_address_it_links_all_the_same():
    told = slides.slides("rain", DOCUMENT, None, [], Portfolio())
    assert "Not sealed yet" in told
    assert '<a href="../rain/">the proposal’s page</a>' in told
    assert "byline" not in told.partition("<body>")[2]


def test_markdown_is_kept_and_what_it_could_bring_along_is_not():
    told = slides.html_of(PLAN)
    assert "<mfrac>" in told
    assert '<td class="right">365</td>' in told
    assert "style=" not in told
    assert "<h2>Which days</h2>" in told
    assert '<a href="https://example.org/a" rel="noopener">a link</a>' in told
    assert "<span>one inside</span>" in told
    assert "&lt;b onclick=" in told
    assert "<em>a sketch</em>" in told
    assert slides.html_of("[x](javascript:alert(1)) <javascript:alert(1)>").count("<a") == 0


def test_its_own_policy_names_its_one_script_and_its_one_style_and_no_host():
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', MADE)
    policy = html.unescape(policy)
    for tag in ("script", "style"):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", MADE, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "http" not in policy


def test_keys_turn_the_slides_and_the_address_tells_which(opened):
    page = opened()
    keys = [
        ("ArrowRight", 2), (" ", 3), ("PageDown", 4), ("ArrowLeft", 3), ("Shift+Space", 2),
        ("PageUp", 1), ("ArrowLeft", 1), ("End", 8), ("ArrowRight", 8), ("Home", 1),
        ("ArrowDown", 2), ("ArrowUp", 1), ("Control+ArrowRight", 1),
    ]  # fmt: skip
    for key, number in keys:
        page.keyboard.press(key)
        assert at(page) == number, key
    page.keyboard.press("End")
    assert page.locator("#said").text_content() == "Slide 8 of 8: The seal"
    assert page.evaluate("document.activeElement.ariaLabel") == "8 of 8: The seal"
    page.evaluate("location.hash = '#5'")
    page.wait_for_function("document.getElementById('place').textContent === '5 / 8'")
    assert at(page) == 5
    assert at(opened("#3")) == 3
    assert at(opened("#300")) == 8
    assert at(opened("#x")) == 1


def test_buttons_edges_and_swipes_do_the_same(opened):
    page = opened(viewport={"width": 390, "height": 844}, has_touch=True)
    page.get_by_role("button", name="Next slide").click()
    assert at(page) == 2
    page.get_by_role("button", name="Previous slide").press("Enter")
    assert at(page) == 1
    assert page.evaluate("document.activeElement.dataset.do") == "back", "who types stays there"
    page.touchscreen.tap(380, 300)
    assert at(page) == 2
    page.touchscreen.tap(200, 300)
    assert at(page) == 2
    page.touchscreen.tap(10, 300)
    assert at(page) == 1
    page.evaluate(
        """() => {
          const main = document.querySelector("main");
          for (const [kind, x] of [["touchstart", 300], ["touchend", 120]]) {
            const touch = new Touch({ identifier: 1, target: main, clientX: x, clientY: 300 });
            const touches = kind === "touchstart" ? [touch] : [];
            main.dispatchEvent(new TouchEvent(kind, { touches, changedTouches: [touch] }));
          }
        }"""
    )
    assert at(page) == 2


def test_notes_show_when_asked_for(opened):
    page = opened("#5")
    notes = page.locator(".slide:not([hidden]) .notes")
    assert not notes.is_visible()
    page.keyboard.press("n")
    assert notes.inner_text() == "Speak slowly."
    assert page.locator("#notes").get_attribute("aria-pressed") == "true"
    page.keyboard.press("ArrowRight")
    assert notes.inner_text() == "No notes for this slide."
    page.keyboard.press("n")
    assert not notes.is_visible()


def test_the_timer_starts_stops_and_goes_back(opened):
    page = opened()
    page.clock.install()
    page.reload()
    told = page.locator("#elapsed")
    page.keyboard.press("t")
    page.clock.run_for(65_000)
    assert told.inner_text() == "1:05"
    assert page.locator("#timer").inner_text() == "Stop"
    page.keyboard.press("t")
    page.clock.run_for(60_000)
    assert told.inner_text() == "1:05"
    page.keyboard.press("t")
    page.clock.run_for(3_600_000)
    assert told.inner_text() == "1:01:05"
    page.keyboard.press("T")
    assert told.inner_text() == "0:00"


def test_help_lists_the_keys_and_full_screen_comes_and_goes(opened):
    page = opened()
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("ArrowRight")
    assert at(page) == 1, "the slide behind it stays"
    page.keyboard.press("Escape")
    assert not page.locator("dialog").is_visible()
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement")
    page.keyboard.press("f")
    page.wait_for_function("!document.fullscreenElement")


def test_a_second_window_shows_the_notes_and_both_go_together(opened):
    page = opened()
    with page.expect_popup() as popup:
        page.keyboard.press("w")
    other = popup.value
    other.wait_for_function("document.documentElement.classList.contains('noted')")
    page.keyboard.press("End")
    other.wait_for_function("location.hash === '#8'")
    other.keyboard.press("ArrowLeft")
    page.wait_for_function("location.hash === '#7'")
    assert at(page) == 7


def test_what_does_not_fit_gets_smaller_and_is_then_scrolled(opened):
    page = opened("#6", viewport={"width": 390, "height": 700})
    sheet = page.locator(".slide:not([hidden]) .sheet")
    assert sheet.get_attribute("class") == "sheet smaller"
    assert sheet.get_attribute("tabindex") == "0"
    page.keyboard.press("ArrowDown")
    assert at(page) == 6
    assert sheet.evaluate("sheet => sheet.scrollTop") > 0
    page.keyboard.press("ArrowLeft")
    assert sheet.get_attribute("class") != "sheet smaller"


def test_on_paper_a_slide_is_a_page_with_its_notes(opened, browser):
    short = [section for section in DOCUMENT["sections"] if section[0] != "Long"]
    page = browser.new_page()
    page.set_content(slides.slides("rain", DOCUMENT | {"sections": short}, SEAL, [], Portfolio()))
    pdf = page.pdf(prefer_css_page_size=True)
    page.close()
    assert len(re.findall(rb"/Type /Page\b", pdf)) == len(HEADINGS) - 1
    page = opened("#2", color_scheme="dark")
    page.emulate_media(media="print")
    assert page.locator(".slide:visible").count() == len(HEADINGS)
    assert page.locator(".notes:visible").all_inner_texts() == ["Speak slowly."]
    assert not page.locator(".bar").is_visible()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
        "rgb(251, 250, 247)"
    )


def test_without_javascript_all_slides_stand_below_each_other(opened):
    page = opened(java_script_enabled=False)
    assert page.locator(".slide:visible").count() == len(HEADINGS)
    assert page.get_by_text("Speak slowly.").is_visible()
    assert not page.locator(".bar").is_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390), ("dark", 1280)])
def test_axe_finds_nothing_wrong_and_nothing_is_wider_than_the_screen(opened, scheme, width):
    if not AXE.is_file():
        pytest.skip("axe-core is not installed")
    page = opened(viewport={"width": width, "height": 720}, color_scheme=scheme)
    page.evaluate(AXE.read_text())
    wrong = []

    def look(where: str) -> None:
        found = page.evaluate("async () => (await axe.run()).violations")
        wrong.extend(f"{where} {rule['id']}: {rule['nodes'][0]['html'][:120]}" for rule in found)
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    for number in (1, 2, 5, 6, 8):
        page.evaluate("hash => { location.hash = hash }", f"#{number}")
        page.wait_for_function(f"document.getElementById('place').textContent[0] === '{number}'")
        look(f"slide {number}")
    page.keyboard.press("n")
    look("notes")
    page.keyboard.press("?")
    look("help")
    assert wrong == []
