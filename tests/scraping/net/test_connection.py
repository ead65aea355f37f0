"""Whom a connection talks to: addresses in every spelling, names, certificates, proxies."""

from __future__ import annotations

import http.client
import io
import ipaddress
import select
import socket
import ssl
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import FetchFailed, Refused
from scraping.net.connection import HEADER_LINES, BadAnswer, Guard, _read_headers, is_private
from scraping.net.fetch import Fetcher, follow
from scraping.outcomes import Kind

# ---------------------------------------------------------------- addresses


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
        ("255.255.255.255", True),
        ("::", True),
        ("::1", True),
        ("fe80::1%eth0", True),
        ("fec0::1", True),
        ("fd00::1", True),
        ("ff02::1", True),
        ("::ffff:192.168.0.1", True),
        ("::127.0.0.1", True),
        ("64:ff9b::7f00:1", True),
        ("64:ff9b::808:808", False),
        ("64:ff9b:1::808:808", True),
        ("2002:7f00:1::", True),
        ("2002:808:808::", False),
        ("2001:0:7f00:1::", True),
        ("4000::1", True),
    ],
)
def test_private_addresses_are_known_in_every_wrapping(address, private):
    assert is_private(address) is private


@given(st.ip_addresses(v=4))
def test_an_address_is_as_private_as_ipaddress_says_in_every_ipv6_clothing(address):
    private = not address.is_global or address.is_multicast
    number = int(address)
    clothes = [0xFFFF << 32, 0x64FF9B << 96, 0]
    assert is_private(str(address)) is private
    for prefix in clothes:
        assert is_private(str(ipaddress.IPv6Address(prefix | number))) is private
    assert is_private(str(ipaddress.IPv6Address(0x2002 << 112 | number << 80))) is private


@given(st.ip_addresses(v=6))
def test_no_address_that_ipaddress_calls_private_passes(address):
    if not address.is_global or address.is_multicast or address.is_site_local:
        assert is_private(str(address))


def number_forms(number: int) -> list[str]:
    """An IPv4 address in the spellings that the system's inet_aton takes."""
    a, b, c, d = number.to_bytes(4, "big")
    return [
        f"{a}.{b}.{c}.{d}",
        str(number),
        hex(number),
        f"0{number:o}",
        f"{a}.{number & 0xFFFFFF}",
        f"{a}.{b}.{number & 0xFFFF}",
        f"{a:#x}.{b:#x}.{c:#x}.{d:#x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"{a:#x}.0{b:o}.{number & 0xFFFF}",
    ]


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=4, network="127.0.0.0/8")))
def test_every_spelling_of_a_number_is_judged_as_the_system_reads_it(address):
    guard = Guard([])
    for form in number_forms(int(address)):
        assert socket.inet_aton(form) == address.packed
        if is_private(str(address)):
            with pytest.raises(Refused) as caught:
                guard.check(form, 80)
            assert caught.value.kind is Kind.PRIVATE
        else:
            assert guard.check(form, 80) == [(str(address), 80)]


@pytest.mark.parametrize(
    "host",
    [
        *number_forms(0x7F000001),
        "127.1",
        "0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "169.254.169.254",
    ],
)
def test_no_request_reaches_this_computer_under_any_name(other_site, host):
    fetcher = Fetcher("x")
    with pytest.raises(Refused, match="private address") as caught:
        fetcher.get(f"http://{host}:{other_site.port}/latest/meta-data/")
    assert caught.value.kind is Kind.PRIVATE
    assert other_site.requests == []


def test_a_redirect_to_a_private_address_is_refused_with_no_request_sent(site, other_site):
    site["/"] = (302, {"Location": other_site.url()}, b"")
    fetcher = Fetcher("x", allowed=[("127.0.0.1", site.port)])
    with pytest.raises(Refused, match=r"127\.0\.0\.1 is the private address") as caught:
        follow(site.url(), fetcher.get)
    assert caught.value.exit_code == 4
    assert other_site.requests == []


def test_a_page_that_wishes_to_move_on_by_itself_is_not_followed(site, other_site):
    site["/"] = f'<meta http-equiv=refresh content="0; url={other_site.url()}">'
    fetcher = Fetcher("x", allowed=[("127.0.0.1", site.port)])
    assert follow(site.url(), fetcher.get).url == site.url()
    assert other_site.requests == []


# ---------------------------------------------------------------- names


def names(monkeypatch, table):
    """Let some names mean what `table` says: a list of addresses, or a function that gives one."""
    asked = []
    genuine = socket.getaddrinfo

    def lookup(host, port, *more, **settings):
        if host not in table:
            return genuine(host, port, *more, **settings)
        asked.append(host)
        found = table[host]() if callable(table[host]) else table[host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return asked


def test_a_name_that_changes_between_check_and_use_gains_nothing(other_site, monkeypatch):
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    asked = names(monkeypatch, {"rebinding.example": lambda: next(answers)})
    with pytest.raises(FetchFailed):
        Fetcher("x", seconds=0.3).get(f"http://rebinding.example:{other_site.port}/")
    assert len(asked) == 1
    assert other_site.requests == []


def test_a_name_with_one_public_and_one_private_address_is_refused(other_site, monkeypatch):
    names(monkeypatch, {"both.example": ["93.184.216.34", "127.0.0.1"]})
    with pytest.raises(Refused, match="private address"):
        Fetcher("x").get(f"http://both.example:{other_site.port}/")
    assert other_site.requests == []


def test_a_second_address_is_tried_when_the_first_does_not_answer(site, monkeypatch):
    names(monkeypatch, {"two.example": ["127.0.0.2", "127.0.0.1"]})
    site["/"] = "here"
    fetcher = Fetcher("x", allowed=[("two.example", site.port)])
    assert fetcher.get(f"http://two.example:{site.port}/").body == b"here"
    assert site.headers[0]["Host"] == f"two.example:{site.port}"


def test_a_resolver_that_hangs_is_cut_by_the_deadline(monkeypatch):
    release = threading.Event()
    names(monkeypatch, {"slow.example": lambda: release.wait(5) and []})
    begun = time.monotonic()
    with pytest.raises(FetchFailed, match=r"slow\.example was not resolved") as caught:
        Fetcher("x", seconds=0.3).get("http://slow.example/")
    release.set()
    assert time.monotonic() - begun < 2
    assert caught.value.retry
    assert caught.value.kind is Kind.UNREACHABLE


def test_a_host_that_does_not_exist_is_named():
    with pytest.raises(FetchFailed, match=r"no such host: nowhere\.invalid") as caught:
        Fetcher("x").get("http://nowhere.invalid/")
    assert caught.value.kind is Kind.UNREACHABLE


def test_a_closed_port_is_named(site):
    site.close()
    with pytest.raises(FetchFailed, match="connection refused") as caught:
        Fetcher("x", allowed=[("127.0.0.1", site.port)]).get(site.url())
    assert caught.value.kind is Kind.UNREACHABLE


# ---------------------------------------------------------------- certificates


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


def test_the_name_is_verified_although_the_address_is_pinned(secure, authority, monkeypatch):
    server = secure("birds.example")
    names(monkeypatch, {"birds.example": ["127.0.0.1"]})
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority[1])
    fetcher = Fetcher("x", allowed=[("birds.example", server.server_port)])
    answer = fetcher.get(f"https://birds.example:{server.server_port}/finch")
    fetcher.close()
    assert answer.body == b"secure"
    assert server.sni == ["birds.example"]
    assert server.requests == [("/finch", f"birds.example:{server.server_port}")]


@pytest.mark.parametrize(
    ("fault", "identity", "settings", "trusted", "words"),
    [
        ("another name", "cats.example", {}, True, "Hostname mismatch"),
        ("an address for a name", "127.0.0.1", {}, True, "Hostname mismatch"),
        ("unknown authority", "birds.example", {}, False, "unable to get local issuer"),
        ("expired", "birds.example", {"not_after": True}, True, "has expired"),
    ],
)
def test_a_bad_certificate_is_a_named_reason_and_no_request_is_sent(
    secure, authority, monkeypatch, fault, identity, settings, trusted, words
):
    from datetime import UTC, datetime

    if settings:
        settings = {"not_before": datetime(2019, 1, 1, tzinfo=UTC),
                    "not_after": datetime(2020, 1, 1, tzinfo=UTC)}  # fmt: skip
    server = secure(identity, **settings)
    names(monkeypatch, {"birds.example": ["127.0.0.1"]})
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority[1])
    fetcher = Fetcher("x", allowed=[("birds.example", server.server_port)])
    with pytest.raises(FetchFailed, match=f"certificate is not valid.*{words}") as caught:
        fetcher.get(f"https://birds.example:{server.server_port}/")
    assert caught.value.kind is Kind.UNREACHABLE
    assert not caught.value.retry
    assert server.requests == []


def test_a_server_without_tls_is_a_named_reason(site):
    site["/"] = "plain"
    fetcher = Fetcher("x", allowed=[("127.0.0.1", site.port)])
    with pytest.raises(FetchFailed, match="no secure connection") as caught:
        fetcher.get(f"https://127.0.0.1:{site.port}/")
    assert caught.value.kind is Kind.UNREACHABLE


def test_a_handshake_that_never_ends_is_cut_by_the_deadline(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        begun = time.monotonic()
        with pytest.raises(FetchFailed, match=r"0\.3 seconds|in time") as caught:
            Fetcher("x", seconds=0.3, allowed=[("127.0.0.1", port)]).get(
                f"https://127.0.0.1:{port}/"
            )
    assert time.monotonic() - begun < 2
    assert caught.value.kind is Kind.UNREACHABLE


# ---------------------------------------------------------------- headers

names_of_headers = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,15}", fullmatch=True)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))


@given(st.lists(st.tuples(names_of_headers, values.map(lambda value: value.strip()))))
def test_well_formed_headers_are_read_as_http_client_reads_them(pairs):
    pairs = [(name, value) for name, value in pairs if value.strip("\x85\xa0") == value]
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs[:HEADER_LINES])
    wire = lines.encode("latin-1") + b"\r\nbody"
    fields, left = _read_headers(io.BytesIO(wire), 1_000_000)
    assert 1_000_000 - left == len(wire) - len(b"body")
    assert fields == pairs[:HEADER_LINES]
    # Its e-mail parser takes \x85 for the end of a line, as no browser does.
    if not any("\x85" in value for _, value in pairs):
        assert fields == http.client.parse_headers(io.BytesIO(wire)).items()


scraps = st.lists(
    st.sampled_from([b"\r\n", b"\r", b"\n", b"\0", b":", b" ", b"\t", b"A", b"A: b\r\n", b"\xff"])
)


@given(st.one_of(st.binary(max_size=400), scraps.map(b"".join)), st.integers(0, 500))
def test_any_headers_are_read_or_told_to_be_bad(wire, budget):
    with suppress(BadAnswer, http.client.IncompleteRead):
        fields, left = _read_headers(io.BytesIO(wire), budget)
        assert 0 <= left <= budget
        assert not any(set(name + value) & set("\0\r\n") for name, value in fields)
        assert all(name.isascii() and name.isprintable() and " " not in name for name, _ in fields)


# ---------------------------------------------------------------- proxies


class Tunnel(Handler):
    """A proxy that joins a client with one fixed port, whatever host it asks for."""

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
    for host in ("127.0.0.1", "2130706433", "localhost."):
        with pytest.raises(Refused, match="private address"):
            Fetcher("x").get(f"http://{host}:{site.port}/")
    assert other_site.requests == site.requests == []


def test_hosts_named_in_no_proxy_are_asked_directly(site, other_site, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", other_site.url())
    monkeypatch.setenv("NO_PROXY", "direct.example")
    names(monkeypatch, {"direct.example": ["127.0.0.1"], "other.example": ["93.184.216.34"]})
    with pytest.raises(Refused, match="private address"):  # so it is we who resolved it
        Fetcher("x").get(f"http://direct.example:{site.port}/")
    other_site["http://other.example/"] = "through the proxy"
    assert Fetcher("x").get("http://other.example/").body == b"through the proxy"


def test_a_secure_page_is_had_through_a_tunnel_and_still_verified(
    secure, authority, tunnel, monkeypatch
):
    server = secure("birds.example")
    tunnel.beyond = server.server_port
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:my-password@127.0.0.1:{tunnel.server_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", authority[1])
    names(monkeypatch, {"birds.example": ["93.184.216.34"], "cats.example": ["93.184.216.34"]})
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
def test_a_tunnel_that_is_refused_is_a_named_reason(tunnel, monkeypatch, answer, words):
    tunnel.answer = answer
    monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{tunnel.server_port}")
    names(monkeypatch, {"birds.example": ["93.184.216.34"]})
    with pytest.raises(FetchFailed, match=words):
        Fetcher("x", seconds=5).get("https://birds.example/")


def test_a_proxy_that_drips_is_cut_by_the_deadline(monkeypatch):
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
        names(monkeypatch, {"birds.example": ["93.184.216.34"]})
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
