"""Manners towards a real server: robots.txt, pauses, retries, names."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping import manners
from scraping.errors import Disallowed, FetchFailed, HostStopped, NoContact
from scraping.fetch import Fetcher
from scraping.manners import Manners, retry_after, robots_text, user_agent


@pytest.fixture
def polite(site):
    """Manners towards the site that only note how long they would wait."""
    fetcher = Fetcher("Folio/test", allowed=[("127.0.0.1", site.port)], seconds=1)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        for host in polite._hosts.values():
            host.free_at -= seconds

    polite = Manners(fetcher.get, quick=frozenset([f"127.0.0.1:{site.port}"]), sleep=sleep)
    polite.waits = waits  # ty: ignore[missing-attribute]
    yield polite
    fetcher.close()


def test_robots_txt_is_read_once_and_first(site, polite):
    site["/"] = site["/b"] = "x"
    polite.get(site.url())
    polite.get(site.url("/b"))
    assert site.requests == ["/robots.txt", "/", "/b"]


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: Folio\nDisallow: /a\n\nUser-agent: *\nDisallow: /", "/b", True),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/x.pdf", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/x.pdf?y", True),
        ("User-agent: *\rDisallow: /a", "/a", False),
        ("User-agent: *\nDisallow:", "/a", True),
    ],
)
def test_rules_are_obeyed(site, polite, rules, path, allowed):
    site["/robots.txt"] = rules
    site[path] = "x"
    if allowed:
        assert polite.get(site.url(path)).status == 200
    else:
        with pytest.raises(Disallowed):
            polite.get(site.url(path))
        assert path not in site.requests


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_rules_behind_a_byte_order_mark_are_read(encoding):
    assert robots_text("User-agent: *\r\nDisallow: /ä".encode(encoding)) == (
        "User-agent: *\nDisallow: /ä"
    )


@given(st.binary())
def test_any_bytes_make_a_robots_txt(body):
    assert "\r" not in robots_text(body)


@pytest.mark.parametrize("status", [404, 410, 401, 403])
def test_no_robots_txt_allows_all(site, polite, status):
    site["/robots.txt"] = (status, {}, b"")
    site["/"] = "x"
    assert polite.get(site.url()).status == 200


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b""),
        (503, {}, b""),
        (302, {"Location": "/robots.txt"}, b""),
        lambda handler: None,
        lambda handler: time.sleep(1.5),
        (200, {"Content-Length": "99999999999"}, b""),
    ],
    ids=["500", "503", "redirect loop", "hangs up", "silent", "bomb"],
)
def test_a_robots_txt_that_cannot_be_had_disallows_all(site, polite, answer):
    site["/robots.txt"] = answer
    site["/"] = "x"
    with pytest.raises(HostStopped, match=r"robots\.txt could not be had"):
        polite.get(site.url())
    assert "/" not in site.requests


def test_a_robots_txt_elsewhere_is_followed(site, polite):
    site["/robots.txt"] = (301, {"Location": "/real.txt"}, b"")
    site["/real.txt"] = "User-agent: *\nDisallow: /"
    with pytest.raises(Disallowed):
        polite.get(site.url())


@pytest.mark.parametrize(("delay", "pause"), [("3", 3), ("0.1", 0.5)])
def test_the_longer_of_own_pause_and_crawl_delay_is_kept(site, polite, delay, pause):
    polite.quick = frozenset()
    site["/robots.txt"] = f"User-agent: *\nCrawl-delay: {delay}"
    site["/"] = "x"
    polite.get(site.url())
    polite.get(site.url())
    assert polite.waits == pytest.approx([pause, pause], abs=0.1)


def test_a_crawl_delay_beyond_reason_stops_the_host(site, polite):
    site["/robots.txt"] = "User-agent: *\nCrawl-delay: 86400"
    with pytest.raises(HostStopped, match="86,400 seconds"):
        polite.get(site.url())


def test_a_host_on_this_computer_needs_no_pause(site, polite):
    site["/"] = "x"
    polite.get(site.url())
    polite.get(site.url())
    assert polite.waits == []


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_obeyed(site, polite, status):
    answers = iter([(status, {"Retry-After": "7"}, b""), b"x"])
    site["/"] = lambda handler: next(answers)
    assert polite.get(site.url()).body == b"x"
    assert polite.waits == pytest.approx([7], abs=0.1)


def test_retry_after_as_a_date_is_obeyed(site, polite):
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    answers = iter([(503, {"Retry-After": soon}, b""), b"x"])
    site["/"] = lambda handler: next(answers)
    polite.get(site.url())
    assert polite.waits == pytest.approx([29.5], abs=1.5)


def test_retry_after_beyond_the_cap_stops_the_host_after_one_request(site, polite):
    site["/"] = (503, {"Retry-After": "86400"}, b"")
    for _ in range(2):
        with pytest.raises(HostStopped, match="asks to wait 86,400 seconds"):
            polite.get(site.url())
    assert site.requests.count("/") == 1
    assert polite.waits == []


def test_retry_after_that_is_garbage_falls_back_to_growing_pauses(site, polite):
    site["/"] = (503, {"Retry-After": "when it suits"}, b"")
    with pytest.raises(FetchFailed, match="503"):
        polite.get(site.url())
    assert site.requests.count("/") == manners.TRIES
    first, second = polite.waits
    assert 0.004 < first < 0.016
    assert 0.014 < second < 0.046


def test_a_404_is_an_answer_and_not_tried_again(site, polite):
    assert polite.get(site.url("/none")).status == 404
    assert site.requests.count("/none") == 1


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 5 ", 5),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        ("99999999999999999999", 999999999999),
    ],
)
def test_retry_after_is_read_as_number_or_date(value, seconds):
    assert retry_after(value) == seconds


@given(st.text())
def test_any_retry_after_is_survived(value):
    wait = retry_after(value)
    assert wait is None or wait >= 0


def test_the_user_agent_names_the_product_and_the_contact():
    assert user_agent("me@example.org", needed=True) == "Folio/0.1 (+me@example.org)"
    assert user_agent(None, needed=False) == "Folio/0.1"


@pytest.mark.parametrize("contact", [None, "", "  ", "a\r\nX-Injected: b"])
def test_a_contact_that_is_missing_or_no_header_is_an_error(contact):
    with pytest.raises(NoContact):
        user_agent(contact, needed=True)
