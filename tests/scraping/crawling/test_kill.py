"""Runs that die at any moment lose nothing and ask for nothing twice.

FOLIO_KILLS=100 kills as often as the acceptance of the crawler asks for; the suite takes a sample.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from scraping import crawl
from scraping.pages import Pages
from scraping.records.archive import read

KILLS = int(os.environ.get("FOLIO_KILLS", "6"))
MIXED: dict[str, Any] = {"follow": "a.next, a.odd", "keep": "a.page, a.odd", "media": "img"}
CRAWLER = f"""
import json, sys
from scraping import crawl
print("begun", flush=True)
pages = crawl(sys.argv[1], **{MIXED!r}, archive=sys.argv[2], max_failed=0.5)
print(json.dumps(pages.to_json()))
"""


@pytest.fixture
def mixed(site) -> Any:
    """Some 300 addresses: lists, pages, pictures, redirects, and every odd end there is."""
    html = {"Content-Type": "text/html"}
    for number in range(12):
        pages = "".join(f'<a class=page href="/p{number}-{one}">x</a>' for one in range(20))
        odd = "".join(
            f'<a class=odd href="/{name}{number}">x</a>'
            for name in ("gone", "moved", "noarchive", "noindex", "same", "film", "closed/")
        )
        onward = f'<a class=next href="/list{number + 1}">on</a>' if number < 11 else ""
        site[f"/list{number}"] = pages + odd + onward
        for one in range(20):
            picture = f'<img src="/i{number}-{one}.png">' if one % 5 == 0 else ""
            site[f"/p{number}-{one}"] = f"<h1>{number}-{one}</h1>{picture}" + "text " * 200
            site[f"/i{number}-{one}.png"] = (200, {"Content-Type": "image/png"}, b"%d" % one)
        site[f"/moved{number}"] = (301, {"Location": f"/p{number}-3"}, b"")
        tag = {**html, "X-Robots-Tag": "noarchive"}
        site[f"/noarchive{number}"] = (200, tag, b"never written")
        tag = {**html, "X-Robots-Tag": "noindex"}
        site[f"/noindex{number}"] = (200, tag, b"not kept %d" % number)
        site[f"/same{number}"] = "the same under every address"
        site[f"/film{number}"] = (200, {"Content-Type": "video/mp4"}, b"film")
    site["/robots.txt"] = "User-agent: *\nDisallow: /closed/\n"
    return site


def content(folder: Path) -> dict[str, str]:
    """Each archived address and the digest of what was last had from it."""
    import sqlite3

    database = sqlite3.connect(folder / "frontier.sqlite")
    places = database.execute("SELECT file, offset FROM address WHERE file IS NOT NULL").fetchall()
    database.close()
    found = [read(folder, file, offset) for file, offset in places]
    return {one.url: sha256(one.body).hexdigest() for one in found if one is not None}


def told_apart(pages: Pages) -> list[tuple[str, str]]:
    return [(ref.url, ref.digest) for ref in pages.refs]


def ends(balance: dict[str, Any]) -> dict[str, Any]:
    """What must not depend on how often the run died."""
    return {
        name: balance[name]
        for name in ("kept", "duplicate", "refused", "failed", "due", "kinds", "nofollow")
    }


def killed_after(seconds: float, command: list[str]) -> None:
    """Run the crawler, and kill it so long after it began."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def moments(duration: float) -> Iterator[float]:
    """Random moments of a crawl, each in its own share of it, so that none is left out."""
    chance = random.Random()
    for number in range(KILLS):
        yield duration * (number + chance.random()) / KILLS


@pytest.mark.slow
def test_killed_at_any_moment_a_crawl_ends_as_if_it_had_not_been(mixed, tmp_path):
    import json

    whole = crawl(mixed.url("/list0"), **MIXED, max_failed=0.5, archive=tmp_path / "whole")
    expected = content(tmp_path / "whole")
    assert len(expected) > 300
    timed = [sys.executable, "-c", CRAWLER, mixed.url("/list0"), str(tmp_path / "timed")]
    process = subprocess.Popen(timed, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    begun = time.monotonic()
    process.communicate()
    duration = time.monotonic() - begun
    for number, moment in enumerate(moments(duration)):
        folder = tmp_path / f"cut{number}"
        command = [sys.executable, "-c", CRAWLER, mixed.url("/list0"), str(folder)]
        mixed.forget()
        killed_after(moment, command)
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        pages = Pages.from_json(json.loads(out.splitlines()[1]), folder)
        assert told_apart(pages) == told_apart(whole), f"killed after {moment:.3f} s"
        assert content(folder) == expected, f"killed after {moment:.3f} s"
        assert ends(pages.balance) == ends(whole.balance), f"killed after {moment:.3f} s"
        assert "/closed/1" not in mixed.requests
        assert max(mixed.asked.values()) <= 2
        again = [path for path, count in mixed.asked.items() if count > 1]
        assert len(again) <= 1, f"killed after {moment:.3f} s: {again} were asked for twice"
        assert mixed.requests.count("/robots.txt") <= 2


@pytest.mark.slow
def test_a_crawl_that_is_killed_over_and_over_gets_there(mixed, tmp_path):
    import json

    whole = crawl(mixed.url("/list0"), **MIXED, max_failed=0.5, archive=tmp_path / "whole")
    folder = tmp_path / "cut"
    command = [sys.executable, "-c", CRAWLER, mixed.url("/list0"), str(folder)]
    mixed.forget()
    for _ in range(KILLS):
        killed_after(0.08, command)
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    pages = Pages.from_json(json.loads(out.splitlines()[1]), folder)
    assert told_apart(pages) == told_apart(whole)
    assert content(folder) == content(tmp_path / "whole")
    assert sum(count - 1 for count in mixed.asked.values()) <= KILLS
