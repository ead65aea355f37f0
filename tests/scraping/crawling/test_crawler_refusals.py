"""What a crawl does not ask for, or does not keep, and how that is told."""

from __future__ import annotations

from typing import Any

import pytest

from scraping import Pages, crawl, errors

SHOP: dict[str, Any] = {"follow": "a.next", "keep": "a.bird", "media": "img"}


def names(pages: Pages) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def test_robots_txt_is_obeyed_and_the_refusal_named(shop, tmp_path):
    shop["/"] = '<a class="bird" href="/private/x">x</a><a class="bird" href="/bird/0a.html">a</a>'
    pages = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert names(pages) == ["0a.html"]
    assert "/private/x" not in shop.asked
    assert pages.balance["refused"] == 1
    assert "robots.txt" in next(iter(pages.balance["reasons"]))


def test_a_start_that_robots_txt_forbids_is_refused_with_exit_code_4(shop, tmp_path):
    with pytest.raises(errors.Refused, match=r"robots\.txt") as caught:
        crawl(shop.url("/private/"), **SHOP, archive=tmp_path)
    assert caught.value.exit_code == 4
    assert shop.requests == ["/robots.txt"]


def test_a_private_address_is_refused_with_no_request_sent(site, other_site, tmp_path):
    other_site["/"] = "secret"
    named = other_site.url()
    decimal = f"http://2130706433:{other_site.port}/"
    mapped = f"http://[::ffff:127.0.0.1]:{other_site.port}/"
    site["/"] = (
        f'<a href="{named}">1</a><a href="{decimal}">2</a><a href="{mapped}">3</a>'
        '<a href="/away">4</a><a href="file:///etc/passwd">5</a>'
        f'<a href="/ok">6</a>'
    )
    site["/away"] = (302, {"Location": named}, b"")
    site["/ok"] = f'<img src="{named}">'
    pages = crawl(
        site.url(), follow=None, keep="a", media="img", include="http|file", archive=tmp_path
    )
    assert names(pages) == ["ok"]
    assert other_site.requests == []
    assert pages.balance["refused"] == 5
    assert "private address" in " ".join(pages.balance["reasons"])


def test_links_to_other_sites_and_broken_links_harm_nothing(site, tmp_path):
    site["/"] = (
        '<a href="http://[::1">1</a><a href="javascript:alert(1)">2</a><a href="mailto:a@b">3</a>'
        '<a href="data:text/html,x">4</a><a href="http://ex ample/">5</a><a href="ftp://h/">6</a>'
        f'<a href="/{"x" * 10_000}">7</a><a href="http://h:99999/">8</a><a>9</a><a href="">10</a>'
        '<a href="http://user:pass@127.0.0.1/">11</a><a href="http://example.org/">12</a>'
        '<a href="/\x00nul">13</a><a href="/ok">14</a><a href="https://'
        + "a" * 70
        + '.org/">15</a>'
    )
    site["/%00nul"] = site["/nul"] = "nul"
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=0.5)
    assert "ok" in names(pages)
    assert pages.balance["refused"] == 11
    assert all(reason.isprintable() for reason in pages.balance["reasons"])
