"""A proposal's page: what it tells before a run and after it, and that no text harms it."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from blog import frame, proposal, render
from blog.errors import PostError, SiteError
from blog.portfolio import Portfolio
from blog.site import handin
from blog.site.generator import complaints
from projects.spine import publishing

ROOT = Path(__file__).parents[2]
SECTIONS = [
    ("Data", "Four years of days. A rate $\\frac{a}{b}$.\n\n<!-- since? -->", "Show *one* day."),
    ("Split", "| part | days |\n| --- | ---: |\n| test | 365 |", ""),
    ("Risks", "<!-- what could go wrong? -->", ""),
]  # fmt: skip


def document(**changed) -> dict:
    """A proposal as `projects` hands it over."""
    told = {
        "question": "Will it rain tomorrow?",
        "title": "Rain tomorrow",
        "date": "2026-11-25",
        "authors": [],
        "video": "",
        "pilots": ["Trained on two years, tested on one; Brier .185."],
        "hypotheses": [
            {"name": "beats-markov", "claim": "A network beats a Markov chain.",
             "test": "brier of mlp below that of markov by more than 0.005; 5 paired seeds"},
            {"name": "calibrated", "claim": "It is calibrated.",
             "test": "error of mlp below 0.02; 5 seeds"},
        ],
        "sections": SECTIONS,
        "text": "---\ndate: 2026-11-25\nauthors: [Ada]\n---\n\n## Data",
    }  # fmt: skip
    return told | changed


def seal(text: str) -> dict:
    return {
        "schema": 1, "project": "pictograms", "time": "2026-11-25T19:48:05+00:00",
        "commit": "cd" * 20, "code": "F7KQ-2M9X-C4TD", "hash": "ab" * 32, "earlier": [],
        "sealed": {"text": text, "seeds": [31, 32, 33], "settings": {}, "trainings": 2},
    }  # fmt: skip


VERDICTS = [
    {"name": "beats-markov", "claim": "A network beats a chain.", "test": "brier: mlp < markov",
     "found": "0.012 (0.007 to 0.017)", "outcome": "supported", "sealed": True},
    {"name": "later", "claim": "Thought of later.", "test": "auc of mlp above 0.7",
     "found": "0.65 (0.6 to 0.7)", "outcome": "refuted", "sealed": False},
]  # fmt: skip


def page(project: Path, *arguments, **options) -> str:
    """Write a proposal beside the project's folder and return its page."""
    docs = project.parent.parent / "docs"
    proposal.write(project, docs, *arguments, **options)
    return (docs / proposal.paths(project.name).page).read_text("utf-8")


def plain(text: str) -> str:
    return html.unescape(text)


def test_before_the_seal_the_page_holds_the_plan_and_says_how_to_seal_it(project):
    told = plain(page(project, document(), None))
    head = yaml.safe_load(told.split("---\n")[1])
    assert head["title"] == "Rain tomorrow"
    assert head["description"] == "Will it rain tomorrow? Not sealed; not yet run."
    assert "| A network beats a Markov chain. | brier of mlp below" in told
    assert "by more than 0.005; 5 paired seeds |" in told
    assert "outcome" not in told
    assert "25 November 2026" in told
    assert "## Data\n\nFour years of days." in told
    assert "Show *one* day." not in told, "notes are the speaker's"
    assert "## Risks" not in told, "nobody has answered yet"
    assert "Brier .185." in told
    assert "`folio propose pictograms` seals it" in told
    assert "[The slides](pictograms/slides.html)" in told
    assert "What came out" not in told


def test_the_seal_is_told_with_what_it_proves_and_what_not(project):
    told = plain(page(project, document(), seal(document()["text"])))
    for line in ("| Code | F7KQ-2M9X-C4TD |", "| Sealed | 25 November 2026, 19:48 UTC |",
                 f"| Commit | {'cd' * 20} |", "| Seeds | 31, 32, 33 |", "| Trainings before | 2 |",
                 f"| SHA-256 | {'ab' * 32} |"):  # fmt: skip
        assert line in told
    assert "In place of" not in told
    assert "`folio check --seal F7KQ-2M9X-C4TD`" in told
    assert "What it does not prove" in told
    assert "Sealed 25 November 2026; not yet run." in told
    assert "Changed since" not in told


def test_a_proposal_changed_since_its_seal_says_so(project):
    assert "Changed since it was sealed" in page(project, document(), seal("another text"))


def test_once_there_are_results_each_hypothesis_has_its_verdict(project):
    results = {"verdicts": VERDICTS, "deviations": ["Seed 33 of `net` is *left out*."]}
    told = plain(page(project, document(), seal(document()["text"]), results=results))
    assert "| hypothesis | test | found | outcome |" in told
    assert (
        "| A network beats a chain. | brier: mlp < markov | 0.012 (0.007 to 0.017) | supported |"
        in told
    )
    assert "| It is calibrated. | error of mlp below 0.02; 5 seeds |  | not judged |" in told
    assert "refuted (not sealed) |" in told
    assert "## Deviations from the proposal\n\n- Seed 33 of <code>net</code> is *left out*." in told
    assert "[What came out](../posts/pictograms.md)" in told
    assert "Sealed 25 November 2026; 1 supported, 1 refuted." in told


def test_where_the_question_is_the_title_the_description_leaves_it_out(project):
    told = page(project, document(title="Will it rain tomorrow?"), None)
    assert yaml.safe_load(told.split("---\n")[1])["description"] == "Not sealed; not yet run."


def test_what_was_run_without_a_seal_says_so_and_a_draft_can_still_be_sealed(project):
    told = page(project, document(), None, results={"verdicts": VERDICTS})
    assert "was not sealed before the project was run" in told
    assert "folio propose" not in told
    draft = page(project, document(), None, results={"verdicts": VERDICTS, "draft": True})
    assert "`folio propose pictograms` seals it" in draft


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("by `folio run wet --quick`;", "by <code>folio run wet --quick</code>;"),
        ("a `b` c ` d", "a <code>b</code> c ` d"),
        ("`<b>` | *e*", "<code><b></code> | *e*"),
    ],
)
def test_a_pilot_and_a_deviation_show_code_between_backticks_and_nothing_else(
    project, written, shown
):
    results = {"verdicts": VERDICTS, "deviations": [written], "pilots": [written]}
    told = page(project, document(pilots=[written]), None, results=results)
    lines = [line for line in told.splitlines() if line.startswith("- ")]
    # What is not a letter stands there as a number: Markdown finds no mark of its own in it.
    assert not any(set(re.sub(r"</?code>|&#\d+;", "", line[2:])) & set("<>`*|") for line in lines)
    assert [plain(line) for line in lines] == [f"- {shown}"] * 2
    box = frame.deviations(results)
    assert [plain(line) for line in box.splitlines() if line.startswith("- ")] == [f"- {shown}"] * 2


def test_no_deviation_is_told_too(project):
    told = page(project, document(), None, results={"verdicts": VERDICTS, "deviations": []})
    assert "## Deviations from the proposal\n\n- None&#46;" in told


def test_written_twice_nothing_changes(project):
    docs = project.parent.parent / "docs"
    first = proposal.write(project, docs, document(), None)
    assert [path.relative_to(docs).as_posix() for path in first] == [
        "proposals/pictograms.md", "proposals/pictograms/slides.html",
    ]  # fmt: skip
    assert proposal.write(project, docs, document(), None) == []


def test_an_author_that_cannot_be_told_is_named_with_file_and_line(project):
    with pytest.raises(PostError, match=r"proposal\.md:3: .*`adress`.*"):
        page(project, document(authors=[{"name": "Ada", "adress": "x"}]), None)
    assert not (project.parent.parent / "docs").exists()


def test_the_authors_are_those_named_or_else_the_owner(project):
    owner = Portfolio(author="Grace Hopper")
    assert "By Grace Hopper" in page(project, document(), None, owner)
    assert "By Ada and Bob" in page(project, document(authors=["Ada", "Bob"]), None, owner)
    story = project / "post.md"
    story.write_text(story.read_text().replace("hero:", "example: true\nhero:"))
    assert "By" not in page(project, document(), None, owner)


@pytest.mark.parametrize(
    ("video", "shown"),
    [
        ("https://video.example.org/embed/1", True),
        ("https://video.example.org.elsewhere.example/embed/1", False),
        ("https://elsewhere.example/1", False),
        ("javascript:alert(1)", None),
    ],
)
def test_a_recording_is_a_link_and_shown_only_from_the_host_that_is_allowed(project, video, shown):
    owner = Portfolio(video_host="https://video.example.org")
    told = page(project, document(video=video), None, owner)
    assert ("[A recording]" in told) is (shown is not None)
    assert ("<iframe" in told) is bool(shown)
    assert "<iframe" not in page(project, document(video=video), None)


def test_the_post_links_to_its_proposal_with_the_day_of_the_seal(project):
    docs = project.parent.parent / "docs"
    render.write(project, docs)
    assert "folio-proposal" not in (docs / "posts/pictograms.md").read_text()
    (project / "proposal.md").write_text("---\n---\n")
    results = project / "results" / "results.json"
    told = json.loads(results.read_text())
    results.write_text(json.dumps(told | {"seal": seal("")}))
    render.write(project, docs)
    link = "[The proposal, sealed 25 November 2026](../proposals/pictograms.md)"
    assert link in (docs / "posts/pictograms.md").read_text()


def test_the_list_begins_with_what_is_not_judged_and_goes_with_the_last(project, tmp_path):
    docs, projects = tmp_path / "docs", project.parent
    for name, results in (("done", {"verdicts": VERDICTS}), ("open", None)):
        folder = projects / name
        folder.mkdir()
        (folder / "proposal.md").write_text("")
        proposal.write(folder, docs, document(), None, results=results)
    assert proposal.write_index(docs) == [docs / "proposals" / "index.md"]
    assert "first: [proposals/open/]\n" in (docs / "proposals" / "index.md").read_text()
    assert proposal.write_index(docs) == []
    (docs / "proposals" / "mine.md").write_text("# Somebody's own page")
    assert proposal.stale(projects, docs) == []
    for name in ("done", "open"):
        (projects / name / "proposal.md").unlink()
    gone = proposal.stale(projects, docs)
    assert {path.name for path in gone} == {"done.md", "done", "open.md", "open"}
    for path in gone:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert proposal.write_index(docs) == [docs / "proposals" / "index.md"]
    assert [path.name for path in (docs / "proposals").glob("*")] == ["mine.md"]


def test_on_a_disk_page_and_slides_lead_to_each_other(root, tmp_path):
    docs = root / "blog" / "docs"
    for name in ("howto", "models"):
        shutil.rmtree(docs / name)
    (docs / "changelog.md").unlink()  # it links to them
    proposal.write(root / "projects" / "words", docs, document(), None)
    proposal.write_index(docs)
    file = handin.zipped(root, tmp_path / "hand.zip", command="folio publish --zip", runs=[])
    shutil.unpack_archive(file, tmp_path)
    shown = (tmp_path / "hand" / "proposals" / "words.html").read_text("utf-8")
    assert 'href="words/slides.html"' in shown
    slides = (tmp_path / "hand" / "proposals" / "words" / "slides.html").read_text("utf-8")
    assert 'href="../words.html"' in slides
    assert (tmp_path / "hand" / "proposals" / "index.html").is_file()


# ---- What is committed ----

COMMITTED = sorted(ROOT.glob("blog/docs/proposals/*/slides.html"))
SEALED = sorted(path.parent.name for path in ROOT.glob("projects/*/seal.json"))


@pytest.mark.parametrize("name", [path.parent.name for path in COMMITTED])
def test_a_committed_proposal_is_what_its_project_gives(name, tmp_path):
    shutil.copytree(ROOT / "blog/docs/proposals", tmp_path / "proposals")
    made = publishing.render_proposal(ROOT, name, tmp_path, publishing.portfolio(ROOT))
    assert made == [], f"to write it: folio publish {name}"


@pytest.mark.parametrize("name", SEALED)
def test_what_is_sealed_has_its_page(name):
    assert (ROOT / "blog/docs" / proposal.paths(name).page).is_file(), f"folio publish {name}"


@pytest.mark.parametrize("page", ["proposals/rain.md", "proposals/rain/slides.html"])
def test_a_fault_in_a_page_is_to_be_mended_in_the_proposal(page, tmp_path):
    source = tmp_path / "projects" / "rain" / "proposal.md"
    source.parent.mkdir(parents=True)
    source.touch()

    def fail() -> None:
        with complaints(tmp_path) as said:
            said.append(f"WARNING -  Doc file '{page}' contains a link")
            raise SystemExit(1)

    with pytest.raises(SiteError, match=r"is made from projects/rain/proposal\.md: correct that"):
        fail()
