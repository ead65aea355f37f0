"""`folio check` as a command: what it prints, its exit codes, and a teacher's file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from projects.spine.check import NUMBERS, POINTS, teacher
from projects.spine.errors import BadUsage

HOWTO = (Path(__file__).parents[2] / "blog/docs/howto/check.md").read_text("utf-8")


def test_a_line_says_what_was_seen_and_the_next_what_to_do(bells):
    (bells.folder / "seal.json").unlink()
    told = bells.command("check", "bells")
    assert told.code == 0
    lines = told.out.splitlines()
    assert lines[0] == "bells: 18 of 20 points"
    assert lines[1].startswith(
        "  ✗  1 Hypotheses sealed before the run, pilots listed: 1 hypothesis"
    )
    assert lines[2] == "       → folio propose bells, before the run that is to judge them"
    assert "\x1b" not in told.out


def test_strict_fails_for_a_point_that_counts_and_for_no_other(bells):
    bells.edit("post.md", "[[verdicts]]", "Verdicts:")
    assert bells.command("check", "bells", "--strict").code == 1
    file = bells.folder.parents[1] / "points.toml"
    file.write_text("leave_out = [4]\n")
    assert bells.command("check", "--strict", "--points", str(file)).code == 0
    file.write_text("count = [4]\n")
    assert bells.command("check", "--strict", "--points", str(file)).code == 1


def test_a_script_gets_numbers_outcomes_and_weights(bells):
    file = bells.folder.parents[1] / "points.toml"
    file.write_text(
        'title = "Winter"\ncount = [4, 6, 20]\n[weight]\n6 = 2.5\n[least]\nwords = 800\n'
    )
    told = json.loads(bells.command("check", "--json", "--points", str(file)).out)
    assert told["title"] == "Winter"
    (project,) = told["projects"]
    assert (project["reached"], project["possible"]) == (3.5, 4.5)
    assert [(p["number"], p["outcome"], p["weight"]) for p in project["points"]] == [
        (4, "ok", 1),
        (6, "ok", 2.5),
        (20, "missing", 1),
    ]
    assert "800 are asked for" in project["points"][2]["saw"]


@pytest.mark.parametrize(
    ("line", "point"),
    [
        ("seeds = 5", 6),
        ("hypotheses = 2", 2),
        ("sources = 2", 20),
        ("sealed_by = 2020-01-01", 1),
        ("due = 2020-01-01", 18),
    ],
)
def test_what_a_teacher_asks_for_at_least_raises_its_point(bells, line, point):
    file = bells.folder.parents[1] / "points.toml"
    file.write_text(f"count = [{point}]\n[least]\n{line}\n")
    assert bells.command("check", "--strict", "--points", str(file)).code == 1


def test_a_project_that_cannot_be_read_does_not_hide_the_others(bells):
    broken = bells.folder.parents[0] / "atlas"
    broken.mkdir()
    (broken / "project.py").write_text("def (:\n")
    told = bells.command("check")
    assert told.code == 2
    assert "bells: 20 of 20 points" in told.out
    assert "projects/atlas/project.py:1" in told.err


def test_nothing_is_run_nor_written_but_the_cache(bells):
    before = {path: path.read_bytes() for path in bells.folder.rglob("*") if path.is_file()}
    (bells.folder / "test_project.py").write_text("raise SystemExit('imported')\n")
    bells.edit("project.py", "SEEDS = [", 'open("/nowhere/at/all")\nSEEDS = [')
    bells.command("check", "bells")
    after = {path for path in bells.folder.rglob("*") if path.is_file()}
    assert after - set(before) == {bells.folder / "test_project.py"}


def test_a_seal_is_found_by_its_code_however_it_is_typed(bells):
    code = json.loads((bells.folder / "seal.json").read_text())["code"]
    told = bells.command("check", "--seal", code.lower().replace("-", ""), "bells")
    assert told.code == 0, told.err
    assert code in told.out
    bells.edit("seal.json", "network > majority", "network > 0.1")
    assert bells.command("check", "--seal", code).code == 1
    assert bells.command("check", "--seal", code, "--strict").code == 2


MISTAKES = {
    "count = [1, 2": "It is TOML",
    "count = [21]": "there is no point 21",
    "count = [1, 1]": "twice",
    "count = 5": "takes points, such as [1, 2, 5]",
    "count = []": "takes points",
    "count = [1]\nleave_out = [2]": "not both",
    "points = [1]": "`points` is no key here",
    "cuont = [1]": "Did you mean `count`?",
    "seeds = 5": "It belongs below [least]: seeds = …",
    "title = 5": "takes text in quotes",
    "[weight]\n30 = 2": "there is no point 30",
    "[weight]\n3 = -1": "takes a number above 0",
    "count = [1]\n[weight]\n3 = 2": "does not count",
    "weight = 2": "takes lines below [weight]",
    "least = 2": "takes lines below [least]",
    "[least]\nseed = 5": "Did you mean `seeds`?",
    "[least]\nseeds = 0": "takes a whole number from 1 up",
    "[least]\nseeds = true": "takes a whole number from 1 up",
    "[least]\ndue = '2026'": "takes a day such as 2026-12-01",
    "count = [1]\n[least]\nseeds = 5": "part of point 6, which does not count",
    f"leave_out = {list(NUMBERS)}": "leaves no point",
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_in_a_teachers_file_is_told_with_what_works(tmp_path, text, told):
    file = tmp_path / "points.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(BadUsage) as raised:
        teacher.read(file)
    assert told in str(raised.value)
    assert str(file) in str(raised.value)


def test_a_teachers_file_that_is_not_there_or_no_text(tmp_path):
    with pytest.raises(BadUsage, match="cannot be read"):
        teacher.read(tmp_path / "none.toml")
    (tmp_path / "points.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(BadUsage, match="UTF-8"):
        teacher.read(tmp_path / "points.toml")


def test_the_page_on_checking_explains_every_point_under_its_title():
    table = HOWTO.partition("\n## The points")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| (\d+) \| ([^|]+?) \|", table, re.MULTILINE))
    assert rows == {str(point.number): point.title for point in POINTS}


def test_the_teachers_file_on_the_page_is_one(tmp_path):
    (text,) = re.findall(r"^```toml[^\n]*\n(.*?)^```$", HOWTO, re.MULTILINE | re.DOTALL)
    file = tmp_path / "points.toml"
    file.write_text(text, "utf-8")
    wanted = teacher.read(file)
    assert set(wanted.least) == set(teacher.LEAST), "the page shows all that can be asked for"
    assert wanted.weights


def test_the_commands_on_the_page_are_as_typed(bells):
    commands = re.findall(r"^folio check(.*?)(?:  +#.*)?$", HOWTO, re.MULTILINE)
    assert commands
    (text,) = re.findall(r"^```toml[^\n]*\n(.*?)^```$", HOWTO, re.MULTILINE | re.DOTALL)
    (bells.folder.parents[1] / "winter.toml").write_text(text)
    code = json.loads((bells.folder / "seal.json").read_text())["code"]
    for command in commands:
        words = command.replace("icons", "bells").replace("F7KQ-2M9X-C4TD", code).split()
        words = [str(bells.folder.parents[1] / w) if w == "winter.toml" else w for w in words]
        assert bells.command("check", *words).code in (0, 1), command
