"""Addresses made whole; two spellings known as one."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from w3lib.url import canonicalize_url, safe_url_string

from scraping.errors import Refused
from scraping.net.address import LONGEST, PLAIN, canonical, resolve

BASE = "http://example.org/shop/birds.html?page=2"


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("wren.html", "http://example.org/shop/wren.html"),
        ("/wren", "http://example.org/wren"),
        ("//other.example/x", "http://other.example/x"),
        ("?page=3", "http://example.org/shop/birds.html?page=3"),
        ("#top", BASE),
        ("", BASE),
        ("  wren\n.html ", "http://example.org/shop/wren.html"),
        ("../ä b", "http://example.org/%C3%A4%20b"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("HTTPS://Example.org", "https://example.org/"),
        ("http://example.org:80/x", "http://example.org/x"),
        ("http://example.org:443/x", "http://example.org:443/x"),
    ],
)
def test_links_are_resolved_as_a_browser_would(link, url):
    assert resolve(BASE, link) == url


@pytest.mark.parametrize(
    "link",
    [
        "mailto:a@b.c",
        "javascript:void(0)",
        "data:,x",
        "file:///etc/passwd",
        "ftp://h/",
        "tel:1",
        "http://[::1",
        "http://h:99999/",
        "http://a b/",
        "http://u:p@h/",
        "http://" + "a" * 64 + ".org/",
        "http://a..b/",
        "http://\x00/",
        "x" * 10_000,
    ],
)
def test_what_is_no_web_address_is_refused_with_a_reason(link):
    with pytest.raises(Refused) as caught:
        resolve(BASE, link)
    assert caught.value.reason
    assert "\x00" not in str(caught.value)
    assert len(str(caught.value)) < 600


@given(st.text())
def test_any_link_is_an_address_or_refused(link):
    try:
        url = resolve(BASE, link)
    except Refused:
        return
    parts = urlsplit(url)
    assert parts.scheme in ("http", "https")
    assert parts.hostname
    assert url.isascii()
    assert url.isprintable()
    assert "#" not in url


@given(st.text())
def test_resolving_and_canonical_forms_are_stable(link):
    try:
        url = resolve(BASE, link)
    except Refused:
        return
    assert resolve(url, url) == url
    assert canonical(canonical(url)) == canonical(url)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://h/?a=1&b=2", "http://h/?b=2&a=1"),
        ("http://h/%7Ex", "http://h/~x"),
        ("http://h/a/../b", "http://h/b"),
    ],
)
def test_spellings_of_one_address_have_one_canonical_form(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://h/A", "http://h/a"),
        ("http://h/a", "http://h/a/"),
        ("http://h/?a=1", "http://h/?a=2"),
        ("http://h/?a=", "http://h/"),
        ("http://h/", "https://h/"),
    ],
)
def test_different_addresses_stay_different(one, other):
    assert canonical(one) != canonical(other)


PIECES = st.sampled_from([
    "http://", "https:", "//", "h.example", "xn--bcher-kva.example", ":80", ":8080", "[::1]",
    "1.2.3.4", "@", ":", "/", "a", "B9", "..", ".", "?", "a=1", "&", "=", "#", "%7e", "%", "ä",
    ";", "~", "-", "_", "$KEY", "\\", "+", "|", "*", " ", "\n", "\x00", "\x08", "\ud800", "\u202e",
])  # fmt: skip
LINKS = st.lists(PIECES, max_size=9).map("".join)
BASES = st.sampled_from(
    [
        BASE,
        "http://example.org/",
        "http://127.0.0.1:8080/a/b/",
        "https://a.b/x;y/z?p=1&q",
        "http://h/a//b",
    ]
)


@given(BASES, LINKS | st.text())
@example("http://h/a;b/c", "d")
@example("http://example.org/x", "?a=b")
def test_the_short_way_of_plain_addresses_leads_where_w3lib_does(base, link):
    try:
        url = resolve(base, link)
    except Refused:
        return
    assert canonical(url) == canonicalize_url(url)
    if PLAIN.fullmatch(url):
        assert safe_url_string(url) == url


@given(BASES, LINKS)
@example(BASE, "http:////http://")
@example(BASE, ";\x08")
def test_a_resolved_address_is_whole_and_resolves_to_itself_from_anywhere(base, link):
    try:
        url = resolve(base, link)
    except Refused:
        return
    assert resolve("", url) == resolve(base, url) == url
    assert canonical(resolve("", url)) == canonical(url) == canonical(canonical(url))
    assert resolve("", canonical(url))


@given(st.from_regex(PLAIN, fullmatch=True))
def test_a_plain_address_is_its_own_canonical_form(url):
    assert canonicalize_url(url) == url
    assert safe_url_string(url) == url
    parts = urlsplit(url)
    assert parts.port not in (80, 443)
    assert parts.hostname


@given(BASES, st.from_regex(r"[A-Za-z0-9_~./?=&-]{1,20}", fullmatch=True))
def test_plain_links_are_joined_as_the_standard_library_joins_them(base, link):
    try:
        url = resolve(base, link)
    except Refused:
        return
    assert canonical(url) == canonicalize_url(urljoin(base, link))


def test_an_address_does_not_grow_without_end_from_page_to_page():
    url = resolve(resolve("http://birds.example/", "a" * 2_000 + "/"), "a" * 2_000 + "/")
    assert len(url) <= LONGEST
    with pytest.raises(Refused, match="an address of 6,023 characters"):
        resolve(url, "a" * 2_000)
    with pytest.raises(Refused, match="an address of 18,021 characters"):
        resolve(url, "/" + "鳥" * 2_000)


@pytest.mark.parametrize("host", ["%31%32%37.0.0.1", "127.0.0.1%2e", "[fe80::1%25eth0]", "a%00b"])
def test_a_host_in_escaped_characters_is_refused(host):
    with pytest.raises(Refused, match="its host"):
        resolve("", f"http://{host}/")
