"""One project's folder, read without importing it: its steps, settings and question.

A public function of project.py is a step; its parameters name earlier steps, or are the two words
that fan out: `page` (once for each kept page) and `seed` (once a seed).
"""

from __future__ import annotations

import ast
import difflib
import importlib.machinery
import importlib.util
import json
import keyword
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from projects.spine.errors import BadUsage
from projects.spine.source import (
    Import,
    Names,
    digest_tree,
    imports_of,
    names_used,
    strip,
)

KINDS_OF_SETTING = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "text",
    list: "a list",
    tuple: "a tuple",
    dict: "a dict",
}
NAME = re.compile("[a-z][a-z0-9_]{0,39}")
CRAWLS = frozenset({"crawl", "archived"})  # functions of scraping that give the pages …
FETCHES = CRAWLS | {"download"}  # … and that may ask the network
RESERVED = frozenset({"spine", "blank", "tests", "results"})
# No folder can have these names on Windows.
DEVICES = re.compile("con|prn|aux|nul|com[0-9]|lpt[0-9]")


@dataclass(frozen=True)
class Step:
    """A public function of project.py."""

    name: str
    inputs: tuple[str, ...]  # the earlier steps it asks for, in its own order
    doc: str
    line: int
    per_seed: bool = False
    per_page: bool = False
    crawls: bool = False  # gives the pages
    fetches: bool = False  # may ask the network: crawls, or downloads a file
    pages_from: str | None = None  # the crawl step behind `page`

    @property
    def all_inputs(self) -> tuple[str, ...]:
        """Every step whose value this one needs, the crawl behind `page` included."""
        return (self.pages_from, *self.inputs) if self.pages_from else self.inputs


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return " Did you mean `x`?" for the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f" Did you mean `{near[0]}`?" if near else ""


def check_name(name: str) -> None:
    """Raise BadUsage where a name cannot be a project's: a folder, a module and an address."""
    if not NAME.fullmatch(name):
        raise BadUsage(
            f"{name!r} cannot be a project's name: it becomes a Python module and a web address, "
            "so it takes lower-case letters, digits and _, begins with a letter, and has at most "
            "40 characters. Try for example `birds` or `old_maps`."
        )
    if keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise BadUsage(f"`{name}` is a word of Python itself; try `{name}_project`.")
    if name in sys.stdlib_module_names:
        raise BadUsage(f"`{name}` is a module of Python's standard library; try `{name}_project`.")
    if DEVICES.fullmatch(name):
        raise BadUsage(f"`{name}` is no name for a folder on Windows; try `{name}_project`.")
    if name in RESERVED:
        raise BadUsage(f"`{name}` is a name Folio keeps for itself; try `{name}_project`.")


def names(root: Path) -> list[str]:
    """Return the names of the projects under `root`, sorted."""
    found = [path.parent.name for path in (root / "projects").glob("*/project.py")]
    return sorted(name for name in found if NAME.fullmatch(name) and name not in RESERVED)


class Project:
    """A project's folder: what its project.py says, and how to load it."""

    def __init__(self, root: Path, name: str) -> None:
        self.root = root
        self.name = name
        self.folder = root / "projects" / name
        self.file = self.folder / "project.py"
        self.module = f"projects.{name}.project"
        if not self.file.is_file():
            known = names(root)
            listed = ", ".join(f"`{n}`" for n in known) or "none yet"
            raise BadUsage(
                f"There is no project `{name}` (no {self._label(self.file)})."
                f"{did_you_mean(name, known)} Projects here: {listed}. "
                f"To begin one: folio new {name}"
            )
        # Read once: what is run is what was looked at, even if the file is edited meanwhile.
        self.source = self.file.read_bytes()
        try:
            self.tree = ast.parse(self.source, filename=str(self.file))
        except SyntaxError as error:
            raise BadUsage(
                f"{self._label(self.file)}:{error.lineno}: Python cannot read this line: "
                f"{error.msg}."
            ) from None
        self.question = (ast.get_docstring(self.tree) or "").strip().partition("\n")[0]
        # First lines of what functions and classes say of themselves, before that is left out.
        self.docs = {
            node.name: (ast.get_docstring(node) or "").strip().partition("\n")[0]
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        strip(self.tree)
        self.code = Names.of(self.tree, f"projects.{name}")
        self._reaches: dict[ast.stmt, tuple[set[str], set[Import]]] = {}
        self.settings = self._settings()
        self.steps = self._steps(self.docs)

    def _label(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def where(self, line: int) -> str:
        """Return projects/<name>/project.py:<line>."""
        return f"{self._label(self.file)}:{line}"

    # -- reading ---------------------------------------------------------------------------

    def _settings(self) -> dict[str, Any]:
        """Return the capital names that project.py sets, once, to values that JSON can hold."""
        found: dict[str, Any] = {}
        for name, nodes in self.code.defined.items():
            node = nodes[0]
            if not name.isupper() or len(nodes) > 1:
                continue
            if isinstance(node, ast.Assign | ast.AnnAssign) and _assigned_once(node) == [name]:
                try:
                    value = ast.literal_eval(node.value or ast.Constant(...))
                    json.dumps(value, allow_nan=False)
                except (ValueError, TypeError):
                    continue  # computed, or a set: part of the code, nothing that --set can try
                found[name] = value
        return found

    def _steps(self, docs: Mapping[str, str]) -> dict[str, Step]:
        functions = [n for n in self.tree.body if isinstance(n, ast.FunctionDef)]
        public = [f for f in functions if not f.name.startswith("_")]
        for node in self.tree.body:
            if isinstance(node, ast.AsyncFunctionDef):
                raise BadUsage(f"{self.where(node.lineno)}: step `{node.name}` must not be async.")
        order = [f.name for f in public]
        if repeated := next((n for n in order if order.count(n) > 1), None):
            line = [f.lineno for f in public if f.name == repeated][-1]
            raise BadUsage(f"{self.where(line)}: there are two steps named `{repeated}`.")
        calls = {f.name: self._scraping_calls(f) for f in public}
        return {f.name: self._step(f, order, calls, docs[f.name]) for f in public}

    def _scraping_calls(self, function: ast.FunctionDef) -> set[str]:
        """Return which of scraping's FETCHES a step calls, itself or through its helpers."""
        reached = self.closure(function.name)[0]
        helpers = [name for name in reached if name == function.name or name.startswith("_")]
        nodes = [node for name in helpers for node in self.code.defined[name]]
        imports = [(bound, item) for bound, items in self.code.imported.items() for item in items]
        for node in nodes:
            imports += imports_of(node, f"projects.{self.name}")
        bound_to = {
            bound: item.name
            for bound, item in imports
            if item.module.split(".")[0] == "scraping" and item.name in FETCHES
        }
        modules = {b for b, item in imports if item.module == "scraping" and item.name is None}
        called = set()
        for node in (part for whole in nodes for part in ast.walk(whole)):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name in bound_to:
                    called.add(bound_to[name])
                case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if (
                    module in modules and name in FETCHES
                ):
                    called.add(name)
        return called

    def _step(
        self, function: ast.FunctionDef, order: list[str], calls: dict[str, set[str]], doc: str
    ) -> Step:
        name, arguments, line = function.name, function.args, function.lineno
        where = self.where(line)
        if arguments.vararg or arguments.kwarg:
            raise BadUsage(
                f"{where}: step `{name}` takes *args or **kwargs; name the steps it needs instead."
            )
        if name in ("page", "seed"):
            raise BadUsage(
                f"{where}: a step cannot be named `{name}`: as a parameter that word means once "
                f"for each {name}. Call it `{name}s`, for example."
            )
        if arguments.posonlyargs:
            raise BadUsage(
                f"{where}: step `{name}` has parameters before a `/`; they are given by name, so "
                "leave the `/` out."
            )
        positional = arguments.args
        defaults = {a.arg for a in positional[len(positional) - len(arguments.defaults) :]}
        defaults |= {
            a.arg
            for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            if d is not None
        }
        asked = [a.arg for a in [*positional, *arguments.kwonlyargs]]
        earlier = order[: order.index(name)]
        inputs: list[str] = []
        for parameter in asked:
            if parameter in ("page", "seed"):
                continue
            if parameter in earlier:
                inputs.append(parameter)
            elif parameter not in defaults:
                raise BadUsage(self._unknown(name, parameter, where, order, earlier))
        pages_from = None
        if "page" in asked:
            crawling = [step for step in order if calls[step] & CRAWLS]
            pages_from = self._crawl_behind(name, where, crawling, earlier)
            if "seed" in asked:
                raise BadUsage(
                    f"{where}: step `{name}` asks for `page` and `seed`. Reading pages is the same "
                    "for every seed: make the rows in one step and use the seed in a later one."
                )
        if "seed" in asked and "SEEDS" not in self.code.defined:
            raise BadUsage(
                f"{where}: step `{name}` asks for `seed`, but project.py does not say how many. "
                "Add a setting such as `SEEDS = 3` near its top."
            )
        return Step(
            name=name,
            inputs=tuple(inputs),
            doc=doc,
            line=line,
            per_seed="seed" in asked,
            per_page="page" in asked,
            crawls=bool(calls[name] & CRAWLS),
            fetches=bool(calls[name]),
            pages_from=pages_from,
        )

    @staticmethod
    def _unknown(
        name: str, parameter: str, where: str, order: list[str], earlier: list[str]
    ) -> str:
        if parameter == name:
            return f"{where}: step `{name}` asks for itself. Give its input another name."
        if parameter in order:
            return (
                f"{where}: step `{name}` asks for `{parameter}`, which comes after it. "
                f"project.py reads from top to bottom: move `{parameter}` above `{name}`."
            )
        hint = did_you_mean(parameter, [*earlier, "page", "seed"])
        listed = ", ".join(f"`{n}`" for n in earlier) or "none"
        return (
            f"{where}: step `{name}` asks for `{parameter}`.{hint} A parameter names an earlier "
            f"step (here: {listed}), or is `page` (the step runs once for each kept page) or "
            "`seed` (once a seed; a later step without `seed` gets all seeds' values, keyed by "
            "seed). A helper's name begins with _."
        )

    @staticmethod
    def _crawl_behind(name: str, where: str, crawling: list[str], earlier: list[str]) -> str:
        if len(crawling) == 1 and crawling[0] in earlier:
            return crawling[0]
        if len(crawling) > 1:
            listed = " and ".join(f"`{n}`" for n in crawling)
            raise BadUsage(
                f"{where}: step `{name}` asks for `page`, but {listed} both crawl. One step of a "
                "project crawls, so that `page` is clear: start it from several addresses, or make "
                "two projects."
            )
        raise BadUsage(
            f"{where}: step `{name}` asks for `page`, but no earlier step calls crawl() or "
            "archived(). Write one above it: def pages(): return crawl(START, follow=…, keep=…)"
        )

    # -- seeds and settings ----------------------------------------------------------------

    def with_settings(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings with `overrides` laid over them; BadUsage where one does not fit."""
        for key, value in overrides.items():
            if key not in self.settings:
                known = ", ".join(f"{k}={v!r}" for k, v in self.settings.items()) or "none"
                raise BadUsage(
                    f"--set {key}: projects/{self.name}/project.py has no such setting."
                    f"{did_you_mean(key, self.settings)} Its settings: {known}."
                )
            present = self.settings[key]
            number = isinstance(present, float) and type(value) is int
            # SEEDS has two forms, and `seeds` says which values are none.
            other = type(value) is not type(present) and not number and key != "SEEDS"
            if present is not None and other:
                raise BadUsage(
                    f"--set {key}={value!r}: {key} is {present!r} in project.py, so it takes "
                    f"{KINDS_OF_SETTING.get(type(present), 'the same kind of value')}, "
                    f"not {KINDS_OF_SETTING.get(type(value), 'this one')}."
                )
        return {**self.settings, **overrides}

    def seeds(self, settings: Mapping[str, Any]) -> list[int]:
        """Return the seeds: 0 … SEEDS-1, or the list that SEEDS is; none without SEEDS."""
        if "SEEDS" not in self.code.defined:
            return []
        value = settings.get("SEEDS", "computed")
        listed = list(value) if isinstance(value, list | tuple) else None
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            listed = list(range(value))
        whole = listed and all(type(s) is int and 0 <= s < 2**32 for s in listed)
        if not listed or not whole or len(set(listed)) < len(listed):
            line = self.code.defined["SEEDS"][-1].lineno
            raise BadUsage(
                f"{self.where(line)}: SEEDS is {value!r}; it takes how many seeds (SEEDS = 5) or "
                "different whole numbers from 0 up (SEEDS = [11, 12, 13]), written out."
            )
        return listed

    # -- what a step's code depends on -----------------------------------------------------

    def closure(self, step: str) -> tuple[set[str], set[Import]]:
        """Return the (definitions, imports) that a step's code reaches in project.py."""
        defined = {step}
        imported = set(self.code.imported.get("*", ()))  # any name may be from there
        pending: list[ast.stmt] = [*self.code.defined[step], *self.code.loose]
        while pending:
            statement = pending.pop()
            names_in, imports_in = self._reach(statement)
            imported.update(imports_in)
            for used in names_in:
                imported.update(self.code.imported.get(used, ()))
                if used in self.code.defined and used not in defined:
                    defined.add(used)
                    pending.extend(self.code.defined[used])
        return defined, imported

    def _reach(self, statement: ast.stmt) -> tuple[set[str], set[Import]]:
        """Return the (names, imports) in one statement: walked once, asked for by every step."""
        if statement not in self._reaches:
            imports = {what for _, what in imports_of(statement, f"projects.{self.name}")}
            self._reaches[statement] = names_used(statement), imports
        return self._reaches[statement]

    def parts_here(self, step: str, overrides: Mapping[str, Any]) -> dict[str, str]:
        """Return the parts of a step's code in project.py: {"setting EPOCHS": "20", …}."""
        parts: dict[str, str] = {}
        for name in self.closure(step)[0]:
            nodes = self.code.defined[name]
            if name == step:
                parts["code"] = digest_tree(*nodes)
            elif name in self.steps:
                raise BadUsage(
                    f"{self.where(self.steps[step].line)}: step `{step}` uses the step `{name}` "
                    f"in its body. Ask for it as a parameter: def {step}({name}, …)"
                )
            elif name in self.settings:
                parts[f"setting {name}"] = repr(overrides.get(name, self.settings[name]))
            else:
                parts[f"helper {name}"] = digest_tree(*nodes)
        if self.code.loose:
            parts["module-level statements"] = digest_tree(*self.code.loose)
        return parts

    # -- loading ---------------------------------------------------------------------------

    def load(self, overrides: Mapping[str, Any] | None = None) -> ModuleType:
        """Run project.py as the module `projects.<name>.project` and return it.

        Overridden settings are replaced in the source, so that what follows from them does too.
        """
        tree = ast.parse(self.source, filename=str(self.file))
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign):
                for name in _assigned_once(node):
                    if overrides and name in overrides:
                        node.value = ast.copy_location(
                            ast.parse(repr(overrides[name]), mode="eval").body, node
                        )
        ast.fix_missing_locations(tree)
        # `from .helpers import x` works in any checkout, also one that is not on sys.path.
        package = importlib.machinery.ModuleSpec(f"projects.{self.name}", None, is_package=True)
        package.submodule_search_locations = [str(self.folder)]
        for stale in [m for m in sys.modules if m.startswith(f"projects.{self.name}.")]:
            del sys.modules[stale]
        sys.modules[f"projects.{self.name}"] = importlib.util.module_from_spec(package)
        module = ModuleType(self.module)
        module.__file__ = str(self.file)
        module.__package__ = f"projects.{self.name}"
        sys.modules[self.module] = module
        # Bytecode is told apart by second and size: a helper module edited twice within a second
        # would run as it was before. Without a file of it, the source is read.
        before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        try:
            exec(compile(tree, str(self.file), "exec"), module.__dict__)
        finally:
            sys.dont_write_bytecode = before
        return module


def _assigned_once(node: ast.Assign | ast.AnnAssign) -> list[str]:
    """Return the name that `X = …` or `X: int = …` binds, as a list of one or none."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [t.id for t in targets if isinstance(t, ast.Name)] if len(targets) == 1 else []
