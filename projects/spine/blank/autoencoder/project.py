"""Does an autoencoder squeeze handwritten digits better than principal components do?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import autoencoder, baselines, evaluation
from models.live import sliders
from scraping import attr, crawl, image, pixels, text

# The practice site, on your own machine. On the web: https://…, after a look at its terms.
START = "http://sandbox/digits/"
# Begin to change here: how many numbers a picture is squeezed into.
CODE = 4
SEEDS = 3
EPOCHS = 20
SIZE = (8, 8)


# What one row of the table holds; a row that does not fit is kept apart, with its reason.
@dataclass
class Digit:
    """One handwritten digit."""

    image: bytes
    label: str
    licence: str


# A public function is a step. Its parameters name earlier steps; `page` means once for each page,
# `seed` once for each seed. What a step returns is stored, and made again only when it must be.
def pages():
    """Every album, with its pictures."""
    return crawl(START, follow=None, keep="a.album", media="img.digit")


def digits(page):
    """One row per picture of the album."""
    for entry in page.select("ol.album li"):
        yield Digit(
            image=image(entry, "img"),
            label=attr(entry, "img", "data-label"),
            licence=text(page, "a[rel=license]"),
        )


def table(digits):
    """Each picture once."""
    return digits.drop_duplicates("image")


def split(table, seed):
    """Pictures held out at random; who wrote them is not known."""
    return evaluation.split_rows(table, test=0.25, validation=0.1, seed=seed)


def network(split, seed):
    """An autoencoder with one hidden layer on either side of the code."""
    train, validation = (_pictures(split[part]) for part in ("train", "validation"))
    model = autoencoder.build((*SIZE, 1), code=CODE, hidden=(96,))
    return autoencoder.fit(model, train, validation, epochs=EPOCHS, learning_rate=0.005)


def errors(network, split, seed):
    """How far each held-out picture is from what each model makes of it."""
    return _errors(network, split, "test")


def scores(errors, seed):
    """The mean squared error on held-out pictures."""
    return _scores(errors)


def validation(network, split, seed):
    """The same on the pictures by which the training was stopped."""
    return _scores(_errors(network, split, "validation"))


def comparison(scores):
    """Mean squared error of every model; less is better."""
    return figures.comparison(scores, "mean_squared_error", best="low")


def curves(network):
    """Learning curves."""
    return figures.learning_curves({seed: t.curves for seed, t in network.items()}, "loss")


def restored(network, split):
    """The held-out pictures the network fails most on, and what becomes of them."""
    seed = min(network)
    pictures = _pictures(split[seed]["test"])
    made = _restored(network[seed], split[seed], pictures)
    worst = np.argsort(-_distance(pictures, made["network"]))[:10]
    rows = {"picture": pictures, "network": made["network"], "pca": made["pca"]}
    shown = np.stack([each[worst].reshape(-1, *SIZE) for each in rows.values()])
    return figures.samples(shown.clip(0, 1), list(rows), what="digits, the worst restored first")


def digit_errors(errors):
    """The error by digit, all seeds together."""
    rows = pd.concat(errors.values()).groupby("label")[["mean", "pca", "network"]].mean()
    return rows.sort_values("network", ascending=False)


def live(network, split):
    """The decoder of the first seed, a slider for each number of the code."""
    seed = min(network)
    return sliders(network[seed], _pictures(split[seed]["test"]))


def _pictures(rows):
    """Pictures (n, 8, 8, 1), 0 for paper and 1 for ink."""
    return 1 - pixels(rows["image"], size=SIZE)


def _distance(pictures, made):
    """The mean squared error of each picture (n,)."""
    return np.square(pictures - made).mean(axis=(1, 2, 3))


def _restored(network, split, pictures):
    train = _pictures(split["train"])
    return {
        "mean": np.broadcast_to(train.mean(axis=0), pictures.shape),
        "pca": baselines.pca(train, CODE).predict(pictures),
        "network": network.model.predict(pictures, verbose=0),
    }


def _errors(network, split, part):
    pictures = _pictures(split[part])
    made = _restored(network, split, pictures)
    found = {model: _distance(pictures, given) for model, given in made.items()}
    return split[part][["label"]].assign(**found)


def _scores(errors):
    return {
        model: {"mean_squared_error": float(errors[model].mean())}
        for model in ("mean", "pca", "network")
    }
