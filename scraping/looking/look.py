"""What one page offers and allows, before any code is written.

The page, its site's robots.txt and its sitemap are asked for once, as a crawl would ask, and kept:
looking again costs the site nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scraping.crawling.answers import WISHES, Answers, opened
from scraping.crawling.bounds import first_address, is_here
from scraping.crawling.sitemap import read as read_sitemap
from scraping.crawling.wishes import wishes_of
from scraping.errors import FetchFailed, Misuse, Refused, ScrapingError, Unreadable, printable
from scraping.looking import patterns, shape, starter
from scraping.looking.patterns import Field, Pattern
from scraping.net.manners import PAUSE
from scraping.net.robots import Robots
from scraping.outcomes import NEXT, Kind
from scraping.reading import embedded
from scraping.reading.page import Page

# Refusals that are answered with something in the place of a page: worth telling of.
INSTEAD_OF_A_PAGE = frozenset(
    {Kind.CHALLENGE, Kind.LOGIN, Kind.SHELL, Kind.OPTED_OUT, Kind.CONTENT_TYPE}
)
MOST_SITEMAPS = 3  # of an index that are read
MOST_SHOWN = 6  # of a kind of finding


@dataclass
class Look:
    """What was found at an address."""

    url: str
    robots: Robots
    pause: float  # seconds between two requests
    status: int = 0
    size: int = 0  # bytes, compression undone
    seconds: float = 0.0  # that the answer took
    kind: str = ""  # content type
    title: str = ""
    wishes: list[str] = field(default_factory=list)
    trouble: tuple[Kind, str] | None = None  # a challenge, a login, an empty shell
    sitemap: tuple[int, bool] | None = None  # addresses; whether that is all of them
    tables: list[tuple[int, int, list[str]]] = field(default_factory=list)
    jsonld: list[str] = field(default_factory=list)  # types
    embedded: dict[str, int] = field(default_factory=dict)  # name → bytes
    patterns: list[Pattern] = field(default_factory=list)
    about: list[Field] = field(default_factory=list)
    next_link: str | None = None
    list_pages: int | None = None
    json: str = ""  # what a JSON answer holds
    code: str | None = None  # the beginning of a project, where there can be one
    is_sitemap: bool = False
    notes: list[str] = field(default_factory=list)

    @property
    def pages(self) -> int | None:
        """How many requests a crawl from here might take."""
        if self.patterns and self.patterns[0].link:
            lists = self.list_pages or (1 if self.next_link is None else None)
            return None if lists is None else lists * (1 + self.patterns[0].count)
        if self.list_pages:
            return self.list_pages
        return None if self.next_link else 1

    def project(self) -> str | None:
        """The beginning of a `project.py` for this page; None where no page is to be had."""
        return self.code

    def told(self) -> list[str]:
        """All of it as lines for a terminal."""
        return [
            *self._told_of_the_answer(),
            *self._told_of_permission(),
            *self._told_of_content(),
            *self._told_of_size(),
        ]

    def _told_of_the_answer(self) -> list[str]:
        lines = [printable(self.url)]
        if self.status:
            lines.append(
                f"  answer      {self.status}, {printable(self.kind) or 'no content type'}, "
                f"{self.size:,} bytes in {self.seconds:.1f} s"
            )
        if self.title:
            lines.append(f"  title       {printable(self.title, 100)}")
        return lines

    def _told_of_permission(self) -> list[str]:
        robots = self.robots
        if robots.reason:
            said = f"could not be had ({printable(robots.reason)}): nothing is allowed until it can"
        elif not robots.text:
            said = "none: all is allowed"
        else:
            said = "this address is allowed" if robots.allowed(self.url) else "closes this address"
        if robots.crawl_delay:
            said += f"; {robots.crawl_delay:g} s between requests"
        lines = [f"  robots.txt  {said}"]
        if self.wishes:
            lines.append(f"  the page    asks robots: {', '.join(self.wishes)}")
        if self.trouble:
            kind, reason = self.trouble
            lines.append(f"  caution     {kind}: {printable(reason)}")
            if kind in NEXT:
                lines.append(f"              next: {NEXT[kind]}")
        return lines

    def _told_of_content(self) -> list[str]:
        lines = []
        if self.json:
            lines.append(f"  JSON        {self.json}")
        if self.sitemap:
            count, whole = self.sitemap
            listed = f"{count:,} address{'es' * (count != 1)}"
            lines.append(f"  sitemap     {'' if whole else 'at least '}{listed}")
        for rows, columns, names in self.tables[:MOST_SHOWN]:
            heads = printable(", ".join(filter(None, names)), 80)
            lines.append(f"  table       {rows:,} rows × {columns} columns: {heads}")
        lines += [
            f"  JSON-LD     {printable(kind, 80)}: page.jsonld()"
            for kind in self.jsonld[:MOST_SHOWN]
        ]
        lines += [
            f"  data        {printable(name, 60)}, {size:,} bytes: page.embedded()"
            for name, size in list(self.embedded.items())[:MOST_SHOWN]
        ]
        for one in self.patterns:
            lines.append(f"  repeats     {one.count} × {one.selector}")
            lines += [_told_of(each) for each in one.fields]
            if one.link:
                lines.append(f"                links: {one.link}")
        if not self.patterns and self.about:
            lines.append("  holds")
            lines += [_told_of(each) for each in self.about]
        if self.next_link:
            lines.append(f"  next page   {self.next_link}")
        return lines + [f"  note        {note}" for note in self.notes]

    def _told_of_size(self) -> list[str]:
        if not self.status:
            return []
        if self.pages is None:
            return ["  estimate    the list does not say how long it is"]
        pace = max(self.pause, self.seconds)
        seconds = self.pages * pace
        took = f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:,.0f} min"
        lines = [
            f"  estimate    about {self.pages:,} page{'s' * (self.pages != 1)}, {took} "
            f"at {max(pace, 0.1):.1f} s a page"
        ]
        if self.patterns and self.patterns[0].first_link:
            lines.append(f"  go on       folio look {printable(self.patterns[0].first_link)}")
        return lines


def _told_of(one: Field) -> str:
    where = one.selector or "itself"
    kind = f"{one.kind}, not always" if one.optional and one.kind != "image" else one.kind
    return f"                {one.name} ({kind}): {where}  e.g. {printable(one.example, 50)!r}"


def at(url: str, folder: Path, contact: str | None = None, *, fresh: bool = False) -> Look:
    """What the page at an address offers.

    Args:
        url: The page.
        folder: Where answers are kept, so that a second look asks nothing.
        contact: Who is asking: a mail address or a page.
        fresh: Ask again, by date and tag.

    Raises:
        Misuse: The address is none, or no contact is set.
        Refused: robots.txt closes the address, or it is private.
        FetchFailed: It could not be had.
    """
    answers = opened(url, folder, contact, fresh=fresh)
    try:
        return _looked(answers, first_address(url))
    finally:
        answers.close()


def _looked(answers: Answers, url: str) -> Look:
    robots = answers.robots(url)
    found = Look(url=url, robots=robots, pause=_pause(url, robots))
    found.sitemap = _sitemap(answers, robots, url)
    try:
        response = answers.get(url, 0)
    except Refused as refusal:
        if refusal.kind not in INSTEAD_OF_A_PAGE:
            raise
        found.trouble = (refusal.kind, refusal.reason)
        return found
    page = Page(response)
    found.url, found.status, found.size = page.url, page.status, len(response.body)
    found.seconds, found.kind = response.seconds, response.header("Content-Type")
    found.wishes = sorted(wishes_of(response))
    if "json" in found.kind:
        _look_at_data(page, found)
        return found
    found.is_sitemap = read_sitemap(response) is not None
    try:
        if page.is_html and not found.is_sitemap:
            _look_inside(page, found)
        found.code = _code(page, found)
    except Unreadable as failure:
        found.trouble = (Kind.UNREADABLE, failure.reason)
    return found


def _look_inside(page: Page, found: Look) -> None:
    """Fill in what the page's markup says."""
    title = page.select_one("title")
    found.title = " ".join(title.get_text().split()) if title else ""
    found.tables = list(patterns.tables(page))
    found.patterns = [_as_allowed(one, found) for one in patterns.repeated(page)]
    found.about = patterns.about(page)
    found.next_link = None if "nofollow" in found.wishes else patterns.next_link(page)
    found.list_pages = patterns.list_pages(page)
    found.jsonld = [", ".join(_types(one)) for one in page.jsonld(skip_broken=True)]
    found.embedded = {
        name: len(str(value)) for name, value in page.embedded(skip_broken=True).items()
    }
    for what, read in (("JSON-LD", embedded.jsonld), ("data", embedded.embedded)):
        if faults := read(page)[1]:
            found.notes.append(f"{what} that is none: {printable(faults[0], 120)}")


def _types(node: dict[str, Any]) -> list[str]:
    """What an object of JSON-LD says it is."""
    said = node.get("@type", "no type")
    return [printable(one, 60) for one in (said if isinstance(said, list) else [said])]


def _as_allowed(pattern: Pattern, found: Look) -> Pattern:
    """The pattern without its links, where the site asks not to go on there."""
    first = pattern.first_link
    if first is None or ("nofollow" not in found.wishes and found.robots.allowed(first)):
        return pattern
    return replace(pattern, link=None, first_link=None)


def _code(page: Page, found: Look) -> str | None:
    """A project for the page; None if a crawl would keep nothing of it."""
    leads_on = found.is_sitemap or (found.patterns and found.patterns[0].link)
    if not leads_on and _closed(found):
        return None
    about = found.about or [patterns.anything(page)]
    return starter.project(
        found.url, found.patterns, about, found.next_link, is_sitemap=found.is_sitemap
    )


def _closed(found: Look) -> bool:
    """Whether the page asks that it be no part of a data set; that is told as well."""
    asked = [wish for wish in found.wishes if wish in ("noindex", "noai", "tdm")]
    if asked and found.trouble is None:
        found.trouble = (Kind.OPTED_OUT, f"the page {WISHES[asked[0]]}")
    return bool(asked)


def _look_at_data(page: Page, found: Look) -> None:
    """Fill in what a JSON answer holds."""
    try:
        data: Any = page.json()
    except ScrapingError as failure:
        found.json = printable(failure, 120)
        found.trouble = (Kind.UNREADABLE, "it says it is JSON, and is not")
        return
    found.json = shape.told(data)
    if not _closed(found):
        found.code = shape.project(found.url, data)


def _pause(url: str, robots: Robots) -> float:
    """The seconds that a crawl waits between two requests there."""
    return max(0.0 if is_here(url) else PAUSE, robots.crawl_delay or 0.0)


def _sitemap(answers: Answers, robots: Robots, url: str) -> tuple[int, bool] | None:
    """How many addresses the site's sitemap lists; None if there is none to be had."""
    parts = urlsplit(url)
    due = list(robots.sitemaps) or [f"{parts.scheme}://{parts.netloc}/sitemap.xml"]
    count, seen = 0, 0
    while due and seen < MOST_SITEMAPS:
        try:
            listed = read_sitemap(answers.get(due.pop(0), 0))
        except (Refused, FetchFailed, Misuse):
            continue
        if listed is not None:
            seen += 1
            count += len(listed.pages)
            due += listed.sitemaps
    return (count, not due) if seen else None
