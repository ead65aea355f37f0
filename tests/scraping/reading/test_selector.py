"""Selectors matched here and by the real Soup Sieve, and what none of them may cost."""

from __future__ import annotations

import time
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.net.fetch import Response
from scraping.reading.page import Page
from scraping.reading.selector import compiled

GARDEN = """<html><body><div id=top class="bed raised" lang=en-GB><p class="a b">1</p><!-- c -->
<p class=b type=TEXT>2</p>t<span></span><p title="a-b c"><b>3</b></p><em> <!-- --></em></div>
<ul><li class=a>1<li>2<ul><li>2a<li class=b>2b</ul><li class="a c">3<li></ul>
<table><tr><td>1<td>2<td>3<tr><th>x<td>4</table><input type=Checkbox checked><a href="/x.html">y</a>
<svg><rect/></svg><template><p class=a>in</p></template><dl><dt>k<dd>v<dd>w</dl>
<p rel="x  y" data-e="">rel</p></body></html>"""


def page_of(source: str) -> Page:
    body = source.encode()
    headers = [("Content-Type", "text/html; charset=utf-8")]
    return Page(Response("http://example.org/", 200, "OK", headers, body, body, "now"))


PAGES = [page_of(GARDEN), page_of(GARDEN.replace("template", "section"))]
# Python before 3.11.5 gets an older one, which looks into templates and errs with `~` in `:has`.
of_today = pytest.mark.skipif(
    int(version("soupsieve").partition(".")[0]) < 4, reason="Soup Sieve is older than version 4"
)


def agree(selector: str) -> None:
    for page in PAGES:
        ours = [tag._element for tag in page.select(selector)]
        assert ours == page.from_soup(page.soup.select(selector)), selector


NATIVE = """p|.a|#top|p.a.b|[title]|[data-e]|[data-e='']|[title^=a]|[title$=c]|[title*='-b']
[title~=c]|[title~='']|[class='a b']|[class*='a b']|[type=text]|[type='TEXT' s]|[type=checkbox i]
[title!=x]|p:not(.a)|li:not(:first-child)|p:is(.a, .b)|:is(p, li).b|p:where(.a)|div > p|div p|p + p
p ~ p|p + span|li li|ul > li > ul > li|:first-child|:last-child|:only-child|p:first-of-type
li:last-of-type|td:nth-child(2)|td:nth-child(odd)|td:nth-child(2n)|td:nth-child(-n+2)
td:nth-last-child(1)|p:nth-of-type(2)|[class]:nth-of-type(1)|p:nth-last-of-type(2)|:empty|em:empty
div:has(p)|div:has(> p)|p:has(+ span)|p:has(~ em)|li:has(li.b)|dt:has(+ dd)|div:has(a, b)
P.a|LI|[HREF]|dd ~ dd|td, th|p.a, li.a, dd|*|svg > rect|p:not(div p)|[rel='x y']|[rel~=y]"""


@of_today
@pytest.mark.parametrize("selector", [*NATIVE.replace("\n", "|").split("|"), "[lang|=en]"])
def test_everyday_selectors_need_no_soup_and_find_what_soup_sieve_finds(selector):
    assert compiled(selector) is not None
    agree(selector)


@pytest.mark.parametrize(
    "selector",
    ["p:-soup-contains('2')", "body :scope", ":root", "li:nth-child(1 of .a)", "p:not(.a, .b)",
     "input:checked", "p:lang(en)", "[checked='']", "a:any-link"],
)  # fmt: skip
def test_rare_selectors_are_answered_by_soup_sieve(selector):
    assert compiled(selector) is None
    agree(selector)


names = st.sampled_from(["p", "li", "ul", "div", "td", "*", ".a", ".b", "[class]", "#top", "b"])
ends = st.sampled_from(
    ["", ":first-child", ":not(.a)", ":nth-child(2n+1)", ":empty", ":has(> *)", ":is(.a, p)",
     ":last-of-type", ":not(:last-child)", ":nth-of-type(2)"]
)  # fmt: skip
compounds = st.builds(str.__add__, names, ends)
joined = st.lists(st.tuples(compounds, st.sampled_from([" ", " > ", " + ", " ~ ", ", "])))


@of_today
@given(joined, compounds)
def test_any_combination_finds_what_soup_sieve_finds(parts, last):
    agree("".join(one + join for one, join in parts[:3]) + last)


@pytest.mark.parametrize(
    ("source", "selector"),
    [
        ("<p class=a>" * 100_000, "p ~ p ~ p ~ p"),
        ("<p class=a>" * 100_000, "p:nth-last-child(3n)"),
        ("<p class=a>" * 100_000, "p:has(~ b)"),
        (("<div>" * 200 + "<a>x</a>" * 800 + "</div>" * 200) * 60, "div div div div div b"),
        (("<div>" * 200 + "<a>x</a>" * 800 + "</div>" * 200) * 60, "div:has(b) > div a"),
    ],
)
def test_no_page_makes_a_selector_take_the_square_of_its_size(source, selector):
    page = page_of(source)
    begun = time.process_time()
    page.select(selector)
    assert time.process_time() - begun < 5


def test_questions_that_take_turns_find_what_each_alone_finds():
    page = page_of(GARDEN)
    of_a, of_b = page.matching(".a"), page.matching("li.b, p.b")
    found = [next(of_a), next(of_b), next(of_a), *page.matching(".c"), *of_b, *of_a]
    assert found == [
        tag._element
        for tag in (
            page.select(".a")[0],
            page.select("p.b")[0],
            page.select(".a")[1],
            *page.select("[class~=c]"),
            *page.select("p.b, li.b")[1:],
            *page.select("[class~=a]")[2:],
        )
    ]


def test_a_class_that_is_written_twice_is_one():
    page = page_of('<p class="a a b">1<p class="b a b">2')
    assert [tag.text for tag in page.select(".a")] == ["1", "2"]
    assert [tag.text for tag in page.select(".b")] == ["1", "2"]
