"""Proxies from the environment: used, bounded, and never asked for a private address."""

from __future__ import annotations

import select
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from scraping.errors import FetchFailed, Misuse, Refused
from scraping.net.fetch import Fetcher


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


class Tunnel(BaseHTTPRequestHandler):
    """A proxy that joins a client with one fixed port, whatever host it asks for."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format, *args):
        pass

    def do_CONNECT(self):
        self.server.requests.append((self.path, self.headers.get("Proxy-Authorization")))
        if self.server.answer:
            self.wfile.write(self.server.answer)
            self.close_connection = True
            return
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(("127.0.0.1", self.server.beyond)) as beyond:
            pair = {self.connection: beyond, beyond: self.connection}
            while True:
                for one in select.select(list(pair), [], [], 5)[0]:
                    data = one.recv(65_536)
                    if not data:
                        return
                    pair[one].sendall(data)


@pytest.fixture
def tunnel():
    server = Quiet(("127.0.0.1", 0), Tunnel)
    server.requests, server.answer, server.beyond = [], b"", 0
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY"])
def test_a_proxy_from_the_environment_is_used_but_not_for_private_starts(
    site, other_site, monkeypatch, variable
):
    monkeypatch.setenv(variable, other_site.url())
    site["/"] = "direct"
    fetcher = Fetcher("x", allowed=[("127.0.0.1", site.port)])
    assert fetcher.get(site.url()).body == b"direct"
    other_site["http://no-such-host.invalid/a?b=c"] = "through the proxy"
    answer = fetcher.get("http://no-such-host.invalid/a?b=c")
    assert answer.body == b"through the proxy"
    assert other_site.headers[-1]["Host"] == "no-such-host.invalid"


def test_the_practice_site_is_never_asked_through_a_proxy(other_site, monkeypatch):
    monkeypatch.setenv("http_proxy", other_site.url())
    assert Fetcher("x").get("http://sandbox/").status == 200
    assert other_site.requests == []


def test_a_proxy_is_not_asked_for_a_private_address(site, other_site, monkeypatch):
    monkeypatch.setenv("http_proxy", other_site.url())
    for host in ("127.0.0.1", "127.0.0.1.", "2130706433", "localhost."):
        with pytest.raises(Refused, match="private address"):
            Fetcher("x").get(f"http://{host}:{site.port}/")
    assert other_site.requests == site.requests == []


def test_hosts_named_in_no_proxy_are_asked_directly(site, other_site, monkeypatch, names):
    monkeypatch.setenv("HTTP_PROXY", other_site.url())
    monkeypatch.setenv("NO_PROXY", "direct.example")
    names({"direct.example": ["127.0.0.1"], "other.example": ["93.184.216.34"]})
    with pytest.raises(Refused, match="private address"):  # so it is we who resolved it
        Fetcher("x").get(f"http://direct.example:{site.port}/")
    other_site["http://other.example/"] = "through the proxy"
    assert Fetcher("x").get("http://other.example/").body == b"through the proxy"


def test_a_secure_page_is_had_through_a_tunnel_and_still_verified(
    secure, authority, tunnel, monkeypatch, names
):
    server = secure("birds.example")
    tunnel.beyond = server.server_port
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:my-password@127.0.0.1:{tunnel.server_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority[1])
    names({"birds.example": ["93.184.216.34"], "cats.example": ["93.184.216.34"]})
    fetcher = Fetcher("x", seconds=5)
    answer = fetcher.get("https://birds.example/finch")
    assert answer.body == b"secure"
    assert server.requests == [("/finch", "birds.example")]
    assert tunnel.requests == [("birds.example:443", "Basic bWU6bXktcGFzc3dvcmQ=")]
    assert not any("proxy" in name.lower() for name, _ in answer.sent)
    with pytest.raises(FetchFailed, match="Hostname mismatch"):
        fetcher.get("https://cats.example/")
    fetcher.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407 Proxy Authentication"),
        (b"nonsense\r\n\r\n", "nonsense"),
    ],
)
def test_a_tunnel_that_is_refused_is_a_named_reason(tunnel, monkeypatch, answer, words, names):
    tunnel.answer = answer
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{tunnel.server_port}")
    names({"birds.example": ["93.184.216.34"]})
    with pytest.raises(FetchFailed, match=words):
        Fetcher("x", seconds=5).get("https://birds.example/")


def test_a_proxy_that_drips_is_cut_by_the_deadline(monkeypatch, names):
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip():
            with suppress(OSError):
                connection, _ = listener.accept()
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.05):
                    connection.sendall(b"A: b\r\n")

        threading.Thread(target=drip, daemon=True).start()
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
        names({"birds.example": ["93.184.216.34"]})
        begun = time.monotonic()
        with pytest.raises(FetchFailed, match=r"0\.4 seconds"):
            Fetcher("x", seconds=0.4).get("https://birds.example/")
        stop.set()
    assert time.monotonic() - begun < 2


def test_a_proxy_that_is_not_there_is_named(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
    with pytest.raises(FetchFailed, match="connection refused"):
        Fetcher("x").get("http://no-such-host.invalid/")


def test_a_socks_proxy_is_not_passed_by(site, monkeypatch):
    monkeypatch.setenv("http_proxy", f"socks5h://127.0.0.1:{site.port}")
    with pytest.raises(Misuse, match="SOCKS") as caught:
        Fetcher("x").get("http://no-such-host.invalid/")
    assert caught.value.exit_code == 2
    assert site.requests == []
