"""One quiet look for every figure, in light and in dark.

A figure is drawn twice, as SVG with real text on a transparent background, and travels with its
data and with a sentence for those who cannot see it. The same values give the same bytes: no date,
no random identifier, coordinates rounded to a hundredth of a point.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blog.drawing import INK, MEASURED, PAPER, RULE, SHADES, Mode, svg
from blog.errors import FigureError, suggestion

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from PIL.Image import Image


@dataclass
class Figure:
    """A drawing: SVG text for light and dark pages, its data, and what one sees in words."""

    light: str
    dark: str
    data: pd.DataFrame
    alt: str


@dataclass
class Sheet:
    """A grid of pictures as one image, the data behind it, and what one sees in words."""

    image: Image
    data: pd.DataFrame
    alt: str

    def webp(self) -> bytes:
        """Lossless WebP; the same image gives the same bytes."""
        buffer = io.BytesIO()
        self.image.save(buffer, "WEBP", lossless=True, quality=80, method=6, exact=True)
        return buffer.getvalue()


def from_axes(
    draw: Callable[[Axes], None],
    *,
    data: pd.DataFrame,
    alt: str,
    size: tuple[float, float] = (7, 4),
) -> Figure:
    """A figure of your own: ``draw(axes)`` is called once in the light look, once in the dark.

    ``data`` is what the figure shows, as a table; ``alt`` says what one sees, in a sentence.
    ``size`` is width and height in inches. Colours come from the axes' cycle (``"C0"``, ``"C1"``)
    and from ``matplotlib.rcParams["text.color"]``, so that both looks stay legible.
    """
    if not alt.strip():
        raise FigureError("from_axes(…) got an empty `alt`: say in a sentence what one sees.")
    return Figure(svg(draw, size, "light"), svg(draw, size, "dark"), _plain(data), alt.strip())


def learning_curves(
    curves: Mapping[Any, pd.DataFrame] | pd.DataFrame, metric: str = "accuracy"
) -> Figure:
    """Training and validation over the epochs: the median of the seeds and the band they span.

    ``curves`` holds one frame per seed, indexed by epoch, with the columns ``metric`` and
    ``val_<metric>`` (as in Keras). Runs that stopped early end where they stopped: an epoch is
    shown as long as at least half of the seeds reached it.
    """
    runs = [curves] if isinstance(curves, pd.DataFrame) else list(curves.values())
    if not runs:
        raise FigureError("learning_curves(…) got no curves: at least one seed is needed.")
    known = set.intersection(*(set(map(str, run.columns)) for run in runs))
    if metric not in known:
        raise FigureError(f"learning_curves(…): no column `{metric}`.{suggestion(metric, known)}")
    lines = {"training": metric, "validation": f"val_{metric}"}
    bands = {
        label: _band([run[column] for run in runs])
        for label, column in lines.items()
        if column in known
    }

    def draw(axes: Axes) -> None:
        for number, (label, band) in enumerate(bands.items()):
            style = "-" if label == "validation" else (0, (5, 2))
            axes.fill_between(
                band.index, band["low"], band["high"], color=f"C{number}", alpha=0.18, linewidth=0
            )
            axes.plot(band.index, band["median"], color=f"C{number}", linestyle=style, label=label)
        axes.set_title(_label(metric))
        axes.set_xlabel("epoch")
        axes.locator_params(axis="x", integer=True)
        _legend(axes, len(bands))

    columns: dict[str, Any] = {"epoch": next(iter(bands.values())).index}
    for label, band in bands.items():
        columns |= {f"{label} {part}": band[part].to_numpy() for part in ("median", "low", "high")}
    told = [
        f"{label} {metric} goes from {_number(band['median'].iloc[0])} at epoch {band.index[0]} "
        f"to {_number(band['median'].iloc[-1])} at epoch {band.index[-1]}"
        for label, band in bands.items()
    ]
    over = f"over {len(runs)} seeds, median and range" if len(runs) > 1 else "of one training"
    alt = f"Learning curves {over}: {'; '.join(told)}."
    return from_axes(draw, data=pd.DataFrame(columns), alt=alt)


def confusion(matrix: pd.DataFrame) -> Figure:
    """Which class was taken for which: rows are the truth, columns what the network said.

    Shades are shares of a row, so that rare classes read like frequent ones. Up to 12 classes the
    counts are written into the cells.
    """
    if matrix.empty or list(matrix.index) != list(matrix.columns):
        raise FigureError(
            "confusion(…) needs a square table with the same classes as rows and columns; "
            f"received {matrix.shape[0]} rows and {matrix.shape[1]} columns."
        )
    names = [str(name) for name in matrix.index]
    counts = matrix.to_numpy(dtype=float)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    written = len(names) <= 12

    def draw(axes: Axes) -> None:
        import matplotlib as mpl
        from matplotlib.colors import LinearSegmentedColormap

        mode: Mode = "light" if mpl.rcParams["text.color"] == INK["light"] else "dark"
        shade = LinearSegmentedColormap.from_list("shade", SHADES[mode])
        edges = np.arange(len(names) + 1) - 0.5
        axes.pcolormesh(
            edges,
            edges,
            np.ma.masked_equal(shares, 0),
            cmap=shade,
            vmin=0,
            vmax=1,
            edgecolors=PAPER[mode],
            linewidth=0.5,
        )
        if written:
            for row, column in zip(*np.nonzero(counts), strict=True):
                dark_cell = (shares[row, column] > 0.4) == (mode == "light")
                axes.text(
                    column,
                    row,
                    f"{counts[row, column]:g}",
                    ha="center",
                    va="center",
                    color="#ffffff" if dark_cell else "#16181b",
                    fontsize="small",
                )
        pitch = 7 * 72 * 0.75 / len(names)  # points from one class to the next
        axes.set_xticks(range(len(names)), [_label(name, 14) for name in names], rotation=90)
        axes.set_yticks(range(len(names)), [_label(name, 14) for name in names])
        axes.tick_params(length=0, labelsize=min(14, 0.75 * pitch))
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
        axes.invert_yaxis()
        axes.set_aspect("equal")
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)

    off = counts - np.diag(np.diag(counts))
    worst = [index for index in np.argsort(-off, axis=None, kind="stable")[:3] if off.flat[index]]
    told = [
        f"{names[index // len(names)]} taken for {names[index % len(names)]} "
        f"({off.flat[index]:g} {'time' if off.flat[index] == 1 else 'times'})"
        for index in worst
    ]
    right = np.trace(counts) / counts.sum() if counts.sum() else 0.0
    alt = f"Confusion matrix of {len(names)} classes; {right:.1%} lie on the diagonal"
    alt += f". Most often confused: {', '.join(told)}." if told else ", none beside it."
    data = matrix.copy()
    data.columns = pd.Index(names)
    data.insert(0, "true \\ predicted", names, allow_duplicates=True)
    return from_axes(draw, data=data, alt=alt, size=(7, 7))


def comparison(scores: Mapping[Any, Any], metric: str) -> Figure:
    """One dot per model with its interval, best first by mean; faint dots are single seeds.

    ``scores`` is either ``{model: {metric: score}}``, a score being a number, a list of values or
    an interval with ``mean``, ``low``, ``high`` and ``values``; or what a step without ``seed``
    receives, ``{seed: {model: {metric: number}}}``.
    """
    rows = _scores(scores, metric)

    def draw(axes: Axes) -> None:
        for place, row in enumerate(rows):
            first = "C0" if place == 0 else "C4"
            axes.plot(
                row["values"],
                [place] * len(row["values"]),
                "o",
                color=first,
                alpha=0.3,
                markersize=5,
                markeredgewidth=0,
            )
            if row["low"] is not None and row["high"] is not None:
                axes.plot([row["low"], row["high"]], [place, place], color=first, linewidth=3)
            axes.plot([row["mean"]], [place], "o", color=first, markersize=7)
            axes.annotate(
                _number(row["mean"]),
                (row["mean"], place),
                xytext=(0, 9),
                textcoords="offset points",
                ha="center",
                va="bottom",
            )
        axes.set_yticks(range(len(rows)), [_label(row["model"], 22) for row in rows])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(rows) - 0.5, -0.75)
        axes.margins(x=0.1)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(_label(metric))

    data = pd.DataFrame(
        [{"model": r["model"], metric: r["mean"], "low": r["low"], "high": r["high"]} for r in rows]
    ).dropna(axis=1, how="all")
    told = ", ".join(f"{row['model']} {_number(row['mean'])}" for row in rows)
    alt = f"{_label(metric)[:1].upper()}{_label(metric)[1:]} of {len(rows)} models: {told}."
    return from_axes(draw, data=data, alt=alt, size=(7, 1.2 + 0.65 * len(rows)))


def errors(images: Any, captions: Sequence[str], columns: int = 8) -> Sheet:
    """Pictures side by side with a caption of up to two lines each, as one image.

    ``images`` has shape (pictures, height, width) or (pictures, height, width, channels) with 1, 3
    or 4 channels; floats lie in [0, 1], integers in [0, 255].
    """
    from PIL import Image, ImageDraw, ImageFont

    pictures = [_picture(image) for image in np.asarray(images)]
    if len(pictures) != len(captions):
        raise FigureError(
            f"errors(…) got {len(pictures)} pictures and {len(captions)} captions; "
            "it needs one caption per picture."
        )
    columns = max(1, min(columns, len(pictures) or 1))
    tile, gap, line = 88, 12, 15
    width = columns * (tile + gap) + gap
    height = -(-max(1, len(pictures)) // columns) * (tile + 2 * line + gap) + gap
    sheet = Image.new("RGB", (width, height), PAPER["light"])
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.truetype(_font_file(), 12)
    for number, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left = gap + number % columns * (tile + gap)
        top = gap + number // columns * (tile + 2 * line + gap)
        sheet.paste(picture.resize((tile, tile), Image.Resampling.NEAREST), (left, top))
        pen.rectangle((left - 1, top - 1, left + tile, top + tile), outline=RULE["light"])
        for row, words in enumerate(_lines(str(caption))[:2]):
            words = _fit(words, font, tile + gap - 4)
            pen.text((left, top + tile + 2 + row * line), words, INK["light"], font)
    if not pictures:
        pen.text((gap, gap), "none", INK["light"], font)
    data = pd.DataFrame({"picture": range(1, len(pictures) + 1), "caption": [*map(str, captions)]})
    flat = [" ".join(_lines(str(caption))) for caption in captions[:3]]
    alt = f"Sheet of {len(pictures)} pictures with captions"
    alt += f", among them: {'; '.join(_label(words, 60) for words in flat)}." if flat else "."
    return Sheet(sheet, data, alt)


def _legend(axes: Axes, entries: int) -> None:
    """A legend above the drawing, right-aligned, where it never hides a line."""
    axes.legend(
        loc="lower right",
        bbox_to_anchor=(1, 1),
        ncols=entries,
        borderaxespad=0.3,
        handlelength=1.8,
        columnspacing=1.4,
    )


def _band(runs: Sequence[pd.Series]) -> pd.DataFrame:
    """Median, low and high per epoch, as long as at least half of the runs are still going."""
    table = pd.concat([run.astype(float) for run in runs], axis=1)
    table = table[table.notna().sum(axis=1) * 2 >= len(runs)]
    if table.empty:
        raise FigureError("learning_curves(…) got curves without a single epoch.")
    return pd.DataFrame(
        {"median": table.median(axis=1), "low": table.min(axis=1), "high": table.max(axis=1)}
    )


def _scores(scores: Mapping[Any, Any], metric: str) -> list[dict[str, Any]]:
    """Model, mean, low, high and single values, best mean first, from any form of scores."""
    if scores and all(isinstance(key, int) for key in scores):
        models = dict.fromkeys(name for seed in scores.values() for name in seed)
        scores = {
            name: {metric: [seed[name][metric] for seed in scores.values()
                            if metric in seed.get(name, {})]}
            for name in models
        }  # fmt: skip
    rows = []
    for model, metrics in scores.items():
        score = metrics.get(metric) if isinstance(metrics, Mapping) else metrics
        if score is None or (isinstance(score, Sequence) and not score):
            continue
        if isinstance(score, Mapping):
            row = {key: score.get(key) for key in ("mean", "low", "high")}
            values = list(score.get("values") or [])
        else:
            values = [float(value) for value in np.atleast_1d(score)]
            row = {"mean": float(np.mean(values)), "low": None, "high": None}
        rows.append({"model": str(model), "values": values if len(values) > 1 else [], **row})
    if not rows:
        known = {key for value in scores.values() if isinstance(value, Mapping) for key in value}
        raise FigureError(
            f"comparison(…): no model has the metric `{metric}`."
            f"{suggestion(metric, map(str, known))}"
        )
    return sorted(rows, key=lambda row: -row["mean"])


def _plain(data: pd.DataFrame) -> pd.DataFrame:
    """The table with everything in columns: a named index becomes one, any other goes."""
    named = any(name is not None for name in data.index.names)
    return data.reset_index(drop=not named)


def _picture(image: np.ndarray) -> Image:
    """One picture as RGB on white paper."""
    from PIL import Image

    if image.dtype.kind == "f":
        image = (np.clip(np.nan_to_num(image), 0, 1) * 255).round()
    image = image.astype(np.uint8)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[-1] not in (3, 4)):
        raise FigureError(
            "errors(…) needs pictures of (height, width[, 1, 3 or 4 channels]); "
            f"received {image.shape}."
        )
    picture = Image.fromarray(image)
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _font_file() -> str:
    from matplotlib import font_manager

    return font_manager.findfont(MEASURED)


def _lines(caption: str) -> list[str]:
    """The caption's lines, without control characters."""
    return ["".join(c for c in words if c.isprintable()) for words in caption.splitlines()]


def _fit(words: str, font: Any, width: int) -> str:
    """The words, cut with an ellipsis where they would be wider than ``width`` pixels."""
    if font.getlength(words[:200]) <= width and len(words) <= 200:
        return words
    words = words[:200]
    while words and font.getlength(words + "…") > width:
        words = words[:-1]
    return words + "…"


def _label(name: str, longest: int = 30) -> str:
    """A name fit for a figure: one line, no control characters, cut when too long."""
    name = " ".join("".join(c if c.isprintable() else " " for c in str(name)).split())
    name = name.replace("_", " ")
    return name if len(name) <= longest else name[: longest - 1] + "…"


def _number(value: float) -> str:
    """A number for alt text and labels: three significant decimals at most."""
    return f"{value:.3f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.0f}"
