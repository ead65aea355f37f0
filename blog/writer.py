"""One post into Markdown: tokens filled in, figures, tables and references counted."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from blog import authors, cards, citations, escape, frame, live, reproduce, structured, tables
from blog.assets import Picture, inside
from blog.errors import PostError, suggestion
from blog.portfolio import Portfolio
from blog.post import Block, Post
from blog.values import code, lookup, show

TOKEN = re.compile(r"(`+)(?:(?!\1).)*\1(?!`)|\[\[([^\[\]\n]+)\]\](?!\()", re.DOTALL)
KINDS = ("figure", "table", "code", "cite", "live", "verdicts")


@dataclass
class Writer:
    """Turns one post into Markdown, keeping count of figures, tables and references."""

    project: Path
    post: Post
    results: dict[str, Any]
    pictures: dict[str, Picture]
    portfolio: Portfolio
    example: bool = False  # of the template, not of whoever shows it
    references: dict[str, dict[str, str]] = field(init=False)
    cited: list[str] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.references = citations.read(self.project / "references.bib")
        self.authors = authors.of_post(self.post)
        self.hero = str(self.post.meta.get("hero") or "")
        order = [b.name for b in self.post.blocks if b.kind == "figure" and b.name != self.hero]
        self.numbers = {
            name: n for n, name in enumerate([self.hero, *order], 1 if self.hero else 0)
        }
        self._check_tokens()
        self._check_figures()
        self._check_live()

    def _check_tokens(self) -> None:
        """Every pair of brackets is closed, and what stands before a colon is known."""
        for block in self.post.blocks:
            if block.verbatim:
                continue
            for match in TOKEN.finditer(block.text):
                token = (match[2] or "").strip()
                kind, colon, _ = token.partition(":")
                if colon and kind not in KINDS and kind not in self.results:
                    line = block.line + block.text.count("\n", 0, match.start())
                    raise PostError(
                        self.post.file, line,
                        f"[[{token}]]: no such token.{suggestion(kind, KINDS)}",
                    )  # fmt: skip
            rest = TOKEN.sub(lambda match: "\n" * match[0].count("\n"), block.text)
            rest = re.sub(r"\[\[[^\[\]\n]*\]\]\(", "", rest)
            if "[[" in rest:
                line = block.line + rest.count("\n", 0, rest.index("[["))
                left = rest[rest.index("[[") :].split("\n")[0][:40]
                raise PostError(
                    self.post.file, line,
                    f"`{left}` opens a token that is not closed by ]] in its line; brackets that "
                    "are meant as such stand in `code`.",
                )  # fmt: skip

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

    def _check_live(self) -> None:
        """Every network for the page stands in the post once."""
        placed = [block for block in self.post.blocks if block.kind == "live"]
        for block in placed:
            self._live_model(block)
        for name in self.results.get("live", {}):
            lines = [block.line for block in placed if (block.name or "live") == name]
            if not lines:
                token = "[[live]]" if name == "live" else f"[[live:{name}]]"
                raise PostError(
                    self.post.file, self.post.last_line,
                    f"the network `{name}` is never shown. Put it in with a paragraph {token} and "
                    "a caption, or remove its step.",
                )  # fmt: skip
        if len(placed) > 1:
            raise PostError(
                self.post.file, placed[1].line,
                f"a post has one network to try; the first stands in line {placed[0].line}.",
            )  # fmt: skip

    def front_matter(self) -> str:
        """What Material's blog and tags plugins, the home page and the cards read."""
        import yaml

        meta = self.post.meta
        head: dict[str, Any] = {
            "title": self._told("title"),
            "date": meta["date"],
            "readtime": self.post.minutes,
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
        head["card"] = f"{self.project.name}/card.png"
        head["families"] = list(self.results.get("families", []))
        head["parameters"] = max(self.results.get("parameters", {}).values(), default="")
        head["live"] = bool(self.results.get("live"))
        head["authors"] = [escape.attribute(author.name) for author in self.authors]
        head["jsonld"] = structured.json_ld(
            self.plain() | {"tags": head["tags"]},
            self.results,
            self.authors,
            self.portfolio,
            self.project.name,
        )
        if self.example:
            head["example"] = True
        head["search"] = {"boost": 2}
        head = {key: value for key, value in head.items() if value not in ("", [], None, False)}
        return f"---\n{yaml.safe_dump(head, allow_unicode=True, sort_keys=False, width=10**6)}---"

    def body(self) -> str:
        """The page below its front matter."""
        parts = [f"# {escape.markdown(self.plain()['title'])}"]
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
        proposed = (self.project / "proposal.md").is_file()
        parts.append(
            frame.actions(
                self.project.name, self.results, self.authors, self.portfolio, proposed=proposed
            )
        )
        parts += [self._block(block) for block in self.post.blocks if not self._is_hero(block)]
        if self.cited:
            lines = [
                f'{number}. <span id="reference-{escape.file_name(key)}"></span>'
                f"{citations.reference(self.references[key])}"
                for number, key in enumerate(self.cited, 1)
            ]
            parts.append("## References\n\n" + "\n".join(lines))
        parts += [
            frame.deviations(self.results),
            cards.data(self.project, self.results),
            cards.model(self.project, self.results),
            reproduce.box(self.project.name, self.results),
            frame.cite(
                self.project.name,
                self.plain(),
                str(self.results.get("run", "")),
                self.authors,
                self.portfolio,
                example=self.example,
            ),
            authors.box(self.authors),
        ]
        return "\n\n".join(part for part in parts if part)

    def plain(self) -> dict[str, str]:
        """Title, finding, description and date as plain text."""
        finding = self._told("finding")
        told = {
            "title": self._told("title"),
            "finding": finding,
            "description": self._told("description") or finding,
            "date": str(self.post.meta["date"]),
        }
        return {key: html.unescape(text) for key, text in told.items()}

    def _is_hero(self, block: Block) -> bool:
        return block.kind == "figure" and block.name == self.hero

    def _told(self, key: str) -> str:
        """A line of the front matter with its tokens filled in, as text for HTML."""
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
        if block.kind == "live":
            return self._live(block)
        if block.kind == "verdicts":
            return self._verdicts(block)
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
        if token in ("live", "verdicts"):
            raise PostError(
                self.post.file, line, f"[[{token}]] stands alone: give it a paragraph of its own."
            )
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
        if kind in ("table", "code", "live"):
            raise PostError(
                self.post.file, line, f"[[{token}]] stands alone: give it a paragraph of its own."
            )
        return self._value(token, line)  # a key of the results that holds a colon

    def _value(self, token: str, line: int) -> str:
        path, _, form = token.partition("|")
        place = (self.post.file, line)
        return show(lookup(self.results, path.strip(), place), form.strip(), token, place)

    def _picture(self, name: str, line: int) -> Picture:
        if name not in self.pictures:
            raise PostError(
                self.post.file, line,
                f"the results hold no figure `{name}`.{suggestion(name, self.pictures)} "
                f"If a step of that name is new: folio run {self.project.name}",
            )  # fmt: skip
        return self.pictures[name]

    def _caption(self, block: Block) -> str:
        if not block.rest:
            token = f"[[{block.kind}:{block.name}]]" if block.name else f"[[{block.kind}]]"
            raise PostError(
                self.post.file, block.line,
                f"{token} has no caption; write it behind the token: {token} What one sees, and "
                "what follows from it.",
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
            f' tabindex="0" role="region" aria-label="Pictures of figure {number}"'
            if picture.sheet
            else ""
        )
        parts = [
            f'<figure class="{kind}" id="figure-{escape.file_name(block.name)}" markdown>',
            f'<div class="folio-picture"{frame} markdown>\n{images}\n</div>',
            f'<figcaption markdown="span">'
            f"<b>Figure {number}</b> {self._caption(block)}</figcaption>\n</figure>",
        ]
        if picture.data:
            table = tables.of_csv(picture.data)
            parts.append(tables.folded(f"Figure {number} as a table", table))
        return "\n\n".join(parts)

    def _table(self, block: Block) -> str:
        name, _, form = block.name.partition("|")
        recorded = self.results.get("tables", {})
        if name == "scores":
            table = tables.of_scores(self.results.get("scores", {}), form or ".3f")
        elif name in recorded:
            table = tables.of_csv(inside(self.project / "results", recorded[name]["data"]), form)
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

    def _live_model(self, block: Block) -> dict[str, Any]:
        known = self.results.get("live", {})
        name = block.name or "live"
        if name not in known:
            raise PostError(
                self.post.file, block.line,
                f"the results hold no network `{name}` to try: a step of that name returns one, "
                f"such as `return draw(…)` of models.live.{suggestion(name, known)}",
            )  # fmt: skip
        return known[name]

    def _live(self, block: Block) -> str:
        model = self._live_model(block)
        return live.section(
            self.project.name,
            self.project / "results",
            block.name or "live",
            model,
            self._caption(block),
        )

    def _verdicts(self, block: Block) -> str:
        if not self.results.get("verdicts"):
            raise PostError(
                self.post.file, block.line,
                "the results hold no verdicts: no hypothesis was sealed before the run. "
                f"Next: write proposal.md, then folio propose {self.project.name}",
            )  # fmt: skip
        return frame.verdicts(self.results, self._prose(block.rest, block.line))
