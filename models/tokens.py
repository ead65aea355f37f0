"""Text as whole numbers: the characters or words that training texts hold, and windows of them.

Number 0 stands for whatever the training texts do not hold, and for nothing at all where a short
text is filled up. Fit on training texts only: a symbol known from the held-out ones alone would
be a hint at what they say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from models import options
from models.errors import BadData, unknown

UNITS = ("character", "word")
UNKNOWN = 0
SHOWN_FOR_UNKNOWN = "\N{REPLACEMENT CHARACTER}"


@dataclass(frozen=True)
class Vocabulary:
    """The symbols a network knows; plain values, so that JSON holds it.

    Attributes:
        symbols: characters or words; the first has number 1.
        unit: "character", or "word" for what blanks set apart.
    """

    symbols: list[str]
    unit: str = "character"

    def __len__(self) -> int:
        """Return how many numbers there are, 0 included: the `vocabulary` of `rnn.build`."""
        return len(self.symbols) + 1

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {symbol: number for number, symbol in enumerate(self.symbols, start=1)}

    def encode(self, text: str) -> np.ndarray:
        """Return a text's numbers (symbols,), int32; 0 for symbols that are not known."""
        found = (self._numbers.get(symbol, UNKNOWN) for symbol in _split(text, self.unit))
        return np.fromiter(found, dtype=np.int32)

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of numbers; an unknown symbol reads �, words are set apart by a blank.

        Raises:
            BadData: a number that is not in the vocabulary.
        """
        codes = np.asarray(numbers)
        if codes.size and (codes.ndim != 1 or codes.dtype.kind not in "iu"):
            raise BadData(
                f"Text is made of whole numbers (symbols,), not of {codes.dtype} {codes.shape}."
            )
        outside = (codes < 0) | (codes >= len(self))
        if outside.any():
            raise BadData(
                f"{codes[outside][0]} is not in the vocabulary, whose numbers are 0 to "
                f"{len(self) - 1}."
            )
        shown = [SHOWN_FOR_UNKNOWN, *self.symbols]
        return ("" if self.unit == "character" else " ").join(shown[code] for code in codes)

    def windows(
        self, texts: str | Sequence[str], steps: int, stride: int | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return what a language model reads and what it should say, each (windows, steps) int32.

        y is x one symbol later. What is left at the end of a text and does not fill a window is
        not used. To hold out later texts or other authors, split before making windows:
        neighbouring windows are not independent.

        Args:
            texts: one text or several, of which no window has parts of two.
            steps: symbols a window.
            stride: from the start of one window to that of the next; None takes `steps`, so that
                every symbol is predicted once.

        Raises:
            BadData: no text is longer than `steps` symbols.
        """
        steps = options.whole("steps", steps)
        stride = steps if stride is None else options.whole("stride", stride)
        encoded = [self.encode(text) for text in _texts(texts)]
        longest = max(len(codes) for codes in encoded)
        if longest <= steps:
            raise BadData(
                f"A window of {steps} steps needs a text of {steps + 1} {self.unit}s, for the one "
                f"that comes next; the longest has {longest}. Take steps={max(1, longest - 1)}."
            )
        windows = np.concatenate(
            [
                np.lib.stride_tricks.sliding_window_view(codes, steps + 1)[::stride]
                for codes in encoded
                if len(codes) > steps
            ]
        )
        return np.ascontiguousarray(windows[:, :-1]), np.ascontiguousarray(windows[:, 1:])

    def rows(self, texts: Sequence[str], steps: int) -> np.ndarray:
        """Return a row for each text, (texts, steps) int32, as a classifier of sequences reads it.

        The end of a longer text is kept. A shorter one is filled up with 0 in front, so that what
        a network saw last is the text.
        """
        steps = options.whole("steps", steps)
        encoded = [self.encode(text)[-steps:] for text in _texts(texts)]
        rows = np.zeros((len(encoded), steps), dtype=np.int32)
        for row, codes in zip(rows, encoded, strict=True):
            row[steps - len(codes) :] = codes
        return rows


def vocabulary(
    texts: str | Sequence[str],
    unit: str = "character",
    *,
    rare: int = 1,
    most: int | None = None,
) -> Vocabulary:
    """Return the vocabulary of training texts, its symbols in the order of their code points.

    Characters are code points: an accent that is written as one of its own is a symbol of its own
    (`unicodedata.normalize("NFC", text)` joins them). Halves of a surrogate pair, which no file
    in UTF-8 can hold, are unknown.

    Args:
        texts: one text or several.
        unit: "character", or "word" for what blanks set apart.
        rare: symbols met less often than this are unknown; with words, 2 or more lets a network
            learn what comes after an unknown one.
        most: keep at most this many symbols, the commonest.

    Raises:
        BadData: there is nothing to learn symbols from.
    """
    if unit not in UNITS:
        raise unknown("unit", unit, UNITS)
    rare = options.whole("rare", rare)
    counts = Counter(symbol for text in _texts(texts) for symbol in _split(text, unit))
    known = [symbol for symbol in sorted(counts) if _writable(symbol)]
    known = [symbol for symbol in known if counts[symbol] >= rare]
    if most is not None:
        commonest = sorted(known, key=lambda symbol: -counts[symbol])
        known = sorted(commonest[: options.whole("most", most)])
    if not known:
        raise BadData(f"The texts hold no {unit} that is met {rare} times or more.")
    return Vocabulary(known, unit)


def _split(text: str, unit: str) -> list[str]:
    if not isinstance(text, str):
        raise BadData(f"A text must be a str, not {text!r:.80}.")
    return list(text) if unit == "character" else text.split()


def _writable(symbol: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in symbol)


def _texts(texts: Any) -> list[str]:
    found = [texts] if isinstance(texts, str) else list(texts)
    if not found:
        raise BadData("One text or several are needed; got none.")
    return found
