"""The data card tells how the data were split, and what stands on two sides of it all the same."""

from __future__ import annotations

import html

from blog import cards

LEAKAGE = {
    "unit": "set",
    "kind": "groups",
    "told_by": "split_rows",
    "separated": True,
    "duplicates": [
        {
            "of": "`image`",
            "rich": True,
            "share": 0.015,
            "validation": {"mean": 1, "values": [1]},
            "test": {"mean": 12.5, "values": [12, 13]},
        }
    ],
    "share": 0.015,
    "guards": ["drop_duplicates"],
    "fitting": {"fits": 3, "wrong": [], "unsure": []},
    "problems": [],
}
SIZES = {"train": {"mean": 2510.4, "values": [2510]}, "test": {"mean": 786.0, "values": [786]}}
SCORE = {"values": [0.9], "mean": 0.9, "low": 0.8, "high": 0.95, "n": 3, "method": "t"}


def test_sizes_unit_duplicates_and_fits_are_told(tmp_path):
    box = html.unescape(cards.data(tmp_path, {"splits": SIZES, "leakage": LEAKAGE}))
    assert "**Split and leakage**" in box
    assert "train 2,510, test 786" in box
    assert "whole groups of set, and they are" in box
    assert "by image: 1.0 of validation, 12.5 of test (1.5%)" in box
    assert "to rows held back: 0" in box


def test_what_leaks_is_told_harmlessly(tmp_path):
    fitting = {"fits": 1, "wrong": ["`<b>fit</b>` in `x` is fitted to test rows"], "unsure": []}
    told = LEAKAGE | {
        "unit": "<script>",
        "separated": False,
        "fitting": fitting,
        "problems": ["The groups of `<script>` stand in two parts."],
    }
    box = cards.data(tmp_path, {"leakage": told})
    assert "and they are not" in box
    assert "stand in two parts" in box
    assert "<script>" not in box
    assert "<b>" not in box


def test_without_a_split_there_is_no_such_section(tmp_path):
    assert cards.data(tmp_path, {"leakage": None}) == ""


def test_validation_scores_stand_below_the_test_scores(tmp_path):
    results = {
        "parameters": {"network": 10},
        "scores": {"cnn": {"accuracy": SCORE}},
        "values": {"validation": {"cnn": {"accuracy": SCORE | {"mean": 0.87}}}},
    }
    box = cards.model(tmp_path, results)
    assert "The same on the validation part:" in box
    assert "0.870" in box
    results["values"] = {"validation": 0.87}
    assert "validation part" not in cards.model(tmp_path, results)
