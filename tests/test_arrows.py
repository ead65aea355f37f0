"""Imports follow the arrows: scraping and models flow into projects, projects into blog."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("scraping", "models", "projects", "blog")
MODULES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
LESSON = {"scraping", "models", "blog.figures", "pandas", "numpy", "keras"}
UNSAFE = {"pickle", "cPickle", "cloudpickle", "dill", "marshal", "shelve"}


def name_of(path: Path) -> str:
    """The file as a test's name shows it."""
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported(path: Path, node: ast.AST) -> Iterator[str]:
    """Absolute dotted names that an import statement may load."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            package = path.relative_to(ROOT).parent.parts
            base = package[: len(package) - node.level + 1]
            module = ".".join([*base, *filter(None, [module])])
        yield from (f"{module}.{alias.name}" for alias in node.names)


def imports(path: Path, *, top_only: bool = False) -> set[str]:
    """Every absolute name that the file imports, anywhere or at module level only."""
    module = tree(path)
    nodes = module.body if top_only else ast.walk(module)
    return {name for node in nodes for name in imported(path, node)}


def within(name: str, allowed: set[str]) -> bool:
    """Whether the dotted name is one of the allowed, or lies under one."""
    return any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed)


@pytest.mark.parametrize("package", ["scraping", "models", "blog"])
def test_the_three_packages_import_none_of_each_other_nor_projects(package: str):
    others = set(PACKAGES) - {package}
    for path in (ROOT / package).rglob("*.py"):
        wrong = sorted(name for name in imports(path) if within(name, others))
        assert not wrong, f"{name_of(path)} imports {wrong}"


@pytest.mark.parametrize(
    "name", ["__init__.py", "__main__.py", "spine/__init__.py", "spine/machine.py"]
)
def test_what_runs_before_there_is_an_environment_imports_the_standard_library_only(name: str):
    path = ROOT / "projects" / name
    for imported_name in imports(path, top_only=True):
        top = imported_name.partition(".")[0]
        known = within(imported_name, {"projects.spine.machine"})  # is held to the same below
        assert top in sys.stdlib_module_names or known, f"{name_of(path)} imports {imported_name}"


def test_a_project_reads_like_a_lesson_and_imports_no_more_than_it_needs():
    for path in (ROOT / "projects").rglob("project.py"):
        if path.parent.name == "spine":
            continue  # the spine's own reader of such files
        own = ".".join(path.relative_to(ROOT).parent.parts)
        for name in imports(path):
            fine = within(name, LESSON | {own}) or name.partition(".")[0] in sys.stdlib_module_names
            assert fine, f"{name_of(path)} imports {name}; allowed: {sorted(LESSON)}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_imports_a_star_or_reads_a_pickle(path: Path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom):
            assert all(alias.name != "*" for alias in node.names), f"line {node.lineno}: star"
        for name in imported(path, node):
            assert name.partition(".")[0] not in UNSAFE, f"{name_of(path)} imports {name}"
            assert not within(name, {"joblib.load", "joblib.dump"}), name
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            call = f"{node.value.id}.{node.attr}"
            assert call not in {"joblib.load", "joblib.dump"}, f"{call} at line {node.lineno}"
            assert not node.attr.endswith("_pickle"), f"{call} at line {node.lineno}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            off = isinstance(node.value, ast.Constant) and node.value.value is False
            assert off, f"allow_pickle at line {node.value.lineno}"
