"""Text as whole numbers."""

import dataclasses
import json

import numpy as np
import pytest

from models import tokens
from models.errors import BadData, BadOption

HOSTILE = (
    "null \x00, bell \x07, שלום עולם, e\u0301 is not é, 👩\u200d👩\u200d👧, "
    "\u202eback\u202c, \r\n\u2028 end"
)


def test_symbols_are_numbered_from_1_in_the_order_of_code_points():
    vocabulary = tokens.vocabulary("abba cab")
    assert vocabulary.symbols == [" ", "a", "b", "c"]
    assert len(vocabulary) == 5
    np.testing.assert_array_equal(vocabulary.encode("cab z"), [4, 2, 3, 1, 0])
    assert vocabulary.decode([4, 2, 3, 1, 0]) == "cab �"


def test_words_are_what_blanks_set_apart():
    vocabulary = tokens.vocabulary("the cat\n sat on the mat.", "word")
    assert vocabulary.symbols == ["cat", "mat.", "on", "sat", "the"]
    assert vocabulary.decode(vocabulary.encode("the  cat on\tmars")) == "the cat on �"


def test_rare_symbols_are_unknown_and_at_most_the_commonest_are_kept():
    assert tokens.vocabulary("aaabbc", rare=2).symbols == ["a", "b"]
    assert tokens.vocabulary("abbccc", most=2).symbols == ["b", "c"]
    with pytest.raises(BadData, match="no character that is met 4 times"):
        tokens.vocabulary("aaabbc", rare=4)


def test_hostile_text_survives_there_and_back():
    vocabulary = tokens.vocabulary(HOSTILE)
    assert vocabulary.decode(vocabulary.encode(HOSTILE)) == HOSTILE


def test_half_a_surrogate_pair_is_unknown_even_where_training_texts_hold_it():
    for unit in tokens.UNITS:
        vocabulary = tokens.vocabulary("a \ud800 b \udfffb", unit)
        assert vocabulary.symbols[-2:] == ["a", "b"]
        text = vocabulary.decode(vocabulary.encode("a \ud800"))
        assert text == "a �"
        text.encode()  # whatever was read, what is written is UTF-8


def test_json_holds_a_vocabulary():
    vocabulary = tokens.vocabulary(HOSTILE)
    text = json.dumps(dataclasses.asdict(vocabulary))
    assert tokens.Vocabulary(**json.loads(text)) == vocabulary


def test_windows_are_shifted_by_one_and_predict_every_symbol_once():
    vocabulary = tokens.vocabulary("abcdefgh")
    x, y = vocabulary.windows("abcdefgh", 3)
    assert [vocabulary.decode(row) for row in x] == ["abc", "def"]
    assert [vocabulary.decode(row) for row in y] == ["bcd", "efg"]
    assert x.dtype == y.dtype == np.int32


def test_windows_overlap_by_the_stride_and_never_span_two_texts():
    vocabulary = tokens.vocabulary("abcdwxyz")
    x, y = vocabulary.windows(["abcd", "z", "wxyz"], 2, stride=1)
    assert [vocabulary.decode(row) for row in x] == ["ab", "bc", "wx", "xy"]
    assert [vocabulary.decode(row) for row in y] == ["bc", "cd", "xy", "yz"]


def test_a_text_too_short_for_a_window_is_refused_with_what_would_do():
    with pytest.raises(BadData, match=r"needs a text of 9 characters.*has 8\. Take steps=7"):
        tokens.vocabulary("abcdefgh").windows("abcdefgh", 8)


def test_rows_keep_the_end_and_are_filled_up_in_front():
    rows = tokens.vocabulary("abc").rows(["a", "", "abcab"], 3)
    np.testing.assert_array_equal(rows, [[0, 0, 1], [0, 0, 0], [3, 1, 2]])


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: tokens.vocabulary("abc", "letter"), BadOption, "Known: character, word"),
        (lambda: tokens.vocabulary([]), BadData, "got none"),
        (lambda: tokens.vocabulary(["a", None]), BadData, "must be a str, not None"),
        (lambda: tokens.vocabulary("a").encode(b"a"), BadData, "must be a str, not b'a'"),
        (lambda: tokens.vocabulary("a").decode([2]), BadData, "numbers are 0 to 1"),
        (lambda: tokens.vocabulary("a").decode([0.5]), BadData, "whole numbers"),
        (lambda: tokens.vocabulary("ab").windows("ab", 0), BadOption, "steps must be at least 1"),
    ],
)
def test_what_cannot_work_is_refused(call, error, says):
    with pytest.raises(error, match=says):
        call()
