"""Where the way leads: loops, chains without end, and addresses that are nobody's business."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from scraping.outcomes import Kind
from scraping.sandbox.rude.trap import KEPT, Call, Section, Trap, document

CHAIN = 30
# Every spelling of an address that is none of a stranger's business; the port may be given as
# ?port=…, for those who listen there to hear whether anyone comes.
PRIVATE = {
    "loopback": "http://127.0.0.1:{port}/secret",
    "metadata": "http://169.254.169.254/latest/meta-data/",
    "mapped": "http://[::ffff:127.0.0.1]:{port}/secret",
    "decimal": "http://2130706433:{port}/secret",
    "octal": "http://0177.0.0.1:{port}/secret",
}
ELSEWHERE = {
    "file": "file:///etc/passwd",
    "data": "data:text/html,<h1>hello</h1>",
    "ftp": "ftp://127.0.0.1/pub/",
}


def loop(call: Call) -> None:
    """A redirect to itself."""
    call.redirect("/rude/redirect-loop")


def chain(call: Call) -> None:
    """Thirty redirects, one after another, and then a page."""
    step = int(call.name) if call.name in map(str, range(CHAIN + 1)) else 0
    if step == CHAIN:
        return call.say(document("The end of the chain", ""))
    return call.redirect(f"/rude/redirect-chain/{step + 1}")


def _port(call: Call) -> int:
    """The port that the visitor wants the private addresses to have."""
    asked = call.query.get("port", [""])[-1]
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 6 else 9


def _to(address: str) -> Callable[[Call], None]:
    """A redirect to one such address."""
    return lambda call: call.redirect(address.format(port=_port(call)))


def links(call: Call) -> None:
    """A page with a link to each of them."""
    port = _port(call)
    entries = "".join(
        f'<li><a class="private" href="{escape(address.format(port=port))}">{name}</a></li>\n'
        for name, address in {**PRIVATE, **ELSEWHERE}.items()
    )
    call.say(document("Links that are none of your business", f"<ul>\n{entries}</ul>"))


def refresh(call: Call) -> None:
    """A page that sends browsers on by a meta element."""
    target = escape(PRIVATE["loopback"].format(port=_port(call)))
    head = f'<meta http-equiv="refresh" content="0; url={target}">'
    call.say(document("One moment", "<p>You are being sent on.</p>", head=head))


def bad_location(call: Call) -> None:
    """A redirect to an address that cannot be read."""
    call.redirect("http://[::1")


_WORDS = {
    "loopback": "a port of the visitor's own computer",
    "metadata": "169.254.169.254, where rented computers keep their secrets",
    "mapped": "the visitor's own computer, written as an IPv6 address",
    "decimal": "the visitor's own computer, written as one number",
    "octal": "the visitor's own computer, written in octal",
    "file": "a file on the visitor's disk",
    "data": "a data: address, which carries a page in itself",
    "ftp": "an FTP server",
}

SECTION = Section(
    "Sent astray",
    "Redirects that do not end, and redirects and links to where no crawler should go.",
    (
        Trap(
            "redirect-loop",
            "A redirect to itself.",
            "Notice the loop and name it.",
            (Kind.REDIRECTS,),
            loop,
        ),
        Trap(
            "redirect-chain",
            f"{CHAIN} redirects, one after another, and then a page.",
            "Stop after a fixed number of redirects and say so.",
            (Kind.REDIRECTS,),
            chain,
        ),
        *(
            Trap(
                f"redirect-{name}",
                f"A redirect to {_WORDS[name]}.",
                "Check the address of every hop before anything is sent; send nothing.",
                (Kind.ELSEWHERE, Kind.PRIVATE),
                _to(address),
            )
            for name, address in PRIVATE.items()
        ),
        *(
            Trap(
                f"redirect-{name}",
                f"A redirect to {_WORDS[name]}.",
                "Go nowhere but to http and https addresses.",
                (Kind.SCHEME,),
                _to(address),
            )
            for name, address in ELSEWHERE.items()
        ),
        Trap(
            "private-links",
            "A page with links to all of these.",
            "Keep the page, and follow none of its links.",
            (KEPT,),
            links,
        ),
        Trap(
            "meta-refresh",
            "A page that sends browsers on to the visitor's own computer.",
            "Keep the page, and go nowhere.",
            (KEPT,),
            refresh,
        ),
        Trap(
            "bad-location",
            "A redirect to http://[::1, which cannot be read as an address.",
            "Give a reason instead of failing.",
            (Kind.SCHEME,),
            bad_location,
        ),
    ),
)
