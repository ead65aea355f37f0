"""What every built page gets: a Content Security Policy of its own, and links to this very commit.

The policy (https://www.w3.org/TR/CSP3/) lets a page load from its own site only, and run of inline
scripts only the theme's, each named by the SHA-256 of its text. Inline styles are bound the same
way. An inline script in the story itself, an inline event handler or a `javascript:` address is an
error that names the page.

No page is parsed unless something in it looks wrong: a few expressions find the places that matter,
which takes 0.2 ms a page where an HTML parser takes 20.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from blog.errors import SiteError

HOST = r"(?:https://)?((?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d+)?)/?"
# On pages in lower case, since expressions that begin with a literal are the fast ones.
SCRIPT = re.compile(rb"<script((?:\s[^>]*)?)>(.*?)</script\s*>", re.DOTALL)
SHEET = re.compile(rb"<style(?:\s[^>]*)?>(.*?)</style\s*>", re.DOTALL)
STYLE = re.compile(rb"""style=(?:"([^"]*)"|'([^']*)')""")
HANDLER = re.compile(rb"on[a-z]+\s*=")
ENTITY = re.compile(rb"""=["'][^"'<>\s:/?#]*&""")  # in front of the colon, if it has one
CODE_LINK = re.compile(rb'<a\s[^>]*class="[^">]*\bfolio-code\b[^>]*>')
TAG = re.compile(rb"""<[a-z][^\s/>]*((?:[^>"']|"[^"]*"|'[^']*')*)>""")
ATTRIBUTE = re.compile(rb"""([^\s/>"'=]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""")
TYPE = re.compile(rb"""\stype\s*=\s*["']?([^"'\s>]*)""")
EARLY = re.compile(rb"<meta\s+charset[^>]*>")
HEAD = re.compile(rb"<head(?:\s[^>]*)?>")

RUN = {b"", b"module", b"text/javascript", b"application/javascript"}
ADDRESSES = {b"href", b"src", b"action", b"formaction", b"xlink:href", b"data"}
# Material's link that shares a search: its script sets the address and handles the click itself.
IDLE = b'href="javascript:void(0)"'
IDLE_LINK = re.compile(rb"(<a\s[^<>]*?)" + re.escape(IDLE))


def finish(folder: Path, root: Path, video_host: object = None, own: str = "'self'") -> None:
    """Give every page in ``folder``, built from ``root``, its policy and its links to the commit.

    ``video_host`` is the one host whose frames the owner allows, from mkdocs.yml;
    ``own`` is where the pages' files come from. Raises SiteError naming the page that holds what no
    policy would let run.
    """
    frames = frame_source(video_host)
    commit = functools.cache(lambda: head(root))
    for page in folder.rglob("*.html"):
        before = page.read_bytes()
        after = finished(before, page.relative_to(folder).as_posix(), frames, commit, own)
        page.write_bytes(after)


def finished(
    page: bytes,
    name: str,
    frames: str = "'none'",
    commit: Callable[[], str | None] = lambda: None,
    own: str = "'self'",
) -> bytes:
    """Return a page with its policy; ``name`` is what errors call it, ``own`` as in `finish`."""
    if IDLE in page:  # in a link: a story may quote it
        page = IDLE_LINK.sub(rb'\1href="#"', page)
    if b"/tree/head/" in page.lower() and (sha := commit()):
        there = f"/tree/{sha}/".encode()
        page = CODE_LINK.sub(lambda link: link[0].replace(b"/tree/HEAD/", there), page)
    low = page.lower()
    start = EARLY.search(low) or HEAD.search(low)
    if start is None:
        return page
    if _suspicious(low):
        _check_tags(low, name)
    scripts = _scripts(page, low, name)
    sheets = {page[found.start(1) : found.end(1)] for found in SHEET.finditer(low)}
    styles = {
        page[found.start(kind) : found.end(kind)]
        for found in STYLE.finditer(low)
        for kind in (1 if found[1] is not None else 2,)
    }
    meta = '<meta http-equiv="Content-Security-Policy" content="{}">'
    content = policy(scripts, sheets, styles, frames, own)
    return page[: start.end()] + meta.format(content).encode() + page[start.end() :]


def policy(
    scripts: Iterable[bytes],
    sheets: Iterable[bytes],
    styles: Iterable[bytes],
    frames: str = "'none'",
    own: str = "'self'",
) -> str:
    """Return the policy under which these inline scripts, style sheets and attributes count."""
    # A style attribute counts by its hash only beside 'unsafe-hashes'; no sheet then does by name.
    attributes = _hashes(
        html.unescape(style.decode("utf-8", "replace")).encode() for style in styles
    )
    loose = ["'unsafe-hashes'", *attributes] if attributes else []
    rules = {
        "default-src": [own],
        "script-src": [own, *_hashes(scripts)],
        "style-src": [own, *_hashes(sheets), *loose],
        "img-src": [own, "data:"],
        "connect-src": [own],
        "worker-src": [own],
        "frame-src": [frames],
        "object-src": ["'none'"],
        "base-uri": [own],
        "form-action": ["'none'"],
    }
    return "; ".join(f"{rule} {' '.join(dict.fromkeys(values))}" for rule, values in rules.items())


def frame_source(video_host: object) -> str:
    """Return what `frame-src` allows: the owner's video host, or nothing."""
    if video_host in (None, "", False):
        return "'none'"
    found = re.fullmatch(HOST, str(video_host).strip().lower())
    if not found:
        raise SiteError(
            f"mkdocs.yml: extra.video_host is {video_host!r}; it names one host and nothing "
            "more, for example https://www.youtube-nocookie.com"
        )
    return f"https://{found[1]}"


def head(root: Path) -> str | None:
    """Return the commit that the working tree of ``root`` stands on; None outside a repository."""
    try:
        asked = ["git", "-C", str(root), "rev-parse", "--verify", "--quiet", "HEAD"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def _hashes(texts: Iterable[bytes]) -> list[str]:
    """Return the sources that allow exactly these texts."""
    return sorted(f"'sha256-{base64.b64encode(_digest(text)).decode()}'" for text in texts)


@functools.lru_cache(maxsize=256)  # the theme's scripts are the same on every page
def _digest(text: bytes) -> bytes:
    # A browser hashes what it has parsed, where a line ends in a line feed.
    return hashlib.sha256(text.replace(b"\r\n", b"\n")).digest()


def _scripts(page: bytes, low: bytes, name: str) -> set[bytes]:
    """Return the inline scripts that run. Raises where the story itself holds one."""
    story, end = low.find(b"<article"), low.rfind(b"</article>")
    found = set()
    for script in SCRIPT.finditer(low):
        kind = TYPE.search(script[1])
        if re.search(rb"\ssrc\s*=", script[1]) or (kind and kind[1] not in RUN):
            continue
        if 0 <= story < script.start() < end:
            raise SiteError(
                f"{name}: there is an inline script in the text of the page, which its security "
                "policy forbids. Next: put it in a file under blog/docs and name that under "
                "extra_javascript in mkdocs.yml."
            )
        found.add(page[script.start(2) : script.end(2)])
    return found


def _suspicious(low: bytes) -> bool:
    """Tell whether a page may hold an event handler or a `javascript:` address."""
    if b"script:" in low:  # the rest of the word may be broken by a blank
        return True
    if any(low[found.start() - 1] in b" \t\n\r\f/\"'" for found in HANDLER.finditer(low)):
        return True
    return any(low[: found.start()].endswith(tuple(ADDRESSES)) for found in ENTITY.finditer(low))


def _check_tags(low: bytes, name: str) -> None:
    """Raise SiteError for an event handler or a `javascript:` address in any tag."""
    for tag in TAG.finditer(SCRIPT.sub(b"", low)):
        for attribute in ATTRIBUTE.finditer(tag[1]):
            key, value = attribute[1], next(filter(None, attribute.groups()[1:]), b"")
            told = tag[0][:120].decode("utf-8", "replace")
            if re.fullmatch(rb"on[a-z]+", key):
                raise SiteError(
                    f"{name}: an inline event handler, which the page's security policy forbids: "
                    f"{told}. Next: take the attribute away, or handle the event in a script file."
                )
            if key in ADDRESSES and _scheme(value) == "javascript":
                raise SiteError(
                    f"{name}: an address that is a script, which the page's security policy "
                    f"forbids: {told}. Next: link to a page."
                )


def _scheme(value: bytes) -> str:
    """Return the scheme of an address as a browser reads it: without blanks and control bytes."""
    text = html.unescape(value.decode("utf-8", "replace"))
    return re.sub(r"[\x00-\x20]", "", text).partition(":")[0]
