"""The steps of `icons`, called as the plain functions they are."""

import io

import pandas as pd
from PIL import Image

from scraping import Page

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


def answered(**columns):
    told = dict.fromkeys(project.MODELS, "key") | columns
    return pd.DataFrame({"subject": ["key", "star"]}).assign(**told)


def test_scores_are_of_the_test_rows_and_validation_of_the_others():
    parts = {"test": answered(cnn=["key", "star"]), "validation": answered(cnn="heart")}
    flattered = {"test": answered(nearest=["key", "star"]), "validation": answered()}
    scores = project.scores(parts, flattered, seed=0)
    assert scores["cnn"] == {"accuracy": 1.0}
    assert scores["nearest"] == {"accuracy": 0.5}
    assert scores["nearest_random"] == {"accuracy": 1.0}
    assert "majority_random" not in scores
    validation = project.validation(parts, flattered, seed=0)
    assert list(validation) == list(scores)
    assert validation["cnn"] == {"accuracy": 0.0}


def test_duplicates_are_averaged_over_the_seeds():
    split = {0: {"removed": {"train": 2}}, 1: {"removed": {"train": 4}}}
    assert project.duplicates(split) == {"train": 3.0}


def test_subjects_are_sorted_from_the_hardest():
    guesses = {
        0: {"test": pd.DataFrame({"subject": ["key", "star"], "cnn": ["star", "star"]})},
        1: {"test": pd.DataFrame({"subject": ["key", "key"], "cnn": ["key", "star"]})},
    }
    found = project.subjects(guesses)
    assert list(found.index) == ["key", "star"]
    assert list(found["n"]) == [3, 1]


def test_answers_are_names_whether_a_model_gives_positions_or_probabilities():
    class Positions:
        def predict(self, pictures):
            return [1] * len(pictures)

    class Probabilities:
        def predict(self, pictures):
            return [[0.9, 0.1]] * len(pictures)

    rows = pd.DataFrame({"image": [picture()] * 2})
    models = {"nearest": Positions(), "cnn": Probabilities()}
    found = project._answered(rows, models, ["key", "star"])
    assert list(found["nearest"]) == ["star", "star"]
    assert list(found["cnn"]) == ["key", "key"]


COMMONS = """<h1 id="firstHeading">File:Gnome-heart.svg</h1>
<div class="fullImageLink" id="file"><a href="x.svg"><img src="heart.png" alt=""></a></div>
<table><tr><td id="fileinfotpl_aut">Author</td>
<td><a href="/wiki/User:Ada">Ada</a></td></tr></table>
<span class="licensetpl_short" style="display:none;">CC0</span>
<div id="mw-normal-catlinks"><ul><li><a href="/wiki/Category:CC-Zero">CC-Zero</a></li>
<li><a href="/wiki/Category:Heart_icons">Heart icons</a></li></ul></div>"""


def test_a_files_page_on_commons_gives_a_row(monkeypatch):
    monkeypatch.setattr(project, "image", lambda page, selector: selector.encode())
    monkeypatch.setattr(project, "SOURCE", "web")
    (icon,) = project.icons(Page.of(COMMONS))
    assert icon.image == b"#file img"
    assert (icon.subject, icon.set, icon.author, icon.licence) == ("heart", "Ada", "Ada", "CC0")


def picture():
    file = io.BytesIO()
    Image.new("L", (32, 32)).save(file, "PNG")
    return file.getvalue()
