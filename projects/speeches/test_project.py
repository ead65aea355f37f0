"""The steps of `speeches`, called as the plain functions they are."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from models import tokens
from scraping.net.response import Response
from scraping.reading.page import Page

from . import project


def part(address, text, year=1801):
    return {"address": address, "speaker": "A", "year": year, "text": text, "licence": "CC0-1.0"}


def speeches(count, year=1801):
    rows = [
        {"speaker": f"P{n}", "year": year + n, "speech": f"s{n}", "text": f"The state of {n}. " * 9}
        for n in range(count)
    ]
    return pd.DataFrame(rows).assign(era=lambda rows: project._era(rows["year"]))


def characters():
    """Two speeches of which the network is sure, and wrong about one letter each."""
    rows = pd.DataFrame({"symbol": list("We meet 2 Men. " * 8)})
    rows = rows.assign(speech=["one"] * 60 + ["two"] * 60, year=1801, part="test", confidence=0.5)
    rows = rows.assign(said=rows["symbol"], gru=1.0, ngram5=2.0, ngram7=1.5)
    rows.loc[[50, 110], "said"] = "x"
    rows.loc[110, "confidence"] = 0.9
    return rows.assign(place=project._place_in_word(rows))


@pytest.fixture(scope="module")
def split():
    found = {"train": speeches(9), "validation": speeches(2), "test": speeches(3, 1911)}
    return found | {"familiar": speeches(1, 1850)}


def test_parts_of_a_speech_are_joined_in_order_and_pages_for_printing_count_once():
    parts = pd.DataFrame(
        [
            part("/speeches/1801-a/10", "ten"),
            part("/speeches/1801-a/2", "two"),
            part("/speeches/1801-a/", "one"),
            part("/speeches/1801-a/", "one"),
            part("/speeches/1920-b/", "new", 1920),
        ]
    )
    table = project.table(parts)
    assert table["text"].tolist() == ["one\ntwo\nten", "new"]
    assert table["era"].tolist() == ["old", "new"]
    splits = {0: {"removed": {"train": 3}}, 1: {"removed": {"train": 0}}}
    assert project.copies(parts, table, splits) == {"printed": 1, "speeches": 2, "alike": 1.5}


def test_a_page_of_wikisource_gives_the_same_row(monkeypatch):
    monkeypatch.setattr(project, "SOURCE", "web")
    html = """<html><head><link rel="canonical" href="https://en.wikisource.org/wiki/First_Address">
    </head><body><div class="mw-parser-output"><div class="ws-noexport"><p>A header</p></div>
    <span id="ws-author">George Washington</span> <span id="ws-year">1790</span>
    <p>Fellow-Citizens:</p><p>I embrace with great satisfaction</p></div>
    <li id="footer-info-copyright">Under the <a href="/l">CC BY-SA 4.0</a></li></body></html>"""
    html, address = html.encode(), "https://en.wikisource.org/wiki/First_Address"
    headers = [("Content-Type", "text/html; charset=utf-8")]
    (row,) = project.parts(Page(Response(address, 200, "OK", headers, html, html)))
    assert (row.speaker, row.year, row.licence) == ("George Washington", 1790, "CC BY-SA 4.0")
    assert row.text == "Fellow-Citizens:\nI embrace with great satisfaction"
    key, number = project._place(pd.Series([row.address]))
    assert (key[0], number[0]) == ("First_Address", 1)


def test_no_president_is_on_both_sides_of_the_split():
    table = pd.concat([speeches(30), speeches(30, 1900)], ignore_index=True)
    table["text"] = [np.random.default_rng(n).bytes(90).hex() for n in range(60)]
    found = project.split(table, seed=1)
    read, familiar = found["train"], found["familiar"]
    for part in ("test", "validation"):
        assert {*read["speaker"], *familiar["speaker"]}.isdisjoint(found[part]["speaker"])
    assert len(familiar) > 0
    assert not {*read["text"]} & {*familiar["text"]}
    assert found["removed"] == {"train": 0, "validation": 0}


def test_more_context_helps_on_sentences_that_repeat_and_every_character_is_charged(split):
    counts = project.counts(split, seed=0)
    bits = counts["validation"].min(axis=1)
    assert bits[5] < bits[2] < bits[1]
    held_out = sum(map(len, [*split["test"]["text"], *split["familiar"]["text"]]))
    assert len(counts["bits"]) == held_out


def test_a_network_is_charged_for_the_character_that_came(split):
    vocabulary = project._vocabulary(split)
    size = len(vocabulary)

    def predict(read):
        said = np.full((*read.shape, size), 0.5 / (size - 1), np.float32)
        said[..., vocabulary.encode("t")[0]] = 0.5
        return said

    network = SimpleNamespace(model=SimpleNamespace(predict_on_batch=predict))
    counts = {"bits": pd.DataFrame({"ngram5": np.zeros(10_000)})}
    rows = project.characters(network, counts, split, seed=0).dropna(subset="symbol")
    text = "".join([*split["test"]["text"], *split["familiar"]["text"]])
    assert "".join(rows["symbol"]) == text
    right = rows[rows["symbol"] == "t"]
    assert right["gru"].tolist() == [1.0] * len(right)
    assert (rows.loc[rows["symbol"] != "t", "gru"] > 1).all()
    assert set(rows["said"]) == {"t"}


def test_counting_in_old_speeches_does_not_prepare_for_new_words():
    old, new = speeches(4, 1801), speeches(4, 1950).assign(text="Tonight, my friends: jobs! " * 9)
    split = {"train": pd.concat([old, new]), "test": pd.concat([old.head(1), new.head(1)])}
    found = project.ageing(split, seed=0)
    assert found["new_on_new"] < found["old_on_new"]
    assert found["old_on_old"] < found["new_on_old"]


def test_scores_are_of_unknown_presidents_and_beside_them_of_known_ones(split):
    rows = characters().assign(**{f"ngram{n}": float(n) for n in range(1, 8)})
    rows["part"] = ["test"] * 60 + ["familiar"] * 60
    rows.loc[rows["part"] == "familiar", "gru"] = 0.5
    found = project.scores(rows, {"old_on_new": 2.5, "new_on_new": 2.0}, split, seed=0)
    assert found["gru"] == {"bits": 1.0, "blank": 1.0, "familiar": 0.5, "new_speaker": 0.5}
    assert found["unigram"] == {"bits": 1.0}
    assert found["ngram5"]["ageing"] == 0.5
    assert set(found) == {"gru", "xz", "unigram", *(f"ngram{n}" for n in range(2, 8))}


def test_packing_a_text_that_repeats_the_training_speeches_costs_next_to_nothing(split):
    assert project._xz({"train": split["train"], "test": split["train"]}, "test") < 0.5


def test_letters_are_counted_from_the_beginning_of_their_word():
    rows = characters().head(10)
    assert rows["place"].tolist() == [1, 2, 0, 1, 2, 3, 4, 0, 0, 0]


def test_kinds_and_places_average_the_seeds():
    one = project.groups(characters(), seed=0)
    two = project.groups(characters().assign(gru=3.0), seed=1)
    kinds = project.kinds({0: one, 1: two})
    assert kinds["share"].sum() == pytest.approx(1)
    assert kinds.loc["digit", ["gru", "ngram5"]].tolist() == [2.0, 2.0]
    assert project.places({0: one, 1: two}).index.tolist() == [1, 2, 3, 4]
    assert one["years"]["speech"].tolist() == ["one", "two"]


def test_the_surest_mistake_comes_first_and_shows_what_stood_before():
    found = project.errors({3: project.groups(characters(), seed=3), 4: None})
    assert found["confidence"].tolist() == [0.9, 0.5]
    assert found["said"].tolist() == ["x", "x"]
    assert found["before"].iloc[0] == "".join(characters()["symbol"].iloc[70:110])


def test_the_longest_copy_is_found():
    assert project._copied("xx state of y", "The state of the Union") == len(" state of ")
    assert project._copied("zzz", "The state") == 0


def test_rare_characters_are_one_unknown():
    split = {"train": pd.DataFrame({"text": ["a" * 12 + "b" * 9]})}
    assert project._vocabulary(split) == tokens.vocabulary("a" * 12)
