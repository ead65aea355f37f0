"""Markup made to hang a parser: read within seconds, or refused with the reason."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import Unreadable
from scraping.net.fetch import Response
from scraping.reading import markup
from scraping.reading.page import Page


def page_of(body: bytes) -> Page:
    return Page(Response("http://h/bomb", 200, "OK", [], body, body, "now"))


def attributes(form: bytes, number: int = 100_000) -> bytes:
    return b"<p" + b"".join(form % place for place in range(number)) + b">x</p>"


REFUSED = {
    "attributes": (attributes(b" a%d=1"), "100,001 attributes"),
    "attributes without a value": (attributes(b" a%d"), "attributes"),
    "attributes between slashes": (attributes(b"/a%d"), "attributes"),
    "attributes with > in quotes": (attributes(b' a%d=">"'), "attributes"),
    "attributes with <> in quotes": (attributes(b" a%d = '<>'"), "attributes"),
    "attributes after an empty comment": (b"<!-->" + attributes(b" a%d") + b"-->", "attributes"),
    "attributes in a title's script": (
        b"<title><script></title>" + attributes(b" a%d"),
        "attributes",
    ),
    "many tags of many attributes": (attributes(b" a%d", 9_000) * 30, "up to 9,001"),
    "millions of attributes": (attributes(b" %x", 420) * 8_000, "attributes"),
    "tags": (b"<b>x</b>" * 2_500_000, "2,500,000 tags"),
    "brackets": (b"<" * 20_000_000, "tags"),
    "closing tags": (b"</p>" * 5_000_000, "closing tags"),
    "nesting": (b"<div>" * 100_000, "depth"),
    "formatting nested": (b"<b>" * 3_000 + b"<p>x</b>" * 3_000, "depth"),
}
READ = {
    "the same attribute": b"<p" + b" a=1" * 15_000 + b">",
    "comments": b"<!-- c -->" * 100_000,
    "CDATA": b"<![CDATA[ x ]]>" * 100_000,
    "adoption": b"<a><b></a></b>" * 50_000,
    "formatting misnested": b"<b><i><u><p>" * 50_000,
    "entities": b"<p>" + b"&amp;" * 1_000_000,
    "unknown entities": b"<p>" + b"&bogus;" * 1_000_000,
    "a huge attribute": b'<p title="' + b"x" * 15_000_000 + b'">',
    "a huge attribute without an end": b'<p title="' + b"x" * 15_000_000,
    "a huge comment": b"<!--" + b"c" * 15_000_000,
    "20 MB in one line": b"<p>" + b"word " * 4_000_000,
    "20 MB of spaces in a tag": b"<p" + b" " * 20_000_000,
    "20 MB that are not UTF-8": b"<p>" + b"\xff" * 20_000_000,
    "quotes": b"<p " + b"\"'" * 5_000_000,
    "names": b"".join(b"<x%d></x%d>" % (place, place) for place in range(200_000)),
    "nothing but NUL": b"\0" * 5_000_000,
}


@pytest.mark.parametrize(("body", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_a_parser_bomb_is_refused_with_its_reason(body, said):
    begun = time.process_time()
    page = page_of(body)
    with pytest.raises(Unreadable, match="http://h/bomb: .*" + said):
        page.select("p")
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("body", READ.values(), ids=READ.keys())
def test_an_odd_page_is_read_within_seconds(body):
    begun = time.process_time()
    page = page_of(body)
    page.select("div p ~ p:nth-child(2)")
    page.get_text()
    page.find_all("a")
    page.embedded(skip_broken=True)
    assert time.process_time() - begun < 5


def test_pages_deeper_than_a_parser_likes_are_read_whole():
    page = page_of(b"<div>" * 2_000 + b"deep" + b"</div>" * 2_000 + b"<p>end")
    assert len(page.find_all("div")) == 2_000
    assert page.get_text() == "deepend"


def test_a_text_longer_than_a_parser_likes_is_read_whole():
    page = page_of(b"<p>" + b"x" * 11_000_000 + b"<p>end")
    assert [len(tag.get_text()) for tag in page.select("p")] == [11_000_000, 3]


def test_beautiful_soup_is_not_given_what_would_keep_it_for_minutes():
    page = page_of(b"<p>x</p>" * 100_000)
    assert len(page.select("p:nth-child(2n)")) == 50_000
    with pytest.raises(Unreadable, match="100,000 tags; Beautiful Soup"):
        _ = page.soup


words = st.sampled_from(
    [b"<p", b">", b"<a b", b"=", b'"', b"'", b" ", b"x", b"/", b"<!--", b"-->", b"=1", b"\n", b"<"]
)


@given(st.lists(words, max_size=60))
def test_the_cheap_count_never_misses_an_attribute(pieces):
    source = b"".join(pieces)
    root = markup.parsed("http://h/", source)
    longest = max((len(one.attrib) for one in root.iter("*")), default=0) if root is not None else 0
    counted = [
        sum(1 for _ in markup.ATTRIBUTE.finditer(tag.group()))
        for tag in markup.TAG.finditer(source)
    ]
    assert longest <= max(counted, default=0)


def test_an_ordinary_large_page_is_not_taken_for_a_bomb():
    row = b'<tr><td class="a b" title="1 > 0" data-x=\'{"a": 1}\'><a href="/x?a=1">x</a></td></tr>'
    script = b"<script>" + b"if (a<b && c>d) { f(\"x\", 'y'); } " * 2_000 + b"</script>"
    page = page_of(b"<table>" + row * 20_000 + b"</table>" + script)
    assert len(page.select("td")) == 20_000
