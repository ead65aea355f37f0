"""Pictures that a decoder or a generator makes: by sliders, and by seeds."""

from __future__ import annotations

import numpy as np
import pytest


def picture(reader) -> np.ndarray:
    return reader.pixels(reader.page.locator(".folio-live__picture"))


def levels(shares) -> np.ndarray:
    """What 256 levels of grey are left of shares from 0 to 1."""
    return np.round(255 * np.asarray(shares)) / 255


def test_the_picture_is_the_decoder_s(reader, posts, networks):
    section = reader.open(posts["sliders"])
    expected = networks.sliders().answer(np.array([0, 0.5, 0.25]))[0].reshape(8, 8)
    assert picture(reader)[..., 0] == pytest.approx(expected, abs=0.003)
    labels = section.locator("label").all_inner_texts()
    assert labels == ["Code 3, the strongest", "Code 1", "Code 2"]


def test_a_slider_changes_its_code(reader, posts, networks):
    section = reader.open(posts["sliders"])
    reader.page.keyboard.press("Tab")  # Wander
    section.get_by_role("slider", name="Code 1").focus()
    reader.page.keyboard.press("End")
    section.get_by_label("Code 3, the strongest").first.fill("-0.5")
    reader.wait("location.hash.endsWith('3%2C0.5%2C-0.5')")
    expected = networks.sliders().answer(np.array([3, 0.5, -0.5]))[0].reshape(8, 8)
    assert picture(reader)[..., 0] == pytest.approx(expected, abs=0.003)
    before = picture(reader)
    reader.page.reload()
    section = reader.load()
    assert (picture(reader) == before).all()
    section.get_by_role("button", name="Reset").click()
    reader.wait("location.hash.endsWith('0%2C0.5%2C0.25')")


def test_an_example_s_codes_come_from_the_data(reader, posts, networks):
    section = reader.open(posts["sliders"])
    section.get_by_role("button", name="Example 2").click()
    codes = networks.sliders().description["widget"]["examples"][1]
    reader.wait("location.hash.length > 10")
    expected = networks.sliders().answer(np.array(codes))[0].reshape(8, 8)
    assert picture(reader)[..., 0] == pytest.approx(expected, abs=0.003)
    assert float(section.get_by_label("Code 1").first.input_value()) == codes[0]


def test_wandering_moves_until_it_is_told_to_stop(reader, posts):
    section = reader.open(posts["sliders"])
    wander = section.get_by_role("button", name="Wander")
    begun = picture(reader)
    wander.click()
    assert wander.get_attribute("aria-pressed") == "true"
    reader.wait("Number(document.querySelector('[type=range]').value) !== 0.25")
    wander.click()
    assert wander.get_attribute("aria-pressed") == "false"
    reader.page.wait_for_timeout(60)
    still = picture(reader)
    assert (still != begun).any()
    reader.page.wait_for_timeout(60)
    assert (picture(reader) == still).all()


def test_who_wants_no_motion_gets_one_picture_at_a_time(browser, live_site, posts):
    context = browser.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(posts["sliders"])
    page.get_by_role("button", name="Load").click()
    page.locator(".folio-live__check").wait_for()
    wander = page.get_by_role("button", name="Wander")
    wander.click()
    assert wander.get_attribute("aria-pressed") == "false"
    value = page.locator("[type=range]").first.input_value()
    page.wait_for_timeout(100)
    assert page.locator("[type=range]").first.input_value() == value
    context.close()


def test_a_finger_moves_the_strongest_code(phone, posts):
    section = phone.open(posts["sliders"])
    rail = section.get_by_role("slider", name="Code 3")
    rail.scroll_into_view_if_needed()
    box = rail.bounding_box()
    phone.page.touchscreen.tap(box["x"] + 12, box["y"] + box["height"] / 2)
    phone.wait("Number(location.hash.split('%2C')[2]) < -0.8")


def sheet(reader) -> list[np.ndarray]:
    canvases = reader.page.locator(".folio-live__cell canvas")
    return [reader.pixels(canvases.nth(number)) for number in range(canvases.count())]


def test_the_sheet_is_the_generator_s_for_documented_noise(reader, posts, networks):
    reader.open(posts["samples"])
    noises = reader.page.evaluate("""async () => {
        const { noises } = await import("../../live/samples.js");
        return noises(1, 12, 4).map((noise) => [...noise]);
    }""")
    pictures = sheet(reader)
    assert len(pictures) == 12
    for noise, found in zip(noises, pictures, strict=True):
        values = networks.samples().answer(np.array(noise), np.array([0]))[0]
        assert found == pytest.approx((values.reshape(8, 8, 3) + 1) / 2, abs=0.003)


def test_noise_is_normal_and_the_same_for_the_same_seed(reader, posts):
    reader.page.goto(posts["samples"])
    first, again, other, uniform = reader.page.evaluate("""async () => {
        const { noises } = await import("../../live/samples.js");
        const { uniform } = await import("../../live/chance.js");
        const draw = uniform(0);
        const flat = (seed, count) => noises(seed, count, 100).flatMap((noise) => [...noise]);
        return [flat(3, 200), flat(3, 2), flat(4, 200), [draw(), draw(), draw()]];
    }""")
    assert first[:200] == again
    assert first != other
    assert np.mean(first) == pytest.approx(0, abs=0.03)
    assert np.std(first) == pytest.approx(1, abs=0.03)
    assert np.mean(np.abs(first) > 1.96) == pytest.approx(0.05, abs=0.01)
    # mulberry32 of seed 0, as its author's program in C gives it.
    assert [round(each * 2**32) for each in uniform] == mulberry32(0, 3)


def mulberry32(state: int, count: int) -> list[int]:
    numbers = []
    for _ in range(count):
        state = (state + 0x6D2B79F5) % 2**32
        z = ((state ^ (state >> 15)) * (state | 1)) % 2**32
        z ^= (z + (z ^ (z >> 7)) * (z | 61)) % 2**32
        numbers.append((z ^ (z >> 14)) % 2**32)
    return numbers


def test_a_class_and_a_seed_make_other_pictures_and_survive_a_reload(reader, posts):
    section = reader.open(posts["samples"])
    first = sheet(reader)
    section.get_by_label("Class").select_option("dress")
    reader.wait("document.querySelector('[aria-live]').textContent.endsWith('dress')")
    dresses = sheet(reader)
    assert (dresses[0] != first[0]).any()
    section.get_by_role("button", name="New seed").click()
    reader.wait("!location.hash.startsWith('#try:samples=1%3B')")
    reader.wait("!document.querySelector('[aria-live]').textContent.includes('seed 1,')")
    new = sheet(reader)
    assert (new[0] != dresses[0]).any()
    reader.page.reload()
    reader.load()
    assert all((a == b).all() for a, b in zip(sheet(reader), new, strict=True))


def test_two_chosen_pictures_are_walked_between(reader, posts):
    section = reader.open(posts["samples"])
    pictures = sheet(reader)
    way = section.get_by_label("From the one to the other")
    assert not way.is_visible()
    section.get_by_role("button", name="Picture 5").click()
    assert section.get_by_role("button", name="Picture 5").get_attribute("aria-pressed") == "true"
    way.fill("1")
    reader.page.wait_for_timeout(50)
    assert (picture(reader) == pictures[4]).all()
    way.fill("0")
    reader.page.wait_for_timeout(50)
    assert (picture(reader) == pictures[0]).all()
    way.focus()
    reader.page.keyboard.press("PageUp")
    reader.page.wait_for_timeout(50)
    assert (picture(reader) != pictures[0]).any()


def test_halfway_is_as_long_as_its_ends(reader, posts):
    reader.page.goto(posts["samples"])
    lengths = reader.page.evaluate("""async () => {
        const { between } = await import("../../live/samples.js");
        const [from, to] = [Float32Array.of(3, 0, 0), Float32Array.of(0, 0, 3)];
        return [0, 0.25, 0.5, 1].map((part) => Math.hypot(...between(from, to, part)));
    }""")
    assert lengths == pytest.approx([3, 3, 3, 3], abs=1e-5)


def test_a_finger_chooses_a_picture(phone, posts):
    section = phone.open(posts["samples"])
    section.get_by_role("button", name="Picture 2", exact=True).tap()
    assert section.get_by_label("From the one to the other").is_visible()
