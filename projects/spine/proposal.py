"""proposal.md: the question, the plan, and hypotheses as data, read before anything is trained.

Every mistake is a BadUsage that names the file, the line, what was received and what would work.
"""

from __future__ import annotations

import ast
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from projects.spine.errors import BadUsage
from projects.spine.hypothesis import Hypothesis
from projects.spine.proposal_head import Head

FILE = "proposal.md"
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_TOKEN = re.compile(r"\[\[[a-z_]+[.:][^\[\]\n]+\]\](?!\()")


class Section(NamedTuple):
    """A part of the plan: what the page shows, and what only the speaker sees."""

    heading: str  # "" for what stands before the first heading
    markdown: str
    notes: str


@dataclass(frozen=True)
class Proposal:
    """A proposal as its author wrote it."""

    question: str
    title: str
    date: str  # ISO 8601
    authors: list[Any]
    video: str
    pilots: list[str]
    hypotheses: list[Hypothesis]
    sections: list[Section]
    text: str  # all of it, lines ended by \n

    def line_of(self, name: str) -> int:
        """Return the line on which a hypothesis is named."""
        named = rf"^.*\bname:\s*[\"']?{re.escape(name)}(?![a-z0-9-])"
        found = re.search(named, self.text, re.MULTILINE)
        return self.text.count("\n", 0, found.start()) + 1 if found else 1

    def document(self) -> dict[str, Any]:
        """Return it as plain values; every hypothesis with its `test` as a sentence."""
        count = len(self.hypotheses)
        told = [asdict(each) | {"test": each.test(count)} for each in self.hypotheses]
        return {
            "question": self.question,
            "title": self.title,
            "date": self.date,
            "authors": self.authors,
            "video": self.video,
            "pilots": self.pilots,
            "hypotheses": told,
            "sections": [tuple(section) for section in self.sections],
            "text": self.text,
        }


def read(folder: Path) -> Proposal | None:
    """Return the proposal in a project's folder, or None where there is none."""
    text = text_of(folder)
    if text is None:
        return None
    return parse(text, f"projects/{folder.name}/{FILE}", _docstring(folder / "project.py"))


def text_of(folder: Path) -> str | None:
    """Return the text of proposal.md, its lines ended by \\n, or None where there is none."""
    try:
        content = (folder / FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadUsage(
            f"projects/{folder.name}/{FILE}: it cannot be read ({error.strerror})."
        ) from None
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadUsage(
            f"projects/{folder.name}/{FILE}:{line}: byte {content[error.start]:#x} is no UTF-8. "
            "Next: save the file as UTF-8 in your editor."
        ) from None


def parse(text: str, label: str, question: str = "") -> Proposal:
    """Return the proposal that a text is; `label` names its file, `question` is the default."""
    match = re.match(r"---\n(.*?\n)---[ \t]*(?:\n|$)", text, re.DOTALL)
    if not match:
        raise BadUsage(
            f"{label}:1: no front matter; the file begins with ---, then lines such as "
            "`date: 2026-11-25`, and another ---."
        )
    head = Head(match[1], label)
    question = head.text("question") or question
    if not question:
        head.wrong("question", "is missing: what is asked, in one sentence")
    body, before = text[match.end() :], text.count("\n", 0, match.end())
    return Proposal(
        question=question,
        title=head.text("title") or question,
        date=head.date(),
        authors=head.authors(),
        video=head.video(),
        pilots=head.pilots(),
        hypotheses=head.hypotheses(),
        sections=_sections(body, label, before),
        text=text,
    )


def _sections(body: str, label: str, before: int) -> list[Section]:
    """Return the parts of the plan; ``before`` lines stand above it in the file."""
    found: list[tuple[str, list[str], list[str]]] = [("", [], [])]
    fence, noted, blank = "", False, True
    for number, line in enumerate(body.split("\n"), before + 1):
        opening = _FENCE.match(line)
        if fence:
            if opening and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif opening:
            fence = opening[1]
        elif heading := re.match(r"## +(.*?)[ #]*$", line):
            found.append((heading[1], [], []))
            noted, blank = False, True
            continue
        elif blank and line.startswith("Notes:"):
            noted, line = True, line.removeprefix("Notes:").lstrip()
        elif token := _TOKEN.search(re.sub(r"`[^`]*`", "", line)):
            raise BadUsage(
                f"{label}:{number}: {token[0]} asks for a recorded value, and nothing is recorded "
                "yet. Write the number, or what is expected."
            )
        found[-1][2 if noted else 1].append(line)
        blank = not line.strip()
    told = [Section(h, "\n".join(m).strip("\n"), "\n".join(n).strip("\n")) for h, m, n in found]
    return [part for part in told if part.heading or part.markdown.strip() or part.notes.strip()]


def _docstring(file: Path) -> str:
    """Return the first line that a project.py says of itself, "" where it says nothing."""
    try:
        text = ast.get_docstring(ast.parse(file.read_bytes()))
    except (OSError, SyntaxError, ValueError):
        return ""
    return (text or "").strip().partition("\n")[0]
