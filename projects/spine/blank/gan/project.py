"""Does a small GAN write a digit better than simpler generators do?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, evaluation, gan, samples
from models.live import samples as live_samples
from scraping import crawl
from scraping.paging import by_key

# The practice site, on your own machine. On the web: https://…, after a look at its terms.
START = "http://sandbox/digits/api/items?limit=100"
# Begin to change here: which digit is to be written.
DIGIT = 3
SEEDS = 3
EPOCHS = 60
MODELS = ("pixels", "pca", "gan")
METRICS = ["precision", "recall", "coverage"]


# What one row of the table holds; a row that does not fit is kept apart, with its reason.
@dataclass
class Digit:
    """One handwritten digit: 64 values from 0 for paper to 16 for ink."""

    number: int
    label: int
    values: list[int]
    licence: str


# A public function is a step. Its parameters name earlier steps; `page` means once for each page,
# `seed` once for each seed. What a step returns is stored, and made again only when it must be.
def pages():
    """Every portion that the site's API gives."""
    return crawl(START, follow=by_key("next"))


def digits(page):
    """One row per digit of a portion."""
    portion = page.json()
    for each in portion["results"]:
        yield Digit(
            number=each["id"],
            label=each["label"],
            values=[value for line in each["pixels"] for value in line],
            licence=portion["licence"],
        )


def table(digits):
    """The one digit that is to be learned."""
    return digits[digits["label"] == DIGIT].drop_duplicates("number")


def split(table, seed):
    """A third is held out; who wrote the digits is not known."""
    return evaluation.split_rows(table, test=0.33, validation=0.15, seed=seed)


def network(split, seed):
    """A generator and its adversary."""
    model = gan.build((8, 8, 1), noise=16, size=16, average=0.98)
    train, validation = (_pictures(split[part]) for part in ("train", "validation"))
    return gan.fit(
        model,
        train,
        held_out=validation,
        epochs=EPOCHS,
        batch_size=16,
        learning_rate=0.002,
        snapshots=5,
    )


def scores(network, split, seed):
    """Whether samples look real (precision), and whether all that is real is met (recall)."""
    return _scores(network, split, "test", seed)


def validation(network, split, seed):
    """The same, against the pictures that were watched while training."""
    return _scores(network, split, "validation", seed)


def precision(scores):
    """The share of samples that look real, by model."""
    return figures.comparison(scores, "precision")


def recall(scores):
    """The share of what is real that could have been made, by model."""
    return figures.comparison(scores, "recall")


def curves(network):
    """How good the samples are, epoch by epoch: the medians of the seeds."""
    runs = pd.concat(t.curves[METRICS] for t in network.values())
    medians = runs.groupby(level=0).median()
    told = ", ".join(f"{name} {value:.2f}" for name, value in medians.iloc[-1].items())
    alt = f"Lines over {len(medians)} epochs; after the last: {told}."
    return figures.from_axes(lambda axes: _lines(axes, medians), data=medians, alt=alt)


def history(network):
    """What the generator of the first seed makes of the same noise, in the course of training."""
    first = network[min(network)]
    shown = first.samples[:, :10].reshape(len(first.snapshots_at), 10, 8, 8)
    rows = [f"epoch {epoch}" for epoch in first.snapshots_at]
    return figures.samples(shown, rows, what="samples of the same ten latents")


def nearest(network, split):
    """Samples of the first seed over the training pictures they are most like: no copies?"""
    seed = min(network)
    train = _pictures(split[seed]["train"])
    made = gan.sample(network[seed].model, 10, seed=seed)
    found, _ = samples.nearest_training(made, train)
    shown = np.stack([made, train[found]]).reshape(2, 10, 8, 8)
    return figures.samples(shown, ["sample", "nearest"], what="samples and training pictures")


def live(network):
    """The generator of the first seed, to draw new digits."""
    return live_samples(network[min(network)])


def _pictures(rows):
    """Pictures (n, 8, 8, 1) from 0 to 1."""
    return np.stack(rows["values"]).reshape(-1, 8, 8, 1).astype("float32") / 16


def _lines(axes, values):
    for name in values:
        axes.plot(values.index, values[name], label=name)
    axes.set(xlabel="epoch", ylim=(0, 1))
    axes.legend()


def _made(network, split, count, seed):
    """As many pictures from each generator."""
    train, chance = _pictures(split["train"]), np.random.default_rng(seed)
    spread = chance.standard_normal((count, 8, 8, 1)) * train.std(axis=0)
    pca = baselines.pca(train, 0.9)
    codes = pca.encode(train)
    drawn = chance.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), count)
    return {
        "pixels": (train.mean(axis=0) + spread).clip(0, 1),
        "pca": pca.decode(drawn).clip(0, 1),
        "gan": gan.sample(network.model, count, seed=seed),
    }


def _scores(network, split, part, seed):
    real = _pictures(split[part])
    made = _made(network, split, len(real), seed)
    judged = {model: samples.precision_recall(real, made[model]).iloc[0] for model in MODELS}
    return {model: row[METRICS].astype(float).to_dict() for model, row in judged.items()}
