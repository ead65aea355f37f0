"""What can go wrong while scraping, as one small tree.

    ScrapingError        1   a fault; the root of all
    ├── Misuse           2   what was asked cannot be done as asked
    │   └── NoContact    2   a crawl of the web that does not say who is asking
    ├── Refused          4   an address that must not be requested
    │   └── Disallowed   4   … because the site's robots.txt says so
    ├── FetchFailed      3   one address could not be had; `.retry`: worth another try later
    │   └── HostStopped  3   a host that is to be left alone for now
    ├── Partial          3   the crawl ended early; what was kept is kept
    │   └── Unreachable  3   … because its first page could not be had
    ├── InUse           75   another process is writing the same archive
    ├── ArchiveDamaged   1   a record that is not what was written
    ├── Unreadable       1   a page whose markup no parser should be given
    ├── NotFound         1   a selector that finds nothing on a page
    └── BadValue         1   a selector that finds something of another kind

Each carries its exit code; its text says what, which address or file, what was received, what
was kept, and the next command. Control characters never reach the terminal raw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scraping.outcomes import Kind

if TYPE_CHECKING:
    from scraping.pages import Pages

LONGEST = 300  # characters of anything quoted in a message


def printable(value: object, longest: int = LONGEST) -> str:
    """The value as one line that is safe to print: control and direction characters escaped."""
    text = str(value)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode("ascii")
        for mark in text
    )


class ScrapingError(Exception):
    """A fault of any kind in this package."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        """Keep the message's own line breaks, escape every other control character."""
        lines = message.split("\n")
        super().__init__("\n".join(printable(line, longest=2_000) for line in lines))


class Misuse(ScrapingError):
    """What was asked cannot be done as asked."""

    exit_code = 2


class NoContact(Misuse):
    """A crawl of the web that does not say who is asking."""


class Refused(ScrapingError):
    """An address not to be requested, or a page not to be kept: `.url`, `.reason`, `.kind`."""

    exit_code = 4

    def __init__(
        self, url: str, reason: str, advice: str = "", *, kind: Kind = Kind.SCHEME
    ) -> None:
        """`advice` is the next lawful step, when there is one."""
        self.url, self.reason, self.kind = url, reason, kind
        super().__init__(f"refused: {printable(url)}: {reason}" + (f"\n{advice}" if advice else ""))


class Disallowed(Refused):
    """An address that the site's robots.txt asks robots not to request."""

    def __init__(self, url: str, reason: str, advice: str = "") -> None:
        """Always of the one kind."""
        super().__init__(url, reason, advice, kind=Kind.ROBOTS)


class FetchFailed(ScrapingError):
    """One address could not be had: `.url`, `.reason`, `.kind`; `.retry`: later may do better.

    `.wait` is the number of seconds that the server asked for, when it did.
    """

    exit_code = 3

    def __init__(
        self,
        url: str,
        reason: str,
        *,
        advice: str = "",
        retry: bool = False,
        wait: float | None = None,
        kind: Kind = Kind.BROKEN,
    ) -> None:
        """Describe the failure of one request; `advice` is the next step, when it is the end."""
        self.url, self.reason, self.kind = url, printable(reason), kind
        self.retry, self.wait = retry, wait
        super().__init__(f"{printable(url)}: {self.reason}" + (f"\n{advice}" if advice else ""))


class HostStopped(FetchFailed):
    """A host that is to be left alone for now: it asks to, or it no longer answers."""

    def __init__(self, url: str, reason: str) -> None:
        """Always worth another try, later."""
        super().__init__(url, reason, retry=True, kind=Kind.RESTING)


class Partial(ScrapingError):
    """A crawl that ended early, or a file that cannot be written.

    Of a crawl, `.pages` is what was kept, and `.pages.balance` what happened to the rest; None
    otherwise.
    """

    exit_code = 3
    pages: Pages | None = None


class Unreachable(Partial):
    """The crawl's first page could not be had."""


class InUse(ScrapingError):
    """Another process is writing the same archive."""

    exit_code = 75


class ArchiveDamaged(ScrapingError):
    """A record of the archive is not what was written."""


class Unreadable(ScrapingError):
    """A page whose markup no parser should be given: `.url`, `.reason`."""

    def __init__(self, url: str, reason: str) -> None:
        """`reason` says what there is too much of."""
        self.url, self.reason, self.kind = url, printable(reason), Kind.UNREADABLE
        super().__init__(f"{printable(url)}: {self.reason}")


class NotFound(ScrapingError):
    """A selector that finds nothing: `.url`, `.selector`."""

    def __init__(self, url: str, selector: str, there: str) -> None:
        """`there` says what the page had in that place."""
        self.url, self.selector = url, selector
        super().__init__(
            f"{printable(url)}: nothing matches {printable(selector)!r}; {there}\n"
            "If some pages lack it, say what to use instead: default=…"
        )


class BadValue(ScrapingError):
    """A selector that finds something of another kind than was asked for."""
