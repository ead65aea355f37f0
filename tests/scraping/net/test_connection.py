"""Whom a connection talks to: addresses in every spelling, names, certificates, proxies."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import FetchFailed, Refused
from scraping.net.connection import Guard, is_private
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
    # Older versions of Python call all that leads to IPv4 private (6to4).
    if address.sixtofour is None and (
        not address.is_global or address.is_multicast or address.is_site_local
    ):
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
        "127.0.0.1.",
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


def test_a_name_that_changes_between_check_and_use_gains_nothing(other_site, names):
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    asked = names({"rebinding.example": lambda: next(answers)})
    with pytest.raises(FetchFailed):
        Fetcher("x", seconds=0.3).get(f"http://rebinding.example:{other_site.port}/")
    assert len(asked) == 1
    assert other_site.requests == []


def test_a_name_with_one_public_and_one_private_address_is_refused(other_site, names):
    names({"both.example": ["93.184.216.34", "127.0.0.1"]})
    with pytest.raises(Refused, match="private address"):
        Fetcher("x").get(f"http://both.example:{other_site.port}/")
    assert other_site.requests == []


def test_a_second_address_is_tried_when_the_first_does_not_answer(site, names):
    names({"two.example": ["127.0.0.2", "127.0.0.1"]})
    site["/"] = "here"
    fetcher = Fetcher("x", allowed=[("two.example", site.port)])
    assert fetcher.get(f"http://two.example:{site.port}/").body == b"here"
    assert site.headers[0]["Host"] == f"two.example:{site.port}"


def test_a_resolver_that_hangs_is_cut_by_the_deadline(names):
    release = threading.Event()
    names({"slow.example": lambda: release.wait(5) and []})
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
