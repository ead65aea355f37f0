"""The same content under several addresses: kept once, and no trap."""

from __future__ import annotations

from scraping import crawl
from scraping.crawling.balance import told


def test_a_page_with_the_content_of_another_is_kept_once_and_counted(site, tmp_path):
    site["/"] = '<a href="/p?print=1">1</a><a href="/p">2</a><a href="/q">3</a>'
    site["/p"] = site["/p?print=1"] = "<h1>same</h1>"
    site["/q"] = "<h1>other</h1>"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert [page.url for page in pages] == [site.url("/p?print=1"), site.url("/q")]
    assert pages.balance["duplicate"] == 1
    assert pages.balance["refused"] == pages.balance["failed"] == 0
    assert f"the same as {site.url('/p?print=1')}" in pages.balance["reasons"]
    assert any(site.url("/p") in line for line in told(pages.balance))


def test_pages_that_differ_only_in_their_pictures_are_two(site, tmp_path):
    site["/"] = '<a href="/a/">1</a><a href="/b/">2</a><a href="/c/">3</a>'
    for name, picture in (("a", b"one"), ("b", b"two"), ("c", b"one")):
        site[f"/{name}/"] = '<img src="x.png">'
        site[f"/{name}/x.png"] = (200, {"Content-Type": "image/png"}, picture)
    pages = crawl(site.url(), follow=None, keep="a", media="img", archive=tmp_path)
    assert [page.url for page in pages] == [site.url("/a/"), site.url("/b/")]
    assert pages.balance["duplicate"] == 1


def test_a_trap_of_one_page_under_ever_new_addresses_ends_by_itself(site, tmp_path):
    def trap(handler):
        site[handler.path + "x/"] = trap
        return '<a href="x/">deeper</a>'

    site["/"] = trap
    pages = crawl(site.url(), follow="a", archive=tmp_path)
    assert len(pages) == 1
    assert sum(site.asked.values()) == 2
    assert pages.balance["duplicate"] == 1


def test_a_followed_page_with_pictures_of_its_own_is_kept_and_no_duplicate(site, tmp_path):
    site["/"] = '<a href="/a/">1</a><a href="/b/">2</a>'
    for name in "ab":
        site[f"/{name}/"] = '<img src="x.png"><a href="on">on</a>'
        site[f"/{name}/x.png"] = (200, {"Content-Type": "image/png"}, name.encode())
        site[f"/{name}/on"] = f"on from {name}"
    pages = crawl(site.url(), follow="a", media="img", archive=tmp_path)
    assert [page.url for page in pages] == [
        site.url(path) for path in ("/", "/a/", "/b/", "/a/on", "/b/on")
    ]
    assert pages.balance["duplicate"] == 0
