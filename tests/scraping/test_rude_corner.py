"""The rude corner itself: its index, the way to its traps, and a server that outlives them."""

from __future__ import annotations

import http.client
import re
import socket
import threading
import time

import pytest
from lxml import html

from scraping import crawl, sandbox
from scraping.sandbox import rude, server
from scraping.sandbox.rude import trap

pytestmark = pytest.mark.usefixtures("no_pause")

MEGABYTE = 1024**2


def get(address: str, method: str = "GET", host: str = "sandbox", timeout: float = 5):
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port(), timeout=timeout)
    connection.request(method, address, headers={"Host": host})
    answer = connection.getresponse()
    return answer, answer.read(), connection.close()


def test_the_index_lists_every_trap_and_leads_into_none():
    page = html.fromstring(get("/rude/")[1].decode())
    listed = page.cssselect("dl.traps dt a")
    assert [link.text for link in listed] == list(rude.TRAPS)
    assert all(link.get("rel") == "nofollow" for link in listed)
    leads = [link.get("href") for link in page.cssselect("main a")]
    assert all(re.fullmatch("about/[a-z0-9-]+", link) for link in leads)
    assert len(page.cssselect("dl.traps dd")) == len(rude.TRAPS)


@pytest.mark.parametrize("host", ["sandbox", "127.0.0.1:8888"])
def test_the_page_about_a_trap_is_harmless_and_leads_to_it(host):
    for key, each in rude.TRAPS.items():
        answer, body, _ = get(f"/rude/about/{key}", host=host)
        assert answer.status == 200, key
        page = html.fromstring(body.decode())
        (link,) = page.cssselect("a.trap")
        assert link.get("href") == each.address(host)
        assert not page.cssselect("script, iframe, img, [src]")
    address = rude.TRAPS["robots-500"].address
    assert address("sandbox") == "http://robots-500.sandbox/"
    assert address("127.0.0.1:8888") == "http://robots-500.localhost:8888/"


def test_a_trap_on_a_host_of_its_own_is_told_where_it_is_looked_for_first():
    answer, _, _ = get("/rude/robots-500")
    assert (answer.status, answer.headers["Location"]) == (301, "/rude/about/robots-500")


@pytest.mark.parametrize("host", ["no-such-trap.sandbox", "gzip-bomb.sandbox"])
def test_a_host_that_is_no_traps_is_not_taken_for_the_practice_site(host):
    assert get("/", host=host)[0].status == 404


def test_no_way_leads_from_the_museum_into_a_trap(heard, tmp_path):
    for address in ("/museum/", "/museum/tabler/", "/museum/tabler/bell.html", "/museum/subjects/"):
        assert b"rude" not in get(address)[1]
    (card,) = html.fromstring(get("/")[1].decode()).cssselect("a[href='rude/']")
    assert card.get("rel") == "nofollow"
    crawl("http://sandbox/", follow="a[href*='rude'], dl.traps a, a.trap", archive=tmp_path)
    assert not [request for request in heard if "about" in request]


def test_nothing_of_the_corner_is_in_robots_txt_or_in_the_sitemap():
    for address in ("/robots.txt", "/sitemap.xml", "/sitemap-museum.xml"):
        assert b"rude" not in get(address)[1]


@pytest.mark.parametrize("key", ["drip-body", "drip-headers", "silence", "endless-body", "video"])
def test_the_server_itself_ends_what_has_gone_on_for_too_long(key, monkeypatch):
    monkeypatch.setattr(trap, "LONGEST", 0.3)
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", sandbox.port()), timeout=5) as visitor:
        visitor.sendall(f"GET /rude/{key} HTTP/1.1\r\nHost: sandbox\r\n\r\n".encode())
        while visitor.recv(MEGABYTE):
            pass
    assert time.monotonic() - begun < 5


def test_the_server_itself_ends_what_has_grown_too_large(monkeypatch):
    monkeypatch.setattr(trap, "MOST_BYTES", MEGABYTE)
    assert len(get("/rude/endless-body")[1]) <= MEGABYTE


def test_a_visitor_who_hangs_up_is_not_waited_for():
    port, before = sandbox.port(), threading.active_count()
    with socket.create_connection(("127.0.0.1", port)) as visitor:
        visitor.sendall(b"GET /rude/silence HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        time.sleep(0.1)
    limit = time.monotonic() + 5
    while threading.active_count() > before and time.monotonic() < limit:
        time.sleep(0.01)
    assert threading.active_count() <= before


def test_a_full_corner_turns_visitors_away_and_leaves_the_rest_of_the_site_alone(monkeypatch):
    port = sandbox.port()
    monkeypatch.setattr(server._server, "room", threading.BoundedSemaphore(1))
    with socket.create_connection(("127.0.0.1", port)) as visitor:
        visitor.sendall(b"GET /rude/silence HTTP/1.1\r\nHost: sandbox\r\n\r\n")
        limit = time.monotonic() + 5
        while (answer := get("/rude/calendar")[0]).status == 200 and time.monotonic() < limit:
            time.sleep(0.01)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert get("/museum/")[0].status == 200
        assert get("/rude/")[0].status == 200


def test_a_trap_is_not_sprung_by_asking_for_headers_alone():
    answer, _, _ = get("/rude/silence", method="HEAD")
    assert (answer.status, answer.headers["Location"]) == (301, "/rude/about/silence")
