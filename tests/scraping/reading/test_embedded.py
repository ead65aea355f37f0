"""JSON-LD and JSON in scripts and attributes, as sites really write them."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import BadValue, NotFound
from scraping.net.fetch import Response
from scraping.reading.extract import jsonld
from scraping.reading.page import Page


def page_of(source: str) -> Page:
    body = source.encode()
    return Page(Response("http://h/", 200, "OK", [("Content-Type", "text/html")], body, body, ""))


def ld(*texts: str) -> Page:
    return page_of("".join(f'<script type="application/ld+json">{text}</script>' for text in texts))


BIRD = '{"@context": "https://schema.org", "@type": "Product", "name": "Wren"}'


def test_json_ld_is_a_list_of_objects_with_lists_and_graphs_taken_apart():
    graph = '{"@context": "x", "@graph": [{"@id": 1}, {"@graph": [{"@id": 2}], "@id": 3}]}'
    found = ld(BIRD, f"[{BIRD}, {BIRD}]", graph, "{}").jsonld()
    assert [node.get("name") or node["@id"] for node in found] == ["Wren"] * 3 + [1, 3, 2]


@pytest.mark.parametrize(
    "text",
    ["<!-- %s -->", "//<![CDATA[\n%s\n//]]>", "/*<![CDATA[*/ %s /*]]>*/", " %s ; ", "\n%s\n"],
)
def test_json_ld_in_old_wrappings_is_read(text):
    assert ld(text % BIRD).jsonld()[0]["name"] == "Wren"


def test_line_ends_within_texts_are_read():
    assert ld('{"name": "a\n\tb"}').jsonld() == [{"name": "a\n\tb"}]


def test_the_type_may_be_written_in_any_case_and_with_parameters():
    page = page_of(f'<SCRIPT TYPE="Application/LD+JSON; charset=utf-8">{BIRD}</SCRIPT>')
    assert len(page.jsonld()) == 1


def test_broken_json_ld_is_named_or_skipped():
    page = ld(BIRD, '{"name": "Wren",}')
    with pytest.raises(BadValue, match=r"http://h/: script 2 .*is no JSON.*\n.*skip_broken"):
        page.jsonld()
    assert len(page.jsonld(skip_broken=True)) == 1
    assert ld("[" * 100_000).jsonld(skip_broken=True) == []


def test_one_object_is_found_by_its_type():
    page = ld('{"@type": "Organization"}', BIRD, '{"@type": ["https://schema.org/Person", "X"]}')
    assert jsonld(page, "Product")["name"] == "Wren"
    assert jsonld(page, type="Person")["@type"][1] == "X"
    assert jsonld(page)["@type"] == "Organization"
    assert jsonld(page.html, "Product")["name"] == "Wren"
    assert jsonld(page, "Recipe", default=None) is None
    with pytest.raises(NotFound, match=r"JSON-LD Recipe.*of type Organization, Product"):
        jsonld(page, "Recipe")


def test_a_missing_object_says_that_a_script_is_broken():
    with pytest.raises(BadValue, match=r"no JSON-LD of type .Product.; script 1"):
        jsonld(ld("{name: 1}"), "Product")


SCRIPTS = {
    '<script id="__NEXT_DATA__" type="application/json">{"a": 1}</script>': {
        "__NEXT_DATA__": {"a": 1}
    },
    '<script type="application/json" data-product>[1]</script>': {"data-product": [1]},
    "<script>1</script><script type=application/json>2</script>": {"script 2": 2},
    '<script type="application/vnd.x+json" id=x>3</script>': {"x": 3},
    '<script>window.__INITIAL_STATE__ = {"a": [1, {}]};</script>': {
        "__INITIAL_STATE__": {"a": [1, {}]}
    },
    '<script>window["__DATA-1__"]={"a":1}</script>': {"__DATA-1__": {"a": 1}},
    '<script>var a = [1], b = 2; const $c={"x":"}"}\n let d = {}</script>': {
        "a": [1], "$c": {"x": "}"}, "d": {}
    },
    r'<script>self.s = JSON.parse("{\"a\":\"\u00e9\"}");</script>': {"s": {"a": "é"}},
    r"""<script>globalThis.s=JSON.parse('{"a":"it\'s"}')</script>""": {"s": {"a": "it's"}},
    '<script>self.__next_f.push([1,"a"])</script><script>self.__next_f.push([1,"b"])</script>': {
        "__next_f": [[1, "a"], [1, "b"]]
    },
    '<script>var a = [1];</script><script>var a = [2];</script>': {"a": [1], "a 2": [2]},
    "<div id=app data-page='{&quot;a&quot;: 1}' data-b='{x}'></div>": {"app[data-page]": {"a": 1}},
    # JavaScript is not run, and not guessed at.
    "<script>window.s = {a: 1};</script>": {},
    "<script>window.s = [1] + f();</script>": {},
    "<script>window.s = function () { return {} }; x == [1]</script>": {},
    '<script>window.__NUXT__=(function(a){return {x:a}}(1));</script>': {},
    '<script type="text/template">var a = [1];</script>': {},
    "<script></script><p>var a = [1];</p>": {},
}  # fmt: skip


@pytest.mark.parametrize(("source", "wanted"), SCRIPTS.items())
def test_embedded_json_is_found_by_its_name(source, wanted):
    assert page_of(source).embedded() == wanted


def test_a_script_that_says_it_is_json_and_is_not_is_named_or_skipped():
    page = page_of("<script type=application/json id=x>{a: 1}</script><script>var b=[1]</script>")
    with pytest.raises(BadValue, match=r"script .x. is no JSON"):
        page.embedded()
    assert page.embedded(skip_broken=True) == {"b": [1]}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text("ab\"'\\<é\n"),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab\"'"), inner),
    max_leaves=8,
)


@given(st.lists(values) | st.dictionaries(st.text(), values))
def test_any_value_assigned_is_read_back(value):
    text = json.dumps(value).replace("<", "\\u003c")
    assert page_of(f"<script>window.it = {text};</script>").embedded() == {"it": value}


@pytest.mark.parametrize(
    "script",
    ["var a=[" * 500_000, "var a=" + "[" * 1_000_000, "var a = JSON.parse('" + "\\" * 1_000_001,
     "window" + " " * 1_000_000, "window." * 500_000, "var a=[\"" + "var a=[" * 500_000,
     "self.__next_f.push([" * 200_000],
)  # fmt: skip
def test_no_script_takes_long(script):
    begun = time.process_time()
    page_of(f"<script>{script}</script>").embedded()
    ld(script).jsonld(skip_broken=True)
    assert time.process_time() - begun < 5
