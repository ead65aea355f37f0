"""From one page of a list to the next: by key, by parameter, by Link header."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping import crawl
from scraping.errors import BadValue, Misuse
from scraping.net.fetch import Response
from scraping.paging import by_key, by_link_header, by_parameter, links_in
from scraping.reading.page import Page

URL = "https://api.example.org/birds"


def page(data: Any, url: str = URL, links: tuple[str, ...] = (), text: str = "") -> Page:
    body = (text or json.dumps(data)).encode()
    headers = [("Content-Type", "application/json"), *(("Link", link) for link in links)]
    return Page(Response(url, 200, "OK", headers, body, body))


@pytest.mark.parametrize(
    ("key", "data"),
    [
        ("next", {"next": f"{URL}?page=2"}),
        ("links.next", {"links": {"next": f"{URL}?page=2"}}),
        ("links.next", {"links": {"next": "?page=2"}}),
        ("links.next", {"links": {"next": "/birds?page=2"}}),
        ("links.next", {"links.next": "?page=2"}),
        ("@odata.nextLink", {"@odata.nextLink": "?page=2"}),
        ("meta.@odata.nextLink", {"meta": {"@odata.nextLink": "?page=2"}}),
        ("a.b.c", {"a": {"x": 1}, "a.b": {"c": "?page=2"}}),
        ("a.b.c", {"a.b": {"x": 1}, "a": {"b": {"c": "?page=2"}}}),
        ("links.1.href", {"links": [{"href": "?page=0"}, {"href": "?page=2"}]}),
        ("0.next", [{"next": "?page=2"}]),
        ("_links.next.href", {"_links": {"next": {"href": "?page=2#part"}}}),
    ],
)
def test_the_next_page_stands_under_a_key(key, data):
    assert by_key(key)(page(data)) == [f"{URL}?page=2"]


@pytest.mark.parametrize(
    "data",
    [
        {}, [], None, 5, "text", {"links": None}, {"links": []}, {"links": {}}, {"links": 3},
        {"links": {"next": None}}, {"links": {"next": ""}}, {"links": {"next": False}},
        {"links": {"next": URL}}, {"links": {"next": "/birds"}},
    ],
)  # fmt: skip
def test_a_list_ends_where_nothing_new_is_named(data):
    assert by_key("links.next")(page(data)) == []
    if data != {"links": {"next": URL}} and data != {"links": {"next": "/birds"}}:
        assert by_key("links.next", parameter="cursor")(page(data)) == []


def test_a_bare_cursor_is_put_in_a_parameter():
    follow = by_key("meta.next_cursor", parameter="cursor")
    assert follow(page({"meta": {"next_cursor": "a b&c=/+é"}}, f"{URL}?size=5&cursor=x")) == [
        f"{URL}?size=5&cursor=a+b%26c%3D%2F%2B%C3%A9"
    ]
    assert follow(page({"meta": {"next_cursor": 7}})) == [f"{URL}?cursor=7"]
    assert follow(page({"meta": {"next_cursor": 0}})) == [f"{URL}?cursor=0"]
    # The same cursor once more: the server has come to its end, or lost its way.
    assert follow(page({"meta": {"next_cursor": "x"}}, f"{URL}?cursor=x")) == []


@pytest.mark.parametrize("value", [5, 1.5, True, ["x"], {"href": "x"}])
def test_a_value_that_is_no_address_is_told(value):
    with pytest.raises(BadValue, match=r"'next' is .* no address"):
        by_key("next")(page({"next": value}))


@pytest.mark.parametrize("value", [1.5, True, ["x"], {"href": "x"}, "x" * 3_000])
def test_a_value_that_is_no_cursor_is_told(value):
    with pytest.raises(BadValue, match="cursor"):
        by_key("next", parameter="cursor")(page({"next": value}))


def test_an_answer_that_is_not_json_is_told():
    html = page(None, text="<h1>Service</h1>")
    for follow in (by_key("next"), by_parameter("page"), by_parameter("page", items="x")):
        with pytest.raises(BadValue, match="not JSON"):
            follow(html)
    assert by_link_header()(html) == []


def test_an_impossible_address_is_handed_on_for_the_crawl_to_refuse():
    assert by_key("next")(page({"next": "ftp://x.example/"})) == ["ftp://x.example/"]
    assert by_key("next")(page({"next": "http://[::1"})) == ["http://[::1"]
    assert by_link_header()(page({}, links=("<file:///etc/passwd>; rel=next",))) == [
        "file:///etc/passwd"
    ]


def test_a_number_in_the_address_counts_as_long_as_there_is_something():
    follow = by_parameter("page", items="results")
    assert follow(page({"results": [1]})) == [f"{URL}?page=2"]
    assert follow(page({"results": [1]}, f"{URL}?page=")) == [f"{URL}?page=2"]
    assert follow(page({"results": [1]}, f"{URL}?page=2&q=a%20b")) == [f"{URL}?page=3&q=a+b"]
    assert follow(page({"results": {"a": 1}}, f"{URL}?page=9")) == [f"{URL}?page=10"]
    for end in ({"results": []}, {"results": {}}, {"results": None}, {"results": "x"}, {}, [], 3):
        assert follow(page(end, f"{URL}?page=3")) == []


def test_offsets_count_in_steps_and_an_answer_may_be_the_list():
    follow = by_parameter("offset", items="data.birds", first=0, step=100)
    assert follow(page({"data": {"birds": [1]}}, f"{URL}?limit=100")) == [
        f"{URL}?limit=100&offset=100"
    ]
    assert follow(page({"data": {"birds": [1]}}, f"{URL}?limit=100&offset=300")) == [
        f"{URL}?limit=100&offset=400"
    ]
    assert by_parameter("page")(page([{"bird": 1}])) == [f"{URL}?page=2"]
    assert by_parameter("page")(page([])) == []


def test_an_address_that_counts_in_something_else_is_told():
    with pytest.raises(BadValue, match="'page' is 'b', which is no number"):
        by_parameter("page")(page([1], f"{URL}?page=b"))


def test_counting_that_never_ends_is_no_paging():
    for make in (
        lambda: by_parameter("page", step=0),
        lambda: by_parameter("page", step=-1),
        lambda: by_parameter(" "),
        lambda: by_key(""),
        lambda: by_link_header(""),
    ):
        with pytest.raises(Misuse):
            make()


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        ('<https://api.example.org/birds?page=2>; rel="next"', ["?page=2"]),
        ('<?page=2>; rel="next", <?page=50>; rel="last"', ["?page=2"]),
        ('<?page=1>; rel="prev",<?page=2>;rel=next', ["?page=2"]),
        ('<?page=2>; rel="last next"', ["?page=2"]),
        ('<?page=2>; REL="NEXT"', ["?page=2"]),
        ('<?page=2> ; rel = "next" ;', ["?page=2"]),
        ('<?page=9>; title="a, <b>; rel=\\"next\\""; rel="x", <?page=2>; rel=next', ["?page=2"]),
        ("<?page=2>; title*=UTF-8''n%c3%a4; rel=next; foo", ["?page=2"]),
        ("<?page=2&a=b,c>; rel=next", ["?page=2&a=b,c"]),
        (", ,<?page=2>; rel=next,", ["?page=2"]),
        ("<?page=2>; rel=prev; rel=next", []),  # only the first counts
        ('<?page=2>; rel=next; anchor="/other"', []),
        ("<?page=2>; rel=nextish", []),
        ("<?page=2>", []),
        ("<>; rel=next", []),
        ("?page=2; rel=next", []),
        ("<?page=2; rel=next", []),
        ("", []),
        ("<?page=2>; rel=next, <?page=3>; rel=next", ["?page=2", "?page=3"]),
        ("<?page=2>; rel=next, <?page=2>; rel=next", ["?page=2"]),
    ],
)
def test_a_link_header_names_the_next_page(header, wanted):
    assert by_link_header()(page({}, links=(header,))) == [URL + query for query in wanted]


def test_several_link_headers_count_and_so_do_other_relations():
    links = ("<?page=1>; rel=prev", "<?page=2>; rel=next")
    assert by_link_header()(page({}, links=links)) == [f"{URL}?page=2"]
    assert by_link_header("prev")(page({}, links=links)) == [f"{URL}?page=1"]


def test_two_long_headers_take_no_time():
    links_in("<a>;" + " " * 100_000)
    links_in('<a>; b="' + "\\" * 100_000)
    links_in("<" * 100_000)
    links_in("<a>;" * 100_000)


def birds(site, make: Callable[[int], tuple[dict[str, str], Any]]) -> None:
    """Three pages of two birds each and, where the site counts for ever, empty ones."""

    def answer(handler) -> tuple[int, dict[str, str], bytes]:
        query = dict(parse_qsl(urlsplit(handler.path).query))
        headers, data = make(int(query.get("page", query.get("cursor", "1"))))
        return 200, {"Content-Type": "application/json", **headers}, json.dumps(data).encode()

    for path in (
        "/birds",
        *(f"/birds?{name}={n}" for name in ("page", "cursor") for n in range(9)),
    ):
        site[path] = answer


def names(number: int) -> list[str]:
    return [f"bird {number}{letter}" for letter in "ab"] if number <= 3 else []


@pytest.mark.parametrize(
    ("follow", "make"),
    [
        (by_key("next"), lambda n: ({}, {"next": f"?page={n + 1}" if n < 3 else None})),
        (by_key("meta.cursor", parameter="cursor"),
         lambda n: ({}, {"meta": {"cursor": n + 1 if n < 3 else ""}})),
        (by_key("meta.cursor", parameter="cursor"),  # for ever the last one
         lambda n: ({}, {"meta": {"cursor": min(n + 1, 3)}})),
        (by_link_header(),
         lambda n: ({"Link": f'<?page={n + 1}>; rel="next"'} if n < 3 else {}, {})),
        (by_parameter("page", items="birds"), lambda n: ({}, {})),
    ],
    ids=["key", "cursor", "same cursor", "link", "parameter"],
)  # fmt: skip
def test_a_crawl_takes_all_pages_and_a_replay_the_same_way(site, tmp_path, follow, make):
    def whole(number: int) -> tuple[dict[str, str], Any]:
        headers, data = make(number)
        return headers, {"birds": names(number), **data}

    birds(site, whole)
    pages = crawl(site.url("/birds"), follow=follow, archive=tmp_path)
    found = [bird for page in pages for bird in page.json()["birds"]]
    assert found == [bird for number in (1, 2, 3) for bird in names(number)]
    assert sum(site.asked.values()) == (4 if "parameter" in repr(follow) else 3)
    site.close()
    again = crawl(site.url("/birds"), follow=follow, archive=tmp_path)
    assert again.digest == pages.digest


TOKEN = st.text("abcxyz*-", min_size=1, max_size=8)
TARGET = st.text(st.characters(exclude_characters="<> ", categories=["L", "N", "P"]), max_size=20)


@given(st.lists(st.tuples(TARGET, st.dictionaries(TOKEN, st.text(max_size=20), max_size=3))))
def test_what_was_written_is_read(links):
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"<{target}>" + "".join(f"; {name}={quoted(value)}" for name, value in more.items())
        for target, more in links
    )
    assert links_in(header) == links


@given(st.text())
def test_any_header_has_an_answer(header):
    links_in(header)
    by_link_header()(page({}, links=(header,)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "b", "a.b", "0"]), inner, max_size=3)
        ),
    )
)
def test_any_data_is_followed_or_told_alike_twice(data):
    for follow in (by_key("a.b"), by_key("a.0", parameter="c"), by_parameter("p", items="a")):
        try:
            first = follow(page(data))
        except BadValue:
            with pytest.raises(BadValue):
                follow(page(data))
        else:
            assert first == follow(page(data))
            assert URL not in first
