"""Will it rain in Seattle tomorrow?"""

import datetime
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from blog import figures
from models import backprop, baselines, classifier, evaluation, scratch, tabular, training
from models.live import form
from scraping import Range, crawl, date, number, text

SOURCE = "sandbox"  # the practice site; "web" asks NOAA's data service, see _START
SEEDS = [41, 42, 43, 44, 45]
LAST_DAY = "2014-12-31"  # of the test; what the office knows of later days stays unread
TEST_DAYS = 365
VALIDATION_DAYS = 182  # before the test; all earlier days are trained on
EPOCHS = 150  # of logistic regression, which then has settled
MODELS = [
    "majority", "climatology", "persistence", "markov", "logistic", "keras_logistic", "handy",
    "mlp", "boosting",
]  # fmt: skip
NUMBERS = ["rain_yesterday", "high", "low", "wind"]
CATEGORIES = ["rain_today", "season"]
ABLATIONS = {
    "without_season": ["season"],
    "without_yesterday": ["rain_yesterday"],
    "without_temperatures": ["high", "low"],
}
HANDY = ["wet", "high", "low"]  # what the network small enough to follow by hand is told

# The web's source is NOAA's Access Data Service, which gives the same station's days as JSON:
# https://www.ncei.noaa.gov/support/access-data-service-api-user-documentation. It is made for
# programs, needs no key, and gives all four years in one answer. NOAA's data are a work of the
# U.S. Government, free to use. `crawl` reads robots.txt first and stops where it says no.
_START = {
    "sandbox": "http://sandbox/weather/",
    "web": "https://www.ncei.noaa.gov/access/services/data/v1?dataset=daily-summaries"
    "&stations=USW00024233&startDate=2012-01-01&endDate=2015-12-31"
    "&dataTypes=PRCP,TMAX,TMIN,AWND&units=metric&format=json",
}


@dataclass
class Day:
    """One day of the office's tables."""

    day: datetime.date
    rain: Annotated[float, Range(0, 500)]  # millimetres, snow melted
    high: Annotated[float, Range(-60, 60)]  # degrees Celsius
    low: Annotated[float, Range(-60, 60)]
    wind: Annotated[float, Range(0, 100)]  # metres a second
    licence: str


def pages():
    """The page of every month; on the web, all days in one answer."""
    if SOURCE == "web":
        return crawl(_START["web"], follow=None)
    return crawl(_START["sandbox"], follow="a.year", keep="a.month")


def days(page):
    """One row per day."""
    yield from _of_a_month(page) if SOURCE == "sandbox" else _of_the_service(page)


def table(days):
    """What is known on a day, and whether it rains on the next; the first and last day fall out."""
    days = days.sort_values("day", ignore_index=True)
    day, wet = pd.to_datetime(days["day"]), days["rain"] > 0
    apart = day.diff() == pd.Timedelta("1D")  # a day missing before it breaks the series
    known = days.assign(
        wet=wet,
        rain_today=np.select([~wet, days["rain"] < 5], ["none", "below 5 mm"], "5 mm or more"),
        rain_yesterday=wet.shift(1, fill_value=False),
        season=np.array(["winter", "spring", "summer", "autumn"])[day.dt.month % 12 // 3],
        rain_tomorrow=wet.shift(-1, fill_value=False),
    )
    return known[apart & apart.shift(-1, fill_value=False)]


def split(table):
    """A year to test, the half-year before it to stop by, all earlier days to train on.

    The last day of a part is left out: its answer is the first day of the next part.
    """
    until = table[pd.to_datetime(table["day"]) <= LAST_DAY]
    return evaluation.split_rows(
        until,
        time="day",
        gap="2D",
        test=TEST_DAYS / len(until),
        validation=VALIDATION_DAYS / len(until),
    )


def gradient_check(split):
    """The largest difference between the gradient on paper, the slope of the cost, and scratch."""
    x, y = _inputs(split)["train"]
    network = scratch.build(inputs=x.shape[1], hidden=(), head="sigmoid", seed=0)
    w, b = network.w[0][:, 0], network.b[0]
    nabla_w, nabla_b = _gradient(w, b, x, y)
    moved = [_cost(w + step, b, x, y) - _cost(w - step, b, x, y) for step in 1e-5 * np.eye(len(w))]
    theirs_b, theirs_w = network.gradients(x, y)
    apart = np.append(theirs_w[0][:, 0] - nabla_w, theirs_b[0] - nabla_b)
    return {
        "slope": float(np.abs(np.array(moved) / 2e-5 - nabla_w).max()),
        "scratch": float(np.abs(apart).max()),
        "steepest": float(np.abs(nabla_w).max()),
    }


def logistic(split, seed):
    """Logistic regression from scratch: all days in one batch, until it has settled."""
    inputs = _inputs(split)
    x, _ = inputs["train"]
    network = scratch.build(inputs=x.shape[1], hidden=(), head="sigmoid")
    return network.fit(
        *inputs["train"], inputs["validation"], epochs=EPOCHS, batch_size=len(x),
        learning_rate=0.5, optimizer="momentum", monitor="loss", patience=None,
    )  # fmt: skip


def keras_logistic(split, seed):
    """The same in Keras, with another optimizer, for the page and as a check."""
    return _train(split, hidden=(), epochs=60, learning_rate=0.05, monitor="loss")


def mlp(split, seed):
    """A hidden layer of eight units; the epoch with the lowest validation loss is kept."""
    return _train(split, hidden=(8,), epochs=60, learning_rate=0.01, monitor="val_loss")


def handy(split, seed):
    """A network of 3-2-1 units from scratch, whose steps can be followed by hand."""
    inputs = _inputs(split, HANDY, [])
    network = scratch.build(inputs=len(HANDY), hidden=(2,), head="sigmoid")
    return network.fit(
        *inputs["train"], inputs["validation"], epochs=EPOCHS, batch_size=64, learning_rate=0.5,
        optimizer="sgd", patience=None,
    )  # fmt: skip


def forecasts(logistic, keras_logistic, handy, mlp, split, seed):
    """Every model's probability of rain on the day after each test day."""
    return _forecast(split, "test", logistic, keras_logistic, handy, mlp)


def rehearsals(logistic, keras_logistic, handy, mlp, split, seed):
    """The same on the validation days."""
    return _forecast(split, "validation", logistic, keras_logistic, handy, mlp)


def ablations(split):
    """Logistic regression without some of what it is told: its Brier score on both parts."""
    found = {"validation": {}, "test": {}}
    for name, gone in ABLATIONS.items():
        kept = [[c for c in columns if c not in gone] for columns in (NUMBERS, CATEGORIES)]
        inputs = _inputs(split, *kept)
        model = baselines.logistic(*inputs["train"], l2=1e-4)  # as good as none
        for part, scores in found.items():
            x, y = inputs[part]
            scores[name] = {"brier": evaluation.brier(y, model.predict_proba(x))}
    return found


def scores(forecasts, ablations, seed):
    """Brier score, log loss, AUC and accuracy; how far Keras is from scratch at most."""
    found = _judged(forecasts)
    apart = (forecasts["keras_logistic"] - forecasts["logistic"]).abs().max()
    found["keras_logistic"]["apart"] = float(apart)
    return found | ablations["test"]


def validation(rehearsals, ablations):
    """The same scores on the validation days, over the seeds."""
    seeds = [_judged(rows) | ablations["validation"] for rows in rehearsals.values()]
    return {
        model: {m: evaluation.interval([s[model][m] for s in seeds]) for m in metrics}
        for model, metrics in seeds[0].items()
    }


def comparison(scores):
    """Brier score of every model: 0 is certainty that was right, 0.25 says nothing."""
    values = {m: {"brier": [s[m]["brier"] for s in scores.values()]} for m in MODELS}
    return figures.comparison(values, "brier", best="low")


def curves(logistic, handy, mlp):
    """Learning curves of logistic regression, the handy network and the MLP."""
    shown = {"logistic": logistic, "handy": handy, "mlp": mlp}
    return figures.learning_curves(
        {name: {s: t.curves for s, t in seeds.items()} for name, seeds in shown.items()}, "loss"
    )


def calibration(forecasts):
    """Whether a forecast of thirty percent comes true three times in ten."""
    return figures.calibration(
        {
            model: {s: (rows["truth"].to_numpy(), rows[model]) for s, rows in forecasts.items()}
            for model in ("logistic", "handy", "mlp")
        },
        bins=6,
    )


def weights(logistic, split):
    """What each feature adds to the log odds of rain, numbers in units of their deviation."""
    names = tabular.columns(split["train"], numbers=NUMBERS, categories=CATEGORIES).features
    found = [t.model.w[0][:, 0] for t in logistic.values()]
    return pd.DataFrame({"weight": np.mean(found, axis=0)}, index=pd.Index(names, name="feature"))


def turns(forecasts, split):
    """Where the errors are: days after which the weather turns, and days after which it stays."""
    said = _mean(forecasts, "logistic")
    today, tomorrow = (
        split["test"][day].map({True: "wet", False: "dry"}) for day in ("wet", "rain_tomorrow")
    )
    error = (said - split["test"]["rain_tomorrow"]) ** 2
    rows = pd.DataFrame({"today": today, "tomorrow": tomorrow, "forecast": said, "brier": error})
    return rows.groupby(["today", "tomorrow"]).agg(
        days=("brier", "size"), forecast=("forecast", "mean"), brier=("brier", "mean")
    )


def turning(turns):
    """What it says on average of each kind of day, by name: dry_wet is dry, then wet."""
    return {f"{today}_{tomorrow}": said for (today, tomorrow), said in turns["forecast"].items()}


def seasons(forecasts, split):
    """Brier score by season: logistic regression, the handy network, the Markov chain."""
    rows = split["test"]
    errors = {
        model: (_mean(forecasts, model) - rows["rain_tomorrow"]) ** 2
        for model in ("logistic", "handy", "markov")
    }
    return pd.DataFrame(errors).groupby(rows["season"]).mean()


def surprises(forecasts, split):
    """The eight days on which logistic regression was most wrong."""
    rows = split["test"].assign(forecast=_mean(forecasts, "logistic"))
    worst = (rows["forecast"] - rows["rain_tomorrow"]).abs().nlargest(8).index
    shown = ["day", "rain", "high", "low", "wind", "forecast", "rain_tomorrow"]
    return rows.loc[worst, shown].set_index("day")


def by_hand(handy, split):
    """One step of backpropagation on the first test day that was dry with rain to follow."""
    network, inputs = handy[min(handy)].model, _inputs(split, HANDY, [])
    rows = split["test"]
    place = int(np.flatnonzero(~rows["wet"] & rows["rain_tomorrow"])[0])
    worked = backprop.worked(
        network.sizes,
        x=inputs["test"][0][place].tolist(),
        y=[1.0],
        weights=[w.T.tolist() for w in network.w],
        biases=[b.tolist() for b in network.b],
        head="sigmoid",
        cost="cross_entropy",
    )
    return {"day": str(rows["day"].iloc[place]), **worked.values}


def live(keras_logistic, split):
    """Logistic regression, for a day of the reader's own."""
    columns = tabular.columns(split["train"], numbers=NUMBERS, categories=CATEGORIES)
    return form(
        keras_logistic[min(keras_logistic)],
        columns,
        split["test"],
        classes=["dry", "rain"],
        asked="rain tomorrow",
        labels={"rain_today": "rain today", "rain_yesterday": "rain yesterday"},
        units={"high": "°C", "low": "°C", "wind": "m/s"},
        steps={"high": 0.5, "low": 0.5, "wind": 0.1},
    )


def _of_a_month(page):
    licence = text(page, "a.licence")
    for row in page.select("table.days tbody tr"):
        columns = {name: number(row, f"td.{name}") for name in ("rain", "high", "low", "wind")}
        yield Day(day=date(row, "time"), **columns, licence=licence)


def _of_the_service(page):
    """Days as the service gives them: numbers as text, and no key where nothing was measured."""
    columns = {"rain": "PRCP", "high": "TMAX", "low": "TMIN", "wind": "AWND"}
    for row in page.json():
        if all(row.get(key) for key in columns.values()):
            values = {name: float(row[key]) for name, key in columns.items()}
            day = datetime.date.fromisoformat(row["DATE"])
            yield Day(day=day, **values, licence="U.S. Government Work")


def _inputs(split, numbers=NUMBERS, categories=CATEGORIES):
    """Each part as (x, y): x normalised by the training days' means and deviations."""
    columns = tabular.columns(split["train"], numbers=numbers, categories=categories)
    mean, variance = map(np.array, columns.normalisation())
    return {
        part: ((columns.matrix(rows) - mean) / np.sqrt(variance), _answers(rows))
        for part, rows in split.items()
    }


def _answers(rows):
    return rows["rain_tomorrow"].to_numpy(dtype=int)


def _cost(w, b, x, y):
    """Cross-entropy of p = σ(x w + b), mean over the days."""
    z = x @ w + b
    return np.mean(np.logaddexp(0, z) - y * z)


def _gradient(w, b, x, y):
    """The means of (p − y) x and of p − y: for the weights, for b."""
    p = 1 / (1 + np.exp(-(x @ w + b)))
    return x.T @ (p - y) / len(y), np.mean(p - y)


def _train(split, hidden, epochs, learning_rate, monitor):
    columns = tabular.columns(split["train"], numbers=NUMBERS, categories=CATEGORIES)
    train, validation = (
        (columns.matrix(split[part]), _answers(split[part])) for part in ("train", "validation")
    )
    model = classifier.build(columns, hidden=hidden, head="sigmoid")
    return training.fit(
        model, train, validation, epochs=epochs, batch_size=64, learning_rate=learning_rate,
        schedule="cosine", monitor=monitor, patience=None,
    )  # fmt: skip


def _forecast(split, part, logistic, keras_logistic, handy, mlp):
    """A row per day: truth, group (its week), and the probability that each model gave."""
    columns = tabular.columns(split["train"], numbers=NUMBERS, categories=CATEGORIES)
    train, rows, matrix = split["train"], split[part], columns.matrix(split[part])
    inputs, y = _inputs(split), _answers(train)
    markov = baselines.markov(train["wet"].to_numpy(int), y)
    boosting = baselines.boosting(
        *inputs["train"], inputs["validation"], learning_rate=0.05, leaves=8
    )
    said = {
        "majority": np.full(len(rows), y.mean()),
        "climatology": _climatology(train, rows),
        "persistence": baselines.last_value().predict(rows["wet"].to_numpy(float)),
        "markov": markov.predict_proba(rows["wet"].to_numpy(int))[:, 1],
        "logistic": logistic.model.predict(inputs[part][0])[:, 0],
        "keras_logistic": keras_logistic.model.predict(matrix, verbose=0)[:, 0],
        "handy": handy.model.predict(_inputs(split, HANDY, [])[part][0])[:, 0],
        "mlp": mlp.model.predict(matrix, verbose=0)[:, 0],
        "boosting": boosting.predict_proba(inputs[part][0])[:, 1],
    }
    day = pd.to_datetime(rows["day"])
    week = (day - day.min()).dt.days // 7
    return pd.DataFrame({"truth": _answers(rows), "group": week, **said})


def _climatology(train, rows):
    """The share of rainy days in the month, had it had one more of either kind."""
    month, months = (pd.to_datetime(each["day"]).dt.month for each in (rows, train))
    wet = train["rain_tomorrow"].groupby(months)
    shares = (wet.sum() + 1) / (wet.size() + 2)
    return month.map(shares).fillna(train["rain_tomorrow"].mean()).to_numpy()


def _mean(forecasts, model):
    """A model's forecasts, mean over the seeds."""
    return sum(rows[model] for rows in forecasts.values()) / len(forecasts)


def _judged(rows):
    """Four metrics of each model; certainty that was wrong has no log loss to speak of."""
    truth = rows["truth"]
    found = {
        model: {
            "brier": evaluation.brier(truth, rows[model]),
            "log_loss": evaluation.log_loss(truth, rows[model]),
            "auc": evaluation.auc(truth, rows[model]),
            "accuracy": evaluation.accuracy(truth, (rows[model] > 0.5).astype(int)),
        }
        for model in MODELS
    }
    del found["persistence"]["log_loss"]
    return found
