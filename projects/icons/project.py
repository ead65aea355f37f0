"""Can a small CNN recognise an icon from a design set it has never seen?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, cnn, evaluation, training
from models.live import draw
from scraping import crawl, image, pixels, text

START = "http://sandbox/museum/"  # the practice site; on the web: https://…
SEEDS = 5
EPOCHS = 10
RARE = 20  # a subject with fewer icons than this is left out
MODELS = ["majority", "logistic", "nearest", "cnn"]


@dataclass
class Icon:
    """One row of the table."""

    image: bytes
    name: str
    subject: str
    set: str
    author: str | None
    licence: str


def pages():
    """Every icon's page, gallery by gallery."""
    return crawl(START, follow="a.set, a.next", keep="a.icon", media="img.icon")


def icons(page):
    """One row per icon: picture, subject, design set, licence."""
    yield Icon(
        image=image(page, "img.icon"),
        name=text(page, "h1.name"),
        subject=text(page, ".subject"),
        set=text(page, ".set"),
        author=text(page, ".author", default=None),
        licence=text(page, ".licence"),
    )


def table(icons):
    """The icons without a set's own copies and without rare subjects."""
    distinct = icons.drop_duplicates(["image", "set"])
    return distinct[distinct.groupby("subject")["image"].transform("size") >= RARE]


def split(table, seed):
    """Whole design sets held out; pictures that a held-out part shows too are taken out."""
    return _split(table, "set", seed)


def random_split(table, seed):
    """The split that flatters: icons at random, every design set on both sides."""
    return _split(table, None, seed)


def network(split, seed):
    """A CNN of about 80,000 parameters, trained on unseen-set splits."""
    return _train(split)


def random_network(random_split, seed):
    """The same network on the split that flatters."""
    return _train(random_split)


def guesses(network, split, seed):
    """What the CNN and its baselines take every held-out icon for."""
    return _guess(network, split)


def random_guesses(random_network, random_split, seed):
    """The same on the split that flatters."""
    return _guess(random_network, random_split)


def scores(guesses, random_guesses, seed):
    """The share of held-out icons that each model names."""
    named = dict.fromkeys(MODELS, guesses)
    named |= {f"{model}_random": random_guesses for model in MODELS[1:]}
    column = {model: model.removesuffix("_random") for model in named}
    return {
        model: {"accuracy": evaluation.accuracy(rows["subject"], rows[column[model]])}
        for model, rows in named.items()
    }


def validation(network):
    """The validation accuracy of the epoch that was kept, over the seeds."""
    best = [t.curves["val_accuracy"].loc[t.best_epoch] for t in network.values()]
    return evaluation.interval(best)


def duplicates(split):
    """Pictures that stood on both sides and were taken out, a seed on average."""
    return pd.DataFrame(s["removed"] for s in split.values()).mean().to_dict()


def comparison(scores):
    """Accuracy of every model on design sets it has never seen."""
    values = {m: [by_model[m]["accuracy"] for by_model in scores.values()] for m in MODELS}
    intervals = {m: {"accuracy": evaluation.interval(v)} for m, v in values.items()}
    return figures.comparison(intervals, "accuracy")


def curves(network):
    """Learning curves, all seeds."""
    return figures.learning_curves({s: t.curves for s, t in network.items()}, "accuracy")


def confusions(guesses):
    """Which subject is taken for which, all seeds together."""
    rows = pd.concat(guesses.values())
    names = sorted(rows["subject"].unique())
    return figures.confusion(evaluation.confusion(rows["subject"], rows["cnn"], names))


def subjects(guesses):
    """How many of each subject's icons the CNN names, all seeds together."""
    rows = pd.concat(guesses.values())
    right = rows["cnn"].eq(rows["subject"]).groupby(rows["subject"])
    return right.agg(recognised="mean", icons="size").sort_values("recognised")


def errors(guesses):
    """The mistakes the CNN is surest of, each icon once."""
    rows = pd.concat(guesses.values())
    wrong = rows[rows["cnn"] != rows["subject"]].sort_values("confidence", ascending=False)
    worst = wrong.drop_duplicates("_url").head(32)
    captions = [f"{icon.subject}\n→ {icon.cnn}" for icon in worst.itertuples()]
    return figures.errors(pixels(worst["image"]), captions)


def live(network, split):
    """The network of the first seed, for the reader's own drawings."""
    seed = min(network)
    shown = split[seed]["test"].drop_duplicates("subject").head(8)
    return draw(
        network[seed],
        classes=_subjects(split[seed]),
        examples=pixels(shown["image"]),
        labels=list(shown["subject"]),
        precision="int8",  # a quarter of the bytes to load
    )


def _subjects(split):
    return sorted(split["train"]["subject"].unique())


def _split(table, by, seed):
    parts = evaluation.split_rows(table, by=by, test=0.2, validation=0.1, seed=seed)
    parts, removed = evaluation.drop_duplicates_across(parts, "image")
    return parts | {"removed": {part: sum(kinds.values()) for part, kinds in removed.items()}}


def _arrays(rows, names):
    """Pictures (n, 32, 32, 1) in [0, 1] and the positions of their subjects."""
    return pixels(rows["image"]), rows["subject"].map(names.index).to_numpy()


def _train(split):
    names = _subjects(split)
    train, validation = (_arrays(split[part], names) for part in ("train", "validation"))
    model = cnn.build(input_shape=(32, 32, 1), classes=len(names), shift=0.05)
    return training.fit(
        model, train, validation, epochs=EPOCHS, learning_rate=0.004, schedule="cosine", patience=8
    )


def _guess(network, split):
    names = _subjects(split)
    (x, y), validation = (_arrays(split[part], names) for part in ("train", "validation"))
    held_out = pixels(split["test"]["image"])
    certainty = network.model.predict(held_out, verbose=0)
    positions = {
        "majority": baselines.majority(y).predict(held_out),
        "logistic": baselines.logistic(x, y, validation).predict(held_out),
        "nearest": baselines.nearest(x, y).predict(held_out),
        "cnn": certainty.argmax(axis=1),
    }
    named = {model: np.array(names)[found] for model, found in positions.items()}
    return split["test"].assign(**named, confidence=certainty.max(axis=1))
