"""Sitemaps as sites write them, and as someone who means harm would."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.crawling import sitemap
from scraping.net.address import resolve
from scraping.net.fetch import Response

URL = "https://birds.example.org/maps/sitemap.xml"
SPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def read(
    body: bytes | str, kind: str = "application/xml", url: str = URL
) -> sitemap.Sitemap | None:
    body = body.encode() if isinstance(body, str) else body
    return sitemap.read(Response(url, 200, "OK", [("Content-Type", kind)], body, body))


def urlset(*links: str, space: str = SPACE) -> str:
    entries = "".join(f"<url><loc>{link}</loc></url>" for link in links)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset {space}>{entries}</urlset>'


def pages(body: bytes | str, **more: str) -> list[str] | None:
    found = read(body, **more)
    return None if found is None else [url for url, _ in found.pages]


A, B = "https://birds.example.org/a", "https://birds.example.org/b?x=1&y=2"


def test_pages_come_in_order_with_their_date():
    found = read(
        f"""<urlset {SPACE}>
        <url><loc> {A} </loc><lastmod>2026-11-01</lastmod><priority>0.5</priority></url>
        <url><lastmod>2026-11-01T10:00:00+00:00</lastmod><loc>{escape(B)}</loc></url>
        <url><loc>{A}c</loc><lastmod>yesterday</lastmod></url></urlset>"""
    )
    assert found == sitemap.Sitemap(
        [(A, "2026-11-01"), (B, "2026-11-01T10:00:00+00:00"), (A + "c", "")], []
    )


def test_an_index_names_further_sitemaps_but_not_itself():
    found = read(
        f"<sitemapindex {SPACE}><sitemap><loc>/one.xml.gz</loc></sitemap>"
        f"<sitemap><loc>{URL}</loc></sitemap></sitemapindex>"
    )
    assert found == sitemap.Sitemap([], ["https://birds.example.org/one.xml.gz"], left_out=1)


@pytest.mark.parametrize(
    "body",
    [
        urlset(A),
        urlset(A, space=""),
        urlset(A, space='xmlns="http://www.google.com/schemas/sitemap/0.84"'),
        urlset(A).replace("<url>", "<sm:url>").replace("</url>", "</sm:url>").replace(
            "<urlset xmlns=", "<sm:urlset xmlns:sm=").replace("</urlset", "</sm:urlset").replace(
            "loc>", "sm:loc>"),
        "\ufeff" + urlset(A),
        "\n\n" + urlset(A),
        urlset(A).encode("utf-16"),
        urlset(A).replace("UTF-8", "utf-16").encode("utf-16"),
        gzip.compress(urlset(A).encode()),
        urlset(f"<![CDATA[{A}]]>"),
        urlset(f"\n{A}\n"),
        urlset(A, A, A + "#part"),
        urlset("/a"),
        urlset("../a"),
        urlset("//birds.example.org/a"),
        urlset(A).replace("\n", '\n<?xml-stylesheet href="s.xsl"?><!-- made by a tool -->'),
        urlset(A).replace("<url>", "<URL>").replace("</url>", "</URL>"),
        urlset(A).replace("</urlset>", ""),
        urlset(A).replace("</urlset>", "<url><loc>"),
        urlset(A).replace("</url>", "<image:image xmlns:image='i'><image:loc>https://x.example/i.png"
                          "</image:loc></image:image></url>"),
        urlset(A).replace("</url>", "<loc>https://x.example/second</loc></url>"),
        urlset(A).replace("<urlset", "<!DOCTYPE urlset [<!ENTITY a 'x'>]><urlset"),
    ],
)  # fmt: skip
def test_it_is_read_however_it_is_written(body):
    assert pages(body) == [A]
    assert pages(body, kind="text/plain") == [A]
    assert pages(body, kind="") == [A]


@pytest.mark.parametrize(
    "body",
    [
        "", " ", "<", "<?xml version='1.0'?>", "no sitemap", "{}",
        "<html><body>Not found</body></html>",
        "<!DOCTYPE html><html><body><urlset><url><loc>https://a.example/</loc></url></urlset>",
        f"<rss><channel><item><link>{A}</link></item></channel></rss>",
        f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='{A}'/></entry></feed>",
        "\x00\x01\x02", gzip.compress(b"no sitemap"), gzip.compress(urlset(A).encode())[:-9],
        b"\x1f\x8b", f"Read {A}", "A page about addresses\n" + A,
    ],
)  # fmt: skip
def test_other_things_are_no_sitemap(body):
    assert read(body) is None
    assert read(body, kind="text/plain") is None


def test_a_text_lists_one_address_a_line():
    text = f"\ufeff{A}\r\n\r\n  {B}\n{A}\nftp://birds.example.org/c\n"
    found = read(text, kind="text/plain; charset=utf-8", url="https://birds.example.org/all.txt")
    assert found == sitemap.Sitemap([(A, ""), (B, "")], [], left_out=1)
    assert pages(gzip.compress(text.encode()), kind="application/gzip") == [A, B]
    assert pages(text, kind="text/html") is None


def test_only_web_addresses_are_taken_and_the_others_counted():
    links = [
        "ftp://birds.example.org/", "file:///etc/passwd", "javascript:alert(1)", "data:,x", "",
        "http://[::1", "https://me:secret@birds.example.org/", "https://", "mailto:a@b.example",
        "http://birds.example.org:99999/", "x" * 5_000,
    ]  # fmt: skip
    found = read(urlset(*map(escape, links), A))
    assert found is not None
    assert [url for url, _ in found.pages] == [A]
    assert found.left_out == len(links)


def test_a_bare_ampersand_does_not_change_the_address():
    assert pages(urlset("https://birds.example.org/b?x=1&y=2")) == [B]
    assert pages(urlset("https://birds.example.org/b?x=1&#38;y=2")) == [B]
    assert pages(urlset("https://birds.example.org/b?x=1&amp;y=2")) == [B]


def test_entities_are_never_expanded(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("hidden")
    laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 12))
    for entities, used in (
        (f"<!ENTITY l0 'lol'>{laughs}", "&l11;"),
        (f"<!ENTITY x SYSTEM 'file://{secret}'>", "&x;"),
        (f"<!ENTITY % x SYSTEM 'file://{secret}'> %x;", "x"),
        ("<!ENTITY x '" + "lol" * 100_000 + "'>", "&x;" * 10_000),
    ):
        body = (
            f"<?xml version='1.0'?><!DOCTYPE urlset [{entities}]>"
            f"<urlset><url><loc>https://a.example/{used}</loc></url></urlset>"
        )
        tracemalloc.start()
        began = time.monotonic()
        found = read(body)
        took, peak = time.monotonic() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert took < 5
        assert peak < 20_000_000
        assert "hidden" not in str(found)
        assert "lollol" not in str(found)


@pytest.mark.parametrize(
    "body",
    [
        "<urlset>" + "<url>" * 200_000,
        "<urlset>" + "<x>" * 200_000 + "</x>" * 200_000,
        "<urlset><url " + " ".join(f"a{n}=''" for n in range(50_000)) + "/></urlset>",
        "<urlset><url><loc>" + "x" * 12_000_000,
        "<urlset>" + "<!-- x -->" * 100_000,
        "<" + "a" * 1_000_000,
        gzip.compress(b"<urlset>" + b" " * 60_000_000),
    ],
)
def test_hostile_markup_ends_soon(body):
    began = time.monotonic()
    read(body)
    assert time.monotonic() - began < 5


def test_a_full_sitemap_is_read_whole_and_a_fuller_one_up_to_a_bound(monkeypatch):
    full = urlset(*(f"https://birds.example.org/{n}" for n in range(50_000)))
    found = read(gzip.compress(full.encode(), 1))
    assert found is not None
    assert len(found.pages) == 50_000
    assert found.pages[-1] == ("https://birds.example.org/49999", "")
    monkeypatch.setattr(sitemap, "MOST", 100)
    found = read(urlset(*(f"https://birds.example.org/{n}" for n in range(150))))
    assert found is not None
    assert (len(found.pages), found.left_out) == (100, 50)


LINK = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=40).map(
    lambda words: "https://birds.example.org/" + words
)


@given(st.lists(st.tuples(LINK, st.sampled_from(["", "2026", "2026-11-01"])), max_size=8))
def test_what_was_written_is_read(entries):
    body = "".join(
        f"<url><loc>{escape(link)}</loc><lastmod>{changed}</lastmod></url>"
        for link, changed in entries
    )
    wanted: dict[str, str] = {}
    for link, changed in entries:
        wanted.setdefault(resolve(URL, link), changed)
    written = f"<urlset {SPACE}>{body}</urlset>"
    for form in (written.encode(), written.encode("utf-16"), gzip.compress(written.encode())):
        assert read(form) == sitemap.Sitemap(list(wanted.items()), [])


@given(st.binary(max_size=300), st.sampled_from(["text/plain", "application/xml", ""]))
def test_any_bytes_have_an_answer(body, kind):
    read(body, kind)
    read(b"<urlset><url><loc>" + body, kind)
    read(b"\x1f\x8b" + body, kind)
