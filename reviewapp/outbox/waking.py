"""Wake a worker: one wake-up that waits is enough for all, so the second costs one question and writes nothing."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from procrastinate.contrib.django import app
from psycopg.errors import UniqueViolation

# Asks and writes in one round trip, through procrastinate's own function. A wake-up that a crash of the database takes
# back is made good by the next sweep, so nobody waits for the disk unless there is more to write.
_WAKE = """
WITH quick AS MATERIALIZED (
    SELECT CASE WHEN %(alone)s THEN set_config('synchronous_commit', 'off', true) END AS said
)
SELECT procrastinate_defer_jobs_v1(ARRAY[
    ROW('default', %(task)s, 0, NULL, %(task)s, '{}', NULL)::procrastinate_job_to_defer_v1]) FROM quick
WHERE NOT EXISTS (SELECT FROM procrastinate_jobs WHERE queueing_lock = %(task)s AND status = 'todo')
"""


def wake(task: str, at: datetime | None = None) -> None:
    """Have a worker do `task`: now, unless a wake-up for it waits already, or at an instant."""
    if at is not None:
        app.configure_task(task, schedule_at=at).defer()
        return
    alone = not connection.in_atomic_block
    try:
        with nullcontext() if alone else transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_WAKE, {"alone": alone, "task": task})
    except IntegrityError as error:
        # Somebody else woke the worker at the same moment.
        if not isinstance(error.__cause__, UniqueViolation):
            raise
