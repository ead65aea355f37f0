"""Every fault that the rubric is about, planted into a passing project, is caught by its point."""

from __future__ import annotations

import json

import pytest


def test_a_project_that_does_everything_passes_every_point(bells):
    assert bells.missing() == {}
    assert {outcome.kind for outcome in bells.outcomes().values()} == {"ok"}
    assert bells.command("check", "bells", "--strict").code == 0


# -- 1 to 4: the proposal --------------------------------------------------------------------


def test_hypotheses_without_a_seal_are_no_sealed_hypotheses(bells):
    (bells.folder / "seal.json").unlink()
    missing = bells.missing()
    assert set(missing) >= {1, 3}
    assert "not sealed → folio propose bells" in missing[1]


def test_a_hypothesis_changed_after_the_sealing_is_told_with_its_old_and_new_value(bells):
    bells.edit("proposal.md", "threshold: 0.05", "threshold: 0.5")
    missing = bells.missing()
    assert set(missing) == {1, 3}
    assert "0.05 → 0.5" in missing[1]
    assert "not in the results yet" in missing[3]


def test_a_plan_changed_after_the_sealing_is_a_deviation_that_needs_its_reason(bells):
    bells.edit("proposal.md", "notion of shape?", "notion of shape, or of size?")
    assert set(bells.missing(1, 3)) == {3}
    told = "The plan’s section “Question” was changed after the sealing."
    bells.record(deviations=[told])
    missing = bells.missing()
    assert set(missing) == {3}
    assert "## Deviations from the proposal" in missing[3]
    bells.edit(
        "post.md", "## What it", "## Deviations from the proposal\n\n<!-- why? -->\n\n## What it"
    )
    assert set(bells.missing(1, 3)) == {3}, "a question in a comment is no reason"
    bells.edit(
        "post.md", "<!-- why? -->", "Size was on my mind from the start; I forgot to write it."
    )
    assert bells.missing() == {}


def test_trainings_with_the_sealed_seeds_before_the_seal_count_against_it(bells):
    log = bells.folder / "results/runs.jsonl"
    first = json.loads(log.read_text().splitlines()[0]) | {"time": "2020-01-01T00:00:00+00:00"}
    log.write_text(json.dumps(first | {"seal": None}) + "\n" + log.read_text())
    assert "before the sealing" in bells.missing(1)[1]


def test_results_from_before_the_seal_are_not_its_results(bells):
    bells.record(seal=None)
    assert "under no seal" in bells.missing(1)[1]


def test_a_seal_edited_by_hand_does_not_hold(bells):
    bells.edit("seal.json", "network > majority", "network > 0.1")
    assert "does not give its hash" in bells.missing(1)[1]


def test_a_mistake_in_the_proposal_is_named_with_its_line(bells):
    bells.edit("proposal.md", "    metric: accuracy\n", "")
    missing = bells.missing(2)
    assert "proposal.md:6" in missing[2]
    assert "`metric`" in missing[2]


def test_a_post_that_keeps_its_verdicts_to_itself_does_not_pass(bells):
    bells.edit("post.md", "[[verdicts]]", "Verdicts:")
    assert set(bells.missing(1, 3, 4)) == {4}


def test_a_hypothesis_without_a_verdict_is_named(bells):
    bells.record(verdicts=[bells.results()["verdicts"][0] | {"name": "another"}])
    assert "network-beats-majority" in bells.missing(4)[4]


# -- 5 to 8, 11: comparisons -----------------------------------------------------------------


@pytest.mark.parametrize(("model", "kind"), [("majority", "trivial"), ("nearest", "classical")])
def test_a_missing_baseline_is_named_by_its_kind(bells, model, kind):
    scores = {name: row for name, row in bells.results()["scores"].items() if name != model}
    bells.record(scores=scores)
    assert f"no {kind} baseline" in bells.missing(5)[5]


@pytest.mark.parametrize("name", ["random_forest", "without_mean"])
def test_a_word_in_a_name_makes_no_trivial_baseline_of_a_forest_or_an_ablation(bells, name):
    scores = bells.results()["scores"]
    bells.record(scores={(name if k == "majority" else k): v for k, v in scores.items()})
    assert "no trivial baseline" in bells.missing(5)[5]


def test_a_baseline_measured_otherwise_compares_nothing(bells):
    scores = bells.results()["scores"]
    scores["majority"] = {"log_loss": scores["majority"]["accuracy"]}
    bells.record(scores=scores)
    assert "no trivial baseline" in bells.missing(5)[5]


def test_a_baseline_under_a_name_of_ones_own_is_known_by_what_it_calls(bells):
    bells.edit("project.py", '"nearest": baselines', '"likest": baselines')
    scores = bells.results()["scores"]
    bells.record(scores={("likest" if k == "nearest" else k): v for k, v in scores.items()})
    assert 5 not in bells.missing(5)


def test_one_seed_is_no_interval(bells):
    one = {
        model: {
            metric: {**value, "values": value["values"][:1], "n": 1, "low": None, "high": None}
            for metric, value in row.items()
        }
        for model, row in bells.results()["scores"].items()
    }
    bells.record(scores=one, seeds=[11])
    missing = bells.missing(6)
    assert "comes from 1 seed" in missing[6]
    assert "SEEDS = 3 or more in projects/bells/project.py:" in missing[6]


def test_seeds_that_change_nothing_are_no_spread(bells):
    still = {
        model: {m: {**v, "low": v["mean"], "high": v["mean"]} for m, v in row.items()}
        for model, row in bells.results()["scores"].items()
    }
    bells.record(scores=still)
    assert "the same for all seeds" in bells.missing(6)[6]


def test_a_log_that_was_cut_is_noticed(bells):
    log = bells.folder / "results/runs.jsonl"
    log.write_text(log.read_text().splitlines()[0] + "\n")
    assert "tells of 1 trainings, the results of 3" in bells.missing(7)[7]


def test_settings_that_were_tried_need_the_rule_by_which_one_was_chosen(bells):
    log = bells.folder / "results/runs.jsonl"
    tried = json.loads(log.read_text().splitlines()[0])
    tried |= {"seed": 90, "settings": tried["settings"] | {"EPOCHS": 40}}
    log.write_text(log.read_text() + json.dumps(tried) + "\n")
    assert 7 not in bells.missing(7), "the post says that four epochs were chosen"
    assert "tried: EPOCHS 4, 40" in bells.outcomes(7)[7].saw
    bells.edit("post.md", "were chosen before any run", "had to do")
    assert "EPOCHS 4, 40" in bells.missing(7)[7]


def test_a_test_score_without_its_validation_score_is_named(bells):
    values = bells.results()["values"]
    del values["validation"]["network"]
    bells.record(values=values)
    assert "no validation score for network" in bells.missing(8)[8]
    bells.record(values={"validation": 0.9})
    assert "does not say whose it is" in bells.missing(8)[8]


def test_models_that_are_scored_but_not_compared_for_the_reader(bells):
    bells.edit("post.md", "[[table:scores|.3f]]", "All scores are good.")
    assert set(bells.missing(11)) == {11}


# -- 9 and 10: the split ---------------------------------------------------------------------


def test_a_split_that_does_not_say_what_it_holds_apart(bells):
    leakage = bells.results()["leakage"] | {"unit": None, "kind": None, "told_by": None}
    bells.record(leakage=leakage)
    assert set(bells.missing(9, 10)) == {9}


def test_pictures_on_both_sides_of_the_split_leak(bells):
    leakage = bells.results()["leakage"]
    leakage["duplicates"][-1] |= {"of": "`image`", "rich": True, "share": 0.12}
    bells.record(leakage=leakage | {"share": 0.12})
    assert "12.0% of a held-out part's `image`" in bells.missing(10)[10]
    bells.edit("post.md", "I expected not.", "[[leakage.share|.1%]] of them stand on both sides.")
    assert 10 in bells.missing(10), "what is a picture twice cannot be explained away"


def test_rows_that_repeat_are_a_leak_until_the_post_shows_how_many(bells):
    leakage = bells.results()["leakage"]
    leakage["duplicates"][0] |= {"of": "rows", "rich": False, "share": 0.12}
    bells.record(leakage=leakage | {"share": 0.12})
    assert "drop_duplicates" in bells.missing(10)[10]
    bells.edit("post.md", "I expected not.", "[[leakage.share|.1%]] of the rows repeat by nature.")
    assert 10 not in bells.missing(10)


def test_groups_that_stand_in_two_parts_are_a_leak(bells):
    problem = "The groups of `set` stand in two parts."
    bells.record(leakage=bells.results()["leakage"] | {"problems": [problem], "separated": False})
    assert problem in bells.missing(10)[10]


def test_preprocessing_fitted_to_test_rows_is_named_with_its_line(bells):
    bells.edit(
        "project.py",
        '    x = pixels(rows["image"])\n',
        '    x = pixels(rows["image"])\n    x = (x - x.mean()) / x.std()\n',
    )
    source = (bells.folder / "project.py").read_text("utf-8").splitlines()
    line = 1 + next(n for n, text in enumerate(source) if "x.std()" in text)
    missing = bells.missing(10)
    assert f"line {line}: `_arrays` scales by" in missing[10]
    assert f"projects/bells/project.py:{line}" in missing[10]


# -- 12, 13, 18: what is shown ---------------------------------------------------------------


def test_errors_that_are_looked_at_and_not_shown(bells):
    bells.edit("post.md", "[[figure:confusions]]", "Confusions:")
    bells.edit("post.md", "[[table:subjects|.2f]]", "Subjects:")
    assert set(bells.missing(11, 12, 13, 17)) == {12, 17}
    assert "`[[figure:confusions]]" in bells.missing(12)[12]


def test_no_look_at_the_errors_at_all(bells):
    bells.record(figures={"curves": bells.results()["figures"]["curves"]}, tables={})
    assert "figures.confusion(…)" in bells.missing(12)[12]


@pytest.mark.parametrize("name", ["confusions", "curves"])
def test_a_figure_without_alternative_text_cannot_be_read_by_all(bells, name):
    figures = bells.results()["figures"]
    figures[name]["alt"] = " "
    bells.record(figures=figures)
    assert f"`{name}` has no alternative text" in bells.missing(12)[12]


@pytest.mark.parametrize("picture", ["![](a.png)", "![ ][a]", '<img src="a.png" alt="">'])
def test_a_picture_without_alternative_text_is_named_with_its_line(bells, picture):
    bells.edit("post.md", "I expected not.", f"I expected {picture} not.")
    assert "post.md:8: a picture has no alternative text" in bells.missing(12)[12]
    bells.edit("post.md", picture, '<img src="a.png" alt="A bell">')
    assert not bells.missing(12)


def test_a_figure_without_a_caption_is_named_with_its_line(bells):
    bells.edit("post.md", " Training and validation accuracy over the epochs, all seeds.", "")
    assert "post.md:12: the figure `curves` has no caption" in bells.missing(12)[12]


def test_learning_curves_without_validation_are_half_of_them(bells):
    data = bells.folder / "results/figures/curves.csv"
    data.write_text(data.read_text().replace("validation", "other"))
    bells.record()
    assert "`curves` has no validation curve" in bells.missing(13)[13]


def test_learning_curves_that_are_not_there(bells):
    bells.record(figures={"confusions": bells.results()["figures"]["confusions"]})
    assert "figures.learning_curves" in bells.missing(13)[13]


@pytest.mark.parametrize("typed", ["0.93", "93.1 %", ".93", "93 %"])
def test_a_number_typed_into_the_story_cannot_be_had_again(bells, typed):
    bells.edit("post.md", "I expected not.", f"I got {typed}.")
    missing = bells.missing()
    assert set(missing) == {18}
    assert "post.md:8:" in missing[18]
    assert "[[scores.cnn.accuracy|.1%]]" in missing[18]


def test_results_changed_by_hand_are_noticed(bells):
    path = bells.folder / "results/results.json"
    document = bells.results()
    document["scores"]["network"]["accuracy"]["mean"] = 0.99
    path.write_text(json.dumps(document))
    assert "changed by hand" in bells.missing(18)[18]


def test_results_edited_until_nothing_can_be_read_break_nothing(bells):
    path = bells.folder / "results/results.json"
    path.write_text(json.dumps(bells.results() | {"scores": {"network": {"accuracy": {}}}}))
    assert "is not as its run wrote it" in bells.missing(6)[6]


def test_code_changed_since_the_run_is_named_by_step(bells):
    bells.edit("project.py", "(16,)", "(32,)")
    assert "changed since: network" in bells.missing(18)[18]


def test_a_lost_lock_or_one_that_was_never_committed(bells):
    (bells.folder / "folio.lock").unlink()
    assert 18 in bells.missing(18)


# -- 14 to 17, 19, 20: cards and words -------------------------------------------------------


def test_a_question_left_open_in_the_datasheet_is_no_answer(bells):
    bells.edit(
        "datasheet.md", "Tests of this repository, and nothing beyond them.", "<!-- For? -->"
    )
    missing = bells.missing()
    assert set(missing) == {14}
    assert "`## Uses`" in missing[14]


def test_classes_that_nobody_counted(bells):
    card = bells.results()["card"]
    for section in card["sections"]:
        section["facts"] = [fact.partition(" characters")[0] for fact in section["facts"]]
    bells.record(card=card)
    assert set(bells.missing(14)) == {14}


def test_terms_that_were_not_looked_at(bells):
    bells.edit("datasheet.md", "and may be scraped freely", "and has many pages with icons")
    assert "terms allow" in bells.missing(15)[15]


def test_a_real_site_asked_without_a_contact(bells):
    card = bells.results()["card"]
    text = json.dumps(card).replace("of sandbox", "of icons.example.org")
    bells.record(card=json.loads(text))
    assert "icons.example.org was asked without a contact" in bells.missing(15)[15]


def test_personal_data_that_nobody_speaks_of(bells):
    card = bells.results()["card"]
    card["sections"][1]["facts"].append("What looks like personal data:")
    bells.record(card=card)
    assert "scraping.mask()" in bells.missing(15)[15]


def test_rows_without_a_licence(bells):
    card = bells.results()["card"]
    bells.record(card=card | {"licences": {}})
    missing = bells.missing(16)
    assert "licence: str" in missing[16]
    bells.record(card=card | {"licences": {"MIT": 300, "unknown": 25}})
    assert "25 of 325 rows have no licence" in bells.missing(16)[16]


def test_who_made_it_is_named_unless_nobody_has_to_be(bells):
    card = bells.results()["card"]
    for section in card["sections"]:
        section["facts"] = [fact for fact in section["facts"] if "to be named" not in fact]
    bells.record(card=card)
    bells.edit("datasheet.md", "each icon under its set's own licence", "as it is")
    assert "who is to be named" in bells.missing(16)[16]
    bells.record(card=card | {"licences": {"CC0-1.0": 325}})
    assert bells.missing(16) == {}


def test_rows_left_out_without_a_word(bells):
    line = '    """Each picture once, so that none is known before the test."""\n'
    bells.edit("project.py", line, "")
    assert "6 rows were left out" in bells.missing(16)[16]


def test_a_model_card_without_uses_and_groups_that_nobody_scored(bells):
    bells.edit("modelcard.md", "A test of how projects are judged.", "")
    assert "Intended use" in bells.missing(17)[17]
    bells.edit("modelcard.md", "## Intended use", "## Intended use\nA test of how this is judged.")
    assert 17 not in bells.missing(17)
    bells.edit("post.md", "[[table:subjects|.2f]]", "Subjects:")
    assert "evaluation.by_group" in bells.missing(17)[17]


def test_limits_that_are_a_heading_or_the_starters_own_words(bells):
    post = (bells.folder / "post.md").read_text("utf-8")
    story, heading, _ = post.partition("## What it does not show")
    for text in ("", "\n\n<!-- how far? -->", "\n\nSay here how far the answer goes, " + "x " * 20):
        (bells.folder / "post.md").write_text(story + heading + text, "utf-8")
        assert set(bells.missing(20)) == {20}, text
    (bells.folder / "post.md").write_text(story, "utf-8")
    assert "## What it does not show" in bells.missing(20)[20]


def test_sources_that_are_not_cited_or_not_there(bells):
    bells.edit("post.md", " [[cite:nielsen2015]]", "")
    assert "0 sources cited" in bells.missing(20)[20]
    bells.edit("post.md", "I expected not.", "I expected not [[cite:nobody]].")
    assert "nobody is cited and not in" in bells.missing(20)[20]


def test_two_authors_who_do_not_say_who_did_what(bells):
    bells.edit("post.md", "tags: [images]", "authors: [Ada Lovelace, Mary Somerville]")
    assert "what Ada Lovelace, Mary Somerville did" in bells.missing(20)[20]


# -- what does not apply ---------------------------------------------------------------------


def test_a_generator_is_not_asked_for_groups_nor_its_critic_for_validation(bells):
    bells.edit("post.md", "[[table:subjects|.2f]]", "Subjects:")
    bells.record(families=["gan"])
    assert 17 not in bells.missing(17)


def test_a_project_without_a_network_has_no_curves_and_no_model_card(bells):
    bells.record(trainings=0, parameters={})
    outcomes = bells.outcomes(13, 17)
    assert {outcome.kind for outcome in outcomes.values()} == {"not applicable"}
    assert all(outcome.saw for outcome in outcomes.values())


def test_without_results_the_next_thing_is_to_run(bells):
    (bells.folder / "results/results.json").unlink()
    missing = bells.missing()
    assert set(missing) == set(range(1, 21)) - {2}
    assert missing[5] == "no results yet → folio run bells"


def test_a_post_that_cannot_be_read_is_named_with_its_line(bells):
    bells.edit("post.md", "date: 2026-11-25", "day: 2026-11-25")
    assert "projects/bells/post.md:3" in bells.missing(20)[20]
