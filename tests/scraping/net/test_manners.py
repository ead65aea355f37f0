"""Manners towards a real server: robots.txt, pauses, retries, names."""

from __future__ import annotations

import contextlib
import gzip
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import Disallowed, FetchFailed, HostStopped, NoContact, Refused
from scraping.net import manners
from scraping.net.fetch import PAGES, Fetcher, Response
from scraping.net.manners import Manners, retry_after, user_agent
from scraping.outcomes import Kind


@pytest.fixture
def polite(site):
    """Manners towards the site that only note how long they would wait."""
    fetcher = Fetcher("Folio/test", allowed=[("127.0.0.1", site.port)], seconds=1)
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        for host in polite.free_at:
            polite.free_at[host] -= seconds

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


@pytest.mark.parametrize("status", [404, 410, 401, 403])
def test_no_robots_txt_allows_all(site, polite, status):
    site["/robots.txt"] = (status, {}, b"")
    site["/"] = "x"
    assert polite.get(site.url()).status == 200


def chain(length):
    """A robots.txt behind so many redirects."""

    def answer(handler):
        number = int(handler.path.rpartition("?")[2] or 0) if "?" in handler.path else 0
        if number == length:
            return b"User-agent: *\nDisallow: /"
        return (302, {"Location": f"/robots.txt?{number + 1}"}, b"")

    return answer


BAD_ROBOTS = {
    "500": (500, {}, b""),
    "503": (503, {}, b""),
    "429": (429, {}, b""),
    "redirect loop": (302, {"Location": "/robots.txt"}, b""),
    "redirect to nowhere": (302, {"Location": "http://[::1"}, b""),
    "redirect to a private address": (302, {"Location": "http://169.254.169.254/"}, b""),
    "hangs up": lambda handler: None,
    "silent": lambda handler: time.sleep(1),
    "announced bomb": (200, {"Content-Length": "99999999999"}, b""),
    "packed bomb": (200, {"Content-Encoding": "gzip"}, gzip.compress(bytes(30_000_000))),
    "cut": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"User-agent: *")[:-4]),
    "headers without end": lambda handler: handler.wfile.write(b"HTTP/1.1 200 OK\r\nA: b\r\n"),
}


@pytest.mark.parametrize("answer", BAD_ROBOTS.values(), ids=BAD_ROBOTS)
def test_a_robots_txt_that_cannot_be_had_disallows_all(site, polite, answer):
    site["/robots.txt"] = answer
    site["/"] = "x"
    for _ in range(2):
        with pytest.raises(HostStopped, match=r"robots\.txt could not be had") as caught:
            polite.get(site.url())
        assert caught.value.kind is Kind.RESTING
        asked = site.requests.count("/robots.txt")
    assert "/" not in site.requests
    assert asked == site.requests.count("/robots.txt") <= manners.TRIES
    assert not polite.robots(site.url()).allowed(site.url())
    assert polite.robots(site.url()).reason


@pytest.mark.parametrize("length", [1, 5, 10])
def test_a_robots_txt_behind_redirects_is_found(site, polite, length):
    for number in range(length + 1):
        site[f"/robots.txt?{number}"] = chain(length)
    site["/robots.txt"] = chain(length)
    with pytest.raises(Disallowed) as caught:
        polite.get(site.url())
    assert caught.value.kind is Kind.ROBOTS


def test_others_may_ask_what_robots_txt_says(site, polite):
    site["/robots.txt"] = "User-agent: *\nDisallow: /a\nCrawl-delay: 1\nSitemap: /map.xml"
    robots = polite.robots(site.url("/some/page"))
    assert robots.sitemaps == ("/map.xml",)
    assert robots.crawl_delay == 1
    assert (robots.allowed(site.url("/a")), robots.allowed(site.url("/b"))) == (False, True)
    assert site.requests == ["/robots.txt"]


def test_a_host_that_may_not_be_asked_has_no_robots_txt(other_site, polite):
    with pytest.raises(Refused) as caught:
        polite.robots(other_site.url())
    assert caught.value.kind is Kind.PRIVATE
    assert other_site.requests == []


def test_a_robots_txt_elsewhere_is_followed(site, polite):
    site["/robots.txt"] = (301, {"Location": "/real.txt"}, b"")
    site["/real.txt"] = "User-agent: *\nDisallow: /"
    with pytest.raises(Disallowed):
        polite.get(site.url())


@pytest.fixture
def slow(site, polite):
    """The same, with a pause between requests as on the web."""
    polite.quick = frozenset()
    return polite


@pytest.mark.parametrize(("delay", "pause"), [("3", 3), ("0.1", 0.5), ("nonsense", 0.5)])
def test_the_longer_of_own_pause_and_crawl_delay_is_kept(site, slow, delay, pause):
    site["/robots.txt"] = f"User-agent: *\nCrawl-delay: {delay}"
    site["/"] = "x"
    slow.get(site.url())
    slow.get(site.url())
    assert slow.waits == pytest.approx([pause, pause], abs=0.1)


def pauses(site, slow, answers):
    """The pause after each of these answers to one address, each asked for once."""
    site["/"] = "x"
    slow.get(site.url())
    (host,) = slow._hosts.values()
    seen = []
    for answer in answers:
        site["/"] = answer
        with contextlib.suppress(FetchFailed):
            slow.get(site.url())
        seen.append(host.pause)
    return seen


@pytest.mark.parametrize(
    "strain",
    [(429, {}, b""), (503, {}, b""), (500, {}, b""), lambda handler: time.sleep(1.2)],
    ids=["429", "503", "500", "no answer in time"],
)
def test_the_pause_grows_under_strain_and_shrinks_slowly_to_the_own_one(
    site, slow, monkeypatch, strain
):
    monkeypatch.setattr(manners, "TRIES", 1)
    grown, *after = pauses(site, slow, [strain, *["x"] * 9])
    assert grown == 1.0
    assert after == sorted(after, reverse=True)
    assert after[0] == pytest.approx(0.9)
    assert after[-1] == 0.5


def test_the_pause_does_not_shrink_below_the_crawl_delay_nor_grow_beyond_reason(
    site, slow, monkeypatch
):
    monkeypatch.setattr(manners, "TRIES", 1)
    monkeypatch.setattr(manners, "MOST_FAILURES", 100)
    site["/robots.txt"] = "User-agent: *\nCrawl-delay: 2"
    *_, grown = pauses(site, slow, [(503, {}, b"")] * 8)
    assert grown == manners.LONGEST_REST
    assert min(pauses(site, slow, ["x"] * 40)) == 2


@given(
    st.floats(0.01, 100),
    st.lists(st.tuples(st.floats(0, 200), st.booleans()), max_size=60),
)
def test_a_pause_never_leaves_its_bounds(base, exchanges):
    host = manners._Host(base, base)
    for seconds, strained in exchanges:
        before = host.pause
        rest = host.rest(seconds, strained=strained)
        assert base <= host.pause <= max(base, manners.LONGEST_REST)
        assert (host.pause >= before) if strained else (host.pause <= before)
        assert rest >= host.pause


def test_a_broken_page_is_no_sign_of_strain(site, slow, monkeypatch):
    monkeypatch.setattr(manners, "TRIES", 1)
    broken = (200, {"Content-Encoding": "gzip"}, b"x")
    assert pauses(site, slow, [broken, (404, {}, b""), (403, {}, b"")]) == [0.5] * 3


def test_a_host_that_answers_slowly_is_given_as_long_a_rest(site, slow, monkeypatch):
    monkeypatch.setattr(manners, "PAUSE", 0.01)
    monkeypatch.setattr(manners, "LATENCY_SHARE", 1.0)
    site["/"] = lambda handler: time.sleep(0.3) or b"x"
    slow.get(site.url())
    slow.get(site.url())
    assert slow.waits[-1] == pytest.approx(0.3, abs=0.15)


def test_content_types_are_asked_of_pages_and_not_of_robots_txt(site, polite):
    site["/robots.txt"] = (200, {"Content-Type": "image/png"}, b"User-agent: *\nDisallow: /a")
    site["/picture"] = (200, {"Content-Type": "image/png"}, b"x")
    with pytest.raises(Refused) as caught:
        polite.get(site.url("/picture"), kinds=PAGES)
    assert caught.value.kind is Kind.CONTENT_TYPE
    assert site.requests.count("/picture") == 1
    with pytest.raises(Disallowed):
        polite.get(site.url("/a"))


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ((429, {}, b""), Kind.CLIENT),
        ((503, {}, b""), Kind.SERVER),
        ((503, {"Retry-After": "86400"}, b""), Kind.RESTING),
        (lambda handler: None, Kind.UNREACHABLE),
        ((200, {"Content-Encoding": "gzip"}, b"x"), Kind.BROKEN),
    ],
)
def test_a_failure_is_of_its_kind(site, polite, answer, kind):
    site["/"] = answer
    with pytest.raises(FetchFailed) as caught:
        polite.get(site.url())
    assert caught.value.kind is kind


def test_a_host_is_left_alone_after_failures_in_a_row_but_not_after_broken_pages(site, polite):
    broken = (200, {"Content-Encoding": "gzip"}, b"x")
    for number in range(manners.MOST_FAILURES + 1):
        site[f"/broken{number}"] = broken
        with pytest.raises(FetchFailed, match="compression"):
            polite.get(site.url(f"/broken{number}"))
    for number in range(manners.MOST_FAILURES):
        site[f"/down{number}"] = (503, {}, b"")
        with pytest.raises(FetchFailed, match="503"):
            polite.get(site.url(f"/down{number}"))
    with pytest.raises(HostStopped, match="failed 5 addresses in a row, the last with: 503"):
        polite.get(site.url("/broken0"))
    assert site.requests.count("/broken0") == manners.TRIES


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
        ("Wed, 21 Oct 2015 07:28:00 -0000", 0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0),
        ("٣", None),
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


@pytest.mark.parametrize("failures", [1, 3, 4])
def test_a_retry_after_holds_for_the_next_address_too(site, polite, failures):
    answers = iter([(503, {"Retry-After": "7"}, b"")] * failures + [b"x"] * 9)
    site["/a"] = site["/b"] = lambda handler: next(answers)
    for path in ("/a", "/b"):
        with contextlib.suppress(FetchFailed):
            polite.get(site.url(path))
    assert len([wait for wait in polite.waits if wait > 6]) == failures


def test_a_host_is_one_host_over_http_and_https():
    waits = []

    def send(url, headers=None, *, kinds=None):
        return Response(url, 404, "", [], b"", b"")

    polite = Manners(send, sleep=waits.append)
    polite.get("http://birds.example/")
    waits.clear()
    polite.robots("https://birds.example/")
    assert waits == [pytest.approx(manners.PAUSE, abs=0.1)]


def test_those_who_ask_one_after_another_share_their_pauses():
    waits, free_at = [], {}
    for _ in range(2):
        polite = Manners(
            lambda url, headers=None, *, kinds=None: Response(url, 404, "", [], b"", b""),
            sleep=waits.append,
            free_at=free_at,
        )
        polite.robots("http://birds.example/")
    assert waits == [pytest.approx(manners.PAUSE, abs=0.1)]
