"""What a run records of rows on two sides of its split, for every way in which a split is kept."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from projects.spine import leakage
from projects.spine.check.fitting import Fits
from projects.spine.examples import examples_of, splits_in
from projects.spine.results import validate

PROJECT = '''
"""Do toys repeat?"""
import numpy as np
import pandas as pd

from models import evaluation

SEEDS = 2


def table():
    """Forty toys of eight makers, the first ten twice."""
    rows = pd.DataFrame({"toy_id": range(40), "size": np.arange(40) / 7, "name": "toy"})
    rows["maker"] = [f"maker {i % 8}" for i in range(40)]
    return pd.concat([rows, rows.head(10).assign(toy_id=range(40, 50))], ignore_index=True)


def split(table, seed):
    """By rows."""
    return evaluation.split_rows(table, seed=seed, test=0.4, validation=0.2)


def scores(split, seed):
    """How many there are."""
    return {"all": {"rows": float(len(split["test"]))}}


def validation(split, seed):
    """The same."""
    return {"all": {"rows": float(len(split["validation"]))}}
'''


@pytest.mark.slow
def test_a_run_records_rows_on_both_sides_and_the_validation_scores(checkout):
    checkout.write("toys", PROJECT)
    checkout.train("toys")
    file = checkout.root / "projects/toys/results/results.json"
    document = json.loads(file.read_text())
    found = document["leakage"]
    (rows,) = found["duplicates"]
    assert rows["of"] == "rows"
    assert 0 < rows["share"] <= 0.5
    assert found["unit"] == "row"
    assert found["told_by"] == "split_rows"
    assert document["values"]["validation"]["all"]["rows"]["mean"] == 10
    assert document["splits"]["test"]["mean"] == 20
    validate(document, file)


def counted(*splits) -> dict:
    """What is counted over seeds, by what is compared."""
    seeds = [[examples_of(parts, {}) for parts in splits_in(split)] for split in splits]
    return {each["of"]: each for each in leakage._duplicates(seeds)}


ROWS = np.arange(48.0).reshape(3, 16)
LONG = [
    "a sentence that is long enough to be told from others",
    "another, as long as the first one is",
]


@pytest.mark.parametrize(
    "split",
    [
        {"train": ROWS, "test": ROWS[:1]},
        {"train": (ROWS, np.arange(3)), "test": (ROWS[:1], np.arange(1))},
        {"x_train": ROWS, "y_train": np.arange(3), "x_test": ROWS[:1], "y_test": np.arange(1)},
        {"images": {"train": ROWS, "test": ROWS[:1]}, "note": "x"},
        (ROWS, ROWS[:1]),
        {"train": {"x": ROWS}, "test": {"x": ROWS[:1]}},
        {"train": LONG, "test": [LONG[0]]},
        {"train": "".join(map(str, range(400))), "test": "".join(map(str, range(400)))[300:401]},
        {"train": pd.DataFrame({"t": LONG}), "test": pd.DataFrame({"t": [LONG[0] + " "]})},
        {"train": pd.Series(LONG), "test": pd.Series(LONG[:1])},
    ],
    ids=[
        "arrays", "pairs", "named", "nested", "tuple", "dicts", "texts", "text", "table", "series",
    ],
)  # fmt: skip
def test_what_the_training_part_has_too_is_counted_in_every_kind_of_split(split):
    counts = counted(split).values()
    assert any(found["rich"] for found in counts)
    for found in counts:
        assert found["test"] == {"mean": 1, "values": [1]}
        assert found["share"] == 1


def test_a_column_that_one_part_lacks_or_that_numbers_the_rows_hides_no_copy():
    train = pd.DataFrame({"size": [3.0, 4.0], "kind": ["a", "b"]})
    test = train.assign(note=["x", "y"])
    assert counted({"train": train, "test": test})["rows"]["share"] == 1
    numbered = train.assign(index=[8, 9])
    assert counted({"train": train.reset_index(), "test": numbered})["rows"]["share"] == 1


def test_ids_provenance_and_missing_cells_are_no_content():
    train = pd.DataFrame(
        {"bird_id": [1, 2], "_url": ["a", "b"], "size": [3.0, None], "note": ["x", ""]}
    )
    test = train.assign(bird_id=[8, 9], _url=["c", "d"])
    assert counted({"train": train, "test": test})["rows"]["test"]["values"] == [2]
    other = test.assign(size=[4.0, 5.0])
    assert counted({"train": train, "test": other})["rows"]["share"] == 0


def test_one_picture_in_two_files_is_one_picture():
    from io import BytesIO

    from PIL import Image

    picture = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8))
    files = []
    for level in (0, 9):
        with BytesIO() as file:
            picture.save(file, "PNG", compress_level=level)
            files.append(file.getvalue())
    assert files[0] != files[1]
    train = pd.DataFrame({"image": [files[0], b"no picture"], "name": ["a", "b"]})
    found = counted({"train": train, "test": pd.DataFrame({"image": files[1:], "name": ["c"]})})
    assert found["rows"]["share"] == 0
    assert found["`image`"]["share"] == 1
    assert found["`image`"]["rich"]


def test_rows_of_a_few_columns_are_not_taken_for_pictures():
    days = pd.DataFrame({"rain": [0.0, 1.0], "sky": ["grey", "blue"]})
    assert not counted({"train": days, "test": days})["rows"]["rich"]


def test_one_sentence_in_every_row_is_no_text_that_leaks():
    said = "Names, drawings and dates are those of the museum's own catalogue."
    rows = pd.DataFrame({"size": np.arange(20.0), "attribution": said})
    found = counted({"train": rows.head(15), "test": rows.tail(5)})
    assert list(found) == ["rows"]
    assert found["rows"]["share"] == 0


def unit(split, **told) -> tuple:
    """(unit, kind, whether it is held apart) of a split."""
    seeds = [[examples_of(parts, {}) for parts in splits_in(split)]]
    found = leakage._unit(Fits(**told), leakage._unit_returned(split), seeds)
    return found["unit"], found["kind"], found["separated"]


def frame(days, sets):
    return pd.DataFrame({"day": pd.to_datetime(days), "set": sets, "size": range(len(sets))})


def test_the_unit_of_a_split_is_told_or_seen_in_its_values():
    early = frame(["2001-01-01"] * 4, ["a", "a", "b", "b"])
    late = frame(["2001-01-02"] * 4, ["c", "c", "d", "d"])
    assert unit({"train": early, "test": late}) == ("day", "times", True)
    assert unit({"train": early.drop(columns="day"), "test": late.drop(columns="day")}) == (
        "set", "groups", True,
    )  # fmt: skip
    assert unit({"train": late, "test": early}, units=[(None, "day")]) == ("day", "times", False)
    mixed = late.assign(set=["a", "c", "d", "d"])
    assert unit({"train": early, "test": mixed}, units=[("set", None)]) == ("set", "groups", False)
    assert unit({"train": ROWS, "test": ROWS, "unit": "author"}) == ("author", "groups", None)
    assert unit({"train": ROWS, "test": ROWS}) == (None, None, None)
    assert unit({"train": ROWS, "test": ROWS}, units=[(None, None)])[0] == "row"
    lists = pd.DataFrame({"values": [np.arange(4), np.arange(4) + 1]})
    assert unit({"train": lists, "test": lists}) == ("row", "rows", None)
