"""What a figure shows, by model and by seed, however it was handed over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd

from blog.errors import FigureError


def by_model(
    function: str, given: Any, one: Callable[[Any], bool], wanted: str
) -> dict[str, dict[Any, Any]]:
    """Return ``{model: {seed: …}}`` from any form that a step may have at hand.

    That is the thing itself; ``{seed: thing}``; ``{model: thing}``; ``{model: {seed: thing}}``; or
    ``{seed: {model: thing}}``, which a step without ``seed`` receives. Seeds are whole numbers. A
    model without a name is called "". ``one`` tells whether something is the thing; ``wanted``
    says in an error what that is.
    """
    if one(given):
        return {"": {0: given}}
    if not isinstance(given, Mapping) or not given:
        raise _unfit(function, given, wanted)
    if all(isinstance(key, Integral) for key in given):
        if all(map(one, given.values())):
            return {"": dict(given)}
        return _turned(function, given, one, wanted)
    models = {}
    for name, seeds in given.items():
        if one(seeds):
            models[str(name)] = {0: seeds}
        elif isinstance(seeds, Mapping) and seeds and all(map(one, seeds.values())):
            models[str(name)] = dict(seeds)
        else:
            raise _unfit(function, seeds, wanted, f" for {str(name)[:40]!r}")
    return models


def _turned(
    function: str, given: Mapping[Any, Any], one: Callable[[Any], bool], wanted: str
) -> dict[str, dict[Any, Any]]:
    """Models by seed as seeds by model, in the order in which the models first come."""
    models: dict[str, dict[Any, Any]] = {}
    for seed, of_seed in given.items():
        if not isinstance(of_seed, Mapping):
            raise _unfit(function, of_seed, wanted, f" for seed {seed}")
        for name, thing in of_seed.items():
            if not one(thing):
                raise _unfit(function, thing, wanted, f" for {str(name)[:40]!r} of seed {seed}")
            models.setdefault(str(name), {})[seed] = thing
    if not models:
        raise _unfit(function, given, wanted)
    return models


def numeric(function: str, given: Any, what: str) -> np.ndarray:
    """Anything as an array of floats; refused where it holds something else."""
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError) as error:
        raise FigureError(
            f"{function}(…) needs numbers as {what}; received {type(given).__name__} ({error})."
        ) from error


def band(function: str, runs: list[pd.Series], what: str) -> pd.DataFrame:
    """Median, low and high per place, as long as at least half of the runs are still going."""
    table = pd.concat([run.astype(float) for run in runs], axis=1)
    table = table.where(table.abs() < float("inf"))
    table = table[table.notna().sum(axis=1) * 2 >= len(runs)]
    table = table.dropna(how="all")
    if table.empty:
        raise FigureError(
            f"{function}(…) found no finite value in `{what}`; "
            f"received {len(runs)} curves of length {', '.join(str(len(run)) for run in runs[:8])}."
        )
    return pd.DataFrame(
        {"median": table.median(axis=1), "low": table.min(axis=1), "high": table.max(axis=1)}
    )


def _unfit(function: str, given: Any, wanted: str, where: str = "") -> FigureError:
    size = f" of length {len(given)}" if hasattr(given, "__len__") else ""
    return FigureError(
        f"{function}(…) needs {wanted}, by itself or as {{model: …}}, {{seed: …}} or "
        f"{{model: {{seed: …}}}}; received {type(given).__name__}{size}{where}."
    )
