"""Beside a client that uses up all it can, the others are still answered at once."""

from __future__ import annotations

from reviewapp.bench.figures import percentile
from reviewapp.drill.evidence import World
from reviewapp.drill.findings import Check, Fault
from reviewapp.drill.journal import ACKNOWLEDGED

_MOST_SECONDS = 1.0


def answered_soon(world: World) -> tuple[str, list[Fault]]:
    """Nineteen of twenty submits are answered within a second."""
    submits = [submit for submit in world.journal.submits if submit.outcome == ACKNOWLEDGED]
    if not submits:
        return "no submits", [Fault(about="submits", what="none was acknowledged")]

    p95 = percentile([submit.answered - submit.sent for submit in submits], 0.95)
    figure = f"p95 of {len(submits):,} submits: {p95:.2f} s"
    if p95 < _MOST_SECONDS:
        return figure, []
    return figure, [Fault(about="submits", what=f"one of twenty takes {p95:.2f} s or longer")]


ABUSE: dict[str, Check] = {"the others are answered within a second": answered_soon}
