"""Can a day's weather tell which season it is?"""

import datetime as calendar
from dataclasses import dataclass
from typing import Annotated

import pandas as pd

from blog import figures
from models import baselines, classifier, evaluation, tabular, training
from models.live import form
from scraping import Range, crawl, date, number, text

# The practice site, on your own machine. On the web: https://…, after a look at its terms.
START = "http://sandbox/weather/"
SEASONS = ["winter", "spring", "summer", "autumn"]
# Begin to change here: what is to be told, and what the models are told instead.
ANSWER = "season"
NUMBERS = ["rain", "high", "low", "wind"]
UNITS = {"rain": "mm", "high": "°C", "low": "°C", "wind": "m/s"}
SEEDS = 3
EPOCHS = 25


# What one row of the table holds; a row that does not fit is kept apart, with its reason.
@dataclass
class Day:
    """One day's weather."""

    day: calendar.date
    month: str
    season: str
    rain: Annotated[float, Range(0, 300)]
    high: Annotated[float, Range(-40, 50)]
    low: Annotated[float, Range(-40, 50)]
    wind: Annotated[float, Range(0, 60)]
    licence: str


# A public function is a step. Its parameters name earlier steps; `page` means once for each page,
# `seed` once for each seed. What a step returns is stored, and made again only when it must be.
def pages():
    """A page for every month."""
    return crawl(START, follow="a.year", keep="a.month")


def days(page):
    """One row per day."""
    for line in page.select("table.days tbody tr"):
        day = date(line, "time")
        yield Day(
            day=day,
            month=f"{day:%Y-%m}",
            season=SEASONS[day.month % 12 // 3],
            rain=number(line, ".rain"),
            high=number(line, ".high"),
            low=number(line, ".low"),
            wind=number(line, ".wind"),
            licence=text(page, "a[rel=license]"),
        )


# Whatever is worked out from the rows belongs here: a new column, rows that are left out.
def table(days):
    """Every day once."""
    return days.drop_duplicates("day")


def split(table, seed):
    """Whole months are held out, since the days of a month are alike."""
    return evaluation.split_rows(table, by="month", test=0.25, validation=0.15, seed=seed)


def network(split, seed):
    """A network with one hidden layer."""
    columns, names = _columns(split), _names(split)
    train, validation = (_arrays(split[part], columns, names) for part in ("train", "validation"))
    model = classifier.build(columns, classes=len(names), hidden=(24,))
    return training.fit(model, train, validation, epochs=EPOCHS, learning_rate=0.01)


def answers(network, split, seed):
    """What every model says of each held-out day."""
    return _answers(network, split, "test")


def scores(answers, seed):
    """The share of held-out days that each model names."""
    return _scores(answers)


def validation(network, split, seed):
    """The same on the days by which the training was stopped."""
    return _scores(_answers(network, split, "validation"))


def comparison(scores):
    """Accuracy of every model."""
    return figures.comparison(scores, "accuracy")


def curves(network):
    """Learning curves."""
    return figures.learning_curves({seed: t.curves for seed, t in network.items()}, "accuracy")


def confusions(answers):
    """What is taken for what."""
    rows = pd.concat(answers.values())
    names = sorted(rows["truth"].unique())
    return figures.confusion(evaluation.confusion(rows["truth"], rows["network"], names))


def live(network, split):
    """The network of the first seed, for a day of the reader's own."""
    first = split[min(network)]
    units = {name: UNITS[name] for name in NUMBERS}
    return form(network[min(network)], _columns(first), first["test"], _names(first), units=units)


def _columns(split):
    """What the training rows tell about the columns; the other parts take no part in it."""
    return tabular.columns(split["train"], numbers=NUMBERS)


def _names(split):
    return sorted(split["train"][ANSWER].unique())


def _arrays(rows, columns, names):
    """Numbers (n, columns), and the positions of the answers in `names`."""
    return columns.matrix(rows), rows[ANSWER].map(names.index).to_numpy()


def _answers(network, split, part):
    columns, names = _columns(split), _names(split)
    train, validation, asked = (
        _arrays(split[each], columns, names) for each in ("train", "validation", part)
    )
    found = {
        "majority": baselines.majority(train[1]).predict(asked[0]),
        "logistic": baselines.logistic(*train, validation).predict(asked[0]),
        "network": network.model.predict(asked[0], verbose=0).argmax(axis=1),
    }
    named = {model: [names[i] for i in positions] for model, positions in found.items()}
    return split[part][["day", *NUMBERS]].assign(truth=list(split[part][ANSWER]), **named)


def _scores(answers):
    return {
        model: {"accuracy": evaluation.accuracy(answers["truth"], answers[model])}
        for model in ("majority", "logistic", "network")
    }
