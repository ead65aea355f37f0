"""The steps of `forgery`, called as the plain functions they are."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from scraping import Page

from . import project


@pytest.fixture(scope="module")
def table():
    """Six albums of sixty digits, six of each label; ink grows in another place for each."""
    random = np.random.default_rng(0)
    ink = random.integers(0, 17, (360, 64))
    return pd.DataFrame(
        {
            "number": range(360),
            "album": np.repeat(range(6), 60),
            "label": np.tile(range(10), 36),
            "ink": ink.tolist(),
        }
    )


@pytest.fixture(scope="module")
def split(table):
    return project.split(table, seed=1)


@pytest.fixture(scope="module")
def made(split):
    """Two generators for both parts: one copies the held-out digits, one the training digits."""
    copies = {name: project._pictures(split[name]) for name in ("validation", "test")}
    train = project._pictures(split["train"])
    return {
        name: {"gan": x, "training": train[: len(x)]} for name, x in copies.items()
    }  # fmt: skip


def test_a_picture_that_stands_twice_is_taken_once(table):
    twice = pd.concat([table, table.head(5).assign(number=range(900, 905))])
    assert list(project.table(twice)["number"]) == list(table["number"])


def test_whole_albums_are_held_out(split):
    albums = [set(split[name]["album"]) for name in ("train", "validation", "test")]
    assert sum(map(len, albums)) == len(set.union(*albums)) == 6


def test_ink_becomes_a_picture_from_zero_to_one():
    rows = pd.DataFrame({"ink": [[0] * 8 + [16] * 56]})
    x = project._pictures(rows)
    assert x.shape == (1, 8, 8, 1)
    assert x[0, 0].max() == 0
    assert x[0, 1].min() == 1


def test_forgeries_that_are_the_held_out_digits_have_full_precision_and_recall(made, split):
    scored = project.scores(made, split, seed=1)
    shares = {name: scored["gan"][name] for name in ("precision", "recall", "coverage")}
    assert shares == {"precision": 1.0, "recall": 1.0, "coverage": 1.0}
    assert scored["gan"]["distance"] == pytest.approx(1)


def test_copies_of_training_digits_are_no_distance_away_from_them(made, split):
    assert project.scores(made, split, seed=1)["training"]["distance"] == pytest.approx(0, abs=1e-6)


def test_validation_is_an_interval_over_the_seeds(made, split):
    found = project.validation({1: made, 2: made}, {1: split, 2: split})
    assert found["gan"]["recall"]["values"] == [1.0, 1.0]


def test_every_generator_makes_what_it_is_asked_for(split):
    class Constant:
        noise, classes = 4, 10
        generator = SimpleNamespace(predict=lambda x, verbose: np.full((len(x[0]), 8, 8, 1), 0.5))
        average = SimpleNamespace(predict_on_batch=lambda x: np.full((len(x[0]), 8, 8, 1), 0.25))

    forged = project._forged(Constant, split, "test", seed=1)
    assert {x.shape for x in forged.values()} == {(len(split["test"]), 8, 8, 1)}
    assert all(x.min() >= 0 and x.max() <= 1 for x in forged.values())
    assert forged["gan"].max() == 0.25
    assert forged["gan_last"].max() == 0.5
    train = project._pictures(split["train"])
    _, far = project.judges.nearest_training(forged["training"], train)
    assert far.max() < 1e-5


def test_the_gaussian_has_the_mean_and_the_spread_of_its_digits():
    random = np.random.default_rng(1)
    x = 0.5 + 0.1 * random.standard_normal((400, 8, 8, 1))
    made = project._gaussian(x, 4000, random)
    assert made.mean() == pytest.approx(0.5, abs=0.01)
    assert made.std(axis=0).mean() == pytest.approx(0.1, rel=0.05)


def test_the_window_is_as_wide_as_the_data_are_noisy():
    random = np.random.default_rng(1)
    centres = random.random((50, 8, 8, 1))
    near = centres + 0.1 * random.standard_normal(centres.shape)
    assert project._bandwidth(centres, near) == 0.1


def test_a_seed_whose_samples_are_all_alike_is_counted(split):
    network = {1: SimpleNamespace(collapse=""), 2: SimpleNamespace(collapse="nearly all alike")}
    assert project.counts(network, {1: split, 2: split})["collapsed"] == 1


def test_digits_are_sorted_from_the_worst_covered(made, split):
    table = project.by_digit({1: made, 2: made}, {1: split, 2: split})
    assert list(table["coverage"]) == [1.0] * 10
    assert list(table.columns) == ["precision", "recall", "coverage"]


def test_a_line_of_the_file_at_uci_gives_a_row(monkeypatch):
    monkeypatch.setattr(project, "SOURCE", "web")
    lines = [",".join(map(str, [*range(8), *[16] * 56, label])) for label in (7, 3)]
    first, second = project.digits(Page.of("\n".join(lines) + "\n"))
    assert (first.number, first.label, first.licence) == (0, 7, "CC BY 4.0")
    assert first.ink[:8] == list(range(8))
    assert len(first.ink) == 64
    assert (second.number, second.label) == (1, 3)
