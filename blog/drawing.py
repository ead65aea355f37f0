"""The one look of all figures: colours, letters, and the SVG that comes out of a drawing."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Mode = Literal["light", "dark"]

# Paper, ink and series of both looks. The series keep 3:1 against their paper and stay apart under
# protanopia, deuteranopia and tritanopia (tested).
PAPER = {"light": "#fbfaf7", "dark": "#16181b"}
INK = {"light": "#26282b", "dark": "#e4e1da"}
FAINT = {"light": "#6b6b68", "dark": "#a3a19b"}
RULE = {"light": "#dddad2", "dark": "#35383d"}
SERIES = {
    "light": ["#1f5f99", "#c4501b", "#00a087", "#3d2a6b", "#5f6368"],
    "dark": ["#74b3ec", "#ff9a6b", "#c8e6a0", "#8f8fff", "#b6b8bc"],
}
SHADES = {
    "light": ["#e6edf3", "#a9c6df", "#1f5f99", "#12324f"],
    "dark": ["#22303c", "#2f587c", "#74b3ec", "#d8ebfb"],
}

# Measured in DejaVu Sans, which travels with matplotlib and is wider than what readers have, so
# that labels laid out here fit there.
MEASURED = "DejaVu Sans"
SHOWN = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"


def svg(draw: Callable[[Axes], None], size: tuple[float, float], mode: Mode) -> str:
    """The SVG of one look, as text."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    with _look(mode, size[0]), warnings.catch_warnings():
        # A glyph that DejaVu lacks is measured as a box here and drawn by the reader's own fonts.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        canvas = Canvas(figsize=size, layout="constrained")
        FigureCanvasSVG(canvas)
        draw(canvas.add_subplot())
        buffer = io.StringIO()
        canvas.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    return _tidy(buffer.getvalue())


def letter_size(width: float) -> float:
    """The size of all letters, in points, on a figure so many inches wide.

    Figures are shown as wide as the text, so letters are a share of the width: 11 px where a
    column of text on a phone leaves 358.
    """
    return max(10.0, 2.22 * width)


def mode() -> Mode:
    """The look that is being drawn; to be asked within ``draw``."""
    import matplotlib as mpl

    return "light" if mpl.rcParams["text.color"] == INK["light"] else "dark"


@contextmanager
def _look(mode: Mode, width: float) -> Generator[None]:
    """Matplotlib's settings for one look, whatever the user's own matplotlibrc says."""
    import matplotlib as mpl
    from cycler import cycler

    letters = letter_size(width)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(
            {
                "svg.fonttype": "none",
                "svg.hashsalt": "folio",
                "text.parse_math": False,  # scraped names may hold dollar signs
                "font.family": [MEASURED],
                "font.size": letters,
                "axes.titlesize": "medium",
                "axes.titlelocation": "left",
                "axes.titlepad": letters * 0.7,
                "axes.labelsize": letters,
                "axes.labelcolor": FAINT[mode],
                "xtick.labelsize": letters,
                "ytick.labelsize": letters,
                "legend.fontsize": letters,
                "legend.frameon": False,
                "text.color": INK[mode],
                "xtick.color": RULE[mode],
                "ytick.color": RULE[mode],
                "xtick.labelcolor": FAINT[mode],
                "ytick.labelcolor": FAINT[mode],
                "axes.edgecolor": RULE[mode],
                "axes.facecolor": "none",
                "figure.facecolor": "none",
                "axes.prop_cycle": cycler(color=SERIES[mode]),
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.grid": True,
                "axes.grid.axis": "y",
                "axes.axisbelow": True,
                "grid.color": RULE[mode],
                "grid.linewidth": 0.8,
                "lines.linewidth": 2.2,
            }
        )
        yield


def _tidy(source: str) -> str:
    """The SVG with system fonts, no metadata, rounded coordinates, only characters XML allows."""
    source = source[source.index("<svg") :]
    source = re.sub(r"\s*<metadata>.*?</metadata>", "", source, count=1, flags=re.DOTALL)
    source = source.replace(f"'{MEASURED}'", SHOWN)

    def shorter(match: re.Match[str]) -> str:
        return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")

    source = re.sub(
        r'\b(d|x|y|x1|y1|x2|y2|transform|points|width|height|viewBox)="[^"]*"',
        lambda attribute: re.sub(r"-?\d+\.\d{3,}", shorter, attribute[0]),
        source,
    )
    source = _shorter_names(source)
    source = re.sub(r"(<g [^>]*>)((?:\s*<use [^>]*/>)+)", _one_style, source)
    return re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", source)


def _shorter_names(source: str) -> str:
    """The SVG with short names for its shapes, in the order in which they come."""
    names = re.findall(r'id="(\w{1,2}[0-9a-f]{10})"', source)
    short = {name: f"s{number}" for number, name in enumerate(dict.fromkeys(names))}

    def renamed(match: re.Match[str]) -> str:
        return match[0].replace(match[1], short.get(match[1], match[1]))

    source = re.sub(r'(?:id="|href="#|url\(#)(\w{1,2}[0-9a-f]{10})\b', renamed, source)
    return source.replace("<use xlink:href=", "<use href=")


def _one_style(group: re.Match[str]) -> str:
    """A group of marks that look the same, which then say so once."""
    head, uses = group[1], group[2]
    styles = set(re.findall(r' style="([^"]*)"', uses))
    if len(styles) != 1 or "style=" in head or uses.count(" style=") != uses.count("<use "):
        return group[0]
    uses = re.sub(r' style="[^"]*"|(?<=>)\s+(?=<)|^\s+', "", uses)
    return f'{head[:-1]} style="{styles.pop()}">{uses}'
