"""Pictures that stand in two parts of a split, reported and taken out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from models.errors import BadData, BadOption
from models.evaluation.splits import parts

Pictures = str | Mapping[str, np.ndarray]


def drop_duplicates_across(
    split: Mapping[str, pd.DataFrame], pictures: Pictures, *, threshold: float = 0.02
) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, int]]]:
    """Return the split without pictures that a held-out part shows too, and how many there were.

    The test part stays whole: validation loses what the test shows, training what either shows.

    Args:
        split: {"train", "validation", "test"} of tables, as `split_rows` gives.
        pictures: the column that holds encoded pictures (bytes) or pixel arrays; or, for each
            part, an array (n, …) of pixels in [0, 1] in the order of its rows.
        threshold: mean absolute difference of pixels up to which two pictures are the same.

    Returns:
        The new split, and {"train": {"exact", "near"}, "validation": {"exact", "near"}}: rows
        left out for a picture equal pixel by pixel, and for one within the threshold.
    """
    pixels = _pixels_of(split, pictures, threshold)
    kept, counts = dict(split), {}
    for name, others in (("validation", ["test"]), ("train", ["test", "validation"])):
        if name not in pixels:
            continue
        held_out = [pixels[other] for other in others if other in pixels and len(pixels[other])]
        distance = np.full(len(pixels[name]), np.inf)
        if held_out:
            distance = _nearest_difference(pixels[name], np.concatenate(held_out), threshold)
        exact, near = distance == 0, (distance > 0) & (distance <= threshold)
        counts[name] = {"exact": int(exact.sum()), "near": int(near.sum())}
        stays = ~(exact | near)
        kept[name] = split[name][stays].reset_index(drop=True)
        pixels[name] = pixels[name][stays]
    return kept, counts


def duplicate_pictures(
    split: Mapping[str, pd.DataFrame], pictures: Pictures, *, threshold: float = 0.02
) -> pd.DataFrame:
    """Return the pictures that stand in two parts of a split, a row for each and its likest one.

    Args:
        split: as for `drop_duplicates_across`, like pictures and threshold.
        pictures: a column, or pixels for each part.
        threshold: up to which difference two pictures are the same.

    Returns:
        Columns part, row; other_part, other_row, its likest picture in that part (positions:
        `split[part].iloc[row]`); kind, "exact" or "near"; difference; matches, how many pictures
        of the other part are the same.
    """
    pixels = _pixels_of(split, pictures, threshold)
    rows = []
    for name, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        if name not in pixels or other not in pixels:
            continue
        found: dict[int, list[tuple[float, int]]] = {}
        for row, other_row, difference in _pairs(pixels[name], pixels[other], threshold):
            if difference <= threshold:
                found.setdefault(row, []).append((difference, other_row))
        for row, matches in sorted(found.items()):
            difference, other_row = min(matches)
            kind = "near" if difference else "exact"
            rows.append((name, row, other, other_row, kind, difference, len(matches)))
    columns = ["part", "row", "other_part", "other_row", "kind", "difference", "matches"]
    return pd.DataFrame(rows, columns=columns)


def _pixels_of(
    split: Mapping[str, pd.DataFrame], pictures: Pictures, threshold: float
) -> dict[str, np.ndarray]:
    """Return each part's pictures as rows of pixels, (n, pixels)."""
    if not 0 <= threshold < 1:
        raise BadOption(f"threshold must be from 0 to below 1, not {threshold!r}.")
    found = {}
    for name, rows in parts(split).items():
        if isinstance(pictures, str):
            pixels = _pixels(rows, pictures)
        elif name in pictures:
            pixels = np.asarray(pictures[name])
        else:
            raise BadData(f"Pictures were given of {', '.join(pictures)}, but not of {name!r}.")
        if len(pixels) != len(rows):
            raise BadData(f"{len(pixels)} pictures for the {len(rows)} rows of {name!r}.")
        flat = pixels.reshape(len(pixels), math.prod(pixels.shape[1:]))
        found[name] = flat.astype(np.float32, copy=False)
    return found


def _pixels(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Return the pictures of a column as float32 arrays in [0, 1], grey on white, of one size."""
    import io

    from PIL import Image

    if column not in rows.columns:
        raise BadOption(f"No column {column!r} of pictures; columns: {', '.join(rows.columns)}.")
    arrays = []
    for cell in rows[column]:
        if isinstance(cell, bytes | bytearray):
            picture = Image.open(io.BytesIO(cell)).convert("RGBA").resize((32, 32))
            white = Image.new("RGBA", picture.size, "white")
            grey = Image.alpha_composite(white, picture).convert("L")
            arrays.append(np.asarray(grey, dtype=np.float32) / 255)
        else:
            arrays.append(np.asarray(cell, dtype=np.float32))
    return np.stack(arrays) if arrays else np.zeros((0, 1), dtype=np.float32)


def _nearest_difference(
    pictures: np.ndarray, others: np.ndarray, threshold: float, block: int = 64
) -> np.ndarray:
    """Return for each picture (n, pixels) its smallest mean absolute difference to the others.

    Exact up to the threshold, infinite or above it beyond.
    """
    found = np.full(len(pictures), np.inf)
    for row, _, difference in _pairs(pictures, others, threshold, block):
        found[row] = min(found[row], difference)
    return found


def _pairs(
    pictures: np.ndarray, others: np.ndarray, threshold: float, block: int = 64
) -> Iterator[tuple[int, int, float]]:
    """Yield (picture, other, mean absolute difference) for all within the threshold, and some more.

    Sums over runs of 16 pixels come first: their difference never exceeds that of the pixels, so
    most pairs need no closer look.
    """
    if not len(pictures) or not len(others):
        return
    if pictures.shape[1] != others.shape[1]:
        raise BadData(
            f"Pictures of {pictures.shape[1]} and of {others.shape[1]} pixels cannot be compared."
        )
    starts = np.arange(0, pictures.shape[1], 16)
    runs = np.add.reduceat(pictures, starts, axis=1)
    other_runs = np.add.reduceat(others, starts, axis=1)
    limit = threshold * pictures.shape[1] * (1 + 1e-5) + 1e-4  # room for rounding in the sums
    for first in range(0, len(pictures), block):
        rows = slice(first, first + block)
        bound = np.abs(runs[rows, None, :] - other_runs[None, :, :]).sum(axis=2)
        for near, other in zip(*np.nonzero(bound <= limit), strict=True):
            difference = float(np.abs(pictures[first + near] - others[other]).mean())
            yield int(first + near), int(other), difference
