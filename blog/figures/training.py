"""How training went: what was learned epoch by epoch, and how far the gradient reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blog.errors import FigureError, suggestion
from blog.figures.figure import Figure, from_axes
from blog.figures.series import band, by_model
from blog.figures.words import few_enough, label, legend, listed, number, room_for, shade, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def learning_curves(curves: Any, metric: str = "accuracy", *, kept: Any = None) -> Figure:
    """Training and validation over the epochs: the median of the seeds and the band they span.

    Runs that stopped early end where they stopped: an epoch is shown as long as at least half of
    the seeds reached it.

    Args:
        curves: frames indexed by epoch, with the columns ``metric`` and ``val_<metric>`` (as in
            Keras): one, ``{seed: frame}``, ``{model: frame}``, ``{model: {seed: frame}}`` or
            ``{seed: {model: frame}}``.
        metric: the column.
        kept: the epoch whose weights were kept, in the same form as ``curves``; the median over
            the seeds is marked by a ring.
    """
    models = by_model(
        "learning_curves",
        curves,
        lambda given: isinstance(given, pd.DataFrame),
        "a frame of epochs",
    )
    few_enough("learning_curves", models)
    bands = {name: _bands(list(seeds.values()), metric) for name, seeds in models.items()}
    rings = _kept(kept, models) if kept is not None else {}
    shown = {
        f"{name}, {part}".removeprefix(", "): values
        for name, parts in bands.items()
        for part, values in parts.items()
    }
    lines = _table("epoch", shown)
    longest = max(map(len, shown.values()))

    def draw(axes: Axes) -> None:
        for place, (name, parts) in enumerate(bands.items()):
            for nth, (part, values) in enumerate(parts.items()):
                # Of several models the colour tells which, of one it tells which part.
                look = style(place if len(bands) > 1 else nth)
                look["linestyle"] = "-" if part == "validation" else (0, (4, 2))
                if len(bands) == 1 and len(values) > 1:
                    look["marker"] = ""  # a single epoch is a point, and needs one
                called = label(part)
                if len(bands) > 1:
                    called = label(name) if nth == len(parts) - 1 else None
                shade(axes, values, look["color"])
                every = max(1, len(values) // 5)
                axes.plot(
                    values.index, values["median"], label=called, markevery=every,
                    linewidth=2.2 if part == "validation" else 1.4, **look,
                )  # fmt: skip
                if name in rings and part == list(parts)[-1]:
                    height = np.interp(rings[name], values.index, values["median"])
                    axes.plot(
                        [rings[name]], [height], "o", color=look["color"], markersize=13,
                        markerfacecolor="none", markeredgewidth=2,
                    )  # fmt: skip
        if len(bands) > 1 and any("validation" in parts for parts in bands.values()):
            axes.plot([], [], color="C4", linestyle=(0, (4, 2)), linewidth=1.4, label="training")
        if rings:
            axes.plot(
                [], [], "o", color="C4", markersize=13, markerfacecolor="none", markeredgewidth=2,
                label="kept epoch",
            )  # fmt: skip
        axes.set_title(label(metric))
        axes.set_xlabel("epoch")
        axes.locator_params(axis="x", integer=True)
        if longest == 1:
            axes.set_xticks(sorted({*lines["epoch"]}))
        legend(axes)

    told = [
        f"{label(name)} {part} {label(metric)} goes from {number(values['median'].iloc[0])} at "
        f"epoch {values.index[0]} to {number(values['median'].iloc[-1])} at epoch "
        f"{values.index[-1]}".strip()
        for name, parts in bands.items()
        for part, values in parts.items()
    ]
    entries = [label(name) for name in bands] if len(bands) > 1 else []
    size = (7, 4 + room_for([*entries, "training", "kept epoch"] if entries else []))
    alt = f"Learning curves {_over(models, 'models')}: {listed(told)}."
    if rings:
        epochs = [f"{label(name)} {number(at)}".strip() for name, at in rings.items()]
        alt += f" Kept epoch: {listed(epochs)}."
    return from_axes(draw, data=lines, alt=alt, size=size)


def gradients(sizes: Any) -> Figure:
    """How large the gradient is in each layer, from the first to the last, on a logarithmic axis.

    One line for each configuration, such as a depth, an activation or an initialisation: the
    median of its seeds and the band they span. The ratio of the first layer's to the last one's,
    told in words, is what vanishes in deep networks of sigmoids. A gradient of exactly 0 has no
    place on such an axis: there the line has a gap, and the words say so.

    Args:
        sizes: of one configuration a Series or dict ``{layer: size}`` in the order of the layers,
            or a list of sizes; by itself, or as ``{configuration: …}``, ``{configuration: {seed:
            …}}`` or ``{seed: {configuration: …}}``. A row of a scratch network's curves will do:
            ``trained.curves.filter(like="gradient_").iloc[0]``.
    """
    given = by_model("gradients", sizes, _is_sizes, "the sizes of the layers' gradients")
    few_enough("gradients", given)
    models = {name: [_layers(one, name) for one in seeds.values()] for name, seeds in given.items()}
    for name, runs in models.items():
        if len({tuple(run.index) for run in runs}) > 1:
            raise FigureError(
                f"gradients(…): the seeds of {label(name)!r} have different layers; "
                f"received {', '.join(str(len(run)) for run in runs)} of them."
            )
    named = {tuple(run.index) for runs in models.values() for run in runs}
    names = [str(layer) for layer in named.pop()] if len(named) == 1 else []
    bands = {
        name: band("gradients", [run.reset_index(drop=True) for run in runs], name or "sizes")
        for name, runs in models.items()
    }

    def draw(axes: Axes) -> None:
        for place, (name, shown) in enumerate(bands.items()):
            look, above = style(place), shown.where(shown > 0).set_axis(shown.index + 1)
            shade(axes, above.dropna(), look["color"])
            axes.plot(above.index, above["median"], label=label(name), **look)
        if any((shown > 0).to_numpy().any() for shown in bands.values()):
            axes.set_yscale("log")
            _powers(axes, bands.values())
        axes.minorticks_off()
        axes.set_title("size of the gradient")
        axes.set_xlabel("layer, from input to output")
        if names and len(names) * max(len(label(name, 12)) for name in names) <= 50:
            axes.set_xticks(range(1, len(names) + 1), [label(name, 12) for name in names])
        else:
            axes.locator_params(axis="x", integer=True)
        if len(bands) > 1 or next(iter(bands)):
            legend(axes)

    told = []
    for name, shown in bands.items():
        middle = shown["median"]
        words = f"from {number(middle.iloc[0])} in the first to {number(middle.iloc[-1])} in the "
        words += f"last of {len(middle)} layers"
        if middle.iloc[-1] > 0:
            words += f", a ratio of {number(middle.iloc[0] / middle.iloc[-1])}"
        if (middle == 0).any():
            words += f", and exactly 0 in {int((middle == 0).sum())} of them"
        told.append(f"{label(name)} {words}".strip())
    data = _table("layer", {name: shown.set_axis(shown.index + 1) for name, shown in bands.items()})
    if names:
        data.insert(1, "name", names[: len(data)])
    alt = f"Size of the gradient by layer {_over(given, 'configurations')}: {listed(told)}."
    size = (7, 4.2 + room_for([label(name) for name in bands]))
    return from_axes(draw, data=data, alt=alt, size=size)


def _powers(axes: Axes, bands: Iterable[pd.DataFrame]) -> None:
    """Powers of ten beside the axis, in letters that every font has; numbers where it is short."""
    from matplotlib.ticker import LogLocator

    sizes = np.concatenate([shown.to_numpy().ravel() for shown in bands])
    sizes = sizes[sizes > 0]
    if sizes.max() < 100 * sizes.min():
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: number(value))
        return
    raised = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
    axes.yaxis.set_major_formatter(
        lambda value, _: "10" + f"{round(np.log10(value))}".translate(raised)
    )


def _bands(runs: list[pd.DataFrame], metric: str) -> dict[str, pd.DataFrame]:
    """Training and validation, as far as there are columns of them."""
    known = set.intersection(*(set(map(str, run.columns)) for run in runs))
    if metric not in known:
        raise FigureError(f"learning_curves(…): no column `{metric}`.{suggestion(metric, known)}")
    lines = {"training": metric, "validation": f"val_{metric}"}
    return {
        part: band("learning_curves", [run[column] for run in runs], column)
        for part, column in lines.items()
        if column in known
    }


def _kept(kept: Any, models: Mapping[str, Any]) -> dict[str, float]:
    """The median kept epoch of each model."""
    epochs = by_model(
        "learning_curves",
        kept,
        lambda given: isinstance(given, Real) and np.isfinite(float(given)),
        "an epoch as `kept`",
    )
    if unknown := set(epochs) - set(models):
        name = min(unknown)
        raise FigureError(
            f"learning_curves(…): `kept` has a model {label(name)!r} without curves."
            f"{suggestion(name, models)}"
        )
    return {name: float(np.median([*map(float, of.values())])) for name, of in epochs.items()}


def _is_sizes(given: Any) -> bool:
    if isinstance(given, pd.Series):
        return True
    if isinstance(given, Mapping):
        # {seed: size} is nothing that could be meant: layers have names.
        return bool(given) and all(isinstance(size, Real) for size in given.values())
    return isinstance(given, list | tuple | np.ndarray) and np.ndim(given) == 1 and len(given) > 0


def _layers(given: Any, name: str) -> pd.Series:
    """The sizes by layer; refused where they are no sizes."""
    if isinstance(given, pd.Series | Mapping):
        sizes = pd.Series(given, dtype=float)
        sizes.index = [
            layer + 1 if isinstance(layer, Integral) else str(layer).removeprefix("gradient_")
            for layer in sizes.index
        ]
    else:
        sizes = pd.Series(given, range(1, len(given) + 1), dtype=float)
    wrong = sizes[~np.isfinite(sizes) | (sizes < 0)]
    if len(wrong) or sizes.empty:
        got = f"{wrong.iloc[0]} in layer {wrong.index[0]}" if len(wrong) else "no layer"
        raise FigureError(
            f"gradients(…) needs finite sizes from 0 up; received {got}"
            f"{f' of {label(name)!r}' if name else ''}."
        )
    return sizes


def _over(models: Mapping[str, Mapping[Any, Any]], kind: str) -> str:
    """How many models and trainings a figure is of."""
    most = max(map(len, models.values()))
    of = f"of {len(models)} {kind}" if len(models) > 1 else ""
    seeds = f"over {most} seeds, median and range" if most > 1 else "of one training"
    return " ".join(part for part in (of, seeds if most > 1 or not of else "") if part)


def _table(index: str, shown: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Median, low and high of each line; of a single training the values alone."""
    columns: dict[str, pd.Series] = {}
    for name, values in shown.items():
        if values["low"].equals(values["high"]):
            columns[f"{name}".strip() or "size"] = values["median"]
        else:
            columns |= {f"{name} {part}".strip(): values[part] for part in values}
    return pd.DataFrame(columns).rename_axis(index).reset_index()
