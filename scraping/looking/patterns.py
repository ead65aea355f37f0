"""What repeats on a page, and what it says: suggested selectors, each with an example.

Nothing here is certain. A suggestion is made only where the selector, tried on the page, finds what
it was made for.
"""

from __future__ import annotations

import keyword
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from urllib.parse import urlsplit

from scraping.errors import BadValue, NotFound, Refused, ScrapingError
from scraping.net.address import canonical, resolve
from scraping.reading.extract import date, number, text
from scraping.reading.page import Page
from scraping.reading.tag import Tag

FEWEST = 3  # alike elements that make a pattern
MOST_FIELDS = 8
MOST_PATTERNS = 4
LONGEST = 80  # characters of an example
LONGEST_VALUE = 300  # characters of what may be a field's value
MOST_SAMPLED = 40  # items of a pattern that are looked at
MOST_TRIED = 2_000  # items on which a field is tried
MOST_INSIDE = 3  # elements within one that says a single thing
MOST_ELEMENTS = 20_000  # of a page that are looked at
ASIDE = frozenset({"nav", "header", "footer", "aside", "form", "select"})
NO_ITEM = frozenset(
    {"tr", "td", "th", "thead", "tbody", "dt", "dd", "option", "br", "hr", "script", "style"}
)
NEXT_WORDS = re.compile(
    r"^\W*(next|next page|older|older posts|more|weiter|nächste( seite)?|suivant|siguiente)\W*$|"
    r"^[›»→]$",
    re.IGNORECASE,
)
OF_PAGES = re.compile(r"\b[0-9]{1,6} (?:of|von|de|sur|/) ([0-9]{1,6})\b")
PLAIN = re.compile(r"[A-Za-z_][\w-]{0,40}")
MADE_UP = re.compile(r"\d{3}|^(css|sc|jsx|svelte)-|^[a-z]{0,3}-?[a-zA-Z]*\d[a-zA-Z]*\d")
DATE = re.compile(r"\d{4}-\d\d-\d\d(T\S*)?")
NO_PICTURE = re.compile(r"(?i)data:|.*\.(?:svgz?|ico|avif|bmp|tiff?)(?:[?#]|$)")  # none for image()
NO_PAGE = re.compile(
    r"(?i)\.(?:png|jpe?g|gif|svgz?|webp|avif|ico|pdf|ps|docx?|xlsx?|pptx?|zip|gz|bz2|xz|tgz|tar|7z"
    r"|mp[34]|og[gv]|wav|webm|avi|mov|exe|dmg|deb|rpm|css|js|woff2?|ttf)$"
)
READERS = {"text": text, "number": number, "date": date}


@dataclass(frozen=True)
class Field:
    """One thing that an item or a page says: where, as what, and for example."""

    name: str  # a Python name
    selector: str  # within the item; empty for the item itself
    kind: str  # text, number, date, image
    example: str
    optional: bool = False  # some items lack it


@dataclass(frozen=True)
class Pattern:
    """Elements of one form: a list of cards, of search results, of links."""

    selector: str
    count: int
    fields: list[Field]
    link: str | None  # selector, on the page, of links that lead to other pages of the site
    first_link: str | None  # the first such page's address


def repeated(page: Page) -> list[Pattern]:
    """The patterns on a page, the most telling first."""
    groups: dict[tuple[int, str], list[Tag]] = defaultdict(list)
    parents: dict[int, Tag] = {}
    for tag in islice(page.descendants, MOST_ELEMENTS):
        parent = tag.parent
        if parent is None or tag.name in NO_ITEM:
            continue
        key = id(parent._element)
        parents[key] = parent  # kept, so that the number stays its own
        groups[key, _form(tag)].append(tag)
    scored = []
    for items in groups.values():
        if len(items) < FEWEST:
            continue
        score = _score(items)
        if score:
            scored.append((score, items))
    scored.sort(key=lambda one: -one[0])
    found: list[Pattern] = []
    taken: set[str] = set()
    for _, items in scored[: 4 * MOST_PATTERNS]:
        pattern = _pattern(page, items)
        if pattern and pattern.selector not in taken and len(found) < MOST_PATTERNS:
            taken.add(pattern.selector)
            found.append(pattern)
    return found


def list_pages(page: Page) -> int | None:
    """How many pages a list says it has: "Page 1 of 12", or the highest number linked to."""
    numbers: set[int] = set()
    for pager in page.select("nav, [class*=pag], [class*=Pag]")[:20]:
        said = " ".join(pager.get_text(" ").split())[:500]
        numbers |= {int(n) for n in OF_PAGES.findall(said)}
        linked = {link.get_text(strip=True).replace(",", "") for link in pager.select("a[href]")}
        if linked & {"1", "2"}:  # else the numbers are years or the like
            numbers |= {int(words) for words in linked if re.fullmatch("[0-9]{1,6}", words)}
    return max(numbers, default=None)


def next_link(page: Page) -> str | None:
    """A selector of the link to the list's next page, if there seems to be one."""
    for selector in ("a[rel~=next]", "link[rel~=next]"):
        if page.select_one(selector):
            return selector
    for link in page.select("a[href]"):
        words = (link.get_text(strip=True) or link.get("aria-label") or "").strip()
        named = set(link.get("class") or ()) & {"next", "pagination-next", "next-page"}
        if named or (len(words) < 20 and NEXT_WORDS.match(words)):
            return _selector(page, link)
    return None


def about(page: Page) -> list[Field]:
    """What a page on one thing says: its heading, named values, dates, its picture."""
    found: list[Field] = []
    names: set[str] = set()
    candidates = [
        *page.select("h1")[:1],
        *page.select("[itemprop]")[:MOST_FIELDS],
        *page.select("main dd, article dd, dl dd")[:MOST_FIELDS],
        *page.select("time[datetime]")[:1],
        *page.select("main [class], article [class], #content [class]")[:60],
    ]
    seen: set[Tag] = set()
    for tag in candidates:
        if tag in seen or _is_aside(tag) or len(tag.find_all(True)) > MOST_INSIDE:
            continue
        if any(above in seen for above in tag.parents):
            continue  # told by what is around it
        seen.add(tag)
        selector = _selector(page, tag)
        if selector is None or len(page.select(selector)) != 1:
            selector = _by_label(page, tag)
        if selector is None:
            continue
        field = _field(tag, selector, names)
        if field and (field := _tried(field, [page])):
            found.append(field)
    return found[:MOST_FIELDS]


def anything(page: Page) -> Field:
    """What any page says: its heading, its title, or else all of its text."""
    for selector in ("h1", "title"):
        said = text(page, selector, default="")
        if said:
            return Field("title", selector, "text", said[:LONGEST])
    return Field("text", "", "text", text(page)[:LONGEST])


def _form(tag: Tag) -> str:
    """What makes two elements alike: name and first telling class."""
    classes = _classes(tag)
    return f"{tag.name}.{classes[0]}" if classes else tag.name


def _classes(tag: Tag) -> list[str]:
    """The classes that a person gave, rather than a build tool."""
    return [
        name
        for name in (tag.get("class") or [])
        if PLAIN.fullmatch(name) and not MADE_UP.search(name)
    ]


def _is_aside(tag: Tag) -> bool:
    return any(above.name in ASIDE for above in (tag, *tag.parents))


def _score(items: list[Tag]) -> float:
    """How much a pattern has to say: many items, each with several things, each different."""
    first = items[0]
    if _is_aside(first):
        return 0.0
    texts = [" ".join(item.get_text().split())[:200] for item in items[:MOST_SAMPLED]]
    distinct = len(set(texts)) / len(texts)
    length = sum(map(len, texts)) / len(texts)
    if distinct < 0.5 and not first.select("img, a"):
        return 0.0
    inside = sum(1 for _ in first.descendants)
    linked = 2.0 if first.name == "a" or first.select_one("a[href]") else 1.0
    return len(items) ** 0.5 * (1 + min(inside, 12)) * linked * (5 + min(length, 100)) * distinct


def _pattern(page: Page, items: list[Tag]) -> Pattern | None:
    selector = _selector(page, items[0], wanted=len(items))
    if selector is None:
        return None
    matches = page.select(selector)
    link, first_link = _item_link(page, selector, matches)
    return Pattern(selector, len(matches), _fields(matches), link, first_link)


def _selector(page: Page, tag: Tag, wanted: int = 1) -> str | None:
    """A short selector of `wanted` elements (or, if none is exact, of some more), with this one."""
    own = [f"{tag.name}.{name}" for name in _classes(tag)] or [tag.name]
    bare = own if own == [tag.name] and tag.name != "h1" else []  # says little: the last resort
    if wanted == 1 and PLAIN.fullmatch(str(tag.get("id") or "")):
        own.insert(0, f"#{tag['id']}")
    tried = [] if bare else list(own)
    for above in tag.parents:
        if isinstance(above, Page):
            break
        if PLAIN.fullmatch(str(above.get("id") or "")):
            tried += [f"#{above['id']} {name}" for name in own]
        tried += [f"{above.name}.{each} {name}" for each in _classes(above) for name in own]
        if above.name in ("main", "article"):
            tried += [f"{above.name} {name}" for name in own]
    best: tuple[int, str] | None = None
    for selector in [*tried, *bare]:
        try:
            found = page.select(selector)
        except ScrapingError:
            continue
        if tag not in found or len(found) < wanted:
            continue
        if len(found) == wanted:
            return selector
        if wanted > 1 and len(found) <= wanted * 1.25 and (not best or len(found) < best[0]):
            best = len(found), selector
    return best[1] if best else None


def _by_label(page: Page, tag: Tag) -> str | None:
    """A selector for a value that only its label tells apart: the <dd> after a <dt>."""
    label = tag.find_previous_sibling("dt") if tag.name == "dd" else None
    words = " ".join(label.get_text().split()).strip(":") if label else ""
    if not re.fullmatch(r"[\w -]{2,30}", words):
        return None
    selector = f'dt:-soup-contains("{words}") + dd'
    return selector if len(page.select(selector)) == 1 else None


def _fields(items: list[Tag]) -> list[Field]:
    """What (nearly) every item holds once, and not always the same."""
    texts: dict[str, list[str]] = defaultdict(list)
    first: dict[str, Tag] = {}
    sampled = items[:MOST_SAMPLED]
    for item in sampled:
        counted: dict[str, list[Tag]] = defaultdict(list)
        for tag in item.descendants:
            counted[_form(tag)].append(tag)
        for form, tags in counted.items():
            if len(tags) == 1:
                first.setdefault(form, tags[0])
                texts[form].append(_said(tags[0]))
    names: set[str] = set()
    found: list[Field] = []
    for form, said in texts.items():
        enough = len(said) >= 0.8 * len(sampled)
        if not enough or len(set(said)) < 2 or not any(said) or _only_wraps(first[form]):
            continue
        field = _field(first[form], form if "." not in form else "." + form.split(".", 1)[1], names)
        if not field or field.example in {one.example for one in found}:
            continue
        if field := _tried(field, items):
            found.append(field)
    if not found and items:
        own = _field(items[0], "", names)
        own = _tried(own, items) if own else None
        found = [own] if own else []
    return found[:MOST_FIELDS]


def _tried(field: Field, places: list[Page] | list[Tag]) -> Field | None:
    """The field as it can be had of every item: text where that is not always a number or a date.

    A picture may always be missing: its file may be gone, or be none that can be read.
    """
    if field.kind == "image":
        return None if NO_PICTURE.match(field.example) else replace(field, optional=True)
    optional = len(places) > MOST_TRIED
    for place in places[:MOST_TRIED]:
        try:
            READERS[field.kind](place, field.selector)
        except NotFound:
            optional = True
        except BadValue:
            return _tried(replace(field, kind="text"), places)
    return replace(field, optional=optional)


def _only_wraps(tag: Tag) -> bool:
    """Whether all that an element says is said by one element in it."""
    inner = tag.find_all(True, recursive=False)
    return len(inner) > 0 and tag.name != "a" and _said(tag) in {_said(one) for one in inner}


def _said(tag: Tag) -> str:
    if tag.name == "img":
        return str(tag.get("src") or "")
    return " ".join(str(tag.get("datetime") or tag.get_text()).split())


def _field(tag: Tag, selector: str, names: set[str]) -> Field | None:
    said = _said(tag)
    if not said or len(said) > LONGEST_VALUE:
        return None
    kind, word = "text", (_classes(tag) or [str(tag.get("itemprop") or "")])[0]
    if not word and tag.name == "dd":
        label = tag.find_previous_sibling("dt")
        word = label.get_text() if label else ""
    if tag.name == "img":
        kind, word = "image", word or "image"
    elif DATE.fullmatch(said):
        kind, word = "date", word or "date"
    elif len(said) < 20 and _mostly_number(said):
        kind = "number"
    word = word or {"a": "title", "h1": "title", "h2": "title", "h3": "title"}.get(tag.name, "text")
    return Field(_name(word, names), selector, kind, said[:LONGEST])


def _mostly_number(said: str) -> bool:
    digits = re.sub(r"[^\d.,]", "", said)
    return digits != "" and len(digits) * 2 >= len(said.replace(" ", ""))


def _name(word: str, taken: set[str]) -> str:
    """A Python name made of a class or a label, once only."""
    name = re.sub(r"\W+", "_", word.lower(), flags=re.ASCII).strip("_")[:30]
    if not name or name[0].isdigit() or keyword.iskeyword(name):
        name = f"field_{name}".strip("_")
    return once(name, taken)


def once(name: str, taken: set[str]) -> str:
    """The name, numbered if it is taken."""
    number, unique = 1, name
    while unique in taken:
        number += 1
        unique = f"{name}_{number}"
    taken.add(unique)
    return unique


def _item_link(page: Page, selector: str, items: list[Tag]) -> tuple[str | None, str | None]:
    """A selector of the links by which the items lead on, and the first address they lead to."""
    if not items:
        return None, None
    tries = [selector] if items[0].name == "a" else []
    for link in items[0].select("a[href]") if not tries else ():
        form = _form(link)
        tries += [
            tried
            for tried in (form, f"{selector} {form}")
            if link in (found := page.select(tried))
            and len(items) <= len(found) <= len(items) * 1.25
        ]
    for tried in tries:
        addresses = _other_pages(page, page.select(tried))
        if 2 * len(addresses) >= len(items):
            return tried, addresses[0]
    return None, None


def _other_pages(page: Page, links: list[Tag]) -> list[str]:
    """The addresses of other pages of this site that links lead to, each once."""
    here = urlsplit(page.url)
    found: dict[str, str] = {canonical(page.url): page.url}
    for link in links:
        try:
            address = resolve(page.base, link.get("href") or "")
        except Refused:
            continue
        parts = urlsplit(address)
        if parts.netloc == here.netloc and not NO_PAGE.search(parts.path):
            found.setdefault(canonical(address), address)
    return list(found.values())[1:]


def tables(page: Page) -> Iterable[tuple[int, int, list[str]]]:
    """Rows, columns and column names of each table that holds data."""
    for table in page.select("table")[:20]:
        rows = table.select("tr")
        cells = [row.select("td, th") for row in rows[:5]]
        width = max((len(row) for row in cells), default=0)
        if len(rows) >= 2 and width >= 2 and not table.select_one("table"):
            names = [" ".join(cell.get_text().split())[:30] for cell in cells[0]]
            yield len(rows), width, names
