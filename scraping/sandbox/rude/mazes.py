"""Ways without end, and one thing under many names."""

from __future__ import annotations

import json
from datetime import date

from scraping.sandbox.rude.trap import KEPT, Call, Section, Trap, document

SESSIONS = 50
ITEMS = 20
LAST_MONTH = 12 * (date.max.year - 2026)


def _number(call: Call, most: int) -> int:
    """The number after the trap's address; 0 if there is none."""
    name = call.name
    asked = int(name) if name.isascii() and name.isdecimal() and len(name) < 7 else 0
    return min(asked, most)


def calendar(call: Call) -> None:
    """A month, with a link to the next."""
    month = _number(call, LAST_MONTH)
    when = date(2026 + month // 12, month % 12 + 1, 1)
    call.say(
        document(
            f"Events in {when:%B} {when.year}",
            '<p>Nothing is on this month.</p>\n<p><a class="onward" rel="next" '
            f'href="/rude/calendar/{month + 1}">Next month</a></p>',
        )
    )


def same_content(call: Call) -> None:
    """The same bytes at every address, with links that lead to further such addresses."""
    if not call.path.endswith("/"):
        return call.redirect(f"/rude/same-content{call.path}/")
    # Relative to an address that ends in a slash, so each step is a new address, one longer.
    links = "".join(
        f'<li><a class="onward" href="{name}/">{name}</a></li>' for name in ("news", "shop")
    )
    return call.say(document("Welcome", f"<p>Every road leads here.</p>\n<ul>{links}</ul>"))


def sessions(call: Call) -> None:
    """A list of links that all lead to one article, each with a session of its own."""
    if call.name == "article":
        return call.say(document("The one article", "<p>It is always the same.</p>"))
    links = "".join(
        f'<li><a class="onward" href="/rude/session-ids/article?sid={number:08x}">Read</a></li>\n'
        for number in range(SESSIONS)
    )
    return call.say(document("One article, many addresses", f"<ul>\n{links}</ul>"))


def infinite_json(call: Call) -> None:
    """A page of a list in JSON, which always names a next one."""
    page = _number(call, 999_998)
    data = {
        "results": [{"id": page * ITEMS + n, "name": f"Item {n}"} for n in range(ITEMS)],
        "next": f"/rude/infinite-json/{page + 1}",
    }
    call.say(json.dumps(data), ("Content-Type", "application/json"))


def same_title(call: Call) -> None:
    """Five pages that differ in all but their title."""
    number = _number(call, 5)
    if number:
        return call.say(document("Product", f'<p class="name">Product number {number}</p>'))
    links = "".join(
        f'<li><a class="onward" href="/rude/same-title/{n}">Product</a></li>' for n in range(1, 6)
    )
    return call.say(document("Products", f"<ul>{links}</ul>"))


SECTION = Section(
    "Mazes",
    "Sites that never end, and one thing under many names. Follow their links with "
    '<code>follow="a.onward"</code>.',
    (
        Trap(
            "calendar",
            "A calendar with a link to the next month, and the next, and the next.",
            "Stop at a number of pages, a depth or a time that was set before, and say so.",
            (KEPT,),
            calendar,
        ),
        Trap(
            "same-content",
            "The same page at every address below this one, with links to ever longer addresses.",
            "Count a page once, however many addresses it has, and stop.",
            (KEPT,),
            same_content,
        ),
        Trap(
            "session-ids",
            f"One article under {SESSIONS} addresses that differ in a session's number.",
            "Keep the article once and count the others as duplicates.",
            (KEPT,),
            sessions,
        ),
        Trap(
            "infinite-json",
            "A list in JSON that names a next page on every page.",
            "Stop at a number of pages that was set before, and say so.",
            (KEPT,),
            infinite_json,
        ),
        Trap(
            "same-title",
            "Five products whose pages all have the same title.",
            "Keep all five: the same title does not make the same page.",
            (KEPT,),
            same_title,
        ),
    ),
)
