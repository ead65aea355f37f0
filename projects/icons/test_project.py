"""The steps of `icons`, called as the plain functions they are."""

from types import SimpleNamespace

import pandas as pd

from . import project


def rows(count, **columns):
    return pd.DataFrame({"image": [bytes([i]) for i in range(count)], **columns})


def test_a_sets_own_copies_and_rare_subjects_leave_the_table():
    icons = rows(60, set="one", subject="key")
    copies = icons.head(3)
    rare = rows(5, set="two", subject="yak")
    table = project.table(pd.concat([icons, copies, rare]))
    assert len(table) == 60
    assert set(table["subject"]) == {"key"}


def test_the_same_picture_in_two_sets_stays_in_the_table():
    icons = pd.concat([rows(60, set=name, subject="key") for name in ("one", "two")])
    assert len(project.table(icons)) == 120


def test_scores_set_every_models_random_split_beside_the_honest_one():
    honest = pd.DataFrame({"subject": ["key", "star"]})
    honest = honest.assign(
        majority="key", logistic="star", nearest=["star", "key"], cnn=["key", "star"]
    )
    flattered = honest.assign(nearest=["key", "star"])
    scores = project.scores(honest, flattered, seed=0)
    assert scores["cnn"] == {"accuracy": 1.0}
    assert scores["nearest"] == {"accuracy": 0.0}
    assert scores["nearest_random"] == {"accuracy": 1.0}
    assert "majority_random" not in scores


def test_duplicates_are_averaged_over_the_seeds():
    split = {0: {"removed": {"train": 2}}, 1: {"removed": {"train": 4}}}
    assert project.duplicates(split) == {"train": 3.0}


def test_validation_is_of_the_epoch_that_was_kept():
    curves = pd.DataFrame({"val_accuracy": [0.5, 0.75, 0.25]}, index=[1, 2, 3])
    found = project.validation({0: SimpleNamespace(curves=curves, best_epoch=2)})
    assert found["mean"] == 0.75


def test_subjects_are_sorted_from_the_hardest():
    guesses = {
        0: pd.DataFrame({"subject": ["key", "star"], "cnn": ["star", "star"]}),
        1: pd.DataFrame({"subject": ["key", "key"], "cnn": ["key", "star"]}),
    }
    found = project.subjects(guesses)
    assert list(found.index) == ["key", "star"]
    assert list(found["icons"]) == [3, 1]
