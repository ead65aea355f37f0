"""Can a network without convolutions tell a bell from a key?"""

from dataclasses import dataclass

import pandas as pd

from blog import figures
from models import baselines, descent, evaluation, scratch
from scraping import crawl, image, pixels, text

START = "http://sandbox/museum/subjects/"
SUBJECTS = ["bell", "key"]
SEEDS = [11, 12, 13]
EPOCHS = 4


@dataclass
class Icon:
    """One icon."""

    image: bytes
    subject: str
    set: str
    author: str | None
    licence: str


def pages():
    """Every bell and every key."""
    return crawl(
        START, follow="a[href='bell/'], a[href='key/'], a.next", keep="a.icon", media="img.icon"
    )


def icons(page):
    """One row per icon."""
    yield Icon(
        image=image(page, "img.icon"),
        subject=text(page, ".subject"),
        set=text(page, ".set"),
        author=text(page, ".author", default=None),
        licence=text(page, ".licence"),
    )


def table(icons):
    """Each picture once, so that none is known before the test."""
    return icons.drop_duplicates("image")


def split(table, seed):
    """Whole design sets are held out."""
    return evaluation.split_rows(table, by="set", test=0.25, validation=0.2, seed=seed)


def network(split, seed):
    """Sixteen hidden units."""
    model = scratch.build(1024, 2, (16,), activation="relu", initialiser="he", seed=seed)
    train, validation = (_arrays(split[part]) for part in ("train", "validation"))
    return descent.fit(model, train, validation, epochs=EPOCHS, learning_rate=0.002, seed=seed)


def answers(network, split, seed):
    """What every model takes the held-out icons for."""
    return _answers(network, split, "test")


def scores(answers, seed):
    """The share of held-out icons that each model names."""
    return _scores(answers)


def validation(network, split, seed):
    """The same on the icons by which the training was stopped."""
    return _scores(_answers(network, split, "validation"))


def curves(network):
    """Learning curves."""
    return figures.learning_curves({seed: t.curves for seed, t in network.items()}, "accuracy")


def subjects(answers):
    """How many of each subject's icons the network names."""
    rows = pd.concat(answers.values())
    truth, named = rows["truth"], rows["network"]
    return evaluation.by_group(evaluation.accuracy, truth, named, groups=truth)


def confusions(answers):
    """Which is taken for which."""
    rows = pd.concat(answers.values())
    return figures.confusion(evaluation.confusion(rows["truth"], rows["network"], SUBJECTS))


def _arrays(rows):
    """Pixels (n, 1024) in [0, 1], and the positions of the subjects."""
    x = pixels(rows["image"])
    return x.reshape(len(x), -1), rows["subject"].map(SUBJECTS.index).to_numpy()


def _answers(network, split, part):
    (x, y), (asked, _) = _arrays(split["train"]), _arrays(split[part])
    found = {
        "majority": baselines.majority(y).predict(asked),
        "nearest": baselines.nearest(x, y).predict(asked),
        "network": network.model.predict(asked).argmax(axis=1),
    }
    named = {model: [SUBJECTS[i] for i in places] for model, places in found.items()}
    return pd.DataFrame({"truth": list(split[part]["subject"]), **named})


def _scores(answers):
    return {
        model: {"accuracy": evaluation.accuracy(answers["truth"], answers[model])}
        for model in ("majority", "nearest", "network")
    }
