"""What cannot be had: counted, named, and tried again when that may help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scraping import Pages, crawl, errors
from scraping.lent import Lent, current
from scraping.net import manners

SHOP: dict[str, Any] = {"follow": "a.next", "keep": "a.bird", "media": "img"}


def names(pages: Pages) -> list[str]:
    return [page.url.rpartition("/")[2] for page in pages]


def test_a_redirect_loop_is_named(site, tmp_path):
    site["/"] = '<a href="/one">1</a>' + '<a href="/ok">x</a>'
    site["/one"] = (302, {"Location": "/two"}, b"")
    site["/two"] = (302, {"Location": "/one"}, b"")
    site["/ok"] = "fine"
    pages = crawl(site.url(), follow=None, keep="a", archive=tmp_path, max_failed=0.9)
    (reason,) = pages.balance["reasons"]
    assert reason.startswith("redirect loop: ")
    assert "/two" in reason


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
    assert "6 × failed, server error: 500 Internal Server Error" in str(caught.value)
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


def test_a_full_disk_loses_nothing_and_says_so(shop, tmp_path, monkeypatch):
    from scraping.records import archive

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


def test_markup_that_no_parser_should_be_given_is_a_named_failure(site, tmp_path):
    site["/"] = '<a href="/trap">1</a><a href="/ok">2</a>'
    site["/trap"] = "<p " + " ".join(f"a{number}=1" for number in range(100_000)) + ">"
    site["/ok"] = "fine"
    for _ in range(2):
        pages = crawl(site.url(), follow="a", max_failed=0.9, archive=tmp_path)
        assert names(pages) == ["", "ok"]
        assert pages.balance["kinds"] == {"unreadable page": 1}
    assert site.asked["/trap"] == 1


def test_a_first_page_that_no_parser_should_be_given_is_unreachable(site, tmp_path):
    site["/"] = "<p " + " ".join(f"a{number}=1" for number in range(100_000)) + ">"
    with pytest.raises(errors.Unreachable, match="attributes") as caught:
        crawl(site.url(), follow="a", archive=tmp_path)
    assert caught.value.pages is not None
    assert caught.value.pages.balance["kinds"] == {"unreadable page": 1}
