"""One request against servers that break every bound."""

from __future__ import annotations

import gzip
import time
import tracemalloc
import zlib

import brotli
import pytest

from scraping.errors import FetchFailed, Refused
from scraping.fetch import Fetcher, follow, is_private


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


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate"])
def test_a_compression_bomb_is_refused_before_it_fills_the_memory(site, coding):
    zeros = bytes(200_000_000)
    pack = {"gzip": gzip.compress, "br": lambda b: brotli.compress(b, quality=1),
            "deflate": zlib.compress}[coding]  # fmt: skip
    site["/"] = (200, {"Content-Encoding": coding}, pack(zeros))
    del zeros
    tracemalloc.start()
    with pytest.raises(FetchFailed, match="once its"):
        bounded(site, max_bytes=5_000_000).get(site.url())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


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
    assert time.monotonic() - begun < 0.5 * 1.2 + 0.3
    assert caught.value.retry


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


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("negative length", raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")),
        ("no http at all", raw(b"SSH-2.0-OpenSSH_9\r\n\r\n")),
        ("a hundred and one headers", raw(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n")),
        ("one endless header", raw(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\n")),
        ("an unknown coding", (200, {"Content-Encoding": "zstd"}, b"x")),
        ("two lengths", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx")),
    ],
)
def test_a_malformed_answer_has_a_named_reason(site, fetcher, fault, answer):
    site["/"] = answer
    with pytest.raises(FetchFailed) as caught:
        fetcher.get(site.url())
    assert caught.value.reason
    assert "<" not in caught.value.reason, "no object's repr"


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


@pytest.mark.parametrize("location", ["http://[::1", "file:///etc/passwd", "data:text/html,x"])
def test_a_redirect_to_no_web_address_is_refused(site, fetcher, location):
    site["/"] = (302, {"Location": location}, b"")
    with pytest.raises(Refused):
        follow(site.url(), fetcher.get)


def test_a_redirect_to_a_private_address_is_refused_with_no_request_sent(site, other_site, fetcher):
    site["/"] = (302, {"Location": other_site.url()}, b"")
    with pytest.raises(Refused, match=r"127\.0\.0\.1 is the private address") as caught:
        follow(site.url(), fetcher.get)
    assert caught.value.exit_code == 4
    assert other_site.requests == []


def test_redirects_without_end_are_named(site, fetcher):
    for number in range(20):
        site[f"/{number}"] = (302, {"Location": f"/{number + 1}"}, b"")
    with pytest.raises(FetchFailed, match="more than 10 redirects"):
        follow(site.url("/0"), fetcher.get)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "0177.0.0.1", "[::ffff:127.0.0.1]"])
def test_every_spelling_of_loopback_is_seen_through(other_site, host):
    with pytest.raises(Refused, match="private address"):
        Fetcher("x").get(f"http://{host}:{other_site.port}/")
    assert other_site.requests == []


def test_a_name_that_changes_between_check_and_use_gains_nothing(other_site, monkeypatch):
    import socket

    answers = iter(["93.184.216.34", "127.0.0.1"])
    asked = []

    def lookup(host, port, *_, **__):
        if host == "rebinding.example":
            asked.append(host)
            host = next(answers)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    with pytest.raises(FetchFailed):
        Fetcher("x", seconds=0.3).get(f"http://rebinding.example:{other_site.port}/")
    assert len(asked) == 1
    assert other_site.requests == []


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("8.8.8.8", False),
        ("2606:4700::1111", False),
        ("10.0.0.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("0.0.0.0", True),
        ("224.0.0.1", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fd00::1", True),
        ("::ffff:192.168.0.1", True),
        ("64:ff9b::7f00:1", True),
        ("64:ff9b::808:808", False),
        ("2002:7f00:1::", True),
    ],
)
def test_private_addresses_are_known_in_every_wrapping(address, private):
    assert is_private(address) is private


def test_a_proxy_from_the_environment_is_used_but_not_for_private_starts(
    site, other_site, monkeypatch
):
    monkeypatch.setenv("http_proxy", other_site.url())
    monkeypatch.delenv("no_proxy", raising=False)
    site["/"] = "direct"
    assert bounded(site).get(site.url()).body == b"direct"
    other_site["http://no-such-host.invalid/"] = "through the proxy"
    answer = Fetcher("x").get("http://no-such-host.invalid/")
    assert answer.body == b"through the proxy"
    with pytest.raises(Refused):
        Fetcher("x").get(f"http://127.0.0.1:{site.port}/")
