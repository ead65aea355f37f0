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
    [[live]] Caption                the network for the reader to try, returned by the step `live`
    [[verdicts]] Caption            the sealed hypotheses and what became of them
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from blog import card, feed, live
from blog.assets import pictures
from blog.errors import BlogError
from blog.portfolio import Portfolio
from blog.post import read
from blog.replacing import replace_file
from blog.writer import TOKEN, Writer

SCHEMA = 1
# What a second run on another day may change without changing what was found.
VOLATILE = ("run", "behind", "minutes", "hardware", "threads", "fetched")


def write(
    project: Path, docs: Path, portfolio: Portfolio | None = None, *, template: bool = False
) -> list[Path]:
    """Render ``project`` into ``docs/posts/``; the paths whose bytes changed, removed ones too.

    ``portfolio`` says whose site it is; ``template`` labels the post as an example of the template,
    as ``example: true`` in its front matter does. Raises PostError (with file and line) or
    BlogError; then nothing was written.
    """
    page_file = docs / "posts" / f"{project.name}.md"
    folder = docs / "posts" / project.name
    old = page_file.read_text(encoding="utf-8") if page_file.is_file() else ""
    portfolio = portfolio or Portfolio()
    page, files = _page(project, portfolio, folder, template=template, stamp=_stamp_of(old))

    changed = []
    for name, content in files.items():
        if replace_file(folder / name, content):
            changed.append(folder / name)
    for stale in sorted(path for path in folder.rglob("*") if path.is_file()):
        if stale.relative_to(folder).as_posix() not in files:
            stale.unlink()
            changed.append(stale)
    for empty in sorted((path for path in folder.rglob("*") if path.is_dir()), reverse=True):
        if not any(empty.iterdir()):
            empty.rmdir()
    if replace_file(page_file, page.encode()):
        changed.append(page_file)
    return changed


def stale(projects: Path, docs: Path) -> list[Path]:
    """Rendered posts, and their folders of figures, whose project is gone. Others' posts stay."""
    gone: list[Path] = []
    for page in sorted((docs / "posts").glob("*.md")):
        if _stamp_of(page.read_text(encoding="utf-8")) and not (projects / page.stem).is_dir():
            gone += [path for path in (page, page.with_suffix("")) if path.exists()]
    return gone


def write_feed(docs: Path, portfolio: Portfolio) -> list[Path]:
    """Write the Atom feed of the rendered posts; its path if its bytes changed."""
    file = docs / feed.FILE
    return [file] if replace_file(file, feed.feed(docs, portfolio).encode()) else []


_TYPED = re.compile(r"(?<![\w.])(?:\d*\.\d+(?!\.?\d)|(?!9[059]\s?%)\d+(?=\s?%))")


def warnings(project: Path) -> list[str]:
    """Places where a decimal number or a percentage is typed into the story, not looked up.

    The level of an interval, such as 95 %, is no result and may be typed.
    """
    post = read(project / "post.md")
    texts = [(post.line_of("finding"), str(post.meta.get("finding", "")))]
    texts += [(block.line, block.text) for block in post.blocks if not block.verbatim]
    found = []
    for line, text in texts:
        # Addresses and other tokens are blanked, so that positions keep telling the line.
        prose = TOKEN.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
        prose = re.sub(r"\]\([^)\n]*\)|<[^>\n]*>|https?://\S+", lambda m: " " * len(m[0]), prose)
        for match in _TYPED.finditer(prose):
            at = line + prose.count("\n", 0, match.start())
            found.append(
                f"{post.file}:{at}: {match[0]} is typed; a measured number is written as a token, "
                "such as [[scores.cnn.accuracy|.1%]]."
            )
    return found


def _page(
    project: Path, portfolio: Portfolio, folder: Path, *, template: bool, stamp: dict[str, Any]
) -> tuple[str, dict[str, bytes]]:
    """The page's text, and its files by path below ``folder``."""
    post = read(project / "post.md")
    results = _results(project)
    shown = pictures(project, results, post.file)
    files = {name: content for picture in shown.values() for name, content in picture.files.items()}
    for name, model in results.get("live", {}).items():
        files |= live.files(project / "results", name, model)

    stable = {key: value for key, value in results.items() if key not in VOLATILE}
    digest = hashlib.sha256(json.dumps(stable, sort_keys=True).encode())
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + hashlib.sha256(files[name]).digest())
    # Same values, other day: the page goes on telling of the run that first found them; of that
    # alone, since a stamp that was edited must give no score.
    stamp = {key: stamp[key] for key in ("content", *VOLATILE) if key in stamp}
    if stamp.get("content") != digest.hexdigest()[:16]:
        stamp = {key: results[key] for key in VOLATILE if key in results}
        stamp["content"] = digest.hexdigest()[:16]
    results |= {key: value for key, value in stamp.items() if key != "content"}

    example = template or bool(post.meta.get("example"))
    # Whoever takes over the template is not the author of its examples.
    whose = replace(portfolio, author="") if example else portfolio
    writer = Writer(project, post, results, shown, whose, example)
    body = writer.body()
    head = writer.front_matter()
    comment = json.dumps(stamp, sort_keys=True).replace("--", "-\\u002d").replace("<", "\\u003c")
    note = f"<!-- Made from projects/{project.name}/post.md; edit that one. folio: {comment} -->"
    if not portfolio.repository:
        files["project.py.txt"] = (project / "project.py").read_bytes()
    files["card.png"] = _card(writer, portfolio, folder / "card.png")
    return f"{head}\n{note}\n\n{body}\n", files


def _card(writer: Writer, portfolio: Portfolio, present: Path) -> bytes:
    """The picture that stands for the post where it is shared.

    The present one stays while it tells the same: other machines have other letters, and would
    draw other bytes.
    """
    plain = writer.plain()
    told = {"title": plain["title"], "finding": plain["finding"], "name": portfolio.name}
    if present.is_file() and card.current(png := present.read_bytes(), **told):
        return png
    return card.card(**told)


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
