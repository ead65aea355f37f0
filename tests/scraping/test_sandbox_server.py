"""The practice site's server: how it answers, what it never serves, and how it starts and ends."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from lxml import html

from scraping import sandbox
from scraping.sandbox import museum, router, server

from .visiting import Visitor, links


def test_a_visitor_who_has_the_page_gets_304_and_no_body(visitor: Visitor) -> None:
    for address in ("/museum/tabler/", "/museum/media/tabler/bell.png"):
        first, _ = visitor.get(address)
        for condition in (
            {"If_None_Match": first.headers["ETag"]},
            {"If_None_Match": f'"other", {first.headers["ETag"]}'},
            {"If_Modified_Since": first.headers["Last-Modified"]},
        ):
            again, body = visitor.get(address, **condition)
            assert (again.status, body) == (304, b"")
            assert again.headers["ETag"] == first.headers["ETag"]


def test_a_visitor_with_another_copy_gets_the_page_whatever_its_date(visitor: Visitor) -> None:
    today = "Mon, 23 Nov 2026 00:00:00 GMT"
    for condition in (
        {"If_None_Match": '"other"', "If_Modified_Since": today},
        {"If_Modified_Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
    ):
        assert visitor.get("/museum/tabler/", **condition)[0].status == 200


def test_html_is_sent_as_gzip_only_to_those_who_ask(visitor: Visitor) -> None:
    plain, page = visitor.get("/museum/")
    assert "Content-Encoding" not in plain.headers
    for accepted in ("gzip", "br;q=1.0, gzip;q=0.8"):
        zipped, body = visitor.get("/museum/", Accept_Encoding=accepted)
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(body) == page
    refused, _ = visitor.get("/museum/", Accept_Encoding="br, gzip;q=0")
    assert "Content-Encoding" not in refused.headers
    picture, _ = visitor.get("/museum/media/tabler/bell.png", Accept_Encoding="gzip")
    assert "Content-Encoding" not in picture.headers


def test_head_gives_the_headers_of_get_and_no_body(visitor: Visitor) -> None:
    got, page = visitor.get("/museum/tabler/")
    head, body = visitor.get("/museum/tabler/", method="HEAD")
    assert (head.status, body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(page))
    assert head.headers["ETag"] == got.headers["ETag"]


@pytest.mark.parametrize(
    "address",
    [
        "/../../../../etc/passwd",
        "/museum/../../museum.zip",
        "/museum/%2e%2e/%2e%2e/museum.zip",
        "/museum/media/../museum.json",
        "/museum/media/tabler/..%2f..%2fmuseum.json",
        "/museum/media/tabler/bell.png%00.html",
        "/museum/media//etc/passwd",
        "/museum.zip",
        "/museum/museum.json",
        "/server.py",
        "http://[::1/museum/",
        "/%ff%fe",
        "/museum/tabler/nothing.html",
        "/museum/media/tabler/",
    ],
)
def test_nothing_outside_the_pack_is_served(visitor: Visitor, address: str) -> None:
    answer, body = visitor.get(address)
    assert answer.status == 404
    assert b"root:" not in body


def test_the_page_for_what_is_not_there_has_links_that_work(visitor: Visitor) -> None:
    at = "/deep/down/nowhere"
    page = html.fromstring(visitor.get(at)[1].decode())
    for to in links(page, "a", at):
        assert visitor.get(to)[0].status == 200, to


def test_two_threads_get_one_server() -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: sandbox.port(), range(32)))) == 1


def test_answers_on_one_connection_come_without_stalls(visitor: Visitor) -> None:
    visitor.get("/museum/tabler/")
    took = []
    for _ in range(20):
        began = time.perf_counter()
        visitor.get("/museum/tabler/bell.html")
        took.append(time.perf_counter() - began)
    # A delayed acknowledgement costs 40 ms; the median is deaf to a busy machine.
    assert sorted(took)[10] < 0.03


def test_a_page_costs_at_most_a_millisecond_to_make() -> None:
    addresses = [f"/museum/{key}.html" for key in list(museum.museum().icons)[:500]]
    began = time.process_time()
    for address in addresses:
        assert router.respond(address, {}, host="sandbox").status == 200
    assert (time.process_time() - began) / len(addresses) < 0.001


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_starts_its_own_server() -> None:
    code = """
import http.client, os, sys
from scraping.sandbox import port
mine = port()
child = os.fork()
if child == 0:
    own = port()
    connection = http.client.HTTPConnection("127.0.0.1", own, timeout=10)
    connection.request("GET", "/museum/")
    os._exit(0 if own != mine and connection.getresponse().status == 200 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_server_writes_nothing_to_the_terminal(visitor: Visitor, capfd) -> None:
    visitor.get("/museum/")
    visitor.get("/nowhere")
    with socket.create_connection(("127.0.0.1", sandbox.port())) as rude:
        rude.sendall(b"NONSENSE\r\n\r\n")
        rude.recv(1000)
    with contextlib.closing(Visitor(sandbox.port())) as other:
        assert other.get("/", method="POST")[0].status == 501
    assert capfd.readouterr() == ("", "")


def test_a_wing_that_fails_gives_an_answer_and_not_silence(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    wing = dataclasses.replace(museum.WING, respond=broken)
    monkeypatch.setattr(router, "WINGS", (wing,))
    assert visitor.get("/museum/")[0].status == 500


@pytest.mark.skipif(os.name != "posix", reason="needs a signal like Ctrl-C")
def test_serve_tells_its_address_and_answers_until_interrupted() -> None:
    code = """
from scraping.sandbox import serve
serve(0, lambda address: print(address, flush=True))
print("closed")
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        address = urlsplit(running.stdout.readline().strip())
        assert address.port
        with contextlib.closing(Visitor(address.port)) as guest:
            assert guest.get("/")[0].status == 200
        running.send_signal(signal.SIGINT)
        assert running.communicate(timeout=10) == ("closed\n", "")


def test_a_taken_port_is_named_and_has_its_own_exit_code() -> None:
    with socket.socket() as taken:
        taken.bind((server.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(sandbox.PortTaken, match=f"Port {port} on 127.0.0.1") as error:
            sandbox.serve(port)
    assert error.value.exit_code == 75
    assert isinstance(error.value, OSError)
