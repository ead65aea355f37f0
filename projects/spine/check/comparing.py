"""Points 5 to 8 and 11: what the network is compared with, how surely, and at what cost."""

from __future__ import annotations

import ast
import csv
import re
from typing import Any

from projects.spine.check.fitting import BASELINES
from projects.spine.check.known import Known
from projects.spine.check.outcome import Outcome, counted, listed, missing, not_applicable, ok

TRIVIAL = frozenset((
    "majority", "mean", "median", "mode", "constant", "chance", "random", "uniform", "guess",
    "guessing", "persistence", "last", "climatology", "always", "never", "prior", "dummy",
    "zero", "zeros", "marginal", "unigram", "noise", "pixel", "pixels", "frequency", "nothing",
    "average", "yesterday",
))  # fmt: skip
CLASSICAL = frozenset((
    "logistic", "linear", "regression", "ridge", "lasso", "nearest", "neighbour", "neighbor",
    "neighbours", "knn", "boosting", "boosted", "forest", "tree", "trees", "svm", "svc", "bayes",
    "naive", "pca", "markov", "ngram", "gram", "grams", "kernel", "lda", "gaussian", "kde",
    "kmeans", "hmm", "arima", "lookup", "table", "trigram", "bigram",
))  # fmt: skip
NETWORKS = frozenset((
    "cnn", "network", "net", "mlp", "rnn", "gru", "lstm", "gan", "autoencoder", "vae", "ae",
    "deep", "dense", "transformer", "scratch",
    "without",  # an ablation: without_yesterday is not what yesterday alone would say
))  # fmt: skip
OF_BASELINES = {
    **dict.fromkeys(("majority", "mean", "last_value"), "trivial"),
    **dict.fromkeys(("logistic", "nearest", "boosting", "linear"), "classical"),
    **dict.fromkeys(("boosting_regression", "markov", "ngram", "pca"), "classical"),
}
ESTIMATOR = re.compile(r"sklearn\..*(Classifier|Regressor|Regression|SVC|SVR|Ridge|Lasso|NB)$")
CHOSEN = r"\b(chosen|chose|choose|selected|tuned|tried|picked|kept|searched|search)\b"


def baselines(known: Known) -> Outcome:
    """Point 5."""
    if not known.scores:
        return _no_scores(known)
    kinds = kinds_of(known)
    rivals = [model for model in known.scores if model not in kinds] or list(known.scores)
    found = {}
    for wanted in ("trivial", "classical"):
        same = [
            model
            for model, kind in kinds.items()
            if kind == wanted and any(_comparable(known, model, rival) for rival in rivals)
        ]
        if not same:
            offer = {
                "trivial": "baselines.majority(y), baselines.mean(y) or baselines.last_value(…)",
                "classical": "baselines.logistic(…), nearest(…), boosting(…), markov(…), ngram(…) "
                "or pca(…)",
            }[wanted]
            return missing(
                f"no {wanted} baseline among the scores: {listed(list(known.scores), 6)}",
                f"score one in the step `scores` ({known.at('scores')}) under its own name, by "
                f"the same metric: {offer}",
            )
        found[wanted] = same
    return ok(f"trivial: {listed(found['trivial'])}; classical: {listed(found['classical'])}")


def kinds_of(known: Known) -> dict[str, str]:
    """Return which of the scored models are baselines: {model: "trivial" or "classical"}."""
    called = _called_as(known)
    kinds = {}
    for model in known.scores:
        words = re.split(r"[^a-z]+", model.lower())
        if model in called:
            kinds[model] = called[model]
        elif not NETWORKS & set(words):
            joined = {*words, "".join(words)}
            if joined & CLASSICAL:  # first: a random forest is no guess
                kinds[model] = "classical"
            elif joined & TRIVIAL:
                kinds[model] = "trivial"
    return kinds


def _called_as(known: Known) -> dict[str, str]:
    """Return names under which project.py puts what a baseline gave: {"always no": "trivial"}."""
    imported = known.fits.imported
    found: dict[str, str] = {}
    pairs: list[tuple[Any, ast.AST]] = []
    for node in ast.walk(known.project.tree):
        if isinstance(node, ast.Dict):
            pairs += zip(node.keys, node.values, strict=True)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            pairs.append((node.targets[0].slice, node.value))
    for key, value in pairs:
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            continue
        for part in ast.walk(value):
            if isinstance(part, ast.Call) and (kind := _baseline(part.func, imported)):
                found[key.value] = kind
    return found


def _baseline(node: ast.expr, imported: dict[str, str]) -> str | None:
    match node:
        case ast.Attribute(value=ast.Name(id=module), attr=name):
            full = f"{imported.get(module, module)}.{name}"
        case ast.Name(id=name):
            full = imported.get(name, name)
        case _:
            return None
    if full.startswith(BASELINES):
        return OF_BASELINES.get(full.rpartition(".")[2])
    if full.startswith("sklearn.dummy"):
        return "trivial"
    return "classical" if ESTIMATOR.match(full) else None


def _comparable(known: Known, model: str, rival: str) -> bool:
    """Tell whether two models share a metric, measured as often."""
    one, other = known.scores[model], known.scores[rival]
    return any(one[metric]["n"] == other[metric]["n"] for metric in one if metric in other)


def intervals(known: Known) -> Outcome:
    """Point 6."""
    if not known.scores:
        return _no_scores(known)
    if known.results.get("draft"):
        return missing("a draft: --quick runs one seed", f"folio run {known.name}")
    least = int(known.least.get("seeds", 3))
    every = {f"{m}.{k}": v for m, row in known.scores.items() for k, v in row.items()}
    few = [name for name, value in every.items() if value["n"] < least or value["low"] is None]
    drawn = [v for v in known.results.get("verdicts", []) if "bootstrap" in str(v.get("method"))]
    seeds = len(known.results.get("seeds", []))
    if "seeds" in known.least and seeds < least:
        return missing(f"{counted(seeds, 'seed')}; {least} are asked for", _more_seeds(known))
    if few and not drawn:
        n = every[few[0]]["n"]
        return missing(f"{few[0]} comes from {counted(n, 'seed')}", _more_seeds(known, least))
    spread = [name for name, value in every.items() if value["low"] != value["high"]]
    if not spread and not drawn:
        return missing(
            "every score is the same for all seeds, so its interval says nothing",
            f"let `split` ask for `seed` ({known.at('split')}), or judge the hypotheses "
            f"`over: examples` in {known.path('proposal.md')}",
        )
    methods = {value["method"] for value in every.values()}
    methods |= {str(verdict["method"]) for verdict in drawn}
    return ok(f"{counted(len(every), 'score')}, each with its interval: {listed(sorted(methods))}")


def _more_seeds(known: Known, least: int = 0) -> str:
    """What to do for more seeds; SEEDS is where they are."""
    place = known.project.code.defined.get("SEEDS")
    where = known.project.where(place[-1].lineno) if place else known.path("project.py")
    wanted = max(least, int(known.least.get("seeds", 3)))
    return f"SEEDS = {wanted} or more in {where}, then seal and run again"


def trainings(known: Known) -> Outcome:
    """Point 7."""
    made = known.results.get("trainings", 0)
    if not made and not known.log:
        return not_applicable("nothing was trained by steps")
    if len(known.log) < made:
        file = known.path("results/runs.jsonl")
        return missing(
            f"{file} tells of {len(known.log)} trainings, the results of {made}",
            f"the log was cut: git checkout {file}, or folio run {known.name} --again",
        )
    ranges = _tried(known.log)
    searched = any(name.startswith("models.trials") for name in known.fits.imported.values())
    monitors = sorted({str(e["monitor"]) for e in known.log if e.get("monitor")})
    bounds = listed([f"{key} {listed(values, 4)}" for key, values in ranges.items()], 4)
    told = f"{counted(len(known.log), 'training')} logged, {made} behind these scores"
    if not ranges and not searched:
        rule = f"; epochs by {listed(monitors)}" if monitors else ""
        return ok(f"{told}; one setting, no search{rule}")
    line = known.says(CHOSEN)
    if line is None:
        return missing(
            f"{told}; tried: {bounds or 'a search'}; not told how the shown one was chosen",
            f"a sentence in {known.path('post.md')} on what was tried, and by which score the "
            "shown settings were chosen",
        )
    return ok(f"{told}; tried: {bounds or 'a search'}; the rule stands in post.md:{line}")


def _tried(log: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return the settings that differ among the trainings, with their values."""
    values: dict[str, dict[str, None]] = {}
    for entry in log:
        settings = entry.get("settings")
        for key, value in settings.items() if isinstance(settings, dict) else ():
            if key != "SEEDS":
                told = str(value)
                values.setdefault(key, {})[told if len(told) <= 24 else f"{told[:23]}…"] = None
    return {key: list(seen) for key, seen in values.items() if len(seen) > 1}


def validation(known: Known) -> Outcome:
    """Point 8."""
    if not known.scores:
        return _no_scores(known)
    then = (
        "a step `validation(…, split, seed)` that returns the same {model: {metric: number}} for "
        f"split['validation'], beside `scores` ({known.at('scores')})"
    )
    if known.results.get("splits") and "validation" not in known.results["splits"]:
        if not known.trained:
            return not_applicable("no validation part: nothing was selected or stopped by one")
        return missing(
            "the split has no validation part",
            f"evaluation.split_rows(…, validation=0.1) in {known.at('split')}, and {then}",
        )
    there = _validated(known)
    without = [model for model in known.scores if model not in there]
    if not there and _one_number(known):
        return missing(
            f"one validation score for {counted(len(known.scores), 'model')}: it does not say "
            "whose it is",
            then,
        )
    if without:
        return missing(f"no validation score for {listed(without, 4)}", then)
    return ok(f"{counted(len(known.scores), 'model')}, each with its validation score")


def _validated(known: Known) -> set[str]:
    """Return the models of which the results hold a validation score."""
    found: set[str] = set()
    for name, value in known.results.get("values", {}).items():
        if "valid" in name:
            found |= _keys(value)
    for name, table in known.results.get("tables", {}).items():
        if "valid" in name:
            path = known.folder / "results" / table["data"]
            with path.open(encoding="utf-8", newline="") as file:
                found |= {cell for row in csv.reader(file) for cell in row}
    for model, metrics in known.scores.items():
        if any(re.match(r"val(idation)?_", metric) for metric in metrics):
            found.add(model)
        for other in known.scores:
            if other in (f"{model}_validation", f"validation_{model}"):
                found |= {model, other}
    return found


def _keys(value: Any) -> set[str]:
    if isinstance(value, list):
        return set().union(*map(_keys, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    return {key for key in value if key not in ("values", "mean")} | set().union(
        *map(_keys, value.values())
    )


def _one_number(known: Known) -> bool:
    return any("valid" in name for name in known.results.get("values", {}))


def comparison(known: Known) -> Outcome:
    """Point 11."""
    if not known.scores:
        return _no_scores(known)
    kinds = kinds_of(known)
    models = [model for model in known.scores if kinds.get(model) != "trivial"]
    rivals = [m for m in models if any(_comparable(known, m, o) for o in models if o != m)]
    if len(rivals) < 2:
        return missing(
            f"only {listed(models) or 'trivial baselines'} to compare",
            f"score the network without one of its parts too, in `scores` ({known.at('scores')})",
        )
    told = [m for m in rivals if known.says(rf"\[\[scores\.{re.escape(m)}[.|\]]")]
    table = known.placed("table", "scores")
    drawn = next(
        (
            name
            for kind, name in known.shown()
            if kind == "figure"
            and {"comparison", "by_model"} & known.calls(known.project.steps[name])
        ),
        None,
    )
    if not table and not drawn and len(told) < 2:
        return missing(
            f"{listed(rivals, 4)} are scored, but the post compares none of them",
            f"`[[table:scores|.3f]] What it shows` in {known.path('post.md')}",
        )
    where = "table of scores" if table else f"figure `{drawn}`" if drawn else "text"
    return ok(f"{listed(rivals, 4)}, side by side in the post's {where}")


def _no_scores(known: Known) -> Outcome:
    return missing(
        "the results hold no scores",
        f"a step `scores` in {known.path('project.py')} that returns {{model: {{metric: number}}}}",
    )
