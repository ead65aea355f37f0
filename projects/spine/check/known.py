"""All that is known of a project without running or importing it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from blog import citations
from blog.errors import BlogError
from blog.post import Block, Post
from blog.post import read as read_post
from projects.spine import proposal as proposals
from projects.spine import results, seal
from projects.spine.cache import Cache
from projects.spine.check import fitting
from projects.spine.engine import Engine, Variant
from projects.spine.errors import SpineError
from projects.spine.project import Step

Problem = str
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class Known:
    """A project's files, each read once, and what is wrong with one that cannot be read."""

    def __init__(
        self, root: Path, name: str, cache: Cache, least: Mapping[str, Any] | None = None
    ) -> None:
        self.root = root
        self.name = name
        self.folder = root / "projects" / name
        self.engine = Engine(Variant(root, name), cache)
        self.project = self.engine.project
        self.least = dict(least or {})  # what a teacher's file asks for

    def path(self, file: str) -> str:
        """Return projects/NAME/FILE, as users know it."""
        return f"projects/{self.name}/{file}"

    def at(self, step: str) -> str:
        """Return where a step stands: projects/NAME/project.py:LINE."""
        found = self.project.steps.get(step)
        return self.project.where(found.line) if found else self.path("project.py")

    # -- what a run recorded ---------------------------------------------------------------

    @cached_property
    def results(self) -> dict[str, Any]:
        """The results; {} where there are none."""
        return results.read(self.folder / "results") or {}

    @cached_property
    def intact(self) -> bool:
        """Whether the results say what their run wrote."""
        return bool(self.results) and results.intact(self.results, self.folder / "results")

    @cached_property
    def late(self) -> list[str]:
        """The steps that project.py has changed since the results were made."""
        states = [(run.step.name, self.engine.state(run)) for run in self.engine.runs()]
        return list(dict.fromkeys(name for name, s in states if s.kind == "out of date"))

    @cached_property
    def log(self) -> list[dict[str, Any]]:
        """Every training ever made."""
        return seal.trainings(self.folder)

    @cached_property
    def facts(self) -> dict[str, list[str]]:
        """What the data card records, by section."""
        card = self.results.get("card") or {"sections": []}
        return {section["title"]: section["facts"] for section in card["sections"]}

    @property
    def scores(self) -> dict[str, dict[str, Any]]:
        """The scores: {model: {metric: interval}}."""
        return self.results.get("scores", {})

    @property
    def trained(self) -> bool:
        """Whether a network was trained."""
        return bool(self.results.get("trainings") or self.results.get("parameters"))

    def generates(self) -> bool:
        """Tell whether all of a project's networks make examples instead of judging them."""
        families = set(self.results.get("families", []))
        return bool(families) and families <= {"gan"}

    # -- the proposal ----------------------------------------------------------------------

    @cached_property
    def proposal(self) -> proposals.Proposal | Problem | None:
        """The proposal, what is wrong with it, or None."""
        try:
            return proposals.read(self.folder)
        except (SpineError, BlogError) as error:
            return str(error)

    @cached_property
    def seal(self) -> dict[str, Any] | Problem | None:
        """The seal, what is wrong with it, or None."""
        try:
            return seal.load(self.folder)
        except SpineError as error:
            return str(error)

    # -- what its author wrote -------------------------------------------------------------

    @cached_property
    def post(self) -> Post | Problem:
        """The story, or what is wrong with it."""
        try:
            return read_post(self.folder / "post.md")
        except BlogError as error:
            return str(error).replace(f"{self.root}/", "")

    @property
    def blocks(self) -> list[Block]:
        """The story's paragraphs; none where it cannot be read."""
        return self.post.blocks if isinstance(self.post, Post) else []

    @cached_property
    def prose(self) -> list[tuple[int, str]]:
        """The story's words: (line, paragraph), without code, comments and headings."""
        told = [(b.line, _COMMENT.sub("", b.text)) for b in self.blocks if not b.verbatim]
        return [(line, text) for line, text in told if text.strip() and not text.startswith("#")]

    def words(self) -> int:
        """Return how long the story is."""
        return sum(len(text.split()) for _, text in self.prose)

    def says(self, pattern: str) -> int | None:
        """Return the line of the first paragraph of the post that a pattern is found in."""
        found = re.compile(pattern, re.IGNORECASE)
        return next((line for line, text in self.prose if found.search(text)), None)

    def sections(self, file: str) -> dict[str, str]:
        """Return a file's text by heading, lower-case; what stands in <!-- … --> is no text."""
        path = self.folder / file
        text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
        text = _COMMENT.sub("", text.replace("\r\n", "\n"))
        _, *parts = re.split(r"^##+ +(.+?)[ #]*$", text, flags=re.MULTILINE)
        pairs = zip(parts[::2], parts[1::2], strict=True)
        return {heading.strip().lower(): body.strip() for heading, body in pairs}

    def placed(self, kind: str, name: str | None = None) -> Block | None:
        """Return the paragraph of the post that shows a figure, a table, … with its caption."""
        for block in self.blocks:
            if block.kind == kind and (name is None or block.name.partition("|")[0] == name):
                return block
        return None

    @cached_property
    def references(self) -> dict[str, dict[str, str]] | Problem:
        """The bibliography, or what is wrong with it."""
        try:
            return citations.read(self.folder / "references.bib")
        except (BlogError, UnicodeDecodeError) as error:
            return str(error)

    # -- the code --------------------------------------------------------------------------

    @cached_property
    def fits(self) -> fitting.Fits:
        """Where project.py fits something, and which rows each step gives."""
        return fitting.of(self.project)

    def calls(self, step: Step) -> set[str]:
        """Return the last names of all that a step calls, itself or through its helpers."""
        nodes = [
            node
            for name in self.project.closure(step.name)[0]
            if name == step.name or name.startswith("_")
            for node in self.project.code.defined[name]
        ]
        found = set()
        for node in (part for whole in nodes for part in ast.walk(whole)):
            match node:
                case ast.Call(func=ast.Attribute(attr=name)) | ast.Call(func=ast.Name(id=name)):
                    found.add(name)
        return found

    def shown(self) -> list[tuple[str, str]]:
        """Return (kind, step) of every figure and table that the post shows."""
        recorded = [("figure", name) for name in self.results.get("figures", {})]
        recorded += [("table", name) for name in self.results.get("tables", {})]
        return [pair for pair in recorded if self.placed(*pair)]
