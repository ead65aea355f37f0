"""How fast Lighthouse finds the home page and a post: at least 95 on a desktop, 90 on a phone.

    npm install --prefix .cache/node lighthouse
    python -m pytest tests/benchmarks/test_lighthouse.py -s

It needs node and Chromium, and a machine with nothing else to do: the simulated phone has a slow
processor and a slow line, and both are reckoned from what was measured on this one. What counts
is the median of FOLIO_BENCH_RUNS runs (3).
"""

from __future__ import annotations

import functools
import gzip
import http.server
import json
import os
import shutil
import statistics
import subprocess
import threading
from pathlib import Path

import pytest

from blog import site

ROOT = Path(__file__).parents[2]
LIGHTHOUSE = ROOT / ".cache" / "node" / "node_modules" / "lighthouse" / "cli" / "index.js"
RUNS = int(os.environ.get("FOLIO_BENCH_RUNS", "3"))
LEAST = {"desktop": 95, "mobile": 90}


class Compressing(http.server.SimpleHTTPRequestHandler):
    """Serves a folder as web hosts do: compressed, and to be kept for a while."""

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""

    def do_GET(self) -> None:
        """Answer with the file, packed with gzip where that helps."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        packed = path.suffix in {".html", ".css", ".js", ".json", ".svg", ".xml"}
        body = gzip.compress(body, 6) if packed else body
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(str(path)))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=600")
        if packed:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lighthouse")
    shutil.copytree(ROOT / "blog", folder / "blog", ignore=shutil.ignore_patterns("*.py"))
    shutil.copy(ROOT / "mkdocs.yml", folder)
    handler = functools.partial(Compressing, directory=str(site.build(folder)))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.parametrize("path", ["", "posts/icons/"])
@pytest.mark.parametrize("device", LEAST)
def test_pages_are_fast(served, path, device, tmp_path):
    node = shutil.which("node")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if node is None or chromium is None or not LIGHTHOUSE.is_file():
        pytest.skip(f"needs node, chromium (or google-chrome) and {LIGHTHOUSE.relative_to(ROOT)}")
    scores, figures = [], {}
    for run in range(RUNS):
        report = tmp_path / f"{run}.json"
        subprocess.run(
            [
                node, str(LIGHTHOUSE), served + path, "--quiet", "--only-categories=performance",
                "--output=json", f"--output-path={report}",
                *(["--preset=desktop"] if device == "desktop" else []),
                "--chrome-flags=--headless=new --no-sandbox",
            ],
            env={**os.environ, "CHROME_PATH": chromium}, check=True, timeout=180,
        )  # fmt: skip
        found = json.loads(report.read_text())
        scores.append(round(100 * found["categories"]["performance"]["score"]))
        figures = {
            name: found["audits"][name]["displayValue"]
            for name in (
                "first-contentful-paint",
                "largest-contentful-paint",
                "total-blocking-time",
                "cumulative-layout-shift",
                "total-byte-weight",
            )
        }
    print(f"\n{path or 'home'}, {device}: {scores}", figures)
    assert statistics.median(scores) >= LEAST[device]
