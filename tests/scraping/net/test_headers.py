"""An answer's headers, read within bounds, whatever they are."""

from __future__ import annotations

import http.client
import io
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from scraping.net.connection import HEADER_LINES, BadAnswer, _read_headers

names_of_headers = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))


@given(st.lists(st.tuples(names_of_headers, values.map(lambda value: value.strip()))))
def test_well_formed_headers_are_read_as_http_client_reads_them(pairs):
    pairs = [(name, value) for name, value in pairs if value.strip("\x85\xa0") == value]
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs[:HEADER_LINES])
    wire = lines.encode("latin-1") + b"\r\nbody"
    fields, left = _read_headers(io.BytesIO(wire), 1_000_000)
    assert 1_000_000 - left == len(wire) - len(b"body")
    assert fields == pairs[:HEADER_LINES]
    # Its e-mail parser takes \x85 for the end of a line, as no browser does.
    if not any("\x85" in value for _, value in pairs):
        assert fields == http.client.parse_headers(io.BytesIO(wire)).items()


scraps = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b"\0", b":", b" ", b"\t", b"A", b"A: b\r\n", b"\xff"])
)


@given(st.one_of(st.binary(max_size=400), scraps.map(b"".join)), st.integers(0, 500))
def test_any_headers_are_read_or_told_to_be_bad(wire, budget):
    with suppress(BadAnswer, http.client.IncompleteRead):
        fields, left = _read_headers(io.BytesIO(wire), budget)
        assert 0 <= left <= budget
        assert not any(set(name + value) & set("\0\r\n") for name, value in fields)
        assert all(name.isascii() and name.isprintable() and " " not in name for name, _ in fields)
