"""A real server on loopback and a real browser, for every package's tests."""

from __future__ import annotations

import contextlib
import functools
import http.server
import shutil
import threading
from pathlib import Path

import pytest


def pytest_make_parametrize_id(config, val, argname):
    """Name packed bytes by their parameter: gzip writes the time into them, and processes that
    share the tests must all give a test the same name.
    """
    return argname if isinstance(val, bytes) and val.startswith(b"\x1f\x8b") else None


@pytest.fixture(scope="session")
def serving():
    """``with serving(folder) as address:`` serves a folder over real HTTP on loopback."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # as real hosts: one connection for many files

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 64  # a page asks for more than five files at once

    @contextlib.contextmanager
    def serve(folder: Path):
        handler = functools.partial(Quiet, directory=str(folder))
        with Server(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}/"
            server.shutdown()

    return serve


def chromium() -> str | None:
    """Where a Chromium is installed, if one is."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge"):
        if found := shutil.which(name):
            return found
    return None


@pytest.fixture(scope="session")
def browser():
    """A headless Chromium; the test is skipped where none is installed."""
    playwright = pytest.importorskip("playwright.sync_api")
    executable = chromium()
    if executable is None:
        pytest.skip("no Chromium found on PATH (chromium, google-chrome, msedge)")
    with playwright.sync_playwright() as running:
        # Without a sandbox, since containers and CI run as root.
        browser = running.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        yield browser
        browser.close()
