"""What is fitted to which rows, told from the syntax tree of project.py."""

from __future__ import annotations

import textwrap

import pytest

from projects.spine.check import fitting
from projects.spine.project import Project

HEAD = """
import numpy as np
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import LogisticRegression
from models import baselines, classifier, evaluation, tabular, tokens, training

SEEDS = 3
NUMBERS = ["speed", "height"]

def table():
    return pd.read_csv("x.csv")

def split(table, seed):
    return evaluation.split_rows(table, seed=seed)

"""


@pytest.fixture
def fits(tmp_path):
    """Look for fits in a project whose steps after `split` are given."""

    def of(steps: str, head: str = HEAD) -> fitting.Fits:
        folder = tmp_path / "projects" / "p"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "project.py").write_text(head + textwrap.dedent(steps), "utf-8")
        return fitting.of(Project(tmp_path, "p"))

    return of


def told(found: fitting.Fits) -> list[str]:
    return [f"{fit.call} in {fit.function}: {fit.wrong}" for fit in found.wrong]


GOOD = {
    "training rows of the split": """
        def scores(split, seed):
            columns = tabular.columns(split["train"], numbers=NUMBERS)
            x, y = columns(split["train"]), split["train"]["y"]
            return {"majority": {"accuracy": baselines.majority(y).predict(columns(split["test"]))}}
    """,
    "parts taken apart by a generator and a helper": """
        def scores(split, seed):
            train, test = (_arrays(split[part]) for part in ("train", "test"))
            return _fitted(*train)

        def _arrays(rows):
            return rows[NUMBERS].to_numpy(), rows["y"]

        def _fitted(x, y):
            return LogisticRegression().fit(x, y)
    """,
    "a scaler by hand": """
        def scores(split, seed):
            mean, deviation = split["train"].mean(), split["train"].std()
            parts = {name: (rows - mean) / deviation for name, rows in split.items()}
            return baselines.logistic(parts["train"], 1).predict(parts["test"])
    """,
    "a split by hand, under the names of its parts": """
        def by_day(table):
            parts = {"train": table["day"] < 3, "test": table["day"] >= 3}
            return {name: table[rows] for name, rows in parts.items()}

        def scores(by_day, seed):
            return tabular.columns(by_day["train"], numbers=NUMBERS)(by_day["test"])
    """,
    "each picture by its own mean": """
        def scores(split, seed):
            x = split["test"].to_numpy()
            return baselines.nearest(split["train"]).predict(x - x.mean(axis=1, keepdims=True))
    """,
    "training with validation data": """
        def network(split, seed):
            model = classifier.build(3, classes=len(split["test"]["y"].unique()))
            return training.fit(model, split["train"], split["validation"])

        def scores(network, split, seed):
            return evaluation.accuracy(split["test"]["y"], network.model.predict(split["test"]))
    """,
    "a metric that takes means of the answers": """
        def scores(split, seed):
            truth, said = split["test"]["y"], baselines.mean(split["train"]["y"]).predict(1)
            return 1 - ((truth - said) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()
    """,
    "a picture that nothing scored depends on": """
        def scores(split, seed):
            return baselines.majority(split["train"]["y"])

        def landscape(split):
            return PCA(2).fit_transform(pd.concat(s["test"] for s in split.values()))
    """,
    "probabilities calibrated on validation rows": """
        def scores(split, seed):
            model = LogisticRegression().fit(split["train"], split["train"]["y"])
            return LogisticRegression().fit(model.predict_proba(split["validation"]), 1)
    """,
}


@pytest.mark.parametrize("steps", GOOD.values(), ids=GOOD)
def test_what_is_fitted_to_training_rows_is_fine(fits, steps):
    found = fits(steps)
    assert told(found) == []
    assert [fit.line for fit in found.unsure] == []


BAD = {
    "columns of the whole table": (
        """
        def scores(table, split, seed):
            return tabular.columns(table, numbers=NUMBERS)(split["test"])
        """,
        "tabular.columns in scores: whole",
    ),
    "a vocabulary of the test part": (
        """
        def scores(split, seed):
            return tokens.vocabulary(list(split["train"]["text"]) + list(split["test"]["text"]))
        """,
        "tokens.vocabulary in scores: test",
    ),
    "a scaler in a helper of a helper": (
        """
        def scores(split, seed):
            return _prepared(split, "test")

        def _prepared(split, part):
            return _scaled(split[part])

        def _scaled(rows):
            return StandardScaler().fit_transform(rows[NUMBERS])
        """,
        "StandardScaler().fit_transform in _scaled: test",
    ),
    "a scaler fitted to validation rows": (
        """
        def scores(split, seed):
            scaler = StandardScaler().fit(split["validation"])
            return scaler.transform(split["test"])
        """,
        "StandardScaler().fit in scores: validation",
    ),
    "parts put together again": (
        """
        def scores(split, seed):
            everything = pd.concat([split["train"], split["test"]])
            return PCA(2).fit(everything).transform(split["test"])
        """,
        "PCA(2).fit in scores: test",
    ),
    "test rows scaled by their own mean": (
        """
        def scores(split, seed):
            x = split["test"][NUMBERS]
            return baselines.nearest(split["train"]).predict((x - x.mean()) / x.std())
        """,
        "a mean, a deviation or the like in scores: test",
    ),
    "gaps filled with the whole table's median": (
        """
        def filled(table):
            return table.fillna(table.median())

        def parts(filled, seed):
            return evaluation.split_rows(filled, seed=seed)

        def scores(parts, seed):
            return baselines.logistic(parts["train"], 1).predict(parts["test"])
        """,
        "a mean, a deviation or the like in filled: whole",
    ),
    "a normalisation layer": (
        """
        def scores(split, seed):
            import keras
            layer = keras.layers.Normalization()
            layer.adapt(np.concatenate([split["train"], split["validation"]]))
            return layer(split["test"])
        """,
        "layer.adapt in scores: validation",
    ),
    "test rows as validation data": (
        """
        def network(split, seed):
            return training.fit(classifier.build(3), split["train"], split["test"])

        def scores(network, seed):
            return {}
        """,
        "training.fit in network: test",
    ),
    "a split that was scaled before": (
        """
        def scores(table, seed):
            rows = (table - table.mean()) / table.std()
            train, test = rows[rows["y"] > 0], rows[rows["y"] <= 0]
            return baselines.nearest(train).predict(test)
        """,
        "a mean, a deviation or the like in scores: whole",
    ),
}


@pytest.mark.parametrize(("steps", "expected"), BAD.values(), ids=BAD)
def test_what_has_seen_rows_held_back_is_named(fits, steps, expected):
    assert expected in told(fits(steps))


def test_scaling_in_the_step_table_reaches_the_models(fits):
    head = HEAD.replace("return pd.read_csv", "rows = pd.read_csv").replace(
        '"x.csv")\n',
        '"x.csv")\n    return _scaled(rows)\n\ndef _scaled(rows):\n'
        "    return (rows - rows.mean()) / rows.std()\n",
        1,
    )
    found = fits("def scores(split, seed):\n    return baselines.nearest(split['train'])\n", head)
    assert told(found) == ["a mean, a deviation or the like in _scaled: whole"]


BEFORE = {
    "in place": "table[NUMBERS] -= table[NUMBERS].mean()",
    "missing cells in place": "table.fillna(table.mean(), inplace=True)",
    "a column's missing cells in place": (
        "table['speed'].fillna(table['speed'].mean(), inplace=True)"
    ),
    "SciPy's z-score": "table['speed'] = stats.zscore(table['speed'])",
    "a scaling in one call": "table[NUMBERS] = preprocessing.scale(table[NUMBERS])",
    "dummies": "table = pd.get_dummies(table)",
    "column by column": "table[NUMBERS] = table[NUMBERS].apply(lambda c: (c - c.mean()) / c.std())",
    "a helper for each column": "table[NUMBERS] = table[NUMBERS].apply(_standard)",
    "a helper for the table": "table = table.pipe(_standard)",
    "a column assigned": "table = table.assign(speed=lambda t: t.speed / t.speed.max())",
    "the mean of a group": "table['y'] = table.groupby('site')['y'].transform('mean')",
    "the mean of a group, by name": "table['y'] = table['y'].map(table.groupby('y')['y'].mean())",
}
NO_STATISTIC = {
    "a picture by itself": "table['x'] = table['image'].apply(lambda x: (x - x.mean()) / x.std())",
    "a row by itself": "table[NUMBERS] = table[NUMBERS].apply(lambda r: r / r.max(), axis=1)",
    "how large a group is": "table = table[table.groupby('y')['y'].transform('size') > 5]",
    "a unit": "table['speed'] /= 3.6",
}
STANDARD = """
from scipy import stats
from sklearn import preprocessing

def _standard(x):
    return (x - x.mean()) / x.std()

def scores(split, seed):
    return baselines.nearest(split["train"]).predict(split["test"])
"""


@pytest.mark.parametrize(("line", "seen"), [
    *((line, True) for line in BEFORE.values()),
    *((line, False) for line in NO_STATISTIC.values()),
], ids=[*BEFORE, *NO_STATISTIC])  # fmt: skip
def test_what_is_done_to_the_table_before_the_split_may_not_learn_from_it(fits, line, seen):
    call = "return evaluation.split_rows"
    found = fits(STANDARD, HEAD.replace(f"    {call}", f"    {line}\n    {call}"))
    assert bool(told(found)) == seen
    assert all(": whole" in each for each in told(found))


TOGETHER = {
    "under the name of the training part": "x_train = pd.concat([split['train'], split['test']])",
    "by a row of arrays": "x_train = np.r_[split['train'], split['test']]",
    "in one case of several": "match seed:\n        case _:\n            x_train = split['test']",
}


@pytest.mark.parametrize("line", TOGETHER.values(), ids=TOGETHER)
def test_a_name_makes_no_training_part_of_what_is_known(fits, line):
    found = fits(
        f"def scores(split, seed):\n    {line}\n    assert StandardScaler().fit(x_train)\n"
    )
    assert told(found) == ["StandardScaler().fit in scores: test"]


def test_rows_picked_by_hand_are_not_told_but_said_to_be_so(fits):
    found = fits(
        """
        def scores(table, seed):
            early = table[table["year"] < 2000]
            return StandardScaler().fit(early)
        """
    )
    assert told(found) == []
    (unsure,) = found.unsure
    assert unsure.call == "StandardScaler().fit"


def test_a_part_that_is_not_known_is_not_held_against_the_author(fits):
    found = fits(
        """
        def scores(split, seed):
            return baselines.nearest(split[_part()])

        def _part():
            return open("part.txt").read()
        """
    )
    assert told(found) == []
    assert found.unsure


def test_a_line_is_the_one_in_the_file(fits):
    found = fits("def scores(table, seed):\n    return PCA(2).fit(table)\n")
    assert found.wrong[0].line == HEAD.count("\n") + 2
    assert found.wrong[0].told() == (
        f"line {HEAD.count(chr(10)) + 2}: `PCA(2).fit` in `scores` is fitted to the whole table, "
        "before the split"
    )


def test_helpers_that_call_each_other_end(fits):
    found = fits(
        """
        def scores(split, seed):
            return _a(split["train"])

        def _a(rows):
            return _b(rows)

        def _b(rows):
            return _a(baselines.nearest(rows))
        """
    )
    assert told(found) == []


def test_each_split_is_told_by_its_arguments(fits):
    head = HEAD.replace("split_rows(table, seed", 'split_rows(table, by="set", seed')
    assert fits("def scores(split, seed):\n    return {}\n", head).units == [("set", None)]
