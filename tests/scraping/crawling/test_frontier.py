"""The table that remembers addresses."""

from __future__ import annotations

import pytest

from scraping.crawling.frontier import DONE, DUE, REFUSED, Frontier, Row
from scraping.errors import Misuse


def test_what_was_committed_is_there_again(tmp_path):
    row = Row("k", "http://h/", 2, DONE, 200, fetched="now", digest="d", file="f", offset=7)
    frontier = Frontier(tmp_path / "frontier.sqlite")
    frontier.set(row)
    frontier.add([Row("k", "http://h/other", 9, DUE), Row("new", "http://h/new", 1, DUE)])
    frontier.close()
    frontier = Frontier(tmp_path / "frontier.sqlite")
    assert frontier.get("k") == row
    assert frontier.get("new") == Row("new", "http://h/new", 1, DUE)
    assert frontier.get("none") is None
    assert frontier.counts() == {DONE: 1, DUE: 1}
    assert frontier.last_offset("f") == 7
    frontier.close()


def test_rows_whose_record_is_gone_become_due(tmp_path):
    frontier = Frontier(tmp_path / "frontier.sqlite")
    for offset in (0, 100, 200):
        frontier.set(Row(f"k{offset}", "u", 0, DONE, 200, file="f", offset=offset))
    frontier.set(Row("elsewhere", "u", 0, DONE, 200, file="gone", offset=0))
    assert frontier.forget_beyond({"f": 150}) == 2
    assert frontier.counts() == {DONE: 2, DUE: 2}
    frontier.close()


def test_a_table_of_another_format_is_told_apart(tmp_path):
    import sqlite3

    database = sqlite3.connect(tmp_path / "frontier.sqlite")
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(Misuse, match="rebuilt from the archive"):
        Frontier(tmp_path / "frontier.sqlite")


def test_how_an_archived_answer_ends_is_kept_beside_its_place(tmp_path):
    frontier = Frontier(tmp_path / "frontier.sqlite")
    row = Row("k", "http://h/", 2, DONE, 200, fetched="now", digest="d", file="f", offset=7)
    frontier.set(row)
    frontier.settle("k", REFUSED, "opted out", "asks not to")
    assert frontier.get("k") == row._replace(state=REFUSED, kind="opted out", reason="asks not to")
    frontier.settle("k", DONE, None, None)
    assert frontier.get("k") == row
    frontier.close()


def test_what_was_set_and_not_committed_is_gone_after_a_death(tmp_path):
    frontier = Frontier(tmp_path / "frontier.sqlite")
    frontier.set(Row("kept", "http://h/1", 0, DONE))
    frontier.commit()
    frontier.set(Row("lost", "http://h/2", 0, DONE))
    other = Frontier(tmp_path / "frontier.sqlite")  # as the next process sees it
    assert other.get("kept") is not None
    assert other.get("lost") is None
    other.close()
    frontier.close()


def test_that_an_answer_is_a_page_holds_until_its_address_ends_otherwise(tmp_path):
    frontier = Frontier(tmp_path / "frontier.sqlite")
    row = Row("k", "http://h/", 2, DONE, 200, fetched="now", digest="d", file="f", offset=7)
    frontier.set(row)
    frontier.judge("k", 3)
    assert frontier.get("k") == row._replace(judged=3)
    frontier.settle("k", DONE, None, None)
    assert frontier.get("k") == row
    frontier.judge("k", 3)
    frontier.set(row)  # another answer
    assert frontier.get("k") == row
    frontier.close()
