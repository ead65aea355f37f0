"""`folio import`: pages that a browser saved become rows, also when the site is gone."""

from __future__ import annotations

import json

import pytest

URL = "http://127.0.0.1:9"  # nothing listens on this port: the site is gone
PROJECT = '''
"""Which birds did I see?"""
from dataclasses import dataclass

from scraping import archived, crawl, text

START = "{url}/list"


@dataclass
class Bird:
    """One bird."""

    name: str


def pages():
    """The pages."""
    return {pages}


def birds(page):
    """One row a bird."""
    yield Bird(text(page, "h1"))


def table(birds):
    """The birds."""
    return birds
'''


def entry(path: str, body: str, kind: str = "text/html") -> dict:
    return {
        "startedDateTime": "2025-11-01T12:00:00Z",
        "request": {"method": "GET", "url": URL + path, "headers": []},
        "response": {
            "status": 200,
            "statusText": "OK",
            "headers": [{"name": "Content-Type", "value": kind}],
            "content": {"mimeType": kind, "size": len(body), "text": body},
        },
    }


@pytest.fixture
def har(tmp_path):
    path = tmp_path / "birds.har"
    entries = [
        entry("/list", "<!doctype html><a class=bird href=/kea>k</a><a class=bird href=/owl>o</a>"),
        entry("/kea", "<!doctype html><h1>Kea</h1>"),
        entry("/owl", "<!doctype html><h1>Owl</h1>"),
        entry("/robots.txt", "User-agent: *\nAllow: /\n", "text/plain"),
    ]
    path.write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    return str(path)


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "wren.html"
    path.write_text(f"<!-- saved from url=(0025){URL}/wren -->\n<!doctype html><h1>Wren</h1>")
    return str(path)


@pytest.fixture
def birds(checkout):
    def birds(pages: str) -> None:
        checkout.write("birds", PROJECT.replace("{url}", URL).replace("{pages}", pages))

    birds('archived(exclude="/list")')
    return birds


def names(checkout) -> list[str]:
    outcome = checkout.command("scrape", "birds", "--again", "--debug")
    assert outcome.code == 0, outcome.err
    from projects import load

    return sorted(load("birds").table["name"])


def test_saved_pages_and_har_become_rows(checkout, birds, har, saved):
    outcome = checkout.command("import", "birds", har, saved)
    assert outcome.code == 0, outcome.err
    assert "Then: folio scrape birds --again" in outcome.out
    assert names(checkout) == ["Kea", "Owl", "Wren"]


def test_the_card_says_that_the_pages_were_imported(checkout, birds, saved):
    checkout.command("import", "birds", saved)
    assert names(checkout) == ["Wren"]
    card = checkout.command("data", "birds").out
    assert "1 page of 127.0.0.1:9, saved by someone's own browser" in card
    assert "one request at a time" not in card


def test_pages_imported_later_join_the_table(checkout, birds, har, saved):
    checkout.command("import", "birds", saved)
    assert names(checkout) == ["Wren"]
    checkout.command("import", "birds", har)
    assert names(checkout) == ["Kea", "Owl", "Wren"]


def test_a_crawl_from_an_imported_page_goes_on_where_the_site_is_gone(checkout, birds, har):
    birds('crawl(START, follow=None, keep="a.bird")')
    assert checkout.command("import", "birds", har).code == 0
    assert names(checkout) == ["Kea", "Owl"]


def test_a_dry_run_takes_nothing(checkout, birds, har):
    outcome = checkout.command("import", "birds", har, "--dry-run")
    assert outcome.code == 0, outcome.err
    assert "would be taken" in outcome.out
    assert "Then:" not in outcome.out
    archive = checkout.root / "projects" / "birds" / ".folio" / "archive"
    assert not archive.exists()


def test_taking_the_same_file_again_is_no_fault_and_takes_nothing(checkout, birds, saved):
    checkout.command("import", "birds", saved)
    outcome = checkout.command("import", "birds", saved)
    assert outcome.code == 0
    assert "already in the archive" in outcome.out


def test_a_file_that_holds_no_page_ends_with_1(checkout, birds, tmp_path):
    (tmp_path / "notes.txt").write_text("dear diary")
    outcome = checkout.command("import", "birds", str(tmp_path / "notes.txt"))
    assert outcome.code == 1
    assert "neither HAR nor WARC nor HTML" in outcome.out


def test_what_cannot_be_ends_with_2_and_says_why(checkout, birds, har, saved, tmp_path):
    for arguments, said in (
        (("nobody", har), "There is no project `nobody`"),
        (("birds", str(tmp_path / "none.har")), "there is no such file"),
        (("birds", har, saved, "--url", f"{URL}/x"), "is for one saved page"),
        (("birds",), "Missing argument"),
    ):
        outcome = checkout.command("import", *arguments)
        assert outcome.code == 2, arguments
        assert said in outcome.err
        assert "Traceback" not in outcome.err


def test_a_page_that_does_not_say_its_address_can_be_given_one(checkout, birds, tmp_path):
    (tmp_path / "emu.html").write_text("<!doctype html><h1>Emu</h1>")
    outcome = checkout.command("import", "birds", str(tmp_path / "emu.html"))
    assert outcome.code == 1
    outcome = checkout.command("import", "birds", str(tmp_path / "emu.html"), "--url", f"{URL}/emu")
    assert outcome.code == 0, outcome.err
    assert names(checkout) == ["Emu"]


def test_without_any_import_the_message_says_what_to_do(checkout, birds):
    outcome = checkout.command("scrape", "birds", "--debug")
    assert outcome.code == 2
    assert "folio import NAME FILE" in outcome.err
