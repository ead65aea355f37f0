"""The answer of one address: from the archive, from the network, or why from neither."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from scraping.crawling.answers import Answers, OutOfTime, Source
from scraping.errors import Disallowed, FetchFailed, Refused
from scraping.net.address import canonical
from scraping.outcomes import Kind


@pytest.fixture
def opened(site, tmp_path) -> Iterator[Callable[..., Answers]]:
    """Opens the same folder, as often as asked."""
    answers: list[Answers] = []

    def open_again(*, fresh: bool = False, ends: float = float("inf")) -> Answers:
        for one in answers:
            one.close()
        answers[:] = [
            Answers(
                Path(tmp_path),
                "Folio/0.1",
                allowed=[("127.0.0.1", site.port)],
                quick=frozenset({f"127.0.0.1:{site.port}"}),
                fresh=fresh,
                ends=ends,
            )
        ]
        return answers[0]

    yield open_again
    for one in answers:
        one.close()


def test_an_answer_is_had_once_and_then_read_back(site, opened):
    site["/"] = "hello"
    answers = opened()
    assert answers.get(site.url(), 0).body == b"hello"
    assert answers.counts() == {Source.NETWORK: 1}
    answers = opened()
    assert answers.get(site.url(), 0).body == b"hello"
    assert answers.counts() == {Source.ARCHIVE: 1}
    assert site.asked == {"/": 1}


@pytest.mark.parametrize(
    ("answer", "fault", "kind"),
    [
        ((404, {}, b"no"), FetchFailed, Kind.GONE),
        ((403, {}, b"no"), FetchFailed, Kind.FORBIDDEN),
        ((418, {}, b"no"), FetchFailed, Kind.CLIENT),
        ((302, {"Location": "/x"}, b""), FetchFailed, Kind.REDIRECTS),
        ((200, {"Content-Type": "video/mp4"}, b"film"), Refused, Kind.CONTENT_TYPE),
        ((200, {"X-Robots-Tag": "noarchive"}, b"text"), Refused, Kind.OPTED_OUT),
        ((404, {"X-Robots-Tag": "noarchive"}, b"text"), FetchFailed, Kind.GONE),
    ],
)
def test_why_there_is_no_answer_is_remembered_with_its_kind(site, opened, answer, fault, kind):
    site["/x"] = answer
    for _ in range(2):
        with pytest.raises(fault) as caught:
            opened().get(site.url("/x"), 0)
        assert caught.value.kind is kind
    assert site.asked == {"/x": 1}, "what a site has settled is not asked again"


def test_robots_txt_is_obeyed_without_being_asked_for_twice_a_day(site, opened):
    site["/robots.txt"] = "User-agent: *\nDisallow: /"
    for _ in range(2):
        with pytest.raises(Disallowed):
            opened().get(site.url(), 0)
    assert site.requests == ["/robots.txt"]


def test_what_may_do_better_is_asked_again_by_the_next_run_and_not_by_this_one(site, opened):
    site["/"] = (500, {}, b"")
    answers = opened()
    for _ in range(2):
        with pytest.raises(FetchFailed, match="500"):
            answers.get(site.url(), 0)
    tries = site.asked["/"]
    site["/"] = "well again"
    assert opened().get(site.url(), 0).body == b"well again"
    assert site.asked["/"] == tries + 1


def test_an_answer_asked_afresh_is_asked_once_a_run(site, opened):
    site["/"] = "hello"
    opened().get(site.url(), 0)
    answers = opened(fresh=True)
    for _ in range(3):
        answers.get(site.url(), 0)
    assert site.asked["/"] == 2
    assert answers.counts() == {Source.UNCHANGED: 1}


def test_a_wait_beyond_the_end_is_not_begun(site, opened):
    site["/"] = (503, {"Retry-After": "60"}, b"")
    begun = time.monotonic()
    with pytest.raises(OutOfTime):
        opened(ends=begun + 5).get(site.url(), 0)
    assert time.monotonic() - begun < 5
    assert opened().frontier.get(canonical(site.url())) is None, "nothing is held against it"


def test_a_file_is_not_read_on_the_way_but_compared_with_what_was_written(site, opened, tmp_path):
    site["/x.png"] = (200, {"Content-Type": "image/png"}, b"picture")
    first = opened().place(site.url("/x.png"), 1)
    assert opened().place(site.url("/x.png"), 1) == first
    opened().close()
    archive = tmp_path / "pages.warc"
    archive.write_bytes(archive.read_bytes().replace(b"picture", b"torture"))
    answers = opened()
    again = answers.place(site.url("/x.png"), 1)
    assert again.digest == first.digest
    assert again.offset != first.offset
    assert answers.damaged == 1
