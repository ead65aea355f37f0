"""Can a small CNN tell five kinds of icon apart?"""

from dataclasses import dataclass

import pandas as pd

from blog import figures
from models import baselines, cnn, evaluation, training
from models.live import draw
from scraping import crawl, image, pixels, text

# The practice site, on your own machine. On the web: https://…, after a look at its terms.
START = "http://sandbox/museum/subjects/"
# Begin to change here: which of the museum's subjects are to be told apart.
FOLLOW = (
    "a[href='bell/'], a[href='cloud/'], a[href='heart/'], a[href='key/'], a[href='star/'], a.next"
)
SEEDS = 3
EPOCHS = 8


# What one row of the table holds; a row that does not fit is kept apart, with its reason.
@dataclass
class Icon:
    """One icon."""

    image: bytes
    subject: str
    set: str
    licence: str


# A public function is a step. Its parameters name earlier steps; `page` means once for each page,
# `seed` once for each seed. What a step returns is stored, and made again only when it must be.
def pages():
    """The page of every icon of five subjects."""
    return crawl(START, follow=FOLLOW, keep="a.icon", media="img.icon")


def icons(page):
    """One row per icon."""
    yield Icon(
        image=image(page, "img.icon"),
        subject=text(page, ".subject"),
        set=text(page, ".set"),
        licence=text(page, ".licence"),
    )


def table(icons):
    """Each picture once."""
    return icons.drop_duplicates("image")


def split(table, seed):
    """Whole design sets are held out."""
    return evaluation.split_rows(table, by="set", test=0.25, validation=0.15, seed=seed)


def network(split, seed):
    """A small CNN."""
    names = _names(split)
    train, validation = (_arrays(split[part], names) for part in ("train", "validation"))
    model = cnn.build(input_shape=(32, 32, 1), classes=len(names), size=16, shift=0.05)
    return training.fit(
        model, train, validation, epochs=EPOCHS, learning_rate=0.004, schedule="cosine"
    )


def answers(network, split, seed):
    """What the CNN and its baselines take every held-out icon for."""
    return _answers(network, split, "test")


def scores(answers, seed):
    """The share of held-out icons that each model names."""
    return _scores(answers)


def validation(network, split, seed):
    """The same on the icons by which the training was stopped."""
    return _scores(_answers(network, split, "validation"))


def comparison(scores):
    """Accuracy of every model."""
    return figures.comparison(scores, "accuracy")


def curves(network):
    """Learning curves."""
    return figures.learning_curves({seed: t.curves for seed, t in network.items()}, "accuracy")


def confusions(answers):
    """Which subject is taken for which."""
    rows = pd.concat(answers.values())
    names = sorted(rows["truth"].unique())
    return figures.confusion(evaluation.confusion(rows["truth"], rows["cnn"], names))


def live(network, split):
    """The network of the first seed, for the reader's own drawings."""
    seed = min(network)
    shown = split[seed]["test"].drop_duplicates("subject")
    pictures, labels = pixels(shown["image"]), list(shown["subject"])
    return draw(network[seed], classes=_names(split[seed]), examples=pictures, labels=labels)


def _names(split):
    return sorted(split["train"]["subject"].unique())


def _arrays(rows, names):
    """Pictures (n, 32, 32, 1) in [0, 1], and the positions of their subjects in `names`."""
    return pixels(rows["image"]), rows["subject"].map(names.index).to_numpy()


def _answers(network, split, part):
    names = _names(split)
    (x, y), asked = _arrays(split["train"], names), pixels(split[part]["image"])
    found = {
        "majority": baselines.majority(y).predict(asked),
        "nearest": baselines.nearest(x, y).predict(asked),
        "cnn": network.model.predict(asked, verbose=0).argmax(axis=1),
    }
    named = {model: [names[i] for i in positions] for model, positions in found.items()}
    return split[part][["set"]].assign(truth=list(split[part]["subject"]), **named)


def _scores(answers):
    return {
        model: {"accuracy": evaluation.accuracy(answers["truth"], answers[model])}
        for model in ("majority", "nearest", "cnn")
    }
