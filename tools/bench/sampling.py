"""Take the samples: every round asks each site for each row, right after its yardstick, so that noise meets both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from tools.bench.scenarios import ROWS, YARDSTICKS, Row, Walk
from tools.bench.stats import Pair

_WARM = 3


def sample(walks: Sequence[Walk], *, rounds: int) -> Iterator[tuple[int, Row, Pair, Pair]]:
    """Yield (count, row, its pair, its pair with the bare view) for each row and site, after all rounds."""
    taken: dict[tuple[int, str], list[tuple[float, float, float]]] = defaultdict(list)
    for number in range(rounds + _WARM):
        for row in ROWS:
            for walk in walks:
                view, bare, ours = Walk.view(walk), YARDSTICKS[row.against](walk), row.timed(walk)
                if number >= _WARM:
                    taken[walk.site.count, row.name].append((view, bare, ours))
    for row in ROWS:
        for walk in walks:
            found = taken[walk.site.count, row.name]
            times = tuple(ours for _, _, ours in found)
            pair = Pair(ours=times, bare=tuple(bare for _, bare, _ in found))
            yield (
                walk.site.count,
                row,
                pair,
                Pair(ours=times, bare=tuple(view for view, _, _ in found)),
            )
