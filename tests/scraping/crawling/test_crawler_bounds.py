"""Budgets, include and exclude: what ends a crawl that would not end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from scraping import Pages, crawl, errors
from scraping.crawling import walk
from scraping.lent import Lent, current

SHOP: dict[str, Any] = {"follow": "a.next", "keep": "a.bird", "media": "img"}


def names(pages: Pages) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def test_include_and_exclude_bound_a_crawl(shop, tmp_path):
    pages = crawl(shop.url(), **SHOP, include="/(gallery|bird)", exclude=r"[bc]\.html",
                  archive=tmp_path)  # fmt: skip
    assert {name[1] for name in names(pages)} == {"a", "d"}


def test_max_pages_gives_a_usable_part_and_says_so(shop, tmp_path):
    pages = crawl(shop.url(), **SHOP, max_pages=5, archive=tmp_path)
    assert len(pages) == 5
    assert pages.balance["stopped"].startswith("max_pages=5 reached")
    shop.forget()
    assert len(crawl(shop.url(), **SHOP, archive=tmp_path)) == 12
    assert shop.asked["/bird/0a.html"] == 0


def test_a_quick_run_caps_the_pages(shop, tmp_path):
    token = current.set(Lent(archive=tmp_path, project=tmp_path, max_pages=3))
    try:
        assert len(crawl(shop.url(), **SHOP)) == 3
    finally:
        current.reset(token)


def test_max_depth_and_max_seconds_end_a_trap(site, tmp_path):
    def calendar(handler):
        number = int(handler.path.rpartition("/")[2] or 0)
        return f'<a href="/day/{number + 1}">tomorrow</a>'

    for number in range(500):
        site[f"/day/{number}"] = calendar
    pages = crawl(site.url("/day/0"), follow="a", max_depth=7, archive=tmp_path / "1")
    assert len(pages) == 8
    assert pages.balance["stopped"] == "max_depth=7 reached, 1 addresses left"
    slow = crawl(site.url("/day/0"), follow="a", max_seconds=0.2, archive=tmp_path / "2")
    assert 0 < len(slow) < 500
    assert slow.balance["stopped"].startswith("max_seconds=0.2")


def test_a_crawl_that_reaches_its_end_names_no_budget(shop, tmp_path):
    pages = crawl(shop.url(), **SHOP, max_depth=3, max_seconds=60, archive=tmp_path)
    assert len(pages) == 12
    assert pages.balance["stopped"] is None
    assert pages.balance["due"] == 0


def test_a_pause_never_outlasts_the_time_budget(shop, tmp_path):
    good = shop.answers["/bird/0c.html"]
    shop["/bird/0c.html"] = (429, {"Retry-After": "100"}, b"")
    begun = time.monotonic()
    pages = crawl(shop.url(), **SHOP, max_seconds=2, archive=tmp_path)
    assert time.monotonic() - begun < 5
    assert names(pages) == ["0a.html", "0b.html"]
    assert pages.balance["stopped"].startswith("max_seconds=2 reached")
    assert pages.balance["due"] == 3
    assert pages.balance["failed"] == 0
    shop["/bird/0c.html"] = good
    assert len(crawl(shop.url(), **SHOP, archive=tmp_path)) == 12
    assert shop.asked["/bird/0a.html"] == 1


def test_a_page_of_endless_links_fills_no_memory(site, tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "MOST_WAITING", 50)
    site["/"] = "".join(f'<a href="/{number}">x</a>' for number in range(1_000))
    for number in range(1_000):
        site[f"/{number}"] = f"page {number}"
    pages = crawl(site.url(), follow="a", max_pages=5, archive=tmp_path)
    assert len(pages) == 5
    assert pages.balance["stopped"] == "max_pages=5 reached, 996 addresses left"
    assert crawl(site.url(), follow="a", max_pages=200, archive=tmp_path).balance["kept"] == 200


def test_a_long_crawl_says_how_long_it_takes(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(walk, "REPORT_SECONDS", 0)
    monkeypatch.setattr(walk, "ESTIMATE_FROM", 0)
    said = []
    lent = Lent(archive=tmp_path, project=tmp_path, report=lambda *words: said.append(words))
    token = current.set(lent)
    try:
        crawl(shop.url(), **SHOP)
    finally:
        current.reset(token)
    assert {label for label, *_ in said} == {"pages", "pages, about 0 min left"}


def test_a_page_of_endless_pictures_ends_with_the_time(site, tmp_path):
    site["/"] = "".join(f'<img src="/{number}.png">' for number in range(60))
    for number in range(60):
        site[f"/{number}.png"] = lambda handler: time.sleep(0.02) or (200, {}, b"picture")
    with pytest.raises(errors.Partial, match="no page was kept") as caught:
        crawl(site.url(), follow=None, media="img", max_seconds=0.3, archive=tmp_path)
    assert len(site.asked) < 40
    pages = caught.value.pages
    assert pages is not None
    assert pages.balance["stopped"] == "max_seconds=0.3 reached, 1 addresses left"
    assert len(crawl(site.url(), follow=None, media="img", archive=tmp_path)) == 1
