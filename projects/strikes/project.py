"""Does a bird strike damage the aircraft?"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, classifier, evaluation, tabular, training
from models.live import form
from scraping import Range, crawl, text

# "web" reads the same register as one CSV file from the npm package vega-datasets, which jsDelivr
# serves to programs: its policy sets no limit on requests and asks that the package's own terms be
# kept. The records are a work of the U.S. Government; the crawler reads robots.txt by itself. The
# FAA offers newer years at wildlife.faa.gov, to be downloaded by hand and opened with local(…).
SOURCE = "sandbox"  # or "web"
START = {
    "sandbox": "http://sandbox/strikes/",
    "web": "https://cdn.jsdelivr.net/npm/vega-datasets@3.2.1/data/birdstrikes.csv",
}
SEEDS = [61, 62, 63, 64, 65]
VALIDATION = "1999-01-01"  # the first day of this part of the table …
TEST = "2000-01-01"  # … and of this
EPOCHS = 60
DRAWS = 200  # of held-out reports anew, for intervals
CAUGHT = 0.8  # share of the damaged aircraft that a threshold is to find
LEVELS = ["None", "Minor", "Medium", "Substantial"]  # of damage; what else is written is no level
# What a crew can tell before anyone has looked at the aircraft …
KNOWN = ["speed", "size", "phase", "time", "operated", "season"]
NAMES = ["airport", "aircraft", "operator"]  # … this too, but it names single places and firms …
AFTERWARDS = ["cost", "species"]  # … and this is written down days later, often by a laboratory.
# Kinds of operator outlive the firms; who is not listed here is an airline.
OPERATED = {"MILITARY": "military", "GOVERNMENT": "government", "UNKNOWN": "unknown"}
OPERATED |= dict.fromkeys(["FEDEX EXPRESS", "UPS AIRLINES", "ABX AIR", "ASTAR AIR CARGO"], "cargo")
OPERATED |= dict.fromkeys(["BUSINESS", "PRIVATELY OWNED", "EXECUTIVE JET AVIATION"], "private")
COLUMNS_OF_THE_WEB = {
    "Flight Date": "Date",
    "Airport Name": "Airport",
    "Aircraft Make Model": "Aircraft",
    "Aircraft Airline Operator": "Operator",
    "Wildlife Species": "Species",
    "Wildlife Size": "Size",
    "Effect Amount of damage": "Damage",
    "Speed IAS in knots": "Speed",
    "Cost Total $": "Total cost",
}  # the others are called as on the practice site


@dataclass
class Strike:
    """One report. What was never filled in is None."""

    day: date
    airport: str
    aircraft: str
    operator: str
    phase: str | None
    species: str | None
    size: Literal["Small", "Medium", "Large"] | None
    time: str | None
    damage: str
    speed: Annotated[float, Range(0, 600)] | None  # knots
    cost: Annotated[float, Range(0, 1e9)] | None  # US dollars
    attribution: str
    licence: str


def pages():
    """The page of every report, by way of the register's list; or the one file of the web."""
    if SOURCE == "web":
        return crawl(START[SOURCE], follow=None)
    return crawl(START[SOURCE], follow="a[rel=next]", keep="a.record")


def reports(page):
    """One row per report."""
    attribution, licence = "FAA Wildlife Strike Database", "U.S. Government Work"
    if SOURCE == "sandbox":
        attribution, licence = text(page, ".attribution"), text(page, ".licence")
    for told in _told(page):
        yield Strike(
            day=_day(told["Date"]),
            airport=told["Airport"],
            aircraft=told["Aircraft"],
            operator=told["Operator"],
            phase=told.get("Phase of flight"),
            species=told.get("Species"),
            size=told.get("Size"),
            time=told.get("Time of day"),
            damage=told["Damage"],
            speed=_amount(told.get("Speed")),
            cost=_amount(told.get("Total cost")),
            attribution=attribution,
            licence=licence,
        )


def practices(reports):
    """How different kinds of operator report damage and costs."""
    costs, none = reports["cost"] > 0, reports["damage"] == "None"
    coded = ~reports["damage"].isin(LEVELS)
    told = {"with damage": ~none & ~coded, "undamaged, with costs": none & costs, "code": coded}
    by = pd.DataFrame({"reports": 1} | told).groupby(reports["operator"].map(_operated))
    return by.sum().sort_values("reports").rename_axis("operator")


def table(reports):
    """Reports of civil aircraft, each once, with the outcome and what can be told of the flight."""
    civil = reports[reports["operator"] != "MILITARY"]
    once = civil[civil["damage"].isin(LEVELS)].drop_duplicates(_content(civil))
    days = pd.to_datetime(once["day"])
    seasons = {0: "winter", 1: "spring", 2: "summer", 3: "autumn"}
    return once.assign(
        day=days,
        season=(days.dt.month % 12 // 3).map(seasons),
        operated=once["operator"].map(_operated),
        damaged=(once["damage"] != "None").astype(int),
    ).sort_values("day", kind="stable")


def left_out(reports):
    """How many reports the table leaves out, and why."""
    civil = reports[reports["operator"] != "MILITARY"]
    known = civil[civil["damage"].isin(LEVELS)]
    copies = int(known.duplicated(_content(known)).sum())
    military, coded = len(reports) - len(civil), len(civil) - len(known)
    return {"military": military, "coded": coded, "copies": copies}


def split(table):
    """Trained on the past, stopped by the year after it, tested on what came later."""
    told = table.drop(columns=["attribution", "licence"])  # alike in every row
    validation, test = told["day"] >= VALIDATION, told["day"] >= TEST
    parts = {"train": ~validation, "validation": validation & ~test, "test": test}
    return {name: told[rows].reset_index(drop=True) for name, rows in parts.items()}


def columns(split):
    """What the training rows tell about the columns: means, medians, the names that occur."""
    return tabular.columns(split["train"], numbers=KNOWN[:1], categories=KNOWN[1:])


def network(split, columns, seed):
    """One hidden layer."""
    return _train(split, columns)


def balanced(split, columns, seed):
    """The same, with a damaged aircraft counting as much as all the undamaged ones it is among."""
    return _train(split, columns, class_weight="balanced")


def baseline(split, columns):
    """What models without any chance in them say about validation and test."""
    train, later = split["train"], split["validation"]
    y = train["damaged"].to_numpy()
    shares = train.groupby("size")["damaged"].mean()
    named = tabular.columns(train, numbers=KNOWN[:1], categories=KNOWN[1:] + NAMES)
    linear = baselines.logistic(columns.matrix(train), y, l2=10)
    with_names = baselines.logistic(named.matrix(train), y, l2=10)
    trees = _trees(train, later, KNOWN)
    hindsight = _trees(train, later, KNOWN + AFTERWARDS)
    said = {}
    for part in ("validation", "test"):
        rows = split[part]
        said[part] = pd.DataFrame(
            {
                "majority": y.mean(),
                "size": rows["size"].map(shares).fillna(y.mean()),
                "logistic": linear.predict_proba(columns.matrix(rows))[:, 1],
                "names": with_names.predict_proba(named.matrix(rows))[:, 1],
                "boosting": trees.predict_proba(rows[KNOWN])[:, 1],
                "hindsight": hindsight.predict_proba(rows[KNOWN + AFTERWARDS])[:, 1],
            },
            index=rows.index,
        )
    return said


def forecasts(baseline, network, balanced, split, columns, seed):
    """Every model's probability of damage beside the truth, for validation and test."""
    said = {
        part: baseline[part].assign(
            network=_probabilities(network, split[part], columns),
            balanced=_probabilities(balanced, split[part], columns),
        )
        for part in ("validation", "test")
    }
    # Platt's scaling: a logistic regression from what was said to what happened, in the one year
    # that neither training nor test has.
    scaled = baselines.logistic(
        _logit(said["validation"]["balanced"]), split["validation"]["damaged"].to_numpy(), l2=1
    )
    for part, models in said.items():
        models["recalibrated"] = scaled.predict_proba(_logit(models["balanced"]))[:, 1]
        models.insert(0, "truth", split[part]["damaged"])
        models.insert(1, "group", split[part]["airport"])
    return said


def answers(forecasts, seed):
    """The forecasts for the test years."""
    return forecasts["test"]


def scores(answers, seed):
    """How good every model's forecasts are."""
    return _scores(answers)


def validation(forecasts, seed):
    """The same for the validation year, by which networks and trees were stopped."""
    return _scores(forecasts["validation"])


def precision(answers):
    """Average precision of every model, mean of the seeds, airports drawn anew."""
    first, found = _first(answers), {}
    for model in first.columns.drop(["truth", "group"]):
        said = np.stack([rows[model] for rows in answers.values()], axis=1)
        if (said == said[:, :1]).all():
            said = said[:, :1]  # no chance in it: every seed says the same
        found[model] = evaluation.bootstrap(
            _mean_precision, first["truth"], said, groups=first["group"], repeats=DRAWS
        )
    return found


def comparison(precision):
    """Average precision with intervals over airports."""
    return figures.comparison(precision, "average precision")


def calibration(answers):
    """Whether damage is as frequent as was said."""
    shown = ["logistic", "network", "balanced", "recalibrated"]
    said = {s: {m: (rows["truth"], rows[m]) for m in shown} for s, rows in answers.items()}
    return figures.calibration(said)


def curves(network):
    """Learning curves, all seeds."""
    return figures.learning_curves({seed: each.curves for seed, each in network.items()}, "loss")


def decisions(forecasts):
    """What comes of inspecting above a threshold that validation chose; networks of one seed."""
    said, rows = _first(forecasts), {}
    for model in ("size", "logistic", "boosting", "network", "balanced"):
        threshold = _threshold(said["validation"], model)
        truth, flagged = said["test"]["truth"] == 1, said["test"][model] >= threshold
        recall = evaluation.proportion(int((truth & flagged).sum()), int(truth.sum()))
        right = evaluation.proportion(int((truth & flagged).sum()), int(flagged.sum()))
        rows[model] = {"threshold": threshold, "inspected": float(flagged.mean())}
        for name, share in (("recall", recall), ("precision", right)):
            ends = {f"{name} low": share["low"], f"{name} high": share["high"]}
            rows[model] |= {name: share["mean"]} | ends
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def levels(forecasts, split):
    """How often the network's threshold is right, by how bad the damage was."""
    said = _first(forecasts)
    flagged = said["test"]["network"] >= _threshold(said["validation"], "network")
    truth, level = said["test"]["truth"], split["test"]["damage"]
    found = evaluation.by_group(evaluation.accuracy, truth, flagged.astype(int), level)
    return (
        found.set_index("group")
        .reindex(LEVELS)
        .rename_axis("damage")
        .rename(columns={"accuracy": "right", "n": "reports"})
    )


def groups(answers, split):
    """How well the network orders the reports of each group, and whether its level is right."""
    said, found = _first(answers), []
    for column in ("operated", "season", "size", "phase"):
        names = split["test"][column].fillna("unknown").to_numpy()
        by = evaluation.by_group(
            evaluation.auc, said["truth"], said["network"], names, repeats=DRAWS
        )
        level = said.groupby(names)[["network", "truth"]].mean()
        level.columns = ["forecast", "damaged"]
        found.append(by.join(level, on="group").sort_values("n", ascending=False))
    return pd.concat(found).query("n >= 50").set_index("group")


def missed(answers, split):
    """The damaged aircraft that the network thought safest."""
    worst = split["test"].assign(forecast=_first(answers)["network"]).query("damaged == 1")
    shown = ["damage", "size", "phase", "speed", "aircraft", "species"]
    return worst.nsmallest(10, "forecast").set_index("forecast")[shown]


def gaps(split):
    """Whether a speed that nobody wrote down tells something, in the training years."""
    missing = split["train"]["speed"].isna().map({True: "missing", False: "given"})
    return split["train"]["damaged"].groupby(missing).agg(damaged="mean", reports="size")


def years(table):
    """The share of reports that tell of damage, year by year."""
    by = table["damaged"].groupby(table["day"].dt.year)
    return by.agg(damaged="mean", reports="size").rename_axis("year")


def live(network, columns, split):
    """The network of the first seed as a form."""
    return form(
        _first(network),
        columns,
        split["test"].drop_duplicates("size"),
        ["no damage", "damage"],
        asked="damage",
        labels={"time": "light", "size": "size of the bird", "operated": "operator"},
        units={"speed": "knots"},
        steps={"speed": 5},
    )


def _told(page):
    """What each report on a page says, term by term; a term without a value is left out."""
    if SOURCE == "sandbox":
        terms = page.select("dl.record dt")
        yield {text(term): text(term.find_next_sibling("dd")) for term in terms}
    else:
        for row in csv.DictReader(io.StringIO(page.source)):
            yield {COLUMNS_OF_THE_WEB.get(name, name): told for name, told in row.items() if told}


def _day(written):
    way = "%m/%d/%Y" if "/" in written else "%Y-%m-%d"
    return datetime.strptime(written, way).date()


def _amount(written):
    """ "$144,634" and "140 knots" as numbers."""
    return None if written is None else float(re.sub(r"[^\d.]", "", written))


def _content(reports):
    """The columns that two copies of a report share; where and when it was read is not one."""
    return [column for column in Strike.__annotations__ if column in reports]


def _operated(operator):
    return OPERATED.get(operator, "airline")


def _train(split, columns, **options):
    train, validation = (
        (columns.matrix(split[part]), split[part]["damaged"].to_numpy())
        for part in ("train", "validation")
    )
    model = classifier.build(columns, hidden=(32,), head="sigmoid", dropout=0.3, l2=1e-4)
    return training.fit(
        model, train, validation, epochs=EPOCHS, learning_rate=0.002, patience=10, **options
    )


def _trees(train, later, names):
    validation = later[names], later["damaged"].to_numpy()
    y = train["damaged"].to_numpy()
    return baselines.boosting(train[names], y, validation, learning_rate=0.05, leaves=8)


def _probabilities(trained, rows, columns):
    return trained.model.predict(columns.matrix(rows), verbose=0)[:, 0].astype(float)


def _logit(probabilities):
    odds = np.clip(np.asarray(probabilities, dtype=float), 1e-6, 1 - 1e-6)
    return np.log(odds / (1 - odds))[:, None]


def _scores(rows):
    kept = ("average_precision", "auc", "brier", "calibration_error")
    return {
        model: {name: getattr(evaluation, name)(rows["truth"], rows[model]) for name in kept}
        for model in rows.columns.drop(["truth", "group"])
    }


def _mean_precision(truth, said):
    return float(np.mean([evaluation.average_precision(truth, column) for column in said.T]))


def _threshold(rows, model):
    """The highest threshold that finds the share CAUGHT of what was damaged in these rows."""
    return float(rows.loc[rows["truth"] == 1, model].quantile(1 - CAUGHT, interpolation="lower"))


def _first(by_seed):
    return by_seed[min(by_seed)]
