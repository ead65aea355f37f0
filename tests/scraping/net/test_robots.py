"""robots.txt: bytes to text, text to rules, rules to a verdict (RFC 9309)."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from scraping.net.robots import OPEN, PRODUCT, ROBOTS_BYTES, Robots, parse, robots_text

SITE = "http://birds.example"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rules_are_read_behind_any_byte_order_mark_and_with_any_line_end(encoding, end):
    body = end.join(["User-agent: *", "Disallow: /ä", ""]).encode(encoding)
    assert robots_text(body) == "User-agent: *\nDisallow: /ä\n"
    assert not parse(body).allowed(f"{SITE}/%C3%A4/finch")
    assert parse(body).allowed(f"{SITE}/finch")


def test_no_more_than_500_kib_are_read():
    padding = b"#" * 99 + b"\n"
    seen = b"User-agent: *\nDisallow: /seen\n" + padding * (ROBOTS_BYTES // 100)
    assert not parse(seen + b"Disallow: /unseen\n").allowed(f"{SITE}/seen")
    assert parse(seen + b"Disallow: /unseen\n").allowed(f"{SITE}/unseen")


@pytest.mark.parametrize(
    ("agent", "ours"),
    [
        ("Folio", True),
        ("folio", True),
        ("FOLIO/0.1", True),
        ("Folio (a robot)", True),
        ("Folio # that one", True),
        ("*", True),
        ("Fol", False),
        ("FolioBot", False),
        ("Folio-Images", False),
        ("*bot", False),
        ("f*", False),
        ("", False),
    ],
)
def test_a_group_is_meant_for_the_product_it_names(agent, ours):
    rules = parse(f"User-agent: {agent}\nDisallow: /\n".encode())
    assert rules.allowed(f"{SITE}/finch") is not ours


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        # The examples of RFC 9309, 2.2.2, and of its section 5.
        ("User-agent: *\nDisallow: /foo/bar?baz=quz", "/foo/bar?baz=quz", False),
        ("User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar", "/foo/bar?baz=https://foo.bar",
         False),
        ("User-agent: *\nDisallow: /foo/bar/\u30c4", "/foo/bar/%E3%83%84", False),
        ("User-agent: *\nDisallow: /foo/bar/%E3%83%84", "/foo/bar/%E3%83%84", False),
        ("User-agent: *\nDisallow: /foo/bar/%62%61%7A", "/foo/bar/baz", False),
        ("User-agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/", "/a.gif",
         False),
        ("User-agent: *\nDisallow: *.gif$\nDisallow: /example/\nAllow: /publications/",
         "/publications/a", True),
        ("User-agent: folio\nUser-agent: bazbot\nDisallow: /example/page.html",
         "/example/page.html", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: folio\n", "/a", True),
        ("User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif",
         "/example/page/disallowed.gif", False),
        # Several groups for one product are one group; equally long rules allow.
        ("User-agent: folio\nDisallow: /a\nUser-agent: x\nDisallow: /b\nUser-agent: folio\n"
         "Disallow: /c", "/c", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a", "/a", True),
        ("User-agent: *\nSitemap: http://x/s.xml\nDisallow: /a", "/a", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("Disallow: /\nUser-agent: *\n", "/a", True),
        ("<html><body>not found</body></html>", "/a", True),
    ],
)  # fmt: skip
def test_rules_are_read_to_the_letter(text, path, allowed):
    assert parse(text.encode()).allowed(SITE + path) is allowed


def test_sitemaps_and_delay_are_told():
    robots = parse(
        b"Sitemap: http://birds.example/a.xml\nUser-agent: x\nCrawl-delay: 9\n"
        b"User-agent: *\nCrawl-delay: 2.5\nSitemap: /b.xml\n"
    )
    assert robots.sitemaps == ("http://birds.example/a.xml", "/b.xml")
    assert robots.crawl_delay == 2.5
    assert robots.text.startswith("Sitemap")


@pytest.mark.parametrize("delay", ["soon", "-1", "nan", "inf", "1e999", ""])
def test_a_delay_that_is_no_time_is_none(delay):
    assert parse(f"User-agent: *\nCrawl-delay: {delay}\n".encode()).crawl_delay is None


def test_no_robots_txt_allows_all_and_one_that_cannot_be_had_nothing():
    assert OPEN.allowed(f"{SITE}/a")
    assert not Robots(reason="it answered 503").allowed(f"{SITE}/a")


@pytest.mark.parametrize(
    "text",
    [
        "User-agent: *\n" + "Disallow: /x\n" * 40_000,
        "User-agent: *\nDisallow: /" + "*a" * 200_000 + "b$\n",
        "User-agent: *\n" + "Disallow: /*a*a*a*a*a*a*a*a*b\n" * 15_000,
        "User-agent: x\n" * 30_000 + "Disallow: /\n",
        "User-agent: *" + " " * 400_000 + "\nDisallow: /b",
    ],
)
def test_rules_made_to_hang_a_robot_do_not(text):
    begun = time.monotonic()
    assert parse(text.encode()).allowed(f"{SITE}/{'a' * 2_000}")
    assert time.monotonic() - begun < 5


lines = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["User-agent", "Disallow", "Allow", "Crawl-delay", "Sitemap"]),
            st.text("/ab*$%?=.F#-_ 1", max_size=8),
        ).map(": ".join),
        st.sampled_from(["User-agent: *", "User-agent: Folio", "", "Disallow: /", "Allow: /a"]),
    ),
    max_size=12,
).map("\n".join)


@given(lines, st.text("/ab?=.%2", max_size=8))
def test_where_only_whole_names_are_used_protego_agrees(text, path):
    agents = [
        line.partition(":")[2].partition("#")[0].strip()
        for line in text.splitlines()
        if line.startswith("User-agent:")
    ]
    url = f"{SITE}/{path}"
    ours, protego = parse(text.encode()), Protego.parse(text)
    assert list(ours.sitemaps) == list(protego.sitemaps)
    if all(agent in ("*", PRODUCT) for agent in agents):
        assert ours.allowed(url) is protego.can_fetch(url, PRODUCT)


@given(st.binary(), st.text(max_size=20))
def test_any_bytes_make_a_robots_txt(body, path):
    assert "\r" not in robots_text(body)
    robots = parse(body)
    assert robots.allowed(f"{SITE}/{path}") in (True, False)
    assert robots.allowed(f"{SITE}/robots.txt")


@given(lines)
def test_an_empty_line_or_a_comment_between_changes_nothing(text):
    spread = text.replace("\n", " # a word\n\n# a line\n")
    assert parse(text.encode()).rules.can_fetch(f"{SITE}/ab", PRODUCT) is (
        parse(spread.encode()).rules.can_fetch(f"{SITE}/ab", PRODUCT)
    )


@given(lines, st.text("/ab", max_size=5))
def test_a_closed_site_stays_closed_whatever_is_said_to_others(text, path):
    text = "\n".join(line for line in text.splitlines() if "User-agent" not in line)
    closed = f"User-agent: Folio\nDisallow: /\n\nUser-agent: x\n{text}\n"
    assert not parse(closed.encode()).allowed(f"{SITE}/x{path}")
