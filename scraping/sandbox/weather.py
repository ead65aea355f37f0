"""The weather office: a page with a table for every month.

    /weather/                        the years                   a.year
    /weather/<year>/                 the months of a year        a.month, table.months
    /weather/<year>/<month>.html     the days of a month         table.days, a[rel=next]

The content is ``weather.zip`` beside this file, made by ``build_wings.py``. The office has grown
old in service: the head of its tables has two rows, their foot is no day, the pages of the first
years are in ISO 8859-1, of which only those of the very first tell in the answer's header, and
only the later ones write a true minus.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache, partial
from html import escape
from typing import Any, NamedTuple

from scraping.sandbox import packs
from scraping.sandbox.layout import Frame, Response, Wing, credit, crumbs, redirect
from scraping.sandbox.layout import page as framed

TITLE = "Weather office"
PATH = "/weather/"
SUMMARY = (
    "What the weather was in Seattle, with a page for every month and a row for every day. "
    "Teaches: tables with heads and feet, dates in words, an old encoding."
)
LATIN_YEARS = (2012, 2013)  # in ISO 8859-1
SILENT_YEARS = (2013,)  # whose encoding only the page itself tells
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

FRAME = Frame(
    navigation=((PATH, TITLE),),
    footer=credit(
        'Observed at Seattle and published by <a rel="external" '
        'href="https://www.ncdc.noaa.gov/cdo-web/datatools/records">NOAA</a>; taken from the npm '
        "package vega-datasets.",
        licence="U.S. Government Work",
        address="https://www.usa.gov/government-works",
    ),
    look="weather",
)
page = partial(framed, frame=FRAME)


class Day(NamedTuple):
    """A day's weather; millimetres, degrees Celsius, metres a second, as written in the source."""

    day: date
    rain: str
    high: str
    low: str
    wind: str
    weather: str


@dataclass(frozen=True)
class Month:
    """A month's days, in order."""

    year: int
    name: str
    days: list[Day]

    @property
    def file(self) -> str:
        """Its page within its year."""
        return f"{self.name.lower()}.html"

    def values(self, column: str) -> list[Decimal]:
        """A column's numbers."""
        return [Decimal(getattr(each, column)) for each in self.days]


class Office:
    """The content pack in memory: the months, in order."""

    def __init__(self, files: dict[str, bytes]) -> None:
        """Read a pack's ``about.json`` and ``weather.csv``."""
        self.source: str = json.loads(files["about.json"])["source"]
        self.months: list[Month] = []
        for row in csv.DictReader(io.StringIO(files["weather.csv"].decode("utf-8"))):
            day = date.fromisoformat(row.pop("date"))
            name = MONTHS[day.month - 1]
            if not self.months or (self.months[-1].year, self.months[-1].name) != (day.year, name):
                self.months.append(Month(day.year, name, []))
            self.months[-1].days.append(
                Day(day, row["precipitation"], row["temp_max"], row["temp_min"], row["wind"],
                    row["weather"])
            )  # fmt: skip
        self.years = list(dict.fromkeys(each.year for each in self.months))

    def of(self, year: int) -> list[Month]:
        """The months of a year."""
        return [each for each in self.months if each.year == year]


@cache
def office() -> Office:
    """The office as it is shipped."""
    return Office(packs.files("weather.zip"))


def addresses() -> Iterator[tuple[str, str]]:
    """Every page, with the date it changed, for the sitemap."""
    here = office()
    yield PATH, Response.changed
    for year in here.years:
        yield f"{PATH}{year}/", Response.changed
    for each in here.months:
        yield f"{PATH}{each.year}/{each.file}", Response.changed


def respond(path: str, query: dict[str, list[str]]) -> Response | None:
    """What the office answers under an unquoted path below `PATH`; None if nothing is there."""
    here = office()
    years = {str(year): year for year in here.years}
    match path.removeprefix(PATH).split("/"):
        case [""]:
            return entrance(here)
        case [year] if year in years:
            return redirect(f"{PATH}{year}/")
        case [year, ""] if year in years:
            return year_page(here, years[year])
        case [year, file]:
            for place, each in enumerate(here.months):
                if (str(each.year), each.file) == (year, file):
                    return month_page(here, place)
                if (str(each.year), each.name.lower()) == (year, file):
                    return redirect(f"{PATH}{year}/{each.file}")
    return None


def entrance(here: Office) -> Response:
    """The list of years."""
    entries = "\n".join(
        f'        <li><a class="year" href="{year}/">{year}</a> '
        f"<span>{sum(len(month.days) for month in here.of(year))} days</span></li>"
        for year in here.years
    )
    main = f"""      <h1>{TITLE}</h1>
      <p class="lead">The weather in Seattle: rain, the day's highest and lowest temperature, wind,
        and what the sky did. Made from {escape(here.source)}.</p>
      <ul class="years">
{entries}
      </ul>
      <h2>How to read the tables</h2>
      <p>Rain is all that fell, melted, in millimetres. Wind is the day's mean, in metres a second.
        The word for the weather sums up what the station noted: a day on which anything fell is
        called rain, or snow if some of it was, and a day of which nothing was noted, sun.</p>"""
    return page(TITLE, main, path=PATH)


def year_page(here: Office, year: int) -> Response:
    """The months of a year, with their sums."""
    rows = []
    for each in here.of(year):
        high, low = max(each.values("high")), min(each.values("low"))
        link = f'<a class="month" href="{each.file}">{each.name}</a>'
        rows.append(
            f'          <tr><th scope="row">{link}</th>'
            f"<td>{len(each.days)}</td><td>{sum(each.values('rain'))}</td>"
            f"<td>{said(high, year)}</td><td>{said(low, year)}</td></tr>"
        )
    years = [(f"../{other}/", str(other)) for other in here.years]
    main = f"""{crumbs(("../", TITLE), here=str(year))}
      <h1>The year {year}</h1>
      <table class="months">
        <thead>
          <tr><th scope="col">Month</th><th scope="col">Days</th><th scope="col">Rain (mm)</th>\
<th scope="col">Highest (°C)</th><th scope="col">Lowest (°C)</th></tr>
        </thead>
        <tbody>
{chr(10).join(rows)}
        </tbody>
      </table>
{along(years, here.years.index(year))}"""
    return page(f"{year} – {TITLE}", main, path=f"{PATH}{year}/", **spelling(year))


def month_page(here: Office, place: int) -> Response:
    """The days of a month."""
    each = here.months[place]
    title = f"{each.name} {each.year}"
    rows = "\n".join(row(day, each.year) for day in each.days)
    rain, high, low, wind = (each.values(name) for name in ("rain", "high", "low", "wind"))
    means = "".join(f"<td>{said(mean(column), each.year)}</td>" for column in (high, low, wind))
    months = [
        (f"../{other.year}/{other.file}", f"{other.name} {other.year}") for other in here.months
    ]
    main = f"""{crumbs(("../", TITLE), ("./", str(each.year)), here=each.name)}
      <h1>{title}</h1>
      <table class="days">
        <caption>Daily observations in {title}</caption>
        <thead>
          <tr><th scope="col" rowspan="2">Day</th><th scope="col" rowspan="2">Rain (mm)</th>\
<th scope="colgroup" colspan="2">Temperature (°C)</th><th scope="col" rowspan="2">Wind (m/s)</th>\
<th scope="col" rowspan="2">Weather</th></tr>
          <tr><th scope="col">highest</th><th scope="col">lowest</th></tr>
        </thead>
        <tbody>
{rows}
        </tbody>
        <tfoot>
          <tr><th scope="row">Sum</th><td>{sum(rain)}</td><td colspan="4"></td></tr>
          <tr><th scope="row">Mean</th><td>{said(mean(rain), each.year)}</td>{means}<td></td></tr>
        </tfoot>
      </table>
{along(months, place)}"""
    path = f"{PATH}{each.year}/{each.file}"
    return page(f"{title} – {TITLE}", main, path=path, **spelling(each.year))


def row(each: Day, year: int) -> str:
    """A day's line in the table of its month."""
    day = f"{each.day.day} {MONTHS[each.day.month - 1]} {each.day.year}"
    return (
        f'          <tr><th scope="row"><time datetime="{each.day}">{day}</time></th>'
        f'<td class="rain">{escape(each.rain)}</td>'
        f'<td class="high">{said(each.high, year)}</td><td class="low">{said(each.low, year)}</td>'
        f'<td class="wind">{escape(each.wind)}</td>'
        f'<td class="weather">{escape(each.weather)}</td></tr>'
    )


def said(value: Decimal | str, year: int) -> str:
    """A number as the office wrote it in a year: with a hyphen before it was modern."""
    return escape(str(value)) if year in LATIN_YEARS else escape(str(value)).replace("-", "−")


def mean(values: list[Decimal]) -> Decimal:
    """The mean, to one decimal."""
    return (sum(values, Decimal()) / len(values)).quantize(Decimal("0.1"))


def spelling(year: int) -> dict[str, Any]:
    """The encoding of a year's pages, and whether the answers' headers tell it."""
    if year not in LATIN_YEARS:
        return {}
    return {"encoding": "iso-8859-1", "announced": year not in SILENT_YEARS}


def along(places: list[tuple[str, str]], place: int) -> str:
    """Links to what comes before and after the place; each has an address and its words."""
    links = []
    for step, relation, arrow in ((-1, "prev", "← {}"), (1, "next", "{} →")):
        if 0 <= place + step < len(places):
            to, words = places[place + step]
            links.append(f'<a rel="{relation}" href="{to}">{arrow.format(words)}</a>')
    return f'      <nav class="pager" aria-label="Before and after">{" ".join(links)}</nav>'


WING = Wing(
    title=TITLE,
    path=PATH,
    closed=(),
    summary=lambda: SUMMARY,
    addresses=addresses,
    respond=respond,
)
