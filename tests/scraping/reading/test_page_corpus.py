"""Our view of a page beside Beautiful Soup's: real pages, and the same pages damaged.

The pages are those that the machine has under /usr/share/doc: documentation made by dozens of
programs over thirty years. An ordinary run takes a sample; FOLIO_CORPUS=all takes every page.
"""

from __future__ import annotations

import os
import random
import re
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from bs4.element import Comment as SoupComment
from bs4.element import NavigableString, PreformattedString
from bs4.element import Tag as SoupTag

from scraping.net.fetch import Response
from scraping.reading.page import Page
from scraping.reading.tag import Tag

CORPUS = Path("/usr/share/doc")
WHOLE = os.environ.get("FOLIO_CORPUS") == "all"
SAMPLE = 150
ENDS = (".html", ".htm", ".xhtml")
LARGEST = 4_000_000 if WHOLE else 100_000  # bytes

SELECTORS = """p|*|a|div p|ul > li|li + li|p ~ p|dt + dd|h1, h2, h3|[href]|a[href^='http']
a[href$='.html']|a[href*='#']|[class~='section']|table tr td|tr:nth-child(2)|tr:nth-child(odd)
td:first-child|td:last-child|li:nth-of-type(2)|[class]:nth-of-type(1)|*:empty|p:not([class])
div:has(> p)|li:has(a)|dl:has(+ p)|h2:has(~ p)|p:is(.a, .first, [id])|p:where(:first-child)
body > *|a:only-child|p:last-of-type|td:nth-last-child(2)|link[rel=stylesheet]|[type='TEXT/CSS']
div div div a|table ~ p a|[lang]|[align='CENTER' i]|div > p:first-child + p|ul li ul li
[rel]:not([rel=stylesheet])|span:nth-child(2n+1)|title|html|[colspan='2']"""
SOUP_ONLY = ["a:-soup-contains('e')", ":root > body", "p:not(.a, .b)"]
CALLS: list[tuple[tuple, dict[str, Any]]] = [
    (("a",), {}),
    ((["p", "li"],), {}),
    ((re.compile("^h[1-6]$"),), {}),
    ((), {"class_": True}),
    ((), {"id": re.compile("^[a-m]")}),
    (("a",), {"href": re.compile("html")}),
    ((), {"attrs": {"class": ["section", "title"]}}),
    (("td",), {"limit": 3}),
    ((lambda tag: tag.has_attr("class") and not tag.has_attr("id"),), {}),
]
PIECES = """<|>|</p>|<p>|<table>|<td>|</table>|<b><i></b></i>|<template><p>t</p></template>
<svg><title>x</title></svg>|<frameset><frame></frameset>|<plaintext>|<![CDATA[ x ]]>|<x:y z:w=1>
<!--[if IE]><p>ie</p><![endif]-->|<option selected>|<input checked="checked">|"|'|<a href=x href=y>
&amp|&#x0;|&#128;|<body class=z>|<html lang=x>|<head>|</head>|<textarea>|<select><option>
<script>|</script>|<title>|<form><form>|<li><ul>|<!doctype html>|<?php echo ?>|</br>|<p/>|<!-->
<noscript>|<iframe>|<math><mi>|<ruby><rt>|<pre>|<dd>|<h1>|<nobr>|<center>|<isindex>|<image>|<xmp>"""
# Soup Sieve looks into a template since version 4 no more; Python before 3.11.5 gets an older one.
if int(version("soupsieve").partition(".")[0]) < 4:
    PIECES = PIECES.replace("template>", "section>")


def shared(ours: Any, theirs: Any) -> bool:
    """Whether a value of ours stands for theirs."""
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(shared, ours, theirs))
    if isinstance(theirs, SoupTag):
        return isinstance(ours, Tag) and ours.name == theirs.name and ours.attrs == theirs.attrs
    return ours == theirs


def compare(
    body: bytes, choose: random.Random, said: object, most: int = 60, intact: bool = False
) -> int:
    """Hold every part of the two views against one another; how many comparisons were made."""
    page = Page(Response("http://h/x/y.html", 200, "OK", [], body, body, "now"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        soup = BeautifulSoup(page.source, "lxml")
    # What we do not show: doctypes and instructions. Amid the text they make bs4 cut it in two.
    for hidden in soup.find_all(string=lambda text: is_hidden(text)):
        if hidden.parent is not soup:
            return 0
        hidden.extract()
    made = 0

    def same(what: object, ours: Any, theirs: Any) -> None:
        nonlocal made
        made += 1
        assert shared(ours, theirs), (said, what, ours, theirs)

    ours, theirs = page.find_all(True), soup.find_all(True)
    same("elements", ours, list(theirs))
    twin = {id(tag): place for place, tag in enumerate(theirs)}
    selectors = [*SELECTORS.replace("\n", "|").split("|"), *SOUP_ONLY]
    for selector in selectors if WHOLE else choose.sample(selectors, 12):
        found, wanted = page.select(selector), soup.select(selector)
        same(selector, found, list(wanted))
        assert found == [ours[twin[id(tag)]] for tag in wanted]
        same(selector, page.select_one(selector), soup.select_one(selector))
    for arguments, more in CALLS if WHOLE else choose.sample(CALLS, 4):
        found, wanted = page.find_all(*arguments, **more), soup.find_all(*arguments, **more)
        same((arguments, more), found, list(wanted))
    # White space around <html> and <body> is not shown, which may be within a damaged page's text.
    same("text", page.get_text().split() if intact else "".join(page.get_text().split()),
         soup.get_text().split() if intact else "".join(soup.get_text().split()))  # fmt: skip
    if intact:
        same("strings", list(page.stripped_strings), list(soup.stripped_strings))
    same("title", page.title, soup.title)
    pairs = list(zip(ours, theirs, strict=True))
    for mine, yours in pairs if len(pairs) <= most else choose.sample(pairs, most):
        for part in PARTS if yours.name != "html" else PARTS[:3]:
            same((yours.name, part), part(mine), part(yours))
        if not yours.find_parent(["template", "rt", "rp"]):
            for part in TEXTS:
                same((yours.name, part), part(mine), part(yours))
        selector = choose.choice(SELECTORS.replace("\n", "|").split("|"))
        same((yours.name, selector), mine.select(selector), list(yours.select(selector)))
        arguments, more = choose.choice(CALLS)
        same(arguments, mine.find_all(*arguments, **more), list(yours.find_all(*arguments, **more)))
    return made


PARTS: list[Callable[[Any], Any]] = [
    lambda tag: [above.name for above in tag.parents],
    lambda tag: list(tag.contents),
    lambda tag: tag.string,
    lambda tag: tag.find_all("a", recursive=False) or [],
    lambda tag: list(tag.next_siblings),
    lambda tag: list(tag.previous_siblings),
    lambda tag: tag.next_sibling,
    lambda tag: tag.previous_sibling,
    lambda tag: tag.find_parent("div"),
    lambda tag: tag.find_next_sibling("p"),
    lambda tag: tag.find_previous_sibling("p"),
    lambda tag: [str(value) for value in tag.attrs.values()],
]
TEXTS: list[Callable[[Any], Any]] = [
    lambda tag: tag.get_text(),
    lambda tag: tag.get_text("|", strip=True),
    lambda tag: list(tag.strings),
    lambda tag: list(tag.stripped_strings),
]


def is_hidden(text: NavigableString) -> bool:
    return isinstance(text, PreformattedString) and not isinstance(text, SoupComment)


@cache
def families() -> dict[str, list[Path]]:
    """The pages by package."""
    found: dict[str, list[Path]] = {}
    for path in walk(CORPUS):
        found.setdefault(path.relative_to(CORPUS).parts[0], []).append(path)
    return found


def walk(folder: Path) -> Iterator[Path]:
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(base, name)
            if name.endswith(ENDS) and path.is_file() and path.stat().st_size <= LARGEST:
                yield path


def sample(number: int, seed: int) -> list[Path]:
    """Pages of every family in turn, so that the large ones do not outweigh the rest."""
    pages = sum(map(len, families().values()))
    if pages < SAMPLE:
        pytest.skip(f"{CORPUS} has {pages} HTML pages; {SAMPLE} or more make a sample")
    choose = random.Random(seed)
    names = sorted(families())
    return [choose.choice(families()[names[place % len(names)]]) for place in range(number)]


def damaged(body: bytes, choose: random.Random) -> bytes:
    """The beginning of a page with pieces cut, doubled and thrown in."""
    pieces = [piece.encode() for piece in PIECES.replace("\n", "|").split("|")]
    pieces += [b"\0", b"\xff", b"\xed\xa0\x80", b"\r\n", b"\x0c", b"<pre>\n\n"]
    page = bytearray(body[: choose.choice([500, 3_000, 12_000])])
    for _ in range(choose.randint(1, 12)):
        place, chance = choose.randrange(len(page) + 1), choose.random()
        if chance < 0.3:
            del page[place : place + choose.randint(1, 40)]
        elif chance < 0.85:
            page[place:place] = choose.choice(pieces)
        else:
            start = choose.randrange(len(page) + 1)
            page[place:place] = page[start : start + choose.randint(1, 200)]
    return bytes(page)


@pytest.mark.slow
def test_real_pages_are_shown_as_beautiful_soup_shows_them():
    paths = sample(SAMPLE, seed=1)
    if WHOLE:
        paths = [path for pages in families().values() for path in pages]
    choose = random.Random(2)
    made = sum(compare(path.read_bytes(), choose, path, 20, intact=True) for path in paths)
    print(f"{len(paths):,} pages of {len(families())} families, {made:,} comparisons")
    assert made > 100 * len(paths)


@pytest.mark.slow
def test_damaged_pages_are_shown_as_beautiful_soup_shows_them():
    choose = random.Random(3)
    for place, path in enumerate(sample(5_000 if WHOLE else SAMPLE, seed=4)):
        compare(damaged(path.read_bytes(), choose), choose, (place, path), most=20)


def test_pages_thrown_together_are_shown_as_beautiful_soup_shows_them():
    choose = random.Random(5)
    for place in range(1_000 if WHOLE else 60):
        compare(damaged(damaged(b"<p>text</p> ", choose), choose), choose, place)
