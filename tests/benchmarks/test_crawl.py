"""What a crawl costs, beside Scrapy and beside requests with Beautiful Soup, on the same site.

    python -m venv bench && bench/bin/python -m pip install "scrapy>=2.13" requests beautifulsoup4
    FOLIO_BENCH_PYTHON=bench/bin/python python -m pytest tests/benchmarks/test_crawl.py -s

It needs nginx, a quarter of an hour, and a machine with nothing else to do: two cores, of which
nginx takes a part of one. FOLIO_BENCH_RUNS is the number of runs of each (5), FOLIO_BENCH_PAGES
the pages of the site (3,000), FOLIO_BENCH_LARGE those of the largest one (30,000).

Folio obeys robots.txt, archives every answer and keeps its frontier on the disk; Scrapy obeys
robots.txt and keeps nothing, its job folder left off; requests with Beautiful Soup does neither.
All three write the same records as JSON lines, which is compared. For a replay the site is gone:
Folio reads its archive, Scrapy its HTTP cache with its default policy and storage.

What a run costs is the processor time (user and system) of its process and of all that it started,
its time on the clock, and the most memory that it held. The programs take turns, so that other
work on the machine matters to all alike. "Beyond start" is the cost less that of the same program
on a site of two pages: without Python's start and the imports.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("os.wait4 is not on Windows", allow_module_level=True)

REPOSITORY = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "crawl"
BENCH_PYTHON = os.environ.get("FOLIO_BENCH_PYTHON", sys.executable)
STARTS = 3  # runs on the smallest site; the first fills the caches of Python and of the disk
RUNS = int(os.environ.get("FOLIO_BENCH_RUNS", "5"))
PAGES = int(os.environ.get("FOLIO_BENCH_PAGES", "3000"))
LARGE = int(os.environ.get("FOLIO_BENCH_LARGE", "30000"))
SMALLEST = 2  # pages: a list and an object
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")

# Started from a process as small as can be: until it runs a program of its own, a child counts the
# memory of the process that it was split from as its own.
LAUNCHER = """
import json, os, sys, time
begun = time.monotonic()
child = os.fork()
if child == 0:
    os.execv(sys.argv[1], sys.argv[1:])
_, status, used = os.wait4(child, 0)
print(json.dumps([
    os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime,
    time.monotonic() - begun, used.ru_maxrss,
]))
"""

NGINX_CONF = """
{user}
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
    types {{ "text/html; charset=utf-8" html; text/plain txt; }}
    access_log off;
    client_body_temp_path {folder}/temporary;
    proxy_temp_path {folder}/temporary;
    fastcgi_temp_path {folder}/temporary;
    uwsgi_temp_path {folder}/temporary;
    scgi_temp_path {folder}/temporary;
    sendfile on;
    tcp_nodelay on;
    keepalive_requests 1000000;
    gzip_static always;
    gunzip on;
    server {{ listen 127.0.0.1:{port}; root {root}; }}
}}
"""


@dataclass(frozen=True)
class Run:
    """What one run of a program cost."""

    processor: float  # seconds, user and system
    clock: float  # seconds
    memory: float  # MB at most


@dataclass
class Contender:
    """A program and what its runs cost."""

    name: str
    pages: int
    start: Run | None = None  # on the smallest site
    runs: list[Run] = field(default_factory=list)

    def processor(self) -> float:
        """Milliseconds of processor time a page."""
        return self._median("processor") * 1000 / self.pages

    def beyond_start(self) -> float:
        """Milliseconds of processor time a page, less what the smallest site costs."""
        assert self.start is not None
        return (self._median("processor") - self.start.processor) * 1000 / (self.pages - SMALLEST)

    def speed(self) -> float:
        """Pages a second."""
        return self.pages / self._median("clock")

    def memory(self) -> float:
        """MB at most."""
        return self._median("memory")

    def _median(self, name: str) -> float:
        return statistics.median(getattr(run, name) for run in self.runs)

    def line(self) -> str:
        """A row of the table."""
        cells = [self.name, f"{self.pages:,}", str(len(self.runs))]
        costs = [run.processor * 1000 / self.pages for run in self.runs]
        cells.append(f"**{self.processor():.2f}** ({min(costs):.2f}–{max(costs):.2f})")
        cells.append(f"{self.beyond_start():.2f}" if self.start else "–")
        speeds = [self.pages / run.clock for run in self.runs]
        cells.append(f"**{self.speed():,.0f}** ({min(speeds):,.0f}–{max(speeds):,.0f})")
        most = [run.memory for run in self.runs]
        cells.append(f"**{self.memory():.0f}** ({min(most):.0f}–{max(most):.0f})")
        return f"| {' | '.join(cells)} |"


HEAD = """\
| | pages | runs | ms of CPU a page | beyond start | pages a second | MB at most |
|---|--:|--:|--:|--:|--:|--:|"""


def measured(python: str, program: str, *arguments: str | Path) -> Run:
    """Run a program to its end, in an environment as a user has it."""
    unusual = {"PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX", "FOLIO_ROOT"}
    kept = {name: value for name, value in os.environ.items() if name not in unusual}
    command = [python, str(PROGRAMS / program), *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LAUNCHER, *command],
        env={**kept, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    code, processor, clock, memory = json.loads(done.stdout.splitlines()[-1])
    assert code == 0, done.stdout + done.stderr
    per_megabyte = 1024 * 1024 if sys.platform == "darwin" else 1024
    return Run(processor, clock, memory / per_megabyte)


def cheapest(runs: Iterable[Run]) -> Run:
    """The run that other work on the machine disturbed least."""
    return min(runs, key=lambda run: run.processor)


@contextmanager
def served(root: Path, port: int, folder: Path) -> Iterator[str]:
    """nginx in front of a folder of pages; the address of the first."""
    (folder / "temporary").mkdir(parents=True, exist_ok=True)
    configuration = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    configuration.write_text(NGINX_CONF.format(folder=folder, root=root, port=port, user=user))
    assert NGINX is not None
    server = subprocess.Popen(
        [NGINX, "-p", folder, "-c", configuration, "-e", folder / "error.log"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server, folder)
        yield f"http://127.0.0.1:{port}/list/1.html"
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(port: int, server: subprocess.Popen[bytes], folder: Path) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError((folder / "error.log").read_text())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def site(folder: Path, pages: int) -> Path:
    """The site of so many pages, written by a process of its own."""
    root = folder / f"site-{pages}"
    if not root.exists():
        command = [sys.executable, str(PROGRAMS / "site.py"), str(root), str(pages)]
        subprocess.run(command, check=True)
    return root


def records(rows: Path) -> list[dict[str, object]]:
    """What a program wrote, in the order of the inventory, which the sites count up."""
    found = [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines()]
    return sorted(found, key=lambda row: str(row["image"]))


def installed(*modules: str) -> bool:
    """Whether the other Python has them."""
    statement = f"import {', '.join(modules)}"
    return subprocess.run([BENCH_PYTHON, "-c", statement], capture_output=True).returncode == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where sites, archives and rows go; skipped where there is nothing to compare with."""
    if NGINX is None:
        pytest.skip("there is no nginx: apt install nginx-light, or brew install nginx")
    if not installed("scrapy", "requests", "bs4"):
        pytest.skip(
            f"{BENCH_PYTHON} lacks Scrapy, requests or Beautiful Soup. Make an environment: "
            'python -m venv bench && bench/bin/python -m pip install "scrapy>=2.13" requests '
            "beautifulsoup4; then set FOLIO_BENCH_PYTHON=bench/bin/python"
        )
    return tmp_path


def test_a_crawl_costs_half_of_scrapys_and_its_replay_a_fraction(folder):
    small, whole = site(folder, SMALLEST), site(folder, PAGES)
    port = free_port()
    rows, archive, cache = folder / "rows", folder / "archive", folder / "cache"
    others = folder / "other-rows"

    def ours() -> Run:
        shutil.rmtree(archive, ignore_errors=True)
        return measured(sys.executable, "with_folio.py", start, rows, archive)

    def scrapy() -> Run:
        return measured(BENCH_PYTHON, "with_scrapy.py", start, others)

    def caching() -> Run:
        shutil.rmtree(cache, ignore_errors=True)
        return measured(BENCH_PYTHON, "with_scrapy.py", start, others, cache)

    def soup() -> Run:
        return measured(BENCH_PYTHON, "with_requests.py", start, others)

    def again() -> Run:
        return measured(sys.executable, "with_folio.py", start, rows, archive)

    def parquet() -> Run:
        return measured(sys.executable, "with_folio.py", start, rows, archive, "parquet")

    def from_cache() -> Run:
        return measured(BENCH_PYTHON, "with_scrapy.py", start, others, cache)

    crawls = {
        ours: Contender("Folio", PAGES),
        scrapy: Contender("Scrapy", PAGES),
        caching: Contender("Scrapy, filling its cache", PAGES),
        soup: Contender("requests + Beautiful Soup", PAGES),
    }
    replays = {
        again: Contender("Folio, replay", PAGES),
        from_cache: Contender("Scrapy, from its cache", PAGES),
        parquet: Contender("Folio, replay to Parquet", PAGES),
    }
    with served(small, port, folder / "nginx") as start:
        for run, contender in (crawls | replays).items():
            contender.start = cheapest(run() for _ in range(STARTS))
        rows.unlink()
    shutil.rmtree(archive)
    with served(whole, port, folder / "nginx") as start:
        for turn in range(RUNS):
            for run in (ours, scrapy):
                crawls[run].runs.append(run())
            if turn == 0:
                expected = records(rows)
                assert len(expected) == PAGES - PAGES // 30
                for run in (caching, soup):  # dear: once is enough to see the size
                    assert records(others) == expected
                    others.unlink()
                    crawls[run].runs.append(run())
            assert records(others) == records(rows) == expected
    for _ in range(RUNS):  # the site is gone
        for run in (again, from_cache, parquet):
            rows.unlink(missing_ok=True)
            others.unlink(missing_ok=True)
            replays[run].runs.append(run())
            if run is not parquet:
                assert records(rows if run is again else others) == expected

    print("\n\n" + "\n".join([HEAD, *(one.line() for one in (crawls | replays).values())]))
    us, them, replay, cached = crawls[ours], crawls[scrapy], replays[again], replays[from_cache]
    judge(
        ("CPU a page, of Scrapy's", us.processor() / them.processor(), "<=", 0.5),
        ("pages a second, of Scrapy's", us.speed() / them.speed(), ">=", 2),
        ("memory, of Scrapy's", us.memory() / them.memory(), "<=", 0.6),
        ("replay, ms of CPU a page", replay.processor(), "<=", 1.5),
        (
            "replay, pages a second, of Scrapy's from its cache",
            replay.speed() / cached.speed(),
            ">=",
            5,
        ),
    )


def test_a_page_costs_the_same_however_many_there_are(folder):
    sizes = (LARGE // 100, LARGE // 10, LARGE)
    with served(site(folder, SMALLEST), free_port(), folder / "nginx") as start:
        first = cheapest(
            measured(
                sys.executable, "with_folio.py", start, folder / "rows", folder / f"one-{turn}"
            )
            for turn in range(STARTS)
        )
    crawls = [Contender("Folio", pages, first) for pages in sizes]
    replays = [Contender("Folio, replay", pages, first) for pages in sizes]
    for turn in range(min(RUNS, 2)):
        for crawl, replay in zip(crawls, replays, strict=True):
            archive = folder / f"archive-{crawl.pages}-{turn}"
            root = site(folder, crawl.pages)
            with served(root, free_port(), folder / f"nginx-{crawl.pages}") as start:
                for contender in (crawl, replay):
                    contender.runs.append(
                        measured(sys.executable, "with_folio.py", start, folder / "rows", archive)
                    )
            assert len(records(folder / "rows")) == crawl.pages - crawl.pages // 30
            shutil.rmtree(archive)
    print("\n\n" + "\n".join([HEAD, *(one.line() for one in (*crawls, *replays))]))
    judge(
        ("CPU a page beyond start, the dearest crawl of the cheapest", spread(crawls), "<=", 1.25),
        ("… the dearest replay of the cheapest", spread(replays), "<=", 1.25),
    )


def spread(contenders: list[Contender]) -> float:
    """How much the dearest page costs, the cheapest being 1; by each size's best run."""
    costs = []
    for one in contenders:
        assert one.start is not None
        best = cheapest(one.runs)
        costs.append((best.processor - one.start.processor) / (one.pages - SMALLEST))
    return max(costs) / min(costs)


def judge(*goals: tuple[str, float, str, float]) -> None:
    """Print every goal beside its figure, then fail if one is missed."""
    lines, missed = [], []
    for name, figure, sign, goal in goals:
        met = figure <= goal if sign == "<=" else figure >= goal
        shown = {"<=": "≤", ">=": "≥"}[sign]
        lines.append(f"| {name} | {figure:.2f} | {shown} {goal:g} | {'yes' if met else 'no'} |")
        if not met:
            missed.append(f"{name}: {figure:.2f}, wanted {shown} {goal:g}")
    print("\n| goal | figure | wanted | met |\n|---|--:|--:|---|\n" + "\n".join(lines))
    assert not missed, "; ".join(missed)
