"""Personal data in a table: what is there, and how to mask it or leave its rows out.

Looked for are e-mail addresses, phone numbers, bank accounts (IBAN), payment cards and public IP
addresses, in columns of text and of lists of text. Names, postal addresses and what pictures show
are not guessed: no finding is no proof that a table is free of personal data.

Every pattern is bounded, so that the time is linear in the text whatever it holds.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Any

from scraping.errors import Misuse, printable

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# In the order in which they claim a stretch of text: an IBAN's digits are no phone number.
KINDS = ("e-mail", "IBAN", "card number", "IP address", "phone number")
EXAMPLES = 3
PROVENANCE_KINDS = ("e-mail",)  # an address on the web is full of numbers that are no phone's

Span = tuple[int, int]


@dataclass(frozen=True)
class Finding:
    """One kind of personal data in one column: how often, in how many rows, masked examples."""

    column: str
    kind: str
    count: int
    rows: int
    examples: tuple[str, ...]

    def told(self) -> str:
        """The finding as one line."""
        times = "once" if self.count == 1 else f"{self.count:,} times"
        rows = "1 row" if self.rows == 1 else f"{self.rows:,} rows"
        seen = ", ".join(self.examples)
        return f"{printable(self.column)}: {self.kind}, {times} in {rows}, such as {seen}"


def found(table: pd.DataFrame) -> list[Finding]:
    """What personal data a table has, by column and kind; examples are masked."""
    findings = []
    for column in table.columns:
        counts = dict.fromkeys(KINDS, 0)
        rows: dict[str, set[int]] = {kind: set() for kind in KINDS}
        examples: dict[str, dict[str, None]] = {kind: {} for kind in KINDS}
        for row, text, places in _hits(table[column], _kinds_of(column)):
            for start, end, kind in places:
                counts[kind] += 1
                rows[kind].add(row)
                if len(examples[kind]) < EXAMPLES:
                    examples[kind][_masked_example(text[start:end], kind)] = None
        findings += [
            Finding(str(column), kind, count, len(rows[kind]), tuple(examples[kind]))
            for kind, count in counts.items()
            if count
        ]
    return findings


def mask(
    table: pd.DataFrame,
    columns: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
) -> pd.DataFrame:
    """A new table in which personal data is replaced by marks such as "[e-mail]".

    Args:
        table: Stays as it is.
        columns, kinds: Only these; all where left out.

    Raises:
        Misuse: There is no such column or kind.
    """
    masked = table.copy()
    for column, wanted in _asked(table, columns, kinds):
        changed: dict[int, dict[str, str]] = {}
        for row, text, places in _hits(table[column], wanted):
            changed.setdefault(row, {})[text] = _replaced(text, places)
        if changed:
            values = list(table[column].astype(object))
            for row, clean in changed.items():
                value = values[row]
                one = isinstance(value, str)
                values[row] = clean[value] if one else [clean.get(item, item) for item in value]
            masked[column] = _like(values, table[column])
    return masked


def drop(
    table: pd.DataFrame,
    columns: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
) -> pd.DataFrame:
    """A new table without the rows that hold personal data; arguments as for `mask`."""
    import numpy as np

    clean = np.ones(len(table), dtype=bool)
    for column, wanted in _asked(table, columns, kinds):
        clean[[row for row, _, _ in _hits(table[column], wanted)]] = False
    return table[clean].copy()


def spans(
    text: str, kinds: Sequence[str] = KINDS, *, likely: Sequence[str] = KINDS
) -> list[tuple[int, int, str]]:
    """Where personal data stands in a text, in order: start, end, kind.

    `likely` are the kinds that may be there at all, for who knows it more cheaply.
    """
    taken: list[tuple[int, int, str]] = []
    for kind in likely:
        for start, end in FINDERS[kind](text):
            at = bisect.bisect(taken, (start, end, kind))
            free_before = at == 0 or taken[at - 1][1] <= start
            if free_before and (at == len(taken) or end <= taken[at][0]):
                taken.insert(at, (start, end, kind))
    return [one for one in taken if one[2] in kinds]


def masked(text: str) -> str:
    """A text, its personal data replaced by marks such as "[e-mail]"."""
    return _replaced(text, spans(text))


def _replaced(text: str, places: Sequence[tuple[int, int, str]]) -> str:
    parts, done = [], 0
    for start, end, kind in places:
        parts += [text[done:start], f"[{kind}]"]
        done = end
    return "".join([*parts, text[done:]])


def _masked_example(text: str, kind: str) -> str:
    """The example as recognisable as it needs to be to find it again, and no more."""
    if kind == "e-mail":
        end = re.search(r"\.\w+$", text)
        return f"{printable(text[0])}…@…{printable(end[0]) if end else ''}"
    return printable(text[:2]) + "…" + printable(text[-2:])


def _kinds_of(column: object) -> Sequence[str]:
    return PROVENANCE_KINDS if column == "_url" else KINDS


def _asked(
    table: pd.DataFrame, columns: Sequence[str] | None, kinds: Sequence[str] | None
) -> list[tuple[Any, Sequence[str]]]:
    """The columns to look into, each with the kinds to look for."""
    for asked, there, what in ((columns, table.columns, "column"), (kinds, KINDS, "kind")):
        if isinstance(asked, str):
            raise Misuse(f"{what}s is a list: [{asked!r}]")
        if missing := [one for one in asked or () if one not in there]:
            listed = ", ".join(map(str, there))
            raise Misuse(f"There is no {what} {missing[0]!r}; there are {listed}.")
    chosen = table.columns if columns is None else columns
    return [
        (column, [kind for kind in (kinds or KINDS) if kind in _kinds_of(column)])
        for column in chosen
    ]


def _hits(
    values: pd.Series, kinds: Sequence[str]
) -> Iterator[tuple[int, str, list[tuple[int, int, str]]]]:
    """The texts of a column that hold something: row, text, where.

    Most texts are ruled out by Arrow, many times as fast as Python would.
    """
    import numpy as np
    import pyarrow.compute as pc

    rows, texts = _texts(values)
    if not len(rows) or not kinds:
        return
    may = {}
    for kind, pattern in LIKELY.items():
        options = pc.MatchSubstringOptions(pattern)
        told = pc.call_function("match_substring_regex", [texts], options).fill_null(False)
        may[kind] = told.to_numpy(zero_copy_only=False)
    # What is not asked for still claims its text: an account's digits are no phone number.
    for at in np.logical_or.reduce([may[kind] for kind in kinds]).nonzero()[0]:
        text = texts[at].as_py()
        if places := spans(text, kinds, likely=[kind for kind in KINDS if may[kind][at]]):
            yield int(rows[at]), text, places


def _texts(values: pd.Series) -> tuple[np.ndarray, Any]:
    """The texts of a column as Arrow holds them, and for each the number of its row."""
    import numpy as np
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        values = values.astype(values.cat.categories.dtype)
    if pd.api.types.is_object_dtype(values.dtype):
        rows, texts = [], []
        for row, value in enumerate(values):
            if isinstance(value, str):
                rows.append(row)
                texts.append(value)
            elif isinstance(value, (list, tuple, np.ndarray)):
                found = [item for item in value if isinstance(item, str)]
                rows += [row] * len(found)
                texts += found
        return np.array(rows, dtype=np.int64), _arrow(texts)
    if pd.api.types.is_string_dtype(values.dtype):
        return np.arange(len(values)), _arrow(values)
    return np.array([], dtype=np.int64), None


def _arrow(texts: Any) -> Any:
    import pyarrow as pa

    made = pa.array(texts, pa.large_string())
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def _like(values: list[Any], column: pd.Series) -> pd.Series:
    import pandas as pd

    of_text = pd.api.types.is_string_dtype(column.dtype)
    dtype = column.dtype if of_text and not isinstance(column.dtype, pd.CategoricalDtype) else None
    return pd.Series(values, index=column.index, dtype=dtype or "object", name=column.name)


# -- e-mail addresses ------------------------------------------------------------------------------

EMAIL = re.compile(
    r"(?<!\w)\w[\w.%+'\-]{0,63}@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w@])"
    r"|(?<!\w)\w[\w.%+\-]{0,63}\s?[\[({]\s?at\s?[\])}]\s?[\w\-]{1,63}"
    r"(?:(?:\.|\s?[\[({]\s?dot\s?[\])}]\s?)[\w\-]{1,63}){1,8}",
    re.IGNORECASE,
)
# icon@2x.png is a picture.
FILES = re.compile(r"\.(?:png|jpe?g|gif|webp|svg|avif|ico|css|m?js|json|html?|txt)$", re.I)


def _emails(text: str) -> Iterator[Span]:
    if "@" in text or "at" in text.lower():
        for match in EMAIL.finditer(text):
            if not FILES.search(match[0]):
                yield match.span()


# -- bank accounts: ISO 13616 ----------------------------------------------------------------------

IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?:[ \u00a0]?[A-Z0-9]){11,30}")
IBAN_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FO GL NL SD FK",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU XK MN",
        "21": "CH HR LI LV",
        "22": "BG BH CR DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ DJ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU YE",
        "31": "MT SC",
        "32": "LC",
        "33": "RU",
    }.items()
    for country in countries.split()
}


def _ibans(text: str) -> Iterator[Span]:
    for match in IBAN.finditer(text):
        length = IBAN_LENGTHS.get(match[0][:2])
        places = [at for at in range(*match.span()) if text[at].isalnum()][:length]
        # A word that follows is no part of it; a letter right behind means it is another thing.
        if length is None or len(places) < length or text[places[-1] + 1 :][:1].isalnum():
            continue
        compact = "".join(text[at] for at in places)
        if int("".join(str(int(mark, 36)) for mark in compact[4:] + compact[:4])) % 97 == 1:
            yield places[0], places[-1] + 1


# -- payment cards: ISO/IEC 7812 -------------------------------------------------------------------

CARD = re.compile(
    r"(?<![\w.,\-])(?:[0-9]{13,19}|[0-9]{4}(?:([ \-])[0-9]{4})(?:\1[0-9]{4}){1,2}(?:\1[0-9]{1,4})?"
    r"|3[0-9]{3}([ \-])[0-9]{6}\2[0-9]{4,5})(?![\w]|[.,\-][0-9])"
)
CARD_PREFIXES = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[689][0-9])[0-9]{11}|35(?:2[89]|[3-8][0-9])[0-9]{12}"
    r"|(?:6011|65[0-9]{2}|64[4-9][0-9]|62[0-9]{2})[0-9]{12,15}"
)


def _cards(text: str) -> Iterator[Span]:
    for match in CARD.finditer(text):
        digits = re.sub(r"[^0-9]", "", match[0])
        doubled = [int(digit) * (2 if at % 2 else 1) for at, digit in enumerate(reversed(digits))]
        luhn = sum(number - 9 if number > 9 else number for number in doubled)
        if luhn % 10 == 0 and CARD_PREFIXES.fullmatch(digits) and len(set(digits)) > 1:
            yield match.span()


# -- IP addresses ----------------------------------------------------------------------------------

IPV4 = re.compile(r"(?<![\w.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?!\w|[.\-]\w)")
IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{1,4}:{1,2}){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
NO_VERSION = 20  # four numbers that are all smaller are a version or a section


def _ips(text: str) -> Iterator[Span]:
    """Public addresses alone: private ones and those of documentation say nothing of a person."""
    for pattern, kind in ((IPV4, IPv4Address), (IPV6, IPv6Address)):
        for match in pattern.finditer(text):
            try:
                address = kind(match[0])
            except AddressValueError:
                continue
            if address.is_global and max(address.packed) >= NO_VERSION:
                yield match.span()


# -- phone numbers: E.164 and the usual national forms ---------------------------------------------

# Blanks, also narrow ones, and what joins or encloses groups of digits.
GAP = "[ \u00a0\u2007\u2009\u202f.\\-\u2010\u2011\u2013/()]{0,3}"
PHONE_WORDS = (
    "(?i:tel(?:efon|ephone|éfono|efono|éphone)?|phone|fone?|fax|mob(?:ile?|il|ilfunk)?|cell|handy"
    "|whatsapp|☎|📞)"
)
AFTER_WORD = "\\.?(?:[ \\-]?(?i:no|nr|number|nummer)\\.?)?[ \u00a0]?:?[ \u00a0]{0,2}"
PHONE = re.compile(
    "(?=[+(0-9A-Za-z☎📞])(?:"
    # +49 30 1234567, +1 (555) 123-4567
    rf"(?P<plus>(?<![\w.,+\-/=])\+[1-9](?:{GAP}[0-9]){{7,14}}(?![0-9]))"
    # 0049 30 1234567
    r"|(?P<zeros>(?<![\w.,:+\-/=])(?<![0-9] )"
    rf"00[1-9][0-9]{{0,2}}[ \-/](?:{GAP}[0-9]){{6,12}}(?![0-9]))"
    # 030 1234567, (030) 123 45 67, 06 12 34 56 78, 020 7946 0958, 03-1234-5678
    r"|(?P<trunk>(?<![\w.,:+\-/=(])(?<![0-9] )"
    r"(?:\(0[1-9][0-9]{0,4}\)[ \-/]?|0[1-9][0-9]{0,4}(?: ?/ ?|[ .\-]))"
    r"[0-9]{2,8}(?:[ .\-][0-9]{2,8}){0,4}(?![\w]|[.,:\-/]\w|[ ][0-9]))"
    # (555) 123-4567, 555-123-4567, 1-555-123-4567
    r"|(?P<nanp>(?<![\w.,+\-/=(])(?:1[\-. ])?(?:\([2-9][0-9]{2}\) ?[2-9][0-9]{2}[\-. ]"
    r"|[2-9][0-9]{2}(?P<by>[\-.])[2-9][0-9]{2}(?P=by))[0-9]{4}(?![\w]|[.,\-/]\w))"
    # Tel.: 030-1234567
    rf"|(?<!\w){PHONE_WORDS}(?!\w){AFTER_WORD}"
    rf"(?P<told>\(?[0-9](?:{GAP}[0-9]){{6,14}}(?![0-9])))"
)
PHONE_FORMS = ("plus", "zeros", "trunk", "nanp", "told")
DATE = re.compile(r"\(?[0-9]{2}[-./ ][0-9]{2}[-./ ](?:19|20)[0-9]{2}")
NATIONAL_DIGITS = range(9, 13)


def _phones(text: str) -> Iterator[Span]:
    for match in PHONE.finditer(text):
        form = next(name for name in PHONE_FORMS if match[name])
        number = match[form]
        digits = re.sub(r"[^0-9]", "", number)
        if len(set(digits)) < 3 or not _is_phone(form, number, digits):
            continue
        yield match.span(form)


def _is_phone(form: str, number: str, digits: str) -> bool:
    if form == "plus":
        # North America has eleven digits, and no area begins with 0 or 1.
        north_america = len(digits) == 11 and digits[1] not in "01"
        return north_america if digits[0] == "1" else len(digits) <= 15
    if form == "trunk":
        groups = re.findall(r"[0-9]+", number)
        if DATE.match(number) or len(digits) not in NATIONAL_DIGITS:
            return False
        if all(len(group) == 2 for group in groups):
            return len(groups) == 5
        # One hyphen or dot between two numbers is as likely an article's number.
        return len(groups) > 2 or bool(re.search(r"[ /()]", number))
    return True


FINDERS: dict[str, Callable[[str], Iterator[Span]]] = {
    "e-mail": _emails,
    "IBAN": _ibans,
    "card number": _cards,
    "IP address": _ips,
    "phone number": _phones,
}

# What has none of these has nothing of the kind, in the words of RE2, which Arrow uses: no look to
# either side, no back reference.
LIKELY = {
    "e-mail": r"@|[\[({]\s?[aA][tT]\s?[\])}]",
    "IBAN": "[A-Z]{2}[0-9]{2}(?:[ \u00a0]?[A-Z0-9]){11}",
    "card number": r"[0-9](?:[ \-]?[0-9]){12}",
    "IP address": r"(?:[0-9]{1,3}\.){3}[0-9]|(?:[0-9A-Fa-f]{1,4}:{1,2}){2}",
    "phone number": rf"\+[1-9](?:{GAP}[0-9]){{7}}|00[1-9][0-9]{{0,2}}[ \-/](?:{GAP}[0-9]){{6}}"
    rf"|0[1-9](?:{GAP}[0-9]){{7}}|[2-9][0-9]{{2}}\)? ?[\-.]?[2-9][0-9]{{2}}[\-. ][0-9]{{4}}"
    rf"|{PHONE_WORDS}{AFTER_WORD}\(?[0-9](?:{GAP}[0-9]){{6}}",
}
