"""One request: what is sent, what is read, and what is no web address."""

from __future__ import annotations

import gzip
import time
import zlib
from itertools import pairwise

import brotli
import pytest

from scraping.errors import FetchFailed, Refused
from scraping.net.body import as_text
from scraping.net.fetch import ANYTHING, PAGES, Fetcher, follow
from scraping.outcomes import Kind


def test_an_answer_keeps_the_wire_body_and_its_decoded_form(site, fetcher):
    packed = gzip.compress(b"<p>hello</p>" * 100)
    site["/"] = (200, {"Content-Encoding": "gzip", "X-Some": "thing"}, packed)
    answer = fetcher.get(site.url())
    assert (answer.status, answer.wire, answer.body) == (200, packed, b"<p>hello</p>" * 100)
    assert answer.header("x-some") == "thing"
    assert answer.fetched.endswith("Z")


def test_a_request_says_who_asks_and_asks_for_gzip_only(site, fetcher):
    site["/"] = "x"
    fetcher.get(site.url())
    (headers,) = site.headers
    assert headers["User-Agent"] == "Folio/test"
    assert headers["Accept-Encoding"] == "gzip"
    assert "Cookie" not in headers


def test_one_connection_is_kept_for_many_requests(site, fetcher):
    ports = set()
    site["/"] = lambda handler: ports.add(handler.client_address[1]) or b"x"
    for _ in range(5):
        fetcher.get(site.url())
    assert len(ports) == 1


def test_cookies_are_not_sent_back(site, fetcher):
    site["/"] = (200, {"Set-Cookie": "id=1"}, b"x")
    fetcher.get(site.url())
    fetcher.get(site.url())
    assert all("Cookie" not in headers for headers in site.headers)


def test_chunks_are_undone(site, fetcher):
    site["/"] = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    ]
    assert fetcher.get(site.url()).wire == b"hello!"


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body)[2:-4]),
        ("br", brotli.compress),
        ("gzip", lambda body: gzip.compress(body[:50]) + gzip.compress(body[50:])),
        ("identity", bytes),
    ],
)
def test_codings_that_were_not_asked_for_are_read_all_the_same(site, fetcher, coding, pack):
    body = b"0123456789" * 20
    site["/"] = (200, {"Content-Encoding": coding}, pack(body))
    assert fetcher.get(site.url()).body == body


NO_WEB = [
    "http://[::1",
    "file:///etc/passwd",
    "data:text/html,x",
    "ftp://127.0.0.1/x",
    "javascript:alert(1)",
    "gopher://127.0.0.1/",
    "http://",
    "http://a:99999/",
    "//[/",
]


@pytest.mark.parametrize("url", [*NO_WEB, "", "/relative", "http:///x"])
def test_what_is_no_web_address_is_refused(fetcher, url):
    with pytest.raises(Refused) as caught:
        fetcher.get(url)
    assert caught.value.kind is Kind.SCHEME


@pytest.mark.parametrize("location", [url for url in NO_WEB if url != "http://"])
def test_a_redirect_to_no_web_address_is_refused(site, fetcher, location):
    site["/"] = (302, {"Location": location}, b"")
    with pytest.raises(Refused) as caught:
        follow(site.url(), fetcher.get)
    assert caught.value.kind is Kind.SCHEME
    assert site.requests == ["/"]


def test_redirects_without_end_are_named(site, fetcher):
    for number in range(20):
        site[f"/{number}"] = (302, {"Location": f"/{number + 1}"}, b"")
    with pytest.raises(FetchFailed, match="more than 10 redirects") as caught:
        follow(site.url("/0"), fetcher.get)
    assert caught.value.kind is Kind.REDIRECTS
    assert site.asked.total() == 11


@pytest.mark.parametrize("chain", [["/0", "/0"], ["/0", "/1", "/0"], ["/0", "/0#part", "/0"]])
def test_a_redirect_loop_is_named(site, fetcher, chain):
    for here, there in pairwise(chain):
        site[here.partition("#")[0]] = (302, {"Location": there}, b"")
    with pytest.raises(FetchFailed, match="redirect loop") as caught:
        follow(site.url("/0"), fetcher.get)
    assert caught.value.kind is Kind.REDIRECTS
    assert not caught.value.retry


def test_early_hints_are_passed_over(site, fetcher):
    site["/"] = [
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    ]
    answer = fetcher.get(site.url())
    assert (answer.status, answer.body, answer.header("Link")) == (200, b"ok", "")


def test_headers_are_read_as_browsers_read_them(site, fetcher):
    site["/"] = [
        b"HTTP/1.1 200 All is well\nX-Twice: a\nx-twice:b\r\n"
        b"X-Folded: one\r\n two\r\nno colon\r\nin valid: x\r\nX-Latin: caf\xe9\r\n"
        b"Content-Length: 2, 2\r\n\r\nok and more"
    ]
    answer = fetcher.get(site.url())
    assert (answer.reason, answer.body) == ("All is well", b"ok")
    assert answer.headers == [
        ("X-Twice", "a"), ("x-twice", "b"), ("X-Folded", "one two"), ("X-Latin", "café"),
        ("Content-Length", "2, 2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        (b"HTTP/1.1 200 OK\r\n", True),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n", False),
        (b"HTTP/1.0 200 OK\r\n", False),
        (b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\n", True),
    ],
)
def test_a_connection_is_kept_when_the_server_keeps_it(site, fetcher, head, kept):
    ports = []

    def speak(handler):
        line = b"the first request was read already"
        while line:
            ports.append(handler.client_address[1])
            handler.wfile.write(head + b"Content-Length: 2\r\n\r\nok")
            while (line := handler.rfile.readline()).strip():
                pass

    site["/"] = speak
    assert [fetcher.get(site.url()).body for _ in range(3)] == [b"ok"] * 3
    assert len(set(ports)) == (1 if kept else 3)


def test_a_kept_connection_that_the_server_gave_up_is_opened_anew(site, fetcher):
    ports = []

    def speak(handler):
        ports.append(handler.client_address[1])
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        handler.rfile.readline()  # the next request is on its way when the connection ends

    site["/"] = speak
    assert [fetcher.get(site.url()).body for _ in range(4)] == [b"ok"] * 4
    assert len(set(ports)) == 4


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_is_whole(site, fetcher, status):
    site["/"] = (status, {"Content-Length": "0"}, b"")
    assert fetcher.get(site.url()).body == b""
    assert fetcher.get(site.url()).status == status


@pytest.mark.parametrize("status", [b"204 None", b"304 Same"])
def test_an_answer_that_cannot_have_a_body_is_not_waited_for(site, bounded, status):
    def speak(handler):
        handler.wfile.write(b"HTTP/1.1 " + status + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        handler.rfile.readline()

    site["/"] = speak
    fetcher = bounded(seconds=3)
    assert [fetcher.get(site.url()).body for _ in range(2)] == [b""] * 2


@pytest.mark.parametrize(
    ("content_type", "page"),
    [
        ("text/html; charset=utf-8", True),
        ("TEXT/HTML", True),
        ("text/csv", True),
        ("application/xhtml+xml", True),
        ("application/json", True),
        ("application/ld+json", True),
        ("application/rss+xml", True),
        ("application/x-gzip", True),
        ("", True),
        ("image/png", False),
        ("application/pdf", False),
        ("application/octet-stream", False),
        ("nonsense", False),
    ],
)
def test_an_answer_of_another_type_is_refused_before_its_body_is_read(
    site, fetcher, content_type, page
):
    site["/"] = [
        b"HTTP/1.1 200 OK\r\nContent-Type: " + content_type.encode() + b"\r\n"
        b"Content-Length: " + (b"2" if page else b"999") + b"\r\n\r\nok"
    ]
    if page:
        assert fetcher.get(site.url(), kinds=PAGES).body == b"ok"
    else:
        with pytest.raises(Refused, match=r"content type is [^A-Z]") as caught:
            fetcher.get(site.url(), kinds=PAGES)
        assert caught.value.kind is Kind.CONTENT_TYPE


def test_the_type_of_an_error_or_a_redirect_does_not_matter(site, fetcher):
    site["/"] = (404, {"Content-Type": "image/png"}, b"x")
    site["/moved"] = (302, {"Content-Type": "image/png", "Location": "/picture"}, b"")
    site["/picture"] = (200, {"Content-Type": "image/png"}, b"picture")
    assert fetcher.get(site.url(), kinds=PAGES).status == 404
    assert fetcher.get(site.url("/moved"), kinds=PAGES).location == site.url("/picture")
    assert fetcher.get(site.url("/picture"), kinds=ANYTHING).body == b"picture"


def test_an_answer_tells_what_was_sent_and_how_long_it_took(site, fetcher):
    site["/"] = lambda handler: time.sleep(0.05) or b"x"
    answer = fetcher.get(site.url(), {"If-None-Match": '"tag"', "Cookie": "id=1"})
    assert answer.sent == [
        ("Host", f"127.0.0.1:{site.port}"),
        ("User-Agent", "Folio/test"),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Encoding", "gzip"),
        ("If-None-Match", '"tag"'),
    ]
    assert [site.headers[0][name] for name, _ in answer.sent] == [text for _, text in answer.sent]
    assert 0.05 <= answer.seconds < 5


def test_many_hosts_are_asked_in_turn(site):
    hosts = [f"127.0.0.{number}" for number in range(1, 41)]
    site["/"] = "x"
    site.server.socket.close()
    fetcher = Fetcher("x", seconds=0.5, allowed=[(host, site.port) for host in hosts])
    for host in hosts:
        with pytest.raises(FetchFailed):
            fetcher.get(f"http://{host}:{site.port}/")
    assert len(fetcher._origins) <= 16


CHARSETS = {
    "header": ("Vögel", "latin-1", "text/html; charset=iso-8859-1", ""),
    "lying header": ("Привет", "utf-8", "text/html; charset=iso-8859-1", ""),
    "mark": ("Привет", "utf-8-sig", "text/html; charset=windows-1252", ""),
    "utf-16 by mark": ("Привет", "utf-16", "text/html", ""),
    "meta": ("Привет", "cp1251", "text/html", '<meta charset="windows-1251">'),
    "http-equiv": ("鳥", "gb18030", "text/html",
                   '<meta http-equiv=content-type content="text/html; charset=gb2312">'),
    "none": ("Привет", "utf-8", "text/html", ""),
    "bogus name": ("Привет", "utf-8", "text/html; charset=utf8mb4-x", ""),
    "none, and not utf-8": ("Vögel", "cp1252", "text/html", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CHARSETS)
def test_a_text_is_read_in_the_encoding_that_it_is_in(site, fetcher, case):
    words, encoding, content_type, meta = CHARSETS[case]
    text = f"<html><head>{meta}</head><body>{words}</body></html>"
    site["/"] = (200, {"Content-Type": content_type}, text.encode(encoding))
    answer = fetcher.get(site.url(), kinds=PAGES)
    assert as_text(answer.body, answer.header("Content-Type")) == text
