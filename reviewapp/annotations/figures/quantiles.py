"""How long most of some times are: the median, and what nine tenths do not exceed. Pure.

Times are whole tenths of a second, of which there are far fewer than decisions: the database counts
them, and they are put in order here.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Times:
    """Half of some times are no longer than `median`, nine tenths no longer than `slow`; seconds.

    Both are None without any time.
    """

    median: float | None = None
    slow: float | None = None


def times_of(counts: Mapping[int, int]) -> Times:
    """Return the quantiles of times; `counts` says how often each comes, by its tenths."""
    whole = sum(counts.values())
    if not whole:
        return Times()
    return Times(median=_quantile(counts, ceil(whole / 2)), slow=_quantile(counts, _nine(whole)))


def times_by_key(rows: Iterable[Mapping[str, Any]], key: str, tenths: str) -> dict[Any, Times]:
    """Return the quantiles for each value of `key` in rows that count times in `total`."""
    counts: dict[Hashable, Counter[int]] = defaultdict(Counter)
    for row in rows:
        counts[row[key]][row[tenths]] += row["total"]
    return {value: times_of(counter) for value, counter in counts.items()}


def _nine(whole: int) -> int:
    """Return nine tenths of a whole, rounded up; in whole numbers, which are exact."""
    return -(-9 * whole // 10)


def _quantile(counts: Mapping[int, int], rank: int) -> float:
    """Return the time with this rank, from 1, in seconds."""
    passed = 0
    for tenths in sorted(counts):
        passed += counts[tenths]
        if passed >= rank:
            break
    return tenths / 10
