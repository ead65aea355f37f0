"""Does an autoencoder beat PCA, and does it notice icons of a kind it never saw?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from blog import figures
from models import autoencoder, baselines, evaluation, samples
from models.live import sliders
from scraping import crawl, image, pixels, text

SOURCE = "sandbox"  # the practice site; "web" is Wikimedia Commons, see `pages`
SEEDS = [41, 42, 43, 44, 45]  # each draws its own design sets to hold out, and its own subjects
SIDE = 16  # pixels; the museum's pictures have 32
RARE = 20  # a subject with fewer icons than this is left out
NOVEL = 5  # subjects of which no model sees an icon before the test
EPOCHS = 50
CODES = [4, 16, 48]  # how many numbers an icon is squeezed into
NETWORKS = {
    "ae4": {"code": 4},
    "ae16": {"code": 16},
    "ae48": {"code": 48},
    "denoising": {"code": 16, "noise": 0.3},
    "variational": {"code": 16, "variational": True},
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
    if SOURCE == "sandbox":
        return crawl(
            "http://sandbox/museum/", follow="a.set, a.next", keep="a.icon", media="img.icon"
        )
    # Every file there names its author and its licence. The robot policy of Wikimedia
    # (https://wikitech.wikimedia.org/wiki/Robot_policy) wants robots that say whom to write to, ask
    # slowly, and leave special pages and /w/ alone; `crawl` reads robots.txt before anything else.
    # Most licences there ask for the author's name, which the table keeps. Begin small, with
    # `folio look` and a low max_pages.
    return crawl(
        "https://commons.wikimedia.org/wiki/Category:Icons_by_subject",
        follow="#mw-subcategories a[href*='_icons']",
        keep="#mw-category-media a.galleryfilename",
        media="#file img",
        max_pages=2000,
    )


def icons(page):
    """One row per icon: picture, subject, design set, licence."""
    yield _in_the_museum(page) if SOURCE == "sandbox" else _on_commons(page)


def table(icons):
    """The icons without a set's own copies and without rare subjects."""
    distinct = icons.drop_duplicates(["image", "set"])
    return distinct[distinct.groupby("subject")["image"].transform("size") >= RARE]


def split(table, seed):
    """Whole design sets held out; of the novel subjects nothing is left to train on."""
    parts = evaluation.split_rows(table, by="set", test=0.2, validation=0.1, seed=seed)
    subjects = np.sort(table["subject"].unique())
    novel = np.random.default_rng(seed).choice(subjects, NOVEL, replace=False)
    parts = {name: rows.assign(novel=rows["subject"].isin(novel)) for name, rows in parts.items()}
    # Two pictures are the same if they are at the size that the networks see.
    pictures = {name: _pictures(rows) for name, rows in parts.items()}
    parts, removed = evaluation.drop_duplicates_across(parts, pictures)
    parts["train"] = parts["train"][~parts["train"]["novel"]].reset_index(drop=True)
    return parts | {"removed": {part: sum(kinds.values()) for part, kinds in removed.items()}}


def networks(split, seed):
    """Five autoencoders: three lengths of code, one that takes noise away, one variational."""
    known = split["validation"][~split["validation"]["novel"]]
    train, validation = _pictures(split["train"]), _pictures(known)
    return {name: _train(train, validation, **options) for name, options in NETWORKS.items()}


def held_out(networks, split, seed):
    """How badly each model says every test icon, and how strange each finds it."""
    return _judged(networks, split, "test")


def unseen(networks, split, seed):
    """The same for validation icons."""
    return _judged(networks, split, "validation")


def scores(held_out, seed):
    """Squared error on icons of known subjects, and AUC at telling the novel ones from them."""
    return _scored(held_out)


def validation(unseen):
    """The same scores on validation icons, over the seeds."""
    by_seed = [_scored(rows) for rows in unseen.values()]
    return {
        model: {m: evaluation.interval([one[model][m] for one in by_seed]) for m in metrics}
        for model, metrics in by_seed[0].items()
    }


def counts(split):
    """Icons a seed on average: taken out as duplicates, known and novel to test on."""
    novel = [parts["test"]["novel"] for parts in split.values()]
    removed = pd.DataFrame(parts["removed"] for parts in split.values()).mean()
    return removed.to_dict() | {
        "known": float(np.mean([(~some).sum() for some in novel])),
        "novel": float(np.mean([some.sum() for some in novel])),
    }


def errors_by_code(scores):
    """Reconstruction error against the length of the code, all seeds."""
    errors = pd.DataFrame(
        {
            kind: [_over(scores, f"{kind}{code}", "error") for code in CODES]
            for kind in ("pca", "ae")
        },
        index=pd.Index(CODES, name="code"),
    )
    named = {"pca": "PCA", "ae": "autoencoder"}

    def draw(axes):
        for place, (kind, name) in enumerate(named.items()):
            low, mean, high = np.array([[min(v), np.mean(v), max(v)] for v in errors[kind]]).T
            axes.fill_between(CODES, low, high, color=f"C{place}", alpha=0.2, linewidth=0)
            axes.plot(CODES, mean, "os"[place] + "-", color=f"C{place}", label=name)
        axes.set_xscale("log", base=2)
        axes.set_xticks(CODES, CODES)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("numbers in the code")
        axes.set_ylabel("mean squared error")
        axes.legend()

    means = errors.map(np.mean)
    told = "; ".join(f"{c}: PCA {r.pca:.4f}, autoencoder {r.ae:.4f}" for c, r in means.iterrows())
    return figures.from_axes(
        draw, data=means.reset_index(), alt=f"Error on held-out icons by length of code. {told}."
    )


def noticing(scores):
    """AUC of every score at telling novel subjects from known ones."""
    by_model = {m: _over(scores, m, "auc") for m in next(iter(scores.values()))}
    intervals = {m: {"AUC": evaluation.interval(values)} for m, values in by_model.items()}
    return figures.comparison(intervals, "AUC")


def curves(networks):
    """Learning curves of the three plain autoencoders, all seeds."""
    plain = [f"ae{code}" for code in CODES]
    by_seed = {name: {s: trained[name].curves for s, trained in networks.items()} for name in plain}
    return figures.learning_curves(by_seed, "mean_squared_error")


def worst(held_out, networks, split):
    """The known icons that sixteen numbers say worst, first seed: as drawn and as said."""
    seed = min(held_out)
    known = held_out[seed][~held_out[seed]["novel"]]
    shown = known.sort_values("error_ae16", ascending=False).head(9)
    x, seen = _pictures(shown), _pictures(split[seed]["train"])
    said = [baselines.pca(seen, 16).predict(x), _said(networks[seed]["ae16"].model, x)]
    rows = ["icon", "PCA, 16", "autoencoder, 16"]
    grid = np.clip(np.stack([x, *said]), 0, 1)
    return figures.samples(
        grid, rows, list(shown["subject"]), what="icons and what was said of them"
    )


def unnoticed(held_out):
    """The novel icons that seemed least strange, each once; how many known ones seem stranger."""
    novel = pd.concat([_placed(rows) for rows in held_out.values()])
    shown = novel.sort_values("ae16").drop_duplicates("_url").head(16)
    captions = [f"{icon.subject}\n{1 - icon.ae16:.0%} stranger" for icon in shown.itertuples()]
    return figures.errors(pixels(shown["image"]), captions)


def subjects(held_out):
    """How well each novel subject is noticed: AUC against known icons, all seeds together."""
    by_subject = pd.concat([_placed(rows) for rows in held_out.values()]).groupby("subject")
    aucs = by_subject[_PLACED].mean()
    return aucs.assign(icons=by_subject.size()).sort_values("ae16")


def busy(held_out):
    """How far each score says only how much is drawn: rank correlation with edges, known icons."""
    known = [rows[~rows["novel"]] for rows in held_out.values()]
    models = ["ae16", "pca16", "variational", "nearest", "ae16_per_edge"]
    return {
        m: float(np.mean([_ranks(rows[f"strange_{m}"], rows["strange_edges"]) for rows in known]))
        for m in models
    }


def plane(networks, held_out):
    """Codes of the test icons in the variational network of the first seed, on a plane."""
    seed = min(held_out)
    rows = held_out[seed]
    codes = autoencoder.encode(networks[seed]["variational"].model, _pictures(rows))
    flat = baselines.pca(codes, 2).encode(codes)
    return figures.latent_map(
        flat,
        rows["subject"].where(rows["novel"], "known"),
        axes_named=("first component of the code", "second component of the code"),
    )


def live(networks, split):
    """The variational network of the first seed, its sixteen numbers for the reader to move."""
    seed = min(networks)
    shown = split[seed]["test"].groupby("subject").head(12)
    return sliders(networks[seed]["variational"].model, _pictures(shown), precision="int8")


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


def _pictures(rows):
    """Icons (n, 16, 16, 1), from 0 (black) to 1 (white)."""
    return pixels(rows["image"], size=(SIDE, SIDE))


def _train(train, validation, **options):
    network = autoencoder.build((SIDE, SIDE, 1), hidden=(256,), **options)
    return autoencoder.fit(
        network,
        train,
        validation,
        epochs=EPOCHS,
        batch_size=64,
        learning_rate=0.003,
        schedule="cosine",
        patience=10,
    )


def _said(network, x):
    return autoencoder.decode(network, autoencoder.encode(network, x))


def _judged(networks, split, part):
    """A row an icon: `error_…` of its reconstructions, and how `strange_…` it seems."""
    seen, x = _pictures(split["train"]), _pictures(split[part])
    each = (1, 2, 3)
    found = {"error_average": np.square(x - seen.mean(axis=0)).mean(axis=each)}
    found |= {f"error_pca{code}": baselines.pca(seen, code).anomaly_score(x) for code in CODES}
    for name, training in networks.items():
        found[f"error_{name}"] = np.square(x - _said(training.model, x)).mean(axis=each)
    found |= {name.replace("error", "strange"): error for name, error in found.items()}
    # What there is to say about an icon, however it is said: steps from a pixel to the next.
    edges = np.abs(np.diff(x, axis=1)).mean(axis=each) + np.abs(np.diff(x, axis=2)).mean(axis=each)
    found |= {
        "strange_variational": autoencoder.anomaly_score(networks["variational"].model, x),
        "strange_ae16_per_edge": found["error_ae16"] / (edges + 0.01),
        "strange_nearest": samples.nearest_training(x, seen)[1],
        "strange_ink": 1 - x.mean(axis=each),
        "strange_edges": edges,
    }
    return split[part].assign(**{name: values.astype(float) for name, values in found.items()})


def _scored(rows):
    scored = {}
    for column in rows:
        kind, _, model = column.partition("_")
        if kind == "error":
            known = float(rows.loc[~rows["novel"], column].mean())
            scored.setdefault(model, {})["error"] = known
        elif kind == "strange":
            scored.setdefault(model, {})["auc"] = evaluation.auc(rows["novel"], rows[column])
    return scored


_PLACED = ["ae16", "pca16", "nearest"]


def _placed(rows):
    """Novel icons, with the share of known ones that seem less strange; its mean is the AUC."""
    known, novel = rows[~rows["novel"]], rows[rows["novel"]]
    shares = {}
    for model in _PLACED:
        ranked, own = np.sort(known[f"strange_{model}"]), novel[f"strange_{model}"]
        sides = [np.searchsorted(ranked, own, side) for side in ("left", "right")]
        shares[model] = np.mean(sides, axis=0) / len(known)
    return novel.assign(**shares)


def _over(scores, model, metric):
    return [by_model[model][metric] for by_model in scores.values()]


def _ranks(a, b):
    return a.rank().corr(b.rank())
