"""What pages ask of robots, and what is no page although it looks like one."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from scraping import Pages, crawl, errors, image
from scraping.crawling.balance import told
from scraping.lent import Lent, current
from scraping.outcomes import Kind


def names(pages: Pages) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def ends(folder: Path) -> dict[str, tuple[str, str | None]]:
    """State and kind of each address in the frontier, by the last part of the address."""
    database = sqlite3.connect(folder / "frontier.sqlite")
    rows = database.execute("SELECT url, state, kind FROM address").fetchall()
    database.close()
    return {url.rpartition("/")[2]: (state, kind) for url, state, kind in rows}


@pytest.fixture
def chain(site):
    """Three pages in a row; the middle one asks for something."""
    site["/a"] = '<a href="/b">on</a> first'
    site["/b"] = '<a href="/c">on</a> second'
    site["/c"] = "third"
    return site


@pytest.mark.parametrize("wish", ["noindex", "noai"])
def test_a_page_that_declines_is_not_kept_but_leads_on(chain, tmp_path, wish):
    chain["/b"] = f'<meta name="robots" content="{wish}"><a href="/c">on</a>'
    pages = crawl(chain.url("/a"), follow="a", archive=tmp_path)
    assert names(pages) == ["a", "c"]
    assert pages.balance["kinds"] == {"opted out": 1}
    assert wish in next(iter(pages.balance["reasons"]))
    assert ends(tmp_path)["b"] == ("refused", "opted out")


def test_reserved_text_and_data_mining_is_not_kept_and_its_pictures_not_asked_for(chain, tmp_path):
    body = b'<img src="x.png"><a href="/c">on</a>'
    chain["/b"] = (200, {"Content-Type": "text/html", "TDM-Reservation": "1"}, body)
    pages = crawl(chain.url("/a"), follow="a", media="img", archive=tmp_path)
    assert names(pages) == ["a", "c"]
    assert "/x.png" not in chain.asked


def test_links_are_not_followed_from_a_page_that_says_nofollow(chain, tmp_path):
    chain["/b"] = '<meta name="robots" content="nofollow"><a href="/c">on</a>'
    pages = crawl(chain.url("/a"), follow="a", archive=tmp_path)
    assert names(pages) == ["a", "b"]
    assert "/c" not in chain.asked
    assert "1 × links not followed, as the page asks (nofollow)" in told(pages.balance)


def test_what_must_not_be_archived_is_not_written_and_not_asked_for_again(chain, tmp_path):
    body = b'<a href="/c">secret</a>'
    chain["/b"] = (200, {"Content-Type": "text/html", "X-Robots-Tag": "noarchive"}, body)
    first = crawl(chain.url("/a"), follow="a", archive=tmp_path)
    assert names(first) == ["a"]
    assert b"secret" not in (tmp_path / "pages.warc").read_bytes()
    chain.forget()
    second = crawl(chain.url("/a"), follow="a", archive=tmp_path)
    assert chain.requests == []
    assert second.balance["kinds"] == first.balance["kinds"] == {"opted out": 1}
    token = current.set(Lent(archive=tmp_path, project=tmp_path, fresh=True))
    try:
        crawl(chain.url("/a"), follow="a")
    finally:
        current.reset(token)
    assert chain.asked["/b"] == 1, "asked afresh, it is asked again"


@pytest.mark.parametrize("wish", ["noarchive", "noai", "noimageai", "tdm"])
def test_a_picture_that_declines_is_refused_by_name_and_its_page_kept(site, tmp_path, wish):
    header = {"TDM-Reservation": "1"} if wish == "tdm" else {"X-Robots-Tag": wish}
    site["/"] = '<img src="x.png">'
    site["/x.png"] = (200, {"Content-Type": "image/png", **header}, b"picture")
    pages = crawl(site.url(), follow=None, media="img", archive=tmp_path)
    assert len(pages) == 1
    assert pages.balance["kinds"] == {"opted out": 1}
    with pytest.raises(errors.NotFound, match=r"asks not|reserves"):
        image(pages[0], "img")
    site.forget()
    again = crawl(site.url(), follow=None, media="img", archive=tmp_path)
    assert site.requests == []
    assert again.digest == pages.digest
    assert again.balance["kinds"] == {"opted out": 1}


CHALLENGE = (
    "<html><head><title>Just a moment...</title></head><body><script>window._cf_chl_opt={}"
    "</script><noscript>Enable JavaScript and cookies to continue</noscript></body></html>"
)
LOGIN = (
    "<html><head><title>Log in</title></head><body><form action=/login method=post>"
    "<input name=user><input type=password name=password><button>Log in</button></form></body>"
)
SHELL = (
    "<!doctype html><html><head><title>App</title><script type=module src=/app.js></script></head>"
    "<body><noscript>You need to enable JavaScript to run this app.</noscript>"
    '<div id="root"></div></body></html>'
)


@pytest.mark.parametrize(
    ("body", "kind"), [(CHALLENGE, Kind.CHALLENGE), (LOGIN, Kind.LOGIN), (SHELL, Kind.SHELL)]
)
def test_what_only_looks_like_a_page_is_refused_with_its_kind(site, tmp_path, body, kind):
    site["/"] = '<a href="/wall">1</a><a href="/ok">2</a>'
    site["/wall"] = body
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert names(pages) == ["ok"]
    assert pages.balance["kinds"] == {str(kind): 1}
    assert ends(tmp_path)["wall"] == ("refused", str(kind))
    site.forget()
    again = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert site.requests == []
    assert again.refs == pages.refs
    assert again.balance["kinds"] == {str(kind): 1}


def test_a_challenge_that_says_403_is_a_challenge(site, tmp_path):
    site["/"] = '<a href="/wall">1</a><a href="/ok">2</a>'
    site["/wall"] = (403, {"Content-Type": "text/html"}, CHALLENGE.encode())
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert pages.balance["kinds"] == {"challenge page": 1}
    assert pages.balance["failed"] == 0


def test_a_redirect_to_a_login_is_a_login(site, tmp_path):
    site["/"] = '<a href="/members/1">1</a><a href="/ok">2</a>'
    site["/members/1"] = (302, {"Location": "/login?next=/members/1"}, b"")
    site["/login?next=/members/1"] = LOGIN
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert names(pages) == ["ok"]
    assert pages.balance["kinds"] == {"login page": 1}


def test_a_start_behind_a_challenge_is_refused_with_the_next_lawful_step(site, tmp_path):
    site["/"] = CHALLENGE
    with pytest.raises(errors.Refused, match="folio import") as caught:
        crawl(site.url(), follow="a", archive=tmp_path)
    assert caught.value.exit_code == 4
    assert caught.value.kind is Kind.CHALLENGE


def test_another_content_type_is_refused_before_its_body_is_read(site, tmp_path):
    site["/"] = '<a href="/film.mp4">1</a><a href="/ok">2</a>'
    site["/film.mp4"] = (200, {"Content-Type": "video/mp4"}, b"x" * 100)
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert names(pages) == ["ok"]
    assert pages.balance["kinds"] == {"another content type": 1}
    site.forget()
    media = crawl(site.url(), follow=None, media="a", archive=tmp_path)
    assert site.asked == {"/film.mp4": 1}, "as a file it may be had"
    assert [one.reason for one in media.refs[0].media] == ["", ""]
