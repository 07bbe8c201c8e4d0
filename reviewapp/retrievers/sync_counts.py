"""Counts of absorbed records, for every mirror."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class SyncCounts:
    """How many records were new, changed or unchanged, and how many were not absorbed (`left`)."""

    new: int = 0
    changed: int = 0
    same: int = 0
    left: int = 0
