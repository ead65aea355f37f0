"""Crawls that start from a sitemap or an index of sitemaps."""

from __future__ import annotations

import gzip

import pytest

from scraping import Pages, crawl, errors
from scraping.lent import Lent, current

XML = {"Content-Type": "application/xml"}


def names(pages: Pages) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def listing(site, paths, *, element="url", outer="urlset", changed=""):
    entries = "".join(
        f"<{element}><loc>{site.url(path)}</loc>"
        + (f"<lastmod>{changed}</lastmod>" if changed else "")
        + f"</{element}>"
        for path in paths
    )
    space = "http://www.sitemaps.org/schemas/sitemap/0.9"
    return f'<?xml version="1.0"?><{outer} xmlns="{space}">{entries}</{outer}>'.encode()


def index(site, paths):
    return listing(site, paths, element="sitemap", outer="sitemapindex")


@pytest.fixture
def birds(site):
    """Four pages in two sitemaps under one index."""
    for name in "abcd":
        site[f"/{name}"] = f"<h1>{name}</h1>"
    site["/sitemap.xml"] = (200, XML, index(site, ["/one.xml", "/two.xml.gz"]))
    site["/one.xml"] = (200, XML, listing(site, ["/a", "/b"]))
    packed = gzip.compress(listing(site, ["/c", "/d"]))
    site["/two.xml.gz"] = (200, {"Content-Type": "application/gzip"}, packed)
    return site


def test_an_index_of_sitemaps_leads_to_every_page_it_lists(birds, tmp_path):
    pages = crawl(birds.url("/sitemap.xml"), follow=None, archive=tmp_path)
    assert names(pages) == list("abcd")
    birds.forget()
    assert crawl(birds.url("/sitemap.xml"), follow=None, archive=tmp_path).refs == pages.refs
    assert birds.requests == []


def test_what_a_sitemap_lists_is_followed_and_bounded_like_links(birds, other_site, tmp_path):
    away = other_site.url("/x").encode()
    body = listing(birds, ["/a", "/b", "/c", "/d"])
    birds["/map.xml"] = (
        200,
        XML,
        body.replace(b"</urlset>", b"<url><loc>%s</loc></url></urlset>" % away),
    )
    birds["/a"] = '<a class=k href="/k">keep</a>'
    birds["/k"] = "kept"
    pages = crawl(birds.url("/map.xml"), follow=None, keep="a.k", exclude="/c$", archive=tmp_path)
    assert names(pages) == ["k"]
    assert "/c" not in birds.asked
    assert other_site.requests == []
    assert pages.balance["kinds"] == {"on another site": 1, "left out": 1}


def test_a_budget_holds_for_a_sitemap_too(birds, tmp_path):
    pages = crawl(birds.url("/sitemap.xml"), follow=None, max_pages=3, archive=tmp_path)
    assert names(pages) == ["a", "b", "c"]
    assert pages.balance["stopped"] == "max_pages=3 reached, 1 addresses left"


def test_sitemaps_nested_without_end_are_left(site, tmp_path):
    for number in range(9):
        site[f"/{number}.xml"] = (200, XML, index(site, [f"/{number + 1}.xml"]))
    with pytest.raises(errors.Partial, match="nested more than 3 deep"):
        crawl(site.url("/0.xml"), follow=None, archive=tmp_path)
    assert len(site.asked) == 4


def test_a_listed_sitemap_that_is_none_is_a_named_failure(site, tmp_path):
    site["/sitemap.xml"] = (200, XML, index(site, ["/one.xml", "/two.xml"]))
    site["/one.xml"] = "<h1>not found, says status 200</h1>"
    site["/two.xml"] = (200, XML, listing(site, ["/a"]))
    site["/a"] = "a"
    pages = crawl(site.url("/sitemap.xml"), follow=None, max_failed=0.5, archive=tmp_path)
    assert names(pages) == ["a"]
    assert pages.balance["reasons"] == {"not a sitemap": 1}


@pytest.mark.parametrize(("changed", "asked"), [("2001-01-01", 0), ("", 1), ("2999-01-01", 1)])
def test_afresh_only_what_the_sitemap_says_changed_is_asked_for(site, tmp_path, changed, asked):
    site["/a"] = "<h1>a</h1>"
    site["/sitemap.xml"] = (200, XML, listing(site, ["/a"], changed=changed))
    crawl(site.url("/sitemap.xml"), follow=None, archive=tmp_path)
    site.forget()
    token = current.set(Lent(archive=tmp_path, project=tmp_path, fresh=True))
    try:
        pages = crawl(site.url("/sitemap.xml"), follow=None)
    finally:
        current.reset(token)
    assert site.asked["/a"] == asked
    assert names(pages) == ["a"]
    assert pages.balance["unchanged"] == 2


def test_a_missing_sitemap_says_so(site, tmp_path):
    with pytest.raises(errors.Unreachable, match="404"):
        crawl(site.url("/sitemap.xml"), follow=None, archive=tmp_path)
