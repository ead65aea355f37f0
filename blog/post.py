"""A project's ``post.md``: front matter, and the story cut into paragraphs that know their line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from blog.errors import BlogError, PostError, suggestion

KEYS = (
    "title", "date", "tags", "question", "finding", "description", "hero", "authors", "example",
)  # fmt: skip
REQUIRED = ("title", "date", "finding")
_OPENING = re.compile(r"\[\[(?:(figure|table|code|live):([^\[\]\n]+)|(live|verdicts))\]\]")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


@dataclass
class Block:
    """One paragraph: prose, verbatim code, or what a token opens ("figure", "live", …)."""

    kind: str
    text: str
    line: int
    name: str = ""
    rest: str = ""
    verbatim: bool = False


@dataclass
class Post:
    """The story as its author wrote it."""

    file: Path
    meta: dict[str, Any]
    head: str
    blocks: list[Block]

    @cached_property
    def last_line(self) -> int:
        """Where the story ends: the place to name when something is missing from it."""
        last = self.blocks[-1] if self.blocks else None
        return last.line + last.text.count("\n") if last else self.head.count("\n") + 2

    @cached_property
    def minutes(self) -> int:
        """How long the story takes to read; what is folded away does not count.

        Source: Brysbaert, How many words do we read per minute? (2019): 238 in silent reading.
        """
        words = sum(len(block.text.split()) for block in self.blocks if not block.verbatim)
        return max(1, round(words / 238))

    def line_of(self, key: str) -> int:
        """The line of a front-matter key; 1 when it is not there."""
        for number, line in enumerate(self.head.split("\n"), 2):
            if re.match(rf"{re.escape(key)}\s*:", line):
                return number
        return 1


def read(file: Path) -> Post:
    """The post in ``file``. Raises PostError where its front matter is not as it must be."""
    if not file.is_file():
        raise BlogError(f"{file} is not there: the story of the project is written in it.")
    content = file.read_bytes()
    try:
        source = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise PostError(
            file, content.count(b"\n", 0, error.start) + 1,
            f"byte {content[error.start]:#x} is no UTF-8. Next: save the file as UTF-8 in your "
            "editor.",
        ) from error  # fmt: skip
    match = re.match(r"---\n(.*?)\n---[ \t]*(?:\n|$)", source, re.DOTALL)
    if not match:
        raise PostError(
            file, 1, f"no front matter; the file begins with --- and names {', '.join(REQUIRED)}."
        )
    post = Post(
        file, {}, match[1], _blocks(source[match.end() :], source.count("\n", 0, match.end()))
    )
    post.meta = _meta(post)
    for block in post.blocks:
        if block.kind == "code" and block.rest:
            raise PostError(
                file,
                block.line,
                f"[[code:{block.name}]] takes no caption; leave a blank line after it.",
            )
    return post


def _meta(post: Post) -> dict[str, Any]:
    """The front matter, each key known and of the right kind."""
    import yaml

    try:
        meta = yaml.safe_load(post.head) or {}
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark else 1
        problem = getattr(error, "problem", None) or "not readable as YAML"
        raise PostError(
            post.file, line, f"front matter: {problem}. A text with a colon needs quotes."
        ) from error
    except ValueError as error:  # YAML reads 2026-02-30 as a day, and there is none
        line = post.line_of("date")
        raise PostError(
            post.file, line, f"front matter: {error}; expected a day such as 2026-11-20."
        ) from error
    if not isinstance(meta, dict):
        raise PostError(post.file, 2, "front matter: expected lines such as `title: …`.")
    for key in meta:
        if key not in KEYS:
            raise PostError(
                post.file, post.line_of(str(key)),
                f"front matter: unknown key `{key}`.{suggestion(str(key), KEYS)}",
            )  # fmt: skip
    for key in REQUIRED:
        if not meta.get(key):
            raise PostError(post.file, post.line_of(key), f"front matter: `{key}` is missing.")
    if isinstance(meta["date"], datetime) or not isinstance(meta["date"], date):
        raise PostError(
            post.file, post.line_of("date"),
            f"front matter: date {meta['date']!r}; expected a day such as 2026-11-20.",
        )  # fmt: skip
    tags = meta.get("tags") or []
    if not isinstance(tags, list) or not all(re.fullmatch(r"[\w +#./-]+", str(t)) for t in tags):
        raise PostError(
            post.file, post.line_of("tags"),
            f"front matter: tags {tags!r}; expected a list of words, such as [images, cnn].",
        )  # fmt: skip
    meta["tags"] = [str(tag) for tag in tags]
    return meta


def _blocks(body: str, before: int) -> list[Block]:
    """The story's paragraphs in order; ``before`` lines stand above it in the file."""
    blocks: list[Block] = []
    lines: list[str] = []
    fence, start = "", 0

    def close() -> None:
        if lines:
            blocks.append(_block("\n".join(lines), before + start + 1, verbatim=bool(fence)))
            lines.clear()

    for number, line in enumerate(body.split("\n")):
        opening = _FENCE.match(line)
        if fence:
            lines.append(line)
            if opening and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                close()
                fence = ""
        elif opening:
            close()
            fence, start = opening[1], number
            lines.append(line)
        elif line.strip():
            if not lines:
                start = number
            lines.append(line)
        else:
            close()
    close()
    return blocks


def _block(text: str, line: int, *, verbatim: bool) -> Block:
    opening = None if verbatim else _OPENING.match(text)
    if not opening:
        return Block("prose", text, line, verbatim=verbatim)
    rest = text[opening.end() :].strip()
    return Block(opening[1] or opening[3], text, line, (opening[2] or "").strip(), rest)
