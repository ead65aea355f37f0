"""Pages that ask robots for something, and robots.txt files on hosts of their own."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Callable

from scraping.outcomes import Kind
from scraping.sandbox.rude.damage import tear
from scraping.sandbox.rude.trap import KEPT, LONGEST, Call, Header, Section, Trap, document

PLAIN = ("Content-Type", "text/plain; charset=utf-8")
MARK = "The words that nobody was to keep"  # on every page that is not to be archived
CLOSED = "User-agent: *\nDisallow: /closed\n"


def _asking(head: str, *headers: Header) -> Callable[[Call], None]:
    """A page that asks for something, in its head or by its headers."""
    return lambda call: call.say(document("A wish", f"<p>{MARK}</p>", head=head), *headers)


def nofollow(call: Call) -> None:
    """A page whose links are not to be followed."""
    if call.name:
        return call.say(document("Behind the link", "<p>Nobody was to come here.</p>"))
    onward = '<p><a class="onward" href="/rude/nofollow/behind">Do not follow me</a></p>'
    head = '<meta name="robots" content="nofollow">'
    return call.say(document("No way on", onward, head=head))


def _meta(words: str) -> Callable[[Call], None]:
    return _asking(f'<meta name="robots" content="{words}">')


PAGES = Section(
    "Wishes",
    "Pages that anyone may open, and that ask robots for something.",
    (
        *(
            Trap(key, does, wanted, (Kind.OPTED_OUT,), speak)
            for key, does, wanted, speak in (
                (
                    "noindex",
                    "A page that asks not to be indexed.",
                    "Leave it out of the data.",
                    _meta("noindex"),
                ),
                (
                    "noindex-header",
                    "The same by X-Robots-Tag, addressed to this crawler by name.",
                    "Read the headers too.",
                    _asking("", ("X-Robots-Tag", "folio: noindex")),
                ),
                (
                    "noarchive",
                    "A page that asks not to be archived.",
                    "Keep no copy of it, in the archive either.",
                    _meta("noarchive"),
                ),
                (
                    "noai",
                    "A page that asks not to be learned from.",
                    "Leave it out of the data.",
                    _meta("noai, noimageai"),
                ),
                (
                    "tdm-reservation",
                    "A page that reserves text and data mining, by header.",
                    "Leave it out of the data.",
                    _asking("", ("TDM-Reservation", "1")),
                ),
            )
        ),
        Trap(
            "nofollow",
            "A page that asks for its links not to be followed.",
            "Keep it, and follow none of its links.",
            (KEPT,),
            nofollow,
        ),
    ),
)


def _host(robots: Callable[[Call], None]) -> Callable[[Call], None]:
    """A host with one page, a closed one, and a robots.txt of its own."""

    def speak(call: Call) -> None:
        match call.path:
            case "/robots.txt":
                robots(call)
            case "/" | "/closed":
                call.say(document(f"A page at {call.path}", ""))
            case _:
                call.missing()

    return speak


def _rules(body: bytes) -> Callable[[Call], None]:
    return lambda call: call.say(body, PLAIN)


def _bomb(call: Call) -> None:
    call.start(PLAIN, ("Connection", "close"))
    call.pour(itertools.repeat(b"# nothing here yet\n" * 3_000))


def _reset(call: Call) -> None:
    call.start(PLAIN, ("Content-Length", "1000"), ("Connection", "close"))
    call.write(b"User-agent: *\n")
    tear(call)


_SHUT = "Take a robots.txt that cannot be had as a no to everything (RFC 9309, 2.3.1.4)."
_READ = "Read it right, and leave /closed alone."
_SHUT_ENDS = (Kind.RESTING,)

ROBOTS = Section(
    "robots.txt",
    "Each on a host of its own, which a crawl reaches by its name and a browser only while the "
    "practice site is open in it.",
    tuple(
        Trap(f"robots-{key}", does, wanted, ends, _host(robots), host=host)
        for key, does, wanted, ends, robots, host in (
            (
                "500",
                "A robots.txt that answers 500.",
                _SHUT,
                _SHUT_ENDS,
                lambda call: call.say("Sorry.\n", PLAIN, status=500),
                "/",
            ),
            ("reset", "A robots.txt torn down in the middle.", _SHUT, _SHUT_ENDS, _reset, "/"),
            (
                "silent",
                "A robots.txt that never answers.",
                _SHUT,
                _SHUT_ENDS,
                lambda call: call.wait(LONGEST),
                "/",
            ),
            (
                "loop",
                "A robots.txt that redirects to itself.",
                _SHUT,
                _SHUT_ENDS,
                lambda call: call.redirect("/robots.txt"),
                "/",
            ),
            (
                "bomb",
                "A robots.txt without end.",
                "Read 500 KiB at most, or give up; never all of it.",
                _SHUT_ENDS,
                _bomb,
                "/",
            ),
            (
                "none",
                "No robots.txt: 404.",
                "Take it as a yes to everything.",
                (KEPT,),
                Call.missing,
                "/",
            ),
            (
                "closed",
                "A robots.txt that closes everything to everyone.",
                "Ask for nothing else.",
                (Kind.ROBOTS,),
                _rules(b"User-agent: *\nDisallow: /\n"),
                "/",
            ),
            (
                "delay",
                "A Crawl-delay of a day.",
                "Leave the host alone, and say so.",
                (Kind.RESTING,),
                _rules(b"User-agent: *\nCrawl-delay: 86400\n"),
                "/",
            ),
            (
                "mark",
                "Rules in UTF-8 with a byte order mark before the first.",
                _READ,
                (Kind.ROBOTS,),
                _rules(codecs.BOM_UTF8 + CLOSED.encode()),
                "/closed",
            ),
            (
                "utf16",
                "Rules in UTF-16.",
                _READ,
                (Kind.ROBOTS,),
                _rules(CLOSED.encode("utf-16")),
                "/closed",
            ),
            (
                "cr",
                "Rules whose lines end in CR alone.",
                _READ,
                (Kind.ROBOTS,),
                _rules(CLOSED.replace("\n", "\r").encode()),
                "/closed",
            ),
        )
    ),
)
