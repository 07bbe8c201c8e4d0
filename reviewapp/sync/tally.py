"""Count what a pull brought."""

from __future__ import annotations

from dataclasses import dataclass

from reviewapp.retrievers.tally import Tally


@dataclass(kw_only=True)
class Counts:
    """The sum of many tallies, and how many are gone upstream or were not found.

    What is `left` waits until we know what came of a create of ours; the next pull takes it in.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    left: int = 0

    def add(self, tally: Tally) -> None:
        """Count a tally in."""
        self.new += tally.new
        self.changed += tally.changed
        self.same += tally.same
        self.left += tally.left

    def __str__(self) -> str:
        return f"{self.new:,} new, {self.changed:,} changed, {self.same:,} as before, {self.gone:,} gone"
