"""Many pictures as one image, with words beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from blog.drawing import INK, MEASURED, PAPER, RULE
from blog.errors import FigureError
from blog.figures.figure import Sheet
from blog.figures.words import label, listed

if TYPE_CHECKING:
    from PIL.Image import Image

GAP, LINE, LETTERS = 12, 15, 12  # pixels
WIDEST = 812  # pixels, of a whole sheet
FEWEST = 12  # pixels a picture may be narrow


def errors(images: Any, captions: Sequence[str], columns: int = 8) -> Sheet:
    """Pictures side by side with a caption of up to two lines each, as one image.

    ``images`` has shape (pictures, height, width) or (pictures, height, width, channels) with 1, 3
    or 4 channels; floats lie in [0, 1], integers in [0, 255].
    """
    from PIL import Image, ImageDraw

    pictures = [_picture("errors", image) for image in np.asarray(images)]
    if len(pictures) != len(captions):
        raise FigureError(
            f"errors(…) got {len(pictures)} pictures and {len(captions)} captions; "
            "it needs one caption per picture."
        )
    columns = max(1, min(columns, len(pictures) or 1))
    tile = 88
    width = columns * (tile + GAP) + GAP
    height = -(-max(1, len(pictures)) // columns) * (tile + 2 * LINE + GAP) + GAP
    sheet = Image.new("RGB", (width, height), PAPER["light"])
    pen = ImageDraw.Draw(sheet)
    font = _font()
    for at, (picture, caption) in enumerate(zip(pictures, captions, strict=True)):
        left = GAP + at % columns * (tile + GAP)
        top = GAP + at // columns * (tile + 2 * LINE + GAP)
        _paste(sheet, picture, (left, top), (tile, tile))
        for row, words in enumerate(_lines(str(caption))[:2]):
            words = _fit(words, font, tile + GAP - 4)
            pen.text((left, top + tile + 2 + row * LINE), words, INK["light"], font)
    if not pictures:
        pen.text((GAP, GAP), "none", INK["light"], font)
    data = pd.DataFrame({"picture": range(1, len(pictures) + 1), "caption": [*map(str, captions)]})
    flat = [" ".join(_lines(str(caption))) for caption in captions[:3]]
    alt = f"Sheet of {len(pictures)} pictures with captions"
    alt += f", among them: {'; '.join(label(words, 60) for words in flat)}." if flat else "."
    return Sheet(sheet, data, alt)


def samples(
    images: Any, rows: Sequence[Any], columns: Sequence[Any] = (), *, what: str = "pictures"
) -> Sheet:
    """Rows of pictures, each row with its name, each column with one if there are any.

    For what a generator makes of the same noise epoch by epoch, what an autoencoder makes of its
    inputs (rows: original, reconstruction), or its decoder of a grid of codes.

    Args:
        images: (rows, columns, height, width) or (rows, columns, height, width, channels) with 1,
            3 or 4 channels; floats lie in [0, 1], integers in [0, 255].
        rows: a name for each row, such as "epoch 5".
        columns: a name for each column, or none.
        what: what the pictures are, for the words, such as "samples of the same 8 latents".
    """
    from PIL import Image, ImageDraw

    grid = _grid(images, rows, columns)
    down, across, height, width = grid.shape[:4]
    font = _font()
    names = [_fit(label(name, 200), font, 110) for name in rows]
    beside = round(max(map(font.getlength, names))) + GAP
    above = LINE + 4 if len(columns) else 0
    gap = 6 if across <= 16 else 2
    tile = min(88, (WIDEST - 2 * GAP - beside) // across - gap)
    if tile < FEWEST:
        raise FigureError(
            f"samples(…): {across} pictures side by side would be {max(0, tile)} pixels wide each; "
            f"received shape {grid.shape}. Give it fewer columns."
        )
    tall = max(1, round(tile * height / width))
    left = GAP + beside
    size = (left + across * (tile + gap) + GAP, GAP + above + down * (tall + gap) + GAP)
    sheet = Image.new("RGB", size, PAPER["light"])
    pen = ImageDraw.Draw(sheet)
    for x, name in enumerate(columns):
        words = _fit(label(name, 200), font, tile)
        middle = left + x * (tile + gap) + tile // 2
        pen.text((middle, GAP), words, INK["light"], font, anchor="ma")
    for y in range(down):
        top = GAP + above + y * (tall + gap)
        pen.text((GAP, top + tall // 2), names[y], INK["light"], font, anchor="lm")
        for x in range(across):
            at = (left + x * (tile + gap), top)
            _paste(sheet, _picture("samples", grid[y, x]), at, (tile, tall))
    data = pd.DataFrame({"row": [*map(str, rows)], "pictures": across})
    if len(columns):
        data["of"] = ", ".join(map(str, columns))
    told = listed([label(name) for name in rows], 12)
    alt = f"Grid of {label(what, 120)}, {down} rows of {across}. Rows from above: {told}."
    if len(columns):
        alt += f" Columns: {listed([label(name) for name in columns], 12)}."
    return Sheet(sheet, data, alt)


def _grid(images: Any, rows: Sequence[Any], columns: Sequence[Any]) -> np.ndarray:
    """The pictures as (rows, columns, height, width[, channels]), with as many names."""
    grid = np.asarray(images)
    if grid.ndim not in (4, 5) or 0 in grid.shape or grid.dtype.kind not in "buif":
        raise FigureError(
            "samples(…) needs pictures of (rows, columns, height, width[, channels]); "
            f"received shape {grid.shape} of {grid.dtype}."
        )
    for kind, names, many in (("rows", rows, grid.shape[0]), ("columns", columns, grid.shape[1])):
        if len(names) != many and (kind == "rows" or len(names)):
            raise FigureError(
                f"samples(…) got {len(names)} names for {many} {kind}; received shape {grid.shape}."
            )
    return grid


def _paste(sheet: Image, picture: Image, at: tuple[int, int], box: tuple[int, int]) -> None:
    """The picture within its box, in its own proportions, and a frame round it."""
    from PIL import Image, ImageDraw

    scale = min(box[0] / picture.width, box[1] / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # Enlarged pixels stay pixels; what is made smaller is averaged.
    way = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    left, top = at[0] + (box[0] - size[0]) // 2, at[1] + (box[1] - size[1]) // 2
    sheet.paste(picture.resize(size, way), (left, top))
    frame = (at[0] - 1, at[1] - 1, at[0] + box[0], at[1] + box[1])
    ImageDraw.Draw(sheet).rectangle(frame, outline=RULE["light"])


def _picture(function: str, image: np.ndarray) -> Image:
    """One picture as RGB on white paper."""
    from PIL import Image

    received = image.shape
    if image.dtype.kind == "f":
        image = (np.clip(np.nan_to_num(image), 0, 1) * 255).round()
    elif image.dtype.kind == "b":
        image = image * 255
    image = image.astype(np.uint8)
    if image.ndim == 3 and image.shape[-1] == 1:
        image = image[..., 0]
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[-1] not in (3, 4)):
        raise FigureError(
            f"{function}(…) needs pictures of (height, width[, 1, 3 or 4 channels]); "
            f"received {received}."
        )
    picture = Image.fromarray(image)
    if picture.mode == "RGBA":
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _font() -> Any:
    from matplotlib import font_manager
    from PIL import ImageFont

    return ImageFont.truetype(font_manager.findfont(MEASURED), LETTERS)


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
