"""Wake a worker: one wake-up that waits is enough for all, so the second costs one question and writes nothing."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from psycopg.errors import UniqueViolation

from reviewapp.asked import rows

# Asks and writes in one round trip, through procrastinate's own function. A wake-up that a crash of the database takes
# back is made good by the next sweep, so nobody waits for the disk unless there is more to write.
_DEFER = """
WITH quick AS MATERIALIZED (
    SELECT CASE WHEN %(alone)s::bool THEN set_config('synchronous_commit', 'off', true) END AS said
)
SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', %(task)s::text, 0, NULL, {lock}, '{{}}', {at})
    ::procrastinate_job_to_defer_v1]) FROM quick
"""
_NOW = (
    _DEFER.format(lock="%(task)s::text", at="NULL")
    + "WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = %(task)s::text AND status = 'todo')"
)
_LATER = _DEFER.format(lock="NULL", at="%(at)s::timestamptz")


def wake(task: str, at: datetime | None = None) -> None:
    """Have a worker do `task`: now, unless a wake-up for it waits already, or at an instant."""
    alone = not connection.in_atomic_block
    if at is not None:
        rows(_LATER, {"alone": alone, "task": task, "at": at})
        return
    try:
        with nullcontext() if alone else transaction.atomic():
            rows(_NOW, {"alone": alone, "task": task})
    except IntegrityError as error:
        # Somebody else woke the worker at the same moment.
        if not isinstance(error.__cause__, UniqueViolation):
            raise
