import html
import re

import pytest
from markdown import Markdown

from blog import escape

PAYLOADS = [
    "<img src=x onerror=alert(1)>",
    "](javascript:alert(1))",
    "[x]: javascript:alert(1)",
    "{: onclick=alert(1) }",
    "<![>",
    "`code` *em* _em_ ~~del~~",
    "| a | b |",
    "# heading",
    "- item",
    "1. item",
    "{{ 7*7 }}",
    "[[scores.cnn]]",
    "--- +++ ===",
    "\\# &amp; &#60;script&#62;",
    "!!! note",
    "    indented code",
]


@pytest.mark.parametrize("payload", PAYLOADS)
def test_escaped_text_means_only_itself_in_markdown(payload):
    extensions = ["attr_list", "md_in_html", "admonition", "tables", "footnotes", "abbr"]
    page = Markdown(extensions=extensions).convert(f"x {escape.markdown(payload)} y")
    assert page.startswith("<p>x ")
    inner = page.removeprefix("<p>x ").removesuffix(" y</p>")
    assert "<" not in inner
    assert html.unescape(inner).split() == payload.split()


@pytest.mark.parametrize("payload", [*PAYLOADS, "a `b", "a ``b`` c", "`<b>`", "`a`b`c"])
def test_a_sentence_shows_what_stands_between_backticks_as_code_and_nothing_else(payload):
    extensions = ["attr_list", "md_in_html", "admonition", "tables", "footnotes", "abbr"]
    page = Markdown(extensions=extensions).convert(f"x {escape.sentence(payload)} y")
    inner = page.removeprefix("<p>x ").removesuffix(" y</p>")
    spans = re.findall("<code>([^<>]+)</code>", inner)
    told = inner.replace("<code>", "`").replace("</code>", "`")
    assert "<" not in told
    assert html.unescape(told).split() == payload.split()
    assert [html.unescape(span) for span in spans] == re.findall(r"(?<!`)`([^`]+)`(?!`)", payload)


def test_marks_that_reorder_or_end_text_are_taken_out():
    assert escape.text("a\u202e\u061cb\ufdd0\uffff\U0001fffe\x00c\ud800d\ne") == "abcd e"


def test_only_web_addresses_become_links():
    assert escape.address("javascript:alert(1)") is None
    assert escape.address("data:text/html,x") is None
    assert escape.address('https://e.org/a b)"<?q=1&r') == "https://e.org/a%20b%29%22%3C?q=1&amp;r"


def test_a_file_name_is_never_a_path():
    assert escape.file_name("../../etc/passwd") == "etc-passwd"
    assert escape.file_name("///") == "unnamed"


def test_xml_holds_any_text_without_control_characters_or_markup():
    from xml.etree import ElementTree

    value = "a <b> & \x01\x0b ]]> \ud800 \U0001f600 'q\""
    element = ElementTree.fromstring(f'<t a="{escape.xml(value)}">{escape.xml(value)}</t>')
    assert element.text == element.get("a") == "a <b> & ]]> \U0001f600 'q\""


def test_json_in_a_script_element_cannot_end_it():
    import json

    value = {"a": "</script><!-- & <script>"}
    told = escape.script(value)
    assert not set(told) & set("<>&")
    assert json.loads(told) == value


def test_bibtex_fields_leave_no_brace_open_and_begin_no_command():
    assert escape.bibtex(r"50% {of} \input $x_1$") == (
        r"50\% \{of\} \textbackslash{}input \$x\_1\$"
    )
