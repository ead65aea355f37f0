import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from blog import drawing, figures
from blog.errors import FigureError

NAMES = ["<img src=x onerror=alert(1)>", "$x^{$", "a\x00b & c", "x" * 500]


def matrix() -> pd.DataFrame:
    return pd.DataFrame(np.eye(4, dtype=int) * 9 + 1, index=NAMES, columns=NAMES)


def curves() -> dict[int, pd.DataFrame]:
    def run(epochs: int) -> pd.DataFrame:
        rise = np.linspace(0.5, 0.9, epochs)
        return pd.DataFrame({"accuracy": rise, "val_accuracy": rise - 0.1}, range(1, epochs + 1))

    return {seed: run(4 + seed) for seed in range(3)}


SCORES = {
    "cnn": {"accuracy": {"mean": 0.9, "low": 0.88, "high": 0.92, "values": [0.89, 0.91]}},
    "majority": {"accuracy": 0.1},
}


def test_the_same_pictures_give_the_same_bytes():
    sheet = [figures.errors(np.eye(8)[None], ["one"]).webp() for _ in range(2)]
    assert sheet[0] == sheet[1]


@pytest.mark.parametrize(
    "figure",
    [
        lambda: figures.confusion(matrix()),
        lambda: figures.learning_curves(curves()),
        lambda: figures.comparison(SCORES, "accuracy"),
    ],
)
def test_a_figure_is_well_formed_on_a_transparent_ground_with_words_and_data(figure):
    drawn = figure()
    for svg in (drawn.light, drawn.dark):
        tree = ElementTree.fromstring(svg)
        ground = svg[svg.index('id="patch_1"') :][:300]
        assert "fill: none" in ground or "opacity: 0" in ground
        assert "<metadata" not in svg
        assert tree.find(".//{*}text") is not None
        assert tree.find(".//{*}script") is None
        assert not re.search(r"(?:href|src)=\"(?!#)", svg)
    assert drawn.light != drawn.dark
    assert len(drawn.alt) > 20
    assert len(drawn.data)


def test_learning_curves_show_the_median_and_end_where_half_of_the_seeds_ended():
    data = figures.learning_curves(curves()).data
    assert list(data["epoch"]) == [1, 2, 3, 4, 5]  # 4, 5 and 6 epochs: two of three reach 5
    at_four = sorted(run.loc[4, "accuracy"] for run in curves().values())
    assert data.set_index("epoch").loc[4, "training median"] == pytest.approx(at_four[1])
    assert data.set_index("epoch").loc[4, "training low"] == pytest.approx(at_four[0])


def test_a_comparison_of_scores_keyed_by_seed_shows_their_mean():
    by_seed = {0: {"a": {"f": 0.25}, "b": {"f": 0.9}}, 1: {"a": {"f": 0.75}, "b": {"f": 0.9}}}
    data = figures.comparison(by_seed, "f").data
    assert data.to_dict("list") == {"model": ["b", "a"], "f": [0.9, 0.5]}


def test_an_unknown_metric_is_named_with_what_there_is():
    with pytest.raises(FigureError, match=r"`acuracy`. Did you mean `accuracy`\?"):
        figures.learning_curves(curves(), "acuracy")
    with pytest.raises(FigureError, match="no model has the metric `f1`"):
        figures.comparison(SCORES, "f1")


def test_a_figure_without_words_is_refused():
    with pytest.raises(FigureError, match="alt"):
        figures.from_axes(lambda axes: None, data=pd.DataFrame(), alt=" ")


def test_an_error_sheet_wants_one_caption_per_picture_and_takes_none_at_all():
    with pytest.raises(FigureError, match="2 pictures and 1 captions"):
        figures.errors(np.zeros((2, 8, 8, 1)), ["one"])
    assert figures.errors(np.zeros((0, 8, 8, 1)), []).alt == "Sheet of 0 pictures with captions."
    assert figures.errors(np.zeros((3, 8, 8, 4)), ["", "a\nb", "c" * 900]).image.mode == "RGB"


def _linear(colour: str) -> np.ndarray:
    channels = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


# Machado, Oliveira and Fernandes 2009, severity 1.
DEFICIENCIES = {
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def _lab(linear: np.ndarray) -> np.ndarray:
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.clip(to_xyz @ linear / [0.9505, 1, 1.089], 1e-4, None))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("mode", ["light", "dark"])
@pytest.mark.parametrize("deficiency", DEFICIENCIES)
def test_the_first_series_stay_apart_for_every_kind_of_colour_vision(mode, deficiency):
    seen = [
        _lab(np.clip(DEFICIENCIES[deficiency] @ _linear(colour), 0, 1))
        for colour in drawing.SERIES[mode][:4]
    ]
    for number, one in enumerate(seen):
        for other in seen[:number]:
            assert np.linalg.norm(one - other) > 15


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_series_and_words_stand_out_from_the_paper(mode):
    def luminance(colour: str) -> float:
        return float(np.dot([0.2126, 0.7152, 0.0722], _linear(colour)))

    def contrast(colour: str) -> float:
        high, low = sorted([luminance(colour), luminance(drawing.PAPER[mode])], reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert all(contrast(colour) >= 3 for colour in drawing.SERIES[mode])
    assert contrast(drawing.INK[mode]) >= 7
    assert contrast(drawing.FAINT[mode]) >= 4.5
