"""The data card: what a crawl and a table say of themselves, by the seven sections of a datasheet.

What the records can answer is filled in; what only people can answer is asked for, and taken from
the author's own text where there is some. The questions are after "Datasheets for Datasets"
(Gebru et al., 2021).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from scraping.crawling.frontier import look_up
from scraping.errors import ArchiveDamaged, Misuse, printable
from scraping.net.fetch import is_sandbox
from scraping.net.robots import robots_text
from scraping.records import exchange, warc
from scraping.records.archive import read
from scraping.sources.files import FOLDER

if TYPE_CHECKING:
    import pandas as pd

    from scraping.pages import Pages
    from scraping.tables.overview import Summary
    from scraping.tables.personal import Finding

SECTIONS = (
    "Motivation",
    "Composition",
    "Collection process",
    "Preprocessing, cleaning, labeling",
    "Uses",
    "Distribution",
    "Maintenance",
)
# What only people know; asked as long as the author's text has nothing under that heading.
ASKED = {
    "Motivation": "For what purpose was this data set made, and who paid for it?",
    "Composition": "What does it leave out, and which kinds are rare in it?",
    "Collection process": "Do the site's terms allow this use, and did anyone review it?",
    "Preprocessing, cleaning, labeling": "Who decided on the labels, and how sure are they?",
    "Uses": "What should it be used for, and what should it not be used for?",
    "Distribution": "Will it be passed on, to whom, and under which terms?",
    "Maintenance": "Until when will it be looked after, and how are errors reported?",
}
MOST_LICENCES = 12
MOST_FILES = 20
IMPORTED = "not asked for: these pages were imported"
MOST_ROBOTS = 2_000  # characters of a robots.txt that are shown


@dataclass(frozen=True)
class Origin:
    """How the pages behind a table came: from the crawl's own records."""

    pages: int
    first: str  # ISO 8601, UTC: when the first page was fetched …
    last: str  # … and the last
    hosts: list[str]
    robots: dict[str, str]  # host → robots.txt as it was, or why there is none
    digest: str  # SHA-256 over all pages
    balance: Mapping[str, Any]


@dataclass(frozen=True)
class About:
    """All that a card is made from."""

    name: str
    title: str  # the project's question
    creator: str
    contact: str
    command: str  # makes the table again
    rows_are: str  # what a row is: the dataclass's docstring
    steps: list[tuple[str, str]]  # between the page and the table: name, docstring
    table: pd.DataFrame
    summary: Summary
    findings: list[Finding]  # personal data
    origin: Origin | None = None
    files: Sequence[str] = ()  # those that were downloaded or added by hand, a line each
    roles: Mapping[str, str] = field(default_factory=dict)  # "licence" → column
    answers: Mapping[str, str] = field(default_factory=dict)  # section → the author's text
    answers_file: str = "datasheet.md"
    dated: bool = True  # False leaves out who made it and when: the same data give the same card


@dataclass(frozen=True)
class Section:
    """One section: what is recorded, what the author says, what is still asked."""

    title: str
    facts: list[str]
    said: str
    asked: str


def origin(pages: Pages) -> Origin:
    """How these pages came, as the archive tells it."""
    times = sorted(ref.fetched for ref in pages.refs)
    sites = sorted({"{0.scheme}://{0.netloc}".format(urlsplit(ref.url)) for ref in pages.refs})
    return Origin(
        pages=len(pages),
        first=times[0] if times else "",
        last=times[-1] if times else "",
        hosts=[urlsplit(site).netloc for site in sites],
        robots={urlsplit(site).netloc: _robots(pages, site) for site in sites},
        digest=pages.digest,
        balance=pages.balance,
    )


def _robots(pages: Pages, site: str) -> str:
    """The robots.txt that the crawl went by."""
    row = look_up(pages.archive, f"{site}/robots.txt")
    if row is None:
        return IMPORTED
    if row.file is None or row.offset is None:
        return f"could not be had: {row.reason}"
    if row.status is not None and row.status >= 300:
        return f"there was none (answer {row.status})"
    try:
        response = read(pages.archive, row.file, row.offset)
    except ArchiveDamaged:
        response = None
    return robots_text(response.body)[:MOST_ROBOTS] if response else "its record is damaged"


def answers(text: str, file: str = "datasheet.md") -> dict[str, str]:
    """The author's text by section.

    Args:
        text: Markdown with a heading of the second level for each section.
        file: Its name, for errors.

    Raises:
        Misuse: A heading that is no section.
    """
    known = {_plain(section): section for section in SECTIONS}
    found: dict[str, str] = {}
    _, *parts = re.split(r"^## +(.+?) *$", re.sub(r"<!--.*?-->", "", text, flags=re.S), flags=re.M)
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        if _plain(heading) not in known:
            listed = "\n".join(f"  ## {section}" for section in SECTIONS)
            raise Misuse(f"{file}: {heading!r} is no section of a datasheet; they are:\n{listed}")
        if body.strip():
            found[known[_plain(heading)]] = body.strip()
    return found


def _plain(heading: str) -> str:
    return re.sub(r"[^a-z]", "", heading.lower())


def sections(about: About) -> list[Section]:
    """The card's seven sections."""
    facts = {
        "Motivation": [f"The question: {about.title}"],
        "Composition": _composition(about),
        "Collection process": _collection(about),
        "Preprocessing, cleaning, labeling": _preprocessing(about),
        "Uses": [f"The project {about.name} trains on it; its post tells with what outcome."],
        "Distribution": _distribution(about),
        "Maintenance": [f"To make it again: {about.command}"],
    }
    if about.dated:
        facts["Motivation"].append(f"Made by {about.creator}.")
        facts["Maintenance"].insert(0, f"Contact: {about.contact}.")
    return [
        Section(
            title=title,
            facts=facts[title],
            said=about.answers.get(title, ""),
            asked="" if title in about.answers else ASKED[title],
        )
        for title in SECTIONS
    ]


def _composition(about: About) -> list[str]:
    lines = [f"A row is: {about.rows_are}"] if about.rows_are else []
    lines += about.summary.told()  # the rejected rows and their reasons as well
    if about.findings:
        lines.append("What looks like personal data:")
        lines += [one.told() for one in about.findings]
    else:
        lines.append("Nothing in it looks like an e-mail address, a telephone number or the like.")
    return lines


def downloads(archive: Path, *, dated: bool = True) -> list[str]:
    """The files that `download()` keeps in an archive: address, time, size and digest of each."""
    lines = []
    for path in sorted((archive / FOLDER).glob("*.warc")):
        with suppress(OSError, ValueError), path.open("rb") as file:
            for record in warc.records(file):
                if record is None or record.kind != "response":
                    continue
                head = exchange.answer(record, b"")
                if head.status == 200:
                    size = record.length - record.payload
                    digest = record.field("WARC-Payload-Digest")
                    when = f", {head.fetched}" if dated else ""
                    lines.append(f"{head.url}{when}, {size:,} bytes, {digest}")
                    break
    return lines


def _collection(about: About) -> list[str]:
    origin = about.origin
    files = list(about.files[:MOST_FILES])
    if more := len(about.files) - len(files):
        files.append(f"and {more:,} more")
    told = ["Files:", *[f"  {line}" for line in files]] if files else []
    if origin is None:
        return ["Not by a crawl.", *told]
    balance = origin.balance
    hosts = ", ".join(origin.hosts)
    when = f" from {origin.first} to {origin.last}" if about.dated else ""
    if all(rules == IMPORTED for rules in origin.robots.values()):
        how = f"saved by someone's own browser{when}, and imported."
    else:
        how = f"fetched{when}, one request at a time"
        # The practice site, on the same machine, needs neither.
        if not all(map(is_sandbox, origin.hosts)):
            how += ", with pauses, under a name with a contact"
        how += "."
    lines = [
        f"{origin.pages:,} page{'s' * (origin.pages != 1)} of {hosts or 'no site'}, {how}",
        f"Digest of all pages: sha256:{origin.digest}",
    ]
    left_out = {key: balance.get(key, 0) for key in ("refused", "failed", "duplicate", "due")}
    lines.append("Not kept: " + ", ".join(f"{n:,} {key}" for key, n in left_out.items()) + ".")
    lines += [f"  {count:,} × {kind}" for kind, count in balance.get("kinds", {}).items()]
    if balance.get("stopped"):
        lines.append(f"The crawl ended early: {balance['stopped']}.")
    for host, rules in origin.robots.items():
        lines.append(f"robots.txt of {host}, as it was:")
        lines += [f"  {line}" for line in rules.strip().splitlines()]
    return lines + told


def _preprocessing(about: About) -> list[str]:
    lines = [f"{name}: {doc}" for name, doc in about.steps]
    if not about.summary.rejected:
        lines.append("No row was rejected.")
    lines.append("The pages themselves are kept, as they were sent.")
    return lines


def _distribution(about: About) -> list[str]:
    licences = licences_of(about.table, about.roles)
    if licences is None:
        return ["No column tells the rows' licences."]
    shown = list(licences.items())[:MOST_LICENCES]
    lines = ["Licences, by rows:", *[f"  {count:,} × {licence}" for licence, count in shown]]
    rest = sum(licences.values()) - sum(count for _, count in shown)
    lines += [f"  {rest:,} × others"] if rest else []
    if "attribution" in about.roles:
        lines.append(f"Who is to be named stands in the column `{about.roles['attribution']}`.")
    return lines


def licences_of(table: pd.DataFrame, roles: Mapping[str, str]) -> dict[str, int] | None:
    """How many rows stand under each licence, most first; None if no column tells."""
    column = roles.get("licence")
    if column is None or column not in table:
        return None
    told = table[column].astype(object)
    return {str(k): int(n) for k, n in told.where(told.notna(), "unknown").value_counts().items()}


def told(about: About) -> list[str]:
    """The card as lines for a terminal."""
    lines = [f"{about.name}: {about.title}"]
    for section in sections(about):
        lines += ["", section.title]
        lines += [f"  {printable(line, 300)}" for line in section.facts]
        lines += [f"  {printable(line, 1_000)}" for line in section.said.splitlines()]
        if section.asked:
            lines.append(
                f"  ? {section.asked}\n    Answer in {about.answers_file} under "
                f"“## {section.title}”."
            )
    return lines


def markdown(about: About, harmless: Callable[[str], str]) -> str:
    """The card as Markdown.

    Args:
        about: What it is made from.
        harmless: Makes text mean nothing but itself in Markdown. The author's own text is taken
            as it is.
    """
    lines = [f"# Data card: {harmless(about.name)}", "", harmless(about.title), ""]
    for section in sections(about):
        lines += [f"## {section.title}", ""]
        for fact in section.facts:
            depth = len(fact) - len(fact.lstrip())
            lines.append(f"{' ' * 2 * min(depth, 2)}- {harmless(fact.strip())}")
        lines += ["", section.said] if section.said else []
        lines += ["", f"*Not answered yet:* {section.asked}"] if section.asked else []
        lines.append("")
    return "\n".join(lines)
