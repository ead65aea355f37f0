"""Data sets of tensorflow_datasets as tables; the ones here are written by the test itself."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest

from scraping.errors import Misuse
from scraping.sources.catalogue import dataset

LABELS = ["wren", "swift", "tit"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the data set `birds` of two splits."""
    tfds = pytest.importorskip("tensorflow_datasets")
    import numpy as np

    folder = tmp_path_factory.mktemp("tfds")
    random = np.random.default_rng(0)

    def example(number: int) -> dict:
        return {
            "image": random.integers(0, 255, (8, 8, 3), np.uint8),
            "photo": random.integers(0, 255, (8, 8, 3), np.uint8),
            "label": number % 3 if number else -1,
            "name": f"Vogel {number} – 鳥",
            "wing": number * 0.5,
            "seen": number % 2 == 0,
            "sizes": np.arange(3, dtype=np.int64) + number,
            "tags": [f"a{number}", "b"],
            "place": {"town": "Köln", "count": number},
        }

    tfds.dataset_builders.store_as_tfds_dataset(
        name="birds",
        version="1.0.0",
        data_dir=folder,
        features=tfds.features.FeaturesDict(
            {
                "image": tfds.features.Image(shape=(8, 8, 3), encoding_format="png"),
                "photo": tfds.features.Image(shape=(8, 8, 3), encoding_format="jpeg"),
                "label": tfds.features.ClassLabel(names=LABELS),
                "name": tfds.features.Text(),
                "wing": np.float32,
                "seen": np.bool_,
                "sizes": tfds.features.Tensor(shape=(3,), dtype=np.int64),
                "tags": tfds.features.Sequence(tfds.features.Text()),
                "place": {"town": tfds.features.Text(), "count": np.int64},
            }
        ),
        split_datasets={
            "train": [(f"t{number}", example(number)) for number in range(6)],
            "test": [(f"e{number}", example(number)) for number in range(2)],
        },
    )
    return folder


@pytest.mark.slow
def test_a_split_is_a_table_of_plain_values(folder):
    from PIL import Image

    table = dataset("birds", folder=folder)
    assert list(table.columns) == [
        "image", "label", "name", "photo", "place.count", "place.town", "seen", "sizes", "tags",
        "wing",
    ]  # fmt: skip
    assert len(table) == 6
    row = table[table["place.count"] == 4].iloc[0]
    assert (row["label"], row["name"], row["wing"], row["place.town"]) == (
        "swift", "Vogel 4 – 鳥", 2.0, "Köln",
    )  # fmt: skip
    assert (row["seen"], list(row["sizes"]), list(row["tags"])) == (True, [4, 5, 6], ["a4", "b"])
    unlabelled = table.loc[table["place.count"] == 0, "label"].iloc[0]
    assert unlabelled is None or unlabelled != unlabelled
    for column in ("image", "photo"):
        image = Image.open(io.BytesIO(row[column]))
        assert (image.format, image.size, image.mode) == ("PNG", (8, 8), "RGB")


@pytest.mark.slow
def test_other_splits_and_the_folder_of_one_version_are_read(folder):
    assert len(dataset("birds", split="test", folder=folder)) == 2
    assert len(dataset("birds", split="train[:50%]", folder=folder)) == 3
    assert len(dataset("birds:1.0.0", folder=folder)) == 6
    assert len(dataset("birds", folder=folder / "birds" / "1.0.0")) == 6


@pytest.mark.slow
def test_what_is_not_there_is_told(folder):
    with pytest.raises(Misuse, match="there is train, test"):
        dataset("birds", split="validation", folder=folder)
    with pytest.raises(Misuse, match="no such data set"):
        dataset("no_birds_at_all", folder=folder)


@pytest.mark.parametrize(
    "name", ["", "../birds", "huggingface:x", "user:birds/1", "birds;x", "Birds", "/etc", "a b"]
)
def test_a_name_that_would_run_foreign_code_or_is_none_is_refused(name):
    with pytest.raises(Misuse, match="a name is such as"):
        dataset(name)


def test_importing_it_imports_neither_tensorflow_nor_pandas():
    said = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, scraping.sources.catalogue; print([name for name in sys.modules "
            "if name in ('tensorflow', 'tensorflow_datasets', 'pandas')])",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert said.stdout.strip() == "[]"
