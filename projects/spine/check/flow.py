"""Which rows an expression of project.py holds: a reading of its syntax tree that runs nothing.

Each value is followed from the step `table` through `split` into the later steps and the helpers
that they call. What a value is made of is told by labels: the whole table, a part of the split, or
a selection of the table that no split names. `spine.check.fitting` says what the functions that are
called make of their arguments.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from projects.spine.check.data import (
    FUNCTION,
    NOTHING,
    PARTS,
    SOME,
    SPLIT,
    UNSURE,
    WHOLE,
    Data,
    elements,
    flat,
    join,
    merged,
    scaled,
    sequence,
)
from projects.spine.project import Project, Step
from projects.spine.source import imports_of

NAMED = {
    "train": re.compile(r"(^|_)(train|training)(_|$)"),
    "validation": re.compile(r"(^|_)(validation|valid|val|dev)(_|$)"),
    "test": re.compile(r"(^|_)(test|held_out|unseen)(_|$)"),
}
WITHOUT_ROWS = frozenset((
    "shape", "size", "ndim", "columns", "dtype", "dtypes", "index", "name", "names",
    "best_epoch", "trainings",
))  # fmt: skip
MOST_CALLS = 4_000  # of helpers; what is not reached by then is left out
DEEPEST = 12  # helpers that call helpers


class Flow:
    """Follows a project's values, step by step; `called` is told of every call."""

    def __init__(self, project: Project, called: Callable[..., Data]) -> None:
        self.project = project
        self.called = called
        self.functions = {n.name: n for n in project.tree.body if isinstance(n, ast.FunctionDef)}
        self.imported = {
            bound: f"{what.module}.{what.name}" if what.name else what.module
            for bound, what in imports_of(project.tree, f"projects.{project.name}")
        }
        self.stack: list[str] = []  # the functions being followed
        self.calls = 0
        self.values: dict[str, Data] = {}
        self.module: dict[str, Data] = {}
        for name, nodes in project.code.defined.items():
            if isinstance(nodes[0], ast.Assign) and len(nodes) == 1:
                self.module[name] = self.expression(nodes[0].value, {})

    def steps(self) -> dict[str, Data]:
        """What each step gives."""
        for step in self.project.steps.values():
            given = {name: self._input(self.project.steps[name], step) for name in step.inputs}
            made = self.enter(step.name, given)
            if step.per_page or step.crawls or step.fetches or step.name == "table":
                made = Data(frozenset({WHOLE}), scaled=made.suspects())
            elif step.name == "split" and not any(key in PARTS for key, _ in made.inside):
                inside = tuple((k, replace(v, scaled=made.suspects())) for k, v in SPLIT.inside)
                made = replace(SPLIT, inside=inside)
            self.values[step.name] = made
        return self.values

    def _input(self, step: Step, asking: Step) -> Data:
        value = self.values.get(step.name, NOTHING)
        every_seed = step.per_seed and not asking.per_seed
        return Data(each=value, keyed=True) if every_seed else value

    def enter(self, name: str, given: Mapping[str, Data]) -> Data:
        """What a function of project.py returns for these arguments."""
        self.calls += 1
        if len(self.stack) >= DEEPEST or self.calls > MOST_CALLS or name in self.stack:
            return flat(*given.values())
        function = self.functions[name]
        self.stack.append(name)
        try:
            return self._body(function, {**_defaults(function, self), **given})
        finally:
            self.stack.pop()

    def _body(self, function: ast.FunctionDef, env: dict[str, Data]) -> Data:
        returned: list[Data] = []
        self.run(function.body, env, returned)
        return join(returned)

    # -- statements ------------------------------------------------------------------------

    def run(self, body: list[ast.stmt], env: dict[str, Data], returned: list[Data]) -> None:
        """Follow statements; `env` is what the names hold afterwards."""
        for node in body:
            self._statement(node, env, returned)

    def _statement(self, node: ast.stmt, env: dict[str, Data], returned: list[Data]) -> None:
        match node:
            case ast.Return(value=value) if value is not None:
                returned.append(self.expression(value, env))
            case ast.Expr(value=ast.Yield(value=value)) if value is not None:
                returned.append(Data(each=self.expression(value, env)))
            case ast.Expr(value=value):
                self.expression(value, env)
            case ast.Assign(targets=targets, value=value):
                made = self.expression(value, env)
                for target in targets:
                    self.bind(target, made, env)
            case ast.AnnAssign(target=target, value=value) if value is not None:
                self.bind(target, self.expression(value, env), env)
            case ast.AugAssign(target=target, op=op, value=value):
                before, more = self.expression(_loaded(target), env), self.expression(value, env)
                made = scaled(join([before, more]), before, [more], op, node.lineno)
                self.bind(target, made, env)
            case ast.For(target=target, iter=iterable, body=body, orelse=orelse):
                for element in elements(self.expression(iterable, env))[0]:
                    self.bind(target, element, env)
                    self.run([*body, *orelse], env, returned)
            case ast.If(test=test, body=body, orelse=orelse):
                self.expression(test, env)
                self._either([body, orelse], env, returned)
            case ast.While(body=body):
                self._either([body, []], env, returned)
            case ast.Match(subject=subject, cases=cases):
                self.expression(subject, env)
                self._either([*(case.body for case in cases), []], env, returned)
            case ast.Assert(test=test):
                self.expression(test, env)
            case ast.With(items=items, body=body):
                for item in items:
                    made = self.expression(item.context_expr, env)
                    if item.optional_vars:
                        self.bind(item.optional_vars, made, env)
                self.run(body, env, returned)
            case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
                self.run([*body, *orelse], env, returned)
                self._either([[], *(handler.body for handler in handlers)], env, returned)
                self.run(final, env, returned)
            case ast.FunctionDef(name=name):
                # Followed where it is written: what it is called with is not known.
                made = self._body(node, {**env, **_unknown(node.args)})
                env[name] = replace(made, made=FUNCTION)
            case _:
                pass

    def _either(
        self, bodies: list[list[ast.stmt]], env: dict[str, Data], returned: list[Data]
    ) -> None:
        ways = []
        for body in bodies:
            way = dict(env)
            self.run(body, way, returned)
            ways.append(way)
        for name in dict.fromkeys(name for way in ways for name in way):
            env[name] = join(way[name] for way in ways if name in way)

    def bind(self, target: ast.expr, value: Data, env: dict[str, Data]) -> None:
        """Let a name, several names or a place in a dict hold a value."""
        match target:
            case ast.Name(id=name):
                env[name] = _by_name(name, value)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                whole = value.each or _one_of(value)
                for place, each in enumerate(targets):
                    part = value.at(place) if not value.keyed else None
                    self.bind(each, part or whole, env)
            case ast.Starred(value=inner):
                self.bind(inner, flat(value), env)
            case ast.Subscript(value=ast.Name(id=name), slice=key):
                known = self.expression(key, env).constant
                before = env.get(name, NOTHING)
                if known is None:
                    env[name] = replace(before, each=join([before.each or value, value]))
                elif before.labels and known not in PARTS:  # a column of a table
                    env[name] = replace(before, scaled=before.scaled | value.suspects())
                else:
                    others = tuple(pair for pair in before.inside if pair[0] != known)
                    env[name] = replace(before, inside=(*others, (known, value)), keyed=True)
            case _:
                pass

    # -- expressions -----------------------------------------------------------------------

    def expression(self, node: ast.expr | None, env: dict[str, Data]) -> Data:
        """What an expression holds."""
        match node:
            case None:
                return NOTHING
            case ast.Constant(value=value):
                return Data(constant=value if isinstance(value, str | int) else None)
            case ast.Name(id=name):
                return env.get(name, self.module.get(name, NOTHING))
            case ast.NamedExpr(target=target, value=value):
                made = self.expression(value, env)
                self.bind(target, made, env)
                return made
            case ast.Attribute(value=value, attr=attr):
                return _attribute(self.expression(value, env), attr)
            case ast.Subscript(value=ast.Attribute(attr="r_" | "c_"), slice=key):
                return flat(self.expression(key, env))  # NumPy's way to put arrays together
            case ast.Subscript(value=value, slice=key):
                return self._taken(self.expression(value, env), key, env)
            case ast.Call():
                return self.called(self, node, env)
            case ast.Dict(keys=keys, values=values):
                return self._dict(keys, values, env)
            case ast.Tuple(elts=elts) | ast.List(elts=elts) | ast.Set(elts=elts):
                if any(isinstance(e, ast.Starred) for e in elts):
                    inner = [e.value if isinstance(e, ast.Starred) else e for e in elts]
                    return Data(each=flat(*(self.expression(e, env) for e in inner)))
                return sequence([self.expression(e, env) for e in elts])
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self.expression(left, env), self.expression(right, env)
                if isinstance(op, ast.BitOr) and (a.keyed or b.keyed):
                    return merged(a, b)
                return scaled(flat(a, b), a, [b], op, node.lineno)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                self.expression(test, env)
                return join([self.expression(body, env), self.expression(orelse, env)])
            case ast.Compare(left=left, comparators=others):
                for part in (left, *others):
                    self.expression(part, env)
                return NOTHING
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self._comprehension(node, env)
            case ast.Lambda(args=args, body=body):
                return self.expression(body, {**env, **_unknown(args)})
            case ast.JoinedStr():
                return NOTHING
            case _:
                children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
                return flat(*(self.expression(child, env) for child in children))

    def _dict(
        self, keys: list[ast.expr | None], values: list[ast.expr], env: dict[str, Data]
    ) -> Data:
        made = Data(keyed=True)
        for key, value in zip(keys, values, strict=True):
            held = self.expression(value, env)
            if key is None:
                made = merged(made, held)
                continue
            known = self.expression(key, env).constant
            if known is None:
                made = replace(made, each=join([made.each or held, held]))
            else:
                # A dict that is written out with a split's parts is a split: its author's rule.
                others = tuple(pair for pair in made.inside if pair[0] != known)
                made = replace(made, inside=(*others, (known, _by_name(str(known), held))))
        return made

    def _comprehension(self, node: Any, env: dict[str, Data]) -> Data:
        ways, whole = [dict(env)], True
        for part in node.generators:
            following = []
            for way in ways:
                found, exact = elements(self.expression(part.iter, way))
                whole = whole and exact
                for element in found:
                    inner = dict(way)
                    self.bind(part.target, element, inner)
                    for test in part.ifs:
                        self.expression(test, inner)
                    following.append(inner)
            ways = following
        if isinstance(node, ast.DictComp):
            pairs = [(self.expression(node.key, way), way) for way in ways]
            made = [
                (key.constant, _by_name(str(key.constant), self.expression(node.value, way)))
                for key, way in pairs
            ]
            if whole and all(key is not None for key, _ in made):
                return Data(inside=tuple(made), keyed=True)
            return Data(each=join(value for _, value in made), keyed=True)
        values = [self.expression(node.elt, way) for way in ways]
        return sequence(values) if whole else Data(each=join(values))

    def _taken(self, value: Data, key: ast.expr, env: dict[str, Data]) -> Data:
        """What stands at a key: a part of a split, a seed's value, columns or picked rows."""
        if isinstance(key, ast.Tuple) and key.elts:
            key = key.elts[0]  # rows come first
        place = self.expression(key, env)
        known = place.constant
        if known is not None:
            if (found := value.at(known)) is not None:
                return found
            if known in PARTS and value.rows():
                return Data(frozenset({str(known)}), scaled=value.suspects())
        if value.each:
            return value.each
        if value.inside:
            together = join(value.parts())
            return _one_of(together) if len(together.rows() & set(PARTS)) > 1 else together
        if isinstance(known, str) or _columns(key, place):
            return value
        picked = {SOME if label == WHOLE else label for label in value.labels}
        return replace(value, labels=frozenset(picked))


def _attribute(value: Data, attr: str) -> Data:
    if (found := value.at(attr)) is not None:
        return found
    if attr in PARTS and value.rows():
        return Data(frozenset({attr}), scaled=value.suspects())
    return NOTHING if attr in WITHOUT_ROWS else value


def _one_of(value: Data) -> Data:
    """One of the things that a value holds, nobody knows which."""
    parts = value.rows() & set(PARTS)
    return flat(value, Data(frozenset({UNSURE}))) if len(parts) > 1 else flat(value)


def _columns(key: ast.expr, place: Data) -> bool:
    """Tell whether a key names columns, rather than picking rows."""
    if isinstance(key, ast.Slice):
        return key.lower is None and key.upper is None
    if isinstance(key, ast.Name) and key.id.isupper():
        return True
    return bool(place.inside) and all(isinstance(p.constant, str) for p in place.parts())


def _by_name(name: str, value: Data) -> Data:
    """Believe a name that says which part picked rows are; they came from no named part."""
    if not value.inside and not value.each and value.labels & {SOME, UNSURE}:
        for part, pattern in NAMED.items():
            if pattern.search(name):
                return replace(value, labels=frozenset({part}))
    return value


def _defaults(function: ast.FunctionDef, flow: Flow) -> dict[str, Data]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = zip(positional[::-1], arguments.defaults[::-1], strict=False)
    named = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    return {a.arg: flow.expression(value, {}) for a, value in [*given, *named] if value}


def _unknown(arguments: ast.arguments) -> dict[str, Data]:
    return {part.arg: NOTHING for part in ast.walk(arguments) if isinstance(part, ast.arg)}


def _loaded(target: ast.expr) -> ast.expr:
    """The same place, read instead of written."""
    again = ast.parse(ast.unparse(target), mode="eval").body
    return ast.copy_location(again, target)
