"""The commands: what they say, what they refuse, and what can be undone."""

from __future__ import annotations

import datetime
import json
import os
import pty
import re
import subprocess
import sys

import pytest

from projects.spine.cli import folio


def test_help_lists_every_command_with_what_it_does(checkout):
    shown = checkout.command("--help").out
    for name, command in folio.commands.items():
        assert re.search(rf"^  {name} +\S", shown, re.M), name
        assert command.help
    assert "..." not in shown.partition("Commands:")[2], "a caption is too long for its line"


def test_help_keeps_the_words_of_the_engine_room_out(checkout):
    pages = [checkout.command("--help").out]
    pages += [checkout.command(name, "--help").out for name in folio.commands]
    for word in ("WARC", "frontier", "CDXJ", "Dask", "loky"):
        assert word.lower() not in "\n".join(pages).lower()


def test_a_misspelt_command_is_told_the_nearest_one(checkout):
    outcome = checkout.command("stauts")
    assert outcome.code == 2
    assert "Did you mean `status`?" in outcome.err


def test_a_bad_option_ends_with_2(checkout):
    assert checkout.command("run", "--jobs", "0").code == 2


def test_an_unknown_project_ends_with_2_everywhere(checkout, toy):
    for command in ("run", "train", "scrape", "status", "show", "remove", "publish", "test"):
        outcome = checkout.command(command, "tox")
        assert outcome.code == 2, command
        assert "Did you mean `toy`?" in outcome.err, command


def test_again_and_fresh_need_a_name_or_all(checkout, toy):
    outcome = checkout.command("run", "--again")
    assert outcome.code == 2
    assert "name a project, or say --all" in outcome.err


def test_new_copies_a_starter_and_says_what_to_do_next(checkout):
    outcome = checkout.command("new", "mine", "--model", "cnn")
    today = datetime.date.today().isoformat()
    for file in ("post.md", "proposal.md"):
        text = (checkout.root / "projects" / "mine" / file).read_text("utf-8")
        assert re.findall(r"^date: (.*)$", text, re.MULTILINE) == [today]
    assert outcome.code == 0
    assert "folio run mine" in outcome.out
    files = {p.name for p in (checkout.root / "projects" / "mine").iterdir()}
    code = {"project.py", "test_project.py"}
    told = {"proposal.md", "post.md", "references.bib", "datasheet.md", "modelcard.md"}
    assert files == code | told
    again = checkout.command("new", "mine")
    assert again.code == 2
    assert "is there already" in again.err


def test_new_refuses_names_and_starters_that_are_none(checkout):
    assert checkout.command("new", "random").code == 2
    outcome = checkout.command("new", "mine", "--model", "cnm")
    assert outcome.code == 2
    assert "Did you mean `cnn`?" in outcome.err
    assert not (checkout.root / "projects" / "mine").exists()


def test_remove_shows_first_then_moves_and_undo_brings_everything_back(checkout, toy):
    post = checkout.root / "blog" / "docs" / "posts" / "toy.md"
    post.parent.mkdir(parents=True)
    post.write_text("a post")
    dry = checkout.command("remove", "toy")
    assert "would go: projects/toy" in dry.out
    assert "would go: blog/docs/posts/toy.md" in dry.out
    assert toy.exists()
    done = checkout.command("remove", "toy", "--yes")
    assert done.code == 0
    assert not toy.parent.exists()
    assert not post.exists()
    assert "There is no project yet" in checkout.command("status").out
    back = checkout.command("remove", "toy", "--undo")
    assert back.code == 0, back.err
    assert post.read_text() == "a post"
    checkout.train("toy")
    assert checkout.ran() == []


def test_undo_never_overwrites(checkout, toy):
    checkout.command("remove", "toy", "--yes")
    checkout.write("toy", "def other():\n    return 1\n")
    outcome = checkout.command("remove", "toy", "--undo")
    assert outcome.code == 2
    assert "would be overwritten" in outcome.err
    assert "other" in toy.read_text()


def test_removing_twice_keeps_both(checkout, toy):
    checkout.command("remove", "toy", "--yes")
    checkout.write("toy", "def other():\n    return 1\n")
    checkout.command("remove", "toy", "--yes")
    kept = checkout.root / ".folio" / "removed"
    assert {p.name for p in kept.iterdir()} == {"toy", "toy~1"}
    assert checkout.command("remove", "toy~1", "--undo").code == 0
    assert "doubled" in toy.read_text()
    assert checkout.command("remove", "../toy", "--undo").code == 2


def test_show_prints_the_graph_and_any_value(checkout, toy):
    assert "doubled(table)" in checkout.command("show", "toy").out
    assert "[\n 0,\n 2,\n 4,\n 6\n]" in checkout.command("show", "toy", "doubled").out
    wrong = checkout.command("show", "toy", "duobled")
    assert wrong.code == 2
    assert "Did you mean `doubled`?" in wrong.err


def test_a_value_that_is_out_of_date_is_told_with_the_command_that_makes_it(checkout, toy):
    checkout.edit(toy, "SIZE = 4", "SIZE = 9")
    outcome = checkout.command("show", "toy", "table")
    assert outcome.code == 1
    assert "SIZE 4 → 9" in outcome.err
    assert "folio run toy" in outcome.err


def test_load_gives_values_as_attributes(checkout, toy):
    from projects import load

    values = load("toy")
    assert values.total == 12
    assert "doubled" in dir(values)
    with pytest.raises(AttributeError, match="Did you mean `total`"):
        _ = values.totla


def test_scrape_ends_with_the_table(checkout, toy):
    checkout.edit(toy, "SIZE = 4", "SIZE = 3")
    assert checkout.command("scrape", "toy", "--debug").code == 0
    assert checkout.ran() == ["table"]


def test_quick_uses_one_seed_and_marks_a_draft(checkout):
    checkout.write(
        "fast",
        "SEEDS = 4\n\ndef draw(seed):\n    return seed\n\ndef scores(draw, seed):\n"
        "    return {'m': {'x': draw}}\n",
    )
    checkout.train("fast", "--quick")
    path = checkout.root / "projects" / "fast" / "results" / "results.json"
    assert json.loads(path.read_text())["draft"] is True
    assert json.loads(path.read_text())["seeds"] == [0]
    checkout.train("fast")
    full = path.read_bytes()
    assert json.loads(full)["draft"] is False
    checkout.train("fast", "--quick")
    assert path.read_bytes() == full, "a draft must not overwrite full results"


def test_a_lock_file_with_conflict_markers_says_what_to_do(checkout, toy):
    lock = toy.parent / "folio.lock"
    lock.write_text("<<<<<<< ours\n" + lock.read_text())
    outcome = checkout.command("status")
    assert outcome.code == 1
    assert "git checkout --ours" in outcome.err


def test_a_project_whose_site_cannot_be_reached_ends_with_3_and_what_to_do(checkout):
    with_socket = "http://127.0.0.1:9/"  # the discard port: nothing listens
    checkout.write(
        "far",
        f"from scraping import crawl\n\n\ndef pages():\n    return crawl({with_socket!r}, "
        "follow='a')\n\n\ndef rows(page):\n    return {'url': page.url}\n",
    )
    outcome = checkout.command("run", "far")
    assert outcome.code == 3, outcome.err
    assert "127.0.0.1:9" in outcome.err
    assert "folio run far" in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pty")
def test_on_a_terminal_bars_move_and_lines_stay(checkout, toy):
    checkout.edit(toy, "SIZE = 4", "SIZE = 5")
    try:
        leader, follower = pty.openpty()
    except OSError as error:
        pytest.skip(f"this system gives no terminal: {error}")
    command = [sys.executable, "-m", "projects.spine.cli", "train", "toy", "--debug"]
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"}
    process = subprocess.Popen(command, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    shown = b""
    while True:
        try:
            piece = os.read(leader, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    assert process.wait() == 0
    assert b"\x1b[" in shown
    assert b"total" in shown
    assert "✓".encode() in shown
