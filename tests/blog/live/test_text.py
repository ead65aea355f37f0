"""The prompt: what is read, what is written after it, and that the same seed writes the same."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

SYMBOLS = ["a", "b", "c", " ", "\n"]
NAMES = ["� unknown", "a", "b", "c", "␣ blank", "↵ new line"]


def after(networks, prompt: str) -> np.ndarray:
    """The probabilities after a prompt, by NumPy."""
    state = np.zeros(4)
    numbers = [SYMBOLS.index(each) + 1 if each in SYMBOLS else 0 for each in prompt] or [0]
    for number in numbers:
        shares, state = networks.text().answer(np.array([number]), state)
    return shares


def written(section) -> str:
    return section.locator(".folio-live__written span").nth(1).text_content()


def write(reader, section, button: str = "Write") -> str:
    section.get_by_role("button", name=button, exact=True).click()
    reader.wait("""[...document.querySelectorAll('button')].find((each) =>
        each.textContent === 'Stop').disabled""")
    return written(section)


def test_the_likeliest_next_symbols_are_those_after_the_prompt(reader, posts, networks):
    section = reader.open(posts["text"])
    shares = after(networks, "abc")
    order = np.argsort(-shares)
    answers = reader.answers(section)
    assert list(answers) == [NAMES[number] for number in order]
    assert list(answers.values()) == pytest.approx(shares[order], abs=6e-4)


def test_at_temperature_0_the_likeliest_symbol_is_written_each_time(reader, posts, networks):
    section = reader.open(posts["text"])
    section.get_by_label("Temperature").first.fill("0")
    section.get_by_label("Characters").first.fill("12")
    text = "abc"
    for _ in range(12):
        text += SYMBOLS[int(after(networks, text)[1:].argmax())]
    assert write(reader, section) == text[3:]
    assert section.locator(".folio-live__written").text_content() == text


def test_the_same_seed_writes_the_same_text_and_another_another(reader, posts):
    section = reader.open(posts["text"])
    first = write(reader, section)
    assert len(first) == 60
    assert write(reader, section) == first
    section.get_by_label("Seed").fill("2")
    second = write(reader, section)
    assert second != first
    section.get_by_label("Seed").fill("1")
    assert write(reader, section) == first


def test_continue_goes_on_as_if_it_had_not_stopped(reader, posts):
    section = reader.open(posts["text"])
    section.get_by_label("Characters").first.fill("30")
    write(reader, section)
    both = write(reader, section, "Continue")
    assert len(both) == 60
    section.get_by_label("Characters").first.fill("60")
    assert write(reader, section) == both


def test_symbols_are_drawn_by_their_probabilities_and_never_the_unknown(reader, posts, networks):
    reader.page.goto(posts["text"])
    shares = [0.5, 0.3, 0.15, 0.05, 0.0, 0.0]
    drawn = reader.page.evaluate(
        """async (shares) => {
            const { draw } = await import("../../live/text.js");
            const { uniform } = await import("../../live/chance.js");
            const chance = uniform(7);
            return Array.from({ length: 20000 }, () => draw(shares, 0.5, chance));
        }""",
        shares,
    )
    counts = Counter(drawn)
    assert set(counts) == {1, 2, 3}
    powers = np.array([0.3, 0.15, 0.05]) ** 2  # p to the power of 1 / temperature
    expected = powers / powers.sum()
    found = [counts[number] / 20000 for number in (1, 2, 3)]
    assert found == pytest.approx(expected, abs=0.01)


def test_what_training_did_not_hold_is_shown_as_such(reader, posts, networks):
    section = reader.open(posts["text"])
    field = section.get_by_label("Prompt")
    field.fill("a<i>é\U0001f989")
    hint = reader.page.locator(f"[id='{field.get_attribute('aria-describedby')}']")
    assert hint.inner_text() == "Not known from training, and read as �: <, i, >, é, \U0001f989"
    section.get_by_label("Temperature").first.fill("0")
    section.get_by_label("Characters").first.fill("1")
    best = SYMBOLS[int(after(networks, "a<i>é\U0001f989")[1:].argmax())]
    assert write(reader, section) == best


def test_stop_stops_and_the_page_is_not_blocked_meanwhile(reader, posts):
    section = reader.open(posts["text"])
    # Each symbol takes longer than a frame, as with a large network.
    reader.page.evaluate("""() => {
        const now = performance.now.bind(performance);
        let extra = 0;
        performance.now = () => now() + (extra += 20);
    }""")
    section.get_by_label("Characters").first.fill("2000")
    section.get_by_role("button", name="Write").click()
    reader.wait("document.querySelectorAll('.folio-live__written span')[1].textContent.length > 20")
    section.get_by_role("button", name="Stop").click()
    text = written(section)
    assert 20 < len(text) < 2000
    reader.page.wait_for_timeout(60)
    assert written(section) == text
    assert section.get_by_role("button", name="Continue").is_enabled()


def test_the_text_ends_before_the_stop(reader, live_site, networks):
    section = reader.open(live_site.add("stop", networks.text(stop="ba", length=500)))
    text = write(reader, section)
    assert "ba" not in text
    assert len(text) < 500


def test_words_are_set_apart_by_blanks(reader, live_site, networks):
    words = ["the", "owl", "flew", "at", "night"]
    network = networks.text(unit="word", symbols=words, prompt="the owl", length=5)
    section = reader.open(live_site.add("words", network))
    text = write(reader, section)
    assert len(text.split(" ")) == 5
    assert set(text.split(" ")) <= set(words)
    assert section.locator(".folio-live__written").text_content() == f"the owl {text}"


def test_a_prompt_survives_a_reload(reader, posts):
    section = reader.open(posts["text"])
    section.get_by_label("Prompt").fill("ab;(c)\n%41 &")
    section.get_by_label("Temperature").first.fill("1.25")
    section.get_by_label("Seed").fill("77")
    reader.wait("location.hash.includes('77')")
    before = write(reader, section)
    reader.page.reload()
    section = reader.load()
    assert section.get_by_label("Prompt").input_value() == "ab;(c)\n%41 &"
    assert write(reader, section) == before


def test_the_keyboard_writes_and_what_is_written_is_announced(reader, posts):
    section = reader.open(posts["text"])
    reader.page.keyboard.press("Tab")
    reader.page.keyboard.type(" b")
    section.get_by_role("button", name="Write").focus()
    reader.page.keyboard.press("Enter")
    reader.wait("document.querySelector('[aria-live]').textContent.startsWith('Written: ')")
    assert section.locator(".folio-live__prompt").text_content() == "abc b"


def test_a_finger_writes(phone, posts):
    section = phone.open(posts["text"])
    section.get_by_role("button", name="New seed").tap()
    phone.wait("document.querySelectorAll('.folio-live__written span')[1].textContent.length >= 60")
    assert section.get_by_label("Seed").input_value() != "1"
