"""The practice site over real HTTP: its museum, its pages, its robots.txt and sitemap."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path
from urllib.parse import quote, urljoin

import pytest
from lxml import html
from PIL import Image
from protego import Protego

from scraping import sandbox
from scraping.sandbox import museum, router

from .visiting import Visitor, links

HERE = Path(sandbox.__file__).parent
FREE = {"MIT", "Apache-2.0", "ISC", "CC0-1.0"}


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
