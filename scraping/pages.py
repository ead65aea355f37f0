"""The pages a crawl kept: a list of places in its archive, opened one by one, anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, overload

from scraping.errors import ArchiveDamaged, printable
from scraping.reading.page import Page
from scraping.records.archive import read


class Media(NamedTuple):
    """An image or file that a page shows: its place in the archive, or why it has none."""

    url: str
    file: str
    offset: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ref:
    """Where one kept page lies."""

    url: str
    digest: str  # SHA-256 over the body and the media's bodies, compression undone
    fetched: str  # ISO 8601, UTC
    file: str
    offset: int
    media: tuple[Media, ...] = ()


@dataclass(frozen=True)
class Pages:
    """What a crawl kept, in the order of a walk breadth first.

    Attributes:
        archive: The folder of its records.
        refs: One for each page.
        balance: What became of every address, as plain data; balance.py lists its parts, and
            balance.told(…) puts it in words.
    """

    archive: Path
    refs: list[Ref]
    balance: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.refs)

    def __iter__(self) -> Iterator[Page]:
        return map(self.open, self.refs)

    @overload
    def __getitem__(self, index: int) -> Page: ...
    @overload
    def __getitem__(self, index: slice) -> Pages: ...
    def __getitem__(self, index: int | slice) -> Page | Pages:
        """One page, or fewer pages."""
        if isinstance(index, slice):
            return Pages(self.archive, self.refs[index], self.balance)
        return self.open(self.refs[index])

    def open(self, ref: Ref) -> Page:
        """The page at this place. Needs no crawl: any process may, at any time.

        Raises:
            ArchiveDamaged: The record is missing, was changed, or is another page's.
        """
        response = read(self.archive, ref.file, ref.offset)
        if response is None:
            raise ArchiveDamaged(f"{self.archive / ref.file} at byte {ref.offset:,}: not a page.")
        if response.url != ref.url:  # a file that was cut and written on since
            raise ArchiveDamaged(
                f"{self.archive / ref.file} at byte {ref.offset:,}: "
                f"{printable(response.url)}, where {printable(ref.url)} was."
            )
        media = {one.url: one.reason or (one.file, one.offset) for one in ref.media}
        return Page(response, media, self.archive)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over every page's address and content, in order."""
        whole = sha256()
        for ref in self.refs:
            whole.update(f"{ref.url} {ref.digest}\n".encode())
        return whole.hexdigest()

    def to_json(self) -> dict[str, Any]:
        """The list as plain data; the archive stays where it is."""
        refs = [
            [ref.url, ref.digest, ref.fetched, ref.file, ref.offset, [list(m) for m in ref.media]]
            for ref in self.refs
        ]
        return {"pages": refs, "balance": self.balance}

    @classmethod
    def from_json(cls, data: dict[str, Any], archive: Path) -> Pages:
        """The list again, over the archive in this folder."""
        refs = [Ref(*rest, tuple(Media(*one) for one in media)) for *rest, media in data["pages"]]
        return cls(Path(archive), refs, data["balance"])
