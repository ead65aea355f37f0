"""An element of a page with bs4's everyday interface, over lxml's tree.

Tests hold it against bs4 over thousands of real pages. What differs, because it is better so:

- White space and comments outside <html>, instructions and the doctype are not shown; a text that
  they stand in is one text, where bs4 has two.
- An element within a <template> has its text; in bs4 it has none.
- `descendants` are elements only, and `find_all(string=…)` gives elements, not texts.
- `page.misspelt` is an error, where bs4 finds no element of that name and says None.
- `str(tag)` is HTML as lxml writes it: <br>, where bs4 writes <br/>.
- Elements may nest 2,048 deep; bs4 drops in silence what is beyond 256.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from lxml import etree  # ty: ignore[missing-module-member] - compiled, no stubs

from scraping.errors import printable
from scraping.reading.markup import BARE

if TYPE_CHECKING:
    from scraping.reading.page import Page

# What bs4 gives as a list of words, whatever the element …
WORDS = frozenset({"class", "accesskey", "dropzone"})
# … and for some elements only.
WORDS_OF = {
    "a": {"rel", "rev"},
    "area": {"rel"},
    "form": {"accept-charset"},
    "icon": {"sizes"},
    "iframe": {"sandbox"},
    "link": {"rel", "rev"},
    "object": {"archive"},
    "output": {"for"},
    "td": {"headers"},
    "th": {"headers"},
}
# Elements in which white space counts …
PREFORMATTED = frozenset({"pre", "textarea"})
# … and what is white space there and elsewhere.
SPACES = " \n\t\f\r"
# Elements whose text is no part of the text around them.
APART = frozenset({"script", "style", "template", "rt", "rp"})
# What `page.title` and the like may name; as in bs4, but a misspelt method is an error.
TAGS = frozenset(
    """a abbr address area article aside audio b base blockquote body br button canvas caption cite
    code col dd del details dfn dialog div dl dt em embed fieldset figcaption figure footer form h1
    h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend li link main map
    mark meta nav object ol option p picture pre q s samp script section small source span strong
    style sub summary sup svg table tbody td template textarea tfoot th thead time title tr u ul var
    video""".split()  # noqa: SIM905 - a hundred quotes would not read better
)

Match = str | re.Pattern[str] | bool | None | Callable[[Any], bool] | Iterable[Any]


class Comment(str):
    """A comment among an element's contents."""

    __slots__ = ()


class Tag:
    """One element of a page. Two are equal when they are the same element."""

    __slots__ = ("_element", "page")

    def __init__(self, element: etree._Element, page: Page) -> None:
        """Wrap an element; pages do this."""
        self._element, self.page = element, page

    # What it is

    @property
    def name(self) -> str:
        """The element's name, in lower case."""
        return str(self._element.tag)

    @property
    def attrs(self) -> dict[str, Any]:
        """The attributes; those that hold several words as lists of them."""
        return {name: self._shown(name, value) for name, value in self._element.items()}

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute's value, or the default."""
        value = self._value(name)
        return default if value is None else self._shown(name, value)

    def _value(self, name: str) -> str | None:
        if name.startswith("{"):  # which lxml would take for a namespace
            return dict(self._element.items()).get(name)
        return self._element.get(name)

    def _shown(self, name: str, value: str) -> str | list[str]:
        """An attribute's value as bs4 gives it."""
        if value == name and name in BARE and self.page.is_bare(self._element, name):
            return ""
        if name in WORDS or name in WORDS_OF.get(self._element.tag, ()):
            return value.split()
        return value

    def has_attr(self, name: str) -> bool:
        """Whether the element has the attribute."""
        return self._value(name) is not None

    def __getitem__(self, name: str) -> Any:
        """An attribute's value; KeyError if there is none."""
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tag) and self._element is other._element

    def __hash__(self) -> int:
        return hash(self._element)

    def __bool__(self) -> bool:
        return True

    def __str__(self) -> str:
        return etree.tostring(self._element, encoding="unicode", method="html", with_tail=False)

    def __repr__(self) -> str:
        return printable(self)

    # What it says

    @property
    def strings(self) -> Iterator[str]:
        """Every piece of text in it, without comments, scripts and the like."""
        return strings_of(self._element)

    @property
    def stripped_strings(self) -> Iterator[str]:
        """Every piece of text in it that is more than space, without the space around."""
        return (stripped for piece in self.strings if (stripped := piece.strip()))

    def get_text(self, separator: str = "", strip: bool = False) -> str:
        """The text in it, as one."""
        return separator.join(self.stripped_strings if strip else self.strings)

    @property
    def text(self) -> str:
        """The text in it, as one."""
        return self.get_text()

    @property
    def string(self) -> str | None:
        """Its text if it holds that alone, perhaps within one other element; else None."""
        contents = self.contents
        if len(contents) != 1:
            return None
        return contents[0].string if isinstance(contents[0], Tag) else contents[0]

    # Where it is

    @property
    def contents(self) -> list[Tag | str]:
        """Elements and texts directly in it."""
        element = self._element
        found: list[Tag | str] = [_said(element.text, element)] if element.text else []
        for child in element:
            found += self._with_tail(child)
        return found

    @property
    def children(self) -> Iterator[Tag | str]:
        """Elements and texts directly in it, one after another."""
        return iter(self.contents)

    def __iter__(self) -> Iterator[Tag | str]:
        return iter(self.contents)

    def __len__(self) -> int:
        return len(self.contents)

    @property
    def descendants(self) -> Iterator[Tag]:
        """Every element in it."""
        return (Tag(element, self.page) for element in self._below())

    @property
    def parent(self) -> Tag | None:
        """The element around it; the page around the first."""
        above = self._element.getparent()
        return Tag(above, self.page) if above is not None else self.page

    @property
    def parents(self) -> Iterator[Tag]:
        """The elements around it, from the inside out."""
        above = self.parent
        while above is not None:
            yield above
            above = above.parent

    @property
    def next_siblings(self) -> Iterator[Tag | str]:
        """The elements and texts after it, in the same parent."""
        above = self._element.getparent()
        if above is not None and self._element.tail:
            yield _said(self._element.tail, above)
        for element in self._element.itersiblings():
            yield from self._with_tail(element)

    @property
    def previous_siblings(self) -> Iterator[Tag | str]:
        """The elements and texts before it in the same parent, nearest first."""
        for element in self._element.itersiblings(preceding=True):
            yield from reversed(self._with_tail(element))
        above = self._element.getparent()
        if above is not None and above.text:
            yield _said(above.text, above)

    @property
    def next_sibling(self) -> Tag | str | None:
        """The element or text right after it."""
        return next(self.next_siblings, None)

    @property
    def previous_sibling(self) -> Tag | str | None:
        """The element or text right before it."""
        return next(self.previous_siblings, None)

    # What is in and around it

    def select(self, selector: str, limit: int | None = None) -> list[Tag]:
        """Every element in it that the CSS selector matches, in the page's order."""
        found = self.page.matching(selector, self)
        return [Tag(element, self.page) for element in islice(found, limit or None)]

    def select_one(self, selector: str) -> Tag | None:
        """The first element in it that the CSS selector matches."""
        found = next(self.page.matching(selector, self), None)
        return None if found is None else Tag(found, self.page)

    def find_all(
        self,
        name: Match = None,
        attrs: dict[str, Match] | str | None = None,
        recursive: bool = True,
        string: Match = None,
        limit: int | None = None,
        **more: Match,
    ) -> list[Tag]:
        """Every element in it with such a name and such attributes, as bs4 understands them."""
        wanted = {"class": attrs} if isinstance(attrs, str) else dict(attrs or {})
        wanted.update({"class" if key == "class_" else key: value for key, value in more.items()})
        if string is not None:
            near = self.page.in_soup(self)
            tags = near.find_all(name, wanted, recursive, string, limit)
            return [Tag(element, self.page) for element in self.page.from_soup(tags)]
        if recursive and not wanted and isinstance(name, str) and name.isalnum():
            found = islice(self._below(name), limit or None)
            return [Tag(element, self.page) for element in found]
        below = self._below() if recursive else self._element.iterchildren("*")
        found = []
        for element in below:
            tag = Tag(element, self.page)
            if _matches(tag, name, wanted):
                found.append(tag)
                if limit and len(found) >= limit:
                    break
        return found

    def find(self, name: Match = None, attrs: Any = None, **more: Any) -> Tag | None:
        """The first such element in it, or None."""
        return next(iter(self.find_all(name, attrs, limit=1, **more)), None)

    def find_parent(self, name: Match = None, **attrs: Match) -> Tag | None:
        """The nearest such element around it, or None."""
        return _first(self.parents, name, attrs)

    def find_next_sibling(self, name: Match = None, **attrs: Match) -> Tag | None:
        """The nearest such element after it in the same parent, or None."""
        return _first(self.next_siblings, name, attrs)

    def find_previous_sibling(self, name: Match = None, **attrs: Match) -> Tag | None:
        """The nearest such element before it in the same parent, or None."""
        return _first(self.previous_siblings, name, attrs)

    def __getattr__(self, name: str) -> Tag | None:
        """The first element in it of that name, as in `page.title`."""
        if name in TAGS:
            return self.find(name)
        raise AttributeError(
            f"a {type(self).__name__.lower()} has no {name!r}; "
            f"for an element of that name: find({name!r}); all that bs4 can do: page.soup"
        )

    def _below(self, name: str = "*") -> Iterator[etree._Element]:
        return self._element.iterdescendants(name)

    def _with_tail(self, element: etree._Element) -> list[Tag | str]:
        """An element or comment and the text after it."""
        here: list[Tag | str] = []
        above = element.getparent()
        if isinstance(element.tag, str):
            here.append(Tag(element, self.page))
        elif element.tag is etree.Comment:
            here.append(Comment(_said(element.text or " ", above)))
        if above is not None and element.tail:
            here.append(_said(element.tail, above))
        return here


def strings_of(outermost: etree._Element) -> Iterator[str]:
    """The texts below an element in order, without those that are apart from it."""
    if outermost.text and isinstance(outermost.tag, str):
        yield _said(outermost.text, outermost)
    # A stack of our own: pages nest deeper than Python's.
    levels = [(iter(outermost), outermost)]
    while levels:
        children, above = levels[-1]
        child = next(children, None)
        if child is None:
            levels.pop()
            if above is not outermost and above.tail:
                yield _said(above.tail, above.getparent())
        elif isinstance(child.tag, str) and (child.tag not in APART or child.tag == outermost.tag):
            if child.text:
                yield _said(child.text, child)
            levels.append((iter(child), child))
        elif child.tail:
            yield _said(child.tail, above)


def _said(text: str, within: etree._Element | None) -> str:
    """A text as bs4 keeps it: nothing but white space is one space or line end, save in <pre>."""
    if text.strip(SPACES) or within is None:
        return text
    if within.tag in PREFORMATTED or any(a.tag in PREFORMATTED for a in within.iterancestors()):
        return text
    return "\n" if "\n" in text else " "


def _matches(tag: Tag, name: Match, attrs: dict[str, Match]) -> bool:
    if name is not None:
        if callable(name) and not isinstance(name, type):
            if not name(tag):
                return False
        elif not _fits(tag.name, name):
            return False
    return all(_attribute_fits(tag.get(key), wanted) for key, wanted in attrs.items())


def _attribute_fits(value: Any, wanted: Match) -> bool:
    """As bs4: several words fit when one of them does, or all of them as one."""
    if isinstance(value, list):
        return any(_fits(word, wanted) for word in value) or _fits(" ".join(value), wanted)
    return _fits(value, wanted)


def _fits(value: str | None, wanted: Match) -> bool:
    if wanted is None or isinstance(wanted, bool):
        return (value is not None) == bool(wanted)
    if callable(wanted):
        return bool(wanted(value))
    if value is None:
        return False
    if isinstance(wanted, str):
        return value == wanted
    if isinstance(wanted, re.Pattern):
        return wanted.search(value) is not None
    return any(_fits(value, one) for one in wanted)


def _first(candidates: Iterable[Tag | str], name: Match, attrs: dict[str, Match]) -> Tag | None:
    wanted = {"class" if key == "class_" else key: value for key, value in attrs.items()}
    for tag in candidates:
        if isinstance(tag, Tag) and _matches(tag, name, wanted):
            return tag
    return None
