"""The metrics that this process counts: requests, calls to Mixpeek, deliveries.

The web processes of a server share their counts through files in PROMETHEUS_MULTIPROC_DIR, which
`gunicorn_conf.py` sets; Prometheus reads them at /metrics. A worker is one process: it keeps its
counts in memory and serves them on a port of its own.
"""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from reviewapp.operations.metrics.database import Gauges

_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)
_CALL_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120)

requests = Counter("reviewapp_requests", "Requests answered.", ["route", "method", "status"])
request_seconds = Histogram(
    "reviewapp_request_seconds",
    "How long answers took.",
    ["route", "method"],
    buckets=_REQUEST_SECONDS,
)
calls = Counter(
    "reviewapp_upstream_calls",
    "Requests to Mixpeek by status; none: no answer.",
    ["method", "status"],
)
call_seconds = Histogram(
    "reviewapp_upstream_seconds",
    "How long Mixpeek took to answer.",
    ["method"],
    buckets=_CALL_SECONDS,
)
changes = Counter(
    "reviewapp_changes_settled",
    "Deliveries by outcome, postponed ones included.",
    ["outcome"],
)


def count_request(*, route: str, method: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    requests.labels(route, method, str(status)).inc()
    request_seconds.labels(route, method).observe(seconds)


def count_call(*, method: str, status: int | None, seconds: float, **_: Any) -> None:
    """Count one request to Mixpeek; 429s are those with status 429."""
    status_label = "none"
    if status is not None:
        status_label = str(status)
    calls.labels(method, status_label).inc()
    call_seconds.labels(method).observe(seconds)


def count_change(*, outcome: str, **_: Any) -> None:
    """Count one step of a change."""
    changes.labels(outcome).inc()


def exposition(*, gauges: bool) -> bytes:
    """Return all metrics in Prometheus' text format; `gauges` adds those of the database."""
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(REGISTRY)
    if gauges:
        registry.register(Gauges())
    return generate_latest(registry)
