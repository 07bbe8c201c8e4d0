"""Whether changes are being delivered: is the outbox paused, is a worker alive?

A worker renews its row in procrastinate's own table every 10 seconds and removes it when it stops.
One that misses two beats counts as dead, so that people learn of it within half a minute. The
beats are compared with the database's clock, which also wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

from reviewapp.asked import asked
from reviewapp.outbox.models import Change, Pause

SILENT_SECONDS = 25
MAX_COUNT = 99

# One round trip, because every page sends it; the count stops early.
_HEALTH = """
SELECT EXISTS (SELECT 1 FROM procrastinate_workers
               WHERE last_heartbeat > clock_timestamp() - %s * interval '1 second'),
       waiting.number, pause.reason, pause.since
FROM (SELECT count(*) AS number FROM (
    SELECT FROM outbox_change WHERE state IN ('conflict', 'refused')
    ORDER BY id DESC LIMIT %s) capped) waiting
LEFT JOIN outbox_pause pause ON true
"""


@dataclass(frozen=True, kw_only=True)
class DeliveryHealth:
    """The pause if there is one, whether a worker is alive, and how many changes wait for a person.

    `waiting` stops at one more than `MAX_COUNT`.
    """

    pause: Pause | None
    worker_alive: bool
    waiting: int

    @property
    def banner_state(self) -> str:
        """What the banner shows, short enough for a header; "" when there is no banner."""
        parts = []
        if self.pause:
            parts.append(f"paused {self.pause.since.timestamp()}")
        if not self.worker_alive:
            parts.append("no worker")
        return " ".join(parts)


def delivery_health() -> DeliveryHealth:
    """Return the health of deliveries, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(_HEALTH, [SILENT_SECONDS, MAX_COUNT + 1])
        worker_alive, waiting, reason, since = cursor.fetchone()

    pause = None
    if since:
        pause = Pause(reason=reason, since=since)
    return DeliveryHealth(pause=pause, worker_alive=worker_alive, waiting=waiting)


@asked
def changes_about(ref: str) -> QuerySet[Change]:
    """Return all changes of a ref, newest first, as a list."""
    return Change.objects.about(ref)


def workers_alive() -> int:
    """Return how many workers are alive."""
    silent_since = Now() - timedelta(seconds=SILENT_SECONDS)
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=silent_since).count()
