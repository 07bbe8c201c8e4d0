"""Metrics read from the database on each scrape: queue, workers and jobs of all processes."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import DatabaseError, connection, transaction
from django.db.models import Count
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from reviewapp.outbox.models import Change
from reviewapp.outbox.rate_limit import shared_budget
from reviewapp.outbox.status.health import delivery_health, workers_alive

_QUERY_TIMEOUT = 5  # seconds
# Unsettled states only: partial indexes keep these counts cheap.
_OPEN_STATES = ("queued", "conflict", "refused")
_JOB_STATUSES = ("todo", "doing", "failed")


class Gauges(Collector):
    """Reads the database on each scrape, with a time limit."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the metrics; if the database is down, only the one that says so."""
        families: list[GaugeMetricFamily] = []
        is_up = 0.0
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL statement_timeout = '{_QUERY_TIMEOUT}s'")
                families = list(outbox_metrics())

                counts = dict.fromkeys(_JOB_STATUSES, 0)
                jobs = ProcrastinateJob.objects.filter(status__in=_JOB_STATUSES)
                counts |= dict(jobs.values_list("status").annotate(Count("pk")))
                families.append(
                    _labelled_gauge("reviewapp_jobs", "Background jobs.", "status", counts)
                )
            is_up = 1.0
        except DatabaseError:
            families = []

        yield from families
        yield GaugeMetricFamily(
            "reviewapp_database_up",
            "Whether the database answered.",
            value=is_up,
        )


def outbox_metrics() -> Iterator[GaugeMetricFamily]:
    """Yield the metrics of changes, of the request budget and of the workers."""
    counts = {}
    for state in _OPEN_STATES:
        counts[state] = Change.objects.filter(state=state).count()
    yield _labelled_gauge(
        "reviewapp_changes", "Changes that are not settled for good.", "state", counts
    )

    age = 0.0
    oldest = Change.objects.oldest_waiting()
    if oldest:
        age = (timezone.now() - oldest).total_seconds()
    yield GaugeMetricFamily(
        "reviewapp_oldest_change_seconds",
        "Age of the oldest undelivered change.",
        value=age,
    )

    now = shared_budget.budget_status()
    rates = {"configured": now.configured, "allowed": now.allowed}
    yield _labelled_gauge(
        "reviewapp_budget_per_minute",
        "Requests to Mixpeek a minute, for all processes.",
        "which",
        rates,
    )
    tokens = {rank.name.lower(): left for rank, left in now.tokens.items()}
    yield _labelled_gauge(
        "reviewapp_budget_tokens",
        "Requests to Mixpeek that may be made at once.",
        "rank",
        tokens,
    )

    is_paused = delivery_health().pause is not None
    yield GaugeMetricFamily(
        "reviewapp_outbox_paused",
        "Whether deliveries are paused.",
        value=float(is_paused),
    )
    yield GaugeMetricFamily("reviewapp_workers", "Workers that are alive.", value=workers_alive())


def _labelled_gauge(name: str, text: str, label: str, counts: dict[str, int]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, text, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
