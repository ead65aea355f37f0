"""Bytes to text: nine ways in which a site may say, or fail to say, its encoding."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.body import BadBody, as_text, decoded

WORDS = "Vögel – Привет, 鳥"
EQUIVALENT = '<meta http-equiv=content-type content="text/html; charset=gb2312">'
GERMAN = "Vögel für Österreich"


def html(words: str, meta: str = "") -> str:
    return f"<html><head>{meta}</head><body>{words}</body></html>"


@pytest.mark.parametrize(
    ("case", "body", "content_type", "words"),
    [
        ("header", html(GERMAN).encode("latin-1"), "text/html; charset=iso-8859-1", GERMAN),
        ("header lies", html(WORDS).encode(), "text/html; charset=iso-8859-1", WORDS),
        ("header in quotes", html(WORDS).encode("koi8-u", "ignore"), 'text/html; charset="koi8-u"',
         "Привет"),
        ("mark beats header", html(WORDS).encode("utf-8-sig"), "text/html; charset=latin-1", WORDS),
        ("utf-16 by mark", html(WORDS).encode("utf-16"), "text/html", WORDS),
        ("meta", html("Привет", '<meta charset="windows-1251">').encode("cp1251"), "text/html",
         "Привет"),
        ("http-equiv", html("鳥", EQUIVALENT).encode("gb18030"), "", "鳥"),
        ("none", html(WORDS).encode(), "text/html", WORDS),
        ("bogus name", html(WORDS).encode(), "text/html; charset=utf8mb4-x", WORDS),
        ("meta says utf-16", html(WORDS, '<meta charset="utf-16">').encode(), "", WORDS),
        ("none, and not utf-8", html(GERMAN).encode("cp1252"), "", GERMAN),
    ],
)  # fmt: skip
def test_the_encoding_is_found(case, body, content_type, words):
    assert words in as_text(body, content_type)


@given(st.binary(), st.text())
def test_any_bytes_are_some_text(body, content_type):
    assert "\x00" not in as_text(body, content_type)


@given(st.text().filter(lambda text: not text.startswith("\ufeff")))
def test_utf_8_without_any_word_about_it_is_read_right(words):
    assert as_text(words.encode("utf-8", "ignore"), "") == words.encode("utf-8", "ignore").decode(
    ).replace("\x00", "")  # fmt: skip


@given(st.binary(max_size=2_000), st.integers(1, 30))
def test_a_cut_gzip_body_never_passes_for_a_whole_one(body, cut):
    packed = gzip.compress(body)
    assert decoded(packed, "gzip", 10_000) == body
    with pytest.raises(BadBody):
        decoded(packed[: max(1, len(packed) - cut)], "gzip", 10_000)


def test_codings_are_undone_in_reverse_order():
    import zlib

    assert decoded(gzip.compress(zlib.compress(b"x")), "deflate, gzip", 100) == b"x"
