"""What taking records in comes to, for every mirror."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How many records were new to us, changed, or as we had them, and how many have to wait (`left`)."""

    new: int = 0
    changed: int = 0
    same: int = 0
    left: int = 0
