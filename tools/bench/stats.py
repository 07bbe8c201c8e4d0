"""What samples say: medians, percentiles, ratios. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least `share` (0 to 1) of all samples do not exceed; raises when empty."""
    if not samples:
        raise ValueError("there is no percentile of nothing")
    return sorted(samples)[max(ceil(len(samples) * share) - 1, 0)]


def median(samples: Sequence[float]) -> float:
    """Return the middle one, or the mean of the two in the middle; raises when empty."""
    return (percentile(samples, 0.5) + sorted(samples)[len(samples) // 2]) / 2


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Seconds of something and of its yardstick, taken in turns: `ours[i]` right after `bare[i]`."""

    ours: tuple[float, ...]
    bare: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """How many times the yardstick ours takes, by the medians."""
        return median(self.ours) / median(self.bare)
