"""A page as Beautiful Soup shows it, over the much faster lxml tree.

What is not here is one step away: `page.soup` is the real BeautifulSoup. Selectors that
scraping/reading/selector.py lacks are answered by the real one as well, without being asked.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree  # ty: ignore[missing-module-member] - compiled, no stubs
from requests.structures import CaseInsensitiveDict

from scraping.errors import BadValue, Misuse, Refused, printable
from scraping.net.address import resolve
from scraping.net.body import as_text, utf8_of
from scraping.net.fetch import Response
from scraping.reading import embedded, markup
from scraping.reading.selector import Classes, compiled
from scraping.reading.tag import Tag, strings_of

if TYPE_CHECKING:
    from bs4 import BeautifulSoup


class Page(Tag):
    """One archived page: `url, fetched, status, headers`, and its elements.

    Args:
        response: What was archived.
        media: For each image or file shown, where it lies in the archive or why it does not.
        archive: The archive's folder.
    """

    __slots__ = ("__dict__", "archive", "fetched", "media", "response", "status", "url")

    def __init__(
        self,
        response: Response,
        media: dict[str, tuple[str, int] | str] | None = None,
        archive: Path | None = None,
    ) -> None:
        """Nothing is parsed before it is asked for."""
        self.response, self.media, self.archive = response, media or {}, archive
        self.url, self.status, self.fetched = response.url, response.status, response.fetched

    @classmethod
    def of(cls, markup: str | bytes, url: str = "http://sandbox/") -> Page:
        """A page made up, such as for a test: `Page.of("<h1>Wren</h1>")`; JSON works too."""
        body = markup.encode() if isinstance(markup, str) else markup
        return cls(Response(url, 200, "OK", [], body, body))

    @property
    def page(self) -> Page:  # ty: ignore[incompatible-property-override]
        """Itself: asked of any element, the page that it is on."""
        return self  # a reference held would be a cycle, and keep the tree until it is collected

    @cached_property
    def headers(self) -> CaseInsensitiveDict:
        """The answer's headers."""
        return CaseInsensitiveDict(self.response.headers)

    @cached_property
    def source(self) -> str:
        """The page's text, in the encoding found."""
        return as_text(self.response.body, self.response.header("Content-Type"))

    @cached_property
    def _utf8(self) -> bytes:
        """The page's text for the parser: the very body, where that is the same."""
        return utf8_of(self.response.body, self.response.header("Content-Type"))

    @cached_property
    def _element(self) -> etree._Element:
        root = markup.parsed(self.url, self._utf8)
        # An empty page has no element at all; a comment stands in for the first.
        return root if root is not None else etree.Comment("")

    @cached_property
    def _roots(self) -> list[etree._Element]:
        """The outermost elements: what follows </html> is a second one, as in bs4."""
        if not isinstance(self._element.tag, str):
            return []
        return [self._element, *self._element.itersiblings("*")]

    @cached_property
    def _classes(self) -> Classes:
        return Classes(self._roots)

    @cached_property
    def _has_templates(self) -> bool:
        return any(True for root in self._roots for _ in root.iter("template"))

    @cached_property
    def soup(self) -> BeautifulSoup:
        """The real BeautifulSoup of this page."""
        from bs4 import BeautifulSoup

        markup.check_soup(self.url, self._utf8)
        with warnings.catch_warnings():
            # That a page looks like XML, or like a file's name, is no news here.
            warnings.simplefilter("ignore", UserWarning)
            return BeautifulSoup(self.source, "lxml", huge_tree=True)

    def json(self) -> Any:
        """The page's data, if it is JSON rather than HTML.

        Raises:
            BadValue: It is not JSON, nests too deep, or holds more than two million objects.
        """
        try:
            return embedded.loads(self.source)
        except ValueError as fault:
            raise BadValue(
                f"{self.url}: not JSON ({fault}); it begins with {printable(self.source, 80)!r}"
            ) from None

    def jsonld(self, *, skip_broken: bool = False) -> list[dict[str, Any]]:
        """Every JSON-LD object of the page, in order; lists and `@graph` taken apart.

        Raises:
            BadValue: A script of that type holds no JSON, unless broken ones are to be skipped.
        """
        found, faults = embedded.jsonld(self)
        if not skip_broken:
            embedded.complain(self, faults)
        return found

    def embedded(self, *, skip_broken: bool = False) -> dict[str, Any]:
        """JSON that the page carries in scripts and attributes, as plain data.

        Keys: the id of a <script type="application/json"> (`__NEXT_DATA__`), the name of a
        variable that a script assigns (`__INITIAL_STATE__`), `__next_f` for the pieces that
        Next.js pushes, `id[data-props]` for an attribute of an element that has an id. What is
        JavaScript rather than JSON is not there: nothing is run.

        Raises:
            BadValue: A script that says it is JSON is not, unless broken ones are to be skipped.
        """
        found, faults = embedded.embedded(self)
        if not skip_broken:
            embedded.complain(self, faults)
        return found

    @cached_property
    def base(self) -> str:
        """The address that the page's relative links start from."""
        named = self._element.find(".//base[@href]")
        if named is None:
            return self.url
        try:
            return resolve(self.url, named.get("href", ""))
        except Refused:
            return self.url

    @property
    def is_html(self) -> bool:
        """Whether links may be looked for in it."""
        kind = self.response.header("Content-Type").partition(";")[0].strip().lower()
        return kind in ("", "text/html", "application/xhtml+xml", "application/xml", "text/xml")

    @property
    def name(self) -> str:
        """As in bs4."""
        return "[document]"

    @property
    def attrs(self) -> dict[str, Any]:
        """None: a page is no element."""
        return {}

    def get(self, name: str, default: Any = None) -> Any:
        """The default: a page is no element."""
        return default

    @property
    def contents(self) -> list[Tag | str]:
        """The page's outermost elements."""
        return [Tag(element, self) for element in self._below() if element.getparent() is None]

    @property
    def strings(self) -> Iterator[str]:
        """Every piece of text on the page, without comments, scripts and the like."""
        return (piece for root in self._roots for piece in strings_of(root))

    @property
    def parent(self) -> None:
        """None: nothing is around a page."""
        return

    def __repr__(self) -> str:
        return f"<Page {printable(self.url)}>"

    def _below(self, name: str = "*") -> Iterator[etree._Element]:
        return (element for root in self._roots for element in root.iter(name))

    def matching(self, selector: str, within: Tag | None = None) -> Iterator[etree._Element]:
        """The lxml elements that a CSS selector matches, in order, one after another.

        Raises:
            Misuse: It is no CSS selector.
        """
        ready = compiled(selector)
        element = None if within is None or within is self else within._element
        if ready is None or (ready.relates and self._has_templates):
            return iter(self._matching_in_soup(selector, within))
        found = ready.within(self._classes, element)
        if self._has_templates:
            return (match for match in found if not _in_template(match, element))
        return found

    def _matching_in_soup(self, selector: str, within: Tag | None) -> list[etree._Element]:
        from soupsieve import SelectorSyntaxError

        try:
            return self.from_soup(self.in_soup(within or self).select(selector))
        except (SelectorSyntaxError, NotImplementedError, ValueError) as fault:
            reason = str(fault).partition("\n")[0]
            raise Misuse(f"{printable(selector)!r} is no CSS selector: {reason}") from None

    @cached_property
    def _twins(self) -> tuple[dict[etree._Element, Any], dict[int, etree._Element]]:
        """bs4's object for each element, and the element for each (by its id)."""
        ours, theirs = list(self._below()), self.soup.find_all(True)
        if [element.tag for element in ours] != [tag.name for tag in theirs]:
            raise BadValue(
                f"{self.url}: lxml and Beautiful Soup read this page differently; "
                "use page.soup for all of it"
            )
        pairs = list(zip(ours, theirs, strict=True))
        return dict(pairs), {id(tag): element for element, tag in pairs}

    def in_soup(self, tag: Tag) -> Any:
        """The real bs4 object for one of this page's elements."""
        return self.soup if tag is self else self._twins[0][tag._element]

    def from_soup(self, tags: Iterable[Any]) -> list[etree._Element]:
        """This page's elements for real bs4 objects."""
        return [self._twins[1][id(tag)] for tag in tags]

    def is_bare(self, element: etree._Element, name: str) -> bool:
        """Whether an attribute that has its own name as value was written without one."""
        return name in self._bare.get(element, ())

    @cached_property
    def _bare(self) -> dict[etree._Element, frozenset[str]]:
        ours, starts = list(self._below()), markup.without_value(self._utf8)
        if [element.tag for element in ours] != [tag for tag, _ in starts]:
            return {}
        return {element: bare for element, (_, bare) in zip(ours, starts, strict=True) if bare}


def _in_template(element: etree._Element, within: etree._Element | None) -> bool:
    """Whether an element is content of a template, and so none of the page, seen from `within`."""
    for above in element.iterancestors():
        if above is within:
            return False
        if above.tag == "template":
            return True
    return False


def check_selector(selector: str) -> None:
    """Raise Misuse, before anything is fetched, if this is no CSS selector."""
    if compiled(selector) is None:
        Page(Response("about:blank", 200, "", [], b"", b"<p>")).matching(selector)
