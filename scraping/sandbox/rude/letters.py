"""Nine ways to be unclear about which letters are meant; every page can be read right.

`body.encoding_of` says in which order marks, headers and declarations are believed.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

from scraping.sandbox.rude.trap import KEPT, Call, Section, Trap

ZURICH = "Grüße aus Zürich – „naïve“ Façades für 5 €"
MOSCOW = "Съешь ещё этих мягких французских булок"
TOKYO = "いろはにほへと ちりぬるを"
WARSAW = "Zażółć gęślą jaźń"


def _page(
    text: str,
    encoding: str,
    *,
    header: str = "",
    declared: str = "",
    mark: bytes = b"",
) -> Callable[[Call], None]:
    """The text in an encoding, with what header and page say about it."""
    meta = f'<meta charset="{declared}">' if declared else ""
    html = (
        f"<!doctype html>\n<html><head>{meta}<title>Letters</title></head>\n"
        f'<body><p class="text">{text}</p></body></html>\n'
    )
    body = mark + html.encode(encoding)
    kind = f"text/html; charset={header}" if header else "text/html"
    return lambda call: call.say(body, ("Content-Type", kind))


_CASES = (
    (
        "utf8-called-latin1",
        "UTF-8, while the header says ISO-8859-1.",
        ZURICH,
        _page(ZURICH, "utf-8", header="ISO-8859-1"),
    ),
    (
        "cyrillic-called-utf8",
        "Windows-1251, as the page declares, while the header says UTF-8.",
        MOSCOW,
        _page(MOSCOW, "cp1251", header="utf-8", declared="windows-1251"),
    ),
    (
        "mark-and-header",
        "UTF-8 with a byte order mark, while the header says Windows-1252.",
        ZURICH,
        _page(ZURICH, "utf-8", header="windows-1252", mark=codecs.BOM_UTF8),
    ),
    (
        "utf16-marked",
        "UTF-16 with a byte order mark, and not a word in the header.",
        TOKYO,
        _page(TOKYO, "utf-16-le", mark=codecs.BOM_UTF16_LE),
    ),
    (
        "utf16-in-header",
        "UTF-16 without a mark; the header says so.",
        ZURICH,
        _page(ZURICH, "utf-16-le", header="utf-16le"),
    ),
    (
        "utf8-untold",
        "UTF-8, and neither header nor page says so.",
        MOSCOW,
        _page(MOSCOW, "utf-8"),
    ),
    (
        "windows-untold",
        "Windows-1252, and neither header nor page says so.",
        ZURICH,
        _page(ZURICH, "cp1252"),
    ),
    (
        "bogus",
        "The header names an encoding that does not exist; the page declares ISO-8859-2.",
        WARSAW,
        _page(WARSAW, "iso-8859-2", header="klingon", declared="iso-8859-2"),
    ),
    (
        "japanese-declared",
        "Shift_JIS, as the page alone declares.",
        TOKYO,
        _page(TOKYO, "shift_jis", declared="Shift_JIS"),
    ),
)

SECTION = Section(
    "Unclear letters",
    "Pages that are silent, mistaken or untruthful about their encoding. Below each stands what it "
    "says when it is read right.",
    tuple(
        Trap(
            f"letters-{key}",
            does,
            "Weigh mark, header, declaration and the bytes themselves, and read the page right.",
            (KEPT,),
            speak,
            shows=text,
        )
        for key, does, text, speak in _CASES
    ),
)
