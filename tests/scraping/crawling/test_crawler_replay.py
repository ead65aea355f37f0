"""Crawls that go on, or are told again from the archive."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from scraping import crawl
from scraping.lent import Lent, current

SHOP: dict[str, Any] = {"follow": "a.next", "keep": "a.bird", "media": "img"}


@contextmanager
def lent(archive: Path, **more: Any) -> Iterator[None]:
    """Crawl as within a run."""
    token = current.set(Lent(archive=archive, project=archive, **more))
    try:
        yield
    finally:
        current.reset(token)


def test_a_second_run_replays_with_no_request_and_the_same_result(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert shop.requests == []
    assert second.refs == first.refs
    assert second.digest == first.digest
    assert second.balance["replayed"] == 28
    assert second.balance["fetched"] == 0


def test_a_replay_needs_no_server_at_all(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    shop.close()
    assert crawl(shop.url(), **SHOP, archive=tmp_path).refs == first.refs


def test_a_changed_selector_fetches_only_what_is_new(shop, tmp_path):
    crawl(shop.url(), follow="a.next", keep="a.bird", media="img.logo", archive=tmp_path)
    shop.forget()
    crawl(shop.url(), **SHOP, archive=tmp_path)
    assert sorted(shop.asked) == [f"/bird/{n}{letter}.png" for n in range(3) for letter in "abcd"]


def test_pages_open_in_another_process_from_their_json(shop, tmp_path):
    import json

    pages = crawl(shop.url(), **SHOP, archive=tmp_path)
    (tmp_path / "pages.json").write_text(json.dumps(pages.to_json()))
    code = (
        "import json, sys, pathlib; from scraping import Pages\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "pages = Pages.from_json(json.loads((folder / 'pages.json').read_text()), archive=folder)\n"
        "print(pages.digest, pages[3].select_one('h1').text, len(pages[1:3]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == [pages.digest, "Bird", "0d", "2"]


def test_the_digest_changes_with_a_picture_and_with_nothing_else(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path / "1")
    again = crawl(shop.url(), **SHOP, archive=tmp_path / "2")
    shop["/bird/1c.png"] = (200, {"Content-Type": "image/png"}, b"another")
    changed = crawl(shop.url(), **SHOP, archive=tmp_path / "3")
    assert first.digest == again.digest
    differ = [a.url for a, b in zip(first.refs, changed.refs, strict=True) if a.digest != b.digest]
    assert differ == [shop.url("/bird/1c.html")]


def test_fresh_asks_again_and_notices_what_changed(shop, tmp_path):
    def tagged(handler):
        if handler.headers.get("If-None-Match") == '"one"':
            return 304, {}, b""
        return 200, {"ETag": '"one"', "Content-Type": "text/html"}, b"<h1>tagged</h1>"

    shop["/bird/0a.html"] = tagged
    lent = Lent(archive=tmp_path, project=tmp_path, fresh=True)
    token = current.set(lent)
    try:
        first = crawl(shop.url(), follow="a.next", keep="a.bird")
        shop["/bird/2d.html"] = "<h1>new</h1>"
        shop.forget()
        second = crawl(shop.url(), follow="a.next", keep="a.bird")
    finally:
        current.reset(token)
    assert shop.asked["/bird/0a.html"] == 1
    assert second.balance["unchanged"] == 14
    assert second.balance["fetched"] == 1
    differ = [a.url for a, b in zip(first.refs, second.refs, strict=True) if a.digest != b.digest]
    assert differ == [shop.url("/bird/2d.html")]


def test_fresh_keeps_what_it_has_when_the_site_fails(shop, tmp_path):
    first = crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path)
    shop["/bird/0a.html"] = (500, {}, b"")
    token = current.set(Lent(archive=tmp_path, project=tmp_path, fresh=True))
    try:
        second = crawl(shop.url(), follow="a.next", keep="a.bird")
    finally:
        current.reset(token)
    assert second.refs == first.refs
    assert second.balance["failed"] == 1


def test_ctrl_c_keeps_everything_that_was_archived(shop, tmp_path, monkeypatch):
    class Stop:
        def __init__(self):
            self.left = 10

        def __call__(self, label, done, total):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    from scraping.crawling import walk

    monkeypatch.setattr(walk, "REPORT_SECONDS", 0)
    token = current.set(Lent(archive=tmp_path, project=tmp_path, report=Stop()))
    try:
        with pytest.raises(KeyboardInterrupt):
            crawl(shop.url(), **SHOP)
    finally:
        current.reset(token)
    assert len(crawl(shop.url(), **SHOP, archive=tmp_path)) == 12
    assert set(shop.asked.values()) == {1}


def test_an_archive_without_its_frontier_is_as_good(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    for part in tmp_path.glob("frontier.sqlite*"):
        part.unlink()
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert shop.requests == []
    assert second.refs == first.refs


def test_a_torn_archive_tail_is_trimmed_and_fetched_again(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    archive = tmp_path / "pages.warc"
    with archive.open("rb+") as file:
        file.truncate(archive.read_bytes().rindex(b"Bird 2d"))
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert list(shop.asked) == ["/bird/2d.html", "/bird/2d.png"], "the page and what follows it"
    assert second.digest == first.digest


def test_a_damaged_record_is_fetched_again(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    archive = tmp_path / "pages.warc"
    archive.write_bytes(archive.read_bytes().replace(b"Bird 1c", b"Bird 1x"))
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert list(shop.asked) == ["/bird/1c.html"]
    assert second.digest == first.digest


def test_a_damaged_picture_is_fetched_again_and_counted(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    archive = tmp_path / "pages.warc"
    archive.write_bytes(archive.read_bytes().replace(b"picture 1c", b"picture 1x"))
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert list(shop.asked) == ["/bird/1c.png"]
    assert second.digest == first.digest
    assert second.balance["damaged"] == 1


def test_what_is_unchanged_is_archived_as_a_revisit(shop, tmp_path):
    from warcio.archiveiterator import ArchiveIterator

    crawl(shop.url(), **SHOP, archive=tmp_path)
    with lent(tmp_path, fresh=True):
        crawl(shop.url(), **SHOP)
    with (tmp_path / "pages.warc").open("rb") as file:
        kinds = [record.rec_type for record in ArchiveIterator(file)]
    assert kinds.count("response") == 28 + 2, "robots.txt is had again in full"
    assert kinds.count("revisit") == 28


def test_a_table_from_before_kinds_were_kept_is_taken_over(shop, tmp_path):
    import sqlite3

    del shop.answers["/bird/1b.html"]
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    database = sqlite3.connect(tmp_path / "frontier.sqlite")
    database.executescript(
        "ALTER TABLE address DROP COLUMN judged; ALTER TABLE address DROP COLUMN kind;"
        "PRAGMA user_version = 1;"
    )
    database.close()
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert shop.requests == []
    assert second.balance["kinds"] == first.balance["kinds"] == {"not there": 1}


def judged(folder: Path) -> dict[str, int]:
    """By which rules each page was found worth keeping, by the last part of its address."""
    import sqlite3

    database = sqlite3.connect(folder / "frontier.sqlite")
    rows = database.execute("SELECT url, judged FROM address WHERE state = 'done'").fetchall()
    database.close()
    return {url.rpartition("/")[2]: rules for url, rules in rows}


BARE: dict[str, Any] = {"follow": "a.next", "keep": "a.bird"}


def test_a_kept_page_is_compared_and_not_judged_again(shop, tmp_path, monkeypatch):
    from scraping.crawling import answers

    first = crawl(shop.url(), **BARE, archive=tmp_path)
    assert judged(tmp_path)["1c.html"] == answers.RULES
    assert judged(tmp_path)["robots.txt"] == 0
    shop.forget()
    seen = []
    monkeypatch.setattr(answers, "instead", lambda response, asked: seen.append(asked))
    second = crawl(shop.url(), **BARE, archive=tmp_path)
    assert not any("/bird/" in url for url in seen)
    assert shop.requests == []
    assert second.refs == first.refs
    same = ("kept", "fetched", "replayed", "kinds", "due", "damaged", "hosts")
    third = crawl(shop.url(), **BARE, archive=tmp_path)
    assert {name: second.balance[name] for name in same} == {
        name: third.balance[name] for name in same
    }
    assert second.balance["replayed"] == first.balance["fetched"]


def test_better_rules_judge_what_was_kept_before(shop, tmp_path, monkeypatch):
    from scraping.crawling import answers
    from scraping.outcomes import Kind

    crawl(shop.url(), **BARE, archive=tmp_path)
    monkeypatch.setattr(answers, "RULES", answers.RULES + 1)
    monkeypatch.setattr(
        answers,
        "instead",
        lambda response, asked: (Kind.SHELL, "empty") if asked.endswith("1c.html") else None,
    )
    second = crawl(shop.url(), **BARE, archive=tmp_path)
    assert second.balance["kinds"] == {Kind.SHELL: 1}
    assert not any(ref.url.endswith("1c.html") for ref in second.refs)
    assert judged(tmp_path)["1b.html"] == answers.RULES


def test_a_page_without_pictures_that_was_damaged_is_fetched_again(shop, tmp_path):
    first = crawl(shop.url(), **BARE, archive=tmp_path)
    archive = tmp_path / "pages.warc"
    archive.write_bytes(archive.read_bytes().replace(b"Bird 1c", b"Bird 1x"))
    shop.forget()
    second = crawl(shop.url(), **BARE, archive=tmp_path)
    assert list(shop.asked) == ["/bird/1c.html"]
    assert second.digest == first.digest
    assert second.balance["damaged"] == 1


def test_a_page_that_may_be_withdrawn_some_day_is_judged_each_time(shop, tmp_path):
    tag = {"Content-Type": "text/html", "X-Robots-Tag": "unavailable_after: 2999-06-25"}
    shop["/bird/0a.html"] = (200, tag, b"<h1>for now</h1>")
    shop["/bird/0b.html"] = (
        '<meta name="robots" content="Unavailable_After: 2999-06-25"><h1>so is this</h1>'
    )
    crawl(shop.url(), **BARE, archive=tmp_path)
    assert [judged(tmp_path)[f"0{letter}.html"] for letter in "abc"] == [0, 0, 1]


def test_a_table_from_before_pages_were_judged_is_taken_over(shop, tmp_path):
    import sqlite3

    first = crawl(shop.url(), **BARE, archive=tmp_path)
    database = sqlite3.connect(tmp_path / "frontier.sqlite")
    database.executescript("ALTER TABLE address DROP COLUMN judged; PRAGMA user_version = 2;")
    database.close()
    shop.forget()
    assert crawl(shop.url(), **BARE, archive=tmp_path).refs == first.refs
    assert shop.requests == []
    assert judged(tmp_path)["1c.html"] == 1
