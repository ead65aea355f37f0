"""What is suggested for a page is true of that page."""

from __future__ import annotations

import keyword

import pytest

from scraping.looking import patterns
from scraping.net.fetch import Response
from scraping.reading.page import Page


def page_of(markup: str, url: str = "http://shop.example/list") -> Page:
    body = markup.encode()
    headers = [("Content-Type", "text/html; charset=utf-8")]
    return Page(Response(url, 200, "OK", headers, body, body))


CARDS = """<html><body>
<nav><ul class=menu><li><a href=/a>Home</a><li><a href=/b>Shop</a><li><a href=/c>Us</a></ul></nav>
<main><h1>Parrots</h1><ul class=birds>{}</ul>
<nav class=pagination>Page 2 of 17 <a class=prev href=?p=1>back</a> <a href=?p=3>Next</a></nav>
</main></body></html>""".format(
    "".join(
        f'<li class=card><a class=name href="/bird/{number}">Parrot {word}</a>'
        f'<img src="/{number}.png"><span class=price>{number}9.50 €</span>'
        f"<time datetime=2026-01-0{number}>then</time><b>new</b></li>"
        for number, word in enumerate(["Ara", "Lory", "Kea", "Corella", "Galah"], start=1)
    )
)


def test_a_list_of_cards_gives_its_selector_its_fields_and_its_links():
    page = page_of(CARDS)
    best = patterns.repeated(page)[0]
    assert (best.selector, best.count) == ("li.card", 5)
    assert (best.link, best.first_link) == ("a.name", "http://shop.example/bird/1")
    assert [(one.name, one.selector, one.kind, one.example) for one in best.fields] == [
        ("name", ".name", "text", "Parrot Ara"),
        ("image", "img", "image", "/1.png"),
        ("price", ".price", "number", "19.50 €"),
        ("date", "time", "date", "2026-01-01"),
    ]  # <b>new</b>, the same in each, is none


def test_the_menu_is_no_list_of_items():
    assert all("menu" not in one.selector for one in patterns.repeated(page_of(CARDS)))


def test_the_next_page_is_found_by_relation_class_or_words():
    assert patterns.next_link(page_of("<a rel='nofollow next' href=/2>x</a>")) == "a[rel~=next]"
    assert patterns.next_link(page_of("<p class=pages><a class=next href=/2>x</a>")) == "a.next"
    assert (
        patterns.next_link(page_of("<div class=more><a href=/2>Next »</a></div>")) == "div.more a"
    )
    assert patterns.next_link(page_of("<p><a href=/x>Next to the river</a>")) is None


def test_a_list_says_how_many_pages_it_has_in_words_or_by_its_links():
    assert patterns.list_pages(page_of(CARDS)) == 17
    links = "".join(f"<a href='?page={n}'>{n}</a>" for n in (1, 2, 3, 48))
    assert patterns.list_pages(page_of(f"<nav>{links}</nav>")) == 48
    assert patterns.list_pages(page_of("<nav><a href=/2019>2019</a><a href=x>5</a></nav>")) is None
    assert patterns.list_pages(page_of("<p>Page 2 of 17</p>")) is None


def test_a_page_on_one_thing_gives_its_named_values():
    page = page_of(
        "<main><h1>Kea</h1><dl><dt>Family<dd>Strigopidae<dt>Weight:<dd class=weight>0.9 kg</dl>"
        "<img class=photo src=kea.png></main>"
    )
    found = {one.name: (one.selector, one.kind) for one in patterns.about(page)}
    assert found == {
        "title": ("h1", "text"),
        "family": ('dt:-soup-contains("Family") + dd', "text"),
        "weight": ("dd.weight", "number"),
        "photo": ("img.photo", "image"),
    }


def test_tables_that_hold_data_are_counted_and_those_that_lay_out_are_not():
    data = "<table><tr><th>Year<th>Rain<tr><td>1990<td>12<tr><td>1991<td>14</table>"
    page = page_of(f"{data}<table><tr><td>{data}</table>")
    assert list(patterns.tables(page)) == [(3, 2, ["Year", "Rain"])] * 2


@pytest.mark.parametrize(
    "name", ["class", "1st", "x'); import os #", "é-è", "a" * 500, "\x1b[31m", "dunder__", "*/"]
)
def test_names_from_the_page_become_python_names_or_are_left_out(name):
    cards = "".join(
        f'<li class=card><a href=/{n}>{n} things to see</a><i class="{name}">v{n}</i>'
        for n in "abc"
    )
    best = patterns.repeated(page_of(f"<ul>{cards}</ul>"))[0]
    for one in best.fields:
        assert one.name.isidentifier()
        assert one.name.isascii()
        assert not keyword.iskeyword(one.name)


def test_every_suggested_selector_finds_what_it_was_made_for():
    page = page_of(CARDS)
    for one in patterns.repeated(page):
        items = page.select(one.selector)
        assert len(items) == one.count
        for each in one.fields:
            assert not each.selector or items[0].select_one(each.selector) is not None
    for each in patterns.about(page):
        assert len(page.select(each.selector)) == 1


def test_a_page_of_nothing_gives_nothing():
    for markup in ("", "<p>", "hello", "<html><body></body></html>"):
        page = page_of(markup)
        assert patterns.repeated(page) == []
        assert patterns.next_link(page) is None
        assert list(patterns.tables(page)) == []
