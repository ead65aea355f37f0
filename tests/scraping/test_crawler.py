"""Crawls of a small web on loopback: kept, resumed, replayed, bounded."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from scraping import Pages, crawl, errors, fetch, manners, text
from scraping.lent import Lent, current

SHOP: dict[str, Any] = {"follow": "a.next", "keep": "a.bird", "media": "img"}


def names(pages: Pages) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def test_a_crawl_keeps_every_page_once_breadth_first_with_its_media(shop, tmp_path):
    pages = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert names(pages) == [f"{number}{letter}.html" for number in range(3) for letter in "abcd"]
    assert [text(page, "h1") for page in pages][:2] == ["Bird 0a", "Bird 0b"]
    assert pages.balance["fetched"] == 3 + 12 + 12 + 1
    assert set(shop.asked.values()) == {1}, "the logo on every page was asked for once"


def test_a_second_run_replays_with_no_request_and_the_same_result(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert shop.requests == []
    assert second.refs == first.refs
    assert second.digest == first.digest
    assert second.balance["replayed"] == 28
    assert second.balance["fetched"] == 0


def test_a_replay_needs_no_server_at_all(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    shop.close()
    assert crawl(shop.url(), **SHOP, archive=tmp_path).refs == first.refs


def test_a_changed_selector_fetches_only_what_is_new(shop, tmp_path):
    crawl(shop.url(), follow="a.next", keep="a.bird", media="img.logo", archive=tmp_path)
    shop.forget()
    crawl(shop.url(), **SHOP, archive=tmp_path)
    assert sorted(shop.asked) == [f"/bird/{n}{letter}.png" for n in range(3) for letter in "abcd"]


def test_pages_open_in_another_process_from_their_json(shop, tmp_path):
    import json

    pages = crawl(shop.url(), **SHOP, archive=tmp_path)
    (tmp_path / "pages.json").write_text(json.dumps(pages.to_json()))
    code = (
        "import json, sys, pathlib; from scraping import Pages\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "pages = Pages.from_json(json.loads((folder / 'pages.json').read_text()), archive=folder)\n"
        "print(pages.digest, pages[3].select_one('h1').text, len(pages[1:3]))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert out.stdout.split() == [pages.digest, "Bird", "0d", "2"]


def test_the_digest_changes_with_a_picture_and_with_nothing_else(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path / "1")
    again = crawl(shop.url(), **SHOP, archive=tmp_path / "2")
    shop["/bird/1c.png"] = (200, {"Content-Type": "image/png"}, b"another")
    changed = crawl(shop.url(), **SHOP, archive=tmp_path / "3")
    assert first.digest == again.digest
    differ = [a.url for a, b in zip(first.refs, changed.refs, strict=True) if a.digest != b.digest]
    assert differ == [shop.url("/bird/1c.html")]


def test_fresh_asks_again_and_notices_what_changed(shop, tmp_path):
    def tagged(handler):
        if handler.headers.get("If-None-Match") == '"one"':
            return 304, {}, b""
        return 200, {"ETag": '"one"', "Content-Type": "text/html"}, b"<h1>tagged</h1>"

    shop["/bird/0a.html"] = tagged
    lent = Lent(archive=tmp_path, project=tmp_path, fresh=True)
    token = current.set(lent)
    try:
        first = crawl(shop.url(), follow="a.next", keep="a.bird")
        shop["/bird/2d.html"] = "<h1>new</h1>"
        shop.forget()
        second = crawl(shop.url(), follow="a.next", keep="a.bird")
    finally:
        current.reset(token)
    assert shop.asked["/bird/0a.html"] == 1
    assert second.balance["unchanged"] == 14
    assert second.balance["fetched"] == 1
    differ = [a.url for a, b in zip(first.refs, second.refs, strict=True) if a.digest != b.digest]
    assert differ == [shop.url("/bird/2d.html")]


def test_fresh_keeps_what_it_has_when_the_site_fails(shop, tmp_path):
    first = crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path)
    shop["/bird/0a.html"] = (500, {}, b"")
    token = current.set(Lent(archive=tmp_path, project=tmp_path, fresh=True))
    try:
        second = crawl(shop.url(), follow="a.next", keep="a.bird")
    finally:
        current.reset(token)
    assert second.refs == first.refs
    assert second.balance["failed"] == 1


def test_without_keep_every_followed_page_is_kept(shop, tmp_path):
    pages = crawl(shop.url(), follow="a.next", archive=tmp_path)
    assert names(pages) == ["", "gallery1", "gallery2"]


def test_an_address_both_passed_through_and_kept_is_fetched_once(site, tmp_path):
    site["/"] = '<a class="k f" href="/a">a</a>'
    site["/a"] = '<a class="k f" href="/b">b</a>'
    site["/b"] = "end"
    pages = crawl(site.url(), follow="a.f", keep="a.k", archive=tmp_path)
    assert names(pages) == ["a", "b"]
    assert set(site.asked.values()) == {1}


def test_several_spellings_of_one_address_are_one(site, tmp_path):
    host = f"127.0.0.1:{site.port}"
    site["/"] = (
        '<a href="/p?b=2&a=1#x">1</a><a href="/p?a=1&b=2">2</a>'
        f'<a href="//{host}/p?b=2&a=1">3</a><a href="HTTP://{host}/x/../p?b=2&a=1">4</a>'
    )
    site["/p?b=2&a=1"] = "here"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert len(pages) == 1
    assert site.asked["/p?a=1&b=2"] == 0


def test_redirects_are_followed_and_lead_to_one_page(site, tmp_path):
    site["/"] = '<a href="/old">1</a><a href="/new">2</a><a href="/older">3</a>'
    site["/older"] = (301, {"Location": "/old"}, b"")
    site["/old"] = (302, {"Location": "new"}, b"")
    site["/new"] = "<h1>here</h1>"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path)
    assert names(pages) == ["new"]
    assert set(site.asked.values()) == {1}
    site.forget()
    assert crawl(site.url(), follow=None, keep="a", archive=tmp_path).refs == pages.refs
    assert not site.requests


def test_a_redirect_loop_is_named(site, tmp_path):
    site["/"] = '<a href="/one">1</a>' + '<a href="/ok">x</a>'
    site["/one"] = (302, {"Location": "/two"}, b"")
    site["/two"] = (302, {"Location": "/one"}, b"")
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=0.9)
    (reason,) = pages.balance["reasons"]
    assert reason.startswith("redirect loop: ")
    assert "/two" in reason


def test_robots_txt_is_obeyed_and_the_refusal_named(shop, tmp_path):
    shop["/"] = '<a class="bird" href="/private/x">x</a><a class="bird" href="/bird/0a.html">a</a>'
    pages = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert names(pages) == ["0a.html"]
    assert "/private/x" not in shop.asked
    assert pages.balance["refused"] == 1
    assert "robots.txt" in next(iter(pages.balance["reasons"]))


def test_a_start_that_robots_txt_forbids_is_refused_with_exit_code_4(shop, tmp_path):
    with pytest.raises(errors.Refused, match=r"robots\.txt") as caught:
        crawl(shop.url("/private/"), **SHOP, archive=tmp_path)
    assert caught.value.exit_code == 4
    assert shop.requests == ["/robots.txt"]


def test_a_private_address_is_refused_with_no_request_sent(site, other_site, tmp_path):
    other_site["/"] = "secret"
    named = other_site.url()
    decimal = f"http://2130706433:{other_site.port}/"
    mapped = f"http://[::ffff:127.0.0.1]:{other_site.port}/"
    site["/"] = (
        f'<a href="{named}">1</a><a href="{decimal}">2</a><a href="{mapped}">3</a>'
        '<a href="/away">4</a><a href="file:///etc/passwd">5</a>'
        f'<a href="/ok">6</a>'
    )
    site["/away"] = (302, {"Location": named}, b"")
    site["/ok"] = f'<img src="{named}">'
    pages = crawl(
        site.url(), follow=None, keep="a", media="img", include="http|file", archive=tmp_path
    )
    assert names(pages) == ["ok"]
    assert other_site.requests == []
    assert pages.balance["refused"] == 5
    assert "private address" in " ".join(pages.balance["reasons"])


def test_links_to_other_sites_and_broken_links_harm_nothing(site, tmp_path):
    site["/"] = (
        '<a href="http://[::1">1</a><a href="javascript:alert(1)">2</a><a href="mailto:a@b">3</a>'
        '<a href="data:text/html,x">4</a><a href="http://ex ample/">5</a><a href="ftp://h/">6</a>'
        f'<a href="/{"x" * 10_000}">7</a><a href="http://h:99999/">8</a><a>9</a><a href="">10</a>'
        '<a href="http://user:pass@127.0.0.1/">11</a><a href="http://example.org/">12</a>'
        '<a href="/\x00nul">13</a><a href="/ok">14</a><a href="https://'
        + "a" * 70
        + '.org/">15</a>'
    )
    site["/%00nul"] = site["/nul"] = "nul"
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=0.5)
    assert "ok" in names(pages)
    assert pages.balance["refused"] == 11
    assert all(reason.isprintable() for reason in pages.balance["reasons"])


def test_include_and_exclude_bound_a_crawl(shop, tmp_path):
    pages = crawl(shop.url(), **SHOP, include="/(gallery|bird)", exclude=r"[bc]\.html",
                  archive=tmp_path)  # fmt: skip
    assert {name[1] for name in names(pages)} == {"a", "d"}


def test_max_pages_gives_a_usable_part_and_says_so(shop, tmp_path):
    pages = crawl(shop.url(), **SHOP, max_pages=5, archive=tmp_path)
    assert len(pages) == 5
    assert pages.balance["stopped"].startswith("max_pages=5 reached")
    shop.forget()
    assert len(crawl(shop.url(), **SHOP, archive=tmp_path)) == 12
    assert shop.asked["/bird/0a.html"] == 0


def test_a_quick_run_caps_the_pages(shop, tmp_path):
    token = current.set(Lent(archive=tmp_path, project=tmp_path, max_pages=3))
    try:
        assert len(crawl(shop.url(), **SHOP)) == 3
    finally:
        current.reset(token)


def test_max_depth_and_max_seconds_end_a_trap(site, tmp_path):
    def calendar(handler):
        number = int(handler.path.rpartition("/")[2] or 0)
        return f'<a href="/day/{number + 1}">tomorrow</a>'

    for number in range(500):
        site[f"/day/{number}"] = calendar
    pages = crawl(site.url("/day/0"), follow="a", max_depth=7, archive=tmp_path / "1")
    assert len(pages) == 8
    slow = crawl(site.url("/day/0"), follow="a", max_seconds=0.2, archive=tmp_path / "2")
    assert 0 < len(slow) < 500
    assert slow.balance["stopped"].startswith("max_seconds=0.2")


def test_an_unreachable_start_says_what_was_kept_and_what_to_do(shop, tmp_path):
    shop.close()
    token = current.set(Lent(archive=tmp_path, project=Path("projects/birds")))
    try:
        with pytest.raises(errors.Unreachable) as caught:
            crawl(shop.url(), **SHOP)
    finally:
        current.reset(token)
    assert caught.value.exit_code == 3
    said = str(caught.value)
    for part in ("connection refused", "Kept: 0", "`folio run birds`", "http://sandbox/museum/"):
        assert part in said


def test_too_many_failures_are_partial_and_a_later_run_goes_on(shop, tmp_path):
    broken = [f"/bird/{number}{letter}.html" for number in range(3) for letter in "ab"]
    good = {path: shop.answers[path] for path in broken}
    for path in broken:
        shop[path] = (500, {}, b"oops")
    with pytest.raises(errors.Partial, match="failed") as caught:
        crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path)
    assert caught.value.exit_code == 3
    assert "6 × 500 Internal Server Error" in str(caught.value)
    assert caught.value.pages is not None
    assert len(caught.value.pages) == 6
    shop.answers.update(good)
    shop.forget()
    assert len(crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path)) == 12
    assert sorted(shop.asked) == broken


def test_a_dead_link_is_not_asked_for_again(shop, tmp_path):
    del shop.answers["/bird/1b.html"]
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert first.balance["reasons"] == {"404 Not Found": 1}
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert shop.requests == []
    assert second.balance["reasons"] == {"404 Not Found": 1}


def test_a_picture_that_cannot_be_had_leaves_its_page_in_place(shop, tmp_path):
    from scraping import image

    del shop.answers["/bird/1b.png"]
    pages = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert len(pages) == 12
    page = next(page for page in pages if page.url.endswith("1b.html"))
    assert image(page, "img.bird", default=None) is None
    with pytest.raises(errors.NotFound, match="404"):
        image(page, "img.bird")


def test_a_host_that_keeps_failing_is_left_alone(shop, tmp_path, monkeypatch):
    monkeypatch.setattr(manners, "MOST_FAILURES", 3)
    for path in [path for path in shop.answers if path.startswith("/bird") and ".html" in path]:
        shop[path] = (503, {}, b"")
    with pytest.raises(errors.Partial, match="in a row"):
        crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path)
    assert sum(count for path, count in shop.asked.items() if "bird" in path) == 3 * manners.TRIES


def test_a_retry_after_beyond_the_cap_ends_the_crawl_resumably(shop, tmp_path):
    good = shop.answers["/bird/0c.html"]
    shop["/bird/0c.html"] = (429, {"Retry-After": "86400"}, b"")
    with pytest.raises(errors.Partial, match="asks to wait 86,400 seconds"):
        crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path)
    assert shop.asked["/bird/0c.html"] == 1
    assert shop.asked["/bird/0d.html"] == 0
    shop["/bird/0c.html"] = good
    assert len(crawl(shop.url(), follow="a.next", keep="a.bird", archive=tmp_path)) == 12


def test_a_crawl_of_the_web_without_a_contact_is_a_clear_error(tmp_path):
    with pytest.raises(errors.NoContact, match=r"extra\.contact in mkdocs\.yml") as caught:
        crawl("https://example.org/", follow="a", archive=tmp_path)
    assert caught.value.exit_code == 2
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("start", "words"),
    [("example.org/x", "Perhaps you meant https://example.org/x?"), ("ftp://h/", "not http")],
)
def test_a_start_that_is_no_web_address_is_said_at_once(start, words, tmp_path):
    with pytest.raises(errors.Misuse, match=words.replace("?", r"\?")):
        crawl(start, follow="a", archive=tmp_path, contact="me@example.org")


def test_a_selector_that_is_none_is_said_before_any_request(shop, tmp_path):
    with pytest.raises(errors.Misuse, match="no CSS selector"):
        crawl(shop.url(), follow="a", keep="a[[", archive=tmp_path)
    assert shop.requests == []


def test_outside_a_project_a_crawl_asks_for_a_folder(shop):
    with pytest.raises(errors.Misuse, match=r'archive="pages/"'):
        crawl(shop.url(), follow="a")


def test_two_crawls_at_once_into_one_folder_are_told(shop, tmp_path):
    from scraping.archive import Archive

    busy = Archive(tmp_path)
    try:
        with pytest.raises(errors.InUse) as caught:
            crawl(shop.url(), **SHOP, archive=tmp_path)
    finally:
        busy.close()
    assert caught.value.exit_code == 75


def test_progress_is_reported(shop, tmp_path, monkeypatch):
    from scraping import crawler

    monkeypatch.setattr(crawler, "REPORT_SECONDS", 0)
    said = []
    lent = Lent(archive=tmp_path, project=tmp_path, report=lambda *words: said.append(words))
    token = current.set(lent)
    try:
        crawl(shop.url(), **SHOP)
    finally:
        current.reset(token)
    assert said[-1] == ("pages", 15, 15)
    assert [done for _, done, _ in said] == sorted(done for _, done, _ in said)


def test_ctrl_c_keeps_everything_that_was_archived(shop, tmp_path, monkeypatch):
    class Stop:
        def __init__(self):
            self.left = 10

        def __call__(self, label, done, total):
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt

    from scraping import crawler

    monkeypatch.setattr(crawler, "REPORT_SECONDS", 0)
    token = current.set(Lent(archive=tmp_path, project=tmp_path, report=Stop()))
    try:
        with pytest.raises(KeyboardInterrupt):
            crawl(shop.url(), **SHOP)
    finally:
        current.reset(token)
    assert len(crawl(shop.url(), **SHOP, archive=tmp_path)) == 12
    assert set(shop.asked.values()) == {1}


CRAWLER = """
import sys
from scraping import crawl
pages = crawl(sys.argv[1], follow="a.next", keep="a.bird", media="img", archive=sys.argv[2])
print(pages.digest, len(pages))
"""


@pytest.mark.parametrize("after", [1, 9, 20, 27])
def test_a_killed_crawl_resumes_to_the_same_table_and_asks_for_nothing_twice(shop, tmp_path, after):
    whole = crawl(shop.url(), **SHOP, archive=tmp_path / "whole")
    shop.forget()
    for path, answer in list(shop.answers.items()):
        shop[path] = lambda handler, answer=answer: time.sleep(0.01) or answer
    command = [sys.executable, "-c", CRAWLER, shop.url(), str(tmp_path / "cut")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    limit = time.monotonic() + 30
    while len(shop.requests) < after and time.monotonic() < limit:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    out = subprocess.run(command, capture_output=True, text=True, check=True)
    assert out.stdout.split() == [whole.digest, "12"]
    assert max(shop.asked.values()) <= 2
    assert sum(count - 1 for count in shop.asked.values()) <= 1, "only what was under way"


def test_an_archive_without_its_frontier_is_as_good(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    for part in tmp_path.glob("frontier.sqlite*"):
        part.unlink()
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert shop.requests == []
    assert second.refs == first.refs


def test_a_torn_archive_tail_is_trimmed_and_fetched_again(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    archive = tmp_path / "pages.warc"
    with archive.open("rb+") as file:
        file.truncate(archive.stat().st_size - 7)
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert sum(shop.asked.values()) == 1
    assert second.digest == first.digest


def test_a_damaged_record_is_fetched_again(shop, tmp_path):
    first = crawl(shop.url(), **SHOP, archive=tmp_path)
    archive = tmp_path / "pages.warc"
    archive.write_bytes(archive.read_bytes().replace(b"Bird 1c", b"Bird 1x"))
    shop.forget()
    second = crawl(shop.url(), **SHOP, archive=tmp_path)
    assert list(shop.asked) == ["/bird/1c.html"]
    assert second.digest == first.digest


def test_a_full_disk_loses_nothing_and_says_so(shop, tmp_path, monkeypatch):
    from scraping import archive

    class Full:
        def __init__(self, file):
            self.file = file

        def write(self, data):
            if self.file.tell() > 6_000:
                raise OSError(28, "No space left on device")
            return self.file.write(data[: len(data) // 2 + 1])  # short writes are lawful too

        def __getattr__(self, name):
            return getattr(self.file, name)

    with monkeypatch.context() as patched:
        plain = archive.Archive.__init__

        def small(self, folder):
            plain(self, folder)
            self._file = Full(self._file)

        patched.setattr(archive.Archive, "__init__", small)
        with pytest.raises(errors.Partial, match="No space left") as caught:
            crawl(shop.url(), **SHOP, archive=tmp_path)
    assert caught.value.exit_code == 3
    shop.forget()
    assert len(crawl(shop.url(), **SHOP, archive=tmp_path)) == 12
    assert shop.asked["/"] == 0


def test_control_characters_in_what_a_site_sends_never_reach_a_message(site, tmp_path):
    site["/"] = lambda handler: (
        handler.wfile.write(b"HTTP/1.1 404 \x1b[31mred\x07\r\nContent-Length: 0\r\n\r\n") and None
    )
    with pytest.raises(errors.Unreachable) as caught:
        crawl(site.url(), follow="a", archive=tmp_path)
    assert "\x1b" not in str(caught.value)
    assert "\\x1b[31mred" in str(caught.value)


def test_the_practice_site_is_named_sandbox_and_needs_no_contact(tmp_path):
    pages = crawl(
        "http://sandbox/museum/", follow="a.set, a.next", keep="a.icon", media="img.icon",
        max_pages=5, archive=tmp_path,
    )  # fmt: skip
    assert len(pages) == 5
    assert all(page.url.startswith("http://sandbox/museum/") for page in pages)
    assert fetch.SANDBOX == "sandbox"
