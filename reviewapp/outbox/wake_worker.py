"""Wake a worker through a procrastinate job; one queued wake-up is enough for all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
from django.db import OperationalError, connection, transaction
from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException

# A worker gives procrastinate's own app connections of its own. This one stays on Django's, so that
# a wake-up belongs to the transaction in which it is made.
# https://procrastinate.readthedocs.io/en/stable/howto/django.html
_app = App(connector=DjangoConnector())


def wake(task: str, at: datetime | None = None) -> None:
    """Queue `task` for a worker: now, unless a wake-up for it is queued already, or at `at`."""
    if at is not None:
        _defer(task, schedule_at=at)
        return

    if ProcrastinateJob.objects.filter(queueing_lock=task, status="todo").exists():
        return

    is_alone = not connection.in_atomic_block
    try:
        with transaction.atomic():
            if is_alone:
                _do_not_wait_for_the_disk()
            _defer(task, queueing_lock=task)
    except AlreadyEnqueued:
        # Somebody else woke the worker at the same moment.
        pass


def _defer(task: str, **options: Any) -> None:
    try:
        _app.configure_task(task, **options).defer()
    except ConnectorException as error:
        # A database that cannot be reached is dealt with in one place, which knows Django's errors.
        if isinstance(error.__cause__, psycopg.OperationalError):
            raise OperationalError(*error.__cause__.args) from error.__cause__
        raise


def _do_not_wait_for_the_disk() -> None:
    # A wake-up that a crash of the database takes back is made good by the next sweep.
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
