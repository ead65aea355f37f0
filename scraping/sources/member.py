"""One member of a ZIP file, taken out with care: a ZIP from the net may be made to do harm."""

from __future__ import annotations

import difflib
import io
import os
import stat
import struct
import zipfile
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from scraping.errors import BadValue, printable
from scraping.sources.large import PIECE, unwritable

MOST_AT_ONCE = 8 * 1024 * 1024  # bytes of a ZIP's table of contents: about 80,000 names
# Of other ways of packing, zipfile unpacks a piece whole, whatever that comes to.
BOUNDED = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
)


def extract(archive: Path, member: str, folder: Path, *, digest: str, max_bytes: int) -> Path:
    """The file in `folder` that holds this member; made if it is not there or not as it was.

    Args:
        archive: The ZIP file.
        member: Its name in there; nothing of it but harmless letters is used as a file's name.
        folder: Where to put it.
        digest: The ZIP's SHA-256.
        max_bytes: Of the member, unpacked.

    Raises:
        BadValue: No ZIP, no such member, a link, a folder, encrypted, damaged or too large.
        Partial: It cannot be written.
    """
    try:
        with _Bounded(archive) as file, zipfile.ZipFile(file) as packed:
            return _taken(packed, archive, member, folder, digest, max_bytes)
    except OSError as fault:
        raise unwritable(archive, fault) from fault
    except DAMAGE as fault:
        raise BadValue(
            f"{archive}: {printable(member)!r} cannot be taken out: "
            f"{printable(fault) or type(fault).__name__}."
        ) from None


def _taken(
    packed: zipfile.ZipFile,
    archive: Path,
    member: str,
    folder: Path,
    digest: str,
    max_bytes: int,
) -> Path:
    names = packed.namelist()
    if member not in names:
        near = difflib.get_close_matches(member, names[:5_000], 3, 0.3) or names[:5]
        raise BadValue(
            f"{archive} has no member {printable(member)!r}; "
            f"there is {printable(', '.join(map(repr, near)))}."
        )
    entry = packed.getinfo(member)
    mode = entry.external_attr >> 16
    if entry.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        raise BadValue(f"{archive}: {printable(member)!r} is a link or a folder, and no file.")
    if entry.flag_bits & 1:
        raise BadValue(f"{archive}: {printable(member)!r} is encrypted.")
    if entry.compress_type not in BOUNDED:
        raise BadValue(
            f"{archive}: {printable(member)!r} is packed in another way than deflate.\n"
            "Unpack it by hand, look at its size, and use local(…)."
        )
    if entry.file_size > max_bytes:
        raise BadValue(
            f"{archive}: {printable(member)!r} has {entry.file_size:,} bytes; the limit is "
            f"{max_bytes:,} (max_bytes=…)."
        )
    mark = sha256(f"{digest}/{member}".encode("utf-8", "replace")).hexdigest()[:8]
    path = folder / f"{mark}-{harmless(member)}"
    if _is_as_it_was(path, entry):
        return path
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")  # several may do this at once
    try:
        with packed.open(entry) as source, aside.open("wb") as file:
            left = entry.file_size
            # Read through to the end: it is there that the checksum is compared.
            while piece := source.read(PIECE):
                left -= len(piece)
                if left < 0:
                    raise zipfile.BadZipFile("it is larger than it says")
                file.write(piece)
            if left:
                raise zipfile.BadZipFile("it is smaller than it says")
        aside.replace(path)
    except OSError as fault:
        raise unwritable(path, fault) from fault
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    return path


def harmless(name: str) -> str:
    """A name from the net as the end of a file's name: no path, no reserved or hidden one.

    What comes before it, a digest and a hyphen, keeps it from being one of Windows' devices.
    """
    plain = "".join(
        mark if mark.isascii() and (mark.isalnum() or mark in "._-") else "_" for mark in name
    )
    return plain[-80:].strip("._- ") or "file"


def _is_as_it_was(path: Path, entry: zipfile.ZipInfo) -> bool:
    """Whether an earlier copy is still what the ZIP has, by size and checksum."""
    try:
        if path.stat().st_size != entry.file_size:
            return False
        checksum = 0
        with path.open("rb") as file:
            while piece := file.read(PIECE):
                checksum = zlib.crc32(piece, checksum)
    except OSError:
        return False
    return checksum == entry.CRC


class _Bounded(io.FileIO):
    """A ZIP file of which never more than so much is read at once.

    zipfile reads the whole table of contents, wherever and however large a ZIP says that it is.
    """

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, os.fstat(self.fileno()).st_size - self.tell())
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > MOST_AT_ONCE:
            raise zipfile.BadZipFile(f"its table of contents has {wanted:,} bytes")
        return super().read(wanted) or b""
