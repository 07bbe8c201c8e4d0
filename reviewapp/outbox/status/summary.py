"""What is going on with deliveries, in one word that the page makes a sentence of. Pure."""

from __future__ import annotations

from enum import Enum

from reviewapp.outbox.rate_limit.shared_budget import Standing as Budget
from reviewapp.outbox.status.health import Standing
from reviewapp.outbox.status.metrics import Figures

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Plight(Enum):
    """What there is to say first; the worst wins."""

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
        """The banner's class."""
        return {"silent": "tone-bad", "working": "tone-info", "holding": "tone-info", "idle": "tone-ok"}.get(
            self.value, "tone-warn"
        )

    @property
    def icon(self) -> str:
        """The banner's icon: a state is never colour alone."""
        return {
            "paused": "pause-circle",
            "no worker": "plug",
            "silent": "cloud-slash",
            "slowed": "speedometer2",
            "trying": "hourglass-split",
            "working": "send",
            "holding": "pause-circle",
            "idle": "check-circle",
        }[self.value]


def plight(figures: Figures, standing: Standing, budget: Budget) -> Plight:
    """Return what is going on."""
    if standing.pause:
        return Plight.PAUSED
    if not standing.worker_alive:
        return Plight.NO_WORKER
    if figures.again and figures.silent_since:
        # Who says "not so fast" is there.
        return Plight.SLOWED if budget.shut_until else Plight.SILENT
    if figures.depth:
        if budget.is_lowered or budget.shut_until:
            return Plight.SLOWED
        return Plight.TRYING if figures.trying_since else Plight.WORKING
    return Plight.HOLDING if figures.held else Plight.IDLE


def lasting(seconds: float) -> str:
    """Return a length of time in its largest unit: "3 minutes", "1 hour"."""
    for size, unit in _UNITS:
        if seconds >= size or size == 1:
            many = int(seconds // size)
            return f"{many} {unit}{'' if many == 1 else 's'}"
    raise AssertionError("the smallest unit fits everything")
