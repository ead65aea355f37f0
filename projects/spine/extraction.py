"""A step that asks for `page`, run once for each kept page; only new or changed pages are read.

What the step raises for what a page lacks (NotFound and its kin, ValueError) rejects that page with
its reason; anything else is a fault in the step and stops it.

Rows travel as Parquet files: each chunk's from the process that read it, the earlier outcome's from
the store. They are put together group by group, so that memory does not grow with their number.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.spine.engine import Engine, Run, digest_of
from projects.spine.errors import SpineError
from projects.spine.kinds import Streamed
from projects.spine.perform import Report, failure, keep, lent
from projects.spine.store import Stored

if TYPE_CHECKING:
    from scraping.pages import Pages, Ref

ADDRESS = re.compile(r"^https?://\S+: ")
PARTS = "parts"  # under .folio/: chunks' rows until they are put together
Chunk = tuple[Path, dict[str, Path]]  # (file of the rows, files opened by local())
CHUNK = 250  # pages a worker reads at a time: a second or so, so that progress moves


def extract(
    engine: Engine,
    run: Run,
    spread: Callable[[list[list[Ref]]], Iterable[Chunk]],
    report: Report,
    *,
    again: bool = False,
) -> Stored:
    """Run a `page` step over its crawl's pages; `spread` reads chunks of them, anywhere.

    Pages that the same code has read before are not read again, unless `again` says so.
    """
    started = time.perf_counter()
    step = run.step
    pages = engine.load(Run(engine.project.steps[step.pages_from or ""]))
    state = engine.state(run)
    others = {k: v for k, v in state.inputs.items() if k != step.pages_from}
    reads = digest_of([state.code, others])
    earlier = None if again else _earlier(engine, run, reads)
    known = _pages_of(earlier) if earlier else set()
    due = [ref for ref in pages.refs if (ref.url, ref.digest) not in known]
    unchanged = {ref.url for ref in pages.refs} - {ref.url for ref in due}

    folder = engine.work / PARTS
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    folder.mkdir(parents=True)
    opened: dict[str, Path] = {}
    parts: list[Path] = []
    try:
        done = 0
        chunks = [due[i : i + CHUNK] for i in range(0, len(due), CHUNK)]
        for chunk, (part, files) in zip(chunks, spread(chunks), strict=True):
            parts.append(part)
            opened.update(files)
            done += len(chunk)
            report("pages read", done, len(due))
        places = {ref.url: number for number, ref in enumerate(pages.refs)}
        value = _joined(folder, earlier, unchanged, parts, places)
        if len(pages) and not value.frame_rows:
            raise SpineError(_no_row(engine, run, value, pages))
        pairs = [[ref.url, ref.digest] for ref in pages.refs]
        value = dataclasses.replace(value, pages=pairs)
        return keep(engine, run, value, started, opened, reads=reads)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _earlier(engine: Engine, run: Run, reads: str) -> Stored | None:
    """Return the newest outcome of the same code on other pages, whose rows can be used again."""
    for stored in engine.store.every(run.step.name, run.label):
        same_code = stored.manifest.get("reads") == reads
        if same_code and not engine.changed_files(stored.manifest.get("local", {})):
            return stored
    return None


def _pages_of(earlier: Stored) -> set[tuple[str, ...]]:
    """Return the address and digest of each page that an outcome came from."""
    text = (earlier.folder / earlier.manifest["node"]["pages"]).read_text("utf-8")
    return {tuple(page) for page in json.loads(text)}


def _joined(
    folder: Path,
    earlier: Stored | None,
    unchanged: set[str],
    parts: list[Path],
    places: dict[str, int],
) -> Streamed:
    """Return the rows of unchanged pages and those just read, in the order of the crawl's pages."""
    from pyarrow import parquet

    from scraping.tables.parquet import Stream, gather

    node = earlier.manifest["node"] if earlier else {}
    still = {url: place for url, place in places.items() if url in unchanged}
    outcome = []
    for name, kept_as in (("rows", "file"), ("rejected", "rejected")):
        target = folder / name
        found = [path for part in parts if (path := part / name).exists()]
        sources = [(path, places) for path in found]
        if earlier and still:
            sources.insert(0, (earlier.folder / node[kept_as], still))
        with Stream(target) as stream:
            gather(sources, "_url", stream)
            if name == "rows" and sources and not stream.rows:
                schemas = [parquet.read_schema(path) for path, _ in sources]
                stream.add(max(schemas, key=len).empty_table())
        outcome += [target, stream.rows]
    return Streamed(*outcome, pages=[])


def _no_row(engine: Engine, run: Run, value: Streamed, pages: Pages) -> str:
    """Return what to tell a user whose step gave no row at all."""
    from collections import Counter

    from scraping.tables.parquet import iterate

    why = (
        "None was rejected either: the step yielded nothing, as one does whose selector matches "
        f"nothing. What a page offers: folio look {pages.refs[0].url}"
    )
    if value.rejected_rows:
        reasons: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for table in iterate(value.rejected, ["_reason"]):
            for reason in table["_reason"]:
                # A reason begins with the page's address, and ends with what stands there instead.
                common = ADDRESS.sub("", reason).partition(";")[0].partition("\n")[0]
                reasons[common] += 1
                examples.setdefault(common, reason)
        ((common, times),) = reasons.most_common(1)
        why = f"Most often, {times:,} times: {common}. The first:\n{examples[common]}"
    return (
        f"{engine.project.where(run.step.line)}: step `{run.step.name}` got no row from any of "
        f"{len(pages):,} pages. {why}\n"
        f"The pages are kept; mend the step and run: folio run {engine.project.name}"
    )


def read_pages(engine: Engine, run: Run, refs: list[Ref]) -> Chunk:
    """Run a `page` step on some pages, in this process."""
    from scraping.errors import ArchiveDamaged, ScrapingError
    from scraping.pages import Pages
    from scraping.tables import rows

    folder = engine.work / PARTS
    folder.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder))
    with (
        rows.Writer(part / "rows", rejected=part / "rejected") as writer,
        lent(engine, run, _silent, fresh=False) as (module, opened),
    ):
        function = getattr(module, run.step.name)
        arguments = engine.arguments(run)
        pages = Pages(engine.archive, refs)
        for ref in refs:
            source = (ref.url, ref.fetched, ref.offset)
            try:
                made = _rows_of(function(page=pages.open(ref), **arguments))
            except ArchiveDamaged as error:
                raise failure(engine, run, error, where=ref.url) from error
            except (ScrapingError, ValueError) as error:
                reason = str(error) if isinstance(error, ScrapingError) else f"ValueError: {error}"
                writer.reject(source, reason)
            except Exception as error:
                raise failure(engine, run, error, where=ref.url) from error
            else:
                writer.add(made, [source] * len(made))
        files = dict(opened)
    return part, files


def _rows_of(made: Any) -> list[Any]:
    """Return the rows of one page: yielded, returned as a list, as one row, or None."""
    if made is None:
        return []
    if isinstance(made, list | tuple) or hasattr(made, "__next__"):
        return list(made)
    return [made]


def _silent(label: str, done: int, total: int | None) -> None:
    """Report nothing: whoever spread the pages counts them."""
