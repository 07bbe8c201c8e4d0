"""Beside a client that uses up all it can, the others are still answered at once."""

from __future__ import annotations

from tools.bench.stats import percentile
from tools.drill.collect import World
from tools.drill.findings import Check, Violation

_MAX_SECONDS = 1.0


def check_response_times(world: World) -> tuple[str, list[Violation]]:
    """Nineteen of twenty submits are answered within a second."""
    seconds: list[float] = []
    for submit in world.journal.submits:
        seconds += submit.seconds
    if not seconds:
        return "no answers", [Violation(about="submits", problem="none was answered")]

    p95 = percentile(seconds, 0.95)
    figure = f"p95 of {len(seconds):,} answers: {p95:.2f} s"
    if p95 < _MAX_SECONDS:
        return figure, []
    return figure, [
        Violation(about="submits", problem=f"one of twenty takes {p95:.2f} s or longer")
    ]


ABUSE: dict[str, Check] = {"the others are answered within a second": check_response_times}
