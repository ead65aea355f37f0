"""A page as Beautiful Soup shows it, over the much faster lxml tree.

What is not here is one step away: `page.soup` is the real BeautifulSoup. Selectors that cssselect
lacks are answered by the real one as well, without being asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cssselect import HTMLTranslator, SelectorError
from cssselect.parser import CombinedSelector, parse
from lxml import etree  # ty: ignore[missing-module-member] - compiled, no stubs
from requests.structures import CaseInsensitiveDict

from scraping.body import as_text
from scraping.errors import BadValue, Misuse, Refused, printable
from scraping.fetch import Response
from scraping.frontier import resolve
from scraping.tag import Tag, strings_of

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
        self.page = self

    @cached_property
    def headers(self) -> CaseInsensitiveDict:
        """The answer's headers."""
        return CaseInsensitiveDict(self.response.headers)

    @cached_property
    def source(self) -> str:
        """The page's text, in the encoding found."""
        return as_text(self.response.body, self.response.header("Content-Type"))

    @cached_property
    def _element(self) -> etree._Element:
        source = self.source.encode("utf-8", "replace")
        try:
            root = etree.fromstring(source, etree.HTMLParser(encoding="utf-8"))
        except (etree.ParserError, etree.XMLSyntaxError):
            root = None
        # An empty page has no element at all; a comment stands in for the first.
        return root if root is not None else etree.Comment("")

    @cached_property
    def _roots(self) -> list[etree._Element]:
        """The outermost elements: what follows </html> is a second one, as in bs4."""
        if not isinstance(self._element.tag, str):
            return []
        return [self._element, *self._element.itersiblings("*")]

    @cached_property
    def _has_templates(self) -> bool:
        return any(True for root in self._roots for _ in root.iter("template"))

    @cached_property
    def soup(self) -> BeautifulSoup:
        """The real BeautifulSoup of this page."""
        from bs4 import BeautifulSoup

        return BeautifulSoup(self.source, "lxml")

    def json(self) -> Any:
        """The page's data, if it is JSON rather than HTML."""
        try:
            return json.loads(self.source)
        except ValueError as fault:
            raise BadValue(
                f"{self.url}: not JSON ({fault}); it begins with {printable(self.source, 80)!r}"
            ) from None

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

    def _below(self) -> Iterator[etree._Element]:
        return (element for root in self._roots for element in root.iter("*"))

    def matching(self, selector: str, within: Tag | None = None) -> list[etree._Element]:
        """The lxml elements that a CSS selector matches, in order.

        Raises:
            Misuse: It is no CSS selector.
        """
        compiled = _compiled(selector)
        element = None if within is None or within is self else within._element
        if compiled is None or (compiled[1] and element is not None and self._has_templates):
            return self._matching_in_soup(selector, within)
        path, combined = compiled
        if element is None or combined:
            found = [match for root in self._roots for match in path(root)]
        else:
            found = [match for match in path(element) if match is not element]
        if element is not None and combined:
            # As in bs4, the parts before the last may match outside this element.
            found = [match for match in found if element in match.iterancestors()]
        if self._has_templates:
            found = [match for match in found if not _in_template(match, element)]
        return found

    def _matching_in_soup(self, selector: str, within: Tag | None) -> list[etree._Element]:
        from soupsieve import SelectorSyntaxError

        try:
            return self.from_soup(self.in_soup(within or self).select(selector))
        except (SelectorSyntaxError, NotImplementedError, ValueError) as fault:
            reason = str(fault).partition("\n")[0]
            raise Misuse(f"{printable(selector)!r} is no CSS selector: {reason}") from None

    @cached_property
    def _twins(self) -> tuple[list[etree._Element], list[Any]]:
        """The elements of both trees, in step."""
        ours, theirs = list(self._below()), self.soup.find_all(True)
        if [element.tag for element in ours] != [tag.name for tag in theirs]:
            raise BadValue(
                f"{self.url}: lxml and Beautiful Soup read this page differently; "
                "use page.soup for all of it"
            )
        return ours, theirs

    def in_soup(self, tag: Tag) -> Any:
        """The real bs4 object for one of this page's elements."""
        if tag is self:
            return self.soup
        ours, theirs = self._twins
        return theirs[ours.index(tag._element)]

    def from_soup(self, tags: Iterable[Any]) -> list[etree._Element]:
        """This page's elements for real bs4 objects."""
        ours, theirs = self._twins
        places = {id(tag): place for place, tag in enumerate(theirs)}
        return [ours[places[id(tag)]] for tag in tags]


@lru_cache(maxsize=512)
def _compiled(selector: str) -> tuple[etree.XPath, bool] | None:
    """A CSS selector as XPath, and whether it has several parts; None if bs4 has to do it."""
    if ":scope" in selector:
        return None
    try:
        parsed = parse(selector)
        path = HTMLTranslator().css_to_xpath(selector)
    except SelectorError:
        return None
    return etree.XPath(path), any(_is_combined(part.parsed_tree) for part in parsed)


def _is_combined(tree: object) -> bool:
    """Whether a selector relates elements, also within :not() and the like."""
    if isinstance(tree, CombinedSelector):
        return True
    inner = [getattr(tree, name, None) for name in ("selector", "subselector")]
    inner += getattr(tree, "selector_list", None) or []
    return any(part is not None and _is_combined(part) for part in inner)


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
    if _compiled(selector) is None:
        Page(Response("about:blank", 200, "", [], b"", b"<p>")).matching(selector)
