"""Pages from the reader's own browser into an archive: HAR, WARC and saved HTML files.

This is the road to pages that JavaScript builds or that stand behind a login, where the site's
terms allow it. What is taken is archived as if it had been fetched: a crawl finds it there and
asks nobody, and `archived()` gives the pages without any crawl.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from scraping.crawling.answers import WISHES, Answers
from scraping.crawling.balance import Tally
from scraping.crawling.bounds import Bounds
from scraping.crawling.frontier import DONE, stored
from scraping.crawling.hollow import instead
from scraping.crawling.wishes import wishes_of
from scraping.errors import ArchiveDamaged, Misuse, Refused, printable
from scraping.lent import current
from scraping.net import fetch
from scraping.net.address import canonical
from scraping.net.fetch import Response
from scraping.outcomes import Kind
from scraping.pages import Pages, Ref
from scraping.records.archive import Archive, read
from scraping.sources import foreign, har, saved
from scraping.sources.offered import Left, Offer

SHOWN = 5  # addresses of each kind that are told
LONGEST = 100  # characters of one of them
NO_PAGE = re.compile(r"text/(?:css|(?:java|ecma)script)|application/(?:x-)?(?:xml|gzip|javascript)")


class Entry(NamedTuple):
    """What became of one address, or of a file as a whole."""

    url: str
    file: str
    reason: str = ""  # why it was left; nothing if it was taken
    kind: str = ""  # its content type
    size: int = 0  # bytes


@dataclass
class Taken:
    """What was taken into an archive, and what was left and why.

    Attributes:
        folder: The archive.
        dry_run: Whether nothing was written.
        taken: One entry for each address.
        skipped: One for each that was not, with its reason.
    """

    folder: Path
    dry_run: bool = False
    taken: list[Entry] = field(default_factory=list)
    skipped: list[Entry] = field(default_factory=list)

    @property
    def pages(self) -> list[str]:
        """The addresses of what is a page rather than an image, a style or a script."""
        return [entry.url for entry in self.taken if _is_page(entry.kind)]

    def told(self) -> list[str]:
        """The outcome as lines to print, the next command last; no file's text comes out raw."""
        pages = self.pages
        verb = "would be taken" if self.dry_run else "taken"
        lines = [
            f"{len(pages):,} pages and {len(self.taken) - len(pages):,} other files {verb} "
            f"into {printable(self.folder)}"
        ]
        lines += [f"  {printable(url, LONGEST)}" for url in pages[:SHOWN]]
        if len(pages) > SHOWN:
            lines.append(f"  … and {len(pages) - SHOWN:,} more")
        reasons = Counter(entry.reason for entry in self.skipped)
        for reason, number in reasons.most_common():
            example = next(entry for entry in self.skipped if entry.reason == reason)
            lines.append(
                f"{number:,} × left out: {printable(reason, 200)}, as "
                f"{printable(example.url, LONGEST)} in {printable(example.file, LONGEST)}"
            )
        if not self.taken:
            lines.append(
                "next: load the page with the browser's network tools open, save all as HAR with "
                "content, and import that file"
            )
        elif self.dry_run:
            lines.append("next: the same without dry run")
        else:
            lines.append(
                "next: have the project's pages() return archived(include=…), or a crawl from one "
                "of these addresses; then folio run"
            )
        return lines


def take(folder: Path, files: list[Path], *, url: str = "", dry_run: bool = False) -> Taken:
    """Take the answers in these files into an archive.

    Args:
        folder: The archive.
        files: HAR, WARC (also packed) and saved HTML files, told apart by what is in them.
        url: The address of a saved page that does not say its own.
        dry_run: Look, and write nothing.

    Raises:
        Misuse: A file is not there; or one address for several files.
        InUse, Partial: The archive cannot be written.
    """
    if url and len(files) != 1:
        raise Misuse(f"url={printable(url)!r} is for one saved page; there are {len(files)} files.")
    for path in files:
        if not path.is_file():
            raise Misuse(f"{printable(path)}: there is no such file.")
    taken = Taken(folder, dry_run)
    if dry_run:
        known = {row.key: row.digest for row in stored(folder)}
        _take(taken, files, url, known, keep=lambda response: None)
        return taken
    _step(folder)
    known = {row.key: row.digest for row in stored(folder)}
    with closing(Archive(folder)) as archive:
        _take(taken, files, url, known, keep=archive.add)
    _step(folder)
    return taken


def archived(
    include: Iterable[str] = (),
    exclude: Iterable[str] = (),
    *,
    archive: str | Path | None = None,
) -> Pages:
    """The pages that are in the archive, in the order of their addresses; asks nobody.

        def pages():
            return archived(include="/birds/")

    For projects whose pages were all imported. As in a crawl, pages that ask not to be collected,
    walls in the place of pages, and pages that another one repeats are left out and counted.

    Args:
        include: Regular expressions; an address that none of them is found in is left out.
        exclude: Regular expressions; an address that one of them is found in is left out.
        archive: The archive's folder; lent by the run inside a project.

    Raises:
        Misuse: A pattern is none; no archive; nothing in it.
    """
    lent = current.get()
    if archive is not None:
        folder = Path(archive)
    elif lent is not None:
        folder = lent.archive
    else:
        raise Misuse('Outside a project this needs a folder: archived(archive="pages/").')
    include = [include] if isinstance(include, str) else list(include)
    bounds = Bounds("http://sandbox/", include, exclude)
    if folder.is_dir():
        _step(folder)
    tally, refs, first = Tally(), [], {}
    for row in sorted(stored(folder), key=lambda row: row.url):
        if row.state != DONE or row.location or urlsplit(row.url).path == "/robots.txt":
            continue
        try:
            (bounds.check if include else bounds.check_exclude)(row.url)
            response = read(folder, str(row.file), int(row.offset or 0))
            if response is None or not _is_page(response.header("Content-Type")):
                continue
            _judge(response)
        except Refused as failure:
            tally.note(row.url, failure.kind, failure.reason)
            continue
        except ArchiveDamaged:
            tally.note(row.url, Kind.BROKEN, "its record is damaged")
            continue
        if first.setdefault(row.digest, row.url) != row.url:
            tally.note(row.url, Kind.DUPLICATE, f"the same as {first[row.digest]}")
            continue
        digest = sha256(str(row.digest).encode()).hexdigest()  # as a crawl's, without media
        refs.append(Ref(row.url, digest, response.fetched, str(row.file), int(row.offset or 0)))
    if not refs and not tally.data()["kinds"]:
        raise Misuse(
            f"{folder} holds no page.\nNext: folio import NAME FILE… takes pages that your "
            "browser saved; or crawl(…) fetches some."
        )
    hosts = Counter(urlsplit(ref.url).netloc for ref in refs)
    counts = {"kept": len(refs), "fetched": 0, "replayed": len(refs), "unchanged": 0}
    ends = {"nofollow": 0, "damaged": 0, "due": 0, "stopped": None, "seconds": 0.0}
    return Pages(folder, refs, {**counts, **tally.data(), **ends, "hosts": dict(hosts)})


def _take(
    taken: Taken,
    files: list[Path],
    url: str,
    known: dict[str, str | None],
    keep: Callable[[Response], object],
) -> None:
    """Keep each file's answers, and note what became of each address."""
    entries: dict[str, Entry] = {}
    for path in files:
        for offer in _answers(path, url):
            if isinstance(offer, Left):
                taken.skipped.append(Entry(offer.url, path.name, offer.reason))
                continue
            key, digest = canonical(offer.url), sha256(offer.body).hexdigest()
            try:
                if known.get(key) == digest:
                    raise Refused(offer.url, "already in the archive", kind=Kind.DUPLICATE)
                if "noarchive" in wishes_of(offer):
                    raise Refused(offer.url, WISHES["noarchive"], kind=Kind.OPTED_OUT)
                _judge(offer)
            except Refused as failure:
                taken.skipped.append(Entry(offer.url, path.name, failure.reason))
                continue
            keep(offer)
            known[key] = digest
            kind = offer.header("Content-Type").partition(";")[0].strip().lower()
            entries[key] = Entry(offer.url, path.name, "", kind, len(offer.body))
    taken.taken.extend(entries.values())


def _answers(path: Path, url: str) -> Iterator[Offer]:
    """The answers in a file, whatever kind of file it is."""
    try:
        with path.open("rb") as file:
            begins = file.read(2_048)
    except OSError as fault:
        return iter([Left(path.name, f"it cannot be read: {fault.strerror or fault}")])
    if begins.startswith(b"\x1f\x8b") or begins.startswith(b"WARC/"):
        return foreign.answers_in(path)
    plain = begins.lstrip(b"\xef\xbb\xbf \t\r\n")
    if plain.startswith((b"{", b"[")):
        return har.answers_in(path)
    if plain.startswith(b"<"):
        return saved.answers_in(path, url)
    if plain.startswith((b"From:", b"MIME-Version:")):
        reason = "an MHTML file; save the page as HTML only, or with SingleFile"
        return iter([Left(path.name, reason)])
    reason = "neither HAR nor WARC nor HTML" if plain else "empty"
    return iter([Left(path.name, reason)])


def _judge(response: Response) -> None:
    """Refused for what a crawl would not keep either."""
    if found := instead(response, response.url):
        raise Refused(response.url, found[1], kind=found[0])
    if _is_page(response.header("Content-Type")):
        for wish in sorted(wishes_of(response) & {"noindex", "noai", "tdm"}):
            raise Refused(response.url, WISHES[wish], kind=Kind.OPTED_OUT)


def _is_page(content_type: str) -> bool:
    """Whether an answer is a page or data, rather than an image, a style, a script, a sitemap."""
    kind = content_type.partition(";")[0].strip().lower()
    return fetch.PAGES(kind) and not NO_PAGE.match(kind)


def _step(folder: Path) -> None:
    """Bring archive and frontier into step: what was archived last is made known."""
    Answers(folder, "", allowed=[], quick=frozenset(), fresh=False).close()
