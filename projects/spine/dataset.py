"""A project's data as others may use it: the facts for its data card, and the table itself."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING, Any

from projects.spine.engine import Engine, Run
from projects.spine.errors import BadUsage
from projects.spine.owner import owner
from projects.spine.project import Project, Step

if TYPE_CHECKING:
    from scraping.tables.card import About

ANSWERS = "datasheet.md"  # in the project's folder: what only its author can tell


def about(engine: Engine, *, dated: bool = True) -> About:
    """Return all that a project's data card is made from; `dated`: also who made it, and when.

    Raises:
        BadUsage: The project has no step that ends in a table.
        MissingValue: Its value is not on this disk.
    """
    from scraping.tables import card
    from scraping.tables.overview import summary
    from scraping.tables.personal import found

    project = engine.project
    last = _table_step(project)
    table = engine.load(Run(last))
    if type(table).__name__ != "DataFrame":
        raise BadUsage(
            f"{project.where(last.line)}: step `{last.name}` of `{project.name}` gives no table "
            "(DataFrame), so there is no data set to describe."
        )
    behind = [step for name, step in project.steps.items() if name in engine.behind([last.name])]
    rows_step = next((step for step in behind if step.per_page), None)
    rejected, roles = _rejected_and_roles(engine, rows_step, table)
    crawled = next((step for step in behind if step.crawls), None)
    whose = owner(engine.variant.root)
    file = project.folder / ANSWERS
    label = file.relative_to(engine.variant.root).as_posix()
    return card.About(
        name=project.name,
        title=project.question,
        creator=whose.author or "an author who is not named yet (site_author in mkdocs.yml)",
        contact=whose.contact or "none yet (extra.contact in mkdocs.yml)",
        command=f"folio run {project.name}",
        rows_are=_row_class(project, rows_step),
        steps=[(step.name, step.doc) for step in behind if not step.crawls],
        table=table,
        summary=summary(table, rejected),
        findings=found(table),
        origin=card.origin(engine.load(Run(crawled))) if crawled else None,
        files=_files(engine, behind, dated=dated),
        dated=dated,
        roles=roles,
        answers=card.answers(file.read_text("utf-8"), label) if file.is_file() else {},
        answers_file=label,
    )


def _table_step(project: Project) -> Step:
    """Return the step that ends scraping."""
    if "table" in project.steps:
        return project.steps["table"]
    if rows := [step for step in project.steps.values() if step.per_page]:
        return rows[-1]
    raise BadUsage(
        f"`{project.name}` has no step `table` and none that asks for `page`, so there is no data "
        "set to describe. Name the step that ends scraping `table`."
    )


def _rejected_and_roles(engine: Engine, step: Step | None, table: Any) -> tuple[Any, dict]:
    """Return the rejected rows of a `page` step, and which columns tell the rows' rights."""
    from scraping.tables.rows import read, rights
    from scraping.tables.schema import roles_by_name

    if step is None:
        return None, roles_by_name(map(str, table.columns))

    stored = engine.stored(Run(step))
    node = stored.manifest["node"]
    roles = rights(stored.folder / node["file"])
    kept = {role: column for role, column in roles.items() if column in table.columns}
    return read(stored.folder / node["rejected"]), kept


def _files(engine: Engine, behind: list[Step], *, dated: bool) -> list[str]:
    """Return what files the steps read: those added by hand, and those downloaded."""
    from scraping.tables.card import downloads

    lines = []
    if any(step.fetches and not step.crawls for step in behind):
        lines += [f"downloaded: {line}" for line in downloads(engine.work / "archive", dated=dated)]
    local: dict[str, str] = {}
    for step in behind:
        if not step.per_seed:
            local |= engine.stored(Run(step)).manifest.get("local", {})
    return lines + [f"added by hand: {name}, sha256:{digest}" for name, digest in local.items()]


def _row_class(project: Project, step: Step | None) -> str:
    """Return what the class of the rows says of itself."""
    used = project.closure(step.name)[0] if step else set()
    for node in project.tree.body:
        if isinstance(node, ast.ClassDef) and node.name in used and project.docs[node.name]:
            return project.docs[node.name]
    return ""


def croissant(facts: About, parquet: Path, root: Path) -> str:
    """Return the Croissant description of a data set whose table lies at `parquet`."""
    from scraping.tables import croissant as format_of

    url = (owner(root).url or "https://example.org/").rstrip("/") + f"/posts/{facts.name}/"
    published = facts.origin.last[:10] if facts.origin else ""
    return format_of.text(format_of.describe(facts, parquet, url=url, published=published))


def tfds(facts: About, folder: Path, **options: Any) -> Path:
    """Write the table as a TensorFlow data set into `folder` and return where it lies."""
    from scraping.tables import export
    from scraping.tables.card import licences_of

    licences = licences_of(facts.table, facts.roles) or {}
    return export.tfds(
        facts.table,
        folder,
        facts.name,
        description=f"{facts.title}\n\n{facts.rows_are}".strip(),
        licence=", ".join(licences),
        **options,
    )
