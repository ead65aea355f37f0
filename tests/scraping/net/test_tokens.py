"""Secrets: out of the environment, to one host, and never back onto the disk."""

from __future__ import annotations

import base64
import gzip
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.errors import FetchFailed, Misuse, Refused
from scraping.net.address import canonical
from scraping.net.fetch import PAGES, Fetcher, follow
from scraping.net.tokens import Tokens

SECRET = "s3cr+t/&<value>="
BEARER = {"Authorization": "Bearer $BIRDS_TOKEN"}


@pytest.fixture(autouse=True)
def _set(monkeypatch):
    monkeypatch.setenv("BIRDS_TOKEN", SECRET)


def fetcher_for(site, tokens, *others):
    allowed = [("127.0.0.1", one.port) for one in (site, *others)]
    return Fetcher("x", allowed=allowed, tokens=tokens)


def test_a_header_is_filled_from_the_environment_on_its_way_out_only(site):
    site["/"] = "x"
    headers = {**BEARER, "X-Api-Key": "$BIRDS_TOKEN", "Accept": "application/json"}
    answer = fetcher_for(site, Tokens(headers, host=site.url())).get(site.url())
    assert site.headers[0]["Authorization"] == f"Bearer {SECRET}"
    assert site.headers[0]["X-Api-Key"] == SECRET
    assert site.headers[0]["Accept"] == "application/json"
    assert ("X-Api-Key", "$BIRDS_TOKEN") in answer.sent
    assert "Authorization" not in dict(answer.sent)
    assert SECRET not in repr(answer)


@pytest.mark.parametrize("write", [str, canonical], ids=["as written", "canonical"])
def test_an_address_is_filled_on_its_way_out_only(site, write):
    url = write(site.url("/v1?key=$BIRDS_TOKEN&page=1"))
    path = f"/v1?key={quote(SECRET, safe='')}&page=1"
    site[path] = f'<a href="{path}">next</a>'
    answer = fetcher_for(site, Tokens(host=site.url("/v1?key=$BIRDS_TOKEN"))).get(url)
    assert site.requests == [path]
    assert answer.url == url
    assert answer.body == b'<a href="/v1?key=$BIRDS_TOKEN&page=1">next</a>'


def test_other_hosts_and_ports_never_see_a_secret(site, other_site):
    tokens = Tokens({**BEARER, "X-Plain": "words"}, host=site.url("/?key=$BIRDS_TOKEN"))
    fetcher = fetcher_for(site, tokens, other_site)
    onward = other_site.url(f"/there?key={quote(SECRET, safe='')}")
    site["/"] = (302, {"Location": onward, "Link": f"<{onward}>; rel=next"}, b"")
    other_site["/there?key=$BIRDS_TOKEN"] = "there"
    first = fetcher.get(site.url())
    assert first.header("Location") == other_site.url("/there?key=$BIRDS_TOKEN")
    assert first.header("Link") == f"<{other_site.url('/there?key=$BIRDS_TOKEN')}>; rel=next"
    assert follow(site.url(), fetcher.get).body == b"there"
    assert other_site.requests == ["/there?key=$BIRDS_TOKEN"]
    assert {"Authorization", "X-Plain"}.isdisjoint(other_site.headers[0])
    for url in ("https://127.0.0.1/", "http://localhost/", f"http://127.0.0.1:{site.port + 1}/"):
        assert not tokens.is_for(url)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_body_that_gives_the_secret_back_is_kept_without_it(site, pack):
    echo = json.dumps({"you": SECRET, "html": html.escape(SECRET), "next": quote(SECRET, safe="")})
    coding = {"Content-Encoding": "gzip"} if pack is gzip.compress else {}
    site["/"] = (200, {**coding, "X-Echo": SECRET}, pack(echo.encode()))
    answer = fetcher_for(site, Tokens(BEARER, host=site.url())).get(site.url())
    assert json.loads(answer.body) == dict.fromkeys(["you", "html", "next"], "$BIRDS_TOKEN")
    assert answer.wire == answer.body
    assert answer.header("Content-Encoding") == ""
    assert answer.header("Content-Length") == str(len(answer.wire))
    assert answer.header("X-Echo") == "$BIRDS_TOKEN"


def test_a_body_without_the_secret_stays_as_it_came(site):
    packed = gzip.compress(b"finches")
    site["/"] = (200, {"Content-Encoding": "gzip"}, packed)
    answer = fetcher_for(site, Tokens(BEARER, host=site.url())).get(site.url())
    assert (answer.wire, answer.header("Content-Encoding")) == (packed, "gzip")


def test_a_saved_file_does_not_hold_the_secret(site, tmp_path):
    site["/"] = (200, {}, b"x" * 65_530 + SECRET.encode() + b"y" * 70_000)
    fetcher = fetcher_for(site, Tokens(BEARER, host=site.url()))
    fetcher.save(site.url(), tmp_path / "data", max_bytes=1_000_000)
    assert (tmp_path / "data").read_bytes() == b"x" * 65_530 + b"$BIRDS_TOKEN" + b"y" * 70_000


def test_no_message_shows_the_secret(site):
    def speak(handler):
        handler.wfile.write(f"HTTP/9 {SECRET}\r\n\r\n".encode())

    site[f"/?key={quote(SECRET, safe='')}"] = speak
    tokens = Tokens(BEARER, host=site.url("/?key=$BIRDS_TOKEN"))
    with pytest.raises(FetchFailed) as caught:
        fetcher_for(site, tokens).get(site.url("/?key=$BIRDS_TOKEN"))
    assert "$BIRDS_TOKEN" in caught.value.reason
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(tokens)


@pytest.mark.parametrize(
    ("headers", "address", "words"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, "", "header Authorization carries a secret"),
        ({"X-API-Key": "abc"}, "", "header X-API-Key carries a secret"),
        ({"Cookie": "session=1"}, "", "header Cookie carries a secret"),
        ({}, "?api_key=0123456789abcdef", "carries the secret api_key="),
        ({}, "?a=b&access_token=0123456789abcdef", "carries the secret access_token="),
        (BEARER | {"X-Other": "$NOT_SET"}, "", "NOT_SET is not set"),
        ({"X-Auth": "$SHORT"}, "", "SHORT has 3 characters"),
        ({"X-Auth": "$LINES"}, "", "LINES has 17 characters"),
    ],
)
def test_a_secret_written_out_or_not_set_is_told_and_not_shown(
    monkeypatch, headers, address, words
):
    monkeypatch.delenv("NOT_SET", raising=False)
    monkeypatch.setenv("SHORT", "abc")
    monkeypatch.setenv("LINES", "first\r\nX-Other: b")
    with pytest.raises(Misuse, match=words) as caught:
        Tokens(headers, host=f"https://api.example.org/{address}")
    assert SECRET not in str(caught.value)
    assert "0123456789abcdef" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_user_name_in_the_address_is_told():
    with pytest.raises(Misuse, match="user name or password"):
        Tokens(host="https://me:secret@api.example.org/")


@pytest.mark.parametrize("address", ["?key=birds", "?sort=key", "?q=a+long+question+with+words"])
def test_an_ordinary_address_and_header_carry_no_secret(address):
    Tokens({"Accept-Language": "de"}, host=f"https://api.example.org/{address}")


def test_a_name_that_nobody_declared_is_no_secret(monkeypatch):
    monkeypatch.setenv("HOME_KEY", "do-not-send-this")
    tokens = Tokens(BEARER, host="https://api.example.org/")
    assert tokens.fill_url("https://api.example.org/?a=$HOME_KEY&b=$5") == (
        "https://api.example.org/?a=$HOME_KEY&b=$5"
    )


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8), st.binary())
def test_whatever_a_secret_is_made_of_it_is_hidden_in_every_spelling(value, around):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ODD", value)
        tokens = Tokens({"X-Auth": "$ODD"}, host="https://api.example.org/")
    spellings = [value, quote(value, safe=""), html.escape(value), json.dumps(value)[1:-1]]
    for spelling in spellings:
        hidden = tokens.hide(around + spelling.encode() + around)
        assert spelling.encode() not in hidden or spelling in "$ODD"
    assert tokens.fill(tokens.hide(value)) == value


@given(st.lists(st.binary(max_size=20), max_size=20), st.integers(0, 20))
def test_a_secret_is_hidden_wherever_pieces_are_cut(pieces, at):
    tokens = Tokens(BEARER, host="https://api.example.org/")
    secret = SECRET.encode()
    whole = b"".join(pieces[:at]) + secret + b"".join(pieces[at:])
    for size in (1, 2, 7, len(secret) - 1, len(secret), 100):
        cut = [whole[start : start + size] for start in range(0, len(whole), size)]
        assert b"".join(tokens.hide_in(cut)) == tokens.hide(whole)


def test_a_basic_login_is_a_value_like_any_other(site, monkeypatch):
    monkeypatch.setenv("LOGIN", base64.b64encode(b"me:password").decode())
    site["/"] = "x"
    fetcher_for(site, Tokens({"Authorization": "Basic $LOGIN"}, host=site.url())).get(site.url())
    assert site.headers[0]["Authorization"] == "Basic bWU6cGFzc3dvcmQ="


@pytest.mark.parametrize("header", ["Content-Type", "Content-Encoding", "Transfer-Encoding"])
def test_no_error_tells_what_a_server_says_of_a_secret(site, monkeypatch, header):
    monkeypatch.setenv("BIRDS_TOKEN", "hunter2-secret")
    tokens = Tokens({"X-Key": "$BIRDS_TOKEN"}, host=site.url())
    fetcher = Fetcher("x", allowed=[("127.0.0.1", site.port)], tokens=tokens)
    site["/"] = (200, {header: "application/hunter2-secret"}, b"x")
    with pytest.raises((Refused, FetchFailed)) as caught:
        fetcher.get(site.url(), kinds=PAGES)
    fetcher.close()
    assert "hunter2" not in f"{caught.value} {caught.value.reason}"
    assert "$birds_token" in caught.value.reason.lower()
