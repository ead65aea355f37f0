"""Several settings tried on validation data, every trial recorded, the best one kept.

The test part of a split has no place here: who chooses by it has no honest figure left.

Source: Bergstra et al., Algorithms for Hyper-Parameter Optimization (2011), for the tree-structured
Parzen estimator, as Optuna has it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from models import lent, options
from models.errors import BadData, BadOption, Diverged
from models.training import Training

if TYPE_CHECKING:
    import keras


@dataclass
class Search:
    """What `search` gives.

    Attributes:
        model: the network of the best trial.
        curves: its curves, as `training.fit` gives them.
        best_epoch: its best epoch.
        trainings: how many trainings the search took, those that broke included.
        settings: the settings of the best trial.
        table: one row a trial, in the order tried: its settings, the monitor at its best epoch,
            that epoch, and what became of it ("done", or "diverged").
    """

    model: keras.Model
    curves: pd.DataFrame
    best_epoch: int
    trainings: int
    settings: dict[str, Any]
    table: pd.DataFrame


@dataclass(frozen=True)
class Between:
    """Numbers from `low` to `high`; whole ones if both are whole, evenly in the logarithm if `log`.

    A learning rate or a penalty wants `log=True`: from 1e-4 to 1e-1, half of the trials then lie
    below 3e-3.
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        numbers = all(isinstance(end, int | float) for end in (self.low, self.high))
        if not numbers or not -math.inf < self.low < self.high < math.inf:
            raise BadOption(f"Between needs two numbers, the lower first, not {self}.")
        if self.log and self.low <= 0:
            raise BadOption(f"With log=True both ends must be above 0: {self}.")


def search(
    train: Callable[..., Training],
    space: Mapping[str, Sequence[Any] | Between],
    *,
    trials: int = 10,
    monitor: str = "val_loss",
    seed: int | None = None,
) -> Search:
    """Call `train` with several settings and return the best outcome beside all others.

        def train(units, learning_rate):
            model = classifier.build(64, 10, hidden=(units,))
            return training.fit(model, (x, y), validation, learning_rate=learning_rate)

        found = search(train, {"units": [16, 64], "learning_rate": Between(1e-4, 1e-1, log=True)})

    Where the space has no more members than there are trials, all are tried, each once. Otherwise
    later trials come from where earlier ones did well. A training that diverges is a trial too.
    Inside a project, or with checkpoints, a search that was killed goes on where it was: trials
    that were finished are read back.

    Args:
        train: called with one value for each name of `space`; returns what `training.fit` does,
            validation data being required. Build the network inside it.
        space: for each name the values to choose from, or what they lie between.
        trials: the most trainings.
        monitor: a column of the curves; a loss or error is best where low, all else where high.
        seed: of the choice of settings, and of each trial's first weights and dropout; None takes
            one from NumPy's global state.

    Raises:
        BadOption: a space that is empty, or a monitor that the curves do not have.
        Diverged: every trial did.
    """
    import keras

    trials = options.whole("trials", trials)
    _check(space)
    if seed is None:
        seed = int(np.random.randint(2**31))
    falls = monitor.endswith(("loss", "error"))
    proposals, trials = _proposals(space, trials, falls, seed)
    rows: list[dict[str, Any]] = []
    best: tuple[float, Training, dict[str, Any]] | None = None
    broken: Diverged | None = None
    for number, (chosen, tell) in enumerate(proposals, start=1):
        keras.utils.set_random_seed((seed + number) % 2**31)
        try:
            done = _tried(train, chosen, number, trials)
        except Diverged as error:
            broken = error
            tell(None)
            rows.append(_row(chosen, monitor, math.nan, error.epoch, "diverged"))
            continue
        value = _judged(done, monitor)
        tell(value)
        rows.append(_row(chosen, monitor, value, done.best_epoch, "done"))
        if best is None or (value < best[0] if falls else value > best[0]):
            best = value, done, chosen
    if best is None:
        assert broken is not None
        raise Diverged(
            f"All {trials} trials diverged; the last one said: {broken}",
            epoch=broken.epoch,
            batch=broken.batch,
        )
    _, done, chosen = best
    table = pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="trial"))
    return Search(done.model, done.curves, done.best_epoch, len(rows), chosen, table)


def _check(space: Mapping[str, Any]) -> None:
    if not isinstance(space, Mapping) or not space:
        raise BadOption('space must name what to vary, such as {"units": [16, 64]}.')
    for name, values in space.items():
        if isinstance(values, Between):
            continue
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise BadOption(
                f"space[{name!r}] must be values to choose from, such as [16, 64], or "
                f"trials.Between(low, high); not {values!r}."
            )


Proposal = tuple[dict[str, Any], Callable[[float | None], object]]


def _proposals(
    space: Mapping[str, Any], trials: int, falls: bool, seed: int
) -> tuple[Iterator[Proposal], int]:
    """Return settings to try, each with a function to tell its value to, and how many there are."""
    if not any(isinstance(values, Between) for values in space.values()):
        combinations = list(product(*space.values()))
        if len(combinations) <= trials:
            grid = ((dict(zip(space, each, strict=True)), _forget) for each in combinations)
            return grid, len(combinations)
    return _guided(space, trials, falls, seed), trials


def _forget(value: float | None) -> None:
    """Take no notice: all of a grid is tried, whatever comes out."""


def _guided(space: Mapping[str, Any], trials: int, falls: bool, seed: int) -> Iterator[Proposal]:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="minimize" if falls else "maximize", sampler=optuna.samplers.TPESampler(seed=seed)
    )
    for _ in range(trials):
        trial = study.ask()
        failed = optuna.trial.TrialState.FAIL

        def tell(value: float | None, trial: Any = trial, failed: Any = failed) -> None:
            study.tell(trial, value, state=failed if value is None else None)

        yield {name: _suggested(trial, name, values) for name, values in space.items()}, tell


def _suggested(trial: Any, name: str, values: Sequence[Any] | Between) -> Any:
    if isinstance(values, Between):
        whole = isinstance(values.low, int) and isinstance(values.high, int)
        suggest = trial.suggest_int if whole else trial.suggest_float
        return suggest(name, values.low, values.high, log=values.log)
    # By position: Optuna takes only plain values for choices.
    return values[trial.suggest_categorical(name, list(range(len(values))))]


def _tried(train: Callable[..., Training], chosen: dict, number: int, trials: int) -> Training:
    """Train with the settings chosen; the log and the progress say which trial it is."""
    borrowed = lent.current.get() or lent.Lent()
    told = {"trial": number, "trials": trials, "tried": {k: repr(v) for k, v in chosen.items()}}

    def report(label: str, done: int, total: int | None) -> None:
        borrowed.report(f"trial {number}/{trials}, {label}", done, total)

    surroundings = replace(
        borrowed, report=report, trained=lambda line: borrowed.trained({**line, **told})
    )
    token = lent.current.set(surroundings)
    try:
        done = train(**chosen)
    finally:
        lent.current.reset(token)
    if not hasattr(done, "curves") or not hasattr(done, "best_epoch"):
        raise BadData(f"train must return what training.fit does, not {type(done).__name__}.")
    return done


def _row(chosen: dict, monitor: str, value: float, epoch: int, end: str) -> dict[str, Any]:
    # A tuple or an object has no place in a table's column.
    plain = {k: v if isinstance(v, int | float | str | None) else str(v) for k, v in chosen.items()}
    return {**plain, monitor: value, "best_epoch": epoch, "end": end}


def _judged(done: Training, monitor: str) -> float:
    """Return the monitor at its best, over the epochs."""
    if monitor not in done.curves:
        validated = (
            ""
            if any(c.startswith("val_") for c in done.curves)
            else (" Trials are compared on validation data: give training.fit some.")
        )
        raise BadOption(f"The curves have no {monitor!r}, but {', '.join(done.curves)}.{validated}")
    return float(done.curves[monitor].loc[done.best_epoch])
