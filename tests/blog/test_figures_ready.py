"""Every figure that is ready to use: what it says, how large it is, what it refuses."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import subprocess
import sys
from functools import cache
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from blog import figures
from blog.errors import FigureError

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "$x^{$",
    "a\x00b & c",
    "x" * 500,
    "\u202eשלום",
    "{{7*7}}",
]
NAN = float("nan")


def curve(seed: int, epochs: int = 12) -> pd.DataFrame:
    rise = 1 - np.exp(-np.arange(1, epochs + 1) / (4 + seed))
    return pd.DataFrame(
        {"accuracy": 0.5 + 0.4 * rise, "val_accuracy": 0.5 + 0.3 * rise}, range(1, epochs + 1)
    )


def answers(seed: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    true = (draw.random(300) < 0.3).astype(int)
    return true, 1 / (1 + np.exp(1 - draw.normal(0, 1, 300) - apart * true))


def clusters(n: int, classes: int) -> tuple[np.ndarray, list[str]]:
    draw = np.random.default_rng(1)
    of = np.arange(n) % classes
    codes = draw.normal(0, 3, (classes, 2))[of] + draw.normal(0, 0.7, (n, 2))
    return codes, [f"class {number}" for number in of]


def by_model(one) -> dict:
    return {
        model: {seed: one(seed, apart) for seed in range(3)}
        for model, apart in (("cnn", 3), ("logistic_regression", 1), (HOSTILE[0], 0.5))
    }


def counts(names: list[str]) -> pd.DataFrame:
    draw = np.random.default_rng(2)
    matrix = draw.poisson(1, (len(names),) * 2) + np.diag(draw.poisson(40, len(names)))
    return pd.DataFrame(
        matrix, pd.Index(names, name="true"), pd.Index(names, name="predicted")
    )  # fmt: skip


def sizes(seed: int, depth: int) -> dict[str, float]:
    return {f"dense{layer}": 10.0 ** (layer - depth) * (1 + seed / 9) for layer in range(1, 7)}


DRAWN = {
    "curves": lambda: figures.learning_curves({s: curve(s) for s in range(3)}, kept={0: 8, 1: 9}),
    "models": lambda: figures.learning_curves(by_model(lambda s, a: curve(s + int(a)))),
    "confusion": lambda: figures.confusion(counts([*HOSTILE, "arrow", "bell", "cloud"])),
    "comparison": lambda: figures.comparison(
        {"cnn": {"mean": 0.9, "low": 0.8, "high": 0.95, "values": [0.8, 0.9]}, HOSTILE[1]: 0.5}, "f"
    ),
    "calibration": lambda: figures.calibration(by_model(answers)),
    "precision_recall": lambda: figures.precision_recall(by_model(answers)),
    "roc": lambda: figures.roc(by_model(answers)),
    "latent_map": lambda: figures.latent_map(*clusters(5000, 12)),
    "gradients": lambda: figures.gradients(by_model(lambda s, a: sizes(s, int(4 + a)))),
}


@cache
def drawn(name: str) -> figures.Figure:
    return DRAWN[name]()


every = pytest.mark.parametrize("name", DRAWN)


@every
def test_a_figure_is_safe_real_text_with_its_data_and_a_sentence(name):
    figure = drawn(name)
    for svg in (figure.light, figure.dark):
        tree = ElementTree.fromstring(svg)
        assert len(tree.findall(".//{*}text")) > 3
        assert not [part for part in tree.iter() if re.search("script|image", str(part.tag))]
        assert not re.search(r"(?:href|src)=\"(?!#)", svg)
        used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', svg))
        assert used <= {part.get("id") for part in tree.iter()}
    assert figure.light != figure.dark
    assert figure.alt.endswith(".")
    assert re.search(r"\d", figure.alt)
    assert "\n" not in figure.alt
    assert "x" * 100 not in figure.alt
    assert len(figure.data)
    assert len(set(figure.data.columns)) == len(figure.data.columns)


@every
def test_a_figure_is_small(name):
    svg = drawn(name).light.encode()
    assert len(gzip.compress(svg)) <= 15_000
    assert len(svg) <= 60_000


@every
def test_letters_have_eleven_pixels_on_a_phone(name):
    svg = drawn(name).light
    width = float(re.search(r'width="([\d.]+)pt"', svg)[1])
    letters = [float(size) for size in re.findall(r"font(?:-size)?: ([\d.]+)px", svg)]
    assert letters
    assert min(letters) * 358 / width >= 11


def digest() -> str:
    # Those of rankings are drawn in the same way, and would cost the import of scikit-learn.
    names = [name for name in DRAWN if name not in ("precision_recall", "roc")]
    both = "".join(drawn(name).light + drawn(name).dark + drawn(name).alt for name in names)
    sheet = figures.samples(np.linspace(0, 1, 2 * 3 * 64).reshape(2, 3, 8, 8), ["a", "b"])
    return hashlib.sha256(both.encode() + sheet.webp()).hexdigest()


def test_another_process_draws_the_same_bytes_whatever_its_hashes_and_settings(tmp_path):
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\nlines.linewidth: 9")
    told = f"import runpy; print(runpy.run_path({__file__!r})['digest']())"
    other = subprocess.run(
        [sys.executable, "-c", told],
        capture_output=True,
        check=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert other.stdout.strip() == digest()


# -- what they say ---------------------------------------------------------------------------------


def test_the_kept_epoch_is_the_median_of_the_seeds():
    assert "Kept epoch: 8.5." in drawn("curves").alt


def test_curves_by_seed_and_then_model_are_those_by_model_and_then_seed():
    models = {"a": {0: curve(0), 1: curve(1)}, "b": {0: curve(2), 1: curve(3)}}
    seeds = {seed: {model: models[model][seed] for model in models} for seed in (0, 1)}
    one, other = figures.learning_curves(models), figures.learning_curves(seeds)
    assert (one.light, one.alt) == (other.light, other.alt)
    pd.testing.assert_frame_equal(one.data, other.data)


def test_the_table_of_a_confusion_matrix_names_the_truth_once():
    data = drawn("confusion").data
    assert [name for name in data.columns if "true" in str(name)] == ["true \\ predicted"]
    assert list(data["true \\ predicted"][-2:]) == ["bell", "cloud"]


def test_calibration_by_hand_and_from_a_table():
    # Said 0.2 five times, once true; said 0.9 four times, always true: (5·0 + 4·0.1) / 9.
    true, said = [1, 0, 0, 0, 0, 1, 1, 1, 1], [0.2] * 5 + [0.9] * 4
    figure = figures.calibration((true, said))
    assert figure.data["observed"].tolist() == pytest.approx([0.2, 1])
    assert figure.data["n"].tolist() == [5, 4]
    assert "expected calibration error 0.044" in figure.alt
    table = pd.DataFrame({"predicted": [0.2, 0.9], "observed": [0.2, 1.0], "n": [5, 4]})
    assert figures.calibration(table).alt == figure.alt


def test_calibration_agrees_with_the_evaluation_of_the_models():
    from models import evaluation

    true = np.arange(120) % 3
    said = np.random.default_rng(0).dirichlet([1, 1, 1], 120)
    figure = figures.calibration((true, said))
    table = evaluation.calibration(true, said)
    pd.testing.assert_frame_equal(figure.data, table, check_dtype=False)
    assert f"{evaluation.calibration_error(true, said):.3f}" in figure.alt
    assert figures.calibration(table).light == figure.light


def test_seeds_are_counted_together_and_their_errors_averaged():
    # One seed says too little by 0.5, the other too much: together they are right, each is not.
    figure = figures.calibration({0: ([1, 1], [0.5, 0.5]), 1: ([0, 0], [0.5, 0.5])})
    assert figure.data.iloc[0][["observed", "low", "high", "n"]].tolist() == [0.5, 0, 1, 4]
    assert "error 0.5" in figure.alt


def test_precision_and_recall_by_hand():
    # In the order of the scores: yes, no, yes. Recall 1/2 at precision 1, recall 1 at 2/3.
    figure = figures.precision_recall(([1, 0, 1], [0.9, 0.8, 0.7]))
    data = figure.data.set_index("recall")["precision"]
    assert data[0.5] == 1
    assert data[1.0] == pytest.approx(2 / 3, abs=1e-4)
    assert "average precision 0.833; chance gives 0.667" in figure.alt


def test_roc_by_hand():
    figure = figures.roc(([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]))
    data = figure.data.set_index("false positive rate")["true positive rate"]
    assert (data[0.0], data[0.5], data[1.0]) == (0.5, 1, 1)
    assert "AUC 0.75" in figure.alt


def test_a_gradient_that_vanishes_is_told_as_a_ratio():
    figure = figures.gradients({"sigmoid": [0.001, 0.1, 1.0], "relu": [0.5, 0.0, 1.0]})
    assert "sigmoid from 0.001 in the first to 1 in the last of 3 layers, a ratio of 0.001" in (
        figure.alt
    )
    assert "a ratio of 0.5, and exactly 0 in 1 of them" in figure.alt
    assert list(figure.data["sigmoid"]) == [0.001, 0.1, 1.0]


def test_a_row_of_curves_gives_layers_their_names():
    row = pd.Series({"gradient_dense1": 0.2, "gradient_scores": 0.4})
    figure = figures.gradients(row)
    assert list(figure.data["name"]) == ["dense1", "scores"]
    assert ">dense1</text>" in figure.light


def test_the_lowest_error_comes_first_where_low_is_best():
    scores = {"a": {"loss": 0.5}, "b": {"loss": 0.2}, "c": {"loss": [0.3, 0.5]}}
    figure = figures.comparison(scores, "loss", best="low")
    assert list(figure.data["model"]) == ["b", "c", "a"]
    assert "the lower the better" in figure.alt


def test_differences_carry_their_sign_and_what_they_are_differences_from():
    # As evaluation.compare_seeds gives them.
    difference = {"values": [0.2, 0.1, 0.2], "mean": 1 / 6, "low": 0.02, "high": 0.31, "n": 3}
    figure = figures.comparison({"cnn": difference, "knn": -0.1}, "accuracy", reference="linear")
    assert "from linear" in figure.alt
    assert "cnn +0.167" in figure.alt
    assert "knn −0.1" in figure.alt
    with pytest.raises(FigureError, match="compare_seeds"):
        figures.comparison({"cnn": 0.9, "linear": 0.8}, "accuracy", reference="linear")


def test_many_models_are_cut_in_the_drawing_and_whole_in_the_table():
    figure = figures.comparison({f"m{number}": number / 60 for number in range(60)}, "f")
    assert "and 36 more" in figure.alt
    assert len(figure.data) == 60
    assert len(gzip.compress(figure.light.encode())) < 15_000


def test_names_beside_a_large_confusion_matrix_do_not_touch():
    svg = figures.confusion(counts([f"subject {number}" for number in range(60)])).light
    shown = re.findall(r">subject \d+</text>", svg)
    assert 20 < len(shown) < 60
    assert len(gzip.compress(svg.encode())) < 40_000


def test_a_map_is_thinned_evenly_and_names_every_class():
    figure = drawn("latent_map")
    assert "Map of 5000 codes of 12 classes" in figure.alt
    assert figure.data["n"].sum() == 5000
    assert 800 < figure.light.count("<use") < 1400
    assert set(re.findall(r">(class \d+)</text>", figure.light)) <= set(figure.data["class"])


def test_no_two_of_ten_lines_look_alike():
    from blog.figures.words import style

    looks = [str(sorted(map(str, style(place).items()))) for place in range(10)]
    assert len(set(looks)) == 10
    greys = [(style(place)["marker"], style(place)["linestyle"]) for place in range(5)]
    assert len(set(map(str, greys))) == 5


# -- sheets ----------------------------------------------------------------------------------------


def test_samples_over_time_have_a_row_for_each_epoch():
    images = np.random.default_rng(0).random((3, 5, 8, 12, 1))
    sheet = figures.samples(images, ["epoch 1", "epoch 5", HOSTILE[3]], what="samples")
    assert sheet.alt.startswith("Grid of samples, 3 rows of 5. Rows from above: epoch 1; epoch 5; ")
    assert list(sheet.data["pictures"]) == [5, 5, 5]
    assert sheet.image.width <= 812
    assert sheet.webp()[8:12] == b"WEBP"


def test_pictures_keep_their_proportions():
    image = figures.errors(np.zeros((1, 4, 40)), [""]).image  # 88 × 9 pixels of a tile of 88 × 88
    dark = [y for y in range(image.height) if image.getpixel((56, y)) == (0, 0, 0)]
    assert len(dark) == 9
    assert sum(dark) / 9 == pytest.approx(12 + 44, abs=1)


# -- what they refuse ------------------------------------------------------------------------------


def frame(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"loss": values})


REFUSED = {
    "found no finite value in `loss`; received 1 curves of length 2": lambda: (
        figures.learning_curves(frame(NAN, NAN), "loss")
    ),
    "needs a frame of epochs.*received dict of length 0": lambda: figures.learning_curves({}),
    "received str of length 1 for 'a'": lambda: figures.learning_curves({"a": "b"}),
    "got 11 lines": lambda: figures.learning_curves({f"m{n}": frame(1) for n in range(11)}, "loss"),
    "`kept` has a model 'b'": lambda: figures.learning_curves(
        {"a": frame(1)}, "loss", kept={"b": 1}
    ),
    "received nan among them": lambda: figures.confusion(pd.DataFrame([[NAN]], ["a"], ["a"])),
    "received nothing but zeros": lambda: figures.confusion(pd.DataFrame([[0]], ["a"], ["a"])),
    "needs numbers as counts": lambda: figures.confusion(pd.DataFrame([["q"]], ["a"], ["a"])),
    "square table.*received 0 rows": lambda: figures.confusion(pd.DataFrame()),
    r"received \[nan\] as `f` of 'a'": lambda: figures.comparison({"a": {"f": NAN}}, "f"),
    "received 'highest'": lambda: figures.comparison({"a": 1.0}, "f", best="highest"),
    "received 0.5 to 1.5": lambda: figures.calibration(([0, 1], [0.5, 1.5])),
    r"received \['a', 'b'\]": lambda: figures.calibration((["a", "b"], [0.5, 0.5])),
    r"shapes \(0,\) and \(0,\)": lambda: figures.calibration(([], [])),
    "needs numbers as probabilities": lambda: figures.calibration(([0], ["x"])),
    "from 1 to 100 bins; received 0": lambda: figures.calibration(([0], [0.5]), bins=0),
    r"both among them; received \['1'\]": lambda: figures.roc(([1, 1], [0.5, 0.6])),
    "one against the rest": lambda: figures.precision_recall(([1, 0], np.eye(3)[:2])),
    "received 1 of 2 that are not": lambda: figures.roc(([1, 0], [1, NAN])),
    r"received \(4, 3\)": lambda: figures.latent_map(np.zeros((4, 3))),
    "received 1 of 2": lambda: figures.latent_map([[0, 1], [NAN, 1]]),
    "1 codes and 2 labels": lambda: figures.latent_map([[1, 1]], ["a", "b"]),
    "received nan in layer 1 of 'a'": lambda: figures.gradients({"a": [NAN, 1]}),
    "different layers; received 2, 1": lambda: figures.gradients({"a": {0: [1, 2], 1: [1]}}),
    r"received shape \(4, 8, 8\)": lambda: figures.samples(np.zeros((4, 8, 8)), ["a"]),
    "1 names for 2 rows": lambda: figures.samples(np.zeros((2, 3, 8, 8)), ["a"]),
    "Give it fewer columns": lambda: figures.samples(np.zeros((1, 99, 8, 8)), ["a"]),
    r"received \(8, 8, 2\)": lambda: figures.errors(np.zeros((1, 8, 8, 2)), ["a"]),
}


@pytest.mark.parametrize("told", REFUSED)
def test_what_cannot_be_drawn_is_refused_with_what_was_received(told):
    with pytest.raises(FigureError, match=told):
        REFUSED[told]()


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.learning_curves(frame(1, 1, 1), "loss"),
        lambda: figures.learning_curves(frame(1), "loss", kept=0),
        lambda: figures.calibration(([1, 1], [1.0, 1.0])),
        lambda: figures.roc(([1, 0], [1, 1])),
        lambda: figures.latent_map([[1, 1], [1, 1]]),
        lambda: figures.gradients([0, 0]),
        lambda: figures.confusion(pd.DataFrame([[3]], ["a"], ["a"])),
    ],
)
def test_constant_and_single_values_are_drawn(draw):
    assert ElementTree.fromstring(draw().dark) is not None
