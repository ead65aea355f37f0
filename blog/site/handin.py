"""The site as one zip that opens by double-click, from a disk and without a server.

A page opened as a file asks for other things than a page of a server: links must name the file
they lead to, scripts may be no modules, nothing can be fetched. So directories get their
`index.html`, the live models' modules are one classic script, and their networks travel in scripts
of their own. The search, which needs a worker, is left out.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

from blog.site.building import Say, aside, made, turn
from blog.site.bundling import bundle, enclosed

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig

# `'self'` names no file in some browsers; `file:` does in all.
OWN = "'self' file:"
DATED = (1980, 1, 1, 0, 0, 0)  # the first day a zip knows: equal sites are equal bytes
SCRIPT = "live/folio-live.js"
MODULE = re.compile(rb'<script\s[^>]*src="([^"]*)live/start\.js"[^>]*></script>')
FILES = re.compile(rb'<p\s[^>]*class="folio-live__files"[^>]*>.*?</p>', re.DOTALL)
LINK = re.compile(rb'(<a\s[^>]*?href=")([^"#?:]*)((?:[#?][^"]*)?")')
HREF = re.compile(rb'href="([^"]*)"')
# Material asks for the sitemap where a page names another form of itself, as for the feed.
ALTERNATE = re.compile(rb'<link\s[^>]*rel="alternate"[^>]*>')
# The field, its button, and the name under which Material's script finds them.
SEARCH = re.compile(
    rb'<label[^>]*\sfor="__search".*?</label>'
    rb'|(<(?:div|form)\s[^<>]*?)(?:data-md-component|name)="search"',
    re.DOTALL,
)
# For servers, for the search, and for who debugs the theme.
NEEDLESS = ("404.html", "sitemap.xml*", "CNAME", "assets/javascripts/*/**/*.js", "assets/**/*.map")


def zipped(
    root: Path, file: Path, *, command: str, runs: Sequence[str], say: Say = lambda line: None
) -> Path:
    """Build the site of ``root`` as it works from a disk, and write it as a zip; the zip.

    ``command`` and ``runs`` (as "name: run id") stand in its README.txt. The same sources give the
    same bytes. A zip that was there stays until the new one is whole. Raises as `build` does.
    """
    file = file.resolve()
    with turn(root, say), aside(root, file) as folder:
        site = folder / "site"
        made(root, site, then=_for_a_disk, own=OWN, search=False, use_directory_urls=False)
        (site / "README.txt").write_text(_readme(file.stem, command, runs), "utf-8")
        fresh = folder / file.name
        _pack(site, fresh, file.stem)
        fresh.replace(file)
    return file


def _for_a_disk(site: Path, config: MkDocsConfig) -> None:
    """Change a built site so that its pages work as files."""
    for pattern in NEEDLESS:
        for file in site.glob(pattern):
            file.unlink()
    live = site / "live"
    used = False
    for page in sorted(site.rglob("*.html")):
        before = page.read_bytes()
        after = SEARCH.sub(lambda found: found[1] + b"hidden" if found[1] else b"", before)
        after = ALTERNATE.sub(b"", after)
        after = LINK.sub(lambda link, page=page: _plain(link, page.parent, site), after)
        if found := MODULE.search(after):
            used = True
            up = found[1]
            sections = [HREF.findall(section[0]) for section in FILES.finditer(after)]
            networks = [_enclose(page.parent, [h.decode() for h in links]) for links in sections]
            scripts = [*networks, up.decode() + SCRIPT]
            tags = "".join(f'<script src="{script}" defer></script>' for script in scripts)
            after = MODULE.sub(tags.encode().replace(b"\\", b"\\\\"), after, count=1)
        if after != before:
            page.write_bytes(after)
    if used:
        script = bundle(live)
        for module in live.glob("*.js"):
            module.unlink()
        (site / SCRIPT).write_text(script, "utf-8")


def _plain(link: re.Match[bytes], folder: Path, site: Path) -> bytes:
    """Return a link that names the file it leads to."""
    before, address, rest = link.groups()
    if not address or address.startswith(b"/"):
        return link[0]
    there = folder / unquote(address.decode())
    if there.is_dir() and (there / "index.html").is_file():
        return before + address.rstrip(b"/") + b"/index.html" + rest
    if address.endswith(b"/") and there.with_name(f"{there.name}.html").is_file():
        return before + address.rstrip(b"/") + b".html" + rest
    return link[0]


def _enclose(folder: Path, links: Sequence[str]) -> str:
    """Write the files of a network, to which a page links, into a script; its address."""
    model = next(link for link in links if link.endswith("/model.json"))
    beside = PurePosixPath(model).parent
    place = (folder / unquote(str(beside))).resolve()
    # The page's script asks for all of them beside the model, and looks at how the address ends.
    name = "/".join(place.parts[-2:])
    files = [folder / unquote(link) for link in links]
    text = enclosed((f"{name}/{file.name}", file) for file in files if file.is_file())
    (place / "files.js").write_text(text, "utf-8")
    return f"{beside}/files.js"


def _readme(name: str, command: str, runs: Sequence[str]) -> str:
    listed = "\n".join(f"  {run}" for run in runs) or "  (no post has results)"
    return (
        f"{name}: a portfolio of deep-learning projects, to be read from this folder.\n\n"
        "Unpack the zip, then open index.html in a browser. It needs no server and no network.\n"
        "Networks that can be tried run in the page. The search is left out: a browser allows\n"
        "none on pages that are opened as files.\n\n"
        f"Made by:\n  {command}\n\nThe numbers are those of these runs:\n{listed}\n"
    )


def _pack(site: Path, file: Path, name: str) -> None:
    """Write a zip whose bytes depend on nothing but what is in it."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{name}/{path.relative_to(site).as_posix()}", DATED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # whatever system it is made on
            packed.writestr(entry, path.read_bytes(), compresslevel=9)
