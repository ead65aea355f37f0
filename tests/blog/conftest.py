"""A finished project with hostile names, and a copy of the template's site to build it into."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from blog import figures

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "{{ 7*7 }}",
    "| a | b |",
    "](javascript:alert(1))",
    "`x` {: onclick=alert(1) }",
    "arrow",
]

POST = """\
---
title: Icons from design sets never seen
date: 2026-11-20
tags: [images, cnn]
question: Can a small CNN recognise an icon from a design set it has never seen?
finding: A network of [[parameters.network|,]] weights names [[scores.cnn.accuracy|.1%]] of icons.
hero: models
---

Over [[data.rows|,]] icons the network reaches [[scores.cnn.accuracy|.3f]], between
[[scores.cnn.accuracy.low]] and [[scores.cnn.accuracy.high]] ([[settings.EPOCHS]] epochs),
as [[figure:models]] shows. The hardest class is [[values.hardest.name]] [[cite:nielsen2015]].

## What it learns

[[figure:models]] Accuracy on icons from sets that were held out.

[[figure:curves]] Training goes on, validation stops at [[scores.cnn.accuracy|.2f]].

[[figure:confusions]] Rows are the truth.

[[figure:mistakes]] Pictures it got wrong.

[[table:scores]] Five seeds, with their 95 % intervals.

[[table:by_class|.2f]] The same by class.

[[live]] Two numbers in, the chance of rain out.

[[code:split]]

```
[[nothing.is.looked.up]] in a block of code, nor `[[here]]`
```
"""

PROJECT = '''\
"""A project."""

EPOCHS = 20


def split(table, seed):
    """Whole sets are held out."""
    return table  # the ``rest``
'''

BIBLIOGRAPHY = """\
@book{nielsen2015,
  author = {Nielsen, Michael and M{\\"u}ller, Jo},
  title = {Neural Networks and {Deep} Learning},
  year = 2015,
  url = {http://neuralnetworksanddeeplearning.com/?a=1&b=2}
}
"""


def curve(seed: int, epochs: int) -> pd.DataFrame:
    """Accuracy of one seed by epoch."""
    noise = np.random.default_rng(seed).normal(0, 0.008, (2, epochs))
    epoch = np.arange(1, epochs + 1)
    rise = 1 - np.exp(-epoch / 4)
    return pd.DataFrame(
        {"accuracy": 0.5 + 0.49 * rise + noise[0], "val_accuracy": 0.55 + 0.39 * rise + noise[1]},
        index=pd.Index(epoch, name="epoch"),
    )


def score(mean: float, spread: float) -> dict:
    """An interval over five seeds."""
    values = [round(mean + spread * step, 6) for step in (-1, -0.5, 0, 0.5, 1)]
    return {
        "values": values, "mean": mean, "low": round(mean - spread, 6),
        "high": round(mean + spread, 6), "n": 5, "method": "t over 5 seeds, 95 %",
    }  # fmt: skip


FIELDS = [
    {"name": "temperature", "kind": "number", "low": -10.0, "high": 35.0, "typical": 12.0,
     "at": 0, "missing_at": None, "unit": "°C"},
    {"name": "wind", "kind": "category", "names": ["calm", "<b>storm</b>"], "at": [1, 2],
     "other_at": None, "missing_at": None},
]  # fmt: skip
ROWS = [
    {"temperature": 5.0, "wind": "calm"},
    {"temperature": 20.0, "wind": "<b>storm</b>"},
    {"temperature": -3.0, "wind": "calm"},
]


def network_for_the_page(folder: Path) -> dict:
    """Write a network of two fields and two classes, worked by hand; what the results say of it."""
    folder.mkdir(parents=True, exist_ok=True)
    kernel = np.array([[0.05, -0.05], [0.4, -0.3], [-0.8, 0.9]], dtype="<f4")
    bias = np.array([0.1, -0.2], dtype="<f4")
    x = np.array([[5, 1, 0], [20, 0, 1], [-3, 1, 0]], dtype="<f4")
    z = np.exp(x @ kernel + bias)
    y = (z / z.sum(axis=1, keepdims=True)).astype("<f4")
    weights = kernel.tobytes() + bias.tobytes()
    golden = b"".join(row.tobytes() + out.tobytes() for row, out in zip(x, y, strict=True))
    description = {
        "format": 1, "precision": "float32", "parameters": 8, "work": 6,
        "bytes": {"model.bin": len(weights), "golden.bin": len(golden)},
        "inputs": [{"name": "row", "shape": [3], "dtype": "float32"}],
        "outputs": [1],
        "layers": [{"op": "dense", "from": [0], "weights": [0, 1], "activation": "softmax"}],
        "weights": [
            {"shape": [3, 2], "type": "float32", "at": 0},
            {"shape": [2], "type": "float32", "at": 24},
        ],
        "golden": {"examples": 3, "tolerance": 1e-5},
        "widget": {
            "kind": "form", "fields": FIELDS, "width": 3, "classes": ["dry", "rain"],
            "answer": "probabilities", "asked": "rain", "examples": ROWS,
        },
    }  # fmt: skip
    model = json.dumps(description).encode()
    (folder / "model.json").write_bytes(model)
    (folder / "model.bin").write_bytes(weights)
    (folder / "golden.bin").write_bytes(golden)
    pd.DataFrame(ROWS).assign(rain=y[:, 1]).to_csv(folder / "table.csv")
    at = f"live/{folder.name}"
    return {
        "model": f"{at}/model.json", "weights": f"{at}/model.bin", "golden": f"{at}/golden.bin",
        "data": f"{at}/table.csv", "widget": "form", "parameters": 8,
        "bytes": len(model) + len(weights), "alt": "Three days, and how likely rain follows each.",
    }  # fmt: skip


def make(projects: Path, name: str = "pictograms", classes: list[str] = HOSTILE) -> Path:
    """Write a project's story and recorded results; the project's folder."""
    project = projects / name
    results = project / "results"
    for folder in ("figures", "tables"):
        (results / folder).mkdir(parents=True)
    (project / "post.md").write_text(POST)
    (project / "project.py").write_text(PROJECT)
    (project / "references.bib").write_text(BIBLIOGRAPHY)

    rng = np.random.default_rng(3)
    size = len(classes)
    counts = rng.poisson(1, (size, size)) + np.diag(rng.poisson(40, size))
    scores = {
        "cnn": {"accuracy": score(0.94513, 0.0071)},
        "logistic": {"accuracy": score(0.8192, 0.011)},
        "majority": {"accuracy": {**score(0.083, 0), "low": None, "high": None}},
    }
    drawn = {
        "models": figures.comparison(scores, "accuracy"),
        "curves": figures.learning_curves({s: curve(s, 14 + s) for s in range(5)}),
        "confusions": figures.confusion(pd.DataFrame(counts, index=classes, columns=classes)),
    }
    kept = {}
    for key, figure in drawn.items():
        for mode in ("light", "dark"):
            (results / f"figures/{key}.{mode}.svg").write_text(getattr(figure, mode))
        figure.data.to_csv(results / f"figures/{key}.csv", index=False)
        kept[key] = {
            "kind": "svg", "light": f"figures/{key}.light.svg", "dark": f"figures/{key}.dark.svg",
            "data": f"figures/{key}.csv", "alt": figure.alt,
        }  # fmt: skip
    sheet = figures.errors(
        rng.random((16, 32, 32, 1)), [f"is arrow\nsaid {classes[n % size]}" for n in range(16)]
    )
    (results / "figures/mistakes.webp").write_bytes(sheet.webp())
    sheet.data.to_csv(results / "figures/mistakes.csv", index=False)
    kept["mistakes"] = {
        "kind": "webp", "image": "figures/mistakes.webp", "data": "figures/mistakes.csv",
        "alt": sheet.alt, "width": sheet.image.width, "height": sheet.image.height,
    }  # fmt: skip
    table = pd.DataFrame({"class": classes, "recall": rng.random(size), "n": range(size)})
    table.to_csv(results / "tables/by_class.csv", index=False)
    document = {
        "schema": 1, "project": name, "run": "20261120-101500-3fa9c1", "draft": False,
        "question": "Can it?", "settings": {"SEEDS": 5, "EPOCHS": 20}, "seeds": [0, 1, 2, 3, 4],
        "scores": scores, "values": {"hardest": {"name": classes[0], "recall": 0.5}},
        "figures": kept, "tables": {"by_class": {"data": "tables/by_class.csv", "rows": size}},
        "data": {
            "pages": 4100, "rows": 4080, "rejected": 3, "hash": "ab" * 32, "archive": "cd" * 32
        },
        "splits": {"train": {"mean": 2800, "values": [2790, 2810]}},
        "parameters": {"network": 83412}, "trainings": 5, "minutes": {"total": 2.1, "steps": {}},
        "hardware": {"processor": "some", "cores": 2, "memory_gb": 24, "system": "Linux x86_64"},
        "threads": 1, "backend": "tensorflow", "python": "3.11", "libraries": {"keras": "3.15.1"},
        "verdicts": [], "families": ["cnn"],
        "live": {"live": network_for_the_page(results / "live/live")},
        "card": {
            "rows_are": "One icon.",
            "sections": [
                {"title": "Motivation", "facts": [], "asked": "For what purpose was it made?"},
                {
                    "title": "Composition", "asked": "What does it leave out?",
                    "facts": ["4,080 rows", f"  class: text; {classes[0]} (12)"],
                },
                {
                    "title": "Collection process", "asked": "Do the site's terms allow this use?",
                    "facts": ["4,100 pages of sandbox", "robots.txt:", "  {{ 7*7 }}"],
                },
                {"title": "Uses", "facts": [], "asked": "What should it be used for?"},
                {
                    "title": "Distribution", "asked": "Will it be passed on?",
                    "facts": ["Licences, by rows:", "  4,080 × MIT"],
                },
            ],
            "licences": {"MIT": 4080},
        },
        "fetched": {"first": "2026-11-20T10:00:00Z", "last": "2026-11-20T10:01:00Z"},
    }  # fmt: skip
    (results / "results.json").write_text(json.dumps(document, indent=1))
    return project


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished project, drawn once; not to be changed."""
    return make(tmp_path_factory.mktemp("finished"))


@pytest.fixture
def project(tmp_path: Path, finished: Path) -> Path:
    """A finished project of its own, free to be damaged."""
    return shutil.copytree(finished, tmp_path / "projects" / finished.name)


def copy_site(to: Path) -> Path:
    """The template's site without any post or proposal, in a folder of its own."""
    shutil.copytree(
        ROOT / "blog", to / "blog", ignore=shutil.ignore_patterns("*.py", "__pycache__")
    )
    shutil.copy(ROOT / "mkdocs.yml", to / "mkdocs.yml")
    for made in ("posts", "proposals"):
        shutil.rmtree(to / "blog" / "docs" / made, ignore_errors=True)
    return to


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A portfolio without projects."""
    folder = tmp_path / "portfolio"
    folder.mkdir()
    return copy_site(folder)


PROPOSED = {
    "question": "Can a small CNN recognise a pictogram?",
    "title": "Pictograms",
    "date": "2026-11-25",
    "pilots": [],
    "hypotheses": [
        {"name": "wins", "claim": "It beats <b>logistic</b>.", "test": "accuracy of cnn above 0.9"}
    ],
    "sections": [("Plan", "| a | b |\n| --- | ---: |\n| $x^2$ | 1 |", "Two *minutes*.")],
    "text": "",
}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, finished: Path) -> Path:
    """The site of a portfolio with one project and its proposal, built once by mkdocs alone."""
    from blog import proposal, render, site

    folder = copy_site(tmp_path_factory.mktemp("built"))
    render.write(finished, folder / "blog" / "docs")
    proposal.write(finished, folder / "blog" / "docs", PROPOSED, None)
    proposal.write_index(folder / "blog" / "docs")
    return site.build(folder)


@pytest.fixture(scope="session")
def make_project():
    """``make_project(projects, name, classes)`` writes a finished project; its folder."""
    return make


@pytest.fixture(scope="session")
def new_site():
    """``new_site(folder)`` copies the template's site without any post there."""
    return copy_site
