"""What the database knows at the moment it is asked: depth and age of the queue, workers, jobs. The same everywhere."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.status.health import standing, workers_alive

_MOST_SECONDS = 5
# Only states that people or workers still empty: each count reads no more than what is open (partial indexes).
_OPEN = ("queued", "conflict", "refused")
_JOBS = "SELECT status::text, count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing', 'failed') GROUP BY 1"


class Gauges(Collector):
    """Asks the database on each scrape, within seconds."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the numbers; only that the database is down when it is."""
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = '{_MOST_SECONDS}s'")
                found = [*_outbox(), _jobs()]
        except DatabaseError:
            found = []
        yield from found
        yield GaugeMetricFamily("reviewapp_database_up", "Whether the database answered.", value=1.0 if found else 0.0)


def _outbox() -> Iterator[GaugeMetricFamily]:
    counts = {state: Change.objects.filter(state=state).count() for state in _OPEN}
    yield _labelled("reviewapp_changes", "Changes that are not settled for good.", "state", counts)
    oldest = Change.objects.oldest_waiting()
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    yield GaugeMetricFamily("reviewapp_oldest_change_seconds", "Age of the oldest undelivered change.", value=age)
    yield from _budget()
    paused = 1.0 if standing().pause else 0.0
    yield GaugeMetricFamily("reviewapp_outbox_paused", "Whether deliveries are paused.", value=paused)
    yield GaugeMetricFamily("reviewapp_workers", "Workers that are alive.", value=workers_alive())


def _budget() -> Iterator[GaugeMetricFamily]:
    now = shared_budget.standing()
    rates = {"configured": now.configured, "allowed": now.allowed}
    yield _labelled("reviewapp_budget_per_minute", "Requests to Mixpeek a minute, for all processes.", "which", rates)
    tokens = {rank.name.lower(): left for rank, left in now.tokens.items()}
    yield _labelled("reviewapp_budget_tokens", "Requests to Mixpeek that may be made at once.", "rank", tokens)


def _jobs() -> GaugeMetricFamily:
    with connection.cursor() as cursor:
        cursor.execute(_JOBS)
        counts = {"todo": 0, "doing": 0, "failed": 0} | dict(cursor.fetchall())
    return _labelled("reviewapp_jobs", "Background jobs.", "status", counts)


def _labelled(name: str, text: str, label: str, counts: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
