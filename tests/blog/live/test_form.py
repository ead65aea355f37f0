"""The form: a row of the table typed in, encoded as in training."""

from __future__ import annotations

import numpy as np
import pytest


def chance(networks, row) -> float:
    return float(networks.form().answer(np.array(row, dtype="float32"))[0][0])


def shown(reader, section) -> float:
    return reader.answers(section)["damage"]


def test_the_form_begins_with_what_is_typical(reader, posts, networks):
    section = reader.open(posts["form"])
    assert section.get_by_label("Height (m)").first.input_value() == "12.5"
    assert section.get_by_label("engines").first.input_value() == "2"
    expected = chance(networks, [12.5, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0])
    assert shown(reader, section) == pytest.approx(expected, abs=6e-4)
    assert reader.answers(section)["no damage"] == pytest.approx(1 - expected, abs=6e-4)


def test_every_kind_of_field_is_encoded_as_in_training(reader, posts, networks):
    section = reader.open(posts["form"])
    section.get_by_label("Height (m)").first.fill("")  # not known: the median stands in
    section.get_by_label("engines").first.fill("4")
    section.get_by_label("night").select_option("not known")
    section.get_by_label("bird").select_option("owl")
    section.get_by_label("warned").select_option("not known")
    expected = chance(networks, [12.5, 1, 4, 0, 1, 0, 0, 1, 0, 0, 1])
    reader.wait("location.hash.includes('4~m')")
    assert shown(reader, section) == pytest.approx(expected, abs=6e-4)
    section.get_by_label("bird").select_option("other")
    section.get_by_label("night").select_option("yes")
    expected = chance(networks, [12.5, 1, 4, 1, 0, 0, 0, 0, 1, 0, 1])
    reader.wait("location.hash.includes('3~o')")
    assert shown(reader, section) == pytest.approx(expected, abs=6e-4)


def test_the_encoding_is_that_of_columns(reader, posts):
    """The same rows through `Columns.matrix` and through the page."""
    pandas = pytest.importorskip("pandas")
    from models import tabular

    rng = np.random.default_rng(0)
    table = pandas.DataFrame(
        {
            "height": rng.normal(30, 9, 60).round(1),
            "engines": rng.integers(1, 5, 60),
            "night": rng.random(60) < 0.4,
            "bird": rng.choice(["owl", "kite", "gull"], 60),
        }
    )
    table.loc[:9, "height"] = None
    table.loc[5:14, "bird"] = None
    table.loc[15:18, "bird"] = ["hen", "duck", "swan", "rook"]
    table.loc[20:22, "bird"] = "crow"
    columns = tabular.columns(
        table, numbers=["height", "engines", "night"], categories=["bird"], rare=5
    )
    rows = [
        {"height": None, "engines": 2, "night": True, "bird": "crow"},
        {"height": 12.3, "engines": 9, "night": False, "bird": None},
        {"height": -4, "engines": 1, "night": True, "bird": "owl"},
    ]
    reader.page.goto(posts["form"])
    encoded = reader.page.evaluate(
        """async ([fields, rows, width]) => {
            const { encode } = await import("../../live/form.js");
            return rows.map((row) => [...encode(fields, new Map(Object.entries(row)), width)]);
        }""",
        [columns.fields(), rows, len(columns.features)],
    )
    frame = pandas.DataFrame(rows).astype({"night": bool})
    np.testing.assert_array_equal(np.array(encoded, dtype="float32"), columns.matrix(frame))


def test_a_value_beyond_training_is_taken_and_flagged(reader, posts, networks):
    section = reader.open(posts["form"])
    field = section.get_by_label("Height (m)").first
    hint = reader.page.locator(f"[id='{field.get_attribute('aria-describedby')}']")
    assert hint.inner_text() == "In training 0 to 80; empty if not known"
    field.fill("120")
    assert hint.inner_text() == "Beyond what training saw: 0 to 80"
    reader.wait("location.hash.includes('0~120')")
    expected = chance(networks, [120, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0])
    assert shown(reader, section) == pytest.approx(expected, abs=6e-4)
    field.fill("")
    assert hint.inner_text() == "Not known: 12.5, the median of training, stands in."


def test_examples_fill_the_form_and_reset_empties_it(reader, posts, networks):
    section = reader.open(posts["form"])
    begun = shown(reader, section)
    section.get_by_role("button", name="Example 2").click()
    reader.wait("location.hash.includes('3~o')")  # a dodo is one of the others
    assert section.get_by_label("Height (m)").first.input_value() == ""
    assert section.get_by_label("bird").evaluate("s => s.selectedOptions[0].text") == "other"
    section.get_by_role("button", name="Reset").click()
    reader.wait("location.hash.endsWith('form=')")
    assert shown(reader, section) == begun


def test_a_filled_form_survives_a_reload(reader, posts):
    section = reader.open(posts["form"])
    section.get_by_label("Height (m)").first.fill("-3.25")
    section.get_by_label("bird").select_option("kite")
    reader.wait("location.hash.includes('3~1')")
    before = reader.answers(section)
    reader.page.reload()
    section = reader.load()
    assert section.get_by_label("Height (m)").first.input_value() == "-3.25"
    assert reader.answers(section) == before


def test_the_keyboard_goes_through_the_fields(reader, posts):
    section = reader.open(posts["form"])
    begun = shown(reader, section)
    reader.page.keyboard.press("Tab")
    assert reader.page.evaluate("document.activeElement.type") == "number"
    reader.page.keyboard.press("Tab")
    for _ in range(40):
        reader.page.keyboard.press("ArrowRight")
    assert section.get_by_label("Height (m)").first.input_value() == "53"
    reader.wait("location.hash.includes('0~53')")
    assert shown(reader, section) != begun


def test_a_finger_moves_a_slider(phone, posts):
    section = phone.open(posts["form"])
    rail = section.get_by_role("slider", name="engines")
    rail.scroll_into_view_if_needed()
    box = rail.bounding_box()
    phone.page.touchscreen.tap(box["x"] + box["width"] - 12, box["y"] + box["height"] / 2)
    phone.wait("location.hash.includes('1~4')")
    assert section.get_by_label("engines").first.input_value() == "4"


def test_a_regression_shows_a_number_with_its_unit(reader, live_site, networks):
    network = networks.form(answer="number", classes=None, asked="Wing span", unit="cm")
    section = reader.open(live_site.add("regression", network))
    expected = chance(networks, [12.5, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0])
    assert section.locator(".folio-live__title").inner_text() == "Wing span"
    value, unit = section.locator(".folio-live__number").inner_text().split()
    assert (float(value), unit) == (pytest.approx(expected, abs=1e-4), "cm")
