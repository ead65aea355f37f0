"""A project whose scraped text tries everything builds, and stays text in the reader's browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from blog import proposal, render, site

SCRIPT = "<script>document.title='caught'</script>"
TEXTS = [
    SCRIPT,
    "</td></tr></table>" + SCRIPT,
    "<img src=x onerror=document.title='caught'>",
    "<svg/onload=document.title='caught'>",
    "<iframe src='javascript:parent.document.title=1'></iframe>",
    "<style>*{display:none}</style>",
    "<base href='https://elsewhere.example/'>",
    "<meta http-equiv=refresh content='0;url=https://elsewhere.example/'>",
    "<form action='https://elsewhere.example/'><button>Go</button></form>",
    "<![CDATA[<b>]]>",
    "<![>",
    "<!--",
    "-->" + SCRIPT,
    "<?php echo 1 ?>",
    "</title>" + SCRIPT,
    "</script>" + SCRIPT,
    "[click](javascript:document.title='caught')",
    "[click](JaVaScRiPt&colon;document.title=1)",
    "![x](javascript:document.title='caught')",
    "[ref]: javascript:document.title='caught' 'x'",
    "[click][ref]",
    "<javascript:document.title='caught'>",
    "<https://elsewhere.example/>",
    "https://elsewhere.example/",
    "{: onclick=document.title='caught' }",
    "text {: .md-banner #try onmouseover=document.title='caught' }",
    "{ .folio-live__model href=x }",
    "# heading",
    "??? folio 'box'",
    "!!! danger",
    "```\ncode\n```",
    "~~~",
    "    indented",
    "| a | b |\n|---|---|\n| c | d |",
    "\\|",
    "* * *",
    "> quote",
    "1. one",
    "$x^2$ and $$\\frac{1}{0}$$",
    "{{ 7*7 }}",
    "{% include '/etc/passwd' %}",
    "${7*7} #{7*7} <%= 7*7 %>",
    "[[scores.cnn.accuracy]] [[live]] [[figure:models]]",
    "[^1]: footnote [^1]",
    "*[HTML]: abbreviation HTML",
    "--8<-- 'mkdocs.yml'",
    "&lt;b&gt; &amp;#60; &#x3c;script&#x3e;",
    "\u202etxt.exe\u202c \u2066\u200f",
    "\x00\x07\x1b[31mred\x1b[0m",
    "../../../../etc/passwd",
    "..\\..\\windows",
    "CON",
    "a/b:c*d?e\"f<g>h|i",
    "\U0001f600 \U0001f468\u200d\U0001f469\u200d\U0001f467 é ü 漢字 עברית",
    "%3Cscript%3E",
    "'\"`;--",
    "=1+1",
    "T" * 500,
]  # fmt: skip
PAGES = (
    "posts/marks/index.html", "index.html", "tags/index.html", "proposals/index.html",
    "proposals/marks/index.html", "proposals/marks/slides.html",
)  # fmt: skip


class Shape(HTMLParser):
    """Every element of a page with the names of its attributes, in order; nothing of its text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, tuple(name for name, _ in attrs)))


def name_everything(project: Path, names: list[str]) -> None:
    """Make every scraped text of a project one of the names."""
    results = project / "results"
    document = json.loads((results / "results.json").read_text())
    document["question"] = names[0]
    document["values"] = {"hardest": {"name": names[1], "recall": 0.5}}
    document["settings"] |= {"START": names[2], **{f"N{i}": name for i, name in enumerate(names)}}
    document["card"]["rows_are"] = names[3]
    document["card"]["sections"][1]["facts"] = [f"  {name}" for name in names]
    document["card"]["licences"] = dict.fromkeys(names, 1)
    for figure in document["figures"].values():
        figure["alt"] = " ".join(names)
    document["live"]["live"]["alt"] = names[4]
    document["hardware"]["processor"] = names[5]
    document["libraries"] = {name: name for name in names}
    (results / "results.json").write_text(json.dumps(document))
    pd.DataFrame(dict.fromkeys(dict.fromkeys(names), names)).to_csv(
        results / "tables" / "by_class.csv", index=False
    )
    model = results / "live" / "live" / "model.json"
    description = json.loads(model.read_text())
    description["widget"] |= {"classes": names[:2], "asked": names[1]}
    description["widget"]["fields"][1] |= {"names": names[:2], "label": names[2]}
    model.write_text(json.dumps(description))


def propose(project: Path, docs: Path, names: list[str]) -> None:
    """Write a proposal in which every text is one of the names; its sections hold them as code."""
    hypotheses = [
        {"name": f"n{number}", "claim": name, "test": name} for number, name in enumerate(names)
    ]
    document = {
        "question": " ".join(names), "title": names[0], "date": "2026-11-25", "video": names[1],
        "authors": [{"name": name, "roles": ["Software"]} for name in names if name.strip()],
        "pilots": names, "hypotheses": hypotheses, "text": "---\n---\n",
        "sections": [(name, "Text.", "Notes.") for name in names],
    }  # fmt: skip
    seal = {
        "code": names[2], "time": "2026-11-25T19:48:05+00:00", "commit": names[3],
        "hash": names[4], "sealed": {"text": names[5], "seeds": [1]},
        "earlier": [{"code": name} for name in names],
    }  # fmt: skip
    verdicts = [each | {"found": each["claim"], "outcome": each["claim"]} for each in hypotheses]
    results = {"verdicts": verdicts, "deviations": names}
    proposal.write(project, docs, document, seal, results=results)
    proposal.write_index(docs)


@pytest.fixture(scope="module")
def pages(tmp_path_factory, make_project, new_site):
    """The site of the hostile project, and that of one with plain names of the same number."""
    built = []
    for names in (TEXTS, [f"name{number}" for number in range(len(TEXTS))]):
        folder = new_site(tmp_path_factory.mktemp("site"))
        project = make_project(folder / "projects", "marks", names)
        name_everything(project, names)
        render.write(project, folder / "blog" / "docs")
        propose(project, folder / "blog" / "docs", names)
        built.append(site.build(folder))
    return built


def test_scraped_text_changes_no_element_of_the_page(pages):
    for path in PAGES:
        shapes = []
        for folder in pages:
            shape = Shape()
            shape.feed((folder / path).read_text())
            shapes.append(shape.found)
        assert shapes[0] == shapes[1], path
        assert SCRIPT not in (pages[0] / path).read_text()


def test_no_file_of_the_site_is_named_by_scraped_text(pages):
    names = [
        {path.relative_to(folder).as_posix() for path in folder.rglob("*")} for folder in pages
    ]
    assert names[0] == names[1]


@pytest.mark.slow
def test_no_script_runs_in_the_browser(browser, pages, serving):
    said, asked = [], []
    context = browser.new_context()
    page = context.new_page()
    page.on("dialog", lambda dialog: (said.append("dialog"), dialog.dismiss()))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    with serving(pages[0]) as address:
        for path in (page.removesuffix("index.html") for page in PAGES):
            page.goto(address + path)
            page.wait_for_load_state("networkidle")
            title = page.title()
            assert title != "caught"
            page.evaluate("document.querySelectorAll('details').forEach(box => box.open = true)")
            targets = page.eval_on_selector_all(
                "article a, main a", "links => links.map(link => link.getAttribute('href'))"
            )
            assert all(
                not re.match(r"\s*[a-z+.-]+:", target) or re.match(r"https?:|mailto:", target)
                for target in targets
            )
            assert page.title() == title
        page.goto(address + "posts/marks/")
        title = page.title()
        page.locator(".folio-live button").first.click()
        page.locator(".folio-live__stage select").first.wait_for()
        page.wait_for_load_state("networkidle")
        assert page.title() == title
    context.close()
    assert said == []
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
