"""Challenges, login walls and empty shells are known as such; ordinary pages never are.

Each file under walls/ is a page of the kind that its name begins with.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scraping.crawling.hollow import instead
from scraping.net.fetch import Response
from scraping.outcomes import Kind

WALLS = sorted((Path(__file__).parent / "walls").glob("*.html"))
KINDS = {
    "challenge": Kind.CHALLENGE,
    "login": Kind.LOGIN,
    "shell": Kind.SHELL,
}
URL = "https://birds.example.org/atlas"


def answer(
    body: bytes | str, url: str = URL, status: int = 200, kind: str = "text/html", **more: str
) -> Response:
    body = body.encode() if isinstance(body, str) else body
    headers = [("Content-Type", kind), *((k.replace("_", "-"), v) for k, v in more.items())]
    return Response(url, status, "", headers if kind else headers[1:], body, body)


def kind_of(response: Response, asked: str = URL) -> Kind | None:
    found = instead(response, asked)
    return found[0] if found else None


@pytest.mark.parametrize("path", WALLS, ids=lambda path: path.stem)
def test_a_page_is_told_from_what_stands_before_one(path):
    body = path.read_bytes()
    wanted = KINDS.get(path.stem.partition("-")[0])
    assert kind_of(answer(body)) == wanted
    assert kind_of(answer(body, kind="")) == wanted
    assert kind_of(answer(body.decode().encode("utf-16"), kind="text/html")) == wanted


@pytest.mark.parametrize("path", WALLS, ids=lambda path: path.stem)
@pytest.mark.parametrize("status", [403, 429, 503])
def test_the_body_of_an_error_is_a_challenge_or_nothing(path, status):
    wanted = Kind.CHALLENGE if path.stem.startswith("challenge") else None
    assert kind_of(answer(path.read_bytes(), status=status)) == wanted


@pytest.mark.parametrize("status", [301, 304, 404, 410, 500])
def test_other_errors_are_what_they_say(status):
    body = next(path for path in WALLS if path.stem == "challenge-cloudflare").read_bytes()
    assert kind_of(answer(body, status=status)) is None


def test_a_wall_that_names_itself_in_a_header_is_believed():
    assert kind_of(answer("", status=403, cf_mitigated="challenge")) is Kind.CHALLENGE
    assert kind_of(answer("", status=202, x_amzn_waf_action="challenge")) is Kind.CHALLENGE
    assert kind_of(answer("", status=405, x_amzn_waf_action="captcha")) is Kind.CHALLENGE
    assert kind_of(answer("<h1>Bird</h1>", cf_ray="8f", server="cloudflare")) is None


def test_a_challenge_sent_as_json_is_known():
    sent = '{"url":"https://geo.captcha-delivery.com/captcha/?initialCid=A"}'
    assert kind_of(answer(sent, status=403, kind="application/json")) is Kind.CHALLENGE
    assert kind_of(answer(sent, status=200, kind="application/json")) is None
    assert kind_of(answer('{"error": "no"}', status=403, kind="application/json")) is None


def test_a_redirect_to_a_login_page_is_known_however_much_is_around_it():
    around = "".join(f'<li><a href="/{n}">Part {n} of the site</a></li>' for n in range(60))
    page = f'<ul>{around}</ul><h1>Welcome</h1><form><input type="password"></form>'
    for place in ("/login?next=/atlas", "/users/sign_in", "/wp-login.php?redirect_to=x", "/SSO/"):
        assert kind_of(answer(page, f"https://birds.example.org{place}")) is Kind.LOGIN
    assert kind_of(answer(page, "https://birds.example.org/?action=login")) is Kind.LOGIN
    # Asked for by that name, or not redirected to it: a page like any other.
    login = "https://birds.example.org/login"
    assert kind_of(answer(page, login), asked=login) is None
    assert kind_of(answer(page)) is None
    assert kind_of(answer(page, "https://birds.example.org/atlas/authors")) is None
    assert kind_of(answer(page.replace("password", "text"), login)) is None


def test_a_redirect_to_another_host_for_identities_is_a_login():
    shell = "<html><body><div id=root></div><script src=/i.js></script></body></html>"
    assert kind_of(answer(shell, "https://accounts.example.com/v3/identifier")) is Kind.LOGIN
    assert kind_of(answer("<h1>Bird</h1>", "https://www.birds.example.org/atlas")) is None
    article = f"<h1>Birds</h1>{'<div>The wren is a small bird with a loud voice.</div>' * 40}"
    assert kind_of(answer(article, "https://papers.example.com/cas/article/7")) is None


def test_other_types_are_never_hollow():
    body = next(path for path in WALLS if path.stem == "challenge-cloudflare").read_bytes()
    for kind in ("application/json", "text/plain", "image/png", "text/css"):
        assert kind_of(answer(body, kind=kind)) is None
    assert kind_of(answer("just a moment", kind="")) is None
    assert kind_of(answer("")) is None


@given(st.binary(max_size=400), st.sampled_from([200, 403, 503]))
def test_any_bytes_have_an_answer(body, status):
    instead(answer(b"<" + body, status=status), URL)


@pytest.mark.parametrize(
    "piece",
    [b"<script", b"<!--", b"<form ", b"<", b"<noscript>", b"<title", b"<input ", b"<div id=",
     b"<h1><b>", b"document.cookie=", b"&", b"<x-", b"</", b"<a-a-a-a", b"<script src", b"\x00"],
)  # fmt: skip
def test_no_markup_holds_it_up(piece):
    body = b"<" + piece * (500_000 // len(piece))
    began = time.monotonic()
    instead(answer(body), URL)
    assert time.monotonic() - began < 5
