"""Summarize the state of deliveries in one value, for the banner of the deliveries page. Pure."""

from __future__ import annotations

from enum import Enum

from reviewapp.outbox.rate_limit.shared_budget import BudgetStatus as Budget
from reviewapp.outbox.status.health import DeliveryHealth
from reviewapp.outbox.status.metrics import DeliveryMetrics

_UNITS = (
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
)


class DeliveryStatus(Enum):
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
    DeliveryStatus.SILENT: "tone-bad",
    DeliveryStatus.WORKING: "tone-info",
    DeliveryStatus.HOLDING: "tone-info",
    DeliveryStatus.IDLE: "tone-ok",
}
_ICONS = {
    DeliveryStatus.PAUSED: "pause-circle",
    DeliveryStatus.NO_WORKER: "plug",
    DeliveryStatus.SILENT: "cloud-slash",
    DeliveryStatus.SLOWED: "speedometer2",
    DeliveryStatus.TRYING: "hourglass-split",
    DeliveryStatus.WORKING: "send",
    DeliveryStatus.HOLDING: "pause-circle",
    DeliveryStatus.IDLE: "check-circle",
}


def delivery_status(
    figures: DeliveryMetrics, standing: DeliveryHealth, budget: Budget
) -> DeliveryStatus:
    """Return the state of deliveries."""
    if standing.pause:
        return DeliveryStatus.PAUSED
    if not standing.worker_alive:
        return DeliveryStatus.NO_WORKER

    if figures.again and figures.silent_since:
        # Mixpeek answers, if only to slow us down.
        return DeliveryStatus.SLOWED if budget.shut_until else DeliveryStatus.SILENT

    if figures.depth:
        if budget.is_lowered or budget.shut_until:
            return DeliveryStatus.SLOWED
        return DeliveryStatus.TRYING if figures.trying_since else DeliveryStatus.WORKING

    return DeliveryStatus.HOLDING if figures.held else DeliveryStatus.IDLE


def format_duration(seconds: float) -> str:
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
