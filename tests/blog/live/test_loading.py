"""From the button to the first answer: what is fetched, and what is said when that fails."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import numpy as np
import pytest

from models import cnn
from models.live import draw

THEME = Path(__file__).parents[3] / "blog" / "theme"
INTERPRETER = {"network", "layers", "convolutions", "recurrent", "activations"}


def alert(section) -> str:
    section.locator("[role=alert]").wait_for()
    return section.locator("[role=alert]").inner_text()


def requests(page) -> list[str]:
    """A list of what is asked of the network from now on, as paths from `live/` or `posts/`."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/me/")[2]))
    return asked


def test_until_the_button_is_pressed_only_what_every_network_needs_is_fetched(reader, posts):
    asked = requests(reader.page)
    reader.page.goto(posts["draw"], wait_until="networkidle")
    button = reader.page.get_by_role("button")
    assert button.inner_text() == "Load the network, 4 KB"
    expected = {"live/start.js", *(f"live/{name}.js" for name in INTERPRETER)}
    assert {each for each in asked if "live/" in each} == expected
    button.click()
    reader.page.locator(".folio-live__check").wait_for()
    assert {"live/draw.js", "live/network.js", "posts/draw/live/golden.bin"} <= set(asked)
    assert not [each for each in asked if each.startswith(("live/text", "live/form"))]


def test_a_reader_far_above_the_network_fetches_the_first_script_alone(reader, live_site, networks):
    address = live_site.add("far", networks.form())
    post = live_site.root / "posts" / "far" / "index.html"
    story = "<p>What the story says.</p>" * 100
    post.write_text(post.read_text("utf-8").replace("</h1>", f"</h1>{story}"), encoding="utf-8")
    asked = requests(reader.page)
    reader.page.goto(address, wait_until="networkidle")
    assert [each for each in asked if "live/" in each] == ["live/start.js"]
    with reader.page.expect_request("**/live/network.js"):
        reader.page.locator("#try").scroll_into_view_if_needed()


def test_a_browser_that_saves_data_fetches_nothing_ahead(reader, posts):
    reader.page.add_init_script(
        "Object.defineProperty(navigator.connection, 'saveData', {value: true})"
    )
    asked = requests(reader.page)
    reader.page.goto(posts["form"], wait_until="networkidle")
    assert [each for each in asked if "live/" in each] == ["live/start.js"]
    assert "Matches the trained network" in reader.load().inner_text()


def on_the_wire(file: Path) -> int:
    """How many bytes come for a text, compressed as web servers do."""
    return len(gzip.compress(file.read_bytes(), 6))


def imports(name: str) -> set[str]:
    """A module and all that it needs, by the imports in the files."""
    source = (THEME / "live" / f"{name}.js").read_text("utf-8")
    others = re.findall(r'^import .* from "\./(\w+)\.js";$', source, re.MULTILINE)
    return {name}.union(*map(imports, others))


@pytest.mark.parametrize("kind", ["draw", "form", "text", "sliders", "samples", "backprop"])
def test_a_press_asks_for_every_file_at_once_and_the_weights_first(reader, posts, kind):
    reader.page.goto(posts[kind], wait_until="networkidle")
    asked, held = requests(reader.page), []
    # No answer comes that could name another file.
    reader.page.route("**/live/*", lambda route: held.append(route))
    # Without a mouse that comes near before.
    reader.page.evaluate("document.querySelector('#try button').click()")
    needed = (imports(kind) | imports("widget")) - INTERPRETER
    for _ in range(100):
        if len(asked) >= len(needed) + 3:
            break
        reader.page.wait_for_timeout(20)
    names = [each.rpartition("live/")[2] for each in asked]
    assert names[:3] == ["model.bin", "model.json", "golden.bin"]
    assert sorted(names[3:]) == sorted(f"{name}.js" for name in needed)
    for route in held:
        route.continue_()
    reader.page.locator(".folio-live__check").wait_for()
    assert len(asked) == len(names)


def test_the_scripts_of_a_page_are_at_most_15_kb_on_the_wire_before_the_press():
    files = [*(THEME / "assets").glob("*.js"), THEME / "live" / "start.js"]
    files += [THEME / "live" / f"{name}.js" for name in INTERPRETER]
    assert sum(map(on_the_wire, files)) <= 15 * 1024


def test_a_network_as_large_as_the_icons_needs_at_most_120_kb_for_its_first_result():
    pytest.importorskip("keras")
    pictures = np.random.default_rng(0).random((8, 32, 32, 1)).astype("float32")
    made = draw(cnn.build((32, 32, 1), 20), list(range(20)), pictures, precision="int8")
    scripts = [THEME / "live" / f"{name}.js" for name in imports("draw") | imports("widget")]
    told = len(gzip.compress(json.dumps(made.description).encode(), 6))
    # At 1.6 Mbit/s and 150 ms, a second less two round trips and 0.1 s to compute and draw; the
    # interpreter, too, where it was not fetched ahead.
    most = (1.0 - 2 * 0.15 - 0.1) * 1.6e6 / 8
    assert len(made.weights) + len(made.golden) + told + sum(map(on_the_wire, scripts)) <= most


def test_nothing_moves_when_the_button_appears(reader, posts):
    where = "document.getElementById('after').getBoundingClientRect().top"
    reader.page.goto(posts["form"])
    reader.page.get_by_role("button").wait_for()
    with_button = reader.page.evaluate(where)
    reader.page.route(
        "**/start.js", lambda route: route.fulfill(body="", content_type="text/javascript")
    )
    reader.page.goto(posts["form"])
    assert reader.page.evaluate(where) == pytest.approx(with_button, abs=0.5)


def test_a_network_agrees_with_its_golden_vectors_and_says_how_well(reader, posts):
    section = reader.open(posts["sliders"])
    told = section.locator(".folio-live__check").inner_text()
    assert told.startswith("Matches the trained network ")
    assert "ms in this browser" in told
    assert section.get_by_role("button", name="Load the network").count() == 0
    # The keyboard goes on in the widget, not at the top of the page.
    assert reader.page.evaluate("document.activeElement.className") == "folio-live__widget"


def test_rounded_weights_are_told_beside_the_agreement(reader, live_site, networks):
    section = reader.open(live_site.add("rounded", networks.draw(precision="int8")))
    assert "580 parameters rounded to int8 ·" in section.inner_text()
    section = reader.open(live_site.add("whole", networks.draw()))
    assert "580 parameters ·" in section.inner_text()


def test_without_javascript_the_table_stands_there_and_no_button(browser, posts):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(posts["form"])
    assert page.locator(".folio-live__stage td").first.is_visible()
    assert page.get_by_role("button").count() == 0
    context.close()


def test_on_paper_the_table_stands_in_the_place_of_the_widget(reader, posts):
    section = reader.open(posts["form"])
    assert not section.locator(".folio-live__still").is_visible()
    reader.page.emulate_media(media="print")
    assert section.locator(".folio-live__still td").first.is_visible()
    assert not section.locator(".folio-live__widget").is_visible()


def test_two_networks_on_one_page_do_not_know_of_each_other(reader, live_site, networks):
    address = live_site.add("two", networks.form(), networks.draw())
    reader.open(address)
    second = reader.load("try-2")
    second.get_by_role("button", name="Clear").click()
    assert reader.page.locator("#try .folio-live__answers tbody tr").count() == 2
    ids = reader.page.locator("[id]").evaluate_all("all => all.map(each => each.id)")
    assert len(ids) == len(set(ids))


def test_a_page_that_material_puts_in_place_of_this_one_gets_its_button(reader, posts):
    reader.page.add_init_script("window.document$ = {subscribe(f) { window.navigated = f; f(); }}")
    reader.page.goto(posts["form"])
    reader.page.get_by_role("button").wait_for()
    reader.page.evaluate("""() => {
        const again = document.querySelector('section').cloneNode(true);
        again.querySelector('.folio-live__start').remove();
        again.classList.remove('folio-live--ready');
        document.querySelector('section').replaceWith(again);
        window.navigated();
    }""")
    reader.load()
    assert reader.page.locator(".folio-live__widget").count() == 1


@pytest.mark.parametrize("lost", ["model.json", "model.bin", "network.js", "text.js"])
def test_a_lost_connection_is_told_and_a_second_try_succeeds(reader, posts, lost):
    reader.page.route(f"**/{lost}", lambda route: route.abort())
    reader.page.goto(posts["text"])
    section = reader.page.locator("#try")
    section.get_by_role("button", name="Load").click()
    why = "the program did not load" if lost.endswith(".js") else f"{lost}: the connection failed"
    assert alert(section) == f"The network did not load ({why})."
    reader.page.unroute(f"**/{lost}")
    reader.complaints.clear()  # Chromium notes the request that failed
    section.get_by_role("button", name="Try again").click()
    section.locator(".folio-live__check").wait_for()
    assert section.locator("[role=alert]").count() == 0


def damage_gone(folder):
    (folder / "model.bin").unlink()


def damage_short(folder):
    file = folder / "model.bin"
    file.write_bytes(file.read_bytes()[:-4])


def damage_text(folder):
    (folder / "model.json").write_text("<!doctype html>")


def damage_format(folder):
    change(folder, lambda told: told.update(format=7))


def damage_layer(folder):
    change(folder, lambda told: told["layers"][0].update(op="attention<b>"))


def change(folder, how) -> None:
    told = json.loads((folder / "model.json").read_text())
    how(told)
    (folder / "model.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (damage_gone, "model.bin: the server answered 404"),
        (damage_short, "44 bytes long, not 48"),
        (damage_text, "model.json: not readable as JSON"),
        (damage_format, "model.json: format 7, this page reads 1"),
        (damage_layer, "attention<b>"),
    ],
)
def test_a_damaged_network_is_refused_with_its_fault(reader, live_site, networks, damage, why):
    address = live_site.add("damaged", networks.form())
    damage(live_site.root / "posts" / "damaged" / "live")
    reader.page.goto(address)
    section = reader.page.locator("#try")
    section.get_by_role("button").click()
    assert why in alert(section)
    assert section.locator(".folio-live__stage td").first.is_visible()  # the still table is back
    reader.complaints.clear()  # the 404


def test_a_network_that_computes_something_else_is_switched_off(reader, live_site, networks):
    network = networks.form()
    network.golden = network.golden[:-4] + b"\x00\x00\x80\x3f"  # the last answer is 1
    reader.page.goto(live_site.add("wrong", network))
    section = reader.page.locator("#try")
    section.get_by_role("button").click()
    told = alert(section)
    assert "does not compute what was trained" in told
    assert "differ by up to 0." in told
    assert section.get_by_label("Height (m)").first.is_disabled()
    assert not section.locator(".folio-live__answers").is_visible()
    assert section.locator(".folio-live__still td").first.is_visible()
    assert section.locator(".folio-live__check").count() == 0


def test_answers_that_are_no_numbers_switch_it_off_too(reader, live_site, networks):
    network = networks.draw()
    network.golden = b"\x00\x00\xc0\x7f" * (len(network.golden) // 4)  # no numbers
    reader.page.goto(live_site.add("off", network))
    section = reader.page.locator("#try")
    section.get_by_role("button").click()
    assert "switched off" in alert(section)
    assert section.locator(".folio-live__widget").evaluate("box => box.inert && box.disabled")


def test_without_golden_vectors_the_page_says_that_nothing_was_compared(
    reader, live_site, networks
):
    address = live_site.add("unchecked", networks.draw())
    (live_site.root / "posts/unchecked/live/golden.bin").unlink()
    section = reader.open(address)
    told = section.locator(".folio-live__check").inner_text()
    assert told.startswith(
        "Not compared with the trained network (golden.bin: the server answered 404)"
    )
    assert "Nothing is drawn yet" in section.inner_text()
    reader.complaints.clear()  # the 404


def test_a_slow_line_shows_how_far_it_is(reader, posts):
    held = []
    reader.page.route("**/model.bin", lambda route: held.append(route))
    reader.page.goto(posts["form"])
    section = reader.page.locator("#try")
    section.get_by_role("button").click()
    bar = section.get_by_role("progressbar")
    reader.wait("document.querySelector('progress')?.value > 0")  # model.json is there
    assert 0 < bar.evaluate("bar => bar.value / bar.max") < 1
    assert section.get_by_role("button").is_disabled()
    held[0].continue_()
    section.locator(".folio-live__check").wait_for()
    assert bar.count() == 0


def test_a_long_computation_goes_to_a_worker(reader, live_site, networks):
    reader.open(live_site.add("long", networks.draw(work=10**9)))
    assert reader.page.locator(".folio-live__widget").get_attribute("data-place") == "worker"
    assert len(reader.page.workers) == 1
    reader.page.get_by_role("button", name="Example 2").click()
    reader.wait("document.querySelector('.folio-live__answers th').textContent !== 'x'")
    answers = reader.answers(reader.page.locator("#try"))
    assert sum(answers.values()) == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("missing", ["Worker", "worker.js"])
def test_without_workers_it_is_computed_in_the_page(reader, live_site, networks, missing):
    address = live_site.add("unhired", networks.draw(work=10**9))
    if missing == "Worker":
        reader.page.add_init_script("delete window.Worker")
    else:
        reader.page.route("**/worker.js", lambda route: route.abort())
    section = reader.open(address)
    assert section.locator(".folio-live__widget").get_attribute("data-place") == "page"
    assert "Matches the trained network" in section.inner_text()
    reader.complaints.clear()


def test_what_came_along_with_the_page_is_not_fetched(reader, posts, live_site):
    folder = live_site.root / "posts" / "form" / "live"
    files = {
        "posts/form/live/model.json": (folder / "model.json").read_text(),
        "posts/form/live/model.bin": base64.b64encode((folder / "model.bin").read_bytes()).decode(),
        "posts/form/live/golden.bin": base64.b64encode(
            (folder / "golden.bin").read_bytes()
        ).decode(),
    }
    reader.page.add_init_script(f"window.folioLive = {{files: {json.dumps(files)}}}")
    asked = []
    reader.page.on("request", lambda request: asked.append(request.url))
    section = reader.open(posts["form"])
    assert "Matches the trained network" in section.inner_text()
    assert not [each for each in asked if "model" in each or "golden" in each]


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("form", "<img src=x onerror=alert(1)>"),
        ("form", "%E0%A4%A"),
        ("form", "a" * 100_000),
        ("form", "0~1e999;1~NaN;constructor~1;3~__proto__;3~9;2~m;99~1"),
        ("draw", "zz00.ff"),
        ("text", "9;9999;9999999999;<b>" + "x" * 600),
        ("sliders", "1e999,NaN,__proto__"),
        ("samples", "99999999999;9;99;99"),
        ("backprop", ",".join(["1e999"] * 9)),
    ],
)
def test_a_hostile_address_does_nothing(reader, posts, kind, state):
    section = reader.open(f"{posts[kind]}#try:{kind}={state}")
    assert "Matches the trained network" in section.inner_text()
    assert section.locator("img, b").count() == 0
    assert not {"NaN", "Infinity"} & set(section.inner_text().split())


def test_an_address_of_another_widget_is_not_read(reader, posts):
    section = reader.open(f"{posts['form']}#try:draw=1~4")
    assert section.get_by_label("engines").first.input_value() == "2"


def test_a_shared_address_says_so_and_waits_for_the_reader(reader, posts):
    reader.page.goto(f"{posts['form']}#try:form=1~4")
    row = reader.page.locator(".folio-live__start")
    assert "shared input" in row.inner_text()
    assert reader.page.locator(".folio-live__widget").count() == 0
    section = reader.load()
    assert section.get_by_label("engines").first.input_value() == "4"
