"""What was done otherwise than sealed, as a reader of the post is told it."""

from __future__ import annotations

import json

from projects.spine import seal


def test_changes_after_the_seal_show_as_deviations_and_change_no_verdict(rain):
    rain.sealed()
    before = rain.results()
    rain.checkout.edit(rain.proposal, "threshold: 0.1", "threshold: 0.01")
    rain.checkout.edit(rain.proposal, "Train.", "Train long.")
    rain.checkout.edit(rain.proposal, "date: 2026-11-25", "date: 2026-11-26")
    after = rain.results()
    assert after["verdicts"] == before["verdicts"]
    assert after["run"] != before["run"]
    assert after["deviations"] == [
        "Hypothesis beats-markov was changed after the sealing (threshold 0.1 → 0.01); it is "
        "judged as sealed.",
        "The proposal's date was changed after the sealing.",
        "The plan’s section “Plan” was changed after the sealing.",
    ]
    rain.proposal.unlink()
    assert rain.results()["deviations"] == ["proposal.md was removed after the sealing."]
    rain.proposal.write_text(rain.PROPOSAL + "\n")
    assert rain.results()["deviations"] == [
        "The text of proposal.md was changed after the sealing, in layout only."
    ]
    rain.proposal.write_bytes(rain.PROPOSAL.replace("\n", "\r\n").encode())
    assert rain.results()["deviations"] == []


def test_other_seeds_settings_and_split_are_deviations(rain):
    rain.sealed()
    rain.checkout.edit(rain.project, "[31, 32]", "[31, 41]")
    rain.checkout.edit(rain.project, "EPOCHS = 2", "EPOCHS = 3")
    rain.checkout.edit(rain.project, "tail(10)", "tail(9)")
    document = rain.results()
    assert document["deviations"] == [
        "Of the sealed seeds, seed 32 was not run.",
        "Seed 41 was added after the sealing; the sealed hypotheses are judged by the sealed "
        "seeds alone.",
        "Settings differ from the sealed ones: EPOCHS 2 → 3.",
        "How the step `split` splits was changed after the sealing.",
    ]
    (verdict,) = document["verdicts"]
    assert verdict["outcome"] == "undecided"
    assert "only 1 of the 2 seeds" in verdict["found"]


def test_comments_layout_and_settings_elsewhere_leave_the_split_as_it_is(rain):
    made = rain.sealed()
    rain.checkout.edit(
        rain.project, 'return {"train"', '# whole days\n    return {\n        "train"'
    )
    rain.checkout.edit(rain.project, "The last days are held out.", "The last ten.")
    from projects.spine.project import Project

    project = Project(rain.checkout.root, "rain")
    assert seal.split_digest(project, {}) == made["sealed"]["split"]
    assert seal.split_digest(project, {"DAYS": 50}) == made["sealed"]["split"]


def test_a_setting_that_the_split_uses_is_part_of_it(rain):
    from projects.spine.project import Project

    rain.checkout.edit(rain.project, "tail(10)", "tail(DAYS // 4)")
    project = Project(rain.checkout.root, "rain")
    assert seal.split_digest(project, {"DAYS": 50}) != seal.split_digest(project, {})
    rain.checkout.edit(rain.project, "def split(", "def _split(")
    rain.checkout.edit(rain.project, "(split, seed)", "(table, seed)")
    assert seal.split_digest(Project(rain.checkout.root, "rain"), {}) is None


def test_settings_tried_on_the_sealed_seeds_are_told(rain):
    rain.sealed()
    rain.checkout.train("rain", "--set", "EPOCHS=9")
    assert rain.results()["deviations"] == [
        "2 trainings with sealed seeds were made with other settings: EPOCHS 2 → 9."
    ]


def test_a_network_changed_between_two_trainings_with_sealed_seeds_is_told(rain):
    rain.sealed()
    assert rain.results()["deviations"] == []
    rain.checkout.edit(rain.project, '"seed": seed}', '"seed": seed}  # as before')
    rain.checkout.edit(rain.project, "without the training.", "and nothing else.")
    assert rain.results()["deviations"] == []
    rain.checkout.edit(rain.project, '{"epochs": EPOCHS}', '{"epochs": EPOCHS, "width": 9}')
    assert rain.results()["deviations"] == [
        "The code of the step `network` was changed between trainings with sealed seeds: 2 "
        "versions of it are in the log."
    ]


def test_one_of_the_sealed_seeds_tried_alone_is_no_other_setting(rain):
    rain.sealed()
    rain.checkout.train("rain", "--set", "SEEDS=[31]")
    assert rain.results()["deviations"] == []


def test_each_of_two_sections_of_one_name_is_compared(rain):
    twice = rain.PROPOSAL + "\n## Plan\n\nTest.\n"
    rain.proposal.write_text(twice, "utf-8")
    rain.sealed()
    rain.proposal.write_text(twice.replace("Train.", "Guess."), "utf-8")
    assert rain.results()["deviations"] == [
        "The plan’s section “Plan” was changed after the sealing."
    ]
    rain.proposal.write_text(rain.PROPOSAL, "utf-8")
    assert rain.results()["deviations"] == [
        "The plan’s section “Plan” (number 2 of that name) was taken out after the sealing."
    ]


def test_a_training_made_before_the_seal_and_a_seal_that_is_gone_are_told(rain):
    rain.sealed()
    rain.results()
    log = rain.folder / "results" / "runs.jsonl"
    early = rain.log()[0] | {"time": "2026-01-01T00:00:00+00:00", "seal": "AAAA-BBBB-CCCC"}
    with log.open("a") as file:
        file.write(json.dumps(early) + "\n{torn")
    assert rain.results()["deviations"] == [
        "1 training with sealed seeds was made before the sealing, the first of "
        "2026-01-01T00:00:00+00:00.",
        "1 training was made under another seal, which is gone: AAAA-BBBB-CCCC.",
    ]


def test_without_a_seal_hypotheses_are_judged_and_marked(rain):
    document = rain.results()
    assert document["seal"] is None
    assert document["deviations"] == ["The proposal was not sealed before the run."]
    assert document["verdicts"][0]["sealed"] is False
    assert document["verdicts"][0]["outcome"] == "supported"


def test_a_hypothesis_added_after_the_seal_is_judged_apart(rain):
    rain.sealed()
    more = "  - {name: later, claim: So., metric: brier, comparison: net < 0.5, seeds: 2}\n---\n\n#"
    rain.checkout.edit(rain.proposal, "---\n\n#", more)
    document = rain.results()
    assert [(v["name"], v["sealed"]) for v in document["verdicts"]] == [
        ("beats-markov", True),
        ("later", False),
    ]
    assert "95 %" in document["verdicts"][0]["method"]  # as sealed: one hypothesis
    assert "97.5 %" in document["verdicts"][1]["method"]
    assert document["deviations"] == [
        "Hypothesis later was added after the sealing; it is marked as not sealed."
    ]
