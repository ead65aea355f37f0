"""Formulas in Markdown: $…$ in a line, $$…$$ on lines of their own, set as MathML while building.

A dollar sign opens a formula if something stands right behind it, and closes it if something
stands right before it and no digit behind it (Pandoc's rule): "$5 and $6" stays money. `\\$` always
is a dollar sign, code stays code, and what `blog.escape` made harmless stays text. In a table,
where a bar ends the cell, `\\vert` and `\\mid` are bars.

A formula that cannot be set is a warning with file and line, on which a strict build fails; the
preview shows it as it was written, and marked.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.util import STX, AtomicString

from blog.mathml import BadFormula, mathml

# A strict build of mkdocs fails on the warnings of loggers below its own.
logger = logging.getLogger("mkdocs.mathematics")

BLOCK = re.compile(r"(?:^|\n) {0,3}\$\$((?:\\.|(?!\$\$).)+)\$\$[ \t]*(?=\n|$)", re.DOTALL)
OPENED = re.compile(r"^ {0,3}\$\$", re.MULTILINE)
EDGE = re.compile(r"(?<!\\)\$\$")
INLINE = r"(?<![\\$])(\$\$?)(?![\s$])((?:\\.|[^\\$])+)(?<!\s)\1(?![\d$])"
# After code in backticks, and before Markdown takes \{ and \_ for escapes of its own.
PRIORITY = 185


class Mathematics(Extension):
    """What `markdown_extensions` of a site names as `blog.mathematics`."""

    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 (the name Markdown calls)
        """Add formulas to the syntax."""
        md.ESCAPED_CHARS = [*md.ESCAPED_CHARS, "$"]
        # Markdown puts a line feed behind what is a block, here in the middle of a sentence.
        md.block_level_elements = [name for name in md.block_level_elements if name != "math"]
        md.parser.blockprocessors.register(_Block(md.parser), "formula", PRIORITY)
        md.inlinePatterns.register(_Inline(INLINE, md), "formula", PRIORITY)


def makeExtension(**settings: object) -> Mathematics:  # noqa: N802 (the name Markdown calls)
    """Return the extension; it has no settings."""
    return Mathematics(**settings)


class _Block(BlockProcessor):
    """$$…$$ on lines of their own."""

    def test(self, parent: Element, block: str) -> bool:
        opened = OPENED.search(block) is not None
        return opened and (BLOCK.search(block) is not None or len(EDGE.findall(block)) % 2 == 1)

    def run(self, parent: Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        if match := BLOCK.search(block):
            before, after = block[: match.start()], block[match.end() :]
            if before:
                self.parser.parseBlocks(parent, [before])
            frame = SubElement(parent, "div", {"class": "folio-formula"})
            frame.append(_formula(self.parser.md, match[1].strip(), display=True))
            if after.strip():
                blocks.insert(0, after.removeprefix("\n"))
        else:
            error = BadFormula("no $$ closes it before the next blank line.")
            SubElement(parent, "p").append(_complaint(self.parser.md, block, error))


class _Inline(InlineProcessor):
    """$…$ within a line; $$…$$ there makes a line of its own."""

    def handleMatch(  # noqa: N802 (the name Markdown calls)
        self, m: re.Match[str], data: str
    ) -> tuple[Element | None, int | None, int | None]:
        """Return the formula in place of what was matched, and where that begins and ends."""
        assert self.md is not None
        in_address_or_tag = re.search(r"\]\([^()\s]*$|<[A-Za-z/][^<>]*$", data[: m.start()])
        if in_address_or_tag or STX in m[2]:  # what was code stands in `data` as STX and a number
            return None, None, None
        formula = _formula(self.md, m[2], display=m[1] == "$$")
        if m[1] == "$$":
            frame = Element("span", {"class": "folio-formula"})
            frame.append(formula)
            formula = frame
        return formula, m.start(), m.end()


def _formula(md: Markdown, latex: str, *, display: bool) -> Element:
    """Return the formula, or if that cannot be, a complaint in its place."""
    try:
        formula = mathml(latex, display=display)
    except BadFormula as error:
        return _complaint(md, latex, error)
    for part in formula.iter():
        if part.text:
            part.text = AtomicString(part.text)  # no Markdown any more
    return formula


def _complaint(md: Markdown, latex: str, error: BadFormula) -> Element:
    """Warn, and return what was written."""
    written = " ".join(latex.split())
    logger.warning("%s: the formula `%s`: %s", _place(md, latex), written, error)
    shown = Element("code", {"class": "folio-bad-formula", "title": str(error)})
    shown.text = AtomicString(written.replace("&", "&amp;").replace("<", "&lt;"))
    return shown


def _place(md: Markdown, latex: str) -> str:
    """Return file and line, if mkdocs runs Markdown; it leaves the file with a step of its own."""
    files: list[Any] = [step.file for step in md.treeprocessors if hasattr(step, "file")]
    if not files:
        return "Markdown"
    path = Path(files[0].abs_src_path)
    # Markdown has cut the front matter off and taken the text apart; so the formula is looked up.
    source = path.read_text(encoding="utf-8")
    found = re.search(r"[\s>]+".join(map(re.escape, latex.split())), source)
    line = f":{source.count(chr(10), 0, found.start()) + 1}" if found else ""
    return f"{os.path.relpath(path)}{line}"
