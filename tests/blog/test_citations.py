from pathlib import Path

import pytest

from blog import citations
from blog.errors import PostError


def entry(tmp_path: Path, source: str) -> dict[str, dict[str, str]]:
    (tmp_path / "references.bib").write_text(source)
    return citations.read(tmp_path / "references.bib")


def test_braces_quotes_numbers_and_accents_are_read(tmp_path):
    source = r"""
    @comment{nothing}
    @article{m\"u, title = {On {Nested {Braces}}}, author = "G{\"o}del, Kurt and \'E. Borel",
      year = 1931, journal = {J. \& K.}, doi = {10.1000/x}, }
    """
    read = entry(tmp_path, source)[r"m\"u"]
    assert read["title"] == "On Nested Braces"
    assert read["author"] == "Gödel, Kurt and É. Borel"
    assert read["year"] == "1931"
    line = citations.reference(read)
    assert line.startswith(
        "Kurt Gödel and É&#46; Borel (1931) [*On Nested Braces*](https://doi.org"
    )


def test_a_reference_cannot_smuggle_a_script(tmp_path):
    read = entry(tmp_path, "@misc{a, title = {<b>](x)}, url = {javascript:alert(1)}}")["a"]
    assert citations.reference(read) == "*&#60;b&#62;&#93;&#40;x&#41;*."


def test_an_entry_left_open_is_named_with_its_line(tmp_path):
    with pytest.raises(PostError, match=r"references.bib:2: the entry @book is never closed"):
        entry(tmp_path, "\n@book{a, title = {x}")


def test_no_bibliography_is_an_empty_one(tmp_path):
    assert citations.read(tmp_path / "none.bib") == {}


def test_an_address_to_cite_is_printed_as_it_stands_and_cannot_end_its_field():
    told = citations.entry("mine2026", {"url": "https://u.example/~me/my_work/?a=1&b=%20", "x": ""})
    assert told.splitlines()[1] == "  url          = {https://u.example/~me/my_work/?a=1&b=%20},"
    assert "{https://e.org/%7D%5C%7B}" in citations.entry("k", {"url": "https://e.org/}\\{"})


def test_a_report_or_a_thesis_names_its_house(tmp_path):
    source = "@techreport{a, title = {T}, institution = {Harvard University}, year = 1998}"
    assert citations.reference(entry(tmp_path, source)["a"]) == "(1998) *T*. Harvard University."
