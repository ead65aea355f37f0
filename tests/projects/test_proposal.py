"""proposal.md: what it says, and every mistake in it with its line."""

from __future__ import annotations

import inspect
import re

import pytest

from projects.spine import proposal
from projects.spine.errors import BadUsage
from projects.spine.hypothesis import METRICS, level

HEAD = """\
date: 2026-11-25
question: Will it rain in Seattle tomorrow?
video: https://video.example/watch?v=1
pilots:
  - Trained on 2012 to 2014 with
    seeds 0 and 1.
hypotheses:
  - name: beats-markov
    claim: Logistic regression forecasts rain better than a Markov chain does.
    metric: brier
    comparison: logistic < markov
    threshold: 5e-3
    seeds: 5
    over: examples
    answers: forecasts
  - name: good-enough
    claim: It is right three times in four.
    metric: accuracy
    comparison: logistic > 0.75
    seeds: 3
"""
BODY = """
What this is about.

## Question

Does it rain?

Notes: Ask the room first.

And wait.

## Split ##

```
## no heading
Notes: none either
```
"""


def parse(head: str = HEAD, body: str = BODY):
    return proposal.parse(f"---\n{head}---\n{body}", "projects/rain/proposal.md")


def test_a_proposal_is_read_whole():
    found = parse()
    assert found.question == found.title == "Will it rain in Seattle tomorrow?"
    assert found.date == "2026-11-25"
    assert found.pilots == ["Trained on 2012 to 2014 with seeds 0 and 1."]
    first, second = found.hypotheses
    assert (first.name, first.threshold, first.over) == ("beats-markov", 0.005, "examples")
    assert first.sides == ("logistic", "<", "markov")
    assert second.sides == ("logistic", ">", 0.75)
    assert (second.threshold, second.over, second.answers) == (0.0, "seeds", None)


def test_sections_keep_code_whole_and_notes_run_to_their_end():
    intro, question, split = parse().sections
    assert intro == ("", "What this is about.", "")
    assert question == ("Question", "Does it rain?", "Ask the room first.\n\nAnd wait.")
    assert split == ("Split", "```\n## no heading\nNotes: none either\n```", "")


def test_the_document_is_plain_and_tells_each_test_in_a_sentence():
    document = parse().document()
    assert [each["test"] for each in document["hypotheses"]] == [
        "brier of logistic below that of markov by more than 0.005; bootstrap over the examples "
        "of `forecasts`, mean of 5 seeds, 97.5 %",
        "accuracy of logistic above 0.75; 3 seeds, 97.5 %",
    ]
    assert document["text"].startswith("---\ndate: 2026-11-25\n")
    assert document["sections"][1][0] == "Question"


def test_the_question_is_that_of_project_py_where_none_is_given(tmp_path):
    (tmp_path / "project.py").write_text('"""Is it so?\n\nMore."""\n')
    text = "---\r\ndate: 2026-11-25\r\npilots: []\r\n---\r\n\r\n## Data\r\n\r\nRows.\r\n"
    (tmp_path / "proposal.md").write_bytes(b"\xef\xbb\xbf" + text.encode())
    found = proposal.read(tmp_path)
    assert found.question == "Is it so?"
    assert found.hypotheses == []
    assert found.sections == [("Data", "Rows.", "")]


def test_a_project_without_a_proposal_has_none(tmp_path):
    assert proposal.read(tmp_path) is None


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("date: 2026-11-25", "date: soon", 2, "`date` is 'soon'; expected a day"),
        ("date: 2026-11-25\n", "", 1, "`date` is missing"),
        ("date: 2026-11-25", "date: 2026-02-30", 2, "expected a day such as"),
        ("question:", "qestion:", 3, "`qestion` is no key here. Did you mean `question`?"),
        ("question: Will", "question: Will: it", 3, "needs quotes"),
        ("question: Will it rain in Seattle tomorrow?\n", "", 1, "`question` is missing"),
        ("https://video", "javascript:video", 4, "`video` is 'javascript:"),
        ("video:", "authors: [{name: Ada, roles: [Sofware]}]\nvideo:", 4, "Did you mean `Softw"),
        ("  - Trained on 2012 to 2014 with\n    seeds 0 and 1.\n", "", 5, "`pilots` is missing"),
        (
            "  - Trained on 2012 to 2014 with\n    seeds 0 and 1.",
            "  - seeds: 0",
            5,
            "`pilots` is [{",
        ),
        ("  - name: beats-markov", "  - name: Beats Markov", 9, "`name` (hypothesis 1) is 'Beats"),
        ("name: good-enough", "name: beats-markov", 17, "beats-markov is taken"),
        ("    metric: brier\n", "", 9, "`metric` (hypothesis 1) is missing"),
        ("    metric: brier", "    metric: bits", 11, "cannot be worked out over examples"),
        ("    metric: brier", "    metrc: brier", 11, "Did you mean `metric`?"),
        ("logistic < markov", "logistic <= markov", 12, "it takes MODEL < MODEL"),
        ("logistic < markov", "logistic better markov", 12, "it takes MODEL < MODEL"),
        ("logistic > 0.75", "0.75 < logistic", 20, "the model comes first: `logistic > 0.75`"),
        ("logistic < markov", "markov < markov", 12, "compares markov with itself"),
        ("threshold: 5e-3", "threshold: -1", 13, "`threshold` (hypothesis 1) is -1"),
        ("threshold: 5e-3", "threshold: .nan", 13, "`threshold` (hypothesis 1) is nan"),
        ("threshold: 5e-3", "threshold: true", 13, "`threshold` (hypothesis 1) is True"),
        ("    seeds: 3", "    seeds: 1", 21, "2 or more"),
        ("    seeds: 3", "    seeds: 2.5", 21, "`seeds` (hypothesis 2) is 2.5"),
        ("over: examples", "over: exmples", 15, "it takes seeds or examples"),
        ("    answers: forecasts\n", "", 9, "`answers` (hypothesis 1) is missing"),
        ("    over: examples\n", "", 15, "goes with `over: examples`"),
        ("    seeds: 5\n", "    seeds: 5\n    seeds: 3\n", 15, "stands there twice"),
        ("metric: brier", 'metric: "\\e[31mbrier"', 11, "it takes no control characters"),
        ("metric: brier", 'metric: "\\uD800"', 11, "it takes no control characters"),
        ("seeds: 3", f"seeds: {10**4000}0{10**4000}", 21, "`seeds` (hypothesis 2) is '1000"),
        ("threshold: 5e-3", f"threshold: 1{10**400}", 13, "it takes a number from 0 up"),
        ("seeds 0 and 1.", "seeds 0 and 1.\n  - 2026-02-30", 8, "day is out of range for month"),
        ("  - name: beats-markov\n    claim", "  - 3\n  - claim", 9, "is 3; it takes name, claim"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_what_would_work(old, new, line, said):
    assert old in HEAD
    with pytest.raises(Exception, match=re.escape(said)) as raised:
        parse(HEAD.replace(old, new))
    assert raised.value.exit_code in (1, 2)
    assert re.match(rf"projects/rain/proposal\.md:{line}: ", str(raised.value))


def test_nested_aliases_are_refused_before_they_grow():
    bomb = "\n".join(
        [
            "pilots: &a0 [x, x]",
            *(f"k{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 40)),
        ]
    )
    with pytest.raises(BadUsage, match="refers to another value"):
        parse(f"{bomb}\n")


def test_a_token_in_the_plan_is_named_since_nothing_is_recorded_yet():
    with pytest.raises(BadUsage, match=r"proposal\.md:26: \[\[scores\.cnn\.accuracy\]\] asks for"):
        parse(body="\n## Plan\n\nIt will be [[scores.cnn.accuracy]], as `[[data.rows]]` is code.\n")


@pytest.mark.parametrize("text", ["", "# A plan\n", "---\n", "---\ndate: x\n"])
def test_a_file_without_front_matter_is_told_how_one_begins(text):
    with pytest.raises(BadUsage, match=r"proposal\.md:1: no front matter"):
        proposal.parse(text, "proposal.md")


BRACKETS = f"pilots: {'[' * 3000}\n"


@pytest.mark.parametrize("head", ["- a\n- b\n", "{\n", "\x00\n", "just text\n", BRACKETS])
def test_front_matter_that_is_no_list_of_keys_is_refused(head):
    with pytest.raises(BadUsage, match=r"proposal\.md:\d+: "):
        parse(head)


def test_text_that_is_no_utf8_is_named_with_its_line(tmp_path):
    (tmp_path / "proposal.md").write_bytes(b"---\ndate: caf\xe9\n---\n")
    with pytest.raises(BadUsage, match=r"proposal\.md:2: byte 0xe9"):
        proposal.read(tmp_path)


def test_what_is_no_file_is_told(tmp_path):
    (tmp_path / "proposal.md").mkdir()
    with pytest.raises(BadUsage, match=r"proposal\.md: it cannot be read \("):
        proposal.read(tmp_path)


def test_every_metric_over_examples_takes_truth_and_answers():
    from models import evaluation

    for name in METRICS:
        first, second, *others = inspect.signature(getattr(evaluation, name)).parameters.values()
        assert first.name == "y_true"
        assert second.name in ("y_pred", "y_prob", "y_score")
        assert all(each.default is not inspect.Parameter.empty for each in others)


def test_levels_add_up_to_one_error_in_twenty():
    assert level(1) == 0.95
    assert level(5) == pytest.approx(0.99)
    assert level(0) == 0.95
