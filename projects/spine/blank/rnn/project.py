"""Can a small GRU foretell the next letter of a speech?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, evaluation, rnn, tokens, training
from models.live import prompt
from scraping import attr, crawl, text

# The practice site, on your own machine. On the web: https://…, after a look at its terms.
# Begin to change here: another president's name, as the site's addresses have it, of one who gave
# five speeches or more.
START = "http://sandbox/speeches/presidents/ronald-reagan/"
SEEDS = 3
EPOCHS = 2
STEPS = 30  # letters a window


# What one row of the table holds; a row that does not fit is kept apart, with its reason.
@dataclass
class Part:
    """One page of a speech; a long speech fills several."""

    speech: str
    text: str
    licence: str


# A public function is a step. Its parameters name earlier steps; `page` means once for each page,
# `seed` once for each seed. What a step returns is stored, and made again only when it must be.
def pages():
    """Every page of every speech."""
    return crawl(START, follow="a.speech, a.continued", keep="a.speech, a.continued")


def parts(page):
    """One row per page: its paragraphs, without the library's own notes."""
    paragraphs = page.select("article.speech > p")
    yield Part(
        speech=attr(page, "link[rel=canonical]", "href").split("/")[2],
        text="\n".join(each.get_text(" ", strip=True) for each in paragraphs),
        licence=text(page, "a[rel=license]"),
    )


def table(parts):
    """One row per speech."""
    whole = {"text": "\n".join, "licence": "first"}
    return parts.groupby("speech", as_index=False).agg(whole)


def split(table, seed):
    """Whole speeches are held out."""
    return evaluation.split_rows(table, by="speech", test=0.25, validation=0.15, seed=seed)


def network(split, seed):
    """A small GRU that reads letter by letter."""
    vocabulary = _vocabulary(split)
    model = rnn.build("language", vocabulary=vocabulary, units=(96,), embedding=24)
    train, validation = (
        vocabulary.windows(list(split[part]["text"]), steps=STEPS)
        for part in ("train", "validation")
    )
    return training.fit(
        model,
        train,
        validation,
        epochs=EPOCHS,
        batch_size=16,
        learning_rate=0.01,
        schedule="cosine",
    )


def bits(network, split, seed):
    """How many bits each model needs for a letter of each speech that it did not learn from."""
    vocabulary, train = _vocabulary(split), list(split["train"]["text"])
    asked = pd.concat([split[part].assign(part=part) for part in ("validation", "test")])
    counted = {
        model: baselines.ngram(train, order=order, vocabulary=vocabulary.symbols)
        for model, order in {"unigram": 1, "trigram": 3, "fivegram": 5}.items()
    }
    found = {
        model: [counts.bits_per_character(text) for text in asked["text"]]
        for model, counts in counted.items()
    }
    windows = [vocabulary.windows(text, steps=STEPS) for text in asked["text"]]
    said = network.model.predict(np.concatenate([x for x, _ in windows]), verbose=0)
    said = np.split(said, np.cumsum([len(x) for x, _ in windows])[:-1])
    found["gru"] = [
        evaluation.bits_per_character(y, likely)
        for (_, y), likely in zip(windows, said, strict=True)
    ]
    return asked[["part", "speech"]].assign(**found)


def scores(bits, seed):
    """Bits for each letter, the mean over the held-out speeches."""
    return _scores(bits, "test")


def validation(bits, seed):
    """The same on the speech by which the training was stopped."""
    return _scores(bits, "validation")


def comparison(scores):
    """Bits for each letter, by model; fewer are better."""
    return figures.comparison(scores, "bits_per_character", best="low")


def curves(network):
    """Learning curves: the loss is in nats."""
    return figures.learning_curves({seed: t.curves for seed, t in network.items()}, "loss")


def hardest(bits):
    """Which speeches are hard to foretell, all seeds together."""
    rows = pd.concat(bits.values())
    tested = rows[rows["part"] == "test"].groupby("speech")
    return tested[["trigram", "gru"]].mean().sort_values("gru", ascending=False)


def live(network, split):
    """The network of the first seed, to let it write on."""
    seed = min(network)
    return prompt(network[seed], _vocabulary(split[seed]), "America ", length=120)


def _vocabulary(split):
    """The letters of the training speeches; what occurs less than five times is unknown."""
    return tokens.vocabulary(list(split["train"]["text"]), rare=5)


def _scores(bits, part):
    rows, models = bits[bits["part"] == part], ("unigram", "trigram", "fivegram", "gru")
    return {model: {"bits_per_character": float(np.mean(rows[model]))} for model in models}
