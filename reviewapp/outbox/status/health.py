"""Whether changes are being delivered: is the outbox paused, is a worker alive?

A worker renews its row in procrastinate's own table every 10 seconds and removes it when it stops.
One that misses two beats counts as dead, so that people learn of it within half a minute. The
beats are compared with the database's clock, which also wrote them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateWorker

from reviewapp.outbox.models import Change, Pause
from reviewapp.postgres.statement import sql_file

if TYPE_CHECKING:
    from reviewapp.accounts.models import User

SILENT_SECONDS = 25
MAX_COUNT = 99


@dataclass(frozen=True, kw_only=True)
class DeliveryHealth:
    """The pause if there is one, whether a worker is alive, and how many changes wait for a person.

    `waiting` stops at one more than `MAX_COUNT`. `own_since` is when the last of the reader's own
    among them ended in a conflict or was refused, None if there is none.
    """

    pause: Pause | None
    worker_alive: bool
    waiting: int
    own_since: datetime | None = None

    @classmethod
    def from_row(
        cls,
        worker_alive: bool,
        waiting: int,
        own_since: datetime | None,
        *pause_values: Any,
    ) -> Self:
        """Return the health of a row of `health.sql`; the columns of no pause are NULL."""
        pause = None
        if pause_values[0] is not None:
            pause = Pause.from_db("default", ("id", "reason", "since"), pause_values)
        return cls(pause=pause, worker_alive=worker_alive, waiting=waiting, own_since=own_since)

    @property
    def banner_state(self) -> str:
        """What the banner shows, short enough for a header; "" when there is no banner."""
        parts = []
        if self.pause:
            parts.append(f"paused {self.pause.since.timestamp()}")
        if not self.worker_alive:
            parts.append("no worker")
        return " ".join(parts)

    @property
    def attention_state(self) -> str:
        """What the badge shows and since when the reader's last change waits, for a header."""
        if self.own_since is None:
            return str(self.waiting)
        return f"{self.waiting} {self.own_since.timestamp()}"

    def has_own_since(self, page_state: str) -> bool:
        """Return whether a change of the reader waits that a page with that state has not shown."""
        if self.own_since is None:
            return False
        _, _, shown = page_state.partition(" ")
        try:
            return self.own_since.timestamp() > float(shown or 0)
        except ValueError:
            return False


_HEALTH = sql_file(__file__, "health.sql", DeliveryHealth.from_row)


def delivery_health(reader: User | None = None) -> DeliveryHealth:
    """Return the health of deliveries as `reader` sees it, with one query."""
    (health,) = _HEALTH.rows(
        silent_seconds=SILENT_SECONDS,
        limit=MAX_COUNT + 1,
        reader=reader.pk if reader else None,
    )
    return health


def changes_about(ref: str) -> list[Change]:
    """Return all changes of a ref, newest first."""
    return list(Change.objects.about(ref))


def workers_alive() -> int:
    """Return how many workers are alive."""
    silent_since = Now() - timedelta(seconds=SILENT_SECONDS)
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=silent_since).count()
