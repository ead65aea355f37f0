"""The pad: drawn on by mouse, finger and keyboard; shown to the network as training showed it."""

from __future__ import annotations

import numpy as np
import pytest


def softmax(z):
    powers = np.exp(z - z.max())
    return powers / powers.sum()


def seen(reader) -> np.ndarray:
    return reader.pixels(reader.page.locator(".folio-live__seen"))[..., 0]


def clear(section) -> None:
    section.get_by_role("button", name="Clear").click()


def answered(reader) -> None:
    reader.wait("document.querySelector('[aria-busy=false] td') !== null")


def stroke(reader, *points: tuple[float, float]) -> None:
    """Draw with the mouse through points counted in parts of the pad."""
    box = reader.page.locator(".folio-live__pad").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    reader.page.mouse.move(*places[0])
    reader.page.mouse.down()
    for place in places[1:]:
        reader.page.mouse.move(*place, steps=8)
    reader.page.mouse.up()


def test_the_answer_is_that_of_the_picture_shown(reader, posts, networks):
    section = reader.open(posts["draw"])
    clear(section)
    stroke(reader, (0.2, 0.3), (0.8, 0.3), (0.5, 0.9))
    answered(reader)
    picture = seen(reader)
    shares = softmax(networks.draw().answer(picture)[0])
    answers = reader.answers(section)
    names = ["arrow", "bell <b>", "cup & saucer", "door"]
    expected = sorted(zip(names, shares, strict=True), key=lambda pair: -pair[1])[:3]
    assert list(answers) == [name for name, _ in expected]
    # The picture is read back with 256 levels of grey.
    assert list(answers.values()) == pytest.approx([share for _, share in expected], abs=0.05)


def test_a_small_drawing_in_a_corner_is_fitted_and_centred(reader, posts):
    section = reader.open(posts["draw"])
    clear(section)
    stroke(reader, (0.05, 0.05), (0.25, 0.05), (0.25, 0.25), (0.05, 0.25), (0.05, 0.05))
    answered(reader)
    ink = 1 - seen(reader)
    rows, columns = np.nonzero(ink > 0.3)
    assert rows.min() == columns.min() == 1  # a margin of 0.1 of 12 pixels
    assert rows.max() == columns.max() == 10
    centre = (ink * (np.arange(12) + 0.5)).sum() / ink.sum()
    assert centre == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("centre", ["box", "mass"])
def test_a_lopsided_drawing_is_centred_as_in_training(reader, live_site, networks, centre):
    network = networks.draw()
    network.description["widget"]["centre"] = centre
    section = reader.open(live_site.add("centred", network))
    clear(section)
    stroke(reader, (0.3, 0.1), (0.3, 0.8))  # a tall line, and a short way to the right
    stroke(reader, (0.3, 0.5), (0.6, 0.5))
    answered(reader)
    ink = 1 - seen(reader)
    middle = (ink * (np.arange(12) + 0.5)).sum() / ink.sum()
    _, columns = np.nonzero(ink > 0.5)
    if centre == "box":
        assert columns.min() + columns.max() == pytest.approx(11, abs=1)
        assert middle < 5.3
    else:
        assert middle == pytest.approx(6, abs=0.05)
        assert columns.min() + columns.max() > 12


def test_a_drawing_that_training_did_not_fit_stays_where_it_is(reader, live_site, networks):
    network = networks.draw()
    network.description["widget"] |= {"centre": "none", "background": 0.0, "ink": 1.0}
    section = reader.open(live_site.add("unfitted", network))
    clear(section)
    stroke(reader, (0.1, 0.1), (0.2, 0.1))
    answered(reader)
    ink = seen(reader)  # white on black
    assert ink[:3, :4].sum() == pytest.approx(ink.sum())
    assert ink[1, 1] > 0.5


def test_an_empty_pad_is_refused_with_a_sentence(reader, posts):
    section = reader.open(posts["draw"])
    clear(section)
    section.get_by_text("Nothing is drawn yet").first.wait_for()
    assert reader.answers(section) == {}
    stroke(reader, (0.5, 0.5), (0.6, 0.6))
    answered(reader)
    section.get_by_role("button", name="Undo").click()
    section.get_by_text("Nothing is drawn yet").first.wait_for()


def test_examples_show_the_pictures_of_the_golden_vectors(reader, posts, networks):
    section = reader.open(posts["draw"])
    network = networks.draw()
    section.get_by_role("button", name="Example 3: cup & saucer").click()
    picture = np.ones((12, 12))
    picture[5, 2:10] = picture[2:10, 7] = 0
    reader.wait("location.hash.endsWith('=e2')")
    assert (seen(reader) == picture).all()
    best = softmax(network.answer(picture)[0]).max()
    assert max(reader.answers(section).values()) == pytest.approx(best, abs=0.001)
    stroke(reader, (0.1, 0.1), (0.4, 0.4))  # a stroke takes the example's place
    reader.wait("!location.hash.endsWith('=e2')")
    assert not (seen(reader) == picture).all()


def test_a_drawing_survives_a_reload(reader, posts):
    section = reader.open(posts["draw"])
    clear(section)
    stroke(reader, (0.2, 0.3), (0.7, 0.35), (0.5, 0.8))
    stroke(reader, (0.5, 0.5), (0.5, 0.5))
    reader.wait("/=[0-9a-f]{8,}[.][0-9a-f]{4,}$/.test(location.hash)")
    before, answers = seen(reader), reader.answers(section)
    reader.page.reload()
    section = reader.load()
    answered(reader)
    assert (seen(reader) == before).all()
    assert reader.answers(section) == answers


def test_a_finger_draws(phone, posts):
    section = phone.open(posts["draw"])
    section.get_by_role("button", name="Clear").tap()
    section.get_by_text("Nothing is drawn yet").first.wait_for()
    pad = phone.page.locator(".folio-live__pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    touch = phone.page.context.new_cdp_session(phone.page)
    scrolled = phone.page.evaluate("scrollY")

    def send(kind: str, *parts: tuple[float, float]) -> None:
        points = [
            {"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in parts
        ]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (0.2, 0.2))
    for step in range(1, 9):
        send("touchMove", (0.2, 0.2 + 0.07 * step))
    send("touchEnd")
    answered(phone)
    phone.wait("/=[0-9a-f]{16,}$/.test(location.hash)")
    assert phone.page.evaluate("scrollY") == scrolled
    ink = 1 - phone.pixels(phone.page.locator(".folio-live__seen"))[..., 0]
    assert ink[:, 5:7].sum() > 0.9 * ink.sum()  # one upright line in the middle


def test_the_keyboard_draws_takes_back_and_clears(reader, posts):
    section = reader.open(posts["draw"])
    keyboard = reader.page.keyboard
    pad = reader.page.get_by_role("application", name="Drawing pad")
    pad.focus()
    keyboard.press("Delete")
    section.get_by_text("Nothing is drawn yet").first.wait_for()
    keyboard.press("Space")
    for _ in range(8):
        keyboard.press("ArrowRight")
    keyboard.press("Space")
    answered(reader)
    reader.wait("/=[0-9a-f]{30,}$/.test(location.hash)")
    ink = 1 - seen(reader)
    assert ink[5:7].sum() > 0.9 * ink.sum()  # one level line in the middle
    # The pen is seen where it is: a ring in the rubric's colour.
    ring = pad.evaluate("""pad => {
        const { data } = pad.getContext('2d').getImageData(0, 0, pad.width, pad.height);
        let found = 0;
        for (let i = 0; i < data.length; i += 4) found += data[i] > 150 && data[i + 1] < 120;
        return found;
    }""")
    assert ring > 50
    keyboard.press("Backspace")
    section.get_by_text("Nothing is drawn yet").first.wait_for()
    hint = reader.page.locator(f"[id='{pad.get_attribute('aria-describedby')}']")
    assert "arrows move the pen" in hint.inner_text()


def test_what_the_network_says_is_announced(reader, posts):
    section = reader.open(posts["draw"])
    section.get_by_role("button", name="Example 1").click()
    region = section.locator("[aria-live=polite]")
    reader.wait("document.querySelector('[aria-live]').textContent.includes('%')")
    assert region.inner_text().split(", ")[0] == next(iter(reader.answers(section)))
