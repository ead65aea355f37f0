"""What became of every address, counted and told."""

from __future__ import annotations

import json

from scraping import crawl
from scraping.crawling.balance import MOST_REASONS, OTHER, Tally, told
from scraping.outcomes import NEXT, Kind


def test_every_address_ends_as_a_page_or_under_a_kind(shop, tmp_path):
    shop["/"] = (
        '<a class="bird" href="/bird/0a.html">1</a><a class="bird" href="/bird/0b.html">2</a>'
        '<a class="bird" href="/private/x">3</a><a class="bird" href="/gone">4</a>'
        '<a class="bird" href="http://example.org/">5</a><a class="bird" href="mailto:x@y">6</a>'
    )
    shop["/bird/0b.html"] = shop.answers["/bird/0a.html"]
    pages = crawl(shop.url(), follow=None, keep="a.bird", max_failed=0.5, archive=tmp_path)
    balance = pages.balance
    assert balance["kinds"] == {
        "closed by robots.txt": 1,
        "not a web address": 1,
        "on another site": 1,
        "duplicate": 1,
        "not there": 1,
    }
    counted = ("kept", "fetched", "duplicate", "refused", "failed", "due")
    assert [balance[name] for name in counted] == [1, 3, 1, 3, 1, 0]
    assert balance["hosts"] == {shop.url().split("/")[2]: 1}
    assert balance["seconds"] >= 0
    assert json.loads(json.dumps(balance)) == balance


def test_the_balance_is_told_with_an_example_and_the_next_lawful_step_for_each_kind(shop, tmp_path):
    shop["/"] = '<a class="bird" href="/private/x">3</a><a class="bird" href="/bird/0a.html">4</a>'
    pages = crawl(shop.url(), follow=None, keep="a.bird", archive=tmp_path)
    assert told(pages.balance) == [
        "1 pages kept: 2 fetched, 0 replayed, 0 unchanged, 0 duplicate, 1 refused, 0 failed, 0 due",
        "1 × refused, closed by robots.txt: the site's robots.txt asks robots to leave it alone, "
        f"as {shop.url('/private/x')}",
        f"  next: {NEXT[Kind.ROBOTS]}",
    ]


def test_a_budget_is_told_with_how_to_go_on(shop, tmp_path):
    pages = crawl(shop.url(), follow="a.next", keep="a.bird", max_pages=5, archive=tmp_path)
    *_, stopped, onward = told(pages.balance)
    assert stopped.startswith("stopped: max_pages=5 reached, ")
    assert "raise or leave out that limit and run again" in onward


def test_an_address_counts_once_and_of_many_reasons_the_common_ones_are_told():
    tally = Tally()
    for number in range(3_000):
        tally.note(f"http://h/{number}", Kind.REDIRECTS, f"redirect loop {number}")
    for number in range(40):
        tally.note(f"http://h/gone{number}", Kind.GONE, "404 Not Found")
        tally.note(f"http://h/gone{number}", Kind.SERVER, "500")
    data = tally.data()
    assert data["kinds"] == {"not there": 40, "redirects": 3_000}
    assert data["failed"] == 3_040
    assert len(data["reasons"]) <= MOST_REASONS + 1
    assert sum(data["reasons"].values()) == 3_040
    assert data["reasons"]["404 Not Found"] == 40
    assert data["reasons"][OTHER] > 2_900


def test_nothing_that_a_site_sent_reaches_the_terminal_raw():
    tally = Tally()
    tally.note("http://h/\x1b[31m", Kind.SERVER, "500 \x1b]0;title\x07 \u202e")
    lines = told({"kept": 0, **tally.data(), "stopped": "max\x1b"})
    assert all(line.isprintable() for line in lines)


def test_a_balance_from_before_kinds_were_counted_is_told_too():
    assert told({"kept": 3, "fetched": 2, "reasons": {}, "stopped": None})[0].startswith("3 pages")
