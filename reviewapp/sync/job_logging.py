"""What is around each job of a worker: a name for its lines in log and history, and one line at its end."""

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


def traced(work: Callable[[], Any], context: JobContext, worker: Worker) -> Any:
    """Do one job; what it logs, and what history says of it, carries the job's number."""
    # As Django does for requests: a connection that was lost meanwhile is opened anew instead of failing for ever.
    close_old_connections()
    began, outcome = perf_counter(), "failed"
    with tracing(Origin.WORKER, f"job-{context.job.id}"):
        try:
            result = work()
            outcome = "done"
            return result
        finally:
            line = {"task": context.job.task_name, "ms": round((perf_counter() - began) * 1000, 1), "outcome": outcome}
            _log.info("job %s", outcome, extra=line)
