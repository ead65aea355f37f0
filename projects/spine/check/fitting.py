"""Where project.py fits something to rows: preprocessing on test rows is named with its line.

A scaler, a vocabulary or a list of categories that has seen the rows held back carries them into
the training. Every call that fits and stands behind the scores is looked at; what measures or draws
is no fitting.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from projects.spine.check import data as flow
from projects.spine.check.data import FUNCTION, NOTHING, SOME, SPLIT, UNSURE, WHOLE, Data
from projects.spine.check.flow import Flow
from projects.spine.project import Project

# What learns how rows are to be prepared, and so from training rows alone.
PREPARES = frozenset(
    {"models.tabular.columns", "models.tokens.vocabulary", "models.samples.principal"}
)
PREPARING = (
    "Scaler", "Encoder", "Imputer", "Transformer", "Vectorizer", "Normalizer", "Normalization",
    "Binarizer", "Discretizer", "Discretization", "PCA", "SVD", "NMF", "FastICA", "SelectKBest",
    "SelectPercentile", "Lookup", "TextVectorization",
)  # fmt: skip
# The same in one call, by the last name of a function of pandas, SciPy or scikit-learn.
AT_ONCE = frozenset((
    "get_dummies", "qcut", "zscore", "scale", "minmax_scale", "maxabs_scale", "robust_scale",
    "quantile_transform", "power_transform",
))  # fmt: skip
# Trainings: the network comes first and holds no rows.
TRAINS = frozenset((
    "models.training.fit", "models.descent.fit", "models.autoencoder.fit", "models.gan.fit",
    "models.autoencoder.training.fit",
))  # fmt: skip
BASELINES = "models.baselines."
METHODS = frozenset({"fit", "fit_transform", "fit_predict", "partial_fit", "adapt"})
APPLIES = frozenset((
    "transform", "predict", "predict_proba", "decision_function", "score_samples",
))  # fmt: skip
STATISTICS = frozenset((
    "mean", "std", "var", "min", "max", "median", "quantile", "nanmean", "nanstd", "ptp",
))  # fmt: skip
TAKES_STATISTIC = frozenset((
    "fillna", "map", "clip", "sub", "div", "subtract", "divide", "replace",
))  # fmt: skip
WITHOUT_ROWS = frozenset((
    "len", "range", "int", "float", "str", "bool", "print", "isinstance", "set", "frozenset",
    "round", "abs", "type",
))  # fmt: skip
LABELS_ONLY = frozenset({"unique", "nunique", "keys", "groups"})
SAME = frozenset({"dict", "list", "tuple", "sorted", "reversed", "iter"})
PICKS = frozenset({"sample", "head", "tail", "query", "nlargest", "nsmallest", "loc", "iloc"})
IN_WORDS = {
    "test": "test rows",
    "validation": "validation rows",
    WHOLE: "the whole table, before the split",
}


@dataclass(frozen=True)
class Fit:
    """One place where something is fitted."""

    line: int
    call: str  # as it is written
    function: str  # of project.py, in which it stands
    rows: frozenset[str]
    wrong: str = ""  # the rows that it must not see, if any
    scales: bool = False  # by hand: shifted or divided by a mean or a deviation

    @property
    def unsure(self) -> bool:
        """Whether the syntax tree does not tell which rows these are."""
        return not self.wrong and bool(self.rows & {SOME, UNSURE})

    def told(self, *, line: bool = True) -> str:
        """One sentence: what is fitted, where, to what."""
        where = f"line {self.line}: " if line else ""
        if self.scales:
            return (
                f"{where}`{self.function}` scales by {self.call} of "
                f"{IN_WORDS.get(self.wrong, 'training rows')}"
            )
        return (
            f"{where}`{self.call}` in `{self.function}` is fitted to "
            f"{IN_WORDS.get(self.wrong, 'training rows')}"
        )


@dataclass
class Fits:
    """Every fit behind a project's scores, and what each of its steps gives."""

    found: dict[tuple[Any, ...], Fit] = field(default_factory=dict)
    values: dict[str, Data] = field(default_factory=dict)
    counted: frozenset[str] = frozenset()  # the steps that something scored depends on
    units: list[tuple[Any, Any]] = field(default_factory=list)  # by= and time= of split_rows
    imported: dict[str, str] = field(default_factory=dict)  # bound name → full dotted name
    guards: set[str] = field(default_factory=set)  # what takes duplicates out before or in a split

    @property
    def wrong(self) -> list[Fit]:
        """The fits to rows that were to be held back, by line."""
        return sorted((f for f in self.found.values() if f.wrong), key=lambda fit: fit.line)

    @property
    def unsure(self) -> list[Fit]:
        """The fits to rows that the syntax tree does not tell, by line."""
        return sorted((f for f in self.found.values() if f.unsure), key=lambda fit: fit.line)

    # -- calls -----------------------------------------------------------------------------

    def called(self, way: Flow, node: ast.Call, env: dict[str, Data]) -> Data:
        """What a call gives; a fit is noted."""
        given = [
            way.expression(a.value if isinstance(a, ast.Starred) else a, env) for a in node.args
        ]
        named = {k.arg or "**": way.expression(k.value, env) for k in node.keywords}
        match node.func:
            case ast.Name(id=name) if name in env and env[name].made == FUNCTION:
                return replace(env[name], made="")
            case ast.Name(id=name) if name in env:
                return self._applied(way, [*given, *named.values()])
            case ast.Name(id=name) if name in way.functions:
                return way.enter(name, _bound(way.functions[name], given, named))
            case ast.Attribute(value=value, attr=method) if not _module(way, value, env):
                held = way.expression(value, env)
                made = self._method(way, node, held, method, given, named)
                made = flow.join([made, *_handed_over(way, node, held, method, env)])
                if any(k.arg == "inplace" and named["inplace"].constant for k in node.keywords):
                    way.bind(value, made, env)
                return made
            case ast.Name() | ast.Attribute():
                return self._function(way, node, _dotted(way, node.func), given, named)
        way.expression(node.func, env)  # what gives the function may fit something itself
        return self._applied(way, [*given, *named.values()])

    def _applied(self, way: Flow, given: list[Data]) -> Data:
        """What a network or a prepared column makes of rows: as many, of the same parts."""
        made = flow.flat(*given)
        self._note_scaled(way, made.scaled)
        return made

    def _function(
        self, way: Flow, node: ast.Call, name: str, given: list[Data], named: dict[str, Data]
    ) -> Data:
        last = name.rpartition(".")[2]
        every = [*given, *named.values()]
        if last.startswith("drop_duplicate"):
            self._guard(way, last)
        if name == "models.evaluation.split_rows":
            if way.stack[:1] == ["split"]:
                told = (named.get(key, NOTHING).constant for key in ("by", "time"))
                self.units.append((next(told), next(told)))
            suspects = flow.flat(*every).scaled
            inside = tuple((part, replace(rows, scaled=suspects)) for part, rows in SPLIT.inside)
            return replace(SPLIT, inside=inside)
        if name in (
            "models.evaluation.drop_duplicates_across",
            "models.evaluation.drop_duplicate_texts",
        ):
            return flow.sequence([given[0] if given else NOTHING, NOTHING])
        if last.startswith("read_") and not flow.flat(*every).labels:
            return Data(frozenset({WHOLE}))
        if last == "train_test_split":
            sides = [Data(frozenset({side})) for side in ("train", "test")]
            return flow.sequence([side for _ in given for side in sides])
        if name in TRAINS:
            self._note(way, node, [*given[1:], *named.values()], prepares=False)
            return flow.flat(*every)
        if name in PREPARES:
            self._note(way, node, every, prepares=True)
            return Data(flow.flat(*every).labels, made=last)
        if last in AT_ONCE and name.startswith(("pandas.", "scipy.", "sklearn.")):
            self._note(way, node, given, prepares=True)
            return flow.flat(*every)
        if name.startswith(BASELINES):
            self._note(way, node, every, prepares=False)
            return Data(flow.flat(*every).labels)
        if last in STATISTICS and (name.startswith("numpy.") or "." not in name):
            if "." in name:
                return self._statistic(node, flow.flat(*given), node.args[1:2])
            return NOTHING
        return _built_in(way, node, name, given, named)

    def _method(
        self,
        way: Flow,
        node: ast.Call,
        value: Data,
        method: str,
        given: list[Data],
        named: dict[str, Data],
    ) -> Data:
        every = [*given, *named.values()]
        if method == "drop_duplicates":
            self._guard(way, method)
        if method in METHODS:
            prepares = method in ("adapt", "fit_transform") or _prepares(value.made)
            self._note(way, node, every, prepares=prepares)
            made = flow.flat(*every)
            return (
                made
                if method in ("fit_transform", "fit_predict")
                else replace(value, scaled=made.scaled)
            )
        if method in APPLIES and flow.flat(*every).rows():
            return self._applied(way, every)
        if method in STATISTICS:
            return self._statistic(node, value, node.args[:1])
        if method in LABELS_ONLY:
            return Data(each=NOTHING) if method == "keys" and not value.inside else _keys(value)
        if method == "values" and (value.inside or value.each):
            return replace(value, keyed=False, inside=tuple(enumerate(v for _, v in value.inside)))
        if method == "items":
            pairs = [flow.sequence([Data(constant=key), part]) for key, part in value.inside]
            each = flow.sequence([NOTHING, value.each]) if value.each else None
            return Data(inside=tuple(enumerate(pairs)), each=each)
        if method in ("get", "pop") and node.args and (value.inside or value.each):
            known = given[0].constant
            return value.at(known) or value.each or flow.flat(value)
        if method in ("append", "extend", "add", "update") and isinstance(node.func, ast.Attribute):
            return NOTHING
        made = flow.flat(value, *every)
        if method == "transform" and given and given[0].constant in STATISTICS:
            statistic = self._statistic(node, value, [])
            return flow.scaled(made, value, [statistic], None, node.lineno)
        if method in TAKES_STATISTIC:
            return flow.scaled(made, value, every, None, node.lineno)
        if method in ("copy", "assign", "reset_index", "astype") and not value.labels:
            return value
        if method in PICKS and WHOLE in made.labels:
            return replace(made, labels=made.labels - {WHOLE} | {SOME})
        return made

    @staticmethod
    def _statistic(node: ast.Call, value: Data, axis: list[ast.expr]) -> Data:
        """A mean or the like; one for each row learns nothing from the others."""
        axes = [k.value for k in node.keywords if k.arg == "axis"] or axis
        written = ast.unparse(axes[0]) if axes else "0"
        across = written in ("1", "-1", "'columns'") or (
            written.startswith("(") and "0" not in written
        )
        made = flow.flat(value)
        return made if across else replace(made, statistic=True)

    def _guard(self, way: Flow, name: str) -> None:
        if way.stack[:1] in (["table"], ["split"]):
            self.guards.add(name)

    # -- notes -----------------------------------------------------------------------------

    def _note(self, way: Flow, node: ast.Call, rows: Iterable[Data], *, prepares: bool) -> None:
        held = flow.flat(*rows)
        self._note_scaled(way, held.scaled)
        if not held.labels or (way.stack[:1] and way.stack[0] not in self.counted):
            return
        bad = ["test", WHOLE, *(["validation"] if prepares else [])]
        wrong = next((label for label in bad if label in held.labels), "")
        if UNSURE in held.labels:
            wrong = WHOLE if WHOLE in held.labels else ""
        call = ast.unparse(node.func)
        call = call if len(call) <= 40 else f"….{call.rpartition('.')[2]}"
        function = way.stack[-1] if way.stack else "the module"
        key = (node.lineno, call, wrong)
        self.found[key] = Fit(node.lineno, call, function, held.labels, wrong)

    def _note_scaled(self, way: Flow, suspects: Iterable[tuple[int, str, str]]) -> None:
        if way.stack[:1] and way.stack[0] not in self.counted:
            return
        for line, how, label in suspects:
            function = _function_at(way, line)
            rows = frozenset({label})
            self.found[(line, how, label)] = Fit(line, how, function, rows, label, scales=True)


def of(project: Project) -> Fits:
    """Return where a project fits something, and to which rows."""
    counted: set[str] = set()
    pending = [name for name in ("scores", "validation", "live") if name in project.steps]
    pending = pending or list(project.steps)
    while pending:
        name = pending.pop()
        if name not in counted:
            counted.add(name)
            pending += project.steps[name].all_inputs
    fits = Fits(counted=frozenset(counted))
    way = Flow(project, fits.called)
    fits.imported = way.imported
    fits.values = way.steps()
    return fits


def _built_in(
    way: Flow, node: ast.Call, name: str, given: list[Data], named: dict[str, Data]
) -> Data:
    """What Python's own functions and those of libraries make of their arguments."""
    every = [*given, *named.values()]
    if name in WITHOUT_ROWS or (name in ("min", "max", "sum") and given and given[0].keyed):
        return NOTHING
    if name == "dict" and named and not given:
        return Data(inside=tuple(named.items()), keyed=True)
    if name in SAME and len(given) == 1:
        value = given[0]
        keys = value.keyed and name != "dict"
        return _keys(value) if keys else value
    if name == "dict.fromkeys" and len(given) == 2:
        return Data(each=given[1], keyed=True)
    if name == "enumerate" and given:
        found, exact = flow.elements(given[0])
        pairs = [flow.sequence([Data(constant=i), each]) for i, each in enumerate(found)]
        return flow.sequence(pairs) if exact else Data(each=flow.sequence([NOTHING, *found]))
    if name == "zip" and given:
        ways = [flow.elements(value) for value in given]
        if all(exact for _, exact in ways):
            rows = zip(*(found for found, _ in ways), strict=False)
            return flow.sequence(flow.sequence(row) for row in rows)
        return Data(each=flow.sequence([flow.join(found) for found, _ in ways]))
    if name == "map" and len(given) >= 2 and isinstance(node.args[0], ast.Name):
        function = way.functions.get(node.args[0].id)
        found, exact = flow.elements(given[1])
        if function is not None:
            made = [way.enter(function.name, _bound(function, [each], {})) for each in found]
            return flow.sequence(made) if exact else Data(each=flow.join(made))
    last = name.rpartition(".")[2]
    return replace(flow.flat(*every), made=last if last[:1].isupper() else "")


def _handed_over(
    way: Flow, node: ast.Call, held: Data, method: str, env: dict[str, Data]
) -> list[Data]:
    """What functions make of a whole table that `pipe`, `assign`, `apply` or the like gives them.

    Of a single column `apply` gives them one cell after the other, such as a picture, which may
    well be scaled by its own mean.
    """
    match node.func:
        case ast.Attribute(value=ast.Subscript(slice=ast.List() | ast.Name())):
            hands_over = method in ("pipe", "assign", "apply", "transform")
        case _:
            hands_over = method in ("pipe", "assign")
    by_row = any(k.arg == "axis" and ast.unparse(k.value) != "0" for k in node.keywords)
    made = []
    for function in [*node.args, *(k.value for k in node.keywords)] if hands_over else ():
        match function:
            case ast.Lambda(args=ast.arguments(args=[first, *_])) if not by_row:
                made.append(way.expression(function.body, {**env, first.arg: held}))
            case ast.Name(id=name) if name in way.functions and not by_row:
                made.append(way.enter(name, _bound(way.functions[name], [held], {})))
    return made


def _prepares(made: str) -> bool:
    return any(made.endswith(ending) for ending in PREPARING)


def _keys(value: Data) -> Data:
    if value.keyed:
        return (
            flow.sequence([Data(constant=key) for key, _ in value.inside])
            if value.inside
            else NOTHING
        )
    return NOTHING


def _bound(function: ast.FunctionDef, given: list[Data], named: dict[str, Data]) -> dict[str, Data]:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
    return {**dict(zip(names, given, strict=False)), **named}


def _module(way: Flow, node: ast.expr, env: dict[str, Data]) -> bool:
    """Tell whether an expression names an imported module: `np`, `models.tabular`."""
    while isinstance(node, ast.Attribute):
        node = node.value
    if not isinstance(node, ast.Name) or node.id in env:
        return False
    return node.id in way.imported or node.id == "dict"


def _dotted(way: Flow, node: ast.expr) -> str:
    """The full dotted name of what is called: models.tabular.columns."""
    match node:
        case ast.Name(id=name):
            return way.imported.get(name, name)
        case ast.Attribute(value=value, attr=attr):
            return f"{_dotted(way, value)}.{attr}"
    return ""


def _function_at(way: Flow, line: int) -> str:
    for name, node in way.functions.items():
        if node.lineno <= line <= (node.end_lineno or line):
            return name
    return "the module"
