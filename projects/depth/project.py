"""How deep can a network of sigmoids go?"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, evaluation, scratch
from models.live import backprop
from scraping import crawl
from scraping.paging import by_key, by_parameter

SOURCE = "sandbox"  # the practice site; "web" asks the Hugging Face dataset viewer, see _START
SEEDS = [71, 72, 73, 74, 75]
WIDTH = 30  # units of every hidden layer
DEPTHS = [1, 2, 4, 8]
EPOCHS = 15
KINDS = {  # activation, first weights, optimizer, learning rates of which validation takes one
    "sigmoid": ("sigmoid", "xavier", "sgd", [0.15, 0.5]),
    "tanh": ("tanh", "xavier", "sgd", [0.05, 0.15]),
    "relu": ("relu", "he", "sgd", [0.015, 0.05]),
    "adam": ("sigmoid", "xavier", "adam", [0.003, 0.01]),  # sigmoids again
}
FEW = 100  # training examples of the second part
DRAWS = 4  # how often they are drawn, for bias and variance
FEW_EPOCHS = 30
WIDTHS = [2, 4, 8, 16]  # below that of the plain network
PLAIN = 64  # units of the plain network
STRENGTHS = {"l2": [0.001, 0.01, 0.1], "dropout": [0.2, 0.5]}

# The web's source is the dataset viewer of the Hugging Face Hub, which gives the same digits as
# JSON, a hundred rows at a time: https://huggingface.co/docs/dataset-viewer/rows. It is made for
# programs, needs no key for public data, and slows down who asks too fast. The digits are by
# E. Alpaydin and C. Kaynak (https://doi.org/10.24432/C50P49), CC BY 4.0. `crawl` reads robots.txt
# first and stops where it says no.
_START = {
    "sandbox": "http://sandbox/digits/api/items?limit=100",
    "web": "https://datasets-server.huggingface.co/rows?dataset=sklearn-docs/digits"
    "&config=default&split=train&offset=0&length=100",
}


@dataclass
class Digit:
    """One handwritten digit: 64 values from 0, paper, to 16, ink."""

    number: int  # its place in the archive
    label: int
    pixels: list[int]
    attribution: str
    licence: str


def pages():
    """The digits in portions of a hundred."""
    if SOURCE == "web":
        onward = by_parameter("offset", items="rows", first=0, step=100)
        return crawl(_START["web"], follow=onward)
    return crawl(_START["sandbox"], follow=by_key("next"))


def digits(page):
    """One row per digit."""
    yield from _of_the_archive(page) if SOURCE == "sandbox" else _of_the_viewer(page)


def table(digits):
    """The digits in the archive's order, with the sheet of paper that each must be from."""
    digits = digits.sort_values("number", ignore_index=True)
    return digits.assign(sheet=_sheets(digits["label"].to_numpy()))


def split(table, seed):
    """Whole sheets held out, so that nobody's hand is on both sides."""
    return evaluation.split_rows(table, by="sheet", test=0.2, validation=0.15, seed=seed)


def random_split(table, seed):
    """The split that flatters: digits at random."""
    return evaluation.split_rows(table, test=0.2, validation=0.15, seed=seed)


def duplicates(split):
    """How many training digits are, within two hundredths, a held-out one; a seed on average."""
    found = []
    for parts in split.values():
        pictures = {name: _arrays(rows)[0] for name, rows in parts.items()}
        found.append(evaluation.drop_duplicates_across(parts, pictures)[1]["train"])
    return pd.DataFrame(found).mean().to_dict()


def gradients(split, seed):
    """The length of each layer's nabla_b before any training, first to last, on 200 digits."""
    x, y = _arrays(split["train"].head(200))
    found = {}
    for activation in ("sigmoid", "tanh", "relu"):
        for start in ("xavier", "he", "large"):
            for depth in DEPTHS:
                network = _network(depth, activation, start)
                lengths = [float(np.linalg.norm(nabla_b)) for nabla_b in network.gradients(x, y)[0]]
                found[f"{activation}_{start}_{depth}"] = lengths
    return found


def networks(split, seed):
    """Every kind at every depth, trained with each of its rates; validation keeps one."""
    train, validation = _arrays(split["train"]), _arrays(split["validation"])
    found = {}
    for kind, (activation, start, optimizer, rates) in KINDS.items():
        way = {"epochs": EPOCHS, "batch_size": 8, "optimizer": optimizer, "patience": None}
        for depth in DEPTHS:
            tried = [
                _network(depth, activation, start).fit(
                    *train, validation, learning_rate=rate, **way
                )
                for rate in rates
            ]
            best = min(tried, key=lambda done: done.curves["val_loss"].min())
            found[f"{kind}_{depth}"] = replace(best, trainings=len(tried))
    return found


def few(split, seed):
    """Networks on few digits: error on each part, and its bias and variance over the draws."""
    random = np.random.default_rng(seed)
    draws = [split["train"].sample(FEW, random_state=random) for _ in range(DRAWS)]
    variants: dict = {f"width {width}": {"width": width} for width in WIDTHS}
    variants |= {"plain": {}, "early stopping": {"patience": 5}}
    for option, strengths in STRENGTHS.items():
        variants |= {f"{option} {strength}": {option: strength} for strength in strengths}
    return pd.DataFrame(
        [{"variant": name, **_decomposed(draws, split, **way)} for name, way in variants.items()]
    ).set_index("variant")


def quarters(split, seed):
    """A network of 4-2-1 units that tells 6 from 9 by the ink in the picture's quarters."""
    train, validation = _quartered(split["train"]), _quartered(split["validation"])
    network = scratch.Network([4, 2, 1], head="sigmoid")
    return network.fit(
        *train, validation, epochs=EPOCHS, batch_size=8, learning_rate=1.0, optimizer="sgd",
        patience=None,
    )  # fmt: skip


def guesses(networks, split, random_split, seed):
    """What each network and baseline takes every validation and test digit for."""
    (x, y), validation = _arrays(split["train"]), _arrays(split["validation"])
    few = split["train"].sample(FEW, random_state=np.random.default_rng(seed))
    models = {
        "majority": baselines.majority(y),
        "logistic": baselines.logistic(x, y, validation),
        "nearest": baselines.nearest(x, y),
        "nearest_few": baselines.nearest(*_arrays(few)),
    }
    models |= {name: trained.model for name, trained in networks.items()}
    flattered = {"nearest_random": baselines.nearest(*_arrays(random_split["train"]))}
    return {
        f"{kind}{part}": _answered(parts[part], named)
        for kind, parts, named in (("", split, models), ("random_", random_split, flattered))
        for part in ("validation", "test")
    }


def scores(guesses, gradients, few, quarters, split, seed):
    """Accuracy on sheets never seen; for sigmoids how many powers of ten the gradient loses."""
    found = _accuracies(guesses["test"]) | _accuracies(guesses["random_test"])
    for depth in DEPTHS:
        first, *_, last = gradients[f"sigmoid_xavier_{depth}"]
        found[f"sigmoid_{depth}"]["decades"] = float(np.log10(last / first))
    for name, variant in _chosen(few).items():
        found[f"{name}_few"] = {
            "accuracy": 1 - few.loc[variant, "test"],
            "variance": few.loc[variant, "variance"],
        }
    x, y = _quartered(split["test"])
    found["quarters"] = {"accuracy": quarters.model.evaluate(x, y)["accuracy"]}
    return found


def validation(guesses, few, quarters):
    """The same accuracy on the validation digits, which chose rates, epochs and strengths."""
    seeds = []
    for seed, parts in guesses.items():
        found = _accuracies(parts["validation"]) | _accuracies(parts["random_validation"])
        for name, variant in _chosen(few[seed]).items():
            found[f"{name}_few"] = {"accuracy": 1 - few[seed].loc[variant, "validation"]}
        kept = quarters[seed]
        found["quarters"] = {"accuracy": kept.curves.loc[kept.best_epoch, "val_accuracy"]}
        seeds.append(found)
    return {
        model: {"accuracy": evaluation.interval([found[model]["accuracy"] for found in seeds])}
        for model in seeds[0]
    }


def vanishing(gradients):
    """Gradients of sigmoid networks by layer, for every depth."""
    lines = {f"{depth} deep": f"sigmoid_xavier_{depth}" for depth in DEPTHS}
    return figures.gradients(_by_seed(gradients, lines))


def starts(gradients):
    """Gradients by layer at the greatest depth, for every activation and initialisation."""
    lines = {
        f"{activation}, {start}": f"{activation}_{start}_{DEPTHS[-1]}"
        for activation in ("sigmoid", "tanh", "relu")
        for start in ("xavier", "he", "large")
    }
    return figures.gradients(_by_seed(gradients, lines))


def depths(scores):
    """Accuracy over depth, one line for each kind of network."""
    rows = pd.DataFrame(
        {
            kind: [[s[f"{kind}_{d}"]["accuracy"] for s in scores.values()] for d in DEPTHS]
            for kind in KINDS
        },
        index=pd.Index(DEPTHS, name="hidden layers"),
    )
    means = rows.map(np.mean)

    def draw(axes):
        names = {"sigmoid": "sigmoid", "tanh": "tanh", "relu": "ReLU", "adam": "sigmoid, Adam"}
        for place, (kind, mark) in enumerate(zip(KINDS, "osD^", strict=True)):
            low, high = rows[kind].map(min), rows[kind].map(max)
            axes.fill_between(DEPTHS, low, high, color=f"C{place}", alpha=0.15, linewidth=0)
            axes.plot(DEPTHS, means[kind], f"{mark}-", color=f"C{place}", label=names[kind])
        axes.set_xscale("log", base=2)
        axes.set_xticks(DEPTHS, [str(depth) for depth in DEPTHS])
        axes.set_xlabel("hidden layers")
        axes.set_title("accuracy on sheets never seen")
        axes.legend(loc="lower left")

    ends = [f"{kind} {m.iloc[0]:.2f} to {m.iloc[-1]:.2f}" for kind, m in means.items()]
    alt = f"Accuracy from {DEPTHS[0]} to {DEPTHS[-1]} hidden layers: {', '.join(ends)}."
    return figures.from_axes(draw, data=means, alt=alt)


def curves(networks):
    """Learning curves of three sigmoid networks and of a deep one of ReLUs."""
    shown = ("sigmoid_1", "sigmoid_2", f"sigmoid_{DEPTHS[-1]}", f"relu_{DEPTHS[-1]}")
    curves = {s: {name: each[name].curves for name in shown} for s, each in networks.items()}
    return figures.learning_curves(curves, "accuracy")


def capacity(few):
    """Error on the few training digits and on sheets never seen, over the hidden layer's width."""
    rows = _over_seeds(few).loc[[*(f"width {width}" for width in WIDTHS), "plain"]]
    widths = [*WIDTHS, PLAIN]
    rows = rows[["train", "test"]].set_axis(pd.Index(widths, name="units"))

    def draw(axes):
        axes.plot(widths, rows["train"], "o--", color="C0", label=f"the {FEW} training digits")
        axes.plot(widths, rows["test"], "s-", color="C1", label="sheets never seen")
        axes.set_xscale("log", base=2)
        axes.set_xticks(widths, [str(width) for width in widths])
        axes.set_xlabel("hidden units")
        axes.set_title("share of wrong answers")
        axes.legend()

    told = [f"{u} units {t:.2f} and {h:.2f}" for u, t, h in rows.itertuples()]
    return figures.from_axes(
        draw, data=rows, alt=f"Errors in training and on unseen sheets: {', '.join(told)}."
    )


def decomposition(few):
    """Squared error of the probabilities as bias and variance, mean over the seeds."""
    return _over_seeds(few)[["train", "test", "bias", "variance"]]


def sheets(guesses):
    """Accuracy by sheet: some hands are harder to read than others."""
    rows = pd.concat(parts["test"] for parts in guesses.values())
    named = {"network": "relu_2", "nearest": "nearest"}
    right = {name: rows[model] == rows["label"] for name, model in named.items()}
    return pd.DataFrame(right).groupby(rows["sheet"]).mean().sort_values("network")


def errors(guesses):
    """Digits of unseen sheets that the network of two ReLU layers takes for others."""
    rows = pd.concat(parts["test"] for parts in guesses.values())
    wrong = rows[rows["relu_2"] != rows["label"]].drop_duplicates("number").head(24)
    captions = [f"is {digit.label}\nsaid {digit.relu_2}" for digit in wrong.itertuples()]
    return figures.errors(1 - _arrays(wrong)[0].reshape(-1, 8, 8), captions)


def live(quarters, split):
    """The network of quarters on a held-out 6, for the reader to change its weights."""
    seed = min(quarters)
    x, y = _quartered(split[seed]["test"])
    six = int(np.flatnonzero(y == 0)[0])
    network = quarters[seed].model
    return backprop(network, x=np.round(x[six], 2).tolist(), y=[0.0], learning_rate=0.5)


def _of_the_archive(page):
    found = page.json()
    for row in found["results"]:
        yield Digit(
            number=row["id"],
            label=row["label"],
            pixels=[value for line in row["pixels"] for value in line],
            attribution=found["attribution"],
            licence=found["licence"],
        )


def _of_the_viewer(page):
    """Rows as the viewer gives them; the columns in order are 64 pixels and the label."""
    for row in page.json()["rows"]:
        *values, label = (int(value) for value in row["row"].values())
        yield Digit(
            number=row["row_idx"],
            label=label,
            pixels=values[-64:],
            attribution="E. Alpaydin and C. Kaynak, https://doi.org/10.24432/C50P49",
            licence="CC BY 4.0",
        )


def _sheets(labels):
    """The sheet each digit is from: all begin with 0 to 9 twice."""
    begin = np.tile(np.arange(10), 2)
    starts, place = [], 0
    while place + len(begin) <= len(labels):
        found = (labels[place : place + len(begin)] == begin).sum() >= 16  # some are lost
        if found:
            starts.append(place)
        place += 100 if found else 1  # no sheet holds fewer digits
    return np.searchsorted(starts, np.arange(len(labels)), side="right")


def _arrays(rows):
    """Pictures (n, 64) from 0 to 1, and labels (n,)."""
    return np.stack(rows["pixels"].to_list()) / 16, rows["label"].to_numpy()


def _quartered(rows):
    """The mean ink in each quarter (n, 4) of the sixes and nines, and whether it is a nine."""
    x, y = _arrays(rows[rows["label"].isin([6, 9])])
    return x.reshape(-1, 2, 4, 2, 4).mean(axis=(2, 4)).reshape(-1, 4), (y == 9).astype(int)


def _network(depth, activation, start):
    hidden = (WIDTH,) * depth
    return scratch.build(64, 10, hidden, activation=activation, initialiser=start)


def _by_seed(gradients, lines):
    """The lengths that each line of a figure is named after, seed by seed."""
    return {name: {s: each[key] for s, each in gradients.items()} for name, key in lines.items()}


def _decomposed(draws, split, width=PLAIN, l2=0.0, dropout=0.0, patience=None):
    """Error by part, and bias and variance of the test probabilities, over the draws.

    With p the probabilities of one draw and m their mean over many, the squared error of p is that
    of m, the bias, plus the mean of (p − m)², the variance; few draws are corrected for.
    """
    validation, (x, y) = _arrays(split["validation"]), _arrays(split["test"])
    wrong, said = [], []
    for draw in draws:
        train = _arrays(draw)
        network = scratch.build(64, 10, (width,), activation="tanh", l2=l2, dropout=dropout)
        network.fit(
            *train, validation if patience else None, epochs=FEW_EPOCHS, batch_size=5,
            learning_rate=0.1, optimizer="sgd", patience=patience,
        )  # fmt: skip
        parts = {"train": train, "validation": validation, "test": (x, y)}
        wrong.append({n: 1 - network.evaluate(*part)["accuracy"] for n, part in parts.items()})
        said.append(network.predict(x))
    said = np.stack(said)  # (draws, digits, 10)
    error = ((said - np.eye(10)[y]) ** 2).sum(axis=2).mean()
    variance = said.var(axis=0, ddof=1).sum(axis=1).mean()
    return pd.DataFrame(wrong).mean().to_dict() | {
        "bias": float(error - variance),
        "variance": float(variance),
    }


def _chosen(few):
    """The variant that validation chose of each kind, by the name its score has."""
    chosen = {"plain": "plain", "early": "early stopping"}
    for option, strengths in STRENGTHS.items():
        tried = [f"{option} {strength}" for strength in strengths]
        chosen[option] = few.loc[tried, "validation"].idxmin()
    return chosen


def _over_seeds(few):
    """The mean over the seeds, variants in the order they were tried."""
    return sum(few.values()) / len(few)


def _answered(rows, models):
    x, _ = _arrays(rows)
    found = {name: np.asarray(model.predict(x)) for name, model in models.items()}
    return rows.assign(**{n: p.argmax(axis=1) if p.ndim == 2 else p for n, p in found.items()})


def _accuracies(rows):
    """The accuracy of every model that has a column of answers."""
    models = rows.columns[rows.columns.get_loc("sheet") + 1 :]
    return {m: {"accuracy": evaluation.accuracy(rows["label"], rows[m])} for m in models}
