"""The walk where runs meet: fresh answers, rotation, redirects, duplicates, whole balances."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scraping import crawl
from scraping.crawling import answers
from scraping.errors import Partial, Refused
from scraping.lent import Lent, current
from scraping.records.archive import Archive

HTML = {"Content-Type": "text/html"}


@contextmanager
def lent(archive: Path, **more: Any) -> Iterator[None]:
    """Crawl as within a run."""
    token = current.set(Lent(archive=archive, project=archive, **more))
    try:
        yield
    finally:
        current.reset(token)


def test_what_was_had_afresh_in_a_second_file_is_not_undone_by_opening_again(
    site, tmp_path, monkeypatch
):
    monkeypatch.setattr(answers, "Archive", partial(Archive, rotate_at=6_000))
    site["/"] = "".join(f'<a href="/{n}">x</a>' for n in range(4))
    for n in range(4):
        site[f"/{n}"] = f"<h1>old {n}</h1>" + "x" * 1_000
    crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    for n in range(4):
        site[f"/{n}"] = f"<h1>new {n}</h1>" + "x" * 1_000
    with lent(tmp_path, fresh=True):
        fresh = crawl(site.url(), follow=None, keep="a")
    assert len(list(tmp_path.glob("pages*.warc"))) > 1
    site.forget()
    again = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert [page.select_one("h1").text for page in again] == [f"new {n}" for n in range(4)]
    assert again.digest == fresh.digest


def test_a_page_that_closed_afresh_stays_closed_when_the_archive_has_two_files(
    site, tmp_path, monkeypatch
):
    monkeypatch.setattr(answers, "Archive", partial(Archive, rotate_at=3_000))
    site["/"] = '<a href="/1">x</a><a href="/2">x</a>'
    site["/1"], site["/2"] = "<h1>1</h1>" + "x" * 2_000, "<h1>2</h1>"
    crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    site["/robots.txt"] = "User-agent: *\nDisallow: /2\n"
    site["/1"] = "<h1>new</h1>" + "x" * 4_000
    with lent(tmp_path, fresh=True):
        first = crawl(site.url(), follow=None, keep="a")
    assert len(first) == 1
    second = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert [ref.url for ref in second.refs] == [ref.url for ref in first.refs]


def test_a_redirect_that_leads_elsewhere_now_is_followed_afresh(site, tmp_path):
    site["/"] = '<a href="/today">x</a>'
    site["/today"] = (302, {"Location": "/monday"}, b"")
    site["/monday"], site["/tuesday"] = "<h1>Monday</h1>", "<h1>Tuesday</h1>"
    crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    site["/today"] = (302, {"Location": "/tuesday"}, b"")
    with lent(tmp_path, fresh=True):
        pages = crawl(site.url(), follow=None, keep="a")
    assert [ref.url for ref in pages.refs] == [site.url("/tuesday")]


def test_a_page_that_came_back_with_the_body_of_its_error_is_a_page_afresh(site, tmp_path):
    site["/"] = '<a href="/a">x</a><a href="/b">x</a>'
    site["/b"] = "<h1>other</h1>"
    site["/a"] = (404, HTML, b"<h1>same</h1>")
    crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=1)
    site["/a"] = (200, HTML, b"<h1>same</h1>")
    with lent(tmp_path, fresh=True):
        pages = crawl(site.url(), follow=None, keep="a")
    assert len(pages) == 2


@pytest.mark.parametrize("status", [200, 304])
def test_a_wish_that_was_added_to_an_unchanged_page_counts_afresh(site, tmp_path, status):
    site["/"] = '<a href="/a">x</a><a href="/b">x</a>'
    site["/b"] = "<h1>other</h1>"
    site["/a"] = (200, {**HTML, "ETag": '"1"'}, b"<h1>same</h1>")
    crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    reserved = {**HTML, "ETag": '"1"', "X-Robots-Tag": "noindex, noai"}

    def now(handler):
        if status == 304 and handler.headers.get("If-None-Match"):
            return 304, reserved, b""
        return 200, reserved, b"<h1>same</h1>"

    site["/a"] = now
    with lent(tmp_path, fresh=True):
        pages = crawl(site.url(), follow=None, keep="a")
    assert [ref.url for ref in pages.refs] == [site.url("/b")]


def test_nothing_that_exclude_names_is_asked_for_through_a_redirect(site, tmp_path):
    site["/"] = '<a href="/a">x</a><a href="/b">x</a>'
    site["/a"] = (302, {"Location": "/cart/add?item=1"}, b"")
    site["/b"] = "<h1>b</h1>"
    site["/cart/add?item=1"] = "<h1>in the cart</h1>"
    pages = crawl(site.url(), follow=None, keep="a", exclude="/cart/", archive=tmp_path)
    assert [ref.url for ref in pages.refs] == [site.url("/b")]
    assert site.asked["/cart/add?item=1"] == 0


def test_no_other_site_is_asked_through_a_redirect(site, other_site, tmp_path, monkeypatch):
    """Both may be asked as far as the network goes; only the first is the crawl's."""
    ports = [("127.0.0.1", site.port), ("127.0.0.1", other_site.port)]
    monkeypatch.setattr(answers, "named_private", lambda start: ports)
    site["/"] = '<a href="/out">x</a><a href="/b">x</a>'
    site["/out"] = (302, {"Location": other_site.url("/elsewhere")}, b"")
    site["/b"] = "<h1>b</h1>"
    other_site["/elsewhere"] = "<h1>another site</h1>"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert [ref.url for ref in pages.refs] == [site.url("/b")]
    assert pages.balance["kinds"] == {"on another site": 1}
    assert other_site.requests == []


def test_a_page_both_followed_and_kept_is_not_kept_and_a_duplicate_at_once(site, tmp_path):
    site["/"] = '<a href="/a/">1</a><a href="/b/">2</a>'
    for name in "ab":
        site[f"/{name}/"] = '<img src="x.png">'
        site[f"/{name}/x.png"] = (200, {"Content-Type": "image/png"}, name.encode())
    pages = crawl(site.url(), follow="a", keep="a", media="img", archive=tmp_path)
    assert len(pages) == 2
    assert pages.balance["duplicate"] == 0


def test_pages_with_the_same_relative_links_lead_to_different_pages(site, tmp_path):
    site["/"] = '<a class=next href="/2020/">1</a><a class=next href="/2021/">2</a>'
    for year in (2020, 2021):
        site[f"/{year}/"] = '<a class=page href="1.html">x</a>'
        site[f"/{year}/1.html"] = f"<h1>{year}</h1>"
    pages = crawl(site.url(), follow="a.next", keep="a.page", archive=tmp_path)
    assert [page.select_one("h1").text for page in pages] == ["2020", "2021"]


def test_what_is_due_counts_each_address_once(site, tmp_path):
    site["/"] = "".join(f'<a href="/{n}">x</a>' for n in range(10))
    for n in range(10):
        site[f"/{n}"] = f"<h1>{n}</h1>"
    pages = crawl(site.url(), follow="a", keep="a", max_pages=3, archive=tmp_path)
    assert pages.balance["kept"] == 3
    assert pages.balance["due"] == 7


def test_a_crawl_of_which_nothing_is_kept_does_not_end_well(site, tmp_path):
    site["/robots.txt"] = "User-agent: *\nDisallow: /closed/\n"
    site["/"] = "".join(f'<a href="/closed/{n}">x</a>' for n in range(5))
    with pytest.raises(Partial) as caught:
        crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert caught.value.exit_code == Refused.exit_code
    assert "robots.txt" in str(caught.value)
    assert "API" in str(caught.value)


def test_a_selector_that_finds_no_page_says_so(site, tmp_path):
    site["/"] = '<a href="/1">x</a>'
    with pytest.raises(Partial, match=r"keep='a\.bird'"):
        crawl(site.url(), follow="a.next", keep="a.bird", archive=tmp_path)


def test_time_that_is_over_before_the_first_page_is_no_success(site, tmp_path):
    site["/robots.txt"] = "User-agent: *\nCrawl-delay: 60\n"
    site["/"] = "<h1>x</h1>"
    with pytest.raises(Partial, match="max_seconds"):
        crawl(site.url(), follow=None, max_seconds=1, archive=tmp_path)


def test_an_answer_304_that_nobody_asked_for_does_not_stay_for_ever(site, tmp_path):
    site["/"] = '<a href="/a">x</a><a href="/b">x</a>'
    site["/b"] = "<h1>b</h1>"

    def tagged(handler):
        return 304, {"ETag": '"1"'}, b""

    site["/a"] = tagged
    crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=1)

    def better(handler):
        if handler.headers.get("If-None-Match") == '"1"':
            return 304, {"ETag": '"1"'}, b""
        return 200, {**HTML, "ETag": '"1"'}, b"<h1>a</h1>"

    site["/a"] = better
    with lent(tmp_path, fresh=True):
        pages = crawl(site.url(), follow=None, keep="a", max_failed=1)
    assert len(pages) == 2


def test_an_index_of_ever_more_sitemaps_ends_at_a_budget(site, tmp_path, monkeypatch):
    from scraping.crawling import walk

    monkeypatch.setattr(walk, "MORE_PASSED", 20)
    listed = "".join(f"<sitemap><loc>{site.url(f'/s{n}.xml')}</loc></sitemap>" for n in range(200))
    xml = {"Content-Type": "application/xml"}
    site["/sitemap.xml"] = (200, xml, f"<sitemapindex>{listed}</sitemapindex>".encode())
    for n in range(200):
        site[f"/s{n}.xml"] = (200, xml, b"<urlset></urlset>")
    with pytest.raises(Partial):
        crawl(site.url("/sitemap.xml"), follow=None, max_pages=10, archive=tmp_path)
    assert sum(site.asked.values()) < 60


def test_a_clock_that_was_set_back_does_not_keep_robots_txt_for_ever(site, tmp_path):
    from scraping.crawling.freshness import age, is_current
    from scraping.net.response import Response

    ahead = (datetime.now(UTC) + timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%SZ")
    known = Response("http://x/robots.txt", 200, "OK", [], b"", b"", ahead)
    assert age(known) > 24 * 3600
    assert not is_current(known, datetime.now(UTC) - timedelta(days=1))


def test_an_odd_date_of_an_imported_record_stops_no_crawl():
    from scraping.crawling.freshness import age, is_current
    from scraping.net.response import Response

    for date in ("", "yesterday", "2026-11-23T10:00:00", "20261123100000"):
        known = Response("http://x/robots.txt", 200, "OK", [], b"", b"", date)
        assert age(known) > 0
        is_current(known, datetime.now(UTC))


@pytest.mark.parametrize(
    "wrong", [{"max_pages": 0}, {"max_pages": -1}, {"max_depth": -1}, {"max_seconds": -1},
              {"max_failed": 20}]
)  # fmt: skip
def test_a_budget_that_is_none_is_misuse(site, tmp_path, wrong):
    from scraping.errors import Misuse

    site["/"] = "<h1>x</h1>"
    with pytest.raises(Misuse, match=next(iter(wrong))):
        crawl(site.url(), follow=None, archive=tmp_path, **wrong)
    assert site.requests == []


def test_a_table_removed_with_its_journal_left_over_is_rebuilt(site, tmp_path):
    import shutil
    import sqlite3

    site["/"] = '<a href="/a">x</a>'
    site["/a"] = "<h1>a</h1>"
    crawl(site.url(), follow=None, keep="a", archive=tmp_path / "1")
    folder = tmp_path / "2"
    folder.mkdir()
    shutil.copy(tmp_path / "1" / "pages.warc", folder)
    database = sqlite3.connect(tmp_path / "1" / "frontier.sqlite")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("UPDATE address SET state = 'refused', file = NULL")
    database.commit()
    shutil.copy(tmp_path / "1" / "frontier.sqlite-wal", folder)
    site.forget()
    pages = crawl(site.url(), follow=None, keep="a", archive=folder)
    database.close()
    assert len(pages) == 1
    assert site.requests == []


def test_a_place_in_the_archive_with_another_page_is_no_page(site, tmp_path):
    from scraping.errors import ArchiveDamaged
    from scraping.pages import Pages

    site["/"] = '<a href="/a">x</a><a href="/b">x</a>'
    site["/a"], site["/b"] = "<h1>a</h1>", "<h1>b</h1>"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    swapped = [replace(pages.refs[0], offset=pages.refs[1].offset)]
    with pytest.raises(ArchiveDamaged, match="/b"):
        Pages(tmp_path, swapped)[0]


def test_a_first_page_that_is_refused_names_the_next_lawful_step(site, tmp_path):
    site["/robots.txt"] = "User-agent: *\nDisallow: /\n"
    with pytest.raises(Refused, match=r"robots\.txt[\s\S]*Next: look for an API") as caught:
        crawl(site.url(), follow=None, archive=tmp_path)
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("changed", ["9999-12-31", "0001-01-01", "2026-02-31"])
def test_a_sitemap_with_an_impossible_date_stops_no_crawl_afresh(site, tmp_path, changed):
    listed = f"<url><loc>{site.url('/a')}</loc><lastmod>{changed}</lastmod></url>"
    xml = {"Content-Type": "application/xml"}
    site["/sitemap.xml"] = (200, xml, f"<urlset>{listed}</urlset>".encode())
    site["/a"] = "<h1>a</h1>"
    crawl(site.url("/sitemap.xml"), follow=None, archive=tmp_path)
    with lent(tmp_path, fresh=True):
        assert len(crawl(site.url("/sitemap.xml"), follow=None)) == 1
