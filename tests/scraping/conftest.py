"""A small scriptable web on loopback, for tests over real sockets; who visits the practice site."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from scraping import sandbox
from scraping.net import manners
from scraping.sandbox import server

from .visiting import Visitor

# A list is an answer byte for byte, after which the connection ends.
Answer = str | bytes | list[bytes] | tuple[int, dict[str, str], bytes] | Callable


class Site:
    """What each path answers, and every request that came."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.requests: list[str] = []
        self.headers: list[dict[str, str]] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                site.requests.append(self.path)
                site.headers.append(dict(self.headers))
                answer: Any = site.answers.get(self.path, (404, {}, b"nothing here"))
                if callable(answer):
                    answer = answer(self)
                if isinstance(answer, list):
                    for piece in answer:
                        self.wfile.write(piece)
                    answer = None
                if answer is None:  # the function spoke for itself
                    self.close_connection = True
                    return
                if isinstance(answer, str):
                    answer = answer.encode()
                if isinstance(answer, bytes):
                    answer = (200, {"Content-Type": "text/html; charset=utf-8"}, answer)
                status, headers, body = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "Content-Length" not in headers:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that hangs up is part of some tests

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()

    def __setitem__(self, path: str, answer: Answer) -> None:
        self.answers[path] = answer

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def asked(self) -> Counter[str]:
        """How often each path was asked for, robots.txt apart."""
        return Counter(path for path in self.requests if path != "/robots.txt")

    def forget(self) -> None:
        self.requests.clear()
        self.headers.clear()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


@pytest.fixture
def other_site() -> Iterator[Site]:
    """A second host, as its port differs: private, and named by no project."""
    site = Site()
    yield site
    site.close()


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manners, "BACK_OFF", 0.01)


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests to one host follow each other at once."""
    monkeypatch.setattr(manners, "PAUSE", 0.0)


@pytest.fixture
def shop(site: Site) -> Site:
    """Three galleries in a row of four birds each; all show the same logo, each its picture."""
    for number in range(3):
        onward = f'<a class="next" href="/gallery{number + 1}">on</a>' if number < 2 else ""
        birds = "".join(
            f'<a class="bird" href="bird/{number}{letter}.html">x</a>' for letter in "abcd"
        )
        name = "/" if number == 0 else f"/gallery{number}"
        site[name] = f"<html><body>{birds}{onward}</body></html>"
        for letter in "abcd":
            site[f"/bird/{number}{letter}.html"] = (
                f"<h1>Bird {number}{letter}</h1><img class=logo src=/logo.png>"
                f'<img class="bird" src="{number}{letter}.png"><p class=price>{number},50 €</p>'
            )
            site[f"/bird/{number}{letter}.png"] = (
                200,
                {"Content-Type": "image/png"},
                f"picture {number}{letter}".encode(),
            )
    site["/logo.png"] = (200, {"Content-Type": "image/png"}, b"logo")
    site["/robots.txt"] = "User-agent: *\nDisallow: /private\n"
    return site


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    """Somebody with a connection to the practice site."""
    with contextlib.closing(Visitor(sandbox.port())) as guest:
        yield guest


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every request that the practice site gets: host and path."""
    requests: list[str] = []
    answer = server.Handler.do_GET

    def listening(self: server.Handler) -> None:
        requests.append(f"{self.headers['Host']}{self.path}")
        answer(self)

    monkeypatch.setattr(server.Handler, "do_GET", listening)
    return requests
