"""Wake a worker through a procrastinate job; one queued wake-up is enough for all."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from psycopg.errors import UniqueViolation

from reviewapp.asked import rows

# Checks and writes in one round trip, through procrastinate's own function. The next sweep makes up
# for a wake-up lost in a crash, hence no synchronous commit when this is the only write.
_DEFER = """
WITH quick AS MATERIALIZED (
    SELECT CASE WHEN %(alone)s::bool THEN set_config('synchronous_commit', 'off', true) END
)
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
    'default', %(task)s::text, 0, NULL, {lock}, '{{}}', {at})
    ::procrastinate_job_to_defer_v1]) FROM quick
"""
_NOW = (
    _DEFER.format(lock="%(task)s::text", at="NULL")
    + """WHERE NOT EXISTS (
    SELECT FROM procrastinate_jobs WHERE queueing_lock = %(task)s::text AND status = 'todo')"""
)
_LATER = _DEFER.format(lock="NULL", at="%(at)s::timestamptz")


def wake(task: str, at: datetime | None = None) -> None:
    """Queue `task` for a worker: now, unless a wake-up for it is queued already, or at `at`."""
    alone = not connection.in_atomic_block

    if at is not None:
        rows(_LATER, {"alone": alone, "task": task, "at": at})
        return

    savepoint = nullcontext() if alone else transaction.atomic()
    try:
        with savepoint:
            rows(_NOW, {"alone": alone, "task": task})
    except IntegrityError as error:
        # Another process queued the same wake-up at the same moment.
        if not isinstance(error.__cause__, UniqueViolation):
            raise
