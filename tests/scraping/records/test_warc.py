"""Record framing by itself: what is put together is found again, and nothing else is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraping.records import warc

MARK = "01234567-89ab-8cde"
FIELDS = [("WARC-Date", "2026-11-23T01:02:03Z"), ("WARC-Target-URI", "http://h/")]
HEAD = b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n"


def on_disk(tmp_path, data: bytes):
    path = tmp_path / "records"
    path.write_bytes(data)
    return path.open("rb")


def response(payload: bytes, offset: int, mark: str = MARK) -> bytes:
    fields = [*FIELDS, ("WARC-Payload-Digest", warc.digest(payload))]
    return warc.framed("response", fields, HEAD, payload, mark=mark, offset=offset)[0]


def test_a_digest_is_sha256_in_base32_as_records_name_it():
    assert warc.digest(b"") == "sha256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ===="


def test_an_id_is_a_uuid_of_version_8_whose_first_half_is_the_file_s():
    whole, number = warc.framed("warcinfo", [], b"x: y\r\n", mark=warc.new_mark(), offset=0)
    assert re.fullmatch(
        r"<urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}>", number
    )
    assert f"WARC-Record-ID: {number}\r\n".encode() in whole
    assert warc.new_mark() != warc.new_mark()


def test_the_same_content_at_two_places_has_two_ids():
    assert response(b"x", 0) != response(b"x", 10)


@settings(deadline=None, max_examples=50)
@given(
    payloads=st.lists(st.binary(max_size=5_000), max_size=5),
    guess=st.sampled_from([20, 100, 2_048, 16_384]),
)
def test_records_come_back_whatever_is_read_at_first(tmp_path_factory, payloads, guess):
    whole = b""
    offsets = []
    for payload in payloads:
        offsets.append(len(whole))
        whole += response(payload, len(whole))
    with on_disk(tmp_path_factory.mktemp("warc"), whole) as file:
        assert [record and record.offset for record in warc.records(file)] == offsets
        for offset, payload in zip(offsets, payloads, strict=True):
            record = warc.record_at(file, offset, guess)
            assert (record.kind, record.opening, record.mark) == ("response", HEAD, MARK)
            assert record.field("WARC-Target-URI") == "http://h/"
            assert record.field("WARC-Profile") == ""
            assert warc.payload_of(file, record) == payload


@pytest.mark.parametrize(
    ("fault", "damage"),
    [
        ("no record begins there", lambda data: b"x" + data),
        ("its head is cut", lambda data: data[:100]),
        ("does not say its length", lambda data: data.replace(b"Length: 29", b"Length: -9")),
        ("does not say its length", lambda data: data.replace(b"Length: 29", b"Length: 2_")),
        ("its head was changed", lambda data: data.replace(b"Length: 29", b"Length: 28")),
        ("its head was changed", lambda data: data.replace(b"http://h/", b"http://i/")),
        ("its head was changed", lambda data: data.replace(b"X: y", b"X: z")),
        ("its head was changed", lambda d: d.replace(MARK.encode(), b"1" + MARK.encode()[1:])),
        ("its id is not", lambda data: data.replace(b"-8cde-", b"-9cde-")),
        ("its body was changed", lambda data: data.replace(b"bird", b"bard")),
        ("it is cut", lambda data: data[:-6]),
        ("it is cut", lambda data: data[:-20]),
    ],
)  # fmt: skip
def test_a_damaged_record_is_told_with_its_fault(tmp_path, fault, damage):
    whole = response(b"bird", 0)
    assert b"Length: 29" in whole
    with on_disk(tmp_path, damage(whole)) as file, pytest.raises(ValueError, match=fault):
        warc.payload_of(file, warc.record_at(file, 0))


def test_a_record_moved_to_another_place_is_not_what_was_written(tmp_path):
    moved = b"12345" + response(b"bird", 0)
    with on_disk(tmp_path, moved) as file, pytest.raises(ValueError, match="changed"):
        warc.record_at(file, 5)


def test_a_length_that_was_changed_asks_for_no_memory(tmp_path):
    whole = response(b"bird", 0).replace(MARK.encode(), b"01234567-89ab-4cde")  # proves nothing
    huge = whole.replace(b"Length: 29", b"Length: 99999999999999999999")
    with on_disk(tmp_path, huge) as file:
        record = warc.record_at(file, 0)
        with pytest.raises(ValueError, match="cut"):
            warc.payload_of(file, record)
        assert list(warc.records(file)) == [None]


def test_one_stretch_of_damage_is_told_once_and_the_next_record_found(tmp_path):
    first = response(b"a", 0)
    junk = b"\r\n\r\nWARC/1.1\r\nWARC-Type: response\r\n\r\n" * 3 + b"\0" * 3_000_000
    last = response(b"b", len(first) + len(junk))
    with on_disk(tmp_path, first + junk + last) as file:
        found = [record and record.offset for record in warc.records(file)]
    assert found == [0, None, len(first) + len(junk)]


def test_a_record_with_another_file_s_mark_is_no_record_of_this_one(tmp_path):
    first = response(b"a", 0)
    foreign = response(b"b", len(first), mark=warc.new_mark())
    own = response(b"c", len(first) + len(foreign))
    with on_disk(tmp_path, first + foreign + own) as file:
        found = [record and record.offset for record in warc.records(file)]
    assert found == [0, None, len(first) + len(foreign)]


def test_a_mark_is_read_from_the_first_record_and_from_no_damaged_one(tmp_path):
    whole = response(b"a", 0)
    with on_disk(tmp_path, whole) as file:
        assert warc.mark_of(file) == MARK
    with on_disk(tmp_path, whole.replace(b"http://h/", b"http://i/")) as file:
        assert warc.mark_of(file) == ""


@settings(deadline=None)
@given(value=st.text())
def test_no_value_breaks_out_of_its_line(value):
    plain, _ = warc.framed("metadata", [("X", "")], b"", mark=MARK, offset=0)
    whole, _ = warc.framed("metadata", [("X", value)], b"", mark=MARK, offset=0)
    assert whole.count(b"\n") == plain.count(b"\n")
    assert whole.count(b"\r") == plain.count(b"\r")
