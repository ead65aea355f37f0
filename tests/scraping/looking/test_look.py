"""A look at one page: what it offers, what it allows, and code that runs."""

from __future__ import annotations

import ast

import pytest

from scraping.errors import Disallowed, FetchFailed, Misuse
from scraping.looking import look
from scraping.outcomes import Kind

CARDS = "".join(
    f'<li class=card><a class=name href="/bird/{n}">Parrot {word}</a>'
    f"<span class=price>{n}9.50 €</span></li>"
    for n, word in enumerate(["Ara", "Lory", "Kea", "Galah"], start=1)
)
SHOP = (
    f"<title>All\x1b[31m parrots</title><ul class=birds>{CARDS}</ul>"
    "<nav class=pages>Page 1 of 3 <a rel=next href=/2>Next</a></nav>"
    '<script type="application/ld+json">{"@type": "Store", "name": "Parrots"}</script>'
    '<script id=state type="application/json">{"stock": [1, 2, 3]}</script>'
    "<table><tr><th>Day<th>Sold<tr><td>Mon<td>3</table>"
)


@pytest.fixture
def parrots(site):
    site["/"] = SHOP
    site["/robots.txt"] = f"User-agent: *\nDisallow: /private\nSitemap: {site.url('/map.xml')}\n"
    site["/map.xml"] = (
        200,
        {"Content-Type": "application/xml"},
        b"<urlset>%s</urlset>" % b"".join(b"<url><loc>/bird/%d</loc></url>" % n for n in range(7)),
    )
    return site


def test_a_look_tells_what_a_page_offers_and_allows(parrots, tmp_path):
    told = "\n".join(look.at(parrots.url(), tmp_path).told())
    for line in (
        "answer      200, text/html; charset=utf-8",
        "title       All\\x1b[31m parrots",
        "robots.txt  this address is allowed",
        "sitemap     7 addresses",
        "table       2 rows × 2 columns: Day, Sold",
        "JSON-LD     Store: page.jsonld()",
        "data        state, ",
        "repeats     4 × li.card",
        "name (text): .name  e.g. 'Parrot Ara'",
        "price (number): .price  e.g. '19.50 €'",
        "links: a.name",
        "next page   a[rel~=next]",
        "estimate    about 15 pages",
        f"go on       folio look {parrots.url('/bird/1')}",
    ):
        assert line in told, f"{line!r} is not in\n{told}"


def test_a_look_asks_for_three_things_once_and_a_second_look_for_nothing(parrots, tmp_path):
    look.at(parrots.url(), tmp_path)
    assert sorted(parrots.requests) == ["/", "/map.xml", "/robots.txt"]
    parrots.forget()
    again = look.at(parrots.url(), tmp_path)
    assert parrots.requests == []
    assert again.patterns[0].selector == "li.card"


def test_a_page_that_robots_txt_closes_is_not_asked_for(parrots, tmp_path):
    with pytest.raises(Disallowed):
        look.at(parrots.url("/private/x"), tmp_path)
    assert "/private/x" not in parrots.requests


def test_a_challenge_is_told_with_the_next_lawful_step_and_no_code(tmp_path):
    found = look.at("http://sandbox/rude/challenge", tmp_path)
    told = "\n".join(found.told())
    assert found.trouble
    assert found.trouble[0] is Kind.CHALLENGE
    assert "folio import" in told
    assert found.project() is None


def test_json_is_told_by_its_shape(site, tmp_path):
    site["/"] = (
        200,
        {"Content-Type": "application/json"},
        b'{"items": [{"name": "Kea", "mass": 0.9}], "next": null, "total": 1}',
    )
    told = "\n".join(look.at(site.url(), tmp_path).told())
    assert "an object with 3 keys (items: a list of 1 of {name, mass}" in told


def test_a_page_that_is_not_there_is_an_error(site, tmp_path):
    with pytest.raises(FetchFailed, match="404"):
        look.at(site.url("/none"), tmp_path)
    with pytest.raises(Misuse, match=r"Perhaps you meant https://example\.org"):
        look.at("example.org", tmp_path)


@pytest.mark.parametrize(
    "markup",
    [
        SHOP,
        "<h1>One</h1>",
        '<main><h1>Kea</h1><dl><dt>It\'s "odd"<dd>x<dt>Mass<dd>0.9</dl></main>',
        '<ul><li class=a title="\\">1 one</li><li class=a>2 two</li><li class=a>3 three</li></ul>',
        "<main><h1>Kea</h1><p class='x'>'''\"\"\"\\</p></main>",
    ],
)
def test_the_suggested_code_is_python_whatever_the_page_says(site, tmp_path, markup):
    site["/"] = markup
    code = look.at(site.url(), tmp_path).project()
    assert code is not None
    tree = ast.parse(code)
    steps = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    assert steps == ["pages", "rows", "table"]
