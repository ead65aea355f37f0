"""A post's story and a project's recorded results into one Markdown page.

The page is plain Markdown under ``docs/posts/``: it builds with mkdocs alone, without this module.
Every number in it is looked up in ``results.json`` by name. What a token may be:

    [[scores.cnn.accuracy]]         a path in results.json; an interval gives its mean
    [[scores.cnn.accuracy|.1%]]     the same in a format of Python's
    [[figure:models]] Caption       opens a paragraph: the figure with its caption and its data;
                                    inside a sentence: a link that reads "Figure 2"
    [[table:scores]] Caption        the scores, or a table the project returned
    [[code:split]]                  a step's source, from project.py
    [[cite:nielsen2015]]            a reference from references.bib
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blog import citations, escape, reproduce, tables
from blog.assets import Picture, pictures
from blog.errors import BlogError, PostError, suggestion
from blog.post import Block, Post, read
from blog.values import code, lookup, show

SCHEMA = 1
# What a second run on another day may change without changing what was found.
VOLATILE = ("run", "behind", "minutes", "hardware", "threads")
TOKEN = re.compile(r"(`+)(?:(?!\1).)*\1(?!`)|\[\[([^\[\]\n]+)\]\](?!\()", re.DOTALL)


def write(project: Path, docs: Path, *, template: bool = False) -> list[Path]:
    """Render ``project`` into ``docs/posts/``; the paths whose bytes changed, removed ones too.

    ``template`` labels the post as an example of the template, as ``example: true`` in its front
    matter does. Raises PostError (with file and line) or BlogError; then nothing was written.
    """
    page_file = docs / "posts" / f"{project.name}.md"
    folder = docs / "posts" / project.name
    old = page_file.read_text(encoding="utf-8") if page_file.is_file() else ""
    page, files = _page(project, template=template, stamp=_stamp_of(old))

    changed = []
    for name, content in files.items():
        if _replace(folder / name, content):
            changed.append(folder / name)
    for stale in sorted(folder.glob("*")) if folder.is_dir() else []:
        if stale.name not in files:
            stale.unlink()
            changed.append(stale)
    if folder.is_dir() and not files:
        folder.rmdir()
    if _replace(page_file, page.encode()):
        changed.append(page_file)
    return changed


def stale(projects: Path, docs: Path) -> list[Path]:
    """Rendered posts, and their folders of figures, whose project is gone. Others' posts stay."""
    gone: list[Path] = []
    for page in sorted((docs / "posts").glob("*.md")):
        if _stamp_of(page.read_text(encoding="utf-8")) and not (projects / page.stem).is_dir():
            gone += [path for path in (page, page.with_suffix("")) if path.exists()]
    return gone


def warnings(project: Path) -> list[str]:
    """Places where a decimal number is typed into the story instead of looked up."""
    post = read(project / "post.md")
    texts = [(post.line_of("finding"), str(post.meta.get("finding", "")))]
    texts += [(block.line, block.text) for block in post.blocks if not block.verbatim]
    found = []
    for line, text in texts:
        # Addresses and other tokens are blanked, so that positions keep telling the line.
        prose = TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
        prose = re.sub(r"\]\([^)\n]*\)|<[^>\n]*>|https?://\S+", lambda m: " " * len(m[0]), prose)
        for match in re.finditer(r"(?<![\w.])\d+\.\d+(?!\.?\d)", prose):
            at = line + prose.count("\n", 0, match.start())
            found.append(
                f"{post.file}:{at}: {match[0]} is typed; a measured number is written as a token, "
                "such as [[scores.cnn.accuracy|.1%]]."
            )
    return found


def _page(project: Path, *, template: bool, stamp: dict[str, Any]) -> tuple[str, dict[str, bytes]]:
    """The page's text, and its files by name."""
    post = read(project / "post.md")
    results = _results(project)
    shown = pictures(project, results, post.file)
    files = {name: content for picture in shown.values() for name, content in picture.files.items()}

    stable = {key: value for key, value in results.items() if key not in VOLATILE}
    digest = hashlib.sha256(json.dumps(stable, sort_keys=True).encode())
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    # Same values, other day: the page goes on telling of the run that first found them.
    if stamp.get("content") != digest.hexdigest()[:16]:
        stamp = {key: results[key] for key in VOLATILE if key in results}
        stamp["content"] = digest.hexdigest()[:16]
    results |= {key: value for key, value in stamp.items() if key != "content"}

    writer = _Writer(project, post, results, shown)
    body = writer.body()
    head = writer.front_matter(example=template or bool(post.meta.get("example")))
    comment = json.dumps(stamp, sort_keys=True).replace("--", "-\\u002d")
    note = f"<!-- Made from projects/{project.name}/post.md; edit that one. folio: {comment} -->"
    return f"{head}\n{note}\n\n{body}\n", files


@dataclass
class _Writer:
    """Turns one post into Markdown, keeping count of figures, tables and references."""

    project: Path
    post: Post
    results: dict[str, Any]
    pictures: dict[str, Picture]
    references: dict[str, dict[str, str]] = field(init=False)
    cited: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.references = citations.read(self.project / "references.bib")
        self.hero = str(self.post.meta.get("hero") or "")
        order = [b.name for b in self.post.blocks if b.kind == "figure" and b.name != self.hero]
        self.numbers = {
            name: n for n, name in enumerate([self.hero, *order], 1 if self.hero else 0)
        }
        self._check_figures()

    def _check_figures(self) -> None:
        """Every figure of the results stands in the post once; the hero is one of them."""
        placed: dict[str, int] = {}
        for block in self.post.blocks:
            if block.kind != "figure":
                continue
            self._picture(block.name, block.line)
            if block.name in placed:
                raise PostError(
                    self.post.file, block.line,
                    f"the figure `{block.name}` already stands in line {placed[block.name]}; "
                    f"inside a sentence [[figure:{block.name}]] links to it.",
                )  # fmt: skip
            placed[block.name] = block.line
        if self.hero and self.hero not in placed:
            line = self.post.line_of("hero")
            self._picture(self.hero, line)
            raise PostError(
                self.post.file, line,
                f"the hero `{self.hero}` needs a caption: a paragraph [[figure:{self.hero}]] "
                "followed by it, anywhere in the post.",
            )  # fmt: skip
        for name in self.pictures:
            if name not in placed:
                raise PostError(
                    self.post.file, self.post.last_line,
                    f"the figure `{name}` is never shown. Put it in with a paragraph "
                    f"[[figure:{name}]] and a caption, or rename its step to `_{name}`.",
                )  # fmt: skip

    def front_matter(self, *, example: bool) -> str:
        """What Material's blog and tags plugins, the home page and the cards read."""
        import yaml

        meta = self.post.meta
        head: dict[str, Any] = {
            "title": self._told("title"),
            "date": meta["date"],
            "tags": list(meta.get("tags") or []),
            "question": self._told("question")
            or escape.attribute(self.results.get("question", "")),
            "finding": self._told("finding"),
        }
        head["description"] = self._told("description") or head["finding"] or head["question"]
        if self.hero:
            # Where the blog plugin puts the files beside posts, seen from the site's root.
            picture = self.pictures[self.hero]
            head["picture"] = [f"{self.project.name}/{name}" for name in picture.files]
            head["picture_alt"] = escape.attribute(picture.alt)
        if example:
            head["example"] = True
        head["search"] = {"boost": 2}
        head = {key: value for key, value in head.items() if value not in ("", [], None)}
        return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10**6)}---"

    def body(self) -> str:
        """The page below its front matter."""
        parts = [f"# {self._told('title')}"]
        question = self._told("question") or escape.markdown(self.results.get("question", ""))
        if question:
            parts.append(f'<p class="folio-question">{question}</p>')
        if finding := self._told("finding"):
            parts.append(f'<p class="folio-finding">{finding}</p>')
        if self.results.get("draft"):
            parts.append(
                '!!! warning "Draft"\n\n    From a quick run: one seed, little data. '
                "The numbers are not meant to be quoted."
            )
        parts += [self._block(block) for block in self.post.blocks if self._is_hero(block)]
        parts += [self._block(block) for block in self.post.blocks if not self._is_hero(block)]
        if self.cited:
            lines = [
                f'{number}. <span id="reference-{escape.file_name(key)}"></span>'
                f"{citations.reference(self.references[key])}"
                for number, key in enumerate(self.cited, 1)
            ]
            parts.append("## References\n\n" + "\n".join(lines))
        parts.append(reproduce.box(self.project.name, self.results))
        return "\n\n".join(parts)

    def _is_hero(self, block: Block) -> bool:
        return block.kind == "figure" and block.name == self.hero

    def _told(self, key: str) -> str:
        """A line of the front matter with its tokens filled in, as text for HTML and Markdown."""
        value, line = str(self.post.meta.get(key) or ""), self.post.line_of(key)
        parts, at = [], 0
        for match in TOKEN.finditer(value):
            parts.append(escape.attribute(value[at : match.start()]))
            parts.append(self._value(match[2], line) if match[2] else escape.attribute(match[0]))
            at = match.end()
        return ("".join(parts) + escape.attribute(value[at:])).strip()

    def _block(self, block: Block) -> str:
        if block.verbatim:
            return block.text
        if block.kind == "figure":
            return self._figure(block)
        if block.kind == "table":
            return self._table(block)
        if block.kind == "code":
            source = code(self.project / "project.py", block.name, (self.post.file, block.line))
            fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", source)), default=0))
            title = f"projects/{self.project.name}/project.py"
            return f'{fence} {{ .python title="{title}" }}\n{source}\n{fence}'
        return self._prose(block.text, block.line)

    def _prose(self, text: str, line: int) -> str:
        """The author's Markdown with every token filled in."""

        def fill(match: re.Match[str]) -> str:
            if match[2] is None:
                return match[0]  # code stays as it is
            return self._token(match[2].strip(), line + text.count("\n", 0, match.start()))

        return TOKEN.sub(fill, text)

    def _token(self, token: str, line: int) -> str:
        kind, colon, name = token.partition(":")
        if not colon:
            return self._value(token, line)
        if kind == "figure":
            self._picture(name, line)
            return f"[Figure {self.numbers[name]}](#figure-{escape.file_name(name)})"
        if kind == "cite":
            if name not in self.references:
                raise PostError(
                    self.post.file, line,
                    f"`{name}` is not in references.bib.{suggestion(name, self.references)}",
                )  # fmt: skip
            if name not in self.cited:
                self.cited.append(name)
            return f"[[{self.cited.index(name) + 1}]](#reference-{escape.file_name(name)})"
        if kind in ("table", "code"):
            raise PostError(
                self.post.file, line, f"[[{token}]] stands alone: give it a paragraph of its own."
            )
        if kind in self.results:  # a key of the results that holds a colon
            return self._value(token, line)
        kinds = ("figure", "table", "code", "cite")
        raise PostError(
            self.post.file, line, f"[[{token}]]: no such token.{suggestion(kind, kinds)}"
        )

    def _value(self, token: str, line: int) -> str:
        path, _, form = token.partition("|")
        place = (self.post.file, line)
        return show(lookup(self.results, path.strip(), place), form.strip(), token, place)

    def _picture(self, name: str, line: int) -> Picture:
        if name not in self.pictures:
            raise PostError(
                self.post.file, line,
                f"the results hold no figure `{name}`.{suggestion(name, self.pictures)}",
            )  # fmt: skip
        return self.pictures[name]

    def _caption(self, block: Block) -> str:
        if not block.rest:
            raise PostError(
                self.post.file, block.line,
                f"[[{block.kind}:{block.name}]] has no caption; write it behind the token: "
                f"[[{block.kind}:{block.name}]] What one sees, and what follows from it.",
            )  # fmt: skip
        return self._prose(block.rest, block.line)

    def _figure(self, block: Block) -> str:
        picture = self._picture(block.name, block.line)
        number = self.numbers[block.name]
        lazy = "" if self._is_hero(block) else " loading=lazy"
        alt = escape.markdown(picture.alt)
        images = "\n".join(
            f"![{alt}]({self.project.name}/{name}{theme})"
            f"{{{lazy} width={picture.width} height={picture.height} }}"
            for name, theme in picture.shown
        )
        kind = "folio-figure folio-sheet" if picture.sheet else "folio-figure"
        # A sheet keeps its size on a phone and is scrolled; the keyboard must reach it.
        frame = (
            ' tabindex="0" role="region" aria-label="Sheet of pictures"' if picture.sheet else ""
        )
        parts = [
            f'<figure class="{kind}" id="figure-{escape.file_name(block.name)}" markdown>',
            f'<div class="folio-picture"{frame} markdown>\n{images}\n</div>',
            f'<figcaption markdown="span">'
            f"<b>Figure {number}</b> {self._caption(block)}</figcaption>\n</figure>",
        ]
        if picture.data:
            table = tables.of_csv(picture.data)
            parts.append(f'??? folio "Figure {number} as a table"\n\n{tables.indent(table)}')
        return "\n\n".join(parts)

    def _table(self, block: Block) -> str:
        name, _, form = block.name.partition("|")
        recorded = self.results.get("tables", {})
        if name == "scores":
            table = tables.of_scores(self.results.get("scores", {}), form or ".3f")
        elif name in recorded:
            table = tables.of_csv(self.project / "results" / recorded[name]["data"], form)
        else:
            known = ["scores", *recorded]
            raise PostError(
                self.post.file, block.line,
                f"the results hold no table `{name}`.{suggestion(name, known)}",
            )  # fmt: skip
        caption = self._caption(block)
        return (
            f'<figure class="folio-table" id="table-{escape.file_name(name)}" markdown>\n\n'
            f'<figcaption markdown="span">{caption}</figcaption>\n\n{table}\n\n</figure>'
        )


def _results(project: Path) -> dict[str, Any]:
    file = project / "results" / "results.json"
    if not file.is_file():
        raise BlogError(
            f"{file} is not there: {project.name} has no results yet. "
            f"Next: folio run {project.name}"
        )
    try:
        results = json.loads(file.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise BlogError(
            f"{file}:{error.lineno}: not readable as JSON ({error.msg}). "
            f"Next: folio run {project.name}"
        ) from error
    if not isinstance(results, dict) or results.get("schema") != SCHEMA:
        received = results.get("schema") if isinstance(results, dict) else type(results).__name__
        raise BlogError(
            f"{file}: schema {received!r}; this version of Folio reads schema {SCHEMA}."
        )
    return results


def _stamp_of(page: str) -> dict[str, Any]:
    """The stamp of a rendered page; {} for any other."""
    match = re.search(r"^<!-- Made from projects/.*? folio: (\{.*\}) -->$", page, re.MULTILINE)
    try:
        return json.loads(match[1]) if match else {}
    except json.JSONDecodeError:
        return {}


def _replace(path: Path, content: bytes) -> bool:
    """Write aside and swap; False, and nothing touched, when the bytes are there already."""
    if path.is_file() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.new")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)  # noqa: PTH105 (the name of what makes it atomic)
    return True
