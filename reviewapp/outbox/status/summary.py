"""Summarize the state of deliveries in one value, for the banner of the deliveries page. Pure."""

from __future__ import annotations

from enum import Enum

from django.utils.translation import ngettext

from reviewapp.outbox.rate_limit.shared_budget import BudgetStatus as Budget
from reviewapp.outbox.status.health import DeliveryHealth
from reviewapp.outbox.status.metrics import DeliveryMetrics

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR


class DeliveryStatus(Enum):
    """The state of deliveries, the worst first."""

    PAUSED = "paused"
    NO_WORKER = "no worker"
    SILENT = "silent"
    SLOWED = "slowed"
    TRYING = "trying"
    WORKING = "working"
    HOLDING = "holding"
    UNDELIVERED = "undelivered"
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
    DeliveryStatus.UNDELIVERED: "tone-warn",
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
    DeliveryStatus.UNDELIVERED: "exclamation-diamond",
    DeliveryStatus.IDLE: "check-circle",
}


def delivery_status(
    metrics: DeliveryMetrics, health: DeliveryHealth, budget: Budget
) -> DeliveryStatus:
    """Return the state of deliveries."""
    if health.pause:
        return DeliveryStatus.PAUSED
    if not health.worker_alive:
        return DeliveryStatus.NO_WORKER

    is_silent = metrics.again and metrics.silent_since
    if is_silent and not budget.shut_until:
        return DeliveryStatus.SILENT
    # While the budget is shut, Mixpeek does answer: it asks for fewer requests.
    if is_silent or metrics.depth:
        return _sending_status(metrics, budget)

    if metrics.held:
        return DeliveryStatus.HOLDING
    return DeliveryStatus.UNDELIVERED if health.waiting else DeliveryStatus.IDLE


def _sending_status(metrics: DeliveryMetrics, budget: Budget) -> DeliveryStatus:
    if budget.is_lowered or budget.shut_until:
        return DeliveryStatus.SLOWED
    if metrics.trying_since:
        return DeliveryStatus.TRYING
    return DeliveryStatus.WORKING


def format_duration(seconds: float) -> str:
    """Return a duration in its largest unit: "3 minutes", "1 hour"."""
    if seconds >= _DAY:
        number = int(seconds // _DAY)
        text = ngettext("%(number)s day", "%(number)s days", number)
    elif seconds >= _HOUR:
        number = int(seconds // _HOUR)
        text = ngettext("%(number)s hour", "%(number)s hours", number)
    elif seconds >= _MINUTE:
        number = int(seconds // _MINUTE)
        text = ngettext("%(number)s minute", "%(number)s minutes", number)
    else:
        number = int(seconds)
        text = ngettext("%(number)s second", "%(number)s seconds", number)
    return text % {"number": number}
