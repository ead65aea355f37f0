"""One request against servers that break every bound."""

from __future__ import annotations

import contextlib
import gzip
import socket
import struct
import subprocess
import sys
import time
import zlib
from itertools import pairwise
from pathlib import Path

import brotli
import pytest

from scraping.errors import FetchFailed, Partial, Refused
from scraping.net.body import as_text
from scraping.net.fetch import ANYTHING, PAGES, Fetcher, follow
from scraping.outcomes import Kind


@pytest.fixture
def fetcher(site):
    fetcher = Fetcher("Folio/test", allowed=[("127.0.0.1", site.port)])
    yield fetcher
    fetcher.close()


def bounded(site, **bounds):
    return Fetcher("Folio/test", allowed=[("127.0.0.1", site.port)], **bounds)


def raw(*pieces: bytes, pause: float = 0.0):
    """An answer written byte for byte as it stands."""

    def speak(handler):
        for piece in pieces:
            handler.wfile.write(piece)
            handler.wfile.flush()
            time.sleep(pause)

    return speak


def reset(piece: bytes):
    """An answer that is begun, then cut off by a reset."""

    def speak(handler):
        handler.wfile.write(piece)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.close_connection = True
        handler.rfile.close()
        handler.wfile.close()
        handler.connection.close()

    return speak


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


def test_a_body_announced_beyond_the_cap_is_not_read(site):
    site["/"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", b"x")
    with pytest.raises(FetchFailed, match="999,999,999 bytes announced; the limit is 1,000"):
        bounded(site, max_bytes=1_000).get(site.url())


def test_an_endless_body_is_cut_at_the_cap(site):
    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65_536)

    site["/"] = endless
    with pytest.raises(FetchFailed, match="more than 1,000,000 bytes") as caught:
        bounded(site, max_bytes=1_000_000).get(site.url())
    assert not caught.value.retry


ZEROS = bytes(100_000_000)
BOMB = """
import sys
from scraping.errors import FetchFailed
from scraping.net.fetch import Fetcher
fetcher = Fetcher("x", allowed=[("127.0.0.1", int(sys.argv[1]))])
for path in sys.argv[2:]:
    try:
        fetcher.get(f"http://127.0.0.1:{sys.argv[1]}{path}")
    except FetchFailed as failure:
        print(path, failure.kind.name, failure.retry, failure.reason)
# Not ru_maxrss: across a fork that still counts what the parent had.
print(int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_bomb_takes_more_than_150_megabytes(site):
    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(ZEROS[:65_536])

    def endless_chunks(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            handler.wfile.write(b"10000\r\n" + ZEROS[:65_536] + b"\r\n")

    def one_chunk(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffff0\r\n")
        while True:
            handler.wfile.write(ZEROS[:65_536])

    def tiny_chunks(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            handler.wfile.write(b"2\r\nab\r\n" * 10_000)

    def trailers(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        while True:
            handler.wfile.write(b"A: b\r\n" * 10_000)

    member = gzip.compress(b"")
    bombs = {
        "/gzip": (200, {"Content-Encoding": "gzip"}, gzip.compress(ZEROS)),
        "/br": (200, {"Content-Encoding": "br"}, brotli.compress(ZEROS, quality=1)),
        "/deflate": (200, {"Content-Encoding": "deflate"}, zlib.compress(ZEROS)),
        "/twice": (200, {"Content-Encoding": "gzip, gzip"},
                   gzip.compress(gzip.compress(ZEROS))),
        "/members": (200, {"Content-Encoding": "gzip"}, member * 900_000),
        "/endless": endless,
        "/chunks": endless_chunks,
        "/chunk": one_chunk,
        "/tiny": tiny_chunks,
        "/trailers": trailers,
        "/announced": (200, {}, ZEROS),
    }  # fmt: skip
    for path, answer in bombs.items():
        site[path] = answer
    run = subprocess.run(
        [sys.executable, "-c", BOMB, str(site.port), *bombs],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    *fates, megabytes = run.stdout.splitlines()
    assert [line.split()[:3] for line in fates] == [[path, "TOO_LARGE", "False"] for path in bombs]
    assert int(megabytes) <= 150


@pytest.mark.parametrize(
    ("name", "speak"),
    [
        ("body", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *[b"x"] * 99, pause=0.05)),
        ("body without length", raw(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 99, pause=0.05)),
        ("headers", raw(b"HTTP/1.1 200 OK\r\nX-Drip: ", *[b"x"] * 99, pause=0.05)),
        ("nothing", lambda handler: time.sleep(2)),
    ],
)
def test_a_dripping_or_silent_answer_ends_at_the_total_deadline(site, name, speak):
    site["/"] = speak
    begun = time.monotonic()
    with pytest.raises(FetchFailed, match=r"0\.5 seconds|no answer in time") as caught:
        bounded(site, seconds=0.5).get(site.url())
    assert time.monotonic() - begun < 2  # 0.5 and a little; far more on a busy machine
    assert caught.value.retry
    assert caught.value.kind is Kind.UNREACHABLE


def test_a_slow_answer_within_the_deadline_is_whole(site):
    site["/"] = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", *[b"x"] * 9, pause=0.02)
    assert bounded(site, seconds=5).get(site.url()).body == b"x" * 9


packed = gzip.compress(b"hello" * 1000)


@pytest.mark.parametrize(
    ("fault", "answer", "words"),
    [
        (
            "cut gzip",
            (200, {"Content-Encoding": "gzip"}, packed[:-9]),
            "cut compression",
        ),
        (
            "wrong checksum",
            (200, {"Content-Encoding": "gzip"}, packed[:-8] + b"0000" + packed[-4:]),
            "incorrect data check",
        ),
        (
            "wrong length in the trailer",
            (200, {"Content-Encoding": "gzip"}, packed[:-4] + b"0000"),
            "incorrect length check",
        ),
        (
            "fewer bytes than announced",
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"),
            "IncompleteRead",
        ),
        (
            "cut chunks",
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"),
            "IncompleteRead",
        ),
        (
            "chunks that do not end",
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
            "ended prematurely",
        ),
        (
            "cut headers",
            raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"),
            "ends within its headers",
        ),
        (
            "reset in the body",
            reset(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"),
            "connection reset",
        ),
        (
            "no headers",
            raw(b""),
            "connection reset",
        ),
    ],
)
def test_an_incomplete_answer_is_noticed_and_worth_another_try(site, fetcher, fault, answer, words):
    site["/"] = answer
    with pytest.raises(FetchFailed, match=words) as caught:
        fetcher.get(site.url())
    assert caught.value.retry
    assert caught.value.kind is (Kind.UNREACHABLE if fault == "no headers" else Kind.BROKEN)


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("negative length", raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")),
        ("no http at all", raw(b"SSH-2.0-OpenSSH_9\r\n\r\n")),
        ("a hundred and one headers", raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n")),
        ("one endless header", raw(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 300_000 + b"\r\n\r\n")),
        (
            "ten megabytes of headers",
            raw(b"HTTP/1.1 200 OK\r\n", *[b"A: " + b"x" * 9_990 + b"\r\n"] * 1_000, b"\r\n"),
        ),
        (
            "a cookie bomb",
            raw(
                b"HTTP/1.1 200 OK\r\n", *[b"Set-Cookie: a=" + b"x" * 4_000 + b"\r\n"] * 90, b"\r\n"
            ),
        ),
        (
            "interim answers without end",
            raw(*[b"HTTP/1.1 100 Continue\r\n" + b"A: b\r\n" * 90 + b"\r\n"] * 900),
        ),
        ("folds without end", raw(b"HTTP/1.1 200 OK\r\nA: b\r\n" + b" x\r\n" * 60_000 + b"\r\n")),
        ("a NUL in a header", raw(b"HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n")),
        ("a bare carriage return", raw(b"HTTP/1.1 200 OK\r\nA: b\rContent-Length: 9\r\n\r\nx")),
        ("a length in words", raw(b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\nhello")),
        (
            "a length of many digits",
            raw(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\nhello"),
        ),
        (
            "a transfer coding unheard of",
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("http/2 in the clear", raw(b"HTTP/2.0 200 OK\r\n\r\n")),
        ("no such chunk size", raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n")),
        (
            "an endless chunk size",
            raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000 + b"\r\n"),
        ),
        ("codings upon codings", (200, {"Content-Encoding": ", ".join(["gzip"] * 50)}, b"x")),
        ("an unknown coding", (200, {"Content-Encoding": "zstd"}, b"x")),
        ("two lengths", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx")),
    ],
)
def test_a_malformed_answer_has_a_named_reason(site, fetcher, fault, answer):
    site["/"] = answer
    with pytest.raises(FetchFailed) as caught:
        fetcher.get(site.url())
    assert caught.value.reason
    assert caught.value.reason.isprintable()
    assert "<" not in caught.value.reason, "no object's repr"
    assert caught.value.kind in (Kind.BROKEN, Kind.TOO_LARGE)


def test_chunks_are_undone(site, fetcher):
    site["/"] = raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"
    )
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
    site["/"] = raw(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    )
    answer = fetcher.get(site.url())
    assert (answer.status, answer.body, answer.header("Link")) == (200, b"ok", "")


def test_headers_are_read_as_browsers_read_them(site, fetcher):
    site["/"] = raw(
        b"HTTP/1.1 200 All is well\nX-Twice: a\nx-twice:b\r\n"
        b"X-Folded: one\r\n two\r\nno colon\r\nin valid: x\r\nX-Latin: caf\xe9\r\n"
        b"Content-Length: 2, 2\r\n\r\nok and more"
    )
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
def test_an_answer_that_cannot_have_a_body_is_not_waited_for(site, status):
    def speak(handler):
        handler.wfile.write(b"HTTP/1.1 " + status + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        handler.rfile.readline()

    site["/"] = speak
    with contextlib.closing(bounded(site, seconds=3)) as fetcher:
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
    site["/"] = raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: " + content_type.encode() + b"\r\n"
        b"Content-Length: " + (b"2" if page else b"999") + b"\r\n\r\nok"
    )
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


# ---------------------------------------------------------------- saving to a file


def test_a_large_file_is_saved_as_it_comes(site, tmp_path):
    site["/data.zip"] = (200, {"Content-Type": "application/zip"}, ZEROS[:3_000_000])
    answer = bounded(site, max_bytes=1_000).save(
        site.url("/data.zip"), tmp_path / "data.zip", max_bytes=5_000_000
    )
    assert (tmp_path / "data.zip").read_bytes() == ZEROS[:3_000_000]
    assert (answer.status, answer.wire, answer.body) == (200, b"", b"")
    assert site.headers[0]["Accept-Encoding"] == "identity"
    assert list(tmp_path.iterdir()) == [tmp_path / "data.zip"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"), "IncompleteRead"),
        ((200, {}, ZEROS[:2_000_000]), "2,000,000 bytes announced"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n", ZEROS[:2_000_000]), "more than 1,000,000 bytes"),
    ],
)
def test_a_file_that_does_not_come_whole_leaves_the_old_one_alone(
    site, fetcher, tmp_path, answer, words
):
    (tmp_path / "data").write_bytes(b"old")
    site["/"] = answer
    with pytest.raises(FetchFailed, match=words):
        fetcher.save(site.url(), tmp_path / "data", max_bytes=1_000_000)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_an_error_instead_of_a_file_is_an_answer_without_a_file(site, fetcher, tmp_path):
    answer = fetcher.save(site.url("/none"), tmp_path / "data", max_bytes=1_000)
    assert (answer.status, answer.body) == (404, b"nothing here")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_no_fault_of_the_site(site, fetcher, tmp_path):
    site["/"] = "x"
    with pytest.raises(Partial, match=r"data\.part cannot be written"):
        fetcher.save(site.url(), tmp_path / "none" / "data", max_bytes=1_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_fault_of_the_site(site, fetcher, tmp_path):
    site["/"] = (200, {}, ZEROS[:1_000_000])
    (tmp_path / "data.part").symlink_to("/dev/full")
    with pytest.raises(Partial, match="No space left"):
        fetcher.save(site.url(), tmp_path / "data", max_bytes=2_000_000)
    assert list(tmp_path.iterdir()) == []
