"""CSS selectors matched on lxml's tree, by the rules of bs4's Soup Sieve.

Every answer is had in time proportional to the page, whatever the page: what is known about an
element's ancestors and siblings is kept for the length of one question. XPath, which lxml offers
for this, takes the square of the number of siblings for `a ~ b` or `:nth-child(2)`, cannot be
interrupted, and is slower on ordinary pages too.

What is rare (`:scope`, `:root`, `:lang()`, `:-soup-contains()`, `:nth-child(1 of p)`, namespaces,
states of forms) is not done here: `compiled` gives None, and the page asks the real Soup Sieve.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from cssselect import SelectorError
from cssselect import parser as css
from lxml import etree  # ty: ignore[missing-module-member] - compiled, no stubs

from scraping.reading.markup import BARE

SPACES = re.compile("[ \t\r\n\f]+")

Known = dict[Any, Any]  # what one question has found out so far; `Known["roots"]`: the page's
Test = Callable[[etree._Element, Known], bool]


class NotHere(Exception):
    """A selector that only the real Soup Sieve answers."""


class Selector(NamedTuple):
    """A selector ready to match."""

    names: tuple[str, ...]  # which names a match may have; none: any
    test: Test  # what a match must pass besides
    relates: bool  # whether it asks about other elements than the match
    word: str | None = None  # a class that every match has, if it is known

    def within(self, classes: Classes, element: etree._Element | None) -> Iterator[etree._Element]:
        """The matches below one element, or on the whole page, in the page's order."""
        known: Known = {"roots": classes.roots}
        names, test = self.names or ("*",), self.test
        if element is not None:
            return (one for one in element.iterdescendants(*names) if test(one, known))
        if self.word is not None:
            having = classes.having(self.word)
            if self.names:
                having = (one for one in having if one.tag in names)
            return (one for one in having if test(one, known))
        return (one for root in classes.roots for one in root.iter(*names) if test(one, known))


class Classes:
    """A whole page's elements by class: read on as far as the questions ask, each element once."""

    def __init__(self, roots: list[etree._Element]) -> None:
        """`roots`: the page's outermost elements; nothing is read yet."""
        self.roots = roots
        self._having: dict[str, list[etree._Element]] = {}
        self._rest = (one for root in roots for one in root.iter("*"))

    def having(self, word: str) -> Iterator[etree._Element]:
        """The elements of this class, in the page's order."""
        found = self._having.setdefault(word, [])
        place = 0
        while place < len(found) or self._read_on(found):
            yield found[place]
            place += 1

    def _read_on(self, found: list[etree._Element]) -> bool:
        """Read until one more element is in `found`; whether there was one."""
        having, before = self._having, len(found)
        for one in self._rest:
            words = one.get("class")
            if words is None:
                continue
            for word in words.split():
                there = having.get(word)
                if there is None:
                    having[word] = [one]
                elif not there or there[-1] is not one:  # a class may be written twice
                    there.append(one)
            if len(found) > before:
                return True
        return False


@lru_cache(maxsize=512)
def compiled(selector: str) -> Selector | None:
    """The selector ready to match; None if Soup Sieve has to do it, or to say what is wrong."""
    try:
        trees = [part.parsed_tree for part in _parsed(selector)]
        parts = [_complex(tree) for tree in trees]
    except (SelectorError, NotHere):
        return None
    names = tuple(dict.fromkeys(name for name, _ in parts if name))
    if len(names) < len({name for name, _ in parts}):
        names = ()
    relates = any(map(_relates, trees))
    if len(parts) == 1:
        return Selector(names, parts[0][1], relates, _class(trees[0]))
    tests = [_named(name, test) for name, test in parts]
    return Selector(
        names, lambda element, known: any(test(element, known) for test in tests), relates
    )


def _class(tree: Any) -> str | None:
    """A class that whatever a selector matches must have; None if it names none."""
    while isinstance(tree, css.CombinedSelector):
        tree = tree.subselector
    while not isinstance(tree, css.Class | css.Element):
        tree = tree.selector
    return tree.class_name if isinstance(tree, css.Class) else None


def _parsed(selector: str) -> list[css.Selector]:
    parts = css.parse(selector)
    if any(part.pseudo_element for part in parts):
        raise NotHere
    return parts


def _relates(tree: Any) -> bool:
    """Whether a selector asks about other elements, also within :not() and the like."""
    if isinstance(tree, css.CombinedSelector | css.Relation):
        return True
    inner = [getattr(tree, name, None) for name in ("selector", "subselector")]
    inner += getattr(tree, "selector_list", None) or []
    return any(part is not None and _relates(part) for part in inner)


def _named(name: str | None, test: Test) -> Test:
    """The test with the element's name made part of it."""
    if name is None:
        return test
    return lambda element, known: element.tag == name and test(element, known)


def _whole(tree: Any) -> Test:
    return _named(*_complex(tree))


def _complex(tree: Any) -> tuple[str | None, Test]:
    """A selector with its combinators: the name of what it matches, and the test."""
    if not isinstance(tree, css.CombinedSelector):
        return _compound(tree)
    name, right = _complex(tree.subselector)
    left = _whole(tree.selector)
    step = {" ": _below, ">": _child, "~": _after, "+": _next}.get(tree.combinator)
    if step is None:
        raise NotHere
    return name, step(left, right)


def _child(left: Test, right: Test) -> Test:
    def test(element: etree._Element, known: Known) -> bool:
        if not right(element, known):
            return False
        above = element.getparent()
        return above is not None and left(above, known)

    return test


def _next(left: Test, right: Test) -> Test:
    def test(element: etree._Element, known: Known) -> bool:
        if not right(element, known):
            return False
        before = _before(element)
        return before is not None and left(before, known)

    return test


def _below(left: Test, right: Test) -> Test:
    return _somewhere(left, right, lambda element: element.getparent())


def _after(left: Test, right: Test) -> Test:
    return _somewhere(left, right, _before)


def _somewhere(
    left: Test, right: Test, step: Callable[[etree._Element], etree._Element | None]
) -> Test:
    """Whether an element passes `right`, and one that is a number of steps away `left`."""
    key = object()

    def test(element: etree._Element, known: Known) -> bool:
        if not right(element, known):
            return False
        seen = known.setdefault(key, {})  # for an element: whether it or one beyond it passes
        way = []
        found = False
        there = step(element)
        while there is not None:
            found = seen.get(there)
            if found is not None:
                break
            way.append(there)
            found = left(there, known)
            if found:
                break
            there = step(there)
        for passed in way:
            seen[passed] = found
        return bool(found)

    return test


def _before(element: etree._Element) -> etree._Element | None:
    """The element before this one, comments passed over."""
    there = element.getprevious()
    while there is not None and not isinstance(there.tag, str):
        there = there.getprevious()
    return there


def _behind(element: etree._Element) -> etree._Element | None:
    there = element.getnext()
    while there is not None and not isinstance(there.tag, str):
        there = there.getnext()
    return there


def _compound(tree: Any) -> tuple[str | None, Test]:
    """A selector without combinators: the element's name, and everything else as one test."""
    tests: list[Test] = []
    while not isinstance(tree, css.Element):
        tests.append(_simple(tree))
        tree = tree.selector
    if tree.namespace is not None:
        raise NotHere
    name = tree.element.lower() if tree.element else None
    if name and not re.fullmatch(r"[\w-]+", name):
        raise NotHere
    tests.reverse()
    if not tests:
        return name, lambda element, known: True
    if len(tests) == 1:
        return name, tests[0]
    return name, lambda element, known: all(test(element, known) for test in tests)


def _simple(tree: Any) -> Test:
    """The test for one condition on an element."""
    match tree:
        case css.Class(class_name=wanted):
            return lambda element, known: (
                (value := element.get("class")) is not None
                and wanted in value
                and wanted in value.split()
            )
        case css.Hash(id=wanted):
            return lambda element, known: element.get("id") == wanted
        case css.Attrib():
            return _attribute(tree)
        case css.Negation(subselector=inner):
            refused = _whole(inner)
            return lambda element, known: not refused(element, known)
        case css.Matching() | css.SpecificityAdjustment():
            tests = [_whole(inner) for inner in tree.selector_list]
            return lambda element, known: any(test(element, known) for test in tests)
        case css.Relation():
            return _has(tree.arguments)
        case css.Pseudo(ident=name) if name in PSEUDOS:
            return PSEUDOS[name]
        case css.Function(name="nth-child" | "nth-last-child" | "nth-of-type" | "nth-last-of-type"):
            try:
                step, offset = css.parse_series(tree.arguments)
            except ValueError:
                raise NotHere from None
            return _nth(step, offset, "of-type" in tree.name, "last" in tree.name)
    raise NotHere


def _attribute(tree: css.Attrib) -> Test:
    """The test for `[name]`, `[name=value]` and the like, with Soup Sieve's odd corners."""
    name = tree.attrib.lower()
    if tree.namespace is not None or not re.fullmatch(r"[\w:.-]+", name):
        raise NotHere
    if tree.operator == "exists":
        return lambda element, known: element.get(name) is not None
    if name in BARE:
        raise NotHere  # the tree does not tell `selected` from `selected=selected`
    wanted = str(tree.value.value) if tree.value else ""
    fold = tree.flag == "i" or (name == "type" and tree.flag is None)
    if fold and not wanted.isascii():
        raise NotHere
    if fold:
        wanted = wanted.lower()
    fits = _comparison(tree.operator, wanted)

    def test(element: etree._Element, known: Known) -> bool:
        value = element.get(name)
        if value is None:
            return tree.operator == "!="
        if name in ("class", "rel", "rev", "headers"):
            value = " ".join(value.split()) if _is_words(name, element.tag) else value
        return fits(value.lower() if fold else value)

    return test


def _is_words(name: str, tag: str) -> bool:
    from scraping.reading.tag import WORDS, WORDS_OF

    return name in WORDS or name in WORDS_OF.get(tag, ())


def _comparison(operator: str, wanted: str) -> Callable[[str], bool]:
    # One line end at the end does not count: Soup Sieve compares by expressions that end in $.
    match operator:
        case "=":
            return lambda value: value == wanted or value == wanted + "\n"
        case "!=":
            return lambda value: value != wanted and value != wanted + "\n"
        case "^=":
            return lambda value: value.startswith(wanted)
        case "$=":
            return lambda value: value.endswith((wanted, wanted + "\n"))
        case "*=":
            return lambda value: wanted in value
        case "~=":
            if not wanted or SPACES.search(wanted):
                return lambda value: False
            return lambda value: wanted in value and wanted in SPACES.split(value)
        case "|=":
            return lambda value: value in (wanted, wanted + "\n") or value.startswith(wanted + "-")
    raise NotHere


def _is_empty(element: etree._Element, known: Known) -> bool:
    """No element, and no text but white space; a template's content is elsewhere."""
    if element.tag == "template":
        return True
    if next(element.iterchildren("*"), None) is not None:
        return False
    said = [element.text, *(child.tail for child in element)]
    return not any(text and text.strip(" \t\r\n\f") for text in said)


def _nth(step: int, offset: int, of_type: bool, last: bool) -> Test:
    """The test for being the (step × n + offset)th among the elements around."""
    key = object()

    def test(element: etree._Element, known: Known) -> bool:
        above = element.getparent()
        places = known.setdefault((key, above), {})
        if not places:
            around = known["roots"] if above is None else list(above.iterchildren("*"))
            counts: dict[str, int] = {}
            for one in reversed(around) if last else around:
                kind = one.tag if of_type else "*"
                places[one] = counts[kind] = counts.get(kind, 0) + 1
        beyond = places[element] - offset
        return beyond == 0 if step == 0 else beyond % step == 0 and beyond // step >= 0

    return test


def _has(arguments: Iterable[tuple[Any, Any]]) -> Test:
    """The test for `:has()`: everything that has such a thing is found once, from the inside."""
    key = object()
    inner: list[tuple[str, str | None, Test]] = []
    for combinator, selector in arguments:
        if isinstance(selector.parsed_tree, css.CombinedSelector):
            raise NotHere
        name, test = _compound(selector.parsed_tree)
        inner.append((combinator.value, name, test))

    def test(element: etree._Element, known: Known) -> bool:
        having = known.get(key)
        if having is None:
            having = known[key] = set()
            for combinator, name, fits in inner:
                mine: set[etree._Element] = set()
                step = _before if combinator in "+~" else etree._Element.getparent
                for root in known["roots"]:
                    for one in root.iter(name or "*"):
                        if fits(one, known):
                            _mark(mine, one, step, combinator in " ~")
                having |= mine
        return element in having

    return test


def _mark(
    marked: set[etree._Element],
    element: etree._Element,
    step: Callable[[etree._Element], etree._Element | None],
    onward: bool,
) -> None:
    """Mark what is one step away, or every step of the way until one that is marked."""
    there = step(element)
    while there is not None and there not in marked:
        marked.add(there)
        if not onward:
            return
        there = step(there)


PSEUDOS: dict[str, Test] = {
    "empty": _is_empty,
    "first-child": lambda element, known: _before(element) is None,
    "last-child": lambda element, known: _behind(element) is None,
    "only-child": lambda element, known: _before(element) is None and _behind(element) is None,
    "first-of-type": _nth(0, 1, of_type=True, last=False),
    "last-of-type": _nth(0, 1, of_type=True, last=True),
}
