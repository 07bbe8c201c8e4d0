"""Figures about deliveries: how many wait and since when, the throughput, the last replies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Count

from reviewapp.outbox.models import Change
from reviewapp.outbox.status.presenters import end_sentence

MINUTES = 5
CAP = 10_000

_FIGURES = """
WITH clock AS (SELECT clock_timestamp() AS now),
waiting AS (
    SELECT due, claimed_at, attempts, created_at, reason
    FROM outbox_change WHERE state = 'queued' LIMIT %(cap)s),
answered AS (
    SELECT max(last) AS last
    FROM (VALUES ('delivered'), ('conflict'), ('refused')) known (state), LATERAL (
        SELECT max(settled_at) AS last
        FROM outbox_change c WHERE c.state = known.state AND c.state <> 'queued') each)
SELECT now,
    count(*) FILTER (WHERE claimed_at IS NULL AND attempts = 0 AND due > now) AS held,
    count(*) FILTER (WHERE claimed_at IS NULL AND attempts > 0) AS again,
    count(*) FILTER (WHERE claimed_at IS NOT NULL) AS sending,
    count(due) AS queued,
    min(created_at) FILTER (WHERE claimed_at IS NOT NULL OR attempts > 0 OR due <= now) AS oldest,
    min(due) FILTER (WHERE claimed_at IS NULL AND attempts > 0) AS next_try,
    max(reason) FILTER (WHERE attempts > 0) AS reason,
    (SELECT count(*) FROM outbox_change
     WHERE state = 'delivered'
       AND settled_at > now - %(minutes)s * interval '1 minute') AS delivered,
    (SELECT last FROM answered) AS last_answer,
    (SELECT at FROM audit_event WHERE action = 'change.postponed'
     AND at > coalesce((SELECT last FROM answered), '-infinity')
     ORDER BY at, id LIMIT 1) AS silent_since,
    (SELECT at FROM audit_event WHERE action = 'outbox.resumed' AND actor_id IS NOT NULL
     AND at > coalesce((SELECT last FROM answered), '-infinity')
     ORDER BY at DESC, id DESC LIMIT 1) AS trying_since
FROM clock LEFT JOIN waiting ON true GROUP BY now
"""


@dataclass(frozen=True, kw_only=True)
class DeliveryMetrics:
    """Counts, times and rates of deliveries; counts stop at `CAP`.

    - `oldest` leaves out what is held.
    - `delivered` counts the last `MINUTES` minutes.
    - `last_answer` is when Mixpeek last accepted or refused a change.
    - `silent_since` is when the first attempt after that failed; None while Mixpeek answers.
    - `trying_since` is when a person ended a pause, until Mixpeek answers again.
    - `reason` is why one of the changes that wait after a failure failed.
    """

    now: datetime
    held: int
    again: int
    sending: int
    queued: int
    oldest: datetime | None
    next_try: datetime | None
    reason: str | None
    delivered: int
    last_answer: datetime | None
    silent_since: datetime | None
    trying_since: datetime | None = None

    @property
    def depth(self) -> int:
        """How many are to be delivered and not held."""
        return self.queued - self.held

    @property
    def why(self) -> str:
        """`reason` as a sentence."""
        return end_sentence(self.reason or "")

    @property
    def rate(self) -> float:
        """How many were delivered a minute."""
        return self.delivered / MINUTES

    @property
    def oldest_seconds(self) -> float:
        """How long the oldest has waited."""
        if self.oldest is None:
            return 0.0
        return (self.now - self.oldest).total_seconds()

    @property
    def next_seconds(self) -> float:
        """In how many seconds the next failed change is attempted again."""
        if self.next_try is None:
            return 0.0
        return max(0.0, (self.next_try - self.now).total_seconds())


@dataclass(frozen=True, kw_only=True)
class UndeliveredGroup:
    """How many changes have one state for one reason."""

    state: str
    reason: str
    number: int


def delivery_metrics() -> DeliveryMetrics:
    """Return the figures now, by the database's clock, with one query."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES, {"cap": CAP + 1, "minutes": MINUTES})
        (row,) = cursor.fetchall()
        names = [column.name for column in cursor.description or ()]
    return DeliveryMetrics(**dict(zip(names, row, strict=True)))


def undelivered_groups(limit: int = 12) -> list[UndeliveredGroup]:
    """Return the undelivered changes by state and reason, the largest group first.

    Counts among the newest `CAP`.
    """
    undelivered = Change.objects.filter(state__in=["queued", "conflict", "refused"])
    newest = undelivered.exclude(reason="").order_by("-id")[:CAP]

    by_reason = Change.objects.filter(pk__in=newest.values("pk")).values_list("state", "reason")
    counts = by_reason.annotate(number=Count("pk")).order_by("-number", "state", "reason")
    groups = []
    for state, reason, number in counts[:limit]:
        groups.append(UndeliveredGroup(state=state, reason=reason, number=number))
    return groups
