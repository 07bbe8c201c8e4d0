"""Count what a pull brought."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from reviewapp.mixpeek.records import LeftOut
from reviewapp.retrievers.sync_counts import Tally

_log = logging.getLogger("reviewapp.sync.pull.run")
_MOST_NAMED = 100


@dataclass(kw_only=True)
class Counts:
    """The sum of many tallies, and how many are gone upstream or were not found.

    What is `left` waits until we know what came of a create of ours; the next pull takes it in. `left_out` are the
    records that cannot be taken in, by name, with the reason.
    """

    new: int = 0
    changed: int = 0
    same: int = 0
    gone: int = 0
    left: int = 0
    left_out: dict[str, str] = field(default_factory=dict)

    def add(self, tally: Tally) -> None:
        """Count a tally in."""
        self.new += tally.new
        self.changed += tally.changed
        self.same += tally.same
        self.left += tally.left

    def leave_out(self, records: Iterable[LeftOut]) -> None:
        """Note and log what cannot be taken in, each once; the log names the first hundred."""
        for record in records:
            if record.name not in self.left_out and len(self.left_out) < _MOST_NAMED:
                _log.warning("left out %s", record)
            self.left_out[record.name] = record.reason

    def reasons(self) -> Iterator[str]:
        """Yield a line for each record that was left out, for the first hundred."""
        for name, reason in islice(self.left_out.items(), _MOST_NAMED):
            yield f"Left out: {name} ({reason})"
        if len(self.left_out) > _MOST_NAMED:
            yield f"Left out: {len(self.left_out) - _MOST_NAMED:,} more"

    def __str__(self) -> str:
        counted = f"{self.new:,} new, {self.changed:,} changed, {self.same:,} as before, {self.gone:,} gone"
        return f"{counted}, {len(self.left_out):,} left out" if self.left_out else counted
