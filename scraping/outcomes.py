"""How an address can end other than as a page, and the next lawful step for each kind of end.

A crawl's balance counts these kinds; the words of a single case (its *reason*) stand beside it.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """Why an address gave no page."""

    # Refused: not asked for, or not kept, because someone said no.
    ROBOTS = "closed by robots.txt"
    OPTED_OUT = "opted out"  # noindex, noarchive, noai, a text-and-data-mining reservation
    PRIVATE = "private address"
    SCHEME = "not a web address"
    ELSEWHERE = "on another site"
    LEFT_OUT = "left out"  # by include or exclude
    DUPLICATE = "duplicate"
    CHALLENGE = "challenge page"
    LOGIN = "login page"
    SHELL = "empty shell"
    CONTENT_TYPE = "another content type"
    # Failed: asked for, and not had.
    FORBIDDEN = "forbidden"  # 401, 402, 403, 407, 451
    GONE = "not there"  # 404, 410
    CLIENT = "refused by the server"  # any other 4xx
    SERVER = "server error"  # 5xx
    RESTING = "host left alone"  # it asks for a longer wait, or no longer answers
    UNREACHABLE = "unreachable"  # no such host, no connection, no answer in time
    BROKEN = "broken answer"  # cut, damaged, impossible headers
    REDIRECTS = "redirects"
    TOO_LARGE = "too large"
    UNREADABLE = "unreadable page"  # markup that no parser should be given


REFUSALS = frozenset(
    {
        Kind.ROBOTS,
        Kind.OPTED_OUT,
        Kind.PRIVATE,
        Kind.SCHEME,
        Kind.ELSEWHERE,
        Kind.LEFT_OUT,
        Kind.CHALLENGE,
        Kind.LOGIN,
        Kind.SHELL,
        Kind.CONTENT_TYPE,
    }
)

IMPORT = "save the pages in your own browser, where the terms allow it: folio import NAME FILE…"
NEXT: dict[Kind, str] = {
    Kind.ROBOTS: "look for an API or a download of the same data, or ask the site's owner",
    Kind.OPTED_OUT: "leave them out, or ask the site's owner for permission",
    Kind.PRIVATE: "if it is your own computer, start from its number: http://192.168.…/",
    Kind.ELSEWHERE: "include=… takes another site in",
    Kind.CHALLENGE: f"look for an API or a download; or {IMPORT}",
    Kind.LOGIN: f"look for an API with a token; or {IMPORT}",
    Kind.SHELL: f"JavaScript builds them: look for the JSON that it loads; or {IMPORT}",
    Kind.CONTENT_TYPE: "media=… archives files, download(…) fetches one",
    Kind.FORBIDDEN: "ask the site's owner, or look for an API or a download",
    Kind.GONE: "nothing: the site's links are out of date; exclude=… leaves them out",
    Kind.CLIENT: "look at the address in a browser; exclude=… leaves such addresses out",
    Kind.SERVER: "run again later; what is kept is not asked for again",
    Kind.RESTING: "run again later; what is kept is not asked for again",
    Kind.UNREACHABLE: "check the network and the address, then run again",
    Kind.BROKEN: "run again; if it stays, tell the site's owner",
    Kind.REDIRECTS: "look in a browser where the address leads, and start from there",
    Kind.TOO_LARGE: "download(…, max_bytes=…) fetches a large file",
    Kind.UNREADABLE: "exclude=… leaves them out; what the site answered is in the archive",
}


def of_status(status: int) -> Kind:
    """The kind of end that an HTTP status other than 2xx means."""
    if status in (401, 402, 403, 407, 451):
        return Kind.FORBIDDEN
    if status in (404, 410):
        return Kind.GONE
    return Kind.SERVER if status >= 500 else Kind.CLIENT
