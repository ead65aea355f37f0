"""A visitor of the practice site over real HTTP."""

from __future__ import annotations

import http.client
from urllib.parse import urljoin, urlsplit

from lxml import html


class Visitor:
    """A browser of few words: one connection that stays open."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def get(self, address: str, method: str = "GET", **headers: str):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, address, headers={"Host": "sandbox", **named})
        answer = self.connection.getresponse()
        return answer, answer.read()

    def close(self) -> None:
        self.connection.close()

    def page(self, address: str) -> html.HtmlElement:
        answer, body = self.get(address)
        assert answer.status == 200, address
        return html.fromstring(body.decode())


def links(page: html.HtmlElement, selector: str, at: str) -> list[str]:
    """The addresses on this site that the selected links lead to."""
    joined = (
        urlsplit(urljoin(f"http://sandbox{at}", a.get("href"))) for a in page.cssselect(selector)
    )
    return [each.path + (f"?{each.query}" if each.query else "") for each in joined]
