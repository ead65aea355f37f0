"""Values out of pages, and what is said when they are not there."""

from __future__ import annotations

import datetime
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scraping import attr, date, html_table, image, number, pixels, text
from scraping.archive import Archive
from scraping.errors import BadValue, NotFound
from scraping.fetch import Response
from scraping.page import Page

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
    ],
)
def test_numbers_are_read_as_people_write_them(said, value):
    body = f"<p>{said}</p>".encode()
    page = Page(Response("http://h/", 200, "OK", [], body, body, "now"))
    assert number(page, "p") == value


@pytest.mark.parametrize("said", ["none", "", "3 of 4", "2026-05-06", "10 20"])
def test_what_is_no_one_number_is_an_error(said):
    body = f"<p>{said}</p>".encode()
    page = Page(Response("http://h/", 200, "OK", [], body, body, "now"))
    with pytest.raises(BadValue, match="http://h/"):
        number(page, "p")


def test_dates_are_read_from_their_attribute_or_text(page):
    assert date(page, ".seen time") == datetime.date(2026, 3, 4)
    assert date(page, ".plain") == datetime.date(2026, 5, 6)
    assert date(page, ".german", "%d.%m.%Y") == datetime.date(2026, 8, 7)
    with pytest.raises(BadValue, match="YYYY-MM-DD"):
        date(page, ".german")


def test_a_table_becomes_a_frame(page):
    assert html_table(page).to_dict("records") == [{"Bird": "Wren", "Grams": 9.5}]
    with pytest.raises(BadValue, match="no table"):
        html_table(page, "dl")


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
    from scraping import extract

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
