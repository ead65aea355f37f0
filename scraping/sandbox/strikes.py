"""The strike register: reports of birds that hit aircraft, listed page by page.

    /strikes/                        the register, oldest first    a.record, a[rel=next]
    /strikes/records/<number>        one record                    dl.record
    /strikes/years/<year>/           the records of a year         a.record, a[rel=next]
    /strikes/states/<state>/         the records of a state        a.record, a[rel=next]

The content is ``strikes.zip`` beside this file, made by ``build_wings.py``. As on sites whose lists
grow while one reads them, a list page begins with the last records of the page before it: what
identifies a record is its number. Of a record only what is known is told, sums of money are
written for people, and some of the states' offices state the core of it as JSON-LD as well.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import date
from functools import cache, partial
from html import escape
from sys import intern
from typing import NamedTuple
from urllib.parse import quote

from scraping.sandbox import packs
from scraping.sandbox.layout import (
    Frame,
    Response,
    Wing,
    credit,
    crumbs,
    page_number,
    pager,
    redirect,
)
from scraping.sandbox.layout import page as framed

TITLE = "Strike register"
PATH = "/strikes/"
SUMMARY = (
    "Thousands of reports of birds that hit aircraft, each with a page of its own. Teaches: long "
    "lists that overlap, definition lists with gaps, sums of money, JSON-LD."
)
A_PAGE = 50
OVERLAP = 2  # records that a list page repeats from the one before it
STATES_WITH_DATA = "ABCDEFGHIJKLM"  # whose offices write JSON-LD, by their first letters

FRAME = Frame(
    navigation=((PATH, TITLE), (f"{PATH}years/", "Years"), (f"{PATH}states/", "States")),
    footer=credit(
        'Reported to the <a rel="external" href="http://wildlife.faa.gov">FAA Wildlife Strike '
        "Database</a>; taken from the npm package vega-datasets.",
        licence="U.S. Government Work",
        address="https://www.usa.gov/government-works",
    ),
    look="strikes",
)
page = partial(framed, frame=FRAME)

Query = dict[str, list[str]]


class Strike(NamedTuple):
    """A report. All but ``number`` and ``day`` is text as in the source; empty where unknown."""

    number: str  # "00001", its place in the source
    day: date
    airport: str
    state: str
    aircraft: str
    operator: str
    phase: str
    species: str
    size: str
    time: str
    damage: str
    speed: str  # knots
    repair: str  # US dollars, as the two below
    other: str
    total: str


# The source's columns, in the order of `Strike`.
COLUMNS = (
    "Airport Name", "Origin State", "Aircraft Make Model", "Aircraft Airline Operator",
    "Phase of flight", "Wildlife Species", "Wildlife Size", "Time of day",
    "Effect Amount of damage", "Speed IAS in knots", "Cost Repair", "Cost Other", "Cost Total $",
)  # fmt: skip


class Register:
    """The content pack in memory: the records, and the same by year and by state."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """Read a pack's ``about.json`` and ``strikes.csv``."""
        self.source: str = json.loads(files["about.json"])["source"]
        self.records: dict[str, Strike] = {}
        self.years: dict[str, list[Strike]] = {}
        self.states: dict[str, list[Strike]] = {}
        rows = csv.DictReader(io.StringIO(files["strikes.csv"].decode("utf-8")))
        for number, row in enumerate(rows, 1):
            day = date.fromisoformat(row["Flight Date"])
            # The same few words come again and again: each is kept in memory once.
            told = (intern(row[column]) for column in COLUMNS)
            each = Strike(f"{number:05d}", day, *told)
            self.records[each.number] = each
            self.years.setdefault(str(day.year), []).append(each)
            self.states.setdefault(each.state, []).append(each)


@cache
def register() -> Register:
    """The register as it is shipped."""
    return Register(packs.files("strikes.zip"))


def addresses() -> Iterator[tuple[str, str]]:
    """Every page, with the date it changed, for the sitemap."""
    here = register()
    lists = {PATH: list(here.records.values())}
    lists |= {f"{PATH}years/{year}/": records for year, records in here.years.items()}
    lists |= {f"{PATH}states/{quote(name)}/": records for name, records in here.states.items()}
    yield f"{PATH}years/", Response.changed
    yield f"{PATH}states/", Response.changed
    for path, records in lists.items():
        yield path, Response.changed
        for number in range(2, pages_of(records) + 1):
            yield f"{path}?page={number}", Response.changed
    for number in here.records:
        yield f"{PATH}records/{number}", Response.changed


def respond(path: str, query: Query) -> Response | None:
    """What the register answers under an unquoted path below `PATH`; None if nothing is there."""
    here = register()
    match path.removeprefix(PATH).split("/"):
        case [""]:
            return entrance(here, query)
        case ["records", number] if number in here.records:
            return record_page(here.records[number])
        case ["years" | "states" as kind, ""]:
            return overview(here, kind)
        case ["years", year, ""] if year in here.years:
            return selection(here.years[year], "Years", year, query)
        case ["states", name, ""] if name in here.states:
            return selection(here.states[name], "States", name, query)
        case ["records" | "years" | "states" as kind]:
            return redirect(PATH if kind == "records" else f"{PATH}{kind}/")
    return None


def pages_of(records: list[Strike]) -> int:
    """How many pages a list has, each but the first of which repeats some records."""
    return 1 + -(-max(0, len(records) - A_PAGE) // (A_PAGE - OVERLAP))


def entrance(here: Register, query: Query) -> Response | None:
    """The whole register, page by page."""
    records = list(here.records.values())
    main = f"""      <h1>{TITLE}</h1>
      <p class="lead">{len(records):,} reports of wildlife that hit aircraft in the United States,
        in order of their numbers. The numbers are this register's own.
        Made from {escape(here.source)}.</p>"""
    return listing(TITLE, main, records, PATH, "", query)


def overview(here: Register, kind: str) -> Response:
    """The list of years, or of states."""
    groups = here.years if kind == "years" else here.states
    entries = "\n".join(
        f'        <li><a class="{kind[:-1]}" href="{quote(name)}/">{escape(name)}</a> '
        f"<span>{len(records):,}</span></li>"
        for name, records in sorted(groups.items())
    )
    main = f"""{crumbs(("../", TITLE), here=kind.capitalize())}
      <h1>{kind.capitalize()}</h1>
      <ul class="years">
{entries}
      </ul>"""
    return page(f"{kind.capitalize()} – {TITLE}", main, path=f"{PATH}{kind}/")


def selection(records: list[Strike], kind: str, name: str, query: Query) -> Response | None:
    """The records of a year or a state, page by page."""
    main = f"""{crumbs(("../../", TITLE), ("../", kind), here=name)}
      <h1>{escape(name)}</h1>
      <p class="lead">{len(records):,} reports.</p>"""
    path = f"{PATH}{kind.lower()}/{name}/"
    return listing(f"{name} – {TITLE}", main, records, path, "../../", query)


def listing(
    title: str, main: str, records: list[Strike], path: str, up: str, query: Query
) -> Response | None:
    """A page of a list below its heading; ``up`` leads to the register."""
    pages = pages_of(records)
    number = page_number(query, pages)
    if number is None:
        return None
    first = (number - 1) * (A_PAGE - OVERLAP)
    rows = "\n".join(
        f'          <tr><td><a class="record" href="{up}records/{each.number}">{each.number}</a>'
        f"</td><td>{american(each.day)}</td><td>{escape(each.airport)}</td>"
        f"<td>{escape(each.aircraft)}</td><td>{escape(each.damage)}</td></tr>"
        for each in records[first : first + A_PAGE]
    )
    main += f"""
      <table class="register">
        <thead>
          <tr><th scope="col">Number</th><th scope="col">Date</th><th scope="col">Airport</th>\
<th scope="col">Aircraft</th><th scope="col">Damage</th></tr>
        </thead>
        <tbody>
{rows}
        </tbody>
      </table>
{pager(number, pages)}"""
    return page(title, main, path=path)


def record_page(each: Strike) -> Response:
    """One record: what is known, term by term."""
    terms = "\n".join(
        f"        <dt>{term}</dt>\n        <dd>{told}</dd>" for term, told in facts(each) if told
    )
    main = f"""{crumbs(("../", TITLE), here=each.number)}
      <h1>Record {each.number}</h1>
      <dl class="record">
{terms}
      </dl>"""
    told = f'  <script type="application/ld+json">{linked_data(each)}</script>\n'
    return page(
        f"Record {each.number} – {TITLE}",
        main,
        path=f"{PATH}records/{each.number}",
        head=told if each.state[:1] in STATES_WITH_DATA else "",
    )


def facts(each: Strike) -> list[tuple[str, str]]:
    """The terms of a record and what is said to each, as HTML; empty where nothing is known."""
    office = f'<a href="../states/{quote(each.state)}/">{escape(each.state)}</a>'
    return [
        ("Date", american(each.day)),
        ("Airport", escape(each.airport)),
        ("State", office),
        ("Aircraft", escape(each.aircraft)),
        ("Operator", escape(each.operator)),
        ("Phase of flight", escape(each.phase)),
        ("Species", escape(each.species)),
        ("Size", escape(each.size)),
        ("Time of day", escape(each.time)),
        ("Damage", escape(each.damage)),
        ("Speed", escape(each.speed) and f"{escape(each.speed)} knots"),
        ("Cost of repair", dollars(each.repair)),
        ("Other cost", dollars(each.other)),
        ("Total cost", dollars(each.total)),
    ]


def american(day: date) -> str:
    """A date as the register writes it: month, day, year."""
    return f"{day:%m/%d/%Y}"


def dollars(amount: str) -> str:
    """A sum as the register writes it; nothing where none is given."""
    return f"${int(amount):,}" if amount else ""


def linked_data(each: Strike) -> str:
    """The core of a record as an event in schema.org's words, safe within a script element."""
    event = {
        "@context": "https://schema.org",
        "@type": "Event",
        "identifier": each.number,
        "name": f"Wildlife strike {each.number}",
        "startDate": each.day.isoformat(),
        "location": {
            "@type": "Airport",
            "name": each.airport,
            "address": {"@type": "PostalAddress", "addressRegion": each.state,
                        "addressCountry": "US"},
        },
        "about": {"@type": "Thing", "name": each.species},
    }  # fmt: skip
    return json.dumps(event, separators=(",", ":")).replace("<", "\\u003c")


WING = Wing(
    title=TITLE,
    path=PATH,
    closed=(),
    summary=lambda: SUMMARY,
    addresses=addresses,
    respond=respond,
)
