"""The page view beside the real Beautiful Soup, on documents as messy as the web's."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import Any

import pytest
from bs4 import BeautifulSoup
from bs4.element import NavigableString
from bs4.element import Tag as SoupTag
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import BadValue, Misuse
from scraping.net.fetch import Response
from scraping.reading.page import Page
from scraping.reading.tag import Comment, Tag


def page_of(source: str | bytes, content_type: str = "text/html; charset=utf-8") -> Page:
    body = source.encode() if isinstance(source, str) else source
    headers = [("Content-Type", content_type)]
    return Page(Response("http://example.org/shop/", 200, "OK", headers, body, body, "now"))


MESSY = {
    "tidy": "<!doctype html><html><head><title>T</title></head><body><p id=a>one</p></body></html>",
    "no structure": "just <b>text</b> and & an ampersand",
    "unclosed": "<ul><li>one<li>two<li>three</ul><p>a<p>b<table><tr><td>1<td>2<tr><td>3</table>",
    "misnested": "<b>bold<i>both</b>italic</i><a href=1>out<a href=2>in</a></a>",
    "comments": "<p>a<!-- b --><!-- c -->d<!--[if IE]>e<![endif]--></p><!---->f",
    "scripts": "<script>if (a < b && c > d) {}</script><p>x</p><style>p > a {}</style>"
    "<noscript><p>no</p></noscript><textarea><b></textarea>",
    "entities": "<p title='&lt;&amp;&#x41;'>&copy;&nbsp;&bogus;&#128038;&lt;b&gt; a &amp b</p>",
    "ruby": "<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>字",
    "classes": '<p class=" a  b\n c ">1</p><p class="">2</p><p CLASS="A">3</p><a rel="x y">4</a>'
    '<td headers="h1 h2">',
    "attributes": "<a href=x href=y disabled data-x='1' onclick=\"a('b')\" x:y=z 1=2>t</a>",
    "whitespace": "<div>\n  <p>  a\n b </p>\n\n  <pre> x\n  y </pre>\n</div>\n",
    "forms": "<form accept-charset='a b'><select><option selected>1<option>2</select>"
    "<input type=text value='v'><button>go</form>",
    "svg and math": "<svg viewBox='0 0 1 1'><path d='M0'/></svg><math><mi>x</mi></math>",
    "deep": "<div>" * 180 + "bottom" + "</div>" * 100,
    "two bodies": "<html><body class=a><p>1</p></body><body class=b><p>2</p></body></html>after",
    "nul and controls": "<p>a\x00b\x0bc\x1bd</p>",
    "after the end": "<html><body><p>1</p></body></html>\n<!-- in 0.1 s --><p class=a>late</p>z",
    "broken tags": "<p <b>x</b> <3 </> <!> <?php echo 1 ?> <a href='unclosed>y",
    "cdata": "<p><![CDATA[ x < y ]]></p>",
    "empty": "",
}


def soup_of(page: Page) -> BeautifulSoup:
    return page.soup


def same(ours: Tag | str | None, theirs: object) -> bool:
    """Whether a value of ours stands for theirs."""
    if isinstance(theirs, SoupTag):
        if not isinstance(ours, Tag) or ours.name != theirs.name:
            return False
        return ours.attrs == theirs.attrs
    return ours == theirs


def all_same(ours, theirs) -> bool:
    ours, theirs = list(ours), list(theirs)
    return len(ours) == len(theirs) and all(map(same, ours, theirs))


# Soup Sieve looks into a template since version 4 no more; Python before 3.11.5 gets an older one.
if int(version("soupsieve").partition(".")[0]) >= 4:
    MESSY["templates"] = "<p>x</p><template><p>inside</p></template><ul><li>y</ul>"

documents = pytest.mark.parametrize("source", MESSY.values(), ids=MESSY.keys())


@documents
def test_every_element_has_the_same_name_attributes_and_text(source):
    page = page_of(source)
    soup = page.soup
    assert all_same(page.find_all(True), soup.find_all(True))
    for ours, theirs in zip(page.find_all(True), soup.find_all(True), strict=True):
        if theirs.find_parent(["template", "rt", "rp"]) is None:
            assert ours.get_text() == theirs.get_text()
            assert ours.get_text("|", strip=True) == theirs.get_text("|", strip=True)
            assert list(ours.stripped_strings) == list(theirs.stripped_strings)
        assert ours.string == theirs.string


@documents
def test_the_whole_page_says_the_same(source):
    page = page_of(source)
    assert list(page.stripped_strings) == list(page.soup.stripped_strings)
    # Blank lines around the outermost element are no part of our view.
    assert page.get_text(strip=True) == page.soup.get_text(strip=True)
    assert "".join(page.get_text().split()) == "".join(page.soup.get_text().split())


@documents
def test_neighbours_are_the_same(source):
    page = page_of(source)
    for ours, theirs in zip(page.find_all(True), page.soup.find_all(True), strict=True):
        if theirs.name == "html":
            continue  # what stands around the first element is no part of our view
        assert same(ours.parent, theirs.parent)
        assert [tag.name for tag in ours.parents] == [tag.name for tag in theirs.parents]
        for kind in ("contents", "next_siblings", "previous_siblings"):
            wanted = [one for one in getattr(theirs, kind) if not is_instruction(one)]
            assert all_same(getattr(ours, kind), wanted), (kind, ours)


def is_instruction(node: object) -> bool:
    return isinstance(node, NavigableString) and type(node).__name__ in (
        "ProcessingInstruction",
        "XMLProcessingInstruction",
        "Declaration",
        "Doctype",
    )


SELECTORS = (
    "p",
    "*",
    "p, li",
    "div p",
    "ul > li",
    "li + li",
    "p ~ table",
    ".a",
    "p.a.b",
    "#a",
    "[href]",
    '[href="1"]',
    '[class~="b"]',
    "[title^='<']",
    "li:nth-of-type(2)",
    "li:first-child",
    "li:last-child",
    "li:not(:first-child)",
    "p:empty",
    "option[selected]",
    "[selected]:nth-of-type(1)",
    "li:-soup-contains('tw')",
    "div:has(> p)",
    "p:is(.a, #a)",
    "body :scope",
)


@documents
@pytest.mark.parametrize("selector", SELECTORS)
def test_selectors_find_the_same(source, selector):
    page = page_of(source)
    assert all_same(page.select(selector), page.soup.select(selector))
    assert same(page.select_one(selector), page.soup.select_one(selector))


@documents
@pytest.mark.parametrize("selector", ["p", "div p", "body p", ":scope > p", "td", "ul li"])
def test_selectors_within_an_element_find_the_same(source, selector):
    page = page_of(source)
    holders = "body, div, ul, table, template"
    for ours, theirs in zip(page.select(holders), page.soup.select(holders), strict=True):
        assert all_same(ours.select(selector), theirs.select(selector))


@documents
def test_find_all_finds_the_same(source):
    page = page_of(source)
    calls: list[tuple[Any, Any]] = [
        (("p",), {}),
        ((["p", "li"],), {}),
        ((re.compile("^t"),), {}),
        ((lambda tag: tag.name == "p" and tag.has_attr("class"),), {}),
        ((), {"class_": "a"}),
        ((), {"class_": re.compile("b")}),
        ((), {"href": True}),
        ((), {"href": None, "limit": 3}),
        (("a", {"rel": "x"}), {}),
        (("p", "a"), {}),
        (("p",), {"string": re.compile("a")}),
        (("p",), {"limit": 1}),
        ((), {"attrs": {"data-x": ["1", "2"]}}),
    ]
    for arguments, more in calls:
        ours, theirs = page.find_all(*arguments, **more), page.soup.find_all(*arguments, **more)
        assert all_same(ours, theirs), (arguments, more)
        first = {key: value for key, value in more.items() if key != "limit"}
        assert same(page.find(*arguments, **first), page.soup.find(*arguments, **first))


def test_an_extractor_written_for_bs4_runs_unchanged():
    source = """<div class="quote"><span class="text">“A”</span><small>B</small>
        <div class="tags"><a class="tag" href="/t/x">x</a><a class="tag" href="/t/y">y</a></div>
        </div><ul class="pager"><li class="next"><a href="/page/2/">Next</a></li></ul>"""

    def extract(soup):
        rows = [
            (quote.find("span", class_="text").get_text(strip=True), quote.small.text,
             [tag["href"] for tag in quote.find("div", class_="tags").find_all("a", class_="tag")],
             quote.find_next_sibling("ul").li.a.get("href"), quote.get("class"),
             quote.find("small").find_parent("div")["class"][0])
            for quote in soup.select("div.quote")
        ]  # fmt: skip
        return rows, soup.find("li", class_="next").a["href"], soup.title

    assert extract(page_of(source)) == extract(BeautifulSoup(source, "lxml"))


def test_comments_are_told_apart_from_text():
    (comment,) = page_of("<p><!-- x --></p>").select("p")[0].contents
    assert isinstance(comment, Comment)
    assert comment == " x "


def test_a_misspelt_method_is_an_error_and_not_nothing():
    with pytest.raises(AttributeError, match=r"page\.soup"):
        _ = page_of("<p>").selct_one


def test_the_same_element_is_equal_however_it_was_found():
    page = page_of("<p id=a>x</p><p>y</p>")
    assert page.select_one("p") == page.find(id="a") == page.p
    assert len({page.p, page.select_one("#a")}) == 1
    assert page.p != page.find_all("p")[1]


@pytest.mark.parametrize("selector", ["a[[", "p:", "", "p:nonsense(1)", "::"])
def test_a_selector_that_is_none_is_named(selector):
    with pytest.raises(Misuse, match="no CSS selector"):
        page_of("<p>x</p>").select(selector)


def test_json_pages_are_read_and_others_shown():
    assert page_of('{"bird": "Vögel"}', "application/json").json() == {"bird": "Vögel"}
    with pytest.raises(BadValue, match="not JSON"):
        page_of("<p>\x1b[31m").json()


def test_the_base_element_moves_relative_links():
    assert page_of("<p>").base == "http://example.org/shop/"
    assert page_of("<base href='/other/'>").base == "http://example.org/other/"
    assert page_of("<base href='javascript:x'>").base == "http://example.org/shop/"


def test_headers_are_found_in_any_case():
    assert page_of("x").headers["content-TYPE"].startswith("text/html")


def test_an_attribute_without_a_value_is_empty_and_one_with_its_own_name_is_not():
    page = page_of(
        "<option selected>1<option selected=selected>2<p hidden checked=''><input checked>"
    )
    values = [tag.get("selected", tag.get("checked")) for tag in page.find_all()[2:]]
    assert values == ["", "selected", "", ""]
    assert page.select("[selected=selected]") == [page.find_all("option")[1]]


def test_attributes_of_any_name_can_be_read():
    paragraph = page_of("<p {a}b=1 {=2 é=3>x").find("p")
    assert paragraph.attrs == {"{a}b": "1", "{": "2", "é": "3"}  # bs4 makes a namespace of {a}
    assert [paragraph[name] for name in ("{a}b", "{", "é")] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("[" * 500_000, "too deep"),
        ("[" + "[]," * 2_500_000 + "1]", "2,500,001 lists and objects"),
        ("1" * 10_000, "limit"),
        ("", "it begins with ''"),
    ],
)
def test_json_that_would_hurt_is_named(source, said):
    with pytest.raises(BadValue, match=said):
        page_of(source, "application/json").json()


@given(st.text(alphabet="<>/=&;'\" abp!-[]\n\x00é?"))
def test_any_text_is_a_page_that_both_read_alike(source):
    page = page_of(source)
    assert [tag.name for tag in page.find_all(True)] == [
        tag.name for tag in page.soup.find_all(True)
    ]
    page.get_text()


def test_a_page_can_be_made_up_for_a_test_of_a_step():
    page = Page.of("<h1>Wren</h1><a href=next>", "http://example.org/birds/")
    assert page.select_one("h1").get_text() == "Wren"
    assert page.url == "http://example.org/birds/"
    assert Page.of(b'{"bird": "wren"}').json() == {"bird": "wren"}
