"""Middleware for a worker's jobs: the job's number in log and history, one log line at its end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.db import close_old_connections

from reviewapp.audit.actions import Origin
from reviewapp.audit.context import tracing

if TYPE_CHECKING:
    from procrastinate import JobContext
    from procrastinate.worker import Worker

_log = logging.getLogger("reviewapp.worker")


def trace_job(work: Callable[[], Any], context: JobContext, worker: Worker) -> Any:
    """Run one job; its log lines and history events carry the job's number."""
    # As Django does for requests: a lost connection is opened anew.
    close_old_connections()
    started = perf_counter()
    outcome = "failed"
    with tracing(Origin.WORKER, f"job-{context.job.id}"):
        try:
            result = work()
            outcome = "done"
            return result
        finally:
            milliseconds = round((perf_counter() - started) * 1000, 1)
            details = {"task": context.job.task_name, "ms": milliseconds, "outcome": outcome}
            _log.info("job %s", outcome, extra=details)
