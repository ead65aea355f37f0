"""The project that a look suggests gives at least one row of the page that was looked at."""

from __future__ import annotations

import random
import sys
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from urllib.parse import quote

import pandas as pd
import pytest

from scraping import crawl, lent
from scraping.errors import FetchFailed, Refused, ScrapingError
from scraping.looking import look
from scraping.tables.rows import frame

DOCUMENTATION = Path("/usr/share/doc")


def scraped(url: str, folder: Path) -> pd.DataFrame | None:
    """The table that the suggested project makes of a few pages; None where none is suggested."""
    found = look.at(url, folder / "look")
    found.told()
    code = found.project()
    if code is None:
        return None
    module = ModuleType("suggested")
    sys.modules["suggested"] = module  # where a dataclass looks for its own module
    exec(compile(code, "suggested", "exec"), module.__dict__)
    token = lent.current.set(lent.Lent(folder / "archive", folder, max_pages=3))
    try:
        pages = module.pages()
        rows, places = [], []
        for ref in pages.refs:
            try:
                made = list(module.rows(pages.open(ref)))
            except (ScrapingError, ValueError):
                continue  # another page than the one that was looked at
            rows += made
            places += [(ref.url, ref.fetched, ref.offset)] * len(made)
        table, rejected = frame(rows, places)
        assert not len(rejected), list(rejected["_reason"])
        return module.table(table)
    finally:
        lent.current.reset(token)
        del sys.modules["suggested"]


def items(markup: str, times: int = 6) -> str:
    return "<ul>" + "".join(markup.replace("#", str(n)) for n in range(times)) + "</ul>"


@pytest.mark.parametrize(
    "markup",
    [
        "",
        "just text",
        "<p>no heading, no title",
        "<meta http-equiv=refresh content='0;url=/elsewhere'>",
        "\0\0\0",
        items("<li class=m><a href='mailto:a#@b.de'>mail number #</a>"),
        items("<li class=m><a href='HASH#'>section number #</a>").replace("HASH", "#"),
        items("<li class=m><a href='/paper#.pdf'>paper number #</a>"),
        items("<li class=m><a href='http://other.example/#'>elsewhere #</a>"),
        items("<li class=m><a href='/private/#'>closed #</a>"),
        items("<li class=m><a name=x#>an anchor #</a>"),
        "<meta name=robots content=nofollow>" + items("<li class=m><a href='/#'>page #</a>"),
        items("<li class=m><b class=size>#</b> some words #") + "<li class=m><b class=size>1.2.3",
        items("<li class=m><i class=a>word #</i><b class=b>more #</b>") + "<li class=m>neither",
        items("<div class=c><img src='data:image/png;base64,#'><p class=t>about #</p></div>"),
        items("<li class=m>\u202e'''\"\"\"\\ # {}"),
    ],
)
def test_the_page_itself_gives_rows(site, tmp_path, markup):
    site["/"] = markup
    site["/robots.txt"] = "User-agent: *\nDisallow: /private\n"
    table = scraped(site.url(), tmp_path)
    assert table is not None
    assert len(table)


def test_a_field_that_some_items_lack_is_optional_and_one_that_is_no_number_is_text(site, tmp_path):
    site["/"] = items("<li class=m><i class=kind>kind #</i><b class=size>#</b>", 9) + (
        "<li class=m><i class=kind>last</i>" + "<li class=m><i class=kind>x</i><b class=size>1.2.3"
    )
    code = str(look.at(site.url(), tmp_path).project())
    assert "size: str | None" in code
    assert 'text(item, ".size", default=None)' in code
    assert 'kind=text(item, ".kind"),' in code


def test_pages_behind_links_and_sitemaps_are_rows_whatever_they_hold(site, tmp_path):
    site["/"] = items("<li class=m><a href='/page#'>page #</a>")
    for n in range(6):
        site[f"/page{n}"] = f"<p>{n}" if n else "<title>First</title>"
    table = scraped(site.url(), tmp_path)
    assert table is not None
    assert list(table["title"]) == ["First", ""]
    addresses = "".join(f"<url><loc>{site.url(f'/page{n}')}</loc></url>" for n in range(6))
    site["/map.xml"] = (
        200,
        {"Content-Type": "application/xml"},
        f"<urlset>{addresses}</urlset>".encode(),
    )
    table = scraped(site.url("/map.xml"), tmp_path)
    assert table is not None
    assert "First" in set(table["title"])


@pytest.mark.parametrize(
    ("body", "columns", "rows"),
    [
        ('{"items": [{"id": 1, "x y": 1.5}, {"id": 2}], "next": null}', ["id", "x_y"], 2),
        ('[{"a": 1, "class": true}, {"a": 2.5, "class": null}]', ["a", "field_class"], 2),
        ('{"name": "kea", "in": {"a": 1}}', ["name"], 1),
        ('{"\\ud83d\\ude00": 1, "it\'s \\"q\\"": "x"}', ["field", "it_s_q"], 1),
        ('[{"t": 1, "t_2": 2, "t ": 3, "_url": "u"}]', ["t", "t_2", "t_3", "url"], 1),
        ('[{"a": 1}, {"a": "x"}]', ["text"], 1),
        ('[{"a": NaN, "b": 99999999999999999999}]', ["b"], 1),
        ("[1, 2, 3]", ["text"], 1),
        ("[]", ["text"], 1),
        ('"x"', ["text"], 1),
    ],
)
def test_json_gives_a_row_for_each_object(site, tmp_path, body, columns, rows):
    site["/"] = (200, {"Content-Type": "application/json"}, body.encode())
    table = scraped(site.url(), tmp_path)
    assert table is not None
    assert list(table.columns[:-3]) == columns
    assert len(table) == rows


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("application/pdf", "%PDF-1.4", "application/pdf"),
        ("application/json", "{", "is not"),
        ("text/html", "<meta name=robots content=noindex><h1>x", "noindex"),
        ("text/html", "<div>" * 5_000, "parser"),
    ],
)
def test_where_nothing_can_be_kept_there_is_no_code_and_a_reason(site, tmp_path, kind, body, said):
    site["/"] = (200, {"Content-Type": kind}, body.encode())
    found = look.at(site.url(), tmp_path)
    assert found.project() is None
    assert said in "\n".join(found.told())


@pytest.mark.slow
def test_every_page_of_the_practice_site_gives_rows(tmp_path):
    pages = crawl("http://sandbox/", follow="a", archive=tmp_path, max_pages=30, max_failed=1.0)
    for ref in pages.refs:
        with tempfile.TemporaryDirectory() as folder:
            table = scraped(ref.url, Path(folder))
        assert table is None or len(table), ref.url


@pytest.mark.slow
@pytest.mark.skipif(not DOCUMENTATION.is_dir(), reason="no documentation on this machine")
def test_real_pages_give_rows():
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    # A few of each kind of documentation: dozens of tools made them.
    families: dict[str, list[Path]] = {}
    for path in DOCUMENTATION.glob("*/**/*.html"):
        families.setdefault(path.relative_to(DOCUMENTATION).parts[0], []).append(path)
    choose = random.Random(3)
    chosen = [p for _, found in sorted(families.items()) for p in choose.sample(found, 1)][:40]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(DOCUMENTATION)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        for path in chosen:
            place = quote(path.relative_to(DOCUMENTATION).as_posix())
            with tempfile.TemporaryDirectory() as folder:
                try:
                    table = scraped(f"http://127.0.0.1:{server.server_port}/{place}", Path(folder))
                except (Refused, FetchFailed):
                    continue  # a link that leads nowhere on this machine
            assert table is None or len(table), path
    finally:
        server.shutdown()
        server.server_close()
