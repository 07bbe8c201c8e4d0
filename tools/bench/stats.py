"""Medians, percentiles and ratios of samples. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least `share` (0 to 1) of the samples do not exceed.

    Raises ValueError for no samples.
    """
    if not samples:
        raise ValueError("there is no percentile of nothing")
    rank = ceil(len(samples) * share)
    return sorted(samples)[max(rank - 1, 0)]


def median(samples: Sequence[float]) -> float:
    """Return the middle sample, or the mean of the two in the middle.

    Raises ValueError for no samples.
    """
    lower = percentile(samples, 0.5)
    upper = sorted(samples)[len(samples) // 2]
    return (lower + upper) / 2


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Seconds of a scenario and of its baseline; `ours[i]` was measured after `bare[i]`."""

    ours: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times the yardstick ours takes, by the medians."""
        return median(self.ours) / median(self.bare)
