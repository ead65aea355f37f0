"""Bytes to text: nine ways in which a site may say, or fail to say, its encoding."""

from __future__ import annotations

import contextlib
import gzip
import zlib

import brotli
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from scraping.net import body as body_module
from scraping.net.body import BadBody, as_text, decoded, utf8_of

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


LETTERS = {
    "utf-8": WORDS,
    "utf-16": WORDS,
    "cp1251": "Привет мир",
    "koi8-r": "Привет мир",
    "gb18030": "鸟语花香",
    "shift_jis": "とり",
    "cp1252": "Vögel",
    "iso8859-15": "Vögel €",
}


@given(
    st.sampled_from(list(LETTERS)), st.data(), st.sampled_from(["header", "meta", "both", "mark"])
)
def test_a_text_said_to_be_in_an_encoding_is_read_by_it(encoding, data, said):
    letters = LETTERS[encoding]
    words = "".join(data.draw(st.lists(st.sampled_from(letters), min_size=4, max_size=40)))
    name = {"cp1252": "windows-1252", "cp1251": "windows-1251"}.get(encoding, encoding)
    if said == "mark" or encoding == "utf-16":
        encoding = "utf-16" if encoding == "utf-16" else "utf-8-sig"
    meta = f'<meta charset="{name}">' if said in ("meta", "both") and said != "mark" else ""
    header = f"text/html; charset={name}" if said != "meta" else "text/html"
    text = html(words, meta)
    body = text.encode(encoding)
    # By pure chance the bytes of a short text may be UTF-8 as well.
    assume(encoding.startswith("utf") or not reads_as_utf_8(body) or body.isascii())
    assert as_text(body, header) == text


def reads_as_utf_8(body):
    with contextlib.suppress(UnicodeError):
        return bool(body.decode()) or True
    return False


@given(st.binary(max_size=2_000), st.integers(1, 30))
def test_a_cut_gzip_body_never_passes_for_a_whole_one(body, cut):
    packed = gzip.compress(body)
    assert decoded(packed, "gzip", 10_000) == body
    with pytest.raises(BadBody):
        decoded(packed[: max(1, len(packed) - cut)], "gzip", 10_000)


PACKERS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


@given(
    st.binary(max_size=2_000),
    st.lists(st.sampled_from(list(PACKERS)), max_size=3),
    st.integers(1, 5_000),
)
def test_codings_are_undone_in_reverse_order(body, codings, slice_size):
    wire = body
    for coding in codings:
        wire = PACKERS[coding](wire)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body_module, "SLICE", slice_size)
        patch.setattr(body_module, "PIECE", 7 + slice_size // 3)
        assert decoded(wire, ", ".join(codings), 10_000) == body


@given(st.sampled_from(["deflate", "br", "gzip"]), st.binary(min_size=1, max_size=500), st.data())
def test_a_packed_body_cut_anywhere_never_passes_for_a_whole_one(coding, body, data):
    packed = PACKERS[coding](body)
    cut = data.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(BadBody) as caught:
        decoded(packed[:cut], coding, 10_000)
    assert not caught.value.too_large


@given(st.binary(max_size=300), st.sampled_from([*PACKERS, "zstd", "", "gzip, br"]))
def test_any_bytes_decode_or_are_told_to_be_bad(body, coding):
    with contextlib.suppress(BadBody):
        assert len(decoded(body, coding, 1_000)) <= 1_000


@given(st.lists(st.binary(max_size=50), min_size=1, max_size=9), st.integers(1, 40), st.binary())
def test_gzip_members_are_one_body_and_padding_is_none(members, slice_size, padding):
    wire = b"".join(gzip.compress(member) for member in members) + b"\0" + padding
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(body_module, "SLICE", slice_size)
        assert decoded(wire, "gzip", 10_000) == b"".join(members)


@pytest.mark.parametrize("coding", PACKERS)
def test_a_bomb_is_refused_at_the_limit(coding):
    bomb = PACKERS[coding](bytes(5_000_000))
    assert len(decoded(bomb, coding, 5_000_000)) == 5_000_000
    with pytest.raises(BadBody, match=r"more than 4,999,999 bytes once its") as caught:
        decoded(bomb, coding, 4_999_999)
    assert caught.value.too_large


def test_a_body_of_countless_members_is_refused_soon():
    with pytest.raises(BadBody, match="more than 10,000 gzip members"):
        decoded(gzip.compress(b"") * 900_000, "gzip", 1_000)


SPELLINGS = ["", "; charset=utf-8", "; charset=iso-8859-1", "; charset=utf-16", "; charset=gbk"]


@given(
    st.one_of(
        st.binary(max_size=40),
        st.text(max_size=20).map(lambda text: text.encode("utf-8", "replace")),
        st.text(max_size=20).map(lambda text: text.encode("utf-8-sig", "replace")),
        st.text(max_size=20).map(lambda text: text.encode("utf-16", "replace")),
        st.sampled_from(["utf-8", "latin-1", "utf-7", "shift_jis"]).map(
            lambda name: f"<meta charset={name}>plain".encode()
        ),
    ),
    st.sampled_from(SPELLINGS),
)
def test_a_text_in_utf_8_is_the_text_that_is_shown(body, spelling):
    kind = f"text/html{spelling}"
    assert utf8_of(body, kind) == as_text(body, kind).encode("utf-8", "replace")


def test_a_body_in_utf_8_is_not_copied():
    for body in (b"<p>plain", "<p>Vögel".encode()):
        assert utf8_of(body, "text/html; charset=iso-8859-1") is body
