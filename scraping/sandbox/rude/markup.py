"""Pages of about a megabyte that make parsers work for minutes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from scraping.outcomes import Kind
from scraping.sandbox.rude.trap import HTML, KEPT, Call, Section, Trap

MANY = 100_000
A_PIECE = 1_000


def _page(title: str, unit: str, *, before: str = "", after: str = "") -> Callable[[Call], None]:
    """A page with a unit of markup a hundred thousand times; ``{}`` in it counts."""

    def pieces() -> Iterator[bytes]:
        yield (
            f'<!doctype html>\n<html lang="en"><head><title>{title}</title></head>\n'
            f"<body><h1>{title}</h1>\n{before}"
        ).encode()
        for start in range(0, MANY, A_PIECE):
            yield "".join(unit.format(n) for n in range(start, start + A_PIECE)).encode()
        yield f'{after}\n<p class="last">The end</p></body></html>\n'.encode()

    def speak(call: Call) -> None:
        length = sum(map(len, pieces()))
        call.start(HTML, ("Content-Length", str(length)), ("Connection", "close"))
        call.pour(pieces())

    return speak


_WANTED = (
    "Read it within seconds, or look at it first and refuse it by name; never hang, and lose no "
    "other page over it."
)

SECTION = Section(
    "Hard to read",
    "Pages of about a megabyte each that make parsers work for seconds, minutes, or for ever.",
    tuple(
        Trap(f"many-{key}", f"{MANY:,} {does}.", _WANTED, (KEPT, Kind.UNREADABLE), speak)
        for key, does, speak in (
            (
                "attributes",
                "attributes on one element",
                _page("Attributes", " a{}=b", before="<p", after=">Hello</p>"),
            ),
            ("comments", "comments that are opened and not closed", _page("Comments", "<!-- {} ")),
            ("cdata", "CDATA sections, which HTML does not have", _page("CDATA", "<![CDATA[{}]]>")),
            ("tags", "elements, each within the last", _page("Tags", "<div><b>")),
        )
    ),
)
