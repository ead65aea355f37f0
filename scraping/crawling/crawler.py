"""A crawl: what it is asked for, checked; and how it ended.

The walk itself is in walk.py, what an address answers in answers.py.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scraping.crawling.answers import Answers, opened, unwritable
from scraping.crawling.balance import ends, told
from scraping.crawling.bounds import Bounds, first_address
from scraping.crawling.frontier import DONE
from scraping.crawling.walk import Find, Rules, Walk
from scraping.errors import (
    Disallowed,
    FetchFailed,
    Misuse,
    Partial,
    Refused,
    Unreachable,
    Unreadable,
    printable,
)
from scraping.lent import Lent, current
from scraping.outcomes import NEXT, REFUSALS, Kind
from scraping.pages import Pages
from scraping.reading.page import check_selector

# The refusals that are the project's own choice leave the rest: someone said no.
SAID_NO = REFUSALS - {Kind.SCHEME, Kind.ELSEWHERE, Kind.LEFT_OUT, Kind.CONTENT_TYPE}


def crawl(
    start: str,
    *,
    follow: Find | None,
    keep: Find | None = None,
    media: Find | None = None,
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    max_pages: int = 10_000,
    max_depth: int | None = None,
    max_seconds: float | None = None,
    max_failed: float = 0.2,
    headers: Mapping[str, str] | None = None,
    archive: str | Path | None = None,
    contact: str | None = None,
) -> Pages:
    """The kept pages of a site, each once, in the order of a walk breadth first.

        crawl("http://sandbox/museum/", follow="a.next", keep="a.icon", media="img.icon")
        crawl("https://example.org/sitemap.xml", follow=None, include="/birds/")
        crawl("https://api.example.org/birds?key=$BIRDS_KEY", follow=paging.by_key("links.next"))

    What was once had is read from the archive and not asked for again: the same crawl goes on
    after any end, needs no network once all is there, and gives the same pages in the same order.
    The site's wishes count: robots.txt; pages that ask not to be indexed, archived or learned from
    are not kept, and links are not followed from pages that ask for that. Pages with the same
    content are kept once.

    Args:
        start: The first page's address. A sitemap, or an index of sitemaps, stands for links to
            all the pages it lists.
        follow: CSS selector of the links to go on to; sought on the first page and on every page
            that was followed. Or a function that gives the addresses for a page: one of yours, or
            one that scraping.paging makes for a JSON API.
        keep: Selector (or function) for the links whose targets are the pages. Without it, every
            page that was followed is kept.
        media: Selector (or function) for images and files to archive with each kept page.
        include: Regular expressions; an address that none of them is found in is left out. Without
            them the crawl stays on the first page's host.
        exclude: Regular expressions; an address that one of them is found in is left out.
        max_pages: Pages to keep at most; a thousand more may be passed through on the way.
        max_depth: Links from the first page at most.
        max_seconds: When it is over, what there is is the result. No pause lasts beyond it.
        max_failed: The share of addresses that may fail.
        headers: Sent to the first page's host with each request. A secret is named, never
            written: {"Authorization": "Bearer $NAME"} sends what the environment variable NAME
            holds, and so does $NAME within `start`. It never reaches the archive.
        archive: The folder to keep everything in; lent by the run inside a project.
        contact: Who is asking: a mail address or a page; lent by the run inside a project.

    Returns:
        The pages; `.balance` says what became of every other address, and balance.told(…) says it
        in words, with the next lawful step for each kind of refusal.

    Raises:
        Misuse: A selector, pattern or address is none; no archive; no contact.
        Refused: The first page must not be asked for, or is a challenge or a login.
        Unreachable: The first page could not be had.
        Partial: Too much failed, nothing was kept, the host asks for a long rest, or the disk is
            full. What was kept is in `.pages`, and the same crawl goes on from there. Where
            nothing was kept because all of it is refused, its exit code is that of Refused.
    """
    lent = current.get()
    if lent is None:
        if archive is None:
            raise Misuse('Outside a project a crawl needs a folder: crawl(…, archive="pages/").')
        lent = Lent(archive=Path(archive), project=Path.cwd())
    elif lent.max_pages is not None:
        max_pages = min(max_pages, lent.max_pages)
    for name, find in (("follow", follow), ("keep", keep), ("media", media)):
        _check(name, find)
    _check_budgets(max_pages, max_depth, max_seconds, max_failed)
    folder = Path(archive) if archive is not None else lent.archive
    bounds = Bounds(first_address(start), include, exclude)
    answers = opened(
        start,
        folder,
        contact or lent.contact,
        fresh=lent.fresh,
        headers=headers,
        ends=time.monotonic() + (float("inf") if max_seconds is None else max_seconds),
    )
    rules = Rules(follow, keep, media, max_pages, max_depth, max_seconds)
    walk = Walk(answers.start, rules, bounds, answers, lent.report)

    def pages() -> Pages:
        return Pages(folder, walk.refs, walk.balance())

    again = "the same crawl" if current.get() is None else f"`folio run {lent.project.name}`"
    try:
        try:
            walk.run()
        except (FetchFailed, Unreadable) as failure:
            raise _unreachable(failure, answers, again) from failure
        except Refused as refusal:
            raise _with_next_step(refusal) from refusal
        except sqlite3.Error as fault:
            raise unwritable(folder, fault) from fault
        finally:
            answers.close()
        return _verdict(walk, pages(), max_failed, again)
    except Partial as partial:
        partial.pages = pages()
        raise


def _check(name: str, find: object) -> None:
    """Misuse, before anything is fetched, for what finds nothing on any page."""
    if isinstance(find, str):
        check_selector(find)
    elif find is not None and not callable(find):
        raise Misuse(
            f"{name}={printable(repr(find), 80)}: it takes a CSS selector, as text, or a function "
            "that gives the addresses for a page"
        )


def _check_budgets(
    max_pages: int, max_depth: int | None, max_seconds: float | None, max_failed: float
) -> None:
    """Misuse for a budget that leaves nothing to be done, or means nothing."""
    for name, value, least, most, takes in (
        ("max_pages", max_pages, 1, None, "a number of pages, 1 or more"),
        ("max_depth", max_depth, 0, None, "a number of links, 0 or more"),
        ("max_seconds", max_seconds, 0, None, "seconds, 0 or more"),
        ("max_failed", max_failed, 0, 1, "a share, from 0 to 1"),
    ):
        if value is None and name in ("max_depth", "max_seconds"):
            continue
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or value < least or (most is not None and value > most):
            raise Misuse(f"{name}={printable(repr(value), 80)}: it takes {takes}")


def _verdict(walk: Walk, pages: Pages, max_failed: float, again: str) -> Pages:
    """The pages, if enough of the crawl went well; else Partial."""
    balance = pages.balance
    failed = balance["failed"]
    asked = balance["fetched"] + balance["replayed"] + balance["unchanged"] + failed
    if walk.host_stopped:
        trouble = walk.host_stopped
    elif asked and failed / asked > max_failed:
        trouble = f"{failed:,} of {asked:,} addresses failed ({failed / asked:.0%})"
    elif not pages.refs:
        raise _nothing_kept(walk, balance, again)
    else:
        return pages
    lines = [
        f"{walk.start}: {trouble}.",
        *(f"  {line}" for line in ends(balance)),
        f"Kept: {len(pages):,} pages in {pages.archive}.",
        f"Next: {again} goes on from there, and asks again only for what may do better; "
        "exclude=… leaves out what never will, max_failed=… accepts more of it.",
    ]
    raise Partial("\n".join(lines))


def _nothing_kept(walk: Walk, balance: dict[str, Any], again: str) -> Partial:
    """What a crawl without a single page means: an empty table must not look like a success."""
    kinds = balance["kinds"]
    lines = [f"{walk.start}: no page was kept.", *(f"  {line}" for line in told(balance)[1:])]
    if not kinds and not balance["stopped"]:
        name, find = ("keep", walk.rules.keep) if walk.rules.keep else ("follow", walk.rules.follow)
        shown = repr(find) if isinstance(find, str) else getattr(find, "__name__", "a function")
        number = balance["fetched"] + balance["replayed"] + balance["unchanged"]
        lines.append(f"  {name}={printable(shown, 80)} finds no page on {number:,} addresses")
    lines.append(f"Next: folio look {walk.start} shows what the first page offers; then {again}.")
    partial = Partial("\n".join(lines))
    if not SAID_NO.isdisjoint(kinds) and not balance["failed"] and not balance["stopped"]:
        partial.exit_code = Refused.exit_code
    return partial


def _with_next_step(refusal: Refused) -> Refused:
    """The refusal of a first page, with the next lawful step if it does not name one."""
    step = NEXT.get(refusal.kind)
    if step is None or "\n" in str(refusal):
        return refusal
    if isinstance(refusal, Disallowed):
        return Disallowed(refusal.url, refusal.reason, f"Next: {step}.")
    return Refused(refusal.url, refusal.reason, f"Next: {step}.", kind=refusal.kind)


def _unreachable(failure: FetchFailed | Unreadable, answers: Answers, again: str) -> Unreachable:
    """What a first page that cannot be had means."""
    known = answers.frontier.counts().get(DONE, 0)
    return Unreachable(
        f"The first page could not be had: {failure}.\n"
        f"Kept: {known:,} answers in {answers.folder}.\n"
        f"Next: check the address in a browser; {again} tries again; or start from the practice "
        "site, http://sandbox/museum/, which needs no network."
    )
