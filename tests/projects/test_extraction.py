"""A step that asks for `page`: once for each page, only new or changed ones, rejects kept."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

PROJECT = '''
"""How heavy are the birds?"""
import os
from dataclasses import dataclass

from scraping import crawl, number, text

START = "{start}"


@dataclass
class Bird:
    """One bird."""

    name: str
    grams: float


def pages():
    """Every bird's page."""
    return crawl(START, follow="a.next", keep="a.bird")


def birds(page):
    """One row a bird."""
    with open(os.environ["STEPS_LOG"], "a") as log:
        log.write(page.url.rpartition("/")[2] + "\\n")
    yield Bird(text(page, "h1"), number(page, ".grams"))


def table(birds):
    """The birds."""
    return birds
'''


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, str]]]:
    """A site on loopback: its address, and its pages, which a test may change."""
    birds = {"owl": "<b class=grams>500</b>", "wren": "<b class=grams>9</b>", "kiwi": "unweighed"}
    pages = {f"/{name}": f"<h1>{name}</h1>{weight}" for name, weight in birds.items()}
    pages["/"] = "".join(f"<a class=bird href=/{name}>{name}</a>" for name in birds)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = pages.get(self.path, "").encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", pages
    server.shutdown()
    server.server_close()


@pytest.fixture
def birds(checkout, site):
    checkout.write("birds", PROJECT.replace("{start}", site[0]))
    checkout.train("birds")
    assert checkout.ran() == ["owl", "wren", "kiwi"]
    return site[1]


def stored(checkout):
    from projects.spine.cache import cache_of
    from projects.spine.engine import Engine, Run, Variant

    engine = Engine(Variant(checkout.root, "birds"), cache_of(checkout.root))
    return engine, engine.stored(Run(engine.project.steps["birds"]))


def rows(checkout):
    engine, value = stored(checkout)
    return engine.store.rows(value)


def test_rows_carry_where_they_come_from_and_rejected_ones_their_reason(checkout, birds, site):
    found = rows(checkout)
    assert list(found.frame["name"]) == ["owl", "wren"]
    assert list(found.frame["grams"]) == [500.0, 9.0]
    assert list(found.frame["_url"]) == [f"{site[0]}owl", f"{site[0]}wren"]
    assert list(found.rejected["_url"]) == [f"{site[0]}kiwi"]
    assert ".grams" in found.rejected["_reason"].iloc[0]
    assert "2 rows, 1 rejected" in checkout.command("status", "birds").out


def test_only_new_and_changed_pages_are_read_again_and_order_is_the_sites(checkout, birds):
    birds["/wren"] = "<h1>wren</h1><b class=grams>10</b>"
    birds["/auk"] = "<h1>auk</h1><b class=grams>700</b>"
    birds["/"] = "<a class=bird href=/auk>auk</a>" + birds["/"]
    checkout.train("birds", "--fresh")
    assert checkout.ran() == ["auk", "wren"]
    found = rows(checkout)
    assert list(found.frame["name"]) == ["auk", "owl", "wren"]
    assert list(found.frame["grams"]) == [700.0, 500.0, 10.0]
    assert len(found.rejected) == 1


def test_rows_read_bit_by_bit_are_the_value_that_reading_all_at_once_gives(checkout, birds):
    birds["/auk"] = "<h1>auk</h1><b class=grams>700</b>"
    birds["/"] = "<a class=bird href=/auk>auk</a>" + birds["/"]
    checkout.train("birds", "--fresh")
    assert checkout.ran() == ["auk"]
    _, once = stored(checkout)
    checkout.train("birds", "--again")
    assert len(checkout.ran()) == 4
    engine, again = stored(checkout)
    assert once.digest == again.digest
    assert not (engine.work / "parts").exists()


def test_a_page_that_left_the_site_takes_its_rows_along(checkout, birds):
    birds["/"] = "<a class=bird href=/wren>wren</a>"
    checkout.train("birds", "--fresh")
    assert checkout.ran() == []
    found = rows(checkout)
    assert list(found.frame["name"]) == ["wren"]
    assert found.rejected.empty


def test_a_site_that_did_not_change_runs_nothing_after_the_crawl(checkout, birds):
    checkout.train("birds", "--fresh")
    assert checkout.ran() == []


def test_again_reads_every_page(checkout, birds):
    checkout.train("birds", "--again")
    assert checkout.ran() == ["owl", "wren", "kiwi"]


def test_a_changed_step_reads_archived_pages_and_asks_the_site_for_nothing(checkout, birds):
    birds.clear()
    path = checkout.root / "projects" / "birds" / "project.py"
    checkout.edit(path, 'number(page, ".grams")', 'number(page, ".grams") / 1000')
    checkout.train("birds")
    assert list(rows(checkout).frame["grams"]) == [0.5, 0.009]


def test_a_step_that_gets_no_row_from_any_page_says_why(checkout, birds):
    path = checkout.root / "projects" / "birds" / "project.py"
    checkout.edit(path, '".grams"', '".ounces"')
    outcome = checkout.command("train", "birds", "--debug")
    assert outcome.code == 1
    assert "got no row from any of 3 pages" in outcome.err
    assert "Most often, 3 times: nothing matches '.ounces'. The first:" in outcome.err
    assert re.search(r"^http://\S+/owl: nothing matches '\.ounces'; ", outcome.err, re.MULTILINE)


def test_a_step_that_yields_nothing_for_any_page_says_where_to_look(checkout, birds, site):
    path = checkout.root / "projects" / "birds" / "project.py"
    checkout.edit(path, "    yield Bird(", "    for page in ():\n        yield Bird(")
    outcome = checkout.command("train", "birds", "--debug")
    assert outcome.code == 1
    assert "got no row from any of 3 pages" in outcome.err
    assert f"folio look {site[0]}owl" in outcome.err


def test_a_fault_in_the_step_is_told_with_the_page(checkout, birds, site):
    path = checkout.root / "projects" / "birds" / "project.py"
    checkout.edit(path, "yield Bird(text", "yield Brid(text")
    outcome = checkout.command("train", "birds", "--debug")
    assert outcome.code == 1
    assert f"stopped on {site[0]}owl: NameError" in outcome.err


def test_workers_give_the_rows_that_this_process_gives(checkout, birds):
    here = rows(checkout).frame
    assert checkout.command("train", "birds", "--again", "--jobs", "2").code == 0
    assert rows(checkout).frame.drop(columns="_fetched").equals(here.drop(columns="_fetched"))


@pytest.mark.parametrize("options", [("--debug",), ("--jobs", "1")])
def test_a_damaged_page_is_named_and_the_next_run_fetches_it_and_no_other(
    checkout, birds, site, options
):
    archive = checkout.root / "projects" / "birds" / ".folio" / "archive" / "pages.warc"
    archive.write_bytes(archive.read_bytes().replace(b"<h1>wren", b"<h1>wrxn"))
    path = checkout.root / "projects" / "birds" / "project.py"
    checkout.edit(path, 'number(page, ".grams")', 'number(page, ".grams") / 1000')
    outcome = checkout.command("train", "birds", *options)
    assert outcome.code == 3
    assert f"{site[0]}wren" in outcome.err
    assert "folio run birds" in outcome.err
    del birds["/owl"], birds["/kiwi"], birds["/"]
    assert checkout.command("train", "birds", *options).code == 0
    assert list(rows(checkout).frame["grams"]) == [0.5, 0.009]
