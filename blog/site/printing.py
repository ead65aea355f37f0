"""A post as PDF: the built page, figures and formulas included, printed by an installed browser."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from blog.errors import SiteError
from blog.site.reloading import Shown, served

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome",
         "msedge", "microsoft-edge")  # fmt: skip
PLACES = {
    "darwin": (
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    ),
    "win32": (
        r"%ProgramFiles%\Google\Chrome\Application\chrome.exe",
        r"%ProgramFiles(x86)%\Google\Chrome\Application\chrome.exe",
        r"%LocalAppData%\Google\Chrome\Application\chrome.exe",
        r"%ProgramFiles(x86)%\Microsoft\Edge\Application\msedge.exe",
        r"%ProgramFiles%\Microsoft\Edge\Application\msedge.exe",
    ),
}
SECONDS = 120
# Beside the page's own print style: what paper needs and a screen has no word for.
SHEET = b"""\
@page {
  size: A4;
  margin: 18mm 16mm 20mm;
  @bottom-center { content: counter(page) " / " counter(pages); font: 9pt sans-serif; color: #555 }
}
:root { color-scheme: light }
"""


class NoBrowser(SiteError):
    """No browser that prints is installed."""


def browser() -> str:
    """Return where a Chromium, Chrome or Edge is. Raises NoBrowser with what to do without one."""
    named = filter(None, map(shutil.which, NAMES))
    usual = (os.path.expandvars(place) for place in PLACES.get(sys.platform, ()))
    found = next(named, None) or next((place for place in usual if Path(place).is_file()), None)
    if found is None:
        raise NoBrowser(
            "No Chromium, Chrome or Edge was found, and it is the browser that makes the PDF. "
            "Next: install one; or open the post in any browser (folio serve) and print it: pages "
            "have a style of their own for paper."
        )
    return found


def printed(site: Path, pages: Iterable[tuple[str, Path]]) -> list[Path]:
    """Print pages of the built ``site``, each an address in it and the PDF to write; the PDFs.

    Raises NoBrowser, and SiteError where there is no such page or the browser gives no PDF; a PDF
    that was there before stays until the new one is whole.
    """
    program = browser()
    shown = Shown(site)
    made = []
    with served(shown, page=for_paper, extra={"/folio-paper.css": SHEET}) as address:
        for path, target in pages:
            if not (site / path / "index.html").is_file():
                raise SiteError(
                    f"{site / path} holds no page to print; {target} was not written. "
                    "Next: folio publish"
                )
            _print(program, address + path, target)
            made.append(target)
    return made


def for_paper(page: bytes) -> bytes:
    """Return a page with its boxes unfolded, its pictures loaded, in the colours of paper."""
    page = re.sub(rb"<details(?![^>]*\sopen)", b"<details open", page)
    page = page.replace(b' loading="lazy"', b"")
    sheet = b'<link rel="stylesheet" href="/folio-paper.css">'
    return page.replace(b"</head>", sheet + b"</head>", 1)


def _print(program: str, address: str, target: Path) -> None:
    """Let the browser print one address."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside its place: a browser that comes as a snap has a folder for temporary files of its own.
    fresh = target.with_name(f".{target.name}.new")
    with tempfile.TemporaryDirectory(prefix="folio-print-", ignore_cleanup_errors=True) as folder:
        command = [program, "--headless", "--disable-gpu", "--no-first-run", "--hide-scrollbars"]
        command += ["--disable-extensions", "--disable-background-networking", "--mute-audio"]
        command += [f"--user-data-dir={folder}/profile", "--no-pdf-header-footer"]
        command += [f"--print-to-pdf={fresh}", "--virtual-time-budget=10000"]
        if sys.platform == "linux" and os.geteuid() == 0:
            command.append("--no-sandbox")  # root has none to offer, and the page is our own
        try:
            done = subprocess.run(
                [*command, address], capture_output=True, text=True, errors="replace",
                timeout=SECONDS, check=False,
            )  # fmt: skip
            said = done.stderr.strip().splitlines()[-3:]
        except subprocess.TimeoutExpired:
            said = [f"it was not ready after {SECONDS} seconds"]
    try:
        if not fresh.is_file() or not fresh.read_bytes().startswith(b"%PDF"):
            told = "\n".join(f"  {line}" for line in said) or "  (it said nothing)"
            raise SiteError(
                f"{program} made no PDF of {address}:\n{told}\n{target} was not written. "
                "Next: open the post (folio serve) and print it from the browser."
            )
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
