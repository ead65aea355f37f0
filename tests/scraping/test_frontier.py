"""Addresses made whole, and the table that remembers them."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import Misuse, Refused
from scraping.frontier import DONE, DUE, Frontier, Row, canonical, resolve

BASE = "http://example.org/shop/birds.html?page=2"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("wren.html", "http://example.org/shop/wren.html"),
        ("/wren", "http://example.org/wren"),
        ("//other.example/x", "http://other.example/x"),
        ("?page=3", "http://example.org/shop/birds.html?page=3"),
        ("#top", BASE),
        ("", BASE),
        ("  wren\n.html ", "http://example.org/shop/wren.html"),
        ("../ä b", "http://example.org/%C3%A4%20b"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("HTTPS://Example.org", "https://example.org/"),
        ("http://example.org:80/x", "http://example.org/x"),
        ("http://example.org:443/x", "http://example.org:443/x"),
    ],
)
def test_links_are_resolved_as_a_browser_would(link, url):
    assert resolve(BASE, link) == url


@pytest.mark.parametrize(
    "link",
    [
        "mailto:a@b.c",
        "javascript:void(0)",
        "data:,x",
        "file:///etc/passwd",
        "ftp://h/",
        "tel:1",
        "http://[::1",
        "http://h:99999/",
        "http://a b/",
        "http://u:p@h/",
        "http://" + "a" * 64 + ".org/",
        "http://a..b/",
        "http://\x00/",
        "x" * 10_000,
    ],
)
def test_what_is_no_web_address_is_refused_with_a_reason(link):
    with pytest.raises(Refused) as caught:
        resolve(BASE, link)
    assert caught.value.reason
    assert "\x00" not in str(caught.value)
    assert len(str(caught.value)) < 600


@given(st.text())
def test_any_link_is_an_address_or_refused(link):
    try:
        url = resolve(BASE, link)
    except Refused:
        return
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert url.isascii()
    assert url.isprintable()
    assert "#" not in url


@given(st.text())
def test_resolving_and_canonical_forms_are_stable(link):
    try:
        url = resolve(BASE, link)
    except Refused:
        return
    assert resolve(url, url) == url
    assert canonical(canonical(url)) == canonical(url)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://h/?a=1&b=2", "http://h/?b=2&a=1"),
        ("http://h/%7Ex", "http://h/~x"),
        ("http://h/a/../b", "http://h/b"),
    ],
)
def test_spellings_of_one_address_have_one_canonical_form(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://h/A", "http://h/a"),
        ("http://h/a", "http://h/a/"),
        ("http://h/?a=1", "http://h/?a=2"),
        ("http://h/?a=", "http://h/"),
        ("http://h/", "https://h/"),
    ],
)
def test_different_addresses_stay_different(one, other):
    assert canonical(one) != canonical(other)


def test_what_was_committed_is_there_again(tmp_path):
    row = Row("k", "http://h/", 2, DONE, 200, fetched="now", digest="d", file="f", offset=7)
    frontier = Frontier(tmp_path / "frontier.sqlite")
    frontier.set(row)
    frontier.add([Row("k", "http://h/other", 9, DUE), Row("new", "http://h/new", 1, DUE)])
    frontier.close()
    frontier = Frontier(tmp_path / "frontier.sqlite")
    assert frontier.get("k") == row
    assert frontier.get("new") == Row("new", "http://h/new", 1, DUE)
    assert frontier.get("none") is None
    assert frontier.counts() == {DONE: 1, DUE: 1}
    assert frontier.last_offset("f") == 7
    frontier.close()


def test_rows_whose_record_is_gone_become_due(tmp_path):
    frontier = Frontier(tmp_path / "frontier.sqlite")
    for offset in (0, 100, 200):
        frontier.set(Row(f"k{offset}", "u", 0, DONE, 200, file="f", offset=offset))
    frontier.set(Row("elsewhere", "u", 0, DONE, 200, file="gone", offset=0))
    assert frontier.forget_beyond({"f": 150}) == 2
    assert frontier.counts() == {DONE: 2, DUE: 2}
    frontier.close()


def test_a_table_of_another_format_is_told_apart(tmp_path):
    import sqlite3

    database = sqlite3.connect(tmp_path / "frontier.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Misuse, match="rebuilt from the archive"):
        Frontier(tmp_path / "frontier.sqlite")
