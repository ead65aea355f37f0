"""Splits by time, duplicates of pictures and texts across parts, and what a leakage box states."""

import datetime
import json
import random
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import evaluation
from models.errors import BadData, BadOption
from models.evaluation import texts


def days(rows=100):
    dates = pd.date_range("2024-01-01", periods=rows).to_series().sample(frac=1, random_state=0)
    return pd.DataFrame({"date": dates.to_numpy(), "row": range(rows)})


def test_a_split_by_time_tests_on_the_latest_and_keeps_the_order_of_rows():
    split = evaluation.split_rows(days(), time="date")
    assert [len(rows) for rows in split.values()] == [70, 10, 20]
    ends = [(rows["date"].min(), rows["date"].max()) for rows in split.values()]
    assert ends[0][1] < ends[1][0] <= ends[1][1] < ends[2][0]
    for rows in split.values():
        assert rows["row"].is_monotonic_increasing
        assert rows.index.tolist() == list(range(len(rows)))
    none = evaluation.split_rows(days(), time="date", validation=0)
    assert [len(rows) for rows in none.values()] == [80, 0, 20]


@given(
    st.lists(st.integers(0, 12), min_size=3, max_size=60),
    st.floats(0.05, 0.6),
    st.floats(0, 0.3),
    st.integers(0, 3),
)
def test_no_time_stands_in_two_parts_and_no_row_is_lost(times, test, validation, gap):
    table = pd.DataFrame({"time": times, "row": range(len(times))})
    try:
        split = evaluation.split_rows(
            table, time="time", test=test, validation=validation, gap=gap or None
        )
    except BadData as problem:
        assert "leave nothing for" in str(problem)  # noqa: PT017
        return
    spans = [(rows["time"].min(), rows["time"].max()) for rows in split.values() if len(rows)]
    for (_, before), (after, _) in pairwise(spans):
        assert before < after
        assert after - before >= gap
    kept = pd.concat(split.values())["row"].tolist()
    assert len(set(kept)) == len(kept)
    if not gap:
        assert sorted(kept) == list(range(len(times)))
    assert evaluation.leakage(split, time="time")["in_order"]


def test_a_gap_leaves_out_what_a_window_would_carry_across():
    split = evaluation.split_rows(days(), time="date", gap="7D")
    assert [len(rows) for rows in split.values()] == [64, 4, 20]
    assert split["test"]["date"].min() - split["validation"]["date"].max() == pd.Timedelta("7D")
    again = evaluation.split_rows(days(), time="date", gap=datetime.timedelta(days=7))
    pd.testing.assert_frame_equal(split["train"], again["train"])


@pytest.mark.parametrize("kind", ["utc", "date", "number"])
def test_times_may_be_dates_of_several_kinds_or_numbers(kind):
    table = days()
    table["date"] = {
        "utc": table["date"].dt.tz_localize("UTC"),
        "date": table["date"].dt.date,
        "number": table["date"].dt.day_of_year / 7,
    }[kind]
    split = evaluation.split_rows(table, time="date", gap=1 / 7 if kind == "number" else "1D")
    assert len(split["test"]) == 20
    assert evaluation.leakage(split, time="date")["in_order"]
    assert split["train"]["date"].max() < split["test"]["date"].min()


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"time": "when"}, BadOption, "No column 'when' to split by; columns: date, row, text"),
        ({"time": "text"}, BadOption, r"holds string values .*pd.to_datetime\(table\['text'\]\)"),
        ({"time": "date", "by": "row"}, BadOption, "not by both"),
        ({"time": "date", "gap": 3}, BadOption, 'a length of time such as "3D"'),
        ({"time": "date", "gap": "-3D"}, BadOption, "a length of time"),
        ({"time": "row", "gap": "3D"}, BadOption, "such as 3, not '3D'"),
        ({"time": "row", "gap": 200}, BadData, "with a gap of 200 leave nothing for train"),
        ({"gap": "3D", "seed": 0}, BadOption, "needs time="),
        ({"by": "row"}, BadOption, "pass seed="),
    ],
)
def test_splits_by_time_that_cannot_be_are_refused(arguments, error, says):
    table = days().assign(text="2024-01-01")
    with pytest.raises(error, match=says):
        evaluation.split_rows(table, **arguments)


def test_rows_without_a_time_are_refused():
    table = days()
    table.loc[3, "date"] = pd.NaT
    with pytest.raises(BadData, match="1 of 100 rows have no 'date'"):
        evaluation.split_rows(table, time="date")


def parts(train, validation, test):
    named = {"train": train, "validation": validation, "test": test}
    return {
        name: pd.DataFrame({"text": pd.Series(rows, dtype="str")}) for name, rows in named.items()
    }


SENTENCE = "The quick brown fox jumps over the lazy dog, and nobody knows what became of the dog."


def test_texts_that_differ_in_case_punctuation_and_spacing_only_are_exact_duplicates():
    split = parts(
        [SENTENCE, "Something else entirely", "", "!?", None],
        [],
        [
            "",
            SENTENCE.upper().replace("FOX", " fox —").replace("WHAT", "“what”"),
        ],
    )
    found = evaluation.duplicate_texts(split, "text")
    assert found.to_dict("records") == [
        {
            "part": "train",
            "row": 0,
            "other_part": "test",
            "other_row": 1,
            "kind": "exact",
            "similarity": 1.0,
            "matches": 1,
        }
    ]


def test_near_duplicates_are_found_with_their_likest_and_how_many_there_are():
    near = SENTENCE.replace("nobody", "somebody")
    nearer = SENTENCE.replace("nobody", "nobodi")
    split = parts([SENTENCE, "Other words"], [SENTENCE], [near, nearer, nearer, "Not alike at all"])
    found = evaluation.duplicate_texts(split, "text", threshold=0.7)
    assert found[
        ["part", "row", "other_part", "other_row", "kind", "matches"]
    ].to_numpy().tolist() == [
        ["train", 0, "validation", 0, "exact", 1],
        ["train", 0, "test", 1, "near", 3],
        ["validation", 0, "test", 1, "near", 3],
    ]
    # One letter of the 83 left touches five of 79 runs: 74 in common, 84 in either.
    assert len(texts.normalised(SENTENCE)) == 83
    runs = [{t[i : i + 5] for i in range(79)} for t in map(texts.normalised, (SENTENCE, nearer))]
    expected = len(runs[0] & runs[1]) / len(runs[0] | runs[1])
    assert found["similarity"].iloc[1] == pytest.approx(expected)


def test_duplicates_leave_training_first_then_validation_never_the_test():
    near = SENTENCE.replace("nobody", "nobodi")
    other, third = "A text of which validation has a copy too.", "Only here, in the training rows."
    split = parts([SENTENCE, other, third, third, near], [other, near], [SENTENCE])
    kept, counts = evaluation.drop_duplicate_texts(split, "text")
    assert counts == {"validation": {"exact": 0, "near": 1}, "train": {"exact": 2, "near": 1}}
    assert kept["train"]["text"].tolist() == [third, third]  # within one part nothing leaks
    assert kept["validation"]["text"].tolist() == [other]
    assert len(kept["test"]) == 1
    assert evaluation.duplicate_texts(kept, "text").empty
    again, counts = evaluation.drop_duplicate_texts(split | {"removed": 3}, "text", threshold=1)
    assert counts["train"] == {"exact": 3, "near": 0}
    assert again["removed"] == 3


@given(st.integers(0, 10_000), st.sampled_from([0.3, 0.5, 0.8, 0.95]))
def test_the_quick_search_finds_what_comparing_all_pairs_does(seed, threshold):
    chance = random.Random(seed)
    words = ["".join(chance.choices("abcd", k=3)) for _ in range(6)]
    made = [" ".join(chance.choices(words, k=chance.randint(1, 40))) for _ in range(12)]
    for text in made[:6]:
        place = chance.randrange(len(text))
        made.append(text[:place] + chance.choice(["", "x", "dad "]) + text[place + 1 :])
    chance.shuffle(made)
    split = parts(made[:9], [], made[9:])

    def runs(text):
        text = texts.normalised(text)
        return {text[i : i + 5] for i in range(max(1, len(text) - 4))} if text else set()

    expected = {}
    for row, one in enumerate(made[:9]):
        for other in made[9:]:
            both, either = runs(one) & runs(other), runs(one) | runs(other)
            if either and len(both) / len(either) >= threshold:
                expected.setdefault(row, []).append(len(both) / len(either))
    found = evaluation.duplicate_texts(split, "text", threshold=threshold).set_index("row")
    assert found["similarity"].to_dict() == pytest.approx({r: max(s) for r, s in expected.items()})
    assert found["matches"].to_dict() == {row: len(s) for row, s in expected.items()}


def test_texts_of_any_script_are_compared():
    split = parts(
        ["敏捷的棕色狐狸跳过了懒狗,没有人知道后来怎么样了。", "🦊🦊🦊", "Straße"],
        [],
        ["敏捷的棕色狐狸跳过了懒狗,没有人知道后来怎么样了!", "🦊🦊🦊", "STRASSE", "🐶"],
    )
    found = evaluation.duplicate_texts(split, "text")
    assert found[["row", "other_row", "kind"]].to_numpy().tolist() == [
        [0, 0, "exact"],
        [1, 1, "exact"],
        [2, 2, "exact"],
    ]


def test_texts_that_cannot_be_compared_are_refused():
    split = parts(["a"], ["b"], ["c"])
    with pytest.raises(BadOption, match="No column 'body' of texts; columns: text"):
        evaluation.duplicate_texts(split, "body")
    with pytest.raises(BadOption, match=r"threshold must be from 0\.1 to 1, not 0"):
        evaluation.drop_duplicate_texts(split, "text", threshold=0)
    with pytest.raises(BadData, match="Row 0 of 'train' holds 7, which is no text"):
        evaluation.duplicate_texts(split | {"train": pd.DataFrame({"text": [7]})}, "text")
    with pytest.raises(BadData, match="got training"):
        evaluation.duplicate_texts({"training": split["train"]}, "text")


def pictures():
    chance = np.random.default_rng(0)
    pixels = {
        name: chance.random((rows, 8, 8)).astype("float32")
        for name, rows in (("train", 6), ("validation", 3), ("test", 4))
    }
    pixels["train"][1] = pixels["test"][2]
    pixels["train"][4] = np.clip(pixels["test"][3] + 0.01, 0, 1)
    pixels["validation"][0] = pixels["test"][2]
    split = {name: pd.DataFrame({"row": range(len(x))}) for name, x in pixels.items()}
    return split, pixels


def test_pictures_on_both_sides_are_listed_with_their_likest():
    split, pixels = pictures()
    found = evaluation.duplicate_pictures(split, pixels)
    assert found[
        ["part", "row", "other_part", "other_row", "kind", "matches"]
    ].to_numpy().tolist() == [
        ["train", 1, "validation", 0, "exact", 1],
        ["train", 1, "test", 2, "exact", 1],
        ["train", 4, "test", 3, "near", 1],
        ["validation", 0, "test", 2, "exact", 1],
    ]
    assert 0 < found["difference"].iloc[2] <= 0.01 + 1e-6
    # What is listed is what is dropped.
    _, counts = evaluation.drop_duplicates_across(split, pixels)
    assert counts == {"validation": {"exact": 1, "near": 0}, "train": {"exact": 1, "near": 1}}
    with pytest.raises(BadData, match="not of 'test'"):
        evaluation.duplicate_pictures(split, {k: v for k, v in pixels.items() if k != "test"})


def test_a_split_without_held_out_pictures_drops_none():
    split, pixels = pictures()
    empty = {name: rows.iloc[:0] for name, rows in split.items() if name != "train"}
    none = {name: pixels[name][:0] for name in empty}
    kept, counts = evaluation.drop_duplicates_across(split | empty, pixels | none)
    assert len(kept["train"]) == 6
    assert counts["train"] == {"exact": 0, "near": 0}


def test_a_leakage_box_states_what_stands_in_two_parts():
    split, pixels = pictures()
    split = {name: rows.assign(set=name, when=rows["row"]) for name, rows in split.items()}
    split["train"].loc[0, "set"] = "test"
    found = evaluation.leakage(split, by="set", time="when", pictures=pixels)
    assert found["rows"] == {"train": 6, "validation": 3, "test": 4}
    assert found["unit"] == "groups of 'set'"
    assert found["groups"] == {"train": 2, "validation": 1, "test": 1}
    assert found["shared_groups"] == 1
    assert found["times"]["train"] == [0, 5]
    assert not found["in_order"]
    # A training picture that validation and test both show is counted once.
    assert found["pictures"] == {"exact": 2, "near": 1}
    assert found["problems"] == [
        "1 groups of 'set' stand in two parts: test.",
        "'validation' begins at 0, before 'train' has ended at 5.",
        "'test' begins at 0, before 'train' has ended at 5.",
        "'test' begins at 0, before 'validation' has ended at 2.",
        "3 pictures stand in a later part too (2 exact, 1 near).",
    ]
    assert json.loads(json.dumps(found)) == found


def test_a_fair_split_has_no_problems():
    table = days().assign(
        set=[f"set {row % 17}" for row in range(100)], text=[str(row) for row in range(100)]
    )
    by_set = evaluation.split_rows(table, by="set", seed=0)
    found = evaluation.leakage(by_set, by="set", texts="text")
    assert found["problems"] == []
    assert found["shared_groups"] == 0
    assert sum(found["groups"].values()) == 17
    assert found["texts"] == {"exact": 0, "near": 0}
    by_time = evaluation.split_rows(table, time="date")
    found = evaluation.leakage(by_time, time="date")
    assert found["problems"] == []
    assert found["times"]["test"][1] == "2024-04-09T00:00:00"
    assert found["unit"] == "times of 'date'"
    assert evaluation.leakage(by_time)["unit"] == "rows"
    json.dumps(found)
    with pytest.raises(BadOption, match="No column 'sets' of groups"):
        evaluation.leakage(by_set, by="sets")
