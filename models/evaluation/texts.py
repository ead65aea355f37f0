"""Texts that stand in two parts of a split, reported and taken out.

Two texts are the same if nothing but case, punctuation and spacing tells them apart ("exact"), or
if they share enough of their runs of five characters ("near"): the Jaccard similarity of their
sets of runs, |both| / |either|. The search misses none and compares few: two sets that similar
have some of their rarest members in common.

Sources: Broder, On the resemblance and containment of documents (1997), for the similarity;
Bayardo, Ma and Srikant, Scaling up all pairs similarity search, WWW 2007, for the search.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from models.errors import BadData, BadOption
from models.evaluation.splits import parts

RUN = 5  # characters
LEAST = 0.1  # threshold: below, most texts of a language are alike
PAIRS = 2_000_000  # looked at together, to bound memory
NOTHING = np.zeros(0, dtype=np.uint32)


class Match(NamedTuple):
    """The likest of other texts."""

    other: int
    similarity: float
    matches: int  # how many are similar enough


def drop_duplicate_texts(
    split: Mapping[str, pd.DataFrame], column: str, *, threshold: float = 0.8
) -> tuple[dict[str, pd.DataFrame], dict[str, dict[str, int]]]:
    """Return the split without texts that a held-out part has too, and how many there were.

    The test part stays whole: validation loses what the test has, training what either has.

    Args:
        split: {"train", "validation", "test"} of tables, as `split_rows` gives.
        column: the column of texts; a missing or blank one is like no other.
        threshold: share of their runs of characters from which two texts are the same; 1 takes
            only those out that have all in common.

    Returns:
        The new split, and {"train": {"exact", "near"}, "validation": {"exact", "near"}}: rows
        left out.
    """
    texts = _texts_of(split, column, threshold)
    search = _Search([text for part in texts.values() for text in part], threshold)
    kept, counts = dict(split), {}
    for name, others in (("validation", ["test"]), ("train", ["test", "validation"])):
        if name not in texts:
            continue
        held_out = [text for other in others for text in texts.get(other, [])]
        found = search.likest(texts[name], held_out)
        exact = sum(held_out[match.other] == texts[name][row] for row, match in found.items())
        counts[name] = {"exact": exact, "near": len(found) - exact}
        stays = [row for row in range(len(texts[name])) if row not in found]
        kept[name] = split[name].iloc[stays].reset_index(drop=True)
        texts[name] = [texts[name][row] for row in stays]
    return kept, counts


def duplicate_texts(
    split: Mapping[str, pd.DataFrame], column: str, *, threshold: float = 0.8
) -> pd.DataFrame:
    """Return the texts that stand in two parts of a split, a row for each and its likest one.

    Args:
        split: as for `drop_duplicate_texts`, like column and threshold.
        column: the column of texts.
        threshold: from which similarity two texts are the same.

    Returns:
        Columns part, row; other_part, other_row, its likest text in that part (positions:
        `split[part].iloc[row]`); kind, "exact" or "near"; similarity; matches, how many texts of
        the other part are the same.
    """
    texts = _texts_of(split, column, threshold)
    search = _Search([text for part in texts.values() for text in part], threshold)
    rows = []
    for name, other in (("train", "validation"), ("train", "test"), ("validation", "test")):
        if name not in texts or other not in texts:
            continue
        for row, (other_row, similarity, matches) in sorted(
            search.likest(texts[name], texts[other]).items()
        ):
            kind = "exact" if texts[name][row] == texts[other][other_row] else "near"
            rows.append((name, row, other, other_row, kind, similarity, matches))
    columns = ["part", "row", "other_part", "other_row", "kind", "similarity", "matches"]
    return pd.DataFrame(rows, columns=columns)


class _Search:
    """Looks for similar texts among those it was made for, all normalised."""

    def __init__(self, texts: Sequence[str], threshold: float) -> None:
        from scipy.sparse import csr_array

        self.threshold = threshold
        self.number = {text: number for number, text in enumerate(dict.fromkeys(texts))}
        runs = [_runs(text) for text in self.number]
        self.sizes = np.array([len(found) for found in runs], dtype=int)
        _, named = np.unique(np.concatenate([NOTHING, *runs]), return_inverse=True)
        self.common = np.bincount(named)  # how many texts have each run
        self.runs = np.split(named.astype(np.int32), np.cumsum(self.sizes))[:-1]
        rarest = [self._rarest(found) for found in self.runs]
        ends = np.cumsum([0, *map(len, rarest)])
        column = np.concatenate([NOTHING, *rarest]).astype(np.int32)
        self.rarest = csr_array(
            (np.ones(len(column), dtype=np.int32), column, ends),
            shape=(len(rarest), len(self.common)),
        )

    def _rarest(self, runs: np.ndarray) -> np.ndarray:
        # Sets of n members that share threshold × n: leave out the commonest threshold × n - k of
        # each, and what remains shares k at least.
        spared = int(np.ceil(self.threshold * len(runs) - 1e-9)) - _shared(len(runs))
        return runs[np.argsort(self.common[runs], kind="stable")[: len(runs) - spared]]

    def likest(self, texts: Sequence[str], others: Sequence[str]) -> dict[int, Match]:
        """Return, by position in `texts`, the likest of `others` for those that have one."""
        first: dict[int, int] = {}
        copies: dict[int, int] = {}
        for row, text in enumerate(others):
            if text:
                number = self.number[text]
                first.setdefault(number, row)
                copies[number] = copies.get(number, 0) + 1
        wanted = sorted({self.number[text] for text in texts if text})
        best: dict[int, Match] = {}
        for one, other, similarity in self._similar(wanted, sorted(first)):
            found = best.get(one, Match(-1, -1.0, 0))
            matches = found.matches + copies[other]
            # An equal text comes before one that merely has the same runs.
            if (similarity, other == one) > (found.similarity, False):
                best[one] = Match(first[other], similarity, matches)
            else:
                best[one] = found._replace(matches=matches)
        numbers = ((row, self.number[text]) for row, text in enumerate(texts) if text)
        return {row: best[number] for row, number in numbers if number in best}

    def _similar(self, ones: list[int], others: list[int]) -> Iterator[tuple[int, int, float]]:
        """Yield (one, other, similarity) of all pairs of texts that are similar enough."""
        if not ones or not others:
            return
        in_one = np.zeros(len(self.common), dtype=bool)
        for one, candidates in self._candidates(ones, others):
            in_one[self.runs[one]] = True
            their = np.concatenate([self.runs[other] for other in candidates])
            starts = np.cumsum([0, *self.sizes[candidates[:-1]]])
            both = np.add.reduceat(in_one[their], starts, dtype=int)
            in_one[self.runs[one]] = False
            similarity = both / (self.sizes[one] + self.sizes[candidates] - both)
            for near in np.flatnonzero(similarity >= self.threshold):
                yield one, int(candidates[near]), float(similarity[near])

    def _candidates(self, ones: list[int], others: list[int]) -> Iterator[tuple[int, np.ndarray]]:
        """Yield each text with the others that share enough rare runs with it and fit in size."""
        sizes, least = self.sizes, _shared(self.sizes)
        theirs = self.rarest[others].T.tocsr()
        block = max(1, PAIRS // (1 + len(others)))
        for first in range(0, len(ones), block):
            shared = (self.rarest[ones[first : first + block]] @ theirs).tocoo()
            one, other = np.array(ones)[first + shared.row], np.array(others)[shared.col]
            larger = np.maximum(sizes[one], sizes[other])
            fits = np.minimum(sizes[one], sizes[other]) >= self.threshold * larger - 1e-9
            fits &= shared.data >= np.minimum(least[one], least[other])
            order = np.argsort(one[fits], kind="stable")
            one, other = one[fits][order], other[fits][order]
            if not len(one):
                continue
            alone, starts = np.unique(one, return_index=True)
            for number, found in zip(alone.tolist(), np.split(other, starts[1:]), strict=True):
                for part in np.array_split(found, 1 + sizes[found].sum() // PAIRS):
                    yield number, part


def _shared(size: Any) -> Any:
    """Return how many of their rarest runs two similar texts must have in common."""
    # More than one, so that a few that are common to many make no candidates.
    return 1 + size // 20


def _texts_of(
    split: Mapping[str, pd.DataFrame], column: str, threshold: float
) -> dict[str, list[str]]:
    """Return each part's texts, normalised."""
    if not isinstance(threshold, int | float) or not LEAST <= threshold <= 1:
        raise BadOption(f"threshold must be from {LEAST} to 1, not {threshold!r}.")
    found = {}
    for name, rows in parts(split).items():
        if column not in rows.columns:
            raise BadOption(f"No column {column!r} of texts; columns: {', '.join(rows.columns)}.")
        cells = rows[column].to_numpy(dtype=object)
        missing = pd.isna(cells)
        found[name] = []
        for row, cell in enumerate(cells):
            if not missing[row] and not isinstance(cell, str):
                raise BadData(f"Row {row} of {name!r} holds {cell!r:.80}, which is no text.")
            found[name].append("" if missing[row] else normalised(cell))
    return found


def normalised(text: str) -> str:
    """Return a text without what does not count: case, punctuation, spacing, ways to encode."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(re.findall(r"\w+", folded)) or folded.strip()


def _runs(text: str) -> np.ndarray:
    """Return the set of a text's runs of five characters, hashed, sorted: (runs,) uint32.

    A shorter text is one run. With 32 bits, six in a thousand pairs of texts of 5,000 characters
    have a run in common by chance: too few to matter.
    """
    if not text:
        return NOTHING
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    points = points.astype(np.uint64)
    length = min(RUN, len(points))
    mixed = np.zeros(len(points) - length + 1, dtype=np.uint64)
    for place in range(length):
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15) + points[place : place + len(mixed)]
        mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))
