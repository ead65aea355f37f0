"""Can a small CNN recognise an icon from a design set it has never seen?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import baselines, cnn, evaluation, training
from models.live import draw
from scraping import crawl, image, pixels, text

SOURCE = "sandbox"  # the practice site; "web" is Wikimedia Commons, see _WEB
SEEDS = [51, 52, 53, 54, 55]  # each draws its own design sets to hold out
EPOCHS = 10
RARE = 20  # a subject with fewer icons than this is left out
MODELS = ["majority", "logistic", "nearest", "cnn_unshifted", "cnn"]

_MUSEUM = {
    "start": "http://sandbox/museum/",
    "follow": "a.set, a.next",
    "keep": "a.icon",
    "media": "img.icon",
}
# On the web: https://commons.wikimedia.org, where every file has its own licence and author. Its
# robots policy (https://wikitech.wikimedia.org/wiki/Robot_policy) welcomes robots that say who they
# are, ask slowly and in one connection, and leave Special: pages alone; `crawl` reads robots.txt
# itself before the first page. Begin with few pages: `folio look` first.
_WEB = {
    "start": "https://commons.wikimedia.org/wiki/Category:Icons_by_subject",
    "follow": "#mw-subcategories a[href*='_icons']",
    "keep": "#mw-category-media a.galleryfilename",
    "media": "#file img",
    "max_pages": 2000,
}


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
    # ty cannot tell which argument is which in a dict.
    return crawl(**(_MUSEUM if SOURCE == "sandbox" else _WEB))  # ty: ignore[invalid-argument-type]


def icons(page):
    """One row per icon: picture, subject, design set, licence."""
    yield _in_the_museum(page) if SOURCE == "sandbox" else _on_commons(page)


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
    """A CNN of about 80,000 parameters; each picture is shifted a little whenever it is shown."""
    return _train(split, shift=0.05)


def unshifted(split, seed):
    """The same network, shown every picture where it is."""
    return _train(split, shift=0.0)


def guesses(network, unshifted, split, seed):
    """What every model takes each icon of the validation and the test sets for."""
    parts = _guess(split, {"cnn_unshifted": unshifted.model, "cnn": network.model})
    certainty = network.model.predict(pixels(parts["test"]["image"]), verbose=0)
    return parts | {"test": parts["test"].assign(confidence=certainty.max(axis=1))}


def flattered(random_split, seed):
    """What the baselines take each icon for on the split that flatters."""
    return _guess(random_split, {})


def scores(guesses, flattered, seed):
    """The share of held-out icons that each model names."""
    return _shares(guesses, flattered, "test")


def validation(guesses, flattered, seed):
    """The same share of the validation icons, which decided when to stop."""
    return _shares(guesses, flattered, "validation")


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
    rows = _tested(guesses)
    names = sorted(rows["subject"].unique())
    return figures.confusion(evaluation.confusion(rows["subject"], rows["cnn"], names))


def subjects(guesses):
    """How many of each subject's icons the CNN names, all seeds together, the hardest first."""
    rows = _tested(guesses)
    return evaluation.by_group(
        evaluation.accuracy, rows["subject"], rows["cnn"], rows["subject"]
    ).set_index("group")


def errors(guesses):
    """The mistakes the CNN is surest of, each icon once."""
    rows = _tested(guesses)
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


def _in_the_museum(page):
    return Icon(
        image=image(page, "img.icon"),
        name=text(page, "h1.name"),
        subject=text(page, ".subject"),
        set=text(page, ".set"),
        author=text(page, ".author", default=None),
        licence=text(page, ".licence"),
    )


def _on_commons(page):
    """A file's page; its fields as https://commons.wikimedia.org/wiki/Commons:MRD marks them."""
    subject = text(page, "#mw-normal-catlinks a[href*='_icons']")
    author = text(page, "#fileinfotpl_aut + td", default=None)
    return Icon(
        image=image(page, "#file img"),
        name=text(page, "h1"),
        subject=subject.removesuffix(" icons").lower(),
        set=author or "unknown",  # who drew it: one hand is one design set
        author=author,
        licence=text(page, ".licensetpl_short"),
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


def _train(split, shift):
    names = _subjects(split)
    train, validation = (_arrays(split[part], names) for part in ("train", "validation"))
    model = cnn.build(input_shape=(32, 32, 1), classes=len(names), shift=shift)
    return training.fit(
        model, train, validation, epochs=EPOCHS, learning_rate=0.004, schedule="cosine", patience=8
    )


def _guess(split, networks):
    """The rows of the validation and the test sets, with every model's answer as a column."""
    names = _subjects(split)
    (x, y), validation = (_arrays(split[part], names) for part in ("train", "validation"))
    models = {
        "majority": baselines.majority(y),
        "logistic": baselines.logistic(x, y, validation),
        "nearest": baselines.nearest(x, y),
        **networks,
    }
    return {part: _answered(split[part], models, names) for part in ("validation", "test")}


def _answered(rows, models, names):
    pictures = pixels(rows["image"])
    found = {name: np.asarray(model.predict(pictures)) for name, model in models.items()}
    positions = {n: p.argmax(axis=1) if p.ndim == 2 else p for n, p in found.items()}
    return rows.assign(**{model: np.array(names)[p] for model, p in positions.items()})


def _shares(guesses, flattered, part):
    """{model: {"accuracy": …}}; `_random` is the split that flatters."""
    honest, random = guesses[part], flattered[part]
    named = {model: (honest, model) for model in MODELS}
    named |= {f"{model}_random": (random, model) for model in ("logistic", "nearest")}
    return {
        name: {"accuracy": evaluation.accuracy(rows["subject"], rows[model])}
        for name, (rows, model) in named.items()
    }


def _tested(guesses):
    return pd.concat(parts["test"] for parts in guesses.values())
