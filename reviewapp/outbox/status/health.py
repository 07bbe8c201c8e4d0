"""Whether anything is being delivered at all: is the outbox paused, is a worker alive?

A worker renews its row in procrastinate's own table every 10 seconds and removes it when it stops. One that misses two
beats counts as dead, so that people learn of it within half a minute. The database's clock decides, for it also wrote
the beats.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet

from reviewapp.asked import asked
from reviewapp.outbox.models import Change, Pause

SILENT_SECONDS = 25
MOST_COUNTED = 99

# One round trip, because every page asks; the count stops early.
_STANDING = """
SELECT EXISTS (SELECT 1 FROM procrastinate_workers
               WHERE last_heartbeat > clock_timestamp() - %s * interval '1 second'),
       waiting.number, pause.reason, pause.since
FROM (SELECT count(*) AS number FROM (
    SELECT FROM outbox_change WHERE state IN ('conflict', 'refused') ORDER BY id DESC LIMIT %s) capped) waiting
LEFT JOIN outbox_pause pause ON true
"""
_ALIVE = (
    "SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > clock_timestamp() - %s * interval '1 second'"
)


@dataclass(frozen=True, kw_only=True)
class Standing:
    """The pause if there is one, whether a worker is there to deliver, and how many changes wait for a person.

    `waiting` stops at one more than `MOST_COUNTED`.
    """

    pause: Pause | None
    worker_alive: bool
    waiting: int

    @property
    def told(self) -> str:
        """What the banner says, in a few characters that fit into a header; "" when there is none."""
        paused = f"paused {self.pause.since.timestamp()}" if self.pause else ""
        return f"{paused}{'' if self.worker_alive else ' no worker'}".strip()


def standing() -> Standing:
    """Return how the outbox stands, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, [SILENT_SECONDS, MOST_COUNTED + 1])
        alive, waiting, reason, since = cursor.fetchone()
    return Standing(pause=Pause(reason=reason, since=since) if since else None, worker_alive=alive, waiting=waiting)


@asked
def changes_about(ref: str) -> QuerySet[Change]:
    """Return all changes of a ref, newest first, as a list."""
    return Change.objects.about(ref)


def workers_alive() -> int:
    """Return how many workers are alive."""
    with connection.cursor() as cursor:
        cursor.execute(_ALIVE, [SILENT_SECONDS])
        (alive,) = cursor.fetchone()
    return int(alive)
