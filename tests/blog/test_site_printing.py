"""A post as PDF: the whole story on paper, through whatever browser there is."""

import re
import stat
import zlib

import pytest

from blog.errors import SiteError
from blog.site import printing


@pytest.fixture
def no_browser(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(printing, "PLACES", {})
    return tmp_path


def objects(pdf: bytes) -> dict[int, bytes]:
    """Every object of a PDF, streams unpacked; a modest reader for what Chromium writes."""
    found = {}
    for number, body in re.findall(rb"(\d+) 0 obj\s(.*?)endobj", pdf, re.DOTALL):
        head, stream, rest = body.partition(b"stream\n")
        if stream:
            packed = rest.rpartition(b"endstream")[0]
            unpacked = zlib.decompressobj().decompress(packed) if b"FlateDecode" in head else packed
            body = head + b"\nstream\n" + unpacked
        found[int(number)] = body
    return found


def text_of(pdf: bytes) -> str:
    """The text of a PDF by its fonts' tables from glyph to character."""
    everything = objects(pdf)
    fonts: dict[bytes, dict[int, str]] = {}
    for body in everything.values():
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", body):
            table = re.search(rb"/ToUnicode (\d+) 0 R", everything[int(number)])
            if table:
                fonts[name] = characters(everything[int(table[1])])
    told = []
    for body in everything.values():
        table: dict[int, str] = {}
        for font, line in re.findall(
            rb"/(F\d+) [\d.]+ Tf|((?:<[0-9A-Fa-f]+>|\[[^\]]*\]) T[jJ])", body
        ):
            if font:
                table = fonts.get(font, {})
                continue
            for glyphs in re.findall(rb"<([0-9A-Fa-f]+)>", line):
                codes = [int(glyphs[at : at + 4], 16) for at in range(0, len(glyphs), 4)]
                told += [table.get(code, "") for code in codes]
    return "".join(told)


def characters(table: bytes) -> dict[int, str]:
    found = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for code, char in re.findall(rb"<(\w+)>\s*<(\w+)>", block):
            found[int(code, 16)] = bytes.fromhex(char.decode()).decode("utf-16-be")
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, char in re.findall(rb"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            for step in range(int(last, 16) - int(first, 16) + 1):
                found[int(first, 16) + step] = chr(int(char, 16) + step)
    return found


@pytest.mark.slow
def test_the_pdf_holds_the_finding_the_data_behind_figures_and_page_numbers(built, tmp_path):
    try:
        printing.browser()
    except printing.NoBrowser as error:
        pytest.skip(str(error))
    target = tmp_path / "pdf" / "pictograms.pdf"
    assert printing.printed(built, [("posts/pictograms/", target)]) == [target]
    pdf = target.read_bytes()
    count = len(re.findall(rb"/Type\s*/Page\b", pdf))
    assert count > 2
    assert re.search(rb"/MediaBox \[0 0 59[45](?:\.\d+)? 84[12](?:\.\d+)?\]", pdf), "not A4"
    text = text_of(pdf).replace(" ", "").replace("\xa0", "")
    assert "Anetworkof83,412weightsnames94.5%oficons." in text
    assert "0.8192" in text, "the table behind the figure is folded away"
    assert f"1/{count}" in text
    assert [path.name for path in target.parent.iterdir()] == ["pictograms.pdf"]


def test_on_paper_boxes_are_open_and_pictures_loaded():
    page = b'<head></head><details class="folio"><details open><img loading="lazy" src=x>'
    paper = printing.for_paper(page)
    assert paper.count(b"<details open") == 2
    assert b"lazy" not in paper
    assert b"folio-paper.css" in paper


def test_without_a_browser_there_is_advice(no_browser):
    with pytest.raises(SiteError, match=r"No Chromium, Chrome or Edge.*print it") as raised:
        printing.browser()
    assert raised.value.exit_code == 1


@pytest.mark.parametrize("program", ["exit 1", "echo nonsense > /dev/null"])
def test_a_browser_that_fails_leaves_the_old_pdf(no_browser, tmp_path, program):
    fake = no_browser / "chromium"
    fake.write_text(f"#!/bin/sh\necho cannot start >&2\n{program}\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "index.html").write_text("<title>A page</title>")
    target = tmp_path / "post.pdf"
    target.write_text("old")
    with pytest.raises(SiteError, match=r"(?s)made no PDF of http.*cannot start.*was not written"):
        printing.printed(tmp_path, [("", target)])
    assert target.read_text() == "old"


def test_a_page_that_is_not_there_is_not_printed_as_a_missing_page(no_browser, tmp_path):
    fake = no_browser / "chromium"
    fake.write_text("#!/bin/sh\nexit 1\n")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(SiteError, match=r"holds no page to print.*Next: folio publish"):
        printing.printed(tmp_path, [("posts/never/", tmp_path / "never.pdf")])
