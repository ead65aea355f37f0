"""The picture that stands for a post where it is shared."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from PIL import Image

from blog import card
from blog.errors import BlogError

TOLD = {
    "title": "Icons from design sets never seen",
    "finding": "A network of 83,412 weights names 94.5 % of icons from design sets held out.",
    "name": "Ada Lovelace",
    "mark": "draft",
}
HOSTILE = [
    "",
    " \n\t ",
    "x" * 5000,
    "word " * 900,
    "<img src=x onerror=alert(1)>",
    "$x^{$ \x00 \x1b[31m \ud800",
    "\u202eתמונות של אייקונים",
    "العربية تجربة",
    "日本語の題名",
    "🎉 👩‍👩‍👧 🇫🇷",
    "e" + "\u0301" * 400,
    "\ufffe\U0010ffff",
]


@pytest.fixture(scope="module")
def png() -> bytes:
    return card.card(**TOLD)


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def test_a_card_is_as_large_as_those_who_show_it_ask_for(png):
    image = opened(png)
    assert (image.size, image.mode, image.format) == ((1200, 630), "P", "PNG")
    assert len(png) <= 60_000
    image.load()
    assert image.text == {"folio": card.digest_of(png)}


def test_a_card_is_in_the_look_of_the_house(png):
    image = opened(png).convert("RGB")
    assert image.getpixel((2, 2)) == (0xFB, 0xFA, 0xF7)
    assert image.getpixel((card.MARGIN + 8, 89)) == (0xA3, 0x32, 0x1F)
    colours = {colour: n for n, colour in image.getcolors(256)}
    assert colours[(0x26, 0x28, 0x2B)] > 2000  # the title's letters


def test_a_card_is_current_until_it_would_tell_something_else(png):
    assert card.current(png, **TOLD)
    for key in TOLD:
        assert not card.current(png, **TOLD | {key: "other"})
    # What stands in one place is not taken for what stands in another.
    assert not card.current(png, **TOLD | {"title": TOLD["finding"], "finding": TOLD["title"]})


def test_a_card_of_an_earlier_look_is_drawn_again(png, monkeypatch):
    monkeypatch.setattr(card, "LOOK", card.LOOK + 1)
    assert not card.current(png, **TOLD)


@pytest.mark.parametrize(
    "damaged", [b"", b"GIF89a", card.SIGNATURE, card.SIGNATURE + b"\xff\xff\xff\xff" * 4]
)
def test_what_is_no_card_has_no_digest(damaged):
    assert card.digest_of(damaged) == ""
    assert not card.current(damaged, **TOLD)


def test_a_card_cut_off_anywhere_raises_nothing(png):
    for end in range(0, 300, 7):
        assert card.digest_of(png[:end]) in ("", card.digest_of(png))


def test_a_picture_of_another_program_is_not_current():
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4)).save(buffer, "PNG")
    assert not card.current(buffer.getvalue(), **TOLD)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_too_long_or_too_strange(text):
    png = card.card(title=text, finding=text, name=text, mark=text)
    assert opened(png).size == (1200, 630)
    assert len(png) <= 60_000
    assert card.current(png, title=text, finding=text, name=text, mark=text)


def test_long_text_stays_within_the_margins():
    image = opened(card.card(title="W" * 900, finding="W" * 900, name="W" * 900, mark="W" * 900))
    paper = image.convert("RGB").getpixel((0, 0))
    for box in ((0, 0, 70, 630), (1130, 0, 1200, 630), (0, 580, 1200, 630)):
        assert image.convert("RGB").crop(box).getcolors() == [
            ((box[2] - box[0]) * (box[3] - box[1]), paper)
        ]


def test_words_are_kept_whole_and_the_last_line_says_that_more_follows():
    font = card._font("", 40)
    lines = card._wrapped("one two three four five six seven eight", font, 200, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert "one two three".startswith(lines[0])
    assert all(font.getlength(line) <= 200 for line in lines)
    assert "".join(card._wrapped("abcdefghij" * 9, font, 200, 99)) == "abcdefghij" * 9


def test_without_matplotlib_pillow_lends_its_own_letters(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert opened(card.card(**TOLD)).convert("L").getextrema()[0] < 60


def test_without_pillow_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(BlogError, match="pip install pillow"):
        card.card(**TOLD)


def test_neither_drawing_nor_looking_imports_matplotlib(png, tmp_path):
    (tmp_path / "card.png").write_bytes(png)
    code = (
        "import sys, pathlib; from blog import card; "
        f"card.current(pathlib.Path({str(tmp_path / 'card.png')!r}).read_bytes(), title='', "
        "finding='', name=''); assert 'PIL' not in sys.modules; "
        "card.card(title='a', finding='b', name='c'); assert 'matplotlib' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
