"""Crawls of a small web on loopback: which pages, in which order."""

from __future__ import annotations

from typing import Any

import pytest

from scraping import Pages, crawl, errors, text
from scraping.lent import Lent, current
from scraping.net import fetch

SHOP: dict[str, Any] = {"follow": "a.next", "keep": "a.bird", "media": "img"}


def names(pages: Pages) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def test_a_crawl_keeps_every_page_once_breadth_first_with_its_media(shop, tmp_path):
    pages = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert names(pages) == [f"{number}{letter}.html" for number in range(3) for letter in "abcd"]
    assert [text(page, "h1") for page in pages][:2] == ["Bird 0a", "Bird 0b"]
    assert pages.balance["fetched"] == 3 + 12 + 12 + 1
    assert set(shop.asked.values()) == {1}, "the logo on every page was asked for once"


def test_without_keep_every_followed_page_is_kept(shop, tmp_path):
    pages = crawl(shop.url(), follow="a.next", archive=tmp_path)
    assert names(pages) == ["", "gallery1", "gallery2"]


def test_an_address_both_passed_through_and_kept_is_fetched_once(site, tmp_path):
    site["/"] = '<a class="k f" href="/a">a</a>'
    site["/a"] = '<a class="k f" href="/b">b</a>'
    site["/b"] = "end"
    pages = crawl(site.url(), follow="a.f", keep="a.k", archive=tmp_path)
    assert names(pages) == ["a", "b"]
    assert set(site.asked.values()) == {1}


def test_several_spellings_of_one_address_are_one(site, tmp_path):
    host = f"127.0.0.1:{site.port}"
    site["/"] = (
        '<a href="/p?b=2&a=1#x">1</a><a href="/p?a=1&b=2">2</a>'
        f'<a href="//{host}/p?b=2&a=1">3</a><a href="HTTP://{host}/x/../p?b=2&a=1">4</a>'
    )
    site["/p?b=2&a=1"] = "here"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert len(pages) == 1
    assert site.asked["/p?a=1&b=2"] == 0


def test_redirects_are_followed_and_lead_to_one_page(site, tmp_path):
    site["/"] = '<a href="/old">1</a><a href="/new">2</a><a href="/older">3</a>'
    site["/older"] = (301, {"Location": "/old"}, b"")
    site["/old"] = (302, {"Location": "new"}, b"")
    site["/new"] = "<h1>here</h1>"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert names(pages) == ["new"]
    assert set(site.asked.values()) == {1}
    site.forget()
    assert crawl(site.url(), follow=None, keep="a", archive=tmp_path).refs == pages.refs
    assert not site.requests


def test_a_crawl_of_the_web_without_a_contact_is_a_clear_error(tmp_path):
    with pytest.raises(errors.NoContact, match=r"extra\.contact in mkdocs\.yml") as caught:
        crawl("https://example.org/", follow="a", archive=tmp_path)
    assert caught.value.exit_code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("start", "words"),
    [("example.org/x", "Perhaps you meant https://example.org/x?"), ("ftp://h/", "not http")],
)
def test_a_start_that_is_no_web_address_is_said_at_once(start, words, tmp_path):
    with pytest.raises(errors.Misuse, match=words.replace("?", r"\?")):
        crawl(start, follow="a", archive=tmp_path, contact="me@example.org")


def test_a_selector_that_is_none_is_said_before_any_request(shop, tmp_path):
    with pytest.raises(errors.Misuse, match="no CSS selector"):
        crawl(shop.url(), follow="a", keep="a[[", archive=tmp_path)
    assert shop.requests == []


def test_outside_a_project_a_crawl_asks_for_a_folder(shop):
    with pytest.raises(errors.Misuse, match=r'archive="pages/"'):
        crawl(shop.url(), follow="a")


def test_two_crawls_at_once_into_one_folder_are_told(shop, tmp_path):
    from scraping.records.archive import Archive

    busy = Archive(tmp_path)
    try:
        with pytest.raises(errors.InUse) as caught:
            crawl(shop.url(), **SHOP, archive=tmp_path)
    finally:
        busy.close()
    assert caught.value.exit_code == 75


def test_progress_is_reported(shop, tmp_path, monkeypatch):
    from scraping.crawling import walk

    monkeypatch.setattr(walk, "REPORT_SECONDS", 0)
    said = []
    lent = Lent(archive=tmp_path, project=tmp_path, report=lambda *words: said.append(words))
    token = current.set(lent)
    try:
        crawl(shop.url(), **SHOP)
    finally:
        current.reset(token)
    assert said[-1] == ("pages", 15, 15)
    assert [done for _, done, _ in said] == sorted(done for _, done, _ in said)


def test_the_practice_site_is_named_sandbox_and_needs_no_contact(tmp_path):
    pages = crawl(
        "http://sandbox/museum/", follow="a.set, a.next", keep="a.icon", media="img.icon",
        max_pages=5, archive=tmp_path,
    )  # fmt: skip
    assert len(pages) == 5
    assert all(page.url.startswith("http://sandbox/museum/") for page in pages)
    assert fetch.SANDBOX == "sandbox"


def test_functions_may_stand_for_selectors(shop, tmp_path):
    by_selector = crawl(shop.url(), **SHOP, archive=tmp_path / "1")

    def every(selector, attribute):
        return lambda page: [tag[attribute] for tag in page.select(selector)]

    by_function = crawl(
        shop.url(),
        follow=every("a.next", "href"),
        keep=every("a.bird", "href"),
        media=every("img", "src"),
        archive=tmp_path / "2",
    )
    assert by_function.digest == by_selector.digest


def test_the_addresses_of_a_function_are_bounded_like_links(site, other_site, tmp_path):
    site["/"] = "start"
    site["/ok"] = "fine"

    def links(page):
        if page.url == site.url():
            yield from ("/ok", other_site.url(), "mailto:a@b.c", "http://[::1", "")

    pages = crawl(site.url(), follow=links, archive=tmp_path)
    assert names(pages) == ["", "ok"]
    assert pages.balance["kinds"] == {"not a web address": 2, "on another site": 1}
    assert other_site.requests == []


def test_a_function_that_gives_something_else_is_told(site, tmp_path):
    site["/"] = "<a href=x>x</a>"

    def anchors(page):
        return page.select("a")

    with pytest.raises(errors.Misuse, match=r"anchors gives <a href=.*take addresses"):
        crawl(site.url(), follow=anchors, archive=tmp_path)
    with pytest.raises(errors.Misuse, match=r"keep=7: it takes a CSS selector"):
        crawl(site.url(), follow=None, keep=7, archive=tmp_path)


def test_a_list_in_json_is_followed_by_key(site, tmp_path):
    import json

    from scraping import paging

    for number in range(3):
        onward = {"next": f"/birds?page={number + 1}"} if number < 2 else {}
        answer = {"links": onward, "birds": [number]}
        site[f"/birds?page={number}"] = (
            200,
            {"Content-Type": "application/json"},
            json.dumps(answer).encode(),
        )
    start = site.url("/birds?page=0")
    pages = crawl(start, follow=paging.by_key("links.next"), archive=tmp_path)
    assert [page.json()["birds"] for page in pages] == [[0], [1], [2]]


def test_a_page_that_a_function_cannot_read_is_a_named_failure(site, tmp_path):
    from scraping import paging

    site["/1"] = (200, {"Content-Type": "application/json"}, b'{"next": "/2"}')
    site["/2"] = "<h1>down for maintenance</h1>"
    with pytest.raises(errors.Partial, match=r"unreadable page: not JSON") as caught:
        crawl(site.url("/1"), follow=paging.by_key("next"), archive=tmp_path)
    assert names(caught.value.pages) == ["1"]


def test_a_token_from_the_environment_is_sent_and_never_kept(site, tmp_path, monkeypatch):
    secret = "s3cret-of-the-birds"
    monkeypatch.setenv("BIRDS_KEY", secret)
    monkeypatch.setenv("BIRDS_TOKEN", f"{secret}-too")
    site[f"/api?key={secret}"] = lambda handler: (
        200,
        {"Content-Type": "text/html"},
        f'<a href="/api?key={secret}&page=2">2</a> {handler.headers["Authorization"]}'.encode(),
    )
    site[f"/api?key={secret}&page=2"] = "<h1>second</h1>"
    asked = {
        "start": site.url("/api?key=$BIRDS_KEY"),
        "follow": "a",
        "headers": {"Authorization": "Bearer $BIRDS_TOKEN"},
        "archive": tmp_path,
    }
    pages = crawl(**asked)
    assert names(pages) == ["api?key=$BIRDS_KEY", "api?key=$BIRDS_KEY&page=2"]
    assert "Bearer $BIRDS_TOKEN" in pages[0].text
    assert secret.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    site.forget()
    assert crawl(**asked).refs == pages.refs
    assert site.requests == []
    with pytest.raises(errors.Misuse, match="written out"):
        crawl(site.url(), follow=None, headers={"Authorization": secret}, archive=tmp_path)
