"""results.json: what reaches it, when it changes, and what it refuses."""

from __future__ import annotations

import json

import jsonschema
import pytest

SCORED = '''
"""Is it scored?"""
import pandas as pd

from blog import figures

SEEDS = 3


def table():
    """Rows."""
    return pd.DataFrame({"x": range(6)})


def split(table, seed):
    """Halves."""
    return {"train": table.head(4), "test": table.tail(2), "removed": 3}


def scores(split, seed):
    """Scores."""
    return {"mean": {"value": seed / 4, "size": len(split["train"])}}


def best(scores):
    """A number."""
    return {"seeds": len(scores)}


def by_row(table):
    """A short table."""
    return table


def drawing(table):
    """A figure."""
    return figures.from_axes(lambda axes: axes.plot(table.x), data=table, alt="A rising line.")
'''


@pytest.fixture
def scored(checkout):
    path = checkout.write("scored", SCORED)
    checkout.train("scored")
    return path.parent / "results"


def read(folder) -> dict:
    return json.loads((folder / "results.json").read_text("utf-8"))


def test_scores_become_intervals_over_the_seeds(scored):
    value = read(scored)["scores"]["mean"]["value"]
    assert value["values"] == [0.0, 0.25, 0.5]
    assert value["mean"] == 0.25
    # Student's t with 2 degrees of freedom: 4.3027 × 0.25 / √3
    assert value["high"] - 0.25 == pytest.approx(4.302653 * 0.25 / 3**0.5, abs=1e-5)
    assert value["n"] == 3


def test_split_sizes_values_tables_and_figures_are_there(scored):
    document = read(scored)
    assert document["splits"] == {
        "train": {"mean": 4.0, "values": [4, 4, 4]},
        "test": {"mean": 2.0, "values": [2, 2, 2]},
    }
    assert document["values"] == {"best": {"seeds": 3}}
    assert document["tables"]["by_row"] == {"data": "tables/by_row.csv", "rows": 6}
    assert (scored / "figures" / "drawing.dark.svg").read_text().startswith("<")
    assert document["figures"]["drawing"]["alt"] == "A rising line."
    assert document["data"]["rows"] == 6
    assert document["question"] == "Is it scored?"


def test_the_same_values_keep_the_file_byte_for_byte(checkout, scored):
    before = (scored / "results.json").read_bytes()
    outcome = checkout.train("scored", "--again")
    assert "holds the same values as before" in outcome.out
    assert (scored / "results.json").read_bytes() == before


def test_a_changed_value_changes_the_run_id(checkout, scored):
    before = read(scored)["run"]
    checkout.edit(scored.parent / "project.py", "seed / 4", "seed / 5")
    checkout.train("scored")
    assert read(scored)["run"] != before


def test_a_figure_that_is_gone_leaves_no_file(checkout, scored):
    path = scored.parent / "project.py"
    path.write_text(path.read_text().partition("def drawing")[0])
    checkout.train("scored")
    assert not (scored / "figures").exists()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('{"value": seed / 4,', '{"value": float("nan"),', "is nan"),
        ('{"mean": {"value"', '{"mean": {"va" + str(seed)', "gave mean.va0 for one seed"),
        ('return {"mean":', 'return 3 or {"mean":', "must return {model: {metric: number}}"),
    ],
)
def test_scores_that_are_none_are_refused_and_the_old_results_kept(
    checkout, scored, old, new, said
):
    before = (scored / "results.json").read_bytes()
    checkout.edit(scored.parent / "project.py", old, new)
    outcome = checkout.command("train", "scored", "--debug")
    assert outcome.code == 1
    assert said in outcome.err
    assert (scored / "results.json").read_bytes() == before


def test_the_schema_is_a_schema_and_refuses_an_unknown_field(scored):
    from projects.spine import results
    from projects.spine.errors import SpineError

    document = read(scored)
    results.validate(document, scored)
    with pytest.raises(SpineError, match="surprise"):
        results.validate({**document, "surprise": 1}, scored)
    text = (results.Path(results.__file__).parent / "results.schema.json").read_text()
    jsonschema.Draft202012Validator.check_schema(json.loads(text))


def test_a_number_edited_by_hand_is_noticed_and_written_again(checkout, scored):
    file = scored / "results.json"
    before = file.read_bytes()
    checkout.edit(file, '"mean": 0.25', '"mean": 0.99')
    outcome = checkout.train("scored")
    assert "not what the steps gave" in outcome.out
    assert read(scored)["scores"] == json.loads(before)["scores"]
    assert checkout.train("scored").out == "scored: up to date\n"


def test_publishing_refuses_a_number_edited_by_hand(checkout, scored):
    (scored.parent / "post.md").write_text("---\ntitle: x\n---\n")
    checkout.edit(scored / "results.json", '"mean": 0.25', '"mean": 0.99')
    outcome = checkout.command("publish", "scored")
    assert outcome.code == 1
    assert "does not hold what its run wrote" in outcome.err


def test_results_that_were_deleted_are_written_again(checkout, scored):
    (scored / "results.json").unlink()
    checkout.train("scored")
    assert read(scored)["scores"]
