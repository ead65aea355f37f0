"""A server for one folder on 127.0.0.1, whose pages load themselves anew when they are told to."""

from __future__ import annotations

import contextlib
import errno
import http.server
import os
import threading
import time
import urllib.parse
from collections.abc import Callable, Generator, Mapping
from http import HTTPStatus
from pathlib import Path

from blog.errors import PortTaken

SCRIPT = b"""\
const { epoch } = document.currentScript.dataset;
async function wait() {
  let now = epoch;
  try {
    now = await (await fetch("/folio-reload?after=" + epoch)).text();
  } catch {
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  if (now === epoch) wait();
  else location.reload();
}
wait();
"""
SOON = """\
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The preview is being built</title>
</head><body><p>The preview is being built. It will show here by itself.</p></body></html>
"""
Page = Callable[[bytes], bytes]

HELD = 20.0  # seconds that a page's question stays open
TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".xml": "application/xml",
}


class Shown:
    """The folder to show, None while there is none, and how often what it holds has changed."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        # Counted from the clock, so that pages of an earlier preview notice the new one.
        self.epoch = int(time.time() * 1000)
        self._news = threading.Condition()

    def changed(self, folder: Path | None = None) -> None:
        """Show another folder, or the same one again, and tell the pages that wait."""
        with self._news:
            self.folder = folder or self.folder
            self.epoch += 1
            self._news.notify_all()

    def after(self, epoch: str) -> str:
        """Wait until there is another epoch than the one a page was sent at; the epoch then."""
        with self._news:
            self._news.wait_for(lambda: str(self.epoch) != epoch, HELD)
            return str(self.epoch)


class _Handler(http.server.SimpleHTTPRequestHandler):
    extensions_map = http.server.SimpleHTTPRequestHandler.extensions_map | TYPES
    server: _Server  # ty: ignore[incompatible-mutable-override]

    def do_GET(self) -> None:
        """Answer with a file, with the script that waits for news, or with the news."""
        address = urllib.parse.urlsplit(self.path)
        if extra := self.server.extra.get(address.path):
            self._send(HTTPStatus.OK, TYPES[Path(address.path).suffix], extra)
        elif address.path == "/folio-reload":
            asked = urllib.parse.parse_qs(address.query).get("after", [""])[0]
            self._send(HTTPStatus.OK, "text/plain", self.server.shown.after(asked).encode())
        elif self.server.shown.folder is None:
            self._page(HTTPStatus.OK, SOON.encode())
        else:
            self.directory = str(self.server.shown.folder)
            self._file()

    def do_HEAD(self) -> None:
        """Answer as to a GET; `_send` and the class above leave the content out."""
        self.do_GET()

    def _file(self) -> None:
        path = Path(self.translate_path(self.path))
        if path.is_dir() and self.path.partition("?")[0].endswith("/"):
            path /= "index.html"
        if path.suffix == ".html" and path.is_file():
            self._page(HTTPStatus.OK, path.read_bytes())
        elif path.exists():
            super().do_HEAD() if self.command == "HEAD" else super().do_GET()
        else:
            missing = Path(self.directory, "404.html")
            text = missing.read_bytes() if missing.is_file() else b"<!doctype html><title>404"
            self._page(HTTPStatus.NOT_FOUND, text)

    def _page(self, status: HTTPStatus, page: bytes) -> None:
        self._send(status, TYPES[".html"], self.server.page(page))

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def end_headers(self) -> None:
        """Let no browser keep what may change with the next save."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal is for what concerns the author."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    # Elsewhere the option would let two servers share a port.
    allow_reuse_address = os.name == "posix"

    def __init__(self, port: int, shown: Shown, page: Page, extra: Mapping[str, bytes]) -> None:
        self.shown, self.page, self.extra = shown, page, extra
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore browsers that hang up."""


def reloading(shown: Shown) -> Page:
    """Return what adds to a page the script that waits for news of ``shown``."""

    def added(page: bytes) -> bytes:
        script = f'<script src="/folio-reload.js" data-epoch="{shown.epoch}" async></script>'
        at = page.rfind(b"</body>")
        at = at if at >= 0 else len(page)
        return page[:at] + script.encode() + page[at:]

    return added


@contextlib.contextmanager
def served(
    shown: Shown, *, port: int = 0, page: Page, extra: Mapping[str, bytes] | None = None
) -> Generator[str]:
    """Serve a folder while the block runs; the address. Raises PortTaken when the port is in use.

    Port 0 takes any free one. Every page goes through ``page`` on its way out; ``extra`` holds
    files that are not in the folder, by their path.
    """
    try:
        server = _Server(port, shown, page, extra or {})
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL, 10048, 10013):
            raise
        raise PortTaken(
            f"Port {port} on 127.0.0.1 is in use by another program, or not free to use. "
            f"Next: folio serve --port {port + 1 if port < 65535 else 8000}"
        ) from error
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
