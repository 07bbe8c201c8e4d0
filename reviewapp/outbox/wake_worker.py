"""Wake a worker through a procrastinate job; one queued wake-up is enough for all."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
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


def schedule_wakeup(task: str, at: datetime) -> None:
    """Queue `task` for a worker at `at`, even if there is a wake-up for then."""
    _queue_job(task, schedule_at=at)


def queue_wakeup(task: str, *, at: datetime | None = None) -> None:
    """Queue `task` for a worker, now or at `at`, unless such a wake-up is queued already."""
    lock = task
    if at is not None:
        lock = f"{task} {at.isoformat()}"

    (is_queued,) = _IS_QUEUED.rows(lock=lock)
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
        _queue_job(task, queueing_lock=lock, schedule_at=at)


def _queue_job(task: str, **options: Any) -> None:
    try:
        _app.configure_task(task, **options).defer()
    except ConnectorException as error:
        # What handles an unreachable database knows only Django's errors.
        if isinstance(error.__cause__, psycopg.OperationalError):
            raise OperationalError(*error.__cause__.args) from error.__cause__
        raise
