"""Can a small CNN recognise an icon from a design set it has never seen?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, cnn, evaluation, training
from scraping import crawl, image, pixels, text

START = "http://sandbox/museum/"  # the practice site; on the web: https://…
SEEDS = 5
EPOCHS = 20
RARE = 50  # a subject with fewer icons than this is left out


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
    """The split that flatters: icons at random, design sets on both sides."""
    return _split(table, None, seed)


def network(split, seed):
    """A CNN of about 80,000 parameters."""
    return _train(split)


def random_network(random_split, seed):
    """The same network on the split that flatters."""
    return _train(random_split)


def predictions(network, split, seed):
    """What the CNN says of every held-out icon."""
    names = _names(split)
    guesses = network.model.predict(_arrays(split["test"], names)[0], verbose=0)
    return split["test"].assign(
        guess=[names[i] for i in guesses.argmax(axis=1)], confidence=guesses.max(axis=1)
    )


def scores(network, random_network, split, random_split, seed):
    """Accuracy on the held-out icons, for the CNN and what it has to beat."""
    held_out = {m: _accuracy(p, split) for m, p in _models(split, network).items()}
    flattered = _models(random_split, random_network)
    return held_out | {
        f"{m}_random": _accuracy(p, random_split) for m, p in flattered.items() if m != "majority"
    }


def validation(network):
    """The best validation accuracy of each seed's training."""
    best = [float(t.curves["val_accuracy"].loc[t.best_epoch]) for t in network.values()]
    return {"mean": float(np.mean(best)), "lowest": min(best), "highest": max(best)}


def duplicates(split):
    """How many pictures stood on both sides of the split, a seed on average."""
    parts = pd.DataFrame([pd.Series(s["removed"]) for s in split.values()])
    return {part: float(parts[part].mean()) for part in parts}


def comparison(scores):
    """Accuracy of every model on design sets it has never seen."""
    honest = {
        seed: {m: s for m, s in by_model.items() if not m.endswith("_random")}
        for seed, by_model in scores.items()
    }
    return figures.comparison(honest, "accuracy")


def curves(network):
    """Learning curves: training and validation, all seeds."""
    return figures.learning_curves({seed: t.curves for seed, t in network.items()}, "accuracy")


def confusions(predictions):
    """Which subject is taken for which, all seeds together."""
    together = pd.concat(predictions.values())
    names = sorted(together["subject"].unique())
    return figures.confusion(evaluation.confusion(together["subject"], together["guess"], names))


def subjects(predictions):
    """The share of each subject's icons that is recognised, all seeds together."""
    together = pd.concat(predictions.values())
    right = together["guess"].eq(together["subject"]).groupby(together["subject"])
    return right.agg(recognised="mean", icons="size").sort_values("recognised")


def errors(predictions):
    """The mistakes the CNN is surest of, one icon each."""
    together = pd.concat(predictions.values())
    wrong = together[together["guess"] != together["subject"]]
    worst = wrong.sort_values("confidence", ascending=False).drop_duplicates("_url").head(32)
    captions = [f"{i.subject}\n→ {i.guess}" for i in worst.itertuples()]
    return figures.errors(pixels(worst["image"]), captions)


# -- helpers -------------------------------------------------------------------------------


def _split(table, by, seed):
    parts = evaluation.split_rows(table, by=by, test=0.2, validation=0.1, seed=seed)
    parts, removed = evaluation.drop_duplicates_across(parts, "image")
    return parts | {"removed": {part: sum(kinds.values()) for part, kinds in removed.items()}}


def _names(split):
    return sorted(split["train"]["subject"].unique())


def _arrays(rows, names):
    return pixels(rows["image"]), rows["subject"].map(names.index).to_numpy()


def _train(split):
    names = _names(split)
    model = cnn.build(input_shape=(32, 32, 1), classes=len(names))
    train, validation = (_arrays(split[part], names) for part in ("train", "validation"))
    return training.fit(model, train, validation, epochs=EPOCHS)


def _models(split, network):
    """Every model's guesses on the test part, as subject names."""
    names = _names(split)
    x, y = _arrays(split["train"], names)
    held_out = _arrays(split["test"], names)[0]
    guesses = {
        "majority": baselines.majority(y).predict(held_out),
        "logistic": baselines.logistic(x, y).predict(held_out),
        "nearest": baselines.nearest(x, y).predict(held_out),
        "cnn": network.model.predict(held_out, verbose=0).argmax(axis=1),
    }
    return {model: np.array(names)[positions] for model, positions in guesses.items()}


def _accuracy(guesses, split):
    return {
        "accuracy": evaluation.accuracy(split["test"]["subject"].to_numpy(dtype=object), guesses)
    }
