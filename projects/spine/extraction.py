"""A step that asks for `page`, run once for each kept page; only new or changed pages are read.

What the step raises for what a page lacks (NotFound and its kin, ValueError) rejects that page with
its reason; anything else is a fault in the step and stops it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from projects.spine.engine import Engine, Run, digest_of
from projects.spine.errors import SpineError
from projects.spine.kinds import Rows
from projects.spine.perform import Report, failure, keep, lent
from projects.spine.store import Stored

if TYPE_CHECKING:
    from pathlib import Path

    from scraping.pages import Ref

Chunk = tuple[Any, Any, "dict[str, Path]"]  # (rows, rejected rows, files opened by local())
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
    known = {tuple(page) for page in earlier.pages} if earlier else set()
    due = [ref for ref in pages.refs if (ref.url, ref.digest) not in known]
    unchanged = {ref.url for ref in pages.refs} - {ref.url for ref in due}

    rows, rejected = [], []
    if earlier and unchanged:
        rows.append(_of_pages(earlier.frame, unchanged))
        rejected.append(_of_pages(earlier.rejected, unchanged))
    opened: dict[str, Path] = {}
    done = 0
    chunks = [due[i : i + CHUNK] for i in range(0, len(due), CHUNK)]
    for chunk, (kept, refused, files) in zip(chunks, spread(chunks), strict=True):
        rows.append(kept)
        rejected.append(refused)
        opened.update(files)
        done += len(chunk)
        report("pages read", done, len(due))
    order = {ref.url: number for number, ref in enumerate(pages.refs)}
    value = Rows(
        frame=_in_order(rows, order),
        rejected=_in_order(rejected, order),
        pages=[[ref.url, ref.digest] for ref in pages.refs],
    )
    if len(pages) and not len(value.frame) and len(value.rejected):
        reasons = value.rejected["_reason"].value_counts()
        raise SpineError(
            f"{engine.project.where(step.line)}: step `{step.name}` got no row from any of "
            f"{len(pages):,} pages. Most often: {reasons.index[0]} ({reasons.iloc[0]:,} times). "
            f"The pages are kept; mend the step and run: folio run {engine.project.name}"
        )
    return keep(engine, run, value, started, opened, reads=reads)


def _earlier(engine: Engine, run: Run, reads: str) -> Rows | None:
    """Return the newest outcome of the same code on other pages, whose rows can be used again."""
    for stored in engine.store.every(run.step.name, run.label):
        same_code = stored.manifest.get("reads") == reads
        if same_code and not engine.changed_files(stored.manifest.get("local", {})):
            return engine.store.rows(stored)
    return None


def _of_pages(frame: Any, urls: set[str]) -> Any:
    """Return the rows that came from the given pages."""
    return frame[frame["_url"].isin(urls)] if len(frame) else frame


def _in_order(frames: list[Any], order: dict[str, int]) -> Any:
    """Return the frames as one, in the order of the crawl's pages."""
    import pandas

    filled = [f for f in frames if len(f)]
    if not filled:
        return frames[0] if frames else pandas.DataFrame()
    joined = pandas.concat(filled, ignore_index=True)
    return joined.sort_values(
        "_url", key=lambda urls: urls.map(order), kind="stable", ignore_index=True
    )


def read_pages(engine: Engine, run: Run, refs: list[Ref]) -> Chunk:
    """Run a `page` step on some pages, in this process."""
    import pandas

    from scraping import rows
    from scraping.errors import ArchiveDamaged, ScrapingError

    found: list[Any] = []
    provenance: list[tuple[str, str, int]] = []
    rejected: list[dict[str, Any]] = []
    with lent(engine, run, _silent, fresh=False) as (module, opened):
        function = getattr(module, run.step.name)
        arguments = engine.arguments(run)
        pages = engine.load(Run(engine.project.steps[run.step.pages_from or ""]))
        for ref in refs:
            source = (ref.url, ref.fetched, ref.offset)
            try:
                made = _rows_of(function(page=pages.open(ref), **arguments))
            except ArchiveDamaged as error:
                raise failure(engine, run, error, where=ref.url) from error
            except (ScrapingError, ValueError) as error:
                reason = str(error) if isinstance(error, ScrapingError) else f"ValueError: {error}"
                columns = ("_url", "_fetched", "_offset", "_reason")
                rejected.append(dict(zip(columns, (*source, reason), strict=True)))
            except Exception as error:
                raise failure(engine, run, error, where=ref.url) from error
            else:
                found.extend(made)
                provenance.extend([source] * len(made))
    kept, unfit = rows.frame(found, provenance) if found else (pandas.DataFrame(),) * 2
    refused = [f for f in (unfit, pandas.DataFrame(rejected)) if len(f)]
    joined = pandas.concat(refused, ignore_index=True) if refused else pandas.DataFrame()
    return kept, joined, dict(opened)


def _rows_of(made: Any) -> list[Any]:
    """Return the rows of one page: yielded, returned as a list, as one row, or None."""
    if made is None:
        return []
    if isinstance(made, list | tuple) or hasattr(made, "__next__"):
        return list(made)
    return [made]


def _silent(label: str, done: int, total: int | None) -> None:
    """Report nothing: whoever spread the pages counts them."""
