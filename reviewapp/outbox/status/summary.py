"""Summarize the state of deliveries in one value, for the banner of the deliveries page. Pure."""

from __future__ import annotations

from enum import Enum

from reviewapp.outbox.rate_limit.shared_budget import Standing as Budget
from reviewapp.outbox.status.health import Standing
from reviewapp.outbox.status.metrics import Figures

_UNITS = (
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
)


class Plight(Enum):
    """The state of deliveries, the worst first."""

    PAUSED = "paused"
    NO_WORKER = "no worker"
    SILENT = "silent"
    SLOWED = "slowed"
    TRYING = "trying"
    WORKING = "working"
    HOLDING = "holding"
    IDLE = "idle"

    @property
    def tone(self) -> str:
        """The banner's CSS class."""
        return _TONES.get(self, "tone-warn")

    @property
    def icon(self) -> str:
        """The banner's icon, so that the state is not shown by colour alone."""
        return _ICONS[self]


_TONES = {
    Plight.SILENT: "tone-bad",
    Plight.WORKING: "tone-info",
    Plight.HOLDING: "tone-info",
    Plight.IDLE: "tone-ok",
}
_ICONS = {
    Plight.PAUSED: "pause-circle",
    Plight.NO_WORKER: "plug",
    Plight.SILENT: "cloud-slash",
    Plight.SLOWED: "speedometer2",
    Plight.TRYING: "hourglass-split",
    Plight.WORKING: "send",
    Plight.HOLDING: "pause-circle",
    Plight.IDLE: "check-circle",
}


def plight(figures: Figures, standing: Standing, budget: Budget) -> Plight:
    """Return the state of deliveries."""
    if standing.pause:
        return Plight.PAUSED
    if not standing.worker_alive:
        return Plight.NO_WORKER

    if figures.again and figures.silent_since:
        # Mixpeek answers, if only to slow us down.
        return Plight.SLOWED if budget.shut_until else Plight.SILENT

    if figures.depth:
        if budget.is_lowered or budget.shut_until:
            return Plight.SLOWED
        return Plight.TRYING if figures.trying_since else Plight.WORKING

    return Plight.HOLDING if figures.held else Plight.IDLE


def lasting(seconds: float) -> str:
    """Return a duration in its largest unit: "3 minutes", "1 hour"."""
    size, unit = 1, "second"
    for unit_size, unit_name in _UNITS:
        if seconds >= unit_size:
            size, unit = unit_size, unit_name
            break

    number = int(seconds // size)
    if number == 1:
        return f"1 {unit}"
    return f"{number} {unit}s"
