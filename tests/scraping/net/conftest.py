"""What the tests of this folder share: fetchers, names that mean what they should, TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from scraping.net.fetch import Fetcher


@pytest.fixture
def bounded(site):
    """Make fetchers that may ask the site, with these bounds."""
    made = []

    def make(**bounds):
        made.append(Fetcher("Folio/test", allowed=[("127.0.0.1", site.port)], **bounds))
        return made[-1]

    yield make
    for fetcher in made:
        fetcher.close()


@pytest.fixture
def fetcher(bounded):
    return bounded()


@pytest.fixture
def names(monkeypatch):
    """Let some names mean what a table says: a list of addresses, or a function that gives one."""

    def mean(table):
        asked = []
        genuine = socket.getaddrinfo

        def lookup(host, port, *more, **settings):
            if host not in table:
                return genuine(host, port, *more, **settings)
            asked.append(host)
            found = table[host]() if callable(table[host]) else table[host]
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found
            ]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        return asked

    return mean


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate authority, and the file by which a client comes to trust it."""
    authority = trustme.CA()
    path = tmp_path_factory.mktemp("tls") / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return authority, str(path)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests.append((self.path, self.headers["Host"]))
        self.send_response(200)
        self.send_header("Content-Length", "6")
        self.end_headers()
        self.wfile.write(b"secure")

    def log_message(self, format, *args):
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass


@pytest.fixture
def secure(authority):
    """Serve over TLS with a certificate for these names; gives port, requests and SNI seen."""
    servers = []

    def serve(*identities, **settings):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority[0].issue_cert(*identities, **settings).configure_cert(context)
        server = Quiet(("127.0.0.1", 0), Handler)
        server.requests, server.sni = [], []
        context.sni_callback = lambda connection, name, _: server.sni.append(name)
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        servers.append(server)
        return server

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()
