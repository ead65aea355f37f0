"""A file from the net (CSV, ZIP, Parquet …): had once, kept beside the pages, then checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scraping.crawling.bounds import first_address, is_here, named_private
from scraping.crawling.freshness import conditions
from scraping.crawling.hollow import LARGEST, instead
from scraping.crawling.wishes import wishes_of
from scraping.errors import ArchiveDamaged, FetchFailed, InUse, Misuse, Refused
from scraping.lent import Lent, current
from scraping.net import fetch
from scraping.net.address import canonical
from scraping.net.fetch import Fetcher, Kinds, Response
from scraping.net.manners import Manners, user_agent
from scraping.net.tokens import Tokens
from scraping.outcomes import NEXT, Kind, of_status
from scraping.sources import large
from scraping.sources.large import Kept
from scraping.sources.member import extract, harmless

MAX_BYTES = 1_000_000_000
FOLDER = "files"  # within the archive
WAIT = 3_600  # seconds for another process that is fetching a file into the same archive
# What is promised by these ends of an address is never a web page.
DATA = re.compile(
    r"\.(csv|tsv|zip|parquet|json|jsonl|ndjson|geojson|gz|tgz|bz2|xz|zst|7z|tar|xlsx?|ods|xml|txt"
    r"|npz|npy|h5|hdf5|feather|arrow|sqlite3?|db|mat|nc|arff|pdf|png|jpe?g|webp|tiff?|wav|mp3)$",
    re.IGNORECASE,
)
MARKUP = re.compile(rb"<(?:!doctype\s+html|html)\b", re.IGNORECASE)
# One at a time: in one expression for all of them, a run of comments could be taken apart in every
# way there is, and what forbids that is broken in Python before 3.11.5.
BEFORE_MARKUP = re.compile(rb"\s+|<!--.{0,2000}?-->", re.DOTALL)
FREE_AT: dict[str, float] = {}  # of this process: downloads in a row are one visitor
REFUSALS = {
    "noarchive": "it asks not to be archived (noarchive)",
    "noai": "it asks not to be learned from (noai)",
    "tdm": "it reserves text and data mining (TDM-Reservation)",
}


def download(
    url: str,
    *,
    member: str | None = None,
    max_bytes: int = MAX_BYTES,
    headers: Mapping[str, str] | None = None,
    archive: str | Path | None = None,
    contact: str | None = None,
) -> Path:
    """The path of a plain file that holds what the address answered.

        strikes = pd.read_csv(download("https://example.org/strikes.csv"))
        weather = pd.read_csv(download("https://example.org/all.zip", member="weather.csv"))

    It is fetched once, with the manners of a crawl (robots.txt, pauses, wishes), and recorded in
    the archive. Later calls compare the file's digest, make it again from the archive if it is
    missing or was changed, and need no network. A run with `--fresh` asks whether it changed; the
    older file then stays beside the new one.

    Args:
        url: An http or https address; a secret in it is named, as in `crawl`.
        member: For a ZIP file: the one file in it that is wanted.
        max_bytes: Of the file, and of the member once unpacked.
        headers: Sent to the address's host; secrets are named, as in `crawl`.
        archive: The folder to keep it in; lent by the run inside a project.
        contact: Who is asking; lent by the run inside a project.

    Raises:
        Misuse: The address is none; no archive; no contact.
        Refused: It must not be asked for, asks not to be kept, or is a web page (a login, an error)
            in the place of a file.
        FetchFailed: It cannot be had, or is too large.
        BadValue: No ZIP file, or no such member in it.
        Partial: The disk is full or the folder cannot be written.
    """
    lent = current.get()
    if lent is None:
        if archive is None:
            raise Misuse('Outside a project a download needs a folder: archive="pages/".')
        lent = Lent(archive=Path(archive), project=Path.cwd())
    url = first_address(url, "download")
    agent = user_agent(contact or lent.contact, needed=not is_here(url))
    folder = (Path(archive) if archive is not None else lent.archive) / FOLDER
    kept = large.find(folder, url)
    if kept is None or lent.fresh or large.digest_of(_plain(kept)) != kept.digest:
        kept = _had(url, folder, agent, Tokens(headers, host=url), max_bytes, lent.fresh)
    path = _plain(kept)
    if member is None:
        return path
    return extract(path, member, folder, digest=kept.digest, max_bytes=max_bytes)


def _plain(kept: Kept) -> Path:
    """The plain file beside a record."""
    return kept.path.with_suffix("")


def _had(
    url: str,
    folder: Path,
    agent: str,
    tokens: Tokens,
    max_bytes: int,
    fresh: bool,
) -> Kept:
    """The record of the file, which lies beside it: from the archive if that will do."""
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", timeout=WAIT)
        lock.acquire()
    except Timeout:
        raise InUse(f"{folder} is being written by another run; wait until it ends.") from None
    except OSError as fault:
        raise large.unwritable(folder, fault) from fault
    try:
        for left in [*folder.glob("*.warc.part"), *folder.glob("incoming*")]:  # by a killed run
            with suppress(OSError):
                left.unlink()
        kept = large.find(folder, url)
        if kept is not None and large.digest_of(_plain(kept)) != kept.digest:
            try:
                large.restore(kept, _plain(kept))
            except ArchiveDamaged:  # neither is what it was: to be asked for again
                kept.path.unlink()
                kept = None
        if kept is not None and not fresh:
            return kept
        return _fetched(url, folder, kept, agent, tokens, max_bytes)
    finally:
        lock.release()


def _fetched(
    url: str, folder: Path, kept: Kept | None, agent: str, tokens: Tokens, max_bytes: int
) -> Kept:
    """Ask for the file, look at what came, and keep it."""
    incoming = folder / "incoming"
    fetcher = Fetcher(agent, allowed=named_private(url), tokens=tokens)

    def send(
        url: str, headers: Mapping[str, str] | None = None, *, kinds: Kinds | None = None
    ) -> Response:
        if kinds is None:  # robots.txt
            return fetcher.get(url, headers)
        return fetcher.save(url, incoming, max_bytes=max_bytes, headers=headers)

    quick = frozenset([urlsplit(url).netloc] if is_here(url) else ())
    robots: list[Response] = []
    manners = Manners(send, quick=quick, keep=robots.append, free_at=FREE_AT)
    asked = conditions(kept.response) if kept is not None else {}
    answers: list[Response] = []

    def hop(address: str) -> Response:
        answers.append(manners.get(address, asked, kinds=fetch.ANYTHING))
        return answers[-1]

    try:
        try:
            response = fetch.follow(url, hop)
        except FetchFailed as failure:
            raise _failed(failure, kept) from failure
        if response.status == 304 and kept is not None:
            return kept
        try:
            _judge(url, response, incoming)
        except FetchFailed as failure:
            raise _failed(failure, kept) from None
        digest = large.digest_of(incoming)
        if kept is not None and digest == kept.digest:
            return kept
        # Two addresses may give the same file; each has its own record.
        mark = sha256(f"{canonical(url)} {digest}".encode()).hexdigest()[:8]
        path = folder / f"{mark}-{_name(url, response)}"
        large.write(path.with_name(f"{path.name}.warc"), answers, incoming, digest, robots)
        incoming.replace(path)
    except OSError as fault:
        raise large.unwritable(folder, fault) from fault
    finally:
        fetcher.close()
        with suppress(OSError):
            incoming.unlink(missing_ok=True)
    found = large.find(folder, url)
    assert found is not None
    return found


def _failed(failure: FetchFailed, kept: Kept | None) -> FetchFailed:
    """The failure with what is kept, and what to do next."""
    reason = failure.reason
    if kept is not None:
        reason += (
            f"; the file of {kept.response.fetched} is kept, and is used when the run is not to "
            "ask afresh"
        )
    advice = f"Next: {NEXT[failure.kind]}." if failure.kind in NEXT else ""
    return FetchFailed(
        failure.url,
        reason,
        advice=advice,
        retry=failure.retry,
        wait=failure.wait,
        kind=failure.kind,
    )


def _judge(url: str, response: Response, incoming: Path) -> None:
    """Refused or FetchFailed for an answer that is not the file."""
    body = response.body
    if response.status == 200:
        with incoming.open("rb") as file:
            body = file.read(LARGEST + 1)
    for wish in sorted(wishes_of(replace(response, body=b"")) & REFUSALS.keys()):
        raise Refused(url, REFUSALS[wish], kind=Kind.OPTED_OUT)
    at = 0
    while before := BEFORE_MARKUP.match(body, at):
        at = before.end()
    is_page = bool(MARKUP.match(body, at))
    if is_page or response.status != 200:
        found = instead(replace(response, body=body), url)
        if found:
            raise Refused(url, found[1], f"Next: {NEXT[found[0]]}.", kind=found[0])
    if response.status != 200:
        reason = f"{response.status} {response.reason}".strip()
        raise FetchFailed(url, reason, kind=of_status(response.status))
    ends = [urlsplit(place).path for place in (url, response.url)]
    if is_page and any(map(DATA.search, ends)):
        raise Refused(
            url,
            "a web page came in the place of a file: a login or an error, by the look of it",
            "Nothing was kept. Look at the address in a browser.",
            kind=Kind.CONTENT_TYPE,
        )


def _name(url: str, response: Response) -> str:
    """A harmless name for the file: the address's, or the one that the server proposes."""
    name = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2]
    if "." not in name:
        proposed = re.search(
            r"""filename\*?\s*=\s*(?:UTF-8'[^']*'|")?([^";]+)""",
            response.header("Content-Disposition"),
            re.IGNORECASE,
        )
        final = unquote(urlsplit(response.url).path).rpartition("/")[2]
        name = unquote(proposed[1]) if proposed else (final if "." in final else name)
    name = harmless(name)
    # Our own records end so, and what is not yet whole.
    return f"{name}.bin" if name.lower().endswith((".warc", ".part")) else name
