"""Every trap of the practice site's rude corner, sprung by a real crawl: it ends as its page says.

The wanted ends are those of the table of traps; `Trap.ends` names them, the index shows them.
"""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from warcio.archiveiterator import ArchiveIterator

from scraping import Pages, crawl, paging
from scraping.crawling.balance import told
from scraping.errors import Partial, Refused, Unreadable
from scraping.net import fetch, manners
from scraping.outcomes import Kind
from scraping.sandbox import rude
from scraping.sandbox.rude import guises, redirects, wishes
from scraping.sandbox.rude.trap import KEPT

pytestmark = pytest.mark.usefixtures("no_pause")

PATIENCE = 0.5  # seconds for one request in the tests of slow answers
SLOW = ("drip-body", "drip-headers", "silence", "robots-silent")
LATER = ("retry-after-second", "retry-after-date", "retry-after-garbage")
BOMBS = ("gzip-bomb", "brotli-bomb", "zip-bomb", "endless-body", "huge-page", "huge-headers",
         "video", "robots-bomb")  # fmt: skip
HARD = tuple(key for key in rude.TRAPS if key.startswith("many-"))
RULES = tuple(key for key in rude.TRAPS if key.startswith("robots-") and key not in SLOW)
NEVER_WHOLE = {Kind.BROKEN, Kind.TOO_LARGE, Kind.UNREACHABLE, Kind.CONTENT_TYPE, Kind.RESTING}


@pytest.fixture
def secret() -> Iterator[socket.socket]:
    """A port of this computer that no crawl is to connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener
        with pytest.raises(BlockingIOError):  # nobody has called
            listener.accept()


def walked(start: str, folder: Path, **wishes: Any) -> Pages:
    """What a crawl of the practice site kept, however it ended."""
    settings = {"follow": None, "include": "sandbox", "max_failed": 1, "contact": "me@example.org"}
    try:
        pages = crawl(f"http://sandbox/rude/{start}", archive=folder, **(settings | wishes))
    except Partial as early:
        pages = early.pages
    assert pages is not None
    return pages


def into(key: str, folder: Path) -> Pages:
    """A crawl from the page about a trap into the trap."""
    return walked(f"about/{key}", folder, keep="a.trap")


def end_of(pages: Pages) -> str:
    """How the one address beside the start ended."""
    ends = [KEPT] * len(pages) + [
        kind for kind, number in pages.balance["kinds"].items() for _ in range(number)
    ]
    assert len(ends) == 1, pages.balance
    return ends[0]


def kept_whole(folder: Path, key: str) -> list[str]:
    """The records of a trap's address that look like a page had whole."""
    found = []
    for file in sorted(folder.glob("*.warc")):
        with file.open("rb") as stream:
            for record in ArchiveIterator(stream):
                url = record.rec_headers.get_header("WARC-Target-URI") or ""
                of_trap = key in url and "/about/" not in url and not url.endswith("robots.txt")
                if record.rec_type == "response" and of_trap:
                    found += [url] * (record.http_headers.get_statuscode() == "200")
    return found


def check_end(key: str, folder: Path) -> None:
    begun = time.monotonic()
    pages = into(key, folder)
    assert time.monotonic() - begun < 10
    end = end_of(pages)
    assert end in rude.TRAPS[key].ends, pages.balance
    if end in NEVER_WHOLE:
        assert kept_whole(folder, key) == []
    assert all(line.isprintable() for line in told(pages.balance))


@pytest.mark.parametrize("key", [key for key in rude.TRAPS if key not in SLOW + LATER])
def test_a_trap_ends_as_its_page_says(key, tmp_path):
    check_end(key, tmp_path)


# Slow answers, all at once: most of the time is spent waiting


@pytest.fixture(scope="module")
def slow_ends(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Pages, float, Path]]:
    """For each slow trap what was kept, the seconds that it took, and the folder."""

    def timed(key: str) -> tuple[Pages, float, Path]:
        folder = tmp_path_factory.mktemp(key)
        begun = time.monotonic()
        return into(key, folder), time.monotonic() - begun, folder

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(fetch, "SECONDS", PATIENCE)
        patched.setattr(manners, "BACK_OFF", 0.01)
        patched.setattr(manners, "PAUSE", 0.0)
        with ThreadPoolExecutor(len(SLOW + LATER)) as threads:
            return dict(zip(SLOW + LATER, threads.map(timed, SLOW + LATER), strict=True))


@pytest.mark.parametrize("key", SLOW)
def test_an_answer_that_hardly_comes_ends_at_the_deadline_of_each_try(key, slow_ends):
    pages, seconds, folder = slow_ends[key]
    assert end_of(pages) in rude.TRAPS[key].ends, pages.balance
    assert PATIENCE < seconds < manners.TRIES * 1.2 * PATIENCE + 3
    assert kept_whole(folder, key) == []


@pytest.mark.parametrize("key", LATER)
def test_a_page_that_asks_to_come_back_later_is_had_later(key, slow_ends):
    pages, seconds, _ = slow_ends[key]
    assert end_of(pages) == KEPT, pages.balance
    assert "Here is your page" in pages[0].get_text()
    assert seconds > (0.9 if key != "retry-after-garbage" else 0)


def test_retry_after_is_obeyed_to_the_second(heard, tmp_path):
    into("retry-after-second", tmp_path)
    # Who comes too early is sent away once more, and would be heard a third time.
    assert heard.count("sandbox/rude/retry-after-second") == 2


def test_a_host_that_asks_for_a_day_is_asked_once_and_due_the_next_time(heard, tmp_path):
    first = into("retry-after-day", tmp_path)
    assert heard.count("retry-after-day.sandbox/") == 1
    assert first.balance["kinds"] == {Kind.RESTING: 1}
    into("retry-after-day", tmp_path)
    assert heard.count("retry-after-day.sandbox/") == 2
    assert heard.count("sandbox/rude/about/retry-after-day") == 1


# Bombs

SPRUNG = """
import re, sys, time
from pathlib import Path
from scraping import crawl, errors
from scraping.net import manners
manners.BACK_OFF, manners.PAUSE = 0.01, 0.0
for key in sys.argv[2:]:
    begun = time.monotonic()
    try:
        pages = crawl(
            f"http://sandbox/rude/about/{key}", follow=None, keep="a.trap", include="sandbox",
            max_failed=1, archive=Path(sys.argv[1]) / key,
        )
    except errors.Partial as early:
        pages = early.pages
    print(key, f"{time.monotonic() - begun:.1f}", *pages.balance["kinds"], sep="|")
try:
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
except OSError:
    import resource
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print("peak", peak, sep="|")
"""


def test_no_bomb_takes_more_than_150_megabytes_or_ten_seconds(tmp_path):
    # Crawler and practice site share the process, so the site's own thrift is measured too.
    command = [sys.executable, "-c", SPRUNG, str(tmp_path), *BOMBS]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    *ends, (_, peak) = (line.split("|") for line in said.splitlines())
    assert [key for key, *_ in ends] == list(BOMBS)
    for key, seconds, *kinds in ends:
        assert len(kinds) == 1, key
        assert kinds[0] in rude.TRAPS[key].ends, key
        assert float(seconds) < 10, key
    assert int(peak) / 1024 <= 150


# Private addresses


@pytest.mark.parametrize("name", redirects.PRIVATE)
def test_a_redirect_to_a_private_address_is_refused_before_anything_is_sent(name, secret, tmp_path):
    port = secret.getsockname()[1]
    with pytest.raises(Refused) as caught:
        walked(f"redirect-{name}?port={port}", tmp_path, include=".")
    assert caught.value.kind == Kind.PRIVATE
    assert caught.value.exit_code == 4


def test_links_to_private_addresses_and_other_schemes_are_refused(secret, tmp_path):
    start = f"private-links?port={secret.getsockname()[1]}"
    pages = walked(start, tmp_path, keep="a.private", include=".")
    assert pages.balance["kinds"] == {
        Kind.PRIVATE: len(redirects.PRIVATE),
        Kind.SCHEME: len(redirects.ELSEWHERE),
    }


def test_a_page_that_sends_browsers_on_is_kept_and_not_obeyed(secret, tmp_path):
    pages = walked(f"meta-refresh?port={secret.getsockname()[1]}", tmp_path, include=".")
    assert len(pages) == 1


# Letters and markup


@pytest.mark.parametrize("key", [key for key in rude.TRAPS if key.startswith("letters-")])
def test_unclear_letters_are_read_right(key, tmp_path):
    (page,) = into(key, tmp_path)
    assert page.select_one("p.text").get_text() == rude.TRAPS[key].shows


def test_there_are_nine_cases_of_unclear_letters():
    assert sum(key.startswith("letters-") for key in rude.TRAPS) == 9


@pytest.mark.parametrize("key", HARD)
def test_markup_that_is_hard_to_read_is_read_or_refused_within_seconds(key, tmp_path):
    begun = time.monotonic()
    pages = walked(f"about/{key}", tmp_path, follow="a.trap")
    refused = []
    for page in pages:
        try:
            page.select_one("p.last")
            page.get_text()
        except Unreadable as failure:
            refused.append(failure.url)
    assert time.monotonic() - begun < 5
    assert refused in ([], [f"http://sandbox/rude/{key}"])
    assert len(pages) == 2 or pages.balance["kinds"] == {Kind.UNREADABLE: 1}


# Mazes


def test_a_calendar_without_end_stops_at_each_budget_and_says_so(tmp_path):
    maze: dict[str, Any] = {"start": "calendar", "follow": "a.onward"}
    few = walked(**maze, folder=tmp_path / "pages", max_pages=5)
    assert len(few) == 5
    assert few.balance["stopped"].startswith("max_pages=5 reached")
    short = walked(**maze, folder=tmp_path / "seconds", max_seconds=0.3)
    assert 0 < len(short) < 2_000
    assert short.balance["stopped"].startswith("max_seconds=0.3 reached")
    assert len(walked(**maze, folder=tmp_path / "depth", max_depth=3)) == 4


def test_the_same_content_under_many_addresses_is_kept_once(heard, tmp_path):
    pages = walked("same-content", tmp_path, follow="a.onward", max_pages=20)
    assert len(pages) == 1
    assert pages.balance["duplicate"] >= 2
    assert len(heard) < 20


def test_one_article_under_fifty_sessions_is_kept_once(tmp_path):
    pages = walked("session-ids", tmp_path, keep="a.onward")
    assert len(pages) == 1
    assert pages.balance["duplicate"] == 49


def test_a_json_list_without_end_stops_at_the_number_of_pages(tmp_path):
    pages = walked("infinite-json", tmp_path, follow=paging.by_key("next"), max_pages=5)
    assert [page.json()["results"][0]["id"] for page in pages] == [0, 20, 40, 60, 80]
    assert pages.balance["stopped"].startswith("max_pages=5 reached")


def test_pages_with_one_title_are_all_kept(tmp_path):
    pages = walked("same-title", tmp_path, keep="a.onward")
    assert [page.select_one("p.name").get_text()[-1] for page in pages] == list("12345")


# Guises and wishes


def test_hostile_names_are_kept_as_they_are_and_do_nothing(tmp_path, capfd):
    folder = tmp_path / "archive"
    pages = walked("hostile-names", folder, keep="a.onward")
    names = [page.select_one("p.name").get_text() for page in pages]
    assert len(names) == len(guises.NAMES)
    for name, read in zip(guises.NAMES, names, strict=True):
        if name.isprintable():
            assert read == name
    assert pages.balance["kinds"] == {Kind.GONE: 1}
    assert all(line.isprintable() for line in told(pages.balance))
    assert all(reason.isprintable() for reason in pages.balance["reasons"])
    assert [path.name for path in tmp_path.iterdir()] == ["archive"]
    assert all(re.fullmatch(r"[a-z0-9.-]+", path.name) for path in folder.iterdir())
    assert capfd.readouterr() == ("", "")


def test_links_of_a_page_that_asks_for_it_are_not_followed(heard, tmp_path):
    pages = walked("nofollow", tmp_path, follow="a.onward")
    assert len(pages) == 1
    assert "sandbox/rude/nofollow/behind" not in heard


@pytest.mark.parametrize("key", ["noarchive"])
def test_nothing_of_a_page_that_asks_not_to_be_archived_reaches_the_disk(key, tmp_path):
    into(key, tmp_path)
    for file in tmp_path.rglob("*"):
        assert file.is_dir() or wishes.MARK.encode() not in file.read_bytes(), file


def test_cookies_are_not_sent_back(heard, tmp_path):
    pages = walked("cookie-bomb", tmp_path, follow="a.onward")
    assert [page.select_one("h1").get_text() for page in pages] == ["Have some cookies"] * 2
    for file in tmp_path.glob("*.warc"):
        assert b"c0=xxx" not in file.read_bytes(), "cookies never reach the disk"


@pytest.mark.parametrize("key", RULES)
def test_what_robots_txt_closes_is_not_asked_for(key, heard, tmp_path):
    end = end_of(into(key, tmp_path))
    asked = heard.count(f"{key}.sandbox{rude.TRAPS[key].host}")
    assert asked == (1 if end == KEPT else 0)
