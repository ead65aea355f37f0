"""What stands around the story: the live model, cards, authors, citation, data for machines."""

import html
import json
import re
from pathlib import Path

import pytest
import yaml

from blog import authors, citations, render
from blog.errors import PostError
from blog.portfolio import Portfolio

OWNER = Portfolio("Marks", "Ada Lovelace", "https://ada.example/", "https://git.example/ada/marks")


def page(project: Path, portfolio: Portfolio = OWNER) -> str:
    docs = project.parent.parent / "docs"
    render.write(project, docs, portfolio)
    return (docs / "posts" / f"{project.name}.md").read_text()


def head(project: Path, portfolio: Portfolio = OWNER) -> dict:
    return yaml.safe_load(page(project, portfolio).split("---\n")[1])


def rewrite(project: Path, old: str, new: str) -> None:
    story = (project / "post.md").read_text()
    assert old in story
    (project / "post.md").write_text(story.replace(old, new))


def change(project: Path, edit) -> None:
    file = project / "results" / "results.json"
    document = json.loads(file.read_text())
    edit(document)
    file.write_text(json.dumps(document))


def box(text: str, title: str) -> str:
    start = text.index(f"<summary>{title}</summary>")
    return text[start:].split("</details>", 1)[0]


# -- the network to try ------------------------------------------------------------------------


def test_the_network_stands_where_the_post_says_with_its_files_beside_it(project):
    text = page(project)
    section = text[text.index('<section class="folio-live"') : text.index("</section>")]
    assert 'data-kind="form"' in section
    assert "Two numbers in, the chance of rain out." in section
    assert "(pictograms/live/model.json){ .folio-live__model }" in section
    assert "&#60;b&#62;storm&#60;&#47;b&#62;" in section  # a category of the data, as text
    folder = project.parent.parent / "docs" / "posts" / "pictograms" / "live"
    recorded = project / "results" / "live" / "live"
    for name in ("model.json", "model.bin", "golden.bin"):
        assert (folder / name).read_bytes() == (recorded / name).read_bytes()
    size = sum((recorded / name).stat().st_size for name in ("model.json", "model.bin"))
    assert f'data-bytes="{size}"' in section


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[live]] Two numbers in, the chance of rain out.", "", "`live` is never shown"),
        ("[[live]] Two numbers in, the chance of rain out.", "[[live]]", "[[live]] has no caption"),
        ("[[live]] Two", "[[live:lvie]] Two", "Did you mean `live`?"),
        ("[[code:split]]", "[[live]] Again.", "a post has one network to try"),
        ("Over [[data.rows|,]]", "Over [[live]]", "stands alone"),
        ("[[code:split]]", "[[verdicts]]", "no hypothesis was sealed"),
    ],
)
def test_a_live_model_or_verdict_that_cannot_be_shown_is_named_with_its_line(
    project, old, new, message
):
    rewrite(project, old, new)
    with pytest.raises(PostError, match=re.escape(message)) as raised:
        page(project)
    assert raised.value.file == project / "post.md"


def test_without_a_network_nothing_offers_to_try_one(project):
    change(project, lambda document: document.update(live={}))
    rewrite(project, "[[live]] Two numbers in, the chance of rain out.", "")
    text = page(project)
    assert "folio-try" not in text
    assert "folio-live" not in text
    assert not (project.parent.parent / "docs/posts/pictograms/live").exists()
    assert "live" not in head(project)


# -- hypotheses --------------------------------------------------------------------------------


def test_verdicts_and_deviations_are_told_the_refuted_ones_too(project):
    told = {"claim": "It beats <b>pixels</b>", "test": "cnn > nearest by 0.05", "found": "0.07",
            "outcome": "supported", "sealed": True}  # fmt: skip
    refuted = told | {"claim": "It is perfect", "outcome": "refuted"}
    change(project, lambda document: document.update(verdicts=[told, refuted]))
    rewrite(project, "[[code:split]]", "[[verdicts]] Sealed before the first run.")
    text = page(project)
    assert "| It beats &#60;b&#62;pixels&#60;&#47;b&#62; | cnn &#62; nearest by 0&#46;05 |" in text
    assert "| refuted |" in text
    assert "- None&#46;" in box(text, "Deviations from the proposal")
    change(project, lambda document: document.update(deviations=["EPOCHS 20 → 30"]))
    assert "- EPOCHS 20 → 30" in box(page(project), "Deviations from the proposal")


def test_a_step_named_in_a_recorded_sentence_is_shown_as_code(project):
    told = {"claim": "It wins.", "test": "over the examples of `answers`", "found": "0.07",
            "outcome": "supported", "sealed": True}  # fmt: skip
    added = "The step `split` was added"
    change(project, lambda document: document.update(verdicts=[told], deviations=[added]))
    rewrite(project, "[[code:split]]", "[[verdicts]] Sealed before the first run.")
    text = page(project)
    assert "| over the examples of <code>answers</code> |" in text
    assert "- The step <code>split</code> was added" in box(text, "Deviations from the proposal")


# -- cards -------------------------------------------------------------------------------------


def test_the_data_card_holds_what_was_recorded_and_what_the_author_says(project):
    (project / "datasheet.md").write_text("# Datasheet\n\n## Uses\n\nLessons, *only* lessons.\n")
    card = box(page(project), "Data card")
    assert "- 4&#44;080 rows" in card
    assert "    - class&#58; text&#59; &#60;img src&#61;x" in card
    assert "- Fetched from 2026&#45;11&#45;20T10&#58;00&#58;00Z to" in card
    assert "Lessons, *only* lessons." in card
    assert "*Not answered:* For what purpose was it made?" in card
    assert "What should it be used for" not in card


def test_the_model_card_tells_sizes_scores_and_what_nobody_answered(project):
    card = box(page(project), "Model card")
    assert "- Kind&#58; a convolutional network" in card
    assert "network&#58; 83&#44;412 parameters" in card
    assert "| cnn | 0.945" in card
    assert "*Not answered:* For what should nobody use it?" in card
    (project / "modelcard.md").write_text("## Out-of-scope use\n\nAnything that matters.\n")
    card = box(page(project), "Model card")
    assert "Anything that matters." in card
    assert "For what should nobody use it?" not in card


def test_a_heading_that_is_no_section_is_named_with_its_line(project):
    (project / "modelcard.md").write_text("<!-- a\nnote -->\n## Intended uses\n\nNone.\n")
    with pytest.raises(PostError, match=r"modelcard.md:3: .*Did you mean `Intended use`"):
        page(project)


def test_a_post_from_results_of_an_older_run_still_renders(project):
    old = ("card", "fetched", "families", "live")
    change(project, lambda document: [document.pop(key) for key in old])
    rewrite(project, "[[live]] Two numbers in, the chance of rain out.", "")
    text = page(project)
    assert "Data card" not in text
    assert "<summary>Model card</summary>" in text


# -- authors and how to cite them --------------------------------------------------------------

AUTHORS = """\
authors:
  - name: Ada <Lovelace>
    roles: [conceptualization, writing - original draft]
    link: https://orcid.org/0000-0001
  - Grace Hopper
hero: models"""


def test_authors_are_named_under_the_hero_and_their_roles_in_a_box(project):
    rewrite(project, "hero: models", AUTHORS)
    text = page(project)
    assert '<span class="folio-authors">By Ada &#60;Lovelace&#62; and Grace Hopper</span>' in text
    contributions = box(text, "Contributions")
    assert "[Ada &#60;Lovelace&#62;](https://orcid.org/0000-0001)" in contributions
    assert "Conceptualization and writing – original draft" in contributions
    assert "Hopper" not in contributions
    assert head(project)["authors"] == ["Ada &lt;Lovelace&gt;", "Grace Hopper"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("authors: Ada", "expected a list"),
        ("authors: [{roles: [software]}]", "has no name"),
        ("authors: [{name: Ada, role: x}]", "an author has no `role`. Did you mean `roles`?"),
        ("authors: [{name: Ada, roles: [Sofware]}]", "no CRediT role. Did you mean `Software`?"),
        ("authors: [{name: Ada, link: 'javascript:alert(1)'}]", "is no web address"),
    ],
)
def test_a_mistake_about_an_author_is_named_with_its_line(project, given, message):
    rewrite(project, "hero: models", f"{given}\nhero: models")
    with pytest.raises(PostError, match=re.escape(message)) as raised:
        page(project)
    assert raised.value.line == 7


def test_the_roles_are_the_fourteen_of_the_taxonomy():
    assert len(authors.ROLES) == 14


def test_the_entry_to_cite_reads_back_as_bibtex(project, tmp_path):
    rewrite(project, "title: Icons", "title: 100% of {braces} & $_ of icons")
    rewrite(project, "hero: models", AUTHORS)
    block = re.search(r"\{ \.bibtex \}\n(.*?)\n```", page(project), re.DOTALL)[1]
    file = tmp_path / "cited.bib"
    file.write_text("\n".join(line.removeprefix("    ") for line in block.splitlines()))
    (key, entry), *others = citations.read(file).items()
    assert others == []
    assert key == "pictograms2026"
    assert entry["author"] == "Ada <Lovelace> and Grace Hopper"
    assert entry["url"] == "https://ada.example/posts/pictograms/"
    assert entry["note"] == "Run 20261120-101500-3fa9c1"
    assert "100% of" in entry["title"]


# -- for machines ------------------------------------------------------------------------------


def test_the_code_is_linked_in_the_repository_or_else_published_beside_the_post(project):
    assert 'href="https://git.example/ada/marks/tree/HEAD/projects/pictograms"' in page(project)
    docs = project.parent.parent / "docs"
    assert not (docs / "posts/pictograms/project.py.txt").exists()
    assert "[The code](pictograms/project.py.txt)" in page(project, Portfolio())
    copied = docs / "posts/pictograms/project.py.txt"
    assert copied.read_bytes() == (project / "project.py").read_bytes()


def test_json_ld_tells_the_post_and_its_data_set_and_cannot_end_its_element(project):
    rewrite(project, "title: Icons", "title: </script><b> Icons")
    text = head(project)["jsonld"]
    assert "<" not in text
    told = json.loads(text)
    assert told["@type"] == "BlogPosting"
    assert told["headline"].startswith("</script><b> Icons")
    assert told["author"] == [{"@type": "Person", "name": "Ada Lovelace"}]
    assert told["about"]["@type"] == "Dataset"
    assert told["about"]["license"] == "https://opensource.org/license/mit"
    assert told["about"]["description"] == "Can it? 4,080 rows. One icon."
    assert told["image"] == "https://ada.example/pictograms/card.png"


def test_the_sharing_image_is_drawn_again_only_when_it_tells_something_else(project):
    page(project)
    file = project.parent.parent / "docs/posts/pictograms/card.png"
    assert file.read_bytes().startswith(b"\x89PNG")
    before = file.stat().st_mtime_ns
    rewrite(project, "Rows are the truth.", "Rows are what was drawn.")
    page(project)
    assert file.stat().st_mtime_ns == before
    rewrite(project, "title: Icons", "title: Other icons")
    page(project)
    assert file.stat().st_mtime_ns != before


def test_an_example_of_the_template_is_not_by_whoever_took_it_over(project):
    rewrite(project, "hero: models", "example: true\nhero: models")
    text = page(project)
    assert "Ada Lovelace" not in text
    assert "author       = {Folio}" in text
    assert "howpublished = {Folio}" in text


def test_front_matter_tells_the_theme_what_kind_of_network_it_is(project):
    told = head(project)
    assert told["families"] == ["cnn"]
    assert told["parameters"] == 83412
    assert told["live"] is True
    assert told["readtime"] == 1  # the story's, without what is folded away
    assert html.unescape(told["title"]) == "Icons from design sets never seen"
