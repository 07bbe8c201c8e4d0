"""Wake a worker through a procrastinate job; one queued wake-up is enough for all."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction
from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

from reviewapp.postgres.statement import sql_file

# A worker gives procrastinate's own app connections of its own. This one stays on Django's, so that
# a wake-up belongs to the transaction in which it is made.
# https://procrastinate.readthedocs.io/en/stable/howto/django.html
_app = App(connector=DjangoConnector())

_IS_QUEUED = sql_file(__file__, "wakeup_queued.sql", bool)


def queue_wakeup(task: str, at: datetime | None = None) -> None:
    """Queue `task` for a worker: now, unless a wake-up for it is queued already, or at `at`.

    The latter runs at the end of the second of `at`, so that one wake-up serves all that become due
    in that second (`enqueue.sql`).
    """
    if at is not None:
        end_of_second = at.replace(microsecond=0) + timedelta(seconds=1)
        _queue_job(task, schedule_at=end_of_second)
        return

    (is_queued,) = _IS_QUEUED.rows(task=task)
    if is_queued:
        return

    is_own_transaction = not connection.in_atomic_block
    # Another process may queue the same wake-up at the same moment.
    with suppress(AlreadyEnqueued), transaction.atomic():
        if is_own_transaction:
            # Do not wait for the disk: if a crash of the database loses a wake-up, the next sweep
            # makes up for it.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL synchronous_commit = off")
        _queue_job(task, queueing_lock=task)


def _queue_job(task: str, **options: Any) -> None:
    try:
        _app.configure_task(task, **options).defer()
    except ConnectorException as error:
        # What handles an unreachable database knows only Django's errors.
        if isinstance(error.__cause__, psycopg.OperationalError):
            raise OperationalError(*error.__cause__.args) from error.__cause__
        raise
