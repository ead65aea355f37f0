"""What code a step depends on, read from the source without importing anything.

A step depends on its own syntax tree (comments, docstrings and formatting do not count), the
settings and helpers of project.py that it reaches, the modules of this repository that those
import (resolved name by name, so `from models import cnn` never reaches `gan.py`), and the
versions of the libraries imported on the way.
"""

from __future__ import annotations

import ast
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from projects.spine.cache import Cache

PACKAGES = ("scraping", "models", "projects", "blog")
HOUSE = Path(__file__).resolve().parents[2]  # where these packages are imported from


def strip(tree: ast.Module) -> ast.Module:
    """Return `tree` itself without what never runs: docstrings, imports for type checkers."""
    tree.body = [node for node in tree.body if not _for_type_checkers(node)]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        first = node.body[0] if node.body else None
        if (
            isinstance(first, ast.Expr)
            and isinstance(first.value, ast.Constant)
            and isinstance(first.value.value, str)
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _for_type_checkers(node: ast.stmt) -> bool:
    """Tell whether a statement is `if TYPE_CHECKING:` without an else."""
    if not isinstance(node, ast.If) or node.orelse:
        return False
    test = node.test
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def digest_tree(*nodes: ast.AST) -> str:
    """Return 16 hex digits that change with the meaning of the nodes, not with their layout."""
    text = "\n".join(ast.dump(node) for node in nodes)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Import:
    """One imported name: `module` (absolute, dotted), and `name` for `from module import name`."""

    module: str
    name: str | None = None


def imports_of(tree: ast.AST, package: str) -> Iterator[tuple[str, Import]]:
    """Yield (bound name, what it means) for each import anywhere below `tree`.

    `package` is the dotted package that relative imports start from.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.partition(".")[0]
                yield bound, Import(alias.name)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")
                parents = parts[: len(parts) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            for alias in node.names:
                yield alias.asname or alias.name, Import(base, alias.name)


class Repository:
    """The modules of one checkout, and what each of them reaches."""

    def __init__(self, root: Path, cache: Cache) -> None:
        self.root = root
        self.cache = cache
        # Every step asks for the same modules again: each is looked up once.
        self._located: dict[str, Path | None] = {}
        self._summaries: dict[Path, tuple[str, list[tuple[str, Import]]]] = {}
        self._reached: dict[Import, frozenset[str]] = {}

    def locate(self, module: str) -> Path | None:
        """Return the file of a dotted module of this repository, or None if it is elsewhere."""
        if module not in self._located:
            self._located[module] = self._locate(module)
        return self._located[module]

    def _locate(self, module: str) -> Path | None:
        if module.partition(".")[0] not in PACKAGES:
            return None
        for root in dict.fromkeys((self.root, HOUSE)):
            base = root.joinpath(*module.split("."))
            for path in (base.with_suffix(".py"), base / "__init__.py"):
                if path.is_file():
                    return path
        return None

    def label(self, path: Path) -> str:
        """Return the path as users know it: from the repository's root, with forward slashes."""
        return path.relative_to(self._home(path)).as_posix()

    def _home(self, path: Path) -> Path:
        return self.root if path.is_relative_to(self.root) else HOUSE

    def summary(self, path: Path) -> tuple[str, list[tuple[str, Import]]]:
        """Return (digest, imports) of a module, from the cache while its file is the same."""
        if path not in self._summaries:
            self._summaries[path] = self._summary(path)
        return self._summaries[path]

    def _summary(self, path: Path) -> tuple[str, list[tuple[str, Import]]]:
        found = self.cache.of_file("module", path)
        if found is None:
            tree = strip(ast.parse(path.read_bytes(), filename=str(path)))
            package = ".".join(path.relative_to(self._home(path)).parts[:-1])
            imports = [[bound, i.module, i.name] for bound, i in imports_of(tree, package)]
            found = self.cache.keep("module", path, [digest_tree(tree), imports])
        return found[0], [(bound, Import(module, name)) for bound, module, name in found[1]]

    def reached(self, imported: Import) -> frozenset[str]:
        """Return the "module …" and "library …" parts that one imported name reaches."""
        if imported not in self._reached:
            self._reached[imported] = frozenset(self._follow(imported, set()))
        return self._reached[imported]

    def _follow(self, imported: Import, seen: set[Path]) -> set[str]:
        if imported.name and (path := self.locate(f"{imported.module}.{imported.name}")):
            return self._walk(path, seen)
        path = self.locate(imported.module)
        if path is None:
            top = imported.module.partition(".")[0]
            outside = top not in sys.stdlib_module_names and top not in PACKAGES
            return {f"library {top}"} if outside else set()
        if imported.name and path.name == "__init__.py":
            # A package that only passes the name on counts as what stands behind the name.
            behind = [what for bound, what in self.summary(path)[1] if bound == imported.name]
            if behind:
                return {p for what in behind if what != imported for p in self._follow(what, seen)}
        return self._walk(path, seen)

    def _walk(self, path: Path, seen: set[Path]) -> set[str]:
        """Return a whole module's parts: itself and all it imports; `seen` ends import cycles."""
        if path in seen:
            return set()
        seen.add(path)
        parts = {f"module {self.label(path)}"}
        for _, imported in self.summary(path)[1]:
            parts |= self._follow(imported, seen)
        return parts

    def digest(self, label: str) -> str:
        """Return the digest of a module named by its label."""
        here = self.root / label
        return self.summary(here if here.is_file() else HOUSE / label)[0]


@dataclass
class Names:
    """What one project.py defines at module level, each name with its statements."""

    defined: dict[str, list[ast.stmt]] = field(default_factory=dict)
    imported: dict[str, list[Import]] = field(default_factory=dict)
    loose: list[ast.stmt] = field(default_factory=list)

    @classmethod
    def of(cls, tree: ast.Module, package: str) -> Names:
        """Sort a module's statements into definitions, imports and loose statements."""
        names = cls()
        for node in tree.body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                for bound, imported in imports_of(node, package):
                    if imported != Import("__future__", bound):
                        names.imported.setdefault(bound, []).append(imported)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.defined.setdefault(node.name, []).append(node)
            elif bound_names := list(_assigned(node)):
                for bound in bound_names:
                    names.defined.setdefault(bound, []).append(node)
            elif not isinstance(node, ast.Pass):
                names.loose.append(node)
        return names


def _assigned(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a plain assignment at module level binds."""
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AnnAssign | ast.AugAssign):
        targets = [node.target]
    for target in targets:
        for part in ast.walk(target):
            if isinstance(part, ast.Name):
                yield part.id


def names_used(node: ast.stmt) -> set[str]:
    """Return the module-level names that a statement reaches; a function's own do not count."""
    used: set[str] = set()
    _collect(node, frozenset(), used)
    return used


def _collect(node: ast.AST, bound: frozenset[str], used: set[str]) -> None:
    """Add to `used` the names that `node` loads and that no scope around it binds."""
    if isinstance(node, ast.Name):
        if isinstance(node.ctx, ast.Load) and node.id not in bound:
            used.add(node.id)
        return
    inside: list[ast.AST] = []
    names: set[str] = set()
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        inside.extend(node.body)
        names = _parameters(node.args) | _bound_in(node.body)
    elif isinstance(node, ast.Lambda):
        inside.append(node.body)
        names = _parameters(node.args)
    elif isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        # Only the first iterable is evaluated outside of the comprehension's own scope.
        outside = node.generators[0].iter
        targets = [part for g in node.generators for part in ast.walk(g.target)]
        names = {part.id for part in targets if isinstance(part, ast.Name)}
        _collect(outside, bound, used)
        inner = bound | names
        for part in _parts(node):
            if part is not outside:
                _collect(part, inner, used)
        return
    for child in ast.iter_child_nodes(node):
        if child not in inside:
            _collect(child, bound, used)
    for child in inside:
        _collect(child, bound | names, used)


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a comprehension's expressions: what it makes, its iterables, targets and conditions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.comprehension):
            yield from ast.iter_child_nodes(child)
        else:
            yield child


def _parameters(arguments: ast.arguments) -> set[str]:
    return {part.arg for part in ast.walk(arguments) if isinstance(part, ast.arg)}


def _bound_in(body: list[ast.stmt]) -> set[str]:
    """Return the names that a function's own statements bind, those it calls global left out."""
    found: set[str] = set()
    outer: set[str] = set()
    pending: list[ast.AST] = list(body)
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Global):
            outer.update(node.names)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
            continue  # what is bound in there stays in there
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(
            node, ast.Lambda | ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp
        ):
            continue
        pending.extend(ast.iter_child_nodes(node))
    return found - outer
