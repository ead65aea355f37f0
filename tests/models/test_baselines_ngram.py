"""Language models that count: probabilities that add up, values by hand, honest bits."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import baselines, evaluation
from models.baselines.ngrams import SMOOTHING
from models.errors import BadData, BadOption

TEXT = (
    "How much wood would a woodchuck chuck if a woodchuck could chuck wood? "
    "As much wood as a woodchuck would, if a woodchuck could chuck wood. "
) * 3


def test_witten_bell_is_as_worked_by_hand():
    # In "abab", after a came b twice; a and b came twice each. The vocabulary is {unknown, a, b}.
    fitted = baselines.ngram("abab", order=2, smoothing="witten-bell")
    alone = (2 + 2 * 1 / 3) / (4 + 2)  # of a, and of b: four seen, of two kinds
    assert fitted.predict_proba(["a"])[0, 2] == pytest.approx((2 + 1 * alone) / (2 + 1))
    assert fitted.predict_proba(["a"])[0, 1] == pytest.approx(alone / 3)
    assert fitted.predict_proba(["a"])[0, 0] == pytest.approx(2 / 3 / 6 / 3)
    assert fitted.vocabulary == [None, "a", "b"]
    assert fitted.predict(["a", "ab"]).tolist() == ["b", "a"]


def test_kneser_ney_counts_contexts_below_the_highest_order():
    # "aab": grams of two: start-a once, aa once, ab once; D = 1 / 2, for none was seen twice. One
    # below, a came after start and a, b after a alone: 2 and 1 contexts, one of each, D = 1 / 3.
    fitted = baselines.ngram("aab", order=2)
    alone = (1 - 1 / 3) / 3 + 1 / 3 * 2 / 3 * 1 / 3
    assert fitted.predict_proba(["a"])[0, 2] == pytest.approx(
        (1 - 1 / 2) / 2 + 1 / 2 * 2 / 2 * alone
    )


@pytest.mark.parametrize("smoothing", SMOOTHING)
@given(
    texts=st.lists(st.text("abcd ", min_size=1, max_size=40), min_size=1, max_size=4),
    asked=st.text("abcde ", max_size=8),
    order=st.integers(1, 5),
)
def test_probabilities_add_up_to_1_in_every_context(smoothing, texts, asked, order):
    fitted = baselines.ngram(texts, order=order, smoothing=smoothing)
    contexts = [asked[:length] for length in range(len(asked) + 1)]
    found = fitted.predict_proba(contexts)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert (found > 0).all()
    # The quick way through a whole text gives what each context alone does.
    place = {symbol: number for number, symbol in enumerate(fitted.vocabulary)}
    alone = [found[i, place.get(symbol, 0)] for i, symbol in enumerate(asked)]
    np.testing.assert_allclose(fitted.probabilities(asked), alone)


def test_probabilities_are_those_of_a_plain_recursion():
    order, text = 4, TEXT[:150]
    padded = "\0" * (order - 1) + text

    counts = [Counter() for _ in range(order)]
    for end in range(order - 1, len(padded)):
        for length in range(order):
            counts[length][padded[end - length : end + 1]] += 1

    def probability(history, symbol, length):
        if length < 0:
            return 1 / (len(set(text)) + 1)
        context = history[len(history) - length :]
        followers = [n for gram, n in counts[length].items() if gram[:-1] == context]
        below = probability(history, symbol, length - 1)
        if not followers:
            return below
        seen = counts[length][context + symbol]
        return (seen + len(followers) * below) / (sum(followers) + len(followers))

    fitted = baselines.ngram(text, order=order, smoothing="witten-bell")
    asked = "a chuck wood"
    history = "\0" * (order - 1) + asked
    expected = [
        probability(history[i : i + order - 1], symbol, order - 1) for i, symbol in enumerate(asked)
    ]
    np.testing.assert_allclose(fitted.probabilities(asked), expected)


@pytest.mark.parametrize("smoothing", SMOOTHING)
def test_basics_longer_contexts_need_fewer_bits(smoothing):
    seen, unseen = TEXT[:300], TEXT[300:]
    bits = [
        baselines.ngram(seen, order=order, smoothing=smoothing).bits_per_character(unseen)
        for order in (1, 2, 4)
    ]
    assert math.log2(len(set(seen)) + 1) > bits[0] > bits[1] > bits[2]


def test_bits_are_those_of_the_metric():
    fitted = baselines.ngram(TEXT, order=3)
    asked = "if a woodchuck could"
    place = {symbol: number for number, symbol in enumerate(fitted.vocabulary)}
    p = fitted.predict_proba([asked[:i] for i in range(len(asked))])
    expected = evaluation.bits_per_character([place[symbol] for symbol in asked], p)
    assert fitted.bits_per_character(asked) == pytest.approx(expected)


def test_no_text_goes_on_from_the_one_before():
    apart = baselines.ngram(["ab", "ab"], order=2)
    together = baselines.ngram("abab", order=2)
    assert apart.predict_proba(["b"])[0, 1] < together.predict_proba(["b"])[0, 1]
    assert apart.predict([""]) == ["a"]  # as both texts begin


def test_a_word_model_pays_for_spelling_what_it_does_not_know():
    fitted = baselines.ngram(TEXT, order=2, unit="word")
    assert fitted.predict(["would a"]).tolist() == ["woodchuck"]
    known = fitted.bits_per_character("a woodchuck would")
    assert known < fitted.bits_per_character("a woodwind would")
    strange = "a woodwind would"
    bits = -np.log2(fitted.probabilities(strange)).sum()
    bits -= np.log2(fitted.spelling.probabilities("woodwind ")).sum()
    assert fitted.bits_per_character(strange) == pytest.approx(bits / len(strange))


def test_a_vocabulary_that_is_given_is_kept_with_its_order():
    fitted = baselines.ngram("abc", order=1, vocabulary=["c", "a", "z"])
    assert fitted.vocabulary == [None, "c", "a", "z"]
    p = fitted.predict_proba([""])[0]
    assert p[0] == pytest.approx(p[1])  # b is unknown, and as frequent as c
    assert 0 < p[3] < p[1]


def test_generated_text_follows_its_seed_and_temperature():
    fitted = baselines.ngram(TEXT, order=6)
    first, again, other = (fitted.generate(60, seed=s, prompt="How ") for s in (1, 1, 2))
    assert first == again != other
    assert first.startswith("How ")
    assert len(first) == 64
    assert set(first) <= set(TEXT)
    cold = baselines.ngram("abc" * 5 + "abd", order=3)
    assert cold.generate(7, seed=1, prompt="ab", temperature=0.01) == "abcabcabc"
    hot = fitted.generate(300, seed=1, temperature=100)
    assert len(set(hot)) > 0.8 * len(set(TEXT))
    assert fitted.generate(0, seed=1, prompt="How") == "How"
    words = baselines.ngram(TEXT, order=3, unit="word").generate(5, seed=1, prompt="if a")
    assert len(words.split()) == 7


def test_models_that_cannot_be_are_refused():
    for texts, arguments, error, says in (
        ("", {}, BadData, "texts to count in are empty"),
        ([1, 2], {}, BadData, r"A text or several are needed; got \[1, 2\]"),
        ("abc", {"order": 0}, BadOption, "order must be at least 1"),
        ("abc", {"unit": "words"}, BadOption, "Did you mean 'word'"),
        ("abc", {"smoothing": "kneser"}, BadOption, "Did you mean 'kneser-ney'"),
    ):
        with pytest.raises(error, match=says):
            baselines.ngram(texts, **arguments)
    fitted = baselines.ngram("abc")
    with pytest.raises(BadOption, match="temperature must be a number above 0"):
        fitted.generate(3, temperature=0, seed=1)
    with pytest.raises(BadData, match="got an empty one"):
        fitted.bits_per_character("  ")
