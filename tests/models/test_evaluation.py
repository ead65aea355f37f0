"""Figures worked by hand, splits that keep groups whole, duplicates found."""

import io

import numpy as np
import pandas as pd
import pytest

from models import evaluation
from models.errors import BadData, BadOption
from models.evaluation import pictures


def test_accuracy_takes_labels_scores_and_probabilities_of_a_yes():
    assert evaluation.accuracy(["a", "b", "b", "a"], ["a", "b", "a", "a"]) == 0.75
    assert evaluation.accuracy([1, 0], [[0.2, 0.8], [0.4, 0.6]]) == 0.5
    assert evaluation.accuracy([1, 0, 1], [[0.9], [0.2], [0.4]]) == pytest.approx(2 / 3)


def test_confusion_counts_true_rows_against_predicted_columns():
    counts = evaluation.confusion(["cat", "cat", "dog"], ["dog", "cat", "dog"], ["cat", "dog"])
    assert counts.to_numpy().tolist() == [[1, 1], [0, 1]]
    assert counts.loc["cat", "dog"] == 1
    positions = evaluation.confusion([0, 0, 1], [1, 0, 1], ["cat", "dog"])
    pd.testing.assert_frame_equal(positions, counts)


def test_names_are_not_compared_with_numbers_nor_strangers_counted():
    with pytest.raises(BadData, match=r"np.asarray\(classes\)\[predicted\]"):
        evaluation.accuracy(["cat", "dog"], [0, 1])
    with pytest.raises(BadData, match=r"outside the classes: .*eel"):
        evaluation.confusion(["cat", "eel"], ["cat", "cat"], ["cat", "dog"])
    with pytest.raises(BadData, match="One label per example"):
        evaluation.accuracy([1, 2, 3], [1, 2])


def test_the_interval_is_students_t_as_worked_by_hand_and_as_scipy_has_it():
    # Mean 0.92, s = sqrt(0.001 / 4) = 0.0158114, t(0.975, 4) = 2.776445:
    # half-width 2.776445 × 0.0158114 / sqrt(5) = 0.0196325.
    values = [0.90, 0.91, 0.92, 0.93, 0.94]
    found = evaluation.interval(values)
    assert found["low"] == pytest.approx(0.92 - 0.0196325, abs=1e-6)
    assert found["high"] == pytest.approx(0.92 + 0.0196325, abs=1e-6)
    assert found["values"] == values
    assert (found["n"], found["method"]) == (5, "t over 5 seeds, 95 %")
    from scipy import stats

    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((expected.low, expected.high))


def test_one_seed_gives_no_interval_and_nan_none_at_all():
    found = evaluation.interval([0.5])
    assert (found["mean"], found["low"], found["high"], found["n"]) == (0.5, None, None, 1)
    with pytest.raises(BadData, match="finite numbers"):
        evaluation.interval([0.5, float("nan")])
    with pytest.raises(BadData, match="finite numbers"):
        evaluation.interval([])


def icons(rows=1000, sets=60):
    chance = np.random.default_rng(0)
    return pd.DataFrame({"set": chance.integers(0, sets, rows).astype(str), "row": range(rows)})


def test_a_split_by_rows_has_the_shares_asked_for_and_every_row_once():
    split = evaluation.split_rows(icons(), seed=1)
    assert [len(rows) for rows in split.values()] == [700, 100, 200]
    assert list(split) == ["train", "validation", "test"]
    assert sorted(pd.concat(split.values())["row"]) == list(range(1000))


def test_a_split_by_group_keeps_every_group_whole():
    split = evaluation.split_rows(icons(), by="set", seed=1)
    sets = [set(rows["set"]) for rows in split.values()]
    assert not sets[0] & sets[1] | sets[0] & sets[2] | sets[1] & sets[2]
    assert abs(len(split["test"]) - 200) < 20
    assert abs(len(split["validation"]) - 100) < 20
    assert sorted(pd.concat(split.values())["row"]) == list(range(1000))


def test_a_split_follows_its_seed_and_leaves_global_random_state_alone():
    np.random.seed(3)
    expected = np.random.random()
    np.random.seed(3)
    first, again, other = (evaluation.split_rows(icons(), by="set", seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(first["test"], again["test"])
    assert set(first["test"]["set"]) != set(other["test"]["set"])
    assert np.random.random() == expected


def test_a_split_by_group_does_not_depend_on_the_order_of_rows():
    table = icons()
    mixed = table.sample(frac=1, random_state=0)
    first, second = (evaluation.split_rows(t, by="set", seed=4)["test"] for t in (table, mixed))
    assert set(first["set"]) == set(second["set"])


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"by": "sets"}, BadOption, "No column 'sets' to split by; columns: set, row"),
        ({"test": 0.8, "validation": 0.3}, BadOption, "must leave rows to train on"),
        ({"by": "one"}, BadData, "1 groups of 'one' leave nothing for"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(arguments, error, says):
    table = icons().assign(one=1) if arguments.get("by") == "one" else icons()
    with pytest.raises(error, match=says):
        evaluation.split_rows(table, **arguments, seed=1)


def noise(rows, seed):
    return np.random.default_rng(seed).random((rows, 12, 12, 1)).astype("float32")


def test_exact_and_near_duplicates_of_held_out_pictures_leave_training():
    pixels = {"train": noise(40, 1), "validation": noise(10, 2), "test": noise(20, 3)}
    pixels["train"][5] = pixels["test"][7]
    pixels["train"][6] = np.clip(pixels["test"][8] + 0.01, 0, 1)
    pixels["train"][7] = pixels["validation"][2]
    pixels["validation"][3] = pixels["test"][1]
    pixels["train"][9] = pixels["train"][8]  # within one part nothing leaks
    split = {name: pd.DataFrame({"row": range(len(x))}) for name, x in pixels.items()}
    kept, counts = evaluation.drop_duplicates_across(split, pixels)
    assert counts == {
        "train": {"exact": 2, "near": 1},
        "validation": {"exact": 1, "near": 0},
    }
    assert kept["train"]["row"].tolist() == [0, 1, 2, 3, 4, *range(8, 40)]
    assert kept["validation"]["row"].tolist() == [0, 1, 2, *range(4, 10)]
    assert len(kept["test"]) == 20


def test_the_quick_search_finds_the_distances_a_plain_one_does():
    x, others = noise(30, 1), noise(25, 2)
    others[:10] = np.clip(
        x[:10] + np.linspace(0, 0.2, 10, dtype="float32")[:, None, None, None], 0, 1
    )
    plain = np.abs(x[:, None] - others[None]).mean(axis=(2, 3, 4)).min(axis=1)
    found = pictures._nearest_difference(x.reshape(30, -1), others.reshape(25, -1), 0.1)
    np.testing.assert_allclose(found[plain <= 0.1], plain[plain <= 0.1], rtol=1e-4)
    assert (found[plain > 0.101] > 0.1).all()


def test_encoded_pictures_are_compared_by_their_pixels_on_white():
    from PIL import Image

    def encoded(picture, kind):
        file = io.BytesIO()
        picture.save(file, kind)
        return file.getvalue()

    ring = Image.new("RGBA", (32, 32))
    ring.paste("black", (8, 8, 24, 24))
    on_white = Image.new("RGB", (32, 32), "white")
    on_white.paste("black", (8, 8, 24, 24))
    other = Image.new("L", (32, 32), 128)
    split = {
        "train": pd.DataFrame({"picture": [encoded(on_white, "BMP"), encoded(other, "PNG")]}),
        "validation": pd.DataFrame({"picture": []}),
        "test": pd.DataFrame({"picture": [encoded(ring, "PNG")]}),
    }
    kept, counts = evaluation.drop_duplicates_across(split, "picture")
    assert counts["train"] == {"exact": 1, "near": 0}
    assert len(kept["train"]) == 1
    with pytest.raises(BadOption, match="No column 'image'"):
        evaluation.drop_duplicates_across(split, "image")


def test_pictures_that_do_not_match_their_rows_are_refused():
    split = {name: pd.DataFrame({"row": range(3)}) for name in ("train", "validation", "test")}
    with pytest.raises(BadData, match="2 pictures for the 3 rows of 'train'"):
        evaluation.drop_duplicates_across(split, dict.fromkeys(split, noise(2, 1)))
