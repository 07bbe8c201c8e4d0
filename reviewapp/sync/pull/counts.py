"""Count what a pull absorbed."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from reviewapp.mixpeek.records import LeftOut
from reviewapp.retrievers.sync_counts import SyncCounts

_log = logging.getLogger("reviewapp.sync.pull.run")
_MAX_NAMED = 100


@dataclass(kw_only=True)
class Counts:
    """The sum of many tallies, and how many records are gone upstream or were not found.

    `left` counts records that wait for the outcome of a create of ours; the next pull absorbs them.
    `left_out` holds the reasons why records could not be absorbed, by name.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    left: int = 0
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, tally: SyncCounts) -> None:
        """Add a tally."""
        self.new += tally.new
        self.changed += tally.changed
        self.same += tally.same
        self.left += tally.left

    def leave_out(self, records: Iterable[LeftOut]) -> None:
        """Record what cannot be absorbed; the log names the first hundred, each once."""
        for record in records:
            if record.name not in self.left_out and len(self.left_out) < _MAX_NAMED:
                _log.warning("left out %s", record)
            self.left_out[record.name] = record.reason

    def reasons(self) -> Iterator[str]:
        """Yield a line for each record that was left out, for the first hundred."""
        for name, reason in islice(self.left_out.items(), _MAX_NAMED):
            yield f"Left out: {name} ({reason})"

        more = len(self.left_out) - _MAX_NAMED
        if more > 0:
            yield f"Left out: {more:,} more"

    def __str__(self) -> str:
        parts = [
            f"{self.new:,} new",
            f"{self.changed:,} changed",
            f"{self.same:,} as before",
            f"{self.gone:,} gone",
        ]
        if self.left_out:
            parts.append(f"{len(self.left_out):,} left out")
        return ", ".join(parts)
