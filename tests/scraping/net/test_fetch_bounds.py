"""One request against servers that break every bound."""

from __future__ import annotations

import gzip
import socket
import struct
import subprocess
import sys
import time
import zlib

import brotli
import pytest

from scraping.errors import FetchFailed
from scraping.outcomes import Kind

DROPS = [b"x"] * 99


def dripped(*pieces: bytes, pause: float):
    """An answer written byte for byte as it stands, with a pause after each piece."""

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


def test_a_body_announced_beyond_the_cap_is_not_read(site, bounded):
    site["/"] = [b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", b"x"]
    with pytest.raises(FetchFailed, match="999,999,999 bytes announced; the limit is 1,000"):
        bounded(max_bytes=1_000).get(site.url())


def test_an_endless_body_is_cut_at_the_cap(site, bounded):
    def endless(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            handler.wfile.write(b"x" * 65_536)

    site["/"] = endless
    with pytest.raises(FetchFailed, match="more than 1,000,000 bytes") as caught:
        bounded(max_bytes=1_000_000).get(site.url())
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
        (
            "body",
            dripped(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", *DROPS, pause=0.05),
        ),
        ("body without length", dripped(b"HTTP/1.1 200 OK\r\n\r\n", *DROPS, pause=0.05)),
        ("headers", dripped(b"HTTP/1.1 200 OK\r\nX-Drip: ", *DROPS, pause=0.05)),
        ("nothing", lambda handler: time.sleep(2)),
    ],
)
def test_a_dripping_or_silent_answer_ends_at_the_total_deadline(site, bounded, name, speak):
    site["/"] = speak
    begun = time.monotonic()
    with pytest.raises(FetchFailed, match=r"0\.5 seconds|no answer in time") as caught:
        bounded(seconds=0.5).get(site.url())
    assert time.monotonic() - begun < 2  # 0.5 and a little; far more on a busy machine
    assert caught.value.retry
    assert caught.value.kind is Kind.UNREACHABLE


def test_a_slow_answer_within_the_deadline_is_whole(site, bounded):
    site["/"] = dripped(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", *[b"x"] * 9, pause=0.02)
    assert bounded(seconds=5).get(site.url()).body == b"x" * 9


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
            [b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"],
            "IncompleteRead",
        ),
        (
            "cut chunks",
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel"],
            "IncompleteRead",
        ),
        (
            "chunks that do not end",
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
            "ended prematurely",
        ),
        (
            "cut headers",
            [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"],
            "ends within its headers",
        ),
        (
            "reset in the body",
            reset(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"),
            "connection reset",
        ),
        (
            "no headers",
            [b""],
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
        ("negative length", [b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello"]),
        ("no http at all", [b"SSH-2.0-OpenSSH_9\r\n\r\n"]),
        ("a hundred and one headers", [b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 101 + b"\r\n"]),
        ("one endless header", [b"HTTP/1.1 200 OK\r\nA: " + b"x" * 300_000 + b"\r\n\r\n"]),
        (
            "ten megabytes of headers",
            [b"HTTP/1.1 200 OK\r\n", *[b"A: " + b"x" * 9_990 + b"\r\n"] * 1_000, b"\r\n"],
        ),
        (
            "a cookie bomb",
            [b"HTTP/1.1 200 OK\r\n", *[b"Set-Cookie: a=" + b"x" * 4_000 + b"\r\n"] * 90, b"\r\n"],
        ),
        (
            "interim answers without end",
            [*[b"HTTP/1.1 100 Continue\r\n" + b"A: b\r\n" * 90 + b"\r\n"] * 900],
        ),
        ("folds without end", [b"HTTP/1.1 200 OK\r\nA: b\r\n" + b" x\r\n" * 60_000 + b"\r\n"]),
        ("a NUL in a header", [b"HTTP/1.1 200 OK\r\nA: b\0c\r\nContent-Length: 0\r\n\r\n"]),
        ("a bare carriage return", [b"HTTP/1.1 200 OK\r\nA: b\rContent-Length: 9\r\n\r\nx"]),
        ("a length in words", [b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\nhello"]),
        (
            "a length of many digits",
            [b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\nhello"],
        ),
        (
            "a transfer coding unheard of",
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
        ),
        ("http/2 in the clear", [b"HTTP/2.0 200 OK\r\n\r\n"]),
        ("no such chunk size", [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]),
        (
            "an endless chunk size",
            [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000 + b"\r\n"],
        ),
        ("codings upon codings", (200, {"Content-Encoding": ", ".join(["gzip"] * 50)}, b"x")),
        ("an unknown coding", (200, {"Content-Encoding": "zstd"}, b"x")),
        ("two lengths", [b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"]),
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
