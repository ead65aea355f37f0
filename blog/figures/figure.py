"""What a figure is: a drawing or a sheet of pictures, its data, and what one sees in words."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from blog.drawing import svg
from blog.errors import FigureError

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


def _plain(data: pd.DataFrame) -> pd.DataFrame:
    """The table with everything in columns: a named index becomes one, any other goes."""
    named = any(name is not None for name in data.index.names)
    return data.reset_index(drop=not named)
