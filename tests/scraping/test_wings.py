"""The practice site's other wings, crawled as a project would: what comes out is the source.

The sources are the tables in the packs, which test_wings_packs.py holds against their hashes.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urljoin, urlsplit

import pytest
from lxml import html

from scraping import (
    Pages,
    attr,
    crawl,
    date,
    html_table,
    image,
    jsonld,
    number,
    pixels,
    sandbox,
    text,
)
from scraping.paging import by_key
from scraping.sandbox import digits, layout, router, speeches, strikes, weather

HERE = Path(sandbox.__file__).parent
WINGS = (weather, strikes, speeches, digits)
SITE = "http://sandbox"


def packed(name: str, file: str) -> str:
    """A file of a pack, as text."""
    with zipfile.ZipFile(HERE / f"{name}.zip") as pack:
        return pack.read(file).decode("utf-8")


def rows_of(name: str) -> list[dict[str, str]]:
    """The table of a pack."""
    return list(csv.DictReader(io.StringIO(packed(name, f"{name}.csv"))))


def asked(address: str) -> layout.Response:
    """What the site answers for an address, without a network."""
    parts = urlsplit(address)
    return router.respond(unquote(parts.path), parse_qs(parts.query), host="sandbox")


def encoding(page: Any) -> str:
    """The encoding that an answer's header names, if it names one."""
    kinds = [value for name, value in page.response.headers if name.lower() == "content-type"]
    return kinds[0].partition("charset=")[2]


# The weather office


@pytest.fixture(scope="module")
def months(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    folder = tmp_path_factory.mktemp("weather")
    return crawl(f"{SITE}/weather/", follow="a.year", keep="a.month", archive=folder)


def test_the_tables_of_the_weather_office_give_every_day_once_and_as_in_the_source(
    months: Pages,
) -> None:
    found = [
        (date(row, "time"), *(number(row, f".{name}") for name in ("rain", "high", "low", "wind")),
         text(row, ".weather"))
        for page in months
        for row in page.select(".days tbody tr")
    ]  # fmt: skip
    columns = ("precipitation", "temp_max", "temp_min", "wind")
    assert found == [
        (datetime.date.fromisoformat(row["date"]), *(float(row[name]) for name in columns),
         row["weather"])
        for row in rows_of("weather")
    ]  # fmt: skip
    assert len(found) == len({day for day, *_ in found}) == 1461
    of_2012 = [row for page in months[:12] for row in page.select(".days tbody tr")]
    assert round(sum(float(number(row, ".rain")) for row in of_2012), 1) == 1226.0


def test_a_day_is_also_written_in_words(months: Pages) -> None:
    first = months[26].select_one(".days tbody tr")
    assert first is not None
    assert text(first, "time") == "1 March 2014"
    first_column = text(first, "th")
    assert datetime.datetime.strptime(first_column, "%d %B %Y").date() == date(first, "time")


def test_the_foot_of_a_month_sums_its_days_and_is_no_day(months: Pages) -> None:
    for page in months:
        fallen = [number(cell) for cell in page.select("tbody .rain")]
        assert round(sum(fallen), 1) == number(page, "tfoot tr:first-child td:nth-child(2)")
    table = html_table(months[0], "table.days")
    assert list(table.columns) == [
        "Day", "Rain (mm)", "Temperature (°C) / highest", "Temperature (°C) / lowest",
        "Wind (m/s)", "Weather",
    ]  # fmt: skip
    assert len(table) == 31 + 2


def test_the_months_are_a_chain_that_ends(tmp_path: Path, months: Pages) -> None:
    chain = crawl(
        f"{SITE}/weather/2012/january.html", follow="a[rel=next]", max_pages=100, archive=tmp_path
    )
    assert [ref.url for ref in chain.refs] == [ref.url for ref in months.refs]
    assert len(chain) == 48


def test_the_older_years_are_in_another_encoding_and_read_right(months: Pages) -> None:
    named = {page.url.split("/")[4]: encoding(page) for page in months}
    assert named == {"2012": "iso-8859-1", "2013": "", "2014": "utf-8", "2015": "utf-8"}
    assert b"\xb0C" in months[0].response.body
    assert b"\xb0C" in months[12].response.body
    assert {text(page, "thead th[colspan]") for page in months} == {"Temperature (°C)"}
    cold = {page.url.split("/")[4]: text(page, "tbody") for page in months}
    assert "−" not in cold["2013"]
    assert "−" in cold["2015"]


# The strike register


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    folder = tmp_path_factory.mktemp("strikes")
    start = f"{SITE}/strikes/states/Washington/"
    return crawl(start, follow="a[rel=next]", keep="a.record", archive=folder)


def facts(page: Any) -> dict[str, str]:
    """What a record's definition list says, by its terms."""
    terms, told = page.select("dl.record dt"), page.select("dl.record dd")
    return dict(zip(map(text, terms), map(text, told), strict=True))


TERMS = {
    "Airport": "Airport Name", "State": "Origin State", "Aircraft": "Aircraft Make Model",
    "Operator": "Aircraft Airline Operator", "Phase of flight": "Phase of flight",
    "Species": "Wildlife Species", "Size": "Wildlife Size", "Time of day": "Time of day",
    "Damage": "Effect Amount of damage",
}  # fmt: skip


def test_the_records_of_a_state_are_those_of_the_source_and_lack_what_it_lacks(
    records: Pages,
) -> None:
    there = {
        f"{place:05d}": row
        for place, row in enumerate(rows_of("strikes"), 1)
        if row["Origin State"] == "Washington"
    }
    assert len(records) == len(there) == 103
    assert any(row["Speed IAS in knots"] == "" for row in there.values())
    for page in records:
        row, told = there.pop(text(page, "h1").removeprefix("Record ")), facts(page)
        assert {term: told[term] for term in TERMS} == {t: row[c] for t, c in TERMS.items()}
        day = datetime.datetime.strptime(told["Date"], "%m/%d/%Y").date()
        assert day.isoformat() == row["Flight Date"]
        assert told.get("Speed", " knots") == f"{row['Speed IAS in knots']} knots"
        assert int(told["Total cost"].replace("$", "").replace(",", "")) == int(row["Cost Total $"])


def test_records_that_two_list_pages_show_are_kept_once(records: Pages) -> None:
    shown = []
    for place in range(1, 4):
        page = html.fromstring(asked(f"/strikes/states/Washington/?page={place}").body)
        shown += [link.text for link in page.cssselect("a.record")]
    assert len(shown) == 103 + 2 * strikes.OVERLAP
    assert len(set(shown)) == len(records) == 103
    assert shown[48:50] == shown[50:52]
    assert records.balance["fetched"] == 103 + 3


def test_the_register_lists_every_record_and_ends() -> None:
    shown: list[str] = []
    place = 1
    at = "/strikes/"
    while True:
        page = html.fromstring(asked(at).body)
        shown += [link.text for link in page.cssselect("a.record")]
        onward = page.cssselect("a[rel=next]")
        if not onward:
            break
        at, place = urljoin(at, onward[0].get("href")), place + 1
    assert sorted(set(shown)) == [f"{number:05d}" for number in range(1, 10_001)]
    assert place == strikes.pages_of(list(strikes.register().records.values())) == 209
    assert asked("/strikes/?page=210").status == 404


def test_years_and_states_share_the_records_out() -> None:
    here = strikes.register()
    for groups in (here.years, here.states):
        assert sum(map(len, groups.values())) == len(here.records) == 10_000


def test_some_offices_state_a_record_as_json_ld_too(records: Pages, tmp_path: Path) -> None:
    assert all(jsonld(page, "Event", default=None) is None for page in records)
    texan = crawl(f"{SITE}/strikes/records/00001", follow=None, archive=tmp_path)[0]
    told = jsonld(texan, "Event")
    assert told["identifier"] == "00001"
    assert told["startDate"] == "1990-01-08"
    assert told["location"]["name"] == facts(texan)["Airport"]
    offices = {state for state in strikes.register().states if state[0] <= "M"}
    assert len(offices) < len(strikes.register().states)


def test_money_is_written_for_people() -> None:
    costly = max(strikes.register().records.values(), key=lambda each: int(each.total))
    page = html.fromstring(asked(f"/strikes/records/{costly.number}").body)
    assert f"${int(costly.total):,}" in page.cssselect("dl.record")[0].text_content()
    assert int(costly.total) > 1_000_000


# The speech library


def from_president(name: str, folder: Path) -> Pages:
    """All pages of a president's speeches."""
    return crawl(
        f"{SITE}/speeches/presidents/{name}/",
        follow="a.speech, a.continued",
        keep="a.speech, a.continued",
        archive=folder,
    )


def spoken(page: Any) -> list[str]:
    """The paragraphs of a page's speech, without the library's notes."""
    return [text(each) for each in page.select("article > p")]


def test_long_speeches_go_on_over_several_pages_and_are_whole(tmp_path: Path) -> None:
    said: dict[str, list[str]] = {}
    pages = from_president("theodore-roosevelt", tmp_path)
    parts = sorted(pages, key=lambda page: page.url)
    for page in parts:
        said.setdefault(page.url.split("/")[4], []).extend(spoken(page))
    assert len(said) == 8 < len(pages)
    for key, paragraphs in said.items():
        assert paragraphs == packed("speeches", f"{key}.txt").split("\n\n"), key
    assert text(parts[-1], "th + td") == "Theodore Roosevelt"


def test_notes_stand_among_the_paragraphs_and_are_no_part_of_them(tmp_path: Path) -> None:
    pages = from_president("martin-van-buren", tmp_path)
    for page in pages:
        assert len(page.select("article p")) > len(spoken(page))
        assert "in the library" in text(page, "article aside.note:last-of-type")
        assert not any("in the library" in each for each in spoken(page))


def test_the_speeches_of_the_first_era_are_in_windows_1252_and_read_right(tmp_path: Path) -> None:
    pages = from_president("martin-van-buren", tmp_path)
    (speech,) = (page for page in pages if "/1840-" in page.url)
    assert encoding(speech) == ""
    assert b"\x97" in speech.response.body
    assert "—" in " ".join(spoken(speech))
    assert "\ufffd" not in text(speech)


def test_each_era_tells_speaker_year_and_party_in_its_own_markup(tmp_path: Path) -> None:
    keys = ("1792-george-washington", "1840-martin-van-buren", "1907-theodore-roosevelt",
            "2021-joseph-r-biden")  # fmt: skip
    told = []
    for key in keys:
        page = crawl(f"{SITE}/speeches/{key}/", follow=None, archive=tmp_path)[0]
        told.append(
            (
                text(page, ".by, .heading tr:nth-child(1) td, header time ~ a"),
                int(text(page, "h1 .year, .heading tr:nth-child(2) td, time")),
                text(page, ".party, .heading tr:nth-child(3) td, .affiliation", default=None),
            )
        )
    assert told == [
        ("George Washington", 1792, None),
        ("Martin Van Buren", 1840, "Democratic"),
        ("Theodore Roosevelt", 1907, "Republican"),
        ("Joseph R Biden", 2021, "Democratic"),
    ]


def test_pages_for_printing_are_duplicates_that_name_the_page_to_count(tmp_path: Path) -> None:
    start = f"{SITE}/speeches/centuries/1700s/"
    pages = crawl(start, follow=None, keep="a.speech", archive=tmp_path)
    counted = [attr(page, "link[rel=canonical]", "href") for page in pages]
    assert len(set(counted)) == 10 < len(counted)
    whole = {attr(page, "link[rel=canonical]", "href"): spoken(page) for page in pages}
    for page in pages:
        if "/print/" in page.url:
            assert spoken(page) == whole[attr(page, "link[rel=canonical]", "href")]
    listed = {address for address, _ in speeches.addresses()}
    assert not any("/print/" in address for address in listed)
    assert set(counted) <= listed


def test_every_speech_is_in_one_century_and_with_one_president() -> None:
    here = speeches.library()
    assert len(here.speeches) == 233
    for groups in (here.centuries, here.presidents):
        assert sum(map(len, groups.values())) == 233


# The digit archive


def test_the_api_gives_every_digit_of_the_source_portion_by_portion(tmp_path: Path) -> None:
    start = f"{SITE}/digits/api/items?offset=0&limit=100"
    pages = crawl(start, follow=by_key("next"), archive=tmp_path)
    assert len(pages) == 18
    found = [item for page in pages for item in page.json()["results"]]
    table = list(csv.reader(io.StringIO(packed("digits", "digits.csv"))))
    assert [
        [*(value for row in item["pixels"] for value in row), item["label"]] for item in found
    ] == [[int(value) for value in row] for row in table]
    assert [item["id"] for item in found] == list(range(1797))
    assert {page.json()["licence"] for page in pages} == {"CC BY 4.0"}


def test_an_albums_pictures_show_what_the_api_says(tmp_path: Path) -> None:
    start = f"{SITE}/digits/albums/18/"
    page = crawl(start, follow=None, media="img.digit", archive=tmp_path)[0]
    shown = page.select(".album li")
    assert len(shown) == 97
    pictures = pixels([image(each, "img") for each in shown], size=(8, 8))
    here = digits.archive().digits[1700:]
    for each, picture, item in zip(here, pictures, shown, strict=True):
        assert int(attr(item, "img", "data-label")) == each.label
        assert digits.WORDS[each.label] in attr(item, "img", "alt")
        grey = [255 - value * 255 // 16 for value in each.values]
        assert (picture * 255).round().ravel().tolist() == grey


@pytest.mark.parametrize(
    "query", ["offset=-1", "offset=1798", "limit=0", "limit=101", "limit=ten", "offset=٣"]
)
def test_the_api_says_what_is_wrong_with_a_question(query: str) -> None:
    answer = asked(f"/digits/api/items?{query}")
    assert answer.status == 400
    assert query.partition("=")[0] in json.loads(answer.body)["error"]


# All of them


def samples(wing: Any) -> Iterator[str]:
    """Some of a wing's addresses, of every kind."""
    found = [address for address, _ in wing.addresses()]
    step = max(1, len(found) // 60)
    return iter([*found[:40], *found[40::step]])


@pytest.mark.parametrize("wing", WINGS)
def test_every_page_has_a_title_its_licence_and_links_that_work(wing: Any) -> None:
    checked = set()
    for at in samples(wing):
        answer = asked(at)
        assert answer.status == 200, at
        page = html.fromstring(answer.body)
        assert page.findtext(".//title"), at
        assert len(page.cssselect("h1")) == 1, at
        assert len(page.cssselect("footer a.licence[rel=license]")) == 1, at
        assert page.cssselect("footer .attribution"), at
        inside = [to for to in page.xpath("//@href | //@src") if "://" not in to]
        checked |= {urljoin(f"{SITE}{at}", to).removeprefix(SITE) for to in inside}
    for to in sorted(checked)[:: max(1, len(checked) // 400)]:
        assert asked(to).status == 200, to


@pytest.mark.parametrize(
    "address",
    [
        "/weather/2016/", "/weather/2012/smarch.html", "/weather/2012/january.html/",
        "/strikes/records/0", "/strikes/records/10001", "/strikes/states/Atlantis/",
        "/strikes/?page=0", "/strikes/years/2000/?page=99", "/speeches/1790-nobody/",
        "/speeches/1907-theodore-roosevelt/1", "/speeches/1907-theodore-roosevelt/99",
        "/speeches/print/1907-theodore-roosevelt", "/speeches/../speeches.zip",
        "/digits/albums/19/", "/digits/albums/0/", "/digits/images/1797.png",
        "/digits/images/00000.png", "/digits/api/items/", "/digits/digits.csv",
    ],
)  # fmt: skip
def test_what_a_wing_does_not_have_is_not_found(address: str) -> None:
    assert asked(address).status == 404


@pytest.mark.parametrize(
    ("address", "meant"),
    [
        ("/weather", "/weather/"),
        ("/weather/2012", "/weather/2012/"),
        ("/weather/2012/march", "/weather/2012/march.html"),
        ("/strikes/years", "/strikes/years/"),
        ("/strikes/records", "/strikes/"),
        ("/speeches/presidents", "/speeches/presidents/"),
        ("/speeches/1790-george-washington", "/speeches/1790-george-washington/"),
        ("/digits/albums/", "/digits/"),
        ("/digits/api", "/digits/api/"),
    ],
)
def test_an_address_that_is_nearly_right_leads_to_the_right_one(address: str, meant: str) -> None:
    answer = asked(address)
    assert (answer.status, answer.location) == (301, meant)
    assert asked(meant).status == 200


def test_the_start_page_tells_what_each_wing_teaches() -> None:
    page = html.fromstring(asked("/").body)
    for wing in WINGS:
        (entry,) = page.cssselect(f'.wings li:has(a[href="{wing.PATH[1:]}"])')
        assert "Teaches:" in entry.text_content()
