"""The content packs of the wings: each a zip beside this file, checked before it is opened.

``packs.sha256`` holds their hashes in the form that ``sha256sum --check`` reads.

Errors:

    OSError
    └── PackDamaged      a pack is missing, or is not the one that was shipped
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

HERE = Path(__file__).parent


class PackDamaged(OSError):
    """A wing's content cannot be had."""

    def __init__(self, path: Path, trouble: str) -> None:
        """Name the file and what is wrong with it."""
        super().__init__(trouble)
        self.path = path

    def __str__(self) -> str:
        """What happened and what to do."""
        return (
            f"The practice site's pack {self.path.name} {self.args[0]}. "
            f"Have it again: git checkout -- scraping/sandbox/{self.path.name}"
        )


def read(name: str, folder: Path = HERE) -> bytes:
    """The bytes of a pack, such as ``weather.zip``, which are those that were shipped.

    Raises:
        PackDamaged: The file is missing, or its SHA-256 is not that in ``packs.sha256``.
    """
    path = folder / name
    try:
        content = path.read_bytes()
        listed = (folder / "packs.sha256").read_text(encoding="ascii")
    except OSError as fault:
        raise PackDamaged(path, f"cannot be read ({fault.strerror})") from fault
    sums = {
        file: known for known, _, file in (line.partition("  ") for line in listed.splitlines())
    }
    found = hashlib.sha256(content).hexdigest()
    if sums.get(name) != found:
        raise PackDamaged(path, f"has the SHA-256 {found}, not {sums.get(name, 'any known one')}")
    return content


def files(name: str, folder: Path = HERE) -> dict[str, bytes]:
    """Every file of a pack, by name; raises as `read`."""
    # All at once: the bytes are few, and no thread then shares a file with another.
    with zipfile.ZipFile(io.BytesIO(read(name, folder))) as pack:
        return {each: pack.read(each) for each in pack.namelist()}
