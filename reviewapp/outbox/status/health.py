"""Whether changes are being delivered: is the outbox paused, is a worker alive?

A worker renews its row in procrastinate's own table every 10 seconds and removes it when it stops.
One that misses two beats counts as dead, so that people learn of it within half a minute. The
beats are compared with the database's clock, which also wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Self

from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

from reviewapp.outbox.models import Change, Pause
from reviewapp.postgres.statement import sql_file

SILENT_SECONDS = 25
MAX_COUNT = 99


@dataclass(frozen=True, kw_only=True)
class DeliveryHealth:
    """The pause if there is one, whether a worker is alive, and how many changes wait for a person.

    `waiting` stops at one more than `MAX_COUNT`.
    """

    pause: Pause | None
    worker_alive: bool
    waiting: int

    @classmethod
    def from_row(cls, worker_alive: bool, waiting: int, *pause_values: Any) -> Self:
        """Return the health of a row of `health.sql`; the columns of no pause are NULL."""
        pause = None
        if pause_values[0] is not None:
            pause = Pause.from_db("default", ("id", "reason", "since"), pause_values)
        return cls(pause=pause, worker_alive=worker_alive, waiting=waiting)

    @property
    def banner_state(self) -> str:
        """What the banner shows, short enough for a header; "" when there is no banner."""
        parts = []
        if self.pause:
            parts.append(f"paused {self.pause.since.timestamp()}")
        if not self.worker_alive:
            parts.append("no worker")
        return " ".join(parts)


_HEALTH = sql_file(__file__, "health.sql", DeliveryHealth.from_row)


def delivery_health() -> DeliveryHealth:
    """Return the health of deliveries, with one query."""
    (health,) = _HEALTH.rows(silent_seconds=SILENT_SECONDS, limit=MAX_COUNT + 1)
    return health


def changes_about(ref: str) -> list[Change]:
    """Return all changes of a ref, newest first."""
    return list(Change.objects.about(ref))


def workers_alive() -> int:
    """Return how many workers are alive."""
    silent_since = Now() - timedelta(seconds=SILENT_SECONDS)
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=silent_since).count()
