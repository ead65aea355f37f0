"""The icon museum: galleries by design set and by subject, and a page for every icon.

    /museum/                        design sets, page by page     a.set, a.next
    /museum/<set>/                  the icons of one set          a.icon, a.next
    /museum/<set>/<icon>.html       one icon                      h1.name, img.icon, dl
    /museum/media/<set>/<icon>.png  its picture
    /museum/subjects/…              the same icons by subject
    /museum/storeroom/              closed to robots

The content is ``museum.zip`` beside this file, made by ``build_museum.py``. Like a real site's,
its records are not quite regular: some icons name no author, some licences are named by their
identifier and some by their title, and some links to them take the plain ``http`` road.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, partial
from html import escape
from urllib.parse import quote

from scraping.sandbox import packs
from scraping.sandbox.layout import Frame, Response, Wing, crumbs, page_number, pager, redirect
from scraping.sandbox.layout import page as framed

TITLE = "Icon museum"
PATH = "/museum/"

SETS_A_PAGE = 24
ICONS_A_PAGE = 30
RELATED = 6

FRAME = Frame(
    navigation=((PATH, TITLE), (f"{PATH}subjects/", "Subjects")),
    footer='    <p><a href="{up}museum/storeroom/" rel="nofollow">Storeroom (staff only)</a></p>\n',
)
page = partial(framed, frame=FRAME)

Query = dict[str, list[str]]


@dataclass(frozen=True)
class DesignSet:
    """A design set: who drew it, and under which licence."""

    prefix: str
    name: str
    author: str
    author_url: str
    licence: str
    spdx: str
    licence_url: str
    changed: str
    icons: list[Icon] = field(default_factory=list)


@dataclass(frozen=True)
class Icon:
    """An icon: ``place`` and ``fellow`` count it within its set and within its subject."""

    name: str
    subject: str
    place: int
    fellow: int
    home: DesignSet

    @property
    def key(self) -> str:
        """Set and name, which together are unique in the museum."""
        return f"{self.home.prefix}/{self.name}"


class Museum:
    """The content pack in memory: sets, subjects, pictures."""

    def __init__(self, pack: bytes) -> None:
        """Read the pack, the bytes of a zip with ``museum.json`` and ``media/…``."""
        # All at once: the bytes are few, and no thread then shares a file with another.
        with zipfile.ZipFile(io.BytesIO(pack)) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        table = json.loads(files.pop("museum.json"))
        self.source: str = table["source"]
        self.pictures: dict[str, bytes] = files
        self.sets = {each["prefix"]: DesignSet(**each) for each in table["sets"]}
        self.subjects: dict[str, list[Icon]] = {}
        self.icons: dict[str, Icon] = {}
        for prefix, name, subject in table["icons"]:
            home = self.sets[prefix]
            fellows = self.subjects.setdefault(subject, [])
            icon = Icon(name, subject, len(home.icons), len(fellows), home)
            home.icons.append(icon)
            fellows.append(icon)
            self.icons[icon.key] = icon
        self.changed = max(each.changed for each in self.sets.values())


@cache
def museum() -> Museum:
    """The museum as it is shipped."""
    return Museum(packs.read("museum.zip"))


def summary() -> str:
    """One line for the site's start page."""
    here = museum()
    return (
        f"{len(here.icons):,} icons of {len(here.subjects)} subjects, "
        f"drawn by {len(here.sets)} design sets. Every icon has its own page."
    )


def addresses() -> Iterator[tuple[str, str]]:
    """Every page that is open to robots, with the date it changed, for the sitemap."""
    here = museum()
    yield from paged(PATH, len(here.sets), SETS_A_PAGE, here.changed)
    yield f"{PATH}subjects/", here.changed
    for subject, icons in sorted(here.subjects.items()):
        yield from paged(f"{PATH}subjects/{quote(subject)}/", len(icons), ICONS_A_PAGE,
                         here.changed)  # fmt: skip
    for each in here.sets.values():
        yield from paged(f"{PATH}{quote(each.prefix)}/", len(each.icons), ICONS_A_PAGE,
                         each.changed)  # fmt: skip
        for icon in each.icons:
            yield f"{PATH}{quote(icon.key)}.html", each.changed


def paged(path: str, count: int, a_page: int, changed: str) -> Iterator[tuple[str, str]]:
    """The address of a gallery and of its further pages."""
    yield path, changed
    for number in range(2, -(-count // a_page) + 1):
        yield f"{path}?page={number}", changed


def respond(path: str, query: Query) -> Response | None:
    """What the museum answers under an unquoted path below `PATH`; None if nothing is there."""
    here = museum()
    match path.removeprefix(PATH).split("/"):
        case [""]:
            return entrance(here, query)
        case ["storeroom", ""]:
            return storeroom()
        case ["subjects", ""]:
            return subjects(here)
        case ["subjects", subject, ""] if subject in here.subjects:
            return subject_gallery(here, subject, query)
        case [prefix, ""] if prefix in here.sets:
            return set_gallery(here.sets[prefix], query)
        case [prefix] if prefix in here.sets or prefix in ("subjects", "storeroom"):
            return redirect(f"{PATH}{quote(prefix)}/")
        case ["media", prefix, name] if f"media/{prefix}/{name}" in here.pictures:
            picture = here.pictures[f"media/{prefix}/{name}"]
            return Response(picture, kind="image/png", changed=here.sets[prefix].changed)
        case [prefix, name] if f"{prefix}/{name.removesuffix('.html')}" in here.icons:
            if not name.endswith(".html"):
                return redirect(f"{PATH}{quote(prefix)}/{quote(name)}.html")
            return icon_page(here, here.icons[f"{prefix}/{name.removesuffix('.html')}"])
    return None


def entrance(here: Museum, query: Query) -> Response | None:
    """The list of design sets, page by page."""
    pages = -(-len(here.sets) // SETS_A_PAGE)
    number = page_number(query, pages)
    if number is None:
        return None
    shown = list(here.sets.values())[(number - 1) * SETS_A_PAGE : number * SETS_A_PAGE]
    entries = "\n".join(set_entry(each) for each in shown)
    main = f"""      <h1>Icon museum</h1>
      <p class="lead">{escape(summary())}</p>
      <h2>Design sets</h2>
      <ul class="sets">
{entries}
      </ul>
{pager(number, pages)}"""
    # Always there, like the pick of the week: links that do not belong to the list.
    picks = [icons[len(icons) // 2] for _, icons in sorted(here.subjects.items())][:RELATED]
    aside = aside_of_icons("From the collection", picks, "")
    return page("Icon museum", main, path=PATH, aside=aside, changed=here.changed)


def set_entry(each: DesignSet) -> str:
    """One design set in the list: its name, its author and its first pictures."""
    pictures = "".join(
        f'<img class="thumb" src="media/{quote(icon.key)}.png" alt="" width="32" height="32">'
        for icon in each.icons[:: max(1, len(each.icons) // 4)][:4]
    )
    return f"""        <li>
          <a class="set" href="{quote(each.prefix)}/">{escape(each.name)}</a>
          <p class="by">by {escape(each.author)} · {len(each.icons)} icons</p>
          <p class="samples">{pictures}</p>
        </li>"""


def set_gallery(each: DesignSet, query: Query) -> Response | None:
    """The icons of one design set, page by page."""
    pages = -(-len(each.icons) // ICONS_A_PAGE)
    number = page_number(query, pages)
    if number is None:
        return None
    shown = each.icons[(number - 1) * ICONS_A_PAGE : number * ICONS_A_PAGE]
    entries = "\n".join(gallery_entry(icon, "", icon.name) for icon in shown)
    main = f"""{crumbs(("../", TITLE), here=each.name)}
      <h1>{escape(each.name)}</h1>
      <p class="lead">{len(each.icons)} icons by {outward(each.author_url, each.author)},
        under {outward(each.licence_url, each.licence)}.</p>
      <ul class="gallery">
{entries}
      </ul>
{pager(number, pages)}"""
    return page(each.name, main, path=f"{PATH}{each.prefix}/", changed=each.changed)


def subjects(here: Museum) -> Response:
    """The list of subjects."""
    entries = "\n".join(
        f'        <li><a href="{quote(subject)}/">'
        f'<img class="thumb" src="../media/{quote(icons[0].key)}.png" alt="" '
        f'width="32" height="32">{escape(subject)}</a> <span>{len(icons)}</span></li>'
        for subject, icons in sorted(here.subjects.items())
    )
    main = f"""{crumbs(("../", TITLE), here="Subjects")}
      <h1>Subjects</h1>
      <ul class="subjects">
{entries}
      </ul>"""
    return page("Subjects", main, path=f"{PATH}subjects/", changed=here.changed)


def subject_gallery(here: Museum, subject: str, query: Query) -> Response | None:
    """The icons of one subject across all sets, page by page."""
    icons = here.subjects[subject]
    pages = -(-len(icons) // ICONS_A_PAGE)
    number = page_number(query, pages)
    if number is None:
        return None
    shown = icons[(number - 1) * ICONS_A_PAGE : number * ICONS_A_PAGE]
    entries = "\n".join(gallery_entry(icon, "../../", icon.home.name) for icon in shown)
    main = f"""{crumbs(("../../", TITLE), ("../", "Subjects"), here=subject)}
      <h1>{escape(subject.capitalize())}</h1>
      <p class="lead">{len(icons)} icons.</p>
      <ul class="gallery">
{entries}
      </ul>
{pager(number, pages)}"""
    path = f"{PATH}subjects/{subject}/"
    return page(subject.capitalize(), main, path=path, changed=here.changed)


def gallery_entry(icon: Icon, up: str, caption: str) -> str:
    """One icon in a gallery; ``up`` leads to the museum, or is empty in the icon's own set."""
    page_at = f"{up}{quote(icon.key)}.html" if up else f"{quote(icon.name)}.html"
    return (
        f'        <li><a class="icon" href="{page_at}"><img class="thumb" loading="lazy" '
        f'src="{up or "../"}media/{quote(icon.key)}.png" alt="" width="32" height="32">'
        f"<span>{escape(caption)}</span></a></li>"
    )


def icon_page(here: Museum, icon: Icon) -> Response:
    """The page of one icon: its picture, and what is known about it."""
    each = icon.home
    whim = zlib.crc32(icon.key.encode())  # the same irregularities every time
    author = f'<dd class="author">{outward(each.author_url, each.author)}</dd>'
    author = "" if whim % 61 == 0 else f"          <dt>Author</dt>\n          {author}\n"
    address = each.licence_url
    if whim % 7 == 0:
        address = address.replace("https://", "http://", 1)
    licence = outward(address, each.spdx if whim % 3 else each.licence, relation="license")
    alternative = "" if whim % 47 == 0 else f"{icon.subject} icon"
    main = f"""{crumbs(("../", TITLE), ("./", each.name), here=icon.name)}
      <article>
        <figure>
          <img class="icon" src="../media/{quote(icon.key)}.png" alt="{escape(alternative)}" \
width="32" height="32">
        </figure>
        <h1 class="name">{escape(icon.name)}</h1>
        <dl>
          <dt>Subject</dt>
          <dd class="subject"><a href="../subjects/{quote(icon.subject)}/">\
{escape(icon.subject)}</a></dd>
          <dt>Design set</dt>
          <dd class="set"><a href="./">{escape(each.name)}</a></dd>
{author}          <dt>Licence</dt>
          <dd class="licence">{licence}</dd>
          <dt>Last changed</dt>
          <dd><time datetime="{each.changed}">{each.changed}</time></dd>
        </dl>
      </article>
{neighbours(icon)}"""
    aside = aside_of_icons("Related icons", related(here, icon), "../")
    path = f"{PATH}{each.prefix}/{icon.name}.html"
    return page(f"{icon.name} – {each.name}", main, path=path, aside=aside, changed=each.changed)


def related(here: Museum, icon: Icon) -> list[Icon]:
    """Some icons of the same subject, from sets further along."""
    fellows = here.subjects[icon.subject]
    # Farther apart than one set has icons of a subject, so that other sets come up.
    step = max(1, len(fellows) // (RELATED + 1))
    places = {(icon.fellow + step * turn) % len(fellows) for turn in range(1, RELATED + 1)}
    return [fellows[place] for place in sorted(places) if fellows[place] is not icon]


def neighbours(icon: Icon) -> str:
    """Links to the icons before and after this one in its set."""
    shelf, links = icon.home.icons, []
    for place, arrow in ((icon.place - 1, "← {}"), (icon.place + 1, "{} →")):
        if 0 <= place < len(shelf):
            name = shelf[place].name
            links.append(f'<a href="{quote(name)}.html">{arrow.format(escape(name))}</a>')
    return f'      <nav class="pager" aria-label="In this set">{" ".join(links)}</nav>'


def storeroom() -> Response:
    """The page that robots.txt closes; it is here to see who reads robots.txt."""
    main = f"""{crumbs(("../", TITLE), here="Storeroom")}
      <h1>Storeroom</h1>
      <p class="lead">Nothing is on display here. A robot that reads this has not read
        <a href="../../robots.txt">robots.txt</a>.</p>"""
    return page("Storeroom", main, path=f"{PATH}storeroom/")


def aside_of_icons(title: str, icons: list[Icon], up: str) -> str:
    """A box beside the page with links to some icons; ``up`` leads to the museum."""
    entries = "\n".join(
        f'        <li><a href="{up}{quote(icon.key)}.html"><img class="thumb" loading="lazy" '
        f'src="{up}media/{quote(icon.key)}.png" alt="" width="32" height="32">'
        f"<span>{escape(icon.name)}<small>{escape(icon.home.name)}</small></span></a></li>"
        for icon in icons
    )
    return f"""    <aside>
      <h2>{title}</h2>
      <ul class="related">
{entries}
      </ul>
    </aside>"""


def outward(address: str, words: str, *, relation: str = "external") -> str:
    """A link out of the site, or the words alone where the address is no web page's."""
    if not address.startswith(("http://", "https://")):
        return escape(words)
    return f'<a rel="{relation}" href="{escape(address)}">{escape(words)}</a>'


WING = Wing(
    title=TITLE,
    path=PATH,
    closed=(f"{PATH}storeroom/",),
    summary=summary,
    addresses=addresses,
    respond=respond,
)
