"""A proposal as slides: one HTML file that needs no other, from a server or from a disk.

Its script and its style stand in it, and its own Content Security Policy allows just these two, by
their hashes, and nothing else. Colours are those of the site. slides.js tells which keys do what;
without JavaScript the slides stand below each other.

Text is Markdown as on the page, without HTML: a tag shows as it was typed. Of links, those to the
web are kept; pictures are shown by their alternative text.
"""

from __future__ import annotations

import base64
import datetime
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

from blog import authors, escape
from blog.authors import Author
from blog.portfolio import Portfolio

if TYPE_CHECKING:
    from markdown import Markdown

HERE = Path(__file__).parent
HEADINGS = {"h1": "h2", "h3": "h2", "h4": "h3", "h5": "h4", "h6": "h5"}
AT_ONCE = 3  # hypotheses on a slide
FRAME = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="description" content="{question}">
<title>{title}: the proposal’s slides</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<!-- Made from projects/{name}/proposal.md; edit that one. -->
<main>
{slides}
</main>
<footer class="bar" hidden>
<div>
<button type="button" data-do="back" title="← or Page up"><span aria-hidden="true">←</span>\
<span class="unseen">Previous slide</span></button>
<span id="place"></span>
<button type="button" data-do="next" title="→, space or Page down"><span aria-hidden="true">→\
</span><span class="unseen">Next slide</span></button>
</div>
<div>
<span class="unseen">Time spoken</span> <span id="elapsed" role="timer">0:00</span>
<button type="button" data-do="timer" id="timer" title="t">Start</button>
<button type="button" data-do="reset" title="T, with shift">Reset</button>
</div>
<div>
<button type="button" data-do="notes" id="notes" aria-pressed="false" title="n">Notes</button>
<button type="button" data-do="speaker" class="wide" title="w">Second window</button>
<button type="button" data-do="screen" id="screen" class="wide" title="f">Full screen</button>
<button type="button" data-do="help" title="?">Keys</button>
</div>
<p class="unseen" role="status" id="said"></p>
</footer>
<dialog id="help" aria-labelledby="keys">
<h2 id="keys">Keys</h2>
<table>
<tbody>
{keys}
</tbody>
</table>
<p>A tap on the left or right edge, or a swipe, turns the slide, too. The second window goes where
this one goes: it shows the notes on your screen while the other is on the wall.</p>
<button type="button" data-do="help">Close</button>
</dialog>
<script>{script}</script>
</body>
</html>
"""
KEYS = {
    "→ space Page down": "next slide",
    "← shift+space Page up": "previous slide",
    "Home End": "first and last slide",
    "n": "speaker notes",
    "t": "start or stop the timer",
    "shift+t": "timer to zero",
    "f": "full screen",
    "w": "second window, with notes",
    "?": "this list",
}


def slides(
    name: str,
    document: dict[str, Any],
    seal: dict[str, Any] | None,
    people: list[Author],
    portfolio: Portfolio,
) -> str:
    """Return the slides of a project's proposal as one HTML file.

    ``document`` and ``seal`` are as `blog.proposal` has them. First the question, then the
    hypotheses, a slide for each section with its speaker notes, the pilots, and the seal.
    """
    shown = [_first(document, people), *_hypotheses(document["hypotheses"])]
    for heading, body, notes in document["sections"]:
        body, notes = without_comments(body), without_comments(notes or "")
        if body or notes:  # what stands above the first heading has none
            shown.append((heading or document["title"], html_of(body), html_of(notes)))
    if pilots := document.get("pilots"):
        shown.append(("What was tried before", _list(pilots), ""))
    shown.append(_last(name, seal, portfolio))

    style = _style()
    script = (HERE / "slides.js").read_text("utf-8")
    keys = "\n".join(
        f'<tr><th scope="row">{_keys(keys)}</th><td>{does}</td></tr>' for keys, does in KEYS.items()
    )
    return FRAME.format(
        policy=_policy(script, style),
        title=escape.attribute(document["title"]),
        question=escape.attribute(document["question"]),
        name=escape.file_name(name),
        style=style,
        script=script,
        keys=keys,
        slides="\n".join(_slide(n, len(shown), *each) for n, each in enumerate(shown, 1)),
    )


def without_comments(text: str) -> str:
    """Markdown without the comments in which a starter asks its questions."""
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL).strip()


def moment(iso: str) -> str:
    """A time in UTC for people: "25 November 2026, 19:48 UTC"."""
    when = datetime.datetime.fromisoformat(iso).astimezone(datetime.UTC)
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def html_of(text: str) -> str:
    """Markdown as HTML that the policy of the slides allows, whatever the text holds."""
    if not text.strip():
        return ""
    from markdown import Markdown

    from blog.mathematics import Mathematics

    md = Markdown(extensions=["tables", "fenced_code", "sane_lists", Mathematics()])
    md.preprocessors.deregister("html_block")
    md.inlinePatterns.deregister("html")
    md.treeprocessors.register(_tame(md), "slides", 15)  # behind those that make links
    return md.convert(text)


def _tame(md: Markdown) -> Any:
    from markdown.treeprocessors import Treeprocessor

    class Tame(Treeprocessor):
        """Takes out what points elsewhere, and what would need a style of its own."""

        def run(self, root: Element) -> None:
            for element in list(root.iter()):  # not the frames put in below
                if "style" in element.attrib:  # how Markdown sets a column to the right
                    side = element.attrib.pop("style").partition(":")[2].strip(" ;")
                    element.set("class", side)
                if element.tag in HEADINGS:  # one above them is the slide's own
                    element.tag = HEADINGS[element.tag]
                elif element.tag == "a":
                    _tame_link(element)
                elif element.tag == "img":
                    alt = element.get("alt", "")
                    element.tag, element.text = "em", alt
                    element.attrib.clear()
                for at, child in enumerate(element):
                    if child.tag == "table":
                        frame = Element("div", {"class": "wide-part"})
                        frame.append(child)
                        frame.tail, child.tail = child.tail, None
                        element[at] = frame

    return Tame(md)


def _tame_link(element: Element) -> None:
    there = element.get("href", "")
    element.attrib.clear()
    if re.match(r"https?://[^/]", there, re.IGNORECASE):
        element.attrib |= {"href": there, "rel": "noopener"}
    else:
        element.tag = "span"


def _first(document: dict[str, Any], people: list[Author]) -> tuple[str, str, str]:
    date = datetime.date.fromisoformat(str(document["date"])[:10])
    question = document["question"]
    parts = []
    if question != document["title"]:
        parts.append(f'<p class="question">{escape.attribute(question)}</p>')
    if byline := authors.names(people):
        parts.append(f'<p class="byline">{escape.attribute(byline)}</p>')
    parts.append(
        f'<p class="faint">Proposal, <time datetime="{date}">{date.day} {date:%B %Y}</time></p>'
    )
    return document["title"], "\n".join(parts), ""


def _hypotheses(listed: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """As many slides as the hypotheses take, evenly filled."""
    if not listed:
        return []
    count = -(-len(listed) // AT_ONCE)
    size = -(-len(listed) // count)
    shown = []
    for number in range(count):
        items = [
            f"<li><p>{_sentence(each['claim'])}</p>"
            f'<p class="faint">{_sentence(each["test"])}</p></li>'
            for each in listed[number * size : (number + 1) * size]
        ]
        part = f" ({number + 1} of {count})" if count > 1 else ""
        body = f'<ol start="{number * size + 1}" class="claims">{"".join(items)}</ol>'
        shown.append((f"Hypotheses{part}", body, ""))
    return shown


def _last(name: str, seal: dict[str, Any] | None, portfolio: Portfolio) -> tuple[str, str, str]:
    page = f"../{escape.file_name(name)}/"
    address = portfolio.address(f"proposals/{name}/")
    told = escape.attribute(address) or "the proposal’s page"
    where = f'<p>All of this, and later what came out: <a href="{page}">{told}</a></p>'
    if seal is None:
        return "Not sealed yet", f"<p>The hypotheses can still be changed.</p>\n{where}", ""
    body = (
        f'<p class="code">{escape.attribute(str(seal["code"]))}</p>\n'
        f'<p class="faint">Sealed {moment(str(seal["time"]))}, before the first run. Note the '
        "code, and you are a witness to what was expected.</p>"
    )
    return "The seal", f"{body}\n{where}", ""


def _list(lines: list[str]) -> str:
    return "<ul>" + "".join(f"<li>{_sentence(line)}</li>" for line in lines) + "</ul>"


def _sentence(told: Any) -> str:
    return escape.sentence(str(told), escape.attribute)


def _slide(number: int, count: int, heading: str, body: str, notes: str) -> str:
    kind = "slide title" if number == 1 else "slide"
    told = escape.attribute(heading)
    mark = "" if notes else " none"
    notes = notes or '<p class="faint">No notes for this slide.</p>'
    return (
        f'<section class="{kind}" role="group" aria-roledescription="slide" '
        f'aria-label="{number} of {count}: {told}" tabindex="-1">\n'
        f'<div class="sheet"><h1>{told}</h1>\n{body}</div>\n'
        f'<div class="notes{mark}" role="note" aria-label="Notes" tabindex="0">{notes}</div>\n'
        "</section>"
    )


def _keys(keys: str) -> str:
    """Names of keys, each as one; "Page down" is a single key."""
    return " ".join(
        f"<kbd>{escape.attribute(key)}</kbd>" for key in re.findall(r"Page \w+|\S+", keys)
    )


def _style() -> str:
    """The style of the slides, with the colours and letters of the site."""
    site = (HERE / "theme" / "assets" / "folio.css").read_text("utf-8")
    light, dark = (
        re.search(rf"^{re.escape(whose)} \{{(.*?)^\}}", site, re.DOTALL | re.MULTILINE)
        for whose in (":root", '[data-md-color-scheme="slate"]')
    )
    if light is None or dark is None:
        raise AssertionError("folio.css begins with the colours of the site, light and dark")
    colours = (
        f":root {{{light[1]}}}\n"
        f"@media screen and (prefers-color-scheme: dark) {{\n:root {{{dark[1]}}}\n}}\n"
    )
    return colours + (HERE / "slides.css").read_text("utf-8")


def _policy(script: str, style: str) -> str:
    """The Content Security Policy under which this script and this style count, and nothing else.

    Source: https://www.w3.org/TR/CSP3/
    """
    own = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
           for text in (script, style)]  # fmt: skip
    return (
        f"default-src 'none'; script-src 'sha256-{own[0]}'; style-src 'sha256-{own[1]}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
