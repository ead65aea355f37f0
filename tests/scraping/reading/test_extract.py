"""Values out of pages, and what is said when they are not there."""

from __future__ import annotations

import datetime
import io
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from scraping import attr, date, html_table, image, number, pixels, text
from scraping.errors import BadValue, Misuse, NotFound
from scraping.net.fetch import Response
from scraping.reading.page import Page
from scraping.records.archive import Archive

SOURCE = """<h1>  A
  wren </h1><a class="more now" href="/wren">more</a><p class=price>€ 1,234.50</p>
<dl><dt>Seen</dt><dd class=seen><time datetime="2026-03-04T05:06:07Z">March</time></dd>
<dd class=plain>2026-05-06</dd><dd class=german>7.8.2026</dd></dl>
<table><tr><th>Bird</th><th>Grams</th></tr><tr><td>Wren</td><td>9.5</td></tr></table>
<img class=good src="wren.png"><img class=lost src="lost.png"><img class=bad src="bad.png">"""


def file_of(picture: Image.Image, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


@pytest.fixture
def page(tmp_path):
    archive = Archive(tmp_path)
    media = {"http://h/birds/lost.png": "404 Not Found"}
    for name, body in (("wren", file_of(Image.new("L", (4, 4), 128))), ("bad", b"\x89PNG broken")):
        url = f"http://h/birds/{name}.png"
        media[url] = archive.add(Response(url, 200, "OK", [], body, body, "now"))
    archive.close()
    body = SOURCE.encode()
    return Page(Response("http://h/birds/wren", 200, "OK", [], body, body, "now"), media, tmp_path)


def test_text_is_one_line(page):
    assert text(page, "h1") == "A wren"
    assert text(page.select_one("dl"), "dd.plain") == "2026-05-06"
    assert text(page.select_one("h1")) == "A wren"


def test_an_attribute_is_text_also_when_it_holds_several_words(page):
    assert attr(page, "a", "href") == "/wren"
    assert attr(page, "a", "class") == "more now"
    assert attr(page, "a", "title", default=None) is None
    with pytest.raises(NotFound, match=r"a\[title\].*the match is <a class="):
        attr(page, "a", "title")


def test_what_is_missing_is_named_with_page_selector_and_what_is_there(page):
    with pytest.raises(NotFound) as caught:
        text(page, "dl > dd.colour")
    said = str(caught.value)
    for part in ("http://h/birds/wren", "'dl > dd.colour'", "'dl' matches <dl>", "default="):
        assert part in said


@pytest.mark.parametrize(
    ("selector", "words"), [("p.cost", "the first is <p class="), (".cost", "begins <html>")]
)
def test_what_comes_nearest_is_shown(page, selector, words):
    with pytest.raises(NotFound, match=words):
        text(page, selector)


def test_a_default_stands_in_for_what_is_missing(page):
    assert text(page, ".none", default="") == ""
    assert text(page, ".none", default=None) is None
    assert number(page, ".none", default=0.0) == 0.0


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("7", 7),
        ("-3.5 °C", -3.5),
        ("−3,5 °C", -3.5),
        ("€ 1,234.50", 1234.5),
        ("1.234,50 €", 1234.5),
        ("1'234.50 CHF", 1234.5),
        ("1 234,50 zł", 1234.5),
        ("12,345", 12345),
        ("12,34", 12.34),
        ("12.345", 12.345),
        ("1,234,567", 1234567),
        ("1.234.567", 1234567),
        ("about 6.02e23", 6.02e23),
        ("5.", 5),
        ("1\u202f000", 1000),
        ("75 m2", 75),
        ("7.5 km2 of moor", 7.5),
        ("EUR12.50", 12.5),
        ("+3 %", 3),
    ],
)
def test_numbers_are_read_as_people_write_them(said, value):
    body = f"<p>{said}</p>".encode()
    page = Page(Response("http://h/", 200, "OK", [], body, body, "now"))
    assert number(page, "p") == value


@pytest.mark.parametrize(
    "said",
    ["none", "", "3 of 4", "2026-05-06", "10 20", "10–20", "1e999", "9" * 400, "1 " * 200_000],
)
def test_what_is_no_one_number_is_an_error(said):
    body = f"<p>{said}</p>".encode()
    page = Page(Response("http://h/", 200, "OK", [], body, body, "now"))
    with pytest.raises(BadValue, match="http://h/"):
        number(page, "p")


@pytest.mark.parametrize(
    ("said", "decimal", "value"),
    [("1.234", ",", 1234), ("1,234", ".", 1234), ("1,234", ",", 1.234), ("1.234,5", ",", 1234.5)],
)
def test_the_site_s_decimal_mark_settles_what_is_ambiguous(said, decimal, value):
    assert number(only(f"<p>{said}</p>"), "p", decimal=decimal) == value


def test_a_decimal_mark_of_another_kind_is_misuse():
    with pytest.raises(Misuse, match="decimal=';'"):
        number(only("<p>1</p>"), "p", decimal=";")


@given(st.text(alphabet="0123456789., '-e−"))
def test_any_text_is_a_number_or_a_named_error(said):
    with suppress(BadValue):
        assert isinstance(number(only(f"<p>{said}</p>"), "p"), float)


def only(source: str) -> Page:
    body = source.encode()
    return Page(Response("http://h/", 200, "OK", [], body, body, "now"))


def test_dates_are_read_from_their_attribute_or_text(page):
    assert date(page, ".seen time") == datetime.date(2026, 3, 4)
    assert date(page, ".plain") == datetime.date(2026, 5, 6)
    assert date(page, ".german", "%d.%m.%Y") == datetime.date(2026, 8, 7)
    assert date(page, ".german", ["%Y", "%d.%m.%Y"]) == datetime.date(2026, 8, 7)
    assert date(page, ".none", default=None) is None
    with pytest.raises(BadValue, match="YYYY-MM-DD"):
        date(page, ".german")
    with pytest.raises(BadValue, match="not a date like %Y or %m"):
        date(page, ".german", ["%Y", "%m/%Y"])


@pytest.mark.parametrize(
    ("source", "zone", "day"),
    [
        ("<time datetime=2026-03-04T23:30:00-08:00>x</time>", "", 4),
        ("<time datetime=2026-03-04T23:30:00-08:00>x</time>", "Europe/Berlin", 5),
        ("<time datetime='2026-03-04 23:30 +0100'>x</time>", "UTC", 4),
        ("<time datetime=2026-03-04T23:30:00>x</time>", "Asia/Tokyo", 4),
        ("<time datetime=soon>2026-03-04</time>", "", 4),
        ("<meta content=2026-03-04T01:00Z>", "America/New_York", 3),
    ],
)
def test_the_day_is_the_one_written_or_that_of_a_zone(source, zone, day):
    assert date(only(source), "time, meta", zone=zone) == datetime.date(2026, 3, day)


def test_a_zone_that_is_none_and_a_text_without_end_are_named():
    with pytest.raises(Misuse, match="no time zone"):
        date(only("<p>2026-03-04</p>"), "p", zone="Mars/Base")
    with pytest.raises(BadValue, match="not a date"):
        date(only("<p>" + "1 " * 1_000_000), "p", "%d %m %Y")


def test_a_table_becomes_a_frame(page):
    assert html_table(page).to_dict("records") == [{"Bird": "Wren", "Grams": 9.5}]
    assert html_table(page, ".none", default=None) is None
    with pytest.raises(BadValue, match="holds no table; it is <dl>"):
        html_table(page, "dl")


def test_a_table_s_numbers_are_numbers_and_all_other_text_stays_as_it_is():
    frame = html_table(
        only("""<table><thead><tr><th>code<th>size<th>gap<th>price<th>id</thead>
        <tr><td>007<td>3<td>1<td>1,234<td>12345678901234567
        <tr><td>12<td>−4.5<td><td>5<td>1.5<tr><td>8<td>1e3</table>""")
    )
    assert frame["code"].tolist() == ["007", "12", "8"]
    assert frame["size"].tolist() == [3, -4.5, 1000]
    assert frame["gap"].isna().tolist() == [False, True, True]
    assert frame["gap"].dtype == np.float64
    assert frame["price"].tolist()[:2] == ["1,234", "5"]
    assert frame["id"].tolist()[:2] == ["12345678901234567", "1.5"]
    assert frame["price"].isna().tolist() == [False, False, True]


def test_spans_headers_and_names_of_columns():
    frame = html_table(
        only("""<table><tr><th rowspan=2>Bird<th colspan=2>Size<th>
        <tr><th>cm<th>cm<th><tr><td>Wren<td colspan=2>9<td>x
        <tr><td rowspan=0>Tit<td>11<td>12<td>y<tr><td>13<td>14<td>z</table>""")
    )
    assert list(frame.columns) == ["Bird", "Size / cm", "Size / cm.1", "column 4"]
    assert frame.values.tolist() == [
        ["Wren", 9, 9, "x"], ["Tit", 11, 12, "y"], ["Tit", 13, 14, "z"]
    ]  # fmt: skip


def test_a_cell_reaches_down_beyond_the_end_of_a_shorter_row():
    frame = html_table(only("<table><tr><td>a<td>b<td rowspan=2>c<tr><td>d</table>"))
    assert frame["column 3"].tolist() == ["c", "c"]
    assert frame["column 2"].isna().tolist() == [False, True]


def test_a_table_in_a_table_is_text_of_its_cell():
    frame = html_table(only("<table><tr><td>a<td><table><tr><td>b<td>c</table></table>"))
    assert frame.values.tolist() == [["a", "bc"]]
    assert list(frame.columns) == ["column 1", "column 2"]


@pytest.mark.parametrize(
    "source",
    [
        "<table><tr>" + "<td colspan=1000000>x" * 1_000,
        "<table>" + "<tr><td colspan=1000>x" * 2_000,
        "<table><tr><td rowspan=1000000000 colspan=1000>x" + "<tr><td>y" * 2_000,
        "<table><tr>" + "<td>x" * 9_000 + "<tr><td>y" * 9_000,
        "<table></table>",
    ],
)
def test_a_table_that_would_fill_the_memory_or_is_empty_is_named(source):
    with pytest.raises(BadValue, match=r"cannot be read: (more than|a table without)"):
        html_table(only(source))


def test_an_image_is_its_archived_file(page):
    assert Image.open(io.BytesIO(image(page, "img.good"))).size == (4, 4)


@pytest.mark.parametrize(
    ("selector", "kind", "words"),
    [
        ("img.lost", NotFound, "404 Not Found"),
        ("a.more", NotFound, "did not select it"),
        ("img.none", NotFound, "nothing matches"),
        ("img.bad", BadValue, "no readable image"),
    ],
)
def test_an_image_that_is_not_there_or_broken_is_named(page, selector, kind, words):
    with pytest.raises(kind, match=words):
        image(page, selector)


def test_an_image_of_too_many_pixels_is_refused_undecoded(page, monkeypatch):
    from scraping.reading import extract

    monkeypatch.setattr(extract, "MAX_PIXELS", 15)
    with pytest.raises(BadValue, match="4 × 4 pixels are too many"):
        image(page, "img.good")


def test_pixels_are_floats_from_black_to_white_by_height_and_width():
    picture = Image.new("L", (3, 2), 0)
    picture.putpixel((2, 1), 255)
    array = pixels([file_of(picture)], size=(3, 2))
    assert array.dtype == np.float32
    assert array.shape == (1, 2, 3, 1)
    assert array[0, 1, 2, 0] == 1
    assert array.sum() == 1


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(mode):
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((0, 0), (0, 0, 0, 255))
    array = pixels([file_of(picture.convert(mode))], size=(2, 1))
    assert array.reshape(-1).tolist() == [0, 1]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_pictures_of_every_kind_and_size_fit_one_array(kind):
    column = pd.Series(
        [file_of(Image.new("RGB", size, "white"), kind) for size in [(9, 5), (40, 64)]]
    )
    assert pixels(column, mode="RGB").shape == (2, 32, 32, 3)
    assert pixels(column).min() > 0.98


def test_no_pictures_are_an_empty_array():
    assert pixels([], size=(8, 4), mode="RGB").shape == (0, 4, 8, 3)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("0,123", 0.123),  # nothing groups after a nought
        ("1234,567", 1234.567),
        ("12,34,567.89", 1234567.89),  # as in India
        ("-$5", -5.0),
        ("−€1,000", -1000.0),
        ("\u20135 °C", -5.0),  # a dash set for a minus
        ("$.99", 0.99),
    ],
)
def test_numbers_keep_their_sign_and_their_decimals(said, value):
    assert number(only(f"<p>{said}"), "p") == value


@pytest.mark.parametrize(
    "said", ["23.11.2026", "10.0.0.1", "1.2.3", "1,2,3", "1.23.456", "1..5", "5½", "10²", "A-5"]
)
def test_what_is_not_clearly_one_number_is_none(said):
    with pytest.raises(BadValue, match="not clearly one number"):
        number(only(f"<p>{said}"), "p")


@pytest.mark.parametrize("said", ["1,2345.6", "0.5", "1,23,456", "1.2.3", "1 000.5"])
def test_a_number_that_does_not_fit_the_sites_decimal_mark_is_an_error(said):
    with pytest.raises(BadValue, match="not clearly one number"):
        number(only(f"<p>{said}"), "p", decimal=",")


def test_dates_without_a_year_and_weeks_are_no_days():
    with pytest.raises(Misuse, match="has no year"):
        date(only("<p>3 May"), "p", "%d %B")
    with pytest.raises(BadValue):
        date(only("<p>2026-W48"), "p")
    with pytest.raises(BadValue):
        date(only("<p>0001-01-01T00:00+02:00"), "p", zone="America/New_York")


def test_a_table_of_numbers_beyond_all_bounds_stays_text():
    table = html_table(only("<table><tr><th>n<tr><td>1e400<tr><td>2</table>"))
    assert list(table["n"]) == ["1e400", "2"]
