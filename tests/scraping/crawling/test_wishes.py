"""What pages ask of robots, however they write it; and what only looks like it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.crawling.wishes import LOOKED_AT, wishes_of
from scraping.net.fetch import Response


def answer(body: str | bytes = b"", *headers: tuple[str, str], kind: str = "text/html") -> Response:
    body = body.encode() if isinstance(body, str) else body
    said = [("Content-Type", kind)] if kind else []
    return Response("https://birds.example.org/", 200, "OK", [*said, *headers], body, body)


def asked(body: str | bytes = b"", *headers: tuple[str, str], **more: str) -> set[str]:
    return set(wishes_of(answer(body, *headers, **more)))


@pytest.mark.parametrize(
    ("element", "wanted"),
    [
        ('<meta name="robots" content="noindex, nofollow">', "noindex nofollow"),
        ("<META NAME='ROBOTS' CONTENT='NOINDEX,NOFOLLOW'/>", "noindex nofollow"),
        ("<meta content=noindex name=robots>", "noindex"),
        ('<meta\n  content="noindex"\n  name="robots"\n/>', "noindex"),
        ('<meta data-x="a > b" name="robots" content="none">', "noindex nofollow"),
        ("<meta data-x=\"it's\" name=robots content=none>", "noindex nofollow"),
        ('<meta name="robots"content="noindex">', "noindex"),
        ('<meta/name="robots"/content="noindex"/>', "noindex"),
        ('<meta name = "robots" content = "noindex nofollow">', "noindex nofollow"),
        ('<meta name="&#114;obots" content="no&#105;ndex">', "noindex"),
        ('<meta name="robots" content="noindex" content="index">', "noindex"),
        ('<meta name="robots" content="index"><meta name="folio" content="noindex">', "noindex"),
        ('<meta name="robots" content="noarchive"><meta name="robots" content="noai">',
         "noarchive noai"),
        ('<meta name="robots" content="nocache">', "noarchive"),
        ('<meta name="robots" content="noimageai">', "noai"),
        ('<meta name="robots" content="max-image-preview:large, noindex">', "noindex"),
        ('<meta name="tdm-reservation" content="1">', "tdm"),
        ('<meta content=" 1 " name="TDM-Reservation">', "tdm"),
        ("<noscript><meta name=robots content=noindex></noscript>", "noindex"),
        ("<!-- --><meta name=robots content=noindex><!-- -->", "noindex"),
        ("<!--> <meta name=robots content=noindex> -->", "noindex"),
        ("<script>'<!--'</script><meta name=robots content=noindex>", "noindex"),
        # Not wishes, or not to us, or not there.
        ('<meta name="robots" content="index, follow, all">', ""),
        ('<meta name="robots" content="index" content="noindex">', ""),
        ('<meta name="robots" content="max-snippet:-1, max-video-preview:-1">', ""),
        ('<meta name="googlebot" content="noindex">', ""),
        ('<meta name="description" content="noindex, nofollow: robots explained">', ""),
        ('<meta property="og:title" content="robots &#39;noindex&#39;">', ""),
        ('<meta name="robots" content="noindexing">', ""),
        ('<meta name="tdm-reservation" content="0">', ""),
        ('<!-- <meta name="robots" content="noindex"> -->', ""),
        ('<!-- > <meta name="robots" content="noindex"> ', ""),
        ("<script>'<meta name=\"robots\" content=\"noindex\">'</script>", ""),
        ('<SCRIPT>x</SCRIPT ><textarea><meta name="robots" content="noindex"></textarea>', ""),
        ('<template><meta name="robots" content="noindex"></template>', ""),
        ("<title><meta name=robots content=noindex></title>", ""),
        ("<div title='<meta name=\"robots\" content=\"noindex\">'>", ""),
        ("&lt;meta name=robots content=noindex&gt;", ""),
        ("<metadata name=robots content=noindex>", ""),
    ],
)  # fmt: skip
def test_an_element_asks(element, wanted):
    page = f"<html><head><title>Bird</title>{element}</head><body><p>Bird</p></body></html>"
    assert asked(page) == set(wanted.split())
    assert asked(page, kind="") == set(wanted.split())
    assert asked(page, kind="application/xhtml+xml") == set(wanted.split())
    assert asked(page.encode("utf-16")) == set(wanted.split())


def test_only_the_beginning_of_a_page_is_looked_at():
    wish = "<meta name=robots content=noindex>"
    assert asked(" " * (LOOKED_AT - 100) + wish) == {"noindex"}
    assert asked(" " * LOOKED_AT + wish) == set()


def test_elements_count_in_html_only():
    wish = "<meta name=robots content=noindex>"
    for kind in ("text/plain", "application/json", "image/png"):
        assert asked(wish, kind=kind) == set()
        assert asked(wish, ("X-Robots-Tag", "noai"), kind=kind) == {"noai"}


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("noindex", "noindex"),
        ("NOINDEX , NoFollow", "noindex nofollow"),
        ("none", "noindex nofollow"),
        ("noai, noimageai", "noai"),
        ("folio: noindex, nofollow", "noindex nofollow"),
        ("Folio: noindex", "noindex"),
        ("*: noarchive", "noarchive"),
        ("googlebot: noindex", ""),
        ("googlebot: noindex, nofollow", ""),
        ("googlebot: noindex, folio: nofollow", "nofollow"),
        ("noarchive, googlebot: noindex", "noarchive"),
        ("max-snippet: 20, noindex", "noindex"),
        ("max-image-preview:large", ""),
        ("unavailable_after: 25 Jun 2010 15:00:00 PST", "noindex"),
        ("unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT", "noindex"),
        ("unavailable_after: Friday, 25-Jun-10 15:00:00 UTC", "noindex"),
        ("unavailable_after: 2010-06-25T15:00:00+02:00", "noindex"),
        ("unavailable_after: 2010-06-25", "noindex"),
        ("unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, nofollow", "noindex nofollow"),
        ("folio: unavailable_after: 25 Jun 2010 15:00:00 GMT", "noindex"),
        ("googlebot: unavailable_after: 25 Jun 2010 15:00:00 GMT", ""),
        ("unavailable_after: 25 Jun 2999 15:00:00 PST", ""),
        ("unavailable_after: 2999-06-25", ""),
        ("unavailable_after: soon", ""),
        ("unavailable_after:", ""),
        ("", ""),
        (",,:,", ""),
        ("all", ""),
    ],
)
def test_a_header_asks(value, wanted):
    assert asked(b"", ("X-Robots-Tag", value)) == set(wanted.split())


def test_every_header_counts_and_so_do_elements():
    page = "<meta name=robots content=noarchive>"
    headers = [
        ("x-robots-tag", "googlebot: nofollow"),
        ("X-ROBOTS-TAG", "noindex"),
        ("TDM-Reservation", "1"),
        ("X-Robots-Tag", "noai"),
    ]
    assert asked(page, *headers) == {"noindex", "noarchive", "noai", "tdm"}
    assert asked(b"", ("tdm-reservation", "0")) == set()


@given(st.binary(max_size=300), st.text(max_size=100))
def test_anything_has_an_answer(body, value):
    assert asked(body, ("X-Robots-Tag", value)) <= {
        "noindex", "nofollow", "noarchive", "noai", "tdm"
    }  # fmt: skip
    wishes_of(answer(b"<meta name=robots content=noindex><meta " + body))


@given(
    st.sampled_from(["robots", "folio", "ROBOTS", "otherbot"]),
    st.lists(st.sampled_from(["noindex", "nofollow", "noai", "index"]), max_size=4),
    st.sampled_from(['"', "'"]),
    st.booleans(),
)
def test_order_and_quotes_do_not_matter(name, words, quote, swapped):
    pairs = [("name", name), ("content", ",".join(words))]
    if swapped:
        pairs.reverse()
    written = " ".join(f"{key}={quote}{value}{quote}" for key, value in pairs)
    wanted = set(words) - {"index"} if name != "otherbot" else set()
    assert asked(f"<head><meta {written}></head>") == wanted


@pytest.mark.parametrize(
    "piece",
    [b"<meta ", b"<meta name='", b'<meta a="', b"<!--", b"<script>", b"<", b"<meta/", b"a="],
)
def test_no_markup_holds_it_up(piece):
    wish = b"<meta name=robots content=noindex>"
    began = time.monotonic()
    wishes_of(answer(wish + piece * (LOOKED_AT // len(piece))))
    wishes_of(answer(b"<meta name=robots content=noindex " + piece * (LOOKED_AT // len(piece))))
    wishes_of(answer(b"", ("X-Robots-Tag", "unavailable_after:" * 10_000)))
    wishes_of(answer(b"", ("X-Robots-Tag", "a:b," * 100_000)))
    assert time.monotonic() - began < 5
