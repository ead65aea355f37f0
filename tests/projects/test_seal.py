"""Sealing through the real command: what is fixed, what is refused, what shows as a deviation."""

from __future__ import annotations

import json
import re
import subprocess
import textwrap

import pytest

from projects.spine import seal
from projects.spine.errors import BadUsage, SpineError


def test_a_dry_run_shows_everything_and_writes_nothing(rain):
    outcome = rain.propose("--dry-run")
    assert outcome.code == 0, outcome.err
    assert "beats-markov: The net is <script>" in outcome.out
    assert "brier of net below that of markov by more than 0.1; 2 paired seeds, 95 %" in outcome.out
    assert "seeds: 31, 32" in outcome.out
    assert "Seeds 1 and 2 on other days" in outcome.out
    assert "Nothing was touched. To seal it: folio propose rain" in outcome.out
    assert not rain.file.exists()


def test_sealing_prints_a_code_that_the_hash_of_the_content_gives(rain):
    outcome = rain.propose()
    made = json.loads(rain.file.read_text("utf-8"))
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", made["code"])
    assert made["code"] in outcome.out
    assert made["hash"] in outcome.out
    assert "not honesty" in outcome.out
    assert made["sealed"]["text"] == rain.PROPOSAL
    assert made["sealed"]["seeds"] == [31, 32]
    assert made["sealed"]["settings"] == {"SEEDS": [31, 32], "DAYS": 40, "EPOCHS": 2}
    assert made["sealed"]["trainings"] == 0
    assert made["commit"] is None
    assert made["time"].endswith("+00:00")
    assert not list(rain.folder.glob(".*.aside"))


def test_a_project_is_judged_as_sealed_and_its_log_names_seal_and_split(rain):
    made = rain.sealed()
    document = rain.results()
    assert document["seal"] == {key: made[key] for key in ("code", "time", "hash", "commit")}
    assert document["deviations"] == []
    assert document["pilots"] == ["Seeds 1 and 2 on other days; <b>.19</b>."]
    (verdict,) = document["verdicts"]
    assert verdict["sealed"] is True
    # The margin grows by 1/333 - 1/1000 a seed, the split is each seed's own: t(1) × √(1/2 + 1/3).
    first = 0.18 + 31 * (1 / 333 - 1 / 1000)
    step = 1 / 333 - 1 / 1000
    assert verdict["mean"] == pytest.approx(first + step / 2)
    half = 12.706205 * step / 2**0.5 * (1 / 2 + 1 / 3) ** 0.5
    assert verdict["high"] - verdict["mean"] == pytest.approx(half, rel=1e-5)
    assert verdict["outcome"] == "supported"
    assert {(e["seal"], e["split"]) for e in rain.log()} == {
        (made["code"], made["sealed"]["split"])
    }


def test_what_was_trained_before_is_refused_until_other_seeds_are_chosen(rain):
    outcome = rain.checkout.train("rain", "--set", "EPOCHS=3")
    assert "The proposal is not sealed: folio propose rain before the first run" in outcome.out
    assert "seeds 31 and 32 cannot be sealed any more" in outcome.out
    outcome = rain.propose()
    assert outcome.code == 1
    assert "runs.jsonl holds 2 trainings with seeds 31 and 32 and this split" in outcome.err
    assert "SEEDS = [33, 34]" in outcome.err
    assert not rain.file.exists()
    assert rain.propose("--dry-run").code == 1
    rain.checkout.edit(rain.project, "[31, 32]", "[33, 34]")
    assert rain.sealed()["sealed"]["trainings"] == 2


def test_a_try_tells_of_no_deviation_and_the_results_it_leaves_alone_do(rain):
    rain.sealed()
    tried = rain.checkout.train("rain", "--set", "EPOCHS=3")
    assert tried.code == 0
    assert "deviation" not in tried.out
    assert (
        "deviation: 2 trainings with sealed seeds were made with other"
        in rain.checkout.train("rain").out
    )


def test_another_split_may_be_sealed_and_an_unknown_one_may_not(rain):
    rain.checkout.train("rain")
    rain.checkout.edit(rain.project, "table.tail(10)", "table.tail(8)")
    rain.sealed()
    rain.file.unlink()
    log = rain.folder / "results" / "runs.jsonl"
    entry = rain.log()[0]
    del entry["split"]
    log.write_text(json.dumps(entry) + "\n")
    outcome = rain.propose()
    assert outcome.code == 1
    assert "with seed 31 and an unknown split" in outcome.err


def test_scores_known_without_a_training_are_refused_too(rain):
    rain.checkout.edit(rain.project, '    lent.current.get().trained({"epochs": EPOCHS})\n', "")
    rain.checkout.train("rain")
    assert rain.log() == []
    outcome = rain.propose()
    assert outcome.code == 1
    assert "folio.lock holds the scores of seeds 31 and 32 with this split" in outcome.err


def test_a_project_without_seeds_is_sealed_before_its_scores_are_known(rain):
    source = rain.SOURCE.replace("SEEDS = [31, 32]\n", "").replace(", seed)", ")")
    rain.project.write_text(source.replace('{"seed": seed}', "1").replace("seed /", "1 /").lstrip())
    rain.checkout.edit(
        rain.proposal, "seeds: 2", "seeds: 1\n    over: examples\n    answers: table"
    )
    made = rain.sealed()
    assert made["sealed"]["seeds"] == []
    rain.file.unlink()
    document = rain.results()
    assert document["verdicts"][0]["found"] == "Not judged: the step `table` gave no column truth."
    assert "with no seed and this split" in rain.propose().err
    (rain.folder / "results" / "runs.jsonl").unlink()
    outcome = rain.propose()
    assert outcome.code == 1
    assert "folio.lock holds the scores with this split" in outcome.err


def test_sealing_again_before_a_training_replaces_the_seal_and_lists_it(rain):
    first = rain.sealed()
    assert "Sealed already" in rain.propose().out
    rain.checkout.edit(rain.proposal, "threshold: 0.1", "threshold: 0.2")
    outcome = rain.propose()
    assert f"The seal {first['code']} was replaced" in outcome.out
    second = json.loads(rain.file.read_text("utf-8"))
    assert second["code"] != first["code"]
    assert [each["code"] for each in second["earlier"]] == [first["code"]]
    rain.checkout.train("rain")
    rain.checkout.edit(rain.proposal, "threshold: 0.2", "threshold: 0.3")
    outcome = rain.propose()
    assert outcome.code == 1
    assert f"The seal {second['code']} stays" in outcome.err
    assert json.loads(rain.file.read_text("utf-8")) == second


def test_a_project_without_a_proposal_is_as_before(rain):
    rain.proposal.unlink()
    document = rain.results()
    assert (document["seal"], document["verdicts"], document["deviations"]) == (None, [], [])
    outcome = rain.propose()
    assert outcome.code == 2
    assert "projects/rain/proposal.md is not there" in outcome.err


def test_a_second_run_has_nothing_to_do(rain):
    rain.sealed()
    rain.results()
    assert rain.checkout.train("rain").out == "rain: up to date\n"


def test_a_mistake_in_the_proposal_is_told_before_a_run_begins(rain):
    rain.checkout.edit(rain.proposal, "net < markov", "net")
    outcome = rain.checkout.command("train", "rain", "--debug")
    assert outcome.code == 2
    assert "projects/rain/proposal.md:9: `comparison`" in outcome.err
    assert rain.log() == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("hypotheses:\n", "", None),
        ("    seeds: 2", "    seeds: 5", "proposal.md:6: hypothesis beats-markov needs 5 seeds"),
        (
            "    seeds: 2",
            "    seeds: 2\n    over: examples\n    answers: forecasts",
            "is judged by the step `forecasts`, and project.py has none of that name",
        ),
        (
            "    seeds: 2",
            "    seeds: 2\n    over: examples\n    answers: table",
            "the step `table` runs once",
        ),
    ],
)
def test_what_could_never_be_judged_is_not_sealed(rain, old, new, said):
    if said is None:
        head = rain.PROPOSAL.partition("hypotheses:")[0]
        rain.proposal.write_text(f"{head}---\n")
        said = "it names no hypothesis, so there is nothing to seal"
    else:
        rain.checkout.edit(rain.proposal, old, new)
    outcome = rain.propose()
    assert outcome.code == 2
    assert said in outcome.err
    assert not rain.file.exists()


def test_a_model_that_the_last_results_do_not_have_is_noted(rain):
    rain.results()
    rain.checkout.edit(rain.proposal, "net < markov", "nett < markov")
    outcome = rain.propose("--dry-run")
    assert "the last results have no model `nett`. Did you mean `net`?" in outcome.out


# -- the code ----------------------------------------------------------------------------------


def test_a_code_is_the_first_sixty_bits_in_crockfords_letters():
    assert seal.code_of("00" * 32) == "0000-0000-0000"
    assert seal.code_of("f" * 64) == "ZZZZ-ZZZZ-ZZZZ"
    # 0x08421 08421 08421 in groups of five bits: 1 2 2 2 …
    assert seal.code_of(f"{int('00001' * 12, 2):015x}" + "0" * 49) == "1111-1111-1111"


@pytest.mark.parametrize("typed", ["f7kq-2m9x-c4t0", "F7KQ2M9XC4TO", " f7kq 2m9x c4tO "])
def test_a_code_may_be_typed_as_people_do(typed):
    assert seal.typed(typed) == "F7KQ-2M9X-C4T0"
    assert seal.typed("iLll-oOoo-1111") == "1111-0000-1111"


@pytest.mark.parametrize("typed", ["", "F7KQ-2M9X", "F7KQ-2M9X-C4TDX", "UUUU-2M9X-C4TD", "../../x"])
def test_what_is_no_code_is_told_how_one_looks(typed):
    with pytest.raises(BadUsage, match="such as F7KQ-2M9X-C4TD"):
        seal.typed(typed)


def test_a_code_is_found_and_the_proposal_compared(rain):
    made = rain.sealed()
    root = rain.checkout.root
    answer = seal.verify(root, made["code"].lower().replace("-", ""))
    assert answer.ok
    assert "sealed for `rain`" in answer.lines[0]
    assert "proposal.md is unchanged since." in answer.lines
    assert seal.verify(root, made["hash"], "rain").ok
    rain.checkout.edit(rain.proposal, "Train.", "Train long.")
    answer = seal.verify(root, made["code"], "rain")
    assert answer.ok
    assert "-Train." in answer.lines
    assert "+Train long." in answer.lines
    rain.proposal.unlink()
    assert "proposal.md is gone" in seal.verify(root, made["code"]).lines[-1]


def test_a_code_of_no_seal_or_of_one_replaced_does_not_pass(rain):
    first = rain.sealed()
    root = rain.checkout.root
    assert not seal.verify(root, "0000-0000-0000").ok
    rain.checkout.edit(rain.proposal, "Train.", "Train long.")
    second = rain.sealed()
    answer = seal.verify(root, first["code"])
    assert not answer.ok
    assert f"replaced by {second['code']}" in answer.lines[-1]


@pytest.mark.parametrize("old", ["threshold: 0.1", "2026-", '"EPOCHS": 2', "31,"])
def test_a_seal_changed_by_hand_is_no_seal(rain, old):
    made = rain.sealed()
    rain.checkout.edit(rain.file, old, old.replace("1", "3").replace("2", "3"))
    answer = seal.verify(rain.checkout.root, made["code"])
    assert not answer.ok
    assert "does not give it" in answer.lines[0]
    with pytest.raises(SpineError, match=r"git checkout projects/rain/seal\.json"):
        seal.load(rain.folder)
    outcome = rain.checkout.command("train", "rain", "--debug")
    assert outcome.code == 1
    assert "its content does not give its hash" in outcome.err


@pytest.mark.parametrize("content", ["", "null", "[]", "[" * 99_999, '{"sealed": 3}', "{}", "\x00"])
def test_a_damaged_seal_is_refused_and_not_overwritten(rain, content):
    rain.file.write_text(content)
    outcome = rain.propose()
    assert outcome.code == 1
    assert "does not hold what was sealed" in outcome.err
    assert rain.file.read_text() == content
    assert not seal.verify(rain.checkout.root, "0000-0000-0000").ok
    assert seal.current_code(rain.folder) is None


@pytest.mark.parametrize(("key", "value"), [("trainings", None), ("seeds", "31"), ("split", 7)])
def test_a_seal_written_by_hand_is_refused_though_its_code_is_right(rain, key, value):
    made = rain.sealed()
    made["sealed"][key] = value
    made["hash"] = seal.hash_of(made)
    rain.file.write_text(json.dumps(made | {"code": seal.code_of(made["hash"])}))
    with pytest.raises(SpineError, match="does not hold what was sealed"):
        seal.load(rain.folder)


def test_a_seal_copied_from_another_project_is_not_taken_for_its_own(rain):
    rain.sealed()
    other = rain.checkout.write("snow", rain.SOURCE)
    (other.parent / "proposal.md").write_text(rain.PROPOSAL)
    (other.parent / "seal.json").write_bytes(rain.file.read_bytes())
    outcome = rain.checkout.command("propose", "snow")
    assert outcome.code == 1
    assert "it is the seal of `rain`, not of `snow`" in outcome.err


# -- written whole or not at all ---------------------------------------------------------------


def test_a_full_disk_leaves_the_old_seal(rain, monkeypatch):
    made = rain.sealed()
    rain.checkout.edit(rain.proposal, "Train.", "Train long.")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("projects.spine.durable.os.fsync", full)
    outcome = rain.propose()
    assert outcome.code == 3
    assert "The disk is full" in outcome.err
    assert json.loads(rain.file.read_text("utf-8")) == made
    assert not list(rain.folder.glob(".*.aside"))


def test_while_the_project_runs_nothing_is_sealed(rain):
    from projects.spine.claim import claim

    with claim(rain.folder / ".folio", "rain"):
        outcome = rain.propose()
    assert outcome.code == 75
    assert not rain.file.exists()


def test_sealing_imports_neither_the_project_nor_tensorflow(rain):
    rain.checkout.edit(rain.project, "SEEDS = ", "import tensorflow, nowhere\n\nSEEDS = ")
    process = rain.checkout.start("propose", "rain")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "Sealed on" in out


def test_the_commit_is_named_and_what_is_not_in_it_is_noted(rain):
    root = rain.checkout.root

    def git(*arguments):
        command = ["git", "-C", str(root), "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    git("init", "-q")
    git("add", "projects/rain/project.py", "projects/rain/proposal.md")
    git("commit", "-qm", "plan")
    outcome = rain.propose()
    made = json.loads(rain.file.read_text("utf-8"))
    assert re.fullmatch("[0-9a-f]{40}", made["commit"])
    assert f"at commit {made['commit'][:12]}: {made['code']}" in outcome.out
    assert "is not committed" not in outcome.out
    rain.checkout.edit(rain.proposal, "Train.", "Train long.")
    assert "proposal.md or project.py is not committed as it was sealed" in rain.propose().out


# -- on the page -------------------------------------------------------------------------------

POST = """
    ---
    title: Rain
    date: 2026-11-26
    finding: The net was [[verdicts.beats-markov.outcome]].
    ---

    [[verdicts]] What became of it.

    At least [[verdicts.beats-markov.low|.2f]] better.
"""


def test_verdicts_reach_the_post_and_a_hostile_claim_stays_text(rain):
    from blog import render

    rain.sealed()
    rain.checkout.edit(rain.proposal, "pilots:\n", "pilots:\n  - <img src=x>\n")
    document = rain.results()
    (rain.folder / "post.md").write_text(textwrap.dedent(POST).lstrip())
    docs = rain.checkout.root / "docs"
    render.write(rain.folder, docs)
    text = (docs / "posts" / "rain.md").read_text("utf-8")
    assert "The net was supported." in text
    assert f"At least {document['verdicts'][0]['low']:.2f} better." in text
    assert "<script>alert" not in text
    assert "&#60;script&#62;alert&#40;1&#41;&#60;&#47;script&#62; &#124; better&#46; |" in text
    assert "&#60;b&#62;&#46;19&#60;&#47;b&#62;" in text
    code = document["seal"]["code"].replace("-", "&#45;")
    assert f"Sealed as {code} on" in text
    assert "Pilots are listed otherwise than sealed" in text
    assert "<img src=x>" not in text


def test_a_verdict_that_was_not_sealed_says_so_on_the_page(rain):
    from blog import frame

    document = rain.results()
    assert "supported &#40;not sealed&#41;" in frame.verdicts(document, "")
    assert "The proposal was not sealed before the run&#46;" in frame.deviations(document)


def test_a_verdict_is_asked_for_by_name(rain):
    from blog.errors import PostError
    from blog.values import lookup

    document = rain.results()
    place = (rain.folder / "post.md", 1)
    assert lookup(document, "verdicts.beats-markov.outcome", place) == "supported"
    assert lookup(document, "verdicts.0.name", place) == "beats-markov"
    with pytest.raises(PostError, match="Did you mean `beats-markov`"):
        lookup(document, "verdicts.beat-markov.outcome", place)
