"""What `folio look` suggests is a project that runs."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("address", "columns", "rows"),
    [
        ("http://sandbox/museum/subjects/", ["title"], 20),
        (
            "http://sandbox/museum/bi/bell.html",
            ["name", "subject", "set", "author", "licence", "last_changed", "icon"],
            1,
        ),
    ],
)
def test_the_suggested_code_scrapes_its_page(checkout, address, columns, rows):
    looked = checkout.command("look", address, "--code")
    assert looked.code == 0, looked.err
    checkout.write("looked", looked.out)
    outcome = checkout.command("scrape", "looked", "--debug")
    assert outcome.code == 0, outcome.err
    assert f"{rows:,} pages kept: " in outcome.out  # the balance
    shown = checkout.command("show", "looked", "table")
    assert f"{rows:,} rows × {len(columns) + 3} columns" in shown.out


def test_a_look_at_a_closed_page_ends_with_4(checkout):
    outcome = checkout.command("look", "http://sandbox/museum/storeroom/")
    assert outcome.code == 4
    assert "robots.txt" in outcome.err
