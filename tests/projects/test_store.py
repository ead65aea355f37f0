"""Every kind of value there and back, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from blog import figures
from projects.spine import document
from projects.spine.cache import Cache
from projects.spine.errors import UnsupportedValue
from projects.spine.store import Store, Stored


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "values", tmp_path / "archive", Cache(tmp_path / "cache.json"))


def there_and_back(store: Store, value: Any) -> Any:
    store.save("step", "", "key", value, where="project.py:1: step `step`", more={"seconds": 1})
    found = store.find("step", "", "key")
    assert isinstance(found, Stored), found
    assert not list(store.folder.rglob("*.pkl"))
    return store.load(found)


def counted(store: Store) -> int:
    """How many trainings the results tell of, behind the value that was saved last."""
    saved = store.find("step", "", "key")
    assert isinstance(saved, Stored)
    return document._trainings(SimpleNamespace(store=store), saved)


@pytest.mark.parametrize(
    "value",
    [True, 3, 0.1, "Grüße\n", [1, [2.5, None]], {"a": {"b": [1, "x"]}}, float("inf")],
    ids=repr,
)
def test_numbers_and_text_come_back_as_they_were(store, value):
    assert there_and_back(store, value) == value


def test_numpy_scalars_come_back_as_numbers(store):
    assert there_and_back(store, {"a": np.float32(0.5), "b": np.int64(3)}) == {"a": 0.5, "b": 3}


def test_a_table_comes_back_with_its_types_and_index(store):
    table = pd.DataFrame(
        {
            "text": ["a", None],
            "whole": pd.array([1, None], dtype="Int64"),
            "real": [0.5, np.nan],
            "bytes": [b"\x00\xff", b""],
            "day": pd.to_datetime(["2026-11-23", "2026-11-24"]),
        },
        index=pd.Index(["x", "y"], name="key"),
    )
    pd.testing.assert_frame_equal(there_and_back(store, table), table)


def test_a_series_comes_back(store):
    series = pd.Series([1.0, 2.0], index=["a", "b"])
    pd.testing.assert_series_equal(there_and_back(store, series), series)


@pytest.mark.parametrize("dtype", ["float32", "int8", "bool", "U3", "complex128"])
def test_arrays_come_back_bit_for_bit(store, dtype):
    array = np.array([[0, 1], [2, 3]]).astype(dtype)
    back = there_and_back(store, array)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


FRESH_PROCESS = """
import sys
from pathlib import Path
import numpy as np
from projects.spine.cache import Cache
from projects.spine.store import Store
folder = Path(sys.argv[1])
store = Store(folder / "values", folder / "archive", Cache(folder / "cache.json"))
found = store.load(store.find("step", "", "key"))
with np.load(folder / "expected.npz") as expected:
    for name, model in found.items():
        given = model.predict(expected[name + "_in"], verbose=0)
        assert np.array_equal(given, expected[name + "_out"]), name
print(sorted(found))
"""


@pytest.mark.slow
def test_networks_with_layers_of_our_own_come_back_in_a_process_that_never_built_one(
    store, tmp_path
):
    from models import autoencoder, gan, rnn

    networks = {
        "rnn": rnn.build(vocabulary=6, units=(4,), embedding=3),
        "autoencoder": autoencoder.build((8, 8, 1), 2, hidden=(8,), variational=True),
        "gan": gan.build((8, 8, 1), noise=3, size=2),
    }
    given = {
        "rnn": np.array([[1, 2, 5]]),
        "autoencoder": np.full((2, 8, 8, 1), 0.5, dtype="float32"),
        "gan": np.ones((2, 3), dtype="float32"),
    }
    expected = {f"{name}_in": given[name] for name in networks}
    expected |= {
        f"{name}_out": model.predict(given[name], verbose=0) for name, model in networks.items()
    }
    np.savez(tmp_path / "expected.npz", **expected)
    store.save("step", "", "key", networks, where="", more={"seconds": 1})
    done = subprocess.run(
        [sys.executable, "-c", FRESH_PROCESS, tmp_path],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "['autoencoder', 'gan', 'rnn']", done.stderr[-2000:]


def test_what_a_search_and_a_gan_give_comes_back_whole(store):
    from models import gan, scratch, training, trials

    x, y = np.random.default_rng(0).random((40, 4)), np.arange(40) % 2

    def train(hidden):
        return training.fit(scratch.build(4, 2, hidden), (x, y), (x, y), epochs=2, seed=1)

    found = trials.search(train, {"hidden": [(2,), (3,)]}, seed=1)
    back = there_and_back(store, found)
    pd.testing.assert_frame_equal(back.table, found.table)
    assert (back.trainings, back.settings) == (2, found.settings)
    assert counted(store) == 2

    pictures = np.random.default_rng(0).random((32, 8, 8, 1), dtype="float32")
    made = gan.fit(gan.build((8, 8, 1), noise=3, size=2), pictures, epochs=2, sheet=4, seed=1)
    back = there_and_back(store, made)
    np.testing.assert_array_equal(back.samples, made.samples)
    assert back.collapse == made.collapse
    assert counted(store) == 1


def test_a_scratch_network_and_its_training_come_back(store):
    from models import scratch

    x, y = np.eye(4), np.array([0, 1, 0, 1])
    network = scratch.build(4, 2, (3,), dtype="float32", seed=0)
    back = there_and_back(store, network.fit(x, y, epochs=2, seed=0))
    np.testing.assert_array_equal(back.model.predict(x), network.predict(x))
    assert (back.best_epoch, back.trainings, len(back.curves)) == (2, 1, 2)
    stored = store.save("a", "", "1", network, where="", more={"seconds": 1})
    assert (stored.kind, stored.figure) == ("scratch", "23 parameters")
    assert stored.manifest["parameters"] == {"value": 23}
    assert store.save("b", "", "2", network, where="", more={"seconds": 2}).digest == stored.digest


def test_a_dict_keyed_by_seed_keeps_its_keys(store):
    back = there_and_back(store, {0: np.zeros(2), 1: "text", "name": {"x": 1}})
    assert list(back) == [0, 1, "name"]
    assert back["name"] == {"x": 1}


def test_keys_that_would_share_a_file_name_do_not(store):
    value = {"a/b": np.ones(1), "a_b": np.zeros(1), "A_B": np.full(1, 2.0), "../x": np.ones(3)}
    back = there_and_back(store, value)
    assert [list(v) for v in back.values()] == [[1.0], [0.0], [2.0], [1.0, 1.0, 1.0]]


def test_lists_and_tuples_of_tables_come_back_as_what_they_were(store):
    frame = pd.DataFrame({"x": [1]})
    back = there_and_back(store, (frame, [frame, 2]))
    assert isinstance(back, tuple)
    assert isinstance(back[1], list)
    pd.testing.assert_frame_equal(back[1][0], frame)


def test_a_figure_comes_back_with_both_looks_its_data_and_words(store):
    data = pd.DataFrame({"x": [1, 2], "y": [3.0, 4.0]})
    made = figures.from_axes(lambda axes: axes.plot(data.x, data.y), data=data, alt="A line.")
    back = there_and_back(store, made)
    assert (back.light, back.dark, back.alt) == (made.light, made.dark, made.alt)
    pd.testing.assert_frame_equal(back.data, made.data)


def test_a_picture_comes_back_pixel_for_pixel(store):
    picture = Image.effect_mandelbrot((20, 10), (-2, -1, 1, 1), 20).convert("RGB")
    back = there_and_back(store, picture)
    assert back.tobytes() == picture.tobytes()


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (object(), "a object"),
        (lambda: 1, "function"),
        ({1.5: 2}, "key 1.5"),
        ({"deep": [{"er": {1, 2}}]}, "value.deep.0.er"),
        (np.array([object()]), "array of Python objects"),
        ((n for n in range(3)), "a generator"),
    ],
    ids=["object", "function", "key", "deep", "objects", "generator"],
)
def test_any_other_kind_is_refused_with_the_step_and_the_kinds(store, value, said):
    with pytest.raises(UnsupportedValue) as caught:
        there_and_back(store, value)
    assert said in str(caught.value)
    assert "step `step`" in str(caught.value)
    assert store.find("step", "", "key") == "absent"
    assert not [p for p in store.folder.rglob("*") if p.is_file()]


@dataclass
class Foreign:
    x: Any


def test_a_dataclass_from_outside_the_house_is_refused(store):
    with pytest.raises(UnsupportedValue, match="could not be made again"):
        there_and_back(store, Foreign(np.zeros(1)))


def test_a_stored_class_name_from_outside_the_house_is_never_imported(tmp_path):
    from projects.spine.errors import MissingValue
    from projects.spine.reader import Reader

    node = {"kind": "fields", "type": "dataclass", "class": "os:system", "items": []}
    with pytest.raises(MissingValue, match="not Folio's"):
        Reader(tmp_path, tmp_path).read(node)


def test_a_table_that_parquet_cannot_hold_is_told_with_the_step(store):
    with pytest.raises(UnsupportedValue, match=r"step `step` returned a value that cannot be kept"):
        there_and_back(store, pd.DataFrame({"mixed": [1, "a", b"x"]}))


def test_an_array_without_dimensions_stays_one(store):
    assert there_and_back(store, {"x": np.array(3.0), 1: 2})["x"] == 3.0
    assert there_and_back(store, [np.arange(2), np.full((), 2)])[1].shape == ()


def test_equal_values_have_equal_digests_whatever_the_clock_says(store):
    first = store.save("a", "", "1", {"x": np.arange(3)}, where="", more={"seconds": 1})
    second = store.save("a", "", "2", {"x": np.arange(3)}, where="", more={"seconds": 9})
    assert first.digest == second.digest


def test_a_cut_file_is_named(store):
    there_and_back(store, np.arange(1000))
    file = store.place("step", "", "key") / "value.npz"
    file.write_bytes(file.read_bytes()[:-20])
    assert store.find("step", "", "key") == "its stored value.npz was changed"


def test_rows_fetched_on_another_day_are_the_same_rows(store):
    rows = pd.DataFrame({"x": [1, 2], "_url": ["a", "b"], "_fetched": ["today"] * 2})
    later = rows.assign(_fetched="tomorrow")
    first = store.save("a", "", "1", rows.assign(_offset=0), where="", more={"seconds": 1})
    second = store.save("a", "", "2", later.assign(_offset=9), where="", more={"seconds": 1})
    other = store.save("a", "", "3", later.assign(_offset=9, x=3), where="", more={"seconds": 1})
    assert first.digest == second.digest != other.digest


def test_pages_need_the_archive_files_of_their_pictures_as_well(store, tmp_path):
    from scraping.pages import Media, Pages, Ref

    archive = tmp_path / "archive"
    archive.mkdir()
    for name in ("pages.warc", "pages-00001.warc"):
        (archive / name).write_bytes(b"x" * 100)
    shown = (Media("http://x/i.png", "pages-00001.warc", 10), Media("http://x/j.png", "", -1, "no"))
    pages = Pages(archive, [Ref("http://x/", "d", "2026-11-23T00:00:00Z", "pages.warc", 0, shown)])
    store.save("pages", "", "key", pages, where="here", more={})
    assert not isinstance(store.find("pages", "", "key"), str)
    (archive / "pages-00001.warc").unlink()
    assert "pages-00001.warc" in str(store.find("pages", "", "key"))


def test_pages_say_in_their_figure_how_many_addresses_gave_none(tmp_path):
    from projects.spine.kinds import summary
    from scraping.pages import Pages

    assert (
        summary(Pages(tmp_path, [], {"failed": 1_200, "due": 3})) == "0 pages, 1,200 failed, 3 due"
    )
    assert summary(Pages(tmp_path, [], {"failed": 0, "due": 0})) == "0 pages"
