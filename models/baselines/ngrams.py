"""Language models that count: what came next, after the same few characters or words.

The longer a context, the more it tells and the rarer it was seen, so that every order is mixed
with the one below, down to all symbols being equally likely:

    p(w | h) = kept(w | h) + left(h) p(w | h without its first symbol)

Witten-Bell     kept = c(hw) / (c(h) + t(h))          left = t(h) / (c(h) + t(h))
Kneser-Ney      kept = (c(hw) - D) / c(h)             left = D t(h) / c(h)

with c how often something was seen and t how many different symbols followed. Below the highest
order Kneser-Ney counts before how many different symbols something was seen. Both add up to 1
over the vocabulary in every context.

Sources: Witten and Bell, IEEE Transactions on Information Theory 37 (1991); Kneser and Ney,
ICASSP 1995; Chen and Goodman, An empirical study of smoothing techniques (1998).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models import options
from models.errors import BadData, BadOption, unknown

SMOOTHING = ("kneser-ney", "witten-bell")
UNITS = ("character", "word")
UNKNOWN = 0  # position in the vocabulary of all that training never met


@dataclass
class _Order:
    """What was seen after contexts of one length; contexts are numbered in the order of keys."""

    keys: np.ndarray  # (contexts,) first symbol and number of the rest, as one number; sorted
    grams: np.ndarray  # (grams,) context × symbols + symbol; sorted
    kept: np.ndarray  # (grams,)
    left: np.ndarray  # (contexts,)


@dataclass
class NGram:
    """A fitted n-gram model.

    Attributes:
        vocabulary: the symbols, in the order of the columns of probabilities; the first, None,
            stands for every symbol that training never met.
        order: how many symbols it looks at, the next one included.
        unit: "character" or "word".
    """

    vocabulary: list[str | None]
    order: int
    unit: str
    orders: list[_Order]
    spelling: NGram | None = None  # of words never met
    name: str = "n-gram"

    def predict(self, x: Sequence[str]) -> np.ndarray:
        """Return the most likely next symbol after each of the texts, never the unknown one."""
        likely = self.predict_proba(x)[:, 1:].argmax(axis=1) + 1
        return np.array([self.vocabulary[symbol] for symbol in likely], dtype=object)

    def predict_proba(self, x: Sequence[str]) -> np.ndarray:
        """Return probabilities (n, vocabulary) of what comes next after each of the texts.

        A text shorter than order - 1 symbols is taken for the beginning of one.
        """
        return np.stack([self._next(self._codes(text)) for text in _texts(x)])

    def probabilities(self, text: str) -> np.ndarray:
        """Return the probability (units,) of each character or word of a text, given those before.

        An unknown one has that of "unknown", as in a network with one number for all unknown.
        """
        codes = self._codes(text)
        padded = np.concatenate([self._start(), codes])
        found = np.full(len(codes), 1 / len(self.vocabulary))
        context = np.zeros(len(codes), dtype=np.int64)
        for length, seen in enumerate(self.orders):
            if length:
                before = padded[self.order - 1 - length : len(padded) - length]
                context = _find(
                    seen.keys, before * len(self.orders[length - 1].left) + context, context
                )
            known = context >= 0
            gram = _find(seen.grams, context * self._symbols + codes, context)
            kept = np.where(gram >= 0, seen.kept[gram], 0)
            found = np.where(known, kept + seen.left[context] * found, found)
        return found

    def bits_per_character(self, text: str) -> float:
        """Return how many bits the model needs for each character of a text it has not seen.

        A word model pays for the spaces with its words, and for the spelling of words that it
        does not know, so that it can be compared with one of characters.
        """
        if not text.strip():
            raise BadData("Bits per character need a text; got an empty one.")
        bits = -np.log2(self.probabilities(text)).sum()
        characters = len(text)
        if self.spelling is not None:
            words = text.split()
            characters = len(" ".join(words))
            known = set(self.vocabulary)
            strange = [word for word in words if word not in known]
            bits -= sum(np.log2(self.spelling.probabilities(f"{word} ")).sum() for word in strange)
        return float(bits / characters)

    def generate(
        self, length: int = 200, *, prompt: str = "", temperature: float = 1.0, seed: int
    ) -> str:
        """Return a text of the prompt and `length` more characters or words, drawn one by one.

        Args:
            length: how many to draw.
            prompt: how it begins.
            temperature: below 1 the likely becomes likelier, above 1 all become more alike.
            seed: the same seed gives the same text.
        """
        length = options.whole("length", length, at_least=0)
        if not isinstance(temperature, int | float) or not 0 < temperature < float("inf"):
            raise BadOption(f"temperature must be a number above 0, not {temperature!r}.")
        chance = np.random.default_rng(seed)
        codes = self._codes(prompt).tolist()
        for _ in range(length):
            weights = self._next(np.array(codes[1 - self.order :] if self.order > 1 else []))
            weights[UNKNOWN] = 0
            weights = (weights / weights.max()) ** (1 / temperature)
            codes.append(int(chance.choice(len(weights), p=weights / weights.sum())))
        drawn = [str(self.vocabulary[code]) for code in codes[len(codes) - length :]]
        between = "" if self.unit == "character" else " "
        return between.join([*([prompt] if prompt else []), *drawn])

    @property
    def _symbols(self) -> int:
        return len(self.vocabulary) + 1  # and the start of a text

    def _start(self) -> np.ndarray:
        return np.full(self.order - 1, len(self.vocabulary), dtype=np.int64)

    def _codes(self, text: str) -> np.ndarray:
        place = self._places()
        return np.array([place.get(s, UNKNOWN) for s in _split(text, self.unit)], dtype=np.int64)

    def _places(self) -> dict[str | None, int]:
        return {symbol: number for number, symbol in enumerate(self.vocabulary)}

    def _next(self, codes: np.ndarray) -> np.ndarray:
        """Return the probabilities (vocabulary,) of what comes after these symbols."""
        padded = np.concatenate([self._start(), codes]).astype(np.int64)
        found = np.full(len(self.vocabulary), 1 / len(self.vocabulary))
        context = 0
        for length, seen in enumerate(self.orders):
            if length:
                key = padded[len(padded) - length] * len(self.orders[length - 1].left) + context
                context = int(np.searchsorted(seen.keys, key))
                if context == len(seen.keys) or seen.keys[context] != key:
                    break  # never seen, nor then any longer one
            ends = np.searchsorted(
                seen.grams, [context * self._symbols, (context + 1) * self._symbols]
            )
            found *= seen.left[context]
            symbols = seen.grams[slice(*ends)] - context * self._symbols
            found[symbols] += seen.kept[slice(*ends)]
        return found


def ngram(
    texts: str | Sequence[str],
    *,
    order: int = 5,
    unit: str = "character",
    smoothing: str = "kneser-ney",
    vocabulary: Sequence[str] | None = None,
) -> NGram:
    """Return a language model of counts, fitted on a text or on several.

    Args:
        texts: what to count in; of several, none goes on from the one before.
        order: how many symbols it looks at, the next one included; 1 counts single ones only.
        unit: "character" or "word" (what blanks set apart).
        smoothing: "kneser-ney" or "witten-bell", which is a little worse and never fails on
            counts that are odd, as those of generated texts.
        vocabulary: the symbols that count as known, such as those a network knows; None takes
            those of the texts.
    """
    order = options.whole("order", order)
    if unit not in UNITS:
        raise unknown("unit", unit, UNITS)
    if smoothing not in SMOOTHING:
        raise unknown("smoothing", smoothing, SMOOTHING)
    pieces = [_split(text, unit) for text in _texts(texts)]
    met = {symbol for piece in pieces for symbol in piece}
    if not met:
        raise BadData("The texts to count in are empty.")
    known: list[str | None] = [
        None,
        *(sorted(met) if vocabulary is None else dict.fromkeys(vocabulary)),
    ]
    model = NGram(known, order, unit, [])
    place = model._places()
    codes = [
        np.concatenate([model._start(), [place.get(symbol, UNKNOWN) for symbol in piece]])
        for piece in pieces
    ]
    model.orders = _count(codes, order, model._symbols, smoothing)
    if unit == "word":
        words = [f"{word} " for word in known if word]
        model.spelling = ngram(words, order=order, smoothing=smoothing)
    return model


def _count(pieces: list[np.ndarray], order: int, symbols: int, smoothing: str) -> list[_Order]:
    """Return what follows contexts of each length from 0 to order - 1."""
    padded = np.concatenate(pieces)
    places = np.flatnonzero(padded < symbols - 1)  # starts of texts are context only
    context = np.zeros(len(places), dtype=np.int64)
    levels = []
    contexts = 1
    for length in range(order):
        keys = np.zeros(1, dtype=np.int64)
        if length:
            keys, context = np.unique(
                padded[places - length] * contexts + context, return_inverse=True
            )
        shorter, contexts = contexts, len(keys)
        grams, counts = np.unique(context * symbols + padded[places], return_counts=True)
        if smoothing == "kneser-ney" and length:
            # Of the level below: after how many different symbols each of its grams was seen.
            below = (keys % shorter)[grams // symbols] * symbols + grams % symbols
            levels[-1][2] = np.unique(below, return_counts=True)[1]
        levels.append([keys, grams, counts])
    return [_smoothed(*level, symbols, smoothing) for level in levels]


def _smoothed(
    keys: np.ndarray, grams: np.ndarray, counts: np.ndarray, symbols: int, smoothing: str
) -> _Order:
    of_gram = grams // symbols
    seen, kinds = np.bincount(of_gram, counts), np.bincount(of_gram)
    if smoothing == "witten-bell":
        return _Order(keys, grams, counts / (seen + kinds)[of_gram], kinds / (seen + kinds))
    once, twice = (counts == 1).sum(), (counts == 2).sum()
    # Where nothing was seen once, as with few symbols, the estimate would leave nothing over.
    discount = once / (once + 2 * twice) if once and twice else 0.5
    return _Order(keys, grams, (counts - discount) / seen[of_gram], discount * kinds / seen)


def _find(keys: np.ndarray, wanted: np.ndarray, context: np.ndarray) -> np.ndarray:
    """Return where `wanted` stand among sorted keys; -1 where they do not, or have no context."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where((context >= 0) & (keys[place] == wanted), place, -1)


def _split(text: str, unit: str) -> list[str]:
    return list(text) if unit == "character" else text.split()


def _texts(x: Any) -> list[str]:
    texts = [x] if isinstance(x, str) else list(x)
    if not texts or not all(isinstance(text, str) for text in texts):
        raise BadData(f"A text or several are needed; got {x!r:.80}.")
    return texts
