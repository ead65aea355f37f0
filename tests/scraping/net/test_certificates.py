"""Over TLS: the name is verified, and a server that cannot prove it gets no request."""

from __future__ import annotations

import socket
import time

import pytest

from scraping.errors import FetchFailed
from scraping.net.fetch import Fetcher
from scraping.outcomes import Kind


def test_the_name_is_verified_although_the_address_is_pinned(secure, authority, monkeypatch, names):
    server = secure("birds.example")
    names({"birds.example": ["127.0.0.1"]})
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
    secure, authority, monkeypatch, fault, identity, settings, trusted, words, names
):
    from datetime import UTC, datetime

    if settings:
        settings = {"not_before": datetime(2019, 1, 1, tzinfo=UTC),
                    "not_after": datetime(2020, 1, 1, tzinfo=UTC)}  # fmt: skip
    server = secure(identity, **settings)
    names({"birds.example": ["127.0.0.1"]})
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
