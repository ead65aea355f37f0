import html
import json
import re
from pathlib import Path

import pytest

from blog import render, tables
from blog.errors import BlogError, PostError


def results(project: Path) -> dict:
    return json.loads((project / "results" / "results.json").read_text())


def change(project: Path, edit) -> None:
    document = results(project)
    edit(document)
    (project / "results" / "results.json").write_text(json.dumps(document))


def rewrite(project: Path, old: str, new: str) -> None:
    story = (project / "post.md").read_text()
    assert old in story
    (project / "post.md").write_text(story.replace(old, new))


def page(project: Path) -> str:
    docs = project.parent.parent / "docs"
    render.write(project, docs)
    return (docs / "posts" / f"{project.name}.md").read_text()


def test_every_number_on_the_page_is_one_of_the_results(project):
    cnn = results(project)["scores"]["cnn"]["accuracy"]
    text = page(project)
    assert f"reaches {cnn['mean']:.3f}, between\n{cnn['low']:.4g} and {cnn['high']:.4g} (20" in text
    assert f"names {cnn['mean']:.1%} of icons" in text
    assert f"| cnn | {cnn['mean']:.3f} ({cnn['low']:.3f}–{cnn['high']:.3f}) |" in text
    assert f"network {results(project)['parameters']['network']} |" in text
    assert "| majority | 0.083 |" in text  # no interval, none shown


def test_a_score_that_no_seed_changes_is_shown_without_an_interval_of_no_width():
    same = {"values": [0.25] * 5, "mean": 0.25, "low": 0.25 - 1e-16, "high": 0.25}
    table = tables.of_scores({"size": {"accuracy": same}}, ".2f")
    assert table.endswith("| size | 0.25 |")


def test_front_matter_holds_what_home_page_and_cards_show(project):
    import yaml

    head = yaml.safe_load(page(project).split("---")[1])
    assert head["title"] == "Icons from design sets never seen"
    assert str(head["date"]) == "2026-11-20"
    assert head["tags"] == ["images", "cnn"]
    assert head["finding"] == "A network of 83,412 weights names 94.5% of icons."
    assert head["description"] == head["finding"]
    assert head["picture"] == ["pictograms/models.light.svg", "pictograms/models.dark.svg"]
    assert "example" not in head
    rewrite(project, "hero:", "example: true\nhero:")
    assert yaml.safe_load(page(project).split("---")[1])["example"] is True


def test_the_hero_comes_first_and_figures_are_numbered_as_they_stand(project):
    text = page(project)
    assert text.index('id="figure-models"') < text.index("Over 4,080 icons")
    assert re.findall(r"<b>(Figure \d)</b>", text) == [f"Figure {n}" for n in (1, 2, 3, 4)]
    assert "as [Figure 1](#figure-models) shows" in text


def test_code_is_quoted_from_the_project_and_blocks_of_code_are_left_alone(project):
    text = page(project)
    assert "def split(table, seed):" in text
    assert "return table  # the ``rest``" in text
    assert "[[nothing.is.looked.up]] in a block of code, nor `[[here]]`" in text


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("[[scores.cnn.accuracy|.3f]]", "[[scores.cnn.acuracy]]", 10,
         "`scores.cnn` holds no `acuracy`. Did you mean `accuracy`? Available: accuracy."),
        ("[[scores.cnn.accuracy.low]]", "[[scoers.cnn]]", 11, "Did you mean `scores`?"),
        ("[[scores.cnn.accuracy.low]]", "[[scores.cnn]]", 11, "is no single value"),
        ("[[scores.cnn.accuracy.low]]", "[[scores.cnn.accuracy.low|.3q]]", 11, "format `.3q`"),
        ("[[data.rows|,]]", "[[data.rows.x]]", 10, "`data.rows` is 4080 and holds nothing below"),
        ("[[parameters.network|,]]", "[[parameters.net|,]]", 6, "Did you mean `network`?"),
        ("[[figure:curves]] Tr", "[[figure:curve]] Tr", 18, "Did you mean `curves`?"),
        ("[[figure:confusions]] Rows are the truth.", "[[figure:confusions]]", 20, "no caption"),
        ("[[figure:confusions]] Rows are the truth.", "", 34, "`confusions` is never shown"),
        ("[[table:by_class|.2f]]", "[[table:by_clas]]", 26, "Did you mean `by_class`?"),
        ("[[table:scores]] Five", "Five [[table:scores]]", 24, "stands alone"),
        ("[[code:split]]", "[[code:splt]]", 30, "no step `splt`. Did you mean `split`?"),
        ("[[cite:nielsen2015]]", "[[cite:nielsen]]", 12, "Did you mean `nielsen2015`?"),
        ("[[cite:nielsen2015]]", "[[ciet:nielsen2015]]", 12, "Did you mean `cite`?"),
        ("hero: models", "hero: model", 7, "Did you mean `models`?"),
        ("hero: models", "heroo: models", 7, "unknown key `heroo`. Did you mean `hero`?"),
        ("date: 2026-11-20", "date: yesterday", 3, "expected a day such as 2026-11-20"),
        ("tags: [images, cnn]", "tags: ['<b>']", 4, "expected a list of words"),
        ("finding: A", "finding: a: b: A", 6, "A text with a colon needs quotes"),
        ("title: Icons from design sets never seen\n", "", 1, "`title` is missing"),
        ("date: 2026-11-20", "date: 2026-02-30", 3, "expected a day such as 2026-11-20"),
        ("[[figure:curves]] Tr", "[[figur:curves]] Tr", 18, "Did you mean `figure`?"),
        ("[[data.rows|,]]", "[[data.rows|,]", 10, "is not closed by ]] in its line"),
        ("[[data.rows|,]]", "[[data.rows|,", 10, "is not closed by ]] in its line"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_post_is_named_with_file_line_and_remedy(project, old, new, line, message):
    rewrite(project, old, new)
    with pytest.raises(PostError) as raised:
        page(project)
    assert message in str(raised.value)
    assert str(raised.value).startswith(f"{project / 'post.md'}:{line}: ")
    assert not (project.parent.parent / "docs").exists()


def test_a_story_in_another_encoding_is_named_with_its_line(project):
    story = (project / "post.md").read_text().replace("## What it learns", "## Schön")
    (project / "post.md").write_bytes(story.encode("latin-1"))
    line = story[: story.index("Schön")].count("\n") + 1
    with pytest.raises(PostError, match=rf"post\.md:{line}: byte 0xf6 is no UTF-8"):
        page(project)


def test_a_figure_without_alternative_text_is_an_error(project):
    change(project, lambda document: document["figures"]["curves"].update(alt=""))
    with pytest.raises(PostError, match="`curves` has no alternative text"):
        page(project)


def test_a_figure_outside_the_results_is_refused(project):
    change(project, lambda d: d["figures"]["curves"].update(light="../../../secret.svg"))
    (project.parent.parent / "secret.svg").write_text("<svg/>")
    with pytest.raises(BlogError, match="is not there"):
        page(project)


def test_a_table_outside_the_results_is_refused(project):
    change(project, lambda d: d["tables"]["by_class"].update(data="../../../secret.csv"))
    (project.parent.parent / "secret.csv").write_text("secret\n1\n")
    with pytest.raises(BlogError, match="is not there"):
        page(project)


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "has no results yet"), ("{", "not readable as JSON"), ('{"schema": 9}', "schema 9")],
)
def test_results_that_cannot_be_read_are_named_with_the_next_command(project, content, message):
    file = project / "results" / "results.json"
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    with pytest.raises(BlogError, match=message) as raised:
        page(project)
    assert str(file) in str(raised.value)
    assert raised.value.exit_code == 1


def test_a_single_seed_has_no_interval_and_still_renders(project):
    change(project, lambda d: d["scores"]["cnn"]["accuracy"].update(low=None, high=None))
    assert "between\n– and –" in page(project)


def test_settings_that_hold_others_stand_in_the_box_as_they_are_written(project):
    change(project, lambda d: d["settings"].update(WEIGHTS={"a<b": 1}, PAIRS=[{"x": 2}], RATES=[3]))
    box = html.unescape(page(project))
    assert "WEIGHTS {'a<b': 1}, PAIRS [{'x': 2}], RATES 3" in box


def test_a_title_is_the_same_text_at_the_head_of_the_page_as_everywhere_else(project):
    rewrite(project, "title: Icons from design sets never seen", 'title: "Is a_b_c *all* <of> C#"')
    (line,) = re.findall(r"^# (.*)$", page(project), re.MULTILINE)
    assert not re.search(r"[*_<>]|#$", line)
    assert html.unescape(line) == "Is a_b_c *all* <of> C#"


def test_what_the_stamp_tells_is_no_markup(project):
    change(project, lambda d: d["hardware"].update(processor="<img src=x onerror=go()> -->"))
    (stamp,) = re.findall(r"^<!-- Made from .*$", page(project), re.MULTILINE)
    assert stamp.count("<") == stamp.count("-->") == 1


def test_a_quick_run_is_marked_as_a_draft(project):
    change(project, lambda document: document.update(draft=True))
    assert '!!! warning "Draft"' in page(project)


def test_the_page_stays_byte_for_byte_when_only_time_and_machine_differ(project):
    first = page(project)

    def another_day(document: dict) -> None:
        document.update(run="20270101-000000-ffffff", minutes={"total": 99.0}, threads=8)
        document["hardware"]["processor"] = "another"

    change(project, another_day)
    assert page(project) == first
    assert render.write(project, project.parent.parent / "docs") == []


def test_an_edited_stamp_gives_no_score(project):
    first = page(project)
    file = project.parent.parent / "docs" / "posts" / f"{project.name}.md"
    file.write_text(first.replace("folio: {", 'folio: {"parameters": {"network": 1}, '))
    assert page(project) == first


def test_the_stamp_changes_with_a_value_or_a_figure(project):
    def stamp() -> dict:
        return json.loads(re.search(r"folio: (\{.*\}) -->", page(project))[1])

    first = stamp()
    assert first["run"] == "20261120-101500-3fa9c1"
    change(project, lambda d: d.update(run="later"))
    assert stamp() == first
    change(project, lambda d: d["data"].update(rejected=4))
    second = stamp()
    assert second["content"] != first["content"]
    assert second["run"] == "later"
    drawn = project / "results" / "figures" / "models.light.svg"
    drawn.write_text(drawn.read_text().replace("0.945", "0.946"))
    assert stamp()["content"] != second["content"]


def test_a_hand_edited_page_and_left_over_files_are_put_right(project):
    docs = project.parent.parent / "docs"
    text = page(project)
    file = docs / "posts" / "pictograms.md"
    file.write_text(text.replace("0.945", "0.999"))
    (docs / "posts" / "pictograms" / "old.svg").write_text("<svg/>")
    changed = render.write(project, docs)
    assert {path.name for path in changed} == {"pictograms.md", "old.svg"}
    assert file.read_text() == text


def test_posts_whose_project_is_gone_are_stale_and_others_are_not(project):
    docs = project.parent.parent / "docs"
    page(project)
    (docs / "posts" / "own.md").write_text("---\ndate: 2026-01-01\n---\nMine.")
    assert render.stale(project.parent, docs) == []
    project.rename(project.with_name("renamed"))
    names = [path.name for path in render.stale(project.parent, docs)]
    assert names == ["pictograms.md", "pictograms"]


def test_decimals_typed_into_the_prose_are_warned_about(project):
    assert render.warnings(project) == []
    rewrite(project, "Rows are the truth.", "Rows: 0.87 of [it](http://x.org/1.5), v1.2.3, `0.5`.")
    rewrite(project, "Rows: 0.87", "Rows: 93 % (.88; the interval at 95 %), 0.87")
    rewrite(project, "finding: A", "finding: 0.9 of a")
    found = render.warnings(project)
    assert [re.search(r":(\d+): (\S+) is typed", line).groups() for line in found] == [
        ("6", "0.9"),
        ("20", "93"),
        ("20", ".88"),
        ("20", "0.87"),
    ]


def test_names_from_the_web_reach_the_page_as_text_only(project):
    from markdown import Markdown

    body = page(project).split("-->", 1)[1]
    extensions = ["attr_list", "md_in_html", "admonition", "tables", "pymdownx.details",
                  "pymdownx.superfences"]  # fmt: skip
    html = Markdown(extensions=extensions).convert(body)
    assert "<img src=x" not in html
    assert 'href="javascript' not in html
    assert not re.search(r"<[^>]*\sonclick=", html)
    assert "&#123;&#123; 7&#42;7 &#125;&#125;" in html
    assert "&#60;img src&#61;x" in html


def test_brackets_in_code_and_in_links_open_no_token(project):
    rewrite(project, "[[code:split]]", "`[[` and [[1]](#reference-nielsen2015) and a[0][1].")
    assert "`[[` and [[1]](#reference-nielsen2015) and a[0][1]." in page(project)
