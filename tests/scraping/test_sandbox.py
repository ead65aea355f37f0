"""The practice site over real HTTP: what is in its museum, and how its server behaves."""

from __future__ import annotations

import contextlib
import dataclasses
import gzip
import http.client
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import pytest
from lxml import html
from PIL import Image
from protego import Protego

from scraping import sandbox
from scraping.sandbox import museum, router, server

HERE = Path(sandbox.__file__).parent
FREE = {"MIT", "Apache-2.0", "ISC", "CC0-1.0"}


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


@pytest.fixture
def visitor() -> Iterator[Visitor]:
    with contextlib.closing(Visitor(sandbox.port())) as guest:
        yield guest


@pytest.fixture(scope="module")
def pack() -> zipfile.ZipFile:
    return zipfile.ZipFile(HERE / "museum.zip")


@pytest.fixture(scope="module")
def table(pack: zipfile.ZipFile) -> dict:
    return json.loads(pack.read("museum.json"))


# What is in the pack


def test_the_pack_holds_about_4000_icons_of_20_subjects_from_100_sets_or_more(table: dict) -> None:
    assert 3800 <= len(table["icons"]) <= 4200
    assert len({subject for _, _, subject in table["icons"]}) == 20
    assert len({prefix for prefix, _, _ in table["icons"]}) == len(table["sets"]) >= 100
    assert len({(prefix, name) for prefix, name, _ in table["icons"]}) == len(table["icons"])


def test_no_subject_is_rare_and_no_set_dominates_one(table: dict) -> None:
    subjects = [subject for _, _, subject in table["icons"]]
    assert min(subjects.count(subject) for subject in set(subjects)) >= 100
    of_one_set = [(prefix, subject) for prefix, _, subject in table["icons"]]
    assert max(of_one_set.count(each) for each in set(of_one_set)) <= 4


def test_every_set_is_under_a_free_licence_and_named_in_the_attribution(table: dict) -> None:
    attribution = (HERE / "ATTRIBUTION.md").read_text(encoding="utf-8")
    assert {each["spdx"] for each in table["sets"]} <= FREE
    for each in table["sets"]:
        count = sum(prefix == each["prefix"] for prefix, _, _ in table["icons"])
        (line,) = [
            row for row in attribution.splitlines() if row.startswith(f"| `{each['prefix']}` ")
        ]
        assert each["author_url"] in line
        assert f"[{each['spdx']}](<{each['licence_url']}>) | {count} |" in line


def test_the_text_of_every_licence_is_there() -> None:
    text = (HERE / "LICENCES.txt").read_text(encoding="utf-8")
    assert all(f"\n{licence}\n" in text for licence in FREE)


def test_every_picture_is_a_png_of_32_by_32_pixels_with_something_to_see(
    pack: zipfile.ZipFile, table: dict
) -> None:
    pictures = {f"media/{prefix}/{name}.png" for prefix, name, _ in table["icons"]}
    assert pictures | {"museum.json"} == set(pack.namelist())
    paper = Image.new("RGBA", (32, 32), "white")
    for name in pictures:
        with Image.open(io.BytesIO(pack.read(name))) as picture:
            assert (picture.format, picture.size) == ("PNG", (32, 32)), name
            grey = Image.alpha_composite(paper, picture.convert("RGBA")).convert("L")
        assert min(grey.tobytes()) < 240, name


def test_the_pack_is_small_and_its_bytes_tell_nothing_of_when_or_where(
    pack: zipfile.ZipFile,
) -> None:
    assert (HERE / "museum.zip").stat().st_size < 6_000_000
    assert {
        (each.date_time, each.compress_type, each.create_system) for each in pack.infolist()
    } == {((1980, 1, 1, 0, 0, 0), zipfile.ZIP_STORED, 3)}


# Its pages


def test_following_links_from_the_entrance_reaches_every_icon_exactly_once(
    visitor: Visitor, table: dict
) -> None:
    found: list[str] = []
    waiting, seen = ["/museum/"], {"/museum/"}
    while waiting:
        at = waiting.pop()
        page = visitor.page(at)
        found += links(page, "a.icon", at)
        for to in links(page, "a.set, a.next", at):
            assert to not in seen, f"{at} leads to {to} once more"
            seen.add(to)
            waiting.append(to)
    assert sorted(found) == sorted(
        f"/museum/{prefix}/{name}.html" for prefix, name, _ in table["icons"]
    )


def test_following_links_from_the_subjects_reaches_every_icon_exactly_once(
    visitor: Visitor, table: dict
) -> None:
    found = []
    start = "/museum/subjects/"
    for subject in links(visitor.page(start), ".subjects a", start):
        following = [subject]
        for at in following:
            page = visitor.page(at)
            found += links(page, "a.icon", at)
            following += links(page, "a.next", at)
    assert len(found) == len(set(found)) == len(table["icons"])


def test_an_icons_page_tells_its_name_subject_set_author_licence_and_picture(
    visitor: Visitor,
) -> None:
    page = visitor.page("/museum/tabler/bell.html")
    told = {one: page.cssselect(one)[0].text_content().strip() for one in (
        "h1.name", "dl .subject", "dl .set", "dl .author", "dl .licence")}  # fmt: skip
    assert told == {
        "h1.name": "bell",
        "dl .subject": "bell",
        "dl .set": "Tabler Icons",
        "dl .author": "Paweł Kuna",
        "dl .licence": "MIT",
    }
    assert all(len(page.cssselect(one)) == 1 for one in (".name", ".subject", ".set", "img.icon"))
    assert page.cssselect("dl .licence a")[0].get("href").startswith("http")
    source = page.cssselect("img.icon")[0].get("src")
    assert source == "../media/tabler/bell.png"
    answer, picture = visitor.get(urljoin("/museum/tabler/bell.html", source))
    assert answer.headers["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(picture)).size == (32, 32)


def test_some_icons_lack_an_author_and_licences_are_named_in_more_than_one_way() -> None:
    here = museum.museum()
    pages = [html.fromstring(museum.icon_page(here, icon).body) for icon in here.icons.values()]
    without_author = [page for page in pages if not page.cssselect(".author")]
    assert 0.01 < len(without_author) / len(pages) < 0.03
    licences = {page.cssselect(".licence a")[0].text_content() for page in pages}
    assert {"Apache-2.0", "Apache 2.0"} <= licences
    roads = {page.cssselect(".licence a")[0].get("href").split(":")[0] for page in pages}
    assert roads == {"http", "https"}


def test_no_link_inside_the_site_is_broken(visitor: Visitor) -> None:
    checked: set[str] = set()
    for at in ("/", "/museum/", "/museum/?page=2", "/museum/tabler/", "/museum/tabler/bell.html",
               "/museum/subjects/", "/museum/subjects/key/", "/museum/storeroom/"):  # fmt: skip
        page = visitor.page(at)
        inside = [a for a in page.xpath("//@href | //@src") if "://" not in a]
        checked |= {urljoin(f"http://sandbox{at}", each) for each in inside}
    for address in sorted(checked):
        assert visitor.get(address.removeprefix("http://sandbox"))[0].status == 200, address


@pytest.mark.parametrize("page", ["0", "-1", "99", "two", "1e1", "٣", "1" * 5000])
def test_a_page_number_that_does_not_exist_is_not_found(visitor: Visitor, page: str) -> None:
    assert visitor.get(f"/museum/?page={quote(page)}")[0].status == 404


def test_an_address_without_its_slash_or_ending_redirects_to_the_right_one(
    visitor: Visitor,
) -> None:
    for asked, meant in (
        ("/museum", "/museum/"),
        ("/museum/tabler", "/museum/tabler/"),
        ("/museum/tabler/bell", "/museum/tabler/bell.html"),
    ):
        answer, _ = visitor.get(asked)
        assert (answer.status, answer.headers["Location"]) == (301, meant)


def test_hostile_names_in_the_pack_are_shown_and_do_nothing() -> None:
    bad = "\"><script>alert(1)</script>&amp;'{{7*7}}"
    address = 'javascript:alert(1)//"onclick="'
    table = {
        "source": bad,
        "sets": [
            {"prefix": "evil", "name": bad, "author": bad, "author_url": address,
             "licence": bad, "spdx": "MIT", "licence_url": 'http://x/"onclick="',
             "changed": "2026-01-01"}
        ],
        "icons": [["evil", bad.replace("/", "-"), bad], ["evil", "plain", bad]],
    }  # fmt: skip
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as pack:
        pack.writestr("museum.json", json.dumps(table))
    here = museum.Museum(file.getvalue())
    answers = [
        museum.entrance(here, {}),
        museum.set_gallery(here.sets["evil"], {}),
        museum.subjects(here),
        museum.subject_gallery(here, bad, {}),
        *(museum.icon_page(here, icon) for icon in here.icons.values()),
        router.not_found(bad),
    ]
    for answer in answers:
        assert answer is not None
        page = html.fromstring(answer.body.decode())
        assert not page.cssselect("script")
        assert not page.xpath("//@onclick")
        assert not [to for to in page.xpath("//@href") if to.startswith("javascript")]
    shown = html.fromstring(museum.icon_page(here, here.icons["evil/plain"]).body.decode())
    assert shown.cssselect(".subject")[0].text_content() == bad


# Robots and sitemap


def test_robots_may_see_all_but_the_storeroom(visitor: Visitor) -> None:
    answer, body = visitor.get("/robots.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    rules = Protego.parse(body.decode())
    assert rules.can_fetch("http://sandbox/museum/tabler/bell.html", "folio")
    assert not rules.can_fetch("http://sandbox/museum/storeroom/", "folio")
    assert rules.crawl_delay("folio") is None
    assert list(rules.sitemaps) == ["http://sandbox/sitemap.xml"]
    assert "/museum/storeroom/" in links(visitor.page("/museum/"), "footer a", "/museum/")


def test_the_sitemap_lists_every_page_that_robots_may_see_and_each_is_there(
    visitor: Visitor, table: dict
) -> None:
    rules = Protego.parse(visitor.get("/robots.txt")[1].decode())
    space = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
    index = ElementTree.fromstring(visitor.get("/sitemap.xml")[1])
    wings = [str(each.text) for each in index.iter(f"{space}loc")]
    assert wings == [
        f"http://sandbox/sitemap-{wing}.xml"
        for wing in ("museum", "weather", "strikes", "speeches", "digits")
    ]
    of_wing: list[list[str]] = []
    for sitemap in wings:
        part = ElementTree.fromstring(visitor.get(sitemap.removeprefix("http://sandbox"))[1])
        of_wing.append([str(each.text) for each in part.iter(f"{space}loc")])
    addresses = [address for listed in of_wing for address in listed]
    assert len(addresses) == len(set(addresses))
    assert all(rules.can_fetch(address, "folio") for address in addresses)
    icons = {f"http://sandbox/museum/{prefix}/{name}.html" for prefix, name, _ in table["icons"]}
    assert icons <= set(of_wing[0])
    others = set(of_wing[0]) - icons
    assert {"http://sandbox/museum/", "http://sandbox/museum/?page=2"} <= others
    assert {f"http://sandbox/museum/{each['prefix']}/" for each in table["sets"]} <= others
    further = addresses[len(of_wing[0]) :]
    for address in sorted(others) + sorted(icons)[::50] + further[::100]:
        assert visitor.get(address.removeprefix("http://sandbox"))[0].status == 200, address


def test_the_sitemap_uses_the_name_by_which_the_visitor_calls_the_site(visitor: Visitor) -> None:
    assert b"<loc>http://127.0.0.1:8888/" in visitor.get("/sitemap.xml", Host="127.0.0.1:8888")[1]
    assert b"<loc>http://sandbox/" in visitor.get("/sitemap.xml", Host='"><script>')[1]


# The server


def test_a_visitor_who_has_the_page_gets_304_and_no_body(visitor: Visitor) -> None:
    for address in ("/museum/tabler/", "/museum/media/tabler/bell.png"):
        first, _ = visitor.get(address)
        for condition in (
            {"If_None_Match": first.headers["ETag"]},
            {"If_None_Match": f'"other", {first.headers["ETag"]}'},
            {"If_Modified_Since": first.headers["Last-Modified"]},
        ):
            again, body = visitor.get(address, **condition)
            assert (again.status, body) == (304, b"")
            assert again.headers["ETag"] == first.headers["ETag"]


def test_a_visitor_with_another_copy_gets_the_page_whatever_its_date(visitor: Visitor) -> None:
    today = "Mon, 23 Nov 2026 00:00:00 GMT"
    for condition in (
        {"If_None_Match": '"other"', "If_Modified_Since": today},
        {"If_Modified_Since": "Mon, 01 Jan 2001 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
    ):
        assert visitor.get("/museum/tabler/", **condition)[0].status == 200


def test_html_is_sent_as_gzip_only_to_those_who_ask(visitor: Visitor) -> None:
    plain, page = visitor.get("/museum/")
    assert "Content-Encoding" not in plain.headers
    for accepted in ("gzip", "br;q=1.0, gzip;q=0.8"):
        zipped, body = visitor.get("/museum/", Accept_Encoding=accepted)
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(body) == page
    refused, _ = visitor.get("/museum/", Accept_Encoding="br, gzip;q=0")
    assert "Content-Encoding" not in refused.headers
    picture, _ = visitor.get("/museum/media/tabler/bell.png", Accept_Encoding="gzip")
    assert "Content-Encoding" not in picture.headers


def test_head_gives_the_headers_of_get_and_no_body(visitor: Visitor) -> None:
    got, page = visitor.get("/museum/tabler/")
    head, body = visitor.get("/museum/tabler/", method="HEAD")
    assert (head.status, body) == (200, b"")
    assert head.headers["Content-Length"] == str(len(page))
    assert head.headers["ETag"] == got.headers["ETag"]


@pytest.mark.parametrize(
    "address",
    [
        "/../../../../etc/passwd",
        "/museum/../../museum.zip",
        "/museum/%2e%2e/%2e%2e/museum.zip",
        "/museum/media/../museum.json",
        "/museum/media/tabler/..%2f..%2fmuseum.json",
        "/museum/media/tabler/bell.png%00.html",
        "/museum/media//etc/passwd",
        "/museum.zip",
        "/museum/museum.json",
        "/server.py",
        "http://[::1/museum/",
        "/%ff%fe",
        "/museum/tabler/nothing.html",
        "/museum/media/tabler/",
    ],
)
def test_nothing_outside_the_pack_is_served(visitor: Visitor, address: str) -> None:
    answer, body = visitor.get(address)
    assert answer.status == 404
    assert b"root:" not in body


def test_the_page_for_what_is_not_there_has_links_that_work(visitor: Visitor) -> None:
    at = "/deep/down/nowhere"
    page = html.fromstring(visitor.get(at)[1].decode())
    for to in links(page, "a", at):
        assert visitor.get(to)[0].status == 200, to


def test_two_threads_get_one_server() -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: sandbox.port(), range(32)))) == 1


def test_answers_on_one_connection_come_without_stalls(visitor: Visitor) -> None:
    visitor.get("/museum/tabler/")
    took = []
    for _ in range(20):
        began = time.perf_counter()
        visitor.get("/museum/tabler/bell.html")
        took.append(time.perf_counter() - began)
    # A delayed acknowledgement costs 40 ms; the median is deaf to a busy machine.
    assert sorted(took)[10] < 0.03


def test_a_page_costs_at_most_a_millisecond_to_make() -> None:
    addresses = [f"/museum/{key}.html" for key in list(museum.museum().icons)[:500]]
    began = time.process_time()
    for address in addresses:
        assert router.respond(address, {}, host="sandbox").status == 200
    assert (time.process_time() - began) / len(addresses) < 0.001


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_starts_its_own_server() -> None:
    code = """
import http.client, os, sys
from scraping.sandbox import port
mine = port()
child = os.fork()
if child == 0:
    own = port()
    connection = http.client.HTTPConnection("127.0.0.1", own, timeout=10)
    connection.request("GET", "/museum/")
    os._exit(0 if own != mine and connection.getresponse().status == 200 else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_server_writes_nothing_to_the_terminal(visitor: Visitor, capfd) -> None:
    visitor.get("/museum/")
    visitor.get("/nowhere")
    with socket.create_connection(("127.0.0.1", sandbox.port())) as rude:
        rude.sendall(b"NONSENSE\r\n\r\n")
        rude.recv(1000)
    with contextlib.closing(Visitor(sandbox.port())) as other:
        assert other.get("/", method="POST")[0].status == 501
    assert capfd.readouterr() == ("", "")


def test_a_wing_that_fails_gives_an_answer_and_not_silence(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    wing = dataclasses.replace(museum.WING, respond=broken)
    monkeypatch.setattr(router, "WINGS", (wing,))
    assert visitor.get("/museum/")[0].status == 500


@pytest.mark.skipif(os.name != "posix", reason="needs a signal like Ctrl-C")
def test_serve_tells_its_address_and_answers_until_interrupted() -> None:
    code = """
from scraping.sandbox import serve
serve(0, lambda address: print(address, flush=True))
print("closed")
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout
        address = urlsplit(running.stdout.readline().strip())
        assert address.port
        with contextlib.closing(Visitor(address.port)) as guest:
            assert guest.get("/")[0].status == 200
        running.send_signal(signal.SIGINT)
        assert running.communicate(timeout=10) == ("closed\n", "")


def test_a_taken_port_is_named_and_has_its_own_exit_code() -> None:
    with socket.socket() as taken:
        taken.bind((server.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(sandbox.PortTaken, match=f"Port {port} on 127.0.0.1") as error:
            sandbox.serve(port)
    assert error.value.exit_code == 75
    assert isinstance(error.value, OSError)
