"""The steps of `novelty`, called as the plain functions they are."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scraping import Page

from . import project


def picture(number):
    """A file of 32 × 32 pixels, another one for every number."""
    shades = np.random.default_rng(number).integers(0, 256, (32, 32), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(shades).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def icons():
    """Ten subjects by twelve sets, an icon each."""
    pairs = [(f"subject {s}", f"set {t}") for s in range(10) for t in range(12)]
    rows = pd.DataFrame(pairs, columns=["subject", "set"])
    return rows.assign(image=[picture(number) for number in range(len(rows))])


def judged():
    """Six icons, two of them novel, as `held_out` gives them."""
    return pd.DataFrame(
        {
            "subject": ["key", "key", "car", "car", "bin", "bin"],
            "novel": [False, False, False, False, True, True],
            "image": [picture(number) for number in range(6)],
            "_url": [f"http://sandbox/{number}" for number in range(6)],
            "error_ae16": [0.1, 0.2, 0.3, 0.4, 0.25, 0.5],
            "strange_ae16": [0.1, 0.2, 0.3, 0.4, 0.25, 0.5],
            "strange_pca16": [1.0, 2.0, 3.0, 4.0, 0.5, 0.6],
            "strange_nearest": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        }
    )


def test_rare_subjects_and_a_sets_own_copies_leave_the_table(icons):
    many = pd.concat([icons.assign(subject="key"), icons.head(3).assign(subject="yak")])
    table = project.table(many.drop_duplicates(["image", "set", "subject"]))
    assert set(table["subject"]) == {"key"}
    assert len(table) == len(icons)


def test_no_icon_of_a_novel_subject_is_left_to_train_on(icons):
    parts = project.split(icons, seed=3)
    assert not parts["train"]["novel"].any()
    novel = set(parts["test"].loc[parts["test"]["novel"], "subject"])
    assert len(novel) == project.NOVEL
    assert not novel & set(parts["train"]["subject"])


def test_whole_sets_are_held_out(icons):
    parts = project.split(icons, seed=3)
    sets = [set(parts[name]["set"]) for name in ("train", "validation", "test")]
    assert sum(map(len, sets)) == len(set.union(*sets)) == 12


def test_another_seed_draws_other_novel_subjects(icons):
    drawn = set()
    for seed in range(4):
        test = project.split(icons, seed)["test"]
        drawn.add(frozenset(test.loc[test["novel"], "subject"]))
    assert len(drawn) > 1


def test_a_training_icon_that_the_test_shows_too_is_taken_out(icons):
    copies = icons.assign(image=[picture(0)] * len(icons))
    parts = project.split(copies, seed=3)
    assert parts["train"].empty
    assert parts["removed"]["train"] > 0


def test_the_error_is_of_known_icons_and_the_auc_of_both():
    scored = project.scores(judged(), seed=1)
    assert scored["ae16"]["error"] == pytest.approx(0.25)
    # Of the eight pairs (novel, known) the novel one is stranger in 2 + 4.
    assert scored["ae16"]["auc"] == pytest.approx(6 / 8)
    assert scored["nearest"] == {"auc": 1.0}
    assert scored["pca16"] == {"auc": 0.0}


def test_validation_is_an_interval_over_the_seeds():
    found = project.validation({1: judged(), 2: judged()})
    assert found["ae16"]["error"]["values"] == pytest.approx([0.25, 0.25])


def test_a_subjects_auc_is_that_of_its_icons_against_the_known_ones():
    found = project.subjects({1: judged(), 2: judged()})
    assert list(found.index) == ["bin"]
    assert found.loc["bin", "icons"] == 4
    assert found.loc["bin", ["ae16", "pca16", "nearest"]].tolist() == [6 / 8, 0.0, 1.0]


def test_subjects_are_sorted_from_the_least_noticed():
    rows = judged()
    rows["subject"] = ["key", "key", "car", "car", "star", "bin"]
    assert list(project.subjects({1: rows}).index) == ["star", "bin"]


def test_an_unnoticed_icon_is_shown_once_with_the_share_of_stranger_known_ones():
    sheet = project.unnoticed({1: judged(), 2: judged()})
    assert list(sheet.data["caption"]) == ["bin\n50% stranger", "bin\n0% stranger"]


def test_counts_are_averaged_over_the_seeds(icons):
    counts = project.counts({seed: project.split(icons, seed) for seed in (1, 2)})
    assert counts["known"] > 0
    assert counts["novel"] > 0
    assert counts["train"] == 0


COMMONS = """<h1 id="firstHeading">File:Gnome-heart.svg</h1>
<div class="fullImageLink" id="file"><a href="x.svg"><img src="heart.png" alt=""></a></div>
<table><tr><td id="fileinfotpl_aut">Author</td><td><a href="/wiki/User:Ada">Ada</a></td></tr>
</table>
<span class="licensetpl_short" style="display:none;">CC0</span>
<div id="mw-normal-catlinks"><ul><li><a href="/wiki/Category:CC-Zero">CC-Zero</a></li>
<li><a href="/wiki/Category:Heart_icons">Heart icons</a></li></ul></div>"""


def test_a_files_page_on_commons_gives_a_row(monkeypatch):
    monkeypatch.setattr(project, "image", lambda page, selector: selector.encode())
    monkeypatch.setattr(project, "SOURCE", "web")
    (icon,) = project.icons(Page.of(COMMONS))
    assert icon.image == b"#file img"
    assert (icon.subject, icon.set, icon.author, icon.licence) == ("heart", "Ada", "Ada", "CC0")
