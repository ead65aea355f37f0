"""Files from the net: had once, kept, checked, and made again from the archive."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from scraping import lent
from scraping.errors import (
    Disallowed,
    FetchFailed,
    Misuse,
    NoContact,
    Partial,
    Refused,
)
from scraping.net import manners
from scraping.outcomes import Kind
from scraping.sources import files
from scraping.sources.files import download

CSV = b"bird,wing\nwren,5\nswift,17\n"
Get = Callable[..., Path]


def csv(body: bytes = CSV, **more: str) -> tuple[int, dict[str, str], bytes]:
    return 200, {"Content-Type": "text/csv", **more}, body


@pytest.fixture
def fresh(tmp_path) -> Iterator[None]:
    token = lent.current.set(lent.Lent(tmp_path / "pages", tmp_path, fresh=True))
    yield
    lent.current.reset(token)


def test_a_file_is_had_once_with_manners_and_recorded(site, get, tmp_path):
    site["/birds.csv"] = csv()
    path = get()
    assert path.read_bytes() == CSV
    assert path.parent == tmp_path / "pages" / "files"
    assert path.name.endswith("-birds.csv")
    assert get() == path
    assert site.requests == ["/robots.txt", "/birds.csv"]
    assert "Folio/" in site.headers[1]["User-Agent"]
    with path.with_name(path.name + ".warc").open("rb") as file:
        records = [
            (record.rec_type, record.rec_headers["WARC-Target-URI"], record.content_stream().read())
            for record in ArchiveIterator(file, check_digests="raise")
        ]
    assert records[1] == ("response", site.url("/birds.csv"), CSV)
    assert [kind for kind, *_ in records] == [
        "warcinfo", "response", "request", "response", "request",
    ]  # fmt: skip
    assert records[3][1] == site.url("/robots.txt")
    assert sorted(entry.name for entry in path.parent.iterdir()) == [
        ".lock", path.name, path.name + ".warc",
    ]  # fmt: skip


def test_two_addresses_with_the_same_file_are_told_apart(site, get):
    site["/a/birds.csv"] = site["/b/birds.csv"] = csv()
    first, second = get("/a/birds.csv"), get("/b/birds.csv")
    assert first != second
    assert (get("/a/birds.csv"), get("/b/birds.csv")) == (first, second)
    assert max(site.asked.values()) == 1


@pytest.mark.parametrize("harm", ["missing", "changed", "cut", "empty"])
def test_a_plain_file_is_made_again_from_the_archive(site, get, harm):
    site["/birds.csv"] = csv()
    path = get()
    site.forget()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes({"changed": CSV.replace(b"5", b"6"), "cut": CSV[:9], "empty": b""}[harm])
    assert get() == path
    assert path.read_bytes() == CSV
    assert not site.requests


def test_what_is_lost_in_both_places_is_asked_for_again(site, get):
    site["/birds.csv"] = csv()
    path = get()
    record = path.with_name(path.name + ".warc")
    damaged = record.read_bytes().replace(b"wren", b"worm")
    record.write_bytes(damaged)
    assert get().read_bytes() == CSV  # the plain file is right
    path.write_bytes(b"changed")
    assert get().read_bytes() == CSV
    assert site.asked["/birds.csv"] == 2


def test_robots_wishes_and_missing_contacts_are_heeded(site, get, tmp_path):
    site["/robots.txt"] = "User-agent: *\nDisallow: /private\n"
    site["/private.csv"] = csv()
    with pytest.raises(Disallowed):
        get("/private.csv")
    for name, value in (("X-Robots-Tag", "noai"), ("TDM-Reservation", "1")):
        site["/birds.csv"] = csv(**{name: value})
        with pytest.raises(Refused) as refused:
            get()
        assert refused.value.kind is Kind.OPTED_OUT
    with pytest.raises(NoContact):
        download("https://birds.example.org/a.csv", archive=tmp_path)
    with pytest.raises(Misuse, match="archive="):
        download("https://birds.example.org/a.csv")
    with pytest.raises(Misuse, match="Perhaps you meant"):
        download("birds.example.org/a.csv", archive=tmp_path)
    assert site.asked["/private.csv"] == 0
    assert not [path for path in (tmp_path / "pages").rglob("*") if path.suffix == ".warc"]


def test_a_fresh_run_asks_whether_it_changed_and_keeps_the_older_file(site, get, fresh):
    seen = []

    def answer(handler):
        seen.append(handler.headers.get("If-None-Match"))
        if handler.headers.get("If-None-Match") == '"1"':
            return 304, {"ETag": '"1"'}, b""
        return csv(ETag='"1"')

    site["/birds.csv"] = answer
    first = get()
    assert get() == first
    assert seen == [None, '"1"']
    site["/birds.csv"] = csv(CSV + b"tit,7\n", ETag='"2"')
    second = get()
    assert second != first
    assert first.read_bytes() == CSV
    assert second.read_bytes() == CSV + b"tit,7\n"
    assert get() == second  # the same bytes once more
    site["/birds.csv"] = (404, {}, b"")
    with pytest.raises(FetchFailed):
        get()
    site["/robots.txt"] = (500, {}, b"")
    with pytest.raises(FetchFailed, match="is kept"):
        get()
    assert second.is_file()


def test_redirects_are_followed_and_remembered(site, get, other_site):
    site["/latest"] = (302, {"Location": "/2026/birds.csv"}, b"")
    site["/2026/birds.csv"] = csv()
    path = get("/latest")
    assert path.name.endswith("-birds.csv")
    site.forget()
    assert get("/latest") == path
    assert not site.requests
    site["/away.csv"] = (302, {"Location": other_site.url("/x.csv")}, b"")
    with pytest.raises(Refused) as refused:
        get("/away.csv")
    assert refused.value.kind is Kind.PRIVATE
    assert not other_site.requests


@pytest.mark.parametrize(
    ("status", "kind"), [(404, Kind.GONE), (403, Kind.FORBIDDEN), (500, Kind.SERVER)]
)
def test_an_error_is_no_file(site, get, tmp_path, status, kind):
    site["/birds.csv"] = (status, {}, b"no")
    with pytest.raises(FetchFailed) as failed:
        get()
    assert failed.value.kind is kind
    assert [entry.name for entry in (tmp_path / "pages/files").iterdir()] == [".lock"]


@pytest.mark.parametrize("name", ["/birds.csv", "/birds.ZIP", "/birds.parquet", "/birds.json"])
def test_a_web_page_in_the_place_of_a_file_is_refused(site, get, tmp_path, name):
    site[name] = "<!-- x -->\n<!DOCTYPE html><html><h1>Service</h1><p>Not today.</p></html>"
    with pytest.raises(Refused, match="a web page came in the place of a file") as refused:
        get(name)
    assert refused.value.kind is Kind.CONTENT_TYPE
    login = "<html><title>Log in</title><h1>Log in</h1><form><input type=password></form></html>"
    site[name] = login
    with pytest.raises(Refused) as refused:
        get(name)
    assert refused.value.kind is Kind.LOGIN
    assert [entry.name for entry in (tmp_path / "pages/files").iterdir()] == [".lock"]


def test_a_web_page_that_was_asked_for_is_kept(site, get):
    site["/about.html"] = "<!doctype html><h1>About</h1><p>Birds of this town, and where.</p>"
    assert get("/about.html").read_bytes().startswith(b"<!doctype")


def test_too_much_is_stopped_and_nothing_kept(site, get, tmp_path):
    site["/birds.csv"] = csv(b"x" * 5_000)
    with pytest.raises(FetchFailed) as failed:
        get(max_bytes=4_000)
    assert failed.value.kind is Kind.TOO_LARGE
    bomb = gzip.compress(bytes(3_000_000))
    site["/birds.csv"] = csv(bomb, **{"Content-Encoding": "gzip"})
    with pytest.raises(FetchFailed) as failed:
        get(max_bytes=1_000_000)
    assert failed.value.kind is Kind.TOO_LARGE
    for harm in (bomb[:-20], bomb[:9] + b"\xff" * 50, b""):
        site["/birds.csv"] = csv(harm, **{"Content-Encoding": "gzip"})
        with pytest.raises(FetchFailed):
            get()
    assert [entry.name for entry in (tmp_path / "pages/files").iterdir()] == [".lock"]


def test_a_compression_that_nobody_asked_for_is_undone(site, get):
    site["/birds.csv"] = csv(gzip.compress(CSV), **{"Content-Encoding": "gzip"})
    path = get()
    assert path.read_bytes() == CSV
    path.unlink()
    assert get().read_bytes() == CSV


def test_a_large_file_is_never_whole_in_memory(site, get):
    body = bytes(range(256)) * 4 * 1024 * 40

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    site["/birds.bin"] = answer
    tracemalloc.start()
    path = get("/birds.bin")
    path.unlink()
    assert get("/birds.bin").stat().st_size == len(body) == 41_943_040
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12_000_000


@pytest.mark.parametrize(
    ("path", "disposition", "name"),
    [
        ("/CON.csv", "", "CON.csv"),
        ("/a/..%2F..%2Fetc%2Fpasswd", "", "passwd"),
        ("/v%C3%B6gel%00%0A.csv", "", "v_gel__.csv"),
        ("/export?x=1", 'attachment; filename="birds 2026.csv"', "birds_2026.csv"),
        ("/export?x=2", "attachment; filename*=UTF-8''v%C3%B6gel.csv", "v_gel.csv"),
        ("/export?x=3", 'attachment; filename="../../../etc/cron.d/x.sh"', "etc_cron.d_x.sh"),
        ("/export?x=4", "", "export"),
        ("/?x=5", "", "file"),
        ("/" + "x" * 300 + ".csv", "", "x" * 76 + ".csv"),
        ("/a.warc", "", "a.warc.bin"),
        ("/.hidden.", "", "hidden"),
    ],
)
def test_names_from_the_net_are_harmless(site, get, tmp_path, path, disposition, name):
    site[path] = csv(**({"Content-Disposition": disposition} if disposition else {}))
    found = get(path)
    assert found.name.partition("-")[2] == name
    assert found.parent == tmp_path / "pages" / "files"
    assert get(path) == found


def test_secrets_go_to_the_host_and_never_to_the_disk(site, get, tmp_path, monkeypatch):
    monkeypatch.setenv("BIRDS_TOKEN", "sesame-0123456789")
    site["/birds.csv"] = csv(b"key\nsesame-0123456789\n")
    path = get(headers={"Authorization": "Bearer $BIRDS_TOKEN"})
    assert site.headers[-1]["Authorization"] == "Bearer sesame-0123456789"
    assert path.read_bytes() == b"key\n$BIRDS_TOKEN\n"
    kept = b"".join(entry.read_bytes() for entry in path.parent.iterdir())
    assert b"sesame" not in kept


def test_a_folder_that_cannot_be_written_is_told(site, tmp_path):
    (tmp_path / "pages").write_text("a file")
    with pytest.raises(Partial, match="cannot be written"):
        download(site.url("/birds.csv"), archive=tmp_path / "pages")


@pytest.mark.parametrize("begins", [b"<!---->" * 2_000, b"<!--" + b" " * 60_000, b" " * 60_000])
def test_what_a_file_begins_with_takes_no_time_to_judge(site, get, begins):
    site["/birds.csv"] = csv(begins + b"x")
    assert get().read_bytes() == begins + b"x"
    site["/cats.csv"] = csv(b"<!-- a --> " * 20 + b"<html>")
    with pytest.raises(Refused, match="a web page came"):
        get("/cats.csv")


def test_downloads_in_a_row_keep_the_pause_between_them(site, get, monkeypatch):
    monkeypatch.setattr(files, "is_here", lambda url: False)
    monkeypatch.setattr(manners, "PAUSE", 0.2)
    times = []
    for name in "ab":
        site[f"/{name}.csv"] = lambda handler: times.append(time.monotonic()) or csv()
        get(f"/{name}.csv", contact="me@birds.example")
    assert times[1] - times[0] >= 0.35  # robots.txt lies between


def test_a_file_that_is_named_like_one_of_ours_is_not_taken_for_it(site, get):
    site["/birds.warc.part"] = site["/cats.csv"] = csv()
    path = get("/birds.warc.part")
    get("/cats.csv")
    assert path.read_bytes() == CSV


def test_an_error_says_what_to_do_next(site, get):
    with pytest.raises(FetchFailed, match=r"404 .*\nNext: ") as caught:
        get()
    assert caught.value.kind is Kind.GONE
    with pytest.raises(Misuse, match=r"^download\('nonsense'\)"):
        download("nonsense", archive="x")
    with pytest.raises(Misuse) as misuse:
        download("http://me:hunter2@birds.example/", archive="x")
    assert "hunter2" not in str(misuse.value)


def test_what_a_killed_run_left_half_done_is_cleared_away(site, get, tmp_path):
    site["/birds.csv"] = csv()
    folder = tmp_path / "pages" / "files"
    folder.mkdir(parents=True)
    for name in ("incoming", "incoming.part", "0-birds.csv.warc.part"):
        (folder / name).write_bytes(b"half")
    path = get()
    assert {entry.name for entry in folder.iterdir()} == {".lock", path.name, path.name + ".warc"}
