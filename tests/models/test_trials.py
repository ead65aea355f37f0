"""Several settings tried: all recorded, the best kept, none of it by test data."""

import numpy as np
import pandas as pd
import pytest

from models import classifier, lent, scratch, training, trials
from models.errors import BadOption, Diverged
from models.trials import Between, search


def trainer(vectors, **fixed):
    """A training of the from-scratch network, quick enough to repeat."""
    x, y = vectors["train"]

    def train(**settings):
        given = {"hidden": (8,), "epochs": 2, "learning_rate": 0.01, **fixed, **settings}
        made = {"activation": given.pop("activation", "sigmoid")}
        network = scratch.build(64, 10, given.pop("hidden"), seed=1, **made)
        return training.fit(network, (x, y), vectors["validation"], seed=1, **given)

    return train


def test_a_small_space_is_tried_whole_each_setting_once(vectors):
    space = {"hidden": [(4,), (16,)], "learning_rate": [0.001, 0.01, 0.03]}
    found = search(trainer(vectors), space, trials=10, seed=3)
    assert found.trainings == len(found.table) == 6
    assert set(zip(found.table["hidden"], found.table["learning_rate"], strict=True)) == {
        (str(hidden), rate) for hidden in space["hidden"] for rate in space["learning_rate"]
    }
    assert set(found.table["end"]) == {"done"}


def test_the_best_trial_is_the_one_with_the_lowest_loss_and_its_network_comes_back(vectors):
    found = search(trainer(vectors), {"learning_rate": [0.0001, 0.01]}, seed=1)
    best = found.table["val_loss"].idxmin()
    assert found.settings == {"learning_rate": found.table.loc[best, "learning_rate"]}
    assert found.settings["learning_rate"] == 0.01
    x, y = vectors["validation"]
    assert found.model.evaluate(x, y)["loss"] == pytest.approx(found.table["val_loss"].min())
    assert found.curves["val_loss"].loc[found.best_epoch] == found.table["val_loss"].min()


def test_accuracy_is_best_where_it_is_high(vectors):
    found = search(
        trainer(vectors, monitor="val_accuracy"),
        {"learning_rate": [0.0001, 0.01]},
        monitor="val_accuracy",
        seed=1,
    )
    assert found.table["val_accuracy"].max() == pytest.approx(
        found.curves["val_accuracy"].loc[found.best_epoch]
    )


def test_a_range_is_kept_to_whole_numbers_stay_whole_and_the_seed_repeats_the_search(vectors):
    space = {"batch_size": Between(16, 64), "learning_rate": Between(1e-3, 1e-1, log=True)}
    first, second = (search(trainer(vectors), space, trials=4, seed=5) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.table["batch_size"].between(16, 64).all()
    assert first.table["batch_size"].map(lambda size: isinstance(size, int | np.integer)).all()
    assert first.table["learning_rate"].between(1e-3, 1e-1).all()
    assert first.table["learning_rate"].nunique() == 4


def test_a_training_that_diverges_is_a_trial_that_failed(vectors):
    found = search(
        trainer(vectors, optimizer="sgd", activation="relu"),
        {"learning_rate": [0.1, 1e200]},
        seed=1,
    )
    assert sorted(found.table["end"]) == ["diverged", "done"]
    assert found.settings == {"learning_rate": 0.1}
    assert found.trainings == 2
    with pytest.raises(Diverged, match="All 1 trials diverged"):
        search(
            trainer(vectors, optimizer="sgd", activation="relu"), {"learning_rate": [1e200]}, seed=1
        )


def test_every_trial_is_logged_with_what_was_tried_and_a_killed_search_goes_on(vectors, tmp_path):
    logged = []

    class Killed(BaseException):
        pass

    def report(label, done, total):
        if label.startswith("trial 2/3, epoch 2/2"):
            raise Killed

    def run(report):
        token = lent.current.set(lent.Lent(tmp_path, report=report, trained=logged.append))
        try:
            return search(trainer(vectors), {"learning_rate": [0.001, 0.01, 0.03]}, seed=2)
        finally:
            lent.current.reset(token)

    with pytest.raises(Killed):
        run(report)
    assert [line["trial"] for line in logged] == [1]
    found = run(lambda *_: None)
    # The first trial is read back, the second was whole but for its log line.
    assert found.trainings == 3
    assert [line["trial"] for line in logged if line["epochs_run"] == 2][-1] == 3
    assert {float(line["tried"]["learning_rate"]) for line in logged} <= {0.001, 0.01, 0.03}


def test_a_keras_network_is_searched_as_well_and_its_first_weights_follow_the_seed(vectors):
    x, y = vectors["train"]

    def train(units):
        model = classifier.build(64, 10, hidden=(units,))
        return training.fit(model, (x, y), vectors["validation"], epochs=1, seed=1)

    first, second = (search(train, {"units": [4, 32]}, seed=1) for _ in range(2))
    pd.testing.assert_frame_equal(first.table, second.table)
    assert first.settings == {"units": 32}


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({}, "space must name what to vary"),
        ({"units": []}, r"space\['units'\] must be values to choose from"),
        ({"units": 16}, r"space\['units'\] must be values to choose from"),
        ({"units": "16"}, r"space\['units'\] must be values to choose from"),
    ],
)
def test_a_space_that_cannot_work_is_refused(vectors, space, says):
    with pytest.raises(BadOption, match=says):
        search(trainer(vectors), space)


def test_a_range_that_cannot_work_is_refused():
    with pytest.raises(BadOption, match="the lower first"):
        Between(2, 1)
    with pytest.raises(BadOption, match="both ends must be above 0"):
        trials.Between(0, 1, log=True)


def test_without_validation_data_there_is_nothing_to_choose_by(vectors):
    def train(units):
        return training.fit(scratch.build(64, 10, (units,)), vectors["train"], epochs=1)

    with pytest.raises(BadOption, match="Trials are compared on validation data"):
        search(train, {"units": [4, 8]})
