"""The steps of `weather`, called as the plain functions they are."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest

from scraping import Page

from . import project


def days(rain, start="2012-06-28"):
    """Days in a row on which so much rain fell."""
    day = [each.date() for each in pd.date_range(start, periods=len(rain))]
    return pd.DataFrame(
        {"day": day, "rain": rain, "high": 20.0, "low": 10.0, "wind": 3.0, "licence": "free"}
    )


def split_of(count=400):
    """A split of made-up days on which warm weather stays dry."""
    random = np.random.default_rng(1)
    rain = np.where(random.random(count) < 0.5, random.exponential(4, count), 0.0)
    table = project.table(
        days(rain, start="2013-12-01").assign(
            high=20 - rain + random.normal(size=count), low=random.normal(8, 3, count),
            wind=random.normal(3, 1, count),
        )
    )  # fmt: skip
    parts = np.array_split(np.arange(len(table)), 3)
    names = ("train", "validation", "test")
    return {n: table.iloc[p].reset_index(drop=True) for n, p in zip(names, parts, strict=True)}


def test_a_day_is_read_with_its_true_minus():
    page = Page.of(
        '<a class="licence">free</a><table class="days"><tbody><tr><th>'
        '<time datetime="2014-02-06">6 February 2014</time></th><td class="rain">0.0</td>'
        '<td class="high">\N{MINUS SIGN}1.1</td><td class="low">\N{MINUS SIGN}7.1</td>'
        '<td class="wind">4.7</td><td class="weather">sun</td></tr></tbody>'
        "<tfoot><tr><th>Sum</th><td>0.0</td></tr></tfoot></table>"
    )
    assert list(project.days(page)) == [
        project.Day(datetime.date(2014, 2, 6), 0.0, -1.1, -7.1, 4.7, "free")
    ]


def test_days_of_the_service_are_read_and_those_with_gaps_left_out(monkeypatch):
    monkeypatch.setattr(project, "SOURCE", "web")
    answer = [
        {"DATE": "2012-01-02", "STATION": "USW00024233", "PRCP": "10.9", "TMAX": "10.6",
         "TMIN": "2.8", "AWND": "4.5"},
        {"DATE": "2012-01-03", "STATION": "USW00024233", "PRCP": "0.8", "TMAX": "11.7"},
    ]  # fmt: skip
    (day,) = project.days(Page.of(json.dumps(answer)))
    assert (day.day, day.rain, day.low) == (datetime.date(2012, 1, 2), 10.9, 2.8)


def test_a_row_knows_yesterday_and_is_asked_for_tomorrow():
    table = project.table(days([0.0, 2.0, 9.0, 0.0, 0.0]).sample(frac=1, random_state=1))
    assert list(table["rain_yesterday"]) == [False, True, True]
    assert list(table["rain_today"]) == ["below 5 mm", "5 mm or more", "none"]
    assert list(table["rain_tomorrow"]) == [True, False, False]
    assert list(table["season"]) == ["summer"] * 3


def test_a_missing_day_breaks_the_series():
    whole = days([0.0, 2.0, 9.0, 0.0, 0.0, 1.0, 0.0])
    table = project.table(whole.drop(3))
    assert [day.day for day in table["day"]] == [29, 3]


def test_parts_follow_each_other_with_a_day_between(monkeypatch):
    monkeypatch.setattr(project, "TEST_DAYS", 10)
    monkeypatch.setattr(project, "VALIDATION_DAYS", 5)
    monkeypatch.setattr(project, "LAST_DAY", "2012-07-25")
    parts = project.split(project.table(days([0.0, 1.0] * 20)))
    spans = {name: (rows["day"].min(), rows["day"].max()) for name, rows in parts.items()}
    assert spans["test"] == (datetime.date(2012, 7, 16), datetime.date(2012, 7, 25))
    assert spans["validation"][1] == datetime.date(2012, 7, 14)
    assert spans["train"][1] < spans["validation"][0] - datetime.timedelta(days=1)


def test_the_gradient_on_paper_is_the_slope_of_the_cost():
    found = project.gradient_check(split_of())
    assert found["slope"] < 1e-8
    assert found["scratch"] < 1e-12
    assert found["steepest"] > 0.01


def test_climatology_counts_by_month_and_knows_what_to_say_of_one_never_seen():
    train = project.table(days([0.0, 1.0, 1.0, 0.0, 0.0], start="2012-06-01"))
    said = project._climatology(train, project.table(days([0.0] * 3, start="2012-06-01")))
    assert said[0] == pytest.approx((1 + 1) / (3 + 2))
    said = project._climatology(train, project.table(days([0.0] * 3, start="2012-08-01")))
    assert said[0] == pytest.approx(1 / 3)


def test_a_step_by_hand_is_taken_on_a_dry_day_before_rain(monkeypatch):
    monkeypatch.setattr(project, "EPOCHS", 2)
    parts = split_of()
    trained = project.handy(parts, seed=1)
    found = project.by_hand({1: trained}, parts)
    day = parts["test"][parts["test"]["day"].astype(str) == found["day"]].iloc[0]
    assert not day["wet"]
    assert day["rain_tomorrow"]
    x = project._inputs(parts, project.HANDY, [])["test"][0][day.name]
    assert found["a2_1"] == pytest.approx(trained.model.predict([x])[0, 0])


def test_turns_tell_wet_from_dry():
    test = pd.DataFrame({"wet": [True, False], "rain_tomorrow": [False, False]})
    found = project.turns({1: pd.DataFrame({"logistic": [0.5, 0.25]})}, {"test": test})
    assert found.loc[("wet", "dry"), "brier"] == 0.25
    assert found.loc[("dry", "dry"), "forecast"] == 0.25
