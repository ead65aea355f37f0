"""What counts as personal data, what does not, and what becomes of it."""

from __future__ import annotations

import itertools
import re
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scraping.errors import Misuse
from scraping.tables import personal
from scraping.tables.personal import drop, found, mask, spans

THERE = {
    "e-mail": [
        "a@b.org",
        "Mail <jane.doe+x@mail.example.co.uk>.",
        "jürgen@müller.de",
        "jane [at] example.org",
        "jane (at) example (dot) org",
        "mailto:bob@x.io?subject=a",
    ],
    "phone number": [
        "+49 30 1234567",
        "+1 (555) 234-5678",
        "+44 (0)20 7946 0958",
        "0049 30 1234567",
        "tel:+493012345678",
        "Tel.: 030-1234567",
        "phone: 5551234567",
        "Mobile: 0171 2345678",
        "030 1234567",
        "030/1234567",
        "(030) 123 45 67",
        "06 12 34 56 78",
        "06.12.34.56.78",
        "020 7946 0958",
        "Call 07700 900123 now",
        "03-1234-5678",
        "(555) 234-5678",
        "555-234-5678",
    ],
    "IBAN": [
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432 and more",
        "FR14 2004 1010 0505 0001 3M02 606",
        "NO93 8601 1117 947",
    ],
    "card number": [
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
        "3782 822463 10005",
        "6011000990139424",
    ],
    "IP address": ["93.184.216.34.", "from 81.2.69.142, at", "2a00:1450:4001:81b::200e"],
}
NOT_THERE = """
1,234.50 €|€ 1.234.567,89|1 000 000 000|12 345 678 901|+10000000 views|-33.8688 151.2093
52.5200, 13.4050|3.14159265358979|0.123456789|01 02 03 04 05 06|100-200-300|1/2/3
2019 2020 2021 2022|2019-2020|1990/1995|23-11-2026 12:30|03-04-2026 12 30 00
03.04.2026 - 05.06.2026|2026-11-23T01:02:03Z|12:30:45|00:00:10 00:12:34|1732320000000
978-3-16-148410-0|0-306-40615-2|ISBN 0 306 40615 2|SKU 4006381333931|B08N5WRWNW
0012345678|1234567890123|ID 20261123000123|0123-456789|0815 4711|ZIP 10115
v1.2.3.4|Section 1.2.3.4|192.168.1.1|10.0.0.1|127.0.0.1|::1|fe80::1|999.1.1.1
icon@2x.png|@media|package@1.2.3|at (at) 10|std::vector|aa:bb:cc:dd:ee:ff|tel
DE00 3704 0044 0532 0130 00|4111 1111 1111 1112|4111 1111 1111 1111 1111 1|1111111111111111
"""


@pytest.mark.parametrize(
    ("kind", "text"), [(k, text) for k, all_ in THERE.items() for text in all_]
)
def test_what_is_personal_is_found_once_and_as_what_it_is(kind, text):
    assert [what for _, _, what in spans(text)] == [kind]
    table = pd.DataFrame({"text": [text, "", None]}, dtype="str")
    assert [(f.kind, f.count) for f in found(table)] == [(kind, 1)]
    assert f"[{kind}]" in mask(table)["text"][0]


@pytest.mark.parametrize("text", [text for text in re.split(r"[|\n]", NOT_THERE) if text])
def test_prices_years_isbns_places_and_numbers_of_articles_are_none(text):
    assert spans(text) == []
    assert found(pd.DataFrame({"text": [text]})) == []


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "name": pd.Series(["Wren", "Owl", None, "Kiwi"], dtype="str"),
            "text": pd.Series(
                ["mail a@b.org or c@d.org", "call +49 30 1234567", "a@b.org", "12.50"], dtype="str"
            ),
            "tags": [["x", "me@x.org"], [], None, ["y"]],
            "kind": pd.Series(["q@r.org", "s", "s", "q@r.org"], dtype="category"),
            "picture": [b"a@b.org"] * 4,
            "number": [4111111111111111] * 4,
            "_url": pd.Series(
                ["http://h/030/1234567", "http://h/~a@b.org", "http://h/3", "http://h/4"],
                dtype="str",
            ),
        }
    ).set_axis([3, 5, 7, 9])


def test_findings_name_column_kind_count_and_masked_examples():
    told = {(f.column, f.kind): (f.count, f.rows, f.examples) for f in found(table())}
    assert told == {
        ("text", "e-mail"): (3, 2, ("a…@….org", "c…@….org")),
        ("text", "phone number"): (1, 1, ("+4…67",)),
        ("tags", "e-mail"): (1, 1, ("m…@….org",)),
        ("kind", "e-mail"): (2, 2, ("q…@….org",)),
        ("_url", "e-mail"): (1, 1, ("a…@….org",)),
    }
    assert found(table())[0].told() == (
        "text: e-mail, 3 times in 2 rows, such as a…@….org, c…@….org"
    )


def test_mask_gives_a_new_table_with_marks_and_leaves_the_old_one():
    before = table()
    masked = mask(before)
    pd.testing.assert_frame_equal(before, table())
    assert masked["text"].tolist() == [
        "mail [e-mail] or [e-mail]",
        "call [phone number]",
        "[e-mail]",
        "12.50",
    ]
    assert masked["tags"].tolist()[0] == ["x", "[e-mail]"]
    assert masked["kind"].tolist() == ["[e-mail]", "s", "s", "[e-mail]"]
    assert masked["_url"].tolist()[1] == "http://h/~[e-mail]"
    assert masked.index.tolist() == [3, 5, 7, 9]
    assert masked["text"].dtype == before["text"].dtype
    assert found(masked) == []


def test_mask_and_drop_keep_to_the_columns_and_kinds_asked_for():
    assert mask(table(), ["name"]).equals(table())
    assert mask(table(), kinds=["phone number"])["text"].tolist()[:2] == [
        "mail a@b.org or c@d.org",
        "call [phone number]",
    ]
    assert drop(table(), ["text"], ["e-mail"]).index.tolist() == [5, 9]
    assert drop(table()).empty
    assert drop(table(), ["name"]).equals(table())


@pytest.mark.parametrize("function", [mask, drop])
def test_an_unknown_column_or_kind_is_an_error(function):
    with pytest.raises(Misuse, match="no column 'nme'; there are name, text"):
        function(table(), ["nme"])
    with pytest.raises(Misuse, match="no kind 'email'; there are e-mail, IBAN"):
        function(table(), kinds=["email"])
    with pytest.raises(Misuse, match="a list"):
        function(table(), "text")


def test_a_table_without_text_or_rows_has_nothing():
    for empty in (pd.DataFrame(), table().iloc[:0], pd.DataFrame({"n": [1.5], "b": [b"a@b.org"]})):
        assert found(empty) == []
        assert mask(empty).equals(empty)
        assert len(drop(empty)) == len(empty)


def test_arrays_of_text_as_parquet_gives_them_are_masked():
    values = pd.DataFrame({"tags": [np.array(["a@b.org", "x"], dtype=object)]})
    assert mask(values)["tags"][0] == ["[e-mail]", "x"]


HOSTILE = [
    *["+", "0 ", "a@", "a.", "1-", "[at]", "a[at]a.", "(0", "tel ", "tel: 0", "1:", "a:", "DE00"],
    *["A1 ", "4111 ", "::", "1.", "+1 ", "0049 ", "x", "@a.", "\u00a0", "030 12 ", "a@b.org "],
]


@pytest.mark.parametrize("part", HOSTILE)
def test_no_text_holds_the_search_up(part):
    started = time.process_time()
    spans(part * (100_000 // len(part)))
    assert time.process_time() - started < 5


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="aA@.0149+-()[]/: \u00a0DEtTl\n", max_size=60))
def test_spans_are_in_order_apart_and_never_missed_by_the_quick_look(text):
    places = spans(text)
    assert all(start < end for start, end, _ in places)
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(places))
    counted = sum(finding.count for finding in found(pd.DataFrame({"t": [text]}, dtype="str")))
    assert counted == len(places)


def test_what_is_asked_for_does_not_change_what_a_stretch_of_text_is():
    text = "DE89 3704 0044 0532 0130 00"
    assert spans(text, ["phone number"]) == []
    assert set(personal.FINDERS) == set(personal.LIKELY) == set(personal.KINDS)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ion@firma.md", "e-mail"),  # Moldova
        ("1-800-555-0199", "phone number"),
        ("+49\u200930\u20091234567", "phone number"),  # thin spaces
        ("+49\u201130\u20111234567", "phone number"),  # hyphens that do not break
    ],
)
def test_less_usual_spellings_are_found(text, kind):
    assert [(text[start:end], found) for start, end, found in spans(text)] == [(text, kind)]


def test_a_word_in_brackets_before_the_end_of_a_sentence_is_no_address():
    assert spans("look (at) this. So it goes") == []
