"""What became of every address a crawl came to: counted as it goes, told at the end.

A balance is plain data, kept with the pages:

    kept, duplicate, refused, failed, due   how the addresses ended
    fetched, replayed, unchanged            where the answers came from: network, archive, or the
                                            archive because the site says that nothing changed
    nofollow                                pages whose links were left alone, as they ask
    damaged                                 records of the archive that had to be fetched again
    kinds                                   {kind of end: addresses}, see outcomes.py
    reasons                                 {reason: addresses}, the most common ones
    examples                                {kind: [its most common reason, addresses, one of them]}
    stopped                                 the budget that ended the crawl, and what it left
    hosts                                   {host: pages kept from it}
    seconds                                 from the first page to the last
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from scraping.errors import printable
from scraping.outcomes import NEXT, REFUSALS, Kind

MOST_REASONS = 20  # in a balance
MOST_TOLD_APART = 1_000  # reasons of one kind while counting: some name an address each
OTHER = "other reasons"
LONGEST = 120  # characters of a reason or an address


class Tally:
    """The ends of addresses other than as a page, each address counted once.

    A crawl may refuse many times the addresses it keeps, so only counts and examples are held.
    """

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._noted: set[int] = set()
        self._reasons: dict[Kind, Counter[str]] = {}
        self._examples: dict[tuple[Kind, str], str] = {}

    def note(self, url: str, kind: Kind, reason: str) -> None:
        """Count an address, unless it has been."""
        mark = hash(url)  # 64 bits, keyed afresh for each process
        if mark in self._noted:
            return
        self._noted.add(mark)
        told = self._reasons.setdefault(kind, Counter())
        reason = printable(reason, LONGEST)
        if reason not in told:
            if len(told) >= MOST_TOLD_APART:
                reason = OTHER
            self._examples.setdefault((kind, reason), printable(url, LONGEST))
        told[reason] += 1

    def count(self, kind: Kind) -> int:
        """The addresses that ended so."""
        return self._reasons[kind].total() if kind in self._reasons else 0

    def data(self) -> dict[str, Any]:
        """The counts as the parts of a balance that they are."""
        kinds = {kind: self.count(kind) for kind in Kind if self.count(kind)}
        reasons: Counter[str] = Counter()
        examples = {}
        for kind in kinds:
            reasons.update(self._reasons[kind])
            reason, number = self._reasons[kind].most_common(1)[0]
            examples[str(kind)] = [reason, number, self._examples[kind, reason]]
        told = dict(reasons.most_common(MOST_REASONS))
        rest = reasons.total() - sum(told.values())
        if rest:
            told[OTHER] = told.get(OTHER, 0) + rest
        return {
            "duplicate": kinds.get(Kind.DUPLICATE, 0),
            "refused": sum(kinds.get(kind, 0) for kind in REFUSALS),
            "failed": sum(n for kind, n in kinds.items() if has_failed(kind)),
            "kinds": {str(kind): number for kind, number in kinds.items()},
            "reasons": told,
            "examples": examples,
        }


def has_failed(kind: Kind) -> bool:
    """Whether an address was asked for and not had."""
    return kind not in REFUSALS and kind is not Kind.DUPLICATE


def told(balance: dict[str, Any]) -> list[str]:
    """A crawl's balance as lines to print: counts, and for each kind of end the next lawful step.

    Nothing that a site sent reaches a terminal raw.
    """
    counts = [
        f"{balance.get(name, 0):,} {name}"
        for name in ("fetched", "replayed", "unchanged", "duplicate", "refused", "failed", "due")
    ]
    lines = [f"{balance.get('kept', 0):,} pages kept: {', '.join(counts)}"]
    lines += ends(balance)
    if number := balance.get("nofollow"):
        lines.append(f"{number:,} × links not followed, as the page asks (nofollow)")
    if number := balance.get("damaged"):
        lines.append(f"{number:,} × a damaged record of the archive, fetched again")
    if balance.get("stopped"):
        lines.append(f"stopped: {printable(balance['stopped'])}")
        lines.append(
            "  next: raise or leave out that limit and run again; what is kept is not asked for "
            "again"
        )
    return lines


def ends(balance: dict[str, Any]) -> list[str]:
    """The lines for addresses that gave no page: count, reason, an example, the next step."""
    lines = []
    for name, number in balance.get("kinds", {}).items():
        reason, most, url = balance["examples"][name]
        kind = Kind(name)
        group = "failed" if has_failed(kind) else "refused" if kind in REFUSALS else "left out"
        often = "" if most == number else f" ({most:,} of them)"
        lines.append(
            f"{number:,} × {group}, {name}: {printable(reason, LONGEST)}{often}, "
            f"as {printable(url, LONGEST)}"
        )
        if kind in NEXT:
            lines.append(f"  next: {NEXT[kind]}")
    return lines
