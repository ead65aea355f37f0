"""Columns fitted on training rows."""

import dataclasses
import json
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from models import evaluation, tabular
from models.errors import BadData, BadOption

# Birds that struck aircraft: mass in grams, whether they flew in a flock, where it was.
TRAIN = pd.DataFrame(
    {
        "mass": [20.0, 40.0, None, 60.0, 80.0, None],
        "flock": [True, False, False, True, False, False],
        "species": ["gull", "gull", "owl", "owl", None, None],
        "phase": ["landing", "take-off", "landing", "taxi", "landing", "take-off"],
    }
)
NUMBERS, CATEGORIES = ["mass", "flock"], ["species", "phase"]


def fitted(train=TRAIN, rare=2, **options):
    if not options:
        options = {"numbers": NUMBERS, "categories": CATEGORIES}
    return tabular.columns(train, rare=rare, **options)


def test_correctness_two_rows_of_the_matrix_worked_by_hand():
    columns = tabular.columns(TRAIN, numbers=NUMBERS, categories=CATEGORIES, rare=1)
    assert columns.features == [
        "mass",
        "mass missing",
        "flock",
        "species = gull",
        "species = owl",
        "species missing",
        "phase = landing",
        "phase = take-off",
        "phase = taxi",
    ]
    known, missing = columns.matrix(TRAIN)[[3, 5]]
    assert known.tolist() == [60, 0, 1, 0, 1, 0, 0, 0, 1]
    assert missing.tolist() == [50, 1, 0, 0, 0, 1, 0, 1, 0]  # 50 is the median of 20, 40, 60, 80
    mean, variance = columns.normalisation()
    assert mean == [50, 0, 0, 0, 0, 0, 0, 0, 0]
    assert variance == [500, 1, 1, 1, 1, 1, 1, 1, 1]  # (30² + 10² + 10² + 30²) / 4


def test_correctness_the_matrix_equals_scikit_learns_imputer_and_encoder():
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(5, 2, (200, 3)), columns=["a", "b", "c"])
    table = table.mask(rng.random(table.shape) < 0.2)
    table["letter"] = rng.choice(list("uvwxyz"), 200)
    train, test = table[:150], table[150:].replace({"letter": {"u": "new"}})
    columns = tabular.columns(train, numbers=["a", "b", "c"], categories=["letter"])
    imputer = SimpleImputer(strategy="median", add_indicator=True).fit(train[["a", "b", "c"]])
    encoder = OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    encoder.fit(train[["letter"]].to_numpy(dtype=object))
    for rows in (train, test):
        # scikit-learn puts the indicators after all numbers.
        theirs = imputer.transform(rows[["a", "b", "c"]])[:, [0, 3, 1, 4, 2, 5]]
        letters = encoder.transform(rows[["letter"]].to_numpy(dtype=object))
        expected = np.hstack([theirs, letters]).astype("float32")
        np.testing.assert_array_equal(columns.matrix(rows), expected)
    assert columns.unplaced(test) == {"letter": (test["letter"] == "new").sum()}


def test_what_is_learned_does_not_depend_on_the_held_out_rows():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"x": rng.normal(size=90), "letter": rng.choice(list("abc"), 90)})
    split = evaluation.split_rows(table, seed=0)
    other = {part: rows.assign(x=rows["x"] * 1e6, letter="z") for part, rows in split.items()}
    other["train"] = split["train"]
    first, second = (
        tabular.columns(parts["train"], numbers=["x"], categories=["letter"])
        for parts in (split, other)
    )
    before = dataclasses.asdict(first)
    first.matrix(other["test"])
    assert first == second
    assert dataclasses.asdict(first) == before  # making a matrix fits nothing
    assert first.rows == len(split["train"])


def test_a_whole_split_is_refused():
    split = {"train": TRAIN, "validation": TRAIN, "test": TRAIN}
    with pytest.raises(BadData, match=r"give split\['train'\], not the whole split"):
        fitted(split)
    with pytest.raises(BadData, match="one part at a time"):
        fitted().matrix(split)


def test_a_rare_name_and_a_new_one_share_the_place_of_the_others():
    train = pd.DataFrame({"species": ["gull"] * 4 + ["owl"] * 3 + ["kite", "crow", "wren"]})
    columns = fitted(train, rare=3, categories=["species"])
    assert columns.features == ["species = gull", "species = owl", "species other"]
    table = pd.DataFrame({"species": ["crow", "emu", "owl"]})
    assert columns.matrix(table).tolist() == [[0, 0, 1], [0, 0, 1], [0, 1, 0]]
    assert columns.unplaced(table) == {}


def test_without_enough_rare_names_a_new_one_has_no_place_and_is_counted():
    train = pd.DataFrame({"species": ["gull"] * 4 + ["owl"] * 3 + ["kite"]})
    columns = fitted(train, rare=3, categories=["species"])
    assert columns.features == ["species = gull", "species = owl"]
    table = pd.DataFrame({"species": ["emu", None, "owl"]})
    assert columns.matrix(table).tolist() == [[0, 0], [0, 0], [0, 1]]
    assert columns.unplaced(table) == {"species": 2}


def test_of_too_many_names_the_commonest_have_places_in_the_order_of_the_alphabet():
    names = ["c"] * 5 + ["a"] * 4 + ["b"] * 9 + ["d"] * 4
    train = pd.DataFrame({"letter": names})
    columns = tabular.columns(train, categories=["letter"], rare=2, most=3)
    assert columns.features == ["letter = a", "letter = b", "letter = c", "letter other"]


def test_numbers_that_stand_for_names_are_in_their_order_and_gaps_do_not_rename_them():
    train = pd.DataFrame({"month": [1, 2, 10, 2, 1, 10]})
    columns = fitted(train, categories=["month"])
    assert columns.features == ["month = 1", "month = 2", "month = 10"]
    later = pd.DataFrame({"month": [10.0, None]})  # the gap made floats of them
    assert columns.matrix(later).tolist() == [[0, 0, 1], [0, 0, 0]]


def test_a_number_missing_in_few_training_rows_takes_the_median_and_no_place():
    train = pd.DataFrame({"mass": [1.0, 2.0, 9.0, None]})
    columns = fitted(train, numbers=["mass"])
    assert columns.features == ["mass"]
    assert columns.matrix(train).tolist() == [[1], [2], [9], [2]]
    assert columns.unplaced(train) == {"mass": 1}


def test_columns_that_tell_nothing_are_left_out_with_the_reason():
    train = TRAIN.assign(
        country="DE", empty=None, zero=0, code=list("abcdef"), once=[None, 1, None, None, None, 2]
    )
    columns = tabular.columns(
        train, numbers=["mass", "zero", "empty", "once"], categories=["country", "code"], rare=3
    )
    assert columns.left_out == {
        "zero": "0 in 6 of 6 training rows, else missing",
        "empty": "known in 0 of 6 training rows",
        "once": "known in 2 of 6 training rows",
        "country": "'DE' in every training row",
        "code": "no name in 3 training rows or more",
    }
    later = TRAIN[["mass"]]  # nobody asks for them any more
    assert columns.matrix(later).shape == (6, len(columns.features))


def test_nothing_to_learn_from_at_all_is_an_error():
    with pytest.raises(BadData, match=r"No column tells two of the 6 .*'zero': 0 in 6 of 6"):
        fitted(TRAIN.assign(zero=0), numbers=["zero"])


def test_a_number_that_is_one_value_or_missing_is_told_by_the_gap_alone():
    train = pd.DataFrame({"beacon": [1.0, None, 1.0, None]})
    columns = fitted(train, numbers=["beacon"])
    assert columns.features == ["beacon missing"]
    assert columns.matrix(train).tolist() == [[0], [1], [0], [1]]


@pytest.mark.parametrize(
    "mass",
    [
        pd.Series([20, 40, None, 60, 80, None], dtype="Int64"),
        pd.Series([20, 40, None, 60, 80, None], dtype="float32"),
        pd.Series([20, 40, None, 60, 80, None], dtype=pd.ArrowDtype(pa.float64())),
        pd.Series([Decimal(20), 40, None, np.int8(60), 80.0, pd.NA], dtype=object),
        pd.Series(pd.Categorical([20, 40, None, 60, 80, None])),
    ],
    ids=lambda series: str(series.dtype),
)
def test_the_same_numbers_in_another_dtype_give_the_same_matrix(mass):
    columns, table = fitted(), TRAIN.assign(mass=mass)
    np.testing.assert_array_equal(columns.matrix(table), columns.matrix(TRAIN))
    assert fitted(table).numbers["mass"] | {"kind": "number"} == columns.numbers["mass"] | {
        "kind": "number"
    }


@pytest.mark.parametrize(
    "dtype", [object, "category", "string", pd.ArrowDtype(pa.string())], ids=str
)
def test_the_same_names_in_another_dtype_give_the_same_columns(dtype):
    table = TRAIN.astype({"species": dtype})
    assert fitted(table) == fitted()
    np.testing.assert_array_equal(fitted().matrix(table), fitted().matrix(TRAIN))


@pytest.mark.parametrize(
    "flock",
    [
        pd.Series([True, False, None, True, False, None], dtype="boolean"),
        pd.Series([True, False, None, True, False, None], dtype=object),
        pd.Series([True, False, None, True, False, None], dtype=pd.ArrowDtype(pa.bool_())),
    ],
    ids=lambda series: str(series.dtype),
)
def test_yes_and_no_with_gaps_are_told_as_such(flock):
    table = TRAIN.assign(flock=flock)
    as_number = fitted(table, numbers=["flock"])
    assert as_number.numbers["flock"]["kind"] == "yes or no"
    assert as_number.matrix(table).tolist() == [[1, 0], [0, 0], [0.5, 1]] * 2
    as_name = fitted(table, categories=["flock"])
    assert as_name.features == ["flock = False", "flock = True", "flock missing"]


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["12 g", None], "Row 0 is the text '12 g'; pd.to_numeric"),
        ([None, "7"], "Row 1 is the text '7'"),
        ([date(2026, 5, 1), None], r"Row 0 is a date; table\['x'\].dt.dayofyear"),
        (pd.to_datetime(["2026-05-01", "2026-05-02"]), "Row 0 is a date"),
        ([timedelta(1), timedelta(2)], r"duration; table\['x'\].dt.total_seconds"),
        ([1 + 2j, 3], "Row 0 is a complex"),
        ([b"1", b"2"], "Row 0 is a bytes"),
        ([1.0, np.inf], "1 values that are infinite or beyond float32, the first in row 1"),
        ([1.0, 1e39], "infinite or beyond float32"),
        ([1.7e9, 1.7e9 + 1], "finer than the network's float32 can tell"),
        ([1e-12, 2e-12], r"in another unit: table\['x'\] \* 2e\+12"),
        ([1e30, 2e30], "in another unit"),
    ],
)
def test_cells_that_are_no_numbers_are_refused(cells, says):
    with pytest.raises(BadData, match=says):
        tabular.columns(pd.DataFrame({"x": cells}), numbers=["x"], rare=1)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (pd.to_datetime(["2026-05-01", "2026-05-02"]), "holds Timestamp values such as '2026-05"),
        ([b"a", b"b"], "holds bytes values"),
        ([["a"], ["b"]], "holds lists or dicts"),
        (["a", 1], r"mixes number and text: 'a', 1.*astype\(str\)"),
    ],
)
def test_cells_that_are_no_names_are_refused(cells, says):
    with pytest.raises(BadData, match=says):
        tabular.columns(pd.DataFrame({"x": cells}), categories=["x"], rare=1)


def test_the_advice_about_infinite_values_helps():
    table = pd.DataFrame({"x": [1.0, np.inf, 3.0]})
    repaired = table.assign(x=table["x"].where(table["x"].abs() < 1e38))
    assert tabular.columns(repaired, numbers=["x"], rare=1).numbers["x"]["missing"] == 1


def test_the_advice_about_mixed_names_keeps_gaps():
    table = pd.DataFrame({"x": ["a", 1, None, None]}).astype({"x": str})
    assert tabular.columns(table, categories=["x"], rare=1).categories["x"]["missing"] == 2


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda t: t.drop(columns="species"), "no column 'species', which training had"),
        (lambda t: t.assign(species=range(6)), "kind 'text' in training and now 'number'"),
        (lambda t: t.assign(mass="heavy"), "Column 'mass' should hold numbers"),
        (lambda t: t.assign(mass=-np.inf), "6 values that are infinite"),
        (lambda t: pd.concat([t, t[["mass"]]], axis=1), "2 columns that are named 'mass'"),
        (lambda t: t.iloc[0], r"not Series; for one row take table.iloc\[\[0\]\]"),
        (lambda t: t[:0], "holds nothing: 0 rows × 4 columns"),
    ],
)
def test_a_later_table_that_does_not_fit_is_refused(change, says):
    with pytest.raises(BadData, match=says):
        fitted().matrix(change(TRAIN))


def test_a_column_wholly_missing_later_is_taken_as_missing():
    later = TRAIN.assign(species=None, mass=np.nan)
    matrix = pd.DataFrame(fitted().matrix(later), columns=fitted().features)
    assert (matrix["species missing"] == 1).all()
    assert (matrix["mass"] == 50).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "Name numbers, categories or both, out of mass, flock, species, phase"),
        ({"numbers": "mass"}, r"must be a list of names such as \['age'\], not 'mass'"),
        ({"numbers": {"mass", "flock"}}, "must be a list of names"),
        ({"numbers": None}, "must be a list of names"),
        ({"numbers": ["mas"]}, "Did you mean 'mass'"),
        ({"numbers": ["mass"], "categories": ["mass"]}, "'mass' is named twice"),
        ({"numbers": ["mass"], "rare": 0}, "rare must be at least 1"),
        ({"numbers": ["mass"], "most": 2.5}, "most must be a whole number"),
    ],
)
def test_options_that_cannot_work_are_refused(options, says):
    with pytest.raises(BadOption, match=says):
        tabular.columns(TRAIN, **options)


def test_columns_are_plain_values_that_come_back_from_json_equal():
    columns = fitted()
    text = json.dumps(dataclasses.asdict(columns), allow_nan=False)
    assert tabular.Columns(**json.loads(text)) == columns


def test_a_form_can_do_the_same_from_the_fields_alone():
    columns = fitted()
    fields = json.loads(json.dumps(columns.fields()))
    for (_, cells), expected in zip(TRAIN.iterrows(), columns.matrix(TRAIN), strict=True):
        row = [0.0] * len(columns.features)
        for field in fields:
            value = None if pd.isna(cells[field["name"]]) else cells[field["name"]]
            if value is None and field["missing_at"] is not None:
                row[field["missing_at"]] = 1
            if field["kind"] != "category" and field["at"] is not None:
                row[field["at"]] = field["typical"] if value is None else float(value)
            elif value in field.get("names", ()):
                row[field["at"][field["names"].index(value)]] = 1
            elif value is not None and field["other_at"] is not None:
                row[field["other_at"]] = 1
        assert row == expected.tolist()
