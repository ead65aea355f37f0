"""Does a GAN forge digits better than simpler generators do, and without copying?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, evaluation, gan
from models import samples as judges
from models.live import samples
from scraping import attr, crawl, image, pixels, text

SOURCE = "sandbox"  # the practice site; "web" is the archive's own file at UCI, see _FILE
SEEDS = [61, 62, 63, 64, 65]  # each draws its own albums to hold out
SIDE = 8  # pixels
EPOCHS = 150
BANDWIDTHS = [0.05, 0.1, 0.15, 0.2, 0.3]  # of the Parzen window, chosen on validation digits

_ALBUMS = "http://sandbox/digits/"
# On the web: the same digits where they come from, 64 values and the label on a line of text. The
# UCI repository gives the set under CC BY 4.0 and asks that it be cited; I know of no rule of its
# against robots, and this is one file, asked for once. `crawl` reads robots.txt before it.
_FILE = "https://archive.ics.uci.edu/ml/machine-learning-databases/optdigits/optdigits.tes"


@dataclass
class Digit:
    """One row of the table."""

    number: int  # its place in the archive
    album: int  # a hundred to an album, in the archive's order
    label: int
    ink: list[int]  # 64 values from 0 (paper) to 16, row by row
    author: str = "E. Alpaydin and C. Kaynak"
    licence: str = "CC BY 4.0"


def pages():
    """The albums of the archive, with their pictures; from the web, its one file."""
    if SOURCE == "web":
        return crawl(_FILE, follow=None)
    return crawl(_ALBUMS, follow=None, keep="a.album", media="img.digit")


def digits(page):
    """One row per digit: its ink, what it says, in which album it is."""
    for number, label, ink in _album(page) if SOURCE == "sandbox" else _lines(page):
        yield Digit(number, number // 100, label, ink)


def table(digits):
    """The digits in the archive's order, each picture once."""
    distinct = digits[~digits["ink"].map(tuple).duplicated()]
    return distinct.sort_values("number", ignore_index=True)


def split(table, seed):
    """Whole albums held out: neighbours in the archive are often by one hand."""
    parts = evaluation.split_rows(table, by="album", test=0.25, validation=0.1, seed=seed)
    pictures = {name: _pictures(rows) for name, rows in parts.items()}
    parts, removed = evaluation.drop_duplicates_across(parts, pictures)
    return parts | {"removed": {part: sum(kinds.values()) for part, kinds in removed.items()}}


def network(split, seed):
    """Two networks against each other; the forger is told which digit to make."""
    train, validation = split["train"], split["validation"]
    return gan.fit(
        gan.build((SIDE, SIDE, 1), classes=10, noise=16, size=16),
        _pictures(train),
        train["label"].to_numpy(),
        (_pictures(validation), validation["label"].to_numpy()),
        epochs=EPOCHS,
        learning_rate=0.001,
        snapshots=6,
        sheet=10,
    )


def forgeries(network, split, seed):
    """As many digits from each generator as are held out, with the same labels."""
    return {part: _forged(network.model, split, part, seed) for part in ("validation", "test")}


def scores(forgeries, split, seed):
    """Precision, recall, coverage, and the distance to training digits, of each generator."""
    return _scored(forgeries, split, "test")


def validation(forgeries, split):
    """The same by validation digits, over the seeds."""
    by_seed = [_scored(forgeries[seed], split[seed], "validation") for seed in forgeries]
    return {
        model: {m: evaluation.interval([one[model][m] for one in by_seed]) for m in metrics}
        for model, metrics in by_seed[0].items()
    }


def counts(network, split):
    """Duplicates taken out a seed on average, and the seeds whose samples ended all alike."""
    removed = pd.DataFrame(parts["removed"] for parts in split.values()).mean()
    return removed.to_dict() | {"collapsed": sum(bool(t.collapse) for t in network.values())}


def sheet(forgeries, split):
    """The first forgery of every digit by every generator, first seed, below real ones."""
    seed = min(forgeries)
    test = split[seed]["test"]
    first = [int(np.flatnonzero(test["label"] == digit)[0]) for digit in range(10)]
    made = forgeries[seed]["test"]
    names = ["pixels", "gaussian", "parzen", "gan"]
    grid = np.stack([_pictures(test)[first], *(made[name][first] for name in names)])
    return figures.samples(grid, ["held out", *names], range(10), what="digits, real and forged")


def over_time(network):
    """The same ten latents as training went on, first seed."""
    trained = network[min(network)]
    rows = [f"epoch {epoch}" for epoch in trained.snapshots_at]
    return figures.samples(trained.samples, rows, range(10), what="forgeries of the same latents")


def neighbours(forgeries, split):
    """Forgeries above the training digits that are nearest to them, first seed."""
    seed = min(forgeries)
    train, test = split[seed]["train"], split[seed]["test"]
    first = [int(np.flatnonzero(test["label"] == digit)[1]) for digit in range(10)]
    made = forgeries[seed]["test"]["gan"][first]
    found, _ = judges.nearest_training(made, _pictures(train))
    grid = np.stack([made, _pictures(train)[found]])
    return figures.samples(grid, ["forged", "nearest"], range(10), what="forgeries and models")


def coverage(scores):
    """The share of held-out digits that have a forgery close by."""
    return figures.comparison(scores, "coverage")


def rising(network):
    """What the forgeries of each epoch are worth by validation digits, all seeds."""
    shares = ["precision", "recall", "coverage"]
    by_seed = {
        name: {s: t.curves[[name]].set_axis(["share"], axis=1) for s, t in network.items()}
        for name in shares
    }
    return figures.learning_curves(by_seed, "share")


def losses(network):
    """Both players' losses by epoch, the median of the seeds."""
    names = ["discriminator", "generator"]
    median = pd.concat([t.curves[names] for t in network.values()]).groupby(level=0).median()

    def draw(axes):
        for place, name in enumerate(names):
            axes.plot(median.index, median[name], color=f"C{place}", label=name)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss, nats")
        axes.legend()

    late, end = median.iloc[len(median) // 3], median.iloc[-1]
    told = ", ".join(f"{name} {late[name]:.2f} and {end[name]:.2f}" for name in names)
    alt = f"Losses by epoch; after a third of the epochs and at the end: {told}."
    return figures.from_axes(draw, data=median.rename_axis("epoch").reset_index(), alt=alt)


def by_digit(forgeries, split):
    """How good the GAN's forgeries of each digit are, the mean over the seeds."""
    tables = [_shares(forgeries[s]["test"]["gan"], split[s]["test"]) for s in forgeries]
    means = pd.concat(tables).groupby(level=0).mean()[["precision", "recall", "coverage"]]
    return means.sort_values("coverage")


def worst(forgeries, split):
    """The GAN's forgeries that lie farthest from every real digit of that label, all seeds."""
    found = []
    for seed, parts in forgeries.items():
        rows, made = split[seed]["test"], parts["test"]["gan"]
        for digit in range(10):
            here = (rows["label"] == digit).to_numpy()
            _, far = judges.nearest_training(made[here], _pictures(rows[here]))
            found += [(distance, digit, x) for distance, x in zip(far, made[here], strict=True)]
    shown = sorted(found, key=lambda one: -one[0])[:16]
    captions = [f"asked for: {digit}\n{distance:.2f} away" for distance, digit, _ in shown]
    return figures.errors(np.stack([x for *_, x in shown]), captions)


def live(network):
    """The forger of the first seed, for the reader to ask for a digit."""
    return samples(network[min(network)].model, classes=list(range(10)), precision="int8")


_SIMPLE = ["pixels", "gaussian", "parzen", "training"]


def _album(page):
    for entry in page.select(".album li"):
        (picture,) = pixels([image(entry, "img.digit")], size=(SIDE, SIDE))
        ink = np.rint(16 * (1 - picture)).astype(int).ravel().tolist()
        yield int(text(entry, "span")), int(attr(entry, "img.digit", "data-label")), ink


def _lines(page):
    for number, line in enumerate(page.source.split()):
        *ink, label = map(int, line.split(","))
        yield number, label, ink


def _pictures(rows):
    """Digits (n, 8, 8, 1), from 0 (paper) to 1 (ink)."""
    return np.stack(rows["ink"].to_list()).reshape(-1, SIDE, SIDE, 1).astype(np.float32) / 16


def _forged(model, split, part, seed):
    """Pictures (n, 8, 8, 1) of each generator, with the labels of the rows held out."""
    train, labels = split["train"], split[part]["label"].to_numpy()
    width = _bandwidth(_pictures(train), _pictures(split["validation"]))
    random = np.random.default_rng(seed)
    made = {name: np.zeros((len(labels), SIDE, SIDE, 1)) for name in _SIMPLE}
    for digit, rows in train.groupby("label"):
        x, here = _pictures(rows), labels == digit
        noise = random.standard_normal((here.sum(), *x.shape[1:]))
        made["pixels"][here] = x.mean(axis=0) + x.std(axis=0) * noise
        made["gaussian"][here] = _gaussian(x, here.sum(), random)
        made["parzen"][here] = x[random.integers(len(x), size=here.sum())] + width * noise
        made["training"][here] = x[random.permutation(len(x))[: here.sum()]]
    latents = gan.latents(model, len(labels), seed)
    made["gan"] = gan.pictures(model, latents, labels)
    made["gan_last"] = model.generator.predict([latents, labels[:, None]], verbose=0)
    return {name: np.clip(x, 0, 1).astype(np.float32) for name, x in made.items()}


def _gaussian(x, count, random):
    """Digits from a normal distribution along the principal components of x."""
    fitted = baselines.pca(x, 0.95)
    spread = fitted.encode(x).std(axis=0)
    return fitted.decode(random.standard_normal((count, len(spread))) * spread)


def _bandwidth(train, validation):
    """The noise on training digits under which validation digits are likeliest."""
    a, b = (x.reshape(len(x), -1) for x in (validation, train))
    squares = np.square(a[:, None] - b[None]).sum(axis=2)
    return max(BANDWIDTHS, key=lambda width: _likelihood(squares, width))


def _likelihood(squares, width):
    exponents = -squares / (2 * width**2)
    top = exponents.max(axis=1, keepdims=True)
    dense = top[:, 0] + np.log(np.exp(exponents - top).sum(axis=1))
    return float(dense.mean() - SIDE * SIDE * np.log(width))


def _shares(made, rows):
    labels = rows["label"]
    real = _pictures(rows)
    return judges.precision_recall(real, made, real_labels=labels, generated_labels=labels)


def _scored(forgeries, split, part):
    rows, seen = split[part], _pictures(split["train"])
    usual = np.median(judges.nearest_training(_pictures(rows), seen)[1])
    scored = {}
    for name, made in forgeries[part].items():
        shares = _shares(made, rows)[["precision", "recall", "coverage"]].mean().to_dict()
        # How far from the training digits, in units of what a new digit's distance is.
        apart = np.median(judges.nearest_training(made, seen)[1]) / usual
        scored[name] = shares | {"distance": float(apart)}
    return scored
