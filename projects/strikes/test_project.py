"""The steps of `strikes`, called as the plain functions they are."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from threadpoolctl import threadpool_limits

from scraping.net.fetch import Response
from scraping.reading.page import Page

from . import project

RECORD = """<dl class="record">
<dt>Date</dt><dd>03/14/1999</dd> <dt>Airport</dt><dd>LAGUARDIA NY</dd>
<dt>State</dt><dd><a href="../states/New%20York/">New York</a></dd>
<dt>Aircraft</dt><dd>B-737</dd> <dt>Operator</dt><dd>UPS AIRLINES</dd>
<dt>Size</dt><dd>Large</dd> <dt>Damage</dt><dd>Minor</dd>
<dt>Speed</dt><dd>140 knots</dd> <dt>Total cost</dt><dd>$144,634</dd></dl>
<footer><span class="attribution">Reported to the FAA</span>
<a class="licence" href="https://www.usa.gov/government-works">U.S. Government Work</a></footer>"""
ON_THE_WEB = """Airport Name,Aircraft Make Model,Effect Amount of damage,Flight Date,\
Aircraft Airline Operator,Origin State,Phase of flight,Wildlife Size,Wildlife Species,Time of day,\
Cost Other,Cost Repair,Cost Total $,Speed IAS in knots
LAGUARDIA NY,B-737,Minor,1999-03-14,UPS AIRLINES,New York,Climb,Large,Canada goose,Day,\
0,144634,144634,140
"O'HARE, CHICAGO",MD-80,None,1999-03-15,UNKNOWN,Illinois,Approach,Small,Barn owl,Night,0,0,0,
"""


def page(text, kind):
    body = text.encode()
    return Page(Response("http://sandbox/x", 200, "OK", [("Content-Type", kind)], body, body))


def rows(count=1, **columns):
    report = {
        "day": date(1999, 3, 14), "airport": "A", "aircraft": "B-737", "operator": "UPS AIRLINES",
        "phase": "Climb", "species": "Mallard", "size": "Large", "time": "Day", "damage": "None",
        "speed": 140.0, "cost": 0.0, "attribution": "FAA", "licence": "none",
    }  # fmt: skip
    return pd.DataFrame([report] * count).assign(**columns)


@pytest.fixture(scope="module")
def split():
    """Large birds do damage, four times in five; and nothing else matters."""
    chance = np.random.default_rng(5)
    size = chance.choice(["Small", "Large"], 900)
    damaged = (size == "Large") & (chance.random(900) < 0.8)
    told = rows(
        900,
        day=pd.date_range("1998-06-01", periods=900),
        airport=chance.choice(["A", "B", "C"], 900),
        size=size,
        time=chance.choice(["Day", "Night"], 900),
        phase=chance.choice(["Climb", "Approach"], 900),
        speed=np.where(chance.random(900) < 0.3, np.nan, chance.integers(90, 200, 900)),
        damage=np.where(damaged, "Minor", "None"),
        operator=chance.choice(["BUSINESS", "DELTA AIR LINES"], 900),
    )
    return project.split(project.table(told))


@pytest.fixture(scope="module")
def forecasts(split):
    """The forecasts of one seed, with networks that say what size they see."""
    columns = project.columns(split)
    large = columns.features.index("size = Large")
    network = SimpleNamespace(
        model=SimpleNamespace(predict=lambda x, verbose: 0.1 + 0.7 * x[:, [large]])
    )
    unsure = SimpleNamespace(
        model=SimpleNamespace(predict=lambda x, verbose: 0.5 + 0.45 * x[:, [large]])
    )
    pytest.importorskip("sklearn.ensemble")  # loaded, so that its threads can be limited
    with threadpool_limits(1):  # rows are few: threads would only wait for each other
        baseline = project.baseline(split, columns)
    return project.forecasts(baseline, network, unsure, split, columns, seed=0)


def test_a_record_is_read_with_its_gaps():
    (strike,) = project.reports(page(RECORD, "text/html"))
    assert strike.day == date(1999, 3, 14)
    assert (strike.speed, strike.cost, strike.size) == (140.0, 144634.0, "Large")
    assert strike.phase is None
    assert strike.licence == "U.S. Government Work"


def test_the_file_of_the_web_gives_the_same_rows(monkeypatch):
    monkeypatch.setattr(project, "SOURCE", "web")
    first, second = project.reports(page(ON_THE_WEB, "text/csv"))
    assert (first.day, first.airport) == (date(1999, 3, 14), "LAGUARDIA NY")
    assert (first.speed, first.cost, first.damage) == (140.0, 144634.0, "Minor")
    assert (second.airport, second.speed, second.operator) == ("O'HARE, CHICAGO", None, "UNKNOWN")


def test_the_military_other_codes_and_copies_leave_the_table_and_are_counted():
    reports = pd.concat(
        [
            rows(2),  # one of them a copy
            rows(damage="Medium", day=date(1998, 12, 31)),
            rows(operator="MILITARY", damage="C"),
            rows(damage="B"),
        ],
        ignore_index=True,
    )
    table = project.table(reports)
    assert list(table["damaged"]) == [1, 0]  # the earlier first
    assert list(table["season"]) == ["winter", "spring"]
    assert list(table["operated"]) == ["cargo", "cargo"]
    assert project.left_out(reports) == {"military": 1, "coded": 1, "copies": 1}


def test_practices_count_costs_that_come_without_damage():
    military = rows(2, operator="MILITARY", damage=["None", "C"], cost=[500.0, 9e4])
    found = project.practices(pd.concat([military, rows(damage="Minor", cost=10.0)]))
    assert found.loc["military"].to_dict() == {
        "reports": 2, "with damage": 0, "undamaged, with costs": 1, "code": 1,
    }  # fmt: skip
    assert found.loc["cargo", "with damage"] == 1


def test_the_parts_follow_each_other_in_time(split):
    train, validation, test = (split[part]["day"] for part in ("train", "validation", "test"))
    assert train.max() == pd.Timestamp("1998-12-31")
    assert validation.min() == pd.Timestamp("1999-01-01")
    assert validation.max() == pd.Timestamp("1999-12-31")
    assert test.min() == pd.Timestamp("2000-01-01")


def test_columns_know_the_training_rows_alone(split):
    columns = project.columns(split)
    assert columns.rows == len(split["train"])
    assert not {*project.NAMES, *project.AFTERWARDS} & {*columns.numbers, *columns.categories}


def test_recalibration_keeps_the_order_and_mends_the_level(forecasts):
    scores = project.scores(project.answers(forecasts, seed=0), seed=0)
    assert scores["recalibrated"]["auc"] == pytest.approx(scores["balanced"]["auc"])
    assert scores["recalibrated"]["brier"] < scores["balanced"]["brier"] - 0.05
    assert scores["majority"]["auc"] == 0.5
    assert scores["logistic"]["auc"] > 0.85


def test_precision_is_the_mean_over_seeds(forecasts, monkeypatch):
    monkeypatch.setattr(project, "DRAWS", 100)
    shown = forecasts["test"][["truth", "group", "majority", "size", "network"]]
    answers = {0: shown, 1: shown.assign(network=0.5)}
    found = project.precision(answers)
    share = forecasts["test"]["truth"].mean()
    alone = project.scores(forecasts["test"], seed=0)["network"]["average_precision"]
    assert found["network"]["mean"] == pytest.approx((alone + share) / 2)
    assert found["majority"]["mean"] == pytest.approx(share)
    assert found["size"]["n"] == 3  # airports


def test_a_threshold_finds_the_share_asked_for_where_it_was_chosen():
    told = pd.DataFrame({"truth": [0] * 5 + [1] * 10, "model": np.arange(15) / 15})
    threshold = project._threshold(told, "model")
    assert (told["model"][told["truth"] == 1] >= threshold).mean() >= project.CAUGHT
    assert threshold > told["model"][5]  # the lowest of them need not be found


def test_decisions_and_levels_count_what_the_threshold_finds(forecasts, split):
    test, said = forecasts["test"], {0: forecasts}
    network = project.decisions(said).loc["network"]
    large = split["test"]["size"] == "Large"
    assert network["inspected"] == pytest.approx(large.mean())
    assert network["recall"] == 1.0
    assert network["precision"] == pytest.approx(test["truth"][large].mean())
    levels = project.levels(said, split)
    assert levels.loc["Minor", "right"] == 1.0
    assert levels.loc["None", "reports"] == (test["truth"] == 0).sum()


def test_the_missed_are_damaged_and_the_least_expected_first(forecasts, split):
    missed = project.missed({0: forecasts["test"]}, split)
    assert set(missed["damage"]) == {"Minor"}
    assert missed.index.is_monotonic_increasing


def test_groups_have_the_level_beside_the_order(forecasts, split, monkeypatch):
    monkeypatch.setattr(project, "DRAWS", 100)
    told = {"test": split["test"].assign(phase="Climb", operated=None)}
    groups = project.groups({0: forecasts["test"]}, told)
    assert {"unknown", "winter", "Large", "Climb"} <= set(groups.index)
    assert groups.loc["Small", "damaged"] == 0.0
    assert groups.loc["Large", "forecast"] == pytest.approx(0.8)


def test_gaps_and_years_count_reports(split):
    gaps = project.gaps(split)
    assert gaps["reports"].sum() == len(split["train"])
    assert gaps.loc["missing", "reports"] == split["train"]["speed"].isna().sum()
    years = project.years(pd.concat(split.values()))
    assert years.loc[1999, "reports"] == 365
